//! Logins by dialling (SPEC 10.1, 10.2): a user who sits at a phone of somebody else's, at the home site or at a visited one.
//!
//! The phone keeps its registration; what changes is the user's record, which names the phone. A phone at which a user sits counts as a
//! device of that user. The PIN has been checked.

use super::home::come_home;
use super::visited::{Logout, Stays, log_out};
use super::{Notice, next_number};
use crate::ids::SiteName;
use crate::location::{Activity, Binding, Device, Resident, Seat, Visitor, bring_back, displace, leave};
use crate::rejection::Rejection;
use crate::settings::DeviceLimit;
use crate::sip::Status;
use crate::timing::{Now, Wall};

/// How many phones a user may have, and what becomes of the one too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Devices {
    /// The profile's.
    pub most: usize,
    /// The site's.
    pub limit: DeviceLimit,
}

/// The user sits down at a phone here, the home site: a login at home, wherever the user was. 403 for one device too many.
pub fn sit_down_at_home(
    resident: &Resident,
    seat: Seat,
    devices: Devices,
    here: &SiteName,
    now: Now,
) -> Result<(Resident, Option<Notice>), Rejection> {
    let device = seat.device.clone();
    let (mut next, notice) = come_home(resident, live(&resident.bindings, now), Vec::new(), &device, here, now);
    take_seat(&mut next.seats, seat);
    next.active = Some(Activity { at: now.instant, wall: now.wall });
    let lost = keep_limit(&mut next.bindings, &mut next.seats, |_| false, &device, devices)?;
    lost.into_iter().for_each(|device| displace(&mut next.displaced, device, here, now.wall));
    Ok((next, notice))
}

/// The user comes home to a phone of the user's own, which was parked or lost its user. The phones here ring again.
pub fn come_back(resident: &Resident, device: &Device, here: &SiteName, now: Now) -> (Resident, Option<Notice>) {
    come_home(resident, live(&resident.bindings, now), Vec::new(), device, here, now)
}

/// A visitor, as home has just confirmed the login, sits down at a phone here. 403 for one device too many.
pub fn sit_down_visiting(
    visitor: &mut Visitor,
    seat: Seat,
    devices: Devices,
    here: &SiteName,
    now: Wall,
) -> Result<(), Rejection> {
    let device = seat.device.clone();
    take_seat(&mut visitor.seats, seat);
    bring_back(&mut visitor.displaced, &device);
    let lost = keep_limit(&mut visitor.bindings, &mut visitor.seats, |_| false, &device, devices)?;
    lost.into_iter().for_each(|device| displace(&mut visitor.displaced, device, here, now));
    Ok(())
}

/// A phone of the user's own that had lost the user, and at which the user has logged in by dialling, is bound again (SPEC 5.10): `phone` is
/// the newest binding. The phones that had to go for it; 403 for one device too many.
pub fn take_phone(
    bindings: &mut Vec<Binding>,
    seats: &mut Vec<Seat>,
    phone: Binding,
    devices: Devices,
) -> Result<Vec<Device>, Rejection> {
    let (device, serial) = (phone.device.clone(), phone.serial);
    bindings.retain(|binding| !binding.device.is(&device));
    bindings.push(phone);
    keep_limit(bindings, seats, |binding| binding.serial == serial, &device, devices)
}

/// A REGISTER of `device` that puts a binding in counts the phones of others at which the user sits, of which the registrar does not know when
/// it judges the bindings: `before` it, and as they would be now. The phones that had to go; 403 for one device too many.
pub fn make_room(
    before: &[Binding],
    bindings: &mut Vec<Binding>,
    seats: &mut Vec<Seat>,
    device: &Device,
    devices: Devices,
) -> Result<Vec<Device>, Rejection> {
    let is_new = |binding: &Binding| !before.iter().any(|known| known.serial == binding.serial);
    if seats.is_empty() || !bindings.iter().any(is_new) {
        return Ok(Vec::new());
    }
    // First goes what the phone itself has left behind.
    let is_left_behind =
        |binding: &Binding| device.instance.is_some() && binding.device.instance == device.instance && !is_new(binding);
    while bindings.len() + seats.len() > devices.most
        && let Some(at) = bindings.iter().position(is_left_behind)
    {
        bindings.remove(at);
    }
    let mut lost = keep_limit(bindings, seats, is_new, device, devices)?;
    lost.retain(|lost| !bindings.iter().any(|binding| binding.device.is(lost)));
    Ok(lost)
}

/// The user leaves a phone of somebody else's at home; `None`: the user does not sit there. With the last phone the login ends.
pub fn stand_up_at_home(resident: &Resident, is_left: impl Fn(&Seat) -> bool, now: Now) -> Option<Resident> {
    let mut next = resident.clone();
    next.seats.retain(|seat| !is_left(seat));
    if next.seats.len() == resident.seats.len() {
        return None;
    }
    if next.away.is_none() && next.seats.is_empty() && next.bindings.is_empty() {
        next.displaced.clear();
        next.login = next_number(resident, now.wall);
    }
    Some(next)
}

/// A visitor leaves a phone of somebody else's; `None`: the visitor does not sit there. With the last phone the visit ends.
pub fn stand_up_visiting(visitor: &Visitor, is_left: impl Fn(&Seat) -> bool) -> Option<Stays> {
    let mut next = visitor.clone();
    next.seats.retain(|seat| !is_left(seat));
    if next.seats.len() == visitor.seats.len() {
        return None;
    }
    Some(if next.seats.is_empty() && next.bindings.is_empty() {
        Stays::Left(log_out(visitor))
    } else {
        Stays::Here(next)
    })
}

/// A visitor logs out at a phone of the visitor's own, by dialling: its next refresh is kept out. With the last phone the visit ends.
pub fn leave_phone(visitor: &Visitor, device: &Device, here: &SiteName, now: Wall) -> Result<Visitor, Logout> {
    let mut next = visitor.clone();
    next.bindings.retain(|binding| !binding.device.is(device));
    if next.bindings.is_empty() && next.seats.is_empty() {
        return Err(log_out(visitor));
    }
    leave(&mut next.displaced, device.clone(), here, now);
    Ok(next)
}

fn live(bindings: &[Binding], now: Now) -> Vec<Binding> {
    bindings.iter().filter(|binding| binding.is_live(now.instant)).cloned().collect()
}

fn take_seat(seats: &mut Vec<Seat>, seat: Seat) {
    seats.retain(|other| !(other.phone == seat.phone && other.device.is(&seat.device)));
    seats.push(seat);
}

/// SPEC 4.2: the oldest phones go, never what has just come: bindings that are new, a seat at `device`. Those that were the user's own lose the
/// user.
fn keep_limit(
    bindings: &mut Vec<Binding>,
    seats: &mut Vec<Seat>,
    is_new: impl Fn(&Binding) -> bool,
    device: &Device,
    devices: Devices,
) -> Result<Vec<Device>, Rejection> {
    let mut lost = Vec::new();
    while bindings.len() + seats.len() > devices.most {
        let own = bindings.iter().enumerate().filter(|(_, binding)| !is_new(binding));
        let own = own.map(|(at, binding)| (binding.serial, at)).min();
        let others = seats.iter().enumerate().filter(|(_, seat)| !seat.device.is(device));
        let sat = others.map(|(at, seat)| (seat.since.0, at)).min();
        match (own, sat) {
            _ if devices.limit == DeviceLimit::Refuse => return Err(too_many(devices.most)),
            (None, None) => return Err(too_many(devices.most)),
            (Some((serial, at)), sat) if sat.is_none_or(|(since, _)| serial <= since) => {
                lost.push(bindings.remove(at).device);
            }
            (_, Some((_, at))) => drop(seats.remove(at)),
            (Some((_, at)), None) => lost.push(bindings.remove(at).device),
        }
    }
    Ok(lost)
}

fn too_many(most: usize) -> Rejection {
    let device = if most == 1 { "device" } else { "devices" };
    Rejection::warned(Status::FORBIDDEN, format!("only {most} {device} at a time"))
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;
    use std::time::Duration;

    use super::super::fixtures::{after, binding, device, now, site};
    use super::*;
    use crate::ids::{Extension, LoginId, LoginNumber};
    use crate::location::{Away, Displacement, displacement};

    const MANY: Devices = Devices { most: 5, limit: DeviceLimit::Displace };

    fn seat(call_id: &str, now: Now) -> Seat {
        Seat { phone: Extension::new("205"), device: device(call_id), since: now.wall }
    }

    fn away(now: Now) -> Resident {
        let (lease, id) = (Duration::from_secs(120), LoginId([1; 16]));
        let (until, devices) = (now.instant + lease, vec![device("visiting")]);
        let away = Some(Away {
            site: site("paris"),
            id,
            since: now.wall,
            lease,
            until,
            devices,
            asked: now.wall,
            joined: Vec::new(),
        });
        Resident { away, bindings: vec![binding(1, "desk", now)], login: LoginNumber(7), ..Resident::default() }
    }

    #[test]
    fn sitting_down_at_home_ends_a_login_elsewhere_and_the_desk_rings_beside_it() {
        let start = now();
        let (next, notice) =
            sit_down_at_home(&away(start), seat("lobby", start), MANY, &site("london"), start).expect("in");
        let Some(Notice::Displace { site: told, ended, login, now_at }) = notice else { panic!("nobody is told") };
        assert_eq!((told, ended, now_at), (site("paris"), LoginNumber(7), site("london")));
        assert_eq!((next.login, next.away.is_none(), next.bindings.len()), (login, true, 1));
        assert_eq!(next.seats, [seat("lobby", start)]);
        assert!(matches!(
            displacement(&next.displaced, &device("visiting"), &site("paris"), start.wall),
            Displacement::Holds(_)
        ));
    }

    #[test]
    fn the_same_phone_once_more_is_one_seat() {
        let start = now();
        let sit = |resident: &Resident, now| {
            sit_down_at_home(resident, seat("lobby", now), MANY, &site("london"), now).expect("in").0
        };
        let once = sit(&Resident::default(), start);
        let twice = sit(&once, after(start, 1));
        assert_eq!((twice.seats.len(), twice.seats[0].since), (1, after(start, 1).wall));
        assert!(twice.login > once.login);
    }

    #[test]
    fn one_phone_too_many_takes_the_place_of_the_oldest_or_is_refused() {
        let start = now();
        let two = Devices { most: 2, ..MANY };
        let mut resident =
            Resident { bindings: vec![binding(start.wall.0 + 500, "own", start)], ..Resident::default() };
        resident.seats = vec![seat("first", start)];
        let (next, _) =
            sit_down_at_home(&resident, seat("second", after(start, 1)), two, &site("london"), after(start, 1))
                .expect("in");
        assert_eq!(
            (next.bindings.len(), next.seats.len(), next.seats[0].device.call_id.as_ref()),
            (1, 1, &b"second"[..])
        );
        let (last, _) =
            sit_down_at_home(&next, seat("third", after(start, 2)), two, &site("london"), after(start, 2)).expect("in");
        assert_eq!((last.bindings.len(), last.seats.len()), (0, 2));
        assert!(matches!(
            displacement(&last.displaced, &device("own"), &site("london"), start.wall),
            Displacement::Holds(_)
        ));
        let refuse = Devices { limit: DeviceLimit::Refuse, ..two };
        assert!(sit_down_at_home(&last, seat("fourth", start), refuse, &site("london"), start).is_err());
        assert!(sit_down_at_home(&last, seat("third", start), refuse, &site("london"), start).is_ok(), "it is no more");
    }

    #[test]
    fn a_phone_that_registers_counts_the_seats_and_the_oldest_goes() {
        let start = now();
        let two = Devices { most: 2, ..MANY };
        let own = |serial: u64, call_id: &str| binding(serial, call_id, start);
        let sits = || vec![seat("lobby", start)];
        let register = |before: &[Binding], after: &[Binding], devices: Devices| {
            let (mut bindings, mut seats) = (after.to_vec(), sits());
            let device = after.last().expect("one registers").device.clone();
            let lost = make_room(before, &mut bindings, &mut seats, &device, devices)?;
            let names = |list: Vec<Device>| list.iter().map(|d| String::from_utf8_lossy(&d.call_id).into()).collect();
            let names: (Vec<String>, Vec<String>) =
                (names(bindings.into_iter().map(|b| b.device).collect()), names(lost));
            Ok::<_, Rejection>((names.0, names.1, seats.len()))
        };
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let late = start.wall.0 + 1;
        let (old, new, other) = (own(1, "old"), own(late, "new"), own(late + 1, "other"));
        let done = |before: &[Binding], after: &[Binding]| register(before, after, two).expect("let in");
        assert_eq!(done(&[], from_ref(&new)), (list(&["new"]), list(&[]), 1), "two are allowed");
        assert_eq!(done(from_ref(&old), &[old.clone(), new.clone()]), (list(&["new"]), list(&["old"]), 1));
        assert_eq!(
            done(from_ref(&new), &[new.clone(), other.clone()]),
            (list(&["new", "other"]), list(&[]), 0),
            "the seat is older"
        );
        let refuse = Devices { limit: DeviceLimit::Refuse, ..two };
        assert!(register(from_ref(&old), &[old.clone(), new.clone()], refuse).is_err());
        let full = [old.clone(), new.clone()];
        assert_eq!(register(&full, &full, refuse).expect("a refresh").0, list(&["old", "new"]), "adds nothing");
        let (mut before, mut after) = (old, new);
        (before.device.instance, after.device.instance) = (Some("phone".into()), Some("phone".into()));
        assert_eq!(register(from_ref(&before), &[before.clone(), after], refuse).expect("itself").0, list(&["new"]));
    }

    #[test]
    fn who_stands_up_from_the_last_phone_is_logged_in_nowhere() {
        let start = now();
        let mut resident = Resident { seats: vec![seat("lobby", start)], login: LoginNumber(7), ..Resident::default() };
        displace(&mut resident.displaced, device("x"), &site("london"), start.wall);
        let leaves = |seat: &Seat| seat.device.is(&device("lobby"));
        let next = stand_up_at_home(&resident, leaves, start).expect("sat there");
        assert!(next.seats.is_empty() && next.displaced.is_empty() && next.login > resident.login);
        assert!(stand_up_at_home(&next, leaves, start).is_none());
        resident.bindings = vec![binding(1, "own", start)];
        let next = stand_up_at_home(&resident, leaves, start).expect("sat there");
        assert_eq!((next.login, next.displaced.len()), (LoginNumber(7), 1), "the own phone is still there");
    }
}
