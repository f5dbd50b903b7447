//! The user's own phones at the home site while the user is elsewhere, and the ways in which a login elsewhere ends
//! (SPEC 5.6, 5.7, 8.3, 9.2).

use std::time::Instant;

use super::{Notice, Which, displace_away, fall_back, joined, next_number, relabel};
use crate::ids::{LoginNumber, SiteName};
use crate::location::{Binding, Device, Resident, bring_back, displace};
use crate::timing::Now;

/// What a REGISTER wants, as far as hot desking is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The list of bindings.
    Look,
    /// A binding, new or refreshed.
    Stay,
    /// Bindings taken out and none put in.
    Leave,
}

/// What a REGISTER at the home site means for where the user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HomeRegister {
    /// Nothing: the user is here anyway. Use [`stay_home`].
    Ordinary,
    /// Nothing: it concerns a phone that stays parked. Use [`refresh_parked`].
    Parked,
    /// A login at home. Use [`come_home`].
    ComesHome,
}

/// What a REGISTER of `device` at home means (SPEC 5.6).
pub fn at_home(resident: &Resident, device: &Device, wish: Wish) -> HomeRegister {
    let is_known = || {
        let mut devices = resident.bindings.iter().map(|binding| &binding.device).chain(&resident.tombstones);
        devices.any(|known| known.is(device))
    };
    match (wish, &resident.away) {
        (Wish::Stay, Some(_)) if is_known() => HomeRegister::Parked,
        (Wish::Stay, Some(_)) => HomeRegister::ComesHome,
        (Wish::Look | Wish::Leave, Some(_)) => HomeRegister::Parked,
        // A lease that ran out may be taken up again by the number it had, unless a person logged in here since. A home that
        // has never seen a login, or lost its memory, leaves it to the renewals.
        (Wish::Stay, None) if resident.login > LoginNumber(0) && !is_known() => HomeRegister::ComesHome,
        (Wish::Stay | Wish::Look | Wish::Leave, None) => HomeRegister::Ordinary,
    }
}

/// An ordinary REGISTER at home: `bindings` are those that the registrar judged, `lost` the phones that had to go for one device
/// too many. With the last binding the present login ends, and nobody is kept out by it any more.
pub fn stay_home(
    resident: &Resident,
    bindings: Vec<Binding>,
    lost: Vec<Device>,
    here: &SiteName,
    now: Now,
) -> Resident {
    let mut next = Resident { bindings, ..resident.clone() };
    lost.into_iter().for_each(|device| displace(&mut next.displaced, device, here, now.wall));
    if next.bindings.is_empty() && next.seats.is_empty() {
        next.displaced.clear();
    }
    next
}

/// A login at home by `device`: `bindings` are those that the registrar judged, the formerly parked ones among them, and `lost` the phones
/// that had to go for one device too many. The phones elsewhere lose the user too, and their site is to be told.
pub fn come_home(
    resident: &Resident,
    bindings: Vec<Binding>,
    lost: Vec<Device>,
    device: &Device,
    here: &SiteName,
    now: Now,
) -> (Resident, Option<Notice>) {
    let mut next = Resident { bindings, tombstones: Vec::new(), ..resident.clone() };
    bring_back(&mut next.displaced, device);
    let notice = displace_away(&mut next, next_number(resident, now.wall), Some(device), here, now);
    relabel(&mut next, here);
    lost.into_iter().for_each(|device| displace(&mut next.displaced, device, here, now.wall));
    (next, notice)
}

/// The parked bindings after a REGISTER that leaves them parked: `bindings` are those that the registrar judged. A phone that
/// took its binding out, or let it run out, leaves a tombstone.
pub fn refresh_parked(resident: &Resident, bindings: Vec<Binding>) -> Resident {
    let stays = |device: &Device| bindings.iter().any(|binding| binding.device.is(device));
    let mut tombstones = resident.tombstones.clone();
    let gone = resident.bindings.iter().map(|binding| &binding.device);
    for device in gone.filter(|device| !stays(device)) {
        tombstones.retain(|tombstone| !tombstone.is(device));
        tombstones.push(device.clone());
    }
    tombstones.retain(|tombstone| !stays(tombstone));
    let surplus = tombstones.len().saturating_sub(Resident::TOMBSTONES);
    tombstones.drain(..surplus);
    Resident { bindings, tombstones, ..resident.clone() }
}

/// The visited site says that a login has ended (SPEC 5.7), or undoes one (SPEC 5.2). Of several there (a login that joined a stay) the
/// others go on. `None`: that login is not known, and nothing changes.
pub fn logout(resident: &Resident, site: &SiteName, which: Which, now: Now) -> Option<Resident> {
    let away = resident.away.as_ref().filter(|away| away.site == *site)?;
    match which {
        Which::Id(id) if away.joined.is_empty() => (away.id == id).then(|| ended(resident, now)),
        Which::Id(id) => joined::undo(resident, id),
        Which::Number(_) if is_present(resident, site, which) => Some(ended(resident, now)),
        Which::Number(number) => joined::leave(resident, site, number).map(|(next, _)| next),
    }
}

/// Whether that is the newest login, and there.
pub(super) fn is_present(resident: &Resident, site: &SiteName, which: Which) -> bool {
    let away = resident.away.as_ref().filter(|away| away.site == *site);
    away.is_some_and(|away| match which {
        Which::Id(id) => away.id == id,
        Which::Number(number) => resident.login == number,
    })
}

/// The visited site says with proof that the user of login `login` is not there (SPEC 9.2). `None`: it speaks of another login.
pub fn not_there(resident: &Resident, site: &SiteName, login: LoginNumber, now: Now) -> Option<Resident> {
    logout(resident, site, Which::Number(login), now)
}

/// The user is at home again. The number moves on, so that a renewal that was under way can't take the login up again; phones
/// that lost the user to it may have it back.
fn ended(resident: &Resident, now: Now) -> Resident {
    let login = next_number(resident, now.wall);
    let (tombstones, displaced, seats) = (Vec::new(), Vec::new(), Vec::new());
    Resident { away: None, login, tombstones, displaced, seats, ..resident.clone() }
}

/// The lease has run out (SPEC 8.3): the parked bindings are active. The login number stays, and so does what is remembered of
/// phones, for the visited site may be heard again: with the newest number that it has taken, which lifts ours. `None`: it has not run out.
pub fn lease_out(resident: &Resident, now: Instant) -> Option<Resident> {
    resident.away.as_ref().filter(|away| away.until <= now)?;
    let mut next = Resident { away: None, ..resident.clone() };
    fall_back(&mut next, joined::certain(resident));
    Some(next)
}

/// Drops the bindings that have run out; `None` if none has. With the last one at home the present login ends. A parked phone that was off for
/// a while does not take its user home either (SPEC 5.6): it leaves a tombstone.
pub fn expire(resident: &Resident, now: Instant) -> Option<Resident> {
    if resident.bindings.iter().all(|binding| binding.is_live(now)) {
        return None;
    }
    let live: Vec<Binding> = resident.bindings.iter().filter(|binding| binding.is_live(now)).cloned().collect();
    if resident.away.is_some() {
        return Some(refresh_parked(resident, live));
    }
    let mut next = Resident { bindings: live, ..resident.clone() };
    if next.bindings.is_empty() && next.seats.is_empty() {
        next.displaced.clear();
    }
    Some(next)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::fixtures::{after, binding, device, now, site};
    use super::*;
    use crate::ids::LoginId;
    use crate::location::{Away, Displacement, displacement};
    use crate::timing::Wall;

    fn away(now: Now) -> Away {
        let lease = Duration::from_secs(120);
        let (id, until) = (LoginId([1; 16]), now.instant + lease);
        let (devices, asked) = (vec![device("visiting")], Wall::default());
        Away { site: site("paris"), id, since: now.wall, lease, until, devices, asked, joined: Vec::new() }
    }

    /// At home with a desk phone, logged in at Paris under number 7.
    fn resident(now: Now) -> Resident {
        let (away, bindings) = (Some(away(now)), vec![binding(1, "desk", now)]);
        Resident { away, bindings, login: LoginNumber(7), ..Resident::default() }
    }

    #[test]
    fn the_phone_of_a_parked_binding_stays_parked_and_any_other_comes_home() {
        let resident = resident(now());
        assert_eq!(at_home(&resident, &device("desk"), Wish::Stay), HomeRegister::Parked);
        assert_eq!(at_home(&resident, &device("other"), Wish::Stay), HomeRegister::ComesHome);
    }

    #[test]
    fn a_rebooted_desk_phone_with_a_new_call_id_stays_parked() {
        let rebooted = Device { host: device("desk").host, ..device("fresh") };
        assert_eq!(at_home(&resident(now()), &rebooted, Wish::Stay), HomeRegister::Parked);
    }

    #[test]
    fn looking_and_leaving_are_no_login() {
        let resident = resident(now());
        assert_eq!(at_home(&resident, &device("other"), Wish::Look), HomeRegister::Parked);
        assert_eq!(at_home(&resident, &device("other"), Wish::Leave), HomeRegister::Parked);
    }

    #[test]
    fn who_is_at_home_registers_as_anywhere() {
        let home = Resident { bindings: vec![binding(1, "desk", now())], ..Resident::default() };
        assert_eq!(at_home(&home, &device("desk"), Wish::Stay), HomeRegister::Ordinary);
        assert_eq!(at_home(&home, &device("other"), Wish::Stay), HomeRegister::Ordinary);
    }

    #[test]
    fn a_phone_too_many_is_kept_out_until_the_last_one_leaves() {
        let (now, here) = (now(), site("london"));
        let bindings = vec![binding(1, "desk", now)];
        let home = stay_home(&Resident::default(), bindings, vec![device("old")], &here, now);
        assert!(matches!(displacement(&home.displaced, &device("old"), &here, now.wall), Displacement::Holds(_)));
        assert!(stay_home(&home, Vec::new(), Vec::new(), &here, now).displaced.is_empty());
    }

    #[test]
    fn a_new_phone_at_home_after_the_lease_ran_out_is_a_login_that_keeps_the_visited_site_out() {
        let start = now();
        let later = after(start, 120);
        let home = lease_out(&resident(start), later.instant).expect("ran out");
        assert_eq!(at_home(&home, &device("desk"), Wish::Stay), HomeRegister::Ordinary);
        assert_eq!(at_home(&home, &device("other"), Wish::Stay), HomeRegister::ComesHome);
        let (home, notice) = come_home(&home, Vec::new(), Vec::new(), &device("other"), &site("london"), later);
        assert_eq!((home.login, notice), (LoginNumber(later.wall.0), None));
    }

    #[test]
    fn an_unregistered_desk_phone_leaves_a_tombstone_and_does_not_steal_the_user() {
        let now = now();
        let left = refresh_parked(&resident(now), Vec::new());
        assert_eq!((left.bindings.len(), left.tombstones.len()), (0, 1));
        assert!(left.away.is_some());
        assert_eq!(at_home(&left, &device("desk"), Wish::Stay), HomeRegister::Parked);
        let back = refresh_parked(&left, vec![binding(2, "desk", now)]);
        assert_eq!((back.bindings.len(), back.tombstones.len()), (1, 0));
    }

    #[test]
    fn a_parked_phone_that_was_off_for_a_while_does_not_steal_the_user() {
        let start = now();
        assert!(expire(&resident(start), after(start, 299).instant).is_none());
        let left = expire(&resident(start), after(start, 300).instant).expect("ran out");
        assert_eq!((left.bindings.len(), left.tombstones.len()), (0, 1));
        assert_eq!(at_home(&left, &device("desk"), Wish::Stay), HomeRegister::Parked);
        assert_eq!(refresh_parked(&resident(start), Vec::new()).tombstones.len(), 1, "whoever notices it first");
    }

    #[test]
    fn the_oldest_tombstones_are_forgotten() {
        let now = now();
        let bindings = (0..10).map(|n| binding(n, &format!("desk{n}"), now)).collect();
        let left = refresh_parked(&Resident { bindings, ..resident(now) }, Vec::new());
        assert_eq!(left.tombstones.len(), Resident::TOMBSTONES);
        assert_eq!(left.tombstones.first(), Some(&device("desk2")));
    }

    #[test]
    fn coming_home_tells_the_visited_site_and_keeps_its_phones_out() {
        let now = now();
        let bindings = vec![binding(1, "desk", now), binding(2, "other", now)];
        let (home, notice) = come_home(&resident(now), bindings, Vec::new(), &device("other"), &site("london"), now);
        let (ended, login) = (LoginNumber(7), LoginNumber(now.wall.0));
        assert_eq!(notice, Some(Notice::Displace { site: site("paris"), ended, login, now_at: site("london") }));
        assert!(home.away.is_none() && home.bindings.len() == 2 && home.login == login);
        assert!(matches!(
            displacement(&home.displaced, &device("visiting"), &site("paris"), now.wall),
            Displacement::Holds(_)
        ));
    }

    #[test]
    fn a_phone_too_many_at_home_loses_the_user_whatever_the_register_means() {
        let now = now();
        let (home, _) =
            come_home(&resident(now), Vec::new(), vec![device("desk")], &device("other"), &site("london"), now);
        assert!(matches!(
            displacement(&home.displaced, &device("desk"), &site("london"), now.wall),
            Displacement::Holds(_)
        ));
    }

    #[test]
    fn a_phone_that_carries_its_user_home_is_not_displaced() {
        let now = now();
        let (home, notice) =
            come_home(&resident(now), Vec::new(), Vec::new(), &device("visiting"), &site("london"), now);
        assert!(notice.is_some() && home.displaced.is_empty());
    }

    #[test]
    fn a_logout_ends_the_login_that_it_names_and_no_other() {
        let now = now();
        let resident = resident(now);
        for (at, which) in [
            ("berlin", Which::Number(LoginNumber(7))),
            ("paris", Which::Number(LoginNumber(6))),
            ("paris", Which::Number(LoginNumber(8))),
            ("paris", Which::Id(LoginId([2; 16]))),
        ] {
            assert!(logout(&resident, &site(at), which, now).is_none(), "{at} {which:?}");
        }
        for which in [Which::Number(LoginNumber(7)), Which::Id(LoginId([1; 16]))] {
            let home = logout(&resident, &site("paris"), which, now).expect("ended");
            assert!(home.away.is_none() && home.bindings.len() == 1 && home.login > resident.login);
        }
        assert!(not_there(&resident, &site("paris"), LoginNumber(7), now).is_some());
        assert!(not_there(&resident, &site("paris"), LoginNumber(6), now).is_none());
    }

    #[test]
    fn a_lease_runs_out_at_its_time_and_the_number_stays() {
        let now = now();
        let resident = resident(now);
        assert!(lease_out(&resident, after(now, 119).instant).is_none());
        let home = lease_out(&resident, after(now, 120).instant).expect("ran out");
        assert!(home.away.is_none() && home.login == LoginNumber(7) && home.bindings.len() == 1);
        assert!(lease_out(&home, after(now, 500).instant).is_none());
    }

    #[test]
    fn bindings_run_out_and_the_rest_stays() {
        let start = now();
        let late = after(start, 100);
        let bindings = vec![binding(1, "desk", start), binding(2, "other", late)];
        let resident = Resident { bindings, ..resident(start) };
        assert!(expire(&resident, after(start, 299).instant).is_none());
        let left = expire(&resident, after(start, 300).instant).expect("one ran out");
        assert!(left.bindings.len() == 1 && left.bindings[0].serial == 2 && left.away.is_some());
    }
}
