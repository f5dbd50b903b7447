//! The extensions of the network as a machine: what rings somebody, seen from one site.

use super::machine::{Machine, State, States};
use crate::digits::ExtensionPattern;
use crate::plan::Plan;
use crate::plan::codes::Codes;
use crate::plan::pattern::Element;

/// Users and groups of the site, and the patterns of the other sites.
pub(super) struct Numbers<'a> {
    users: Codes,
    patterns: Vec<&'a ExtensionPattern>,
    states: States<Reading>,
}

/// How far each pattern has been read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Reading {
    users: Vec<u32>,
    patterns: Vec<(u16, u16)>,
}

impl<'a> Numbers<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        let mut users = Codes::new();
        for number in plan.extensions.numbers() {
            let elements: Vec<Element> = number.bytes().map(Element::Literal).collect();
            users.push(&elements);
        }
        Self { users, patterns: plan.extensions.patterns().collect(), states: States::new() }
    }

    /// The fixed part of a pattern, and whether any digits may follow it.
    fn parts(&self, pattern: u16) -> (&[u8], bool) {
        let text = self.patterns.get(usize::from(pattern)).map_or("", |pattern| pattern.as_str());
        match text.strip_suffix('N') {
            Some(fixed) => (fixed.as_bytes(), true),
            None => (text.as_bytes(), false),
        }
    }

    fn on(&self, (pattern, at): (u16, u16), c: u8) -> Option<(u16, u16)> {
        let (fixed, open) = self.parts(pattern);
        match fixed.get(usize::from(at)) {
            Some(b'X') => c.is_ascii_digit().then_some((pattern, at + 1)),
            Some(literal) => (*literal == c).then_some((pattern, at + 1)),
            None => (open && c.is_ascii_digit()).then_some((pattern, at)),
        }
    }
}

impl Machine for Numbers<'_> {
    fn start(&self) -> State {
        let patterns = (0..self.patterns.len() as u16).map(|pattern| (pattern, 0)).collect();
        self.states.number(Reading { users: self.users.start(), patterns })
    }

    fn read(&self, state: State, c: u8) -> State {
        let at = self.states.of(state);
        let patterns = at.patterns.iter().filter_map(|&pattern| self.on(pattern, c)).collect();
        self.states.number(Reading { users: self.users.read(&at.users, c), patterns })
    }

    fn accepts(&self, state: State) -> bool {
        let at = self.states.of(state);
        let ends = |(pattern, place): &(u16, u16)| usize::from(*place) == self.parts(*pattern).0.len();
        self.users.ends(&at.users).next().is_some() || at.patterns.iter().any(ends)
    }

    fn is_dead(&self, state: State) -> bool {
        let at = self.states.of(state);
        at.users.is_empty() && at.patterns.is_empty()
    }

    fn literals(&self, state: State) -> u128 {
        let at = self.states.of(state);
        let next = |&(pattern, place): &(u16, u16)| self.parts(pattern).0.get(usize::from(place)).copied();
        let literals = at.patterns.iter().filter_map(next).filter(|c| *c != b'X');
        literals.fold(self.users.literals(&at.users), |bits, c| bits | 1 << (c & 127))
    }
}
