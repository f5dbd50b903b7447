//! `hotdesk logout`: ends a user's login, or those of all visitors of a site (SPEC 12.5), by the API of a running process.

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

use super::ask::{Whom, is_plain};
use super::{NOTHING_DONE, complain, config_and, say};

/// Log a user out, or all visitors of a site
///
/// The phones lose the user, and their next refresh is refused; calls in progress
/// go on. A user who is logged in at another site is home again, and the phones
/// there that were parked ring again.
#[derive(Debug, clap::Args)]
#[command(
    verbatim_doc_comment,
    override_usage = "hotdesk logout [OPTIONS] [CONFIG] <EXT>\n       hotdesk logout [OPTIONS] [CONFIG] --site <SITE>"
)]
pub struct Arguments {
    /// The user's extension; before it, the network's configuration [default: config/network.toml]
    #[arg(required_unless_present = "site", num_args = 1..=2, value_name = "EXT")]
    words: Vec<String>,

    /// All users of other sites who are logged in at this one
    #[arg(long, value_name = "SITE")]
    site: Option<String>,

    #[command(flatten)]
    whom: Whom,
}

impl Arguments {
    pub(super) fn run(self) -> ExitCode {
        let done = match &self.site {
            Some(site) => self.log_visitors_out(site),
            None => self.log_out(),
        };
        match done {
            Ok(said) => {
                say(said);
                ExitCode::SUCCESS
            }
            Err(problems) => {
                complain(problems);
                ExitCode::from(NOTHING_DONE)
            }
        }
    }

    fn log_out(&self) -> Result<String, Vec<String>> {
        let (config, extension) = config_and(&self.words);
        let named = (self.words.len() > 1).then_some(config.as_path());
        if !is_plain(extension) {
            return Err(vec![format!("`{extension}` is no extension")]);
        }
        let done = self.whom.order(named, &format!("/api/users/{extension}/logout"))?;
        let at = done.get("was_at").and_then(Value::as_str).unwrap_or("no known site");
        Ok(format!("{extension} is logged out; the login was at {at}"))
    }

    fn log_visitors_out(&self, site: &str) -> Result<String, Vec<String>> {
        let config = match &self.words[..] {
            [] => None,
            [config] => Some(Path::new(config)),
            [_, extension, ..] => return Err(vec![format!("either {extension} or --site, not both")]),
        };
        if !is_plain(site) {
            return Err(vec![format!("`{site}` is no site")]);
        }
        let done = self.whom.order(config, &format!("/api/visitors/logout?site={site}"))?;
        let count = done.get("logged_out").and_then(Value::as_u64).unwrap_or_default();
        Ok(match count {
            1 => format!("1 visitor of {site} is logged out"),
            count => format!("{count} visitors of {site} are logged out"),
        })
    }
}
