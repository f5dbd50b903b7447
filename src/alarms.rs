//! One alarm per key: the next moment at which it wants to be looked at.
//!
//! For an AOR that is when one of its bindings, its lease or its renewal falls due; for a branch, when its silence has lasted too
//! long. Whoever is rung looks, and arms again. [`deadlines`](crate::deadlines) is the faster sibling for keys that are places.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::Hash;
use std::time::Instant;

use ahash::RandomState;

/// Alarms, re-armed lazily: moving an alarm later costs nothing until it fires.
pub struct Alarms<K> {
    armed: HashMap<K, Instant, RandomState>,
    queue: BinaryHeap<Reverse<(Instant, K)>>,
}

impl<K: Clone + Ord + Hash> Alarms<K> {
    /// None armed.
    pub fn new(seeds: [u64; 4]) -> Self {
        let hasher = RandomState::with_seeds(seeds[0], seeds[1], seeds[2], seeds[3]);
        Self { armed: HashMap::with_hasher(hasher), queue: BinaryHeap::new() }
    }

    /// `key` wants to be looked at by `at`. An earlier alarm stays: whoever is rung looks, and arms again.
    pub fn arm(&mut self, key: &K, at: Instant) {
        if self.armed.get(key).is_some_and(|&armed| armed <= at) {
            return;
        }
        self.armed.insert(key.clone(), at);
        self.queue.push(Reverse((at, key.clone())));
    }

    /// Whether `key` has an alarm.
    pub fn is_armed(&self, key: &K) -> bool {
        self.armed.contains_key(key)
    }

    /// When the next alarm rings.
    pub fn next(&self) -> Option<Instant> {
        self.queue.peek().map(|Reverse((at, _))| *at)
    }

    /// A key whose alarm has rung by `now`; call until `None`.
    pub fn ring(&mut self, now: Instant) -> Option<K> {
        while let Some(Reverse((at, _))) = self.queue.peek() {
            if *at > now {
                return None;
            }
            let Reverse((at, key)) = self.queue.pop()?;
            if self.armed.get(&key) == Some(&at) {
                self.armed.remove(&key);
                return Some(key);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ids::Extension;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "any instant will do as the start")]
    fn an_alarm_rings_once_at_its_earliest_time() {
        let (mut alarms, start) = (Alarms::new([1; 4]), Instant::now());
        let (ada, bob) = (Extension::new("201"), Extension::new("202"));
        alarms.arm(&ada, start + Duration::from_secs(9));
        alarms.arm(&ada, start + Duration::from_secs(5));
        alarms.arm(&ada, start + Duration::from_secs(7));
        alarms.arm(&bob, start + Duration::from_secs(6));
        assert_eq!(alarms.next(), Some(start + Duration::from_secs(5)));
        assert_eq!(alarms.ring(start), None);
        assert!(alarms.is_armed(&ada));
        assert_eq!(alarms.ring(start + Duration::from_secs(20)), Some(ada.clone()));
        assert!(!alarms.is_armed(&ada));
        assert_eq!(alarms.ring(start + Duration::from_secs(20)), Some(bob));
        assert_eq!(alarms.ring(start + Duration::from_secs(20)), None);
    }
}
