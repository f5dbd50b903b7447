//! The ladder: a column for each part, an arrow for each message.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;

use super::cast::Part;
use super::label::Label;
use crate::sip::Method;

/// Between two columns, in characters. Four of them fit into 120.
const GAP: usize = 30;

/// From the left margin to the first column.
const MARGIN: usize = 17;

/// A longer silence gets a line of its own.
const SILENCE: Duration = Duration::from_millis(100);

/// One message.
#[derive(Clone, Debug)]
pub struct Rung {
    /// Since the step began.
    pub at: Duration,
    /// Who sent it.
    pub from: Part,
    /// To whom.
    pub to: Part,
    /// What it says.
    pub label: Label,
    /// The whole of it.
    pub bytes: Bytes,
}

impl Rung {
    /// Whether two sites keep in touch by it: it comes when it comes.
    pub fn is_probe(&self) -> bool {
        self.is_between_sites() && self.label.method == Method::OPTIONS
    }

    /// Whether it goes from one site to another.
    pub fn is_between_sites(&self) -> bool {
        self.from.is_site() && self.to.is_site()
    }
}

/// What happened in one step.
#[derive(Debug, Default)]
pub struct Ladder {
    rungs: Vec<Rung>,
}

impl Ladder {
    /// Adds the next message. Two sites may read the clock in another order than they sent; the ladder keeps to what followed
    /// from what.
    pub fn push(&mut self, rung: Rung) {
        if !rung.is_probe() {
            let at = self.rungs.last().map_or(rung.at, |last| last.at.max(rung.at));
            self.rungs.push(Rung { at, ..rung });
        }
    }

    /// All messages but the probes between sites.
    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }

    /// Draws it. Who is not among `columns` and has a part nevertheless comes behind.
    pub fn draw(&self, columns: &[Part]) -> String {
        let mut columns = columns.to_vec();
        for part in self.rungs.iter().flat_map(|rung| [rung.from, rung.to]) {
            if !columns.contains(&part) {
                columns.push(part);
            }
        }
        let mut out = head(&columns);
        let mut before = self.rungs.first().map(|rung| rung.at).unwrap_or_default();
        for (index, rung) in self.rungs.iter().enumerate() {
            if rung.at.saturating_sub(before) >= SILENCE {
                line(&mut out, "", &lifelines(columns.len(), '┊'));
            }
            before = rung.at;
            let again =
                self.rungs.iter().take(index).any(|earlier| earlier.from == rung.from && earlier.bytes == rung.bytes);
            line(&mut out, &format!("{:.3}", rung.at.as_secs_f64()), &arrow(rung, &columns, again));
        }
        out
    }
}

fn line(out: &mut String, time: &str, row: &[char]) {
    let row: String = row.iter().collect();
    let _ = writeln!(out, "{time:>9}{}", row.trim_end());
}

fn position(column: usize) -> usize {
    MARGIN - 9 + column * GAP
}

fn lifelines(columns: usize, bar: char) -> Vec<char> {
    let mut row = vec![' '; position(columns.saturating_sub(1)) + 1];
    (0..columns).for_each(|column| put(&mut row, position(column), bar));
    row
}

fn head(columns: &[Part]) -> String {
    let mut row = vec![' '; position(columns.len())];
    for (column, part) in columns.iter().enumerate() {
        write(&mut row, position(column).saturating_sub(part.name().chars().count() / 2), part.name());
    }
    let mut out = String::new();
    line(&mut out, "", &row);
    out
}

fn arrow(rung: &Rung, columns: &[Part], again: bool) -> Vec<char> {
    let mut row = lifelines(columns.len(), '│');
    let place = |part: Part| position(columns.iter().position(|column| *column == part).unwrap_or_default());
    let (from, to) = (place(rung.from), place(rung.to));
    let (left, right) = (from.min(to), from.max(to));
    for at in left + 1..right {
        let crossing = row.get(at) == Some(&'│');
        put(&mut row, at, if crossing { '┼' } else { '─' });
    }
    if from < to {
        put(&mut row, right.saturating_sub(1), '▶')
    } else {
        put(&mut row, left + 1, '◀')
    }
    let room = right.saturating_sub(left + 6);
    let text = fitted(&rung.label, room, again);
    let middle = left + (right - left) / 2;
    write(&mut row, (middle + 1).saturating_sub(text.chars().count() / 2 + 1), &format!(" {text} "));
    row
}

/// The label with its note, or without where there is no room, or cut.
fn fitted(label: &Label, room: usize, again: bool) -> String {
    let note = if again { Some("again") } else { label.note.as_deref() };
    let full = note.map_or_else(|| label.text.clone(), |note| format!("{} · {note}", label.text));
    if full.chars().count() <= room {
        return full;
    }
    if label.text.chars().count() <= room {
        return label.text.clone();
    }
    label.text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

fn write(row: &mut [char], at: usize, text: &str) {
    text.chars().enumerate().for_each(|(index, c)| put(row, at + index, c));
}

fn put(row: &mut [char], at: usize, c: char) {
    if let Some(cell) = row.get_mut(at) {
        *cell = c;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rung(ms: u64, from: Part, to: Part, text: &str, note: Option<&str>) -> Rung {
        let label =
            Label { text: text.into(), note: note.map(str::to_owned), method: Method::INVITE, is_request: true };
        Rung { at: Duration::from_millis(ms), from, to, label, bytes: Bytes::from(format!("{ms}{text}")) }
    }

    #[test]
    fn a_ladder_has_columns_arrows_and_silences() {
        let mut ladder = Ladder::default();
        ladder.push(rung(0, Part::Charles, Part::London, "INVITE 201", Some("digest")));
        ladder.push(rung(2, Part::London, Part::Charles, "407 Proxy Auth Required And Much More", None));
        ladder.push(rung(1, Part::London, Part::Paris, "INVITE 201", Some("proof")));
        ladder.push(rung(1, Part::London, Part::Paris, "INVITE 201", Some("proof")));
        ladder.push(rung(300, Part::Guest, Part::London, "200 OK", None));
        insta::assert_snapshot!(ladder.draw(&[Part::Charles, Part::London, Part::Paris]));
    }

    #[test]
    fn probes_between_sites_are_left_out() {
        let mut ladder = Ladder::default();
        let mut probe = rung(0, Part::London, Part::Paris, "OPTIONS", None);
        probe.label.method = Method::OPTIONS;
        ladder.push(probe.clone());
        assert!(ladder.rungs().is_empty());
        ladder.push(Rung { from: Part::Charles, ..probe });
        assert_eq!(ladder.rungs().len(), 1);
    }
}
