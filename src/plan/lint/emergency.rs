//! Emergency numbers (SPEC 6.7): what hides them, and the proof that everybody reaches help with each of them, also behind a Break Out prefix.
//!
//! Dialled by itself or with the outside prefix, an emergency number is looked for before anything of the caller's: that is so by the plan's own code,
//! and tried here for a caller of every kind. So is one behind a Break Out prefix of the site. Behind a prefix that a user's or rights' code makes, those
//! codes decide, so there every kind of caller, every state of the time profiles and every number is tried; the lists are complete
//! ([`Help`](super::help::Help)), so this is a proof.

use std::collections::BTreeSet;

use super::finding::Kind;
use super::help::sources;
use super::here::{Here, Report};
use super::machine::Machine;
use super::order::{Order, Verdict};
use super::people::{classes, may_visit};
use super::ways::described;
use crate::ids::SiteName;
use crate::plan::feature::Feature;
use crate::plan::level::Level;
use crate::plan::short_code::ShortCode;
use crate::plan::{Around, Everywhere, Outcome, Standing, Trace, follow};
use crate::settings::Origin;

/// What is odd about the numbers themselves.
pub(super) fn numbers(here: &Here<'_>, report: &mut Report) {
    for row in here.help.always.iter().filter_map(|row| here.plan.system.rows().get(*row)) {
        let what = format!("`{}` calls for help whatever it matches", row.in_words());
        report.note(&row.origin, Kind::AlwaysEmergency, what);
    }
    for row in &here.help.unlisted {
        let what =
            format!("which strings lead through `{}` to an emergency number could not be listed", row.in_words());
        report.note(&row.origin, Kind::Undecided, what);
    }
    let help = !here.site.emergency.none;
    if help && here.site.emergency.anyone_from.is_empty() {
        let origin = Origin { line: 0, ..somewhere(here) };
        let what = format!("{} has an empty `[emergency] anyone_from`", here.plan.site());
        report.note(&origin, Kind::NobodyUnknown, what);
    }
    for (number, user) in here.site.users.iter().filter(|(number, _)| here.help.strings.contains(number.as_str())) {
        report.note(
            &user.origin,
            Kind::ExtensionIsEmergency,
            format!("extension {number} is an emergency number here"),
        );
    }
    for (number, group) in here.site.groups.iter().filter(|(number, _)| here.help.strings.contains(number.as_str())) {
        report.note(
            &group.origin,
            Kind::ExtensionIsEmergency,
            format!("extension {number} is an emergency number here"),
        );
    }
}

/// The site's file.
pub(super) fn somewhere(here: &Here<'_>) -> Origin {
    let codes = here.site.short_codes.iter().map(|row| &row.origin);
    let users = here.site.users.values().map(|user| &user.origin);
    codes.chain(users).next().cloned().unwrap_or_default()
}

/// Codes of any level that match an emergency number, and would decide about it if that did not come first.
pub(super) fn hidden(all: &Everywhere<'_>, here: &Here<'_>, sites: &[Here<'_>], report: &mut Report) {
    let mut told = BTreeSet::new();
    for number in here.plan.bare_emergencies() {
        if let Some(row) = wins_alone(here, &here.plan.system, number)
            && !matches!(row.feature, Feature::DialEmergency | Feature::Dial)
        {
            tell(row, number, here.plan.site(), &mut told, report);
        }
    }
    for rights in here.site.rights.keys().filter_map(|name| here.plan.rights.get(name.as_str())) {
        hidden_by(here, &rights.level, &mut told, report);
    }
    for home in sites {
        for user in home.site.users.values() {
            let Some(level) = home.plan.level_of(&user.extension) else { continue };
            if home.plan.site() == here.plan.site() || may_visit(all, user, here.plan.site()) {
                hidden_by(here, level, &mut told, report);
            }
        }
    }
}

fn hidden_by(here: &Here<'_>, level: &Level, told: &mut BTreeSet<(String, String)>, report: &mut Report) {
    for number in here.help.strings.iter().filter(|number| !number.ends_with('#')) {
        if let Some(row) = wins_alone(here, level, number)
            && row.feature != Feature::DialEmergency
        {
            tell(row, number, here.plan.site(), told, report);
        }
    }
}

/// Once for each row and site.
fn tell(row: &ShortCode, number: &str, site: &SiteName, told: &mut BTreeSet<(String, String)>, report: &mut Report) {
    if told.insert((format!("{} {}", row.origin, row.in_words()), site.to_string())) {
        let what = format!("`{}` matches {number}, an emergency number at {site}", row.in_words());
        report.note(&row.origin, Kind::HidesEmergency, what);
    }
}

fn wins_alone<'a>(here: &Here<'_>, level: &'a Level, text: &str) -> Option<&'a ShortCode> {
    let decided = Order::alone(here.plan, level).about(text)?;
    match decided.by {
        Verdict::Row { row, .. } => level.rows().get(row).filter(|row| !row.pattern.is_default()),
        Verdict::Emergency | Verdict::Extension => None,
    }
}

/// Tries every number for a caller of every kind in every state of the time profiles.
pub(super) fn reached(all: &Everywhere<'_>, here: &Here<'_>, sites: &[Here<'_>], report: &mut Report) {
    if here.site.emergency.none {
        return;
    }
    let (mut tries, states) = (0, all.states());
    let mut told: BTreeSet<(String, String)> = BTreeSet::new();
    for class in classes(all, here.plan.site()) {
        let numbers = numbers_of(here, sites, class.caller.level, &class.caller.rights);
        for (number, prefix) in &numbers {
            for state in &states {
                tries += 1;
                if tries > MOST_TRIES {
                    let what =
                        format!("whether every emergency number is reached at {} was given up", here.plan.site());
                    report.note(&Origin { line: 0, ..somewhere(here) }, Kind::Undecided, what);
                    return;
                }
                let visits =
                    |extension: &str| extension == class.caller.extension && class.caller.standing == Standing::Visitor;
                let around = Around { directory: &visits, neighbours: all, at: state.at };
                let first = here.plan.route(number, &class.caller, &around, Trace::off());
                let decision = follow(here.plan, first, &class.caller, &around);
                let helps = matches!(&decision.outcome, Outcome::Emergency(call) if !call.routes.is_empty());
                if helps && decision.site == *here.plan.site() {
                    continue;
                }
                let gives = decision.gives(here.plan.site());
                let (origin, row) = match prefix {
                    Some(row) => (row.origin.clone(), described(row)),
                    None => (Origin { line: 0, ..somewhere(here) }, "no prefix".to_owned()),
                };
                if told.insert((row, gives.clone())) {
                    let when = here.plan.local_time(state.at).filter(|_| states.len() > 1);
                    let when = when.map(|at| format!(" at times such as {at}")).unwrap_or_default();
                    let what = format!(
                        "{} dials {number} at {}{when}, an emergency number, and gets {gives}",
                        class.who.first().copied().unwrap_or("somebody"),
                        here.plan.site()
                    );
                    report.note(&origin, Kind::EmergencyNotReached, what);
                }
            }
        }
    }
}

/// One site's tries: callers, times and numbers.
const MOST_TRIES: usize = 200_000;

/// Every string that should call for help here, each with the Break Out code whose prefix it has.
fn numbers_of<'h>(
    here: &'h Here<'_>,
    sites: &[Here<'_>],
    own: Option<&'h Level>,
    names: &crate::plan::RightsNames<'_>,
) -> Vec<(String, Option<&'h ShortCode>)> {
    let mut numbers: Vec<(String, Option<&ShortCode>)> =
        here.help.strings.iter().map(|number| (number.clone(), None)).collect();
    let rights = [names.rights, names.out_of_hours].into_iter().flatten();
    let rights = rights.filter_map(|name| here.plan.rights.get(name)).map(|rights| &rights.level);
    for level in own.into_iter().chain(rights).chain([&here.plan.system]) {
        let usable = |row: &&ShortCode| here.plan.unusable(row).is_none();
        for row in level.rows().iter().filter(|row| row.feature == Feature::BreakOut).filter(usable) {
            for target in sites.iter().filter(|target| row.site.as_ref().is_none_or(|site| site == target.plan.site()))
            {
                let there =
                    target.help.strings.iter().chain(&here.help.strings).filter(|number| !number.ends_with('#'));
                for digits in there {
                    let output = match &row.site {
                        Some(_) => digits.clone(),
                        None => format!("{}*{digits}", target.plan.number_here()),
                    };
                    let dialled = sources(row, &output).unwrap_or_default();
                    // an extension comes before a code
                    let dialled = dialled.into_iter().filter(|text| !is_extension(here, text));
                    numbers.extend(dialled.map(|text| (text, Some(row))));
                }
            }
        }
    }
    numbers
}

fn is_extension(here: &Here<'_>, text: &str) -> bool {
    let state = text.bytes().fold(here.numbers.start(), |state, c| here.numbers.read(state, c));
    here.numbers.accepts(state)
}
