//! Expectations (SPEC 6.10): a plan's own tests. `check` tries them, and so does every reload.
//!
//! A row with `at` is tried at that moment; one without at a moment of every state that the time profiles of all sites can be in together. A row
//! that needs a plan that is not at hand cannot be tried, and is named.

use std::fmt;

use super::caller::{Around, Caller, Standing};
use super::decision::{Decision, Outcome};
use super::everywhere::{Everywhere, Unknown};
use super::trace::{Step, Trace};
use super::{Plan, follow};
use crate::settings::{Expect, Origin, Site};
use crate::timing::Wall;

/// What became of the expectations of every site.
#[derive(Clone, Debug, Default)]
pub struct Tried {
    /// Those that do not hold.
    pub broken: Vec<Broken>,
    /// Those that could not be tried, and why.
    pub untried: Vec<(Origin, String)>,
    /// How many hold.
    pub held: usize,
}

/// An expectation that does not hold. Prints with the trace; no PIN is in it (SPEC 10.5).
#[derive(Clone, Debug)]
pub struct Broken {
    /// The row's file and line.
    pub origin: Origin,
    /// Who dials what, and when.
    pub row: String,
    /// What the row says.
    pub expected: String,
    /// What happens.
    pub came: String,
    /// How it came to that.
    pub trace: Trace,
}

/// Tries every expectation of every site whose plan is at hand.
pub fn try_expectations(all: &Everywhere<'_>) -> Tried {
    let mut tried = Tried::default();
    let mut moments: Option<Vec<Wall>> = None;
    for site in all.sites.values() {
        let Some(plan) = all.plans.get(&site.name) else { continue };
        for row in &site.expect {
            let at = match row.at {
                Some(at) => plan.moment(&at.to_string()).into_iter().collect(),
                None => moments.get_or_insert_with(|| all.states().iter().map(|state| state.at).collect()).clone(),
            };
            match at.iter().map(|at| attempt(all, plan, site, row, *at)).find(|one| !matches!(one, One::Holds)) {
                None => tried.held += 1,
                Some(One::Holds) => {}
                Some(One::Broken(broken)) => tried.broken.push(*broken),
                Some(One::Untried(why)) => tried.untried.push((row.origin.clone(), why)),
            }
        }
    }
    tried
}

enum One {
    Holds,
    Broken(Box<Broken>),
    Untried(String),
}

fn attempt(all: &Everywhere<'_>, plan: &Plan, site: &Site, row: &Expect, at: Wall) -> One {
    let decision = match &row.trunk {
        Some(group) => {
            let around = Around { neighbours: all, ..Around::alone(at) };
            plan.route_incoming(group, &row.dials, &around, Trace::on())
        }
        None => match dialled(all, plan, site, row, at) {
            Ok(decision) => decision,
            Err(why) => return One::Untried(why),
        },
    };
    let came = decision.gives(plan.site());
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = words(&row.gives);
    if words(&came) == expected {
        return One::Holds;
    }
    if let Outcome::BreakOut(call) = &decision.outcome
        && !all.plans.contains_key(&call.site)
    {
        return One::Untried(format!("the plan of {} is not here", call.site));
    }
    let when = if row.at.is_some() || site.time_profiles.is_empty() { None } else { plan.local_time(at) };
    One::Broken(Box::new(Broken {
        origin: row.origin.clone(),
        row: in_words(row, &decision, when),
        expected,
        came,
        trace: decision.trace,
    }))
}

fn dialled(all: &Everywhere<'_>, plan: &Plan, site: &Site, row: &Expect, at: Wall) -> Result<Decision, String> {
    let user = row.user.as_ref().map_or("", |user| user.as_str());
    let caller = match all.caller(user, plan.site()) {
        Ok(caller) => caller,
        Err(Unknown::Nobody) if site.desks.contains_key(user) => {
            Caller { extension: user, standing: Standing::Desk, ..Caller::default() }
        }
        // lab mode: whoever fits is a user
        Err(Unknown::Nobody) => Caller { extension: user, ..Caller::default() },
        Err(Unknown::Home(home)) => {
            return Err(format!("the plan of {home} is not here, so nothing is known of user {user}"));
        }
    };
    let visits = |extension: &str| extension == user && caller.standing == Standing::Visitor;
    let around = Around { directory: &visits, neighbours: all, at };
    let first = plan.route(&row.dials, &caller, &around, Trace::on());
    Ok(follow(plan, first, &caller, &around))
}

/// The row, with what was dialled as the trace shows it.
fn in_words(row: &Expect, decision: &Decision, when: Option<String>) -> String {
    let shown = decision.trace.steps().iter().find_map(|step| match step {
        Step::Dialled { digits, .. } => Some(digits.clone()),
        _ => None,
    });
    let who = match (&row.user, &row.trunk) {
        (Some(user), _) => user.to_string(),
        (None, Some(trunk)) => format!("a trunk of {trunk}"),
        (None, None) => "nobody".to_owned(),
    };
    let when = row.at.map(|at| format!(" at {at}")).or(when.map(|at| format!(" at times such as {at}")));
    format!("{who} dials {}{}", shown.as_deref().unwrap_or(&row.dials), when.unwrap_or_default())
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, row, expected, came, trace } = self;
        write!(f, "{origin}: expectation broken: {row} should give `{expected}`, and gives `{came}`")?;
        trace.to_string().lines().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

impl Plan {
    /// What the site's clock shows, to the minute.
    pub(super) fn local_time(&self, at: Wall) -> Option<String> {
        let local = super::time_profile::local(at, self.timezone.as_ref()?)?;
        Some(local.strftime("%a %Y-%m-%dT%H:%M").to_string())
    }
}
