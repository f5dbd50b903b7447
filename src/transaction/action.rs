//! What the four machines can ask for: each transition is a new state and a list of these.

use std::fmt;

use super::timer::{Timer, Wait};

/// One thing to do, in the order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send the message at hand: what the transaction user gave just now, else what is kept.
    Send,
    /// Build the ACK to a non-2xx final and send it (RFC 3261 §17.1.1.3); it is kept in the request's place.
    Ack,
    /// Hand what came up to the transaction user.
    Pass,
    /// Build and send a 100 (RFC 4320 §4.1), and keep it.
    Trying,
    /// Keep the message at hand: copies of the request are answered with it.
    Keep,
    /// Drop the kept message.
    Forget,
    /// Start a timer, or start it again.
    Arm(Timer, Wait),
    /// Stop a timer.
    Stop(Timer),
    /// Tell the transaction user what went wrong.
    Report(Failure),
    /// Remove the transaction.
    End,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No final response in time (timers B and F).
    Timeout,
    /// The transport could not deliver.
    Unreachable,
    /// No ACK in time (timer H).
    AckMissing,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Send => f.write_str("send"),
            Action::Ack => f.write_str("send ACK"),
            Action::Pass => f.write_str("pass"),
            Action::Trying => f.write_str("send 100"),
            Action::Keep => f.write_str("keep"),
            Action::Forget => f.write_str("forget"),
            Action::Arm(timer, Wait::First) => write!(f, "arm {timer:?}"),
            Action::Arm(timer, Wait::Doubled) => write!(f, "arm {timer:?} doubled"),
            Action::Arm(timer, Wait::Longest) => write!(f, "arm {timer:?} with T2"),
            Action::Stop(timer) => write!(f, "stop {timer:?}"),
            Action::Report(failure) => write!(f, "report {failure:?}"),
            Action::End => f.write_str("end"),
        }
    }
}

/// Every state × input of a machine as text, for its snapshot.
#[cfg(test)]
pub(super) fn table<S, I>(states: &[S], inputs: &[I], on: impl Fn(S, I) -> (S, &'static [Action])) -> String
where
    S: Copy + fmt::Debug + PartialEq,
    I: Copy + fmt::Debug,
{
    let mut text = String::new();
    for &state in states {
        for &input in inputs {
            let (next, actions) = on(state, input);
            let actions = actions.iter().map(Action::to_string).collect::<Vec<_>>().join(", ");
            let (next, actions) = match (next == state, actions.is_empty()) {
                (true, true) => ("·".to_owned(), "-".to_owned()),
                (same, none) => {
                    let next = if same { "(same)".to_owned() } else { format!("{next:?}") };
                    (next, if none { "-".to_owned() } else { actions })
                }
            };
            text += &format!("{:<11} {:<15} {next:<11} {actions}\n", format!("{state:?}"), format!("{input:?}"));
        }
        text.push('\n');
    }
    text
}
