//! The phone as a value: what goes in and what comes out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use super::account::{Behaviour, Kind, PhoneConfig};
use super::asking::{self, Asking, Clock};
use super::call::{Call, State};
use super::carrier::Door;
use super::dialog::Dialog;
use super::event::{CallRef, PhoneEvent};
use super::registration::Registration;
use super::serving::{self, Serving};
use crate::ids::Entropy;
use crate::settings::Limits;
use crate::sip::{self, MAGIC_COOKIE, Packet};

/// A simulated phone or carrier.
#[derive(Debug)]
pub struct Phone {
    pub(super) config: PhoneConfig,
    pub(super) entropy: Entropy,
    pub(super) clock: Clock,
    /// Every site that it was ever told to use.
    pub(super) proxies: BTreeSet<SocketAddr>,
    /// The user part of its contact.
    contact_user: String,
    pub(super) registration: Registration,
    pub(super) asking: Asking,
    pub(super) serving: Serving,
    pub(super) door: Door,
    pub(super) calls: BTreeMap<CallRef, Call>,
    pub(super) subscriptions: Vec<Dialog>,
    /// Call-IDs of subscriptions of ours.
    pub(super) subscribed: BTreeSet<String>,
    numbered: u32,
    transmits: VecDeque<(SocketAddr, Bytes)>,
    events: VecDeque<PhoneEvent>,
    pub(super) complaints: Vec<String>,
}

impl Phone {
    /// A phone that is switched on now. Tags, branches, Call-IDs and the contact follow from `seed`.
    pub fn new(config: PhoneConfig, seed: [u8; 32]) -> Self {
        let mut entropy = Entropy::new(seed);
        // Many phones register a contact with another user part than their account's.
        let contact_user = match config.kind {
            Kind::Phone => format!("{}-{:04x}", config.user, entropy.next_u64() as u16),
            Kind::Trunk => config.user.clone(),
        };
        let call_id = format!("{}@{}", entropy.token(), config.local.ip());
        let registration = Registration::new(call_id, entropy.token());
        Self {
            clock: Clock::new(config.t1),
            proxies: BTreeSet::from([config.proxy]),
            config,
            entropy,
            contact_user,
            registration,
            asking: Asking::default(),
            serving: Serving::default(),
            door: Door::default(),
            calls: BTreeMap::new(),
            subscriptions: Vec::new(),
            subscribed: BTreeSet::new(),
            numbered: 0,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            complaints: Vec::new(),
        }
    }

    /// How it is set up.
    pub fn config(&self) -> &PhoneConfig {
        &self.config
    }

    /// How it answers from now on.
    pub fn behave_as(&mut self, behaviour: Behaviour) {
        self.config.behaviour = behaviour;
    }

    /// The `q` of its contact from the next REGISTER on.
    pub fn prefer(&mut self, q: &str) {
        self.config.q = Some(q.into());
    }

    /// Uses another site from now on.
    pub fn move_to(&mut self, proxy: SocketAddr, domain: &str) {
        self.proxies.insert(proxy);
        self.config.proxy = proxy;
        self.config.domain = domain.into();
    }

    /// Uses another account from now on, in the dialogs that there are too.
    pub fn account(&mut self, user: &str, password: &str) {
        (self.config.user, self.config.password) = (user.into(), password.into());
    }

    /// Power off and on: calls, registration and everything under way are forgotten; the contact stays.
    pub fn reboot(&mut self) {
        self.asking.forget();
        self.serving = Serving::default();
        self.door = Door::default();
        self.calls.clear();
        self.subscriptions.clear();
        self.subscribed.clear();
        self.registration = Registration::new(self.call_id(), self.entropy.token());
    }

    /// A datagram from `from`.
    pub fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: Bytes) {
        match sip::parse(datagram.clone(), &Limits::default()) {
            Ok(Packet::Request(request)) => {
                self.look_at(&request, &datagram);
                self.look_at_request(from, &request);
                self.hear_request(now, from, request);
            }
            Ok(Packet::Response(response)) => {
                self.look_at(&response, &datagram);
                if self.look_at_response(from, &response) {
                    self.hear_response(now, &response);
                }
            }
            Ok(Packet::KeepAlive(_)) => {}
            Err(error) => self.complain(format!("unreadable: {error:?}")),
        }
    }

    /// The time that [`poll_timeout`](Self::poll_timeout) named has come; early and late calls do no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(due) = self.asking.due(now, self.clock) {
            match due {
                asking::Due::Resend(to, bytes) => self.send(to, bytes),
                asking::Due::Unanswered(ask) => self.answered(now, ask.purpose, None),
            }
        }
        while let Some(due) = self.serving.due(now, self.clock) {
            match due {
                serving::Due::Resend(to, bytes) => self.send(to, bytes),
                serving::Due::NoAck(key) => self.without_ack(now, &key),
            }
        }
        if self.registration.refresh_at.is_some_and(|at| at <= now) {
            self.register(now, self.registration.wanted);
        }
        let rung = self.calls.iter().filter(|(_, own)| own.answer_at.is_some_and(|at| at <= now));
        for call in rung.map(|(call, _)| *call).collect::<Vec<_>>() {
            self.answer(now, call);
        }
    }

    /// RFC 3261 §13.3.1.4: a 2xx that is never acknowledged ends the call by BYE.
    fn without_ack(&mut self, now: Instant, invite: &serving::ServeKey) {
        let of = |own: &Call| own.invite.as_ref() == Some(invite) && own.state == State::Unacknowledged;
        let Some((&call, own)) = self.calls.iter_mut().find(|(_, own)| of(own)) else { return };
        own.state = State::Up;
        self.hang_up(now, call);
    }

    /// The next datagram to send, and where to.
    pub fn poll_transmit(&mut self) -> Option<(SocketAddr, Bytes)> {
        self.transmits.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called; it changes with every input.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let answers = self.calls.values().filter_map(|own| own.answer_at).min();
        [self.asking.next(), self.serving.next(), self.registration.refresh_at, answers].into_iter().flatten().min()
    }

    /// The next thing that its user would notice.
    pub fn poll_event(&mut self) -> Option<PhoneEvent> {
        self.events.pop_front()
    }

    /// Everything received that a correct network would not have sent.
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// The calls that are up, in the order of their begin.
    pub fn calls_up(&self) -> Vec<CallRef> {
        self.calls.iter().filter(|(_, own)| own.state == State::Up).map(|(call, _)| *call).collect()
    }

    /// The URI of its contact.
    pub fn contact_uri(&self) -> String {
        format!("sip:{}@{}", self.contact_user, self.config.local)
    }

    pub(super) fn contact(&self) -> String {
        let mut contact = format!("<{}>", self.contact_uri());
        if let Some(instance) = &self.config.instance {
            contact.push_str(&format!(";+sip.instance=\"{instance}\""));
        }
        if let Some(q) = &self.config.q {
            contact.push_str(&format!(";q={q}"));
        }
        contact
    }

    pub(super) fn call_id(&mut self) -> String {
        format!("{}@{}", self.entropy.token(), self.config.local.ip())
    }

    pub(super) fn branch(&mut self) -> String {
        format!("{}{}", String::from_utf8_lossy(MAGIC_COOKIE), self.entropy.token())
    }

    pub(super) fn number(&mut self) -> u32 {
        self.numbered += 1;
        self.numbered
    }

    pub(super) fn send(&mut self, to: SocketAddr, bytes: Bytes) {
        self.transmits.push_back((to, bytes));
    }

    pub(super) fn say(&mut self, event: PhoneEvent) {
        self.events.push_back(event);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// When, in milliseconds, and what the caller does.
    type Step = (u64, fn(&mut Phone, Instant));

    /// A phone and a carrier on one wire that loses one datagram in `lossy`, at random, played for two minutes.
    fn play(lossy: u64, behaviour: Behaviour, script: &[Step]) -> (Vec<String>, Vec<Bytes>) {
        let (a, b) = ("127.0.0.1:5061".parse().expect("address"), "127.0.0.1:5080".parse().expect("address"));
        let mut caller = Phone::new(PhoneConfig::phone("201", "secret", a, b, "london.example"), [1; 32]);
        let carrier = PhoneConfig { behaviour, ..PhoneConfig::trunk("+4420", b, a, "london.example") };
        let mut carrier = Phone::new(carrier, [2; 32]);
        let (mut told, mut wire, mut chance) = (Vec::new(), Vec::new(), Entropy::new([3; 32]));
        #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin")]
        let start = Instant::now();
        for step in 0..12_000 {
            let now = start + Duration::from_millis(step * 10);
            script.iter().filter(|(at, _)| *at == step * 10).for_each(|(_, command)| command(&mut caller, now));
            caller.handle_timeout(now);
            carrier.handle_timeout(now);
            loop {
                let from_caller = caller.poll_transmit().map(|(_, bytes)| (true, bytes));
                let Some((by_caller, bytes)) = from_caller.or_else(|| Some((false, carrier.poll_transmit()?.1))) else {
                    break;
                };
                wire.push(bytes.clone());
                match by_caller {
                    _ if chance.below(lossy) == 0 => {}
                    true => carrier.handle_datagram(now, a, bytes),
                    false => caller.handle_datagram(now, b, bytes),
                }
            }
            for event in std::iter::from_fn(|| caller.poll_event()) {
                told.push(format!("caller {}", word(&event)));
            }
            for event in std::iter::from_fn(|| carrier.poll_event()) {
                told.push(format!("carrier {}", word(&event)));
            }
        }
        assert_eq!((caller.complaints(), carrier.complaints()), (&[][..], &[][..]));
        (told, wire)
    }

    fn word(event: &PhoneEvent) -> String {
        let debug = format!("{event:?}");
        debug.split([' ', '{']).next().unwrap_or_default().into()
    }

    const QUICK: Behaviour = Behaviour::Answer { after: Duration::from_secs(1) };

    fn talk(lossy: u64) -> (Vec<String>, Vec<Bytes>) {
        let script: &[Step] = &[
            (0, |phone, now| {
                phone.call(now, "123");
            }),
            (40_000, |phone, now| {
                phone.info(now, CallRef(1), '5');
            }),
            (80_000, |phone, now| phone.hang_up(now, CallRef(1))),
        ];
        play(lossy, QUICK, script)
    }

    /// What one of the two noticed, but for the ringing, which may be lost.
    fn noticed<'a>(told: &'a [String], who: &str) -> Vec<&'a str> {
        let own = told.iter().filter_map(|event| event.strip_prefix(who)?.strip_prefix(' '));
        own.filter(|event| *event != "Ringing").collect()
    }

    #[test]
    fn a_call_is_rung_answered_and_ended() {
        let (told, wire) = talk(u64::MAX);
        assert_eq!((told.len(), wire.len()), (8, 8), "INVITE 180 200 ACK, INFO 200, BYE 200");
    }

    #[test]
    fn a_lossy_wire_changes_nothing_but_the_number_of_datagrams() {
        for lossy in [u64::MAX, 5, 4, 3] {
            let told = talk(lossy).0;
            assert_eq!(noticed(&told, "caller"), ["Answered", "Response", "Ended"], "one datagram in {lossy} lost");
            assert_eq!(noticed(&told, "carrier"), ["Incoming", "Confirmed", "Request", "Ended"], "one in {lossy} lost");
        }
    }

    #[test]
    fn one_seed_gives_the_same_bytes() {
        assert_eq!(talk(3).1, talk(3).1);
    }

    #[test]
    fn a_call_that_is_given_up_ends_as_487() {
        let script: &[Step] = &[
            (0, |phone, now| {
                phone.call(now, "123");
            }),
            (50_000, |phone, now| phone.cancel(now, CallRef(1))),
        ];
        for lossy in [u64::MAX, 3] {
            let (told, wire) = play(lossy, Behaviour::Ring, script);
            assert_eq!(noticed(&told, "caller"), ["Failed"]);
            assert_eq!(noticed(&told, "carrier"), ["Incoming", "Cancelled"]);
            assert!(wire.iter().any(|bytes| bytes.starts_with(b"SIP/2.0 487")));
        }
    }
}
