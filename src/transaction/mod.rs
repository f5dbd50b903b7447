//! The transaction layer: RFC 3261 §17 over an unreliable transport, with RFC 6026 and RFC 4320.
//!
//! The four machines are tables (`invite_client`, `invite_server`, `non_invite_client`, `non_invite_server`): a state and
//! an input give the next state and a list of [`action`]s. [`Transactions`] finds the transaction of a message, runs its
//! machine and does what the list says. The node hands every parsed message in and drains `poll_transmit` and `poll_event` after
//! each input.
//!
//! A transaction that was announced as ended (by any event) is gone; its id finds nothing more and is never given again.
//! What its owner hangs on it (`S`, `C`) is copied into answers and events, so that nobody needs a map back.
//!
//! Assumptions: the owner answers each INVITE with 100 at once (§17.2.1: within 200 ms), ends each INVITE server transaction
//! (timer C, §16.6 step 11), and makes branches with 64 random bits. Out of scope: choosing where to send, the ACK
//! to a 2xx (it is no transaction: it comes as [`Heard::New`]), loop detection, users.

pub mod action;
mod client;
mod compose;
pub mod invite_client;
pub mod invite_server;
mod key;
pub mod non_invite_client;
pub mod non_invite_server;
mod outputs;
mod server;
mod slab;
mod table;
#[cfg(test)]
mod tests;
pub mod timer;
mod timers;

pub use table::{FIRED_AT_ONCE, Transactions};

/// Names one server transaction, for as long as it lives and never another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(slab::Place);

/// Names one client transaction, for as long as it lives and never another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(slab::Place);

/// Most transactions at one time; those that only absorb copies count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableLimits {
    /// Server transactions.
    pub servers: usize,
    /// Client transactions. A CANCEL of an INVITE that is in the table is sent even so.
    pub clients: usize,
}

/// One part in so many of a table is kept for what can't wait.
const RESERVE: usize = 16;
/// One part in so many of a table is kept for phones that are registered already.
const FOR_KNOWN: usize = 4;

impl Default for TableLimits {
    /// Enough for 3,000 calls a second with their 32 s of absorbing.
    fn default() -> Self {
        Self { servers: 300_000, clients: 300_000 }
    }
}

/// No room for another transaction: 503 to a request, or its stateless refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the table of transactions is full")]
pub struct Full;

/// What a request is to the transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<S> {
    /// Of none that we know. An ACK: to a 2xx, or to nothing.
    New,
    /// A copy; it was absorbed, and answered again where the machine says so.
    Copy,
    /// The first ACK to a non-2xx final of ours; absorbed.
    Ack(S),
    /// A new CANCEL, and the INVITE server transaction that it means, answered or not. It needs a server transaction of its own
    /// (RFC 3261 §9.2).
    Cancel(Option<S>),
}

/// What a response is to the transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<C> {
    /// Of none that we know. RFC 6026 §7: a proxy drops it.
    Stray,
    /// A copy, or too late.
    Absorbed,
    /// To be handled: by which client transaction, and its owner's word.
    Pass(ClientId, C),
}

/// What happened by itself. After any of these the transaction is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<S, C> {
    /// No final response in 64·T1 (timers B and F).
    ClientTimeout(ClientId, C),
    /// The transport could not deliver the request.
    ClientUnreachable(ClientId, C),
    /// It had its final response and nothing more is to come.
    ClientEnded(ClientId, C),
    /// Answered and confirmed, or a non-INVITE to which nothing may be sent any more (RFC 4320 §4.2).
    ServerEnded(ServerId, S),
    /// No ACK to a non-2xx final in 64·T1 (timer H).
    AckMissing(ServerId, S),
}

/// How many transactions of one side there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// INVITE transactions.
    pub invite: usize,
    /// All others.
    pub non_invite: usize,
    /// Those of both kinds without a final response.
    pub pending: usize,
}

impl Count {
    fn begun(&mut self, invite: bool) {
        *self.kind(invite) += 1;
        self.pending += 1;
    }

    fn answered(&mut self) {
        self.pending -= 1;
    }

    fn ended(&mut self, invite: bool) {
        *self.kind(invite) -= 1;
    }

    fn kind(&mut self, invite: bool) -> &mut usize {
        if invite { &mut self.invite } else { &mut self.non_invite }
    }
}
