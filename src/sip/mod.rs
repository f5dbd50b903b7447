//! The wire: SIP messages as bytes that came, and bytes that go.
//!
//! A received message is one `Bytes` and an index of its headers; what every message must say (top Via, From, To, Call-ID, CSeq,
//! Max-Forwards) is read once, by [`parse`], and everything else when it is asked for. What is forwarded keeps its bytes: an
//! [`Edit`] is a list of splices over them. [`Reply`] and [`Draft`] make messages of our own.
//!
//! The node calls [`parse`]; everybody above reads through [`Request`] and [`Response`]. RFC 3261 §7, §8.2.6, §18.3, §19.1, §20
//! and §25, RFC 3581, 3966, 4475, 5118. Only this module knows bytes, and only it names `rsip`, which gives the words for methods
//! and is a second opinion in tests; it reads nothing that comes from the network.
//!
//! A [`Session`] description (RFC 8866) is read only where the site answers a call itself.
//!
//! Out of scope: other bodies (kept as they are), streams (one datagram holds one message), what a method demands beyond RFC 3261
//! §8.1.1, and every policy.

mod address;
mod contact;
mod credentials;
pub mod digest;
mod door;
mod draft;
mod edit;
mod equality;
mod host;
mod lex;
mod lines;
mod malformed;
mod message;
mod method;
mod name;
mod numeral;
mod packet;
mod party;
mod reply;
mod route;
mod sdp;
mod span;
mod stamp;
mod start_line;
mod status;
mod uri;
mod via;
mod xml;

pub use contact::{Contact, Contacts};
pub use credentials::{Challenge, Credentials};
pub use draft::{Draft, warning};
pub use edit::Edit;
pub use host::Host;
pub use malformed::{DropReason, Limit, Malformed};
pub use message::{CSeq, Header, Message, Request, Response};
pub use method::Method;
pub use name::Name;
pub use numeral::{Digits, push_address};
pub use packet::{BadRequest, KeepAlive, Packet, Unreadable, parse};
pub use party::Party;
pub use reply::Reply;
pub use route::Route;
pub use sdp::{BadSession, Direction, Media, Session};
pub use status::Status;
pub use uri::{Scheme, Uri, is_sos};
pub use via::{MAGIC_COOKIE, Via};
pub use xml::escaped_xml;
