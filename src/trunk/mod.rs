//! What a site knows of its trunks: where each is reached, and whether it answers there (SPEC 6.6).
//!
//! The node tells what becomes of the requests that it sends, asks before it sends the next one, and probes what is down; all shards
//! of a site share one [`Trunks`]. Channels are counted elsewhere ([`Tally`](crate::proxy::Tally)), messages are made elsewhere.

mod health;
mod trunks;

pub use health::{Failure, Health};
pub use trunks::{Change, Gateway, Seen, Trunks};
