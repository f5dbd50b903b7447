//! What is wrong with a configuration, and where.

use std::fmt;
use std::sync::Arc;

use super::document::At;
use super::files::Files;
use crate::settings::Origin;

/// A place in a file, as an operator looks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The file as it was named on the command line or in another file.
    pub file: Arc<str>,
    /// From 1; 0 where the whole file is meant.
    pub line: u32,
    /// In characters from 1; 0 where the whole line is meant.
    pub column: u32,
    /// The key path, such as `users[2].extension`, counted from 0; empty where the whole file is meant.
    pub key: String,
}

impl Spot {
    /// The file alone.
    pub fn file(name: impl Into<Arc<str>>) -> Self {
        Self { file: name.into(), ..Self::default() }
    }

    /// A key of the row that stands there.
    pub fn of(origin: &Origin, key: impl Into<String>) -> Self {
        Self { file: origin.file.clone(), line: origin.line, column: 0, key: key.into() }
    }

    /// File and line.
    pub fn origin(&self) -> Origin {
        Origin { file: self.file.clone(), line: self.line }
    }
}

/// `file:line`.
impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.origin(), f)
    }
}

/// One thing that is wrong, printed as `file:line: key: message`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub spot: Spot,
    /// What, and where possible what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.spot)?;
        if !self.spot.key.is_empty() {
            write!(f, "{}: ", self.spot.key)?;
        }
        f.write_str(&self.message)
    }
}

/// Every error found in one run, in the order of files and lines; never empty. Prints one line for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors(pub Vec<Problem>);

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

/// Collects what is found, so that one run names everything.
#[derive(Debug, Default)]
pub struct Report {
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
    /// Keys that a schema error has already been told about: nothing more is said of them and of what is below them.
    told: Vec<(Arc<str>, String)>,
    /// Secrets that can't be read are warnings.
    pub lenient: bool,
    /// Where files are read from.
    pub files: Files,
}

impl Report {
    /// With nothing in it.
    pub fn new(files: Files, lenient: bool) -> Self {
        Self { files, lenient, ..Self::default() }
    }

    /// Adds an error at a key.
    pub fn error(&mut self, at: At<'_>, message: impl Into<String>) {
        self.error_at(at.spot(), message);
    }

    /// Adds an error at a place that was noted before.
    pub fn error_at(&mut self, spot: Spot, message: impl Into<String>) {
        if !self.is_told(&spot) {
            self.errors.push(Problem { spot, message: message.into() });
        }
    }

    /// Adds a warning at a key.
    pub fn warn(&mut self, at: At<'_>, message: impl Into<String>) {
        self.warn_at(at.spot(), message);
    }

    /// Adds a warning at a place that was noted before.
    pub fn warn_at(&mut self, spot: Spot, message: impl Into<String>) {
        self.warnings.push(Problem { spot, message: message.into() });
    }

    /// From now on, errors at this key and below it follow from one already told.
    pub fn tell(&mut self, file: &Arc<str>, key: String) {
        self.told.push((file.clone(), key));
    }

    fn is_told(&self, spot: &Spot) -> bool {
        self.told.iter().any(|(file, key)| {
            let below = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
            *file == spot.file && spot.key.strip_prefix(key.as_str()).is_some_and(below)
        })
    }

    /// Whether an error has been found.
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// The warnings, if there was no error.
    pub fn finish(mut self) -> Result<Vec<Problem>, Errors> {
        self.errors.sort();
        self.errors.dedup();
        self.warnings.sort();
        self.warnings.dedup();
        if self.errors.is_empty() { Ok(self.warnings) } else { Err(Errors(self.errors)) }
    }
}
