//! People at three sites who log in, log out and call at random; and whether the network keeps up with the model.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hotdesk::ids::{Entropy, Extension};
use hotdesk::location::Record;
use hotdesk::phone::{Behaviour, CallRef, PhoneEvent};
use hotdesk::settings::Forward;
use hotdesk::sip::{Name, Status};

use super::calls::{Call, News};
use super::desk::{Answer, Deed, Desk, Site};
use crate::support::{Line, Seat, World};

const SITES: [Site; 3] = ["london", "paris", "berlin"];
/// Users of each site that take part.
const USERS: [[&str; 3]; 3] = [["201", "202", "203"], ["301", "302", "303"], ["401", "402", "403"]];
/// Places for visitors at each site.
const PLACES: u32 = 3;
/// How long a login is asked for, and by whom does not come back to refresh it.
const LONG: u32 = 900;
const SHORT: u32 = 75;
/// A binding is refreshed when it has less than this left.
const FRESH: Duration = Duration::from_secs(450);
/// Transactions of a site that has nothing to do but to probe two others and to be probed: each is remembered for 32 s.
const PROBES: usize = 24;
const TICK: Duration = Duration::from_millis(100);
/// A CANCEL that is lost is sent again: after 0.5, 1.5, 3.5 and 7.5 s.
const LATE: Duration = Duration::from_secs(8);

/// One phone.
struct Phone {
    seat: Seat,
    user: usize,
    site: Site,
    call_id: u32,
    /// Between these two its binding runs out.
    runs_out: Option<(Duration, Duration)>,
    /// Nobody refreshes it.
    forgetful: bool,
}

/// Something that a phone does, under way or answered.
struct Act {
    phone: usize,
    deed: Deed,
    starts: Duration,
    expires: u32,
    began: Option<Duration>,
    answer: Option<Answer>,
}

/// Three sites, their phones, and the model.
pub struct Office {
    world: World,
    chance: Entropy,
    phones: Vec<Phone>,
    by_seat: BTreeMap<Seat, usize>,
    /// What may be true of each user: one thing, but where nobody outside can tell.
    desks: Vec<BTreeSet<Desk>>,
    /// How many events of each phone were heard.
    heard: BTreeMap<Seat, usize>,
    /// The Call-ID that each phone used last.
    used: BTreeMap<Seat, u32>,
    acts: Vec<Act>,
    calls: Vec<Call>,
    /// Calls by the phones that they are at.
    legs: BTreeMap<(Seat, CallRef), usize>,
    /// Phones that ring for a call that is over, and since when: their INVITE was lost until then, and a branch without any answer can't be
    /// cancelled before it has one (RFC 3261 §9.1).
    late: BTreeMap<(Seat, CallRef), Duration>,
    numbers: usize,
    done: u32,
    log: Vec<String>,
}

impl Office {
    /// Nobody is logged in; every line is bad. Every site runs so many shards.
    pub fn open(seed: u64, shards: u8) -> Self {
        let mut world = World::with(seed, |sample| {
            sample.shards(shards);
            for site in sample.sites.values_mut() {
                site.licences = Some(BTreeMap::from([("office".into(), PLACES)]));
                site.hot_desk.licence_shortage = hotdesk::settings::Shortage::Refuse;
                // A lost datagram is no lost site.
                site.links.answer = Duration::from_secs(20);
                for user in site.users.values_mut() {
                    (user.profile, user.forward, user.short_codes) = ("office".into(), Forward::default(), Vec::new());
                }
            }
        });
        world.all_lines(Line::bad(10, 50));
        let mut phones = Vec::new();
        for (user, extension) in USERS.iter().flatten().enumerate() {
            for site in SITES {
                for _ in 0..2 {
                    let seat = world.phone(extension, site);
                    world.behave(seat, Behaviour::Ring);
                    world.act(seat, |phone, _| phone.refresh_by_itself(false));
                    phones.push(Phone { seat, user, site, call_id: 0, runs_out: None, forgetful: false });
                }
            }
        }
        let desks = (0..9).map(|user| BTreeSet::from([Desk::new(SITES[user / 3])])).collect();
        let by_seat = phones.iter().enumerate().map(|(at, phone)| (phone.seat, at)).collect();
        Self {
            world,
            chance: Entropy::new(blake3_of(seed)),
            phones,
            by_seat,
            desks,
            heard: BTreeMap::new(),
            used: BTreeMap::new(),
            acts: Vec::new(),
            calls: Vec::new(),
            legs: BTreeMap::new(),
            late: BTreeMap::new(),
            numbers: 0,
            done: 0,
            log: Vec::new(),
        }
    }

    /// A day in which so many things happen.
    pub fn day(mut self, deeds: u32) {
        while self.done < deeds {
            self.hustle();
            self.settle();
            self.check_tables();
            self.quiet_calls();
        }
        self.close();
    }

    fn extension(&self, user: usize) -> &'static str {
        USERS[user / 3][user % 3]
    }

    // ------------------------------------------------------------------------------------------------------------- what people do

    /// A few people log in and out at once, and some call meanwhile.
    fn hustle(&mut self) {
        let mut busy = BTreeSet::new();
        self.refreshes(&mut busy);
        for _ in 0..1 + self.chance.below(3) {
            let user = self.chance.below(9) as usize;
            for _ in 0..1 + self.chance.below(2) {
                let own: Vec<usize> = (0..self.phones.len()).filter(|at| self.phones[*at].user == user).collect();
                let at = own[self.chance.below(own.len() as u64) as usize];
                if busy.insert(at) {
                    self.plan_act(at);
                }
            }
        }
        for _ in 0..self.chance.below(3) {
            let target = self.chance.below(9) as usize;
            if let Some(caller) = self.somebody_but(target) {
                self.dial(caller, target, None);
            }
        }
        self.play();
    }

    fn refreshes(&mut self, busy: &mut BTreeSet<usize>) {
        let (now, soon) = (self.world.now(), self.world.now() + FRESH);
        for at in 0..self.phones.len() {
            let phone = &self.phones[at];
            let runs_out = phone.runs_out.is_some_and(|(from, _)| from > now && from < soon);
            if runs_out && !phone.forgetful && self.may_know(phone) {
                let deed = Deed::Stay { call_id: phone.call_id };
                self.begin(at, deed, LONG);
                busy.insert(at);
            }
        }
    }

    /// Whether the phone may have a binding.
    fn may_know(&self, phone: &Phone) -> bool {
        self.desks[phone.user].iter().any(|desk| desk.knows(phone.seat))
    }

    fn plan_act(&mut self, at: usize) {
        let known = self.may_know(&self.phones[at]);
        let forgetful = self.chance.below(6) == 0;
        let anew = self.chance.below(2) == 0;
        let leaves = self.chance.below(10) < if known { 5 } else { 1 };
        let phone = &mut self.phones[at];
        if leaves {
            return self.begin(at, Deed::Leave, 0);
        }
        phone.forgetful = forgetful;
        // A phone that changes its Call-ID while it is bound is another story (SPEC 5.5).
        phone.call_id += u32::from(anew && !known || phone.call_id == 0);
        let deed = Deed::Stay { call_id: phone.call_id };
        self.begin(at, deed, if forgetful { SHORT } else { LONG });
    }

    fn begin(&mut self, phone: usize, deed: Deed, expires: u32) {
        let starts = self.world.now() + Duration::from_millis(self.chance.below(600));
        self.acts.push(Act { phone, deed, starts, expires, began: None, answer: None });
        self.done += 1;
    }

    /// A phone where somebody else is logged in for sure.
    fn somebody_but(&mut self, target: usize) -> Option<Seat> {
        let users = (0..9).filter(|user| *user != target && self.desks[*user].len() == 1);
        let places = users.filter_map(|user| self.desks[user].first());
        let seats: Vec<Seat> = places.flat_map(|desk| desk.place().1).collect();
        let at = self.chance.below(seats.len().max(1) as u64) as usize;
        seats.get(at).copied()
    }

    fn dial(&mut self, caller: Seat, target: usize, expected: Option<BTreeSet<Seat>>) {
        self.numbers += 1;
        self.done += 1;
        let (number, to) = (self.numbers, self.extension(target));
        self.note(format!("call {number}: {} dials {to}, expected {expected:?}", self.world.name(caller)));
        let call = Call::dial(&mut self.world, &mut self.chance, number, caller, to, expected);
        self.legs.insert((caller, call.dialled.call), self.calls.len());
        self.calls.push(call);
    }

    /// Nobody logs in or out: every call must find its user.
    fn quiet_calls(&mut self) {
        let now = self.world.now();
        let is_calm = |phone: &&Phone| phone.runs_out.is_none_or(|(from, to)| to < now || from > now + 2 * FRESH / 3);
        for _ in 0..1 + self.chance.below(3) {
            let target = self.chance.below(9) as usize;
            let calm = self.phones.iter().filter(|phone| phone.user == target).all(|phone| is_calm(&phone));
            let Some(desk) = self.desks[target].first().filter(|_| calm && self.desks[target].len() == 1) else {
                continue;
            };
            let (_, expected) = desk.place();
            if let Some(caller) = self.somebody_but(target) {
                self.dial(caller, target, Some(expected));
            }
        }
        self.play();
    }

    // --------------------------------------------------------------------------------------------------------------- what comes of it

    /// Everything that was begun comes to its end.
    fn play(&mut self) {
        let until = self.world.now() + Duration::from_secs(600);
        while !(self.acts.iter().all(|act| act.answer.is_some()) && self.calls.iter().all(Call::is_over)) {
            self.start_acts();
            self.world.run(TICK);
            self.listen();
            for at in 0..self.calls.len() {
                let played = self.calls[at].play(&mut self.world);
                self.must(played);
            }
            if self.world.now() > until {
                self.fail("what was begun does not end");
            }
        }
        for call in std::mem::take(&mut self.calls) {
            self.must(call.verdict());
        }
        self.legs.clear();
    }

    fn start_acts(&mut self) {
        let now = self.world.now();
        for at in 0..self.acts.len() {
            if self.acts[at].began.is_some() || self.acts[at].starts > now {
                continue;
            }
            self.acts[at].began = Some(now);
            self.send(at);
        }
    }

    fn send(&mut self, at: usize) {
        let Act { phone, deed, expires, .. } = self.acts[at];
        let (phone, seat) = (&self.phones[phone], self.phones[phone].seat);
        let text = format!("{} {deed:?} for {expires} s (Call-ID {})", self.world.name(seat), phone.call_id);
        self.note(text);
        let is_new = matches!(deed, Deed::Stay { call_id } if self.used.insert(seat, call_id) != Some(call_id));
        self.world.act(seat, |phone, now| match deed {
            Deed::Stay { .. } if is_new => phone.register_anew(now, expires),
            Deed::Stay { .. } => phone.register(now, expires),
            Deed::Leave => phone.unregister(now),
            Deed::Fade | Deed::MayFade => {}
        });
    }

    fn listen(&mut self) {
        let seats: Vec<Seat> = self.by_seat.keys().copied().collect();
        for seat in seats {
            let from = self.heard.entry(seat).or_default();
            let news: Vec<PhoneEvent> = self.world.events_from(seat, *from).cloned().collect();
            *from += news.len();
            for event in news {
                self.hear(seat, event);
            }
        }
        let now = self.world.now();
        if let Some((seat, _)) = self.late.iter().find_map(|(leg, since)| (now > *since + LATE).then_some(leg)) {
            self.fail(format!("{} goes on ringing for a call that is over", self.world.name(*seat)));
        }
    }

    fn hear(&mut self, seat: Seat, event: PhoneEvent) {
        match event {
            PhoneEvent::Registered { .. } | PhoneEvent::Unregistered { .. } => self.answered(seat, Answer::Taken),
            PhoneEvent::RegistrationRefused { status, reason, warning } => {
                self.refused(seat, status, &reason, warning.as_deref().unwrap_or_default());
            }
            PhoneEvent::Incoming { call, request, .. } => {
                let subject = request.header(&Name::Subject).map(|header| header.value().to_vec());
                let number: Option<usize> = subject.and_then(|text| String::from_utf8(text).ok()?.parse().ok());
                let Some(at) = self.calls.iter().position(|call| Some(call.number) == number) else {
                    if number.is_none_or(|number| number > self.numbers) {
                        return self.fail(format!("a call that nobody made rings at {}", self.world.name(seat)));
                    }
                    self.late.insert((seat, call), self.world.now());
                    return;
                };
                self.legs.insert((seat, call), at);
                self.tell(seat, call, News::Rings(seat, call));
            }
            PhoneEvent::Confirmed { call } => self.tell(seat, call, News::Confirmed(seat)),
            PhoneEvent::Cancelled { call, .. } if self.late.remove(&(seat, call)).is_some() => {}
            PhoneEvent::Cancelled { call, .. } => self.tell(seat, call, News::Over(seat)),
            PhoneEvent::Answered { call, .. } => self.tell(seat, call, News::Answered),
            PhoneEvent::Failed { call, status, .. } => self.tell(seat, call, News::Failed(status)),
            PhoneEvent::Ended { call } => {
                let own = self.legs.get(&(seat, call)).map(|at| self.calls[*at].dialled);
                let is_caller = own.is_some_and(|own| own.seat == seat && own.call == call);
                self.tell(seat, call, if is_caller { News::CallerOver } else { News::Over(seat) });
            }
            PhoneEvent::Ringing { .. }
            | PhoneEvent::Message { .. }
            | PhoneEvent::Request { .. }
            | PhoneEvent::Response { .. } => {}
        }
    }

    fn tell(&mut self, seat: Seat, call: CallRef, news: News) {
        let now = self.world.now();
        match self.legs.get(&(seat, call)).copied() {
            Some(at) => {
                let heard = self.calls[at].hear(now, news);
                self.must(heard);
            }
            None => self.fail(format!("{news:?} at {}, of a call that is over", self.world.name(seat))),
        }
    }

    fn refused(&mut self, seat: Seat, status: Status, reason: &str, warning: &str) {
        let site = SITES.iter().find(|site| reason == format!("logged in at {site}"));
        let own = self.phones[self.by_seat[&seat]].site;
        let answer = match (status.0, site) {
            (403, None) if reason == "another phone has taken over" => Answer::LoggedInAt(own.into()),
            // RFC 3261 §17.1.2: nobody answered; a phone tries again.
            (408, _) if reason == "no answer" => {
                self.note(format!("{} got no answer", self.world.name(seat)));
                let own = self.by_seat[&seat];
                let at = self.acts.iter().position(|act| act.phone == own && act.answer.is_none());
                return at.into_iter().for_each(|at| self.send(at));
            }
            (403, Some(site)) if warning.contains(&format!("logged in at {site}")) => {
                Answer::LoggedInAt((*site).into())
            }
            (403, None) if reason.starts_with("no free licence") && self.may_be_full(seat) => Answer::NoLicence,
            (504, None) => Answer::Unreachable,
            _ => Answer::Other(format!("{status} {reason}")),
        };
        self.answered(seat, answer);
    }

    /// Whether as many users as there are places may be at the phone's site, those who are just logging in counted.
    fn may_be_full(&self, seat: Seat) -> bool {
        let own = &self.phones[self.by_seat[&seat]];
        let is_there = |user: &usize| self.desks[*user].iter().any(|desk| desk.place().0 == Some(own.site));
        let comes = |user: &usize| {
            let mut phones = self.acts.iter().map(|act| &self.phones[act.phone]);
            phones.any(|phone| phone.user == *user && phone.site == own.site)
        };
        let others = (0..9).filter(|user| *user != own.user && SITES[user / 3] != own.site);
        others.filter(|user| is_there(user) || comes(user)).count() >= PLACES as usize
    }

    /// Whether as many others as there are places are at the phone's site for sure.
    fn is_full(&self, phone: usize) -> bool {
        let own = &self.phones[phone];
        let stays = |user: &usize| self.desks[*user].iter().all(|desk| desk.place().0 == Some(own.site));
        let moves = |user: &usize| self.acts.iter().any(|act| self.phones[act.phone].user == *user);
        let at_home = SITES[own.user / 3] == own.site;
        let others = (0..9).filter(|user| *user != own.user && SITES[user / 3] != own.site);
        let expiring = |user: &usize| {
            let mut phones = self.phones.iter().filter(|phone| phone.user == *user);
            phones.any(|phone| phone.runs_out.is_some_and(|(from, _)| from <= self.world.now()))
        };
        let sure = others.filter(|user| stays(user) && !moves(user) && !expiring(user)).count();
        !at_home && sure >= PLACES as usize
    }

    fn answered(&mut self, seat: Seat, answer: Answer) {
        let (own, now) = (self.by_seat[&seat], self.world.now());
        self.note(format!("{} is answered {answer:?}", self.world.name(seat)));
        let Some(act) = self.acts.iter_mut().find(|act| act.phone == own && act.answer.is_none()) else {
            return self.fail(format!("{} was answered without asking", self.world.name(seat)));
        };
        let comes = matches!(act.deed, Deed::Stay { .. }) && answer == Answer::Taken;
        let (began, time) = (act.began.unwrap_or(now), Duration::from_secs(act.expires.into()));
        let runs_out = match act.deed {
            Deed::Stay { .. } if answer == Answer::Taken => Some((began + time, now + time)),
            Deed::Leave => None,
            Deed::Stay { .. } | Deed::Fade | Deed::MayFade => self.phones[own].runs_out,
        };
        act.answer = Some(answer);
        let before = std::mem::replace(&mut self.phones[own].runs_out, runs_out);
        if runs_out != before && before.is_some_and(|(from, _)| from <= now) {
            self.fade(own, Deed::MayFade);
        }
        if comes && self.is_full(own) {
            self.fail(format!("{} was let in where every place is taken", self.world.name(seat)));
        }
    }

    // ------------------------------------------------------------------------------------------------------------------ the model

    /// The sites tell each other, and no binding is just running out; then the model is told what happened.
    fn settle(&mut self) {
        self.calm(Duration::from_secs(300));
        let now = self.world.now();
        let faded = (0..self.phones.len()).filter(|at| self.phones[*at].runs_out.is_some_and(|(from, _)| from <= now));
        for phone in faded.collect::<Vec<_>>() {
            self.note(format!("{} runs out", self.world.name(self.phones[phone].seat)));
            self.phones[phone].runs_out = None;
            self.fade(phone, Deed::Fade);
        }
        let acts = std::mem::take(&mut self.acts);
        for user in 0..9 {
            let own: Vec<&Act> = acts.iter().filter(|act| self.phones[act.phone].user == user).collect();
            if !own.is_empty() {
                self.explain(user, &own);
            }
        }
    }

    fn fade(&mut self, phone: usize, deed: Deed) {
        let (starts, answer) = (self.world.now(), Some(Answer::None));
        self.acts.push(Act { phone, deed, starts, expires: 0, began: Some(starts), answer });
    }

    fn calm(&mut self, within: Duration) {
        let quiet = |world: &World| SITES.iter().all(|site| world.load(site).waiting == 0);
        loop {
            if !self.world.run_until(within, quiet) {
                self.fail("notices between the sites do not end");
            }
            let now = self.world.now();
            let windows = self.phones.iter().filter_map(|phone| phone.runs_out);
            let near = windows.filter(|(from, to)| *from <= now + TICK && now <= *to + TICK).map(|(_, to)| to).max();
            match near {
                Some(to) => self.world.run(to + 2 * TICK - now),
                None => return,
            }
        }
    }

    /// Some order of what happened must give the answers that came.
    fn explain(&mut self, user: usize, acts: &[&Act]) {
        let now = self.world.now();
        let mut ways: BTreeMap<u32, BTreeSet<Desk>> = BTreeMap::from([(0, self.desks[user].clone())]);
        let all = (1_u32 << acts.len()) - 1;
        while let Some((mask, desks)) = ways.pop_first() {
            if mask == all {
                self.desks[user] = desks;
                return;
            }
            for (at, act) in acts.iter().enumerate().filter(|(at, _)| mask & (1 << at) == 0) {
                let phone = &self.phones[act.phone];
                // The visited site may hear of a later login before it hears that this one was taken.
                let later = |other: usize| mask & (1 << other) == 0 && other != at;
                let overtaken = acts.iter().enumerate().any(|(other, next)| {
                    let site = self.phones[next.phone].site;
                    later(other) && act.answer == Some(Answer::LoggedInAt(site.into()))
                });
                for (answer, desk) in desks.iter().flat_map(|d| d.after(phone.seat, phone.site, act.deed, now)) {
                    if Some(&answer) == act.answer.as_ref() || answer == Answer::Taken && overtaken {
                        ways.entry(mask | 1 << at).or_default().insert(desk);
                    }
                }
            }
        }
        self.fail_of(
            user,
            format!("no order of these logins gives these answers; before them: {:#?}", self.desks[user]),
        );
    }

    /// SPEC 5.4: every site's table says of each user what the model says.
    fn check_tables(&mut self) {
        for user in 0..9 {
            let found = self.tables(user);
            let before = self.desks[user].clone();
            self.desks[user].retain(|desk| desk.tables() == found);
            if self.desks[user].is_empty() {
                let (away, here, there) = found;
                let text = format!("the tables say: away at {away:?}, at home on {here:?}, elsewhere on {there:?}");
                self.fail_of(user, format!("{text}; the model: {before:#?}"));
            }
        }
    }

    fn tables(&mut self, user: usize) -> (Option<Site>, BTreeSet<Seat>, BTreeSet<Seat>) {
        let extension = Extension::new(self.extension(user));
        let contacts: BTreeMap<String, Seat> = self
            .phones
            .iter()
            .filter(|phone| phone.user == user)
            .map(|phone| (self.world.look(phone.seat).contact_uri(), phone.seat))
            .collect();
        let seats = |record: &Record| -> BTreeSet<Seat> {
            let uris =
                record.bindings().iter().map(|binding| String::from_utf8_lossy(binding.uri.as_bytes()).into_owned());
            uris.map(|uri| contacts[&uri]).collect()
        };
        let (mut away, mut at_home, mut elsewhere) = (None, BTreeSet::new(), Vec::new());
        for site in SITES {
            match self.world.location(site).record(extension.as_str()).as_deref() {
                Some(record @ Record::Resident(resident)) => {
                    away = resident
                        .away
                        .as_ref()
                        .and_then(|away| SITES.into_iter().find(|site| away.site.as_str() == *site));
                    at_home = seats(record);
                }
                Some(record @ Record::Visitor(_)) => elsewhere.push((site, seats(record))),
                None => {}
            }
        }
        let hosts: Vec<Site> = elsewhere.iter().map(|(site, _)| *site).collect();
        if hosts != away.into_iter().collect::<Vec<_>>() {
            self.fail(format!("home believes {extension} to be at {away:?}, and {hosts:?} have it as a visitor"));
        }
        (away, at_home, elsewhere.pop().map(|(_, seats)| seats).unwrap_or_default())
    }

    // --------------------------------------------------------------------------------------------------------------------- the end

    /// Clean lines: the leases are renewed, then every binding runs out and nothing is left; every licence is free again.
    fn close(mut self) {
        self.world.all_lines(Line::clean(5));
        self.world.pass(150);
        self.settle();
        self.check_tables();
        self.world.pass(u64::from(LONG));
        self.settle();
        self.check_tables();
        for user in 0..9 {
            let found = self.tables(user);
            assert_eq!(found, (None, BTreeSet::new(), BTreeSet::new()), "somebody is still logged in");
        }
        let idle = |world: &World| {
            SITES.iter().all(|site| {
                let load = world.load(site);
                world.is_idle(site) && load.transactions <= PROBES && (load.calls, load.waiting) == (0, 0)
            })
        };
        if !self.world.run_until(Duration::from_secs(120), idle) {
            let left: Vec<_> = SITES.iter().map(|site| (site, self.world.load(site))).collect();
            self.fail(format!("something is left in hand: {left:?}"));
        }
        self.fill();
        self.world.end();
    }

    /// As many visitors as there are places are let in everywhere.
    fn fill(&mut self) {
        for (at, site) in SITES.into_iter().enumerate() {
            let guests = (0..9).filter(|user| user / 3 != at).take(PLACES as usize + 1);
            let guests: Vec<Seat> = guests
                .filter_map(|user| self.phones.iter().find(|phone| phone.user == user && phone.site == site))
                .map(|phone| phone.seat)
                .collect();
            for (n, seat) in guests.iter().enumerate() {
                let came = self.ask(*seat, |world, seat| world.act(seat, |phone, now| phone.register_anew(now, LONG)));
                if came != (n < PLACES as usize) {
                    self.fail(format!("visitor {n} of {PLACES} at {site}: let in {came}"));
                }
            }
            for seat in &guests[..PLACES as usize] {
                let left = self.ask(*seat, |world, seat| world.act(seat, |phone, now| phone.unregister(now)));
                assert!(left, "un-registered");
            }
            self.world.pass(2);
        }
    }

    /// Whether a REGISTER is answered 200.
    fn ask(&mut self, seat: Seat, what: impl FnOnce(&mut World, Seat)) -> bool {
        let before = self.world.events(seat).count();
        what(&mut self.world, seat);
        self.world.run_until(Duration::from_secs(40), |world| world.events_from(seat, before).next().is_some());
        let answer = self.world.events_from(seat, before).next();
        matches!(answer, Some(PhoneEvent::Registered { .. } | PhoneEvent::Unregistered { .. }))
    }

    fn note(&mut self, text: String) {
        self.log.push(format!("{:10.3}  {text}", self.world.now().as_secs_f64()));
    }

    fn must(&mut self, done: Result<(), String>) {
        if let Err(text) = done {
            self.fail(text);
        }
    }

    fn fail_of(&mut self, user: usize, text: String) {
        let number = self.extension(user);
        let own: Vec<&str> = self.log.iter().filter(|line| line.contains(number)).map(String::as_str).collect();
        self.fail(format!("{number}: {text}\n\nall that {number} did:\n{}", own.join("\n")));
    }

    fn fail(&mut self, text: impl Into<String>) {
        let tail = self.log.split_off(self.log.len().saturating_sub(40)).join("\n");
        panic!("{}\n\nafter {} deeds; the last ones:\n{tail}\n", text.into(), self.done);
    }
}

fn blake3_of(seed: u64) -> [u8; 32] {
    *blake3::Hasher::new_derive_key("hotdesk reference model").update(&seed.to_le_bytes()).finalize().as_bytes()
}
