//! The messages and what is expected of them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use hotdesk::settings::Limits;
use hotdesk::sip::{Packet, Unreadable, Via, parse};

use crate::field;

/// One message and the answers to it that pass.
pub struct Case {
    pub file: String,
    pub bytes: Bytes,
    /// The words of `EXPECTED.tsv`.
    accepted: Vec<String>,
    /// What becomes of it when the sender is known; only of the field's own messages.
    pub known: Option<String>,
    flags: Vec<String>,
}

/// What came back for one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Silence,
    /// CR LF, to a keep-alive.
    Pong,
    Answer(u16),
    /// More than one final answer, or something that is none.
    Nonsense,
}

impl Case {
    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own == flag)
    }

    /// Whether it fits into a datagram.
    pub fn fits(&self) -> bool {
        !self.has("node")
    }

    /// Whether what was heard is among what passes.
    pub fn allows(&self, heard: Heard) -> bool {
        let takes = |word: &String| match (heard, word.as_str()) {
            (Heard::Silence, "silence") | (Heard::Pong, "pong") => true,
            (Heard::Answer(status), "4xx") => status / 100 == 4,
            (Heard::Answer(status), "sane") => status != 400 && status / 100 != 5,
            (Heard::Answer(status), word) => word.parse() == Ok(status),
            (Heard::Silence | Heard::Pong | Heard::Nonsense, _) => false,
        };
        let forbidden = |status| self.accepted.iter().any(|word| *word == format!("!{status}"));
        match heard {
            Heard::Silence if self.has("tcp") => true,
            Heard::Answer(status) if forbidden(status) => false,
            Heard::Silence | Heard::Pong | Heard::Answer(_) | Heard::Nonsense => self.accepted.iter().any(takes),
        }
    }

    /// The port that its top Via names for the answer.
    pub fn reply_port(&self) -> u16 {
        let port = |via: &Via| via.sent_by_port().unwrap_or(5060);
        match parse(self.bytes.clone(), &Limits::default()) {
            Ok(Packet::Request(request)) => port(request.via()),
            Ok(Packet::Response(_) | Packet::KeepAlive(_)) | Err(Unreadable::Drop(_)) => 5060,
            Err(Unreadable::Answer(bad)) => port(bad.via()),
        }
    }
}

impl Heard {
    /// What the datagrams that came back amount to.
    pub fn of<'d>(datagrams: impl IntoIterator<Item = &'d [u8]>) -> Self {
        let read = |datagram: &[u8]| match datagram {
            b"\r\n" => Self::Pong,
            [b'S', b'I', b'P', b'/', b'2', b'.', b'0', b' ', a @ b'1'..=b'6', b @ b'0'..=b'9', c @ b'0'..=b'9', ..] => {
                Self::Answer([a, b, c].iter().fold(0, |sum, &digit| sum * 10 + u16::from(digit - b'0')))
            }
            _ => Self::Nonsense,
        };
        let mut heard = datagrams.into_iter().map(read).filter(|heard| *heard != Self::Answer(100));
        match (heard.next(), heard.next()) {
            (None, _) => Self::Silence,
            (Some(first), None) => first,
            (Some(_), Some(_)) => Self::Nonsense,
        }
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence => f.write_str("silence"),
            Self::Pong => f.write_str("pong"),
            Self::Answer(status) => write!(f, "{status}"),
            Self::Nonsense => f.write_str("nonsense"),
        }
    }
}

/// Where the messages lie.
pub fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/torture"))
}

/// All messages: the RFCs' and the field's.
pub fn all() -> Vec<Case> {
    let mut all: Vec<Case> = rows("EXPECTED.tsv")
        .map(|row| Case {
            bytes: file(&row[0]),
            file: row[0].clone(),
            accepted: words(&row[4]),
            known: None,
            flags: words(&row[5]),
        })
        .collect();
    all.extend(field());
    all
}

/// The field's.
pub fn field() -> Vec<Case> {
    let made: BTreeMap<&str, Bytes> = field::made().into_iter().collect();
    let bytes = |name: &str| match name.strip_prefix("made/") {
        Some(made_name) => made.get(made_name).unwrap_or_else(|| panic!("{name} is not made")).clone(),
        None => file(name),
    };
    let case = |row: Vec<String>| Case {
        bytes: bytes(&row[0]),
        file: row[0].clone(),
        accepted: words(&row[2]),
        known: Some(row[3].clone()),
        flags: words(&row[4]),
    };
    rows("field/EXPECTED.tsv").map(case).collect()
}

fn rows(table: &str) -> impl Iterator<Item = Vec<String>> {
    let text = fs::read_to_string(folder().join(table)).unwrap();
    let lines: Vec<String> = text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    lines.into_iter().map(|line| line.split('\t').map(str::to_owned).collect())
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn file(name: &str) -> Bytes {
    fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}")).into()
}

/// A table of verdicts, printed at the end, with the number of those that are not as expected.
#[derive(Default)]
pub struct Table {
    rows: Vec<(bool, String)>,
}

impl Table {
    pub fn add(&mut self, case: &Case, heard: &str, expected: &str, is_good: bool) {
        let mark = if is_good { "    " } else { "BAD " };
        self.rows.push((is_good, format!("{mark}{:<48} {:<44} {expected}", case.file, heard)));
    }

    /// Adds what a stranger got.
    pub fn judge(&mut self, case: &Case, heard: Heard) {
        self.add(case, &heard.to_string(), &case.accepted.join(" "), case.allows(heard));
    }

    /// Prints the table, and fails the test if a verdict is unexpected.
    pub fn end(self, title: &str) {
        let bad: Vec<&str> = self.rows.iter().filter(|(good, _)| !good).map(|(_, row)| row.as_str()).collect();
        let all: Vec<&str> = self.rows.iter().map(|(_, row)| row.as_str()).collect();
        println!("--- {title}: message, verdict, what passes\n{}", all.join("\n"));
        println!("--- {title}: {} messages, {} unexpected", all.len(), bad.len());
        assert!(bad.is_empty(), "{title}\n{}", bad.join("\n"));
    }
}

#[test]
fn every_file_has_its_row() {
    let named: Vec<String> = all().into_iter().map(|case| case.file).collect();
    for folder_name in ["rfc4475", "rfc5118", "field"] {
        for entry in fs::read_dir(folder().join(folder_name)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".dat") {
                assert!(named.contains(&format!("{folder_name}/{name}")), "{folder_name}/{name} has no row");
            }
        }
    }
    assert_eq!(named.len(), named.iter().collect::<std::collections::BTreeSet<_>>().len(), "a message has two rows");
}
