//! One file of the configuration: its text, its keys with their places, and its strict reading.
//!
//! A schema error is noted, the offending key is taken out and the file is read again, so that one run names every wrong
//! key of a file.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue, Deserializer};

use super::nearest::nearest;
use super::problem::{Report, Spot};

/// More schema errors than this in one file are not looked for.
const MOST_ERRORS: usize = 50;

/// A file that was read.
#[derive(Debug)]
pub struct Document {
    /// The file as the operator names it.
    pub name: Arc<str>,
    /// Relative paths in it start here.
    pub directory: PathBuf,
    /// The byte at which each line starts.
    lines: Vec<usize>,
    keys: Keys,
}

#[derive(Debug)]
enum Keys {
    Toml(Below),
    /// The line of each row; their keys are the columns.
    Csv(Vec<u32>),
}

/// The keys of a table or the rows of a list, each with the byte where it begins.
#[derive(Debug)]
enum Below {
    Table(BTreeMap<Box<str>, (usize, Below)>),
    List(Vec<(usize, Below)>),
    Nothing,
}

impl Document {
    /// Reads a TOML file of the shape `T`. What is wrong goes to the report; `None` where nothing could be read at all.
    pub fn toml<T: DeserializeOwned>(path: &Path, text: &str, report: &mut Report) -> Option<(Self, T)> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Self::new(path, text, Keys::Toml(Below::table(root.get_ref())));
        for error in &errors {
            let (line, column) = document.place(error.span().map(|span| span.start));
            let spot = Spot { line, column, ..Spot::file(document.name.clone()) };
            let key = error.span().filter(|_| error.message() == "duplicate key").and_then(|span| text.get(span));
            let key = key.map(|key| format!(" `{key}`")).unwrap_or_default(); // any other span may hold a secret
            report.error_at(spot, format!("not TOML: {}{key}", error.message()));
        }
        if !errors.is_empty() {
            return None;
        }
        let value = document.strict(root, report)?;
        Some((document, value))
    }

    /// A CSV file whose rows stand at these lines.
    pub fn csv(path: &Path, lines: Vec<u32>) -> Self {
        Self::new(path, "", Keys::Csv(lines))
    }

    fn new(path: &Path, text: &str, keys: Keys) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self {
            name: path.display().to_string().into(),
            directory: path.parent().unwrap_or(Path::new("")).to_path_buf(),
            lines,
            keys,
        }
    }

    /// The top of the file.
    pub fn root(&self) -> At<'_> {
        At { document: self, step: Step::Root }
    }

    /// A path written in this file.
    pub fn path(&self, written: &str) -> PathBuf {
        self.directory.join(written)
    }

    fn strict<T: DeserializeOwned>(&self, mut rest: Spanned<DeTable<'_>>, report: &mut Report) -> Option<T> {
        for _ in 0..MOST_ERRORS {
            match serde_path_to_error::deserialize(Deserializer::from(rest.clone())) {
                Ok(value) => return Some(value),
                Err(error) => {
                    let path: Vec<Hop> = error.path().iter().filter_map(Hop::of).collect();
                    self.schema_error(&path, error.inner().message(), report);
                    take_out(rest.get_mut(), &path)?;
                }
            }
        }
        None
    }

    fn schema_error(&self, path: &[Hop], message: &str, report: &mut Report) {
        let (text, instead) = plainly(message);
        report.error_at(self.spot(path), text);
        let Some(last) = path.iter().rposition(|hop| matches!(hop, Hop::Key(_))) else { return };
        report.tell(&self.name, written(&path[..=last]));
        if let Some(instead) = instead {
            report.tell(&self.name, written(&with(path[..last].to_vec(), Hop::Key(instead))));
        }
    }

    fn spot(&self, path: &[Hop]) -> Spot {
        let (line, column) = match &self.keys {
            Keys::Toml(top) => self.place(top.byte_of(path)),
            Keys::Csv(lines) => match path.first() {
                Some(Hop::Index(row)) => (lines.get(*row).copied().unwrap_or(0), 0),
                Some(Hop::Key(_)) | None => (1, 0),
            },
        };
        let key = match &self.keys {
            Keys::Toml(_) => written(path),
            Keys::Csv(_) => written(path.get(1..).unwrap_or(&[])),
        };
        Spot { file: self.name.clone(), line, column, key }
    }

    fn place(&self, byte: Option<usize>) -> (u32, u32) {
        let Some(byte) = byte else { return (0, 0) };
        let line = self.lines.partition_point(|&start| start <= byte);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        (line as u32, (byte - start) as u32 + 1)
    }
}

/// A key or row of a document: what a message points at. Cheap to make; it becomes text only where a message needs it.
#[derive(Clone, Copy)]
pub struct At<'a> {
    /// The file.
    pub document: &'a Document,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a At<'a>, &'a str),
    Index(&'a At<'a>, usize),
}

impl<'a> At<'a> {
    /// A key of this table.
    pub fn key(&'a self, key: &'a str) -> At<'a> {
        At { document: self.document, step: Step::Key(self, key) }
    }

    /// A row of this list.
    pub fn row(&'a self, index: usize) -> At<'a> {
        At { document: self.document, step: Step::Index(self, index) }
    }

    /// File, line, column and key path.
    pub fn spot(&self) -> Spot {
        self.document.spot(&self.hops())
    }

    fn hops(&self) -> Vec<Hop> {
        match self.step {
            Step::Root => Vec::new(),
            Step::Key(parent, key) => with(parent.hops(), Hop::Key(key.to_owned())),
            Step::Index(parent, index) => with(parent.hops(), Hop::Index(index)),
        }
    }
}

fn with(mut hops: Vec<Hop>, last: Hop) -> Vec<Hop> {
    hops.push(last);
    hops
}

impl fmt::Debug for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.spot(), f)
    }
}

/// One step of a key path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Hop {
    Key(String),
    Index(usize),
}

impl Hop {
    fn of(segment: &Segment) -> Option<Self> {
        match segment {
            Segment::Seq { index } => Some(Self::Index(*index)),
            Segment::Map { key } | Segment::Enum { variant: key } => Some(Self::Key(key.clone())),
            Segment::Unknown => None,
        }
    }
}

fn written(path: &[Hop]) -> String {
    let mut text = String::new();
    for hop in path {
        match hop {
            Hop::Key(key) if text.is_empty() => text.push_str(key),
            Hop::Key(key) => text.extend([".", key]),
            Hop::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

impl Below {
    fn table(table: &DeTable<'_>) -> Self {
        let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let below = Self::of(value.get_ref());
            let at = if matches!(below, Self::Nothing) { value.span() } else { key.span() };
            (key_text(key), (at.start, below))
        };
        Self::Table(table.iter().map(entry).collect())
    }

    fn of(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::Table(table) => Self::table(table),
            DeValue::Array(rows) => Self::List(rows.iter().map(|v| (v.span().start, Self::of(v.get_ref()))).collect()),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => Self::Nothing,
        }
    }

    /// Where the deepest part of `path` that is there begins: a table at its key or header, anything else at its value.
    fn byte_of(&self, path: &[Hop]) -> Option<usize> {
        let (hop, rest) = path.split_first()?;
        let (byte, below) = match (self, hop) {
            (Self::Table(keys), Hop::Key(key)) => keys.get(key.as_str())?,
            (Self::List(rows), Hop::Index(index)) => rows.get(*index)?,
            (Self::Table(_), Hop::Index(_)) | (Self::List(_), Hop::Key(_)) | (Self::Nothing, _) => return None,
        };
        below.byte_of(rest).or(Some(*byte))
    }
}

fn key_text(key: &Spanned<DeString<'_>>) -> Box<str> {
    key.get_ref().as_ref().into()
}

/// Takes the innermost key of `path` out; `None` if it is not there, which ends the search for more errors.
fn take_out(table: &mut DeTable<'_>, path: &[Hop]) -> Option<()> {
    let last = path.iter().rposition(|hop| matches!(hop, Hop::Key(_)))?;
    let (Some(Hop::Key(key)), parents) = (path.get(last), path.get(..last)?) else { return None };
    let mut here = Here::Table(table);
    for hop in parents {
        here = here.below(hop)?;
    }
    let Here::Table(table) = here else { return None };
    table.remove(key.as_str()).map(|_| ())
}

enum Here<'t, 'i> {
    Table(&'t mut DeTable<'i>),
    Array(&'t mut DeArray<'i>),
}

impl<'t, 'i> Here<'t, 'i> {
    fn below(self, hop: &Hop) -> Option<Here<'t, 'i>> {
        let value = match (self, hop) {
            (Here::Table(table), Hop::Key(key)) => table.get_mut(key.as_str())?,
            (Here::Array(array), Hop::Index(index)) => array.get_mut(*index)?,
            (Here::Table(_), Hop::Index(_)) | (Here::Array(_), Hop::Key(_)) => return None,
        };
        match value.get_mut() {
            DeValue::Table(table) => Some(Here::Table(table)),
            DeValue::Array(array) => Some(Here::Array(array)),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => None,
        }
    }
}

/// Serde's message in this product's words, and for an unknown key the one that was probably meant.
fn plainly(message: &str) -> (String, Option<String>) {
    if let Some((key, known)) = message.strip_prefix("unknown field ").and_then(|rest| rest.split_once(',')) {
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let instead = nearest(key.trim_matches('`'), known.iter().copied());
        let text = match instead {
            Some(instead) => format!("unknown key; did you mean `{instead}`?"),
            None => format!("unknown key; known here: {}", known.join(", ")),
        };
        return (text, instead.map(str::to_owned));
    }
    if let Some((found, expected)) =
        message.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        return (format!("{} is needed, not {}", kind(expected), kind(found)), None);
    }
    (message.to_owned(), None)
}

fn kind(serde: &str) -> &str {
    match serde {
        "i64" => "a whole number",
        "a sequence" | "sequence" => "a list",
        "a map" | "map" => "a table",
        "a boolean" => "true or false",
        other if other.starts_with("struct ") => "a table",
        other => other,
    }
}
