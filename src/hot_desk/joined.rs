//! Logins that join a stay (SPEC 5.2, 10.4): another phone at the site where the user is logged in already.
//!
//! Home takes such a login and answers. The visited site may refuse it all the same, give up waiting, or fail to store it, and undoes it then:
//! nothing has changed. It may also never have heard of it, or have lost it with its process. So home remembers what each login came on top of,
//! until the site has renewed under the newest number: only then both speak of the same login.

use std::time::Duration;

use super::fall_back;
use super::login::{DEVICES, LoginRequest};
use super::renewal::{Renewal, prolong};
use crate::ids::{LoginId, LoginNumber, SiteName};
use crate::location::{Device, Displacement, Earlier, Joined, Resident, displacement, put_out_again};
use crate::timing::{Now, Wall};

/// A site that speaks of an earlier login so long after the newest has never taken that one: twice as long as a request can be repeated.
const NEVER_TAKEN: Duration = Duration::from_secs(64);

/// What to remember when `request` is taken of a user whose record was `before`: nothing, if it joins no stay.
pub(super) fn join(before: &Resident, request: &LoginRequest, now: Wall) -> Vec<Joined> {
    let Some(away) = before.away.as_ref().filter(|away| away.site == request.site) else { return Vec::new() };
    let device = request.device.clone();
    let mut joined = away.joined.clone();
    joined.push(Joined {
        id: request.id,
        is_new: !away.devices.iter().any(|known| known.is(&device)),
        was_out: displacement(&before.displaced, &device, &request.site, now) != Displacement::None,
        before: Earlier { id: away.id, login: before.login, since: away.since },
        device,
    });
    let surplus = joined.len().saturating_sub(DEVICES);
    joined.drain(..surplus);
    joined
}

/// The visited site undoes a login that joined others there, or that others have joined: those go on. `None`: it is neither.
pub(super) fn undo(resident: &Resident, id: LoginId) -> Option<Resident> {
    let mut next = resident.clone();
    let away = next.away.as_mut()?;
    if away.joined.first().is_some_and(|first| first.before.id == id) {
        // The one after it stands by itself now. Which phones are there the next renewal says.
        away.joined.remove(0);
        return Some(next);
    }
    let at = away.joined.iter().position(|joined| joined.id == id)?;
    let Joined { device, is_new, was_out, before, .. } = away.joined.remove(at);
    match away.joined.get_mut(at) {
        Some(later) => later.before = before,
        None => {
            (away.id, away.since) = (before.id, before.since);
            fall_back(&mut next, before.login);
        }
    }
    let away = next.away.as_mut()?;
    if let Some(later) = away.joined.iter_mut().skip(at).find(|later| later.device.is(&device)) {
        later.is_new |= is_new;
        later.was_out |= was_out;
        return Some(next);
    }
    away.devices.retain(|known| !(is_new && known.is(&device)));
    if was_out {
        put_out_again(&mut next.displaced, &device);
    }
    Some(next)
}

/// The visited site says that an earlier login has ended; those that joined it go on. The second are its phones, which are gone.
/// `None`: nobody has joined that login.
pub(super) fn leave(resident: &Resident, site: &SiteName, login: LoginNumber) -> Option<(Resident, Vec<Device>)> {
    let mut next = resident.clone();
    let away = next.away.as_mut().filter(|away| away.site == *site)?;
    let at = away.joined.iter().position(|joined| joined.before.login == login)?;
    let stay: Vec<Device> = away.joined.iter().skip(at).map(|joined| joined.device.clone()).collect();
    away.joined.drain(..=at);
    let devices = std::mem::take(&mut away.devices).into_iter();
    let (devices, gone) = devices.partition(|device| stay.iter().any(|other| other.is(device)));
    away.devices = devices;
    Some((next, gone))
}

/// The visited site renews under an earlier login. The answer to the newest may still be under way; long after that, there never was one.
/// `None`: nobody has joined that login.
pub(super) fn renew(
    resident: &Resident,
    site: &SiteName,
    renewal: &Renewal,
    lease: Duration,
    now: Now,
) -> Option<Resident> {
    let away = resident.away.as_ref().filter(|away| away.site == *site)?;
    let at = away.joined.iter().position(|joined| joined.before.login == renewal.login)?;
    let mut next = resident.clone();
    let is_old = now.wall.since(away.since) >= NEVER_TAKEN;
    while let Some(id) = next.away.as_ref()?.joined.get(at).map(|joined| joined.id).filter(|_| is_old) {
        next = undo(&next, id)?;
    }
    let away = next.away.as_mut()?;
    match is_old {
        true => prolong(away, renewal, lease, now),
        false => (away.lease, away.until) = (lease, now.instant + lease),
    }
    Some(next)
}

/// The number that the visited site has for certain.
pub(super) fn certain(resident: &Resident) -> LoginNumber {
    let first = resident.away.as_ref().and_then(|away| away.joined.first());
    first.map_or(resident.login, |first| first.before.login)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{after, device, now, site};
    use super::super::{Renewed, Terms, Which, lease_out, login, logout, renew as hear};
    use super::*;
    use crate::location::{Away, displace};
    use crate::settings::{OnReconnect, Profile, Shortage};

    const LEASE: Duration = Duration::from_secs(120);

    fn taken(resident: &Resident, id: u8, call_id: &str, now: Now) -> Resident {
        let (id, device) = (LoginId([id; 16]), device(call_id));
        let request = LoginRequest { site: site("paris"), id, device, by_dialling: true };
        let terms = Terms { visitors: true, free: None, shortage: Shortage::Refuse };
        login(resident, &request, "power", &Profile::default(), &terms, LEASE, now).expect("taken").resident
    }

    fn undone(resident: &Resident, id: u8, now: Now) -> Resident {
        logout(resident, &site("paris"), Which::Id(LoginId([id; 16])), now).expect("a login of the stay")
    }

    fn heard(resident: &Resident, number: LoginNumber, id: u8, phones: &[&str], now: Now) -> Renewed {
        let devices = phones.iter().map(|phone| device(phone)).collect();
        let renewal = Renewal { id: LoginId([id; 16]), login: number, since: now.wall, devices, busy: false };
        hear(resident, &site("paris"), &renewal, LEASE, OnReconnect::Keep, &site("london"), now)
    }

    fn kept(renewed: Renewed) -> Resident {
        match renewed {
            Renewed::Kept(resident) => resident,
            other => panic!("{other:?}"),
        }
    }

    fn phones(resident: &Resident) -> Vec<String> {
        let devices = resident.away.iter().flat_map(|away: &Away| &away.devices);
        devices.map(|device| String::from_utf8_lossy(&device.call_id).into_owned()).collect()
    }

    #[test]
    fn an_undone_login_leaves_the_stay_that_it_joined_as_it_was() {
        let start = now();
        let first = taken(&Resident::default(), 1, "a", start);
        let joined = taken(&first, 2, "b", after(start, 1));
        assert!(joined.login > first.login && phones(&joined) == ["a", "b"]);
        let next = undone(&joined, 2, after(start, 2));
        let stay = |resident: &Resident| resident.away.clone().map(|away| (away.id, away.since, away.joined));
        assert_eq!((next.login, phones(&next), stay(&next)), (first.login, phones(&first), stay(&first)));
        assert!(undone(&next, 1, after(start, 3)).away.is_none(), "there is nothing else to go back to");
    }

    #[test]
    fn a_phone_that_was_there_already_stays_there() {
        let start = now();
        let first = taken(&Resident::default(), 1, "a", start);
        assert_eq!(phones(&undone(&taken(&first, 2, "a", after(start, 1)), 2, after(start, 2))), ["a"]);
    }

    #[test]
    fn logins_are_undone_in_any_order() {
        let start = now();
        let first = taken(&Resident::default(), 1, "a", start);
        let second = taken(&first, 2, "b", after(start, 1));
        let third = taken(&second, 3, "b", after(start, 2));
        let later = after(start, 3);
        for order in [[2, 3], [3, 2]] {
            let one = undone(&third, order[0], later);
            assert_eq!(phones(&one), ["a", "b"], "the other one has it");
            let none = undone(&one, order[1], later);
            assert_eq!((phones(&none), none.login), (vec!["a".to_owned()], first.login));
        }
        let without_first = undone(&third, 1, later);
        assert_eq!((without_first.login, without_first.away.is_some()), (third.login, true));
        assert!(undone(&undone(&without_first, 3, later), 2, later).away.is_none());
    }

    #[test]
    fn a_phone_that_was_kept_out_is_so_again() {
        let start = now();
        let mut first = taken(&Resident::default(), 1, "a", start);
        displace(&mut first.displaced, device("b"), &site("paris"), start.wall);
        let joined = taken(&first, 2, "b", after(start, 1));
        let is_out = |resident: &Resident| {
            displacement(&resident.displaced, &device("b"), &site("paris"), start.wall) != Displacement::None
        };
        assert!(!is_out(&joined) && is_out(&undone(&joined, 2, after(start, 2))));
    }

    #[test]
    fn a_login_that_others_have_joined_may_end_by_itself() {
        let start = now();
        let first = taken(&Resident::default(), 1, "a", start);
        let joined = taken(&first, 2, "b", after(start, 1));
        let later = after(start, 2);
        let left = logout(&joined, &site("paris"), Which::Number(first.login), later).expect("that login");
        assert_eq!((left.login, phones(&left)), (joined.login, vec!["b".to_owned()]));
        assert!(undone(&left, 2, later).away.is_none(), "now nobody is there");
        assert!(logout(&joined, &site("berlin"), Which::Number(first.login), later).is_none());
    }

    #[test]
    fn the_visited_site_may_not_know_of_the_newest_login() {
        let start = now();
        let first = taken(&Resident::default(), 1, "a", start);
        let joined = taken(&first, 2, "b", start);
        let soon = kept(heard(&joined, first.login, 1, &["a"], after(start, 63)));
        assert_eq!((soon.login, phones(&soon)), (joined.login, phones(&joined)), "the answer is under way");
        assert_eq!(soon.away.map(|away| away.until), Some(after(start, 63).instant + LEASE));
        let late = kept(heard(&joined, first.login, 1, &["a"], after(start, 64)));
        assert_eq!((late.login, phones(&late)), (first.login, phones(&first)), "it never was");
        let known = kept(heard(&joined, joined.login, 2, &["a", "b"], after(start, 1)));
        assert!(known.away.is_some_and(|away| away.joined.is_empty()));
    }

    #[test]
    fn after_the_lease_the_visited_site_says_which_login_it_has() {
        let start = now();
        let first = taken(&Resident::default(), 1, "a", start);
        let joined = taken(&first, 2, "b", start);
        let late = after(start, 120);
        let over = lease_out(&joined, late.instant).expect("ran out");
        for (number, id) in [(first.login, 1), (joined.login, 2)] {
            let Renewed::Taken(next, None) = heard(&over, number, id, &["a"], late) else { panic!("not taken") };
            assert_eq!(next.login, number);
        }
    }
}
