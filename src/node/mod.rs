//! A site as a value: it owns its transactions, calls and changes, and wires the roles together.
//!
//! ```text
//! handle_datagram ─ receive ─┬─ sites ─ leases / site_calls, by a token    ─┐
//!                            ├─ dialog    a request in a dialog, by proof  │
//!                            ├─ register ─ login / limbo   REGISTER        ├─ route ─ call ─ transactions
//!                            ├─ trunks    a carrier, by address or contact │
//!                            └─ phones ─ admit     everybody else         ─┤
//!                                 ├─ lost           a phone that has lost its user
//!                                 └─ help           an emergency number    ─┘
//!                                 ├─ subscriptions   SUBSCRIBE to oneself
//!                                 └─ features ─ own_calls   a code that the site answers itself
//!                                      └─ desk ─ sitting    login and logout by dialling
//! handle_timeout ── timers ──┬─ call      silence, timer C, ─ forwards: nobody answers; ─ waiting: for a line
//!                            ├─ upkeep    bindings, leases, renewals
//!                            ├─ timed_logouts   the time of day, idle visitors
//!                            ├─ asking    other sites: notices, probes
//!                            ├─ gateways  trunks that are down: probes, names
//!                            └─ registering   with carriers that want it
//! handle_command ── reload, logout, changing; parting   the process ends
//! handle_stored ─── fulfil   the answer, the notices and the events of a stored change
//! ```
//!
//! A site may be several nodes, its shards ([`Node::shards`]): each AOR and each call has one owner among them (`owner`), what they
//! have in common is one value (`commons`), and what came to the wrong one is handed over (`handover`).
//!
//! A carrier that asks who we are is answered before anybody hears of it (`carriers`).
//!
//! The roles (`registrar/`, `hot_desk/`, `proxy/`) judge; the node finds what they judge on, stages what they decide, and sends.
//! No socket, clock, task, file or randomness of its own: DESIGN §1.

mod admit;
mod answers;
mod asking;
mod branches;
mod call;
mod callers;
mod carriers;
mod changing;
mod clock;
mod commons;
mod convert;
mod desk;
mod dialog;
mod farewell;
mod features;
mod forwards;
mod gateways;
mod gather;
mod groups;
mod handover;
mod help;
mod in_force;
mod keepalive;
mod leases;
mod licences;
mod limbo;
mod links;
mod login;
mod logout;
mod lost;
mod names;
mod overview;
mod own_calls;
mod owner;
mod parting;
mod phones;
mod pings;
mod receive;
mod redirects;
mod register;
mod registering;
mod reload;
mod restore;
mod route;
mod site_calls;
mod sites;
mod sitting;
mod subscriptions;
mod tally;
mod tasks;
mod tell;
mod timed_logouts;
mod timers;
mod trunks;
mod upkeep;
mod waiting;
mod ways_out;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::asking::{LinkTask, Sending};
use self::commons::Commons;
use self::desk::DialledLogin;
use self::gateways::Probe;
use self::gather::{Gathering, Heard};
pub use self::handover::Handover;
use self::handover::Parcel;
use self::links::Links;
use self::login::Pending;
pub use self::overview::{LinkSeen, Overview};
use self::own_calls::Asker;
use self::registering::Enrolment;
pub use self::registering::{RegistrationSeen, RegistrationState};
pub use self::restore::Restored;
use self::tasks::{Answered, Call, ClientTask, Key, Keyed, Late, Licence, ServerTask, Then, Timer, Waiting};
use self::timed_logouts::TimedLogouts;
use crate::alarms::Alarms;
use crate::auth::{Authenticator, Lockout};
use crate::event::Event;
use crate::hot_desk::LatelyEnded;
use crate::ids::{Entropy, Extension, ShardId, SiteName};
use crate::location::{Ledger, Location, StoreId, StoreOp, Visitor};
use crate::plan::Plan;
use crate::proxy::{LiveCalls, Names};
use crate::registrar::Date;
use crate::rejection::Rejection;
use crate::service::{OwnCalls, Subscriptions};
use crate::settings::{Network, Site, SiteEntry};
use crate::sip::Status;
use crate::timing::{Now, Timing, Wall};
use crate::transaction::{TableLimits, Transactions};
use crate::transmit::{Media, SENDABLE, Transmit};
use crate::trunk::shifts::Shifts;

/// Most events kept for a shell that does not fetch them.
const EVENTS: usize = 10_000;
/// Most changes that wait for the store.
const STAGED: usize = 100_000;
/// Who waits for the store is told so after so long (SPEC 13).
const SLOW: Duration = Duration::from_secs(2);
/// After so long a change that could not be stored is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// One snapshot of the configuration; swapped whole.
#[derive(Clone)]
pub struct Config {
    /// What all sites share.
    pub network: Arc<Network>,
    /// This site.
    pub site: Arc<Site>,
    /// Its compiled dial plan.
    pub plan: Arc<Plan>,
}

/// What an operator asks of a running site: of each of its shards.
#[derive(Clone)]
pub enum Command {
    /// The configuration was read anew and is good.
    Reload(Box<Config>),
    /// No new calls but emergency calls (SPEC 2.3).
    Drain,
    /// Who still waits for an answer gets one, and what rings is cancelled: the process ends (SPEC 2.3).
    GiveUp,
    /// A user is logged out, wherever it is that this site knows of (SPEC 12.5).
    LogOut(Extension),
    /// Everybody who is logged in here from another site is logged out (SPEC 12.5).
    LogVisitorsOut,
    /// What a user of this site has changed by dialling is dropped: the file holds again (SPEC 7.4).
    Reset(Extension),
}

/// A site, or one shard of it: no socket, clock, file or randomness of its own.
pub struct Node {
    config: Arc<Config>,
    entry: Arc<SiteEntry>,
    names: Names,
    /// What is written into Via and Record-Route, by socket.
    listen: Vec<SocketAddr>,
    timing: Timing,
    shard: ShardId,
    /// What all shards of the site have in common.
    commons: Arc<Commons>,
    /// Keys what must look the same for every copy, at every shard: stateless tags, loop hashes.
    secret: [u8; 32],
    entropy: Entropy,
    keys: u64,
    transactions: Transactions<ServerTask, ClientTask>,
    calls: Keyed<Call>,
    /// Calls that have their 2xx: the way back for later ones.
    answered: Keyed<Answered>,
    /// Calls that have a final answer while a branch may still bring a 2xx: where that goes, and how long it may come.
    late: Keyed<Late>,
    late_until: VecDeque<(Instant, Key)>,
    /// Calls that are counted, from admission to their end.
    live: LiveCalls,
    /// By how much carriers that challenge are ahead in their dialogs (SPEC 9.10).
    shifts: Shifts,
    /// Registrations with carriers: the first shard's.
    enrolments: BTreeMap<Key, Enrolment>,
    /// The user parts of the contacts that carriers have of us, and the marks of their trunks.
    contacts: BTreeMap<Vec<u8>, u32>,
    /// When timer C of a call runs out, in the order of starting: the duration is the same for all.
    ringing: VecDeque<(Instant, Key)>,
    location: Arc<Location>,
    ledger: Ledger<Then>,
    /// Steps that somebody waits for, and until when.
    stored_by: VecDeque<(Instant, StoreId)>,
    alarms: Alarms<Extension>,
    timers: Alarms<Timer>,
    /// Users with a phone behind NAT, and when it is written to next.
    keepalives: Alarms<Extension>,
    auth: Authenticator,
    links: Links,
    link_tasks: Keyed<LinkTask>,
    /// OPTIONS to trunks that are down.
    probes: Keyed<Probe>,
    /// Host names that the shell is to look up.
    lookups: VecDeque<String>,
    /// Trunks that answer again, or that somebody has ceased to wait for: who waits for them is told.
    risen: VecDeque<u32>,
    notices: BTreeMap<Key, Sending>,
    logins: BTreeMap<Extension, Pending>,
    /// REGISTERs that bind nothing, of users who are not logged in here: home judges their digests.
    farewells: BTreeMap<Key, farewell::Farewell>,
    /// When a visitor last asked for a change of settings, as its home was told.
    last_wish: Wall,
    /// Logins by dialling that wait for the word of their homes.
    dialled_logins: BTreeMap<Key, DialledLogin>,
    /// Logins that other sites have undone.
    undone_logins: LatelyEnded,
    /// Logins of which other sites have said that they are over.
    left_logins: LatelyEnded,
    /// Phones that are told of their users' registrations (SPEC 12.4).
    subscriptions: Subscriptions<Key>,
    /// Visitors who are to go.
    timed_logouts: TimedLogouts,
    /// Calls that the site answers itself (SPEC 10.4), and who makes them.
    own_calls: OwnCalls<Key>,
    own_askers: Keyed<Asker>,
    /// Visitors whose renewal is due, by home.
    due: BTreeMap<SiteName, BTreeSet<Extension>>,
    /// Visitors of before a restart that home has not confirmed yet (SPEC 8.5).
    returning: BTreeMap<Extension, Visitor>,
    /// Calls for help whose digest a home site judges.
    helping: BTreeMap<Key, help::Helping>,
    /// Requests of phones that have lost their users, whose digest a home site judges.
    losing: BTreeMap<Key, lost::Losing>,
    /// Home sites that are being asked for renewals.
    renewing: BTreeSet<SiteName>,
    /// Renewals of other sites whose parts are with other shards.
    gatherings: Keyed<Gathering>,
    /// The clocks as they were last seen.
    clocks: Now,
    /// As it stands in answers to REGISTER.
    date: Date,
    draining: bool,
    out: VecDeque<Transmit>,
    media: VecDeque<Media>,
    handovers: VecDeque<Handover>,
    events: VecDeque<Event>,
}

impl Node {
    /// A site of one shard that starts now. `seed` is secret and fresh in production: everything random comes from it.
    pub fn new(config: Config, now: Now, seed: [u8; 32]) -> Self {
        let mut entropy = Entropy::new(seed);
        let commons = Arc::new(Commons::new(&config, now, 1, &mut entropy));
        Self::shard(config, now, ShardId(0), commons, entropy)
    }

    /// A site of so many shards, at least one, that starts now: in the order of their ids. Each is driven by itself, and what
    /// [`poll_handover`](Self::poll_handover) gives out is carried to [`handle_handover`](Self::handle_handover) of the shard named.
    pub fn shards(config: Config, now: Now, seed: [u8; 32], shards: u8) -> Vec<Self> {
        let mut entropy = Entropy::new(seed);
        let commons = Arc::new(Commons::new(&config, now, shards, &mut entropy));
        let shard = |id| Self::shard(config.clone(), now, ShardId(id), commons.clone(), Entropy::new(entropy.bytes()));
        (0..shards.max(1)).map(shard).collect()
    }

    fn shard(config: Config, now: Now, shard: ShardId, commons: Arc<Commons>, mut entropy: Entropy) -> Self {
        let mut seeds = || std::array::from_fn(|_| entropy.next_u64());
        let (transactions, calls, answered, alarms) = (seeds(), seeds(), seeds(), seeds());
        let (timers, link_tasks, gatherings, live) = (seeds(), seeds(), seeds(), seeds());
        let (keepalives, probes, own_askers) = (seeds(), seeds(), seeds());
        let own_calls = OwnCalls::new(keepalives[0]);
        let entry = entry_of(&config);
        let timing = Timing::from_t1(config.site.sip.t1);
        let mut node = Self {
            names: Names::new(&config.network, &entry),
            listen: entry.listen.iter().map(|listen| listen.advertise).collect(),
            timing,
            shard,
            secret: commons.secret,
            keys: 0,
            transactions: Transactions::new(timing, table_limits(&config, &commons), transactions),
            calls: Keyed::new(calls),
            answered: Keyed::new(answered),
            late: Keyed::new(answered),
            late_until: VecDeque::new(),
            live: LiveCalls::new(entropy.bytes(), live, commons.tally.clone()),
            shifts: Shifts::new(commons.secret),
            enrolments: BTreeMap::new(),
            contacts: BTreeMap::new(),
            ringing: VecDeque::new(),
            location: commons.location.clone(),
            ledger: Ledger::new(STAGED),
            stored_by: VecDeque::new(),
            alarms: Alarms::new(alarms),
            timers: Alarms::new(timers),
            keepalives: Alarms::new(keepalives),
            auth: commons.auth.clone(),
            links: Links::new(&config, &commons, &mut entropy),
            link_tasks: Keyed::new(link_tasks),
            probes: Keyed::new(probes),
            lookups: VecDeque::new(),
            risen: VecDeque::new(),
            notices: BTreeMap::new(),
            logins: BTreeMap::new(),
            farewells: BTreeMap::new(),
            last_wish: Wall::default(),
            dialled_logins: BTreeMap::new(),
            undone_logins: LatelyEnded::default(),
            left_logins: LatelyEnded::default(),
            subscriptions: Subscriptions::default(),
            timed_logouts: TimedLogouts::default(),
            own_calls,
            own_askers: Keyed::new(own_askers),
            due: BTreeMap::new(),
            returning: BTreeMap::new(),
            helping: BTreeMap::new(),
            losing: BTreeMap::new(),
            renewing: BTreeSet::new(),
            gatherings: Keyed::new(gatherings),
            clocks: now,
            date: Date::default(),
            draining: false,
            out: VecDeque::new(),
            media: VecDeque::new(),
            handovers: VecDeque::new(),
            events: VecDeque::new(),
            config: Arc::new(config),
            commons,
            entry,
            entropy,
        };
        node.schedule_logouts(now);
        node.look_at_registrations(now);
        node
    }

    /// The network said (ICMP) that nobody listens at `remote`. The report may have come to another socket of the site than the one that
    /// the datagram left by, so it is every shard's. Anybody may have forged it: it ends no INVITE that
    /// anything was heard of.
    pub fn handle_nobody(&mut self, now: Now, remote: SocketAddr) {
        for shard in 0..self.commons.owners.shards() {
            self.hand_over(now, ShardId(shard), Parcel::Nobody(remote));
        }
        self.settle(now);
    }

    /// Nothing can be sent to `remote`.
    pub fn handle_unreachable(&mut self, now: Now, remote: SocketAddr) {
        self.transactions.unreachable(now.instant, remote);
        self.settle(now);
    }

    /// Everything up to `id` is durable.
    pub fn handle_stored(&mut self, now: Now, id: StoreId) {
        while self.stored_by.front().is_some_and(|(_, step)| *step <= id) {
            self.stored_by.pop_front();
        }
        while let Some(then) = self.ledger.stored(&self.location, id) {
            self.fulfil(now, then);
        }
        self.settle(now);
    }

    /// The step `id` can't be stored.
    pub fn handle_store_failed(&mut self, now: Now, id: StoreId) {
        for (extension, then) in self.ledger.failed(&self.location, id) {
            self.undone(now, then, Status::SERVER_INTERNAL_ERROR);
            // What ran out and could not be written down is looked at again.
            let record = self.location.view(extension.as_str());
            if let Some(at) = record.and_then(|record| record.next_alarm()) {
                self.alarms.arm(&extension, at.max(now.instant + TRY_AGAIN));
            }
        }
        self.settle(now);
    }

    /// An operator's command.
    pub fn handle_command(&mut self, now: Now, command: Command) {
        match command {
            Command::Reload(config) => self.reload(now, *config),
            Command::Drain => self.drain(now),
            Command::GiveUp => self.give_calls_up(now),
            Command::LogOut(extension) => self.log_out(now, &extension),
            Command::LogVisitorsOut => self.log_visitors_out(now),
            Command::Reset(extension) => self.reset(now, &extension),
        }
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        loop {
            let next = self.out.pop_front().or_else(|| self.transactions.poll_transmit())?;
            if next.bytes.len() > SENDABLE {
                self.say(Event::TooLarge { to: next.flow.remote, bytes: next.bytes.len() });
            } else if !next.flow.is_nowhere() {
                return Some(next);
            }
        }
    }

    /// The next change that must become durable.
    pub fn poll_store(&mut self) -> Option<StoreOp> {
        self.ledger.poll_store()
    }

    /// The next thing to tell.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether everybody who asked has a final answer, so that a draining process may end (SPEC 2.3), and carriers know that we are
    /// out. Our own probes and notices hold nothing up.
    pub fn is_idle(&self) -> bool {
        let nobody_waits = self.transactions.servers().pending == 0 && self.calls.len() == 0;
        nobody_waits && self.ledger.is_empty() && self.own_calls.up() == 0 && !self.is_leaving_carriers()
    }

    /// What is committed about every user: for the API and for tests.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Transactions alive and calls without a final answer: for metrics and for tests.
    pub fn load(&self) -> Load {
        let (servers, clients) = (self.transactions.servers(), self.transactions.clients());
        Load {
            transactions: servers.invite + servers.non_invite + clients.invite + clients.non_invite,
            calls: self.calls.len(),
            live: self.live.len(),
            waiting: self.ledger.len()
                + self.logins.len()
                + self.dialled_logins.len()
                + self.notices.len()
                + self.gatherings.len()
                + self.helping.len()
                + self.losing.len()
                + self.farewells.len(),
        }
    }

    fn entry(&self) -> &SiteEntry {
        &self.entry
    }

    fn next_key(&mut self) -> Key {
        self.keys += 1;
        Key(self.keys)
    }

    /// A change is stored: its answer, its notices and its events go out.
    fn fulfil(&mut self, now: Now, then: Then) {
        if let Some(answer) = then.answer {
            self.transactions.respond(now.instant, answer.server, answer.status, answer.bytes);
        }
        if let Some(deed) = then.deed {
            self.done(now, deed);
        }
        match then.licence {
            Some(Licence::Settle(extension, id, profile, _)) => {
                self.commons.licences.with(|licences| licences.settle(&extension, id, &profile));
            }
            Some(Licence::Leave(extension)) => self.commons.licences.with(|licences| licences.leave(&extension)),
            None => {}
        }
        if let Some(changed) = &then.changed {
            self.tell_watchers(now, changed, &then.events);
            self.note_found(changed);
            self.look_at_seats(now, changed);
        }
        then.events.into_iter().for_each(|event| self.say(event));
        then.notices.into_iter().for_each(|notice| self.notify(now, notice));
        if let Some(part) = then.part {
            self.hand_over(now, part.to, Parcel::Heard(part.key, Heard(part.words)));
        }
    }

    /// A change could not be stored: nothing of it goes out, and who asked for it is told (SPEC 13).
    fn undone(&mut self, now: Now, then: Then, status: Status) {
        if let Some(Licence::Settle(extension, id, _, home)) = then.licence {
            self.release_licence(&extension, id);
            self.notify(now, asking::Notice::undo(&extension, &home, id));
        }
        if let Some(part) = then.part {
            self.hand_over(now, part.to, Parcel::Heard(part.key, Heard::default()));
        }
        if let Some(answer) = then.answer {
            self.not_stored(now, answer, status);
        }
        if let Some(deed) = then.deed {
            self.not_done(now, deed, could_not_store("change", status));
        }
    }

    /// SPEC 13: the store takes longer than anybody waits. The change itself still waits, and is true once it is stored.
    fn look_at_the_store(&mut self, now: Now) {
        while self.stored_by.front().is_some_and(|(by, _)| *by <= now.instant) {
            let Some((_, step)) = self.stored_by.pop_front() else { return };
            let waiting = self.ledger.waiting(step).map(|then| (then.answer.take(), then.deed.take()));
            let (answer, deed) = waiting.unwrap_or_default();
            if let Some(answer) = answer {
                self.not_stored(now, answer, Status::SERVICE_UNAVAILABLE);
            }
            if let Some(deed) = deed {
                self.not_done(now, deed, could_not_store("change", Status::SERVICE_UNAVAILABLE));
            }
        }
    }

    fn not_stored(&mut self, now: Now, answer: Waiting, status: Status) {
        if let Some(bytes) = answer.otherwise {
            return self.transactions.respond(now.instant, answer.server, Status::SERVER_INTERNAL_ERROR, bytes);
        }
        self.refuse(now, answer.server, &answer.asked, &could_not_store("registration", status));
    }
}

/// How much a node has in hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Transactions, those that only absorb copies included.
    pub transactions: usize,
    /// Forwarded requests without a final answer.
    pub calls: usize,
    /// Calls that are counted, answered or not; one that passes here twice counts twice.
    pub live: usize,
    /// Changes, logins and notices that wait for somebody.
    pub waiting: usize,
}

/// Each shard has its part of the site's room.
fn table_limits(config: &Config, commons: &Commons) -> TableLimits {
    let part = config.site.sip.transactions.div_ceil(usize::from(commons.owners.shards()));
    TableLimits { servers: part, clients: part }
}

/// SPEC 13.
fn could_not_store(what: &str, status: Status) -> Rejection {
    Rejection::warned(status, format!("the {what} could not be stored")).with(crate::sip::Name::RetryAfter, "5")
}

fn lockout_of(config: &Config) -> Lockout {
    let hot_desk = &config.site.hot_desk;
    Lockout::new(hot_desk.login_attempts, hot_desk.login_lock, Lockout::MOST)
}

fn entry_of(config: &Config) -> Arc<SiteEntry> {
    let entry = config.network.site(config.site.name.as_str());
    Arc::new(entry.expect("a site's configuration is one of the network's").clone())
}
