//! Answers of our own: with a transaction to those we know, stateless to those we don't (SPEC 9.5).

use std::sync::Arc;

use bytes::Bytes;

use super::Node;
use super::tasks::{Asked, ServerTask};
use crate::event::Event;
use crate::ids::push_hex;
use crate::rejection::Rejection;
use crate::sip::{Method, Name, Reply, Status, warning};
use crate::timing::Now;
use crate::transaction::ServerId;
use crate::transmit::{Flow, Transmit};

/// Seconds after which a phone that was turned away may come again.
const COME_AGAIN: std::ops::Range<u64> = 5..30;

impl Node {
    /// A datagram for the outside.
    pub(super) fn send(&mut self, flow: Flow, bytes: Bytes) {
        self.out.push_back(Transmit { flow, bytes });
    }

    /// Something to tell.
    pub(super) fn say(&mut self, event: Event) {
        if self.events.len() < super::EVENTS {
            self.events.push_back(event);
        }
    }

    /// A server transaction for a request that is known to be somebody's; a full table is said with 503.
    pub(super) fn begin(&mut self, now: Now, asked: &Asked, task: ServerTask) -> Option<ServerId> {
        if !self.transactions.has_room() {
            self.refuse_statelessly(asked, &Rejection::busy());
            return None;
        }
        self.begin_urgent(now, asked, task)
    }

    /// The same for a phone that comes anew: those that are registered come first (SPEC 8.8), and it is told to come again at a time of
    /// its own, so that not all do so at once.
    pub(super) fn begin_anew(&mut self, now: Now, asked: &Asked, task: ServerTask) -> Option<ServerId> {
        if !self.transactions.has_plenty() {
            let seconds = COME_AGAIN.start + self.entropy.below(COME_AGAIN.end - COME_AGAIN.start);
            self.refuse_statelessly(asked, &Rejection::busy_for(seconds));
            return None;
        }
        self.begin(now, asked, task)
    }

    /// The same for what has a claim on the reserve.
    pub(super) fn begin_urgent(&mut self, now: Now, asked: &Asked, task: ServerTask) -> Option<ServerId> {
        match self.transactions.begin_server(now.instant, &asked.request, asked.reply_to, task) {
            Ok(id) => Some(id),
            Err(_full) => {
                self.refuse_statelessly(asked, &Rejection::busy());
                None
            }
        }
    }

    /// A reply with Vias stamped and a To tag.
    pub(super) fn reply<'m>(&mut self, asked: &'m Asked, status: Status) -> Reply<'m> {
        let reply = Reply::to(&asked.request, status).stamped(asked.stamp.received, asked.stamp.rport);
        if status == Status::TRYING { reply } else { reply.to_tag(&self.entropy.token()) }
    }

    /// The refusal as a message.
    pub(super) fn refusal(&mut self, asked: &Asked, rejection: &Rejection) -> Bytes {
        let entry = Arc::clone(&self.entry);
        dress(self.reply(asked, rejection.status), rejection, &entry.domain).write()
    }

    /// Refuses a request that has a transaction.
    pub(super) fn refuse(&mut self, now: Now, id: ServerId, asked: &Asked, rejection: &Rejection) {
        self.say_refused(asked, rejection);
        let bytes = self.refusal(asked, rejection);
        self.transactions.respond(now.instant, id, rejection.status, bytes);
    }

    /// Begins a transaction only to refuse: an authenticated peer's copies are absorbed.
    pub(super) fn refuse_known(&mut self, now: Now, asked: &Asked, rejection: &Rejection) {
        if let Some(id) = self.begin(now, asked, ServerTask::Own) {
            self.refuse(now, id, asked, rejection);
        }
    }

    /// Answers without keeping anything; a copy of the request gets the same answer.
    pub(super) fn refuse_statelessly(&mut self, asked: &Asked, rejection: &Rejection) {
        self.say_refused(asked, rejection);
        let tag = self.stateless_tag(asked.request.via().raw());
        let reply = Reply::to(&asked.request, rejection.status).stamped(asked.stamp.received, asked.stamp.rport);
        let bytes = dress(reply.to_tag(&tag), rejection, &self.entry.domain).write();
        // SPEC 9.5: a REGISTER is always a phone's, and is challenged whatever its From says.
        let challenges_phone = rejection.status == Status::UNAUTHORIZED && asked.request.method() == &Method::REGISTER;
        if challenges_phone || self.is_from_network(asked) {
            return self.send(asked.reply_to, bytes);
        }
        self.answer_stranger(asked.reply_to, asked.request.bytes().len(), bytes);
    }

    /// SPEC 9.5: a stranger, whose source address may be somebody else's, gets at most 1.5 times the bytes of the request, or nothing.
    pub(super) fn answer_stranger(&mut self, flow: Flow, asked: usize, answer: Bytes) {
        if answer.len() <= asked.saturating_add(asked / 2) {
            return self.send(flow, answer);
        }
        self.say(Event::Dropped {
            source: flow.remote,
            why: "the answer would be longer than a stranger may get".into(),
        });
    }

    /// RFC 3261 §8.2.7: the tag of a stateless answer is the same for every copy.
    pub(super) fn stateless_tag(&self, via: &Bytes) -> String {
        let hash = blake3::keyed_hash(&self.secret, via);
        let (mut first, mut tag) = ([0; 8], String::with_capacity(16));
        first.copy_from_slice(&hash.as_bytes()[..8]);
        push_hex(&mut tag, u64::from_be_bytes(first));
        tag
    }

    fn say_refused(&mut self, asked: &Asked, rejection: &Rejection) {
        // A first challenge is no refusal.
        if matches!(rejection.status, Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED) {
            return;
        }
        self.say(Event::Refused {
            method: asked.request.method().clone(),
            source: asked.source.remote,
            status: rejection.status,
            reason: rejection.reason.clone().unwrap_or(rejection.status.reason().into()),
        });
    }
}

fn dress<'m>(mut reply: Reply<'m>, rejection: &Rejection, agent: &str) -> Reply<'m> {
    if let Some(reason) = &rejection.reason {
        reply = reply.reason(reason.as_ref());
    }
    for (name, value) in &rejection.headers {
        reply = reply.header(name, value);
    }
    match &rejection.warning {
        Some(text) => reply.header(&Name::Warning, warning(399, agent, text)),
        None => reply,
    }
}
