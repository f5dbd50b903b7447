//! One level of a dial plan: the codes of a user, of user rights, of the system, or of an ARS form, and its best match (SPEC 6.2).

use super::codes::Codes;
use super::error::PlanError;
use super::pattern::Rank;
use super::short_code::ShortCode;
use super::trace::{Step, Trace};
use crate::settings::ShortCodeRow;

/// Compiled codes in file order. A user's own level is compiled once, and used at whatever site the user is.
#[derive(Clone, Debug)]
pub struct Level {
    rows: Vec<ShortCode>,
    ranks: Vec<Rank>,
    codes: Codes,
    defaults: Vec<u32>,
    /// Rows that take a PIN.
    with_pin: Vec<u32>,
}

/// Why a row cannot be used at this site (SPEC 7.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    LineGroup,
    Site,
}

/// What a level says to a string.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer<'a> {
    /// The row that fits best, and the place of the first row with its pattern.
    pub(super) best: Option<(&'a ShortCode, Rank)>,
    /// The string begins something longer that would match.
    pub(super) begins: bool,
}

/// A string, and what a level taken alone, with every row of it, says to the whole of it. The system codes are asked so once for all that build on
/// it: emergency numbers, Break Out, and the search by levels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alone<'a, 't> {
    level: &'a Level,
    pub(super) text: &'t str,
    answer: Answer<'a>,
}

impl Level {
    /// Compiles the rows, and reports everything that is wrong in them. Whether line groups and sites exist is not asked here.
    pub fn compile(rows: &[ShortCodeRow]) -> Result<Self, Vec<PlanError>> {
        let mut errors = Vec::new();
        let level = Self::collect(rows, &mut errors);
        if errors.is_empty() { Ok(level) } else { Err(errors) }
    }

    /// Compiles what can be read of the rows that a visitor brings: a row that this release does not understand is unusable, and told.
    pub fn of_visitor(rows: &[ShortCodeRow]) -> (Self, Vec<PlanError>) {
        let mut errors = Vec::new();
        (Self::collect(rows, &mut errors), errors)
    }

    /// Compiles the rows that can be read, and notes what is wrong in the others.
    pub(super) fn collect(rows: &[ShortCodeRow], errors: &mut Vec<PlanError>) -> Self {
        Self::new(
            rows.iter().filter_map(|row| ShortCode::compile(row).map_err(|wrong| errors.extend(wrong)).ok()).collect(),
        )
    }

    pub(super) fn new(rows: Vec<ShortCode>) -> Self {
        let (ranks, with_pin) = (Vec::with_capacity(rows.len()), Vec::new());
        let mut level = Self { ranks, codes: Codes::new(), defaults: Vec::new(), with_pin, rows };
        for (place, row) in (0..).zip(&level.rows) {
            level.codes.push(row.pattern.elements());
            level.ranks.push(row.pattern.rank(place));
            if row.feature.takes_pin() {
                level.with_pin.push(place);
            }
            if row.pattern.is_default() {
                level.defaults.push(place);
            }
        }
        level
    }

    pub(super) fn rows(&self) -> &[ShortCode] {
        &self.rows
    }

    pub(super) fn codes(&self) -> &Codes {
        &self.codes
    }

    /// The rows of `?`, in file order.
    pub(super) fn default_rows(&self) -> impl Iterator<Item = usize> {
        self.defaults.iter().map(|&row| row as usize)
    }

    /// Among patterns, each named by its first row, the best one that has a row that can be used: that row.
    pub(super) fn best_of(
        &self,
        firsts: impl Iterator<Item = u32>,
        usable: &dyn Fn(&ShortCode) -> bool,
    ) -> Option<usize> {
        let first_usable = |first| self.same_from(first).find(|(row, _)| usable(row)).map(|(_, rank)| rank);
        firsts.filter_map(first_usable).min().map(Rank::place)
    }

    /// The best match for the whole of `text`, among the rows that can be used here.
    pub(super) fn best<'a>(
        &'a self,
        text: &str,
        name: &dyn Fn() -> String,
        usable: &dyn Fn(&ShortCode) -> Option<Unusable>,
        trace: &mut Trace,
    ) -> Answer<'a> {
        let answer = self.find(text, usable);
        self.tell(text, &answer, name, usable, trace);
        answer
    }

    fn find(&self, text: &str, usable: &dyn Fn(&ShortCode) -> Option<Unusable>) -> Answer<'_> {
        let mut best: Option<(&ShortCode, Rank)> = None;
        let begins = self.codes.search(text, |first| {
            let Some(found) = self.same_from(first).find(|(row, _)| usable(row).is_none()) else { return };
            if best.is_none_or(|(_, rank)| found.1 < rank) {
                best = Some(found);
            }
        });
        Answer { best, begins }
    }

    /// Whether `text` begins something longer that a row which can be used would match. Looks at every row, of which a user has few.
    pub(super) fn begins(&self, text: &str, usable: &dyn Fn(&ShortCode) -> bool) -> bool {
        let mut codes = Codes::new();
        self.rows.iter().filter(|row| usable(row)).for_each(|row| codes.push(row.pattern.elements()));
        codes.search(text, |_| {})
    }

    /// Tells the candidates, and why each won or lost.
    fn tell(
        &self,
        text: &str,
        answer: &Answer<'_>,
        name: &dyn Fn() -> String,
        usable: &dyn Fn(&ShortCode) -> Option<Unusable>,
        trace: &mut Trace,
    ) {
        if trace.is_on() {
            let mut seen: Vec<Rank> = Vec::new();
            self.codes.search(text, |first| seen.extend(self.same_from(first).map(|(_, rank)| rank)));
            trace.step(|| Step::Asked { level: name(), digits: text.to_owned(), candidates: seen.len() });
            self.explain(seen, answer.best, usable, trace);
        }
    }

    /// What the level, taken alone, says to the whole of `text`.
    pub(super) fn alone<'a, 't>(&'a self, text: &'t str) -> Alone<'a, 't> {
        Alone { level: self, text, answer: self.find(text, &|_| None) }
    }

    /// The `?` of the level.
    pub(super) fn default_match<'a>(
        &'a self,
        name: &dyn Fn() -> String,
        usable: &dyn Fn(&ShortCode) -> Option<Unusable>,
        trace: &mut Trace,
    ) -> Option<(&'a ShortCode, Rank)> {
        let rows = || self.defaults.iter().filter_map(|&row| self.row(row));
        let best = rows().find(|(row, _)| usable(row).is_none());
        if trace.is_on() && !self.defaults.is_empty() {
            let seen: Vec<Rank> = rows().map(|(_, rank)| rank).collect();
            trace.step(|| Step::Asked { level: name(), digits: "?".to_owned(), candidates: seen.len() });
            self.explain(seen, best, usable, trace);
        }
        best
    }

    fn default_rank(&self) -> Option<Rank> {
        self.ranks.get(*self.defaults.first()? as usize).copied()
    }

    /// The row of `rank` and the later ones with the same pattern.
    pub(super) fn same_pattern(&self, rank: Rank) -> impl Iterator<Item = &ShortCode> {
        let place = rank.place() as u32;
        let default = self.defaults.contains(&place);
        let defaults = self.defaults.iter().copied().filter(move |&row| default && row >= place);
        let others = self.codes.same_from(place).filter(move |_| !default);
        defaults.chain(others).filter_map(|row| self.row(row)).map(|(row, _)| row)
    }

    /// The characters before the first wildcard of every code that takes a PIN (SPEC 10.5).
    pub(super) fn pin_starts(&self) -> impl Iterator<Item = &str> {
        let rows = self.with_pin.iter().filter_map(|&row| self.rows.get(row as usize));
        rows.map(|row| row.pattern.literal_start())
    }

    fn same_from(&self, first: u32) -> impl Iterator<Item = (&ShortCode, Rank)> {
        self.codes.same_from(first).filter_map(|row| self.row(row))
    }

    fn row(&self, place: u32) -> Option<(&ShortCode, Rank)> {
        Some((self.rows.get(place as usize)?, *self.ranks.get(place as usize)?))
    }

    fn explain(
        &self,
        mut seen: Vec<Rank>,
        best: Option<(&ShortCode, Rank)>,
        usable: &dyn Fn(&ShortCode) -> Option<Unusable>,
        trace: &mut Trace,
    ) {
        seen.sort_unstable();
        for (row, rank) in seen.into_iter().filter_map(|rank| Some((self.rows.get(rank.place())?, rank))) {
            let verdict = match (usable(row), best) {
                (Some(why), _) => why.in_words(row),
                (None, Some((_, winner))) if winner == rank => "best match".to_owned(),
                (None, Some((best, _))) if best.pattern.elements() == row.pattern.elements() => {
                    "the same code, later in the file".to_owned()
                }
                (None, Some((_, winner))) => rank.lost_to(winner),
                (None, None) => continue,
            };
            let won = best.is_some_and(|(_, winner)| winner == rank);
            trace.step(|| Step::Candidate { code: row.in_words(), origin: row.origin.to_string(), won, verdict });
        }
    }
}

impl<'a, 't> Alone<'a, 't> {
    /// The rows that the best match consists of, and the string that it matches: as it is, without a final `#`, or by a default match.
    pub(super) fn rows(&self) -> Option<(impl Iterator<Item = &'a ShortCode> + use<'a>, &'t str)> {
        let (level, complete) = (self.level, self.text.strip_suffix('#'));
        let found = self.answer.best.map(|(_, rank)| (rank, self.text)).or_else(|| {
            let (_, rank) = level.alone(complete?).answer.best?;
            Some((rank, complete?))
        });
        let (rank, text) = match found {
            Some(found) => found,
            None => (level.default_rank()?, complete.unwrap_or(self.text)),
        };
        Some((level.same_pattern(rank), text))
    }

    /// What the level says to the whole string, and tells of it.
    pub(super) fn told(&self, name: &dyn Fn() -> String, trace: &mut Trace) -> Answer<'a> {
        self.level.tell(self.text, &self.answer, name, &|_| None, trace);
        self.answer
    }
}

impl Unusable {
    fn in_words(self, row: &ShortCode) -> String {
        match self {
            Self::LineGroup => {
                format!("unusable: this site has no line group `{}`", row.line_group.as_deref().unwrap_or_default())
            }
            Self::Site => format!("unusable: no site `{}` is known here", row.site.as_ref().map_or("", |s| s.as_str())),
        }
    }
}
