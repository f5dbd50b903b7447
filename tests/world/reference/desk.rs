//! Where one user is, by the rules of SPEC 5.4 to 5.7.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::support::Seat;

/// A second displacement within this time makes a phone wait as long (SPEC 5.5).
const QUARREL: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(86_400);
/// What nobody outside can tell to the second: when within a round something was displaced.
const SLACK: Duration = Duration::from_secs(90);

/// How long it may take until the home site knows a phone that joined others elsewhere.
const TOLD: Duration = Duration::from_secs(30);

/// A site by its name.
pub type Site = &'static str;

/// What a phone does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// REGISTER; the number tells the Call-IDs of one phone apart.
    Stay { call_id: u32 },
    /// REGISTER with `Expires: 0`.
    Leave,
    /// Nothing any more: its binding ran out.
    Fade,
    /// The same, or it was refreshed in time.
    MayFade,
}

/// What it is answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// 200.
    Taken,
    /// 403 `logged in at …`.
    LoggedInAt(String),
    /// 403: no licence is left there.
    NoLicence,
    /// 504: the home site did not answer.
    Unreachable,
    /// Anything else: never right.
    Other(String),
    /// Nobody asked.
    None,
}

/// A phone that lost the user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Lost {
    call_id: u32,
    at: Duration,
    wait: Duration,
    back: bool,
}

/// One user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Desk {
    home: Site,
    /// Where the last login was, and which phones with which Call-ID are bound there; `None`: logged in nowhere.
    at: Option<Site>,
    bound: BTreeMap<Seat, u32>,
    /// Since when those are there that joined others elsewhere.
    joined: BTreeMap<Seat, Duration>,
    /// Those that left others elsewhere, with their Call-ID, and when.
    left: BTreeMap<Seat, (u32, Duration)>,
    /// Phones at home while the user is elsewhere.
    parked: BTreeMap<Seat, u32>,
    /// Parked phones that un-registered, or ran out.
    tombstones: BTreeSet<Seat>,
    lost: BTreeMap<Seat, Lost>,
}

impl Desk {
    pub fn new(home: Site) -> Self {
        Self {
            home,
            at: None,
            bound: BTreeMap::new(),
            joined: BTreeMap::new(),
            left: BTreeMap::new(),
            parked: BTreeMap::new(),
            tombstones: BTreeSet::new(),
            lost: BTreeMap::new(),
        }
    }

    /// Where calls go: the site, and the phones that ring.
    pub fn place(&self) -> (Option<Site>, BTreeSet<Seat>) {
        (self.at, self.bound.keys().copied().collect())
    }

    /// What the home site's and the visited site's tables must hold: who is away where, the bindings at home, those elsewhere.
    pub fn tables(&self) -> (Option<Site>, BTreeSet<Seat>, BTreeSet<Seat>) {
        let (_, bound) = self.place();
        match self.away() {
            Some(site) => (Some(site), self.parked.keys().copied().collect(), bound),
            None => (None, bound, BTreeSet::new()),
        }
    }

    fn away(&self) -> Option<Site> {
        self.at.filter(|at| *at != self.home)
    }

    /// Whether the phone has a binding, parked or not.
    pub fn knows(&self, phone: Seat) -> bool {
        self.bound.contains_key(&phone) || self.parked.contains_key(&phone)
    }

    /// What may come of a deed of `phone` at `site`: each answer with what is true afterwards.
    pub fn after(&self, phone: Seat, site: Site, deed: Deed, now: Duration) -> Vec<(Answer, Desk)> {
        match deed {
            Deed::Stay { call_id } if site == self.home => {
                self.at_home(phone, call_id, now).into_iter().map(|desk| (Answer::Taken, desk)).collect()
            }
            Deed::Stay { call_id } => self.elsewhere(phone, site, call_id, now),
            Deed::Leave => self.without(phone, site, true, now).into_iter().map(|desk| (Answer::Taken, desk)).collect(),
            Deed::MayFade => {
                let faded = self.after(phone, site, Deed::Fade, now).into_iter();
                faded.chain([(Answer::None, self.clone())]).collect()
            }
            Deed::Fade => self.without(phone, site, false, now).into_iter().map(|desk| (Answer::None, desk)).collect(),
        }
    }

    /// SPEC 5.6.
    fn at_home(&self, phone: Seat, call_id: u32, now: Duration) -> Vec<Desk> {
        let mut next = self.clone();
        if self.away().is_none() {
            next.bound.insert(phone, call_id);
            next.at = Some(self.home);
            return vec![next];
        }
        if self.parked.contains_key(&phone) || self.tombstones.contains(&phone) {
            next.tombstones.remove(&phone);
            next.parked.insert(phone, call_id);
            return vec![next];
        }
        let mut ways = self.displaced(now);
        for next in &mut ways {
            next.bound = std::mem::take(&mut next.parked);
            next.bound.insert(phone, call_id);
            next.tombstones.clear();
            next.at = Some(self.home);
        }
        ways
    }

    /// SPEC 5.2 to 5.5.
    fn elsewhere(&self, phone: Seat, site: Site, call_id: u32, now: Duration) -> Vec<(Answer, Desk)> {
        let lost = self.lost.get(&phone).filter(|lost| !lost.back);
        let is_let_in = match lost {
            None => Some(true),
            Some(lost) if lost.call_id == call_id => Some(false),
            Some(lost) if lost.wait.is_zero() || now > lost.at + lost.wait + SLACK => Some(true),
            Some(lost) if now + SLACK < lost.at + lost.wait => Some(false),
            Some(_) => None,
        };
        if self.at == Some(site) {
            // One more phone of a stay, or a refresh; but home, if it is asked in the moment between two stays, keeps out whom it
            // knows as displaced.
            let mut next = self.clone();
            next.left.remove(&phone);
            if next.bound.insert(phone, call_id).is_none() {
                next.joined.insert(phone, now);
            }
            let refused = (is_let_in != Some(true)).then(|| (Answer::LoggedInAt(site.into()), self.clone()));
            return refused.into_iter().chain([(Answer::Taken, next)]).collect();
        }
        let mut ways = vec![(Answer::Unreachable, self.clone())];
        if is_let_in != Some(true) {
            ways.push((Answer::LoggedInAt(self.at.unwrap_or("nowhere").into()), self.clone()));
        }
        if is_let_in != Some(false) {
            ways.push((Answer::NoLicence, self.clone()));
            for taken in self.moved(phone, site, call_id, now) {
                // The visited site undoes what home may have taken (SPEC 5.2).
                ways.push((Answer::Unreachable, taken.ended()));
                ways.push((Answer::Taken, taken));
            }
        }
        ways
    }

    fn moved(&self, phone: Seat, site: Site, call_id: u32, now: Duration) -> Vec<Desk> {
        let mut ways = vec![self.clone()];
        if self.away().is_some() {
            ways = self.displaced(now);
        } else {
            ways.iter_mut().for_each(|next| next.parked = std::mem::take(&mut next.bound));
        }
        for next in &mut ways {
            if let Some(lost) = next.lost.get_mut(&phone) {
                lost.back = true;
            }
            next.bound = BTreeMap::from([(phone, call_id)]);
            next.at = Some(site);
        }
        ways
    }

    /// SPEC 5.7, and for a parked phone 5.6.
    fn without(&self, phone: Seat, site: Site, leaves: bool, now: Duration) -> Vec<Desk> {
        let mut next = self.clone();
        if site == self.home && self.away().is_some() {
            if next.parked.remove(&phone).is_some() {
                next.tombstones.insert(phone);
            }
            return vec![next];
        }
        let Some(call_id) = next.bound.remove(&phone).filter(|_| self.at == Some(site)) else {
            let mut forgiven = self.clone();
            forgiven.lost.retain(|lost, entry| !leaves || *lost != phone || entry.back);
            // A displaced phone that un-registers where it was is not told to its home.
            return vec![self.clone(), forgiven];
        };
        next.joined.remove(&phone);
        if next.bound.is_empty() {
            return vec![next.ended()];
        }
        next.left.insert(phone, (call_id, now));
        vec![next]
    }

    /// The login is over; nobody is kept out by it any more.
    fn ended(&self) -> Desk {
        let mut next = self.empty();
        next.bound = std::mem::take(&mut next.parked);
        next.at = (!next.bound.is_empty()).then_some(self.home);
        next.tombstones.clear();
        next.lost.clear();
        next
    }

    /// The phones elsewhere lose the user: who may have it back and when, in all ways that nobody outside can tell apart.
    fn displaced(&self, now: Duration) -> Vec<Desk> {
        let mut ways = vec![self.empty()];
        let left = self.left.iter().filter(|(_, (_, since))| now < *since + TOLD);
        let left = left.map(|(phone, (call_id, _))| (phone, call_id));
        for (&phone, &call_id) in self.bound.iter().chain(left) {
            let known = self.lost.get(&phone);
            let again = |lost: &Lost| Lost { call_id, at: now, wait: (lost.wait * 2).clamp(QUARREL, DAY), back: false };
            let first = Lost { call_id, at: now, wait: Duration::ZERO, back: false };
            let within = |slack: Duration, lost: &&Lost| now < lost.at + lost.wait + QUARREL + slack;
            let mut fates = Vec::new();
            if known.is_none_or(|lost| !within(Duration::ZERO, &lost) || now + SLACK > lost.at + lost.wait + QUARREL) {
                fates.push(Some(first));
            }
            fates.extend(known.filter(|lost| within(SLACK, lost)).map(|lost| Some(again(lost))));
            if !self.bound.contains_key(&phone) || self.joined.get(&phone).is_some_and(|since| now < *since + TOLD) {
                fates.push(known.cloned());
            }
            ways = ways.iter().flat_map(|way| fates.iter().map(|fate| way.with_lost(phone, fate.clone()))).collect();
        }
        ways
    }

    /// Nobody is bound any more.
    fn empty(&self) -> Desk {
        Desk { bound: BTreeMap::new(), joined: BTreeMap::new(), left: BTreeMap::new(), ..self.clone() }
    }

    fn with_lost(&self, phone: Seat, lost: Option<Lost>) -> Desk {
        let mut next = self.clone();
        match lost {
            Some(lost) => drop(next.lost.insert(phone, lost)),
            None => drop(next.lost.remove(&phone)),
        }
        next
    }
}
