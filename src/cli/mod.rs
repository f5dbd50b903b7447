//! The commands of `hotdesk` (SPEC 2).
//!
//! One file a command: its arguments, with the help text that a user reads, and what it does. Exit codes: 0 as it should be;
//! 1 it is not (a warning under `check --strict`, a site that broke); 2 nothing was done: wrong arguments, a wrong
//! configuration, a socket that can't be bound.

mod ask;
mod check;
mod demo;
mod dial;
mod hash;
mod logout;
mod network_file;
mod operator;
mod plans;
mod reset;
mod run;
mod seats;
mod secret;
mod shades;
mod who;

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Where a network's configuration is looked for unless it is named.
const CONFIG: &str = "config/network.toml";

/// Exit code of a command that did nothing.
const NOTHING_DONE: u8 = 2;

/// Hotdesk: SIP registrar and proxy for a network of sites.
///
/// A user of one site logs in at any other with an ordinary SIP phone: calls
/// follow, and what the user dials goes out through the dial plan of the site
/// where the phone is.
#[derive(Debug, Parser)]
#[command(name = "hotdesk", version, propagate_version = true, verbatim_doc_comment)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Arguments),
    Check(check::Arguments),
    Dial(dial::Arguments),
    Who(who::Arguments),
    Logout(logout::Arguments),
    Reset(reset::Arguments),
    Demo(demo::Arguments),
    Hash(hash::Arguments),
    Secret(secret::Arguments),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(arguments) => arguments.run(),
        Command::Check(arguments) => arguments.run(),
        Command::Dial(arguments) => arguments.run(),
        Command::Who(arguments) => arguments.run(),
        Command::Logout(arguments) => arguments.run(),
        Command::Reset(arguments) => arguments.run(),
        Command::Demo(arguments) => arguments.run(),
        Command::Hash(arguments) => arguments.run(),
        Command::Secret(arguments) => arguments.run(),
    }
}

/// `[CONFIG] WORD`: options may stand between the two, where clap can't tell them apart by their places.
fn config_and(words: &[String]) -> (PathBuf, &str) {
    match words {
        [config, word, ..] => (config.into(), word),
        [word] => (CONFIG.into(), word),
        [] => (CONFIG.into(), ""),
    }
}

/// Writes one line to standard output at once. Nobody listening is no reason to stop.
fn say(line: impl Display) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Writes what is wrong to standard error, one `error: ` before each line's worth.
fn complain(problems: impl IntoIterator<Item = impl Display>) {
    let mut out = io::stderr().lock();
    for problem in problems {
        let _ = writeln!(out, "error: {problem}");
    }
}
