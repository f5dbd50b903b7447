//! What a phone will not let pass: each breach of what the network promises becomes a complaint.

use std::net::SocketAddr;

use bytes::Bytes;

use super::account::Kind;
use super::asking::Stage;
use super::dialog::lossy;
use super::user_agent::Phone;
use crate::sip::{Message, Method, Name, Request, Response, Status};

impl Phone {
    /// What both kinds of message must be.
    pub(super) fn look_at(&mut self, message: &Message, datagram: &Bytes) {
        if message.bytes().len() != datagram.len() {
            self.complain(format!("Content-Length differs: {} of {} bytes", message.bytes().len(), datagram.len()));
        }
        if message.header(&Name::HotdeskLink).is_some() {
            self.complain("a site's link header came out of the network");
        }
        for name in [Name::Authorization, Name::ProxyAuthorization] {
            if message.credentials(&name).any(|given| given.realm == self.config.realm.as_bytes()) {
                let name = lossy(name.canonical());
                self.complain(format!("credentials of the network in {name}"));
            }
        }
        match message.record_routes() {
            Ok(routes) if routes.iter().all(|route| route.uri.is_lr()) => {}
            Ok(_) => self.complain("a Record-Route without lr"),
            Err(error) => self.complain(format!("Record-Route: {error}")),
        }
    }

    pub(super) fn look_at_request(&mut self, from: SocketAddr, request: &Request) {
        if !self.proxies.contains(&from) {
            self.complain(format!("a request from {from}, which is not our site"));
        }
        match request.max_forwards() {
            Some(1..) => {}
            Some(0) | None => self.complain("a request without Max-Forwards, or with none left"),
        }
        let via = request.via();
        if !via.is_rfc3261_branch() {
            self.complain("a Via without an RFC 3261 branch");
        }
        let sent_by = via.sent_by_host().ip().map(|ip| SocketAddr::new(ip, via.sent_by_port().unwrap_or(5060)));
        if sent_by != Some(from) {
            self.complain(format!("the top Via is {}, the source {from}", lossy(via.raw())));
        }
        if !self.is_for_us(request) {
            let uri = lossy(request.uri().as_bytes());
            self.complain(format!("the Request-URI {uri} is not our contact {}", self.contact_uri()));
        }
        if request.header(&Name::Route).is_some() {
            self.complain("a Route is left at the last hop");
        }
    }

    /// RFC 3261 §16.5: a request goes to the contact as it was registered; a carrier takes any number.
    fn is_for_us(&self, request: &Request) -> bool {
        if request.uri().as_bytes() == self.contact_uri().as_bytes() {
            return true;
        }
        let host = request.uri().host().map(|host| host.ip());
        match self.config.kind {
            Kind::Phone => false,
            Kind::Trunk => {
                // The ACK to a refusal has a tag, and the URI of its INVITE.
                let is_first = request.to().tag().is_none() || *request.method() == Method::ACK;
                is_first && host.is_some_and(|ip| ip.is_none_or(|ip| ip == self.config.local.ip()))
            }
        }
    }

    /// Says whether the response belongs to anything.
    pub(super) fn look_at_response(&mut self, from: SocketAddr, response: &Response) -> bool {
        if response.vias().count() != 1 {
            self.complain("a response with more Vias than ours");
        }
        let via = response.via();
        let sent_by = via.sent_by_host().ip().map(|ip| SocketAddr::new(ip, via.sent_by_port().unwrap_or(5060)));
        if sent_by != Some(self.config.local) {
            self.complain(format!("a response with the Via {}", lossy(via.raw())));
        }
        let Some(ask) = self.asking.of(response) else {
            if !self.asking.has_sent(via.branch().unwrap_or_default()) {
                self.complain("a response to nothing that was asked");
            }
            return false;
        };
        let (asked, stage) = (ask.outline.clone(), ask.stage);
        if from != asked.next_hop {
            self.complain(format!("a response from {from} to what was sent to {}", asked.next_hop));
        }
        let right = response.call_id() == asked.call_id.as_bytes()
            && response.cseq().number == asked.cseq
            && response.from().raw() == asked.from.as_bytes()
            && response.to().raw().starts_with(asked.to.as_bytes());
        if !right {
            let (from, to) = (lossy(response.from().raw()), lossy(response.to().raw()));
            self.complain(format!(
                "the response is not to what was asked: {} {} From {from} To {to}, asked was {} {} From {} To {}",
                lossy(response.call_id()),
                response.cseq().number,
                asked.call_id,
                asked.cseq,
                asked.from,
                asked.to
            ));
        }
        self.look_at_status(response, &asked.method, stage);
        true
    }

    fn look_at_status(&mut self, response: &Response, method: &Method, stage: Stage) {
        let status = response.status();
        if status != Status::TRYING && response.to().tag().is_none() {
            self.complain(format!("{status} to {method} without a To tag"));
        }
        if status == Status::REQUEST_TIMEOUT && *method != Method::INVITE {
            // RFC 4320 §4.2.
            self.complain(format!("408 to {method}"));
        }
        if let Stage::Done(first) = stage
            && status.is_final()
            && status != first
            && !is_late_success(method, first, status)
        {
            self.complain(format!("{method} was answered by {first}, then by {status}"));
        }
    }

    /// Writes a breach down.
    pub(super) fn complain(&mut self, what: impl Into<String>) {
        self.complaints.push(format!("{} ({}): {}", self.config.user, self.config.local, what.into()));
    }
}

/// RFC 3261 §16.7 step 5: every 2xx to INVITE is passed on, another one and one that comes after a refusal too; and what overtakes
/// the other on the line is not the network's fault.
fn is_late_success(method: &Method, first: Status, status: Status) -> bool {
    match *method {
        Method::INVITE => status.is_success() || first.is_success(),
        _ => status.is_success() && first.is_success(),
    }
}
