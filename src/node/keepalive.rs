//! Keep-alives to phones behind NAT: without them the way to a quiet phone closes (SPEC 4.3, `registrar.nat_keepalive`).
//!
//! A double CRLF (RFC 5626 §3.5.1) by the flow of the binding: a parser that knows nothing of it skips it (RFC 3261 §7.5), and
//! one that does answers, which opens the way from inside too. Each user has its own beat, begun at a random moment, so that a
//! site's keep-alives spread over the interval, also when all phones came at once.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

use super::Node;
use crate::ids::Extension;
use crate::location::{Binding, Record};
use crate::timing::Now;
use crate::transmit::Flow;

const PING: &[u8] = b"\r\n\r\n";

impl Node {
    /// A record is staged or extended: if a phone of it is behind NAT, its user gets a beat.
    pub(super) fn keep_alive(&mut self, now: Now, extension: &Extension, record: &Record) {
        self.keep_way_open(now, extension, record.bindings().iter().any(|binding| binding.nat));
    }

    /// The same for a phone of that user, in limbo or not.
    pub(super) fn keep_way_open(&mut self, now: Now, extension: &Extension, is_behind_nat: bool) {
        let interval = self.config.site.registrar.nat_keepalive;
        if interval.is_zero() || !is_behind_nat || self.keepalives.is_armed(extension) {
            return;
        }
        let half = interval / 2;
        let spread = self.entropy.below(u64::try_from(half.as_millis()).unwrap_or(u64::MAX).max(1));
        self.keepalives.arm(extension, now.instant + half + Duration::from_millis(spread));
    }

    /// A beat: what is committed counts.
    pub(super) fn send_keepalives(&mut self, now: Now, extension: &Extension) {
        let interval = self.config.site.registrar.nat_keepalive;
        let record = self.location.record(extension.as_str());
        let behind = |binding: &&Binding| binding.nat && binding.is_live(now.instant);
        let bindings = record.as_deref().map_or(&[][..], Record::bindings);
        // Somebody may sit at a phone in limbo.
        let in_limbo = self.location.in_limbo(extension.as_str(), now.instant);
        let all = bindings.iter().chain(&in_limbo).filter(behind);
        let flows: BTreeSet<Flow> = all.map(|binding| binding.flow).collect();
        if flows.is_empty() || interval.is_zero() {
            return;
        }
        flows.into_iter().for_each(|flow| self.send(flow, Bytes::from_static(PING)));
        self.keepalives.arm(extension, now.instant + interval);
    }
}
