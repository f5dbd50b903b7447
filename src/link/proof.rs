//! The proof in our Record-Route URIs (SPEC 9.7): `sip:PROOF@host:port;lr`.
//!
//! The proxy mints one when it record-routes a request and opens it when a request within a dialog comes back by its
//! Route: such a request goes to the other peer that is named there and nowhere else. Nothing is kept here, so dialogs live
//! through a restart. The text is base64url, which a user part takes as it is, and has at most 250 characters.
//!
//! ```text
//! 1 | key id 2 | caller's peer | callee's peer | fields … | MAC 16     2 instead of 1: all between key id and MAC is hidden
//! peer: 1 phone, IPv4: socket 1, address 4, port 2     2 phone, IPv6: … 16 …     3 site: number 2
//!       4 trunk, IPv4: mark 4, socket 1, address 4, port 2     5 trunk, IPv6     16 added: behind NAT
//! ```
//!
//! | tag | field | value |
//! |---|---|---|
//! | 1 | From as the caller wrote it | name-addr or addr-spec, without parameters |
//! | 2 | From as the callee saw it | how many bytes at the begin of field 1 stand here too 1, how many at its end 1, those between |
//! | 3 | shift of CSeq towards the callee | number |
//! | 4 | the boot of the site that made it | number, 32 bits |
//!
//! Unknown fields are skipped, from tag 128 on they make the proof useless. The MAC is over these bytes, the Call-ID and
//! the caller's tag: whose tag is in From of a later request is who sends it. Both URIs of a doubled Record-Route
//! (RFC 5658) carry the same proof. What holds a rewritten From is hidden from carriers, for whom it may have been withheld
//! (RFC 3323): by a stream that follows from the MAC, which is over what is hidden (the way of RFC 5297).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::fields::{Fields, MUST, array, byte, number, put, put_number};
use super::keys::{Key, KeyId, Mac, Source};
use super::token::decode;
use crate::ids::{SiteName, SiteNumber};
use crate::settings::Secret;
use crate::timing::Wall;
use crate::transmit::{Flow, SocketId};

/// Longest proof, in characters.
pub const MOST: usize = 250;

const CLEAR: u8 = 1;
const HIDDEN: u8 = 2;
/// Version and key id.
const HEAD: usize = 3;
const BYTES: usize = MOST * 3 / 4;
const NAT: u8 = 16;

/// One of the two sides of a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who sent the request that began it.
    Caller,
    /// Who answered.
    Callee,
}

/// Where a side of a dialog is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A phone of this site.
    Phone {
        /// The flow of its binding, or of its request.
        flow: Flow,
        /// Behind NAT: all requests go to the flow, whatever the Request-URI says.
        nat: bool,
    },
    /// Another site.
    Site(SiteNumber),
    /// A trunk of this site.
    Trunk {
        /// By its name: [`trunk_mark`].
        mark: u32,
        /// Where the dialog's requests go.
        flow: Flow,
    },
}

/// A From that was rewritten towards the callee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// As the caller wrote it: name-addr or addr-spec, without parameters. Empty: it is not restored, for want of room.
    pub was: Vec<u8>,
    /// As the callee saw it.
    pub is: Vec<u8>,
}

/// What a Record-Route URI of ours says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Where the caller is.
    pub caller: Peer,
    /// Where the callee is.
    pub callee: Peer,
    /// From towards the callee.
    pub from: Option<Rewritten>,
    /// Added to CSeq numbers towards the callee (SPEC 9.10).
    pub cseq_shift: u32,
    /// The start of the process that made it, which knows what became of the call; 0: not said.
    pub boot: u32,
}

/// The keys for proofs of one site.
#[derive(Clone, Debug)]
pub struct RouteKeys {
    current: RouteKey,
    /// With the end of each; `None`: as long as it is configured.
    previous: Vec<(RouteKey, Option<Wall>)>,
}

#[derive(Clone, Debug)]
struct RouteKey {
    id: KeyId,
    key: Key,
    cipher: Key,
}

/// Says which trunk is meant, whatever its place in the file.
pub fn trunk_mark(name: &str) -> u32 {
    let [a, b, c, d, ..] = *blake3::hash(name.as_bytes()).as_bytes();
    u32::from_be_bytes([a, b, c, d])
}

impl RouteKeys {
    /// From the link secret, or where there is none from 32 bytes that the site keeps. `previous` is accepted as long as it is given.
    pub fn new(own: &SiteName, secret: &Secret, previous: Option<&Secret>) -> Self {
        let derive = |secret: &Secret| {
            let source = Source::new(secret);
            let cipher = source.key(&["route, hidden", own.as_str()]);
            RouteKey { id: source.id(), key: source.key(&["route", own.as_str()]), cipher }
        };
        Self { current: derive(secret), previous: previous.map(|secret| (derive(secret), None)).into_iter().collect() }
    }

    /// Takes over new keys; the one in use until now stays good for `session_cap`.
    pub fn replace(&mut self, now: Wall, new: RouteKeys, session_cap: Duration) {
        let old = std::mem::replace(self, new);
        let end = now.plus(session_cap);
        // A previous secret counts by the configuration alone, unless it was replaced in this process.
        let running = old.previous.into_iter().filter_map(|(key, until)| Some((key, until?)));
        for (key, until) in std::iter::once((old.current, end)).chain(running) {
            if until > now && self.current.key.bytes() != key.key.bytes() {
                self.previous.push((key, Some(until)));
            }
        }
    }

    /// The user part of a Record-Route URI. `None` if what is to be restored does not fit into 250 characters.
    pub fn mint(&self, proof: &Proof, call_id: &[u8], caller_tag: &[u8]) -> Option<String> {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.push(if proof.from.is_some() { HIDDEN } else { CLEAR });
        bytes.extend_from_slice(&self.current.id.0.to_be_bytes());
        put_peer(&mut bytes, &proof.caller);
        put_peer(&mut bytes, &proof.callee);
        if let Some(Rewritten { was, is }) = &proof.from {
            if was.len().max(is.len()) > BYTES {
                return None;
            }
            put(&mut bytes, 1, was);
            put(&mut bytes, 2, &change(was, is));
        }
        if proof.cseq_shift != 0 {
            put_number(&mut bytes, 3, u64::from(proof.cseq_shift));
        }
        if proof.boot != 0 {
            put_number(&mut bytes, 4, u64::from(proof.boot));
        }
        let mac = self.current.key.mac(&[&bytes, call_id, caller_tag]);
        self.current.hide(&mac, &mut bytes);
        bytes.extend_from_slice(&mac.0);
        (bytes.len() <= BYTES).then(|| URL_SAFE_NO_PAD.encode(&bytes))
    }

    /// Opens the user part of a Route URI of a request within a dialog, and tells which side sends the request.
    pub fn open(
        &self,
        now: Wall,
        text: &[u8],
        call_id: &[u8],
        from_tag: &[u8],
        to_tag: &[u8],
    ) -> Option<(Proof, Side)> {
        let mut buffer = [0; BYTES + 3];
        let length = decode(text, MOST, &mut buffer)?.len();
        let (signed, mac) = buffer.get_mut(..length)?.split_last_chunk_mut::<{ Mac::BYTES }>()?;
        let mac = Mac(*mac);
        let mut head: &[u8] = signed;
        if !matches!(byte(&mut head)?, CLEAR | HIDDEN) {
            return None;
        }
        let id = KeyId(u16::from_be_bytes(array(&mut head)?));
        let good = |until: Option<Wall>| until.is_none_or(|until| now < until);
        for (known, _) in self.all().filter(|(key, until)| key.id == id && good(*until)) {
            known.hide(&mac, signed);
            let proves = |tag: &[u8]| known.key.mac(&[signed, call_id, tag]) == mac;
            let side = if proves(from_tag) { Some(Side::Caller) } else { proves(to_tag).then_some(Side::Callee) };
            if let Some(side) = side {
                return Some((Proof::read(signed.get(HEAD..)?)?, side));
            }
            known.hide(&mac, signed);
        }
        None
    }

    fn all(&self) -> impl Iterator<Item = (&RouteKey, Option<Wall>)> {
        std::iter::once((&self.current, None)).chain(self.previous.iter().map(|(key, until)| (key, *until)))
    }
}

impl RouteKey {
    /// Hides what is to be hidden of a proof with this MAC, or shows it again.
    fn hide(&self, mac: &Mac, bytes: &mut [u8]) {
        if let [HIDDEN, _, _, rest @ ..] = bytes {
            let mut stream = [0; BYTES];
            blake3::Hasher::new_keyed(self.cipher.bytes()).update(&mac.0).finalize_xof().fill(&mut stream);
            rest.iter_mut().zip(stream).for_each(|(byte, hides)| *byte ^= hides);
        }
    }
}

impl Side {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Side::Caller => Side::Callee,
            Side::Callee => Side::Caller,
        }
    }
}

impl Proof {
    /// With nothing to restore.
    pub fn between(caller: Peer, callee: Peer) -> Self {
        Self { caller, callee, from: None, cseq_shift: 0, boot: 0 }
    }

    /// Where that side is: a request goes to `peer(sender.other())`.
    pub fn peer(&self, side: Side) -> &Peer {
        match side {
            Side::Caller => &self.caller,
            Side::Callee => &self.callee,
        }
    }

    fn read(mut rest: &[u8]) -> Option<Self> {
        let mut proof = Self::between(peer(&mut rest)?, peer(&mut rest)?);
        let (mut was, mut is) = (None, None);
        for field in Fields(rest) {
            match field.ok()? {
                (1, value) => was = Some(value.to_vec()),
                (2, value) => is = Some(value.to_vec()),
                (3, value) => proof.cseq_shift = number(value)?.try_into().ok()?,
                (4, value) => proof.boot = number(value)?.try_into().ok()?,
                (MUST.., _) => return None,
                _ => {}
            }
        }
        proof.from = match was.zip(is) {
            Some((was, by)) => Some(Rewritten { is: changed(&was, &by)?, was }),
            None => None,
        };
        Some(proof)
    }
}

/// What makes `is` of `was`: both have much in common, and a Record-Route is to stay short.
fn change(was: &[u8], is: &[u8]) -> Vec<u8> {
    let same = |pair: &(&u8, &u8)| pair.0 == pair.1;
    let most = was.len().min(is.len()).min(usize::from(u8::MAX));
    let begin = was.iter().zip(is).take(most).take_while(same).count();
    let end = was.iter().rev().zip(is.iter().rev()).take(most - begin).take_while(same).count();
    let between = is.get(begin..is.len() - end).unwrap_or_default();
    let mut bytes = vec![begin as u8, end as u8];
    bytes.extend_from_slice(between);
    bytes
}

/// Undoes [`change`]; `None` for what it never says.
fn changed(was: &[u8], by: &[u8]) -> Option<Vec<u8>> {
    let (&[begin, end], between) = by.split_first_chunk()?;
    let (begin, end) = (was.get(..begin.into())?, was.len().checked_sub(end.into())?);
    Some([begin, between, was.get(end..)?].concat())
}

fn put_peer(out: &mut Vec<u8>, peer: &Peer) {
    let family = |flow: &Flow| u8::from(flow.remote.is_ipv6());
    match peer {
        Peer::Phone { flow, nat } => {
            out.push((1 + family(flow)) | if *nat { NAT } else { 0 });
            put_flow(out, flow);
        }
        Peer::Site(number) => {
            out.push(3);
            out.extend_from_slice(&number.0.to_be_bytes());
        }
        Peer::Trunk { mark, flow } => {
            out.push(4 + family(flow));
            out.extend_from_slice(&mark.to_be_bytes());
            put_flow(out, flow);
        }
    }
}

fn put_flow(out: &mut Vec<u8>, flow: &Flow) {
    out.push(flow.socket.0);
    match flow.remote.ip() {
        IpAddr::V4(ip) => out.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => out.extend_from_slice(&ip.octets()),
    }
    out.extend_from_slice(&flow.remote.port().to_be_bytes());
}

fn peer(rest: &mut &[u8]) -> Option<Peer> {
    let kind = byte(rest)?;
    let nat = kind & NAT != 0;
    match kind & !NAT {
        1 => Some(Peer::Phone { flow: flow::<4>(rest)?, nat }),
        2 => Some(Peer::Phone { flow: flow::<16>(rest)?, nat }),
        3 => Some(Peer::Site(SiteNumber(u16::from_be_bytes(array(rest)?)))),
        4 => Some(Peer::Trunk { mark: u32::from_be_bytes(array(rest)?), flow: flow::<4>(rest)? }),
        5 => Some(Peer::Trunk { mark: u32::from_be_bytes(array(rest)?), flow: flow::<16>(rest)? }),
        _ => None,
    }
}

fn flow<const N: usize>(rest: &mut &[u8]) -> Option<Flow>
where
    IpAddr: From<[u8; N]>,
{
    let socket = SocketId(byte(rest)?);
    let ip = IpAddr::from(array::<N>(rest)?);
    Some(Flow { socket, remote: SocketAddr::new(ip, u16::from_be_bytes(array(rest)?)) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Wall = Wall(1_790_000_000_000);
    const CAP: Duration = Duration::from_secs(43_200);
    const CALL: &[u8] = b"a84b4c76e66710@pc33.london.example";

    fn keys(secret: u8, previous: Option<u8>) -> RouteKeys {
        let bytes = |byte| Secret(vec![byte; 32]);
        RouteKeys::new(&SiteName::new("london"), &bytes(secret), previous.map(bytes).as_ref())
    }

    fn phone(address: &str) -> Peer {
        Peer::Phone { flow: Flow { socket: SocketId(1), remote: address.parse().expect("an address") }, nat: true }
    }

    fn trunk(address: &str) -> Peer {
        let flow = Flow { socket: SocketId(0), remote: address.parse().expect("an address") };
        Peer::Trunk { mark: trunk_mark("bt-1"), flow }
    }

    fn rewritten() -> Proof {
        let from = Rewritten {
            was: br#""Ada Lovelace" <sip:201@london.example>"#.to_vec(),
            is: b"<sip:+442071230201@london.example>".to_vec(),
        };
        let between = Proof::between(phone("[2001:db8::7]:5060"), trunk("[2001:db8::1]:5080"));
        Proof { from: Some(from), cseq_shift: 1, ..between }
    }

    fn open(keys: &RouteKeys, text: &str) -> Option<(Proof, Side)> {
        keys.open(NOW, text.as_bytes(), CALL, b"caller", b"callee")
    }

    #[test]
    fn a_proof_tells_both_peers_and_who_is_speaking() {
        let proof = Proof::between(phone("192.0.2.7:50601"), Peer::Site(SiteNumber(2)));
        let text = keys(1, None).mint(&proof, CALL, b"caller").expect("it fits");
        assert_eq!(open(&keys(1, None), &text), Some((proof.clone(), Side::Caller)));
        let back = keys(1, None).open(NOW, text.as_bytes(), CALL, b"callee", b"caller");
        assert_eq!(back, Some((proof.clone(), Side::Callee)));
        assert_eq!(proof.peer(Side::Callee.other()), &phone("192.0.2.7:50601"));
    }

    #[test]
    fn it_is_short_and_never_too_long() {
        let mint = |proof: &Proof| keys(1, None).mint(proof, CALL, b"caller");
        let ordinary = mint(&Proof::between(phone("192.0.2.7:50601"), trunk("192.0.2.1:5060"))).expect("it fits");
        assert!(ordinary.len() < 60, "{}", ordinary.len());
        let full = mint(&rewritten()).expect("it fits");
        assert!(full.len() > 150 && full.len() <= 210, "{}", full.len());
        assert!(full.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_')));
        assert_eq!(open(&keys(1, None), &full), Some((rewritten(), Side::Caller)));
        // Both sides of the limit: 250 characters carry 187 bytes, of which 71 are taken and 6 are tags and lengths.
        let long = |was: usize| Proof {
            from: Some(Rewritten { was: vec![b'x'; was], is: vec![] }),
            cseq_shift: 0,
            ..rewritten()
        };
        let most = (0..300).rev().find(|&was| mint(&long(was)).is_some()).expect("some length fits");
        assert_eq!(mint(&long(most)).map(|text| text.len()), Some(MOST));
        assert_eq!((mint(&long(most + 1)), mint(&long(5000))), (None, None));
        assert!(open(&keys(1, None), &mint(&long(most)).expect("it fits")).is_some());
    }

    #[test]
    fn a_from_that_was_rewritten_is_not_to_be_read_by_others() {
        let text = keys(1, None).mint(&rewritten(), CALL, b"caller").expect("it fits");
        let bytes = URL_SAFE_NO_PAD.decode(text).expect("base64url");
        assert!(!bytes.windows(5).any(|five| b"Ada Lovelace".windows(5).any(|own| own == five)));
        let again = keys(1, None).mint(&rewritten(), b"another", b"caller").expect("it fits");
        let again = URL_SAFE_NO_PAD.decode(again).expect("base64url");
        let same = bytes.iter().zip(&again).skip(HEAD).filter(|(one, other)| one == other).count();
        assert!(same < 20, "another call has another stream: {same}");
    }

    #[test]
    fn it_proves_one_call_of_one_site_only() {
        let text = keys(1, None).mint(&rewritten(), CALL, b"caller").expect("it fits");
        let text = text.as_bytes();
        let keys = keys(1, None);
        assert!(keys.open(NOW, text, CALL, b"caller", b"").is_some());
        assert_eq!(keys.open(NOW, text, b"another", b"caller", b"callee"), None);
        assert_eq!(keys.open(NOW, text, CALL, b"stranger", b"callee"), None);
        assert_eq!(keys.open(NOW, text, CALL, b"", b""), None);
        let paris = RouteKeys::new(&SiteName::new("paris"), &Secret(vec![1; 32]), None);
        assert_eq!(paris.open(NOW, text, CALL, b"caller", b"callee"), None);
    }

    #[test]
    fn an_old_key_is_good_for_session_cap() {
        let mut running = keys(1, None);
        let text = running.mint(&rewritten(), CALL, b"caller").expect("it fits");
        running.replace(NOW, keys(2, None), CAP);
        let at = |keys: &RouteKeys, now| keys.open(now, text.as_bytes(), CALL, b"caller", b"callee").is_some();
        assert!(at(&running, Wall(NOW.plus(CAP).0 - 1)) && !at(&running, NOW.plus(CAP)));
        // Another change does not prolong it, the same secret again is no change.
        running.replace(NOW.plus(CAP / 2), keys(3, None), CAP);
        running.replace(NOW.plus(CAP / 2), keys(3, None), CAP);
        assert!(at(&running, Wall(NOW.plus(CAP).0 - 1)) && !at(&running, NOW.plus(CAP)));
        assert_eq!(running.previous.len(), 2);
        // Nor does it end early when the configuration stops naming it.
        let mut running = keys(1, None);
        running.replace(NOW, keys(2, Some(1)), CAP);
        running.replace(NOW.plus(CAP / 2), keys(2, None), CAP);
        assert!(at(&running, Wall(NOW.plus(CAP).0 - 1)) && !at(&running, NOW.plus(CAP)));
        // One that was configured as the previous from the start goes when it is not any more.
        let mut restarted = keys(2, Some(1));
        assert!(at(&restarted, NOW));
        restarted.replace(NOW, keys(2, None), CAP);
        assert!(!at(&restarted, NOW));
        // After a restart the previous secret is accepted as long as it is configured.
        assert!(at(&keys(2, Some(1)), NOW.plus(CAP * 2)) && !at(&keys(2, None), NOW));
    }

    #[test]
    fn the_form_stays_as_it_is() {
        insta::assert_snapshot!(keys(1, None).mint(&rewritten(), CALL, b"caller").expect("it fits"));
    }

    proptest! {
        #[test]
        fn no_changed_byte_is_believed(at in 0usize..200, bit in 0u8..8) {
            let text = keys(1, None).mint(&rewritten(), CALL, b"caller").expect("it fits");
            let mut bytes = URL_SAFE_NO_PAD.decode(text).expect("base64url");
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(open(&keys(1, None), &URL_SAFE_NO_PAD.encode(bytes)), None);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Proof::read(&bytes);
            prop_assert_eq!(keys(1, None).open(NOW, &bytes, CALL, b"caller", b"callee"), None);
            prop_assert_eq!(open(&keys(1, None), &URL_SAFE_NO_PAD.encode(bytes)), None);
        }

        #[test]
        fn any_proof_comes_back(
            ip: std::net::IpAddr, port: u16, socket: u8, nat: bool, mark: u32, site: u16, cseq_shift: u32, boot: u32,
            was in proptest::collection::vec(any::<u8>(), 0..50), is in proptest::collection::vec(any::<u8>(), 0..50),
        ) {
            let flow = Flow { socket: SocketId(socket), remote: SocketAddr::new(ip, port) };
            for (caller, callee) in [
                (Peer::Phone { flow, nat }, Peer::Site(SiteNumber(site))),
                (Peer::Trunk { mark, flow }, Peer::Phone { flow, nat }),
            ] {
                let from = Some(Rewritten { was: was.clone(), is: is.clone() });
                let proof = Proof { caller, callee, from, cseq_shift, boot };
                let text = keys(1, None).mint(&proof, CALL, b"caller").expect("it fits");
                prop_assert_eq!(open(&keys(1, None), &text), Some((proof, Side::Caller)));
            }
        }
    }
}
