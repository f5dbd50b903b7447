//! Plays a history in virtual time, and compares what comes of it with what was promised.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use hotdesk::location::Record;
use hotdesk::phone::{Behaviour, PhoneEvent};
use hotdesk::sip::{Name, Status};

use super::calls::Call;
use super::deed::{Chair, Deed, MOVERS, Setup, Site, Step, Who, home_of};
use super::dialling::{Dialled, Wish};
use super::offices::{LEASE, offices};
use super::promises::{Meant, Promises};
use super::tables::Whereabouts;
use crate::support::{Seat, Stores, World};

/// Two sites that have been in touch for so long know all of each other, however long they were apart.
pub(super) const SETTLED: Duration = Duration::from_secs(45);
/// So long after trouble between two sites the answers may still speak of it.
const AFTERMATH: Duration = Duration::from_secs(45);
/// Clocks that are further apart make two sites strangers (SPEC 11.2).
const FRESH: i64 = 28_000;
/// A call of a history takes less.
pub(super) const TALK: Duration = Duration::from_secs(4);
/// A login that nobody has proven holds a licence for a second.
const HELD: Duration = Duration::from_secs(1);
/// Longer than any transaction.
const PATIENCE: Duration = Duration::from_secs(45);

/// A promise that was not kept.
#[derive(Debug)]
pub struct Broken {
    pub what: String,
    /// What happened, and the ladder.
    pub story: String,
}

/// Plays it to its end.
pub fn play(setup: &Setup, steps: &[Step]) -> Result<(), Broken> {
    let mut history = History::begin(setup);
    match history.run(steps) {
        Ok(()) => Ok(()),
        Err(what) => Err(Broken { what, story: history.story() }),
    }
}

pub(super) type Verdict = Result<(), String>;

/// A REGISTER under way.
pub(super) struct Asked {
    at: Duration,
    /// 0: out.
    expires: u32,
    /// Whether the site was there.
    up: bool,
    /// The number of the user's login that the site knew.
    login: Option<u64>,
}

/// How long two sites, or one with itself, have been in touch.
#[derive(Clone, Copy)]
pub(super) struct Touch {
    pub(super) broken_at: Option<Duration>,
    pub(super) since: Duration,
}

pub struct History {
    pub(super) setup: Setup,
    pub(super) world: World,
    pub(super) seats: BTreeMap<Chair, Seat>,
    chairs: BTreeMap<Seat, Chair>,
    heard: BTreeMap<Seat, usize>,
    noticed: usize,
    pub(super) promises: Promises,
    pub(super) asked: BTreeMap<Chair, Asked>,
    /// Codes under way.
    pub(super) dialled: BTreeMap<Chair, Dialled>,
    /// Phones at which a logout was dialled: their next REGISTERs may be refused for it.
    pub(super) left: BTreeSet<Chair>,
    /// How many wrong PINs were dialled.
    pub(super) wrong: usize,
    /// When anything was last dialled, or ordered by an operator, that concerns a user.
    pub(super) stirred: BTreeMap<Who, Duration>,
    /// When anything that was broken was last mended.
    pub(super) mended: Duration,
    pub(super) calls: Vec<Call>,
    pub(super) touch: BTreeMap<(Site, Site), Touch>,
    ahead: BTreeMap<Site, i64>,
    /// Sites whose clock was ever set.
    pub(super) set: BTreeSet<Site>,
    log: String,
}

impl History {
    fn begin(setup: &Setup) -> Self {
        let mut world = World::with(setup.seed, |sample| offices(setup, sample));
        world.hush();
        world.with_disks();
        if !setup.store.is_zero() {
            setup.sites().iter().for_each(|site| world.store(site, Stores::After(setup.store)));
        }
        let chairs = setup.chairs();
        let mut seats = BTreeMap::new();
        for &chair in &chairs {
            let seat = world.phone(chair.who, chair.site);
            world.behave(seat, Behaviour::Answer { after: Duration::from_millis(700) });
            world.act(seat, |phone, _| phone.refresh_by_itself(false));
            seats.insert(chair, seat);
        }
        let touch = Touch { broken_at: None, since: Duration::ZERO };
        let pairs = setup.sites().iter().flat_map(|&a| setup.sites().iter().map(move |&b| (a, b)));
        let mut history = Self {
            setup: *setup,
            seats: seats.clone(),
            chairs: seats.into_iter().map(|(chair, seat)| (seat, chair)).collect(),
            heard: BTreeMap::new(),
            noticed: 0,
            promises: Promises::new(&chairs),
            asked: BTreeMap::new(),
            dialled: BTreeMap::new(),
            left: BTreeSet::new(),
            wrong: 0,
            stirred: BTreeMap::new(),
            mended: Duration::ZERO,
            calls: Vec::new(),
            touch: pairs.map(|pair| (pair, touch)).collect(),
            ahead: BTreeMap::new(),
            set: BTreeSet::new(),
            log: String::new(),
            world,
        };
        for site in 0..setup.sites {
            history.register(Chair::reception(site), 3_600, false);
            history.register(Chair::desk(site), 3_600, false);
        }
        history
    }

    fn run(&mut self, steps: &[Step]) -> Verdict {
        self.pass(Duration::from_secs(2))?;
        for step in steps {
            self.pass(step.pause)?;
            self.do_deed(step.deed)?;
        }
        self.settle()?;
        if self.everybody().into_iter().any(|who| self.where_is(who).is_err()) {
            // What may have run out at this very moment is still being told to a home site.
            self.pass(Duration::from_secs(1))?;
        }
        self.compare()?;
        self.call_everybody()?;
        self.part()
    }

    pub(super) fn note(&mut self, text: impl std::fmt::Display) {
        let _ = writeln!(self.log, "{:8.3}  {text}", self.world.now().as_secs_f64());
    }

    fn story(&self) -> String {
        format!("{:?}\n{}\n{}", self.setup, self.log, self.world.ladder())
    }

    // -------------------------------------------------------------------------------------------------------------- the deeds

    fn do_deed(&mut self, deed: Deed) -> Verdict {
        for who in self.concerned(&deed) {
            self.until_answered(who)?;
        }
        self.note(deed);
        let sites = self.setup.sites();
        let is_there = |site: &Site| sites.contains(site);
        match deed {
            Deed::Register { chair, expires, anew } => self.register(chair, expires, anew),
            Deed::Leave { chair } => self.register(chair, 0, false),
            Deed::LogIn { chair, who, right } => self.dial(chair, Wish::LogIn { who, right }),
            Deed::LogOut { chair } => self.dial(chair, Wish::LogOut),
            Deed::Set { chair, choice, on } => self.dial(chair, Wish::Set { choice, on }),
            Deed::Dismiss { site, who } => self.dismiss(site, who)?,
            Deed::Call { chair, to } => self.call(chair, to),
            Deed::Cut(a, b) => self.world.cut(a, b),
            Deed::CutOneWay(from, to) => self.world.cut_one_way(from, to),
            Deed::Isolate(site) => others(sites, site).for_each(|other| self.world.cut(site, other)),
            Deed::Heal(a, b) => self.world.heal(a, b),
            Deed::Rejoin(site) => others(sites, site).for_each(|other| self.world.heal(site, other)),
            Deed::Kill(site) if is_there(&site) => self.stop(site),
            Deed::Start { site, wiped } if is_there(&site) => self.start(site, wiped),
            Deed::Restart { site, wiped } if is_there(&site) => {
                self.stop(site);
                self.note_touch();
                self.start(site, wiped);
            }
            Deed::Clock { site, ahead } if is_there(&site) => {
                self.world.set_clock(site, ahead);
                self.ahead.insert(site, ahead);
                self.set.insert(site);
            }
            Deed::Kill(_) | Deed::Start { .. } | Deed::Restart { .. } | Deed::Clock { .. } => {}
        }
        self.note_touch();
        if matches!(deed, Deed::Heal(..) | Deed::Rejoin(_) | Deed::Start { .. } | Deed::Restart { .. }) {
            self.mended = self.world.now();
        }
        Ok(())
    }

    /// Whose last wish is answered before a deed is done.
    fn concerned(&self, deed: &Deed) -> BTreeSet<Who> {
        let (chair, who) = match *deed {
            Deed::Register { chair, .. } | Deed::Leave { chair } | Deed::LogOut { chair } | Deed::Set { chair, .. } => {
                (Some(chair), None)
            }
            Deed::LogIn { chair, who, .. } => (Some(chair), Some(who)),
            Deed::Dismiss { who, .. } => (None, Some(who)),
            Deed::Call { .. }
            | Deed::Cut(..)
            | Deed::CutOneWay(..)
            | Deed::Isolate(_)
            | Deed::Heal(..)
            | Deed::Rejoin(_)
            | Deed::Kill(_)
            | Deed::Start { .. }
            | Deed::Restart { .. }
            | Deed::Clock { .. } => (None, None),
        };
        let chair = chair.filter(|chair| self.seats.contains_key(chair));
        let at_it = chair.into_iter().flat_map(|chair| self.promises.sitters(chair).chain([chair.who]));
        at_it.chain(who).collect()
    }

    /// Whether somebody who is concerned waits for an answer.
    pub(super) fn waits(&self, who: Who) -> bool {
        self.asked.keys().any(|chair| chair.who == who) || self.dialled.values().any(|dialled| dialled.concerns(who))
    }

    fn register(&mut self, chair: Chair, expires: u32, anew: bool) {
        let Some(&seat) = self.seats.get(&chair) else { return };
        let (login, up) = (self.login_at(chair), self.world.is_up(chair.site));
        self.asked.insert(chair, Asked { at: self.world.now(), expires, up, login });
        self.world.act(seat, |phone, now| match (expires, anew) {
            (0, _) => phone.unregister(now),
            (_, true) => phone.register_anew(now, expires),
            (_, false) => phone.register(now, expires),
        });
    }

    fn start(&mut self, site: Site, wiped: bool) {
        if self.world.is_up(site) {
            return;
        }
        let (now, clock) = (self.world.now(), self.set.contains(site));
        if wiped {
            self.world.wipe(site);
            self.promises.wiped(site, now, clock);
        } else if clock {
            self.promises.restarted_with_another_clock(site);
        }
        self.world.start(site);
    }

    fn stop(&mut self, site: Site) {
        if self.world.is_up(site) {
            self.world.stop(site);
            self.promises.died(site, self.world.now());
        }
    }

    fn is_in_touch(&self, a: Site, b: Site) -> bool {
        let ahead = |site: Site| self.ahead.get(site).copied().unwrap_or_default();
        let up = self.world.is_up(a) && self.world.is_up(b);
        up && !self.world.is_cut(a, b) && !self.world.is_cut(b, a) && (ahead(a) - ahead(b)).abs() < FRESH
    }

    fn note_touch(&mut self) {
        let now = self.world.now();
        for pair in self.touch.keys().copied().collect::<Vec<_>>() {
            let (holds, known) = (self.is_in_touch(pair.0, pair.1), self.touch[&pair]);
            let next = match known.broken_at {
                None if !holds => Touch { broken_at: Some(now), ..known },
                Some(broken) if holds => {
                    // A lease that was renewed up to half a lease ago.
                    if self.setup.return_home && now + Duration::from_secs(4) > broken + LEASE / 2 {
                        self.promises.may_have_returned(pair.0, pair.1);
                    }
                    Touch { broken_at: None, since: now }
                }
                Some(_) | None => known,
            };
            self.touch.insert(pair, next);
        }
    }

    /// For how long two sites have been in touch.
    pub(super) fn in_touch_for(&self, a: Site, b: Site) -> Duration {
        let touch = self.touch[&(a, b)];
        if touch.broken_at.is_some() { Duration::ZERO } else { self.world.now() - touch.since }
    }

    /// The number of the user's login, as the chair's site has it in its table.
    fn login_at(&self, chair: Chair) -> Option<u64> {
        if !self.world.is_up(chair.site) {
            return None;
        }
        match self.world.location(chair.site).record(chair.who).as_deref()? {
            Record::Resident(resident) => Some(resident.login.0),
            Record::Visitor(visitor) => Some(visitor.login.0),
        }
    }

    // ------------------------------------------------------------------------------------------------------------------ the time

    pub(super) fn pass(&mut self, time: Duration) -> Verdict {
        let until = self.world.now() + time;
        self.pass_until(until, |_| false)
    }

    /// Lets time pass; whatever anybody notices is heard at once.
    fn pass_until(&mut self, until: Duration, done: impl Fn(&Self) -> bool) -> Verdict {
        while self.world.now() < until && !done(self) {
            let hang_ups = self.calls.iter().filter_map(|call| call.hang_up_at);
            let next = hang_ups.min().unwrap_or(until).clamp(self.world.now(), until);
            let (noticed, wait) = (self.noticed, next - self.world.now());
            self.world.run_until(wait, |world| world.noticed() != noticed);
            self.listen()?;
            self.hang_up();
        }
        Ok(())
    }

    fn until_answered(&mut self, who: Who) -> Verdict {
        let until = self.world.now() + PATIENCE;
        self.pass_until(until, |history| !history.waits(who))?;
        if self.waits(who) {
            // A site that has died owes nobody an answer.
            self.give_up_dialling(who);
            self.pass_until(until + PATIENCE, |history| !history.waits(who))?;
        }
        match self.asked.keys().find(|chair| chair.who == who) {
            Some(chair) => Err(format!("{chair} has no answer to its REGISTER")),
            None if self.waits(who) => Err(format!("what {who} has dialled has no end")),
            None => Ok(()),
        }
    }

    fn listen(&mut self) -> Verdict {
        if self.noticed == self.world.noticed() {
            return Ok(());
        }
        self.noticed = self.world.noticed();
        let mut news: Vec<(Seat, Chair, PhoneEvent)> = Vec::new();
        for (&seat, &chair) in &self.chairs {
            let from = self.heard.entry(seat).or_default();
            let known = news.len();
            news.extend(self.world.events_from(seat, *from).map(|event| (seat, chair, event.clone())));
            *from += news.len() - known;
        }
        news.into_iter().try_for_each(|(seat, chair, event)| self.hear(seat, chair, event))
    }

    fn hear(&mut self, seat: Seat, chair: Chair, event: PhoneEvent) -> Verdict {
        match event {
            PhoneEvent::Registered { expires, .. } => self.let_in(chair, Some(expires)),
            PhoneEvent::Unregistered { .. } => self.let_in(chair, None),
            PhoneEvent::RegistrationRefused { status, reason, .. } => self.refused(chair, status, &reason),
            PhoneEvent::Incoming { request, .. } => {
                let subject = request.header(&Name::Subject).map(|header| header.value().to_vec());
                let number = subject.and_then(|text| String::from_utf8(text).ok()?.parse::<usize>().ok());
                self.rings(chair, number.ok_or("a call from nowhere")?)
            }
            PhoneEvent::Answered { call, .. } if self.is_code(chair, call) => self.code_done(chair),
            PhoneEvent::Failed { call, status, reason, .. } if self.is_code(chair, call) => {
                self.code_refused(chair, status, &reason)
            }
            PhoneEvent::Answered { call, .. } => {
                let until = self.world.now() + Duration::from_secs(1);
                let Some(own) = self.calls.iter_mut().find(|own| own.caller == seat && own.own == call) else {
                    return Ok(());
                };
                (own.answered, own.hang_up_at) = (true, Some(until));
                Ok(())
            }
            PhoneEvent::Failed { call, status, reason, .. } => self.failed(seat, call, status, &reason),
            PhoneEvent::Ended { .. }
            | PhoneEvent::Confirmed { .. }
            | PhoneEvent::Cancelled { .. }
            | PhoneEvent::Ringing { .. }
            | PhoneEvent::Message { .. }
            | PhoneEvent::Request { .. }
            | PhoneEvent::Response { .. } => Ok(()),
        }
    }

    // ---------------------------------------------------------------------------------------------------------- registrations

    fn let_in(&mut self, chair: Chair, granted: Option<u32>) -> Verdict {
        let now = self.world.now();
        let Some(asked) = self.asked.remove(&chair) else { return Err(format!("{chair} is answered without asking")) };
        let login = self.login_at(chair);
        let Some(expires) = granted else {
            self.note(format!("{chair} is out"));
            self.promises.left(chair);
            return Ok(());
        };
        let meant = match (asked.login, login) {
            (None, Some(_)) if !asked.up => Meant::Unclear,
            (None, Some(0)) => Meant::Stay,
            (None, Some(_)) => Meant::Login,
            (Some(before), Some(now)) if now > before => Meant::Login,
            (Some(before), Some(now)) if now == before => Meant::Stay,
            (_, _) => Meant::Unclear,
        };
        self.note(format!("{chair} is in for {expires} s ({meant:?} {login:?})"));
        self.promises.bound(asked.at, now, chair, expires, meant)
    }

    fn refused(&mut self, chair: Chair, status: Status, reason: &str) -> Verdict {
        let now = self.world.now();
        let Some(asked) = self.asked.remove(&chair) else { return Err(format!("{chair} is answered without asking")) };
        self.note(format!("{chair} is refused: {status} {reason}"));
        let (site, home) = (chair.site, home_of(chair.who));
        let lost = reason.starts_with("logged in at") || reason == "another phone has taken over";
        let dismissed = reason == "logged out by the operator" && self.promises.was_dismissed(chair.who);
        let left = reason == "logged out at this phone" && self.left.contains(&chair);
        match status.0 {
            403 if (lost || dismissed || left) && self.promises.was_ever_let_in(chair) => {
                self.promises.displaced(chair);
                Ok(())
            }
            403 if reason.starts_with("no free licence") => match self.may_be_full(site, chair.who) {
                true => {
                    self.licence_refused(chair.who, asked.at);
                    Ok(())
                }
                false => Err(format!("{chair} finds no free licence where nobody is")),
            },
            504 if !self.is_quiet(site, home) => {
                self.promises.shaken(now, chair, asked.expires);
                Ok(())
            }
            408 | 503 | 500 if !self.is_quiet(site, site) => {
                self.promises.shaken(now, chair, asked.expires);
                Ok(())
            }
            _ => Err(format!("{chair} is refused without a reason: {status} {reason}")),
        }
    }

    /// Whether every licence of a site may be taken by others.
    pub(super) fn may_be_full(&self, site: Site, but: Who) -> bool {
        let asking = self.asked.keys().filter(|chair| chair.site == site && chair.who != but);
        let dialling = self.dialled.iter().filter(|(chair, dialled)| chair.site == site && !dialled.concerns(but));
        let taken = self.promises.visitors(but, site, self.world.now());
        let places = usize::try_from(self.setup.places).expect("few");
        asking.count() + dialling.count() + taken >= places || !self.is_quiet(site, site)
    }

    /// A place is held for so long while home is asked (SPEC 7.3): it may be another's when home has taken the login, which is undone there then.
    /// The user is at home again, wherever he was before.
    pub(super) fn licence_refused(&mut self, who: Who, asked: Duration) {
        if self.world.now() >= asked + HELD {
            self.promises.unsettle(who, None);
        }
    }

    /// Whether nothing has stood between two sites for a while.
    pub(super) fn is_quiet(&self, a: Site, b: Site) -> bool {
        self.in_touch_for(a, b) > AFTERMATH
    }

    // -------------------------------------------------------------------------------------------------------------------- the end

    /// All links are up, all clocks right and all sites there, until the leases have run.
    fn settle(&mut self) -> Verdict {
        self.note("everything is mended");
        for &site in self.setup.sites() {
            self.do_quietly(Deed::Clock { site, ahead: 0 })?;
            self.do_quietly(Deed::Rejoin(site))?;
            self.do_quietly(Deed::Start { site, wiped: false })?;
        }
        for who in self.everybody() {
            self.until_answered(who)?;
        }
        for chair in (0..self.setup.sites).flat_map(|site| [Chair::reception(site), Chair::desk(site)]) {
            if !self.promises.must(chair, self.world.now()) {
                self.register(chair, 3_600, false);
            }
        }
        // Who still waits for an answer gives up: a site that has died owes nobody any.
        for call in self.calls.iter_mut().filter(|call| !call.over && !call.answered) {
            let own = call.own;
            call.must = None;
            self.world.act(call.caller, |phone, now| phone.cancel(now, own));
        }
        self.pass(LEASE * 2 + SETTLED)?;
        self.promises.settled();
        for seat in self.chairs.keys().copied().collect::<Vec<_>>() {
            for call in self.world.look(seat).calls_up() {
                self.world.act(seat, |phone, now| phone.hang_up(now, call));
            }
        }
        self.pass(Duration::from_secs(1))?;
        while self.seats.keys().any(|chair| self.promises.is_on_the_edge(*chair, self.world.now(), TALK * 10)) {
            self.pass(Duration::from_secs(1))?;
        }
        match self.calls.iter().position(|call| !call.over && self.is_undisturbed(call)) {
            Some(call) => Err(format!("call {call} has no end")),
            None => Ok(()),
        }
    }

    fn do_quietly(&mut self, deed: Deed) -> Verdict {
        if matches!(deed, Deed::Clock { site, .. } if !self.set.contains(site)) {
            return Ok(());
        }
        let length = self.log.len();
        let done = self.do_deed(deed);
        self.log.truncate(length);
        done
    }

    /// Who has moved at all.
    pub(super) fn movers(&self) -> Vec<Who> {
        let moved =
            |who: &Who| self.seats.keys().any(|chair| chair.who == *who && self.promises.was_ever_let_in(*chair));
        MOVERS.into_iter().filter(moved).collect()
    }

    pub(super) fn everybody(&self) -> BTreeSet<Who> {
        self.seats.keys().map(|chair| chair.who).collect()
    }

    /// Everybody leaves, and nothing is left of them.
    fn part(&mut self) -> Verdict {
        for chair in self.seats.keys().copied().collect::<Vec<_>>() {
            if !MOVERS.contains(&chair.who) && !self.promises.is_free(chair) {
                self.do_deed(Deed::LogOut { chair })?;
            }
        }
        for chair in self.seats.keys().copied().collect::<Vec<_>>() {
            if MOVERS.contains(&chair.who) && self.promises.may(chair, self.world.now()) {
                self.do_deed(Deed::Leave { chair })?;
            }
        }
        self.pass(Duration::from_secs(8))?;
        for who in MOVERS {
            self.until_answered(who)?;
            let Whereabouts { place, bound, seats } = self.where_is(who)?;
            if place != home_of(who) || !bound.is_empty() || !seats.is_empty() {
                return Err(format!("{who} has left, and is at {place} on {bound:?} and {seats:?}"));
            }
        }
        self.compare_licences()?;
        let complaints: Vec<&String> =
            self.chairs.keys().flat_map(|seat| self.world.look(*seat).complaints()).collect();
        if complaints.is_empty() { Ok(()) } else { Err(format!("complaints: {complaints:#?}")) }
    }
}

fn others(sites: &'static [Site], site: Site) -> impl Iterator<Item = Site> {
    sites.iter().copied().filter(move |other| *other != site)
}
