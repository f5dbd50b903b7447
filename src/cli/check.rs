//! `hotdesk check`: is this configuration good?

use std::path::PathBuf;
use std::process::ExitCode;

use super::plans::Plans;
use super::{CONFIG, NOTHING_DONE, complain, say};
use crate::config::{Loaded, Sites};
use crate::plan::{Tried, reach};

/// Validate a configuration
///
/// Reads the network and every plan that is there, compiles the dial plans, tries
/// their expectations, and prints what is wrong and what is odd, with file and
/// line. What is odd in a dial plan is decided by analysis: codes that can never
/// win, what hides an emergency number, numbers that lead nowhere, circles. Sites
/// whose plan is not there are named and left out.
///
/// Exit code: 0 good, perhaps with warnings; 1 warnings under --strict; 2 errors,
/// an expectation that does not hold among them.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The network's configuration
    #[arg(default_value = CONFIG)]
    config: PathBuf,

    /// Exit with 1 if there are warnings
    #[arg(long)]
    strict: bool,

    /// Print who can reach numbers that begin so, by which way and when, and nothing else
    #[arg(long, value_name = "NUMBER")]
    reach: Option<String>,
}

impl Arguments {
    pub(super) fn run(self) -> ExitCode {
        let plans = match Plans::load(&self.config, &Sites::Present) {
            Ok(plans) => plans,
            Err(errors) => {
                complain(&errors);
                say(format_args!("{}: {}", self.config.display(), counted(errors.len(), "error")));
                return ExitCode::from(NOTHING_DONE);
            }
        };
        let loaded = &plans.0;
        if let Some(number) = &self.reach {
            say(reach(&loaded.everywhere(), number));
            return ExitCode::SUCCESS;
        }
        let (tried, findings) = (loaded.try_expectations(), loaded.lint());
        complain(&tried.broken);
        for warning in &loaded.warnings {
            say(format_args!("warning: {warning}"));
        }
        for (origin, why) in &tried.untried {
            say(format_args!("warning: {origin}: expectation not tried: {why}"));
        }
        for finding in &findings {
            say(format_args!("warning: {finding}"));
        }
        let warnings = loaded.warnings.len() + tried.untried.len() + findings.len();
        self.sum_up(loaded, &tried, warnings)
    }

    fn sum_up(&self, loaded: &Loaded, tried: &Tried, warnings: usize) -> ExitCode {
        let config = self.config.display();
        if !tried.broken.is_empty() {
            say(format_args!("{config}: {} broken", counted(tried.broken.len(), "expectation")));
            return ExitCode::from(NOTHING_DONE);
        }
        let users = loaded.sites.values().map(|site| site.users.len()).sum();
        say(format_args!(
            "{config}: good: {}, {}, {} kept, {}",
            counted(loaded.sites.len(), "site"),
            counted(users, "user"),
            counted(tried.held, "expectation"),
            counted(warnings, "warning")
        ));
        if self.strict && warnings > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
