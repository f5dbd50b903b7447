//! The ground of the scenarios: a whole network in one value, with one clock and one seed.

mod ladder;
mod lines;
mod play;
mod sample;
mod watching;
mod world;

pub use ladder::{Fate, Rung, header};
pub use lines::{Line, LineClass};

pub use play::{Arrival, Dialled, Failure};
pub use sample::{Sample, shards_asked_for};
pub use world::{Seat, Stores, World};
