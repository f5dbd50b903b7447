//! What comes in by a socket, as far as the branch where it belongs (SPEC 9.5).

use bytes::Bytes;

use super::Node;
use super::handover::Parcel;
use super::route::number_of;
use super::tasks::{Asked, ClientTask};
use crate::event::Event;
use crate::proxy::Stamp;
use crate::registrar;
use crate::rejection::Rejection;
use crate::sip::{
    self, BadRequest, KeepAlive, Method, Name, Packet, Reply, Request, Response, Scheme, Status, Unreadable,
};
use crate::timing::Now;
use crate::transaction::{Answer, Heard};
use crate::transmit::Flow;

impl Node {
    /// A datagram that came by `source`.
    pub fn handle_datagram(&mut self, now: Now, source: Flow, datagram: Bytes) {
        let length = datagram.len();
        match sip::parse(datagram, &self.config.site.limits) {
            Ok(packet) => {
                let owner = self.commons.owners.of_packet(&packet).unwrap_or(self.shard);
                self.hand_over(now, owner, Parcel::Packet(source, packet));
            }
            Err(Unreadable::Answer(bad)) => self.answer_bad(source, &bad, length),
            Err(Unreadable::Drop(why)) => {
                self.say(Event::Dropped { source: source.remote, why: why.to_string().into() });
            }
        }
        self.settle(now);
    }

    /// A packet that is this shard's.
    pub(super) fn hear_packet(&mut self, now: Now, source: Flow, packet: Packet) {
        match packet {
            Packet::Request(request) => self.hear_request(now, source, request),
            Packet::Response(response) => self.hear_response(now, &response),
            // RFC 5626 §4.4.1: the pong to a double CRLF.
            Packet::KeepAlive(KeepAlive::Ping) => self.send(source, Bytes::from_static(b"\r\n")),
            Packet::KeepAlive(KeepAlive::Other) => {}
        }
    }

    fn hear_request(&mut self, now: Now, source: Flow, request: Request) {
        match self.transactions.hear_request(now.instant, &request) {
            Heard::Copy | Heard::Ack(_) => return,
            Heard::Cancel(of) => {
                let asked = self.asked(source, request);
                return self.cancelled(now, asked, of);
            }
            Heard::New => {}
        }
        let asked = self.asked(source, request);
        if asked.request.method() == &Method::ACK {
            return self.acknowledged(now, asked);
        }
        if let Err(rejection) = self.sound(&asked) {
            return self.refuse_statelessly(&asked, &rejection);
        }
        self.belongs(now, asked);
    }

    /// SPEC 9.5: a valid link token; a dialog; REGISTER; a trunk, by the contact that it has of us or by its address; else a phone.
    fn belongs(&mut self, now: Now, asked: Asked) {
        if asked.request.header(&Name::HotdeskLink).is_some() {
            match self.vouched(now, &asked) {
                Some(Ok(token)) => return self.site_asks(now, asked, token),
                Some(Err(())) => return,
                None => {}
            }
        }
        if asked.request.to().tag().is_some() {
            return self.in_dialog(now, asked);
        }
        if asked.request.method() == &Method::REGISTER {
            return self.register(now, asked);
        }
        if let Some(trunk) = self.trunk_of_contact(&asked.request) {
            return self.contact_asks(now, asked, trunk);
        }
        match self.source_trunk(asked.source.remote) {
            Some(trunk) => self.trunk_asks(now, asked, trunk),
            None => self.phone_asks(now, asked),
        }
    }

    /// RFC 3261 §16.3: what any proxy looks at first. Loops are looked for where the request is forwarded.
    fn sound(&self, asked: &Asked) -> Result<(), Rejection> {
        let request = &asked.request;
        // A service URN that calls for help is dialled like its number (SPEC 6.7); nothing else is known of such URIs.
        let calls_for_help = request.method() == &Method::INVITE && request.uri().sos().is_some();
        if request.uri().scheme() == Scheme::Other && !calls_for_help {
            return Err(Rejection::new(Status::UNSUPPORTED_URI_SCHEME));
        }
        if self.asks_for_tls(request) {
            return Err(Rejection::warned(Status::UNSUPPORTED_URI_SCHEME, "No TLS Here"));
        }
        // RFC 3261 §16.3 step 3: it goes no further; OPTIONS for the site itself need not.
        let asks_here =
            request.uri().user_bytes().is_none() && request.uri().host().is_some_and(|host| self.names.is_here(host));
        if request.max_forwards() == Some(0) && !(request.method() == &Method::OPTIONS && asks_here) {
            return Err(Rejection::new(Status::TOO_MANY_HOPS));
        }
        let required: Vec<Bytes> = request.values(&Name::ProxyRequire).collect();
        if !required.is_empty() {
            return Err(Rejection::new(Status::BAD_EXTENSION).with(Name::Unsupported, listed(&required)));
        }
        Ok(())
    }

    /// RFC 3261 §26.2.2: who dials `sips:` wants TLS on every hop, and there is none (SPEC 9.11). In a dialog the other side has chosen
    /// the URI, and the call must be able to end; nothing keeps a call for help (SPEC 6.7).
    fn asks_for_tls(&self, request: &Request) -> bool {
        request.uri().scheme() == Scheme::Sips
            && request.to().tag().is_none()
            && number_of(request).is_none_or(|number| self.emergency_of(request, &number).is_none())
    }

    fn hear_response(&mut self, now: Now, response: &Response) {
        match self.transactions.hear_response(now.instant, response) {
            Answer::Pass(_, ClientTask::Branch(key, branch, identities)) => {
                self.branch_answered(now, key, branch, response, identities);
            }
            Answer::Pass(_, ClientTask::Link(key)) => self.link_answered(now, key, response),
            Answer::Pass(_, ClientTask::Notify(key)) => self.notified(now, key, Some(response)),
            Answer::Pass(_, ClientTask::Probe(key)) => self.probe_answered(now, key, response),
            Answer::Pass(_, ClientTask::Registration(key)) => self.registration_answered(now, key, response),
            Answer::Pass(_, ClientTask::Unheard) | Answer::Absorbed | Answer::Stray => {}
        }
    }

    /// The request with what its source says about it.
    pub(super) fn asked(&self, source: Flow, request: Request) -> Asked {
        let via = request.via();
        let stamp = Stamp::new(via, source.remote);
        // SPEC 4.3: RFC 3581 where asked for, and for phones behind NAT; else RFC 3261 §18.2.2.
        let by_source = stamp.rport.is_some() || registrar::is_behind_nat(via.sent_by_host(), source.remote.ip());
        let port = via.sent_by_port().unwrap_or(5060);
        let remote = if by_source { source.remote } else { (source.remote.ip(), port).into() };
        Asked { request, source, stamp, reply_to: Flow { remote, ..source } }
    }

    /// A request that can't be read but can be answered; what can't be trusted is answered statelessly.
    fn answer_bad(&mut self, source: Flow, bad: &BadRequest, length: usize) {
        let stamp = Stamp::new(bad.via(), source.remote);
        let port = bad.via().sent_by_port().unwrap_or(5060);
        let remote = if stamp.rport.is_some() { source.remote } else { (source.remote.ip(), port).into() };
        let tag = self.stateless_tag(bad.via().raw());
        let reply = Reply::to_bad(bad).stamped(stamp.received, stamp.rport).to_tag(&tag).write();
        self.answer_stranger(Flow { remote, ..source }, length, reply);
        self.say(Event::Dropped { source: source.remote, why: bad.reason().to_string().into() });
    }
}

/// Option tags as a list.
pub(super) fn listed(tags: &[Bytes]) -> String {
    tags.iter().map(|tag| String::from_utf8_lossy(tag)).collect::<Vec<_>>().join(", ")
}
