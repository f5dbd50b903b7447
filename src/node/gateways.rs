//! Whether the trunks answer (SPEC 6.6): what becomes of calls is noted, what is down is skipped, and probed until it answers.

use std::time::{Duration, Instant};

use super::Node;
use super::handover::{FIRST, Parcel};
use super::tasks::{ClientTask, Key, Timer};
use crate::event::Event;
use crate::link::proof::trunk_mark;
use crate::proxy::branch_with;
use crate::settings::Trunk;
use crate::sip::{Draft, Method, Name, Response, Status};
use crate::timing::Now;
use crate::transaction::ClientId;
use crate::trunk::{Change, Failure, Gateway};

/// A probe has so long; the next one begins a transaction of its own.
const PROBE: Duration = Duration::from_secs(4);

/// A probe on its way.
#[derive(Debug)]
pub(super) struct Probe {
    gateway: Gateway,
    client: ClientId,
}

/// Every trunk of a site with its mark.
pub(super) fn marked(trunks: &[Trunk]) -> impl Iterator<Item = (u32, &Trunk)> {
    trunks.iter().map(|trunk| (trunk_mark(&trunk.name), trunk))
}

impl Node {
    /// A response came to a branch that went to a trunk.
    pub(super) fn gateway_answered(&mut self, now: Now, key: Key, branch: usize, status: Status) {
        let Some(gateway) = self.gateway_of(key, branch) else { return };
        if status == Status::SERVICE_UNAVAILABLE {
            return self.gateway_failed(now, gateway, Failure::Unavailable);
        }
        self.gateway_is_up(now, gateway);
    }

    /// A branch of an INVITE that went to a trunk was silent for too long, or met nobody.
    pub(super) fn branch_failed(&mut self, now: Now, key: Key, branch: usize, failure: Failure) {
        if let Some(gateway) = self.gateway_of(key, branch) {
            self.gateway_failed(now, gateway, failure);
        }
    }

    fn gateway_of(&mut self, key: Key, branch: usize) -> Option<Gateway> {
        self.calls.of(key)?.clients.get(branch)?.gateway
    }

    fn gateway_failed(&mut self, now: Now, gateway: Gateway, failure: Failure) {
        let change = self.commons.trunks.failed(now.instant, gateway, failure);
        self.say_change(now, change);
    }

    /// It has answered: who waits for its lines may have them.
    fn gateway_is_up(&mut self, now: Now, gateway: Gateway) {
        let change = self.commons.trunks.answered(gateway);
        if change.is_some() {
            self.risen.push_back(gateway.mark);
        }
        self.say_change(now, change);
    }

    fn say_change(&mut self, now: Now, change: Option<Change>) {
        let Some(change) = change else { return };
        if change.failure.is_some() && self.shard != FIRST {
            self.hand_over(now, FIRST, Parcel::Trunks);
        }
        self.say(match change.failure {
            Some(_) => Event::TrunkDown(change),
            None => Event::TrunkUp(change),
        });
    }

    /// When the first shard is to look at the trunks; the others need not.
    pub(super) fn next_look_at_trunks(&self) -> Option<Instant> {
        self.commons.trunks.poll_timeout().filter(|_| self.shard == FIRST)
    }

    /// Probes the trunks that are down, and asks for the names that are due.
    pub(super) fn look_at_trunks(&mut self, now: Now) {
        if self.next_look_at_trunks().is_none_or(|at| at > now.instant) {
            return;
        }
        self.look_up_names(now);
        for gateway in self.commons.trunks.probes(now.instant) {
            self.probe(now, gateway);
        }
    }

    /// RFC 3261 §11: OPTIONS changes nothing, and whatever answers it is there.
    fn probe(&mut self, now: Now, gateway: Gateway) {
        let trunk = marked(&self.config.site.trunks).find(|(mark, _)| *mark == gateway.mark);
        let Some((_, trunk)) = trunk else { return };
        let uri = format!("sip:{}", trunk.host);
        let flow = self.flow_to(gateway.address);
        let (hash, tag) = (self.entropy.next_u64(), self.entropy.token());
        let branch = branch_with(self.shard, &mut self.entropy, hash);
        let out = self.listen[usize::from(flow.socket.0)];
        let domain = self.entry.domain.clone();
        let bytes = Draft::request(&Method::OPTIONS, &uri)
            .header(&Name::Via, format!("SIP/2.0/UDP {out};branch={branch}"))
            .header(&Name::MaxForwards, "70")
            .header(&Name::From, format!("<sip:{domain}>;tag={tag}"))
            .header(&Name::To, format!("<{uri}>"))
            .header(&Name::CallId, format!("{}@{domain}", self.entropy.token()))
            .header(&Name::CSeq, "1 OPTIONS")
            .header(&Name::Accept, "application/sdp")
            .write();
        let key = self.next_key();
        let task = ClientTask::Probe(key);
        let begun = self.transactions.begin_client(now.instant, &Method::OPTIONS, branch.as_bytes(), bytes, flow, task);
        // A table that is full: the next probe comes.
        let Ok(client) = begun else { return };
        self.probes.insert(key, Probe { gateway, client });
        self.timers.arm(&Timer::Probe(key), now.instant + PROBE);
    }

    /// Whatever answers is there, but for a server that says itself that it is not (RFC 3261 §21.5.4).
    pub(super) fn probe_answered(&mut self, now: Now, key: Key, response: &Response) {
        let Some(gateway) = self.probes.of(key).map(|probe| probe.gateway) else { return };
        if response.status() != Status::SERVICE_UNAVAILABLE {
            self.gateway_is_up(now, gateway);
        }
        if response.status().is_final() {
            self.probes.remove(key);
        }
    }

    /// Nothing came, or there is nobody: the next probe follows by itself.
    pub(super) fn probe_failed(&mut self, key: Key) {
        if let Some(probe) = self.probes.remove(key) {
            self.transactions.abandon(probe.client);
        }
    }
}
