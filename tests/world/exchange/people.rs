//! Who calls whom, and what people do with their calls.

use std::collections::BTreeMap;
use std::time::Duration;

use hotdesk::ids::Entropy;
use hotdesk::phone::{Behaviour, CallRef, PhoneEvent};
use hotdesk::settings::Forward;
use hotdesk::sip::{Method, Name, Status};

use super::witness;
use crate::support::{Line, Seat, World};

const SITES: [&str; 3] = ["london", "paris", "berlin"];
const CARRIERS: [&str; 4] = ["bt", "mobile", "orange", "telekom"];
/// User, where the phone is, and its `q`.
const PHONES: [(&str, &str, &str); 22] = [
    ("201", "london", "1.0"),
    ("201", "london", "0.5"),
    ("201", "london", "0.5"),
    ("202", "berlin", "1.0"),
    ("202", "berlin", "0.4"),
    ("203", "london", "1.0"),
    ("203", "london", "1.0"),
    ("204", "london", "1.0"),
    ("205", "london", "0.7"),
    ("206", "london", "1.0"),
    ("301", "paris", "1.0"),
    ("301", "paris", "1.0"),
    ("302", "paris", "0.9"),
    ("302", "paris", "0.3"),
    ("303", "london", "1.0"),
    ("304", "paris", "1.0"),
    ("306", "paris", "1.0"),
    ("401", "berlin", "1.0"),
    ("401", "berlin", "0.2"),
    ("402", "paris", "1.0"),
    ("402", "paris", "1.0"),
    ("403", "berlin", "1.0"),
];
/// A user whose only phone is switched off while it is registered.
const SWITCHED_OFF: (&str, &str) = ("305", "paris");
/// What is dialled inside; 404 and 405 are nowhere.
const NUMBERS: [&str; 18] = [
    "201", "202", "203", "204", "205", "206", "301", "302", "303", "304", "305", "306", "401", "402", "403", "404",
    "290", "390",
];
/// By trunks, and by those of other sites, as everybody may dial them in the right place.
const OUTSIDE: [(&str, &str); 5] = [
    ("london", "902079460999"),
    ("paris", "00199000999"),
    ("london", "*8200199000999"),
    ("berlin", "*81902079460999"),
    ("berlin", "*8200199000999"),
];
/// From the carriers.
const INCOMING: [(&str, &str); 4] =
    [("bt", "+442079460201"), ("bt", "+442079460200"), ("orange", "+33199000301"), ("telekom", "+493099000401")];
/// How long the longest call is counted whose end nobody heard.
const CAP: Duration = Duration::from_secs(900);
const TICK: Duration = Duration::from_millis(20);
/// RFC 3261: 64·T1, and as long again for what is remembered of a 2xx that may still come.
const SILENCE: Duration = Duration::from_secs(66);

/// What the lines do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Each loses, doubles and holds back one datagram in twenty.
    BadLines,
    /// Besides, one or the other is cut for a while, most of all where somebody hangs up.
    Cuts,
}

#[derive(Clone, Debug)]
enum Deed {
    Dial(Seat, String),
    /// As somebody else has asked by REFER.
    Transfer(Seat, String),
    GiveUp(Seat, CallRef),
    Answer(Seat, CallRef),
    Refuse(Seat, CallRef, Status),
    HangUp(Seat, CallRef),
    Talk(Seat, CallRef),
    Mood(Seat),
    Cut,
    Heal(String, String),
}

/// Three sites, their phones and carriers, and who uses them.
pub struct Exchange {
    world: World,
    chance: Entropy,
    trouble: Trouble,
    seats: Vec<Seat>,
    agenda: BTreeMap<(Duration, u32), Deed>,
    planned: u32,
    heard: BTreeMap<Seat, usize>,
    dialled: u32,
    to_dial: u32,
}

impl Exchange {
    /// Everybody is registered, some as visitors; every line is bad. Every site runs so many shards.
    pub fn open(seed: u64, shards: u8, trouble: Trouble) -> Self {
        let mut world = World::with(seed, |sample| {
            sample.shards(shards);
            for site in sample.sites.values_mut() {
                site.sip.session_cap = CAP;
                // Probes are rare, so that there are moments without.
                site.links.probe = Duration::from_secs(120);
                site.hot_desk.lease = Duration::from_secs(3600);
                for user in site.users.values_mut() {
                    (user.profile, user.forward, user.short_codes) = ("power".into(), Forward::default(), Vec::new());
                }
            }
            let mut forward = |user: &str, change: fn(&mut Forward)| {
                let forward = &mut sample.user(user).forward;
                forward.after = Duration::from_secs(5);
                change(forward);
            };
            forward("201", |set| (set.busy, set.no_answer) = (Some("302".into()), Some("401".into())));
            forward("202", |set| (set.busy, set.no_answer) = (Some("203".into()), Some("301".into())));
            forward("204", |set| set.unconditional = Some("403".into()));
            forward("301", |set| set.busy = Some("00199000998".into()));
            forward("302", |set| set.no_answer = Some("303".into()));
            forward("304", |set| set.unconditional = Some("204".into()));
            forward("305", |set| set.unreachable = Some("206".into()));
            forward("402", |set| (set.busy, set.unreachable) = (Some("201".into()), Some("403".into())));
        });
        let mut seats = Vec::new();
        for (user, site, q) in PHONES {
            let seat = world.phone(user, site);
            world.act(seat, |phone, _| phone.prefer(q));
            world.behave(seat, Behaviour::Ring);
            world.register(seat);
            seats.push(seat);
        }
        let off = world.phone(SWITCHED_OFF.0, SWITCHED_OFF.1);
        world.act(off, |phone, now| phone.register(now, 3600));
        world.await_registration(off).unwrap_or_else(|failure| panic!("{failure:?}"));
        world.switch_off(off);
        for carrier in CARRIERS {
            let seat = world.carrier(carrier);
            world.behave(seat, Behaviour::Ring);
            seats.push(seat);
        }
        world.all_lines(Line::bad(8, 50));
        let chance =
            Entropy::new(*blake3::Hasher::new_derive_key("exchange").update(&seed.to_le_bytes()).finalize().as_bytes());
        let (agenda, heard) = (BTreeMap::new(), BTreeMap::new());
        Self { world, chance, trouble, seats, agenda, planned: 0, heard, dialled: 0, to_dial: 0 }
    }

    /// So many calls are made; afterwards nothing is left of them, and nothing was wrong with them.
    pub fn busy_hours(mut self, calls: u32) {
        self.to_dial = calls;
        for _ in 0..4 {
            self.plan_call();
        }
        self.plan_mood();
        if self.trouble == Trouble::Cuts {
            self.plan(Duration::from_secs(10), Deed::Cut);
        }
        while !self.agenda.is_empty() {
            let next = *self.agenda.keys().next().expect("it is not empty");
            let now = self.world.now();
            self.world.run(next.0.saturating_sub(now).min(TICK));
            self.listen();
            if self.world.now() >= next.0 {
                let deed = self.agenda.remove(&next).expect("it was just there");
                self.perform(deed);
            }
        }
        self.close();
    }

    fn plan(&mut self, after: Duration, deed: Deed) {
        self.planned += 1;
        self.agenda.insert((self.world.now() + after, self.planned), deed);
    }

    fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.chance.below(to - from))
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.chance.below(many) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.chance.below(of.len() as u64) as usize]
    }

    // ------------------------------------------------------------------------------------------------------------- what people do

    /// One of the lines of calls goes on as long as there are calls to be made.
    fn plan_call(&mut self) {
        if self.dialled >= self.to_dial {
            return;
        }
        self.dialled += 1;
        let after = self.millis(200, 3_000);
        let (seat, number) = match self.chance.below(10) {
            0 => {
                let (carrier, number) = self.pick(&INCOMING);
                (self.world.carrier(carrier), number)
            }
            1 => {
                let (site, number) = self.pick(&OUTSIDE);
                let there: Vec<Seat> = PHONES
                    .iter()
                    .zip(&self.seats)
                    .filter(|((_, at, _), _)| *at == site)
                    .map(|(_, seat)| *seat)
                    .collect();
                (self.pick(&there), number)
            }
            _ => {
                let phones = self.seats[..PHONES.len()].to_vec();
                (self.pick(&phones), self.pick(&NUMBERS))
            }
        };
        self.plan(after, Deed::Dial(seat, number.into()));
    }

    fn perform(&mut self, deed: Deed) {
        match deed {
            Deed::Dial(seat, number) => {
                self.dial(seat, &number);
                self.plan_call();
            }
            Deed::Transfer(seat, uri) => self.dial(seat, &uri),
            Deed::GiveUp(seat, call) => self.world.act(seat, |phone, now| phone.cancel(now, call)),
            Deed::Answer(seat, call) => self.world.act(seat, |phone, now| phone.answer(now, call)),
            Deed::Refuse(seat, call, status) => self.world.act(seat, |phone, now| phone.refuse(now, call, status)),
            Deed::HangUp(seat, call) => self.hang_up(seat, call),
            Deed::Talk(seat, call) => self.talk(seat, call),
            Deed::Mood(seat) => self.mood(seat),
            Deed::Cut => self.cut(),
            Deed::Heal(a, b) => self.world.heal(&a, &b),
        }
    }

    fn dial(&mut self, seat: Seat, number: &str) {
        let mut headers = Vec::new();
        if self.one_in(4) {
            headers.push((Name::Supported, "timer".to_string()));
        }
        // Whoever rings can tell who calls.
        let subject = format!("{}", seat.0);
        headers.push((Name::Subject, subject));
        let call = self.world.act(seat, |phone, now| phone.call_with(now, number, headers));
        let patience = match self.chance.below(8) {
            0 => self.millis(0, 60),
            1..3 => self.millis(60, 8_000),
            3 => self.millis(20_000, 100_000),
            // Timer C ends it.
            4 if self.one_in(8) => Duration::from_secs(250),
            _ => self.millis(15_000, 30_000),
        };
        self.plan(patience, Deed::GiveUp(seat, call));
    }

    fn hang_up(&mut self, seat: Seat, call: CallRef) {
        if !self.world.look(seat).calls_up().contains(&call) {
            // Whoever answers in the very moment hangs up with the ACK.
            return self.world.act(seat, |phone, now| phone.hang_up(now, call));
        }
        if self.trouble == Trouble::Cuts && self.one_in(12) {
            self.cut_off(seat, Duration::from_secs(40));
        }
        self.world.act(seat, |phone, now| phone.hang_up(now, call));
    }

    fn cut_off(&mut self, seat: Seat, time: Duration) {
        let (name, site) = (self.world.name(seat).to_string(), self.site_of(seat));
        self.world.cut(&name, site);
        self.plan(time, Deed::Heal(name, site.into()));
    }

    fn site_of(&self, seat: Seat) -> &'static str {
        let at = self.world.look(seat).config().proxy;
        SITES.into_iter().find(|site| self.world.address(site) == at).expect("a site of the sample")
    }

    /// Something happens in a call.
    fn talk(&mut self, seat: Seat, call: CallRef) {
        if !self.world.look(seat).calls_up().contains(&call) {
            return;
        }
        let target = self.pick(&NUMBERS);
        match self.chance.below(6) {
            0..2 => drop(self.world.act(seat, |phone, now| phone.re_invite(now, call, true))),
            2 => drop(self.world.act(seat, |phone, now| phone.update(now, call))),
            3 => drop(self.world.act(seat, |phone, now| phone.info(now, call, '5'))),
            4 => drop(self.world.act(seat, |phone, now| phone.refer(now, call, target))),
            _ => self.hang_up(seat, call),
        }
        if self.one_in(2) {
            let after = self.millis(0, 1_500);
            self.plan(after, Deed::Talk(seat, call));
        }
    }

    /// Phones are set to something else from time to time.
    fn plan_mood(&mut self) {
        let seats = self.seats.clone();
        let (seat, after) = (self.pick(&seats), self.millis(300, 1_500));
        self.plan(after, Deed::Mood(seat));
    }

    fn mood(&mut self, seat: Seat) {
        if self.dialled >= self.to_dial {
            let seats = self.seats.clone();
            return seats.into_iter().for_each(|seat| self.world.behave(seat, Behaviour::Ring));
        }
        let reject = |code, reason: &str| Behaviour::Reject { status: Status(code), reason: reason.into() };
        let to = self.pick(&NUMBERS);
        let behaviour = match self.chance.below(20) {
            0 => Behaviour::Busy,
            1 => reject(603, "Decline"),
            2 => reject(480, "Not Now"),
            3 => reject(503, "Full"),
            4 => Behaviour::Redirect { to: format!("sip:{to}@london.example") },
            5 => Behaviour::Silent,
            6..8 => Behaviour::Answer { after: Duration::ZERO },
            8..10 => Behaviour::Answer { after: self.millis(4_900, 5_100) },
            _ => Behaviour::Ring,
        };
        self.world.behave(seat, behaviour);
        self.plan_mood();
    }

    fn cut(&mut self) {
        if self.dialled >= self.to_dial {
            return;
        }
        let time = self.millis(1_000, 40_000);
        if self.one_in(3) {
            let pair = self.pick(&[("london", "paris"), ("paris", "berlin"), ("berlin", "london")]);
            self.world.cut(pair.0, pair.1);
            self.plan(time, Deed::Heal(pair.0.into(), pair.1.into()));
        } else {
            let seats = self.seats.clone();
            let seat = self.pick(&seats);
            self.cut_off(seat, time);
        }
        let after = self.millis(4_000, 25_000);
        self.plan(after, Deed::Cut);
    }

    // --------------------------------------------------------------------------------------------------------- what happens to them

    fn listen(&mut self) {
        for seat in self.seats.clone() {
            let from = self.heard.entry(seat).or_default();
            let news: Vec<PhoneEvent> = self.world.events_from(seat, *from).cloned().collect();
            *from += news.len();
            for event in news {
                self.hear(seat, event);
            }
        }
    }

    fn hear(&mut self, seat: Seat, event: PhoneEvent) {
        match event {
            PhoneEvent::Incoming { call, request, .. }
                if self.world.look(seat).config().behaviour == Behaviour::Ring =>
            {
                let subject = request.header(&Name::Subject).map(|header| header.value().into_owned());
                let caller = subject.and_then(|text| String::from_utf8(text).ok()?.parse().ok()).map(Seat);
                self.rings(seat, call, caller);
            }
            PhoneEvent::Answered { call, .. } | PhoneEvent::Confirmed { call } => {
                let (sooner, talk) = (self.millis(0, 12_000), self.millis(0, 3_000));
                self.plan(sooner, Deed::HangUp(seat, call));
                if self.one_in(3) {
                    self.plan(talk, Deed::Talk(seat, call));
                }
            }
            PhoneEvent::Request { call: Some(call), method: Method::REFER, request } => {
                self.refer(seat, call, &request)
            }
            _ => {}
        }
    }

    fn rings(&mut self, seat: Seat, call: CallRef, caller: Option<Seat>) {
        let after = self.millis(100, 7_000);
        match self.chance.below(12) {
            0..6 => self.plan(after, Deed::Answer(seat, call)),
            6 => {
                // The 200 and the CANCEL cross somewhere.
                self.plan(after, Deed::Answer(seat, call));
                let crossing = after + self.millis(0, 40);
                let open = caller.map(|caller| (caller, self.agenda_of(caller)));
                for (caller, call) in
                    open.into_iter().flat_map(|(caller, calls)| calls.into_iter().map(move |call| (caller, call)))
                {
                    self.plan(crossing, Deed::GiveUp(caller, call));
                }
            }
            7 => self.plan(after, Deed::Refuse(seat, call, Status::BUSY_HERE)),
            8 => self.plan(after, Deed::Refuse(seat, call, Status::DECLINE)),
            9 => {
                let status = self.pick(&[404, 480, 488, 500, 503, 600, 606]);
                self.plan(after, Deed::Refuse(seat, call, Status(status)));
            }
            // Nobody is there.
            _ => {}
        }
    }

    /// The calls that somebody will give up sooner or later.
    fn agenda_of(&self, caller: Seat) -> Vec<CallRef> {
        let of = |deed: &Deed| match deed {
            Deed::GiveUp(seat, call) if *seat == caller => Some(*call),
            _ => None,
        };
        self.agenda.values().filter_map(of).collect()
    }

    /// RFC 3515: a blind transfer. Whoever is asked calls the other and says so.
    fn refer(&mut self, seat: Seat, call: CallRef, request: &hotdesk::sip::Request) {
        let to = request.header(&Name::ReferTo).map(|header| header.value().into_owned()).unwrap_or_default();
        let to = String::from_utf8(to).expect("text");
        let headers = vec![(Name::Event, "refer".into()), (Name::SubscriptionState, "terminated".into())];
        let body = ("message/sipfrag".to_string(), bytes::Bytes::from_static(b"SIP/2.0 100 Trying\r\n"));
        self.world.act(seat, |phone, now| phone.inside(now, call, Method::NOTIFY, headers, Some(body)));
        self.plan(Duration::ZERO, Deed::Transfer(seat, to.trim_matches(['<', '>']).into()));
        self.plan(Duration::from_secs(1), Deed::HangUp(seat, call));
    }

    // ------------------------------------------------------------------------------------------------------------------ the end

    /// Everybody goes home; after 64·T1 of silence nothing is left.
    fn close(mut self) {
        self.heal();
        self.world.pass(45);
        for seat in self.seats.clone() {
            for call in self.world.look(seat).calls_up() {
                self.world.act(seat, |phone, now| phone.hang_up(now, call));
            }
        }
        self.world.pass(40);
        for &seat in &self.seats[..PHONES.len()] {
            self.world.act(seat, |phone, now| phone.unregister(now));
        }
        self.world.run(SILENCE);
        witness::examine(&self.world);
        for site in SITES {
            let empty = |world: &World| {
                let load = world.load(site);
                (load.transactions, load.calls, load.waiting) == (0, 0, 0)
            };
            let load = self.world.load(site);
            assert!(
                self.world.run_until(Duration::from_secs(130), empty),
                "{site} keeps {load:?} after 64·T1 of silence"
            );
        }
        if self.trouble == Trouble::Cuts {
            self.world.run(CAP);
        }
        self.world.assert_nothing_counted();
        self.world.assert_no_complaints();
    }

    fn heal(&mut self) {
        for seat in self.seats.clone() {
            let (name, site) = (self.world.name(seat).to_string(), self.site_of(seat));
            self.world.heal(&name, site);
        }
    }
}
