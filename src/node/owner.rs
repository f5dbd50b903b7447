//! Which shard of a site owns what (DESIGN §1, Scaling up).
//!
//! ```text
//! a response                              the shard that the branch of its top Via names: it sent the request
//! REGISTER                                the shard of To's user: 201@V, 201@H and 201@REALM are one AOR
//! SUBSCRIBE                               the same: who watches an AOR is told by the shard that does its writes
//! MESSAGE with a link token and a user    the shard of that user: login, logout, displacement, settings
//! every other request                     the shard of its Call-ID
//! ```
//!
//! So a call's INVITE, its copies, its CANCEL, its ACK and what follows in its dialog meet in one shard whatever port they come from,
//! and everything that changes an AOR meets in the one that does all its writes. All that decides is bound by a link token: a replayed
//! request comes to the shard that remembers it.

use crate::ids::ShardId;
use crate::proxy::shard_of_branch;
use crate::sip::{Method, Name, Packet, Request, Response};

/// How the AORs and calls of a site are spread over its shards.
pub(super) struct Owners {
    key: [u8; 32],
    shards: u8,
}

impl Owners {
    /// For so many shards, at least one. `key` is secret: nobody can choose names that all fall on one shard.
    pub(super) fn new(key: [u8; 32], shards: u8) -> Self {
        Self { key, shards: shards.max(1) }
    }

    /// How many shards there are.
    pub(super) fn shards(&self) -> u8 {
        self.shards
    }

    /// Who owns a packet; `None`: whoever it came to.
    pub(super) fn of_packet(&self, packet: &Packet) -> Option<ShardId> {
        if self.shards == 1 {
            return None;
        }
        match packet {
            Packet::Request(request) => Some(self.of_request(request)),
            Packet::Response(response) => self.of_response(response),
            Packet::KeepAlive(_) => None,
        }
    }

    fn of_request(&self, request: &Request) -> ShardId {
        let is_control = request.method() == &Method::MESSAGE && request.header(&Name::HotdeskLink).is_some();
        let user = match *request.method() {
            Method::REGISTER | Method::SUBSCRIBE => request.to().uri().user(),
            _ if is_control => request.uri().user(),
            _ => None,
        };
        match user.filter(|user| !user.is_empty()) {
            Some(user) => self.of_user(&user),
            None => self.of(b"call", request.call_id()),
        }
    }

    fn of_response(&self, response: &Response) -> Option<ShardId> {
        shard_of_branch(response.via().branch()?).filter(|shard| shard.0 < self.shards)
    }

    /// Who does all writes for the AOR of that user.
    pub(super) fn of_user(&self, user: &str) -> ShardId {
        self.of(b"user", user.as_bytes())
    }

    fn of(&self, kind: &[u8; 4], name: &[u8]) -> ShardId {
        if self.shards == 1 {
            return ShardId(0);
        }
        let hash = blake3::Hasher::new_keyed(&self.key).update(kind).update(name).finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        // Below 255: there are no more shards.
        ShardId((u64::from_le_bytes(first) % u64::from(self.shards)) as u8)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::ids::Entropy;
    use crate::proxy::branch_with;
    use crate::settings::Limits;
    use crate::sip;

    fn owners() -> Owners {
        Owners::new([7; 32], 5)
    }

    fn packet(first: &str, via: &str, to: &str, call_id: &str, cseq: &str, more: &str) -> Packet {
        let text = format!(
            "{first}\r\nVia: SIP/2.0/UDP h;branch={via}\r\nFrom: <sip:a@h>;tag=1\r\nTo: <{to}>\r\nCall-ID: {call_id}\r\n\
             CSeq: 1 {cseq}\r\n{more}\r\n"
        );
        sip::parse(Bytes::from(text), &Limits::default()).expect("a message")
    }

    fn request(method: &str, uri: &str, to: &str, call_id: &str, more: &str) -> Option<ShardId> {
        owners().of_packet(&packet(&format!("{method} {uri} SIP/2.0"), "z9hG4bK1", to, call_id, method, more))
    }

    #[test]
    fn a_call_has_one_owner_whatever_is_sent_in_it() {
        for number in 0..50 {
            let call_id = number.to_string();
            let of = |method, uri| request(method, uri, "sip:202@h", &call_id, "");
            let invite = of("INVITE", "sip:202@h");
            assert!(["CANCEL", "ACK", "BYE", "PRACK", "MESSAGE"].iter().all(|method| of(method, "sip:x@y") == invite));
        }
    }

    #[test]
    fn an_aor_has_one_owner_however_it_is_written_and_whoever_speaks_of_it() {
        for number in 200..250 {
            let user = number.to_string();
            let owner = Some(owners().of_user(&user));
            for to in ["london.example", "paris.example", "hotdesk.example:5060;x=y"] {
                let register = |user: &str| request("REGISTER", "sip:h", &format!("sip:{user}@{to}"), "c", "");
                assert_eq!((register(&user), register(&format!("%32{}", &user[1..]))), (owner, owner));
            }
            let uri = format!("sip:{user}@london.example");
            assert_eq!(request("MESSAGE", &uri, "sip:x@h", "c", "Hotdesk-Link: token\r\n"), owner);
        }
    }

    #[test]
    fn what_names_no_user_belongs_to_its_call_id() {
        for number in 0..50 {
            let call_id = number.to_string();
            let owner = request("INVITE", "sip:202@h", "sip:202@h", &call_id, "");
            assert_eq!(request("MESSAGE", "sip:h", "sip:h", &call_id, "Hotdesk-Link: token\r\n"), owner);
            assert_eq!(request("OPTIONS", "sip:h", "sip:h", &call_id, "Hotdesk-Link: token\r\n"), owner);
            assert_eq!(request("REGISTER", "sip:h", "sip:h", &call_id, ""), owner);
        }
    }

    #[test]
    fn a_response_belongs_to_the_shard_that_its_branch_names_if_there_is_one() {
        let response = |shard| {
            let branch = branch_with(ShardId(shard), &mut Entropy::new([1; 32]), 0);
            owners().of_packet(&packet("SIP/2.0 200 OK", &branch, "sip:b@h", "c", "INVITE", ""))
        };
        assert_eq!([response(0), response(4), response(5)], [Some(ShardId(0)), Some(ShardId(4)), None]);
        assert!(owners().of_packet(&packet("SIP/2.0 200 OK", "z9hG4bKx", "sip:b@h", "c", "INVITE", "")).is_none());
    }

    #[test]
    fn every_shard_gets_its_part() {
        let mut parts = [0; 5];
        (0..5000).for_each(|number| parts[usize::from(owners().of_user(&number.to_string()).0)] += 1);
        assert!(parts.iter().all(|part| (900..1100).contains(part)), "{parts:?}");
    }

    #[test]
    fn one_shard_owns_everything_and_nothing_is_looked_at() {
        let alone = Owners::new([7; 32], 1);
        assert_eq!(alone.of_user("201"), ShardId(0));
        assert_eq!(alone.of_packet(&packet("BYE sip:h SIP/2.0", "z9hG4bK1", "sip:b@h", "c", "BYE", "")), None);
    }
}
