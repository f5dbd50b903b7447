//! What a REGISTER does to the bindings of its AOR: RFC 3261 §10.3 step 7, all of it or nothing.

use std::time::Duration;

use bytes::Bytes;

use super::update::{Asks, Update, Wanted};
use crate::location::{Binding, Device};
use crate::rejection::Rejection;
use crate::settings::{DeviceLimit, Registrar};
use crate::sip::{Status, Uri};
use crate::timing::{Now, Wall};

/// How long a REGISTER that was already obeyed counts as its own copy: timer J's 64·T1 (SPEC 4.1).
const COPY: Duration = Duration::from_secs(32);

/// What becomes of the bindings. The vectors hold every live binding of the AOR, ordered by serial.
#[derive(Clone, Debug)]
pub enum Judged {
    /// Nothing was asked but how things stand.
    Query,
    /// Nothing changes: a copy of what was obeyed already, or nothing there to be taken out.
    Unchanged,
    /// Bindings last longer, nothing else: it may be written later (SPEC 4.5).
    Extended {
        /// The bindings now.
        bindings: Vec<Binding>,
    },
    /// To be stored before it is answered.
    Changed {
        /// The bindings now.
        bindings: Vec<Binding>,
        /// Phones that had to go for others (`device_limit = "displace"`).
        displaced: Vec<Device>,
    },
}

/// The serial for the next new binding of an AOR: above those that are there and, by the clock, above those that were. A dialog
/// that names a binding which is gone so never meets another phone.
pub fn next_serial(bindings: &[Binding], now: Wall) -> u64 {
    bindings.iter().map(|binding| binding.serial.saturating_add(1)).fold(now.0, u64::max)
}

/// Judges an update on the present bindings; those that have run out never count.
///
/// `allowed_devices` is the profile's, `nonce_issued` when the nonce of the request's digest was made (`None` without a digest),
/// `next_serial` as [above](next_serial). 500 for a CSeq out of order, 403 for one device too many.
pub fn judge(
    bindings: &[Binding],
    update: &Update,
    allowed_devices: usize,
    policy: &Registrar,
    nonce_issued: Option<Wall>,
    next_serial: u64,
    now: Now,
) -> Result<Judged, Rejection> {
    let mut live: Vec<Binding> = Vec::with_capacity(bindings.len());
    live.extend(bindings.iter().filter(|binding| binding.is_live(now.instant)).cloned());
    let wanted: &[Wanted] = match &update.asks {
        Asks::Query => return Ok(Judged::Query),
        Asks::Clear => &[],
        Asks::Contacts(wanted) => wanted,
    };
    match order(&live, update, wanted, nonce_issued, now) {
        Order::Next => {}
        Order::Copy => return Ok(Judged::Unchanged),
        Order::Late => return Err(Rejection::because(Status::SERVER_INTERNAL_ERROR, "CSeq Out Of Order")),
    }
    let mut draft = Draft { update, now, before: &live, after: live.clone(), written: Vec::new(), next_serial };
    match &update.asks {
        Asks::Query | Asks::Clear => draft.after.clear(),
        Asks::Contacts(wanted) => wanted.iter().for_each(|wanted| draft.obey(wanted)),
    }
    let displaced = draft.keep_limit(allowed_devices, policy.device_limit)?;
    Ok(draft.judged(displaced))
}

/// Where a REGISTER stands among those of its Call-ID.
enum Order {
    Next,
    Copy,
    Late,
}

/// RFC 3261 §10.3 step 7 and SPEC 4.1, 4.2: a Call-ID's REGISTERs are obeyed in the order of their CSeq. A digest over a nonce
/// that was made after the last of them proves that this one is newer, whatever its CSeq: the phone was started anew.
fn order(live: &[Binding], update: &Update, wanted: &[Wanted], nonce_issued: Option<Wall>, now: Now) -> Order {
    let mine = || live.iter().filter(|binding| binding.device.call_id == update.call_id);
    let Some(last) = mine().map(|binding| binding.cseq).max() else { return Order::Next };
    // Ages, not dates: the clock may have been set since (SPEC 8.8). The nonce's is in whole milliseconds.
    let age = |binding: &Binding| now.instant.saturating_duration_since(binding.updated_at);
    let is_fresh = nonce_issued
        .is_some_and(|issued| mine().all(|binding| now.wall.since(issued) + Duration::from_millis(1) <= age(binding)));
    if update.cseq > last || is_fresh {
        return Order::Next;
    }
    let wrote = |binding: &Binding| {
        binding.cseq == update.cseq && now.instant.saturating_duration_since(binding.updated_at) <= COPY
    };
    let is_there = |wanted: &Wanted| mine().any(|binding| wrote(binding) && binding.uri.equivalent(&wanted.uri));
    let is_gone = |wanted: &Wanted| !live.iter().any(|binding| binding.uri.equivalent(&wanted.uri));
    let is_obeyed = |w: &Wanted| if w.expires > 0 { is_there(w) } else { is_gone(w) };
    let is_asked = |binding: &Binding| wanted.iter().any(|w| w.expires > 0 && w.uri.equivalent(&binding.uri));
    let same = wanted.iter().all(is_obeyed) && mine().filter(|binding| binding.cseq == last).all(is_asked);
    if update.cseq == last && same { Order::Copy } else { Order::Late }
}

/// The bindings while an update is carried out.
struct Draft<'u> {
    update: &'u Update,
    now: Now,
    before: &'u [Binding],
    after: Vec<Binding>,
    /// Serials of what this update wrote.
    written: Vec<u64>,
    next_serial: u64,
}

impl Draft<'_> {
    fn obey(&mut self, wanted: &Wanted) {
        let same = |binding: &Binding| is_same(binding, wanted);
        let previous = self.after.iter().rfind(|binding| same(binding)).cloned();
        self.after.retain(|binding| !same(binding));
        if wanted.expires > 0 {
            let binding = self.binding(wanted, previous);
            self.written.push(binding.serial);
            // It lasts: a vector of its own accord takes room for four.
            self.after.reserve_exact(1);
            self.after.push(binding);
        }
    }

    /// A replaced binding keeps its serial: dialogs that name it follow the phone.
    fn binding(&mut self, wanted: &Wanted, previous: Option<Binding>) -> Binding {
        let lifetime = Duration::from_secs(wanted.expires.into());
        let serial = previous.as_ref().map_or(self.next_serial, |previous| previous.serial);
        self.next_serial += u64::from(previous.is_none());
        let old = previous.as_ref();
        Binding {
            serial,
            uri: lasting_uri(&wanted.uri, old.map(|b| &b.uri)),
            params: lasting(&wanted.params, old.map(|b| &b.params)),
            q: wanted.q,
            reg_id: wanted.reg_id,
            device: self.device(wanted, old),
            cseq: self.update.cseq,
            expires_at: self.now.instant + lifetime,
            expires_wall: self.now.wall.plus(lifetime),
            updated: self.now.wall,
            updated_at: self.now.instant,
            path: self.update.path.iter().map(|value| Bytes::copy_from_slice(value)).collect(),
            flow: self.update.flow,
            nat: wanted.nat,
        }
    }

    /// SPEC 5.5: a phone is remembered as one that changes its Call-ID from refresh to refresh.
    fn device(&self, wanted: &Wanted, old: Option<&Binding>) -> Device {
        let new = &wanted.device;
        let rotates = |known: &Device| known.is(new) && (known.rotates || known.call_id != new.call_id);
        Device {
            instance: new.instance.as_ref().map(|i| lasting(i, old.and_then(|b| b.device.instance.as_ref()))),
            call_id: lasting(&new.call_id, old.map(|b| &b.device.call_id)),
            host: lasting(&new.host, old.map(|b| &b.device.host)),
            rotates: self.before.iter().any(|binding| rotates(&binding.device)),
        }
    }

    /// SPEC 4.2: an update that adds bindings may not end above the limit. First goes what the same instance left behind, then
    /// the oldest; never what this update itself wrote.
    fn keep_limit(&mut self, allowed: usize, limit: DeviceLimit) -> Result<Vec<Device>, Rejection> {
        let is_added = |serial: &u64| !self.before.iter().any(|binding| binding.serial == *serial);
        let mut displaced = Vec::new();
        if !self.written.iter().any(is_added) {
            return Ok(displaced);
        }
        while self.after.len() > allowed {
            let Some(at) = self.victim(limit) else { return Err(too_many(allowed)) };
            displaced.push(self.after.remove(at).device);
        }
        displaced.retain(|device| !self.after.iter().any(|binding| binding.device.is(device)));
        displaced.dedup_by(|a, b| a.is(b));
        Ok(displaced)
    }

    fn victim(&self, limit: DeviceLimit) -> Option<usize> {
        let is_written = |binding: &Binding| self.written.contains(&binding.serial);
        let is_left_behind = |binding: &Binding| {
            let instance = &binding.device.instance;
            instance.is_some() && self.after.iter().any(|b| is_written(b) && b.device.instance == *instance)
        };
        let older = self.after.iter().enumerate().filter(|(_, binding)| !is_written(binding));
        let ranked = older.map(|(at, binding)| (!is_left_behind(binding), binding.serial, at));
        let (is_other, _, at) = ranked.min()?;
        match limit {
            DeviceLimit::Displace => Some(at),
            DeviceLimit::Refuse => (!is_other).then_some(at),
        }
    }

    fn judged(mut self, displaced: Vec<Device>) -> Judged {
        self.after.sort_by_key(|binding| binding.serial);
        let mut pairs = self.before.iter().zip(&self.after);
        if self.written.is_empty() && self.before.len() == self.after.len() {
            return Judged::Unchanged;
        }
        if self.before.len() == self.after.len() && pairs.all(|(old, new)| only_extends(old, new)) {
            return Judged::Extended { bindings: self.after };
        }
        Judged::Changed { bindings: self.after, displaced }
    }
}

/// SPEC 4.2: by RFC 3261 §19.1.4, or by instance and `reg-id` (RFC 5626 §6).
fn is_same(binding: &Binding, wanted: &Wanted) -> bool {
    let by_instance = wanted.reg_id.is_some() && wanted.device.instance.is_some();
    binding.uri.equivalent(&wanted.uri)
        || (by_instance && binding.reg_id == wanted.reg_id && binding.device.instance == wanted.device.instance)
}

fn only_extends(old: &Binding, new: &Binding) -> bool {
    old.serial == new.serial
        && old.uri.as_bytes() == new.uri.as_bytes()
        && old.params == new.params
        && old.device == new.device
        && old.path == new.path
        && old.flow == new.flow
        && old.nat == new.nat
        && old.expires_at <= new.expires_at
}

fn too_many(allowed: usize) -> Rejection {
    let device = if allowed == 1 { "device" } else { "devices" };
    Rejection::warned(Status::FORBIDDEN, format!("only {allowed} {device} at a time"))
}

/// The bytes of a message are part of a whole datagram: what lasts is a copy, or what was there already.
fn lasting(new: &Bytes, old: Option<&Bytes>) -> Bytes {
    match old {
        Some(old) if old == new => old.clone(),
        Some(_) | None => Bytes::copy_from_slice(new),
    }
}

fn lasting_uri(new: &Uri, old: Option<&Uri>) -> Uri {
    match old {
        Some(old) if old.as_bytes() == new.as_bytes() => old.clone(),
        Some(_) | None => new.detached(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{Aor, POLICY, after, flow, now, update};
    use super::*;

    const A: &str = "Contact: <sip:201@127.0.0.1:1>";
    const B: &str = "Contact: <sip:201@127.0.0.1:2>";
    const C: &str = "Contact: <sip:201@127.0.0.1:3>";
    const D: &str = "Contact: <sip:201@127.0.0.1:4>";
    const OUT: &str = "Expires: 0";
    const INSTANCE: &str = ";+sip.instance=\"<urn:uuid:1>\"";

    fn is_changed(judged: &Result<Judged, Rejection>) -> bool {
        matches!(judged, Ok(Judged::Changed { .. }))
    }

    fn is_unchanged(judged: &Result<Judged, Rejection>) -> bool {
        matches!(judged, Ok(Judged::Unchanged))
    }

    fn status(judged: Result<Judged, Rejection>) -> Status {
        judged.expect_err("refused").status
    }

    fn displaced(judged: Result<Judged, Rejection>) -> Vec<String> {
        match judged.expect("obeyed") {
            Judged::Changed { displaced, .. } => {
                displaced.iter().map(|d| String::from_utf8_lossy(&d.call_id).into_owned()).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn contacts_are_added_refreshed_and_taken_out() {
        let (mut aor, now) = (Aor::new(), now());
        assert!(is_changed(&aor.hear("a", 1, &[A, B], now)));
        assert_eq!(aor.hosts(), ["127.0.0.1:1", "127.0.0.1:2"]);
        let later = after(now, 100_000);
        assert!(matches!(aor.hear("a", 2, &[A], later), Ok(Judged::Extended { .. })));
        assert_eq!((aor.bindings[0].expires_in(later.instant), aor.bindings[1].expires_in(later.instant)), (300, 200));
        assert!(is_changed(&aor.hear("a", 3, &[B, OUT], later)));
        assert_eq!(aor.hosts(), ["127.0.0.1:1"]);
        assert!(is_changed(&aor.hear("a", 4, &["Contact: *", OUT], later)));
        assert!(aor.bindings.is_empty());
    }

    #[test]
    fn one_contact_out_and_another_in_is_one_change() {
        let (mut aor, now) = (Aor::new(), now());
        for (call_id, contact) in [("a", A), ("b", B), ("c", C)] {
            assert!(is_changed(&aor.hear(call_id, 1, &[contact], now)));
        }
        let swap = aor.hear("a", 2, &["Contact: <sip:201@127.0.0.1:1>;expires=0, <sip:201@127.0.0.1:4>"], now);
        assert_eq!(displaced(swap), [""; 0]);
        assert_eq!(aor.hosts(), ["127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:4"]);
    }

    #[test]
    fn a_serial_is_used_once() {
        let (mut aor, now) = (Aor::new(), now());
        assert_eq!(next_serial(&aor.bindings, now.wall), now.wall.0);
        assert!(is_changed(&aor.hear("a", 1, &[A], now)));
        aor.bindings[0].serial = now.wall.0 + 5;
        assert_eq!(next_serial(&aor.bindings, now.wall), now.wall.0 + 6);
    }

    #[test]
    fn a_query_changes_nothing() {
        assert!(matches!(Aor::new().hear("a", 1, &[], now()), Ok(Judged::Query)));
    }

    #[test]
    fn what_is_not_there_can_be_taken_out_without_a_change() {
        let (mut aor, now) = (Aor::new(), now());
        assert!(is_unchanged(&aor.hear("a", 1, &[A, OUT], now)));
        assert!(is_unchanged(&aor.hear("a", 1, &["Contact: *", OUT], now)));
    }

    #[test]
    fn a_lower_cseq_of_the_same_call_id_is_late() {
        let (mut aor, now) = (Aor::new(), now());
        assert!(is_changed(&aor.hear("a", 5, &[A], now)));
        assert_eq!(status(aor.hear("a", 4, &[A], now)), Status::SERVER_INTERNAL_ERROR);
        assert_eq!(status(aor.hear("a", 4, &[B], now)), Status::SERVER_INTERNAL_ERROR);
        assert_eq!(status(aor.hear("a", 4, &["Contact: *", OUT], now)), Status::SERVER_INTERNAL_ERROR);
        assert!(aor.hear("a", 6, &[A], now).is_ok() && aor.hear("b", 1, &[A], now).is_ok());
    }

    #[test]
    fn a_late_request_changes_none_of_its_contacts() {
        let (mut aor, now) = (Aor::new(), now());
        assert!(is_changed(&aor.hear("a", 5, &[A], now)));
        assert!(aor.hear("a", 5, &[B, A], now).is_err());
        assert_eq!(aor.hosts(), ["127.0.0.1:1"]);
    }

    #[test]
    fn an_equal_cseq_is_a_copy_for_32_seconds_if_it_says_the_same() {
        let (mut aor, start) = (Aor::new(), now());
        assert!(is_changed(&aor.hear("a", 5, &[A], start)));
        assert!(is_unchanged(&aor.hear("a", 5, &[A], after(start, 32_000))));
        assert_eq!(status(aor.hear("a", 5, &[A], after(start, 32_001))), Status::SERVER_INTERNAL_ERROR);
        for lines in [&[B][..], &[A, B], &[A, OUT], &["Contact: *", OUT]] {
            assert_eq!(status(aor.hear("a", 5, lines, start)), Status::SERVER_INTERNAL_ERROR, "{lines:?}");
        }
    }

    #[test]
    fn a_copy_of_a_swap_is_a_copy() {
        let (mut aor, now) = (Aor::new(), now());
        let swap = "Contact: <sip:201@127.0.0.1:1>;expires=0, <sip:201@127.0.0.1:2>";
        assert!(is_changed(&aor.hear("a", 1, &[A], now)) && is_changed(&aor.hear("a", 2, &[swap], now)));
        assert!(is_unchanged(&aor.hear("a", 2, &[swap], now)));
    }

    #[test]
    fn a_rebooted_phone_is_let_in_by_a_nonce_that_is_newer_than_its_binding() {
        let (mut aor, start) = (Aor::new(), now());
        assert!(is_changed(&aor.hear("a", 50, &[A], start)));
        let (low, later) = (update("a", 2, &[A]), after(start, 60_000));
        let mut with = |nonce: Option<Wall>| aor.hear_update(&low, &POLICY, nonce, later);
        assert_eq!(status(with(None)), Status::SERVER_INTERNAL_ERROR);
        assert_eq!(status(with(Some(start.wall))), Status::SERVER_INTERNAL_ERROR);
        assert!(with(Some(Wall(start.wall.0 + 1))).is_ok());
        assert_eq!((aor.bindings.len(), aor.bindings[0].cseq), (1, 2));
    }

    #[test]
    fn expired_bindings_count_for_nothing() {
        let (mut aor, start) = (Aor::new(), now());
        for (call_id, contact) in [("a", A), ("b", B), ("c", C)] {
            assert!(is_changed(&aor.hear(call_id, 9, &[contact], start)));
        }
        let late = after(start, 300_000);
        assert_eq!(displaced(aor.hear("a", 1, &[D], late)), [""; 0]);
        assert_eq!(aor.hosts(), ["127.0.0.1:4"]);
    }

    #[test]
    fn the_same_uri_by_the_rfcs_rules_is_the_same_binding() {
        let (mut aor, now) = (Aor::new(), now());
        assert!(is_changed(&aor.hear("a", 1, &["Contact: <sip:%3201@EXAMPLE.com;x=1>"], now)));
        assert!(is_changed(&aor.hear("b", 1, &["Contact: <sip:201@example.com>"], now)));
        assert_eq!((aor.bindings.len(), aor.bindings[0].serial), (1, 1));
        assert!(is_changed(&aor.hear("b", 2, &["Contact: <sip:201@example.com:5060>"], now)));
        assert_eq!(aor.bindings.len(), 2);
    }

    #[test]
    fn instance_and_reg_id_replace_whatever_the_uri() {
        let (mut aor, now) = (Aor::new(), now());
        let with = |contact: &str, reg_id: &str| format!("{contact}{INSTANCE}{reg_id}");
        assert!(is_changed(&aor.hear("a", 1, &[&with(A, ";reg-id=1")], now)));
        assert!(is_changed(&aor.hear("b", 1, &[&with(B, ";reg-id=1")], now)));
        assert_eq!((aor.hosts(), aor.bindings[0].serial), (vec!["127.0.0.1:2".to_owned()], 1));
        assert!(is_changed(&aor.hear("b", 2, &[&with(C, ";reg-id=2")], now)));
        assert!(is_changed(&aor.hear("b", 3, &[&with(D, "")], now)));
        assert_eq!(aor.bindings.len(), 3);
    }

    #[test]
    fn the_fourth_device_displaces_the_oldest_of_three() {
        let (mut aor, now) = (Aor::new(), now());
        for (call_id, contact) in [("a", A), ("b", B), ("c", C)] {
            assert_eq!(displaced(aor.hear(call_id, 1, &[contact], now)), [""; 0]);
        }
        assert!(aor.hear("a", 2, &[A], now).is_ok());
        assert_eq!(displaced(aor.hear("d", 1, &[D], now)), ["a"]);
        assert_eq!(aor.hosts(), ["127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:4"]);
    }

    #[test]
    fn what_the_same_instance_left_behind_goes_before_another_phone() {
        let (mut aor, now) = (Aor::new(), now());
        let with = |contact: &str| format!("{contact}{INSTANCE}");
        let refuse = Registrar { device_limit: DeviceLimit::Refuse, ..POLICY };
        assert!(is_changed(&aor.hear("b", 1, &[B], now)) && is_changed(&aor.hear("a", 1, &[&with(A)], now)));
        assert!(is_changed(&aor.hear("c", 1, &[C], now)));
        let moved = aor.hear_update(&update("a2", 1, &[&with(D)]), &refuse, None, now);
        assert_eq!(displaced(moved), [""; 0]);
        assert_eq!(aor.hosts(), ["127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:4"]);
    }

    #[test]
    fn the_fourth_device_is_refused_where_the_limit_says_so() {
        let (mut aor, now) = (Aor::new(), now());
        let refuse = Registrar { device_limit: DeviceLimit::Refuse, ..POLICY };
        let mut hear = |call_id: &str, cseq, contact: &str| {
            aor.hear_update(&update(call_id, cseq, &[contact]), &refuse, None, now)
        };
        assert!(is_changed(&hear("a", 1, A)) && is_changed(&hear("b", 1, B)) && is_changed(&hear("c", 1, C)));
        let refused = hear("d", 1, D).expect_err("refused");
        assert_eq!((refused.status, refused.warning.as_deref()), (Status::FORBIDDEN, Some("only 3 devices at a time")));
        assert!(hear("a", 2, A).is_ok());
    }

    #[test]
    fn more_contacts_in_one_request_than_are_allowed_are_refused_all() {
        let (mut aor, now) = (Aor::new(), now());
        assert!(is_changed(&aor.hear("a", 1, &[A], now)));
        assert_eq!(status(aor.hear("b", 1, &[A, B, C, D], now)), Status::FORBIDDEN);
        assert!(is_changed(&aor.hear("b", 1, &[B, C, D], now)));
        assert_eq!(aor.hosts(), ["127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:4"]);
    }

    #[test]
    fn only_a_longer_life_may_be_written_later() {
        let (mut aor, start) = (Aor::new(), now());
        let expires = |seconds: u32| format!("Expires: {seconds}");
        assert!(is_changed(&aor.hear("a", 1, &[A, &expires(300)], start)));
        assert!(matches!(aor.hear("a", 2, &[A, &expires(300)], start), Ok(Judged::Extended { .. })));
        assert!(is_changed(&aor.hear("a", 3, &[A, &expires(299)], start)));
        assert!(is_changed(&aor.hear("a", 4, &["Contact: <sip:201@127.0.0.1:1>;q=0.5"], start)));
        assert!(is_changed(&aor.hear("b", 1, &["Contact: <sip:201@127.0.0.1:1>;q=0.5"], start)));
        let moved = Update { flow: flow("127.0.0.1:9"), ..update("b", 2, &["Contact: <sip:201@127.0.0.1:1>;q=0.5"]) };
        assert!(is_changed(&aor.hear_update(&moved, &POLICY, None, start)));
    }

    #[test]
    fn a_phone_that_changes_its_call_id_between_refreshes_is_remembered_as_such() {
        let (mut aor, now) = (Aor::new(), now());
        assert!(is_changed(&aor.hear("a", 1, &[A], now)) && aor.hear("a", 2, &[A], now).is_ok());
        assert!(!aor.bindings[0].device.rotates);
        assert!(aor.hear("b", 1, &[A], now).is_ok() && aor.bindings[0].device.rotates);
        assert!(aor.hear("b", 2, &[A], now).is_ok() && aor.bindings[0].device.rotates);
    }

    #[test]
    fn what_lasts_does_not_hold_on_to_the_message() {
        let (mut aor, now) = (Aor::new(), now());
        let update = update("a", 1, &[A, "Path: <sip:p;lr>"]);
        assert!(aor.hear_update(&update, &POLICY, None, now).is_ok());
        let Asks::Contacts(wanted) = &update.asks else { panic!("contacts") };
        assert_ne!(aor.bindings[0].uri.as_bytes().as_ptr(), wanted[0].uri.as_bytes().as_ptr());
        assert_ne!(aor.bindings[0].path[0].as_ptr(), update.path[0].as_ptr());
    }
}
