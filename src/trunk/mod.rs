//! What a site knows of its trunks: where each is reached, whether it answers there (SPEC 6.6), and what it asks of us (SPEC 9.10).
//!
//! The node tells what becomes of the requests that it sends, asks before it sends the next one, and probes what is down; all shards
//! of a site share one [`Trunks`], which knows what their host names resolve to, and one [`Queue`] of those who wait for a line.
//! [`challenge`] answers carriers that want to know who we are (RFC 3261 §22), [`shifts`] remembers by how much that has moved the CSeq
//! numbers of a dialog, [`registration`] keeps us registered with those that want it. Channels are counted elsewhere
//! ([`Tally`](crate::proxy::Tally)), messages are made elsewhere.

pub mod challenge;
mod health;
mod names;
mod queue;
pub mod registration;
mod remembered;
pub mod shifts;
mod trunks;

pub use health::{Failure, Health};
pub use names::Resolved;
pub use queue::{Place, Queue};
pub use trunks::{Change, Gateway, Seen, Trunks};
