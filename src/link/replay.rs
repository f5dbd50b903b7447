//! Which tokens were seen (SPEC 11.2): one branch and method of a site is taken once.
//!
//! Kept only for proven and fresh tokens, in baskets of 8 s by the token's time, as long as a token of that time could be
//! fresh. The table is bounded: when it is full the oldest basket goes, and from then on every token of that time or before
//! counts as seen, so that forgetting never lets a copy in. A clock set back far would: the node then takes a new boot id.

use std::collections::{HashSet, VecDeque};

use ahash::RandomState;

use super::token::{Bound, FRESH};
use crate::ids::SiteNumber;
use crate::timing::Wall;

const SPAN: u64 = 8_000;

/// The table of one site.
#[derive(Debug)]
pub struct Replay {
    seeds: [RandomState; 2],
    /// Ordered by number; the number is time over span.
    baskets: VecDeque<(u64, HashSet<u128, RandomState>)>,
    kept: usize,
    most: usize,
    /// Baskets below this one are gone.
    from: u64,
}

impl Replay {
    /// As many as one site keeps: a minute of 4,000 requests a second, some 8 MB.
    pub const MOST: usize = 262_144;

    /// An empty table of at most `most` entries. The seeds must be secret.
    pub fn new(seeds: [u64; 4], most: usize) -> Self {
        let [a, b, c, d] = seeds;
        let seeds = [RandomState::with_seeds(a, b, c, d), RandomState::with_seeds(b, c, d, a)];
        Self { seeds, baskets: VecDeque::new(), kept: 0, most: most.max(1), from: 0 }
    }

    /// Notes a fresh token of that time. False if it was seen, or may have been.
    pub fn is_first(&mut self, now: Wall, from: SiteNumber, at: Wall, bound: &Bound<'_>) -> bool {
        self.come_back_to(now.0.saturating_add(FRESH) / SPAN);
        self.forget(now.0.saturating_sub(FRESH) / SPAN);
        let number = at.0 / SPAN;
        if number < self.from {
            return false;
        }
        let key = self.key(from, bound);
        // A token sent again with a new time has the same branch: all baskets are asked.
        if self.baskets.iter().any(|(_, seen)| seen.contains(&key)) {
            return false;
        }
        self.basket(number).insert(key);
        self.kept += 1;
        while self.kept > self.most {
            let oldest = self.baskets.front().map_or(0, |(number, _)| *number);
            self.forget(oldest + 1);
        }
        true
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.kept
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.kept == 0
    }

    fn forget(&mut self, below: u64) {
        while self.baskets.front().is_some_and(|(number, _)| *number < below) {
            self.kept -= self.baskets.pop_front().map_or(0, |(_, seen)| seen.len());
        }
        self.from = self.from.max(below);
    }

    /// After the clock was set back far, what was noted for times ahead of it must not shut out what comes now.
    fn come_back_to(&mut self, last: u64) {
        if self.from > last {
            self.from = 0;
        }
        while self.baskets.back().is_some_and(|(number, _)| *number > last) {
            self.kept -= self.baskets.pop_back().map_or(0, |(_, seen)| seen.len());
        }
    }

    fn basket(&mut self, number: u64) -> &mut HashSet<u128, RandomState> {
        let at = self.baskets.partition_point(|(other, _)| *other < number);
        if self.baskets.get(at).is_none_or(|(other, _)| *other != number) {
            self.baskets.insert(at, (number, HashSet::with_hasher(self.seeds[0].clone())));
        }
        &mut self.baskets[at].1
    }

    fn key(&self, from: SiteNumber, bound: &Bound<'_>) -> u128 {
        let [a, b] = &self.seeds;
        let what = (from.0, bound.method, bound.branch);
        u128::from(a.hash_one(what)) << 64 | u128::from(b.hash_one(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Wall = Wall(1_790_000_000_000);
    const PARIS: SiteNumber = SiteNumber(2);

    fn bound<'a>(method: &'a str, branch: &'a str) -> Bound<'a> {
        Bound { method: method.as_bytes(), call_id: b"c", cseq: 1, request_uri: b"sip:u", branch: branch.as_bytes() }
    }

    fn table(most: usize) -> Replay {
        Replay::new([1, 2, 3, 4], most)
    }

    #[test]
    fn a_branch_and_method_of_a_site_is_taken_once() {
        let mut seen = table(100);
        assert!(seen.is_first(NOW, PARIS, NOW, &bound("INVITE", "a")));
        assert!(!seen.is_first(NOW, PARIS, NOW, &bound("INVITE", "a")));
        assert!(!seen.is_first(NOW, PARIS, Wall(NOW.0 + 20_000), &bound("INVITE", "a")));
        assert!(seen.is_first(NOW, PARIS, NOW, &bound("MESSAGE", "a")));
        assert!(seen.is_first(NOW, PARIS, NOW, &bound("INVITE", "b")));
        assert!(seen.is_first(NOW, SiteNumber(3), NOW, &bound("INVITE", "a")));
    }

    #[test]
    fn it_is_remembered_as_long_as_it_could_be_fresh() {
        let mut seen = table(100);
        let ahead = Wall(NOW.0 + FRESH);
        assert!(seen.is_first(NOW, PARIS, ahead, &bound("INVITE", "a")));
        assert!(!seen.is_first(Wall(ahead.0 + FRESH), PARIS, ahead, &bound("INVITE", "a")));
        assert_eq!(seen.len(), 1);
        assert!(seen.is_first(Wall(ahead.0 + FRESH + SPAN), PARIS, Wall(ahead.0 + FRESH), &bound("INVITE", "b")));
        assert_eq!(seen.len(), 1);
    }

    #[test]
    fn a_full_table_forgets_the_oldest_and_lets_none_of_them_in_again() {
        let mut seen = table(2);
        for (at, branch) in [(NOW, "a"), (Wall(NOW.0 + SPAN), "b"), (Wall(NOW.0 + 2 * SPAN), "c")] {
            assert!(seen.is_first(NOW, PARIS, at, &bound("INVITE", branch)));
        }
        assert_eq!(seen.len(), 2);
        assert!(!seen.is_first(NOW, PARIS, NOW, &bound("INVITE", "a")));
        assert!(!seen.is_first(NOW, PARIS, NOW, &bound("INVITE", "new")));
        assert!(seen.is_first(NOW, PARIS, Wall(NOW.0 + SPAN), &bound("INVITE", "d")));
    }

    #[test]
    fn a_clock_set_back_an_hour_does_not_shut_the_link() {
        let mut seen = table(2);
        let hour = Wall(NOW.0 + 3_600_000);
        for branch in ["a", "b", "c"] {
            seen.is_first(hour, PARIS, hour, &bound("INVITE", branch));
        }
        assert!(seen.is_first(NOW, PARIS, NOW, &bound("INVITE", "d")));
        assert!(!seen.is_first(NOW, PARIS, NOW, &bound("INVITE", "d")));
        assert_eq!(seen.len(), 1);
    }
}
