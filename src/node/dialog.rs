//! Requests inside a dialog, by the proof in our Record-Route (SPEC 9.7), and the ACK to a 2xx.

use std::net::SocketAddr;

use super::Node;
use super::phones::{ALLOW_TO_TRUNK, withholds};
use super::tally::tags_of;
use super::tasks::{Asked, Passing};
use crate::link::proof::{Peer, Proof, Side, trunk_mark};
use crate::proxy::{
    Caller, Dress, Kind, Rule, Stage, Standing, Target, branch_with, forward_request, is_nowhere, via_value,
};
use crate::rejection::Rejection;
use crate::settings::Trunk;
use crate::sip::{Method, Name, Request, Route, Status, Uri};
use crate::timing::Now;
use crate::transmit::{Flow, SocketId};

/// What our Route says about a request in a dialog.
struct Known {
    proof: Proof,
    /// Who sent the request.
    side: Side,
    /// How many Route values on top are ours.
    own_routes: usize,
    /// A strict router before us: the remote target stands in the last Route, which has this place (RFC 3261 §16.4).
    strict_last: Option<usize>,
    /// The Request-URI as it goes on.
    uri: Uri,
    /// What names the next hop: the first Route behind ours, else the Request-URI (§16.6 step 7).
    next_hop: Uri,
}

impl Known {
    /// Who sent the request.
    fn sender(&self) -> &Peer {
        self.proof.peer(self.side)
    }

    /// Whom it is for.
    fn receiver(&self) -> &Peer {
        self.proof.peer(self.side.other())
    }

    fn is_from_outside(&self) -> bool {
        matches!(self.sender(), Peer::Trunk { .. })
    }
}

impl Node {
    /// A request with a To tag: it goes to the other peer of its proof, or is challenged.
    pub(super) fn in_dialog(&mut self, now: Now, asked: Asked) {
        if self.asked_in_own_call(now, &asked) {
            return;
        }
        let Some(known) = self.dialog_of(now, &asked.request) else { return self.unproven_dialog(now, asked) };
        if let Err(rejection) = self.may_ask_in_dialog(&asked.request, &known) {
            return self.refuse_known(now, &asked, &rejection);
        }
        self.count_on_after_restart(now, &asked.request, &known.proof, known.side);
        let Some(target) = self.dialog_target(&asked.request, &known) else {
            return self.refuse_known(now, &asked, &Rejection::new(Status::CALL_DOES_NOT_EXIST));
        };
        let Some(max_forwards) = self.hops_left(&asked) else { return };
        self.live.passed(&asked.request, &tags_of(&asked.request));
        let plan = Passing {
            max_forwards,
            hash: 0,
            own_routes: known.own_routes,
            strict_last: known.strict_last,
            drop_routes: false,
            record_route: None,
            asserted: None,
            keep_identity: self.passes_identity(&asked, &known),
            from_outside: known.is_from_outside(),
            sees_withheld: self.keeps_identity(known.sender()),
            gives: String::new(),
            break_out: None,
        };
        let stage = Stage { targets: vec![target] };
        self.start_call(now, asked, Caller::Unknown, plan, vec![stage].into());
    }

    /// The ACK to a 2xx: passed on without a transaction, or dropped (SPEC 9.7).
    pub(super) fn acknowledged(&mut self, now: Now, asked: Asked) {
        if self.own_call_acknowledged(now, &asked) {
            return;
        }
        let Some(known) = self.dialog_of(now, &asked.request) else { return };
        let Some(max_forwards) = asked.request.max_forwards().unwrap_or(70).checked_sub(1) else { return };
        let Some(target) = self.dialog_target(&asked.request, &known) else { return };
        let out = self.listen[usize::from(target.flow.socket.0).min(self.listen.len() - 1)];
        // A copy of the ACK must not look like another one to the next hop: its branch follows from the one it has.
        let hash = blake3::keyed_hash(&self.secret, asked.request.via().raw());
        let (mut seed, mut first) = ([0; 32], [0; 8]);
        seed.copy_from_slice(hash.as_bytes());
        first.copy_from_slice(&hash.as_bytes()[..8]);
        let branch = branch_with(self.shard, &mut crate::ids::Entropy::new(seed), u64::from_le_bytes(first));
        let via = via_value(out, &branch);
        let dress = Dress {
            stamp: asked.stamp,
            via: &via,
            own_routes: known.own_routes,
            strict_last: known.strict_last,
            max_forwards,
            keep_identity: self.passes_identity(&asked, &known),
            from_outside: known.is_from_outside(),
            realm: &self.config.network.realm,
            shows: target.shows.clone(),
            credentials: self.shown_with_ack(&asked.request),
            ..Dress::default()
        };
        let bytes = forward_request(&asked.request, &target, &dress);
        self.send(target.flow, bytes);
    }

    /// Max-Forwards for the next hop; a request that has none left is refused here.
    pub(super) fn hops_left(&mut self, asked: &Asked) -> Option<u32> {
        // RFC 3261 §16.6 step 3: 70 where there is none.
        let left = asked.request.max_forwards().unwrap_or(71).checked_sub(1);
        if left.is_none() {
            self.refuse_statelessly(asked, &Rejection::new(Status::TOO_MANY_HOPS));
        }
        left
    }

    /// SPEC 9.7: without a valid proof a phone is challenged, and a trunk or a stranger told that there is no such call.
    fn unproven_dialog(&mut self, now: Now, asked: Asked) {
        // RFC 3261 §10.2: a REGISTER begins no dialog, and a tag in its To means nothing.
        if asked.request.method() == &Method::REGISTER {
            return self.register(now, asked);
        }
        let gone = Rejection::new(Status::CALL_DOES_NOT_EXIST);
        if self.source_trunk(asked.source.remote).is_some() || !self.is_from_network(&asked) {
            return self.refuse_statelessly(&asked, &gone);
        }
        match self.authenticate(now, &asked) {
            Ok(proven) if asked.request.method() == &Method::SUBSCRIBE => {
                self.subscribe_again(now, &asked, &proven.account);
            }
            Ok(_) => self.refuse_known(now, &asked, &gone),
            Err(rejection) => self.refuse_statelessly(&asked, &rejection),
        }
    }

    /// SPEC 9.5, 9.9: a carrier makes no phone dial, and no carrier is made to unless it wants to.
    fn may_ask_in_dialog(&self, request: &Request, known: &Known) -> Result<(), Rejection> {
        let refers = request.method() == &Method::REFER;
        if known.is_from_outside() && (refers || request.header(&Name::Replaces).is_some()) {
            return Err(Rejection::new(Status::FORBIDDEN));
        }
        if request.method() == &Method::INVITE && !self.may_invite_again(request, known) {
            return Err(Rejection::new(Status::CALL_DOES_NOT_EXIST));
        }
        match known.receiver() {
            Peer::Trunk { mark, .. } if refers && !self.trunk_of(*mark).is_some_and(|trunk| trunk.refer) => {
                Err(Rejection::new(Status::METHOD_NOT_ALLOWED).with(Name::Allow, ALLOW_TO_TRUNK))
            }
            Peer::Trunk { .. } | Peer::Phone { .. } | Peer::Site(_) => Ok(()),
        }
    }

    /// Whether an INVITE in a dialog with a trunk is of a call that is up: the proof of a call that was never answered, or is over,
    /// brings nobody to a trunk past the dial plan. Of calls before a restart nothing is known but their proof.
    fn may_invite_again(&self, request: &Request, known: &Known) -> bool {
        match (known.receiver(), self.live.standing(&tags_of(request))) {
            (Peer::Phone { .. } | Peer::Site(_), _) | (Peer::Trunk { .. }, Standing::Up) => true,
            (Peer::Trunk { .. }, Standing::NotOfThisCall) => false,
            (Peer::Trunk { .. }, Standing::Unknown) => !self.links.made(&known.proof),
        }
    }

    /// RFC 3325 §5: identities are believed from another site, and from a trunk that the plan trusts; never from a phone.
    pub(super) fn keeps_identity(&self, sender: &Peer) -> bool {
        match sender {
            Peer::Site(_) => true,
            Peer::Trunk { mark, .. } => self.trunk_of(*mark).is_some_and(|trunk| trunk.trusted),
            Peer::Phone { .. } => false,
        }
    }

    /// Whether the identities in a request reach the other side: those who are believed see what is withheld too (RFC 3325 §7).
    fn passes_identity(&self, asked: &Asked, known: &Known) -> bool {
        self.keeps_identity(known.sender()) && (self.keeps_identity(known.receiver()) || !withholds(asked))
    }

    /// The trunk with that mark, if it is still there.
    pub(super) fn trunk_of(&self, mark: u32) -> Option<&Trunk> {
        self.config.site.trunks.iter().find(|trunk| trunk_mark(&trunk.name) == mark)
    }

    fn dialog_of(&self, now: Now, request: &Request) -> Option<Known> {
        let mut routes: Vec<Route> = request.routes().ok()?;
        // RFC 3261 §16.4: a strict router put our own Record-Route URI into the Request-URI, and the target into the last Route.
        let strict = Some(request.uri()).filter(|uri| self.names.is_our_route(uri));
        let strict = strict.and_then(|uri| self.open_proof(now, request, uri));
        let (strict_last, uri) = match &strict {
            Some(_) => {
                let target = routes.pop()?;
                (Some(routes.len()), target.uri)
            }
            None => (None, request.uri().clone()),
        };
        let own_routes = routes.iter().take_while(|route| self.names.is_our_route(&route.uri)).count();
        let ours = || routes.iter().take(own_routes);
        let (proof, side) = strict.or_else(|| ours().find_map(|route| self.open_proof(now, request, &route.uri)))?;
        let next_hop = routes.get(own_routes).map_or_else(|| uri.clone(), |route| route.uri.clone());
        Some(Known { proof, side, own_routes, strict_last, uri, next_hop })
    }

    fn open_proof(&self, now: Now, request: &Request, uri: &Uri) -> Option<(Proof, Side)> {
        self.links.open_proof(now, request, uri.user()?.as_bytes())
    }

    /// SPEC 9.7: only to the other peer, if it is still one. A phone's contact may name another port of the same host, but never a
    /// trunk or a site; a trunk's may name another address of that trunk.
    fn dialog_target(&self, request: &Request, known: &Known) -> Option<Target> {
        let peer = *known.receiver();
        let flow = match peer {
            Peer::Phone { flow, .. } if self.is_reserved(flow.remote) => return None,
            Peer::Phone { flow, nat: true } => flow,
            Peer::Phone { flow, nat: false } => {
                let remote = same_host(&known.next_hop, flow.remote, |named| !self.is_reserved(named));
                Flow { remote, ..flow }
            }
            Peer::Trunk { mark, flow } => {
                let is_its = |named| !self.is_reserved(named) || self.mark_at(named) == Some(mark);
                Flow { remote: same_host(&known.next_hop, flow.remote, is_its), ..flow }
            }
            Peer::Site(number) => self.flow_to(self.site_by_number(number)?.address),
        };
        let uri = known.uri.as_bytes().clone();
        Some(Target {
            uri,
            flow,
            path: Vec::new(),
            peer,
            kind: Kind::Phone,
            rule: Rule::Dialog,
            asserted: None,
            shows: self.shows_inside(request, &known.proof, known.side),
            max_breadth: None,
            counts: None,
            manner: None,
            conveys: None,
        })
    }

    /// The mark of the trunk that sends from that address.
    fn mark_at(&self, address: SocketAddr) -> Option<u32> {
        let trunk = self.config.site.trunks.get(self.source_trunk(address)?)?;
        Some(trunk_mark(&trunk.name))
    }

    /// The first socket of the peer's address family.
    pub(super) fn socket_towards(&self, remote: SocketAddr) -> SocketId {
        let same = self.listen.iter().position(|ours| ours.is_ipv4() == remote.is_ipv4());
        SocketId(same.unwrap_or(0) as u8)
    }

    /// Whether it is one of ours to challenge: a phone's From is in the network's names or hides who calls (RFC 3323 §4.1.1.3), or
    /// the phone has answered a challenge of ours.
    pub(super) fn is_from_network(&self, asked: &Asked) -> bool {
        let from = asked.request.from();
        from.uri().host().is_some_and(|host| self.names.is_in_network(host) || is_nowhere(host))
            || self.credentials(asked, &Name::ProxyAuthorization).is_some()
    }

    /// Whether the method begins a dialog in which we stay (RFC 3261 §16.6 step 4).
    pub(super) fn begins_dialog(method: &Method) -> bool {
        matches!(*method, Method::INVITE | Method::SUBSCRIBE | Method::REFER)
    }
}

/// The address that a URI names, where it is of the peer's host and may be the peer's; else the peer's own.
fn same_host(uri: &Uri, peer: SocketAddr, may_be: impl Fn(SocketAddr) -> bool) -> SocketAddr {
    let Some(ip) = uri.host().and_then(|host| host.ip()).filter(|ip| *ip == peer.ip()) else { return peer };
    let named = SocketAddr::new(ip, uri.port().unwrap_or(5060));
    if may_be(named) { named } else { peer }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_may_name_another_port_of_its_host_and_no_other_host() {
        let peer: SocketAddr = ([192, 0, 2, 7], 5062).into();
        let to = |uri: &'static str, free: bool| same_host(&Uri::parse(uri).expect(uri), peer, |_| free).to_string();
        assert_eq!(to("sip:a@192.0.2.7:9", true), "192.0.2.7:9");
        assert_eq!(to("sip:a@192.0.2.7", true), "192.0.2.7:5060");
        assert_eq!(to("sip:a@192.0.2.7:9", false), "192.0.2.7:5062");
        assert_eq!(to("sip:a@192.0.2.8:9", true), "192.0.2.7:5062");
        assert_eq!(to("sip:a@phone.example", true), "192.0.2.7:5062");
    }
}
