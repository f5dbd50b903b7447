//! What runs out by itself: bindings, leases, renewals that fall due (SPEC 5.3, 5.7, 8.3).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Node;
use super::asking::{Notice, What};
use super::convert::device_told;
use super::tasks::{Licence, Then, Timer};
use crate::event::{Event, LoggedOutBy};
use crate::hot_desk::{self, RunOut, Stays};
use crate::ids::{Extension, SiteName};
use crate::link::messages::{self, Outcome, RenewAnswer, RenewRequest, Renewal, Renewed};
use crate::link::{Claims, Purpose};
use crate::location::{Guest, Record, Resident, Visitor};
use crate::settings::{Credentials, Origin};
use crate::timing::Now;

/// Whose leases are asked for, each with the version of the settings that are here.
pub(super) type Renewing = BTreeMap<Extension, u64>;

/// A renewal that was not answered is tried again after an eighth of the lease, by a visitor of before a restart after a quarter, and not
/// sooner than this.
pub(super) const SOONEST: Duration = Duration::from_secs(2);
/// Renewals that fall due are gathered for so long, of short leases for a sixteenth.
const GATHERING: Duration = Duration::from_millis(500);

impl Node {
    /// The alarm of an AOR has rung.
    pub(super) fn look_after(&mut self, now: Now, extension: &Extension) {
        if self.location.has_lost_phones() {
            self.look_at_limbo(now, extension);
        }
        let Some(record) = self.location.view(extension.as_str()) else {
            return self.look_after_returning(now, extension);
        };
        let record = self.redate(now, extension, record);
        match &*record {
            Record::Resident(resident) => self.look_after_resident(now, extension, resident),
            Record::Visitor(visitor) => self.look_after_visitor(now, extension, visitor),
        }
        let record = self.location.view(extension.as_str());
        if let Some(next) = record.and_then(|record| record.next_alarm()) {
            // What is staged already needs no second look before it is stored.
            self.alarms.arm(extension, next.max(now.instant + Duration::from_millis(1)));
        }
    }

    fn look_after_resident(&mut self, now: Now, extension: &Extension, resident: &Resident) {
        let mut events = Vec::new();
        let over = hot_desk::lease_out(resident, now.instant);
        if let (Some(_), Some(away)) = (&over, &resident.away) {
            let (extension, at) = (extension.clone(), away.site.clone());
            events.push(Event::LoggedOut { extension, at, by: LoggedOutBy::Lease });
        }
        let expired = hot_desk::expire(over.as_ref().unwrap_or(resident), now.instant);
        let Some(next) = expired.or(over) else { return };
        self.change(now, extension, Some(Record::Resident(next)), Then { events, ..Then::default() });
    }

    fn look_after_visitor(&mut self, now: Now, extension: &Extension, visitor: &Visitor) {
        match hot_desk::run_out(visitor, now.instant) {
            RunOut::Changed(Stays::Left(logout)) => {
                let events = vec![self.logged_out(extension, LoggedOutBy::Expiry)];
                let notices = vec![Notice::logout(extension, &logout)];
                self.change(
                    now,
                    extension,
                    None,
                    Then { notices, events, licence: Some(Licence::Leave(extension.clone())), ..Then::default() },
                );
            }
            RunOut::Changed(Stays::Here(next)) => {
                // Home is told which phones are left here.
                let next = Visitor { renew_at: now.instant, ..next };
                self.change(now, extension, Some(Record::Visitor(next)), Then::default());
            }
            RunOut::Nothing if visitor.renew_at <= now.instant => {
                let again = now.instant + (visitor.lease / 8).max(SOONEST);
                let next = Visitor { renew_at: again, ..visitor.clone() };
                self.due.entry(visitor.home.clone()).or_default().insert(extension.clone());
                self.extend(now, extension, Record::Visitor(next), Then::default());
                self.timers.arm(&Timer::Renewals, now.instant + GATHERING.min(visitor.lease / 16));
            }
            RunOut::Nothing => {}
        }
    }

    /// What fell due within a moment goes in as few requests as it takes.
    pub(super) fn renew_all(&mut self, now: Now) {
        let homes: Vec<SiteName> = self.due.keys().cloned().collect();
        homes.iter().for_each(|home| self.renew(now, home));
    }

    /// Asks a home site for the next few leases; the answer brings the next ones, so that a crowd is paced (SPEC 5.3).
    pub(super) fn renew(&mut self, now: Now, home: &SiteName) {
        if self.renewing.contains(home) {
            return;
        }
        let mut due = self.due.remove(home).unwrap_or_default();
        let (mut logins, mut bytes) = (Vec::new(), 0);
        while logins.len() < RenewRequest::MOST {
            let Some(extension) = due.pop_first() else { break };
            let Some(login) = self.renewal(&extension) else { continue };
            let Some(with) = RenewRequest::with(bytes, &login) else {
                due.insert(extension);
                break;
            };
            bytes = with;
            logins.push(login);
        }
        if !due.is_empty() {
            self.due.insert(home.clone(), due);
        }
        if logins.is_empty() {
            return;
        }
        let asked = logins.iter().map(|login| (login.extension.clone(), login.settings_version)).collect();
        let body = messages::encode(&RenewRequest { logins });
        self.renewing.insert(home.clone());
        self.ask_site(now, home, Claims::of(Purpose::Renew), None, body, What::Renew(asked));
    }

    fn renewal(&self, extension: &Extension) -> Option<Renewal> {
        let view = self.location.view(extension.as_str());
        let here = view.as_deref().and_then(Record::visitor);
        let visitor = here.or_else(|| self.returning.get(extension))?;
        let own = visitor.bindings.iter().map(|binding| &binding.device);
        Some(Renewal {
            extension: extension.clone(),
            login: visitor.login,
            login_id: visitor.id,
            since: visitor.since,
            settings_version: visitor.guest.version,
            devices: own
                .chain(visitor.seats.iter().map(|seat| &seat.device))
                .take(RenewRequest::DEVICES)
                .map(device_told)
                .collect(),
            in_call: self.tally().calls_of(extension.as_str()) > 0,
            wants_ha1: here.is_none() || visitor.guest.user.credentials == Credentials::default(),
        })
    }

    pub(super) fn renewals_answered(&mut self, now: Now, home: &SiteName, asked: &Renewing, body: Option<&[u8]>) {
        self.renewing.remove(home);
        let answer = body.and_then(|body| messages::decode::<RenewAnswer>(body).ok()).unwrap_or_default();
        for word in &answer.logins {
            if let Some(version) = asked.get(&word.extension) {
                self.renewed(now, home, word, *version);
            }
        }
        self.renew(now, home);
    }

    /// `version`: of the settings that were here when home was asked.
    fn renewed(&mut self, now: Now, home: &SiteName, word: &Renewed, version: u64) {
        if self.returning_answered(now, home, word) {
            return;
        }
        let extension = &word.extension;
        let view = self.location.view(extension.as_str());
        let Some(visitor) = view.as_deref().and_then(Record::visitor) else { return };
        if visitor.home != *home || visitor.login != word.login {
            return;
        }
        match word.outcome() {
            Outcome::Held(lease) => {
                // What home said meanwhile may be newer; the renewal that it brought about says which holds.
                let is_answered = visitor.guest.version == version;
                let guest = is_answered.then(|| updated(visitor, &Told::of(word))).flatten().map(Arc::new);
                let lease = Duration::from_secs(lease.max(1));
                let next = hot_desk::renewed(visitor, lease, guest, now.instant, self.entropy.next_u64());
                self.extend(now, extension, Record::Visitor(next), Then::default());
            }
            Outcome::Gone(gone) => {
                let newest = gone.newest.max(crate::ids::LoginNumber(visitor.login.0.saturating_add(1)));
                self.drop_visitor(now, extension, home, newest, &mut Then::default());
            }
            Outcome::Unknown => {}
        }
    }

    /// Home did not answer: the visitors stay, and their renewals fall due again by themselves (SPEC 8.2).
    pub(super) fn renewals_failed(&mut self, _now: Now, home: &SiteName) {
        self.renewing.remove(home);
        self.due.remove(home);
    }
}

/// What home says has changed of a visitor; `None`: it is as it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'a> {
    pub settings: Option<&'a messages::Settings>,
    pub ha1: Option<&'a messages::Ha1>,
    pub password_changed: bool,
}

impl<'a> Told<'a> {
    pub(super) fn of(word: &'a Renewed) -> Self {
        Self { settings: word.settings.as_ref(), ha1: word.ha1.as_ref(), password_changed: word.password_changed }
    }
}

/// What travels with the visitor, as home says now; `None`: nothing has changed.
pub(super) fn updated(visitor: &Visitor, told: &Told<'_>) -> Option<Guest> {
    if told.settings.is_none() && told.ha1.is_none() && !told.password_changed {
        return None;
    }
    let mut guest = Guest::clone(&visitor.guest);
    match told.ha1 {
        Some(ha1) => guest.user.credentials = ha1.clone().into(),
        // SPEC 5.11: home is asked at the next request.
        None if told.password_changed => guest.user.credentials = Credentials::default(),
        None => {}
    }
    if let Some(settings) = told.settings {
        let Guest { user, allows, version } = &mut guest;
        let origin = Origin { file: user.origin.file.clone(), line: 0 };
        *user = settings.user(user.extension.clone(), &user.profile, user.credentials.clone(), &origin);
        *version = settings.version;
        // SPEC 7.3: the profile of the login stays; only what that one allows may be another.
        if user.profile == settings.profile {
            *allows = (&settings.allows).into();
        }
    }
    Some(guest)
}
