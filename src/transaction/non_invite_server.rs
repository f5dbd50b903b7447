//! The non-INVITE server transaction: RFC 3261 §17.2.2 under the rules of RFC 4320.
//!
//! ```text
//!                          | request
//!                          | pass to TU, arm Trying and Expiry
//!                          v
//!                  +------------+  timer Expiry
//!                  |   Trying   |--------------------------+
//!                  +------------+  -                       |
//!                     |     | timer Trying                 |
//!     200-699 from TU |     | send 100                     |
//!     send, keep      |     v                              |
//!          +----------+  +------------+---+ request        |
//!          |             | Proceeding |   | send 100       |
//!          |             +------------+<--+                |
//!          |                |  |  timer Expiry             |
//!          |                |  +-------------------------->|
//!          | 200-699 from TU|     -                        |
//!          | send, keep     |                              |
//!          v                v                              |
//!       +----------------------+---+ request               |
//!       |       Completed      |   | send                  |
//!       +----------------------+<--+                       |
//!                  | timer J                               |
//!                  | -                                     |
//!                  v                                       |
//!            +------------+                                |
//!            | Terminated |<-------------------------------+
//!            +------------+
//! ```
//!
//! What RFC 4320 changes: no provisional response but 100, and that one only when the client's timer E has slowed down to
//! T2 (§4.1), so this machine sends it and the TU's are dropped; never a 408 (§4.2): it ends in Completed without an
//! answer; nothing after the client has given up: timer Expiry. Transport errors of responses are no input: nothing can
//! be done about them here.

use super::action::{Action, Action::*};
use super::timer::{Timer, Timer::*, Wait::*};

/// Where the transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing sent.
    Trying,
    /// The 100 was sent.
    Proceeding,
    /// The final response was sent, or must not be; copies of the request are absorbed.
    Completed,
    /// Over.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The request came again.
    Request,
    /// A 1xx from the transaction user.
    Provisional,
    /// A final response from the transaction user, but 408.
    Final,
    /// A 408 from the transaction user.
    RequestTimeout,
    /// Timer Trying fired.
    TimerTrying,
    /// Timer Expiry fired.
    TimerExpiry,
    /// Timer J fired.
    TimerJ,
}

use self::Input::*;
use self::State::*;

impl State {
    /// A new transaction.
    pub fn begin() -> (State, &'static [Action]) {
        (State::Trying, &[Arm(Timer::Trying, First), Arm(Expiry, First)])
    }

    /// RFC 3261 §17.2.2 (Figure 8), RFC 4320 §4.
    pub fn on(self, input: Input) -> (State, &'static [Action]) {
        match (self, input) {
            (State::Trying, TimerTrying) => (Proceeding, &[Action::Trying]),
            (State::Trying, Request) => (State::Trying, &[]),
            (Proceeding, Request) => (Proceeding, &[Send]),
            (Proceeding, TimerTrying) => (Proceeding, &[]),
            (State::Trying | Proceeding, Final) => {
                (Completed, &[Stop(Timer::Trying), Stop(Expiry), Keep, Send, Arm(J, First)])
            }
            // RFC 4320 §4.2: it is not sent, and a copy of the request gets no 100 any more.
            (State::Trying | Proceeding, RequestTimeout) => {
                (Completed, &[Stop(Timer::Trying), Stop(Expiry), Forget, Arm(J, First)])
            }
            (State::Trying | Proceeding, TimerExpiry) => (Terminated, &[End]),
            // RFC 4320 §4.1: only 100 is allowed, and its time is the machine's.
            (State::Trying | Proceeding, Provisional | TimerJ) => (self, &[]),

            (Completed, Request) => (Completed, &[Send]),
            (Completed, TimerJ) => (Terminated, &[End]),
            (Completed, Provisional | Final | RequestTimeout | TimerTrying | TimerExpiry) => (Completed, &[]),

            (Terminated, Request | Provisional | Final | RequestTimeout) => (Terminated, &[]),
            (Terminated, TimerTrying | TimerExpiry | TimerJ) => (Terminated, &[]),
        }
    }

    /// The transaction user owes a final response.
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
            Timer::Trying => Some(TimerTrying),
            Expiry => Some(TimerExpiry),
            J => Some(TimerJ),
            A | B | D | E | F | G | H | I | K | L | M => None,
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
        let inputs = [Request, Provisional, Final, RequestTimeout, TimerTrying, TimerExpiry, TimerJ];
        insta::assert_snapshot!(table(&states, &inputs, State::on));
    }
}
