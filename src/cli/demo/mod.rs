//! `hotdesk demo`: the sample network plays its whole story over real UDP sockets (SPEC 2.1).
//!
//! [`sample`] is the network of `config/`, built into the program and moved to free ports; [`stage`] runs its sites as `run` does,
//! with simulated phones and carriers round them; [`story`] is what happens, step by step, and what has to come of it;
//! [`ladder`] draws what went over the wire, as the sites' taps saw it.

mod cast;
mod label;
mod ladder;
mod sample;
mod seat;
mod stage;
mod story;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use tokio::runtime;

use self::cast::Part;
use self::stage::Stage;
use self::story::{Step, Verdict};
use super::{NOTHING_DONE, complain, say};

/// Play the whole story of the sample network, and check it
///
/// The three sites run in this process, on free ports of 127.0.0.1, with simulated
/// phones and carriers: login at a visited site, a call that follows, calls by the
/// visited site's dial plan and by Break Out, an emergency call, logout. Each step
/// prints the ladder of its messages and a verdict. No file is read or written.
///
/// Exit code 0 only if every step held.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {}

impl Arguments {
    pub(super) fn run(self) -> ExitCode {
        match play() {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(problems) => {
                complain(problems);
                ExitCode::from(NOTHING_DONE)
            }
        }
    }
}

/// Says whether every step held.
fn play() -> Result<bool, Vec<String>> {
    let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build();
    runtime.map_err(|why| vec![why.to_string()])?.block_on(async {
        let mut stage = Stage::set().await?;
        let mut teller = Teller::new();
        teller.begin(&stage);
        story::play(&mut stage, &mut teller).await;
        stage.strike();
        Ok(teller.end())
    })
}

/// Prints the story, and counts.
struct Teller {
    colours: bool,
    steps: usize,
    held: usize,
}

impl Teller {
    fn new() -> Self {
        // https://no-color.org
        let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        Self { colours, steps: 0, held: 0 }
    }

    fn begin(&self, stage: &Stage) {
        say(self.bold(&format!(
            "Hotdesk {}: three sites, one user who moves, and the calls that follow",
            env!("CARGO_PKG_VERSION")
        )));
        say(
            "\nReal UDP on 127.0.0.1, with simulated phones and carriers; the network is the sample of config/,\nbut for the office hours of 201: the story is the same at any hour.\n",
        );
        for part in Part::ALL {
            let (name, address) = (part.name(), stage.address(part));
            say(format_args!("   {name:<12} {:<36} {address}", part.who()));
        }
        say(
            "\n   In the ladders, \"digest\" marks a request with credentials, \"proof\" one that a site proves to another by the link\n   secret, \"again\" a retransmission; the OPTIONS by which the sites keep in touch are left out.",
        );
    }

    /// What is printed while the step is played.
    fn heading(&mut self, step: &Step) {
        self.steps += 1;
        say(format_args!("\n\n{}\n   {}\n", self.bold(&format!("{}. {}", self.steps, step.title)), step.why));
    }

    fn verdict(&mut self, ladder: &str, verdict: &Verdict) {
        say(ladder);
        match verdict {
            Ok(facts) => {
                self.held += 1;
                say(format_args!("   {} {facts}", self.paint("32", "held:")));
            }
            Err(why) => say(format_args!("   {} {why}", self.paint("1;31", "FAILED:"))),
        }
    }

    fn end(self) -> bool {
        let all = self.held == self.steps;
        let of = if all { String::new() } else { format!(" of {}", self.steps) };
        let held = format!("{}{of} steps held", self.held);
        say(format_args!("\n\n{}", self.paint(if all { "1;32" } else { "1;31" }, &held)));
        all
    }

    fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    /// ECMA-48 Select Graphic Rendition.
    fn paint(&self, how: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{how}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
