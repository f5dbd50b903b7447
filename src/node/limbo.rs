//! REGISTERs of phones that have lost their user (SPEC 5.5, 5.10): refused, or answered 200 with a binding in limbo.
//!
//! Either way the site remembers the phone, by which it may log in by dialling. A binding in limbo is bound to nobody: it is short, so that the
//! phone asks again soon and comes in by itself once it may, and lives in memory, so that after a restart the phone's next REGISTER is judged
//! anew.

use std::time::Duration;

use super::Node;
use super::tasks::Asked;
use crate::ids::Extension;
use crate::location::{Binding, LostPhone, Record, Resident, is_phone};
use crate::registrar::{Asks, Judged, Update, judge, next_serial};
use crate::rejection::Rejection;
use crate::settings::{DeviceLimit, Displaced, Registrar};
use crate::timing::{Now, Wall};
use crate::transaction::ServerId;

/// A binding in limbo lasts so long at most, but not less than the site's `min_expires`.
const LONGEST: Duration = Duration::from_secs(120);

impl Node {
    fn has_limbo(&self) -> bool {
        self.config.site.hot_desk.displaced == Displaced::Limbo
    }

    /// A REGISTER with the right digest of a phone that may not have its user: `Err` with `why`, or a binding in limbo. What un-registers
    /// does not come here.
    #[expect(clippy::too_many_arguments, reason = "a REGISTER, who sent it, and what is said about it")]
    pub(super) fn keep_out(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        user: &Extension,
        update: &Update,
        nonce_issued: Option<Wall>,
        why: Rejection,
    ) -> Result<(), Rejection> {
        let device = update.device();
        let phone = is_phone(&device);
        let known = self.location.lost_phones(user.as_str()).into_iter();
        let in_limbo = known.filter(|lost| phone(lost) && lost.is_in_limbo(now.instant)).map(|lost| lost.binding);
        let own: Vec<Binding> = in_limbo.collect();
        let policy = Registrar { device_limit: DeviceLimit::Displace, ..self.config.site.registrar };
        let serial = next_serial(&own, now.wall);
        let judged = judge(&own, update, Resident::DISPLACED, &policy, nonce_issued, serial, now)?;
        let (bindings, is_new) = match judged {
            Judged::Query | Judged::Unchanged => (own, false),
            Judged::Extended { bindings } | Judged::Changed { bindings, .. } => (bindings, true),
        };
        let bindings: Vec<Binding> = bindings
            .into_iter()
            .map(|binding| shortened(binding, Duration::from_secs(policy.min_expires.into()), now))
            .collect();
        if is_new {
            self.location.forget_lost(user.as_str(), &phone);
            self.lose_phones(now, user, &bindings);
        }
        if !self.has_limbo() {
            return Err(why);
        }
        self.note_bound(now, asked.source.remote.ip());
        let then = self.accepted(now, server, asked, &bindings, update);
        self.confirm(now, user, then);
        self.look_at_seats(now, user);
        Ok(())
    }

    /// These phones have just lost that user here.
    pub(super) fn lose_phones(&mut self, now: Now, user: &Extension, bindings: &[Binding]) {
        let in_limbo = self.has_limbo();
        for binding in bindings.iter().filter(|binding| binding.is_live(now.instant)).cloned() {
            if in_limbo {
                self.alarms.arm(user, binding.expires_at);
                self.keep_way_open(now, user, binding.nat);
            }
            self.location.lose(user, LostPhone { binding, in_limbo, seen: now.instant });
        }
    }

    /// A record is stored: a phone that it has is not lost, unless it is about to lose the user again. Until then whoever sits at a phone in limbo
    /// is reached there.
    pub(super) fn note_found(&self, user: &Extension) {
        if !self.location.has_lost_phones() {
            return;
        }
        let (record, view) = (self.location.record(user.as_str()), self.location.view(user.as_str()));
        let (Some(record), Some(view)) = (record, view) else { return };
        let has = |record: &Record, phone: &LostPhone| {
            record.bindings().iter().any(|binding| binding.device.is(&phone.binding.device))
        };
        self.location.forget_lost(user.as_str(), |phone| has(&record, phone) && has(&view, phone));
    }

    /// A record is about to be another: a phone that it had and keeps out is lost.
    pub(super) fn note_lost(&mut self, now: Now, user: &Extension, next: &Record) {
        let displaced = next.displaced();
        if displaced.is_empty() {
            return;
        }
        let Some(before) = self.location.view(user.as_str()) else { return };
        let stays = |binding: &Binding| next.bindings().iter().any(|kept| kept.device.is(&binding.device));
        let is_out = |binding: &Binding| displaced.iter().any(|entry| !entry.back && entry.device.is(&binding.device));
        let gone = before.bindings().iter().filter(|binding| !stays(binding) && is_out(binding));
        let gone: Vec<Binding> = gone.cloned().collect();
        self.lose_phones(now, user, &gone);
    }

    /// A phone that was kept out has un-registered.
    pub(super) fn lost_phone_leaves(&mut self, now: Now, user: &Extension, phone: impl Fn(&LostPhone) -> bool) {
        self.location.forget_lost(user.as_str(), phone);
        self.look_at_seats(now, user);
    }

    /// Bindings in limbo run out: whoever sits at such a phone leaves it. The phone itself is remembered.
    pub(super) fn look_at_limbo(&mut self, now: Now, user: &Extension) {
        let (live, over): (Vec<LostPhone>, Vec<LostPhone>) = self
            .location
            .lost_phones(user.as_str())
            .into_iter()
            .filter(|phone| phone.in_limbo)
            .partition(|phone| phone.is_in_limbo(now.instant));
        live.iter().for_each(|phone| self.alarms.arm(user, phone.binding.expires_at));
        if over.is_empty() {
            return;
        }
        for phone in over {
            self.location.lose(user, LostPhone { in_limbo: false, ..phone });
        }
        self.look_at_seats(now, user);
    }

    /// Whether a REGISTER that home can't judge now asks for no more than the phone has in limbo, and comes from where it has it: then that
    /// lasts on, for a phone that can't call for help unless it is registered.
    pub(super) fn is_as_in_limbo(&self, now: Now, asked: &Asked, user: &Extension, update: &Update) -> bool {
        let Asks::Contacts(wanted) = &update.asks else { return false };
        let own = self.in_limbo_from(now, asked, user);
        self.has_limbo()
            && wanted.iter().all(|wanted| wanted.expires > 0 && own.iter().any(|own| own.uri.equivalent(&wanted.uri)))
    }

    /// What came by that very flow and is in limbo.
    pub(super) fn in_limbo_from(&self, now: Now, asked: &Asked, user: &Extension) -> Vec<Binding> {
        let mut own = self.location.in_limbo(user.as_str(), now.instant);
        own.retain(|binding| binding.flow == asked.source);
        own
    }

    /// A phone that has lost its user is bound for it again, by a login that was dialled at it: for what it has left in limbo, else long enough
    /// to register.
    pub(super) fn revived(&self, now: Now, lost: &LostPhone, beside: &[Binding]) -> Binding {
        let (serial, policy) = (next_serial(beside, now.wall), &self.config.site.registrar);
        let (updated, updated_at) = (now.wall, now.instant);
        let binding = Binding { serial, updated, updated_at, ..lost.binding.clone() };
        if lost.is_in_limbo(now.instant) {
            return binding;
        }
        let nat = Some(policy.nat_expires).filter(|&longest| binding.nat && longest > 0);
        let lifetime =
            Duration::from_secs(nat.map_or(policy.default_expires, |nat| nat.min(policy.default_expires)).into());
        let (expires_at, expires_wall) = (now.instant + lifetime, now.wall.plus(lifetime));
        Binding { expires_at, expires_wall, ..binding }
    }
}

fn shortened(binding: Binding, shortest: Duration, now: Now) -> Binding {
    let longest = LONGEST.max(shortest);
    let (expires_at, expires_wall) =
        (binding.expires_at.min(now.instant + longest), binding.expires_wall.min(now.wall.plus(longest)));
    Binding { expires_at, expires_wall, ..binding }
}
