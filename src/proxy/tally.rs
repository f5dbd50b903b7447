//! How many calls there are: of each user here, on each trunk, at the site (SPEC 9.6).
//!
//! One value for all shards of a site: places are reserved and given back in one step, nothing is read first and written later.
//! [`LiveCalls`](super::LiveCalls) knows which call has taken what; this only counts.

use std::borrow::Borrow;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use ahash::RandomState;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;

use crate::ids::Extension;
use crate::link::proof::trunk_mark;

/// The counters of one site.
#[derive(Debug)]
pub struct Tally {
    /// Calls of a user who is here.
    pub(super) users: Counter<Extension>,
    /// Channels taken on a trunk, by its mark.
    pub(super) channels: Counter<u32>,
    /// Calls that came in by a trunk and go out by one, by the mark of the former.
    pub(super) transit: Counter<u32>,
    /// Emergency calls of addresses that have proven nothing.
    pub(super) unproven: Counter<IpAddr>,
    pub(super) calls: AtomicUsize,
}

impl Tally {
    /// No calls. The seeds come from the node's generator, so that strangers can't choose colliding names.
    pub fn new(seeds: [u64; 4]) -> Self {
        let [a, b, c, d] = seeds;
        let hasher = RandomState::with_seeds(a, b, c, d);
        Self {
            users: Counter(DashMap::with_hasher(hasher.clone())),
            channels: Counter(DashMap::with_hasher(hasher.clone())),
            transit: Counter(DashMap::with_hasher(hasher.clone())),
            unproven: Counter(DashMap::with_hasher(hasher)),
            calls: AtomicUsize::new(0),
        }
    }

    /// Calls that this site takes part in: from admission to their end.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Calls of a user whose phone is here.
    pub fn calls_of(&self, extension: &str) -> usize {
        self.users.of(extension)
    }

    /// Channels taken on the trunk with that name.
    pub fn channels_of(&self, trunk: &str) -> usize {
        self.channels.of(&trunk_mark(trunk))
    }

    /// Calls that came in by the trunk with that name and go out by a trunk.
    pub fn transit_of(&self, trunk: &str) -> usize {
        self.transit.of(&trunk_mark(trunk))
    }

    /// Emergency calls of that address, where it has proven nothing.
    pub fn unproven_of(&self, source: IpAddr) -> usize {
        self.unproven.of(&source)
    }

    /// The users with a call here and how many each has, in the order of the extensions.
    pub fn users(&self) -> Vec<(Extension, usize)> {
        let mut all: Vec<_> = self.users.0.iter().map(|entry| (entry.key().clone(), *entry.value())).collect();
        all.sort();
        all
    }
}

/// A number above zero for each key that has one.
#[derive(Debug)]
pub(super) struct Counter<K: Eq + Hash>(DashMap<K, usize, RandomState>);

impl<K: Eq + Hash + Clone> Counter<K> {
    /// Takes one place more, if there are fewer than `most`; without a limit there always are.
    pub fn reserve(&self, key: &K, most: Option<usize>) -> bool {
        match self.0.entry(key.clone()) {
            Entry::Occupied(entry) if most.is_some_and(|most| *entry.get() >= most) => false,
            Entry::Occupied(mut entry) => {
                *entry.get_mut() += 1;
                true
            }
            Entry::Vacant(_) if most == Some(0) => false,
            Entry::Vacant(entry) => {
                entry.insert(1);
                true
            }
        }
    }

    /// Gives a place back.
    pub fn release(&self, key: &K) {
        if let Entry::Occupied(mut entry) = self.0.entry(key.clone()) {
            match *entry.get() {
                0 | 1 => drop(entry.remove()),
                more => *entry.get_mut() = more - 1,
            }
        }
    }

    fn of<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
    {
        self.0.get(key).map_or(0, |count| *count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_there_up_to_the_limit_and_again_when_one_was_given_back() {
        let tally = Tally::new([1; 4]);
        let ada = Extension::new("201");
        assert!(!tally.users.reserve(&ada, Some(0)));
        assert!(tally.users.reserve(&ada, Some(2)) && tally.users.reserve(&ada, Some(2)));
        assert!(!tally.users.reserve(&ada, Some(2)), "the third is one too many");
        assert!(tally.users.reserve(&ada, None), "without a limit there is always room");
        assert_eq!((tally.calls_of("201"), tally.calls_of("202")), (3, 0));
        tally.users.release(&ada);
        tally.users.release(&ada);
        assert!(tally.users.reserve(&ada, Some(2)));
        assert_eq!(tally.users(), [(ada.clone(), 2)]);
        (0..5).for_each(|_| tally.users.release(&ada));
        assert_eq!(tally.users(), [], "what has no call takes no room");
    }
}
