//! `hotdesk hash`: what stands in a plan instead of a password.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::{Command, ExitCode, Stdio};

use super::{NOTHING_DONE, complain, config_and, network_file, say};
use crate::config::{ha1_md5, ha1_sha256};

/// Print the hashes of a user's password, for `[[users]]` and `[[phones]]`, or of a login code
///
/// The password or code is read from standard input: the first line of it. A hash
/// serves in the network's realm only, which is read from the configuration
/// unless --realm names it.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, override_usage = "hotdesk hash [OPTIONS] [CONFIG] <EXT>")]
pub struct Arguments {
    /// The user's extension, or a phone's id; before it, the network's configuration [default: config/network.toml]
    #[arg(required = true, num_args = 1..=2, value_name = "EXT")]
    user: Vec<String>,

    /// The hash of the user's login code, instead of those of the password
    #[arg(long)]
    code: bool,

    /// The digest realm, instead of the configuration's
    #[arg(long)]
    realm: Option<String>,
}

impl Arguments {
    pub(super) fn run(self) -> ExitCode {
        match self.hashes() {
            Ok(hashes) => {
                hashes.iter().for_each(|(key, hash)| say(format_args!("{key} = \"{hash}\"")));
                ExitCode::SUCCESS
            }
            Err(why) => {
                complain([why]);
                ExitCode::from(NOTHING_DONE)
            }
        }
    }

    /// The keys of a user's row, and what stands there.
    fn hashes(&self) -> Result<Vec<(&'static str, String)>, String> {
        let (config, user) = config_and(&self.user);
        let realm = match &self.realm {
            Some(realm) => realm.clone(),
            None => network_file::realm(&config)?,
        };
        let what = if self.code { "login code" } else { "password" };
        let secret = secret(what, user).map_err(|why| format!("no {what}: {why}"))?;
        if secret.is_empty() {
            return Err(format!("an empty {what} is none"));
        }
        let (md5, sha256) = (ha1_md5(user, &realm, &secret), ha1_sha256(user, &realm, &secret));
        match self.code {
            true if !is_login_code(&secret) => Err("a login code has 1 to 31 digits".to_owned()),
            true => Ok(vec![("login_code_hash", sha256)]),
            false => Ok(vec![("ha1_md5", md5), ("ha1_sha256", sha256)]),
        }
    }
}

/// What a phone can dial as a code.
fn is_login_code(code: &str) -> bool {
    code.len() <= 31 && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// Asks on a terminal, without showing what is typed; else reads a line.
fn secret(what: &str, user: &str) -> io::Result<String> {
    let terminal = io::stdin().is_terminal();
    if terminal {
        write!(io::stderr(), "The {what} of {user}: ")?;
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
