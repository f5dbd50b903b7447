//! What people were told, and so may rely on: which phones are bound for sure and which may be, and where each user may be. Who sits at
//! whose phone is in `sitting`, what users have set in `choices`.
//!
//! It is a model of SPEC 4.5, 5.4-5.7, 8.2-8.7 as somebody sees it who hears the answers to the phones, and knows of every login
//! whether the home site was asked for it. Where two things may be true (a login that was not answered), it keeps both.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::choices::Choices;
use super::deed::{Chair, SITES, Site, Who, home_of};

/// A site looks after what runs out within this time.
const SLACK: Duration = Duration::from_secs(2);
/// SPEC 4.5: a refresh is on disk after so long at most.
const LAZY: Duration = Duration::from_secs(30);

/// A binding as its phone believes in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// Between these two it runs out.
    until: (Duration, Duration),
    /// When it would have run out without its last refresh.
    before: Duration,
    refreshed: Duration,
    /// Nothing has happened that may have ended it.
    pub(super) sure: bool,
}

/// `[registrar] default_expires`.
const REVIVED: Duration = Duration::from_secs(300);

/// One phone.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub(super) held: Option<Held>,
    /// It was let in at some time.
    pub(super) ever: bool,
    /// Who may have it now: `None` is its own user, another is one who has logged in there by dialling.
    pub(super) sitters: BTreeSet<Option<Who>>,
}

/// One user.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// Where the newest login that counts may be; the home site also if there is none.
    pub(super) place: BTreeSet<Site>,
    /// The home site may give out numbers that are lower than those of before: it lost its memory, and its clock was set back.
    pub(super) numbers_lost: bool,
    /// The home site has lost its memory at some time: a phone that is new there waits for the renewals (SPEC 8.6).
    forgotten: bool,
    /// Sites that have lost the user's stay with their memory, and when: until its lease has run, home believes in it.
    lost_stays: BTreeMap<Site, Duration>,
    /// An operator has logged the user out at some time.
    pub(super) dismissed: bool,
    pub(super) choices: Choices,
}

/// What a 200 to a phone that stays meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant {
    /// A login: the home site has a new number for it.
    Login,
    /// One more phone, or a refresh, where the user was anyway.
    Stay,
    /// Nobody can tell.
    Unclear,
}

/// All that was promised.
#[derive(Clone, Debug)]
pub struct Promises {
    pub(super) desks: BTreeMap<Chair, Desk>,
    pub(super) people: BTreeMap<Who, Person>,
}

impl Promises {
    pub fn new(chairs: &[Chair]) -> Self {
        let person = |who: Who| Person {
            place: BTreeSet::from([home_of(who)]),
            numbers_lost: false,
            forgotten: false,
            lost_stays: BTreeMap::new(),
            dismissed: false,
            choices: Choices::default(),
        };
        let desk = Desk { held: None, ever: false, sitters: BTreeSet::from([None]) };
        Self {
            desks: chairs.iter().map(|chair| (*chair, desk.clone())).collect(),
            people: chairs.iter().map(|chair| (chair.who, person(chair.who))).collect(),
        }
    }

    pub(super) fn of(&self, who: Who, site: Site) -> impl Iterator<Item = Chair> {
        self.desks.keys().copied().filter(move |chair| chair.who == who && chair.site == site)
    }

    pub(super) fn person(&mut self, who: Who) -> &mut Person {
        self.people.get_mut(who).expect("everybody is known")
    }

    pub(super) fn desk(&mut self, chair: Chair) -> &mut Desk {
        self.desks.get_mut(&chair).expect("every phone is known")
    }

    // ------------------------------------------------------------------------------------------------------ what may be relied on

    /// Whether the phone is bound for sure.
    pub fn must(&self, chair: Chair, now: Duration) -> bool {
        self.desks[&chair].held.is_some_and(|held| held.sure && now < held.until.0)
    }

    /// Whether it may be bound.
    pub fn may(&self, chair: Chair, now: Duration) -> bool {
        self.desks[&chair].held.is_some_and(|held| now <= held.until.1.saturating_add(SLACK))
    }

    /// Whether its binding runs out within this time, or just has.
    pub fn is_on_the_edge(&self, chair: Chair, now: Duration, within: Duration) -> bool {
        let near = |held: Held| held.until.0 <= now + within && now <= held.until.1.saturating_add(SLACK);
        self.desks[&chair].held.is_some_and(|held| held.sure && near(held))
    }

    pub fn was_ever_let_in(&self, chair: Chair) -> bool {
        self.desks[&chair].ever
    }

    /// The phones of the user's own that must be bound at a site, and those that may be, whoever sits there.
    pub fn phones(&self, who: Who, site: Site, now: Duration) -> (BTreeSet<Chair>, BTreeSet<Chair>) {
        let must = self.of(who, site).filter(|chair| self.must(*chair, now)).collect();
        (must, self.of(who, site).filter(|chair| self.may(*chair, now)).collect())
    }

    /// Where the user may be: the home site also stands for nowhere.
    pub fn places(&self, who: Who, now: Duration) -> BTreeSet<Site> {
        let home = home_of(who);
        let mut places = BTreeSet::new();
        for &site in &self.people[who].place {
            // A stay ends with its last phone.
            if site != home && !self.lasts(who, site, now) {
                places.insert(home);
            }
            if site == home || self.may_last(who, site, now) {
                places.insert(site);
            }
        }
        places
    }

    /// How many others may be at a site as visitors.
    pub fn visitors(&self, but: Who, site: Site, now: Duration) -> usize {
        let others = self.people.keys().filter(|who| **who != but && home_of(who) != site);
        others.filter(|who| self.may_last(who, site, now)).count()
    }

    /// Whether home may believe in a stay that its site has lost within such a time.
    pub fn may_be_believed_at(&self, who: Who, site: &str, now: Duration, within: Duration) -> bool {
        self.people[who].lost_stays.get(site).is_some_and(|lost| now <= *lost + within)
    }

    pub fn was_dismissed(&self, who: Who) -> bool {
        self.people[who].dismissed
    }

    // ------------------------------------------------------------------------------------------------------------- what happens

    /// A phone was answered 200 with its binding for so many seconds.
    pub fn bound(
        &mut self,
        asked: Duration,
        now: Duration,
        chair: Chair,
        expires: u32,
        meant: Meant,
    ) -> Result<(), String> {
        let home = home_of(chair.who);
        let Person { place, forgotten, .. } = self.person(chair.who).clone();
        let (known, maybe) = (self.must(chair, asked), self.may(chair, asked));
        // A stay that has just ended gives its user back.
        let lasts = |site: &Site| self.lasts(chair.who, site, now + SLACK);
        let is_elsewhere = place.len() == 1 && !place.contains(home) && place.iter().all(lasts);
        match meant {
            Meant::Login if chair.is_at_home() && is_elsewhere && known => {
                return Err(format!("{chair} is parked, and took its user from {place:?}"));
            }
            Meant::Stay if chair.is_at_home() && is_elsewhere && !forgotten && !self.desks[&chair].ever => {
                return Err(format!("{chair} is new at home, and did not take its user from {place:?}"));
            }
            Meant::Login => self.moved(chair.who, chair.site),
            Meant::Unclear => self.unsettle(chair.who, Some(chair.site)),
            Meant::Stay => {}
        }
        let is_there = chair.is_at_home() || self.person(chair.who).place == BTreeSet::from([chair.site]);
        let time = Duration::from_secs(expires.into());
        let desk = self.desk(chair);
        let until = (asked + time, now + time);
        let before = desk.held.filter(|held| held.sure).map_or(until.0, |held| held.until.0.min(until.0));
        desk.held = Some(Held { until, before, refreshed: now, sure: is_there && meant != Meant::Unclear });
        desk.ever = true;
        if !known {
            // The binding that somebody sat at may have ended, and the seat with it.
            desk.sitters.retain(|_| maybe);
            desk.sitters.insert(None);
        }
        Ok(())
    }

    /// The newest login is there: the phones at all other sites but home lose the user.
    pub(super) fn moved(&mut self, who: Who, site: Site) {
        let person = self.person(who);
        let mut place = BTreeSet::from([site]);
        if person.numbers_lost {
            place.append(&mut person.place);
        }
        person.place = place;
        self.doubt(who, |other| other != site);
        self.leaves_seats_at_home(who, site);
    }

    /// What was sure of a user's phones at such sites, own ones at home excepted, is so no more.
    pub(super) fn doubt(&mut self, who: Who, site: impl Fn(Site) -> bool) {
        self.doubt_seats(who, &site);
        let own =
            self.desks.iter_mut().filter(|(chair, _)| chair.who == who && !chair.is_at_home() && site(chair.site));
        own.filter_map(|(_, desk)| desk.held.as_mut()).for_each(|held| held.sure = false);
    }

    /// Something may have become of a login, or not: where the user was before may be over.
    pub(super) fn unsettle(&mut self, who: Who, site: Option<Site>) {
        let person = self.person(who);
        person.place.insert(home_of(who));
        person.place.extend(site);
        self.doubt(who, |_| true);
    }

    /// A phone that took its binding out was answered 200.
    pub fn left(&mut self, chair: Chair) {
        let desk = self.desk(chair);
        (desk.held, desk.sitters) = (None, BTreeSet::from([None]));
    }

    /// A REGISTER was answered by nobody, or refused for a reason that says nothing of what became of it.
    pub fn shaken(&mut self, now: Duration, chair: Chair, expires: u32) {
        self.unsettle(chair.who, (expires > 0).then_some(chair.site).filter(|_| !chair.is_at_home()));
        let latest = now + Duration::from_secs(expires.into());
        let desk = self.desk(chair);
        let known = desk.held.map_or((Duration::ZERO, Duration::ZERO), |held| held.until);
        if expires > 0 || desk.held.is_some() {
            let until = (known.0, known.1.max(latest));
            desk.held = Some(Held { until, before: known.0, refreshed: now, sure: false });
        }
        desk.ever = true;
        desk.sitters.insert(None);
    }

    /// A phone may have lost its user and has that user again, by a login that was dialled at it (SPEC 5.10): bound for as long as a phone that
    /// does not say.
    pub fn revived(&mut self, chair: Chair, asked: Duration, now: Duration) {
        let (known, maybe) = (self.must(chair, asked), self.may(chair, asked));
        let until = (asked + REVIVED, now + REVIVED);
        let fresh = Held { until, before: until.0, refreshed: now, sure: true };
        match maybe {
            _ if known => {}
            true => self.may_be_revived(chair, now),
            false => self.desk(chair).held = Some(fresh),
        }
    }

    /// Nobody was told whether it has.
    pub fn may_be_revived(&mut self, chair: Chair, now: Duration) {
        let known = self.desks[&chair].held.map_or((Duration::ZERO, Duration::ZERO), |held| held.until);
        if !self.must(chair, now) {
            let until = (known.0, known.1.max(now + REVIVED));
            self.desk(chair).held = Some(Held { until, before: known.0, refreshed: now, sure: false });
        }
    }

    /// A phone was told that it has lost its user.
    pub fn displaced(&mut self, chair: Chair) {
        self.desk(chair).held.iter_mut().for_each(|held| held.sure = false);
    }

    /// The process of a site has ended: refreshes that are not yet written are lost.
    pub fn died(&mut self, site: Site, now: Duration) {
        let held =
            self.desks.iter_mut().filter(|(chair, _)| chair.site == site).filter_map(|(_, desk)| desk.held.as_mut());
        for held in held.filter(|held| now < held.refreshed + LAZY) {
            held.until.0 = held.until.0.min(held.before);
        }
    }

    /// A site whose clock was set has restarted with all that it had written: nobody can say what ran out.
    pub fn restarted_with_another_clock(&mut self, site: Site) {
        let held =
            self.desks.iter_mut().filter(|(chair, _)| chair.site == site).filter_map(|(_, desk)| desk.held.as_mut());
        held.for_each(|held| (held.sure, held.until.1) = (false, Duration::MAX));
    }

    /// A site has restarted with nothing. `clock`: its clock has been ahead at some time.
    pub fn wiped(&mut self, site: Site, now: Duration, clock: bool) {
        for (_, desk) in self.desks.iter_mut().filter(|(chair, _)| chair.site == site) {
            (desk.held, desk.sitters) = (None, BTreeSet::from([None]));
        }
        for who in self.people.keys().copied().collect::<Vec<_>>() {
            let home = home_of(who);
            let stays = SITES.into_iter().filter(|other| *other != home && self.may_last(who, other, now));
            let stays: Vec<Site> = stays.collect();
            let person = self.person(who);
            if home == site {
                person.numbers_lost |= clock;
                person.forgotten = true;
                person.choices.forgotten(now);
                // SPEC 8.6: it learns who is where from the renewals.
                if person.place.contains(home) {
                    person.place.extend(stays);
                }
            } else if person.place.remove(site) {
                person.place.insert(home);
                person.lost_stays.insert(site, now);
            }
        }
    }

    /// A home site and a visited site were apart for so long that a lease may have run out, with `on_reconnect = "return-home"`.
    pub fn may_have_returned(&mut self, home: Site, visited: Site) {
        let own = self.people.keys().copied().filter(|who| home_of(who) == home);
        for who in own.collect::<Vec<_>>() {
            if self.people[who].place.contains(visited) {
                self.person(who).place.insert(home);
                self.doubt(who, |site| site == visited);
            }
        }
    }
}
