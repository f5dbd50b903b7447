//! The running timers of one transaction: at most one that paces what is sent again, and one that ends a state.

use std::time::{Duration, Instant};

use super::timer::{Timer, Transport, Wait};
use crate::timing::Timing;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timers {
    pacing: Option<Armed>,
    ending: Option<Armed>,
    /// What the pacing timer last waited.
    interval: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Armed {
    timer: Timer,
    at: Instant,
}

impl Timers {
    pub fn arm(&mut self, now: Instant, timer: Timer, wait: Wait, timing: &Timing, transport: Transport) {
        let wait = timer.wait(wait, self.interval, timing, transport);
        *self.place(timer) = wait.map(|wait| Armed { timer, at: now + wait });
        if timer.paces() {
            self.interval = wait.unwrap_or_default();
        }
    }

    pub fn stop(&mut self, timer: Timer) {
        self.place(timer).take_if(|armed| armed.timer == timer);
    }

    /// The nearest deadline.
    pub fn nearest(&self) -> Option<Instant> {
        self.pacing.iter().chain(&self.ending).map(|armed| armed.at).min()
    }

    /// Takes out a timer that is due. What ends a state comes first: nothing is sent again at the very end.
    pub fn fire(&mut self, now: Instant) -> Option<Timer> {
        let fired =
            self.ending.take_if(|armed| armed.at <= now).or_else(|| self.pacing.take_if(|armed| armed.at <= now));
        fired.map(|armed| armed.timer)
    }

    fn place(&mut self, timer: Timer) -> &mut Option<Armed> {
        if timer.paces() { &mut self.pacing } else { &mut self.ending }
    }
}
