//! Logins that have ended a moment ago, by the names that the visited sites gave them: what was said of them before may be heard after it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::ids::LoginId;

/// How long each is remembered: twice as long as a request can be repeated (RFC 3261 §17.1.2.2: 64·T1, 32 s).
const REMEMBERED: Duration = Duration::from_secs(64);
/// Most of them; the oldest goes first.
const MOST: usize = 1_000;

/// The last thousand, for 64 s.
#[derive(Debug, Default)]
pub struct LatelyEnded(VecDeque<(Instant, LoginId)>);

impl LatelyEnded {
    /// It has ended.
    pub fn note(&mut self, now: Instant, id: LoginId) {
        while self.0.len() >= MOST || self.0.front().is_some_and(|(at, _)| is_over(*at, now)) {
            self.0.pop_front();
        }
        self.0.push_back((now, id));
    }

    /// Whether it has.
    pub fn has(&self, now: Instant, id: LoginId) -> bool {
        self.0.iter().any(|(at, known)| *known == id && !is_over(*at, now))
    }
}

fn is_over(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) > REMEMBERED
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{after, now};
    use super::*;

    fn id(number: usize) -> LoginId {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        LoginId(id)
    }

    #[test]
    fn each_is_remembered_for_64_seconds() {
        let start = now();
        let mut lately = LatelyEnded::default();
        lately.note(start.instant, id(1));
        assert!(lately.has(after(start, 64).instant, id(1)) && !lately.has(after(start, 64).instant, id(2)));
        assert!(!lately.has(after(start, 65).instant, id(1)));
        lately.note(after(start, 65).instant, id(2));
        assert_eq!(lately.0.len(), 1);
    }

    #[test]
    fn there_are_a_thousand_at_most() {
        let now = now().instant;
        let mut lately = LatelyEnded::default();
        (0..1_001).for_each(|number| lately.note(now, id(number)));
        assert!(!lately.has(now, id(0)) && lately.has(now, id(1)) && lately.has(now, id(1_000)));
    }
}
