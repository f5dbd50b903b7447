//! Codes that never win, and codes that extensions hide (SPEC 6.2, 6.4, 6.11).

use std::rc::Rc;

use super::finding::Kind;
use super::forms;
use super::here::{Here, Report};
use super::leads::Leads;
use super::machine::{Anything, Both, Found, Machine};
use super::order::{Decided, Order, Verdict};
use super::people::may_visit;
use super::ways::described;
use crate::plan::feature::Feature;
use crate::plan::level::Level;
use crate::plan::number::Shape;
use crate::plan::short_code::ShortCode;
use crate::plan::{Caller, Everywhere, Plan, Standing};

/// The system short codes, as a user without own codes and rights meets them.
pub(super) fn system(here: &Here<'_>, report: &mut Report) {
    let order = || Rc::new(Order::dialled(here.plan, &here.help, &here.numbers, []));
    level(here, &here.plan.system, 0, &order, report);
    forms::extensions(here, &here.plan.system, 0, &order, &Caller::default(), report);
}

/// The codes of user rights, as a user without own codes meets them.
pub(super) fn rights(here: &Here<'_>, report: &mut Report) {
    for rights in here.site.rights.keys().filter_map(|name| here.plan.rights.get(name.as_str())) {
        let codes = &rights.level;
        let order = || Rc::new(Order::dialled(here.plan, &here.help, &here.numbers, [codes]));
        level(here, codes, 0, &order, report);
        forms::extensions(here, codes, 0, &order, &Caller::default(), report);
    }
}

/// Users' own codes: at no site where the user may be do they win.
pub(super) fn own(all: &Everywhere<'_>, here: &Here<'_>, sites: &[Here<'_>], report: &mut Report) {
    for user in here.site.users.values() {
        let Some(codes) = here.plan.level_of(&user.extension) else { continue };
        let caller = Caller::of(user, Some(codes), Standing::Local);
        let order = || Rc::new(Order::dialled(here.plan, &here.help, &here.numbers, [codes]));
        for (at, row) in asked(codes) {
            let elsewhere = sites.iter().filter(|other| may_visit(all, user, other.plan.site()));
            let mut places =
                std::iter::once(here).chain(elsewhere.filter(|other| other.plan.site() != here.plan.site()));
            let wins = places.any(|place| {
                let order = Rc::new(Order::dialled(place.plan, &place.help, &place.numbers, [codes]));
                let (machine, question) = (wins(order, 0, at, row), question(row));
                report.ask(&machine, 1, &row.origin, &question) != Found::Nothing
            });
            if !wins {
                never(here.plan, &order(), row, report);
            }
            extensions_hide(here, row, wins, report);
        }
        forms::extensions(here, codes, 0, &order, &caller, report);
    }
}

/// The rules for calls from trunks.
pub(super) fn incoming(here: &Here<'_>, report: &mut Report) {
    let mut told: Vec<&str> = Vec::new();
    for group in here.site.incoming.iter().map(|rule| rule.group.as_str()) {
        let Some(rules) = here.plan.incoming.get(group).filter(|_| !told.contains(&group)) else { continue };
        told.push(group);
        let codes = rules.level();
        let order = || Rc::new(Order::alone(here.plan, codes));
        for (at, row) in asked(codes) {
            if report.ask(&wins(order(), 0, at, row), 1, &row.origin, &question(row)) == Found::Nothing {
                never(here.plan, &order(), row, report);
            }
        }
        forms::extensions(here, codes, 0, &order, &Caller::default(), report);
    }
}

fn level<'h>(here: &'h Here<'h>, codes: &'h Level, at: usize, order: &dyn Fn() -> Rc<Order<'h>>, report: &mut Report) {
    let system = std::ptr::eq(codes, &here.plan.system);
    // a code that always calls for help is told as that
    let ordinary = |(place, _): &(usize, &ShortCode)| !(system && here.help.always.contains(place));
    for (place, row) in asked(codes).filter(ordinary) {
        let found = report.ask(&wins(order(), at, place, row), 1, &row.origin, &question(row));
        if found == Found::Nothing {
            never(here.plan, &order(), row, report);
        }
        extensions_hide(here, row, found != Found::Nothing, report);
    }
}

/// A `DialEmergency` row is no ordinary code: its number is called before codes are asked.
pub(super) fn asked(codes: &Level) -> impl Iterator<Item = (usize, &ShortCode)> {
    codes.rows().iter().enumerate().filter(|(_, row)| row.feature != Feature::DialEmergency)
}

/// The strings that the row decides.
pub(super) fn wins<'h>(order: Rc<Order<'h>>, level: usize, place: usize, row: &'h ShortCode) -> Leads<'h> {
    Leads::new(order, Verdict::Row { level, row: place }, &row.pattern, Shape::whole(), Rc::new(Anything))
}

fn question(row: &ShortCode) -> String {
    format!("whether `{}` ever wins", row.in_words())
}

/// No string reaches the row: says what decides about the shortest one that it matches.
pub(super) fn never(plan: &Plan, order: &Order<'_>, row: &ShortCode, report: &mut Report) {
    let example = matched_by(plan, row, report).unwrap_or_default();
    let decided = order.about(&example);
    let kind = match decided {
        Some(Decided { by: Verdict::Extension, .. }) => Kind::HiddenByExtension,
        Some(Decided { by: Verdict::Emergency, .. }) => Kind::HidesEmergency,
        Some(Decided { by: Verdict::Row { .. }, .. }) | None => Kind::NeverWins,
    };
    let winner = match decided.map(|decided| decided.by) {
        Some(Verdict::Extension) => "is an extension".to_owned(),
        Some(Verdict::Emergency) => "is an emergency number".to_owned(),
        Some(Verdict::Row { level, row }) => match order.level(level).and_then(|level| level.rows().get(row)) {
            Some(row) => format!("goes to {}", described(row)),
            None => String::new(),
        },
        None => "goes nowhere".to_owned(),
    };
    let words = row.in_words();
    report.note(
        &row.origin,
        kind,
        format!("`{words}` can never win: whatever it matches is decided before, {example} for one {winner}"),
    );
}

/// The shortest string that the row's pattern matches.
fn matched_by(plan: &Plan, row: &ShortCode, report: &mut Report) -> Option<String> {
    let alone = Level::new(vec![row.clone()]);
    let order = Rc::new(Order::alone(plan, &alone));
    let found = report.ask(&wins(order, 0, 0, row), 1, &row.origin, &question(row));
    match found {
        Found::Witness(text) => Some(text),
        Found::Nothing | Found::GivenUp => None,
    }
}

/// An extension among what a code with literals matches. Where the code never wins that has been said.
fn extensions_hide(here: &Here<'_>, row: &ShortCode, wins: bool, report: &mut Report) {
    if !wins || row.pattern.literal_start().is_empty() {
        return;
    }
    let alone = Level::new(vec![row.clone()]);
    let order = Rc::new(Order::alone(here.plan, &alone));
    let matches: Rc<dyn Machine + '_> = Rc::new(self::wins(order, 0, 0, row));
    let numbers: Rc<dyn Machine + '_> = Rc::new(super::numbers::Numbers::of(here.plan));
    let question = format!("whether an extension hides `{}`", row.in_words());
    if let Found::Witness(number) = report.ask(&Both::new(matches, numbers), 1, &row.origin, &question) {
        let what = format!("`{}` matches {number}, which is an extension and comes first", row.in_words());
        report.note(&row.origin, Kind::HiddenByExtension, what);
    }
}
