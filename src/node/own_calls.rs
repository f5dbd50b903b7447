//! Calls that the site answers itself (SPEC 10.4): what the phone sends in them, what falls due, and the ports of their tones.

use std::time::{Duration, Instant};

use super::Node;
use super::names::is_reserved;
use super::tasks::{Asked, ClientTask, Key, ServerTask, Timer};
use crate::event::Event;
use crate::ids::ShardId;
use crate::proxy::About;
use crate::rejection::Rejection;
use crate::service::{Due, OWN_CALL_ALLOW, OwnCall, SESSION_TYPE};
use crate::sip::{Method, Name, Reply, Status};
use crate::timing::Now;
use crate::transaction::ServerId;
use crate::transmit::{Media, RtpPort};

/// What a call is about is done or refused by then: longer than another site and the store may take together. What is done later is not
/// undone.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who makes such a call, as long as it is answered and not over.
#[derive(Debug)]
pub(super) struct Asker {
    asked: Asked,
    server: ServerId,
    /// For records; what was dialled without its PIN.
    about: About,
    /// Who does what the call is about.
    performer: ShardId,
}

impl Node {
    /// What is to be done with ports for RTP.
    pub fn poll_media(&mut self) -> Option<Media> {
        self.media.pop_front()
    }

    /// A port that [`poll_media`](Self::poll_media) asked for is open, or can't be opened.
    pub fn handle_port(&mut self, now: Now, port: RtpPort, is_open: bool) {
        let Some(key) = self.own_calls.of_port(port) else { return };
        let Some(call) = self.own_calls.of(key) else { return };
        if is_open {
            call.port_opened(port);
            self.answer_own_call(now, key);
        } else {
            let again = call.port_failed();
            self.own_calls.free_port(port);
            self.open_port(now, key, again);
        }
        self.settle(now);
    }

    /// Takes a proven phone's INVITE as a call of our own: 100 at once. `None`: it was refused.
    pub(super) fn begin_own_call(&mut self, now: Now, asked: Asked, about: About, performer: ShardId) -> Option<Key> {
        let (flow, tag, random) = (self.flow_of(&asked), self.entropy.token(), self.entropy.next_u64());
        let until = now.instant + PATIENCE;
        let begun = match OwnCall::new(&asked.request, flow, asked.source.remote.ip(), tag, random, until) {
            _ if self.own_calls.has(&asked.request) => Err(Rejection::because(Status::LOOP_DETECTED, "Merged Request")),
            _ if self.own_calls.is_full() => Err(Rejection::busy()),
            begun => begun,
        };
        let call = match begun {
            Ok(call) => call,
            Err(rejection) => {
                self.refuse_known(now, &asked, &rejection);
                return None;
            }
        };
        let key = self.next_key();
        let server = self.begin(now, &asked, ServerTask::OwnCall(key))?;
        let trying = self.reply(&asked, Status::TRYING).write();
        self.transactions.respond(now.instant, server, Status::TRYING, trying);
        self.own_calls.insert(key, call);
        self.own_askers.insert(key, Asker { asked, server, about, performer });
        self.arm_own_call(key, Some(until));
        Some(key)
    }

    /// What the call is about is done: it is answered as soon as a port is open.
    pub(super) fn accept_own_call(&mut self, now: Now, key: Key) {
        let Some(call) = self.own_calls.of(key).filter(|call| call.is_working()) else { return };
        let wants_port = call.done();
        self.open_port(now, key, wants_port);
    }

    /// What the call is about can't be done.
    pub(super) fn refuse_own_call(&mut self, now: Now, key: Key, rejection: &Rejection) {
        if self.own_calls.of(key).is_none_or(|call| !call.is_working()) {
            return;
        }
        self.own_calls.remove(key);
        let Some(Asker { asked, server, about, .. }) = self.own_askers.remove(key) else { return };
        self.refuse(now, server, &asked, rejection);
        self.say_own_call(about, rejection.status);
    }

    /// Asks for a port, if one is wanted and free; else there is no tone.
    fn open_port(&mut self, now: Now, key: Key, is_wanted: bool) {
        let socket = self.own_askers.of(key).map(|asker| asker.asked.source.socket).filter(|_| is_wanted);
        let (range, shard, shards) = (self.config.site.sip.rtp_ports, self.shard.0, self.commons.owners.shards());
        match socket.and_then(|socket| self.own_calls.take_port(socket, range, shard, shards, key)) {
            Some(port) => self.media.push_back(Media::Open(port)),
            None => self.answer_own_call(now, key),
        }
    }

    /// RFC 3261 §13.3.1.4: the 200, which is repeated until the ACK.
    fn answer_own_call(&mut self, now: Now, key: Key) {
        let Some(call) = self.own_calls.of(key).filter(|call| call.is_opening()) else { return };
        let Some(Asker { asked, server, about, .. }) = self.own_askers.of(key) else { return };
        let here = self.listen[usize::from(asked.source.socket.0).min(self.listen.len() - 1)];
        let (_, tag, _) = call.dialog_id();
        let ok = Reply::to(&asked.request, Status::OK)
            .stamped(asked.stamp.received, asked.stamp.rport)
            .to_tag(&tag)
            .with_record_routes()
            .header(&Name::Contact, format!("<sip:{here}>"))
            .header(&Name::Allow, OWN_CALL_ALLOW)
            .body(SESSION_TYPE, call.description(here.ip()))
            .write();
        call.answered(ok.clone(), &self.timing, now.instant);
        let (server, about, next) = (*server, about.clone(), call.next());
        self.transactions.respond(now.instant, server, Status::OK, ok);
        self.arm_own_call(key, next);
        self.say_own_call(about, Status::OK);
    }

    fn say_own_call(&mut self, about: About, status: Status) {
        let About { from, to, gives } = about;
        self.say(Event::Call { from, to, status, gives });
    }

    fn arm_own_call(&mut self, key: Key, next: Option<Instant>) {
        next.into_iter().for_each(|next| self.timers.arm(&Timer::OwnCall(key), next));
    }

    /// RFC 3261 §9.2: a CANCEL ends a call whose feature nobody has begun to write down. Else the 200 comes, and the phone hangs up.
    pub(super) fn cancel_own_call(&mut self, now: Now, key: Key) {
        let performer = self.own_askers.of(key).map(|asker| asker.performer);
        if let Some(performer) = performer.filter(|_| self.own_calls.of(key).is_some_and(|call| call.is_working())) {
            self.give_up(now, performer, key);
        }
    }

    /// Whether an ACK is one to a 200 of ours.
    pub(super) fn own_call_acknowledged(&mut self, now: Now, asked: &Asked) -> bool {
        let Some(key) = self.own_calls.of_request(&asked.request) else { return false };
        let (config, commons) = (&self.config, &self.commons);
        let Some(call) = self.own_calls.of(key) else { return false };
        call.acknowledged(&asked.request, |address| is_reserved(config, commons, address), now.instant);
        let next = call.next();
        self.arm_own_call(key, next);
        true
    }

    /// Whether a request is one in a call of our own: from the phone, who alone knows its tags.
    pub(super) fn asked_in_own_call(&mut self, now: Now, asked: &Asked) -> bool {
        let Some(key) = self.own_calls.of_request(&asked.request) else { return false };
        let Some(call) = self.own_calls.of(key).filter(|call| call.is_from_phone(asked.source.remote.ip())) else {
            return false;
        };
        if !call.hears(asked.request.cseq().number) {
            let late = Rejection::because(Status::SERVER_INTERNAL_ERROR, "CSeq Out Of Order");
            self.refuse_known(now, asked, &late);
            return true;
        }
        match *asked.request.method() {
            Method::BYE => self.hang_up_own_call(now, key, asked),
            // RFC 3261 §14.2: the session stays as it is.
            Method::INVITE | Method::UPDATE => {
                self.refuse_known(now, asked, &Rejection::new(Status::NOT_ACCEPTABLE_HERE));
            }
            _ => {
                let no = Rejection::new(Status::METHOD_NOT_ALLOWED).with(Name::Allow, OWN_CALL_ALLOW);
                self.refuse_known(now, asked, &no);
            }
        }
        true
    }

    fn hang_up_own_call(&mut self, now: Now, key: Key, asked: &Asked) {
        self.end_own_call(now, key);
        let Some(server) = self.begin_urgent(now, asked, ServerTask::Own) else { return };
        let ok = self.reply(asked, Status::OK).write();
        self.transactions.respond(now.instant, server, Status::OK, ok);
    }

    /// The port is closed; the dialog is remembered for what crosses.
    fn end_own_call(&mut self, now: Now, key: Key) {
        let Some(call) = self.own_calls.of(key) else { return };
        call.end(&self.timing, now.instant);
        let (port, next) = (call.give_port_back(), call.next());
        if let Some(port) = port {
            self.own_calls.free_port(port);
            self.media.push_back(Media::Close(port));
        }
        self.own_askers.remove(key);
        self.arm_own_call(key, next);
    }

    /// Something falls due in a call of our own.
    pub(super) fn look_at_own_call(&mut self, now: Now, key: Key) {
        while let Some(due) = self.own_calls.of(key).and_then(|call| call.due(&self.timing, now.instant)) {
            match due {
                Due::Again(ok) => {
                    let Some(server) = self.own_askers.of(key).map(|asker| asker.server) else { continue };
                    self.transactions.respond(now.instant, server, Status::OK, ok);
                }
                Due::Packet(port, remote, bytes) => self.media.push_back(Media::Send { port, remote, bytes }),
                Due::GiveUp => {
                    let late = Rejection::warned(Status::SERVER_INTERNAL_ERROR, "this takes too long, try again");
                    self.refuse_own_call(now, key, &late);
                }
                Due::Bye => self.send_bye(now, key),
                Due::Forget => _ = self.own_calls.remove(key),
            }
        }
        let next = self.own_calls.of(key).and_then(|call| call.next());
        self.arm_own_call(key, next);
    }

    fn send_bye(&mut self, now: Now, key: Key) {
        let Some(flow) = self.own_calls.of(key).map(|call| call.flow()) else { return };
        let (via, branch) = self.own_via(flow);
        let bye = self.own_calls.of(key).map(|call| call.bye(&via));
        self.end_own_call(now, key);
        let (Some(bye), task) = (bye, ClientTask::Unheard) else { return };
        // A table that is full loses it; the phone's side ends by itself or by its user.
        let _ = self.transactions.begin_client(now.instant, &Method::BYE, branch.as_bytes(), bye, flow, task);
    }
}
