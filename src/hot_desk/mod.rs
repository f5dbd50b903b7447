//! Hot desking (SPEC 5, 7.3, 8): who is logged in where, as the home site and the visited site see it.
//!
//! Pure functions over records. At the home site: [`login`] takes a login from a visited site, [`at_home`] says what a REGISTER
//! at home means, [`stay_home`], [`come_home`] and [`refresh_parked`] carry it out on bindings that the registrar has judged,
//! [`renew`] hears the visited site again, and [`logout`], [`lease_out`], [`not_there`] and [`expire`] end things. At the visited site:
//! [`arrive`] makes the visitor of a login's answer, [`renewed`], [`is_displaced`] and [`run_out`] follow it, [`Licences`]
//! counts, and [`last_time`] says since when visitors should be gone. At either, a login by dialling is a seat at somebody else's phone:
//! [`sit_down_at_home`], [`sit_down_visiting`]. The node reads and sends the messages, stores the records that come out of here, and sends
//! each [`Notice`] once the
//! record that it belongs to is stored.
//!
//! The home site is the only authority on where its user is (SPEC 8.7); a message of an older login changes nothing. Out of
//! scope: digests, PINs, the messages themselves.

mod desk;
mod forced;
mod home;
mod joined;
mod lately;
mod licence;
mod login;
mod renewal;
mod schedule;
mod visited;

pub use desk::{
    Devices, come_back, leave_phone, make_room, sit_down_at_home, sit_down_visiting, stand_up_at_home,
    stand_up_visiting, take_phone,
};
pub use forced::{force_out, forced_out, keep_out_unknown, left_by_hand};
pub use home::{
    HomeRegister, Wish, at_home, come_home, expire, lease_out, logout, not_there, refresh_parked, stay_home,
};
pub use lately::LatelyEnded;
pub use licence::Licences;
pub use login::{Login, LoginRequest, Terms, Which, login};
pub use renewal::{Renewal, Renewed, renew};
pub use schedule::{last_time, next_time};
pub use visited::{
    Arrival, Logout, RunOut, Stays, arrive, ended, is_displaced, left_before, log_out, renew_at, renewed, run_out,
    same_devices, with_bindings,
};

use crate::ids::{LoginNumber, SiteName};
use crate::location::{Device, Loss, Resident};
use crate::timing::{Now, Wall};

/// What the home site has to tell another site, once the record that it came with is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The user is not at `site` any more: it drops the visitor (SPEC 5.5).
    Displace {
        /// Whom to tell.
        site: SiteName,
        /// The number of the login that has ended, and every one before it.
        ended: LoginNumber,
        /// The number of the login that took the user away.
        login: LoginNumber,
        /// Where the user is now.
        now_at: SiteName,
    },
}

/// SPEC 8.7: the larger of the last plus one and the wall clock in milliseconds.
fn next_number(resident: &Resident, now: Wall) -> LoginNumber {
    let last = resident.login.max(resident.given);
    LoginNumber(last.0.saturating_add(1).max(now.0))
}

/// An earlier login is the present one again; the number of the one until now stays given.
fn fall_back(resident: &mut Resident, login: LoginNumber) {
    resident.given = resident.given.max(resident.login);
    resident.login = login;
}

/// Ends a login elsewhere in favour of the login `login` at `now_at` from `device`: the other phones there are displaced, and
/// their site is to be told.
fn displace_away(
    resident: &mut Resident,
    login: LoginNumber,
    device: Option<&Device>,
    now_at: &SiteName,
    now: Now,
) -> Option<Notice> {
    let ended = std::mem::replace(&mut resident.login, login);
    let away = resident.away.take()?;
    for lost in away.devices.into_iter().filter(|lost| device.is_none_or(|device| !device.is(lost))) {
        crate::location::displace(&mut resident.displaced, lost, now_at, now.wall);
    }
    (away.site != *now_at).then(|| Notice::Displace { site: away.site, ended, login, now_at: now_at.clone() })
}

/// What keeps a phone out is the present login: its refusal names that one.
fn relabel(resident: &mut Resident, now_at: &SiteName) {
    resident
        .displaced
        .iter_mut()
        .filter(|entry| !entry.back)
        .for_each(|entry| entry.why = Loss::LoggedIn(now_at.clone()));
}

#[cfg(test)]
mod fixtures;
