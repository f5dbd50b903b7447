//! The licences that a site has for visitors (SPEC 7.3): counted here, by profile.
//!
//! Before the home site has answered, the visited site does not know the visitor's profile. So a login that is under way holds
//! one licence of every profile that has one left; the answer settles which. What is under way is kept under user and login id,
//! what a visitor has under the user alone: to release twice, or what was never held, changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{Extension, LoginId};
use crate::settings;

/// The profile that needs no row.
const BASIC: &str = "basic";

/// Who holds what.
#[derive(Clone, Debug, Default)]
pub struct Licences {
    places: settings::Licences,
    /// Logins under way.
    held: BTreeMap<(Extension, LoginId), BTreeSet<String>>,
    /// Visitors.
    taken: BTreeMap<Extension, (LoginId, String)>,
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

    /// Sets a licence of each profile that has one left aside for a login, and says of which: the terms of the login request.
    /// `None`: no limit. A login that holds already keeps what it holds and takes no more; the licence that its user has here
    /// already counts as free for it.
    pub fn hold(&mut self, user: &Extension, id: LoginId) -> Option<BTreeSet<String>> {
        let places = self.places.as_ref()?;
        let key = (user.clone(), id);
        if let Some(held) = self.held.get(&key) {
            return Some(held.clone());
        }
        let left = self.left(places, Some(user));
        self.held.insert(key, left.clone());
        Some(left)
    }

    /// The login is taken, with this profile: what else it held is free again, and so is what the user had here before. Without
    /// [`hold`](Self::hold) before (a visitor that was restored) it counts all the same. `id` is the visitor's.
    pub fn settle(&mut self, user: &Extension, id: LoginId, profile: &str) {
        self.held.remove(&(user.clone(), id));
        self.taken.insert(user.clone(), (id, profile.to_owned()));
    }

    /// The login was refused or undone, or has ended.
    pub fn release(&mut self, user: &Extension, id: LoginId) {
        self.held.remove(&(user.clone(), id));
        if self.taken.get(user).is_some_and(|(taken, _)| *taken == id) {
            self.taken.remove(user);
        }
    }

    /// The visitor is gone, whatever its login was.
    pub fn leave(&mut self, user: &Extension) {
        self.taken.remove(user);
    }

    /// The profiles that have a licence left; `None`: no limit.
    pub fn free(&self) -> Option<BTreeSet<String>> {
        self.places.as_ref().map(|places| self.left(places, None))
    }

    /// How many of a profile are held or taken.
    pub fn used(&self, profile: &str) -> usize {
        self.used_by_others(profile, None)
    }

    fn left(&self, places: &BTreeMap<String, u32>, user: Option<&Extension>) -> BTreeSet<String> {
        let is_left = |(profile, places): &(&String, &u32)| self.used_by_others(profile, user) < **places as usize;
        let basic = (!places.contains_key(BASIC)).then(|| BASIC.to_owned());
        places.iter().filter(is_left).map(|(profile, _)| profile.clone()).chain(basic).collect()
    }

    fn used_by_others(&self, profile: &str, user: Option<&Extension>) -> usize {
        let taken = self.taken.iter().filter(|(holder, (_, taken))| Some(*holder) != user && taken == profile);
        self.held.values().filter(|held| held.contains(profile)).count() + taken.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn licences(rows: &[(&str, u32)]) -> Licences {
        Licences::new(Some(rows.iter().map(|(profile, places)| ((*profile).to_owned(), *places)).collect()))
    }

    fn names(list: &[&str]) -> Option<BTreeSet<String>> {
        Some(list.iter().map(|name| (*name).to_owned()).collect())
    }

    const ID: LoginId = LoginId([1; 16]);

    #[test]
    fn without_a_table_there_is_no_limit() {
        let mut licences = Licences::new(None);
        assert_eq!((licences.free(), licences.hold(&Extension::new("201"), ID)), (None, None));
    }

    #[test]
    fn the_last_licence_goes_to_one_login_and_comes_back_with_it() {
        let mut licences = licences(&[("power", 1), ("office", 2)]);
        let (ada, bob) = (Extension::new("201"), Extension::new("202"));
        assert_eq!(licences.hold(&ada, ID), names(&["basic", "office", "power"]));
        assert_eq!(licences.hold(&bob, ID), names(&["basic", "office"]));
        licences.settle(&ada, ID, "office");
        licences.release(&bob, ID);
        assert_eq!(licences.free(), names(&["basic", "office", "power"]));
        licences.settle(&bob, ID, "power");
        assert_eq!(licences.free(), names(&["basic", "office"]));
        licences.release(&bob, ID);
        licences.release(&bob, ID);
        licences.release(&ada, ID);
        assert_eq!((licences.used("power"), licences.used("office")), (0, 0));
    }

    #[test]
    fn a_user_has_one_licence_however_many_phones_log_in() {
        let mut licences = licences(&[("power", 1)]);
        let (ada, other) = (Extension::new("201"), LoginId([2; 16]));
        licences.settle(&ada, ID, "power");
        assert_eq!(licences.hold(&Extension::new("202"), ID), names(&["basic"]));
        assert_eq!(licences.hold(&ada, other), names(&["basic", "power"]));
        licences.settle(&ada, other, "power");
        licences.release(&Extension::new("202"), ID);
        licences.release(&ada, ID);
        assert_eq!(licences.used("power"), 1);
        licences.leave(&ada);
        assert_eq!(licences.free(), names(&["basic", "power"]));
    }

    #[test]
    fn the_same_login_asks_twice_and_holds_once() {
        let mut licences = licences(&[("power", 1)]);
        let ada = Extension::new("201");
        assert_eq!(licences.hold(&ada, ID), licences.hold(&ada, ID));
        licences.release(&ada, ID);
        assert_eq!(licences.used("power"), 0);
    }

    #[test]
    fn a_profile_without_a_row_has_none_but_basic_needs_none() {
        let mut licences = licences(&[("basic", 1)]);
        assert_eq!(licences.free(), names(&["basic"]));
        licences.hold(&Extension::new("201"), ID);
        assert_eq!(licences.free(), names(&[]));
    }
}
