//! What makes two messages one transaction: RFC 3261 §17.1.3 and §17.2.3, as 128-bit hashes.
//!
//! A key stands for the texts that it was made of, and the texts are not kept. Two live transactions share a key by
//! accident with a chance of n²/2^129: with 300,000 of them less than 10^-27. By intent it takes the seeds, which are secret and
//! whose hashes never leave the process; who could, would get a request absorbed as a copy, which whoever can guess a
//! branch can do anyway. Each field is preceded by its length, so no two lists of fields are one text.
//!
//! Branches and tags are compared byte for byte, as peers that make them of Base64 expect.

use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use ahash::{AHasher, RandomState};

use crate::sip::{Host, Method, Request, Response, Via};

/// The identity of a transaction on one side.
pub(super) type Key = u128;

/// Look-ups by key; never iterated.
pub(super) type Index<V> = std::collections::HashMap<Key, V, BuildHasherDefault<AsItIs>>;

/// UDP's and TCP's port where a sent-by has none (RFC 3261 §18.1.1).
const DEFAULT_PORT: u16 = 5060;

/// Makes keys, with seeds of its own.
#[derive(Debug)]
pub(super) struct Keys {
    halves: [RandomState; 2],
}

/// So that keys of different kinds never meet.
#[derive(Clone, Copy)]
enum Kind {
    Client,
    Server,
    Legacy,
    LegacyAck,
}

impl Keys {
    pub fn new(seeds: [u64; 4]) -> Self {
        let [a, b, c, d] = seeds;
        let halves = [
            RandomState::with_seeds(a, b, c, d),
            RandomState::with_seeds(!c, d.rotate_left(17), !a, b.rotate_left(29)),
        ];
        Self { halves }
    }

    /// RFC 3261 §17.1.3: the branch and the method.
    pub fn client(&self, branch: &[u8], method: &Method) -> Key {
        let mut key = self.begin(Kind::Client);
        key.field(branch);
        key.field(method.as_str().as_bytes());
        key.finish()
    }

    /// The client transaction that a response is for, if its Via has a branch.
    pub fn of_response(&self, response: &Response) -> Option<Key> {
        // RFC 3261 §17.1.3: the method of the CSeq, since a CANCEL has the branch of what it cancels.
        Some(self.client(response.via().branch()?, &response.cseq().method))
    }

    /// RFC 3261 §17.2.3: branch, sent-by and method; for a peer of RFC 2543 what it has instead.
    ///
    /// `method` is the request's own, or INVITE to find what an ACK or a CANCEL means.
    pub fn server(&self, request: &Request, method: &Method) -> Key {
        let via = request.via();
        let Some(branch) = modern_branch(via) else { return self.legacy(request, Kind::Legacy, method) };
        let mut key = self.begin(Kind::Server);
        key.field(branch);
        key.host(via.sent_by_host());
        key.number(via.sent_by_port().unwrap_or(DEFAULT_PORT).into());
        key.field(method.as_str().as_bytes());
        key.finish()
    }

    /// The second key of an INVITE of a peer of RFC 2543, by which its ACK is found: everything but the To tag, which is
    /// that of our response. `None` for a request with a branch of RFC 3261.
    pub fn legacy_ack(&self, request: &Request) -> Option<Key> {
        match modern_branch(request.via()) {
            Some(_) => None,
            None => Some(self.legacy(request, Kind::LegacyAck, &Method::ACK)),
        }
    }

    fn legacy(&self, request: &Request, kind: Kind, method: &Method) -> Key {
        let mut key = self.begin(kind);
        key.field(request.uri().as_bytes());
        key.optional(request.from().tag());
        key.field(request.call_id());
        key.number(request.cseq().number);
        key.field(request.via().raw());
        key.field(method.as_str().as_bytes());
        match kind {
            Kind::Client | Kind::Server | Kind::Legacy => key.optional(request.to().tag()),
            Kind::LegacyAck => {}
        }
        key.finish()
    }

    fn begin(&self, kind: Kind) -> Draft {
        let mut draft = Draft(self.halves.each_ref().map(RandomState::build_hasher));
        draft.number(kind as u32);
        draft
    }
}

/// The branch if it can name a transaction: with the magic cookie, and not the bare cookie.
fn modern_branch(via: &Via) -> Option<&[u8]> {
    via.branch().filter(|_| via.is_rfc3261_branch())
}

struct Draft([AHasher; 2]);

impl Draft {
    fn field(&mut self, bytes: &[u8]) {
        for half in &mut self.0 {
            half.write_usize(bytes.len());
            half.write(bytes);
        }
    }

    fn optional(&mut self, bytes: Option<&[u8]>) {
        self.number(bytes.is_some().into());
        self.field(bytes.unwrap_or_default());
    }

    fn number(&mut self, number: u32) {
        for half in &mut self.0 {
            half.write_u32(number);
        }
    }

    /// Names are compared ignoring case, addresses by value.
    fn host(&mut self, host: &Host) {
        match host {
            Host::V4(ip) => self.field(&ip.octets()),
            Host::V6(ip) => self.field(&ip.octets()),
            Host::Name(name) => {
                self.number(name.len() as u32);
                for chunk in name.chunks(32) {
                    let mut lower = [0; 32];
                    lower[..chunk.len()].copy_from_slice(chunk);
                    lower.make_ascii_lowercase();
                    self.field(&lower);
                }
            }
        }
    }

    fn finish(self) -> Key {
        let [low, high] = self.0;
        (u128::from(high.finish()) << 64) | u128::from(low.finish())
    }
}

/// A key is a hash already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}
