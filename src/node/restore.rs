//! What was on disk comes back (SPEC 4.5, 8.5, 8.6): users of this site at once; a visitor only once home has confirmed it, unless
//! what checks its digests was kept (`survive_restart`).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Node;
use super::asking::Notice;
use super::in_force::without_stale;
use super::tasks::{Licence, Then};
use super::upkeep::SOONEST;
use crate::hot_desk::{self, RunOut, Stays};
use crate::ids::{Extension, SiteName};
use crate::link::messages::{Outcome, Renewed};
use crate::location::{Record, Visitor};
use crate::settings::Credentials;
use crate::timing::Now;

/// What a process that ended has left.
#[derive(Debug, Default)]
pub struct Restored {
    /// The records, with timers that run from now.
    pub records: Vec<(Extension, Record)>,
    /// The secret of Record-Route proofs, where there is no `link_secret`.
    pub routes: Option<[u8; 32]>,
}

impl Node {
    /// Gives every shard of a site its part of what was left, before anything else comes in.
    pub fn restore_shards(shards: &mut [Self], now: Now, left: Restored) {
        let mut parts: Vec<Vec<(Extension, Record)>> = shards.iter().map(|_| Vec::new()).collect();
        for (extension, record) in left.records {
            let owner = shards.first().map(|shard| shard.commons.owners.of_user(extension.as_str()));
            if let Some(part) = owner.and_then(|owner| parts.get_mut(usize::from(owner.0))) {
                part.push((extension, record));
            }
        }
        for (shard, records) in shards.iter_mut().zip(parts) {
            shard.restore(now, Restored { records, routes: left.routes });
        }
        // Who sits where is known once all are back.
        for shard in shards {
            for (extension, _) in shard.location.snapshot() {
                if shard.writes_for(&extension) {
                    shard.look_at_seats(now, &extension);
                }
            }
        }
    }

    /// Takes back what was left, before anything else comes in.
    pub fn restore(&mut self, now: Now, left: Restored) {
        if let Some(secret) = left.routes.filter(|_| self.config.network.link_secret.is_none()) {
            self.links.keep_routes(&self.config.site.name, secret);
        }
        for (extension, record) in left.records {
            match record {
                Record::Resident(_) if self.is_own(&extension) => self.put_back(now, &extension, record),
                Record::Visitor(visitor) if self.is_home(&visitor.home, &extension) => match visitor.ended {
                    Some(ending) => {
                        self.notify(now, Notice::visit_ended(&extension, &hot_desk::log_out(&visitor), ending));
                    }
                    None => self.bring_back(now, &extension, visitor),
                },
                // The configuration has changed meanwhile: nobody is left who is called so.
                Record::Resident(_) | Record::Visitor(_) => self.change(now, &extension, None, Then::default()),
            }
        }
    }

    /// Whether the number is one of this site's users, or a desk's name.
    pub(super) fn is_own(&self, extension: &Extension) -> bool {
        let site = &self.config.site;
        let is_lab = site.lab.is_some() && self.owns(extension.as_str());
        site.users.contains_key(extension) || site.desks.contains_key(extension.as_str()) || is_lab
    }

    fn is_home(&self, home: &SiteName, extension: &Extension) -> bool {
        self.config.network.home_of(extension.as_str()).is_some_and(|site| site.name == *home)
            && *home != self.config.site.name
    }

    fn put_back(&mut self, now: Now, extension: &Extension, record: Record) {
        // SPEC 7.4: the file may have changed meanwhile.
        let fresh = record.resident().and_then(|resident| without_stale(&self.config, extension, resident));
        let is_stale = fresh.is_some();
        let record = fresh.map_or(record, Record::Resident);
        for binding in record.bindings() {
            // SPEC 6.7: who had a phone here may call for help from there.
            self.note_bound(now, binding.flow.remote.ip());
        }
        if let Some(alarm) = record.next_alarm() {
            self.alarms.arm(extension, alarm);
        }
        self.keep_alive(now, extension, &record);
        if is_stale {
            return self.extend(now, extension, record, Then::default());
        }
        self.location.restore(extension, record);
    }

    fn bring_back(&mut self, now: Now, extension: &Extension, visitor: Visitor) {
        self.alarms.arm(extension, now.instant);
        let (id, profile) = (visitor.id, &visitor.guest.user.profile);
        self.commons.licences.with(|licences| licences.settle(extension, id, profile));
        if self.config.site.hot_desk.survive_restart && visitor.guest.user.credentials != Credentials::default() {
            return self.put_back(now, extension, Record::Visitor(visitor));
        }
        self.returning.insert(extension.clone(), visitor);
        self.commons.arriving.with(|arriving| arriving.insert(extension.clone()));
    }

    /// SPEC 6.7: a phone at that address has a binding.
    pub(super) fn note_bound(&self, now: Now, source: IpAddr) {
        self.commons.callers.with(|callers| callers.bound(now.instant, source));
    }

    /// The alarm of a visitor that home has not confirmed yet.
    pub(super) fn look_after_returning(&mut self, now: Now, extension: &Extension) {
        let Some(visitor) = self.returning.get(extension) else { return };
        match hot_desk::run_out(visitor, now.instant) {
            RunOut::Changed(Stays::Left(logout)) => {
                let notices = vec![Notice::logout(extension, &logout)];
                return self.give_up_returning(now, extension, notices);
            }
            RunOut::Changed(Stays::Here(next)) => drop(self.returning.insert(extension.clone(), next)),
            RunOut::Nothing => {}
        }
        let Some(visitor) = self.returning.get_mut(extension) else { return };
        let is_due = visitor.renew_at <= now.instant;
        if is_due {
            visitor.renew_at = now.instant + (visitor.lease / 4).max(SOONEST);
        }
        let home = visitor.home.clone();
        let next = Record::Visitor(visitor.clone()).next_alarm().unwrap_or(now.instant + SOONEST);
        self.alarms.arm(extension, next);
        if is_due {
            self.due.entry(home.clone()).or_default().insert(extension.clone());
            self.renew(now, &home);
        }
    }

    fn give_up_returning(&mut self, now: Now, extension: &Extension, notices: Vec<Notice>) {
        let licence = Some(Licence::Leave(extension.clone()));
        self.change(now, extension, None, Then { notices, licence, ..Then::default() });
    }

    /// Home's word on a visitor that is not back yet; false if there is none of that login.
    pub(super) fn returning_answered(&mut self, now: Now, home: &SiteName, word: &Renewed) -> bool {
        let extension = &word.extension;
        let Some(visitor) = self.returning.get(extension) else { return false };
        if visitor.home != *home || visitor.login != word.login {
            return false;
        }
        match (word.outcome(), &word.ha1) {
            (Outcome::Held(lease), Some(ha1)) => {
                let told = super::upkeep::Told { ha1: Some(ha1), ..super::upkeep::Told::of(word) };
                let guest = super::upkeep::updated(visitor, &told).map_or_else(|| Arc::clone(&visitor.guest), Arc::new);
                let lease = Duration::from_secs(lease.max(1));
                let random = self.entropy.next_u64();
                let next = hot_desk::renewed(visitor, lease, Some(guest), now.instant, random);
                let (site, login) = (self.config.site.name.clone(), next.login);
                let missing = self.missing_rights(&next.guest);
                let events = vec![self.logged_in(extension, home, &site, login, missing)];
                let profile = next.guest.user.profile.clone();
                self.commons.licences.with(|licences| licences.settle(extension, next.id, &profile));
                for binding in &next.bindings {
                    self.note_bound(now, binding.flow.remote.ip());
                }
                self.change(now, extension, Some(Record::Visitor(next)), Then { events, ..Then::default() });
            }
            // Home lets the login go on and does not say what proves the user: nobody could register.
            (Outcome::Held(_), None) => {
                let notices = vec![Notice::logout(extension, &hot_desk::log_out(visitor))];
                self.give_up_returning(now, extension, notices);
            }
            (Outcome::Gone(_), _) => self.give_up_returning(now, extension, Vec::new()),
            (Outcome::Unknown, _) => {}
        }
        true
    }
}
