//! `hotdesk logout`: ends a user's login, or those of all visitors of a site (SPEC 12.5), by the API of a running process.

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;

use super::ask::{Refusal, Whom};
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
        let done = self.order(named, &format!("/api/users/{extension}/logout"))?;
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
        let done = self.order(config, &format!("/api/visitors/logout?site={site}"))?;
        let count = done.get("logged_out").and_then(Value::as_u64).unwrap_or_default();
        Ok(match count {
            1 => format!("1 visitor of {site} is logged out"),
            count => format!("{count} visitors of {site} are logged out"),
        })
    }

    /// The process of the site, or of the user's home, is the one to ask; another one only if it has no word on it.
    fn order(&self, config: Option<&Path>, path: &str) -> Result<Value, Vec<String>> {
        let processes = self.whom.processes(config).map_err(|why| vec![why])?;
        let mut problems = Vec::new();
        for process in processes {
            match process.post(path) {
                Ok(done) => return Ok(done),
                Err(Refusal::Said { status, text }) if status != 404 => return Err(vec![text]),
                Err(why) => problems.push(why.to_string()),
            }
        }
        Err(problems)
    }
}

/// Whether it can stand in a path as it is.
fn is_plain(word: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    word.bytes().all(fits) && !word.is_empty()
}
