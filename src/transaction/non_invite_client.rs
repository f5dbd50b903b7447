//! The non-INVITE client transaction: RFC 3261 §17.1.2.
//!
//! ```text
//!                          | request from TU
//!                          | send, arm E and F
//!        timer E           v
//!        send, 2·E +-----------+
//!            +-----|           |  timer F or transport error
//!            |     |  Trying   |---------------------------+
//!            +---->|           |  report                   |
//!                  +-----------+                           |
//!      200-699        |     | 1xx                          |
//!      pass           |     | pass                         |
//!          +----------+     v                              |
//!          |       +------------+  timer F or              |
//!          |       |            |  transport error, report |
//!          |   +---| Proceeding |------------------------->|
//!          |   |   |            |---+ 1xx                  |
//!          |   +-->|            |<--+ pass                 |
//!          | timer E            |                          |
//!          | send, T2           |                          |
//!          |       +------------+                          |
//!          |              | 200-699                        |
//!          |              | pass                           |
//!          |              v                                |
//!          |       +------------+                          |
//!          |       |            |                          |
//!          +------>| Completed  |                          |
//!                  |            |                          |
//!                  +------------+                          |
//!                         | timer K                        |
//!                         v                                |
//!                  +------------+                          |
//!                  | Terminated |<-------------------------+
//!                  +------------+
//! ```

use super::action::{Action, Action::*, Failure};
use super::timer::{Timer, Timer::*, Wait::*};

/// Where the transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Sent, nothing heard.
    Trying,
    /// A provisional response came.
    Proceeding,
    /// The final response came; its copies are absorbed.
    Completed,
    /// Over.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A 1xx.
    Provisional,
    /// A 200 to 699.
    Final,
    /// Timer E fired.
    TimerE,
    /// Timer F fired.
    TimerF,
    /// Timer K fired.
    TimerK,
    /// The transport could not deliver the request.
    TransportError,
}

use self::Input::*;
use self::State::*;

impl State {
    /// A new transaction.
    pub fn begin() -> (State, &'static [Action]) {
        (State::Trying, &[Send, Arm(E, First), Arm(F, First)])
    }

    /// RFC 3261 §17.1.2.2 (Figure 6).
    pub fn on(self, input: Input) -> (State, &'static [Action]) {
        match (self, input) {
            (State::Trying, TimerE) => (State::Trying, &[Send, Arm(E, Doubled)]),
            (State::Trying, Provisional) => (Proceeding, &[Pass]),
            (Proceeding, TimerE) => (Proceeding, &[Send, Arm(E, Longest)]),
            (Proceeding, Provisional) => (Proceeding, &[Pass]),
            (State::Trying | Proceeding, Final) => (Completed, &[Stop(E), Stop(F), Pass, Forget, Arm(K, First)]),
            // RFC 4320 §4.2: whoever forwarded the request sends nothing back for this, a 408 least of all.
            (State::Trying | Proceeding, TimerF) => (Terminated, &[Report(Failure::Timeout), End]),
            (State::Trying | Proceeding, TransportError) => (Terminated, &[Report(Failure::Unreachable), End]),
            (State::Trying | Proceeding, TimerK) => (self, &[]),

            (Completed, TimerK) => (Terminated, &[End]),
            (Completed, Provisional | Final | TimerE | TimerF | TransportError) => (Completed, &[]),

            (Terminated, Provisional | Final | TimerE | TimerF | TimerK | TransportError) => (Terminated, &[]),
        }
    }

    /// The transaction user waits for a final response.
    pub fn is_pending(self) -> bool {
        match self {
            State::Trying | Proceeding => true,
            Completed | Terminated => false,
        }
    }
}

impl Input {
    /// What the firing of a timer is to this machine.
    pub(super) fn fired(timer: Timer) -> Option<Input> {
        match timer {
            E => Some(TimerE),
            F => Some(TimerF),
            K => Some(TimerK),
            A | B | D | G | H | I | J | L | M | Timer::Trying | Expiry => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::action::table;

    #[test]
    fn every_state_and_input() {
        let states = [State::Trying, Proceeding, Completed, Terminated];
        let inputs = [Provisional, Final, TimerE, TimerF, TimerK, TransportError];
        insta::assert_snapshot!(table(&states, &inputs, State::on));
    }
}
