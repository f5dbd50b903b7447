//! The client transactions of a table: the machines, what they keep, and the CANCEL of an INVITE.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use super::action::{Action, Failure};
use super::key::{Index, Key, Keys};
use super::outputs::{Outputs, Waiter};
use super::slab::{Place, Slab};
use super::timer::Timer;
use super::timers::Timers;
use super::{ClientId, Count, Event, RESERVE, compose, invite_client, non_invite_client};
use crate::sip::{Method, Response, Status};
use crate::transmit::Flow;

/// All client transactions.
#[derive(Debug)]
pub(super) struct Clients<C> {
    limit: usize,
    slab: Slab<Client<C>>,
    index: Index<ClientId>,
    /// Those that a transport error concerns, by the peer's address: few, since a first answer ends it.
    sending: BTreeSet<(SocketAddr, ClientId)>,
    pub count: Count,
}

#[derive(Debug)]
struct Client<C> {
    state: State,
    /// The request, or the ACK to its final response.
    kept: Option<Bytes>,
    timers: Timers,
    flow: Flow,
    key: Key,
    cancel: Cancel<C>,
    data: C,
}

/// RFC 3261 §9.1: a CANCEL waits for the first provisional response.
#[derive(Debug)]
enum Cancel<C> {
    Unasked,
    Wanted(Box<Wanted<C>>),
    Sent,
}

#[derive(Debug)]
struct Wanted<C> {
    reason: Option<Bytes>,
    data: C,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Invite(invite_client::State),
    NonInvite(non_invite_client::State),
}

/// What can happen to either machine.
#[derive(Clone, Copy, Debug)]
enum Input<'r> {
    Heard(&'r Response),
    Cancelled,
    Fired(Timer),
    Unreachable,
}

impl<C: Copy> Clients<C> {
    pub fn new(limit: usize) -> Self {
        let count = Count::default();
        Self { limit, slab: Slab::new(), index: Index::default(), sending: BTreeSet::new(), count }
    }

    pub fn find(&self, key: Key) -> Option<ClientId> {
        self.index.get(&key).copied()
    }

    pub fn data(&self, id: ClientId) -> Option<C> {
        self.slab.get(id.0).map(|client| client.data)
    }

    pub fn set_data(&mut self, id: ClientId, data: C) {
        if let Some(client) = self.slab.get_mut(id.0) {
            client.data = data;
        }
    }

    pub fn has_room(&self) -> bool {
        self.slab.len() < self.limit - self.limit / RESERVE
    }

    pub fn is_full(&self) -> bool {
        self.slab.len() >= self.limit
    }

    /// Begins and sends, whether the table is full or not.
    pub fn begin<S>(&mut self, now: Instant, key: Key, opening: Opening<C>, out: &mut Outputs<S, C>) -> ClientId {
        let Opening { invite, bytes, flow, data } = opening;
        let (state, actions) = if invite { State::invite() } else { State::non_invite() };
        let (kept, timers, cancel) = (Some(bytes), Timers::default(), Cancel::Unasked);
        let id = ClientId(self.slab.insert(Client { state, kept, timers, flow, key, cancel, data }));
        self.index.insert(key, id);
        self.sending.insert((flow.remote, id));
        self.count.begun(invite);
        self.perform(now, id, actions, None, out);
        id
    }

    /// True if the response is to go up.
    pub fn hear<S>(
        &mut self,
        now: Instant,
        keys: &Keys,
        id: ClientId,
        response: &Response,
        out: &mut Outputs<S, C>,
    ) -> bool {
        let passed = self.step(now, id, Input::Heard(response), out);
        self.send_wanted_cancel(now, keys, id, out);
        passed
    }

    /// True if it will be cancelled: now, or with the first provisional response.
    pub fn cancel<S>(
        &mut self,
        now: Instant,
        keys: &Keys,
        id: ClientId,
        reason: Option<&[u8]>,
        data: C,
        out: &mut Outputs<S, C>,
    ) -> bool {
        let Some(client) = self.slab.get_mut(id.0) else { return false };
        let (State::Invite(_), true, Cancel::Unasked) = (client.state, client.state.is_pending(), &client.cancel)
        else {
            return false;
        };
        let reason = reason.map(Bytes::copy_from_slice);
        client.cancel = Cancel::Wanted(Box::new(Wanted { reason, data }));
        self.send_wanted_cancel(now, keys, id, out);
        true
    }

    /// At most one for each INVITE, so it is never refused: the table is bounded by twice its limit.
    fn send_wanted_cancel<S>(&mut self, now: Instant, keys: &Keys, id: ClientId, out: &mut Outputs<S, C>) {
        let Some(client) = self.slab.get_mut(id.0) else { return };
        // RFC 3261 §9.1: not before a provisional response, not after a final one.
        let State::Invite(invite_client::State::Proceeding) = client.state else { return };
        let (Cancel::Wanted(wanted), Some(invite)) = (&client.cancel, &client.kept) else { return };
        let composed = compose::cancel(invite, wanted.reason.as_deref());
        let (flow, data) = (client.flow, wanted.data);
        client.cancel = Cancel::Sent;
        if let Some((bytes, branch)) = composed {
            let key = keys.client(&branch, &Method::CANCEL);
            self.begin(now, key, Opening { invite: false, bytes, flow, data }, out);
        }
        self.step(now, id, Input::Cancelled, out);
    }

    /// The transport could not deliver to that address.
    pub fn unreachable<S>(&mut self, now: Instant, to: SocketAddr, out: &mut Outputs<S, C>) {
        let concerned = self.sending.range((to, ClientId(Place::FIRST))..=(to, ClientId(Place::LAST)));
        for id in concerned.map(|&(_, id)| id).collect::<Vec<_>>() {
            self.step(now, id, Input::Unreachable, out);
        }
    }

    /// Takes it out without a word.
    pub fn abandon<S>(&mut self, id: ClientId, out: &mut Outputs<S, C>) {
        let Some(client) = self.take(id, out) else { return };
        if client.state.is_sending() {
            self.sending.remove(&(client.flow.remote, id));
        }
        if client.state.is_pending() {
            self.count.answered();
        }
    }

    /// Its deadline has come.
    pub fn fire<S>(&mut self, now: Instant, id: ClientId, out: &mut Outputs<S, C>) {
        let Some(client) = self.slab.get_mut(id.0) else { return };
        match client.timers.fire(now) {
            Some(timer) => _ = self.step(now, id, Input::Fired(timer), out),
            None => out.wait(now, Waiter::Client(id), client.timers.nearest()),
        }
    }

    fn step<S>(&mut self, now: Instant, id: ClientId, input: Input<'_>, out: &mut Outputs<S, C>) -> bool {
        let Some(client) = self.slab.get_mut(id.0) else { return false };
        let before = client.state;
        let (state, actions) = before.on(input);
        client.state = state;
        if before.is_sending() && !state.is_sending() {
            self.sending.remove(&(client.flow.remote, id));
        }
        if before.is_pending() && !state.is_pending() {
            self.count.answered();
        }
        let response = match input {
            Input::Heard(response) => Some(response),
            Input::Cancelled | Input::Fired(_) | Input::Unreachable => None,
        };
        self.perform(now, id, actions, response, out)
    }

    fn perform<S>(
        &mut self,
        now: Instant,
        id: ClientId,
        actions: &[Action],
        response: Option<&Response>,
        out: &mut Outputs<S, C>,
    ) -> bool {
        let Some(client) = self.slab.get_mut(id.0) else { return false };
        let (mut passed, mut failure, mut ended) = (false, None, false);
        for action in actions {
            match *action {
                Action::Send => client.send(out),
                Action::Ack => client.send_ack(response, out),
                Action::Forget => client.kept = None,
                Action::Pass => passed = true,
                Action::Arm(timer, wait) => client.timers.arm(now, timer, wait, &out.timing, out.transport),
                Action::Stop(timer) => client.timers.stop(timer),
                Action::Report(reason) => failure = Some(reason),
                Action::End => ended = true,
                Action::Keep | Action::Trying => unreachable!("no client machine asks for it"),
            }
        }
        if ended {
            self.end(id, failure, out);
        } else {
            let nearest = client.timers.nearest();
            out.wait(now, Waiter::Client(id), nearest);
        }
        passed
    }

    fn take<S>(&mut self, id: ClientId, out: &mut Outputs<S, C>) -> Option<Client<C>> {
        let client = self.slab.remove(id.0)?;
        if self.index.get(&client.key) == Some(&id) {
            self.index.remove(&client.key);
        }
        self.count.ended(matches!(client.state, State::Invite(_)));
        out.wait_no_more(Waiter::Client(id));
        Some(client)
    }

    fn end<S>(&mut self, id: ClientId, failure: Option<Failure>, out: &mut Outputs<S, C>) {
        let Some(client) = self.take(id, out) else { return };
        out.events.push_back(match failure {
            Some(Failure::Timeout) => Event::ClientTimeout(id, client.data),
            Some(Failure::Unreachable) => Event::ClientUnreachable(id, client.data),
            Some(Failure::AckMissing) | None => Event::ClientEnded(id, client.data),
        });
    }
}

/// What a client transaction begins with.
pub(super) struct Opening<C> {
    pub invite: bool,
    pub bytes: Bytes,
    pub flow: Flow,
    pub data: C,
}

impl<C> Client<C> {
    fn send<S>(&self, out: &mut Outputs<S, C>) {
        if let Some(bytes) = &self.kept {
            out.send(self.flow, bytes.clone());
        }
    }

    /// The final response turns the kept INVITE into its ACK, with which copies of the response are answered too.
    fn send_ack<S>(&mut self, response: Option<&Response>, out: &mut Outputs<S, C>) {
        self.kept = self.kept.take().zip(response).and_then(|(invite, response)| compose::ack(&invite, response));
        self.send(out);
    }
}

impl State {
    fn invite() -> (State, &'static [Action]) {
        let (state, actions) = invite_client::State::begin();
        (State::Invite(state), actions)
    }

    fn non_invite() -> (State, &'static [Action]) {
        let (state, actions) = non_invite_client::State::begin();
        (State::NonInvite(state), actions)
    }

    fn on(self, input: Input<'_>) -> (State, &'static [Action]) {
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

    /// The request may still be sent again.
    fn is_sending(self) -> bool {
        match self {
            State::Invite(state) => state == invite_client::State::Calling,
            State::NonInvite(state) => state.is_pending(),
        }
    }
}

impl Input<'_> {
    fn for_invite(self) -> Option<invite_client::Input> {
        match self {
            Input::Heard(response) => Some(match response.status() {
                status if status.is_provisional() => invite_client::Input::Provisional,
                status if status.is_success() => invite_client::Input::Success,
                Status(_) => invite_client::Input::Failure,
            }),
            Input::Cancelled => Some(invite_client::Input::Cancelled),
            Input::Fired(timer) => invite_client::Input::fired(timer),
            Input::Unreachable => Some(invite_client::Input::TransportError),
        }
    }

    fn for_non_invite(self) -> Option<non_invite_client::Input> {
        match self {
            Input::Heard(response) if response.status().is_provisional() => Some(non_invite_client::Input::Provisional),
            Input::Heard(_) => Some(non_invite_client::Input::Final),
            Input::Cancelled => None,
            Input::Fired(timer) => non_invite_client::Input::fired(timer),
            Input::Unreachable => Some(non_invite_client::Input::TransportError),
        }
    }
}
