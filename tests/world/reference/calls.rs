//! Calls that people make, each with a plan for how it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hotdesk::ids::Entropy;
use hotdesk::phone::CallRef;
use hotdesk::sip::{Name, Status};

use crate::support::{Dialled, Seat, World};

/// So long after somebody has hung up in vain the caller does.
const AGAIN: Duration = Duration::from_secs(10);

/// What becomes of a call once it rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    OneAnswers,
    AllAnswer,
    CallerCancels,
    AllRefuse,
}

/// How a call ended for its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Final {
    Answered,
    Failed(Status),
}

/// What the phones of a call do, from one phone's event to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leg {
    Ringing,
    Answered,
    Up,
    Over,
}

/// One call.
#[derive(Debug)]
pub struct Call {
    pub number: usize,
    pub dialled: Dialled,
    pub target: String,
    /// The phones that must ring; `None` where a login is under way.
    expected: Option<BTreeSet<Seat>>,
    plan: Plan,
    /// When the plan is carried out, if nothing else says so.
    act_at: Duration,
    acted: bool,
    began: Duration,
    legs: BTreeMap<Seat, (CallRef, Leg)>,
    finals: Vec<Final>,
    hang_up_at: Option<Duration>,
    by_callee: bool,
    caller_over: bool,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug)]
pub enum News {
    Rings(Seat, CallRef),
    Confirmed(Seat),
    Over(Seat),
    Answered,
    Failed(Status),
    CallerOver,
}

impl Call {
    /// Dials. The Subject names the call wherever it rings.
    pub fn dial(
        world: &mut World,
        chance: &mut Entropy,
        number: usize,
        seat: Seat,
        target: &str,
        expected: Option<BTreeSet<Seat>>,
    ) -> Self {
        let headers = vec![(Name::Subject, number.to_string())];
        let call = world.act(seat, |phone, now| phone.call_with(now, target, headers));
        let plan = match chance.below(8) {
            0..3 => Plan::OneAnswers,
            3 => Plan::AllAnswer,
            4..7 => Plan::CallerCancels,
            _ => Plan::AllRefuse,
        };
        let began = world.now();
        Self {
            number,
            dialled: Dialled { seat, call },
            target: target.into(),
            expected,
            plan,
            act_at: began + Duration::from_millis(chance.below(3000)),
            acted: false,
            began,
            legs: BTreeMap::new(),
            finals: Vec::new(),
            hang_up_at: None,
            by_callee: chance.below(2) == 0,
            caller_over: false,
        }
    }

    /// Takes note of what happened.
    pub fn hear(&mut self, now: Duration, news: News) -> Result<(), String> {
        match news {
            News::Rings(seat, call) => {
                if self.legs.insert(seat, (call, Leg::Ringing)).is_some() {
                    return Err(format!("{} rings twice at one phone", self.text()));
                }
                self.act_at = self.act_at.max(now + Duration::from_millis(300));
            }
            News::Confirmed(seat) => self.set(seat, Leg::Up),
            News::Over(seat) => self.set(seat, Leg::Over),
            News::Answered => {
                self.finals.push(Final::Answered);
                self.hang_up_at = Some(now + Duration::from_secs(2));
            }
            News::Failed(status) => self.finals.push(Final::Failed(status)),
            News::CallerOver => self.caller_over = true,
        }
        match self.finals.len() {
            0 | 1 => Ok(()),
            _ => Err(format!("{} has several final answers: {:?}", self.text(), self.finals)),
        }
    }

    fn set(&mut self, seat: Seat, leg: Leg) {
        self.legs.entry(seat).and_modify(|(_, own)| *own = leg);
    }

    /// What the people at the phones do now.
    pub fn play(&mut self, world: &mut World) -> Result<(), String> {
        let now = world.now();
        if !self.acted && self.is_time(now) {
            self.acted = true;
            self.act(world);
        }
        // Nobody waits for ever.
        if self.finals.is_empty() && now > self.began + Duration::from_secs(60) && self.acted {
            world.act(self.dialled.seat, |phone, at| phone.cancel(at, self.dialled.call));
        }
        if self.hang_up_at.is_some_and(|at| at <= now) {
            // Whoever hangs up first may be at a phone whose 200 came second: the caller has given that one up (RFC 3261 §13.2.2.4), and talks on.
            self.hang_up_at = self.by_callee.then_some(now + AGAIN);
            self.hang_up(world);
            self.by_callee = false;
        }
        match self.is_over() || now < self.began + Duration::from_secs(240) {
            true => Ok(()),
            false => Err(format!("{} does not end: {:?} {:?}", self.text(), self.finals, self.legs)),
        }
    }

    fn is_time(&self, now: Duration) -> bool {
        let all_ring = self.expected.as_ref().is_none_or(|phones| self.legs.len() >= phones.len());
        let too_late = now > self.began + Duration::from_secs(40);
        !self.finals.is_empty() || now >= self.act_at && (all_ring && !self.legs.is_empty() || too_late)
    }

    fn act(&mut self, world: &mut World) {
        let ringing: Vec<_> = self.legs.iter().filter(|(_, (_, leg))| *leg == Leg::Ringing).collect();
        let ringing: Vec<_> = ringing.into_iter().map(|(seat, (call, _))| (*seat, *call)).collect();
        let answering = if self.plan == Plan::OneAnswers { 1 } else { usize::MAX };
        match self.plan {
            _ if !self.finals.is_empty() => {}
            Plan::OneAnswers | Plan::AllAnswer => {
                for (seat, call) in ringing.into_iter().take(answering) {
                    world.act(seat, |phone, now| phone.answer(now, call));
                    self.set(seat, Leg::Answered);
                }
            }
            Plan::CallerCancels => world.act(self.dialled.seat, |phone, now| phone.cancel(now, self.dialled.call)),
            Plan::AllRefuse => {
                for (seat, call) in ringing {
                    world.act(seat, |phone, now| phone.refuse(now, call, Status::BUSY_HERE));
                    self.set(seat, Leg::Over);
                }
            }
        }
    }

    fn hang_up(&mut self, world: &mut World) {
        if self.caller_over {
            return;
        }
        let up = self.legs.iter().find(|(_, (_, leg))| *leg == Leg::Up).map(|(seat, (call, _))| (*seat, *call));
        let (seat, call) = up.filter(|_| self.by_callee).unwrap_or((self.dialled.seat, self.dialled.call));
        world.act(seat, |phone, now| phone.hang_up(now, call));
    }

    /// Whether everybody is done with it.
    pub fn is_over(&self) -> bool {
        let answered = self.finals == [Final::Answered];
        self.finals.len() == 1
            && (!answered || self.caller_over)
            && self.legs.values().all(|(_, leg)| *leg == Leg::Over)
    }

    /// What a call at a quiet moment must have come to.
    pub fn verdict(&self) -> Result<(), String> {
        let Some(expected) = &self.expected else { return Ok(()) };
        let rang: BTreeSet<_> = self.legs.keys().copied().collect();
        if rang != *expected {
            return Err(format!(
                "{} rang at {rang:?}, not at {expected:?}; it ended as {:?}",
                self.text(),
                self.finals
            ));
        }
        let right = match self.plan {
            _ if expected.is_empty() => Final::Failed(Status::TEMPORARILY_UNAVAILABLE),
            Plan::OneAnswers | Plan::AllAnswer => Final::Answered,
            Plan::CallerCancels => Final::Failed(Status::REQUEST_TERMINATED),
            Plan::AllRefuse => Final::Failed(Status::BUSY_HERE),
        };
        match self.finals == [right] {
            true => Ok(()),
            false => Err(format!("{} ended as {:?}, not as {right:?}", self.text(), self.finals)),
        }
    }

    fn text(&self) -> String {
        format!("call {} from {:?} to {} ({:?})", self.number, self.dialled.seat, self.target, self.plan)
    }
}
