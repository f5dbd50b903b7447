//! `hotdesk dial`: what a dialled string does, and why, without sending anything (SPEC 6.9).

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::plans::Plans;
use super::seats::Seats;
use super::shades::{Colour, shaded};
use super::{CONFIG, NOTHING_DONE, complain, say};
use crate::admin::Dial;
use crate::config::Sites;
use crate::ids::{Extension, SiteName};
use crate::net;
use crate::plan::{Around, Caller, Decision, Neighbours, Outcome, Plan, Standing, Step, Trace, follow};
use crate::timing::Wall;

/// Explain what a dialled string does, without sending anything
///
/// Prints every step of the decision: which levels were asked, which codes
/// match, which one wins and why, and where the call goes. A Break Out is
/// followed into the plans of the other sites, as far as they are there, and a
/// call to a user who is said to be logged in elsewhere to where that is.
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

    /// Who else is logged in where, such as 301=london; everybody is at home otherwise
    #[arg(long, value_name = "EXT=SITE")]
    logged_in: Vec<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// When to use colours; `auto`: on a terminal, unless NO_COLOR is set
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Colour,
}

/// What the plans say, and what the number means where its user is.
struct Explained<'p> {
    plan: &'p Plan,
    decision: Decision,
    gives: String,
    notes: Vec<String>,
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
        let explained = self.decide(plans, digits, self.seats(plans)?)?;
        if !self.json {
            return Ok(as_text(&explained, self.color.is_wanted()));
        }
        serde_json::to_string_pretty(&self.as_json(&explained)).map_err(|why| why.to_string())
    }

    fn decide<'p>(
        &self,
        plans: &'p Plans,
        digits: &str,
        mut logged_in: BTreeMap<Extension, SiteName>,
    ) -> Result<Explained<'p>, String> {
        let plan = self.plan(plans)?;
        let at = self.moment(plan)?;
        let (caller, note) = self.caller(plans, plan.site())?;
        if caller.standing == Standing::Visitor {
            logged_in.insert(Extension::new(&self.user), plan.site().clone());
        }
        let seats = Seats::new(plans, logged_in);
        let around = Around { directory: seats.directory(plan.site()), neighbours: &seats, at };
        let first = plan.route(digits, &caller, &around, Trace::on());
        let decision = follow(plan, first, &caller, &around);
        let notes = note.into_iter().chain(unseen(plans, &decision)).chain(refused(&decision));
        let notes = notes.chain(seats.notes(&decision)).collect();
        let gives = masked(&decision).unwrap_or_else(|| seats.gives(plan.site(), &decision));
        Ok(Explained { plan, decision, gives, notes })
    }

    /// `--logged-in`.
    fn seats(&self, plans: &Plans) -> Result<BTreeMap<Extension, SiteName>, String> {
        let network = &plans.0.network;
        let seat = |written: &String| {
            let (extension, site) =
                written.split_once('=').ok_or_else(|| format!("--logged-in {written}: EXT=SITE"))?;
            let entry = network
                .site(site)
                .ok_or_else(|| format!("no site {site}; the sites are {}", names(network.sites.keys())))?;
            network.home_of(extension).ok_or_else(|| format!("no site has an extension {extension}"))?;
            Ok((Extension::new(extension), entry.name.clone()))
        };
        self.logged_in.iter().map(seat).collect()
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

    fn as_json(&self, explained: &Explained<'_>) -> Value {
        let Explained { plan, decision, gives, notes } = explained;
        // As the trace shows them: with no PIN (SPEC 10.5).
        let digits = decision.trace.steps().iter().find_map(|step| match step {
            Step::Dialled { digits, .. } => Some(digits),
            _ => None,
        });
        json!({
            "site": plan.site().as_str(),
            "user": self.user,
            "digits": digits,
            "gives": gives,
            "steps": decision.trace,
            "notes": notes,
        })
    }
}

/// What `--json` prints, for a configuration that is at hand.
pub(super) fn explained(
    plans: &Plans,
    asked: &Dial,
    logged_in: BTreeMap<Extension, SiteName>,
) -> Result<Value, String> {
    let Dial { site, user, digits, at } = asked.clone();
    let (logged_in_here, color) = (Vec::new(), Colour::Never);
    let arguments = Arguments { dialled: Vec::new(), site, user, at, logged_in: logged_in_here, json: true, color };
    Ok(arguments.as_json(&arguments.decide(plans, &digits, logged_in)?))
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
        | Outcome::Feature { .. }
        | Outcome::EmergencyAtOrigin { .. } => None,
    }
}

/// A Break Out with no PIN behind its prefix: as the trace shows it (SPEC 10.5).
fn masked(decision: &Decision) -> Option<String> {
    let shown = decision.trace.steps().iter().rev().find_map(|step| match step {
        Step::Gives { outcome } => Some(outcome.clone()),
        _ => None,
    });
    shown.filter(|_| matches!(decision.outcome, Outcome::BreakOut(_)))
}

fn as_text(explained: &Explained<'_>, colours: bool) -> String {
    let notes: String = explained.notes.iter().map(|note| format!("note: {note}\n")).collect();
    format!("{}{notes}gives: {}", shaded(&explained.decision.trace, colours), explained.gives)
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
