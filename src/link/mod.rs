//! Site links (SPEC §11, 9.7, 8.1): what lets two sites of the network believe each other over plain SIP.
//!
//! The node and the proxy call this for every request to or from another site; nothing here knows SIP messages, only the
//! bytes that are bound. Two neighbouring releases must understand each other, so **the forms below do not change**: each
//! begins with a version byte, has a fixed head, and then fields of tag, length and value of which unknown ones are
//! skipped. A new thing is a new tag; a tag from 128 on must be understood by the reader, else the whole is refused.
//!
//! | what | where it stands | file |
//! |---|---|---|
//! | token | header `Hotdesk-Link` of every initial request between sites | [`Token`], [`Claims`] |
//! | proof of an answer | the same header in answers to it | [`Answer`] |
//! | sealed body | `Content-Type: application/vnd.hotdesk.link` | [`seal_request`], [`messages`] |
//! | route proof | user part of our Record-Route URIs | [`proof`] |
//!
//! ```text
//! token    1 | key id 2 | from 2 | to 2 | boot of the receiver 8 | time ms 6 | claims … | MAC 16
//! answer   1 | key id 2 | boot of the sender 8 | clock ms 6 | fields … | MAC 16
//! sealed   1 | key id 2 | nonce 24 | XChaCha20-Poly1305 ciphertext and tag
//! route    1 | key id 2 | caller's peer | callee's peer | fields … | MAC 16
//! ```
//!
//! Numbers are big-endian; all but the sealed body is written as base64url without padding. A MAC is the first 16 bytes of
//! BLAKE3, keyed, over a label and the parts, each behind its length in 4 bytes. Keys come by HKDF-SHA256 from the link
//! secret, one for each use and direction ([`Keyring`]).
//!
//! The order of a receiver (SPEC 11.2): transaction matching, then [`Gate::admit`]: MAC, freshness, boot id, replay.
//! [`Peer`] tells whether a site is up. Assumed: wall clocks within 30 s of each other.

mod answer;
mod claims;
mod fields;
mod gate;
mod keys;
pub mod messages;
mod peer;
pub mod proof;
mod replay;
mod seal;
mod token;

pub use answer::{Answer, Cause, Help, Proven, Unproven};
pub use claims::{Caller, Claims, HomeUser, Identity, Purpose, is_named};
pub use gate::Gate;
pub use keys::{Generation, KeyId, Keyring, PairKeys, Receipt};
pub use peer::{Change, Clock, Mistrust, Peer, State};
pub use replay::Replay;
pub use seal::{CONTENT_TYPE, Unsealable, open_answer, open_request, seal_answer, seal_request};
pub use token::{Bound, Envelope, HEADER, Minted, Refused, Token, mint, verify};

#[cfg(test)]
mod tests;
