//! Short histories in which people log in, log out and call while links break, sites die with and without their disks, and clocks
//! step; and whether every promise is kept once all that is over.
//!
//! `deed` says what may happen, `promises` (with `sitting` and `choices`) what people were told and so may rely on, `history` (with
//! `calls` and `dialling`) plays, `tables` compares, and `shrink` finds the shortest part of a history that still breaks a promise,
//! which is then shown with its ladder.

mod calls;
mod choices;
mod deed;
mod dialling;
mod history;
mod offices;
mod promises;
mod shrink;
mod sitting;
mod tables;

pub use shrink::play_many;
