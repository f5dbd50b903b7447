//! The time as the node is told it, and the RFC's timer values.

use std::fmt;
use std::time::{Duration, Instant};

/// Wall-clock time in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(pub u64);

impl Wall {
    /// This time and `span` more.
    pub fn plus(self, span: Duration) -> Wall {
        Wall(self.0.saturating_add(span.as_millis() as u64))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Wall) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// A time of day on a clock on the wall: minutes since midnight, below 1,440; written as in `20:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(pub u16);

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60 % 24, self.0 % 60)
    }
}

/// One reading of both clocks. Timers run on `instant`, which never steps; dates, nonces and tokens need `wall`.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Monotonic time, for everything that runs out.
    pub instant: Instant,
    /// Wall-clock time, for everything that is written down or sent.
    pub wall: Wall,
}

/// RFC 3261 §17.1.1.1 and Table 4: T1, T2, T4 and what follows from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Round-trip estimate, 500 ms by default.
    pub t1: Duration,
    /// Longest retransmission interval, 4 s.
    pub t2: Duration,
    /// Longest life of a message in the network, 5 s.
    pub t4: Duration,
    /// RFC 3261 §16.6 step 11: more than 3 minutes.
    pub c: Duration,
}

impl Timing {
    /// The RFC's values for a T1.
    pub fn from_t1(t1: Duration) -> Self {
        Self { t1, t2: Duration::from_secs(4).max(t1), t4: Duration::from_secs(5), c: Duration::from_secs(181) }
    }

    /// 64·T1: timers B, F, H, J, L and M.
    pub fn t1x64(&self) -> Duration {
        self.t1 * 64
    }

    /// Timer D: at least 32 s over an unreliable transport.
    pub fn d(&self) -> Duration {
        self.t1x64().max(Duration::from_secs(32))
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self::from_t1(Duration::from_millis(500))
    }
}
