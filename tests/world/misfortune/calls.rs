//! The calls of a history: whom they must reach, whom they may, and what may become of them in trouble.

use std::collections::BTreeSet;
use std::time::Duration;

use hotdesk::phone::CallRef;
use hotdesk::sip::{Name, Status};

use super::deed::{Chair, Choice, SITES, Site, Who, home_of};
use super::dialling::FOLLOWED;
use super::history::{History, SETTLED, TALK, Verdict};
use crate::support::Seat;

/// What must come of a call, where nothing stands between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It rings at these phones; none: nobody is there.
    Rings(BTreeSet<Chair>),
    /// The user does not want to be disturbed.
    Busy,
}

/// Why nobody can say what must come of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// It was not told who is where, or what is set.
    Untold,
    /// Something may be in the way.
    InTheWay,
}

/// One call.
pub struct Call {
    pub(super) caller: Seat,
    pub(super) own: CallRef,
    pub(super) from: Chair,
    /// Whoever may be at the phone that calls.
    pub(super) callers: BTreeSet<Who>,
    pub(super) to: Who,
    pub(super) began: Duration,
    /// The phones that may ring, whatever the trouble.
    pub(super) may: BTreeSet<Chair>,
    pub(super) must: Option<Expected>,
    pub(super) rang: BTreeSet<Chair>,
    pub(super) answered: bool,
    pub(super) hang_up_at: Option<Duration>,
    pub(super) over: bool,
}

impl History {
    pub(super) fn call(&mut self, from: Chair, to: Who) {
        let Some(&caller) = self.seats.get(&from) else { return };
        let callers = self.promises.users_at(from);
        if callers.contains(to) || !self.setup.sites().contains(&home_of(to)) {
            return;
        }
        let (now, number) = (self.world.now(), self.calls.len());
        let may = self.seats.keys().copied().filter(|chair| self.may_ring(*chair, to)).collect();
        let must = self.expected(from, to).ok();
        self.note(format!("call {number}: {from} dials {to}, expected {must:?}"));
        let headers = vec![(Name::Subject, number.to_string())];
        let own = self.world.act(caller, |phone, at| phone.call_with(at, to, headers));
        self.calls.push(Call {
            caller,
            own,
            from,
            callers,
            to,
            began: now,
            may,
            must,
            rang: BTreeSet::new(),
            answered: false,
            hang_up_at: None,
            over: false,
        });
    }

    /// Whether a call to the user may ring there, now.
    fn may_ring(&self, chair: Chair, to: Who) -> bool {
        let asked = chair.who == to && self.asked.contains_key(&chair);
        let sits = self.dialled.get(&chair).is_some_and(|dialled| dialled.concerns(to));
        let follows = chair == FOLLOWED && self.promises.choices(to).may(Choice::Follow);
        asked || sits || follows || self.promises.may_ring(to, chair, self.world.now())
    }

    /// What must come of a call, if that can be said: the caller is known where it is, and everybody on the way has been in touch for
    /// long enough.
    pub(super) fn expected(&self, from: Chair, to: Who) -> Result<Expected, Unclear> {
        let now = self.world.now();
        let (home, caller) = (home_of(to), self.promises.user_at(from).ok_or(Unclear::Untold)?);
        let place = only(self.promises.places(to, now))?;
        let callers_place = only(self.promises.places(caller, now))?;
        let choices = self.promises.choices(to);
        let busy = choices.of(Choice::DoNotDisturb).ok_or(Unclear::Untold)?;
        // Nobody follows oneself, and who is followed may call back.
        let follows = choices.of(Choice::Follow).ok_or(Unclear::Untold)?;
        let follows = follows && ![to, caller].contains(&FOLLOWED.who);
        if follows && self.promises.choices(FOLLOWED.who).of(Choice::DoNotDisturb) != Some(false) {
            return Err(Unclear::Untold);
        }
        let (rings_for, rings_at) = if follows { (FOLLOWED.who, FOLLOWED.site) } else { (to, place) };
        let (must, may) = self.promises.rings(rings_for, rings_at, now);
        // Whom the followed leaves alone the follower may hear of, or not.
        if must != may || callers_place != from.site || follows && must.is_empty() {
            return Err(Unclear::Untold);
        }
        let waits = [from.who, caller, to, rings_for].into_iter().any(|who| self.waits(who));
        let on_the_edge = |chair: &Chair| self.promises.is_on_the_edge(*chair, now, TALK);
        let edge =
            self.seats.keys().filter(|chair| self.promises.users_at(**chair).contains(rings_for)).any(on_the_edge);
        // What is delivered where the caller is asks nobody else.
        let mut way = if place == from.site { vec![(place, place)] } else { vec![(from.site, home), (home, place)] };
        if follows {
            way.extend([(from.site, home), (place, home), (home, FOLLOWED.site)]);
        }
        // What is known of a visitor comes from its home.
        let guests = [(caller, from.site), (from.who, from.site)].into_iter();
        way.extend(
            guests
                .chain(self.known_at(to, place))
                .chain(self.known_at(rings_for, rings_at))
                .map(|(who, at)| (at, home_of(who))),
        );
        let is_settled = |(a, b): &(Site, Site)| self.in_touch_for(a, b) > SETTLED;
        let alike = choices
            .differ_since()
            .is_none_or(|since| now > since + SETTLED && self.in_touch_for(place, home) > SETTLED);
        let known = self.promises.must(from, now + Duration::from_secs(5));
        if waits || edge || !way.iter().all(is_settled) || !alike || !known {
            return Err(Unclear::InTheWay);
        }
        Ok(if busy { Expected::Busy } else { Expected::Rings(must) })
    }

    /// Whom a site has to know to say which of its phones ring for a user.
    fn known_at(&self, who: Who, site: Site) -> impl Iterator<Item = (Who, Site)> {
        let here = self.seats.keys().copied().filter(move |chair| chair.site == site);
        let about = here.filter(move |chair| chair.who == who || self.promises.users_at(*chair).contains(who));
        let people = about.flat_map(|chair| self.promises.sitters(chair).chain([chair.who]));
        people.chain([who]).map(move |who| (who, site))
    }

    pub(super) fn rings(&mut self, chair: Chair, number: usize) -> Verdict {
        let to = self.calls[number].to;
        let may = self.calls[number].may.contains(&chair) || self.may_ring(chair, to);
        self.calls[number].rang.insert(chair);
        match may {
            true => Ok(()),
            false => Err(format!("call {number} to {to} rings at {chair}, which is nobody's of {to}")),
        }
    }

    pub(super) fn failed(&mut self, seat: Seat, call: CallRef, status: Status, reason: &str) -> Verdict {
        let Some(number) = self.calls.iter().position(|own| own.caller == seat && own.own == call) else {
            return Ok(());
        };
        self.note(format!("call {number} fails: {status} {reason}"));
        self.calls[number].over = true;
        self.verdict(number, Some((status, reason)))
    }

    pub(super) fn verdict(&self, number: usize, failure: Option<(Status, &str)>) -> Verdict {
        let call = &self.calls[number];
        let name = format!("call {number} from {} to {}", call.from, call.to);
        // What has happened meanwhile may have changed everything.
        let undisturbed = self.is_undisturbed(call) && !self.has_moved(call);
        match (&call.must, failure) {
            (Some(Expected::Rings(must)), Some((Status::TEMPORARILY_UNAVAILABLE, _))) if must.is_empty() => Ok(()),
            (Some(Expected::Busy), Some((Status::BUSY_HERE, _))) => Ok(()),
            (Some(must), Some((status, reason))) if undisturbed => {
                Err(format!("{name} fails: {status} {reason}, and must: {must:?}"))
            }
            (Some(must), None) if undisturbed && *must != Expected::Rings(call.rang.clone()) => {
                Err(format!("{name} rang at {:?}, and must: {must:?}", call.rang))
            }
            // 404: the number is one of the network's; 482, 483: no way is a circle.
            (_, Some((status, reason))) if matches!(status.0, 404 | 482 | 483 | 484 | 488 | 600..) => {
                Err(format!("{name} fails: {status} {reason}"))
            }
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// Whether anything has happened to either side of a call since it began.
    fn has_moved(&self, call: &Call) -> bool {
        let now = self.world.now();
        let sides = call.callers.iter().copied().chain([call.from.who, call.to, FOLLOWED.who]);
        let mut stirred = sides.map(|who| self.waits(who) || self.stirred.get(who).is_some_and(|at| *at >= call.began));
        let gone = match &call.must {
            Some(Expected::Rings(must)) => must.iter().any(|chair| !self.promises.must(*chair, now)),
            Some(Expected::Busy) | None => false,
        };
        gone || stirred.any(|stirred| stirred)
    }

    pub(super) fn hang_up(&mut self) {
        let now = self.world.now();
        for number in 0..self.calls.len() {
            if self.calls[number].hang_up_at.is_some_and(|at| at <= now) {
                let (seat, call) = (self.calls[number].caller, self.calls[number].own);
                (self.calls[number].hang_up_at, self.calls[number].over) = (None, true);
                self.world.act(seat, |phone, at| phone.hang_up(at, call));
            }
        }
    }

    /// Whether nothing has happened to any site or link since a call began.
    pub(super) fn is_undisturbed(&self, call: &Call) -> bool {
        self.touch.values().all(|touch| touch.since <= call.began && touch.broken_at.is_none_or(|at| at < call.began))
    }

    /// Everybody is called from home and from somewhere else.
    pub(super) fn call_everybody(&mut self) -> Verdict {
        let before = self.calls.len();
        for (at, who) in self.movers().into_iter().enumerate() {
            let home = SITES.iter().position(|site| *site == home_of(who)).expect("a site");
            for site in [home, (home + 1 + at) % self.setup.sites] {
                let from = Chair::reception(site);
                if self.promises.users_at(from).contains(who) {
                    continue;
                }
                if self.expected(from, who) == Err(Unclear::InTheWay) {
                    return Err(format!(
                        "nothing is in the way, and nobody can say whether {who} can be reached from {from}"
                    ));
                }
                self.call(from, who);
                self.pass(Duration::from_secs(3))?;
            }
        }
        self.pass(Duration::from_secs(5))?;
        for number in before..self.calls.len() {
            if !self.calls[number].over {
                return Err(format!("call {number} has no end"));
            }
            if self.calls[number].answered {
                self.verdict(number, None)?;
            }
        }
        Ok(())
    }
}

/// The only one of them.
fn only(places: BTreeSet<Site>) -> Result<Site, Unclear> {
    places.first().copied().filter(|_| places.len() == 1).ok_or(Unclear::Untold)
}
