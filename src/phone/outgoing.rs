//! What a phone asks, and what becomes of the answers.

use std::time::Instant;

use bytes::Bytes;

use super::asking::{Ask, Purpose, Stage};
use super::call::State;
use super::dialog::Dialog;
use super::event::{CallRef, PhoneEvent, RequestRef};
use super::outline::Outline;
use super::registration::told;
use super::user_agent::Phone;
use crate::sip::{Method, Name, Response, Status};

impl Phone {
    /// MESSAGE (RFC 3428).
    pub fn message(&mut self, now: Instant, to: &str, text: &str) -> RequestRef {
        self.request(now, Method::MESSAGE, to, Vec::new(), Some(("text/plain".into(), text.to_string().into())))
    }

    /// OPTIONS (RFC 3261 §11).
    pub fn options(&mut self, now: Instant, target: &str) -> RequestRef {
        self.request(now, Method::OPTIONS, target, vec![(Name::Accept, "application/sdp".into())], None)
    }

    /// SUBSCRIBE to an event of `target` (RFC 6665).
    pub fn subscribe(&mut self, now: Instant, target: &str, event: &str, expires: u32) -> RequestRef {
        let request = RequestRef(self.number());
        let mut outline = self.outline(Method::SUBSCRIBE, target);
        outline.extras =
            vec![(Name::Contact, self.contact()), (Name::Event, event.into()), (Name::Expires, expires.to_string())];
        self.subscribed.insert(outline.call_id.clone());
        self.ask(now, outline, Purpose::Subscribe(request));
        request
    }

    /// Refreshes the newest subscription of ours, or ends it with an expiry of 0 (RFC 6665 §4.1.2.2).
    pub fn subscribe_again(&mut self, now: Instant, event: &str, expires: u32) -> RequestRef {
        let request = RequestRef(self.number());
        let (contact, proxy) = (self.contact(), self.config.proxy);
        let extras = vec![(Name::Contact, contact), (Name::Event, event.into()), (Name::Expires, expires.to_string())];
        let newest = self.subscriptions.iter_mut().rfind(|dialog| self.subscribed.contains(&dialog.call_id));
        let outline = newest.map(|dialog| dialog.request(Method::SUBSCRIBE, proxy, extras));
        match outline {
            Some(outline) => self.ask(now, outline, Purpose::Plain(request)),
            None => self.done(request, Method::SUBSCRIBE, None),
        }
        request
    }

    /// Any request that is no call and is in none. Headers and body are sent as they are.
    pub fn request(
        &mut self,
        now: Instant,
        method: Method,
        target: &str,
        headers: Vec<(Name, String)>,
        body: Option<(String, Bytes)>,
    ) -> RequestRef {
        let request = RequestRef(self.number());
        let mut outline = self.outline(method, target);
        outline.extras = headers;
        outline.body = body;
        self.ask(now, outline, Purpose::Plain(request));
        request
    }

    /// A new request outside of any dialog (RFC 3261 §8.1.1).
    pub(super) fn outline(&mut self, method: Method, target: &str) -> Outline {
        let uri = self.config.dialled(target);
        let tag = self.entropy.token();
        Outline {
            method,
            to: format!("<{uri}>"),
            uri: uri.into(),
            next_hop: self.config.proxy,
            routes: Vec::new(),
            from: format!("{};tag={tag}", self.config.named_aor()),
            call_id: self.call_id(),
            cseq: 1,
            extras: Vec::new(),
            body: None,
            credentials: None,
        }
    }

    pub(super) fn ask(&mut self, now: Instant, outline: Outline, purpose: Purpose) {
        let branch = self.branch();
        self.ask_on(now, outline, purpose, &branch);
    }

    pub(super) fn ask_on(&mut self, now: Instant, outline: Outline, purpose: Purpose, branch: &str) {
        let bytes = outline.write(self.config.local, branch);
        self.send(outline.next_hop, bytes.clone());
        self.asking.begin(now, branch, outline, purpose, bytes, self.clock);
    }

    pub(super) fn hear_response(&mut self, now: Instant, response: &Response) {
        let clock = self.clock;
        let Some(ask) = self.asking.of(response) else { return };
        let (purpose, stage) = (ask.purpose, ask.stage);
        if response.status().is_provisional() {
            ask.proceed(now, clock);
            return self.progressed(now, purpose, response);
        }
        if let Stage::Done(_) = stage {
            return self.hear_copy(now, response);
        }
        ask.finish(now, response.status(), clock);
        let is_refused_invite = ask.outline.method == Method::INVITE && !response.status().is_success();
        if is_refused_invite {
            let ack = ask.outline.hop_ack(response.to().raw());
            let branch = String::from_utf8_lossy(response.via().branch().unwrap_or_default()).into_owned();
            let bytes = ack.write(self.config.local, &branch);
            ask.ack = Some(bytes.clone());
            self.send(ack.next_hop, bytes);
        }
        let challenged = matches!(response.status(), Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED);
        if !challenged || !self.try_again(now, response) {
            self.answered(now, purpose, Some(response));
        }
    }

    /// A copy of a final answer: the ACK is sent again. A 2xx of another branch is a new one (RFC 6026 §7.2).
    fn hear_copy(&mut self, now: Instant, response: &Response) {
        let Some(ask) = self.asking.of(response) else { return };
        let (purpose, next_hop, ack) = (ask.purpose, ask.outline.next_hop, ask.ack.clone());
        match (purpose, ack) {
            // A refusal after a 2xx matches nothing (RFC 6026 §7.2).
            (Purpose::Invite(call) | Purpose::ReInvite(call, _), None) if response.status().is_success() => {
                self.accepted(now, call, response);
            }
            // And a 2xx after a refusal neither (RFC 3261 §17.1.1.2, "Completed").
            (_, Some(ack)) if !response.status().is_success() => self.send(next_hop, ack),
            (_, _) => {}
        }
    }

    fn progressed(&mut self, now: Instant, purpose: Purpose, response: &Response) {
        let Purpose::Invite(call) = purpose else { return };
        let Some(own) = self.calls.get_mut(&call) else { return };
        if own.given_up {
            return self.cancel(now, call);
        }
        if response.status() != Status::TRYING && !std::mem::replace(&mut own.rang, true) {
            self.say(PhoneEvent::Ringing { call });
        }
    }

    /// Answers a challenge, once, and again where only the nonce was stale (RFC 7616 §3.4.6); says whether it did.
    fn try_again(&mut self, now: Instant, response: &Response) -> bool {
        let of_proxy = response.status() == Status::PROXY_AUTHENTICATION_REQUIRED;
        let name = if of_proxy { Name::ProxyAuthenticate } else { Name::WwwAuthenticate };
        let Some(challenge) = response.challenges(&name).next() else {
            self.complain("a challenge without a Digest challenge in it");
            return false;
        };
        let Some(ask) = self.asking.of(response) else { return false };
        let (purpose, attempts) = (ask.purpose, ask.attempts);
        // Credentials that were sent without being asked for do not count as an attempt.
        if attempts > 2 || (attempts > 0 && !challenge.stale) || self.has_given_up(purpose) {
            return false;
        }
        let Some(ask) = self.asking.of(response) else { return false };
        let mut outline = Outline { credentials: None, cseq: ask.outline.cseq + 1, ..ask.outline.clone() };
        outline.credentials = self.credentials(&outline, &challenge, 1, of_proxy);
        if outline.credentials.is_none() {
            return false;
        }
        self.count(purpose, &outline, challenge);
        let branch = self.branch();
        let key = Ask::key(&branch, &outline.method);
        self.ask_on(now, outline, purpose, &branch);
        if let Some(ask) = self.asking.find(&key) {
            ask.attempts = attempts + 1;
        }
        true
    }

    fn has_given_up(&self, purpose: Purpose) -> bool {
        let Purpose::Invite(call) = purpose else { return false };
        self.calls.get(&call).is_some_and(|own| own.given_up)
    }

    /// The CSeq that the second try took is used up.
    fn count(&mut self, purpose: Purpose, outline: &Outline, challenge: crate::sip::Challenge) {
        if purpose == Purpose::Register {
            self.registration.cseq = self.registration.cseq.max(outline.cseq);
            self.registration.kept = Some((challenge, 1));
        }
        let calls = self.calls.values_mut().filter_map(|call| call.dialog.as_mut());
        for dialog in calls.chain(&mut self.subscriptions) {
            if dialog.call_id == outline.call_id {
                dialog.local_cseq = dialog.local_cseq.max(outline.cseq);
            }
        }
    }

    /// The end of a request; `None`: no final answer came.
    pub(super) fn answered(&mut self, now: Instant, purpose: Purpose, response: Option<&Response>) {
        let success = response.filter(|response| response.status().is_success());
        match (purpose, success) {
            (Purpose::Register, Some(response)) => self.registered(now, response),
            (Purpose::Register, None) => self.not_registered(now, response),
            (Purpose::Invite(call), Some(response)) => self.accepted(now, call, response),
            (Purpose::Invite(call), None) => self.failed(call, response),
            (Purpose::ReInvite(call, request), _) => {
                if let Some(response) = success {
                    self.accepted(now, call, response);
                }
                self.done(request, Method::INVITE, response);
            }
            (Purpose::Bye(call), _) => self.ended(call),
            (Purpose::Plain(request), _) => {
                let method = response.map_or(Method::OPTIONS, |response| response.cseq().method.clone());
                self.done(request, method, response);
            }
            (Purpose::Subscribe(request), _) => {
                if let Some(dialog) = success.and_then(|response| self.dialog_of(response)) {
                    self.subscriptions.push(dialog);
                }
                self.done(request, Method::SUBSCRIBE, response);
            }
            (Purpose::Nobody, _) => {}
        }
    }

    fn done(&mut self, request: RequestRef, method: Method, response: Option<&Response>) {
        self.say(PhoneEvent::Response { request, method, response: response.cloned() });
    }

    fn failed(&mut self, call: CallRef, response: Option<&Response>) {
        let (status, reason, warning) =
            response.map_or_else(|| (Status::REQUEST_TIMEOUT, "no answer".into(), None), told);
        if self.over(call) {
            self.say(PhoneEvent::Failed { call, status, reason, warning });
        }
    }

    fn dialog_of(&mut self, response: &Response) -> Option<Dialog> {
        let outline = self.asking.of(response)?.outline.clone();
        let dialog = Dialog::of_response(&outline, response);
        if dialog.is_none() {
            self.complain(format!("2xx to {} without Contact, tag or a readable Record-Route", outline.method));
        }
        dialog
    }

    /// A 2xx to an INVITE: each gets its ACK, and each copy the same again (RFC 3261 §13.2.2.4).
    fn accepted(&mut self, now: Instant, call: CallRef, response: &Response) {
        let cseq = response.cseq().number;
        let Some(dialog) = self.dialog_of(response) else { return };
        let key = (dialog.remote_tag.clone(), cseq);
        let sent = self.calls.get(&call).and_then(|own| own.acks.get(&key)).cloned();
        if let Some((to, ack)) = sent {
            return self.send(to, ack);
        }
        let asked = self.asking.of(response).and_then(|ask| ask.outline.credentials.clone());
        let Some(own) = self.calls.get_mut(&call) else { return };
        let is_surplus = own.dialog.as_ref().is_some_and(|known| known.remote_tag != dialog.remote_tag);
        // RFC 3261 §12.2.1.2: a new 2xx changes the remote target, never the route set.
        let path = match &mut own.dialog {
            Some(known) if !is_surplus => {
                known.remote_target = dialog.remote_target.clone();
                known.clone()
            }
            Some(_) | None => dialog.clone(),
        };
        let ack = Outline { credentials: asked, ..path.ack(cseq, self.config.proxy) };
        let branch = self.branch();
        let bytes = ack.write(self.config.local, &branch);
        self.send(ack.next_hop, bytes.clone());
        let Some(own) = self.calls.get_mut(&call) else { return };
        own.acks.insert(key, (ack.next_hop, bytes));
        if is_surplus {
            self.end_surplus(now, dialog);
        } else if own.dialog.is_none() {
            self.begun(now, call, dialog, response);
        }
    }

    fn begun(&mut self, now: Instant, call: CallRef, dialog: Dialog, response: &Response) {
        let Some(own) = self.calls.get_mut(&call) else { return };
        own.dialog = Some(dialog);
        own.state = State::Up;
        let given_up = own.given_up;
        self.say(PhoneEvent::Answered { call, response: response.clone() });
        if given_up {
            self.hang_up(now, call);
        }
    }

    /// Another branch was answered too: one conversation is enough.
    fn end_surplus(&mut self, now: Instant, mut dialog: Dialog) {
        let bye = dialog.request(Method::BYE, self.config.proxy, Vec::new());
        self.ask(now, bye, Purpose::Nobody);
    }
}
