//! A user of another site who is logged in here, as the visited site keeps it (SPEC 5.2, 5.3, 5.7, 8.2).

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::ids::{LoginId, LoginNumber, SiteName};
use crate::location::{Binding, Device, DisplacedDevice, Ending, Guest, Loss, Resident, Visitor, bring_back, displace};
use crate::settings::{Credentials, User};
use crate::timing::{Now, Wall};

/// What the home site answered to a login.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The home site.
    pub home: SiteName,
    /// Our name for the login.
    pub id: LoginId,
    /// Its number.
    pub login: LoginNumber,
    /// What travels with the user.
    pub guest: Arc<Guest>,
    /// The home site's lease.
    pub lease: Duration,
    /// Phones that may not have the user, as home knows them; oldest first.
    pub displaced: Vec<DisplacedDevice>,
}

/// What the home site is to be told: this login has ended here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logout {
    /// Whom to tell.
    pub home: SiteName,
    /// Our name for the login.
    pub id: LoginId,
    /// Its number.
    pub login: LoginNumber,
    /// The phones that had it, and those at which the user has logged out by dialling before.
    pub devices: Vec<Device>,
}

/// A visitor after its bindings changed.
#[derive(Clone, Debug)]
pub enum Stays {
    /// Still here.
    Here(Visitor),
    /// The last binding is gone: the record ends, and home is told (SPEC 5.7).
    Left(Logout),
}

/// What running out does to a visitor.
#[derive(Clone, Debug)]
pub enum RunOut {
    /// Nothing has run out.
    Nothing,
    /// Some bindings have.
    Changed(Stays),
}

/// The visitor that a login makes, with the bindings that the registrar judged. If two phones logged in at once, the later number
/// counts and both phones stay; an answer that is older than the visitor changes nothing but the bindings.
pub fn arrive(present: Option<&Visitor>, arrival: Arrival, bindings: Vec<Binding>, now: Now, random: u64) -> Visitor {
    if let Some(present) = present.filter(|present| present.login > arrival.login) {
        return Visitor { bindings, ..present.clone() };
    }
    let displaced = kept_out(present, arrival.displaced, &bindings);
    Visitor {
        home: arrival.home,
        login: arrival.login,
        id: arrival.id,
        since: present.map_or(now.wall, |present| present.since),
        active_at: now.instant,
        active_wall: now.wall,
        bindings,
        guest: arrival.guest,
        lease: arrival.lease,
        renew_at: renew_at(arrival.lease, now.instant, random),
        displaced,
        seats: present.map(|present| present.seats.clone()).unwrap_or_default(),
        ended: None,
    }
}

/// The phones that have lost the user: those that this site knows of, as it knows them, and those of which home tells. What is bound here is let
/// in.
fn kept_out(present: Option<&Visitor>, told: Vec<DisplacedDevice>, bindings: &[Binding]) -> Vec<DisplacedDevice> {
    let own = present.map_or(&[][..], |present| &present.displaced);
    let is_known = |entry: &DisplacedDevice| own.iter().any(|known| known.device.is(&entry.device));
    let mut list: Vec<DisplacedDevice> = told.into_iter().filter(|entry| !is_known(entry)).collect();
    list.extend_from_slice(own);
    let surplus = list.len().saturating_sub(Resident::DISPLACED);
    list.drain(..surplus);
    bindings.iter().for_each(|binding| bring_back(&mut list, &binding.device));
    list
}

/// When to renew a lease that was given `now`: between a quarter and a half of it, by chance, so that a site's renewals spread
/// (SPEC 5.3). `random` is any number.
pub fn renew_at(lease: Duration, now: Instant, random: u64) -> Instant {
    let quarter = lease / 4;
    let millis = u64::try_from(quarter.as_millis()).unwrap_or(u64::MAX);
    now + quarter + Duration::from_millis(random % millis.saturating_add(1))
}

/// Home has confirmed the visitor, with newer settings if it sent some. The same function sets the next attempt after one that
/// failed: the visitor stays (SPEC 8.2).
pub fn renewed(visitor: &Visitor, lease: Duration, guest: Option<Arc<Guest>>, now: Instant, random: u64) -> Visitor {
    let mut next = visitor.clone();
    (next.lease, next.renew_at) = (lease, renew_at(lease, now, random));
    if let Some(guest) = guest {
        next.guest = guest;
    }
    next
}

/// Whether home's newest login number means that the user is elsewhere. A message of an older login changes nothing (SPEC 8.7).
pub fn is_displaced(visitor: &Visitor, newest: LoginNumber) -> bool {
    newest > visitor.login
}

/// The visitor with other bindings: those that the registrar judged.
pub fn with_bindings(visitor: &Visitor, bindings: Vec<Binding>) -> Stays {
    if bindings.is_empty() && visitor.seats.is_empty() {
        return Stays::Left(log_out(visitor));
    }
    Stays::Here(Visitor { bindings, ..visitor.clone() })
}

/// Whether the same phones are bound, and what their Call-IDs say is the same: home remembers which are here, for the day on which they
/// lose the user (SPEC 5.5).
pub fn same_devices(before: &[Binding], after: &[Binding]) -> bool {
    let same = |this: &Device, that: &Device| that.is(this) && that.rotates == this.rotates;
    let all_in = |these: &[Binding], those: &[Binding]| {
        these.iter().all(|this| those.iter().any(|that| same(&this.device, &that.device)))
    };
    all_in(before, after) && all_in(after, before)
}

/// The end of a visit from our side.
pub fn log_out(visitor: &Visitor) -> Logout {
    let own = visitor.bindings.iter().map(|binding| &binding.device);
    // Of a visit that is over they are those that are kept out, and before that the user may have left some by dialling.
    let kept_out = visitor.displaced.iter().filter(|entry| visitor.ended.is_some() || is_left(entry));
    let devices = own.chain(kept_out.map(|entry| &entry.device)).cloned().collect();
    Logout { home: visitor.home.clone(), id: visitor.id, login: visitor.login, devices }
}

/// What home has to hear of a visit that a newer login has ended: at which phones here the user had logged out by dialling before. It knows the
/// others. `None`: at none.
pub fn left_before(visitor: &Visitor) -> Option<Logout> {
    let left = visitor.displaced.iter().filter(|entry| is_left(entry));
    let devices: Vec<Device> = left.map(|entry| entry.device.clone()).collect();
    let Visitor { home, id, login, .. } = visitor;
    (!devices.is_empty()).then(|| Logout { home: home.clone(), id: *id, login: *login, devices })
}

/// Whether the user has logged out by dialling at that phone, and not come back to it.
fn is_left(entry: &DisplacedDevice) -> bool {
    !entry.back && matches!(entry.why, Loss::LeftAt(_))
}

/// What is left to be told of a visit that ends: no phone is here any more but those that are kept out, and nothing that proves the user
/// (SPEC 5.11).
pub fn ended(visitor: &Visitor, ending: Ending, now: Wall) -> Visitor {
    let user = User { credentials: Credentials::default(), ..visitor.guest.user.clone() };
    let guest = Arc::new(Guest { user, ..Guest::clone(&visitor.guest) });
    let left = visitor.displaced.iter().filter(|entry| ending.keeps_out() && is_left(entry));
    let mut displaced: Vec<DisplacedDevice> = left.cloned().collect();
    for device in visitor.bindings.iter().map(|binding| binding.device.clone()) {
        match ending {
            Ending::Left => {}
            Ending::ByHand => displace(&mut displaced, device, &visitor.home, now),
            Ending::Forced(why) => crate::location::log_out(&mut displaced, device, why, now),
        }
    }
    Visitor { bindings: Vec::new(), guest, displaced, seats: Vec::new(), ended: Some(ending), ..visitor.clone() }
}

/// Drops the bindings that have run out; the last one is a logout.
pub fn run_out(visitor: &Visitor, now: Instant) -> RunOut {
    if visitor.bindings.iter().all(|binding| binding.is_live(now)) {
        return RunOut::Nothing;
    }
    let live = visitor.bindings.iter().filter(|binding| binding.is_live(now)).cloned().collect();
    RunOut::Changed(with_bindings(visitor, live))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{after, binding, device, now, site};
    use super::*;
    use crate::ids::Extension;
    use crate::location::{Displacement, Forced, displacement};
    use crate::settings::{Forward, Origin, Profile};

    fn guest(version: u64) -> Arc<Guest> {
        let user = User {
            extension: Extension::new("201"),
            name: "Ada".to_owned(),
            credentials: Credentials::default(),
            login_code: None,
            profile: "power".to_owned(),
            caller_id: None,
            rights: None,
            time_profile: None,
            out_of_hours_rights: None,
            outgoing_bar: false,
            do_not_disturb: false,
            priority: 5,
            forward: Forward::default(),
            short_codes: Vec::new(),
            origin: Origin::default(),
        };
        Arc::new(Guest { user, allows: Profile::default(), version })
    }

    fn arrival(login: u64) -> Arrival {
        Arrival {
            home: site("london"),
            id: LoginId([login as u8; 16]),
            login: LoginNumber(login),
            guest: guest(login),
            lease: Duration::from_secs(120),
            displaced: Vec::new(),
        }
    }

    fn visitor(now: Now) -> Visitor {
        arrive(None, arrival(7), vec![binding(1, "a", now), binding(2, "b", after(now, 60))], now, 0)
    }

    #[test]
    fn a_lease_is_renewed_before_half_of_it_is_over() {
        let start = now().instant;
        let lease = Duration::from_secs(120);
        assert_eq!(renew_at(lease, start, 0), start + Duration::from_secs(30));
        assert_eq!(renew_at(lease, start, 30_000), start + Duration::from_secs(60));
        for random in [1, 30_001, 99_999, u64::MAX] {
            let at = renew_at(lease, start, random);
            assert!(at >= start + lease / 4 && at <= start + lease / 2);
        }
        assert_eq!(renew_at(Duration::ZERO, start, u64::MAX), start);
    }

    #[test]
    fn the_later_of_two_logins_at_once_counts_whatever_order_they_come_in() {
        let now = now();
        let both = || vec![binding(1, "a", now), binding(2, "b", now)];
        let first = arrive(None, arrival(7), vec![binding(1, "a", now)], now, 0);
        let second = arrive(Some(&first), arrival(8), both(), now, 0);
        assert_eq!((second.login, second.bindings.len(), second.guest.version), (LoginNumber(8), 2, 8));
        let late = arrive(Some(&second), arrival(7), both(), now, 0);
        assert_eq!((late.login, late.bindings.len(), late.guest.version), (LoginNumber(8), 2, 8));
    }

    #[test]
    fn a_login_anew_forgets_no_phone_that_is_kept_out() {
        let start = now();
        let here = site("paris");
        let lost = |call_ids: &[&str]| {
            let mut list = Vec::new();
            call_ids.iter().for_each(|call_id| displace(&mut list, device(call_id), &here, start.wall));
            list
        };
        let out = |visitor: &Visitor| -> Vec<bool> {
            ["own", "told", "both", "a"]
                .map(|call_id| {
                    matches!(
                        displacement(&visitor.displaced, &device(call_id), &here, start.wall),
                        Displacement::Holds(_)
                    )
                })
                .to_vec()
        };
        let mut present = visitor(start);
        present.displaced = lost(&["own", "both"]);
        bring_back(&mut present.displaced, &device("both"));
        let told = Arrival { displaced: lost(&["told", "both", "a"]), ..arrival(8) };
        let next = arrive(Some(&present), told.clone(), present.bindings.clone(), start, 0);
        assert_eq!(out(&next), [true, true, false, false], "`both` has come back here, and `a` is here");
        let many: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let many = lost(&many.iter().map(String::as_str).collect::<Vec<_>>());
        let next = arrive(Some(&present), Arrival { displaced: many, ..told }, Vec::new(), start, 0);
        assert!(next.displaced.len() == Resident::DISPLACED && out(&next)[0]);
    }

    #[test]
    fn only_a_newer_login_displaces() {
        let visitor = visitor(now());
        assert!(!is_displaced(&visitor, LoginNumber(6)) && !is_displaced(&visitor, LoginNumber(7)));
        assert!(is_displaced(&visitor, LoginNumber(8)));
    }

    #[test]
    fn a_renewal_brings_newer_settings_where_home_sends_some() {
        let start = now();
        let later = after(start, 30);
        let lease = Duration::from_secs(60);
        let same = renewed(&visitor(start), lease, None, later.instant, 0);
        assert_eq!((same.guest.version, same.renew_at), (7, later.instant + Duration::from_secs(15)));
        assert_eq!(renewed(&same, lease, Some(guest(9)), later.instant, 0).guest.version, 9);
    }

    #[test]
    fn a_phone_more_and_a_phone_less_are_other_phones() {
        let now = now();
        let (a, b) = (|| binding(1, "a", now), || binding(2, "b", now));
        assert!(same_devices(&[a(), b()], &[b(), a()]));
        assert!(!same_devices(&[a()], &[a(), b()]) && !same_devices(&[a(), b()], &[b()]));
        let mut restless = a();
        restless.device.rotates = true;
        assert!(!same_devices(&[a()], &[restless]), "its Call-ID says nothing any more");
    }

    #[test]
    fn a_visit_that_is_over_names_the_phones_that_are_kept_out_and_proves_nobody() {
        let now = now();
        let mut visitor = visitor(now);
        let credentials = Credentials { ha1_md5: Some("0123".to_owned()), ..Credentials::default() };
        let user = User { credentials, ..visitor.guest.user.clone() };
        visitor.guest = Arc::new(Guest { user, ..Guest::clone(&visitor.guest) });
        for (ending, kept) in [(Ending::Left, 0), (Ending::ByHand, 2), (Ending::Forced(Forced::Idle), 2)] {
            let over = ended(&visitor, ending, now.wall);
            assert_eq!((over.ended, over.bindings.len(), log_out(&over).devices.len()), (Some(ending), 0, kept));
            assert_eq!(over.guest.user.credentials, Credentials::default());
        }
        assert_eq!(log_out(&visitor).devices.len(), 2);
    }

    #[test]
    fn the_last_binding_that_goes_is_a_logout() {
        let start = now();
        let visitor = visitor(start);
        assert!(matches!(run_out(&visitor, after(start, 299).instant), RunOut::Nothing));
        let RunOut::Changed(Stays::Here(left)) = run_out(&visitor, after(start, 300).instant) else { panic!("gone") };
        assert_eq!(left.bindings.len(), 1);
        let RunOut::Changed(Stays::Left(logout)) = run_out(&left, after(start, 360).instant) else { panic!("here") };
        assert_eq!((logout.home, logout.id, logout.login), (site("london"), LoginId([7; 16]), LoginNumber(7)));
        assert!(matches!(with_bindings(&visitor, Vec::new()), Stays::Left(_)));
    }
}
