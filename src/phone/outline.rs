//! A request as it is meant, from which its bytes are written again with another CSeq, branch or credentials.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::sip::{Draft, Method, Name};

/// Everything of a request but its branch and credentials.
#[derive(Clone, Debug)]
pub(super) struct Outline {
    pub method: Method,
    pub uri: Bytes,
    pub next_hop: SocketAddr,
    pub routes: Vec<Bytes>,
    /// With its tag.
    pub from: String,
    pub to: String,
    pub call_id: String,
    pub cseq: u32,
    pub extras: Vec<(Name, String)>,
    /// The type and the content.
    pub body: Option<(String, Bytes)>,
    /// The credentials headers, which an ACK repeats (RFC 3261 §22.1).
    pub credentials: Option<(Name, String)>,
}

impl Outline {
    /// The request on the wire.
    pub fn write(&self, local: SocketAddr, branch: &str) -> Bytes {
        let via = format!("SIP/2.0/UDP {local};rport;branch={branch}");
        let mut draft = Draft::request(&self.method, &self.uri).header(&Name::Via, via);
        draft = draft.header(&Name::MaxForwards, "70");
        for route in &self.routes {
            draft = draft.header(&Name::Route, route);
        }
        draft = draft
            .header(&Name::From, &self.from)
            .header(&Name::To, &self.to)
            .header(&Name::CallId, &self.call_id)
            .header(&Name::CSeq, format!("{} {}", self.cseq, self.method));
        for (name, value) in self.extras.iter().chain(&self.credentials) {
            draft = draft.header(name, value);
        }
        match &self.body {
            Some((kind, content)) => draft.body(kind, content).write(),
            None => draft.write(),
        }
    }

    /// The ACK to a final answer other than 2xx, hop by hop (RFC 3261 §17.1.1.3).
    pub fn hop_ack(&self, to: &[u8]) -> Self {
        Self {
            method: Method::ACK,
            to: String::from_utf8_lossy(to).into_owned(),
            extras: Vec::new(),
            body: None,
            credentials: None,
            ..self.clone()
        }
    }

    /// The CANCEL of this INVITE (RFC 3261 §9.1).
    pub fn cancel(&self) -> Self {
        Self { method: Method::CANCEL, extras: Vec::new(), body: None, credentials: None, ..self.clone() }
    }
}
