//! All calls that a site answers itself, and the ports that their tones leave by: both are bounded.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::own_call::OwnCall;
use crate::sip::Request;
use crate::transmit::{RtpPort, SocketId};

/// Calls by the node's keys `K`, found by their dialogs too.
#[derive(Debug)]
pub struct OwnCalls<K> {
    all: BTreeMap<K, OwnCall>,
    dialogs: BTreeMap<(Bytes, String, Bytes), K>,
    ports: BTreeMap<RtpPort, K>,
    /// Where the search for a free port begins.
    start: u16,
}

impl<K: Copy + Ord> OwnCalls<K> {
    /// Most of them at once, those that are over and remembered for 32 s among them. One more is refused with 503.
    pub const MOST: usize = 10_000;

    /// None. `random` spreads the ports of sites on one machine.
    pub fn new(random: u64) -> Self {
        let start = u16::from_be_bytes([random.to_be_bytes()[0], random.to_be_bytes()[1]]);
        Self { all: BTreeMap::new(), dialogs: BTreeMap::new(), ports: BTreeMap::new(), start }
    }

    /// Whether no more can be taken.
    pub fn is_full(&self) -> bool {
        self.all.len() >= Self::MOST
    }

    /// Takes a new one.
    pub fn insert(&mut self, key: K, call: OwnCall) {
        self.dialogs.insert(call.dialog_id(), key);
        self.all.insert(key, call);
    }

    /// One of them.
    pub fn of(&mut self, key: K) -> Option<&mut OwnCall> {
        self.all.get_mut(&key)
    }

    /// The call that a request with a To tag is in.
    pub fn of_request(&self, request: &Request) -> Option<K> {
        if self.all.is_empty() {
            return None;
        }
        let ours = String::from_utf8(request.to().tag()?.to_vec()).ok()?;
        let theirs = Bytes::copy_from_slice(request.from().tag().unwrap_or_default());
        self.dialogs.get(&(Bytes::copy_from_slice(request.call_id()), ours, theirs)).copied()
    }

    /// Whether the same INVITE has come by another way before.
    pub fn has(&self, invite: &Request) -> bool {
        let call_id = Bytes::copy_from_slice(invite.call_id());
        let of_call = self.dialogs.range((call_id.clone(), String::new(), Bytes::new())..);
        let mut of_call = of_call.take_while(|((id, ..), _)| *id == call_id);
        of_call.any(|(_, key)| self.all.get(key).is_some_and(|call| call.is_of(invite)))
    }

    /// Forgets one.
    pub fn remove(&mut self, key: K) -> Option<OwnCall> {
        let call = self.all.remove(&key)?;
        self.dialogs.remove(&call.dialog_id());
        Some(call)
    }

    /// How many are going on.
    pub fn up(&self) -> usize {
        self.all.values().filter(|call| call.is_up()).count()
    }

    /// A free even port (RFC 3550 §11) of `range`, at that socket's address, for the call; of `shards` shards the one of this number has every
    /// so-manieth. `None` where all are taken.
    pub fn take_port(&mut self, socket: SocketId, range: (u16, u16), shard: u8, shards: u8, key: K) -> Option<RtpPort> {
        let (first, last) = (range.0.next_multiple_of(2), range.1);
        let (shard, step) = (u16::from(shard), u16::from(shards.max(1)));
        let places = (last.checked_sub(first)? / 2 + 1).saturating_sub(shard).div_ceil(step);
        let start = self.start.checked_rem(places)?;
        let mut ports =
            (start..places).chain(0..start).map(|place| RtpPort { socket, port: first + 2 * (place * step + shard) });
        let port = ports.find(|port| !self.ports.contains_key(port))?;
        // The next one begins behind it: a phone's late packets meet nobody.
        self.start = ((port.port - first) / 2 - shard) / step + 1;
        self.ports.insert(port, key);
        Some(port)
    }

    /// Whose port it is.
    pub fn of_port(&self, port: RtpPort) -> Option<K> {
        self.ports.get(&port).copied()
    }

    /// A port is free again.
    pub fn free_port(&mut self, port: RtpPort) {
        self.ports.remove(&port);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(range: (u16, u16), shard: u8, shards: u8) -> Vec<u16> {
        let mut calls = OwnCalls::<u32>::new(7 << 48);
        let mut taken: Vec<u16> = std::iter::from_fn(|| calls.take_port(SocketId(0), range, shard, shards, 1))
            .map(|port| port.port)
            .collect();
        taken.sort_unstable();
        taken
    }

    #[test]
    fn every_even_port_of_the_range_is_given_out_once() {
        assert_eq!(ports((40_000, 40_009), 0, 1), [40_000, 40_002, 40_004, 40_006, 40_008]);
        assert_eq!(ports((40_001, 40_004), 0, 1), [40_002, 40_004]);
        assert!(ports((40_001, 40_001), 0, 1).is_empty());
        assert_eq!(ports((65_533, 65_535), 0, 1), [65_534]);
    }

    #[test]
    fn shards_share_the_range() {
        let all: Vec<u16> = (0..3).flat_map(|shard| ports((40_000, 40_013), shard, 3)).collect();
        assert_eq!((all.len(), all[..3].to_vec()), (7, vec![40_000, 40_006, 40_012]));
        assert!(ports((40_000, 40_002), 2, 3).is_empty(), "more shards than ports");
    }

    #[test]
    fn a_port_that_was_given_back_comes_again_and_not_at_once() {
        let mut calls = OwnCalls::<u32>::new(0);
        let take = |calls: &mut OwnCalls<u32>, key| calls.take_port(SocketId(0), (4_000, 4_005), 0, 1, key);
        let first = take(&mut calls, 1).expect("a port");
        assert_eq!(calls.of_port(first), Some(1));
        calls.free_port(first);
        let second = take(&mut calls, 2).expect("a port");
        assert_ne!(first, second);
        assert!(take(&mut calls, 3).is_some() && take(&mut calls, 4) == Some(first) && take(&mut calls, 5).is_none());
    }
}
