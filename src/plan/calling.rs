//! The calling number that a trunk shows (SPEC 9.4): the template's wish, the trunk's `caller_id`, and what the carrier accepts.

use super::Plan;
use super::caller::Caller;
use super::error::{PlanError, Problem};
use super::number::{CallingNumber, Modifiers};
use super::pattern::Pattern;
use crate::settings::{CallerId, Trunk};

/// What the called side sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calling {
    /// The number; `None` where neither user nor site has one.
    pub number: Option<String>,
    /// `Z"…"`; else the caller's own name stands.
    pub name: Option<String>,
    /// `W`: RFC 3323 `Privacy: id`. `Some(false)` is `A`: shown though the caller asked otherwise.
    pub withheld: Option<bool>,
}

/// What a trunk says about calling numbers.
#[derive(Clone, Debug)]
pub(super) struct TrunkShows {
    pub(super) name: Box<str>,
    caller_id: CallerId,
    numbers: Vec<Pattern>,
    any: bool,
}

impl Plan {
    /// The calling number on a trunk, by its place in `settings::Site::trunks`. An emergency call shows the place's number instead (SPEC 6.7).
    pub fn calling(&self, trunk: usize, modifiers: &Modifiers, caller: &Caller<'_>) -> Calling {
        let Some(shows) = self.trunks.get(trunk) else { return Calling::default() };
        let site = || self.caller_id.as_deref();
        let own = || match &shows.caller_id {
            CallerId::User => caller.caller_id.or_else(site),
            CallerId::Site => site(),
            CallerId::Fixed(number) => Some(number.as_str()),
        };
        let (number, passed) = match &modifiers.calling {
            Some(CallingNumber::Set(number)) => (Some(number.as_str()), false),
            Some(CallingNumber::Original) => (caller.original.or_else(own), caller.original.is_some()),
            None => (own(), false),
        };
        // another number than those that the carrier accepts is replaced by the site's
        let number = number.filter(|number| shows.accepts(number) || passed && shows.any).or_else(site);
        Calling {
            number: number.map(str::to_owned),
            name: modifiers.name.clone(),
            withheld: modifiers.show.map(|show| !show),
        }
    }
}

impl TrunkShows {
    pub(super) fn compile(trunk: &Trunk, errors: &mut Vec<PlanError>) -> Self {
        let mut numbers = Vec::new();
        for number in &trunk.numbers {
            match Pattern::parse(number) {
                Ok(pattern) => numbers.push(pattern),
                Err(why) => {
                    let problem = Problem::TrunkNumber { trunk: trunk.name.clone(), number: number.clone(), why };
                    errors.push(PlanError { origin: trunk.origin.clone(), problem });
                }
            }
        }
        let name = trunk.name.as_str().into();
        Self { name, caller_id: trunk.caller_id.clone(), numbers, any: trunk.any_caller_id }
    }

    fn accepts(&self, number: &str) -> bool {
        self.numbers.is_empty() || self.numbers.iter().any(|pattern| pattern.matched(number).is_some())
    }
}

impl Calling {
    /// For the trace.
    pub(super) fn in_words(&self) -> String {
        let mut words = self.number.clone().unwrap_or_else(|| "the phone's own".to_owned());
        if let Some(name) = &self.name {
            words.push_str(&format!(" \"{name}\""));
        }
        match self.withheld {
            Some(true) => words.push_str(", withheld"),
            Some(false) => words.push_str(", shown"),
            None => {}
        }
        words
    }
}
