//! What a phone is asked, and what it answers.

use std::net::SocketAddr;
use std::time::Instant;

use super::account::Behaviour;
use super::asking::Purpose;
use super::call::{Call, State};
use super::dialog::{Dialog, lossy, target_of};
use super::event::{CallRef, PhoneEvent};
use super::serving::{ServeKey, key_of};
use super::user_agent::Phone;
use crate::sip::{Method, Name, Reply, Request, Status};

pub(super) const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REFER, SUBSCRIBE, NOTIFY";

impl Phone {
    pub(super) fn hear_request(&mut self, now: Instant, from: SocketAddr, request: Request) {
        if self.config.behaviour == Behaviour::Silent {
            return;
        }
        if *request.method() == Method::ACK {
            return self.hear_ack(now, &request);
        }
        let key = key_of(&request, request.method());
        if self.serving.has(&key) {
            if let Some((to, bytes)) = self.serving.again(&key) {
                self.send(to, bytes);
            }
            return;
        }
        let merged = *request.method() == Method::INVITE && self.serving.is_merged(&request);
        self.serving.begin(key.clone(), request.clone(), reply_to(&request, from), self.entropy.token());
        if !self.lets_in(now, &key, &request) {
            return;
        }
        if *request.method() == Method::CANCEL {
            self.hear_cancel(now, &key, &request);
        } else if request.to().tag().is_some() {
            self.hear_inside(now, &key, &request);
        } else if merged {
            self.complain("the same INVITE came by two branches");
            self.reply(now, &key, Status::LOOP_DETECTED, Some("Merged Request"), Vec::new());
        } else {
            self.hear_outside(now, &key, &request);
        }
    }

    fn hear_ack(&mut self, now: Instant, ack: &Request) {
        let key = key_of(ack, &Method::INVITE);
        if self.serving.has(&key) {
            return self.serving.acknowledged(&key);
        }
        let owner = self.calls.iter().find(|(_, own)| own.dialog.as_ref().is_some_and(|dialog| dialog.owns(ack)));
        let Some((&call, own)) = owner else { return };
        let Some(invite) = own.invite.clone() else { return };
        let Some(asked) = self.serving.find(&invite).map(|serve| serve.request.clone()) else { return };
        if asked.cseq().number != ack.cseq().number {
            return;
        }
        self.look_at_ack(ack, &asked);
        self.serving.acknowledged(&invite);
        self.confirmed(now, call);
    }

    fn confirmed(&mut self, now: Instant, call: CallRef) {
        let Some(own) = self.calls.get_mut(&call).filter(|own| own.state == State::Unacknowledged) else { return };
        own.state = State::Up;
        let bye = own.bye_after_ack;
        self.say(PhoneEvent::Confirmed { call });
        if bye {
            self.hang_up(now, call);
        }
    }

    /// RFC 3261 §9.2.
    fn hear_cancel(&mut self, now: Instant, key: &ServeKey, cancel: &Request) {
        let of = key_of(cancel, &Method::INVITE);
        let found = self.serving.find(&of).map(|serve| (serve.call, serve.status, serve.tag.clone()));
        let Some((call, status, tag)) = found else {
            return self.reply(now, key, Status::CALL_DOES_NOT_EXIST, None, Vec::new());
        };
        if let Some(serve) = self.serving.find(key) {
            serve.tag = tag;
        }
        self.reply(now, key, Status::OK, None, Vec::new());
        if status.is_some_and(Status::is_final) {
            return;
        }
        self.reply(now, &of, Status::REQUEST_TERMINATED, None, Vec::new());
        if let Some(call) = call.filter(|&call| self.over(call)) {
            let reason = cancel.header(&Name::Reason).map(|header| lossy(&header.value()));
            self.say(PhoneEvent::Cancelled { call, reason });
        }
    }

    fn hear_inside(&mut self, now: Instant, key: &ServeKey, request: &Request) {
        let mut calls = self.calls.iter_mut();
        let owner = calls.find(|(_, own)| own.dialog.as_ref().is_some_and(|dialog| dialog.owns(request)));
        let Some((&call, own)) = owner else { return self.hear_in_subscription(now, key, request) };
        let Some(dialog) = own.dialog.as_mut() else { return };
        // RFC 3261 §12.2.2: a lower CSeq is out of order.
        if dialog.remote_cseq.is_some_and(|last| request.cseq().number <= last) {
            return self.reply(now, key, Status::SERVER_INTERNAL_ERROR, Some("CSeq Out Of Order"), Vec::new());
        }
        dialog.remote_cseq = Some(request.cseq().number);
        if own.state == State::Over {
            return self.reply(now, key, Status::CALL_DOES_NOT_EXIST, None, Vec::new());
        }
        match *request.method() {
            Method::BYE => self.hear_bye(now, key, call),
            Method::INVITE => self.hear_re_invite(now, key, call, request),
            Method::UPDATE => {
                let (kind, body) = self.session("sendrecv");
                let contact = vec![(Name::Contact, self.contact())];
                self.reply_with(now, key, Status::OK, None, contact, Some((&kind, &body)));
                self.note(Some(call), request);
            }
            Method::REFER => {
                self.reply(now, key, Status::ACCEPTED, None, vec![(Name::Contact, self.contact())]);
                self.note(Some(call), request);
            }
            _ => {
                self.reply(now, key, Status::OK, None, Vec::new());
                self.note(Some(call), request);
            }
        }
    }

    fn hear_bye(&mut self, now: Instant, key: &ServeKey, call: CallRef) {
        self.reply(now, key, Status::OK, None, Vec::new());
        let invite =
            self.calls.get(&call).filter(|own| own.state == State::Incoming).and_then(|own| own.invite.clone());
        if let Some(invite) = invite {
            // RFC 3261 §15.1.2: what is pending in the dialog ends with it.
            self.reply(now, &invite, Status::REQUEST_TERMINATED, None, Vec::new());
        }
        self.ended(call);
    }

    fn hear_re_invite(&mut self, now: Instant, key: &ServeKey, call: CallRef, request: &Request) {
        if self.asking.has_open_re_invite(call) {
            // RFC 3261 §14.2: glare.
            return self.reply(now, key, Status::REQUEST_PENDING, None, Vec::new());
        }
        let Some(own) = self.calls.get_mut(&call) else { return };
        own.invite = Some(key.clone());
        if let (Some(dialog), Some(target)) = (&mut own.dialog, target_of(request)) {
            dialog.remote_target = target;
        }
        self.reply_to_invite(now, key, Status::OK);
        self.note(Some(call), request);
    }

    fn hear_in_subscription(&mut self, now: Instant, key: &ServeKey, request: &Request) {
        // A NOTIFY may overtake the 2xx that makes its dialog (RFC 6665 §4.1.2.4).
        let known = self.subscribed.contains(&lossy(request.call_id()))
            || self.subscriptions.iter().any(|dialog| dialog.owns(request));
        if !known {
            return self.reply(now, key, Status::CALL_DOES_NOT_EXIST, None, Vec::new());
        }
        // RFC 3261 §12.2.2.
        if let Some(dialog) = self.subscriptions.iter_mut().find(|dialog| dialog.owns(request)) {
            if dialog.remote_cseq.is_some_and(|last| request.cseq().number <= last) {
                return self.reply(now, key, Status::SERVER_INTERNAL_ERROR, Some("CSeq Out Of Order"), Vec::new());
            }
            dialog.remote_cseq = Some(request.cseq().number);
        }
        self.reply(now, key, Status::OK, None, Vec::new());
        let state = request.header(&Name::SubscriptionState).map(|header| lossy(&header.value()));
        if *request.method() == Method::NOTIFY && state.is_some_and(|state| state.starts_with("terminated")) {
            self.subscribed.remove(&*lossy(request.call_id()));
            self.subscriptions.retain(|dialog| !dialog.owns(request));
        }
        self.note(None, request);
    }

    fn hear_outside(&mut self, now: Instant, key: &ServeKey, request: &Request) {
        match *request.method() {
            Method::INVITE => self.hear_call(now, key, request),
            Method::MESSAGE => {
                self.reply(now, key, Status::OK, None, Vec::new());
                let (from, asserted) = (lossy(request.from().uri().as_bytes()), asserted(request));
                self.say(PhoneEvent::Message { from, asserted, text: lossy(&request.body()) });
            }
            Method::SUBSCRIBE => self.hear_subscribe(now, key, request),
            Method::REGISTER => {
                self.hear_register(now, key, request);
                self.note(None, request);
            }
            Method::BYE | Method::UPDATE | Method::PRACK => {
                self.reply(now, key, Status::CALL_DOES_NOT_EXIST, None, Vec::new());
            }
            Method::REFER => {
                self.reply(now, key, Status::ACCEPTED, None, vec![(Name::Contact, self.contact())]);
                self.note(None, request);
            }
            _ => {
                self.reply(now, key, Status::OK, None, vec![(Name::Allow, ALLOW.into())]);
                self.note(None, request);
            }
        }
    }

    fn hear_call(&mut self, now: Instant, key: &ServeKey, request: &Request) {
        let Some(tag) = self.serving.find(key).map(|serve| serve.tag.clone()) else { return };
        let Some(dialog) = Dialog::of_request(request, &tag, 0) else {
            self.complain("an INVITE without Contact, From tag or a readable Record-Route");
            return self.reply(now, key, Status::BAD_REQUEST, None, Vec::new());
        };
        let call = CallRef(self.number());
        self.calls.insert(call, Call { dialog: Some(dialog), invite: Some(key.clone()), ..Call::new(State::Incoming) });
        if let Some(serve) = self.serving.find(key) {
            serve.call = Some(call);
        }
        self.say(PhoneEvent::Incoming {
            call,
            from: lossy(request.from().uri().as_bytes()),
            display: request.from().display_name().map(|name| name.into_owned()),
            asserted: asserted(request),
            uri: lossy(request.uri().as_bytes()),
            request: request.clone(),
        });
        self.behave(now, key, call);
    }

    fn behave(&mut self, now: Instant, key: &ServeKey, call: CallRef) {
        match self.config.behaviour.clone() {
            Behaviour::Answer { after } => {
                self.reply_to_invite(now, key, Status::RINGING);
                if after.is_zero() {
                    self.answer(now, call);
                } else if let Some(own) = self.calls.get_mut(&call) {
                    own.answer_at = Some(now + after);
                }
            }
            Behaviour::Ring => self.reply_to_invite(now, key, Status::RINGING),
            Behaviour::Busy => self.refuse(now, call, Status::BUSY_HERE),
            Behaviour::Reject { status, reason } => {
                self.over(call);
                self.reply(now, key, status, Some(&reason), Vec::new());
            }
            Behaviour::Redirect { to } => {
                self.over(call);
                self.reply(now, key, Status::MOVED_TEMPORARILY, None, vec![(Name::Contact, format!("<{to}>"))]);
            }
            Behaviour::Silent => {}
        }
    }

    /// RFC 6665: the subscription is taken, and told its state at once.
    fn hear_subscribe(&mut self, now: Instant, key: &ServeKey, request: &Request) {
        let Some(tag) = self.serving.find(key).map(|serve| serve.tag.clone()) else { return };
        let Some(mut dialog) = Dialog::of_request(request, &tag, 0) else {
            return self.reply(now, key, Status::BAD_REQUEST, None, Vec::new());
        };
        let event = request.header(&Name::Event).map(|header| lossy(&header.value())).unwrap_or_default();
        let expires = request.expires().ok().flatten().unwrap_or(3600);
        let extras = vec![(Name::Contact, self.contact()), (Name::Expires, expires.to_string())];
        self.reply(now, key, Status::OK, None, extras);
        self.note(None, request);
        let state = format!("active;expires={expires}");
        let extras = vec![(Name::Contact, self.contact()), (Name::Event, event), (Name::SubscriptionState, state)];
        let notify = dialog.request(Method::NOTIFY, self.config.proxy, extras);
        self.subscriptions.push(dialog);
        self.ask(now, notify, Purpose::Nobody);
    }

    fn note(&mut self, call: Option<CallRef>, request: &Request) {
        self.say(PhoneEvent::Request { call, method: request.method().clone(), request: request.clone() });
    }

    pub(super) fn reply_to_invite(&mut self, now: Instant, key: &ServeKey, status: Status) {
        let (kind, body) = self.session("sendrecv");
        let extras = vec![(Name::Contact, self.contact()), (Name::Allow, ALLOW.into())];
        let body = status.is_success().then_some((&kind[..], &body[..]));
        self.reply_with(now, key, status, None, extras, body);
    }

    pub(super) fn reply(
        &mut self,
        now: Instant,
        key: &ServeKey,
        status: Status,
        reason: Option<&str>,
        extras: Vec<(Name, String)>,
    ) {
        self.reply_with(now, key, status, reason, extras, None);
    }

    fn reply_with(
        &mut self,
        now: Instant,
        key: &ServeKey,
        status: Status,
        reason: Option<&str>,
        extras: Vec<(Name, String)>,
        body: Option<(&str, &[u8])>,
    ) {
        let Some(serve) = self.serving.find(key) else { return };
        let (request, to) = (serve.request.clone(), serve.reply_to);
        let received = request.via().sent_by_host().ip().is_none_or(|ip| ip != to.ip()).then_some(to.ip());
        let mut reply = Reply::to(&request, status).to_tag(&serve.tag).stamped(received, Some(to.port()));
        if let Some(reason) = reason {
            reply = reply.reason(reason);
        }
        if extras.iter().any(|(name, _)| *name == Name::Contact) {
            reply = reply.with_record_routes();
        }
        for (name, value) in &extras {
            reply = reply.header(name, value);
        }
        if let Some((kind, content)) = body {
            reply = reply.body(kind, content);
        }
        let bytes = reply.write();
        self.send(to, bytes.clone());
        self.serving.answered(now, key, status, bytes, self.clock);
    }
}

/// RFC 3581 §4, else RFC 3261 §18.2.2.
fn reply_to(request: &Request, from: SocketAddr) -> SocketAddr {
    match request.via().rport() {
        Some(_) => from,
        None => SocketAddr::new(from.ip(), request.via().sent_by_port().unwrap_or(5060)),
    }
}

fn asserted(request: &Request) -> Option<String> {
    let party = request.parties(&Name::PAssertedIdentity).next()?.ok()?;
    Some(lossy(party.uri().as_bytes()))
}
