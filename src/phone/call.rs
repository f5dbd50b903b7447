//! The calls of a phone, from the side of its user.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use super::asking::{Purpose, Stage};
use super::dialog::Dialog;
use super::event::{CallRef, PhoneEvent, RequestRef};
use super::outline::Outline;
use super::serving::ServeKey;
use super::user_agent::Phone;
use crate::sip::{Method, Name, Status};

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Ours, not answered.
    Calling,
    /// Theirs, not answered.
    Incoming,
    /// Theirs, answered with 2xx, no ACK yet.
    Unacknowledged,
    /// Both sides agree.
    Up,
    /// Our BYE is under way.
    Closing,
    /// Over.
    Over,
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub state: State,
    pub dialog: Option<Dialog>,
    /// The last INVITE that came in.
    pub invite: Option<ServeKey>,
    pub answer_at: Option<Instant>,
    /// Our ACKs to 2xx, by the other's tag and the CSeq, for copies of the 2xx.
    pub acks: BTreeMap<(String, u32), (SocketAddr, Bytes)>,
    /// The user gave up: CANCEL goes with the first provisional answer, BYE after a 2xx.
    pub given_up: bool,
    pub cancel_sent: bool,
    pub rang: bool,
    /// BYE goes as soon as the ACK is there (RFC 3261 §15).
    pub bye_after_ack: bool,
}

impl Call {
    pub fn new(state: State) -> Self {
        Self {
            state,
            dialog: None,
            invite: None,
            answer_at: None,
            acks: BTreeMap::new(),
            given_up: false,
            cancel_sent: false,
            rang: false,
            bye_after_ack: false,
        }
    }
}

impl Phone {
    /// Dials `target`: a number, or a whole URI if it has a colon.
    pub fn call(&mut self, now: Instant, target: &str) -> CallRef {
        self.call_with(now, target, Vec::new())
    }

    /// As [`call`](Self::call), with more headers, such as `Privacy`.
    pub fn call_with(&mut self, now: Instant, target: &str, headers: Vec<(Name, String)>) -> CallRef {
        self.call_as(now, None, target, headers)
    }

    /// As [`call_with`](Self::call_with), with another name and URI in From, such as those that hide who calls (RFC 3323 §4.1.1.3).
    pub fn call_as(&mut self, now: Instant, from: Option<&str>, target: &str, headers: Vec<(Name, String)>) -> CallRef {
        let mut outline = self.outline(Method::INVITE, target);
        if let Some(from) = from {
            let own = self.config().named_aor();
            outline.from = format!("{from}{}", outline.from.strip_prefix(&own).unwrap_or_default());
        }
        self.invite(now, outline, headers)
    }

    /// Calls a URI with another number in To.
    pub(super) fn call_to(&mut self, now: Instant, uri: &str, to: &str, headers: Vec<(Name, String)>) -> CallRef {
        let outline = self.outline(Method::INVITE, uri);
        let to = format!("<{}>", self.config().dialled(to));
        self.invite(now, Outline { to, ..outline }, headers)
    }

    fn invite(&mut self, now: Instant, mut outline: Outline, headers: Vec<(Name, String)>) -> CallRef {
        let call = CallRef(self.number());
        outline.extras.push((Name::Contact, self.contact()));
        outline.extras.push((Name::Allow, super::incoming::ALLOW.into()));
        outline.extras.extend(headers);
        outline.body = Some(self.session("sendrecv"));
        self.calls.insert(call, Call::new(State::Calling));
        self.ask(now, outline, Purpose::Invite(call));
        call
    }

    /// Gives up a call that is not answered: CANCEL, at the latest with the first provisional answer (RFC 3261 §9.1).
    pub fn cancel(&mut self, now: Instant, call: CallRef) {
        let clock = self.clock;
        let Some(state) = self.calls.get_mut(&call).filter(|own| own.state == State::Calling) else { return };
        state.given_up = true;
        if state.cancel_sent {
            return;
        }
        let Some(((branch, _), invite)) = self.asking.open_invite(call) else { return };
        if invite.stage != Stage::Proceeding {
            return;
        }
        invite.end_soon(now, clock);
        let outline = invite.outline.cancel();
        state.cancel_sent = true;
        self.ask_on(now, outline, Purpose::Nobody, &branch);
    }

    /// Answers a call that rings; nothing if it no longer does.
    pub fn answer(&mut self, now: Instant, call: CallRef) {
        let Some(own) = self.calls.get_mut(&call).filter(|own| own.state == State::Incoming) else { return };
        own.state = State::Unacknowledged;
        own.answer_at = None;
        let Some(key) = own.invite.clone() else { return };
        self.reply_to_invite(now, &key, Status::OK);
    }

    /// Refuses a call that rings.
    pub fn refuse(&mut self, now: Instant, call: CallRef, status: Status) {
        let Some(own) = self.calls.get_mut(&call).filter(|own| own.state == State::Incoming) else { return };
        own.state = State::Over;
        own.answer_at = None;
        let Some(key) = own.invite.clone() else { return };
        self.reply(now, &key, status, None, Vec::new());
    }

    /// Ends a call, however far it is: CANCEL, 603, or BYE (after the ACK).
    pub fn hang_up(&mut self, now: Instant, call: CallRef) {
        let Some(own) = self.calls.get_mut(&call) else { return };
        match own.state {
            State::Calling => self.cancel(now, call),
            State::Incoming => self.refuse(now, call, Status(603)),
            State::Unacknowledged => own.bye_after_ack = true,
            State::Up => {
                own.state = State::Closing;
                self.in_dialog(now, call, Method::BYE, Purpose::Bye(call), Vec::new(), None);
            }
            State::Closing | State::Over => {}
        }
    }

    /// A new offer inside the call; `hold` makes it `sendonly`.
    pub fn re_invite(&mut self, now: Instant, call: CallRef, hold: bool) -> RequestRef {
        let request = RequestRef(self.number());
        let extras = vec![(Name::Contact, self.contact())];
        let body = self.session(if hold { "sendonly" } else { "sendrecv" });
        self.in_dialog(now, call, Method::INVITE, Purpose::ReInvite(call, request), extras, Some(body));
        request
    }

    /// UPDATE inside the call (RFC 3311).
    pub fn update(&mut self, now: Instant, call: CallRef) -> RequestRef {
        let body = Some(self.session("sendrecv"));
        let extras = vec![(Name::Contact, self.contact())];
        self.inside(now, call, Method::UPDATE, extras, body)
    }

    /// INFO inside the call with a DTMF digit.
    pub fn info(&mut self, now: Instant, call: CallRef, digit: char) -> RequestRef {
        let body = Bytes::from(format!("Signal={digit}\r\nDuration=160\r\n"));
        self.inside(now, call, Method::INFO, Vec::new(), Some(("application/dtmf-relay".into(), body)))
    }

    /// REFER inside the call (RFC 3515).
    pub fn refer(&mut self, now: Instant, call: CallRef, target: &str) -> RequestRef {
        let to = format!("<{}>", self.config.dialled(target));
        let extras = vec![(Name::Contact, self.contact()), (Name::ReferTo, to)];
        self.inside(now, call, Method::REFER, extras, None)
    }

    /// Any other request inside the call.
    pub fn inside(
        &mut self,
        now: Instant,
        call: CallRef,
        method: Method,
        headers: Vec<(Name, String)>,
        body: Option<(String, Bytes)>,
    ) -> RequestRef {
        let request = RequestRef(self.number());
        self.in_dialog(now, call, method, Purpose::Plain(request), headers, body);
        request
    }

    fn in_dialog(
        &mut self,
        now: Instant,
        call: CallRef,
        method: Method,
        purpose: Purpose,
        extras: Vec<(Name, String)>,
        body: Option<(String, Bytes)>,
    ) {
        let proxy = self.config.proxy;
        let Some(dialog) = self.calls.get_mut(&call).and_then(|own| own.dialog.as_mut()) else { return };
        let outline = Outline { body, ..dialog.request(method, proxy, extras) };
        self.ask(now, outline, purpose);
    }

    pub(super) fn over(&mut self, call: CallRef) -> bool {
        let Some(own) = self.calls.get_mut(&call) else { return false };
        own.answer_at = None;
        std::mem::replace(&mut own.state, State::Over) != State::Over
    }

    pub(super) fn ended(&mut self, call: CallRef) {
        if self.over(call) {
            self.say(PhoneEvent::Ended { call });
        }
    }

    /// An offer or answer; no sound is made.
    pub(super) fn session(&self, direction: &str) -> (String, Bytes) {
        let ip = self.config.local.ip();
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        let text = format!(
            "v=0\r\no=- 1 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0\r\n\
             a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na={direction}\r\n"
        );
        ("application/sdp".into(), text.into())
    }
}
