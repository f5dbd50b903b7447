//! What a phone was asked: its server transactions (RFC 3261 §17.2), so that copies get the same answer again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::asking::Clock;
use super::event::CallRef;
use crate::sip::{Method, Request, Status};

/// RFC 3261 §17.2.3: branch, sent-by, method (INVITE for its ACK and CANCEL).
pub(super) type ServeKey = (Bytes, String, String);

/// One server transaction.
#[derive(Debug)]
pub(super) struct Serve {
    pub request: Request,
    pub reply_to: SocketAddr,
    pub call: Option<CallRef>,
    pub status: Option<Status>,
    /// The To tag of every answer.
    pub tag: String,
    response: Option<Bytes>,
    resend: Option<(Instant, Duration)>,
    ends: Option<Instant>,
}

/// All server transactions of a phone.
#[derive(Debug, Default)]
pub(super) struct Serving {
    serves: BTreeMap<ServeKey, Serve>,
}

/// What fell due.
pub(super) enum Due {
    Resend(SocketAddr, Bytes),
    /// No ACK came in 64·T1.
    NoAck(ServeKey),
}

/// The key of the transaction that a request is in, or (`method` INVITE) that it speaks of.
pub(super) fn key_of(request: &Request, method: &Method) -> ServeKey {
    let via = request.via();
    let branch = Bytes::copy_from_slice(via.branch().unwrap_or_default());
    let sent_by = format!("{}:{}", via.sent_by_host(), via.sent_by_port().unwrap_or(5060));
    (branch, sent_by, method.as_str().into())
}

impl Serving {
    pub fn begin(&mut self, key: ServeKey, request: Request, reply_to: SocketAddr, tag: String) {
        let serve =
            Serve { request, reply_to, call: None, status: None, tag, response: None, resend: None, ends: None };
        self.serves.insert(key, serve);
    }

    pub fn find(&mut self, key: &ServeKey) -> Option<&mut Serve> {
        self.serves.get_mut(key)
    }

    /// An unanswered INVITE of the same call that came by another branch (RFC 3261 §8.2.2.2).
    pub fn is_merged(&self, request: &Request) -> bool {
        self.serves.values().any(|serve| {
            serve.status.is_none_or(Status::is_provisional)
                && serve.request.method() == request.method()
                && serve.request.call_id() == request.call_id()
                && serve.request.cseq() == request.cseq()
                && serve.request.from().tag() == request.from().tag()
                && serve.request.via().branch() != request.via().branch()
        })
    }

    /// The answer is recorded; the caller sends it. Finals to INVITE are sent again until the ACK comes.
    pub fn answered(&mut self, now: Instant, key: &ServeKey, status: Status, bytes: Bytes, clock: Clock) {
        let Some(serve) = self.serves.get_mut(key) else { return };
        serve.status = Some(status);
        serve.response = Some(bytes);
        if status.is_final() {
            serve.ends = Some(now + clock.t1x64());
            serve.resend = (*serve.request.method() == Method::INVITE).then_some((now + clock.t1, clock.t1 * 2));
        }
    }

    /// The last answer, for a copy of the request.
    pub fn again(&self, key: &ServeKey) -> Option<(SocketAddr, Bytes)> {
        let serve = self.serves.get(key)?;
        Some((serve.reply_to, serve.response.clone()?))
    }

    pub fn has(&self, key: &ServeKey) -> bool {
        self.serves.contains_key(key)
    }

    /// The ACK came: nothing is sent again by itself.
    pub fn acknowledged(&mut self, key: &ServeKey) {
        if let Some(serve) = self.serves.get_mut(key) {
            serve.resend = None;
        }
    }

    pub fn next(&self) -> Option<Instant> {
        let at = |serve: &Serve| [serve.resend.map(|(at, _)| at), serve.ends].into_iter().flatten().min();
        self.serves.values().filter_map(at).min()
    }

    /// One thing that fell due by `now`.
    pub fn due(&mut self, now: Instant, clock: Clock) -> Option<Due> {
        loop {
            let over = |serve: &Serve| serve.ends.is_some_and(|at| at <= now);
            let ended = self.serves.iter().find(|(_, serve)| over(serve)).map(|(key, _)| key.clone());
            let Some(key) = ended else { break };
            let Some(serve) = self.serves.remove(&key) else { break };
            if serve.resend.is_some() {
                return Some(Due::NoAck(key));
            }
        }
        let serve = self.serves.values_mut().find(|serve| serve.resend.is_some_and(|(at, _)| at <= now))?;
        if let Some((at, interval)) = &mut serve.resend {
            *at += *interval;
            *interval = (*interval * 2).min(clock.t2);
        }
        Some(Due::Resend(serve.reply_to, serve.response.clone()?))
    }
}
