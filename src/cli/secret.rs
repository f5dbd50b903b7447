//! `hotdesk secret`: something nobody can guess, for `link_secret`.

use std::process::ExitCode;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{complain, say};

/// Print a new secret for `link_secret`, `link_secrets` or `admin_token`
///
/// 32 bytes from the operating system's generator, as 44 characters of base64.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

impl Arguments {
    pub(super) fn run(self) -> ExitCode {
        let mut secret = [0; 32];
        if let Err(why) = getrandom::fill(&mut secret) {
            complain([format!("the system gives no random bytes: {why}")]);
            return ExitCode::FAILURE;
        }
        say(STANDARD.encode(secret));
        ExitCode::SUCCESS
    }
}
