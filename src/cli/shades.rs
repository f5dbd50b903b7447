//! Colours of a trace on a terminal.

use std::fmt::Write as _;
use std::io::IsTerminal;

use clap::builder::styling::{AnsiColor, Style};

use crate::plan::{Step, Trace};

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Into a pipe too.
    Always,
    /// Nowhere.
    Never,
}

impl Colour {
    /// Whether standard output is to have colours.
    pub(super) fn is_wanted(self) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                let says = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
                let plain = says("NO_COLOR").is_some() || says("TERM").is_some_and(|term| term == "dumb");
                !plain && std::io::stdout().is_terminal()
            }
        }
    }
}

/// The steps, one a line or more; in colours, what decided stands out and what lost stands back.
pub(super) fn shaded(trace: &Trace, colours: bool) -> String {
    let mut text = String::new();
    for step in trace.steps() {
        let style = if colours { style(step) } else { Style::new() };
        let _ = writeln!(text, "{style}{step}{style:#}");
    }
    text
}

fn style(step: &Step) -> Style {
    let in_colour = |colour: AnsiColor| colour.on_default();
    match step {
        Step::Dialled { .. } | Step::Gives { .. } => Style::new().bold(),
        Step::Emergency { .. } | Step::Bar { .. } => in_colour(AnsiColor::Red).bold(),
        Step::Candidate { won: true, .. } => in_colour(AnsiColor::Green),
        Step::Candidate { won: false, .. } | Step::Asked { candidates: 0, .. } => Style::new().dimmed(),
        Step::Route { .. } | Step::BreakOut { .. } => in_colour(AnsiColor::Cyan),
        Step::Form { .. } | Step::Alternate { .. } | Step::Rights { .. } => in_colour(AnsiColor::Yellow),
        Step::Extension { .. }
        | Step::Asked { .. }
        | Step::Complete { .. }
        | Step::Number { .. }
        | Step::Note { .. } => Style::new(),
    }
}
