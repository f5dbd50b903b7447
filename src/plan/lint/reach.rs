//! Who can reach numbers that begin so, and by which way (SPEC 6.11): `hotdesk check --reach 0909`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use super::here::{Here, Report};
use super::machine::{Begins, Found};
use super::order::{Order, Verdict};
use super::people::classes;
use super::ways::Walk;
use super::{finding::Finding, sites};
use crate::ids::SiteName;
use crate::plan::everywhere::State;
use crate::plan::level::Level;
use crate::plan::{Around, Caller, Decision, Everywhere, Outcome, Route, Standing, Trace, follow};

/// The answer: ways, and what could not be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// What the numbers begin with.
    pub digits: String,
    /// By site, then by way.
    pub ways: Vec<Way>,
    /// What was given up.
    pub undecided: Vec<Finding>,
}

/// One way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Where the phone is.
    pub site: String,
    /// The codes, forms and sites on the way, the trunks last.
    pub steps: Vec<String>,
    /// The shortest string that takes it.
    pub dialled: String,
    /// What it gives, in the words of SPEC 6.10.
    pub gives: String,
    /// Who may, and when, if not always.
    pub who: Vec<(Vec<String>, String)>,
}

/// Who can reach numbers that begin with `digits`: from every site whose plan is at hand, for every user in every state of the time profiles.
pub fn reach(all: &Everywhere<'_>, digits: &str) -> Reach {
    let sites = sites(all);
    let mut report = Report::new();
    let states = all.states();
    let mut ways = Vec::new();
    for here in &sites {
        let mut known: BTreeMap<String, Vec<Open>> = BTreeMap::new();
        let mut found: BTreeMap<Vec<String>, Way> = BTreeMap::new();
        for class in classes(all, here.plan.site()) {
            if class.caller.standing == Standing::Desk {
                continue;
            }
            let mut when: BTreeMap<Vec<String>, (String, String, Vec<bool>)> = BTreeMap::new();
            for (at, state) in states.iter().enumerate() {
                if here.plan.bar(&class.caller, state.at).is_some() {
                    continue;
                }
                let key = alike(&sites, &class.caller, state);
                let ways = known
                    .entry(key)
                    .or_insert_with(|| open(all, here, &sites, &class.caller, state, digits, &mut report));
                for Open { steps, dialled, gives } in ways.iter().cloned() {
                    let entry = when.entry(steps).or_insert((dialled, gives, vec![false; states.len()]));
                    entry.2[at] = true;
                }
            }
            for (steps, (dialled, gives, open)) in when {
                let who = class.who.iter().map(|who| (*who).to_owned()).collect();
                let way = found.entry(steps.clone()).or_insert(Way {
                    site: here.plan.site().to_string(),
                    steps,
                    dialled,
                    gives,
                    who: Vec::new(),
                });
                way.add(who, time_in_words(all, here, &states, &open));
            }
        }
        ways.extend(found.into_values());
    }
    Reach { digits: digits.to_owned(), ways, undecided: report.findings }
}

impl Way {
    fn add(&mut self, who: Vec<String>, when: String) {
        match self.who.iter_mut().find(|(_, known)| *known == when) {
            Some((known, _)) => {
                known.extend(who);
                known.sort();
            }
            None => self.who.push((who, when)),
        }
    }
}

/// A way that is open, a string that takes it, and what that gives.
#[derive(Clone)]
struct Open {
    steps: Vec<String>,
    dialled: String,
    gives: String,
}

/// What of a caller and a state makes a difference: the own codes, and at each site the rights in force and the forms that are open.
fn alike(sites: &[Here<'_>], caller: &Caller<'_>, state: &State) -> String {
    let mut key = if caller.level.is_some() { caller.extension.to_owned() } else { String::new() };
    for here in sites {
        let forms: Vec<_> = here.plan.forms.iter().map(|form| here.plan.form_state(form, state.at)).collect();
        let rights = here.plan.rights_in_force(&caller.rights, state.at).name;
        key.push_str(&format!(" {rights:?} {forms:?}"));
    }
    key
}

/// The ways that are open to a caller at a moment. A trunk that a short chain of Break Outs reaches is not looked for behind longer ones.
fn open(
    all: &Everywhere<'_>,
    here: &Here<'_>,
    sites: &[Here<'_>],
    caller: &Caller<'_>,
    state: &State,
    digits: &str,
    report: &mut Report,
) -> Vec<Open> {
    let rights = here.plan.rights_in_force(&caller.rights, state.at).name.and_then(|name| here.plan.rights.get(name));
    let own: Vec<&Level> = caller.level.into_iter().chain(rights.map(|rights| &rights.level)).collect();
    let wanted = Rc::new(Begins(digits.as_bytes().into()));
    let walk = Walk { sites, origin: here.plan.site(), caller: *caller, at: Some(state.at), wanted };
    let mut ways = Vec::new();
    for (level, codes) in own.iter().copied().chain([&here.plan.system]).enumerate() {
        for (place, row) in codes.rows().iter().enumerate() {
            let order = Rc::new(Order::dialled(here.plan, &here.help, &here.numbers, own.iter().copied()));
            let out = walk.out_of(here, &order, Verdict::Row { level, row: place }, row, &[]);
            ways.extend(out.into_iter().map(|way| (row, way)));
        }
    }
    ways.sort_by_key(|(_, way)| way.steps.iter().filter(|step| is_site(step)).count());
    let (mut open, mut ends): (Vec<Open>, BTreeSet<Vec<String>>) = Default::default();
    for (row, way) in ways {
        let home = [format!("at {}", here.plan.site())];
        let end = match way.steps.iter().rposition(|step| is_site(step)) {
            Some(at) => way.steps.get(at..).unwrap_or_default().to_vec(),
            None => home.iter().chain(&way.steps).cloned().collect(),
        };
        if ends.contains(&end) {
            continue;
        }
        let question = format!("whether {digits} can be reached by `{}`", row.in_words());
        let Found::Witness(dialled) = report.ask(&*way.machine, 1, &row.origin, &question) else { continue };
        let visits = |extension: &str| extension == caller.extension && caller.standing == Standing::Visitor;
        let around = Around { directory: &visits, neighbours: all, at: state.at };
        let first = here.plan.route(&dialled, caller, &around, Trace::off());
        let decision = follow(here.plan, first, caller, &around);
        // rights of the same name at the target may bar what is not a matter of digits
        if matches!(decision.outcome, Outcome::Trunk(_)) {
            ends.insert(end);
            let gives = given(decision, &way.steps, here.plan.site());
            open.push(Open { steps: way.steps, dialled, gives });
        }
    }
    open
}

/// What the route at the end of a way gives; when a caller may use an alternate depends on the priority.
fn given(mut decision: Decision, steps: &[String], asked: &SiteName) -> String {
    let Outcome::Trunk(routes) = &mut decision.outcome else { return decision.gives(asked) };
    let group = steps.last().and_then(|step| step.strip_prefix("trunks of ")).unwrap_or_default();
    let by_alternate = steps.iter().any(|step| step.starts_with("alternate of "));
    let is_it = |route: &Route| *route.group == *group && (!by_alternate || route.alternate.is_some());
    if let Some(at) = routes.iter().position(is_it) {
        routes.swap(0, at);
    }
    let alternate = routes.first().and_then(|route| route.alternate.clone());
    let gives = decision.gives(asked);
    alternate.map_or_else(|| gives.clone(), |alternate| format!("{gives} (by the alternate {})", alternate.form))
}

fn is_site(step: &str) -> bool {
    step.starts_with("at ")
}

/// When a way is open, if not always.
fn time_in_words(all: &Everywhere<'_>, here: &Here<'_>, states: &[State], open: &[bool]) -> String {
    if open.iter().all(|open| *open) {
        return String::new();
    }
    for (at, (site, name)) in all.profiles().into_iter().enumerate() {
        let active = |state: &State| state.active.get(at).copied().unwrap_or(false);
        let whose = if site == here.plan.site() { String::new() } else { format!(" of {site}") };
        if states.iter().zip(open).all(|(state, open)| active(state) == *open) {
            return format!("while {name}{whose} is active");
        }
        if states.iter().zip(open).all(|(state, open)| active(state) != *open) {
            return format!("outside {name}{whose}");
        }
    }
    let first = states.iter().zip(open).find(|(_, open)| **open).and_then(|(state, _)| here.plan.local_time(state.at));
    first.map(|at| format!("at times such as {at}")).unwrap_or_default()
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ways.is_empty() {
            write!(f, "nobody can reach a number that begins with {}", self.digits)?;
        } else {
            write!(f, "numbers that begin with {} can be reached:", self.digits)?;
        }
        for way in &self.ways {
            write!(f, "\n  at {}: {} gives {}", way.site, way.dialled, way.gives)?;
            write!(f, "\n    by {}", way.steps.join(" -> "))?;
            for (who, when) in &way.who {
                let when = if when.is_empty() { "at any time".to_owned() } else { when.clone() };
                write!(f, "\n    {}: {when}", who.join(", "))?;
            }
        }
        for finding in &self.undecided {
            write!(f, "\n  undecided: {}", finding.what)?;
        }
        Ok(())
    }
}
