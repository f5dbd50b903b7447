//! Which counts of which nonces have been used (RFC 7616 §3.4.5).
//!
//! A nonce has a window of 128 counts below its highest, so that requests may overtake each other. The number of nonces is
//! bounded: one more puts the oldest out, and from then on every nonce as old as that one and not in the table is as good
//! as used. What is used is never forgotten before its nonce has run out.

use std::collections::BTreeMap;

use super::nonce::NonceId;
use crate::timing::Wall;

/// The table of used counts.
#[derive(Debug)]
pub struct Counts {
    windows: BTreeMap<NonceId, Window>,
    most: usize,
    put_out: Option<NonceId>,
}

/// The bit `n` stands for the count `highest - n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    highest: u32,
    used: u128,
}

impl Counts {
    /// As many nonces as one site keeps, some 8 MB.
    pub const MOST: usize = 131_072;

    /// An empty table of at most so many nonces; at least one.
    pub fn new(most: usize) -> Self {
        Self { windows: BTreeMap::new(), most: most.max(1), put_out: None }
    }

    /// Whether that count was used, or may have been. A request without count (RFC 2069) uses up its nonce.
    pub fn is_spent(&self, nonce: NonceId, count: Option<u32>) -> bool {
        match (self.windows.get(&nonce), count) {
            (Some(window), Some(count)) => window.is_used(count),
            (Some(_), None) => true,
            (None, _) => self.put_out.is_some_and(|oldest| nonce <= oldest),
        }
    }

    /// Notes a count as used; only a right digest may do this.
    pub fn spend(&mut self, nonce: NonceId, count: Option<u32>) {
        let window = self.windows.entry(nonce).or_insert(Window { highest: 0, used: 0 });
        match count {
            Some(count) => window.mark(count),
            None => *window = Window { highest: u32::MAX, used: u128::MAX },
        }
        while self.windows.len() > self.most {
            self.put_out = self.windows.pop_first().map(|(nonce, _)| nonce).max(self.put_out);
        }
    }

    /// Drops nonces issued before `oldest`, which have run out, and after `newest`, which a clock set back has made useless.
    pub fn keep_between(&mut self, oldest: Wall, newest: Wall) {
        // What was put out in that future must not make nonces stale until it comes again.
        self.put_out = self.put_out.filter(|nonce| nonce.issued <= newest);
        while self.windows.last_key_value().is_some_and(|(nonce, _)| nonce.issued > newest) {
            self.windows.pop_last();
        }
        while self.windows.first_key_value().is_some_and(|(nonce, _)| nonce.issued < oldest) {
            // A clock set back may make it young again.
            self.put_out = self.windows.pop_first().map(|(nonce, _)| nonce).max(self.put_out);
        }
    }

    /// When the youngest nonce was issued of those that were put out.
    pub fn put_out(&self) -> Option<Wall> {
        self.put_out.map(|nonce| nonce.issued)
    }

    /// How many nonces are kept.
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }
}

impl Window {
    fn is_used(self, count: u32) -> bool {
        match self.highest.checked_sub(count) {
            Some(back) => back >= u128::BITS || self.used >> back & 1 == 1,
            None => false,
        }
    }

    fn mark(&mut self, count: u32) {
        if let Some(ahead) = count.checked_sub(self.highest).filter(|&ahead| ahead > 0) {
            self.used = self.used.checked_shl(ahead).unwrap_or(0);
            self.highest = count;
        }
        self.used |= 1u128.checked_shl(self.highest - count).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::auth::Nonces;
    use crate::ids::Entropy;

    fn nonce(issued: u64) -> NonceId {
        let nonces = Nonces::new([1; 32], "r", Duration::from_secs(300));
        let text = nonces.issue(Wall(issued), &mut Entropy::new([issued as u8; 32]));
        nonces.open(Wall(issued), text.as_bytes()).expect("a nonce of ours")
    }

    #[test]
    fn a_count_is_good_once_within_128_of_the_highest() {
        let (mut counts, nonce) = (Counts::new(8), nonce(1000));
        for count in [1, 200, 199, 73] {
            assert!(!counts.is_spent(nonce, Some(count)), "{count}");
            counts.spend(nonce, Some(count));
            assert!(counts.is_spent(nonce, Some(count)), "{count}");
        }
        assert!(counts.is_spent(nonce, Some(72)), "128 below the highest");
        assert!(!counts.is_spent(nonce, Some(74)) && !counts.is_spent(nonce, Some(201)));
    }

    #[test]
    fn without_a_count_a_nonce_is_good_once() {
        let (mut counts, nonce) = (Counts::new(8), nonce(1000));
        counts.spend(nonce, None);
        assert!(
            counts.is_spent(nonce, None) && counts.is_spent(nonce, Some(u32::MAX)) && counts.is_spent(nonce, Some(1))
        );
    }

    #[test]
    fn one_nonce_too_many_puts_out_the_oldest_for_good() {
        let mut counts = Counts::new(2);
        for issued in [1000, 3000, 4000] {
            counts.spend(nonce(issued), Some(1));
        }
        assert_eq!(counts.len(), 2);
        assert!(counts.is_spent(nonce(1000), Some(2)) && counts.is_spent(nonce(999), Some(1)));
        assert!(!counts.is_spent(nonce(2000), Some(1)) && !counts.is_spent(nonce(3000), Some(2)));
    }

    #[test]
    fn what_has_run_out_is_forgotten_but_never_good_again() {
        let mut counts = Counts::new(8);
        counts.spend(nonce(1000), Some(1));
        counts.keep_between(Wall(1000), Wall(1000));
        assert_eq!(counts.len(), 1);
        counts.keep_between(Wall(1001), Wall(2000));
        assert!(counts.is_empty() && counts.is_spent(nonce(1000), Some(1)));
    }

    #[test]
    fn after_the_clock_was_set_back_nonces_are_good_again() {
        let mut counts = Counts::new(1);
        counts.spend(nonce(9000), Some(1));
        counts.spend(nonce(9001), Some(1));
        assert!(counts.is_spent(nonce(2000), Some(1)));
        counts.keep_between(Wall(0), Wall(2060));
        assert!(counts.is_empty() && !counts.is_spent(nonce(2000), Some(1)));
    }

    proptest! {
        #[test]
        fn the_window_agrees_with_a_set(sent in proptest::collection::vec(prop_oneof![0u32..400, any::<u32>()], 1..200)) {
            let (mut counts, nonce) = (Counts::new(8), nonce(1000));
            let mut set = std::collections::BTreeSet::new();
            for count in sent {
                let highest = set.last().copied();
                let old = highest.is_some_and(|highest: u32| u64::from(count) + 128 <= u64::from(highest));
                let spent = counts.is_spent(nonce, Some(count));
                prop_assert_eq!(spent, old || set.contains(&count));
                if !spent {
                    counts.spend(nonce, Some(count));
                    set.insert(count);
                }
            }
        }
    }
}
