//! Dialogs of RFC 3261 §12.

use std::net::SocketAddr;

use bytes::Bytes;

use super::outline::Outline;
use crate::sip::{Contacts, Message, Method, Name, Request, Response, Uri};

/// What both ends of a dialog remember.
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    pub call_id: String,
    /// Our From or To value with its tag.
    pub local: String,
    pub local_tag: String,
    /// The other's.
    pub remote: String,
    pub remote_tag: String,
    pub remote_target: Bytes,
    pub routes: Vec<Bytes>,
    pub local_cseq: u32,
    pub remote_cseq: Option<u32>,
}

impl Dialog {
    /// RFC 3261 §12.1.1: the callee's side; `None` if the request has no Contact or tag.
    pub fn of_request(request: &Request, local_tag: &str, first_cseq: u32) -> Option<Self> {
        let local = format!("{};tag={local_tag}", lossy(request.to().raw()));
        Some(Self {
            call_id: lossy(request.call_id()),
            local,
            local_tag: local_tag.into(),
            remote: lossy(request.from().raw()),
            remote_tag: lossy(request.from().tag()?),
            remote_target: target_of(request)?,
            routes: request.record_routes().ok()?.into_iter().map(|route| route.raw).collect(),
            local_cseq: first_cseq,
            remote_cseq: Some(request.cseq().number),
        })
    }

    /// RFC 3261 §12.1.2: the caller's side.
    pub fn of_response(asked: &Outline, response: &Response) -> Option<Self> {
        let mut routes: Vec<Bytes> = response.record_routes().ok()?.into_iter().map(|route| route.raw).collect();
        routes.reverse();
        Some(Self {
            call_id: asked.call_id.clone(),
            local: asked.from.clone(),
            local_tag: lossy(response.from().tag()?),
            remote: lossy(response.to().raw()),
            remote_tag: lossy(response.to().tag()?),
            remote_target: target_of(response)?,
            routes,
            local_cseq: asked.cseq,
            remote_cseq: None,
        })
    }

    /// Whether an incoming request is in this dialog (RFC 3261 §12.2.2).
    pub fn owns(&self, request: &Request) -> bool {
        request.call_id() == self.call_id.as_bytes()
            && request.to().tag() == Some(self.local_tag.as_bytes())
            && request.from().tag() == Some(self.remote_tag.as_bytes())
    }

    /// A new request inside, sent by the route set (RFC 3261 §12.2.1.1). `proxy` is used where the next hop is a name.
    pub fn request(&mut self, method: Method, proxy: SocketAddr, extras: Vec<(Name, String)>) -> Outline {
        self.local_cseq += 1;
        self.with_cseq(method, self.local_cseq, proxy, extras)
    }

    /// The ACK to a 2xx of the INVITE numbered `cseq` (RFC 3261 §13.2.2.4).
    pub fn ack(&self, cseq: u32, proxy: SocketAddr) -> Outline {
        self.with_cseq(Method::ACK, cseq, proxy, Vec::new())
    }

    fn with_cseq(&self, method: Method, cseq: u32, proxy: SocketAddr, extras: Vec<(Name, String)>) -> Outline {
        Outline {
            method,
            uri: self.remote_target.clone(),
            next_hop: self.next_hop().unwrap_or(proxy),
            routes: self.routes.clone(),
            from: self.local.clone(),
            to: self.remote.clone(),
            call_id: self.call_id.clone(),
            cseq,
            extras,
            body: None,
            credentials: None,
        }
    }

    /// RFC 3261 §12.2.1.1 with loose routers only: the first Route, else the remote target.
    fn next_hop(&self) -> Option<SocketAddr> {
        let uri = match self.routes.first() {
            Some(first) => crate::sip::Route::parse(first.clone(), &Name::Route).ok()?.uri,
            None => Uri::parse(self.remote_target.clone()).ok()?,
        };
        Some(SocketAddr::new(uri.host()?.ip()?, uri.port().unwrap_or(5060)))
    }
}

/// The first Contact's URI.
pub(super) fn target_of(message: &Message) -> Option<Bytes> {
    match message.contacts(8).ok()? {
        Contacts::List(list) => list.first().map(|contact| contact.uri().as_bytes().clone()),
        Contacts::None | Contacts::Star => None,
    }
}

pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
