//! The end of a login by an operator's word, by the clock or for being idle (SPEC 12.5): the phones lose the user, and are kept out
//! as displaced ones are.

use super::home::is_present;
use super::login::DEVICES;
use super::renewal::is_known;
use super::{Notice, Which, joined, logout, next_number};
use crate::ids::SiteName;
use crate::location::{Device, Forced, Loss, Resident, displace, leave, log_out};
use crate::timing::Now;

/// Home ends the present login, here or elsewhere; with one elsewhere, its site is to be told. The phones at home, parked until now,
/// ring again then, as after any logout there (SPEC 5.7). `None`: the user is logged in nowhere.
pub fn force_out(resident: &Resident, here: &SiteName, forced: Forced, now: Now) -> Option<(Resident, Option<Notice>)> {
    let mut next = resident.clone();
    next.login = next_number(resident, now.wall);
    if let Some(away) = next.away.take() {
        next.tombstones.clear();
        keep_out(&mut next, away.devices, forced, now);
        let (ended, login, now_at) = (resident.login, next.login, here.clone());
        return Some((next, Some(Notice::Displace { site: away.site, ended, login, now_at })));
    }
    let bindings = std::mem::take(&mut next.bindings);
    // The phones of others have their own users again, and nobody to keep out.
    let sat = !std::mem::take(&mut next.seats).is_empty();
    let live = bindings.into_iter().filter(|binding| binding.is_live(now.instant));
    let devices: Vec<Device> = live.map(|binding| binding.device).collect();
    if devices.is_empty() && !sat {
        return None;
    }
    keep_out(&mut next, devices, forced, now);
    Some((next, None))
}

/// A visited site has ended a login there. `None`: that login is not known, and nothing changes.
pub fn forced_out(resident: &Resident, site: &SiteName, which: Which, forced: Forced, now: Now) -> Option<Resident> {
    if is_present(resident, site, which) {
        return force_out(resident, site, forced, now).map(|(next, _)| next);
    }
    let (mut next, gone) = left(resident, site, which)?;
    gone.into_iter().for_each(|device| log_out(&mut next.displaced, device, forced, now.wall));
    Some(next)
}

/// A login has ended that others have joined, which go on; with the phones that are gone.
fn left(resident: &Resident, site: &SiteName, which: Which) -> Option<(Resident, Vec<Device>)> {
    match which {
        Which::Number(number) => joined::leave(resident, site, number),
        Which::Id(_) => None,
    }
}

/// A visitor has logged out by dialling at the visitor's own phone: the user is at home, and the phone is kept out there, which would else be back
/// with its next refresh. `None`: that login is not known.
pub fn left_by_hand(resident: &Resident, site: &SiteName, which: Which, now: Now) -> Option<Resident> {
    let (mut next, devices) = if is_present(resident, site, which) {
        let devices = resident.away.as_ref().map(|away| away.devices.clone());
        (logout(resident, site, which, now)?, devices.unwrap_or_default())
    } else {
        left(resident, site, which)?
    };
    devices.into_iter().for_each(|device| leave(&mut next.displaced, device, site, now.wall));
    Some(next)
}

/// A visited site tells which phones are kept out now that it has ended a login. Home need not know them: it may have ceased to believe in the login,
/// as its lease had run out, and a newer one may be there; or the user had left one of them before the others. Those of which home does not know
/// are kept out all the same. `None`: nothing changes.
pub fn keep_out_unknown(
    resident: &Resident,
    which: Which,
    devices: &[Device],
    why: &Loss,
    now: Now,
) -> Option<Resident> {
    let Which::Number(number) = which else { return None };
    if number > resident.login.max(resident.given) {
        return None;
    }
    let mut next = resident.clone();
    for device in devices.iter().filter(|device| !is_known(resident, device)).take(DEVICES).cloned() {
        match why {
            Loss::LoggedIn(site) => displace(&mut next.displaced, device, site, now.wall),
            Loss::LoggedOut(forced) => log_out(&mut next.displaced, device, *forced, now.wall),
            Loss::LeftAt(site) => leave(&mut next.displaced, device, site, now.wall),
        }
    }
    (next.displaced != resident.displaced).then_some(next)
}

/// Who was kept out by the login that ends may come again; who has it loses it, and is remembered for quarrelling.
fn keep_out(resident: &mut Resident, devices: Vec<Device>, forced: Forced, now: Now) {
    resident.displaced.retain(|entry| devices.iter().any(|device| device.is(&entry.device)));
    devices.into_iter().for_each(|device| log_out(&mut resident.displaced, device, forced, now.wall));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::fixtures::{after, binding, device, now, site};
    use super::*;
    use crate::ids::{LoginId, LoginNumber};
    use crate::location::{Away, Displacement, displacement};
    use crate::timing::Wall;

    fn holds(resident: &Resident, call_id: &'static str, now: Now) -> bool {
        matches!(displacement(&resident.displaced, &device(call_id), &site("paris"), now.wall), Displacement::Holds(_))
    }

    fn away(now: Now) -> Resident {
        let (lease, id) = (Duration::from_secs(120), LoginId([1; 16]));
        let (until, devices) = (now.instant + lease, vec![device("visiting")]);
        let asked = Wall::default();
        let away =
            Some(Away { site: site("paris"), id, since: now.wall, lease, until, devices, asked, joined: Vec::new() });
        let mut resident = Resident {
            away,
            bindings: vec![binding(1, "desk", now)],
            login: LoginNumber(7),
            tombstones: vec![device("stone")],
            ..Resident::default()
        };
        displace(&mut resident.displaced, device("third"), &site("paris"), now.wall);
        resident
    }

    #[test]
    fn who_is_at_home_loses_every_phone() {
        let now = now();
        let bindings = vec![binding(1, "a", now), binding(2, "b", now)];
        let home = Resident { bindings, login: LoginNumber(7), ..Resident::default() };
        let (out, notice) = force_out(&home, &site("london"), Forced::Operator, now).expect("logged in");
        assert!(out.bindings.is_empty() && notice.is_none() && out.login > LoginNumber(7));
        assert!(holds(&out, "a", now) && holds(&out, "b", now));
        assert!(force_out(&out, &site("london"), Forced::Operator, now).is_none(), "once is enough");
        assert!(
            force_out(&home, &site("london"), Forced::Operator, after(now, 301)).is_none(),
            "what has run out is no login"
        );
    }

    #[test]
    fn who_is_elsewhere_is_home_again_and_only_the_phones_there_are_kept_out() {
        let now = now();
        let (out, notice) = force_out(&away(now), &site("london"), Forced::Operator, now).expect("logged in");
        let Some(Notice::Displace { site: told, ended, login, now_at }) = notice else { panic!("nobody is told") };
        assert_eq!((told, ended, login, now_at), (site("paris"), LoginNumber(7), out.login, site("london")));
        assert!(out.away.is_none() && out.tombstones.is_empty() && out.bindings.len() == 1);
        assert!(holds(&out, "visiting", now) && !holds(&out, "third", now));
    }

    #[test]
    fn a_phone_of_a_login_in_which_nobody_believes_any_more_is_kept_out_unless_it_is_known() {
        let (now, late) = (now(), |number| Which::Number(LoginNumber(number)));
        let home = Resident { bindings: vec![binding(1, "desk", now)], login: LoginNumber(7), ..Resident::default() };
        let devices = [device("visiting"), device("desk")];
        let idle = Loss::LoggedOut(Forced::Idle);
        for number in [6, 7] {
            let out = keep_out_unknown(&home, late(number), &devices, &idle, now).expect("one is not known");
            assert!(holds(&out, "visiting", now) && !holds(&out, "desk", now) && out.login == home.login);
            assert!(keep_out_unknown(&out, late(number), &devices, &idle, now).is_none(), "once is enough");
        }
        assert!(keep_out_unknown(&home, late(8), &devices, &idle, now).is_none(), "nobody has had that login");
        let elsewhere = Loss::LoggedIn(site("london"));
        let out = keep_out_unknown(&home, late(7), &devices[..1], &elsewhere, now).expect("it is not known");
        assert!(holds(&out, "visiting", now));
    }

    #[test]
    fn who_leaves_by_hand_is_kept_out_at_that_phone_and_that_site() {
        let now = now();
        let which = Which::Number(LoginNumber(7));
        let out = left_by_hand(&away(now), &site("paris"), which, now).expect("that login");
        assert!(out.away.is_none() && holds(&out, "visiting", now) && !holds(&out, "third", now));
        let at_home = displacement(&out.displaced, &device("visiting"), &site("london"), now.wall);
        assert!(matches!(at_home, Displacement::Over(_)), "the user has brought it home");
        assert!(left_by_hand(&out, &site("paris"), which, now).is_none());
    }

    #[test]
    fn a_visited_site_ends_the_login_that_it_has_and_no_other() {
        let now = now();
        assert!(forced_out(&away(now), &site("berlin"), Which::Number(LoginNumber(7)), Forced::Idle, now).is_none());
        assert!(forced_out(&away(now), &site("paris"), Which::Number(LoginNumber(6)), Forced::Idle, now).is_none());
        let out = forced_out(&away(now), &site("paris"), Which::Number(LoginNumber(7)), Forced::Idle, now)
            .expect("that login");
        assert!(out.away.is_none() && holds(&out, "visiting", now));
    }
}
