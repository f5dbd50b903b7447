//! The people at the phones: simulated phones on real sockets, and what a test does with them.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hotdesk::phone::{Behaviour, CallRef, Phone, PhoneConfig, PhoneEvent};
use hotdesk::sip::{Contacts, Response, Status};

use super::company::{CARRIER, Company};
use super::ground::{Ground, SITES, address, number};
use super::ladder::{Ear, Ladder, now};

/// Everything that is awaited comes within this time, on a busy machine too.
pub const PATIENCE: Duration = Duration::from_secs(40);
const TICK: Duration = Duration::from_millis(2);
/// How much of the ladder a failure shows.
const SHOWN: usize = 120;

/// A phone or carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seat(usize);

struct Desk {
    name: String,
    phone: Phone,
    socket: UdpSocket,
    local: SocketAddr,
    events: Vec<PhoneEvent>,
    seen: usize,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered at this phone.
    At(Seat),
    /// The final answer.
    Refused(Status, String),
}

/// Everybody, and the ground that they stand on.
pub struct People {
    desks: Vec<Desk>,
    names: BTreeMap<SocketAddr, String>,
    notes: Vec<(Instant, String)>,
    start: Instant,
    ladder: Ladder,
    _ear: Ear,
    // Dropped in this order: no process is left in a namespace that goes.
    pub company: Company,
    pub ground: Ground,
}

impl People {
    /// All sites run, and nobody is registered; `None` where there can be no namespaces.
    pub fn gather(on_reconnect: &str) -> Option<Self> {
        let ground = Ground::lay()?;
        let (ladder, company) = (Ladder::default(), Company::found(on_reconnect));
        let names = SITES.iter().map(|site| (address(site), (*site).to_owned())).collect();
        let ear = Ear::on(&ground, &ladder);
        let (desks, notes) = (Vec::new(), Vec::new());
        let mut people = Self { desks, names, notes, start: now(), ladder, _ear: ear, company, ground };
        SITES.iter().for_each(|site| people.start(site));
        people.until("the sites have found each other", |people| {
            SITES.iter().all(|site| people.company.log(site).matches("site up").count() >= 2)
        });
        Some(people)
    }

    fn sit(&mut self, name: String, site: &str, config: PhoneConfig) -> Seat {
        let local = config.local;
        let socket = self.ground.socket(local, site);
        let phone = Phone::new(config, *blake3::hash(name.as_bytes()).as_bytes());
        self.names.insert(local, name.clone());
        self.desks.push(Desk { name, phone, socket, local, events: Vec::new(), seen: 0 });
        Seat(self.desks.len() - 1)
    }

    /// A phone of `user` at a site; it answers at once.
    pub fn phone(&mut self, user: &str, site: &str) -> Seat {
        let host = 10 + self.desks.iter().filter(|desk| desk.name.contains(&format!("@{site}"))).count();
        let local = SocketAddr::from(([10, 77, number(site) as u8, host as u8], 5060));
        let mut config =
            PhoneConfig::phone(user, &format!("secret-{user}"), local, address(site), &format!("{site}.example"));
        config.instance = Some(format!("<urn:uuid:00000000-0000-4000-8000-{:012x}>", self.desks.len()));
        config.behaviour = Behaviour::Answer { after: Duration::from_millis(50) };
        let same = self.desks.iter().filter(|desk| desk.name.starts_with(&format!("{user}@{site}"))).count();
        let seat = self.sit(format!("{user}@{site}{}", "'".repeat(same)), site, config);
        self.desks[seat.0].phone.refresh_by_itself(false);
        seat
    }

    /// The carrier of a site.
    pub fn carrier(&mut self, site: &str) -> Seat {
        let local = SocketAddr::from(([10, 77, number(site) as u8, CARRIER as u8], 5060));
        let mut config = PhoneConfig::trunk("+33140000000", local, address(site), &format!("{site}.example"));
        config.behaviour = Behaviour::Answer { after: Duration::from_millis(50) };
        self.sit(format!("carrier of {site}"), site, config)
    }

    pub fn name(&self, seat: Seat) -> &str {
        &self.desks[seat.0].name
    }

    /// For the story.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push((now(), text.into()));
    }

    /// All of the story, as short as it can be told.
    pub fn story(&self) -> String {
        self.ladder.story(self.start, &self.names, &self.notes)
    }

    // ------------------------------------------------------------------------------------------------------------------- time

    /// Everybody does what there is to do now.
    fn turn(&mut self) {
        let mut buffer = vec![0; 65_535];
        for desk in &mut self.desks {
            while let Ok((length, from)) = desk.socket.recv_from(&mut buffer) {
                self.ladder.push(from, desk.local, &buffer[..length]);
                desk.phone.handle_datagram(now(), from, Bytes::copy_from_slice(&buffer[..length]));
            }
            if desk.phone.poll_timeout().is_some_and(|at| at <= now()) {
                desk.phone.handle_timeout(now());
            }
            while let Some((to, bytes)) = desk.phone.poll_transmit() {
                self.ladder.push(desk.local, to, &bytes);
                // A site that is gone says so by ICMP, on the next call: a phone sends again.
                let _ = desk.socket.send_to(&bytes, to);
            }
            desk.events.extend(std::iter::from_fn(|| desk.phone.poll_event()));
        }
    }

    pub fn pass(&mut self, time: Duration) {
        let until = now() + time;
        while now() < until {
            self.turn();
            thread::sleep(TICK);
        }
    }

    /// Time passes until it is so; fails the test when it does not come.
    pub fn until(&mut self, what: &str, so: impl Fn(&Self) -> bool) {
        let until = now() + PATIENCE;
        while !so(self) {
            assert!(now() < until, "{what}: no");
            self.turn();
            thread::sleep(TICK);
        }
    }

    fn act<T>(&mut self, seat: Seat, what: impl FnOnce(&mut Phone, Instant) -> T) -> T {
        what(&mut self.desks[seat.0].phone, now())
    }

    /// The next event of a phone that was not looked at and that `wanted` takes.
    fn find<T>(&mut self, seat: Seat, within: Duration, wanted: impl Fn(&PhoneEvent) -> Option<T>) -> Option<T> {
        let until = now() + within;
        loop {
            let desk = &mut self.desks[seat.0];
            while let Some(event) = desk.events.get(desk.seen) {
                desk.seen += 1;
                if let Some(found) = wanted(event) {
                    return Some(found);
                }
            }
            if now() > until {
                return None;
            }
            self.turn();
            thread::sleep(TICK);
        }
    }

    // ----------------------------------------------------------------------------------------------------------- what people do

    /// Asks for a binding, as a person's new login or as a refresh.
    pub fn ask(&mut self, seat: Seat, expires: u32, anew: bool) {
        self.act(seat, |phone, at| if anew { phone.register_anew(at, expires) } else { phone.register(at, expires) });
    }

    /// What came of it.
    pub fn answer(&mut self, seat: Seat) -> Result<(), (Status, String)> {
        let found = self.find(seat, PATIENCE, |event| match event {
            PhoneEvent::Registered { .. } | PhoneEvent::Unregistered { .. } => Some(Ok(())),
            PhoneEvent::RegistrationRefused { status, reason, .. } => Some(Err((*status, reason.clone()))),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("{} has no answer to its REGISTER", self.name(seat)))
    }

    /// Registers, as a person's new login.
    pub fn register(&mut self, seat: Seat) {
        self.ask(seat, 3600, true);
        let name = self.name(seat).to_owned();
        self.answer(seat).unwrap_or_else(|refusal| panic!("{name} is refused: {refusal:?}"));
    }

    /// Dials.
    pub fn dial(&mut self, caller: Seat, number: &str) -> CallRef {
        self.act(caller, |phone, at| phone.call(at, number))
    }

    /// How a call ends up; one that is answered is ended at once.
    pub fn outcome(&mut self, caller: Seat, own: CallRef) -> Outcome {
        let ended = self.find(caller, PATIENCE, |event| match event {
            PhoneEvent::Answered { call, response } if *call == own => Some(Ok(contact(response))),
            PhoneEvent::Failed { call, status, reason, .. } if *call == own => Some(Err((*status, reason.clone()))),
            _ => None,
        });
        match ended.unwrap_or_else(|| panic!("a call of {} has no end", self.name(caller))) {
            Err((status, reason)) => Outcome::Refused(status, reason),
            Ok(contact) => {
                self.act(caller, |phone, at| phone.hang_up(at, own));
                self.find(caller, PATIENCE, |event| {
                    matches!(event, PhoneEvent::Ended { call } if *call == own).then_some(())
                });
                let whose = |desk: &Desk| desk.phone.contact_uri() == contact;
                Outcome::At(Seat(self.desks.iter().position(whose).expect("a phone of ours")))
            }
        }
    }

    /// A call that is answered at one phone and no other.
    pub fn reaches(&mut self, caller: Seat, number: &str, callee: Seat) {
        let call = self.dial(caller, number);
        let outcome = self.outcome(caller, call);
        let (from, to) = (self.name(caller).to_owned(), self.name(callee).to_owned());
        assert_eq!(outcome, Outcome::At(callee), "{from} dials {number} and means {to}");
    }

    /// What no phone should have been sent.
    pub fn complaints(&self) -> Vec<&String> {
        self.desks.iter().flat_map(|desk| desk.phone.complaints()).collect()
    }

    pub fn start(&mut self, site: &'static str) {
        self.company.start(&self.ground, site);
    }
}

impl Drop for People {
    fn drop(&mut self) {
        if thread::panicking() {
            let text = self.ladder.text(self.start, SHOWN, &self.names, &self.notes);
            eprintln!("--- the end of the ladder\n{text}");
        }
    }
}

/// The URI of the phone that answered.
fn contact(response: &Response) -> String {
    match response.contacts(1) {
        Ok(Contacts::List(list)) => {
            list.first().map(|contact| String::from_utf8_lossy(contact.uri().as_bytes()).into())
        }
        Ok(Contacts::None | Contacts::Star) | Err(_) => None,
    }
    .unwrap_or_default()
}
