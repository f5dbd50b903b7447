//! Messages that break servers: those of RFC 4475 and RFC 5118, those that phones in the field send, and 20,000 mutations of
//! both. Every message has a verdict (`EXPECTED.tsv`, `field/EXPECTED.tsv`), which is asked of the node in process and of the
//! real program over UDP.
//!
//! `cargo test --test torture -- --nocapture` prints the tables of verdicts.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod binary;
mod cases;
mod field;
mod known;
mod mutations;
mod site;
#[path = "../wire/sound.rs"]
mod sound;
mod strangers;
#[path = "../sockets/support.rs"]
#[allow(dead_code, reason = "not all of it is needed here")]
mod support;
