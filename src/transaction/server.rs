//! The server transactions of a table: the machines, and what they keep.

use std::time::Instant;

use bytes::Bytes;

use super::action::{Action, Failure};
use super::key::{Index, Key, Keys};
use super::outputs::{Outputs, Waiter};
use super::slab::Slab;
use super::timer::Timer;
use super::timers::Timers;
use super::{Count, Event, FOR_KNOWN, Full, Heard, RESERVE, ServerId, compose, invite_server, non_invite_server};
use crate::sip::{Method, Request, Status};
use crate::transmit::Flow;

/// All server transactions.
#[derive(Debug)]
pub(super) struct Servers<S> {
    limit: usize,
    slab: Slab<Server<S>>,
    index: Index<ServerId>,
    pub count: Count,
}

#[derive(Debug)]
struct Server<S> {
    state: State,
    kept: Kept,
    timers: Timers,
    reply_to: Flow,
    key: Key,
    /// An INVITE without a branch of RFC 3261 is found by its ACK in another way.
    legacy_ack: Option<Box<Key>>,
    data: S,
}

/// What a copy of the request may need.
#[derive(Debug)]
enum Kept {
    Nothing,
    /// A non-INVITE request that may still have to be answered with 100.
    Request(Bytes),
    /// The last response.
    Response(Bytes),
}

#[derive(Clone, Copy, Debug)]
enum State {
    Invite(invite_server::State),
    NonInvite(non_invite_server::State),
}

/// What can happen to either machine.
#[derive(Clone, Copy, Debug)]
enum Input {
    Copy,
    Ack,
    Respond(Status),
    Fired(Timer),
}

impl<S: Copy> Servers<S> {
    pub fn new(limit: usize) -> Self {
        Self { limit, slab: Slab::new(), index: Index::default(), count: Count::default() }
    }

    pub fn has_room(&self) -> bool {
        self.slab.len() < self.limit - self.limit / RESERVE
    }

    pub fn has_plenty(&self) -> bool {
        self.slab.len() < self.limit - self.limit / FOR_KNOWN
    }

    pub fn find(&self, key: Key) -> Option<ServerId> {
        self.index.get(&key).copied()
    }

    pub fn data(&self, id: ServerId) -> Option<S> {
        self.slab.get(id.0).map(|server| server.data)
    }

    pub fn set_data(&mut self, id: ServerId, data: S) {
        if let Some(server) = self.slab.get_mut(id.0) {
            server.data = data;
        }
    }

    pub fn begin<C>(
        &mut self,
        now: Instant,
        keys: &Keys,
        request: &Request,
        reply_to: Flow,
        data: S,
        out: &mut Outputs<S, C>,
    ) -> Result<ServerId, Full> {
        if self.slab.len() >= self.limit {
            return Err(Full);
        }
        let key = keys.server(request, request.method());
        let invite = *request.method() == Method::INVITE;
        let legacy_ack = if invite { keys.legacy_ack(request).map(Box::new) } else { None };
        let ((state, actions), kept) = match invite {
            true => (State::invite(), Kept::Nothing),
            false => (State::non_invite(), Kept::Request(request.bytes().clone())),
        };
        let server = Server { state, kept, timers: Timers::default(), reply_to, key, legacy_ack, data };
        let ack = server.legacy_ack.as_deref().copied();
        let id = ServerId(self.slab.insert(server));
        for key in [Some(key), ack].into_iter().flatten() {
            self.index.insert(key, id);
        }
        self.count.begun(invite);
        self.perform(now, id, actions, None, out);
        Ok(id)
    }

    /// A copy of the request.
    pub fn copy<C>(&mut self, now: Instant, id: ServerId, out: &mut Outputs<S, C>) {
        self.step(now, id, Input::Copy, None, out);
    }

    /// An ACK with the INVITE's key.
    pub fn acknowledge<C>(&mut self, now: Instant, id: ServerId, ack: &Request, out: &mut Outputs<S, C>) -> Heard<S> {
        let Some(server) = self.slab.get(id.0) else { return Heard::New };
        if !server.answered_with_tag_of(ack) {
            return Heard::New;
        }
        let (accepted, data) = (server.state.is_accepted(), server.data);
        match self.step(now, id, Input::Ack, None, out) {
            // RFC 6026 §7.1: the ACK to a 2xx is not of this transaction, whatever its branch.
            true if accepted => Heard::New,
            true => Heard::Ack(data),
            false => Heard::Copy,
        }
    }

    pub fn respond<C>(&mut self, now: Instant, id: ServerId, status: Status, bytes: Bytes, out: &mut Outputs<S, C>) {
        self.step(now, id, Input::Respond(status), Some(bytes), out);
    }

    /// Takes it out without an answer.
    pub fn abandon<C>(&mut self, id: ServerId, out: &mut Outputs<S, C>) {
        if self.slab.get(id.0).is_some_and(|server| server.state.is_pending()) {
            self.count.answered();
        }
        self.end(id, None, out);
    }

    /// Its deadline has come.
    pub fn fire<C>(&mut self, now: Instant, id: ServerId, out: &mut Outputs<S, C>) {
        let Some(server) = self.slab.get_mut(id.0) else { return };
        match server.timers.fire(now) {
            Some(timer) => _ = self.step(now, id, Input::Fired(timer), None, out),
            None => out.wait(now, Waiter::Server(id), server.timers.nearest()),
        }
    }

    /// True if what came is to go up.
    fn step<C>(
        &mut self,
        now: Instant,
        id: ServerId,
        input: Input,
        given: Option<Bytes>,
        out: &mut Outputs<S, C>,
    ) -> bool {
        let Some(server) = self.slab.get_mut(id.0) else { return false };
        let pending = server.state.is_pending();
        let (state, actions) = server.state.on(input);
        server.state = state;
        if pending && !state.is_pending() {
            self.count.answered();
        }
        self.perform(now, id, actions, given, out)
    }

    fn perform<C>(
        &mut self,
        now: Instant,
        id: ServerId,
        actions: &[Action],
        given: Option<Bytes>,
        out: &mut Outputs<S, C>,
    ) -> bool {
        let Some(server) = self.slab.get_mut(id.0) else { return false };
        let (mut passed, mut failure, mut ended) = (false, None, false);
        for action in actions {
            match *action {
                Action::Send => server.send(given.as_ref(), out),
                Action::Keep => server.kept = given.clone().map_or(Kept::Nothing, Kept::Response),
                Action::Forget => server.kept = Kept::Nothing,
                Action::Trying => server.send_trying(out),
                Action::Pass => passed = true,
                Action::Arm(timer, wait) => server.timers.arm(now, timer, wait, &out.timing, out.transport),
                Action::Stop(timer) => server.timers.stop(timer),
                Action::Report(reason) => failure = Some(reason),
                Action::End => ended = true,
                Action::Ack => unreachable!("no server machine asks for an ACK"),
            }
        }
        if ended {
            self.end(id, failure, out);
        } else {
            let nearest = server.timers.nearest();
            out.wait(now, Waiter::Server(id), nearest);
        }
        passed
    }

    fn end<C>(&mut self, id: ServerId, failure: Option<Failure>, out: &mut Outputs<S, C>) {
        let Some(server) = self.slab.remove(id.0) else { return };
        for key in [Some(server.key), server.legacy_ack.map(|key| *key)].into_iter().flatten() {
            if self.index.get(&key) == Some(&id) {
                self.index.remove(&key);
            }
        }
        self.count.ended(matches!(server.state, State::Invite(_)));
        out.wait_no_more(Waiter::Server(id));
        out.events.push_back(match failure {
            Some(Failure::AckMissing) => Event::AckMissing(id, server.data),
            Some(Failure::Timeout | Failure::Unreachable) | None => Event::ServerEnded(id, server.data),
        });
    }
}

impl<S> Server<S> {
    fn send<C>(&self, given: Option<&Bytes>, out: &mut Outputs<S, C>) {
        let kept = match &self.kept {
            Kept::Response(bytes) => Some(bytes),
            Kept::Nothing | Kept::Request(_) => None,
        };
        if let Some(bytes) = given.or(kept) {
            out.send(self.reply_to, bytes.clone());
        }
    }

    fn send_trying<C>(&mut self, out: &mut Outputs<S, C>) {
        let Kept::Request(request) = &self.kept else { return };
        self.kept = compose::trying(request, self.reply_to).map_or(Kept::Nothing, Kept::Response);
        self.send(None, out);
    }

    /// RFC 3261 §17.2.3: the ACK of a peer of RFC 2543 has the To tag of our response.
    fn answered_with_tag_of(&self, ack: &Request) -> bool {
        match (&self.legacy_ack, &self.kept) {
            (Some(_), Kept::Response(response)) => compose::to_tag(response).as_deref() == ack.to().tag(),
            // Once the response is dropped, the rest of the key must do.
            (None, _) | (Some(_), Kept::Nothing | Kept::Request(_)) => true,
        }
    }
}

impl State {
    fn invite() -> (State, &'static [Action]) {
        let (state, actions) = invite_server::State::begin();
        (State::Invite(state), actions)
    }

    fn non_invite() -> (State, &'static [Action]) {
        let (state, actions) = non_invite_server::State::begin();
        (State::NonInvite(state), actions)
    }

    fn on(self, input: Input) -> (State, &'static [Action]) {
        let moved = match self {
            State::Invite(state) => input.for_invite().map(|input| state.on(input)).map(|(s, a)| (State::Invite(s), a)),
            State::NonInvite(state) => {
                input.for_non_invite().map(|input| state.on(input)).map(|(s, a)| (State::NonInvite(s), a))
            }
        };
        moved.unwrap_or((self, &[]))
    }

    fn is_pending(self) -> bool {
        match self {
            State::Invite(state) => state.is_pending(),
            State::NonInvite(state) => state.is_pending(),
        }
    }

    fn is_accepted(self) -> bool {
        matches!(self, State::Invite(invite_server::State::Accepted))
    }
}

impl Input {
    fn for_invite(self) -> Option<invite_server::Input> {
        match self {
            Input::Copy => Some(invite_server::Input::Invite),
            Input::Ack => Some(invite_server::Input::Ack),
            Input::Respond(status) if status.is_provisional() => Some(invite_server::Input::Provisional),
            Input::Respond(status) if status.is_success() => Some(invite_server::Input::Success),
            Input::Respond(_) => Some(invite_server::Input::Failure),
            Input::Fired(timer) => invite_server::Input::fired(timer),
        }
    }

    fn for_non_invite(self) -> Option<non_invite_server::Input> {
        match self {
            Input::Copy => Some(non_invite_server::Input::Request),
            Input::Ack => None,
            Input::Respond(status) if status.is_provisional() => Some(non_invite_server::Input::Provisional),
            Input::Respond(Status::REQUEST_TIMEOUT) => Some(non_invite_server::Input::RequestTimeout),
            Input::Respond(_) => Some(non_invite_server::Input::Final),
            Input::Fired(timer) => non_invite_server::Input::fired(timer),
        }
    }
}
