//! The INVITE server transaction: RFC 3261 §17.2.1 with the Accepted state of RFC 6026 §7.1.
//!
//! ```text
//!                            | INVITE
//!                            | pass to TU (which sends the 100 at once)
//!        INVITE              v
//!        send last   +------------+
//!            +-------|            |-------+ 1xx from TU
//!            |       | Proceeding |       | send, keep
//!            +------>|            |<------+
//!                    +------------+
//!     300-699 from TU  |       |  2xx from TU
//!     send, keep       |       |  send
//!         +------------+       +-------------+
//!         |                                  |
//!         v                                  v
//!   +-----------+ timer G              +----------+ INVITE
//!   |           |---+ send             |          |---+ -
//!   | Completed |   |                  | Accepted |   | 2xx from TU
//!   |           |<--+ INVITE           |          |<--+ send
//!   +-----------+     send             +----------+   ACK to TU
//!      |     | ACK                           |
//!      |     | -                             |
//!      |     v                               |
//!      |  +-----------+---+ ACK              |
//!      |  | Confirmed |   | -                | timer L
//!      |  +-----------+<--+                  | -
//!      |     | timer I                       |
//!      |     | -                             |
//!      |     v                               |
//!      |  +------------+                     |
//!      +->| Terminated |<--------------------+
//!  timer H+------------+
//!  report
//! ```
//!
//! As a proxy's machine: the 2xx that come again from downstream go through Accepted, nothing of ours repeats them.
//! A transport error changes no state here (RFC 6026 §7.1) and a proxy can't mend it: it is no input.

use super::action::{Action, Action::*, Failure};
use super::timer::{Timer, Timer::*, Wait::*};

/// Where the transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No final response yet.
    Proceeding,
    /// A non-2xx final was sent and waits for its ACK.
    Completed,
    /// The ACK came; its copies are absorbed.
    Confirmed,
    /// A 2xx was sent; copies of the INVITE are absorbed.
    Accepted,
    /// Over.
    Terminated,
}

/// What can happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The INVITE came again.
    Invite,
    /// An ACK that matches it.
    Ack,
    /// A 1xx from the transaction user.
    Provisional,
    /// A 2xx from the transaction user.
    Success,
    /// A 300 to 699 from the transaction user.
    Failure,
    /// Timer G fired.
    TimerG,
    /// Timer H fired.
    TimerH,
    /// Timer I fired.
    TimerI,
    /// Timer L fired.
    TimerL,
}

use self::Input::*;
use self::State::*;

impl State {
    /// A new transaction.
    pub fn begin() -> (State, &'static [Action]) {
        (Proceeding, &[])
    }

    /// RFC 3261 §17.2.1 (Figure 7), RFC 6026 §7.1.
    pub fn on(self, input: Input) -> (State, &'static [Action]) {
        match (self, input) {
            (Proceeding, Invite) => (Proceeding, &[Send]),
            (Proceeding, Provisional) => (Proceeding, &[Keep, Send]),
            (Proceeding, Success) => (Accepted, &[Send, Forget, Arm(L, First)]),
            (Proceeding, Input::Failure) => (Completed, &[Keep, Send, Arm(G, First), Arm(H, First)]),
            (Proceeding, Input::Ack | TimerG | TimerH | TimerI | TimerL) => (Proceeding, &[]),

            (Completed, Invite) => (Completed, &[Send]),
            (Completed, TimerG) => (Completed, &[Send, Arm(G, Doubled)]),
            (Completed, Input::Ack) => (Confirmed, &[Stop(G), Stop(H), Pass, Forget, Arm(I, First)]),
            (Completed, TimerH) => (Terminated, &[Report(Failure::AckMissing), End]),
            (Completed, Provisional | Success | Input::Failure | TimerI | TimerL) => (Completed, &[]),

            (Confirmed, TimerI) => (Terminated, &[End]),
            (Confirmed, Invite | Input::Ack | Provisional | Success | Input::Failure) => (Confirmed, &[]),
            (Confirmed, TimerG | TimerH | TimerL) => (Confirmed, &[]),

            // RFC 6026 §7.1: the INVITE is absorbed without an answer, ACK and 2xx pass through.
            (Accepted, Invite) => (Accepted, &[]),
            (Accepted, Input::Ack) => (Accepted, &[Pass]),
            (Accepted, Success) => (Accepted, &[Send]),
            (Accepted, TimerL) => (Terminated, &[End]),
            (Accepted, Provisional | Input::Failure | TimerG | TimerH | TimerI) => (Accepted, &[]),

            (Terminated, Invite | Input::Ack | Provisional | Success | Input::Failure) => (Terminated, &[]),
            (Terminated, TimerG | TimerH | TimerI | TimerL) => (Terminated, &[]),
        }
    }

    /// The transaction user owes a final response.
    pub fn is_pending(self) -> bool {
        match self {
            Proceeding => true,
            Completed | Confirmed | Accepted | Terminated => false,
        }
    }
}

impl Input {
    /// What the firing of a timer is to this machine.
    pub(super) fn fired(timer: Timer) -> Option<Input> {
        match timer {
            G => Some(TimerG),
            H => Some(TimerH),
            I => Some(TimerI),
            L => Some(TimerL),
            A | B | D | E | F | J | K | M | Timer::Trying | Expiry => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transaction::action::table;

    #[test]
    fn every_state_and_input() {
        let states = [Proceeding, Completed, Confirmed, Accepted, Terminated];
        let inputs = [Invite, Input::Ack, Provisional, Success, Input::Failure, TimerG, TimerH, TimerI, TimerL];
        insta::assert_snapshot!(table(&states, &inputs, State::on));
    }
}
