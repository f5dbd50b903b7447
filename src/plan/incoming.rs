//! Calls from trunks (SPEC 9.5): an incoming rule turns the called number into an extension or group, and into nothing else.

use std::collections::BTreeMap;

use super::caller::Around;
use super::decision::{Decision, Outcome};
use super::error::{PlanError, Problem};
use super::extensions::Place;
use super::feature::Feature;
use super::hours::Closed;
use super::level::{Level, Unusable};
use super::number::{Filling, Modifiers, Template};
use super::pattern::{Pattern, Rank};
use super::short_code::ShortCode;
use super::trace::{Step, Trace};
use super::{ByName, Plan, by_name};
use crate::settings::Incoming;

/// The rules of one trunk group; a rule matches as a short code does.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    level: Level,
    /// Where each rule leads outside its hours, by its place in the level.
    closed: Vec<Option<Closed<Template>>>,
}

impl Rules {
    fn compile(rules: &[&Incoming], errors: &mut Vec<PlanError>) -> Self {
        let (mut rows, mut closed) = (Vec::new(), Vec::new());
        for rule in rules {
            match compile_rule(rule).and_then(|row| Ok((row, compile_closed(rule)?))) {
                Ok((row, outside)) => {
                    rows.push(row);
                    closed.push(outside);
                }
                Err(problem) => errors.push(PlanError { origin: rule.origin.clone(), problem }),
            }
        }
        Self { level: Level::new(rows), closed }
    }

    pub(super) fn level(&self) -> &Level {
        &self.level
    }

    /// Where a call goes by the rule at that place, and why if not by its `to`.
    fn to<'a>(&'a self, rank: Rank, plan: &Plan, around: &Around<'_>) -> (Option<&'a Template>, Option<&'a str>) {
        let closed = self.closed.get(rank.place()).and_then(Option::as_ref);
        match closed.and_then(|closed| Some((closed.elsewhere(plan, around.at)?, closed.profile()))) {
            Some((to, profile)) => (Some(to), Some(profile)),
            None => (self.level.rows().get(rank.place()).and_then(|row| row.number.as_ref()), None),
        }
    }
}

impl Plan {
    /// Where a call from a trunk of `group` for the number `called` goes: an extension, 404 or 484.
    pub fn route_incoming(&self, group: &str, called: &str, around: &Around<'_>, mut trace: Trace) -> Decision {
        trace.step(|| Step::Dialled {
            digits: called.to_owned(),
            by: format!("a trunk of {group}"),
            site: self.site.to_string(),
            how: String::new(),
        });
        let outcome = self.incoming(group, called, around, &mut trace);
        let decision = Decision { site: self.site.clone(), outcome, trace };
        decision.closed()
    }

    fn incoming(&self, group: &str, called: &str, around: &Around<'_>, trace: &mut Trace) -> Outcome {
        let Some(rules) = self.incoming.get(group) else {
            trace.step(|| Step::Note { text: format!("no incoming rule for the group {group}") });
            return Outcome::NotFound;
        };
        let level = &rules.level;
        let (name, usable) = (|| format!("incoming rules of {group}"), |_: &ShortCode| None::<Unusable>);
        let answer = level.best(called, &name, &usable, trace);
        let complete = called.strip_suffix('#');
        let mut found = answer.best.map(|best| (best, called));
        if let (None, Some(complete)) = (found, complete) {
            found = level.best(complete, &name, &usable, trace).best.map(|best| (best, complete));
        }
        if found.is_none() {
            let best = level.default_match(&name, &usable, trace);
            found = best.map(|best| (best, complete.unwrap_or(called)));
        }
        let Some(((row, rank), text)) = found else {
            return if answer.begins { Outcome::Incomplete } else { Outcome::NotFound };
        };
        let (to, outside) = rules.to(rank, self, around);
        let Some(to) = to else { return Outcome::NotFound };
        if let Some(profile) = outside {
            trace.step(|| Step::Note { text: format!("this is outside {profile}: the rule's `out_of_hours`") });
        }
        let matched = row.pattern.matched(text).unwrap_or_default();
        let number = to.number(&Filling { matched: &matched, whole: text, extension: "", name: "" }).into_owned();
        trace.step(|| Step::Number { template: to.as_str().to_owned(), number: number.clone() });
        self.extension_outcome(number, Modifiers::default(), around, trace)
    }

    /// Where an extension rings, for whoever asks for it without dialling: a rule, a group's `then`, a link's delivery.
    pub fn route_extension(&self, extension: &str, around: &Around<'_>, mut trace: Trace) -> Decision {
        let outcome = self.extension_outcome(extension.to_owned(), Modifiers::default(), around, &mut trace);
        Decision { site: self.site.clone(), outcome, trace }.closed()
    }

    pub(super) fn extension_outcome(
        &self,
        number: String,
        modifiers: Modifiers,
        around: &Around<'_>,
        trace: &mut Trace,
    ) -> Outcome {
        match self.place_step(&number, around, trace) {
            Some(place) => self.called(place, number, modifiers, around, trace),
            None => Outcome::NotFound,
        }
    }

    /// The call to an extension that is there: outside its hours a group gives it to somebody else.
    pub(super) fn called(
        &self,
        place: Place,
        number: String,
        modifiers: Modifiers,
        around: &Around<'_>,
        trace: &mut Trace,
    ) -> Outcome {
        let group = self.closed_groups.get(&*number).filter(|_| place == Place::Here);
        let Some((hours, to)) = group.and_then(|closed| Some((closed, closed.elsewhere(self, around.at)?))) else {
            return place.called(number, modifiers);
        };
        trace.step(|| Step::Note { text: format!("group {number} is outside {}: {to} instead", hours.profile()) });
        self.extension_outcome(to.to_string(), modifiers, around, trace)
    }

    pub(super) fn place_step(&self, digits: &str, around: &Around<'_>, trace: &mut Trace) -> Option<Place> {
        let place = self.extensions.place(digits, around.directory);
        trace.step(|| Step::Extension {
            digits: digits.to_owned(),
            site: match &place {
                Some(Place::At(site)) => Some(site.to_string()),
                Some(Place::Here) | None => None,
            },
            here: place == Some(Place::Here),
        });
        place
    }
}

/// Compiles the rules by group. Whether the groups exist is not asked here.
pub(super) fn compile(rules: &[Incoming], errors: &mut Vec<PlanError>) -> ByName<Rules> {
    let mut by_group: BTreeMap<&str, Vec<&Incoming>> = BTreeMap::new();
    rules.iter().for_each(|rule| by_group.entry(&rule.group).or_default().push(rule));
    let mut compiled = by_name();
    compiled.extend(by_group.into_iter().map(|(group, rules)| (group.into(), Rules::compile(&rules, errors))));
    compiled
}

fn compile_rule(rule: &Incoming) -> Result<ShortCode, Problem> {
    let number = rule.number.clone();
    let pattern = Pattern::parse(&number).map_err(|why| Problem::IncomingNumber { number, why })?;
    Ok(ShortCode {
        pattern,
        feature: Feature::DialExtn,
        number: Some(compile_to(rule, &rule.to)?),
        line_group: None,
        site: None,
        origin: rule.origin.clone(),
    })
}

fn compile_closed(rule: &Incoming) -> Result<Option<Closed<Template>>, Problem> {
    let Some(closed) = &rule.out_of_hours else { return Ok(None) };
    Ok(Some(Closed::new(closed, compile_to(rule, &closed.to)?)))
}

fn compile_to(rule: &Incoming, to: &str) -> Result<Template, Problem> {
    let (number, to) = (rule.number.clone(), to.to_owned());
    let template =
        Template::parse(&to).map_err(|why| Problem::IncomingTo { number: number.clone(), to: to.clone(), why })?;
    // a trunk's call has no caller among the users, and it calls no trunk
    match template.first_of(&['E', 'U', 'S', 'A', 'W', 'Z', 'p', 't', 'r', '@']) {
        Some((wrong, at)) => Err(Problem::IncomingModifier { number, to, wrong, at }),
        None => Ok(template),
    }
}
