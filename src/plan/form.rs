//! ARS forms (SPEC 6.6): the number that a code built is matched again, to choose the trunks.

use std::sync::Arc;
use std::time::Duration;

use super::Plan;
use super::caller::Priority;
use super::level::Level;
use crate::timing::Wall;

/// `[ars.NAME]`, compiled. Forms are named by their place in the plan.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub(super) name: Arc<str>,
    pub(super) level: Level,
    pub(super) in_service: bool,
    pub(super) out_of_service: Option<usize>,
    pub(super) time_profile: Option<Box<str>>,
    pub(super) out_of_hours: Option<usize>,
    pub(super) alternate: Option<usize>,
    /// Who has it may use the alternate at once.
    pub(super) alternate_priority: Priority,
    /// The others wait so long.
    pub(super) alternate_wait: Duration,
}

/// Whether a form takes calls now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    /// Out of service; the form to use instead.
    OutOfService(Option<usize>),
    /// Outside its hours; the form to use instead.
    OutOfHours(Option<usize>),
}

impl Plan {
    pub(super) fn form_state(&self, form: &Form, at: Wall) -> State {
        if !form.in_service {
            return State::OutOfService(form.out_of_service);
        }
        let calendar = form.time_profile.as_ref().and_then(|name| self.time_profiles.get(name));
        match calendar {
            Some(calendar) if !calendar.active(at) => State::OutOfHours(form.out_of_hours),
            Some(_) | None => State::Open,
        }
    }
}

impl Form {
    /// The forms that can stand for this one.
    pub(super) fn substitutes(&self) -> impl Iterator<Item = usize> {
        [self.out_of_service, self.out_of_hours, self.alternate].into_iter().flatten()
    }
}

impl State {
    /// For the trace.
    pub(super) fn in_words(self, plan: &Plan) -> String {
        let name = |at: usize| plan.forms.get(at).map_or("", |form| &form.name);
        match self {
            Self::Open => "in service".to_owned(),
            Self::OutOfService(Some(at)) => format!("out of service, {} instead", name(at)),
            Self::OutOfService(None) => "out of service, and no form instead".to_owned(),
            Self::OutOfHours(Some(at)) => format!("out of hours, {} instead", name(at)),
            Self::OutOfHours(None) => "out of hours, and no form instead".to_owned(),
        }
    }
}
