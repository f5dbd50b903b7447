//! The patterns of one level as a tree: looking a string up costs by its length and by the codes that it really begins, not by how many there are.
//!
//! The tree is walked as a nondeterministic automaton: the set of nodes reached by what was read so far. A literal and an `X` lead to a child; an `N` is
//! a child that is entered without reading, and keeps itself alive on every character that a run may hold.

use smallvec::SmallVec;

use super::pattern::{Element, runs};

const NONE: u32 = u32::MAX;

/// At a place that was reached only by a run that took a `#`: nothing ends there, for a run takes no final `#`.
const HELD: u32 = 1 << 31;

#[derive(Clone, Debug)]
struct Node {
    literals: Vec<(u8, u32)>,
    digit: u32,
    run: u32,
    is_run: bool,
    /// The first row whose pattern ends here.
    first: u32,
}

impl Node {
    fn new(is_run: bool) -> Self {
        Self { literals: Vec::new(), digit: NONE, run: NONE, is_run, first: NONE }
    }

    /// Nothing comes behind it.
    fn is_last(&self) -> bool {
        self.literals.is_empty() && self.digit == NONE && self.run == NONE
    }

    fn literal(&self, c: u8) -> u32 {
        self.literals
            .binary_search_by_key(&c, |(l, _)| *l)
            .ok()
            .and_then(|at| self.literals.get(at))
            .map_or(NONE, |l| l.1)
    }
}

/// Patterns by row, in file order.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    nodes: Vec<Node>,
    /// For each row the next one with the same pattern.
    next_same: Vec<u32>,
}

type Active = SmallVec<[u32; 24]>;

impl Codes {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::new(false)], next_same: Vec::new() }
    }

    /// Adds the next row's pattern. Rows without elements (`?`) take their place and are never found.
    pub(super) fn push(&mut self, elements: &[Element]) {
        let row = self.next_same.len() as u32;
        self.next_same.push(NONE);
        if elements.is_empty() {
            return;
        }
        let mut at = 0;
        for element in elements {
            at = self.child(at, *element);
        }
        let first = self.nodes.get(at as usize).map_or(NONE, |node| node.first);
        if first != NONE {
            let last = self.same_from(first).last().unwrap_or(first);
            if let Some(next) = self.next_same.get_mut(last as usize) {
                *next = row;
            }
        } else if let Some(node) = self.nodes.get_mut(at as usize) {
            node.first = row;
        }
    }

    /// Calls `each` with the first row of every pattern that matches the whole of `text`, and says whether `text` begins
    /// something longer that would match.
    pub(super) fn search(&self, text: &str, mut each: impl FnMut(u32)) -> bool {
        let (mut active, mut next, mut more) = (&mut Active::new(), &mut Active::new(), false);
        self.enter(active, 0);
        let text = text.as_bytes();
        for (place, &c) in text.iter().enumerate() {
            // most codes end in a run: where nothing else is left, it takes the rest or nothing matches
            if let Some(run) = self.only_a_last_run(active) {
                let rest = text.get(place..).unwrap_or_default();
                let goes_on = rest.iter().all(|&c| runs(c));
                if goes_on && !rest.ends_with(b"#") && run.first != NONE {
                    each(run.first);
                }
                return more || goes_on;
            }
            let final_hash = c == b'#' && place + 1 == text.len();
            next.clear();
            for node in active.iter().filter_map(|&at| self.nodes.get(at as usize).map(|node| (at, node))) {
                more |= self.step(node, c, final_hash, next);
            }
            std::mem::swap(&mut active, &mut next);
            if active.is_empty() {
                return more;
            }
        }
        for node in active.iter().filter_map(|&at| self.nodes.get(at as usize)) {
            if node.first != NONE {
                each(node.first);
            }
            more |= !node.is_last() || node.is_run;
        }
        more
    }

    /// The one place that is left, if it is a run and the end of its code.
    fn only_a_last_run(&self, active: &Active) -> Option<&Node> {
        let [only] = active[..] else { return None };
        self.nodes.get(only as usize).filter(|node| node.is_run && node.is_last())
    }

    /// `row` and the later ones with its pattern, in file order; `row` must be the first of them.
    pub(super) fn same_from(&self, row: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(Some(row), |&row| self.next_same.get(row as usize).copied().filter(|next| *next != NONE))
    }

    /// Reads `c` at one node. A final `#` is nothing that a run may end with, though it may go on: then `true`.
    fn step(&self, (at, node): (u32, &Node), c: u8, final_hash: bool, next: &mut Active) -> bool {
        if node.is_run && runs(c) && !final_hash {
            self.enter(next, at);
        }
        self.enter(next, node.literal(c));
        if node.digit != NONE && c.is_ascii_digit() {
            self.enter(next, node.digit);
        }
        node.is_run && final_hash
    }

    /// Makes a node active, and the run behind it, which may be empty.
    fn enter(&self, active: &mut Active, at: u32) {
        let Some(node) = self.nodes.get(at as usize) else { return };
        // only a run is reached on two ways: by going on, and from the node before it
        if node.is_run && active.contains(&at) {
            return;
        }
        active.push(at);
        if node.run != NONE {
            self.enter(active, node.run);
        }
    }

    /// Where a reading character by character begins.
    pub(super) fn start(&self) -> Vec<u32> {
        let mut active = Active::new();
        self.enter(&mut active, 0);
        active.to_vec()
    }

    /// The places after one more character, in order; none where nothing can match any more.
    pub(super) fn read(&self, places: &[u32], c: u8) -> Vec<u32> {
        let (mut next, mut held) = (Active::new(), Active::new());
        for place in places {
            let at = place & !HELD;
            let Some(node) = self.nodes.get(at as usize) else { continue };
            self.step((at, node), c, c == b'#', &mut next);
            if node.is_run && c == b'#' {
                held.push(at);
            }
        }
        let held = held.iter().filter(|at| !next.contains(at)).map(|at| at | HELD);
        let mut places: Vec<u32> = next.iter().copied().chain(held).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// The first row of every pattern that ends at these places.
    pub(super) fn ends(&self, places: &[u32]) -> impl Iterator<Item = u32> {
        let at = |place: &u32| self.nodes.get(*place as usize).map(|node| node.first);
        places.iter().filter(|place| **place & HELD == 0).filter_map(at).filter(|first| *first != NONE)
    }

    /// The characters that lead on from these places by name, a bit each.
    pub(super) fn literals(&self, places: &[u32]) -> u128 {
        let node = |place: &u32| self.nodes.get((place & !HELD) as usize);
        let bits = |node: &Node| node.literals.iter().fold(0, |bits, (c, _)| bits | 1u128 << (c & 127));
        places.iter().filter_map(node).fold(0, |all, node| all | bits(node))
    }

    fn child(&mut self, at: u32, element: Element) -> u32 {
        let fresh = self.nodes.len() as u32;
        let node = &mut self.nodes[at as usize];
        let slot = match element {
            Element::Digit => &mut node.digit,
            Element::Run => &mut node.run,
            Element::Literal(c) => {
                let place = match node.literals.binary_search_by_key(&c, |(l, _)| *l) {
                    Ok(place) => place,
                    Err(place) => {
                        node.literals.insert(place, (c, NONE));
                        place
                    }
                };
                &mut node.literals[place].1
            }
        };
        if *slot == NONE {
            *slot = fresh;
            self.nodes.push(Node::new(element == Element::Run));
            return fresh;
        }
        *slot
    }
}
