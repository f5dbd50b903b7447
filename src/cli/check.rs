//! `hotdesk check`: is this configuration good?

use std::path::PathBuf;
use std::process::ExitCode;

use super::plans::Plans;
use super::{CONFIG, NOTHING_DONE, complain, say};
use crate::config::Sites;

/// Validate a configuration
///
/// Reads the network and every plan that is there, compiles the dial plans, and
/// prints what is wrong and what is odd, with file and line. Sites whose plan is
/// not there are named and left out.
///
/// Exit code: 0 good, perhaps with warnings; 1 warnings under --strict; 2 errors.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The network's configuration
    #[arg(default_value = CONFIG)]
    config: PathBuf,

    /// Exit with 1 if there are warnings
    #[arg(long)]
    strict: bool,
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
        for warning in &loaded.warnings {
            say(format_args!("warning: {warning}"));
        }
        let users = loaded.sites.values().map(|site| site.users.len()).sum();
        say(format_args!(
            "{}: good: {}, {}, {}",
            self.config.display(),
            counted(loaded.sites.len(), "site"),
            counted(users, "user"),
            counted(loaded.warnings.len(), "warning")
        ));
        if self.strict && !loaded.warnings.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
