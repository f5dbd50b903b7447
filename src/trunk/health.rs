//! Whether one address of a trunk answers (SPEC 6.6).
//!
//! ```text
//!            fail: silence, ICMP, 503                     the next call may try it: `retry` is over
//!   Up ──────────────────────────────► Down, skipped ─────────────────────────────────────► Down, on trial
//!    ▲                                     │    ▲                                                │
//!    │ answer: any response but 503        │    └──────────────── fail ──────────────────────────┤
//!    └─────────────────────────────────────┴─────────────────────────────────────────────────────┘
//! ```
//!
//! While it is down it is probed by OPTIONS: after [`FIRST`], then twice as long each time, at most [`SLOWEST`].

use std::time::{Duration, Instant};

/// From the failure to the first probe.
pub const FIRST: Duration = Duration::from_secs(5);
/// The longest time from one probe to the next.
pub const SLOWEST: Duration = Duration::from_secs(30);

/// Why it counts as down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No response at all in 4 s.
    Silent,
    /// The network said that nobody is there (ICMP).
    Unreachable,
    /// It answered 503.
    Unavailable,
    /// Its name has no address.
    Unresolved,
}

/// The state of one address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health(Option<Outage>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outage {
    /// Until then no call tries it.
    until: Instant,
    probe_at: Instant,
    pause: Duration,
}

impl Health {
    /// Whether nothing is known against it.
    pub fn is_up(&self) -> bool {
        self.0.is_none()
    }

    /// Whether a call may try it.
    pub fn takes_calls(&self, now: Instant) -> bool {
        self.0.is_none_or(|outage| outage.until <= now)
    }

    /// A request failed there: it is down for `retry`, or, if that is zero, it never is. Says whether it was up.
    pub fn fail(&mut self, now: Instant, retry: Duration) -> bool {
        if retry.is_zero() {
            return false;
        }
        let until = now + retry;
        match &mut self.0 {
            Some(outage) => {
                outage.until = until;
                false
            }
            None => {
                self.0 = Some(Outage { until, probe_at: now + FIRST, pause: FIRST });
                true
            }
        }
    }

    /// It answered. Says whether it was down.
    pub fn answer(&mut self) -> bool {
        self.0.take().is_some()
    }

    /// Whether it is to be probed now; then the next time is set.
    pub fn wants_probe(&mut self, now: Instant) -> bool {
        let Some(outage) = self.0.as_mut().filter(|outage| outage.probe_at <= now) else { return false };
        outage.pause = (outage.pause * 2).min(SLOWEST);
        outage.probe_at = now + outage.pause;
        true
    }

    /// When it is to be probed next, if it is down.
    pub fn next_probe(&self) -> Option<Instant> {
        self.0.map(|outage| outage.probe_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Duration = Duration::from_secs(30);

    fn start() -> Instant {
        #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin; nothing depends on which it is")]
        Instant::now()
    }

    #[test]
    fn what_fails_is_skipped_until_retry_is_over_and_counts_as_down_until_it_answers() {
        let (mut health, now) = (Health::default(), start());
        assert!(health.is_up() && health.takes_calls(now) && health.next_probe().is_none());
        assert!(health.fail(now, RETRY), "it was up");
        assert!(!health.is_up() && !health.takes_calls(now + RETRY - Duration::from_millis(1)));
        assert!(!health.is_up() && health.takes_calls(now + RETRY));
        assert!(!health.fail(now + RETRY, RETRY), "it was down, and is so for as long again");
        assert!(!health.takes_calls(now + RETRY * 2 - Duration::from_millis(1)));
        assert!(health.answer() && health.is_up() && health.takes_calls(now));
        assert!(!health.answer(), "it was up already");
    }

    #[test]
    fn with_no_retry_nothing_is_ever_down() {
        let (mut health, now) = (Health::default(), start());
        assert!(!health.fail(now, Duration::ZERO));
        assert!(health.is_up() && health.takes_calls(now));
    }

    #[test]
    fn it_is_probed_more_and_more_seldom_but_never_less_than_twice_a_minute() {
        let (mut health, now) = (Health::default(), start());
        health.fail(now, RETRY);
        let mut at = Vec::new();
        while at.len() < 6 {
            let next = health.next_probe().expect("it is down");
            assert!(!health.wants_probe(next - Duration::from_millis(1)));
            assert!(health.wants_probe(next));
            at.push((next - now).as_secs());
        }
        assert_eq!(at, [5, 15, 35, 65, 95, 125]);
    }

    #[test]
    fn a_failure_of_what_is_down_does_not_put_the_probe_off() {
        let (mut health, now) = (Health::default(), start());
        health.fail(now, RETRY);
        health.fail(now + Duration::from_secs(4), RETRY);
        assert_eq!(health.next_probe(), Some(now + FIRST));
    }
}
