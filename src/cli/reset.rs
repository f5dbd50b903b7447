//! `hotdesk reset`: drops what a user has changed by dialling (SPEC 7.4), by the API of a running process.

use std::process::ExitCode;

use serde_json::Value;

use super::ask::{Whom, is_plain};
use super::{NOTHING_DONE, complain, config_and, say};

/// Drop what a user has changed by dialling
///
/// Forwards, do not disturb, follow me, the outgoing bar and the login code are
/// again what the configuration says. Where the user is at another site, it
/// holds there at once.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, override_usage = "hotdesk reset [OPTIONS] [CONFIG] <EXT>")]
pub struct Arguments {
    /// The user's extension; before it, the network's configuration [default: config/network.toml]
    #[arg(required = true, num_args = 1..=2, value_name = "EXT")]
    words: Vec<String>,

    #[command(flatten)]
    whom: Whom,
}

impl Arguments {
    pub(super) fn run(self) -> ExitCode {
        match self.reset() {
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

    fn reset(&self) -> Result<String, Vec<String>> {
        let (config, extension) = config_and(&self.words);
        let named = (self.words.len() > 1).then_some(config.as_path());
        if !is_plain(extension) {
            return Err(vec![format!("`{extension}` is no extension")]);
        }
        let done = self.whom.order(named, &format!("/api/users/{extension}/reset"))?;
        let dropped = done.get("reset").and_then(Value::as_object);
        let keys: Vec<&str> = dropped.into_iter().flat_map(|all| all.keys()).map(String::as_str).collect();
        Ok(format!("{extension} has again what the configuration says: {}", keys.join(", ")))
    }
}
