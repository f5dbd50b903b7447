//! `hotdesk hash`: what stands in a plan instead of a password.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::{Command, ExitCode, Stdio};

use super::{NOTHING_DONE, complain, config_and, network_file, say};
use crate::config::{ha1_md5, ha1_sha256};

/// Print the hashes of a user's password, for `[[users]]` and `[[phones]]`
///
/// The password is read from standard input: the first line of it. A hash
/// serves in the network's realm only, which is read from the configuration
/// unless --realm names it.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, override_usage = "hotdesk hash [OPTIONS] [CONFIG] <EXT>")]
pub struct Arguments {
    /// The user's extension, or a phone's id; before it, the network's configuration [default: config/network.toml]
    #[arg(required = true, num_args = 1..=2, value_name = "EXT")]
    user: Vec<String>,

    /// The digest realm, instead of the configuration's
    #[arg(long)]
    realm: Option<String>,
}

impl Arguments {
    pub(super) fn run(self) -> ExitCode {
        match self.hashes() {
            Ok([md5, sha256]) => {
                say(format_args!("ha1_md5 = \"{md5}\""));
                say(format_args!("ha1_sha256 = \"{sha256}\""));
                ExitCode::SUCCESS
            }
            Err(why) => {
                complain([why]);
                ExitCode::from(NOTHING_DONE)
            }
        }
    }

    fn hashes(&self) -> Result<[String; 2], String> {
        let (config, user) = config_and(&self.user);
        let realm = match &self.realm {
            Some(realm) => realm.clone(),
            None => network_file::realm(&config)?,
        };
        let password = password(user).map_err(|why| format!("no password: {why}"))?;
        if password.is_empty() {
            return Err("an empty password is none".to_owned());
        }
        Ok([ha1_md5, ha1_sha256].map(|hash| hash(user, &realm, &password)))
    }
}

/// Asks on a terminal, without showing what is typed; else reads a line.
fn password(user: &str) -> io::Result<String> {
    let terminal = io::stdin().is_terminal();
    if terminal {
        write!(io::stderr(), "Password of {user}: ")?;
        echo(false);
    }
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    if terminal {
        echo(true);
        writeln!(io::stderr())?;
    }
    read?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal that can't do it shows what is typed: no reason to fail.
fn echo(on: bool) {
    let _ = Command::new("stty").arg(if on { "echo" } else { "-echo" }).stdin(Stdio::inherit()).status();
}
