//! Who sent what to whom and when, for snapshots and for the eyes of whoever looks into a failure.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;

/// What became of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Sent,
    Lost,
    Twice,
    Cut,
    /// Nobody is at that address.
    Nowhere,
}

/// One datagram.
#[derive(Clone, Debug)]
pub struct Rung {
    pub at: Duration,
    pub from: String,
    pub to: String,
    pub bytes: Bytes,
    pub fate: Fate,
}

/// All datagrams in the order of their sending.
#[derive(Default)]
pub struct Ladder {
    rungs: Vec<Rung>,
}

impl Ladder {
    pub fn push(&mut self, rung: Rung) {
        self.rungs.push(rung);
    }

    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    pub fn len(&self) -> usize {
        self.rungs.len()
    }

    /// The rungs from `first` on. `names` are the texts that stand for somebody (contacts, addresses), with the name to show;
    /// longer ones are to come first. The probes between sites, which come when they come, are left out unless `probes`.
    pub fn text(&self, first: usize, names: &[(String, String)], probes: bool) -> String {
        let rungs = self.rungs.get(first..).unwrap_or_default();
        let shown = |rung: &&Rung| probes || !header(&rung.bytes, "CSeq").ends_with("OPTIONS");
        let start = rungs.first().map(|rung| rung.at).unwrap_or_default();
        let mut calls = BTreeMap::new();
        let mut out = String::new();
        for rung in rungs.iter().filter(shown) {
            let fate = match rung.fate {
                Fate::Sent => "",
                Fate::Lost => "  (lost)",
                Fate::Twice => "  (twice)",
                Fate::Cut => "  (cut off)",
                Fate::Nowhere => "  (nobody there)",
            };
            let number = calls.len() + 1;
            let call = calls.entry(header(&rung.bytes, "Call-ID")).or_insert(number);
            let at = (rung.at - start).as_secs_f64();
            let line = first_line(&rung.bytes, names);
            let cseq = header(&rung.bytes, "CSeq");
            let _ = writeln!(out, "{at:8.3}  {:>12} → {:<12}  [{call}] {line}  ({cseq}){fate}", rung.from, rung.to);
        }
        out
    }
}

fn first_line(bytes: &Bytes, names: &[(String, String)]) -> String {
    let line = bytes.split(|&b| b == b'\r').next().unwrap_or_default();
    let mut line = String::from_utf8_lossy(line).trim_end_matches(" SIP/2.0").replace("SIP/2.0 ", "");
    for (text, name) in names {
        line = line.replace(text, name);
    }
    line
}

/// A header's value in a message, for display only.
pub fn header(bytes: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(bytes);
    let value = text.lines().find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_string())
    });
    value.unwrap_or_default()
}
