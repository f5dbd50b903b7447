//! `hotdesk logout`: ends a user's login (SPEC 12.5), by the API of a running process.

use std::process::ExitCode;

use serde_json::Value;

use super::ask::{Refusal, Whom};
use super::{NOTHING_DONE, complain, config_and, say};

/// Log a user out
///
/// The phones lose the user, and their next refresh is refused; calls in progress
/// go on. A user who is logged in at another site is home again, and the phones
/// there that were parked ring again.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, override_usage = "hotdesk logout [OPTIONS] [CONFIG] <EXT>")]
pub struct Arguments {
    /// The user's extension; before it, the network's configuration [default: config/network.toml]
    #[arg(required = true, num_args = 1..=2, value_name = "EXT")]
    words: Vec<String>,

    #[command(flatten)]
    whom: Whom,
}

impl Arguments {
    pub(super) fn run(self) -> ExitCode {
        let (config, extension) = config_and(&self.words);
        let named = (self.words.len() > 1).then_some(config.as_path());
        match self.log_out(named, extension) {
            Ok(at) => {
                say(format_args!("{extension} is logged out; the login was at {at}"));
                ExitCode::SUCCESS
            }
            Err(problems) => {
                complain(problems);
                ExitCode::from(NOTHING_DONE)
            }
        }
    }

    /// The process of the user's home is the one to ask; another one only if it has no word on the user.
    fn log_out(&self, config: Option<&std::path::Path>, extension: &str) -> Result<String, Vec<String>> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !extension.bytes().all(fits) || extension.is_empty() {
            return Err(vec![format!("`{extension}` is no extension")]);
        }
        let processes = self.whom.processes(config).map_err(|why| vec![why])?;
        let mut problems = Vec::new();
        for process in processes {
            match process.post(&format!("/api/users/{extension}/logout")) {
                Ok(done) => {
                    return Ok(done.get("was_at").and_then(Value::as_str).unwrap_or("no known site").to_owned());
                }
                Err(Refusal::Said { status, text }) if status != 404 => return Err(vec![text]),
                Err(why) => problems.push(why.to_string()),
            }
        }
        Err(problems)
    }
}
