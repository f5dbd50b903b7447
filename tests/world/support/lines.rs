//! The lines between participants: delay, loss, duplication, reordering, cuts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hotdesk::ids::Entropy;

/// What a line does to the datagrams on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// How long each takes.
    pub delay: Duration,
    /// Up to so much more, at random.
    pub jitter: Duration,
    /// Lost, in a thousand.
    pub loss: u64,
    /// Sent twice, in a thousand.
    pub duplication: u64,
    /// Held back by `hold`, so that later ones overtake it, in a thousand.
    pub reordering: u64,
    /// How long one is held back.
    pub hold: Duration,
}

impl Line {
    /// Nothing happens to anything.
    pub const fn clean(delay_ms: u64) -> Self {
        Self {
            delay: Duration::from_millis(delay_ms),
            jitter: Duration::ZERO,
            loss: 0,
            duplication: 0,
            reordering: 0,
            hold: Duration::ZERO,
        }
    }

    /// Loss, duplication and reordering of so many in a thousand each, and some jitter.
    pub const fn bad(delay_ms: u64, permille: u64) -> Self {
        Self {
            jitter: Duration::from_millis(5),
            loss: permille,
            duplication: permille,
            reordering: permille,
            hold: Duration::from_millis(120),
            ..Self::clean(delay_ms)
        }
    }

    /// When a datagram's copies arrive, after now: none if it is lost.
    pub fn fate(&self, chance: &mut Entropy) -> Vec<Duration> {
        if chance.below(1000) < self.loss {
            return Vec::new();
        }
        let copies = if chance.below(1000) < self.duplication { 2 } else { 1 };
        (0..copies).map(|_| self.travel(chance)).collect()
    }

    fn travel(&self, chance: &mut Entropy) -> Duration {
        let jitter = Duration::from_micros(chance.below(1 + self.jitter.as_micros() as u64));
        let held = if chance.below(1000) < self.reordering { self.hold } else { Duration::ZERO };
        self.delay + jitter + held
    }
}

/// Who is at the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineClass {
    /// Site and site.
    Sites,
    /// Site and phone.
    Phones,
    /// Site and carrier.
    Trunks,
}

/// All lines.
pub struct Lines {
    classes: BTreeMap<LineClass, Line>,
    /// From whom to whom nothing goes.
    cuts: BTreeSet<(String, String)>,
}

impl Lines {
    /// Clean ones: a millisecond inside a site, ten between sites, five to a carrier.
    pub fn clean() -> Self {
        let classes = [
            (LineClass::Sites, Line::clean(10)),
            (LineClass::Phones, Line::clean(1)),
            (LineClass::Trunks, Line::clean(5)),
        ];
        Self { classes: classes.into(), cuts: BTreeSet::new() }
    }

    pub fn set_class(&mut self, class: LineClass, line: Line) {
        self.classes.insert(class, line);
    }

    pub fn cut(&mut self, a: &str, b: &str) {
        self.cut_one_way(a, b);
        self.cut_one_way(b, a);
    }

    pub fn cut_one_way(&mut self, from: &str, to: &str) {
        self.cuts.insert((from.into(), to.into()));
    }

    pub fn heal(&mut self, a: &str, b: &str) {
        self.cuts.remove(&(a.into(), b.into()));
        self.cuts.remove(&(b.into(), a.into()));
    }

    /// Whether what one sends reaches the other.
    pub fn is_cut(&self, from: &str, to: &str) -> bool {
        !self.cuts.is_empty() && self.cuts.contains(&(from.into(), to.into()))
    }

    pub fn heal_all(&mut self) {
        self.cuts.clear();
    }

    /// The line from one participant to another; `None` while it is cut.
    pub fn between(&self, from: &str, to: &str, class: LineClass) -> Option<Line> {
        if self.is_cut(from, to) { None } else { Some(self.classes[&class]) }
    }
}
