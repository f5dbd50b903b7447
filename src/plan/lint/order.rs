//! What decides about a string, as a machine: emergency numbers, extensions, the levels in their order, the final `#`, the default matches
//! (SPEC 6.2, 6.4). The same order as in `plan/route`, for every string at once.

use std::rc::Rc;

use super::help::Help;
use super::machine::{Machine, State, States};
use super::numbers::Numbers;
use crate::plan::Plan;
use crate::plan::level::Level;

/// The levels that are asked, and what comes before them.
pub(super) struct Order<'a> {
    plan: &'a Plan,
    levels: Vec<&'a Level>,
    /// Asked before the levels; `None` in a form.
    first: Option<(&'a Help<'a>, &'a Numbers<'a>)>,
    states: States<Asked>,
}

/// What every part has made of what was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Asked {
    levels: Vec<Vec<u32>>,
    help: State,
    numbers: State,
    /// After a `#`: what the search said before it.
    before: Option<Before>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Before {
    search: Option<Verdict>,
}

/// What decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Verdict {
    /// It is an emergency number.
    Emergency,
    /// It is an extension.
    Extension,
    /// A row of one of the levels.
    Row {
        /// Which level.
        level: usize,
        /// Its place there.
        row: usize,
    },
}

/// A verdict, and whether a final `#` was dropped for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decided {
    pub(super) by: Verdict,
    pub(super) dropped: bool,
}

impl<'a> Order<'a> {
    /// What is dialled at a site, by a caller with these levels; the system's are the last.
    pub(super) fn dialled(
        plan: &'a Plan,
        help: &'a Help<'a>,
        numbers: &'a Numbers<'a>,
        own: impl IntoIterator<Item = &'a Level>,
    ) -> Self {
        let levels = own.into_iter().chain([&plan.system]).collect();
        Self { plan, levels, first: Some((help, numbers)), states: States::new() }
    }

    /// One level alone.
    pub(super) fn alone(plan: &'a Plan, level: &'a Level) -> Self {
        Self { plan, levels: vec![level], first: None, states: States::new() }
    }

    pub(super) fn level(&self, at: usize) -> Option<&'a Level> {
        self.levels.get(at).copied()
    }

    /// What decides about what was read.
    pub(super) fn decides(&self, state: State) -> Option<Decided> {
        let at = self.states.of(state);
        if self.first.is_some_and(|(help, _)| help.accepts(at.help)) {
            return Some(Decided { by: Verdict::Emergency, dropped: false });
        }
        if let Some(by) = self.search(&at) {
            return Some(Decided { by, dropped: false });
        }
        let dropped = at.before.is_some();
        let by = at.before.and_then(|before| before.search).or_else(|| self.default_row());
        by.map(|by| Decided { by, dropped })
    }

    /// What decides about a string.
    pub(super) fn about(&self, text: &str) -> Option<Decided> {
        self.decides(text.bytes().fold(self.start(), |state, c| self.read(state, c)))
    }

    pub(super) fn start(&self) -> State {
        let first = self.first.as_ref();
        self.states.number(Asked {
            levels: self.levels.iter().map(|level| level.codes().start()).collect(),
            help: first.map_or(0, |(help, _)| help.start()),
            numbers: first.map_or(0, |(_, numbers)| numbers.start()),
            before: None,
        })
    }

    pub(super) fn read(&self, state: State, c: u8) -> State {
        let at = self.states.of(state);
        let before = (c == b'#').then(|| Before { search: self.search(&at) });
        let levels = self.levels.iter().zip(&at.levels).map(|(level, places)| level.codes().read(places, c));
        self.states.number(Asked {
            levels: levels.collect(),
            help: self.first.as_ref().map_or(0, |(help, _)| help.read(at.help, c)),
            numbers: self.first.as_ref().map_or(0, |(_, numbers)| numbers.read(at.numbers, c)),
            before,
        })
    }

    pub(super) fn literals(&self, state: State) -> u128 {
        let at = self.states.of(state);
        let own = self.levels.iter().zip(&at.levels).fold(0, |all, (l, places)| all | l.codes().literals(places));
        own | self.first.map_or(0, |(help, numbers)| help.literals(at.help) | numbers.literals(at.numbers))
    }

    fn search(&self, at: &Rc<Asked>) -> Option<Verdict> {
        if self.first.as_ref().is_some_and(|(_, numbers)| numbers.accepts(at.numbers)) {
            return Some(Verdict::Extension);
        }
        let usable = |row: &_| self.plan.unusable(row).is_none();
        self.levels.iter().zip(&at.levels).enumerate().find_map(|(level, (codes, places))| {
            let row = codes.best_of(codes.codes().ends(places), &usable)?;
            Some(Verdict::Row { level, row })
        })
    }

    fn default_row(&self) -> Option<Verdict> {
        self.levels.iter().enumerate().find_map(|(level, codes)| {
            let usable = |row: &usize| codes.rows().get(*row).is_some_and(|row| self.plan.unusable(row).is_none());
            Some(Verdict::Row { level, row: codes.default_rows().find(usable)? })
        })
    }
}
