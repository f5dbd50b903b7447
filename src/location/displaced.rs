//! Phones that lost their user, and when they may have it back (SPEC 5.5).
//!
//! The lists are short and bounded ([`Resident::DISPLACED`](super::Resident::DISPLACED)), kept by the home site, and by a visited
//! site for what it was told.

use std::time::Duration;

use super::device::Device;
use super::record::Resident;
use crate::ids::SiteName;
use crate::rejection::Rejection;
use crate::sip::Status;
use crate::timing::{TimeOfDay, Wall};

/// After so long a displaced phone is a phone like any other.
const FORGIVEN: Duration = Duration::from_secs(86_400);
/// A phone that is displaced again within this time has to wait, at first as long.
const QUARREL: Duration = Duration::from_secs(600);

/// A phone that lost its user to a login elsewhere, or to one device more than the profile allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplacedDevice {
    /// The phone.
    pub device: Device,
    /// Why.
    pub why: Loss,
    /// When.
    pub at: Wall,
    /// A new Call-ID does not help it before so much time has passed; zero for the first displacement.
    pub wait: Duration,
    /// It has been let in again: only remembered for the case that it is displaced anew.
    pub back: bool,
}

/// Why a phone lost its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The user logged in there; where the phone itself was, if another phone there took its place.
    LoggedIn(SiteName),
    /// The user was logged out.
    LoggedOut(Forced),
    /// The user has logged out by dialling, at that phone at that site (SPEC 10.1). Only there it is kept out: at another site it is a person
    /// who has brought it.
    LeftAt(SiteName),
}

/// Who ended a login that neither the user nor another login has ended (SPEC 12.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forced {
    /// An operator.
    Operator,
    /// The clock of the site where the user was.
    Clock(TimeOfDay),
    /// The user had no call for too long.
    Idle,
}

/// What a list of displaced phones says about one phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Displacement<'d> {
    /// It is not displaced.
    None,
    /// It is displaced, and may not register.
    Holds(&'d DisplacedDevice),
    /// It was displaced, and a person brings it back with a new Call-ID.
    Over(&'d DisplacedDevice),
}

impl DisplacedDevice {
    /// 403 as a person at `here` should read it.
    pub fn refusal(&self, here: &SiteName) -> Rejection {
        let reason = match &self.why {
            Loss::LoggedIn(site) if site == here => "another phone has taken over".to_owned(),
            Loss::LoggedIn(site) => format!("logged in at {site}"),
            Loss::LoggedOut(Forced::Operator) => "logged out by the operator".to_owned(),
            Loss::LoggedOut(Forced::Clock(at)) => format!("logged out at {at}"),
            Loss::LoggedOut(Forced::Idle) => "logged out for being idle".to_owned(),
            Loss::LeftAt(_) => "logged out at this phone".to_owned(),
        };
        Rejection::warned(Status::FORBIDDEN, reason)
    }

    /// Whether it is kept out at another site than this one, and nowhere else.
    pub fn is_left_elsewhere(&self, here: &SiteName) -> bool {
        matches!(&self.why, Loss::LeftAt(site) if site != here)
    }

    fn is_over(&self, device: &Device, now: Wall) -> bool {
        let is_new_call_id = self.device.call_id != device.call_id;
        is_new_call_id && !self.device.rotates && now.since(self.at) >= self.wait
    }
}

/// What the list says about `device`, which asks at the site `here`.
pub fn displacement<'d>(list: &'d [DisplacedDevice], device: &Device, here: &SiteName, now: Wall) -> Displacement<'d> {
    let entry = list.iter().rfind(|entry| entry.device.is(device) && now.since(entry.at) < FORGIVEN);
    match entry {
        Some(entry) if entry.back => Displacement::None,
        Some(entry) if entry.is_over(device, now) || entry.is_left_elsewhere(here) => Displacement::Over(entry),
        Some(entry) => Displacement::Holds(entry),
        None => Displacement::None,
    }
}

/// Adds a phone that has just lost its user to a login at `by`; the oldest is forgotten where there are too many.
pub fn displace(list: &mut Vec<DisplacedDevice>, device: Device, by: &SiteName, now: Wall) {
    keep_out(list, device, Loss::LoggedIn(by.clone()), now);
}

/// Adds a phone whose user has just been logged out (SPEC 12.5).
pub fn log_out(list: &mut Vec<DisplacedDevice>, device: Device, forced: Forced, now: Wall) {
    keep_out(list, device, Loss::LoggedOut(forced), now);
}

/// Adds a phone at which the user, at the site `here`, has just logged out by dialling.
pub fn leave(list: &mut Vec<DisplacedDevice>, device: Device, here: &SiteName, now: Wall) {
    keep_out(list, device, Loss::LeftAt(here.clone()), now);
}

fn keep_out(list: &mut Vec<DisplacedDevice>, device: Device, why: Loss, now: Wall) {
    let earlier = list.iter().rfind(|entry| entry.device.is(&device));
    let wait = match earlier {
        Some(entry) if now.since(entry.at) < entry.wait + QUARREL => (entry.wait * 2).clamp(QUARREL, FORGIVEN),
        Some(_) | None => Duration::ZERO,
    };
    list.retain(|entry| !entry.device.is(&device));
    list.push(DisplacedDevice { device, why, at: now, wait, back: false });
    let surplus = list.len().saturating_sub(Resident::DISPLACED);
    list.drain(..surplus);
}

/// The phone has been let in again.
pub fn bring_back(list: &mut [DisplacedDevice], device: &Device) {
    list.iter_mut().filter(|entry| entry.device.is(device)).for_each(|entry| entry.back = true);
}

/// What let the phone in has not been.
pub fn put_out_again(list: &mut [DisplacedDevice], device: &Device) {
    list.iter_mut().filter(|entry| entry.device.is(device)).for_each(|entry| entry.back = false);
}

/// The phone has un-registered: it may register as if nothing had been. One that was let in already goes on being remembered for quarrelling.
pub fn forgive(list: &mut Vec<DisplacedDevice>, device: &Device) {
    list.retain(|entry| entry.back || !entry.device.is(device));
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const MINUTE: u64 = 60_000;

    fn device(call_id: &'static str) -> Device {
        Device {
            instance: None,
            call_id: Bytes::from_static(call_id.as_bytes()),
            host: Bytes::from_static(b"192.0.2.1:5060"),
            rotates: false,
        }
    }

    fn list() -> Vec<DisplacedDevice> {
        let mut list = Vec::new();
        displace(&mut list, device("a"), &SiteName::new("berlin"), Wall(0));
        list
    }

    fn holds(list: &[DisplacedDevice], call_id: &'static str, now: u64) -> bool {
        matches!(displacement(list, &device(call_id), &paris(), Wall(now)), Displacement::Holds(_))
    }

    fn paris() -> SiteName {
        SiteName::new("paris")
    }

    #[test]
    fn the_old_call_id_is_refused_for_a_day_and_a_new_one_is_a_person() {
        let list = list();
        assert!(holds(&list, "a", 0) && holds(&list, "a", 24 * 60 * MINUTE - 1));
        assert_eq!(displacement(&list, &device("a"), &paris(), Wall(24 * 60 * MINUTE)), Displacement::None);
        assert!(matches!(displacement(&list, &device("b"), &paris(), Wall(1)), Displacement::Over(_)));
        let other = Device { host: Bytes::from_static(b"192.0.2.9:5060"), ..device("b") };
        assert_eq!(displacement(&list, &other, &paris(), Wall(1)), Displacement::None);
    }

    #[test]
    fn a_phone_that_changes_its_call_id_by_itself_is_no_person() {
        let mut list = list();
        list[0].device.rotates = true;
        assert!(holds(&list, "b", 1));
    }

    #[test]
    fn a_second_displacement_within_ten_minutes_makes_it_wait_and_a_third_twice_as_long() {
        let mut list = list();
        bring_back(&mut list, &device("b"));
        assert_eq!(displacement(&list, &device("b"), &paris(), Wall(1)), Displacement::None);
        displace(&mut list, device("b"), &SiteName::new("berlin"), Wall(10 * MINUTE - 1));
        assert!(holds(&list, "c", 20 * MINUTE - 2) && !holds(&list, "c", 20 * MINUTE - 1));
        bring_back(&mut list, &device("c"));
        displace(&mut list, device("c"), &SiteName::new("berlin"), Wall(21 * MINUTE));
        assert!(holds(&list, "d", 41 * MINUTE - 1) && !holds(&list, "d", 41 * MINUTE));
    }

    #[test]
    fn a_second_displacement_after_ten_minutes_is_a_first_one() {
        let mut list = list();
        displace(&mut list, device("b"), &SiteName::new("berlin"), Wall(10 * MINUTE));
        assert!(holds(&list, "b", 10 * MINUTE) && !holds(&list, "c", 10 * MINUTE));
    }

    #[test]
    fn a_forgiven_phone_may_come_with_its_old_call_id() {
        let mut list = list();
        forgive(&mut list, &device("a"));
        assert!(list.is_empty());
    }

    #[test]
    fn a_phone_that_was_let_in_and_leaves_is_still_remembered_for_quarrelling() {
        let mut list = list();
        bring_back(&mut list, &device("b"));
        forgive(&mut list, &device("b"));
        displace(&mut list, device("b"), &SiteName::new("berlin"), Wall(MINUTE));
        assert_eq!(list[0].wait, QUARREL);
    }

    #[test]
    fn the_oldest_is_forgotten_where_there_are_too_many() {
        let mut list = list();
        for port in 0..Resident::DISPLACED {
            let phone = Device { call_id: port.to_string().into(), host: format!("h:{port}").into(), ..device("") };
            displace(&mut list, phone, &SiteName::new("rome"), Wall(1));
        }
        assert_eq!(list.len(), Resident::DISPLACED);
        assert!(!holds(&list, "a", 1) && holds(&list[..1], "0", 1));
    }

    #[test]
    fn who_was_logged_out_is_told_by_whom() {
        for (forced, text) in [
            (Forced::Operator, "logged out by the operator"),
            (Forced::Clock(TimeOfDay(20 * 60 + 5)), "logged out at 20:05"),
            (Forced::Idle, "logged out for being idle"),
        ] {
            let mut list = Vec::new();
            log_out(&mut list, device("a"), forced, Wall(0));
            assert!(holds(&list, "a", 1) && !holds(&list, "b", 1), "a new Call-ID is a person");
            assert_eq!(list[0].refusal(&SiteName::new("paris")).warning.as_deref(), Some(text));
        }
    }

    #[test]
    fn who_logged_out_at_a_phone_is_told_so_there_and_may_bring_it_elsewhere() {
        let mut list = Vec::new();
        leave(&mut list, device("a"), &paris(), Wall(0));
        assert!(holds(&list, "a", 1) && !holds(&list, "b", 1), "a new Call-ID is a person");
        assert_eq!(list[0].refusal(&paris()).warning.as_deref(), Some("logged out at this phone"));
        let elsewhere = displacement(&list, &device("a"), &SiteName::new("london"), Wall(1));
        assert!(matches!(elsewhere, Displacement::Over(_)));
    }

    #[test]
    fn the_refusal_names_the_site_where_the_user_is() {
        let entry = &list()[0];
        assert_eq!(entry.refusal(&SiteName::new("paris")).warning.as_deref(), Some("logged in at berlin"));
        assert_eq!(entry.refusal(&SiteName::new("berlin")).reason.as_deref(), Some("another phone has taken over"));
    }
}
