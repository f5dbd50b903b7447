//! Forms and what leads into and out of them: rows that no number reaches, numbers that reach no trunk, no extension, no site.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::codes::{asked, never, wins};
use super::finding::Kind;
use super::here::{Here, Report};
use super::leads::Leads;
use super::machine::{Found, Machine, NotEmpty};
use super::numbers::Numbers;
use super::order::{Order, Verdict};
use super::site_numbers::Names;
use super::ways::{Walk, tried};
use crate::plan::feature::Feature;
use crate::plan::level::Level;
use crate::plan::number::Shape;
use crate::plan::short_code::ShortCode;
use crate::plan::{Caller, LineGroup};

/// Forms that nothing leads to, and rows of the others that never win there or never get a number.
pub(super) fn rows(here: &Here<'_>, report: &mut Report) {
    for (at, form) in here.plan.forms.iter().enumerate() {
        let Some(settings) = here.site.ars.get(&*form.name) else { continue };
        let feeders = feeders(here, at);
        let instead = here.plan.forms.iter().any(|other| other.substitutes().any(|form| form == at));
        if feeders.is_empty() && !instead {
            report.note(
                &settings.origin,
                Kind::UnusedForm,
                format!("no code and no form leads to the form `{}`", form.name),
            );
        }
        let order = || Rc::new(Order::alone(here.plan, &form.level));
        let firsts = tried(&form.level);
        for (place, row) in asked(&form.level) {
            let Some((first, _)) = firsts.iter().find(|(_, known)| std::ptr::eq(*known, row)) else {
                never(here.plan, &order(), row, report);
                continue;
            };
            let question = format!("whether `{}` of the form `{}` ever wins", row.in_words(), form.name);
            if report.ask(&wins(order(), 0, *first, row), 0, &row.origin, &question) == Found::Nothing {
                never(here.plan, &order(), row, report);
            } else if !instead && !feeders.is_empty() && *first == place {
                arrives(here, &form.level, (*first, row), &feeders, report);
            }
        }
    }
}

/// A code that sends its number to a form.
struct Feeder<'a> {
    levels: Vec<&'a Level>,
    /// `false`: a row of another form.
    dialled: bool,
    place: usize,
    row: &'a ShortCode,
    caller: Caller<'a>,
}

/// The rows that name the form: the system's, those of rights, of users, of other forms. A visitor's codes are among those of another site.
fn feeders<'a>(here: &Here<'a>, form: usize) -> Vec<Feeder<'a>> {
    let leads = |row: &ShortCode| {
        let group = row.line_group.as_deref().and_then(|name| here.plan.line_groups.get(name));
        row.feature == Feature::Dial && group == Some(&LineGroup::Form(form))
    };
    let nobody = Caller::default();
    let system = (&here.plan.system, true, nobody);
    let rights = here.site.rights.keys().filter_map(|name| here.plan.rights.get(name.as_str()));
    let rights = rights.map(|rights| (&rights.level, true, nobody));
    let users = here.site.users.values().filter_map(|user| {
        let level = here.plan.level_of(&user.extension)?;
        Some((level, true, Caller::of(user, Some(level), Default::default())))
    });
    let forms = here.plan.forms.iter().map(|form| (&form.level, false, nobody));
    let mut feeders = Vec::new();
    for (level, dialled, caller) in std::iter::once(system).chain(rights).chain(users).chain(forms) {
        let rows = level.rows().iter().enumerate().filter(|(_, row)| leads(row));
        let levels = if std::ptr::eq(level, &here.plan.system) { Vec::new() } else { vec![level] };
        feeders.extend(rows.map(|(place, row)| Feeder { levels: levels.clone(), dialled, place, row, caller }));
    }
    feeders
}

/// Whether some code sends a number here that the row wins. Codes of other forms are taken to get every number.
fn arrives(
    here: &Here<'_>,
    codes: &Level,
    (first, row): (usize, &ShortCode),
    feeders: &[Feeder<'_>],
    report: &mut Report,
) {
    for feeder in feeders {
        let Some(shape) = feeder.row.number.as_ref().and_then(|n| n.shape(feeder.caller.extension, feeder.caller.name))
        else {
            // it may be any number
            return;
        };
        let order = if feeder.dialled {
            Order::dialled(here.plan, &here.help, &here.numbers, feeder.levels.iter().copied())
        } else {
            Order::alone(here.plan, feeder.levels.first().copied().unwrap_or(&here.plan.system))
        };
        let inner: Rc<dyn Machine + '_> = Rc::new(wins(Rc::new(Order::alone(here.plan, codes)), 0, first, row));
        let decides = Verdict::Row { level: 0, row: feeder.place };
        let machine = Leads::new(Rc::new(order), decides, &feeder.row.pattern, shape, inner);
        let question = format!("whether a number reaches `{}`", row.in_words());
        if report.ask(&machine, 1, &row.origin, &question) != Found::Nothing {
            return;
        }
    }
    let codes: BTreeSet<String> = feeders.iter().map(|feeder| format!("`{}`", feeder.row.in_words())).collect();
    let codes: Vec<String> = codes.into_iter().collect();
    let what =
        format!("`{}`: no number gets here that it wins; what leads here is {}", row.in_words(), codes.join(", "));
    report.note(&row.origin, Kind::NeverArrives, what);
}

/// `Dial` codes of which no number ever reaches a trunk.
pub(super) fn dialled<'a>(here: &Here<'a>, sites: &[Here<'a>], report: &mut Report) {
    let nobody = Caller::default();
    let system = (Vec::new(), &here.plan.system, nobody);
    let rights = here.site.rights.keys().filter_map(|name| here.plan.rights.get(name.as_str()));
    let rights = rights.map(|rights| (vec![&rights.level], &rights.level, nobody));
    let users = here.site.users.values().filter_map(|user| {
        let level = here.plan.level_of(&user.extension)?;
        Some((vec![level], level, Caller::of(user, Some(level), Default::default())))
    });
    for (own, codes, caller) in std::iter::once(system).chain(rights).chain(users) {
        let walk = Walk { sites, origin: here.plan.site(), caller, at: None, wanted: Rc::new(NotEmpty) };
        for (place, row) in codes.rows().iter().enumerate().filter(|(_, row)| row.feature == Feature::Dial) {
            let order = Rc::new(Order::dialled(here.plan, &here.help, &here.numbers, own.iter().copied()));
            if row.number.as_ref().is_some_and(|number| number.shape(caller.extension, caller.name).is_none()) {
                let what =
                    format!("`{}`: two pieces of its number vary; where it leads was not looked into", row.in_words());
                report.note(&row.origin, Kind::Undecided, what);
                continue;
            }
            let decides = Verdict::Row { level: 0, row: place };
            // what never wins is told as that
            let winner = wins(order.clone(), 0, place, row);
            let question = format!("whether `{}` reaches a trunk", row.in_words());
            let Found::Witness(example) = report.ask(&winner, 1, &row.origin, &question) else { continue };
            let ways = walk.out_of(here, &order, decides, row, &[]);
            let out = ways.iter().any(|way| report.ask(&*way.machine, 1, &row.origin, &question) != Found::Nothing);
            if !out {
                let what = format!("no number of `{}` reaches a trunk; {example} is one that does not", row.in_words());
                report.note(&row.origin, Kind::NoTrunk, what);
            }
        }
    }
}

/// Alternates that have no way for any number that their form has one for.
pub(super) fn alternates<'a>(here: &Here<'a>, sites: &[Here<'a>], report: &mut Report) {
    let caller = Caller::default();
    let rows = || here.plan.forms.iter().flat_map(|form| form.level.rows());
    let is_plain = |row: &ShortCode| row.number.as_ref().is_none_or(|number| number.shape("", "").is_some());
    // numbers of which two pieces vary lead nobody knows where, and are told as that
    if !rows().filter(|row| row.feature == Feature::Dial).all(is_plain) {
        return;
    }
    let walk = Walk { sites, origin: here.plan.site(), caller, at: None, wanted: Rc::new(NotEmpty) };
    for form in &here.plan.forms {
        let Some((settings, other)) = here.site.ars.get(&*form.name).zip(form.alternate) else { continue };
        let other = here.plan.forms.get(other).map_or("", |form| &form.name);
        let question = format!("whether the alternate of the form `{}` is ever of use", form.name);
        let ways = walk.alternates(here.plan, form);
        if ways.iter().all(|way| report.ask(&*way.machine, 0, &settings.origin, &question) == Found::Nothing) {
            let what = format!("the alternate `{other}` of the form `{}` has no way for any number of it", form.name);
            report.note(&settings.origin, Kind::UselessAlternate, what);
        }
    }
}

/// `DialExtn` codes and incoming rules that call nobody, and `BreakOut` codes that name no site.
pub(super) fn extensions<'h>(
    here: &'h Here<'_>,
    codes: &'h Level,
    level: usize,
    order: &dyn Fn() -> Rc<Order<'h>>,
    caller: &Caller<'_>,
    report: &mut Report,
) {
    for (place, row) in codes.rows().iter().enumerate() {
        let Some(shape) = row.number.as_ref().and_then(|number| number.shape(caller.extension, caller.name)) else {
            continue;
        };
        let decides = Verdict::Row { level, row: place };
        match row.feature {
            Feature::DialExtn => nobody(here, order, decides, row, shape, report),
            Feature::BreakOut if row.site.is_none() => no_site(here, order, decides, row, shape, report),
            _ => {}
        }
    }
}

fn nobody<'h>(
    here: &'h Here<'_>,
    order: &dyn Fn() -> Rc<Order<'h>>,
    decides: Verdict,
    row: &'h ShortCode,
    shape: Shape,
    report: &mut Report,
) {
    let question = format!("whether `{}` calls anybody", row.in_words());
    let Some(example) = example(order, decides, row, &question, report) else { return };
    let machine = Leads::new(order(), decides, &row.pattern, shape, Rc::new(Numbers::of(here.plan)));
    if report.ask(&machine, 1, &row.origin, &question) == Found::Nothing {
        let what =
            format!("`{}` calls no extension of the network, whatever is dialled, {example} for one", row.in_words());
        report.note(&row.origin, Kind::NoExtension, what);
    }
}

fn no_site<'h>(
    here: &'h Here<'_>,
    order: &dyn Fn() -> Rc<Order<'h>>,
    decides: Verdict,
    row: &'h ShortCode,
    shape: Shape,
    report: &mut Report,
) {
    let question = format!("whether `{}` names a site", row.in_words());
    let Some(example) = example(order, decides, row, &question, report) else { return };
    let named = here.plan.site_names().any(|site| {
        let names = Rc::new(Names::new(here.plan, site, Rc::new(super::machine::Anything)));
        let machine = Leads::new(order(), decides, &row.pattern, shape.clone(), names);
        report.ask(&machine, 1, &row.origin, &question) != Found::Nothing
    });
    if !named {
        let what = format!("no number of `{}` begins with a site, {example} for one", row.in_words());
        report.note(&row.origin, Kind::NoSite, what);
    }
}

/// A string that the row wins; what never wins is told as that, and nothing more.
fn example<'h>(
    order: &dyn Fn() -> Rc<Order<'h>>,
    decides: Verdict,
    row: &'h ShortCode,
    question: &str,
    report: &mut Report,
) -> Option<String> {
    let whole = Leads::new(order(), decides, &row.pattern, Shape::whole(), Rc::new(super::machine::Anything));
    match report.ask(&whole, 1, &row.origin, question) {
        Found::Witness(text) => Some(text),
        Found::Nothing | Found::GivenUp => None,
    }
}
