//! From an output number to its routes: line groups and ARS (SPEC 6.6), then the bars.

use std::time::Duration;

use super::Plan;
use super::caller::Priority;
use super::calling::Calling;
use super::decision::{Alternate, Bar, EmergencyCall, Outcome, Route};
use super::emergency::EmergencyRow;
use super::feature::Feature;
use super::form::{Form, State};
use super::number::Modifiers;
use super::pattern::Rank;
use super::route::{Asking, Routing};
use super::short_code::ShortCode;
use super::trace::Step;
use super::{LineGroup, TrunkGroup};

/// What becomes of an external number that finds no route.
enum End {
    Busy,
    Barred,
    Emergency(EmergencyCall),
    Incomplete,
    NotFound,
    Closed,
}

/// A number on its way out.
struct Outgoing<'n> {
    number: &'n str,
    modifiers: &'n Modifiers,
}

impl<'a> Routing<'a> {
    /// A `Dial` code: its number through its line group. The bars are asked last, when it is sure that the number would leave.
    pub(super) fn dial(&mut self, row: &ShortCode, text: &str) -> Outcome {
        let (number, modifiers) = self.build(row, text);
        let mut routes = Vec::new();
        if let Err(end) = self.lead(row, number, modifiers, &mut routes) {
            return end.into();
        }
        if let Some(bar) = self.bar.clone() {
            self.trace.step(|| Step::Bar { why: bar.to_string() });
            return Outcome::Barred(bar);
        }
        Outcome::Trunk(routes)
    }

    fn lead(
        &mut self,
        row: &ShortCode,
        number: String,
        modifiers: Modifiers,
        routes: &mut Vec<Route>,
    ) -> Result<(), End> {
        match row.line_group.as_ref().and_then(|name| self.plan.line_groups.get(&**name)) {
            Some(LineGroup::Form(at)) => self.form(*at, &Outgoing { number: &number, modifiers: &modifiers }, routes),
            Some(LineGroup::Trunks(_)) if number.is_empty() => Err(End::Incomplete),
            Some(LineGroup::Trunks(at)) => {
                let Some(group) = self.plan.groups.get(*at) else { return Err(End::NotFound) };
                let route = Route { group: group.name.clone(), number, modifiers, alternate: self.alternate.clone() };
                self.route_step(&route, group);
                if route.alternate.is_none() || !routes.iter().any(|earlier| earlier.is_same(&route)) {
                    routes.push(route);
                }
                Ok(())
            }
            None => Err(End::NotFound),
        }
    }

    fn form(&mut self, at: usize, outgoing: &Outgoing<'_>, routes: &mut Vec<Route>) -> Result<(), End> {
        let plan = self.plan;
        let Some(form) = plan.forms.get(at) else { return Err(End::NotFound) };
        let state = plan.form_state(form, self.around.at);
        self.trace.step(|| Step::Form {
            form: form.name.to_string(),
            number: outgoing.number.to_owned(),
            state: state.in_words(plan),
        });
        match state {
            State::Open => self.open_form(form, outgoing, routes),
            State::OutOfService(Some(instead)) | State::OutOfHours(Some(instead)) => {
                self.form(instead, outgoing, routes)
            }
            State::OutOfService(None) | State::OutOfHours(None) => Err(End::Closed),
        }
    }

    /// Codes with the same pattern add their routes in file order, until one ends the search.
    fn open_form(&mut self, form: &'a Form, outgoing: &Outgoing<'_>, routes: &mut Vec<Route>) -> Result<(), End> {
        let (rank, text) = self.match_in_form(form, outgoing.number)?;
        let (before, mut end) = (routes.len(), End::NotFound);
        for row in form.level.same_pattern(rank) {
            let Err(found) = self.act_in_form(row, text, outgoing.modifiers, routes) else { continue };
            let last = found.is_last();
            end = found;
            if last {
                break;
            }
        }
        let help = matches!(end, End::Emergency(_));
        if routes.len() == before || help {
            return Err(end);
        }
        // what ends the search among the form's codes ends it in its alternate too
        if !end.is_last() {
            self.alternate_form(form, outgoing, routes);
        }
        Ok(())
    }

    /// SPEC 6.6: the routes of the alternate form, for the same number, behind those that are there. It adds ways and decides nothing else.
    fn alternate_form(&mut self, form: &'a Form, outgoing: &Outgoing<'_>, routes: &mut Vec<Route>) {
        let Some((at, other)) = form.alternate.and_then(|at| Some((at, self.plan.forms.get(at)?))) else { return };
        // SPEC 6.3: what the code says of the call comes before what its caller has.
        let priority = outgoing.modifiers.priority.map_or(self.caller.priority, Priority);
        let at_once = priority >= form.alternate_priority;
        let own = if at_once { Duration::ZERO } else { form.alternate_wait };
        self.trace.step(|| Step::Alternate {
            form: form.name.to_string(),
            alternate: other.name.to_string(),
            priority: priority.0,
            needs: form.alternate_priority.0,
            wait: own.as_secs(),
        });
        // an alternate of an alternate: one wait after the other
        let wait = own + self.alternate.as_ref().map_or(Duration::ZERO, |earlier| earlier.wait);
        let earlier = self.alternate.replace(Alternate { form: other.name.clone(), wait });
        let _ = self.form(at, outgoing, routes);
        self.alternate = earlier;
    }

    fn act_in_form(
        &mut self,
        row: &ShortCode,
        text: &str,
        earlier: &Modifiers,
        routes: &mut Vec<Route>,
    ) -> Result<(), End> {
        match row.feature {
            Feature::Dial => {
                let (number, modifiers) = self.build(row, text);
                self.lead(row, number, modifiers.or(earlier), routes)
            }
            Feature::Busy => Err(End::Busy),
            Feature::Barred => Err(End::Barred),
            // a user's own code led here; what the system's lead here was an emergency call from the start
            Feature::DialEmergency if self.asking == Asking::User => {
                let row = EmergencyRow::of(row).ok_or(End::NotFound)?;
                Err(End::Emergency(self.emergency(text, &row)))
            }
            // the compiler admits no other feature to a form
            _ => Err(End::NotFound),
        }
    }

    fn match_in_form<'t>(&mut self, form: &'a Form, number: &'t str) -> Result<(Rank, &'t str), End> {
        let (plan, name) = (self.plan, || format!("ARS {}", form.name));
        let usable = |row: &ShortCode| plan.unusable(row);
        let answer = form.level.best(number, &name, &usable, &mut self.trace);
        if let Some((_, rank)) = answer.best {
            return Ok((rank, number));
        }
        let complete = number.strip_suffix('#');
        if let Some(complete) = complete {
            self.trace.step(|| Step::Complete { digits: complete.to_owned() });
            if let Some((_, rank)) = form.level.best(complete, &name, &usable, &mut self.trace).best {
                return Ok((rank, complete));
            }
        }
        match form.level.default_match(&name, &usable, &mut self.trace) {
            Some((_, rank)) => Ok((rank, complete.unwrap_or(number))),
            None if answer.begins => Err(End::Incomplete),
            None => Err(End::NotFound),
        }
    }

    fn route_step(&mut self, route: &Route, group: &TrunkGroup) {
        let (plan, caller) = (self.plan, self.caller);
        self.trace.step(|| {
            let calling = group.trunks.first().map(|&trunk| plan.calling(trunk, &route.modifiers, caller));
            Step::Route {
                group: route.group.to_string(),
                trunks: plan.trunk_names(&group.trunks),
                number: route.number.clone(),
                calling: calling.as_ref().map(Calling::in_words).unwrap_or_default(),
            }
        });
    }
}

impl Route {
    /// Whether it is the same way, whatever lets a caller use it.
    fn is_same(&self, other: &Self) -> bool {
        self.group == other.group && self.number == other.number && self.modifiers == other.modifiers
    }
}

impl Plan {
    pub(super) fn trunk_names(&self, trunks: &[usize]) -> Vec<String> {
        trunks.iter().filter_map(|&at| self.trunks.get(at)).map(|trunk| trunk.name.to_string()).collect()
    }
}

impl End {
    /// Ends the search among codes with the same pattern (SPEC 6.5: Barred, and Busy alike).
    fn is_last(&self) -> bool {
        match self {
            Self::Busy | Self::Barred | Self::Emergency(_) => true,
            Self::Incomplete | Self::NotFound | Self::Closed => false,
        }
    }
}

impl From<End> for Outcome {
    fn from(end: End) -> Self {
        match end {
            End::Busy => Self::Busy,
            End::Barred => Self::Barred(Bar::Code),
            End::Emergency(call) => Self::Emergency(call),
            End::Incomplete => Self::Incomplete,
            End::NotFound => Self::NotFound,
            End::Closed => Self::NoRoute,
        }
    }
}
