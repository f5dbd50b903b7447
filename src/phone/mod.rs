//! A simulated phone, and a simulated carrier: the other side of the wire, for tests and for `hotdesk demo`.
//!
//! A [`Phone`] is a value without socket or clock, like the node that it talks to: datagrams and time go in, datagrams and
//! [`PhoneEvent`]s come out, and one seed gives one sequence of bytes. It is an independent user agent: it has its own small
//! retransmission (RFC 3261 §17 with RFC 6026), its own dialogs (§12) and digest client (§22), and shares with the product
//! only the reading and writing of messages.
//!
//! It is strict: whatever it receives that a correct network would not have sent, it writes down in [`Phone::complaints`], and
//! a test ends by asserting that there are none.
//!
//! Assumptions: UDP; one account; sound is not made, the SDP is a fixed text. Out of scope: reliable provisional responses
//! (RFC 3262), session timers, early media, forking beyond the end of surplus branches by BYE (§13.2.2.4).

mod account;
mod asking;
mod call;
mod carrier;
mod dialog;
mod event;
mod incoming;
mod outgoing;
mod outline;
mod registration;
mod scrutiny;
mod serving;
mod user_agent;

pub use account::{Behaviour, Kind, PhoneConfig};
pub use carrier::{Demand, Grants};
pub use event::{CallRef, PhoneEvent, RequestRef};
pub use user_agent::Phone;
