//! What both sides of the table write to: datagrams, events and deadlines.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use super::timer::Transport;
use super::{ClientId, Event, ServerId};
use crate::deadlines::{Deadlines, Dense};
use crate::timing::Timing;
use crate::transmit::{Flow, Transmit};

#[derive(Debug)]
pub(super) struct Outputs<S, C> {
    pub timing: Timing,
    /// The only one so far is UDP.
    pub transport: Transport,
    pub deadlines: Deadlines<Waiter>,
    pub transmits: VecDeque<Transmit>,
    pub events: VecDeque<Event<S, C>>,
}

/// Whose deadline it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Waiter {
    Server(ServerId),
    Client(ClientId),
}

impl Dense for Waiter {
    fn place(self) -> usize {
        match self {
            Waiter::Server(id) => id.0.index as usize * 2,
            Waiter::Client(id) => id.0.index as usize * 2 + 1,
        }
    }
}

impl<S, C> Outputs<S, C> {
    pub fn new(timing: Timing) -> Self {
        Self {
            timing,
            transport: Transport::Unreliable,
            deadlines: Deadlines::new(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    pub fn send(&mut self, flow: Flow, bytes: Bytes) {
        self.transmits.push_back(Transmit { flow, bytes });
    }

    /// A transaction's one deadline is its nearest timer. To say the same again costs nothing.
    pub fn wait(&mut self, now: Instant, waiter: Waiter, nearest: Option<Instant>) {
        match nearest {
            Some(at) => self.deadlines.set(now, waiter, at),
            None => self.deadlines.clear(waiter),
        }
    }

    pub fn wait_no_more(&mut self, waiter: Waiter) {
        self.deadlines.clear(waiter);
    }
}
