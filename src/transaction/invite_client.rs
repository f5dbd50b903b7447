//! The INVITE client transaction: RFC 3261 §17.1.1 with the Accepted state of RFC 6026 §7.2.
//!
//! ```text
//!                            | INVITE from TU
//!             timer A        | send, arm A and B
//!             send, 2·A      v
//!                 +--- +------------+  timer B or
//!                 |    |  Calling   |  transport error, report
//!                 +--> |            |---------------------------+
//!                      +------------+                           |
//!       300-699          |   |    | 2xx                         |
//!       ACK, pass        |   |    | pass                        |
//!          +-------------+   |    +-------------+               |
//!          |            1xx  |                  |               |
//!          |            pass v                  |               |
//!          |           +------------+ --+       |               |
//!          |           | Proceeding |   | 1xx   |               |
//!          |           |            | <-+ pass  |               |
//!          |           +------------+           |               |
//!          | 300-699     |   |    | 2xx         |               |
//!          | ACK, pass   |   |    | pass        |               |
//!          |<------------+   |    +------------>|               |
//!          |                 | timer B (after   |               |
//!          |                 | CANCEL), report  |               |
//!          |                 +------------------|-------------->|
//!          v                                    v               |
//!    +-----------+ --+                    +-----------+ --+     |
//!    | Completed |   | 300-699            | Accepted  |   | 2xx |
//!    |           | <-+ ACK                |           | <-+ pass|
//!    +-----------+                        +-----------+         |
//!       |     | transport error, report         | timer M       |
//!       |     +-----------------+               |               |
//!       | timer D               v               v               |
//!       |                  +------------+       |               |
//!       +----------------->| Terminated |<------+---------------+
//!                          +------------+
//! ```
//!
//! The one addition to the figures: RFC 3261 §9.1 lets a cancelled INVITE wait 64·T1 for its final response; timer B is
//! armed for that a second time.

use super::action::{Action, Action::*, Failure};
use super::timer::{Timer, Timer::*, Wait::*};

/// Where the transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Sent, nothing heard.
    Calling,
    /// A provisional response came.
    Proceeding,
    /// A non-2xx final came and is acknowledged; its copies are.
    Completed,
    /// A 2xx came; more of them are passed on.
    Accepted,
    /// Over.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A 1xx.
    Provisional,
    /// A 2xx.
    Success,
    /// A 300 to 699.
    Failure,
    /// A CANCEL of it was sent.
    Cancelled,
    /// Timer A fired.
    TimerA,
    /// Timer B fired.
    TimerB,
    /// Timer D fired.
    TimerD,
    /// Timer M fired.
    TimerM,
    /// The transport could not deliver the last message.
    TransportError,
}

use self::Input::*;
use self::State::*;

impl State {
    /// A new transaction.
    pub fn begin() -> (State, &'static [Action]) {
        (Calling, &[Send, Arm(A, First), Arm(B, First)])
    }

    /// RFC 3261 §17.1.1.2 (Figure 5), RFC 6026 §7.2.
    pub fn on(self, input: Input) -> (State, &'static [Action]) {
        match (self, input) {
            (Calling, TimerA) => (Calling, &[Send, Arm(A, Doubled)]),
            (Calling, TimerB) => (Terminated, &[Report(Failure::Timeout), End]),
            (Calling, TransportError) => (Terminated, &[Report(Failure::Unreachable), End]),
            (Calling, Provisional) => (Proceeding, &[Stop(A), Stop(B), Pass]),
            (Calling, Success) => (Accepted, &[Stop(A), Stop(B), Pass, Forget, Arm(M, First)]),
            (Calling, Input::Failure) => (Completed, &[Stop(A), Stop(B), Ack, Pass, Arm(D, First)]),
            (Calling, Cancelled | TimerD | TimerM) => (Calling, &[]),

            (Proceeding, Provisional) => (Proceeding, &[Pass]),
            (Proceeding, Success) => (Accepted, &[Stop(B), Pass, Forget, Arm(M, First)]),
            (Proceeding, Input::Failure) => (Completed, &[Stop(B), Ack, Pass, Arm(D, First)]),
            // RFC 3261 §9.1: the cancelled peer may never answer.
            (Proceeding, Cancelled) => (Proceeding, &[Arm(B, First)]),
            (Proceeding, TimerB) => (Terminated, &[Report(Failure::Timeout), End]),
            (Proceeding, TimerA | TimerD | TimerM | TransportError) => (Proceeding, &[]),

            (Completed, Input::Failure) => (Completed, &[Send]),
            (Completed, TimerD) => (Terminated, &[End]),
            (Completed, TransportError) => (Terminated, &[Report(Failure::Unreachable), End]),
            (Completed, Provisional | Success | Cancelled | TimerA | TimerB | TimerM) => (Completed, &[]),

            // RFC 6026 §7.2: the 2xx of every branch goes up, each time it comes.
            (Accepted, Success) => (Accepted, &[Pass]),
            (Accepted, TimerM) => (Terminated, &[End]),
            (Accepted, Provisional | Input::Failure | Cancelled) => (Accepted, &[]),
            (Accepted, TimerA | TimerB | TimerD | TransportError) => (Accepted, &[]),

            (Terminated, Provisional | Success | Input::Failure | Cancelled) => (Terminated, &[]),
            (Terminated, TimerA | TimerB | TimerD | TimerM | TransportError) => (Terminated, &[]),
        }
    }

    /// The transaction user waits for a final response.
    pub fn is_pending(self) -> bool {
        match self {
            Calling | Proceeding => true,
            Completed | Accepted | Terminated => false,
        }
    }
}

impl Input {
    /// What the firing of a timer is to this machine.
    pub(super) fn fired(timer: Timer) -> Option<Input> {
        match timer {
            A => Some(TimerA),
            B => Some(TimerB),
            D => Some(TimerD),
            M => Some(TimerM),
            E | F | G | H | I | J | K | L | Timer::Trying | Expiry => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::action::table;

    #[test]
    fn every_state_and_input() {
        let states = [Calling, Proceeding, Completed, Accepted, Terminated];
        let inputs = [Provisional, Success, Input::Failure, Cancelled, TimerA, TimerB, TimerD, TimerM, TransportError];
        insta::assert_snapshot!(table(&states, &inputs, State::on));
    }
}
