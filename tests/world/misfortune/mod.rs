//! Short histories in which people log in, log out and call while links break, sites die with and without their disks, and clocks
//! step; and whether every promise is kept once all that is over.
//!
//! `deed` says what may happen, `promises` what people were told and so may rely on, `history` plays, and `shrink` finds the
//! shortest part of a history that still breaks a promise, which is then shown with its ladder.

mod calls;
mod deed;
mod history;
mod offices;
mod promises;
mod shrink;

pub use shrink::play_many;
