//! Lint (SPEC 6.11): what is odd in the plans of a network, decided and not sampled.
//!
//! `hotdesk check` asks ([`lint`], [`reach`]). What a row wins, where a number leads, which strings call for help: each is a set of strings, and each
//! such set is an automaton that makes its states as they are asked for ([`machine`]): a level is the tree that the plan itself searches ([`order`]),
//! a row with its template and what lies behind it is the preimage of a set ([`leads`]), a chain through forms and Break Outs ([`ways`]) is one within the
//! other. "Never" is the proof that such a set is empty; everything else comes with a shortest string that shows it.
//!
//! A question costs the states that differ: for a code with literals few, whatever the number of codes beside it; for a code of wildcards alone in the worst
//! case the product of its length and the codes that it covers. Questions are bounded, one by one and together; what was given up is told as
//! undecided, and never as good.
//!
//! An alternate form counts as a way for every number that has one by the form itself, whatever a caller's priority. Out of scope: calls
//! forwarded on a user's behalf, and what a code with two varying pieces in its number leads to: that is undecided.

mod codes;
mod emergency;
mod finding;
mod forms;
mod help;
mod here;
mod leads;
mod loops;
mod machine;
mod numbers;
mod order;
mod people;
mod reach;
mod site_numbers;
mod travel;
mod ways;

pub use finding::{Finding, Kind};
pub use reach::{Reach, Way, reach};

use super::Everywhere;
use here::{Here, Report};

/// Everything that is odd, in the order of files and lines.
pub fn lint(all: &Everywhere<'_>) -> Vec<Finding> {
    let sites = sites(all);
    let mut report = Report::new();
    for here in &sites {
        emergency::numbers(here, &mut report);
        emergency::hidden(all, here, &sites, &mut report);
        emergency::reached(all, here, &sites, &mut report);
        codes::system(here, &mut report);
        codes::rights(here, &mut report);
        codes::incoming(here, &mut report);
        codes::own(all, here, &sites, &mut report);
        forms::rows(here, &mut report);
        forms::dialled(here, &sites, &mut report);
        forms::alternates(here, &sites, &mut report);
        loops::break_outs(all, here, &sites, &mut report);
        travel::rights(all, here, &mut report);
        travel::licences(all, here, &mut report);
    }
    if report.untold() > 0 {
        let what = format!("{} more questions were given up: too many strings differ", report.untold());
        report.note(&Default::default(), Kind::Undecided, what);
    }
    let mut findings = report.findings;
    findings.sort_by(|a, b| {
        let key = |finding: &Finding| (finding.origin.file.clone(), finding.origin.line, finding.kind);
        key(a).cmp(&key(b)).then_with(|| a.what.cmp(&b.what))
    });
    findings.dedup();
    findings
}

fn sites<'a>(all: &Everywhere<'a>) -> Vec<Here<'a>> {
    let here = |site: &'a std::sync::Arc<crate::settings::Site>| Some(Here::new(all.plans.get(&site.name)?, site));
    all.sites.values().filter_map(here).collect()
}
