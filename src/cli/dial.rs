//! `hotdesk dial`: what a dialled string does, and why, without sending anything (SPEC 6.9).

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::plans::Plans;
use super::{CONFIG, NOTHING_DONE, complain, say};
use crate::admin::Dial;
use crate::config::Sites;
use crate::ids::SiteName;
use crate::net;
use crate::plan::{Around, Caller, Decision, Feature, Outcome, Plan, Standing, Step, Trace, follow};
use crate::timing::Wall;

/// Explain what a dialled string does, without sending anything
///
/// Prints every step of the decision: which levels were asked, which codes
/// match, which one wins and why, and where the call goes. A Break Out is
/// followed into the plans of the other sites, as far as they are there.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, override_usage = "hotdesk dial [OPTIONS] --site <NAME> --user <EXT> [CONFIG] <DIGITS>")]
pub struct Arguments {
    /// What is dialled; before it, the network's configuration [default: config/network.toml]
    #[arg(required = true, num_args = 1..=2, value_name = "DIGITS")]
    dialled: Vec<String>,

    /// The site where the phone is
    #[arg(long, value_name = "NAME")]
    site: String,

    /// Who dials: an extension of any site, or the id of a phone
    #[arg(long, value_name = "EXT")]
    user: String,

    /// When, in local time of the site, such as 2026-11-23T22:00 [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(self) -> ExitCode {
        match self.answer() {
            Ok(text) => {
                say(text);
                ExitCode::SUCCESS
            }
            Err(problems) => {
                complain(problems);
                ExitCode::from(NOTHING_DONE)
            }
        }
    }

    fn answer(&self) -> Result<String, Vec<String>> {
        let (config, digits) = words(&self.dialled).map_err(|why| vec![why])?;
        let plans = Plans::load(config, &Sites::Present)?;
        self.explain(&plans, digits).map_err(|why| vec![why])
    }

    fn explain(&self, plans: &Plans, digits: &str) -> Result<String, String> {
        let (plan, decision, notes) = self.decide(plans, digits)?;
        if !self.json {
            return Ok(as_text(plan, &decision, &notes));
        }
        serde_json::to_string_pretty(&self.as_json(plan, &decision, notes)).map_err(|why| why.to_string())
    }

    fn decide<'p>(&self, plans: &'p Plans, digits: &str) -> Result<(&'p Plan, Decision, Vec<String>), String> {
        let plan = self.plan(plans)?;
        let at = self.moment(plan)?;
        let (caller, note) = self.caller(plans, plan.site())?;
        let here = |extension: &str| extension == self.user && caller.standing == Standing::Visitor;
        let around = Around { directory: &here, neighbours: plans, at };
        let first = plan.route(digits, &caller, &around, Trace::on());
        let decision = follow(plan, first, &caller, &around);
        let notes = note.into_iter().chain(unseen(plans, &decision)).chain(refused(&decision)).collect();
        Ok((plan, decision, notes))
    }

    fn plan<'p>(&self, plans: &'p Plans) -> Result<&'p Plan, String> {
        let name = self.site.as_str();
        match plans.0.plans.get(name) {
            Some(plan) => Ok(plan),
            None if plans.0.network.site(name).is_some() => Err(format!("the plan of {name} is not here")),
            None => Err(format!("no site {name}; the sites are {}", names(plans.0.network.sites.keys()))),
        }
    }

    fn moment(&self, plan: &Plan) -> Result<Wall, String> {
        let Some(at) = &self.at else { return Ok(net::now().wall) };
        let why = "is no time such as 2026-11-23T22:00, or the site has no timezone";
        plan.moment(at).ok_or_else(|| format!("--at {at}: {why}"))
    }

    /// The caller as the site sees it, and what could not be looked up.
    fn caller<'p>(&'p self, plans: &'p Plans, site: &SiteName) -> Result<(Caller<'p>, Option<String>), String> {
        let nobody = Caller { extension: &self.user, ..Caller::default() };
        if plans.0.sites.get(site).is_some_and(|here| here.desks.contains_key(&self.user)) {
            return Ok((Caller { standing: Standing::Desk, ..nobody }, None));
        }
        let Some(home) = plans.0.network.home_of(&self.user) else {
            return Err(format!("no site has an extension {}", self.user));
        };
        let standing = if home.name == *site { Standing::Local } else { Standing::Visitor };
        let nobody = Caller { standing, ..nobody };
        let (Some(settings), Some(plan)) = (plans.0.sites.get(&home.name), plans.0.plans.get(&home.name)) else {
            let note =
                format!("the plan of {} is not here: {} is taken for a user without settings", home.name, self.user);
            return Ok((nobody, Some(note)));
        };
        match settings.users.get(self.user.as_str()) {
            Some(user) => Ok((Caller::of(user, plan.level_of(&user.extension), standing), None)),
            None if settings.lab.is_some() => Ok((nobody, None)),
            None => Err(format!("{} has no user {}", home.name, self.user)),
        }
    }

    fn as_json(&self, plan: &Plan, decision: &Decision, notes: Vec<String>) -> Value {
        // As the trace shows them: with no PIN (SPEC 10.5).
        let digits = decision.trace.steps().iter().find_map(|step| match step {
            Step::Dialled { digits, .. } => Some(digits),
            _ => None,
        });
        json!({
            "site": plan.site().as_str(),
            "user": self.user,
            "digits": digits,
            "gives": gives(plan, decision),
            "steps": decision.trace,
            "notes": notes,
        })
    }
}

/// What `--json` prints, for a configuration that is at hand.
pub(super) fn explained(plans: &Plans, asked: &Dial) -> Result<Value, String> {
    let Dial { site, user, digits, at } = asked.clone();
    let arguments = Arguments { dialled: Vec::new(), site, user, at, json: true };
    let (plan, decision, notes) = arguments.decide(plans, &digits)?;
    Ok(arguments.as_json(plan, &decision, notes))
}

/// `[CONFIG] DIGITS`. Options may stand between the two, so that clap does not see how many there are.
fn words(words: &[String]) -> Result<(&Path, &str), String> {
    match words {
        [digits] => Ok((Path::new(CONFIG), digits)),
        [config, digits] if Path::new(config).exists() => Ok((Path::new(config), digits)),
        [config, digits] => {
            Err(format!("{config}: there is no such file; if `{config}` is dialled too, write {config}{digits}"))
        }
        [] | [_, _, ..] => {
            let extra = words.get(2..).unwrap_or_default().join(" ");
            Err(format!("`{extra}` is too much: at most CONFIG and DIGITS; what is dialled is one word"))
        }
    }
}

/// A Break Out that ends where no plan is at hand.
fn unseen(plans: &Plans, decision: &Decision) -> Option<String> {
    let Outcome::BreakOut(call) = &decision.outcome else { return None };
    let site = &call.site;
    if plans.0.plans.contains_key(site) {
        return None;
    }
    let digits = decision.trace.steps().iter().rev().find_map(|step| match step {
        Step::BreakOut { digits, .. } => Some(digits.as_str()),
        _ => None,
    });
    let digits = digits.unwrap_or("it");
    Some(format!("the plan of {site} is not here: what {digits} does there is for its own `hotdesk dial` to say"))
}

/// Why a phone would get 403, where the steps do not say it.
fn refused(decision: &Decision) -> Option<String> {
    match &decision.outcome {
        Outcome::Forbidden(why) => Some(format!("403: {why}")),
        Outcome::Feature { feature: Feature::ExtnLogin | Feature::ExtnLogout | Feature::DialPhysicalExtn, .. } => None,
        Outcome::Feature { feature, .. } => Some(format!("this release does not serve {feature}: it answers 403")),
        Outcome::Extension(_)
        | Outcome::Trunk(_)
        | Outcome::Emergency(_)
        | Outcome::BreakOut(_)
        | Outcome::Busy
        | Outcome::Barred(_)
        | Outcome::NotFound
        | Outcome::Incomplete
        | Outcome::LoopDetected
        | Outcome::NoRoute
        | Outcome::EmergencyAtOrigin { .. } => None,
    }
}

/// The outcome, with no PIN behind a Break Out prefix: as the trace shows it (SPEC 10.5).
fn gives(plan: &Plan, decision: &Decision) -> String {
    let shown = decision.trace.steps().iter().rev().find_map(|step| match step {
        Step::Gives { outcome } => Some(outcome.clone()),
        _ => None,
    });
    shown.filter(|_| matches!(decision.outcome, Outcome::BreakOut(_))).unwrap_or_else(|| decision.gives(plan.site()))
}

fn as_text(plan: &Plan, decision: &Decision, notes: &[String]) -> String {
    let notes: String = notes.iter().map(|note| format!("note: {note}\n")).collect();
    format!("{}{notes}gives: {}", decision.trace, gives(plan, decision))
}

fn names<'n>(names: impl Iterator<Item = &'n SiteName>) -> String {
    names.map(SiteName::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(written: &str) -> Result<(&'static str, String), String> {
        let all: Vec<String> = written.split(' ').map(str::to_owned).collect();
        words(&all).map(|(config, digits)| (if config == Path::new(CONFIG) { "" } else { "named" }, digits.to_owned()))
    }

    #[test]
    fn one_word_is_dialled_and_another_before_it_names_a_file() {
        assert_eq!(read("999"), Ok(("", "999".to_owned())));
        assert_eq!(read("Cargo.toml 999"), Ok(("named", "999".to_owned())));
    }

    #[test]
    fn a_number_in_two_words_is_refused() {
        let why = read("*819020 79460999").expect_err("there is no such file");
        assert_eq!(why, "*819020: there is no such file; if `*819020` is dialled too, write *81902079460999");
        let why = read("Cargo.toml *819020 7946 0999").expect_err("too many");
        assert_eq!(why, "`7946 0999` is too much: at most CONFIG and DIGITS; what is dialled is one word");
    }
}
