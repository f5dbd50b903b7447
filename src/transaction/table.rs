//! The table: which transaction a message belongs to, and what is due.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use super::client::{Clients, Opening};
use super::key::Keys;
use super::outputs::{Outputs, Waiter};
use super::server::Servers;
use super::{Answer, ClientId, Count, Event, Full, Heard, ServerId, TableLimits};
use crate::sip::{Method, Request, Response, Status};
use crate::timing::Timing;
use crate::transmit::{Flow, Transmit};

/// Most timers that one `handle_timeout` fires, so that datagrams are not kept waiting.
pub const FIRED_AT_ONCE: usize = 1_000;

/// All transactions of one shard, with a word of the owner's on each: `S` on a server's, `C` on a client's.
#[derive(Debug)]
pub struct Transactions<S, C> {
    keys: Keys,
    servers: Servers<S>,
    clients: Clients<C>,
    out: Outputs<S, C>,
}

impl<S: Copy, C: Copy> Transactions<S, C> {
    /// An empty table. `hash_seeds` are secret random numbers in production: with them a stranger could make keys collide.
    pub fn new(timing: Timing, limits: TableLimits, hash_seeds: [u64; 4]) -> Self {
        Self {
            keys: Keys::new(hash_seeds),
            servers: Servers::new(limits.servers),
            clients: Clients::new(limits.clients),
            out: Outputs::new(timing),
        }
    }

    /// Finds the server transaction of a request and lets it absorb a copy or an ACK (RFC 3261 §17.2.3).
    pub fn hear_request(&mut self, now: Instant, request: &Request) -> Heard<S> {
        match *request.method() {
            Method::ACK => self.hear_ack(now, request),
            ref method => match self.servers.find(self.keys.server(request, method)) {
                Some(id) => {
                    self.servers.copy(now, id, &mut self.out);
                    Heard::Copy
                }
                None if *method == Method::CANCEL => Heard::Cancel(self.cancelled_by(request)),
                None => Heard::New,
            },
        }
    }

    fn hear_ack(&mut self, now: Instant, ack: &Request) -> Heard<S> {
        let key = self.keys.legacy_ack(ack).unwrap_or_else(|| self.keys.server(ack, &Method::INVITE));
        match self.servers.find(key) {
            Some(id) => self.servers.acknowledge(now, id, ack, &mut self.out),
            None => Heard::New,
        }
    }

    /// RFC 3261 §9.2: the INVITE has all of the CANCEL's key but the method.
    fn cancelled_by(&self, cancel: &Request) -> Option<S> {
        let id = self.servers.find(self.keys.server(cancel, &Method::INVITE))?;
        self.servers.data(id)
    }

    /// Begins the server transaction of a request for which `hear_request` said `New` or `Cancel`; not for an ACK.
    ///
    /// Its responses go to `reply_to`. `Err(Full)`: nothing was begun.
    pub fn begin_server(&mut self, now: Instant, request: &Request, reply_to: Flow, data: S) -> Result<ServerId, Full> {
        self.servers.begin(now, &self.keys, request, reply_to, data, &mut self.out)
    }

    /// Whether there is room for another request that has no claim on the reserve: a sixteenth of either table is kept for those
    /// that have (SPEC 6.7: emergency calls; and what ends calls, which makes room).
    pub fn has_room(&self) -> bool {
        self.servers.has_room() && self.clients.has_room()
    }

    /// Whether there is room for one who comes anew: a quarter of the table is kept for those who are known (SPEC 8.8: live bindings'
    /// refreshes come before new logins).
    pub fn has_plenty(&self) -> bool {
        self.servers.has_plenty() && self.clients.has_room()
    }

    /// The owner's word on a server transaction, while it lives.
    pub fn server_data(&self, id: ServerId) -> Option<S> {
        self.servers.data(id)
    }

    /// Changes the owner's word on a server transaction.
    pub fn set_server_data(&mut self, id: ServerId, data: S) {
        self.servers.set_data(id, data);
    }

    /// Gives a response to a server transaction, whose machine sends it, sends it again, or drops it: a second final, anything
    /// after the end, and for a non-INVITE every provisional (it sends the 100 itself) and 408 (RFC 4320).
    pub fn respond(&mut self, now: Instant, id: ServerId, status: Status, bytes: Bytes) {
        self.servers.respond(now, id, status, bytes, &mut self.out);
    }

    /// Sends a request and begins its client transaction; not for an ACK.
    ///
    /// `bytes` is the whole request, whose top Via has `branch`: new, with at least 64 random bits. `Err(Full)`: it was not sent.
    pub fn begin_client(
        &mut self,
        now: Instant,
        method: &Method,
        branch: &[u8],
        bytes: Bytes,
        flow: Flow,
        data: C,
    ) -> Result<ClientId, Full> {
        if self.clients.is_full() {
            return Err(Full);
        }
        let key = self.keys.client(branch, method);
        let opening = Opening { invite: *method == Method::INVITE, bytes, flow, data };
        Ok(self.clients.begin(now, key, opening, &mut self.out))
    }

    /// The owner's word on a client transaction, while it lives.
    pub fn client_data(&self, id: ClientId) -> Option<C> {
        self.clients.data(id)
    }

    /// Changes the owner's word on a client transaction.
    pub fn set_client_data(&mut self, id: ClientId, data: C) {
        self.clients.set_data(id, data);
    }

    /// Finds the client transaction of a response (RFC 3261 §17.1.3) and lets it absorb a copy or acknowledge a failure.
    ///
    /// That the top Via is ours is the caller's to check (§18.1.2).
    pub fn hear_response(&mut self, now: Instant, response: &Response) -> Answer<C> {
        let Some(key) = self.keys.of_response(response) else { return Answer::Stray };
        let Some(id) = self.clients.find(key) else { return Answer::Stray };
        let Some(data) = self.clients.data(id) else { return Answer::Stray };
        match self.clients.hear(now, &self.keys, id, response, &mut self.out) {
            true => Answer::Pass(id, data),
            false => Answer::Absorbed,
        }
    }

    /// Cancels an INVITE that we sent (RFC 3261 §9.1), with the value of a Reason header if there is one (RFC 3326).
    ///
    /// The CANCEL is a client transaction of its own, with `data` on it. It is sent at once if a provisional response was
    /// heard, else with the first one; the INVITE then has 64·T1 for its final response, or reports a timeout. False, and nothing
    /// is done: it is no INVITE, it has its final response, or was cancelled before.
    pub fn cancel(&mut self, now: Instant, id: ClientId, reason: Option<&[u8]>, data: C) -> bool {
        self.clients.cancel(now, &self.keys, id, reason, data, &mut self.out)
    }

    /// Forgets a server transaction: nothing more is sent for it, and copies of its request are new.
    pub fn abandon_server(&mut self, id: ServerId) {
        self.servers.abandon(id, &mut self.out);
    }

    /// Forgets a client transaction: nothing is sent for it any more, and nothing is said of it; what comes for it is stray.
    pub fn abandon(&mut self, id: ClientId) {
        self.clients.abandon(id, &mut self.out);
    }

    /// An ICMP error said that nothing can be delivered to this address: ends the client transactions that still send to it.
    pub fn unreachable(&mut self, now: Instant, to: SocketAddr) {
        self.clients.unreachable(now, to, &mut self.out);
    }

    /// Fires what is due, at most [`FIRED_AT_ONCE`] timers; with more of them `poll_timeout` stays in the past.
    pub fn handle_timeout(&mut self, now: Instant) {
        for _ in 0..FIRED_AT_ONCE {
            match self.out.deadlines.expired(now) {
                Some(Waiter::Server(id)) => self.servers.fire(now, id, &mut self.out),
                Some(Waiter::Client(id)) => self.clients.fire(now, id, &mut self.out),
                None => break,
            }
        }
    }

    /// When `handle_timeout` is to be called; seldom too early, never too late. No scan.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.out.deadlines.next()
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.out.transmits.pop_front()
    }

    /// The next thing that happened by itself.
    pub fn poll_event(&mut self) -> Option<Event<S, C>> {
        self.out.events.pop_front()
    }

    /// How many server transactions there are.
    pub fn servers(&self) -> Count {
        self.servers.count
    }

    /// How many client transactions there are.
    pub fn clients(&self) -> Count {
        self.clients.count
    }
}
