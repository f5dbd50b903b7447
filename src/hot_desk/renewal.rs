//! A visited site renews the lease of its visitor, as the home site hears it (SPEC 8.4, 8.6, 8.7).

use std::time::Duration;

use super::login::DEVICES;
use super::{Notice, displace_away, joined, next_number, relabel};
use crate::ids::{LoginId, LoginNumber, SiteName};
use crate::location::{Away, Device, Resident, displace};
use crate::settings::OnReconnect;
use crate::timing::{Now, Wall};

/// What a visited site says of one visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// Its name for the login.
    pub id: LoginId,
    /// The login's number.
    pub login: LoginNumber,
    /// When it began, by the visited site's clock.
    pub since: Wall,
    /// The phones there now; empty: nothing is said about them.
    pub devices: Vec<Device>,
    /// The user has a call in progress there.
    pub busy: bool,
}

/// What the home site makes of it.
#[derive(Clone, Debug)]
pub enum Renewed {
    /// The login goes on: only its lease has moved, which may be written later.
    Kept(Resident),
    /// The login is taken up again: to be stored before it is answered, then the notice is sent.
    Taken(Resident, Option<Notice>),
    /// The user is logged back in at home (`on_reconnect = "return-home"`): to be stored, then answered as [`Renewed::Gone`].
    ReturnedHome(Resident),
    /// The user is elsewhere: the visited site drops the visitor.
    Gone {
        /// Where the user is; `None`: at home.
        now_at: Option<SiteName>,
        /// The present login's number.
        login: LoginNumber,
        /// The record, if it is to be stored first: phones there of which home has not known lose the user to the present login too.
        kept_out: Option<Box<Resident>>,
    },
    /// The number is more than a day ahead of our clock: nothing is changed and nothing confirmed.
    NotBelieved,
}

/// SPEC 8.7: a number is believed if it is at most so far ahead of the wall clock.
const AHEAD: Duration = Duration::from_secs(86_400);

/// Hears a renewal from `site` at the home site `here`, whose `lease` and `on_reconnect` count.
pub fn renew(
    resident: &Resident,
    site: &SiteName,
    renewal: &Renewal,
    lease: Duration,
    on_reconnect: OnReconnect,
    here: &SiteName,
    now: Now,
) -> Renewed {
    if let Some(next) = joined::renew(resident, site, renewal, lease, now) {
        return Renewed::Kept(next);
    }
    if renewal.login < resident.login {
        return gone(resident, site, renewal, here, now);
    }
    if renewal.login > resident.login {
        // A higher number than ours: our memory is older than that login.
        if renewal.login.0 > now.wall.plus(AHEAD).0 {
            return Renewed::NotBelieved;
        }
        return take(resident.clone(), site, renewal, lease, now);
    }
    match &resident.away {
        Some(away) if away.site == *site => {
            let mut next = resident.clone();
            next.away.iter_mut().for_each(|away| prolong(away, renewal, lease, now));
            Renewed::Kept(next)
        }
        Some(_) => gone(resident, site, renewal, here, now),
        // The lease had run out, and nobody logged in since.
        None if on_reconnect == OnReconnect::ReturnHome && !renewal.busy && has_phone(resident, now) => {
            Renewed::ReturnedHome(return_home(resident, renewal, here, now))
        }
        None => take(resident.clone(), site, renewal, lease, now),
    }
}

/// The user is elsewhere, or nowhere any more.
fn gone(resident: &Resident, site: &SiteName, renewal: &Renewal, here: &SiteName, now: Now) -> Renewed {
    let now_at = resident.away.as_ref().map(|away| away.site.clone());
    let mut next = resident.clone();
    let is_elsewhere = now_at.as_ref().is_none_or(|at| at != site) && (now_at.is_some() || has_phone(resident, now));
    for device in devices(renewal).into_iter().filter(|device| is_elsewhere && !is_known(resident, device)) {
        displace(&mut next.displaced, device, now_at.as_ref().unwrap_or(here), now.wall);
    }
    let kept_out = (next.displaced != resident.displaced).then(|| Box::new(next));
    Renewed::Gone { now_at, login: resident.login, kept_out }
}

/// Whether the phone has the user now, or has lost it as far as home knows.
pub(super) fn is_known(resident: &Resident, device: &Device) -> bool {
    let away = resident.away.iter().flat_map(|away| &away.devices);
    let here = resident.bindings.iter().map(|binding| &binding.device);
    let lost = resident.displaced.iter().map(|entry| &entry.device);
    away.chain(here).chain(lost).any(|known| known.is(device))
}

fn has_phone(resident: &Resident, now: Now) -> bool {
    !resident.seats.is_empty() || resident.bindings.iter().any(|binding| binding.is_live(now.instant))
}

pub(super) fn prolong(away: &mut Away, renewal: &Renewal, lease: Duration, now: Now) {
    (away.id, away.lease, away.until) = (renewal.id, lease, now.instant + lease);
    away.joined.clear();
    if !renewal.devices.is_empty() {
        away.devices = devices(renewal);
    }
}

/// Believes in the login again.
fn take(mut resident: Resident, site: &SiteName, renewal: &Renewal, lease: Duration, now: Now) -> Renewed {
    let known = resident.away.as_ref().filter(|away| away.site == *site).cloned();
    resident.away.take_if(|away| away.site == *site);
    let notice = displace_away(&mut resident, renewal.login, None, site, now);
    relabel(&mut resident, site);
    let mut away = known.unwrap_or_else(|| Away {
        site: site.clone(),
        id: renewal.id,
        since: renewal.since,
        lease,
        until: now.instant + lease,
        devices: Vec::new(),
        asked: Wall::default(),
        joined: Vec::new(),
    });
    prolong(&mut away, renewal, lease, now);
    resident.away = Some(away);
    resident.seats.clear();
    Renewed::Taken(resident, notice)
}

fn return_home(resident: &Resident, renewal: &Renewal, here: &SiteName, now: Now) -> Resident {
    let login = next_number(resident, now.wall);
    let mut next = Resident { login, tombstones: Vec::new(), ..resident.clone() };
    devices(renewal).into_iter().for_each(|device| displace(&mut next.displaced, device, here, now.wall));
    relabel(&mut next, here);
    next
}

fn devices(renewal: &Renewal) -> Vec<Device> {
    renewal.devices.iter().take(DEVICES).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{after, binding, device, now, site};
    use super::super::home::lease_out;
    use super::*;
    use crate::ids::Extension;
    use crate::location::Seat;

    const LEASE: Duration = Duration::from_secs(120);

    fn renewal(login: u64) -> Renewal {
        let (id, login, since) = (LoginId([1; 16]), LoginNumber(login), Wall(5));
        Renewal { id, login, since, devices: vec![device("visiting")], busy: false }
    }

    fn resident(now: Now) -> Resident {
        let (id, until) = (LoginId([1; 16]), now.instant + LEASE);
        let (devices, asked) = (vec![device("old")], Wall::default());
        let joined = Vec::new();
        let away = Away { site: site("paris"), id, since: now.wall, lease: LEASE, until, devices, asked, joined };
        let bindings = vec![binding(1, "desk", now)];
        Resident { away: Some(away), bindings, login: LoginNumber(7), ..Resident::default() }
    }

    fn hear(resident: &Resident, at: &str, renewal: &Renewal, now: Now) -> Renewed {
        renew(resident, &site(at), renewal, LEASE, OnReconnect::Keep, &site("london"), now)
    }

    #[test]
    fn a_renewal_moves_the_lease_and_tells_which_phones_are_there() {
        let start = now();
        let later = after(start, 60);
        let Renewed::Kept(next) = hear(&resident(start), "paris", &renewal(7), later) else { panic!("not kept") };
        let away = next.away.expect("away");
        assert_eq!(
            (away.until, away.devices, next.login),
            (later.instant + LEASE, vec![device("visiting")], LoginNumber(7))
        );
    }

    #[test]
    fn a_login_that_was_followed_by_another_is_gone() {
        let now = now();
        let gone = |at: &str, login: u64| match hear(&resident(now), at, &renewal(login), now) {
            Renewed::Gone { now_at, login, .. } => (now_at, login),
            other => panic!("{other:?}"),
        };
        assert_eq!(gone("berlin", 6), (Some(site("paris")), LoginNumber(7)));
        assert_eq!(gone("berlin", 7), (Some(site("paris")), LoginNumber(7)));
        assert_eq!(gone("paris", 6), (Some(site("paris")), LoginNumber(7)));
        let home = Resident { away: None, login: LoginNumber(9), ..resident(now) };
        let Renewed::Gone { now_at: None, login, .. } = hear(&home, "paris", &renewal(7), now) else {
            panic!("not gone")
        };
        assert_eq!(login, LoginNumber(9));
    }

    #[test]
    fn phones_that_home_did_not_know_of_are_kept_out_too() {
        let now = now();
        let kept_out = |resident: &Resident, at: &str, renewal: &Renewal| match hear(resident, at, renewal, now) {
            Renewed::Gone { kept_out, .. } => kept_out.map(|next| next.displaced),
            other => panic!("{other:?}"),
        };
        let lost = kept_out(&resident(now), "berlin", &renewal(6)).expect("one more");
        assert_eq!(
            (lost.len(), lost[0].device.clone(), lost[0].why.clone()),
            (1, device("visiting"), { crate::location::Loss::LoggedIn(site("paris")) })
        );
        // Known already; at the site where the user is; moved there itself; of a user who is nowhere.
        let known = Resident { displaced: lost, ..resident(now) };
        assert!(kept_out(&known, "berlin", &renewal(6)).is_none());
        assert!(kept_out(&resident(now), "paris", &renewal(6)).is_none());
        let moved = Renewal { devices: vec![device("old"), device("desk")], ..renewal(6) };
        assert!(kept_out(&resident(now), "berlin", &moved).is_none());
        let nowhere = Resident { login: LoginNumber(9), ..Resident::default() };
        assert!(kept_out(&nowhere, "berlin", &renewal(6)).is_none());
        let seat = Seat { phone: Extension::new("205"), device: device("lobby"), since: now.wall };
        let sitting = Resident { seats: vec![seat], ..nowhere };
        assert!(kept_out(&sitting, "berlin", &renewal(6)).is_some());
    }

    #[test]
    fn keep_takes_the_login_again_after_its_lease_ran_out() {
        let start = now();
        let later = after(start, 200);
        let home = lease_out(&resident(start), later.instant).expect("ran out");
        let Renewed::Taken(next, None) = hear(&home, "paris", &renewal(7), later) else { panic!("not taken") };
        assert_eq!(next.away.map(|away| away.until), Some(later.instant + LEASE));
        assert_eq!(next.bindings.len(), 1);
    }

    #[test]
    fn return_home_brings_the_user_back_if_the_lease_ran_out_and_a_phone_is_there() {
        let start = now();
        let later = after(start, 200);
        let home = lease_out(&resident(start), later.instant).expect("ran out");
        let ask = |resident: &Resident, renewal: &Renewal| {
            renew(resident, &site("paris"), renewal, LEASE, OnReconnect::ReturnHome, &site("london"), later)
        };
        let Renewed::ReturnedHome(next) = ask(&home, &renewal(7)) else { panic!("not home") };
        assert!(next.away.is_none() && next.login > home.login && next.displaced.len() == 1);
        assert!(matches!(ask(&home, &Renewal { busy: true, ..renewal(7) }), Renewed::Taken(..)));
        let bare = Resident { bindings: Vec::new(), ..home };
        assert!(matches!(ask(&bare, &renewal(7)), Renewed::Taken(..)));
        assert!(matches!(ask(&resident(start), &renewal(7)), Renewed::Kept(_)));
    }

    #[test]
    fn a_home_without_memory_believes_the_highest_number() {
        let now = now();
        let number = now.wall.0;
        let Renewed::Taken(next, None) = hear(&Resident::default(), "paris", &renewal(number), now) else { panic!() };
        assert_eq!(
            (next.login, next.away.as_ref().map(|a| a.site.clone())),
            (LoginNumber(number), Some(site("paris")))
        );
        let Renewed::Taken(next, notice) = hear(&next, "berlin", &renewal(number + 1), now) else { panic!() };
        let (ended, login) = (LoginNumber(number), LoginNumber(number + 1));
        assert_eq!(notice, Some(Notice::Displace { site: site("paris"), ended, login, now_at: site("berlin") }));
        let away = next.away.expect("away");
        assert_eq!((next.login, away.site, away.since), (login, site("berlin"), Wall(5)));
    }

    #[test]
    fn a_number_a_day_ahead_is_believed_and_more_is_not() {
        let now = now();
        let day = now.wall.0 + 86_400_000;
        assert!(matches!(hear(&Resident::default(), "paris", &renewal(day), now), Renewed::Taken(..)));
        assert!(matches!(hear(&Resident::default(), "paris", &renewal(day + 1), now), Renewed::NotBelieved));
    }
}
