//! The wire from outside: the torture messages, properties over generated and broken messages, and `rsip` as second opinion.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod messages;
mod properties;
mod second_opinion;
mod sound;
mod torture;
