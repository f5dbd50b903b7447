//! Phones that watch their own user's registrations: SUBSCRIBE answered, NOTIFY sent (SPEC 9.9, 12.4; RFC 6665, RFC 3680).

use std::time::Duration;

use super::Node;
use super::admit::Account;
use super::tasks::{Asked, ClientTask, Key, ServerTask, Timer};
use crate::event::{Event, LoggedOutBy};
use crate::ids::Extension;
use crate::link::proof::Peer;
use crate::location::{Binding, Device, Record};
use crate::proxy::{branch_with, escaped_user};
use crate::rejection::Rejection;
use crate::service::{Change, Subscription, Terminated, Wanted};
use crate::sip::{Method, Name, Reply, Response, Status};
use crate::timing::Now;
use crate::transmit::{Flow, SocketId};

/// A phone whose subscription made room for another one may try again after so long.
const LATER: Duration = Duration::from_secs(3600);
/// Longest time that a phone may make a NOTIFY wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

impl Node {
    /// A SUBSCRIBE of a proven user to its own AOR, outside of any dialog.
    pub(super) fn subscribe(&mut self, now: Now, asked: &Asked, account: &Account) {
        let user = Extension::new(account.name());
        let mut wanted = match Wanted::read(&asked.request, self.config.site.registrar.min_expires) {
            Ok(wanted) => wanted,
            Err(rejection) => return self.refuse_known(now, asked, &rejection),
        };
        wanted.known_as(self.phone_behind_nat(asked, account));
        if self.subscriptions.is_full() {
            let busy = Rejection::new(Status::SERVICE_UNAVAILABLE).with(Name::RetryAfter, "60");
            return self.refuse_known(now, asked, &busy);
        }
        let (flow, tag) = (self.flow_of(asked), self.entropy.token());
        let made = Subscription::new(&user, &asked.request, &wanted, flow, tag.clone(), now);
        let Some(mut subscription) = made else { return };
        if !self.accept_subscribe(now, asked, &user, &wanted, &tag) {
            return;
        }
        if let Some(oldest) = self.subscriptions.surplus(&user) {
            self.end_subscription(now, oldest, Terminated::Probation(LATER));
        }
        let record = self.location.record(user.as_str());
        subscription.look(record.as_deref().map_or(&[], Record::bindings), now);
        let (key, ends) = (self.next_key(), subscription.expires_at);
        self.subscriptions.insert(key, subscription);
        self.timers.arm(&Timer::Subscription(key), ends);
        self.tell_or_end(now, key, &wanted);
    }

    /// The phone that sends a request, if it is behind NAT: its Contact alone does not name it.
    fn phone_behind_nat(&self, asked: &Asked, account: &Account) -> Option<Device> {
        self.binding_of(asked, account.name()).filter(|binding| binding.nat).map(|binding| binding.device)
    }

    /// A SUBSCRIBE of a proven user in a dialog: a refresh or the end of a subscription of that user, else 481.
    pub(super) fn subscribe_again(&mut self, now: Now, asked: &Asked, account: &Account) {
        if let Err(rejection) = self.refresh_subscription(now, asked, account) {
            self.refuse_known(now, asked, &rejection);
        }
    }

    fn refresh_subscription(&mut self, now: Now, asked: &Asked, account: &Account) -> Result<(), Rejection> {
        let gone = || Rejection::new(Status::CALL_DOES_NOT_EXIST);
        let request = &asked.request;
        let (ours, theirs) = (request.to().tag().unwrap_or_default(), request.from().tag().unwrap_or_default());
        let key = self.subscriptions.in_dialog(request.call_id(), ours, theirs).ok_or_else(gone)?;
        let (flow, shortest) = (self.flow_of(asked), self.config.site.registrar.min_expires);
        let known = self.phone_behind_nat(asked, account);
        let subscription = self.subscriptions.of(key).ok_or_else(gone)?;
        // Whoever learns of the dialog is not its subscriber.
        if subscription.user.as_str() != account.name() {
            return Err(gone());
        }
        if !subscription.hears(request.cseq().number) {
            return Err(Rejection::because(Status::SERVER_INTERNAL_ERROR, "CSeq Out Of Order"));
        }
        let mut wanted = Wanted::read(request, shortest)?;
        wanted.known_as(known);
        if !subscription.is_for(&wanted) {
            return Err(gone());
        }
        subscription.refresh(&wanted, flow, now);
        let (user, ends) = (subscription.user.clone(), subscription.expires_at);
        self.timers.arm(&Timer::Subscription(key), ends);
        if self.accept_subscribe(now, asked, &user, &wanted, "") {
            self.tell_or_end(now, key, &wanted);
        }
        Ok(())
    }

    /// RFC 6665 §4.2.1.2: 200 at once, with what is granted; false if the table of transactions is full.
    fn accept_subscribe(&mut self, now: Now, asked: &Asked, user: &Extension, wanted: &Wanted, tag: &str) -> bool {
        let Some(server) = self.begin(now, asked, ServerTask::Own) else { return false };
        let ok = Reply::to(&asked.request, Status::OK)
            .stamped(asked.stamp.received, asked.stamp.rport)
            .to_tag(tag)
            .with_record_routes()
            .header(&Name::Contact, self.service_contact(user, asked.source.socket))
            .header(&Name::Expires, wanted.expires.to_string())
            .write();
        self.transactions.respond(now.instant, server, Status::OK, ok);
        true
    }

    /// RFC 6665 §4.2.1.2: every SUBSCRIBE is followed by a NOTIFY; an expiry of 0 makes it the last one.
    fn tell_or_end(&mut self, now: Now, key: Key, wanted: &Wanted) {
        if wanted.expires == 0 {
            return self.end_subscription(now, key, Terminated::Timeout);
        }
        self.tell_watcher(now, key);
    }

    /// A record is committed: those who watch it are told what became of its bindings.
    pub(super) fn tell_watchers(&mut self, now: Now, user: &Extension, events: &[Event]) {
        let watching = self.subscriptions.watching(user.as_str());
        if watching.is_empty() {
            return;
        }
        let record = self.location.record(user.as_str());
        let left = has_left(events);
        let fate = |binding: &Binding| match &record {
            Some(record) if is_displaced(record, binding) => Change::Rejected,
            None if !left => Change::Rejected,
            Some(_) | None => Change::Unregistered,
        };
        for key in watching {
            let Some(subscription) = self.subscriptions.of(key) else { continue };
            let rejected = subscription.observe(record.as_deref().map_or(&[], Record::bindings), fate, now);
            match &record {
                Some(_) if rejected => self.end_subscription(now, key, Terminated::Rejected),
                Some(_) => self.tell_watcher(now, key),
                // What proved the user here is wiped with the visitor (SPEC 5.11): nobody could refresh.
                None if left => self.end_subscription(now, key, Terminated::NoResource),
                None => self.end_subscription(now, key, Terminated::Rejected),
            }
        }
    }

    /// Sends what is due, if nothing is under way.
    fn tell_watcher(&mut self, now: Now, key: Key) {
        let Some(subscription) = self.subscriptions.of(key).filter(|own| own.is_due(now.instant)) else { return };
        let (user, flow) = (subscription.user.clone(), subscription.flow);
        let (via, branch, contact) = self.notify_path(&user, flow);
        let Some(subscription) = self.subscriptions.of(key) else { return };
        let bytes = subscription.notify(&via, &contact, now);
        let (method, task) = (Method::NOTIFY, ClientTask::Notify(key));
        match self.transactions.begin_client(now.instant, &method, branch.as_bytes(), bytes, flow, task) {
            Ok(client) => subscription.under_way = Some(client),
            // A table that is full is like a phone that does not answer.
            Err(_full) => _ = self.subscriptions.remove(key),
        }
    }

    /// Takes a subscription out, and says so to its phone at once: a NOTIFY that is still under way is not waited for.
    fn end_subscription(&mut self, now: Now, key: Key, why: Terminated) {
        let Some(mut subscription) = self.subscriptions.remove(key) else { return };
        if let Some(client) = subscription.under_way {
            self.transactions.abandon(client);
        }
        let (via, branch, contact) = self.notify_path(&subscription.user, subscription.flow);
        let (bytes, flow) = (subscription.last(why, &via, &contact, now), subscription.flow);
        let (method, task) = (Method::NOTIFY, ClientTask::Unheard);
        // A table that is full loses it; the phone's next refresh finds out.
        let _ = self.transactions.begin_client(now.instant, &method, branch.as_bytes(), bytes, flow, task);
    }

    /// A NOTIFY has its final answer, or none came. RFC 6665 §4.2.2: any failure but one that names a time ends the subscription,
    /// and nothing more is said of it.
    pub(super) fn notified(&mut self, now: Now, key: Key, response: Option<&Response>) {
        if response.is_some_and(|response| response.status().is_provisional()) {
            return;
        }
        let Some(subscription) = self.subscriptions.of(key) else { return };
        subscription.under_way = None;
        let pause = response.and_then(|response| response.seconds(&Name::RetryAfter).ok().flatten());
        match (response, pause) {
            (Some(response), _) if response.status().is_success() => self.tell_watcher(now, key),
            (Some(_), Some(seconds)) => {
                let until = now.instant + Duration::from_secs(seconds.into()).min(LONGEST_PAUSE);
                // What was refused is told again, with what comes until then.
                subscription.pause(until);
                self.timers.arm(&Timer::Subscription(key), until);
            }
            (Some(_) | None, _) => _ = self.subscriptions.remove(key),
        }
    }

    /// A subscription has run out, or its phone has had the time that it asked for.
    pub(super) fn look_at_subscription(&mut self, now: Now, key: Key) {
        let Some(subscription) = self.subscriptions.of(key) else { return };
        if subscription.expires_at <= now.instant {
            return self.end_subscription(now, key, Terminated::Timeout);
        }
        let ends = subscription.expires_at;
        self.timers.arm(&Timer::Subscription(key), ends);
        self.tell_watcher(now, key);
    }

    /// Via, its branch, and Contact of a NOTIFY for that phone.
    fn notify_path(&mut self, user: &Extension, flow: Flow) -> (String, String, String) {
        let (via, branch) = self.own_via(flow);
        (via, branch, self.service_contact(user, flow.socket))
    }

    /// Via of a request of our own to a phone, and its branch.
    pub(super) fn own_via(&mut self, flow: Flow) -> (String, String) {
        let hash = self.entropy.next_u64();
        let branch = branch_with(self.shard, &mut self.entropy, hash);
        (format!("SIP/2.0/UDP {};branch={branch}", self.listens_at(flow.socket)), branch)
    }

    /// Where later SUBSCRIBEs of the dialog are to go.
    fn service_contact(&self, user: &Extension, socket: SocketId) -> String {
        format!("<sip:{}@{}>", escaped_user(user.as_str()), self.listens_at(socket))
    }

    pub(super) fn listens_at(&self, socket: SocketId) -> std::net::SocketAddr {
        self.listen[usize::from(socket.0).min(self.listen.len() - 1)]
    }

    /// Where the phone that sent it is reached (SPEC 4.3).
    pub(super) fn flow_of(&self, asked: &Asked) -> Flow {
        match self.caller_peer(asked) {
            Peer::Phone { flow, .. } | Peer::Trunk { flow, .. } => flow,
            Peer::Site(_) => asked.source,
        }
    }
}

/// Whether the phone of a binding that is gone lost the user.
fn is_displaced(record: &Record, binding: &Binding) -> bool {
    record.displaced().iter().any(|entry| !entry.back && entry.device.is(&binding.device))
}

/// Whether a user went by itself: by its phones, or by their silence.
fn has_left(events: &[Event]) -> bool {
    let by_itself =
        |event: &Event| matches!(event, Event::LoggedOut { by: LoggedOutBy::Phone | LoggedOutBy::Expiry, .. });
    events.iter().any(by_itself)
}
