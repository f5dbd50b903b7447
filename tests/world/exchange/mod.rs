//! People at three sites who call each other at random and do with their calls what people do; and a witness who has seen every
//! datagram at the phones and carriers, and says what RFC 3261 does not allow.

mod people;
mod witness;

pub use people::{Exchange, Trouble};
