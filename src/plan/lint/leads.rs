//! What a row wins, and of that what it leads to: the strings that one row decides and whose number, built by its template, is in another set.
//! Rows, forms and Break Outs in a chain are such machines one within the other.

use std::rc::Rc;

use super::machine::{Machine, State, States};
use super::order::{Order, Verdict};
use crate::plan::number::{Shape, Varies};
use crate::plan::pattern::{Element, Pattern, runs};

/// The strings that a row decides, with a number that is in `inner`.
pub(super) struct Leads<'a> {
    order: Rc<Order<'a>>,
    /// The row that the order names.
    decides: Verdict,
    elements: &'a [Element],
    shape: Shape,
    inner: Rc<dyn Machine + 'a>,
    /// With two runs it matters which of them took what.
    splits: bool,
    states: States<Reading>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Reading {
    order: State,
    now: Ways,
    /// After a `#`: the ways before it, in case it only says that dialling is complete.
    before: Option<Ways>,
}

/// How the pattern can have taken what was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Ways(Vec<Way>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Way {
    /// The next element.
    element: u8,
    /// The last character was a `#` that a run took: it must not be the final one.
    held: bool,
    inner: State,
    /// A run that takes a character does so because it could not end there: the rest of the pattern from these elements on must not match.
    /// Bits of elements; the second leave out those reached only by a run that took the last `#`.
    must_fail: (u32, u32),
}

impl<'a> Leads<'a> {
    pub(super) fn new(
        order: Rc<Order<'a>>,
        decides: Verdict,
        pattern: &'a Pattern,
        shape: Shape,
        inner: Rc<dyn Machine + 'a>,
    ) -> Self {
        let elements = pattern.elements();
        let many = elements.iter().filter(|e| **e == Element::Run).count() > 1;
        let splits = many && shape.varies == Varies::Matched;
        Self { order, decides, elements, shape, inner, splits, states: States::new() }
    }

    fn element(&self, at: u8) -> Option<Element> {
        self.elements.get(usize::from(at)).copied()
    }

    /// `?` takes everything.
    fn takes_all(&self) -> bool {
        self.elements.is_empty()
    }

    fn fed(&self, inner: State, text: &str) -> State {
        text.bytes().fold(inner, |state, c| self.inner.read(state, c))
    }

    /// The way, and the ways that leave out the runs before which it stands.
    fn spread(&self, mut way: Way, ways: &mut Vec<Way>) {
        loop {
            ways.push(way);
            if self.element(way.element) != Some(Element::Run) {
                return;
            }
            way.element += 1;
        }
    }

    fn take(&self, way: Way, c: u8, ways: &mut Vec<Way>) {
        let element = self.element(way.element);
        let fits = match element {
            Some(Element::Literal(literal)) => literal == c,
            Some(Element::Digit) => c.is_ascii_digit(),
            Some(Element::Run) => runs(c),
            None => self.takes_all(),
        };
        if !fits {
            return;
        }
        let run = element == Some(Element::Run);
        let fed = match self.shape.varies {
            Varies::Not => false,
            Varies::Matched => matches!(element, Some(Element::Digit | Element::Run)),
            Varies::Whole => true,
        };
        let inner = if fed { self.inner.read(way.inner, c) } else { way.inner };
        if self.inner.is_dead(inner) {
            return;
        }
        let mut must_fail = way.must_fail.0;
        if run && self.splits {
            must_fail |= self.skipped(1 << (way.element + 1));
        }
        let next = Way {
            element: if run || element.is_none() { way.element } else { way.element + 1 },
            held: run && c == b'#',
            inner,
            must_fail: self.rest(must_fail, c),
        };
        if next.held {
            // the run may still end here, if this is not the end: what follows it clears the mark
            ways.push(next);
            return;
        }
        self.spread(next, ways);
    }

    /// These elements, and those behind runs among them that take nothing.
    fn skipped(&self, mut bits: u32) -> u32 {
        for (at, element) in self.elements.iter().enumerate() {
            if *element == Element::Run && bits >> at & 1 == 1 {
                bits |= 1 << (at + 1);
            }
        }
        bits
    }

    fn rest(&self, bits: u32, c: u8) -> (u32, u32) {
        let (mut all, mut clean) = (0, 0);
        for (at, element) in self.elements.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1) {
            match element {
                Element::Literal(literal) if *literal == c => clean |= 1 << (at + 1),
                Element::Digit if c.is_ascii_digit() => clean |= 1 << (at + 1),
                Element::Run if runs(c) && c != b'#' => clean |= 1 << at,
                Element::Run if runs(c) => all |= 1 << at,
                Element::Literal(_) | Element::Digit | Element::Run => {}
            }
        }
        clean = self.skipped(clean);
        (self.skipped(all) | clean, clean)
    }

    fn ends(&self, ways: &Ways) -> bool {
        let end = self.elements.len();
        ways.0.iter().any(|way| {
            usize::from(way.element) == end
                && !way.held
                && way.must_fail.1 >> end & 1 == 0
                && self.inner.accepts(self.fed(way.inner, &self.shape.after))
        })
    }
}

impl Machine for Leads<'_> {
    fn start(&self) -> State {
        let inner = self.fed(self.inner.start(), &self.shape.before);
        let mut ways = Vec::new();
        if !self.inner.is_dead(inner) {
            self.spread(Way { element: 0, held: false, inner, must_fail: (0, 0) }, &mut ways);
        }
        self.states.number(Reading { order: self.order.start(), now: Ways(ways), before: None })
    }

    fn read(&self, state: State, c: u8) -> State {
        let at = self.states.of(state);
        let mut ways = Vec::new();
        for way in &at.now.0 {
            self.take(*way, c, &mut ways);
            if way.held {
                // a run that took a `#` ends before this character
                let mut after = Vec::new();
                self.spread(Way { held: false, ..*way }, &mut after);
                after.into_iter().skip(1).for_each(|way| self.take(way, c, &mut ways));
            }
        }
        ways.sort_unstable();
        ways.dedup();
        let before = (c == b'#').then(|| at.now.clone());
        self.states.number(Reading { order: self.order.read(at.order, c), now: Ways(ways), before })
    }

    fn accepts(&self, state: State) -> bool {
        let at = self.states.of(state);
        let Some(decided) = self.order.decides(at.order).filter(|decided| decided.by == self.decides) else {
            return false;
        };
        if decided.dropped { at.before.as_ref().is_some_and(|ways| self.ends(ways)) } else { self.ends(&at.now) }
    }

    fn is_dead(&self, state: State) -> bool {
        let at = self.states.of(state);
        at.now.0.is_empty() && at.before.as_ref().is_none_or(|ways| ways.0.is_empty())
    }

    fn literals(&self, state: State) -> u128 {
        let at = self.states.of(state);
        let own = |way: &Way| match self.element(way.element) {
            Some(Element::Literal(c)) => 1u128 << (c & 127),
            Some(Element::Digit | Element::Run) | None => 0,
        };
        let within = at.now.0.iter().fold(0, |all, way| all | own(way) | self.inner.literals(way.inner));
        within | self.order.literals(at.order) | self.split_literals()
    }
}

impl Leads<'_> {
    /// A run that might end here tells the literals behind it from others.
    fn split_literals(&self) -> u128 {
        let literal = |element: &Element| match element {
            Element::Literal(c) if self.splits => 1u128 << (c & 127),
            Element::Literal(_) | Element::Digit | Element::Run => 0,
        };
        self.elements.iter().fold(0, |all, element| all | literal(element))
    }
}
