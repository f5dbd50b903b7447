//! The calls of a history: whom they must reach, whom they may, and what may become of them in trouble.

use std::collections::BTreeSet;
use std::time::Duration;

use hotdesk::phone::CallRef;
use hotdesk::sip::{Name, Status};

use super::deed::{Chair, SITES, Who, home_of};
use super::history::{History, SETTLED, TALK, Verdict};
use crate::support::Seat;

/// One call.
pub struct Call {
    pub(super) caller: Seat,
    pub(super) own: CallRef,
    pub(super) from: Chair,
    pub(super) to: Who,
    pub(super) began: Duration,
    /// The phones that may ring, whatever the trouble.
    pub(super) may: BTreeSet<Chair>,
    /// Those that must, where nothing stands between; none: nobody is there to ring.
    pub(super) must: Option<BTreeSet<Chair>>,
    pub(super) rang: BTreeSet<Chair>,
    pub(super) answered: bool,
    pub(super) hang_up_at: Option<Duration>,
    pub(super) over: bool,
}

impl History {
    pub(super) fn call(&mut self, from: Chair, to: Who) {
        let Some(&caller) = self.seats.get(&from) else { return };
        if from.who == to || !self.setup.sites().contains(&home_of(to)) {
            return;
        }
        let (now, number) = (self.world.now(), self.calls.len());
        let own: Vec<Chair> = self.seats.keys().copied().filter(|chair| chair.who == to).collect();
        let may = own.iter().copied().filter(|chair| self.promises.may(*chair, now) || self.asked.contains_key(chair));
        let may: BTreeSet<Chair> = may.collect();
        let must = self.expected(from, to);
        self.note(format!("call {number}: {from} dials {to}, expected {must:?}"));
        let headers = vec![(Name::Subject, number.to_string())];
        let own = self.world.act(caller, |phone, at| phone.call_with(at, to, headers));
        self.calls.push(Call {
            caller,
            own,
            from,
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

    /// The phones that must ring, if that can be said: the caller is known where it is, and everybody on the way has been in touch
    /// for long enough.
    pub(super) fn expected(&self, from: Chair, to: Who) -> Option<BTreeSet<Chair>> {
        let now = self.world.now();
        let home = home_of(to);
        let places = self.promises.places(to, now);
        let place = *places.first().filter(|_| places.len() == 1)?;
        let (must, may) = self.promises.phones(to, place, now);
        let busy = self.asked.keys().any(|chair| chair.who == to || chair.who == from.who);
        let edge = self.seats.keys().any(|chair| chair.who == to && self.promises.is_on_the_edge(*chair, now, TALK));
        // What is delivered where the caller is asks nobody else.
        let way = if place == from.site { vec![(place, place)] } else { vec![(from.site, home), (home, place)] };
        let open = way.iter().all(|(a, b)| self.in_touch_for(a, b) > SETTLED);
        // A parked phone may not call, and what is known of a visitor comes from its home.
        let sits_here = match from.is_at_home() {
            true => self.promises.places(from.who, now) == BTreeSet::from([from.site]),
            false => self.in_touch_for(from.site, home_of(from.who)) > SETTLED,
        };
        let known = sits_here && self.promises.must(from, now + Duration::from_secs(5));
        (!busy && !edge && open && known && must == may).then_some(must)
    }

    pub(super) fn rings(&mut self, chair: Chair, number: usize) -> Verdict {
        let asked = self.asked.contains_key(&chair);
        let now = self.world.now();
        let call = &mut self.calls[number];
        call.rang.insert(chair);
        let may = call.may.contains(&chair) || asked || self.promises.may(chair, now);
        match may && chair.who == call.to {
            true => Ok(()),
            false => Err(format!("call {number} rings at {chair}, which is not bound")),
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
        let undisturbed = self.is_undisturbed(call);
        let moved = self.asked.keys().any(|chair| chair.who == call.to || chair.who == call.from.who)
            || !call
                .must
                .as_ref()
                .is_some_and(|must| must.iter().all(|chair| self.promises.must(*chair, self.world.now())));
        match (&call.must, failure) {
            (Some(must), Some((status, reason))) if undisturbed && !moved => {
                let nobody = must.is_empty() && status == Status::TEMPORARILY_UNAVAILABLE;
                if nobody { Ok(()) } else { Err(format!("{name} fails: {status} {reason}, not at {must:?}")) }
            }
            (Some(must), None) if undisturbed && !moved && call.rang != *must => {
                Err(format!("{name} rang at {:?}, not at {must:?}", call.rang))
            }
            // 404: the number is one of the network's; 482, 483: no way is a circle.
            (_, Some((status, reason))) if matches!(status.0, 404 | 482 | 483 | 484 | 488 | 600..) => {
                Err(format!("{name} fails: {status} {reason}"))
            }
            (Some(_) | None, _) => Ok(()),
        }
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
                if self.expected(from, who).is_none() && self.promises.places(who, self.world.now()).len() == 1 {
                    let (must, may) = self.promises.phones(
                        who,
                        self.promises.places(who, self.world.now()).first().expect("one"),
                        self.world.now(),
                    );
                    if must == may {
                        return Err(format!(
                            "nothing is in the way, and nobody can say whether {who} can be reached from {from}"
                        ));
                    }
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
