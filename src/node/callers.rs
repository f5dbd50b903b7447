//! Who may call for help without credentials (SPEC 6.7): where phones were bound lately, and how often anyone called.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// A binding is remembered for so long.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);
/// Most calls of one source in [`WINDOW`].
const CALLS: usize = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// Most addresses, and most calls, remembered; the oldest goes first.
const MOST: usize = 65_536;

/// Addresses of phones, and unauthenticated emergency calls by source.
#[derive(Debug, Default)]
pub(super) struct Callers {
    bound: BTreeMap<IpAddr, Instant>,
    /// The same in about the order of time: an address that was bound again stands behind the place of its first time.
    order: VecDeque<(Instant, IpAddr)>,
    /// Oldest first, by source.
    calls: BTreeMap<IpAddr, VecDeque<Instant>>,
    /// All of them, oldest first.
    recent: VecDeque<(Instant, IpAddr)>,
}

impl Callers {
    /// A phone at `source` has a binding now.
    pub(super) fn bound(&mut self, now: Instant, source: IpAddr) {
        if self.bound.insert(source, now).is_some() {
            return;
        }
        self.order.push_back((now, source));
        while self.bound.len() > MOST {
            self.forget_oldest_address();
        }
    }

    /// Forgets the address in front, or puts it behind the others if it was bound again meanwhile.
    fn forget_oldest_address(&mut self) {
        let Some((noted, source)) = self.order.pop_front() else { return };
        match self.bound.get(&source) {
            Some(&at) if at > noted => self.order.push_back((at, source)),
            Some(_) | None => drop(self.bound.remove(&source)),
        }
    }

    /// Whether a phone at `source` had a binding in the last 24 h.
    pub(super) fn was_bound(&self, now: Instant, source: IpAddr) -> bool {
        self.bound.get(&source).is_some_and(|&at| now.saturating_duration_since(at) < REMEMBERED)
    }

    /// Counts an unauthenticated call; false for the eleventh in a minute. Nothing else is kept of a call that may not be made, and no
    /// other source is looked at but those whose minute is over.
    pub(super) fn may_call(&mut self, now: Instant, source: IpAddr) -> bool {
        let is_over = |at: Instant| now.saturating_duration_since(at) >= WINDOW;
        while self.recent.len() >= MOST || self.recent.front().is_some_and(|&(at, _)| is_over(at)) {
            self.forget_oldest_call();
        }
        if self.calls.get(&source).map_or(0, VecDeque::len) >= CALLS {
            return false;
        }
        self.calls.entry(source).or_default().push_back(now);
        self.recent.push_back((now, source));
        true
    }

    fn forget_oldest_call(&mut self) {
        let Some((_, source)) = self.recent.pop_front() else { return };
        let Some(calls) = self.calls.get_mut(&source) else { return };
        calls.pop_front();
        if calls.is_empty() {
            self.calls.remove(&source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[allow(clippy::disallowed_methods, reason = "any instant will do as the start")]
    fn start() -> (Callers, Instant) {
        (Callers::default(), Instant::now())
    }

    #[test]
    fn the_eleventh_call_in_a_minute_is_one_too_many() {
        let (mut callers, start) = start();
        let at = |tries: u32| start + Duration::from_secs(5) * tries;
        assert!((0..10).all(|tries| callers.may_call(at(tries), SOURCE)));
        assert!(!callers.may_call(at(10), SOURCE));
        assert!(callers.may_call(at(10), IpAddr::from([192, 0, 2, 2])));
        assert!(callers.may_call(start + WINDOW, SOURCE), "the first one is a minute ago");
        assert!(!callers.may_call(start + WINDOW, SOURCE));
    }

    #[test]
    fn calls_of_a_minute_ago_are_forgotten_whoever_made_them() {
        let (mut callers, start) = start();
        (0..100).for_each(|last| assert!(callers.may_call(start, IpAddr::from([192, 0, 2, last]))));
        assert!(callers.may_call(start + WINDOW, SOURCE));
        assert_eq!((callers.calls.len(), callers.recent.len()), (1, 1));
    }

    #[test]
    fn a_flood_of_sources_takes_no_more_room_and_keeps_nobody_from_help() {
        let (mut callers, start) = start();
        for number in 0..=MOST as u32 {
            assert!(callers.may_call(start, IpAddr::V4(number.into())));
            callers.bound(start, IpAddr::V4(number.into()));
        }
        assert_eq!((callers.calls.len(), callers.recent.len()), (MOST, MOST));
        assert_eq!((callers.bound.len(), callers.order.len()), (MOST, MOST));
        assert!(callers.may_call(start, SOURCE));
    }

    #[test]
    fn an_address_that_was_bound_again_outlives_older_ones() {
        let (mut callers, start) = start();
        let later = start + Duration::from_secs(1);
        (0..MOST as u32).for_each(|number| callers.bound(start, IpAddr::V4(number.into())));
        callers.bound(later, IpAddr::V4(0.into()));
        callers.bound(later, SOURCE);
        let is_there = |number: u32| callers.was_bound(later, IpAddr::V4(number.into()));
        assert!(is_there(0) && !is_there(1) && is_there(2) && callers.was_bound(later, SOURCE));
    }

    #[test]
    fn a_phone_is_remembered_for_a_day() {
        let (mut callers, start) = start();
        assert!(!callers.was_bound(start, SOURCE));
        callers.bound(start, SOURCE);
        assert!(callers.was_bound(start + REMEMBERED - Duration::from_secs(1), SOURCE));
        assert!(!callers.was_bound(start + REMEMBERED, SOURCE));
    }
}
