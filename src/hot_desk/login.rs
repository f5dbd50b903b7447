//! A login at a visited site, as the home site takes it (SPEC 5.2, 5.4, 5.5).

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Notice, displace_away, joined, next_number, relabel};
use crate::ids::{LoginId, LoginNumber, SiteName};
use crate::location::{Away, Device, Displacement, Joined, Resident, bring_back, displacement};
use crate::rejection::Rejection;
use crate::settings::{Profile, Shortage};
use crate::sip::Status;
use crate::timing::Now;

/// A visited site's request to take a login. The digest has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRequest {
    /// The visited site.
    pub site: SiteName,
    /// Its name for this login: the same id is the same login.
    pub id: LoginId,
    /// The phone there.
    pub device: Device,
    /// By dialling: a person does that, and a displaced phone may have the user again (SPEC 5.5).
    pub by_dialling: bool,
}

/// On what terms the visited site takes a visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Users of other sites are accepted at all.
    pub visitors: bool,
    /// Profiles of which a licence is set aside for this login; `None`: no limit.
    pub free: Option<BTreeSet<String>>,
    /// What it does when there is none.
    pub shortage: Shortage,
}

/// A login that was taken.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user's record now: to be stored before anyone is answered.
    pub resident: Resident,
    /// The login's number.
    pub number: LoginNumber,
    /// The profile that is in force there: the user's own, or `basic`.
    pub profile: String,
    /// Whom to tell then.
    pub notices: Vec<Notice>,
}

/// Names a login that is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// By the visited site's id: its answer never came.
    Id(LoginId),
    /// By its number.
    Number(LoginNumber),
}

/// Most phones of one login that are remembered.
pub(super) const DEVICES: usize = 16;

/// Takes a login, or refuses it with 403; then nothing has changed.
///
/// `profile_name` and `profile` are the user's, `lease` is this site's.
pub fn login(
    resident: &Resident,
    request: &LoginRequest,
    profile_name: &str,
    profile: &Profile,
    terms: &Terms,
    lease: Duration,
    now: Now,
) -> Result<Login, Rejection> {
    let is_known = resident.away.as_ref().is_some_and(|away| away.site == request.site && away.id == request.id);
    let mut next = resident.clone();
    if !is_known {
        admit(&mut next, request, now)?;
        may_travel(profile_name, profile)?;
    }
    let granted = terms.granted(profile_name, &request.site)?.to_owned();
    if is_known {
        next.away.iter_mut().for_each(|away| (away.lease, away.until) = (lease, now.instant + lease));
        return Ok(Login { number: next.login, resident: next, profile: granted, notices: Vec::new() });
    }
    let joined = joined::join(resident, request, now.wall);
    let notice = move_to(&mut next, request, joined, lease, now);
    Ok(Login { number: next.login, resident: next, profile: granted, notices: notice.into_iter().collect() })
}

/// A displaced phone comes back by a person only (SPEC 5.5).
fn admit(resident: &mut Resident, request: &LoginRequest, now: Now) -> Result<(), Rejection> {
    match displacement(&resident.displaced, &request.device, &request.site, now.wall) {
        Displacement::None => Ok(()),
        Displacement::Holds(entry) if !request.by_dialling => Err(entry.refusal(&request.site)),
        Displacement::Holds(_) | Displacement::Over(_) => {
            bring_back(&mut resident.displaced, &request.device);
            Ok(())
        }
    }
}

fn may_travel(name: &str, profile: &Profile) -> Result<(), Rejection> {
    if profile.remote_hot_desk {
        return Ok(());
    }
    Err(Rejection::warned(Status::FORBIDDEN, format!("profile {name} may not log in at other sites")))
}

impl Terms {
    /// The profile that a user of profile `name` is let in with (SPEC 7.3).
    fn granted<'p>(&self, name: &'p str, site: &SiteName) -> Result<&'p str, Rejection> {
        if !self.visitors {
            return Err(Rejection::warned(Status::FORBIDDEN, format!("{site} takes no visitors")));
        }
        let is_free = |profile: &str| self.free.as_ref().is_none_or(|free| free.contains(profile));
        match self.shortage {
            Shortage::Refuse | Shortage::Basic if is_free(name) => Ok(name),
            Shortage::Basic if is_free("basic") => Ok("basic"),
            Shortage::Refuse | Shortage::Basic => {
                Err(Rejection::warned(Status::FORBIDDEN, format!("no free licence for profile {name}")))
            }
        }
    }
}

/// SPEC 5.4: the bindings here are parked by the login elsewhere, those of the very phone that logs in there are dropped.
fn move_to(
    resident: &mut Resident,
    request: &LoginRequest,
    joined: Vec<Joined>,
    lease: Duration,
    now: Now,
) -> Option<Notice> {
    let device = &request.device;
    // A second phone at the same site joins the first: they are one stay with a newer login.
    let (mut devices, asked) = match &resident.away {
        Some(away) if away.site == request.site => (away.devices.clone(), away.asked),
        Some(_) | None => Default::default(),
    };
    devices.retain(|other| !other.is(device));
    devices.drain(..devices.len().saturating_sub(DEVICES - 1));
    devices.push(device.clone());
    let login = next_number(resident, now.wall);
    resident.away.take_if(|away| away.site == request.site);
    let notice = displace_away(resident, login, Some(device), &request.site, now);
    resident.bindings.retain(|binding| binding.is_live(now.instant) && !binding.device.is(device));
    resident.tombstones.retain(|tombstone| !tombstone.is(device));
    resident.seats.clear();
    relabel(resident, &request.site);
    let (site, id, since, until) = (request.site.clone(), request.id, now.wall, now.instant + lease);
    resident.away = Some(Away { site, id, since, lease, until, devices, asked, joined });
    notice
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{self, MINUTE, binding, device, now, site};
    use super::*;

    const LEASE: Duration = Duration::from_secs(120);

    fn request(at: &str, id: u8, call_id: &str) -> LoginRequest {
        LoginRequest { site: site(at), id: LoginId([id; 16]), device: device(call_id), by_dialling: false }
    }

    fn open() -> Terms {
        Terms { visitors: true, free: None, shortage: Shortage::Refuse }
    }

    fn take(resident: &Resident, request: &LoginRequest, now: Now) -> Result<Login, Rejection> {
        login(resident, request, "power", &Profile::default(), &open(), LEASE, now)
    }

    fn warning<T: std::fmt::Debug>(result: Result<T, Rejection>) -> String {
        let rejection = result.expect_err("refused");
        assert_eq!(rejection.status, Status::FORBIDDEN);
        rejection.warning.unwrap_or_default().into_owned()
    }

    #[test]
    fn a_login_parks_the_phones_at_home_and_drops_the_one_that_travelled() {
        let now = now();
        let resident =
            Resident { bindings: vec![binding(1, "desk", now), binding(2, "mobile", now)], ..Resident::default() };
        let login = take(&resident, &request("paris", 1, "mobile"), now).expect("taken");
        assert_eq!(login.number, LoginNumber(now.wall.0));
        assert_eq!((login.profile.as_str(), login.notices.len()), ("power", 0));
        assert_eq!(login.resident.bindings.iter().map(|b| b.serial).collect::<Vec<_>>(), [1]);
        let away = login.resident.away.expect("away");
        assert_eq!((away.site, away.until, away.devices), (site("paris"), now.instant + LEASE, vec![device("mobile")]));
    }

    #[test]
    fn the_same_login_id_is_the_same_login() {
        let (now, asked) = (now(), request("paris", 1, "phone"));
        let first = take(&Resident::default(), &asked, now).expect("taken");
        let later = fixtures::after(now, MINUTE);
        let again = take(&first.resident, &asked, later).expect("taken again");
        assert_eq!(again.number, first.number);
        assert_eq!(again.resident.away.map(|away| away.until), Some(later.instant + LEASE));
        assert!(again.notices.is_empty() && again.resident.displaced.is_empty());
        let other = take(&first.resident, &request("paris", 2, "phone"), later).expect("another login");
        assert!(other.number > first.number && other.notices.is_empty());
    }

    #[test]
    fn a_number_is_above_the_last_even_where_the_clock_went_back() {
        let now = now();
        let ahead = LoginNumber(now.wall.0 + 5);
        let resident = Resident { login: ahead, ..Resident::default() };
        assert_eq!(take(&resident, &request("paris", 1, "a"), now).expect("taken").number, LoginNumber(ahead.0 + 1));
    }

    #[test]
    fn a_login_at_a_third_site_displaces_the_second() {
        let now = now();
        let first = take(&Resident::default(), &request("paris", 1, "a"), now).expect("taken");
        let second = take(&first.resident, &request("berlin", 2, "b"), fixtures::after(now, MINUTE)).expect("taken");
        let (ended, login) = (first.number, second.number);
        let told = Notice::Displace { site: site("paris"), ended, login, now_at: site("berlin") };
        assert_eq!(second.notices, [told]);
        let back = take(&second.resident, &request("paris", 3, "a"), fixtures::after(now, 2 * MINUTE));
        assert_eq!(warning(back), "logged in at berlin");
    }

    #[test]
    fn a_displaced_phone_with_a_new_call_id_takes_over() {
        let now = now();
        let first = take(&Resident::default(), &request("paris", 1, "a"), now).expect("taken");
        let second = take(&first.resident, &request("berlin", 2, "b"), now).expect("taken");
        let mut person = request("paris", 3, "new");
        person.device.host = device("a").host;
        let third = take(&second.resident, &person, now).expect("taken");
        assert_eq!(third.resident.away.map(|away| away.site), Some(site("paris")));
    }

    #[test]
    fn a_phone_that_moves_with_its_user_is_not_displaced() {
        let now = now();
        let first = take(&Resident::default(), &request("paris", 1, "laptop"), now).expect("taken");
        let second = take(&first.resident, &request("berlin", 2, "laptop"), now).expect("taken");
        assert!(second.resident.displaced.is_empty());
        assert_eq!(second.notices.len(), 1);
    }

    #[test]
    fn a_second_phone_at_the_same_site_joins_the_first() {
        let now = now();
        let first = take(&Resident::default(), &request("paris", 1, "a"), now).expect("taken");
        let second = take(&first.resident, &request("paris", 2, "b"), now).expect("taken");
        assert_eq!(second.resident.away.map(|away| away.devices), Some(vec![device("a"), device("b")]));
        assert!(second.resident.displaced.is_empty() && second.notices.is_empty());
    }

    #[test]
    fn a_profile_that_must_stay_at_home_is_refused() {
        let profile = Profile { remote_hot_desk: false, ..Profile::default() };
        let asked = request("paris", 1, "a");
        let refused = login(&Resident::default(), &asked, "office", &profile, &open(), LEASE, now());
        assert_eq!(warning(refused), "profile office may not log in at other sites");
    }

    #[test]
    fn the_visited_sites_terms_decide() {
        let asked = request("paris", 1, "a");
        let with =
            |terms: Terms| login(&Resident::default(), &asked, "power", &Profile::default(), &terms, LEASE, now());
        let free = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(warning(with(Terms { visitors: false, ..open() })), "paris takes no visitors");
        assert_eq!(warning(with(Terms { free: free(&["basic"]), ..open() })), "no free licence for profile power");
        let granted = |free, shortage| with(Terms { free, shortage, ..open() }).map(|login| login.profile);
        assert_eq!(granted(free(&["power"]), Shortage::Refuse).as_deref(), Ok("power"));
        assert_eq!(granted(free(&["basic", "power"]), Shortage::Basic).as_deref(), Ok("power"));
        assert_eq!(granted(free(&["basic"]), Shortage::Basic).as_deref(), Ok("basic"));
        assert_eq!(warning(granted(free(&[]), Shortage::Basic)), "no free licence for profile power");
    }
}
