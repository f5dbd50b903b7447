//! The licences that a site has for visitors (SPEC 7.3): counted here, by profile.
//!
//! ```text
//! hold    home is asked: one of every profile that has one left   (user, login)   nothing is proven yet
//! grant   home has taken the login: one of its profile            (user, login)
//! settle  the visitor is stored                                   (user)
//! ```
//! Home names the profile, so that a login under way holds one licence of each. Whoever holds has proven nothing: what is held
//! lapses when home says nothing for [`FIRM`], and a home that says nothing, or that its user is not proven, is doubted for
//! [`DOUBT`]: its logins are told what is left and hold nothing. They take what is left when home has spoken. So strangers who ask
//! for logins, or a home that is frozen, keep nobody's licence for longer than that.
//!
//! To release twice, or what was never held, changes nothing. A user has one licence, however many logins are under way.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::ids::{Extension, LoginId, SiteName};
use crate::settings::{self, Shortage};

/// The profile that needs no row.
const BASIC: &str = "basic";
/// So long a login holds without a word of home: long enough for a request that is sent twice.
const FIRM: Duration = Duration::from_secs(1);
/// So long the logins of a home hold nothing after it has said nothing in time, or that a user is not proven.
const DOUBT: Duration = Duration::from_secs(10);

type Login = (Extension, LoginId);

/// Who holds what.
#[derive(Clone, Debug, Default)]
pub struct Licences {
    places: settings::Licences,
    /// Logins that home is asked for.
    held: BTreeMap<Login, Hold>,
    /// Logins that home has taken, until they are stored here.
    granted: BTreeMap<Login, String>,
    /// Visitors.
    taken: BTreeMap<Extension, String>,
    /// Homes whose logins hold nothing, and until when.
    doubts: BTreeMap<SiteName, Instant>,
}

/// What is set aside for one login.
#[derive(Clone, Debug)]
struct Hold {
    home: SiteName,
    until: Instant,
    profiles: BTreeSet<String>,
}

impl Licences {
    /// None held. Without a table there is no limit; a profile that is not in the table has none, but `basic` needs no row.
    pub fn new(places: settings::Licences) -> Self {
        Self { places, ..Self::default() }
    }

    /// After a reload: what is held stays held, even above the new number.
    pub fn set_places(&mut self, places: settings::Licences) {
        self.places = places;
    }

    /// Sets a licence of each profile that has one left aside for a login, unless its home is doubted, and says of which: the terms
    /// of the login request. `None`: no limit. What the user has here already counts as free.
    pub fn hold(&mut self, user: &Extension, id: LoginId, home: &SiteName, now: Instant) -> Option<BTreeSet<String>> {
        self.lapse(now);
        let places = self.places.as_ref()?;
        let left = self.left(places, user);
        if !self.doubts.contains_key(home) {
            let hold = Hold { home: home.clone(), until: now + FIRM, profiles: left.clone() };
            self.held.insert((user.clone(), id), hold);
        }
        Some(left)
    }

    /// That home has not answered in time, or says that a user who was to log in here is not proven.
    pub fn doubt(&mut self, home: &SiteName, now: Instant) {
        self.doubts.insert(home.clone(), now + DOUBT);
    }

    /// Home has taken the login with this profile: the one that the user is let in with, whose licence counts from now on, and what
    /// else the login held is free again. `None`: none is left, which can be only where the login did not hold it to the end.
    pub fn grant(
        &mut self,
        user: &Extension,
        id: LoginId,
        profile: &str,
        shortage: Shortage,
        now: Instant,
    ) -> Option<String> {
        self.lapse(now);
        let login = (user.clone(), id);
        let is_held = self.held.remove(&login).is_some_and(|hold| hold.profiles.contains(profile));
        let left = self.places.as_ref().map(|places| self.left(places, user));
        let is_left = |profile: &str| left.as_ref().is_none_or(|left| left.contains(profile));
        let granted = match shortage {
            Shortage::Refuse | Shortage::Basic if is_held || is_left(profile) => profile,
            Shortage::Basic if is_left(BASIC) => BASIC,
            Shortage::Refuse | Shortage::Basic => return None,
        };
        self.granted.insert(login, granted.to_owned());
        Some(granted.to_owned())
    }

    /// The login is stored, and the visitor has this profile: what the user had here before is free again. Without
    /// [`grant`](Self::grant) before (a visitor that was restored) it counts all the same.
    pub fn settle(&mut self, user: &Extension, id: LoginId, profile: &str) {
        self.release(user, id);
        self.taken.insert(user.clone(), profile.to_owned());
    }

    /// The login was refused or undone.
    pub fn release(&mut self, user: &Extension, id: LoginId) {
        let login = (user.clone(), id);
        self.held.remove(&login);
        self.granted.remove(&login);
    }

    /// The visitor is gone, whatever its login was.
    pub fn leave(&mut self, user: &Extension) {
        self.taken.remove(user);
    }

    /// How many of a profile are held or taken.
    pub fn used(&self, profile: &str) -> usize {
        self.used_beside(profile, None)
    }

    /// What nobody has vouched for in time is held no longer.
    fn lapse(&mut self, now: Instant) {
        let Self { held, doubts, .. } = self;
        held.retain(|_, hold| {
            let is_firm = now < hold.until;
            if !is_firm {
                doubts.insert(hold.home.clone(), now + DOUBT);
            }
            is_firm
        });
        doubts.retain(|_, until| now < *until);
    }

    fn left(&self, places: &BTreeMap<String, u32>, user: &Extension) -> BTreeSet<String> {
        let is_left = |(profile, places): &(&String, &u32)| self.used_beside(profile, Some(user)) < **places as usize;
        let basic = (!places.contains_key(BASIC)).then(|| BASIC.to_owned());
        places.iter().filter(is_left).map(|(profile, _)| profile.clone()).chain(basic).collect()
    }

    /// How many users have one of a profile, or may have one soon, `except` left out.
    fn used_beside(&self, profile: &str, except: Option<&Extension>) -> usize {
        let others = |user: &Extension| Some(user) != except;
        let visitors = self.taken.iter().filter(|(user, taken)| *taken == profile && others(user)).count();
        let held = self.held.iter().filter(|(_, hold)| hold.profiles.contains(profile)).map(|(login, _)| login);
        let granted = self.granted.iter().filter(|(_, granted)| *granted == profile).map(|(login, _)| login);
        let is_visitor = |user: &Extension| self.taken.get(user).is_some_and(|taken| taken == profile);
        let coming = held.chain(granted).map(|(user, _)| user).filter(|user| others(user) && !is_visitor(user));
        visitors + coming.collect::<BTreeSet<_>>().len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{now, site};
    use super::*;

    const ID: LoginId = LoginId([1; 16]);
    const OTHER: LoginId = LoginId([2; 16]);

    /// Licences and a clock: everybody is of London unless said.
    struct Play {
        licences: Licences,
        now: crate::timing::Now,
    }

    impl Play {
        fn new(rows: &[(&str, u32)]) -> Self {
            let places = rows.iter().map(|(profile, places)| ((*profile).to_owned(), *places)).collect();
            Self { licences: Licences::new(Some(places)), now: now() }
        }

        fn hold(&mut self, user: &str, id: LoginId) -> Vec<String> {
            self.hold_of(user, id, "london")
        }

        fn hold_of(&mut self, user: &str, id: LoginId, home: &str) -> Vec<String> {
            let free = self.licences.hold(&Extension::new(user), id, &site(home), self.now.instant);
            free.expect("a table").into_iter().collect()
        }

        fn grant(&mut self, user: &str, profile: &str, shortage: Shortage) -> Option<String> {
            self.licences.grant(&Extension::new(user), ID, profile, shortage, self.now.instant)
        }

        fn pass(&mut self, millis: u64) {
            let time = Duration::from_millis(millis);
            self.now = crate::timing::Now { instant: self.now.instant + time, wall: self.now.wall.plus(time) };
        }
    }

    #[test]
    fn without_a_table_there_is_no_limit() {
        let (mut licences, ada) = (Licences::new(None), Extension::new("201"));
        assert_eq!(licences.hold(&ada, ID, &site("london"), now().instant), None);
        let granted = licences.grant(&ada, ID, "power", Shortage::Refuse, now().instant);
        assert_eq!(granted.as_deref(), Some("power"));
    }

    #[test]
    fn the_last_licence_goes_to_one_login_and_comes_back_with_it() {
        let mut play = Play::new(&[("power", 1), ("office", 2)]);
        let (ada, bob) = (Extension::new("201"), Extension::new("202"));
        assert_eq!(play.hold("201", ID), ["basic", "office", "power"]);
        assert_eq!(play.hold("202", ID), ["basic", "office"]);
        assert_eq!(play.grant("201", "office", Shortage::Refuse).as_deref(), Some("office"));
        assert_eq!(play.hold("203", ID), ["basic", "power"], "the profile is known: the others are free");
        play.licences.release(&Extension::new("203"), ID);
        play.licences.settle(&ada, ID, "office");
        play.licences.release(&bob, ID);
        play.licences.release(&bob, ID);
        assert_eq!((play.licences.used("power"), play.licences.used("office")), (0, 1));
        play.licences.leave(&ada);
        assert_eq!((play.licences.used("power"), play.licences.used("office")), (0, 0));
    }

    #[test]
    fn a_user_has_one_licence_however_many_phones_log_in() {
        let mut play = Play::new(&[("power", 2)]);
        let ada = Extension::new("201");
        play.hold("201", ID);
        play.hold("201", OTHER);
        assert_eq!(play.licences.used("power"), 1);
        play.licences.settle(&ada, OTHER, "power");
        assert_eq!(play.licences.used("power"), 1);
        // The login that came second to the store is the same visitor's.
        play.licences.settle(&ada, ID, "power");
        play.licences.leave(&ada);
        assert_eq!(play.licences.used("power"), 0, "nothing is left of either login");
    }

    #[test]
    fn a_home_that_says_nothing_keeps_no_licence() {
        let mut play = Play::new(&[("power", 1)]);
        play.hold("201", ID);
        play.pass(999);
        assert_eq!(play.hold_of("401", ID, "berlin"), ["basic"]);
        play.pass(1);
        assert_eq!(play.hold_of("401", ID, "berlin"), ["basic", "power"]);
        // London is doubted now: who comes from there holds nothing.
        play.licences.release(&Extension::new("401"), ID);
        play.hold("202", ID);
        assert_eq!(play.licences.used("power"), 0);
        play.pass(10_000);
        play.hold("202", ID);
        assert_eq!(play.licences.used("power"), 1, "it is believed again");
    }

    #[test]
    fn a_home_that_was_asked_in_vain_is_doubted() {
        let mut play = Play::new(&[("power", 1)]);
        play.licences.doubt(&site("london"), play.now.instant);
        play.pass(9_999);
        assert_eq!(play.hold("201", ID), ["basic", "power"], "what is left is told all the same");
        assert_eq!(play.licences.used("power"), 0);
    }

    #[test]
    fn who_held_nothing_takes_what_is_left_when_home_has_spoken() {
        for (shortage, second) in [(Shortage::Refuse, None), (Shortage::Basic, Some("basic"))] {
            let mut play = Play::new(&[("power", 1)]);
            play.hold("201", ID);
            play.pass(1_000);
            play.hold_of("401", ID, "berlin");
            assert_eq!(play.grant("201", "power", shortage).as_deref(), second, "Berlin's 401 holds it");
            play.licences.release(&Extension::new("401"), ID);
            assert_eq!(play.grant("201", "power", shortage).as_deref(), Some("power"));
        }
    }

    #[test]
    fn what_was_held_is_granted_even_above_a_new_number() {
        let mut play = Play::new(&[("power", 1)]);
        play.hold("201", ID);
        play.licences.set_places(Some(BTreeMap::new()));
        assert_eq!(play.grant("201", "power", Shortage::Refuse).as_deref(), Some("power"));
        assert_eq!(play.grant("202", "power", Shortage::Refuse), None);
    }

    #[test]
    fn a_profile_without_a_row_has_none_but_basic_needs_none() {
        let mut play = Play::new(&[("basic", 1)]);
        assert_eq!(play.hold("201", ID), ["basic"]);
        assert!(play.hold("202", ID).is_empty());
    }
}
