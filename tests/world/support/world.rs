//! Sites, phones and carriers on one clock. After each input all outputs are taken, so that one seed gives one history.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hotdesk::event::Event;
use hotdesk::ids::{Entropy, Extension, SiteName};
use hotdesk::location::{Location, StoreId, StoreOp, When};
use hotdesk::node::{Command, Config, Load, Node, Restored};
use hotdesk::phone::{Behaviour, Phone, PhoneConfig, PhoneEvent};
use hotdesk::storage;
use hotdesk::timing::{Now, Wall};
use hotdesk::transmit::{Flow, Media, RtpPort, SocketId};
use hotdesk::trunk::Resolved;

use super::ladder::{Fate, Ladder, Rung, header};
use super::lines::{Line, LineClass, Lines};
use super::sample::Sample;

/// Monday 2026-11-23, 11:00 UTC: everybody is in the office.
const MONDAY: Wall = Wall(1_795_431_600_000);

/// So many timeouts of one participant without the clock moving are a timer that is never served.
const STUCK: u32 = 10_000;

/// A phone or carrier of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seat(pub usize);

/// How a site's store behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stores {
    /// Durable as soon as it is said.
    AtOnce,
    /// Durable after this time.
    After(Duration),
    /// Nothing can be stored.
    Failing,
}

struct SiteSeat {
    config: Config,
    address: SocketAddr,
    /// By their ids; none while it is down.
    shards: Vec<Node>,
    boots: u64,
    stores: Stores,
    /// What is on its disk, if it has one.
    disk: Option<BTreeMap<Extension, Vec<u8>>>,
    /// The newest change of each user that this process has written.
    written: BTreeMap<Extension, StoreId>,
    /// How much its clock is ahead, in milliseconds.
    ahead: i64,
    events: Vec<(Duration, Event)>,
    /// The last timeout that was served, and how often at that very time.
    served: (Duration, u32),
}

/// A translator of addresses that closes the way in when nothing has gone through it for a while.
struct Nat {
    life: Duration,
    used: Duration,
}

struct PhoneSeat {
    name: String,
    /// What stands between it and the network.
    nat: Option<Nat>,
    /// `None` while it is switched off.
    phone: Option<Phone>,
    /// When it is to be woken.
    due: Option<Instant>,
    address: SocketAddr,
    class: LineClass,
    events: Vec<(Duration, PhoneEvent)>,
    /// How many of them a scenario has looked at.
    seen: usize,
    complaints: Vec<String>,
}

enum Happening {
    Arrives {
        from: SocketAddr,
        to: SocketAddr,
        bytes: Bytes,
    },
    Nobody {
        site: String,
        shard: usize,
        remote: SocketAddr,
    },
    Stored {
        site: String,
        shard: usize,
        boot: u64,
        op: StoreOp,
        failed: bool,
    },
    /// The answer to a look-up, as the name servers give it then.
    Resolved {
        site: String,
        shard: usize,
        name: String,
    },
    /// What only extends reaches the disk.
    Written {
        site: String,
        boot: u64,
        op: StoreOp,
    },
}

/// A network, and everything on it.
pub struct World {
    seed: u64,
    start: Instant,
    now: Duration,
    chance: Entropy,
    sample: Sample,
    sites: BTreeMap<String, SiteSeat>,
    /// How many packets and errands shards have handed to each other.
    handed_over: usize,
    phones: Vec<PhoneSeat>,
    by_address: BTreeMap<SocketAddr, Party>,
    queue: BTreeMap<(Duration, u64), Happening>,
    sequence: u64,
    lines: Lines,
    ladder: Ladder,
    /// Where the ladder that a scenario shows begins.
    chapter: usize,
    noticed: usize,
    hushed: bool,
    /// Packets of tones.
    tones: Vec<TonePacket>,
    /// Whether sites can open ports for RTP.
    opens_ports: bool,
    /// Those that are open.
    ports: BTreeSet<(String, RtpPort)>,
    /// What host names resolve to, and for how many seconds.
    hosts: BTreeMap<String, (Vec<IpAddr>, u64)>,
    /// Whether the name servers say anything.
    resolves: bool,
}

/// A packet of a tone on its way to a phone.
#[derive(Clone, Debug)]
pub struct TonePacket {
    pub at: Duration,
    pub site: String,
    pub to: SocketAddr,
    pub bytes: Bytes,
}

#[derive(Clone, Debug)]
enum Party {
    Site(String),
    Phone(Seat),
}

impl World {
    /// The sample network a second after its start, its four carriers answering after two seconds, and no phones.
    pub fn new(seed: u64) -> Self {
        Self::with(seed, |_| {})
    }

    /// The sample network after some changes to it.
    pub fn with(seed: u64, change: impl FnOnce(&mut Sample)) -> Self {
        let mut sample = Sample::read();
        change(&mut sample);
        #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin; nothing depends on which it is")]
        let start = Instant::now();
        let mut world = Self {
            seed,
            start,
            now: Duration::ZERO,
            chance: Entropy::new(seed_of(seed, "lines", 0)),
            sites: BTreeMap::new(),
            handed_over: 0,
            phones: Vec::new(),
            by_address: BTreeMap::new(),
            queue: BTreeMap::new(),
            sequence: 0,
            lines: Lines::clean(),
            ladder: Ladder::default(),
            chapter: 0,
            tones: Vec::new(),
            opens_ports: true,
            ports: BTreeSet::new(),
            noticed: 0,
            hushed: false,
            hosts: BTreeMap::new(),
            resolves: true,
            sample,
        };
        for (name, config) in world.sample.configs() {
            world.build(name, config);
        }
        for (name, number, address, site) in [
            ("bt", "+442071110000", "127.0.0.10:5080", "london"),
            ("mobile", "+447700900000", "127.0.0.11:5080", "london"),
            ("orange", "+33140000000", "127.0.0.20:5080", "paris"),
            ("telekom", "+493040000000", "127.0.0.30:5080", "berlin"),
        ] {
            let (address, at) = (address.parse().expect("an address"), world.sites[site].address);
            let config = PhoneConfig::trunk(number, address, at, &world.sample.domain(site));
            world.seat(name.into(), config, LineClass::Trunks);
        }
        // The sites have found each other.
        world.pass(1);
        world.chapter();
        world
    }

    fn build(&mut self, name: String, config: Config) {
        let address = config.network.sites[&SiteName::new(&name)].listen[0].bind;
        let site = SiteSeat {
            config,
            address,
            shards: Vec::new(),
            boots: 0,
            stores: Stores::AtOnce,
            disk: None,
            written: BTreeMap::new(),
            ahead: 0,
            events: Vec::new(),
            served: (Duration::ZERO, 0),
        };
        self.sites.insert(name.clone(), site);
        self.by_address.insert(address, Party::Site(name.clone()));
        self.start(&name);
    }

    fn seat(&mut self, name: String, config: PhoneConfig, class: LineClass) -> Seat {
        let seat = Seat(self.phones.len());
        let address = config.local;
        let phone = Some(Phone::new(config, seed_of(self.seed, &name, 0)));
        let seated = PhoneSeat {
            name,
            nat: None,
            phone,
            due: None,
            address,
            class,
            events: Vec::new(),
            seen: 0,
            complaints: Vec::new(),
        };
        self.phones.push(seated);
        self.by_address.insert(address, Party::Phone(seat));
        seat
    }

    /// A phone with the account of `user` that uses `site`; it is not registered yet.
    pub fn phone(&mut self, user: &str, site: &str) -> Seat {
        let number = 1 + self.phones.len();
        let ip = match site {
            "london" => 101,
            "paris" => 102,
            "berlin" => 103,
            _ => 104,
        };
        // An address of its own for each; so many times round another port.
        let local = SocketAddr::from(([127, 0, ip, number as u8], 5060 + (number >> 8) as u16));
        let proxy = self.sites[site].address;
        let mut config = PhoneConfig::phone(user, &format!("secret-{user}"), local, proxy, &self.sample.domain(site));
        config.instance = Some(format!("<urn:uuid:00000000-0000-4000-8000-0000{number:08x}>"));
        let same = self.phones.iter().filter(|seat| seat.name.starts_with(&format!("{user}@{site}"))).count();
        let name = format!("{user}@{site}{}", "'".repeat(same));
        self.seat(name, config, LineClass::Phones)
    }

    /// The same behind a NAT that forgets a flow which was quiet for `life`.
    pub fn phone_behind_nat(&mut self, user: &str, site: &str, life: Duration) -> Seat {
        let seat = self.phone(user, site);
        let number = seat.0 as u8;
        let (private, public) = ([192, 168, 7, number], [203, 0, 113, number]);
        let known = self.phones[seat.0].address;
        let config = PhoneConfig { local: (private, 5060).into(), ..self.look(seat).config().clone() };
        let phone = Phone::new(config, seed_of(self.seed, self.name(seat), 0));
        let seated = &mut self.phones[seat.0];
        seated.phone = Some(phone);
        seated.address = (public, 40_000).into();
        seated.nat = Some(Nat { life, used: Duration::ZERO });
        self.by_address.remove(&known);
        self.by_address.insert((public, 40_000).into(), Party::Phone(seat));
        seat
    }

    /// Another server of a carrier, which calls by that site.
    pub fn another_carrier(&mut self, name: &str, address: &str, site: &str) -> Seat {
        let (address, at) = (address.parse().expect("an address"), self.sites[site].address);
        let config = PhoneConfig::trunk("+441610000001", address, at, &self.sample.domain(site));
        self.seat(name.into(), config, LineClass::Trunks)
    }

    /// The seat of a carrier: `bt`, `mobile`, `orange`, `telekom`.
    pub fn carrier(&self, name: &str) -> Seat {
        Seat(self.phones.iter().position(|seat| seat.name == name).expect("the world has that carrier"))
    }

    /// Time since the world began.
    pub fn now(&self) -> Duration {
        self.now
    }

    pub fn instant(&self) -> Instant {
        self.start + self.now
    }

    fn clock_of(&self, site: &str) -> Now {
        let ahead = self.sites[site].ahead;
        let wall = MONDAY.plus(self.now).0;
        Now { instant: self.instant(), wall: Wall(wall.saturating_add_signed(ahead)) }
    }

    // ------------------------------------------------------------------------------------------------ what a scenario may do

    /// Does something with a phone; what it sends is on its way afterwards.
    pub fn act<T>(&mut self, seat: Seat, what: impl FnOnce(&mut Phone, Instant) -> T) -> T {
        let now = self.instant();
        let name = self.phones[seat.0].name.clone();
        let phone = self.phones[seat.0].phone.as_mut();
        let done = what(phone.unwrap_or_else(|| panic!("{name} is switched off")), now);
        self.drain_phone(seat);
        done
    }

    /// How a phone or carrier answers from now on.
    pub fn behave(&mut self, seat: Seat, behaviour: Behaviour) {
        self.act(seat, |phone, _| phone.behave_as(behaviour));
    }

    /// Brings a phone to another site; it is not registered there yet.
    pub fn carry(&mut self, seat: Seat, site: &str) {
        let (proxy, domain) = (self.sites[site].address, self.sample.domain(site));
        self.act(seat, |phone, _| phone.move_to(proxy, &domain));
    }

    /// Power off: nothing it was told is heard any more.
    pub fn switch_off(&mut self, seat: Seat) {
        if let Some(phone) = self.phones[seat.0].phone.take() {
            self.phones[seat.0].complaints.extend_from_slice(phone.complaints());
        }
    }

    /// The process of a site ends without a word.
    pub fn stop(&mut self, site: &str) {
        self.site_mut(site).shards.clear();
        // Its ports end with it.
        self.ports.retain(|(of, _)| of != site);
    }

    /// Whether the process of a site runs.
    pub fn is_up(&self, site: &str) -> bool {
        !self.sites[site].shards.is_empty()
    }

    /// What was on a site's disk is lost.
    pub fn wipe(&mut self, site: &str) {
        self.site_mut(site).disk.iter_mut().for_each(BTreeMap::clear);
    }

    /// A failure prints no ladder: somebody else shows what there is to see.
    pub fn hush(&mut self) {
        self.hushed = true;
    }

    /// Every site has a disk from now on: what it confirms outlives its process.
    pub fn with_disks(&mut self) {
        for seat in self.sites.values_mut() {
            seat.disk.get_or_insert_default();
        }
    }

    /// A copy of what is on a site's disk.
    pub fn disk(&self, site: &str) -> BTreeMap<Extension, Vec<u8>> {
        self.sites[site].disk.clone().unwrap_or_default()
    }

    /// That is what is on a site's disk now.
    pub fn put_disk(&mut self, site: &str, disk: BTreeMap<Extension, Vec<u8>>) {
        self.site_mut(site).disk = Some(disk);
    }

    /// The process of a site begins, with what is on its disk.
    pub fn start(&mut self, site: &str) {
        let now = self.clock_of(site);
        let seed = self.seed;
        let seat = self.site_mut(site);
        seat.boots += 1;
        seat.written.clear();
        let shards = seat.config.network.sites[&SiteName::new(site)].shards;
        seat.shards = Node::shards(seat.config.clone(), now, seed_of(seed, site, seat.boots), shards);
        if let Some(disk) = &seat.disk {
            let read = |bytes: &Vec<u8>| storage::decode(bytes).expect("what was written");
            let forms = disk.iter().map(|(extension, bytes)| (extension.clone(), read(bytes))).collect();
            let left = Restored { records: storage::restore(forms, now), routes: None };
            Node::restore_shards(&mut seat.shards, now, left);
        }
        self.drain_site(site);
    }

    /// A crash, and a new start at once.
    pub fn restart(&mut self, site: &str) {
        self.stop(site);
        self.start(site);
    }

    /// What the operator of a site asks of it.
    pub fn command(&mut self, site: &str, command: Command) {
        let now = self.clock_of(site);
        for shard in &mut self.site_mut(site).shards {
            shard.handle_command(now, command.clone());
        }
        self.drain_site(site);
    }

    /// A site reads its configuration anew, after some changes to it.
    pub fn reload(&mut self, site: &str, change: impl FnOnce(&mut Sample)) {
        self.configure(site, change);
        let config = self.sites[site].config.clone();
        self.command(site, Command::Reload(Box::new(config)));
    }

    /// A site will start with some changes to its configuration.
    pub fn configure(&mut self, site: &str, change: impl FnOnce(&mut Sample)) {
        change(&mut self.sample);
        self.site_mut(site).config = self.sample.configs().remove(site).expect("the sample has that site");
    }

    /// The last answer of a site to an address or phone, by its name.
    pub fn last_answer(&self, site: &str, to: &str) -> String {
        let to_it =
            self.datagrams().filter(|(from, at, bytes)| *from == site && *at == to && bytes.starts_with(b"SIP/2.0"));
        to_it.last().map(|(_, _, bytes)| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
    }

    /// How a site's store behaves from now on.
    pub fn store(&mut self, site: &str, stores: Stores) {
        self.site_mut(site).stores = stores;
    }

    /// A site's clock is ahead by so many milliseconds.
    pub fn set_clock(&mut self, site: &str, ahead: i64) {
        self.site_mut(site).ahead = ahead;
    }

    /// A host name has these addresses from now on, for so many seconds each time that it is asked for.
    pub fn host(&mut self, name: &str, addresses: &[&str], ttl: u64) {
        let addresses = addresses.iter().map(|text| text.parse().expect("an address")).collect();
        self.hosts.insert(name.to_owned(), (addresses, ttl));
    }

    /// Whether the name servers answer from now on.
    pub fn name_servers(&mut self, answer: bool) {
        self.resolves = answer;
    }

    fn resolved(&self, name: &str) -> Resolved {
        match self.hosts.get(name) {
            _ if !self.resolves => Resolved::Failed,
            Some((addresses, ttl)) => Resolved::Addresses(addresses.clone(), Duration::from_secs(*ttl)),
            None => Resolved::Addresses(Vec::new(), Duration::ZERO),
        }
    }

    /// What every line of a class does from now on.
    pub fn lines(&mut self, class: LineClass, line: Line) {
        self.lines.set_class(class, line);
    }

    /// What every line does from now on.
    pub fn all_lines(&mut self, line: Line) {
        for class in [LineClass::Sites, LineClass::Phones, LineClass::Trunks] {
            self.lines.set_class(class, line);
        }
    }

    /// Cuts the line between two participants, by their names.
    pub fn cut(&mut self, a: &str, b: &str) {
        self.lines.cut(a, b);
    }

    /// Nothing that one sends reaches the other any more; what the other sends still arrives.
    pub fn cut_one_way(&mut self, from: &str, to: &str) {
        self.lines.cut_one_way(from, to);
    }

    /// The network says to a site that nobody listens there, true or not.
    pub fn nobody_at(&mut self, site: &str, remote: SocketAddr) {
        self.happen(Happening::Nobody { site: site.into(), shard: 0, remote });
    }

    /// Whether nothing goes from one to the other.
    pub fn is_cut(&self, from: &str, to: &str) -> bool {
        self.lines.is_cut(from, to)
    }

    /// Mends it.
    pub fn heal(&mut self, a: &str, b: &str) {
        self.lines.heal(a, b);
    }

    /// A datagram that claims to come from `from`, as an attacker sends it: by a line of the attacker's own.
    pub fn inject(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        let (at, sender, receiver) = (self.now, format!("({})", self.name_of(from)), self.name_of(to));
        self.ladder.push(Rung { at, from: sender, to: receiver, bytes: bytes.clone(), fate: Fate::Sent });
        self.schedule(Duration::from_millis(1), Happening::Arrives { from, to, bytes });
    }

    /// The address of a site.
    pub fn address(&self, site: &str) -> SocketAddr {
        self.sites[site].address
    }

    // ------------------------------------------------------------------------------------------------------ what it looks at

    /// A phone's name in the ladder.
    pub fn name(&self, seat: Seat) -> &str {
        &self.phones[seat.0].name
    }

    /// A phone.
    pub fn look(&self, seat: Seat) -> &Phone {
        self.phones[seat.0].phone.as_ref().expect("a phone that is switched on")
    }

    /// All that a phone's user noticed so far.
    pub fn events(&self, seat: Seat) -> impl Iterator<Item = &PhoneEvent> {
        self.phones[seat.0].events.iter().map(|(_, event)| event)
    }

    /// How many things all users of phones together noticed so far.
    pub fn noticed(&self) -> usize {
        self.noticed
    }

    /// What a phone's user noticed after the first `seen` events.
    pub fn events_from(&self, seat: Seat, seen: usize) -> impl Iterator<Item = &PhoneEvent> {
        self.phones[seat.0].events[seen..].iter().map(|(_, event)| event)
    }

    /// A site that runs; of several shards the first, which speaks for all where they share.
    pub fn node(&self, site: &str) -> &Node {
        self.sites[site].shards.first().expect("a site that runs")
    }

    /// Where the users of a site that runs are.
    pub fn location(&self, site: &str) -> &Location {
        self.node(site).location()
    }

    /// How much a site has in hand, all its shards together.
    pub fn load(&self, site: &str) -> Load {
        self.sites[site].shards.iter().map(Node::load).fold(Load::default(), |sum, load| Load {
            transactions: sum.transactions + load.transactions,
            calls: sum.calls + load.calls,
            live: sum.live + load.live,
            waiting: sum.waiting + load.waiting,
        })
    }

    /// Whether everybody who asked a site has a final answer.
    pub fn is_idle(&self, site: &str) -> bool {
        self.sites[site].shards.iter().all(Node::is_idle)
    }

    /// How many packets and errands the shards of all sites have handed to each other so far.
    pub fn handed_over(&self) -> usize {
        self.handed_over
    }

    /// Where a phone is.
    pub fn phone_address(&self, seat: Seat) -> SocketAddr {
        self.phones[seat.0].address
    }

    /// The shard at which datagrams from that address arrive.
    pub fn lands_at(&self, site: &str, from: SocketAddr) -> usize {
        landing(from, self.sites[site].shards.len())
    }

    /// All that a site told so far.
    pub fn told(&self, site: &str) -> impl Iterator<Item = &Event> {
        self.sites[site].events.iter().map(|(_, event)| event)
    }

    /// The packets of tones so far.
    pub fn tones(&self) -> &[TonePacket] {
        &self.tones
    }

    /// No site can open a port for RTP from now on.
    pub fn close_ports(&mut self) {
        self.opens_ports = false;
    }

    /// How many ports for RTP are open at all sites.
    pub fn ports(&self) -> usize {
        self.ports.len()
    }

    /// Every datagram sent so far: from, to, bytes.
    pub fn datagrams(&self) -> impl Iterator<Item = (&str, &str, &Bytes)> {
        self.ladder.rungs().iter().map(|rung| (&*rung.from, &*rung.to, &rung.bytes))
    }

    /// Every datagram sent so far, with what became of it.
    pub fn rungs(&self) -> &[Rung] {
        self.ladder.rungs()
    }

    /// All datagrams of one call, as the ladder shows them.
    pub fn ladder_of(&self, call_id: &str) -> String {
        let mut own = Ladder::default();
        let of = |rung: &&Rung| header(&rung.bytes, "Call-ID") == call_id;
        self.ladder.rungs().iter().filter(of).for_each(|rung| own.push(rung.clone()));
        own.text(0, &self.names(), true)
    }

    /// Whether one participant sent another something that begins so.
    pub fn has_sent(&self, from: &str, to: &str, begin: &[u8]) -> bool {
        self.datagrams().any(|(sender, receiver, bytes)| sender == from && receiver == to && bytes.starts_with(begin))
    }

    /// The next event of a phone that was not looked at and that `wanted` takes; the clock goes on until it comes, for at most
    /// `within`. Those before it count as looked at.
    pub fn find<T>(
        &mut self,
        seat: Seat,
        within: Duration,
        mut wanted: impl FnMut(&PhoneEvent) -> Option<T>,
    ) -> Option<T> {
        let until = self.now + within;
        loop {
            let seated = &mut self.phones[seat.0];
            while let Some((_, event)) = seated.events.get(seated.seen) {
                seated.seen += 1;
                if let Some(found) = wanted(event) {
                    return Some(found);
                }
            }
            if !self.step(until) {
                return None;
            }
        }
    }

    /// Begins a new chapter of the ladder.
    pub fn chapter(&mut self) {
        self.chapter = self.ladder.len();
    }

    /// The ladder of this chapter, with names for everything that differs from seed to seed.
    pub fn ladder(&self) -> String {
        self.ladder.text(self.chapter, &self.names(), false)
    }

    fn names(&self) -> Vec<(String, String)> {
        let mut names = Vec::new();
        for seat in &self.phones {
            if let Some(phone) = &seat.phone {
                names.push((phone.contact_uri(), format!("<{}>", seat.name)));
            }
        }
        let phones = self.phones.iter().map(|seat| (seat.address.to_string(), seat.name.clone()));
        let sites = self.sites.iter().map(|(name, site)| (site.address.to_string(), name.clone()));
        names.extend(phones.chain(sites));
        names.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        names
    }

    // --------------------------------------------------------------------------------------------------------------- the clock

    /// Lets time pass.
    pub fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.step(until) {}
    }

    /// Lets seconds pass.
    pub fn pass(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds));
    }

    /// Lets time pass until `done`, for at most `within`; says whether it came.
    pub fn run_until(&mut self, within: Duration, mut done: impl FnMut(&World) -> bool) -> bool {
        let until = self.now + within;
        while !done(self) {
            if !self.step(until) {
                return false;
            }
        }
        true
    }

    /// The next thing that happens up to `until`; says whether there was one. If not, the clock stands at `until`.
    fn step(&mut self, until: Duration) -> bool {
        let queued = self.queue.keys().next().copied();
        let timeout = self.next_timeout();
        match (queued, timeout) {
            (Some(key), timer) if key.0 <= until && timer.as_ref().is_none_or(|(at, _)| key.0 <= *at) => {
                self.now = self.now.max(key.0);
                let happening = self.queue.remove(&key).expect("the key was just read");
                self.happen(happening);
                true
            }
            (_, Some((at, party))) if at <= until => {
                self.now = self.now.max(at);
                self.time_out(party);
                true
            }
            _ => {
                self.now = until;
                false
            }
        }
    }

    fn next_timeout(&self) -> Option<(Duration, Party)> {
        let sites = self.sites.iter().filter_map(|(name, site)| {
            let at = site.shards.iter().filter_map(Node::poll_timeout).min()?;
            Some((at, name))
        });
        let phones = self.phones.iter().enumerate().filter_map(|(at, seat)| {
            let due = seat.due.filter(|_| seat.phone.is_some())?;
            Some((due, Seat(at)))
        });
        let (site, phone) = (sites.min_by_key(|(at, _)| *at), phones.min_by_key(|(at, _)| *at));
        let after = |at: Instant| at.saturating_duration_since(self.start);
        match (site, phone) {
            (Some((at, _)), Some((due, seat))) if due < at => Some((after(due), Party::Phone(seat))),
            (Some((at, name)), _) => Some((after(at), Party::Site(name.clone()))),
            (None, phone) => phone.map(|(due, seat)| (after(due), Party::Phone(seat))),
        }
    }

    fn time_out(&mut self, party: Party) {
        match party {
            Party::Phone(seat) => self.act(seat, |phone, now| phone.handle_timeout(now)),
            Party::Site(name) => {
                let (now, at) = (self.clock_of(&name), self.now);
                let seat = self.site_mut(&name);
                seat.served = if seat.served.0 == at { (at, seat.served.1 + 1) } else { (at, 0) };
                assert!(seat.served.1 < STUCK, "{name} asks to be woken at {at:?} again and again");
                for shard in &mut seat.shards {
                    if shard.poll_timeout().is_some_and(|due| due <= now.instant) {
                        shard.handle_timeout(now);
                    }
                }
                self.drain_site(&name);
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives { from, to, bytes } => self.arrive(from, to, bytes),
            Happening::Nobody { site, shard, remote } => {
                let now = self.clock_of(&site);
                if let Some(node) = self.site_mut(&site).shards.get_mut(shard) {
                    node.handle_nobody(now, remote);
                }
                self.drain_site(&site);
            }
            Happening::Stored { site, shard, boot, op, failed } => {
                let now = self.clock_of(&site);
                if self.site_mut(&site).boots != boot || self.site_mut(&site).shards.is_empty() {
                    return;
                }
                if !failed {
                    self.write(&site, &op);
                }
                let Some(node) = self.site_mut(&site).shards.get_mut(shard) else { return };
                if failed {
                    node.handle_store_failed(now, op.id)
                } else {
                    node.handle_stored(now, op.id)
                }
                self.drain_site(&site);
            }
            Happening::Resolved { site, shard, name } => {
                let (now, resolved) = (self.clock_of(&site), self.resolved(&name));
                if let Some(node) = self.site_mut(&site).shards.get_mut(shard) {
                    node.handle_resolved(now, &name, resolved);
                }
                self.drain_site(&site);
            }
            Happening::Written { site, boot, op } => {
                if self.site_mut(&site).boots == boot && !self.site_mut(&site).shards.is_empty() {
                    self.write(&site, &op);
                }
            }
        }
    }

    fn arrive(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        match self.by_address.get(&to).cloned() {
            Some(Party::Site(name)) => {
                let now = self.clock_of(&name);
                let shards = &mut self.site_mut(&name).shards;
                let shard = landing(from, shards.len());
                if let Some(node) = shards.get_mut(shard) {
                    node.handle_datagram(now, Flow { socket: SocketId(0), remote: from }, bytes);
                }
                self.drain_site(&name);
            }
            Some(Party::Phone(seat)) if self.phones[seat.0].phone.is_some() && self.lets_in(seat) => {
                self.act(seat, |phone, now| phone.handle_datagram(now, from, bytes));
            }
            Some(Party::Phone(_)) | None => {}
        }
    }

    /// Whether what stands before a phone still knows the way in; it knows it longer then.
    fn lets_in(&mut self, seat: Seat) -> bool {
        let now = self.now;
        let Some(nat) = &mut self.phones[seat.0].nat else { return true };
        let open = now - nat.used <= nat.life;
        if open {
            nat.used = now;
        }
        open
    }

    // -------------------------------------------------------------------------------------------------------------- the outputs

    fn drain_phone(&mut self, seat: Seat) {
        let at = self.now;
        let seated = &mut self.phones[seat.0];
        let Some(phone) = &mut seated.phone else { return };
        seated.due = phone.poll_timeout();
        let known = seated.events.len();
        seated.events.extend(std::iter::from_fn(|| phone.poll_event()).map(|event| (at, event)));
        self.noticed += seated.events.len() - known;
        let (from, sent) = (seated.address, std::iter::from_fn(|| phone.poll_transmit()).collect::<Vec<_>>());
        if let Some(nat) = seated.nat.as_mut().filter(|_| !sent.is_empty()) {
            nat.used = at;
        }
        for (to, bytes) in sent {
            self.send(from, 0, to, bytes);
        }
    }

    fn drain_site(&mut self, name: &str) {
        loop {
            let mut idle = true;
            for shard in 0..self.sites[name].shards.len() {
                idle &= !self.drain_shard(name, shard);
            }
            if idle {
                return;
            }
        }
    }

    /// Does for a shard what the shell does with ports for RTP; says whether there was anything.
    fn play(&mut self, name: &str, shard: usize) -> bool {
        let (at, now, opens) = (self.now, self.clock_of(name), self.opens_ports);
        let mut any = false;
        while let Some(media) = self.site_mut(name).shards[shard].poll_media() {
            any = true;
            match media {
                Media::Open(port) => {
                    if opens {
                        assert!(self.ports.insert((name.into(), port)), "{name} opens {port:?} twice");
                    }
                    self.site_mut(name).shards[shard].handle_port(now, port, opens);
                }
                Media::Send { remote, bytes, .. } => {
                    self.tones.push(TonePacket { at, site: name.into(), to: remote, bytes });
                }
                Media::Close(port) => assert!(self.ports.remove(&(name.into(), port)), "{port:?} is not open"),
            }
        }
        any
    }

    /// Takes what a shard gives out; says whether there was anything.
    fn drain_shard(&mut self, name: &str, shard: usize) -> bool {
        let (at, now) = (self.now, self.clock_of(name));
        let played = self.play(name, shard);
        let seat = self.site_mut(name);
        let node = &mut seat.shards[shard];
        seat.events.extend(std::iter::from_fn(|| node.poll_event()).map(|event| (at, event)));
        let sent: Vec<_> = std::iter::from_fn(|| node.poll_transmit()).collect();
        let stores: VecDeque<_> = std::iter::from_fn(|| node.poll_store()).collect();
        let handovers: Vec<_> = std::iter::from_fn(|| node.poll_handover()).collect();
        let lookups: Vec<_> = std::iter::from_fn(|| node.poll_lookup()).collect();
        let (from, any) = (seat.address, played || !(sent.is_empty() && stores.is_empty() && handovers.is_empty()));
        for transmit in sent {
            self.send(from, shard, transmit.flow.remote, transmit.bytes);
        }
        for host in lookups {
            let resolved = Happening::Resolved { site: name.to_owned(), shard, name: host };
            self.schedule(Duration::from_millis(5), resolved);
        }
        self.handed_over += handovers.len();
        for handover in handovers {
            let to = usize::from(handover.to.0);
            assert_ne!(to, shard, "a shard of {name} hands something over to itself");
            self.site_mut(name).shards[to].handle_handover(now, handover);
        }
        self.keep(name, shard, stores);
        any
    }

    /// A lazy write is none where something newer has been written.
    fn write(&mut self, name: &str, op: &StoreOp) {
        let seat = self.site_mut(name);
        let with_ha1 = seat.config.site.hot_desk.survive_restart;
        let Some(disk) = &mut seat.disk else { return };
        if seat.written.get(&op.extension).is_some_and(|newest| *newest > op.id) {
            return;
        }
        seat.written.insert(op.extension.clone(), op.id);
        match &op.record {
            Some(record) => drop(disk.insert(op.extension.clone(), storage::encode(record, with_ha1))),
            None => drop(disk.remove(&op.extension)),
        }
    }

    fn keep(&mut self, name: &str, shard: usize, ops: VecDeque<StoreOp>) {
        let now = self.clock_of(name);
        let (stores, boot) = (self.sites[name].stores, self.sites[name].boots);
        for op in ops {
            match stores {
                _ if op.when != When::Awaited => {
                    let after = if op.when == When::Soon { Duration::from_millis(1) } else { storage::LAZY };
                    self.schedule(after, Happening::Written { site: name.into(), boot, op });
                }
                Stores::AtOnce => {
                    self.write(name, &op);
                    self.site_mut(name).shards[shard].handle_stored(now, op.id);
                }
                Stores::After(_) | Stores::Failing => {
                    let failed = stores == Stores::Failing;
                    let delay = if let Stores::After(delay) = stores { delay } else { Duration::from_millis(1) };
                    self.schedule(delay, Happening::Stored { site: name.into(), shard, boot, op, failed });
                }
            }
        }
    }

    /// `shard` is the sender's, where the sender has any.
    fn send(&mut self, from: SocketAddr, shard: usize, to: SocketAddr, bytes: Bytes) {
        let (sender, receiver) = (self.name_of(from), self.name_of(to));
        let known = self.by_address.contains_key(&to);
        let line = self.lines.between(&sender, &receiver, self.class_of(from, to));
        let fates = line.map(|line| line.fate(&mut self.chance));
        let fate = match &fates {
            _ if !known => Fate::Nowhere,
            None => Fate::Cut,
            Some(copies) if copies.is_empty() => Fate::Lost,
            Some(copies) if copies.len() > 1 => Fate::Twice,
            Some(_) => Fate::Sent,
        };
        let (at, rung_bytes) = (self.now, bytes.clone());
        self.ladder.push(Rung { at, from: sender.clone(), to: receiver, bytes: rung_bytes, fate });
        for delay in fates.unwrap_or_default() {
            let happening = match known {
                true => Happening::Arrives { from, to, bytes: bytes.clone() },
                false if self.sites.contains_key(&sender) => {
                    Happening::Nobody { site: sender.clone(), shard, remote: to }
                }
                false => continue,
            };
            self.schedule(delay, happening);
        }
    }

    fn schedule(&mut self, after: Duration, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((self.now + after, self.sequence), happening);
    }

    fn class_of(&self, a: SocketAddr, b: SocketAddr) -> LineClass {
        let class = |address| match self.by_address.get(&address) {
            Some(Party::Phone(seat)) => Some(self.phones[seat.0].class),
            Some(Party::Site(_)) => None,
            None => Some(LineClass::Phones),
        };
        class(a).or_else(|| class(b)).unwrap_or(LineClass::Sites)
    }

    fn name_of(&self, address: SocketAddr) -> String {
        match self.by_address.get(&address) {
            Some(Party::Site(name)) => name.clone(),
            Some(Party::Phone(seat)) => self.phones[seat.0].name.clone(),
            None => address.to_string(),
        }
    }

    fn site_mut(&mut self, name: &str) -> &mut SiteSeat {
        self.sites.get_mut(name).unwrap_or_else(|| panic!("no site {name}"))
    }

    // --------------------------------------------------------------------------------------------------------------- the end

    /// The scenario is over: a minute after every cut is mended no site has anything in hand, and no phone has anything to complain of.
    pub fn end(mut self) {
        self.lines.heal_all();
        self.pass(60);
        // A probe may be under way at any one moment.
        let idle = |world: &World| world.sites.keys().all(|site| world.is_idle(site));
        assert!(self.run_until(Duration::from_secs(10), idle), "a site still has unanswered transactions");
        assert_eq!(self.ports(), 0, "a port for RTP is still open");
        self.assert_nothing_counted_is_over();
        self.assert_no_complaints();
    }

    /// SPEC 9.6: no call is counted that is over. A phone that was switched off in a call has not said that it is.
    pub fn assert_nothing_counted_is_over(&self) {
        if self.phones.iter().any(|seat| seat.phone.as_ref().is_none_or(|phone| !phone.calls_up().is_empty())) {
            return;
        }
        self.assert_nothing_counted();
    }

    /// No site counts any call.
    pub fn assert_nothing_counted(&self) {
        for (name, node) in self.sites.iter().filter_map(|(name, site)| Some((name, site.shards.first()?))) {
            let tally = node.tally();
            assert_eq!(
                (tally.calls(), tally.users(), self.load(name).live),
                (0, Vec::new(), 0),
                "{name} counts what is over"
            );
            for trunk in &self.sites[name].config.site.trunks {
                let taken = (tally.channels_of(&trunk.name), tally.transit_of(&trunk.name));
                assert_eq!(taken, (0, 0), "{name} has taken channels of {}", trunk.name);
            }
        }
    }

    /// No phone received what a correct network would not have sent.
    pub fn assert_no_complaints(&self) {
        let open = self.phones.iter().filter_map(|seat| seat.phone.as_ref()).flat_map(|phone| phone.complaints());
        let all: Vec<_> = self.phones.iter().flat_map(|seat| &seat.complaints).chain(open).collect();
        assert!(all.is_empty(), "complaints: {all:#?}");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.hushed {
            let first = self.chapter.max(self.ladder.len().saturating_sub(150));
            eprintln!(
                "seed {}; the ladder up to the failure:\n{}",
                self.seed,
                self.ladder.text(first, &self.names(), true)
            );
        }
    }
}

/// As SO_REUSEPORT does: by a hash of the source address.
fn landing(from: SocketAddr, shards: usize) -> usize {
    let hash = blake3::hash(from.to_string().as_bytes());
    usize::from(hash.as_bytes()[0]) % shards.max(1)
}

/// Every participant has a seed of its own, from the world's.
fn seed_of(seed: u64, name: &str, count: u64) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("hotdesk test world");
    hasher.update(&seed.to_le_bytes()).update(&count.to_le_bytes()).update(name.as_bytes());
    *hasher.finalize().as_bytes()
}
