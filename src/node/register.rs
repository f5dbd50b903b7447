//! REGISTER (SPEC 4, 5): whom it is for, who proves it, what becomes of the bindings; a visitor's login goes on in `login`.

use bytes::Bytes;

use super::Node;
use super::admit::{Account, Proven};
use super::asking::Notice;
use super::receive::listed;
use super::tasks::{Asked, Licence, ServerTask, Then, Waiting};
use crate::event::{Event, LoggedOutBy};
use crate::hot_desk::{self, HomeRegister, Stays, Wish};
use crate::ids::Extension;
use crate::location::{Binding, Record, Resident, Visitor, displace, is_phone};
use crate::registrar::{self, Judged, Named, Standing, Update, answer, judge, named, next_serial};
use crate::rejection::Rejection;
use crate::sip::{Name, Status};
use crate::timing::Now;
use crate::transaction::ServerId;

/// What a registrar may be required to do (RFC 3327). Not `outbound`: that promises STUN on this port (RFC 5626 §5.4); `reg-id`
/// counts all the same.
const SUPPORTED: [&[u8]; 1] = [b"path"];

impl Node {
    pub(super) fn register(&mut self, now: Now, asked: Asked) {
        let unsupported: Vec<Bytes> =
            asked.request.values(&Name::Require).filter(|tag| !SUPPORTED.contains(&&**tag)).collect();
        if !unsupported.is_empty() {
            let rejection = Rejection::new(Status::BAD_EXTENSION).with(Name::Unsupported, listed(&unsupported));
            return self.refuse_statelessly(&asked, &rejection);
        }
        match named(&asked.request, &self.config.network, self.entry(), &self.config.site) {
            Ok(Named::Here(extension)) => self.register_own(now, asked, &extension),
            Ok(Named::Desk(id)) => self.register_own(now, asked, &Extension::new(id)),
            Ok(Named::Visitor { extension, home }) => self.register_visitor(now, asked, &extension, &home),
            // SPEC 4.4: an unknown user is challenged like a known one, and never right.
            Ok(Named::Nobody(_)) => {
                let rejection = self.prove(now, &asked, &Name::Authorization);
                let rejection = rejection.err().unwrap_or_else(|| Rejection::new(Status::FORBIDDEN));
                self.refuse_statelessly(&asked, &rejection);
            }
            Err(rejection) => self.refuse_statelessly(&asked, &rejection),
        }
    }

    /// A user or desk of this site.
    fn register_own(&mut self, now: Now, asked: Asked, extension: &Extension) {
        let proven = match self.prove_register(now, &asked, extension) {
            Ok(proven) => proven,
            Err(rejection) => return self.refuse_statelessly(&asked, &rejection),
        };
        let begun = match self.is_registered(now, &asked, extension) {
            true => self.begin(now, &asked, ServerTask::Own),
            false => self.begin_anew(now, &asked, ServerTask::Own),
        };
        let Some(server) = begun else { return };
        if let Err(rejection) = self.update_own(now, server, &asked, extension, &proven) {
            self.refuse(now, server, &asked, &rejection);
        }
    }

    /// Whether a phone with a live binding of that user asks.
    fn is_registered(&self, now: Now, asked: &Asked, extension: &Extension) -> bool {
        let asks =
            |binding: &Binding| binding.device.call_id == *asked.request.call_id() || binding.flow == asked.source;
        let view = self.location.view(extension.as_str());
        view.is_some_and(|view| view.bindings().iter().any(|binding| binding.is_live(now.instant) && asks(binding)))
    }

    /// The digest's user must be that of `To` (SPEC 4.4).
    pub(super) fn prove_register(
        &mut self,
        now: Now,
        asked: &Asked,
        extension: &Extension,
    ) -> Result<Proven, Rejection> {
        if self.is_open_lab() && self.owns(extension.as_str()) {
            return Ok(Proven { account: Account::Resident(extension.clone()), nonce_issued: None });
        }
        let proven = self.prove(now, asked, &Name::Authorization)?;
        if proven.account.name() != extension.as_str() {
            return Err(Rejection::warned(Status::FORBIDDEN, "Wrong User"));
        }
        Ok(proven)
    }

    fn update_own(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        extension: &Extension,
        proven: &Proven,
    ) -> Result<(), Rejection> {
        let (site, network) = (self.config.site.clone(), self.config.network.clone());
        let update = Update::read(&asked.request, asked.source, &site.limits, &site.registrar)?;
        self.may_bind(&update)?;
        let view = self.location.view(extension.as_str());
        let empty = Resident::default();
        let resident = view.as_deref().and_then(Record::resident).unwrap_or(&empty);
        let mut base = None;
        match registrar::standing(&resident.displaced, &update, &site.name, now.wall) {
            Standing::Free => {}
            Standing::Refused(why) => {
                return self.keep_out(now, server, asked, extension, &update, proven.nonce_issued, why);
            }
            Standing::Back(displaced) => base = Some(Resident { displaced, ..resident.clone() }),
            Standing::Left(displaced) => {
                let next = Resident { displaced, ..resident.clone() };
                let then = self.accepted(now, server, asked, &[], &update);
                self.change(now, extension, Some(Record::Resident(next)), then);
                self.lost_phone_leaves(now, extension, is_phone(&update.device()));
                return Ok(());
            }
        }
        let resident = base.as_ref().unwrap_or(resident);
        let mut seats = resident.seats.clone();
        let profile = site.users.get(extension).map_or("basic", |user| &user.profile);
        let allowed = network.profile(profile).devices;
        let serial = next_serial(&resident.bindings, now.wall);
        let judged = judge(&resident.bindings, &update, allowed, &site.registrar, proven.nonce_issued, serial, now)?;
        let device = update.device();
        let means = hot_desk::at_home(resident, &device, wish(&update));
        let (bindings, lost, lazy) = match judged {
            Judged::Query | Judged::Unchanged if means != HomeRegister::ComesHome => {
                self.unchanged(now, server, asked, extension, &resident.bindings, &update);
                return Ok(());
            }
            Judged::Query | Judged::Unchanged => (resident.bindings.clone(), Vec::new(), false),
            Judged::Extended { bindings } => (bindings, Vec::new(), true),
            Judged::Changed { mut bindings, displaced: mut lost } => {
                let devices = self.devices(allowed);
                lost.extend(hot_desk::make_room(&resident.bindings, &mut bindings, &mut seats, &device, devices)?);
                (bindings, lost, false)
            }
        };
        let mut then = self.accepted(now, server, asked, &bindings, &update);
        let (next, lazy) = match means {
            HomeRegister::Ordinary => (hot_desk::stay_home(resident, bindings, lost, &site.name, now), lazy),
            HomeRegister::Parked => (hot_desk::refresh_parked(resident, bindings), lazy),
            HomeRegister::ComesHome => {
                let (next, notice) = hot_desk::come_home(resident, bindings, lost, &device, &site.name, now);
                then.notices.extend(notice.map(|notice| Notice::displace(extension, notice)));
                then.events.push(self.logged_in(extension, &site.name, &site.name, next.login, None));
                (next, false)
            }
        };
        self.note_bound(now, asked.source.remote.ip());
        let record = Record::Resident(Resident { seats, ..next });
        if lazy {
            self.extend(now, extension, record, then)
        } else {
            self.change(now, extension, Some(record), then)
        }
        Ok(())
    }

    /// A REGISTER of a visitor who is logged in here: this site answers it itself (SPEC 5.3).
    pub(super) fn update_visitor(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        extension: &Extension,
        visitor: &Visitor,
        proven: &Proven,
    ) -> Result<(), Rejection> {
        let site = self.config.site.clone();
        let update = Update::read(&asked.request, asked.source, &site.limits, &site.registrar)?;
        self.may_bind(&update)?;
        let mut base = None;
        match registrar::standing(&visitor.displaced, &update, &site.name, now.wall) {
            Standing::Free => {}
            Standing::Refused(why) => {
                return self.keep_out(now, server, asked, extension, &update, proven.nonce_issued, why);
            }
            Standing::Back(displaced) => base = Some(Visitor { displaced, ..visitor.clone() }),
            // What a displaced phone takes out is not what the others have put in, though it says `*`.
            Standing::Left(displaced) => {
                if self.links.is_down(&visitor.home) {
                    let next = Visitor { displaced, ..visitor.clone() };
                    let then = self.accepted(now, server, asked, &[], &update);
                    self.change(now, extension, Some(Record::Visitor(next)), then);
                    self.lost_phone_leaves(now, extension, is_phone(&update.device()));
                } else {
                    // Home hears it first: whom it keeps out it names at the next login here.
                    self.say_farewell(now, asked.clone(), Some(server), extension, &visitor.home, update);
                }
                return Ok(());
            }
        }
        let visitor = base.as_ref().unwrap_or(visitor);
        let (allowed, serial) = (visitor.guest.allows.devices, next_serial(&visitor.bindings, now.wall));
        let judged = judge(&visitor.bindings, &update, allowed, &site.registrar, proven.nonce_issued, serial, now)?;
        let mut seats = visitor.seats.clone();
        let (bindings, lost, lazy) = match judged {
            Judged::Query | Judged::Unchanged => {
                self.unchanged(now, server, asked, extension, &visitor.bindings, &update);
                return Ok(());
            }
            Judged::Extended { bindings } => (bindings, Vec::new(), true),
            Judged::Changed { mut bindings, displaced: mut lost } => {
                let (device, devices) = (update.device(), self.devices(allowed));
                lost.extend(hot_desk::make_room(&visitor.bindings, &mut bindings, &mut seats, &device, devices)?);
                (bindings, lost, false)
            }
        };
        let mut then = self.accepted(now, server, asked, &bindings, &update);
        match hot_desk::with_bindings(visitor, bindings) {
            Stays::Here(next) => {
                let mut next = Visitor { seats, ..next };
                lost.into_iter().for_each(|device| displace(&mut next.displaced, device, &site.name, now.wall));
                let same_phones = hot_desk::same_devices(&visitor.bindings, &next.bindings);
                if !same_phones || next.seats.len() != visitor.seats.len() {
                    // SPEC 5.5: home keeps displaced phones out, and so must know which phones are here.
                    next.renew_at = now.instant;
                }
                let record = Record::Visitor(next);
                if lazy {
                    self.extend(now, extension, record, then)
                } else {
                    self.change(now, extension, Some(record), then)
                }
            }
            Stays::Left(logout) => {
                then.licence = Some(Licence::Leave(extension.clone()));
                then.notices.push(Notice::logout(extension, &logout));
                then.events.push(self.logged_out(extension, LoggedOutBy::Phone));
                self.change(now, extension, None, then);
            }
        }
        Ok(())
    }

    /// Nothing changes: answered at once, or behind the steps that the answer rests on.
    fn unchanged(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        extension: &Extension,
        bindings: &[Binding],
        update: &Update,
    ) {
        let then = self.accepted(now, server, asked, bindings, update);
        self.confirm(now, extension, then);
    }

    /// An answer that changes nothing goes out at once, or behind the steps that it rests on.
    pub(super) fn confirm(&mut self, now: Now, extension: &Extension, then: Then) {
        if !self.location.is_staged(extension.as_str()) {
            return self.fulfil(now, then);
        }
        let record = self.location.view(extension.as_str());
        self.change(now, extension, record.map(|record| (*record).clone()), then);
    }

    /// The 200 with the bindings as they will be.
    pub(super) fn accepted(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        bindings: &[Binding],
        update: &Update,
    ) -> Then {
        let reply = self.reply(asked, Status::OK);
        let bytes = answer(reply, bindings, &update.path, &mut self.date, now).write();
        let answer = Waiting { server, asked: asked.clone(), status: Status::OK, bytes, otherwise: None };
        Then { answer: Some(answer), ..Then::default() }
    }

    /// Stages a change; what waits for it is done once it is stored. A full ledger is said with 503 (SPEC 13).
    pub(super) fn change(&mut self, now: Now, extension: &Extension, record: Option<Record>, then: Then) {
        let owed = if record.is_none() { self.owed(now, extension, &then.notices) } else { None };
        // A new login, or a word of home's, ends the wait for one of before the restart.
        let was_returning = self.returning.remove(extension).is_some();
        let then = Then { changed: Some(extension.clone()), ..then };
        if let Some(record) = &record {
            self.note_lost(now, extension, record);
            self.keep_alive(now, extension, record);
        }
        if let Some(alarm) = record.as_ref().and_then(Record::next_alarm) {
            self.alarms.arm(extension, alarm);
        }
        let is_awaited = then.answer.is_some() || then.deed.is_some();
        let staged = match owed {
            Some(owed) => self.ledger.stage_end(&self.location, extension, owed, then),
            None => self.ledger.stage(&self.location, extension, record, then),
        };
        match staged {
            Ok(step) if is_awaited => self.stored_by.push_back((now.instant + super::SLOW, step)),
            Ok(_) => {}
            Err(full) => self.undone(now, full.0, Status::SERVICE_UNAVAILABLE),
        }
        if was_returning {
            self.note_arrived(extension);
        }
    }

    /// A change that only extends: true at once, unless others wait before it.
    pub(super) fn extend(&mut self, now: Now, extension: &Extension, record: Record, then: Then) {
        if let Some(alarm) = record.next_alarm() {
            self.alarms.arm(extension, alarm);
        }
        if self.location.is_staged(extension.as_str()) {
            return self.change(now, extension, Some(record), then);
        }
        self.keep_alive(now, extension, &record);
        self.ledger.extend(&self.location, extension, record, now.instant);
        self.fulfil(now, Then { changed: Some(extension.clone()), ..then });
    }

    pub(super) fn logged_in(
        &self,
        extension: &Extension,
        home: &crate::ids::SiteName,
        at: &crate::ids::SiteName,
        login: crate::ids::LoginNumber,
        missing_rights: Option<String>,
    ) -> Event {
        Event::LoggedIn { extension: extension.clone(), home: home.clone(), at: at.clone(), login, missing_rights }
    }

    /// A login here is over.
    pub(super) fn logged_out(&self, extension: &Extension, by: LoggedOutBy) -> Event {
        Event::LoggedOut { extension: extension.clone(), at: self.config.site.name.clone(), by }
    }
}

fn wish(update: &Update) -> Wish {
    match (update.stays(), update.leaves()) {
        (true, _) => Wish::Stay,
        (false, true) => Wish::Leave,
        (false, false) => Wish::Look,
    }
}
