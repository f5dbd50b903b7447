//! Settings of users that change while they are logged in (SPEC 5.11, 7.4): what a user dials at home or at a visited site, what home
//! says to the visited site, and what an operator takes back.
//!
//! ```text
//! dialled at home      change_setting ─ granted ──────────────────── stored ─ done
//! dialled at V         change_setting ─ ask_for_change ── at H: take_change ─ granted ─ stored
//!                                       change_answered ◄─ the settings now ─────────────┘
//!                                         └ stored ─ done
//! changed at H         Notice::settings ─ at V: take_settings
//! ```
//!
//! Only home judges, and what it grants is stored there before anyone is answered: while it can't be reached nothing changes.

use std::sync::Arc;
use std::time::Duration;

use super::Node;
use super::admit::Account;
use super::asking::{FINAL, Notice, What};
use super::features::{Deed, Wish};
use super::in_force::FiledUser;
use super::leases::settings_of;
use super::route::dialler;
use super::tasks::{Asked, Then};
use super::upkeep::{Told, updated};
use crate::ids::{Extension, SiteName};
use crate::link::messages::{self, Refusal, SettingsAnswer, SettingsChange, SettingsNotice};
use crate::link::{Claims, Purpose, Token};
use crate::location::{Guest, Record, Resident, Visitor};
use crate::plan::{Feature, Standing, Trace};
use crate::rejection::Rejection;
use crate::service::{Asks, Refused, Rules, change};
use crate::sip::Status;
use crate::timing::Now;
use crate::transaction::ServerId;

/// A visited site that has not heard from home gives up after so long: an older wish comes too late when a later one is granted.
const LATE: Duration = FINAL;

/// A change that home is asked for.
#[derive(Clone, Debug)]
pub(super) struct Changing {
    deed: Deed,
    extension: Extension,
}

impl Node {
    // ------------------------------------------------------------------------------------------------------------ what is dialled

    /// A code that changes a setting of whoever dials it.
    pub(super) fn change_setting(&mut self, now: Now, deed: Deed, wish: &Wish) {
        match &wish.account {
            Account::Resident(extension) => self.change_own(now, deed, extension, wish),
            Account::Visitor(extension, _) => self.ask_for_change(now, deed, extension, wish),
            Account::Desk(_) | Account::Lost(..) => {
                let nobody = Rejection::warned(Status::FORBIDDEN, "log in first: this desk has no user");
                self.not_done(now, deed, nobody);
            }
        }
    }

    fn change_own(&mut self, now: Now, deed: Deed, extension: &Extension, wish: &Wish) {
        let asks = Asks { feature: wish.feature, argument: &wish.argument };
        let resident = self.resident(extension);
        match self.granted(now, extension, &resident, asks) {
            Ok(next) => {
                let then = Then { deed: Some(deed), ..Then::default() };
                self.change_settings(now, extension, &resident, next, then);
            }
            Err(refused) => self.not_done(now, deed, refused.into()),
        }
    }

    /// What a wish makes of a user of this site; nothing is changed yet. SPEC 5.9: wrong codes are counted, and while they are locked out a
    /// right one is answered like a wrong one.
    fn granted(
        &self,
        now: Now,
        extension: &Extension,
        resident: &Resident,
        asks: Asks<'_>,
    ) -> Result<Resident, Refused> {
        if !asks.feature.takes_pin() {
            return self.judged(now, extension, resident, asks);
        }
        // With those of logins by dialling.
        let user = extension.as_str();
        if self.commons.codes.with(|codes| codes.is_user_locked(now.instant, user)) {
            return Err(Refused::WrongCode);
        }
        let judged = self.judged(now, extension, resident, asks);
        self.commons.codes.with(|codes| match &judged {
            Ok(_) => codes.note_right(user, None),
            Err(Refused::WrongCode) => codes.note_wrong_at_home(now.instant, user),
            Err(Refused::For(_)) => {}
        });
        judged
    }

    fn judged(
        &self,
        now: Now,
        extension: &Extension,
        resident: &Resident,
        asks: Asks<'_>,
    ) -> Result<Resident, Refused> {
        let nobody = || Refused::For(Rejection::because(Status::FORBIDDEN, "Not Your User"));
        let filed = FiledUser::of(&self.config, extension.as_str()).ok_or_else(nobody)?;
        let user = filed.laid_under(resident);
        let dialler = dialler(extension.as_str(), Some(&user), self.config.plan.level_of(extension), Standing::Local);
        let leads = |number: &str| {
            let plan = &self.config.plan;
            self.asking(now, |around| plan.route_forward(number, &dialler, around, Trace::off()).outcome)
        };
        let allows = self.config.network.profile(&user.profile);
        let realm = &self.config.network.realm;
        let lifts_bar = filed.lifts_bar();
        let rules = Rules { extension, realm, profile: &user.profile, allows: &allows, lifts_bar, leads: &leads };
        Ok(filed.with(resident, change(asks, &filed.in_force(resident), &rules)?))
    }

    /// A user of this site as later requests are judged.
    fn resident(&self, extension: &Extension) -> Resident {
        let view = self.location.view(extension.as_str());
        view.as_deref().and_then(Record::resident).cloned().unwrap_or_default()
    }

    /// Stages settings of a user of this site; where the user is elsewhere, that site is told.
    fn change_settings(&mut self, now: Now, extension: &Extension, before: &Resident, next: Resident, mut then: Then) {
        if before.changes == next.changes {
            return self.confirm(now, extension, then);
        }
        then.notices.extend(self.notice_of_settings(extension, &next));
        self.change(now, extension, Some(Record::Resident(next)), then);
    }

    /// What the site where the user is has to know; `None`: the user is not away.
    fn notice_of_settings(&self, extension: &Extension, resident: &Resident) -> Option<Notice> {
        let away = resident.away.as_ref()?;
        let notice = SettingsNotice {
            extension: extension.clone(),
            login: resident.login,
            settings: Some(self.settings_now(extension, resident)?),
            ha1: None,
            password_changed: false,
        };
        Some(Notice::settings(&away.site, &notice))
    }

    /// What travels with a user of this site who has these changes.
    fn settings_now(&self, extension: &Extension, resident: &Resident) -> Option<messages::Settings> {
        let user = FiledUser::of(&self.config, extension.as_str())?.laid_under(resident);
        Some(settings_of(&self.config, &user, &user.profile))
    }

    /// `hotdesk reset`: the file holds again (SPEC 7.4). Every shard is told; the owner does it.
    pub(super) fn reset(&mut self, now: Now, extension: &Extension) {
        if self.writes_for(extension) {
            let resident = self.resident(extension);
            if resident.changes.is_some() {
                let next = Resident { changes: None, ..resident.clone() };
                self.change_settings(now, extension, &resident, next, Then::default());
            }
        }
        self.settle(now);
    }

    // ------------------------------------------------------------------------------------------------------------ at a visited site

    /// SPEC 7.4: only home changes its users.
    fn ask_for_change(&mut self, now: Now, deed: Deed, extension: &Extension, wish: &Wish) {
        let view = self.location.view(extension.as_str());
        let Some(visitor) = view.as_deref().and_then(Record::visitor) else {
            return self.not_done(now, deed, Rejection::warned(Status::FORBIDDEN, "Not Logged In"));
        };
        let home = visitor.home.clone();
        if self.links.is_down(&home) {
            return self.not_done(now, deed, unreachable(&home));
        }
        // SPEC 8.8: a wish is later than the one before it, also where the clock was set back meanwhile.
        self.last_wish = now.wall.max(self.last_wish.plus(Duration::from_millis(1)));
        let request = SettingsChange {
            extension: extension.clone(),
            login: visitor.login,
            asked: self.last_wish,
            feature: wish.feature.name().to_owned(),
            argument: wish.argument.clone(),
        };
        let what = What::Change(Changing { deed, extension: extension.clone() });
        self.ask_site(now, &home, Claims::of(Purpose::Settings), Some(extension), messages::encode(&request), what);
    }

    /// Home has granted it, or not.
    pub(super) fn change_answered(
        &mut self,
        now: Now,
        changing: Changing,
        home: &SiteName,
        status: Status,
        body: Option<&[u8]>,
    ) {
        let Changing { deed, extension } = changing;
        let answer = body.filter(|_| status.is_success()).and_then(|body| messages::decode(body).ok());
        let Some(SettingsAnswer { login, settings }) = answer else {
            let refusal = body.and_then(|body| messages::decode::<Refusal>(body).ok()).unwrap_or_default();
            let rejection = match refusal.status {
                status @ 400..=699 => Rejection::warned(Status(status), refusal.text),
                _ => Rejection::warned(Status::SERVER_TIMEOUT, "the home site gave no reason"),
            };
            return self.not_done(now, deed, rejection);
        };
        let then = Then { deed: Some(deed), ..Then::default() };
        let view = self.location.view(extension.as_str());
        let visitor = view.as_deref().and_then(Record::visitor);
        let told = Told { settings: Some(&settings), ha1: None, password_changed: false };
        let is_meant = |visitor: &&Visitor| visitor.home == *home && visitor.login == login;
        let changed = visitor.filter(is_meant).and_then(|visitor| Some((visitor, updated(visitor, &told)?)));
        // Whoever has left meanwhile has changed it all the same.
        let Some((visitor, guest)) = changed else { return self.confirm(now, &extension, then) };
        self.settle_guest(now, &extension, visitor, guest, then);
    }

    /// Home did not answer: what it has done is not known here, and the next renewal tells.
    pub(super) fn change_failed(&mut self, now: Now, changing: Changing, home: &SiteName) {
        let Changing { deed, extension } = changing;
        self.not_done(now, deed, unreachable(home));
        let view = self.location.view(extension.as_str());
        if let Some(visitor) = view.as_deref().and_then(Record::visitor) {
            let next = Visitor { renew_at: now.instant, ..visitor.clone() };
            self.extend(now, &extension, Record::Visitor(next), Then::default());
        }
    }

    /// SPEC 5.11: home says what has changed of a visitor here. A notice may overtake another one: the renewal that is due at once
    /// says which holds.
    pub(super) fn take_settings(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        token: &Token,
        site: &SiteName,
        notice: &SettingsNotice,
    ) {
        let extension = &notice.extension;
        if self.is_arriving(extension) {
            // What the login's answer says may be older: home says it again.
            return self.refuse_site(now, server, asked, token, &Rejection::busy());
        }
        let then = self.site_then(now, server, asked, token, None);
        let view = self.location.view(extension.as_str());
        let visitor = view.as_deref().and_then(Record::visitor);
        let told = Told {
            settings: notice.settings.as_ref(),
            ha1: notice.ha1.as_ref(),
            password_changed: notice.password_changed,
        };
        let is_meant = |visitor: &&Visitor| visitor.home == *site && visitor.login == notice.login;
        let changed = visitor.filter(is_meant).and_then(|visitor| Some((visitor, updated(visitor, &told)?)));
        let Some((visitor, guest)) = changed else { return self.confirm(now, extension, then) };
        self.settle_guest(now, extension, visitor, guest, then);
    }

    fn settle_guest(&mut self, now: Now, extension: &Extension, visitor: &Visitor, guest: Guest, then: Then) {
        let next = Visitor { guest: Arc::new(guest), renew_at: now.instant, ..visitor.clone() };
        self.change(now, extension, Some(Record::Visitor(next)), then);
    }

    // ------------------------------------------------------------------------------------------------------------ at home

    /// SPEC 7.4: the site where a user of ours is asks for a change.
    pub(super) fn take_change(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        token: &Token,
        site: &SiteName,
        request: &SettingsChange,
    ) {
        let (extension, resident) = (&request.extension, self.resident(&request.extension));
        let granted = self.granted_there(now, &resident, site, request);
        let answer = granted.and_then(|next| {
            let gone = || Rejection::new(Status::NOT_FOUND);
            let settings = self.settings_now(extension, &next).ok_or_else(gone)?;
            Ok((next, SettingsAnswer { login: request.login, settings }))
        });
        match answer {
            Ok((next, answer)) => {
                let then = self.site_then(now, server, asked, token, Some(&messages::encode(&answer)));
                self.change(now, extension, Some(Record::Resident(next)), then);
            }
            Err(rejection) => self.refuse_site(now, server, asked, token, &rejection),
        }
    }

    fn granted_there(
        &self,
        now: Now,
        resident: &Resident,
        site: &SiteName,
        request: &SettingsChange,
    ) -> Result<Resident, Rejection> {
        let present = resident.away.as_ref().filter(|away| away.site == *site && resident.login == request.login);
        let Some(away) = present else {
            let at = resident.away.as_ref().map_or(&self.config.site.name, |away| &away.site);
            return Err(Rejection::warned(Status::FORBIDDEN, format!("logged in at {at}")));
        };
        if away.asked.since(request.asked) >= LATE {
            return Err(Rejection::warned(Status::FORBIDDEN, "a later change has come before this one"));
        }
        let unknown = || Rejection::warned(Status::FORBIDDEN, "the home site does not know this feature");
        let feature = Feature::parse(&request.feature).ok_or_else(unknown)?;
        let asks = Asks { feature, argument: &request.argument };
        let mut next = self.granted(now, &request.extension, resident, asks)?;
        next.away.iter_mut().for_each(|away| away.asked = away.asked.max(request.asked));
        Ok(next)
    }
}

fn unreachable(home: &SiteName) -> Rejection {
    Rejection::warned(Status::SERVER_TIMEOUT, format!("home site {home} cannot be reached"))
}
