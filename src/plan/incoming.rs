//! Calls from trunks (SPEC 9.5): an incoming rule turns the called number into an extension or group, and into nothing else.

use super::caller::Around;
use super::decision::{Decision, Outcome};
use super::error::{PlanError, Problem};
use super::extensions::Place;
use super::feature::Feature;
use super::level::{Level, Unusable};
use super::number::{Filling, Modifiers, Template};
use super::pattern::Pattern;
use super::short_code::ShortCode;
use super::trace::{Step, Trace};
use super::{ByName, Plan, by_name};
use crate::settings::Incoming;

/// The rules of one trunk group; a rule matches as a short code does.
#[derive(Clone, Debug)]
pub(super) struct Rules(Level);

impl Rules {
    pub(super) fn level(&self) -> &Level {
        &self.0
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
        let Some(Rules(level)) = self.incoming.get(group) else {
            trace.step(|| Step::Note { text: format!("no incoming rule for the group {group}") });
            return Outcome::NotFound;
        };
        let (name, usable) = (|| format!("incoming rules of {group}"), |_: &ShortCode| None::<Unusable>);
        let answer = level.best(called, &name, &usable, trace);
        let complete = called.strip_suffix('#');
        let mut found = answer.best.map(|(row, _)| (row, called));
        if let (None, Some(complete)) = (found, complete) {
            found = level.best(complete, &name, &usable, trace).best.map(|(row, _)| (row, complete));
        }
        if found.is_none() {
            let row = level.default_match(&name, &usable, trace);
            found = row.map(|(row, _)| (row, complete.unwrap_or(called)));
        }
        let Some((row, text)) = found else {
            return if answer.begins { Outcome::Incomplete } else { Outcome::NotFound };
        };
        let Some(to) = &row.number else { return Outcome::NotFound };
        let matched = row.pattern.matched(text).unwrap_or_default();
        let number = to.number(&Filling { matched: &matched, whole: text, extension: "", name: "" });
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
            Some(place) => place.called(number, modifiers),
            None => Outcome::NotFound,
        }
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
    let mut rows: Vec<(&str, Vec<ShortCode>)> = Vec::new();
    for rule in rules {
        let row = match compile_rule(rule) {
            Ok(row) => row,
            Err(problem) => {
                errors.push(PlanError { origin: rule.origin.clone(), problem });
                continue;
            }
        };
        match rows.iter_mut().find(|(group, _)| *group == rule.group) {
            Some((_, rows)) => rows.push(row),
            None => rows.push((&rule.group, vec![row])),
        }
    }
    let mut compiled = by_name();
    compiled.extend(rows.into_iter().map(|(group, rows)| (group.into(), Rules(Level::new(rows)))));
    compiled
}

fn compile_rule(rule: &Incoming) -> Result<ShortCode, Problem> {
    let (number, to) = (rule.number.clone(), rule.to.clone());
    let pattern = Pattern::parse(&number).map_err(|why| Problem::IncomingNumber { number: number.clone(), why })?;
    let template =
        Template::parse(&to).map_err(|why| Problem::IncomingTo { number: number.clone(), to: to.clone(), why })?;
    // a trunk's call has no caller among the users, and it calls no trunk
    if let Some((wrong, at)) = template.first_of(&['E', 'U', 'S', 'A', 'W', 'Z', 'p', 't', 'r', '@']) {
        return Err(Problem::IncomingModifier { number, to, wrong, at });
    }
    Ok(ShortCode {
        pattern,
        feature: Feature::DialExtn,
        number: Some(template),
        line_group: None,
        site: None,
        origin: rule.origin.clone(),
    })
}
