//! The explanation of a decision (SPEC 6.9), written by the code that decides, at no cost when nobody reads it.

use std::fmt;

use serde::Serialize;

/// The steps of a decision; off, it takes nothing and costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace(Option<Vec<Step>>);

/// One step. Digits and numbers are shown as dialled and built, except where a PIN is among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are what the step's line names")]
pub enum Step {
    /// What was dialled, where, by whom, and how if not by hand.
    Dialled { digits: String, by: String, site: String, how: String },
    /// An emergency number, dialled as such.
    Emergency { digits: String, number: String, row: String },
    /// Whose extension it is.
    Extension { digits: String, site: Option<String>, here: bool },
    /// The rights in force, or why there are none.
    Rights { name: Option<String>, why: String },
    /// A level is asked.
    Asked { level: String, digits: String, candidates: usize },
    /// A row that matches, and why it won or lost.
    Candidate { code: String, origin: String, won: bool, verdict: String },
    /// The final `#` is dropped.
    Complete { digits: String },
    /// A template is filled.
    Number { template: String, number: String },
    /// A form is entered, or passed over for another.
    Form { form: String, number: String, state: String },
    /// A way out.
    Route { group: String, trunks: Vec<String>, number: String, calling: String },
    /// A form has an alternate, for when none of its own routes can be had.
    Alternate { form: String, alternate: String, priority: u8, needs: u8, wait: u64 },
    /// A bar is asked.
    Bar { why: String },
    /// The digits go to another site.
    BreakOut { site: String, digits: String },
    /// Anything else that decided.
    Note { text: String },
    /// The outcome, in the words of SPEC 6.10.
    Gives { outcome: String },
}

impl Trace {
    /// Takes nothing.
    pub fn off() -> Self {
        Self(None)
    }

    /// Takes every step.
    pub fn on() -> Self {
        Self(Some(Vec::new()))
    }

    /// Whether steps are taken.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The steps so far.
    pub fn steps(&self) -> &[Step] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Adds a step, which is made only if someone reads it.
    pub(super) fn step(&mut self, step: impl FnOnce() -> Step) {
        if let Some(steps) = &mut self.0 {
            steps.push(step());
        }
    }

    /// These steps, and those of `later`.
    pub(super) fn then(mut self, later: Trace) -> Trace {
        if let (Some(steps), Some(later)) = (&mut self.0, later.0) {
            steps.extend(later);
        }
        self
    }

    /// A trace of one note, as on or off as `like`.
    pub(super) fn note(like: &Trace, text: impl FnOnce() -> String) -> Trace {
        let mut trace = if like.is_on() { Trace::on() } else { Trace::off() };
        trace.step(|| Step::Note { text: text() });
        trace
    }

    /// Shows `shown` wherever `secret` stands (SPEC 10.5).
    pub(super) fn mask(&mut self, secret: &str, shown: &str) {
        if secret.is_empty() {
            return;
        }
        for text in self.0.iter_mut().flatten().flat_map(Step::texts) {
            if text.contains(secret) {
                *text = text.replace(secret, shown);
            }
        }
    }
}

impl Serialize for Trace {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.steps().serialize(serializer)
    }
}

impl Step {
    /// What may hold digits that were dialled.
    fn texts(&mut self) -> Vec<&mut String> {
        match self {
            Self::Dialled { digits, .. }
            | Self::Extension { digits, .. }
            | Self::Asked { digits, .. }
            | Self::Complete { digits }
            | Self::BreakOut { digits, .. } => vec![digits],
            Self::Emergency { digits, number, .. } => vec![digits, number],
            Self::Number { number, .. } | Self::Form { number, .. } | Self::Route { number, .. } => vec![number],
            Self::Gives { outcome } if outcome.starts_with("BreakOut ") => vec![outcome],
            Self::Rights { .. }
            | Self::Candidate { .. }
            | Self::Alternate { .. }
            | Self::Bar { .. }
            | Self::Note { .. }
            | Self::Gives { .. } => Vec::new(),
        }
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps().iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dialled { digits, by, site, how } => write!(f, "{by} dials {digits} at {site}{how}"),
            Self::Note { text } => write!(f, "  {text}"),
            Self::Emergency { digits, number, row } => {
                writeln!(f, "  emergency: {digits} calls for help ({number}); this comes before everything else")?;
                write!(f, "    > {row}")
            }
            Self::Extension { digits, here: true, .. } => write!(f, "  extension {digits}: at this site"),
            Self::Extension { digits, site: Some(site), .. } => write!(f, "  extension {digits}: belongs to {site}"),
            Self::Extension { digits, site: None, .. } => {
                write!(f, "  extension {digits}: none, here or at another site")
            }
            Self::Rights { name: Some(name), why } => write!(f, "  rights in force: {name} ({why})"),
            Self::Rights { name: None, why } => write!(f, "  rights in force: none ({why})"),
            Self::Asked { level, digits, candidates: 0 } => write!(f, "  {level}: no code matches {digits}"),
            Self::Asked { level, digits, candidates: 1 } => write!(f, "  {level}: one code matches {digits}"),
            Self::Asked { level, digits, candidates } => write!(f, "  {level}: {candidates} codes match {digits}"),
            Self::Candidate { code, origin, won, verdict } => {
                write!(f, "    {} {code}: {verdict}", if *won { '>' } else { '-' })?;
                if origin.is_empty() { Ok(()) } else { write!(f, "  [{origin}]") }
            }
            Self::Complete { digits } => {
                write!(f, "  nothing matches with the final #: it means complete, on with {digits}")
            }
            Self::Number { template, number } => write!(f, "    number {template} = {number}"),
            Self::Form { form, number, state } => write!(f, "  ARS {form} with {number}: {state}"),
            Self::Route { group, trunks, number, calling } => {
                write!(f, "  route: {number} via {group} (trunks {}), calling number {calling}", trunks.join(", "))
            }
            Self::Alternate { form, alternate, priority, needs, wait } => {
                write!(f, "  ARS {form}: while no route above can be had, {alternate} instead: ")?;
                match wait {
                    0 => write!(f, "at once (priority {priority}, {needs} needed)"),
                    wait => write!(f, "after {wait} s of waiting (priority {priority}, {needs} needed)"),
                }
            }
            Self::Bar { why } => write!(f, "  barred: {why}"),
            Self::BreakOut { site, digits } if digits.is_empty() => {
                write!(f, "  Break Out: what the phone dials next, within 30 s, is dialled at {site}")
            }
            Self::BreakOut { site, digits } => write!(f, "  Break Out: {digits} is dialled at {site}"),
            Self::Gives { outcome } => write!(f, "= {outcome}"),
        }
    }
}
