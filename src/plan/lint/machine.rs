//! Sets of strings as machines that read a character at a time, and the search for the shortest string in one.
//!
//! A machine makes its states as they are asked for: what it stands for may be very large, what a question touches is small. The search is
//! breadth-first over states, so that its answer is a shortest string, or the proof that the set is empty. It counts its steps and gives up,
//! saying so, when a question costs more than it may.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::rc::Rc;

use ahash::RandomState;

/// A state, by its number in its machine.
pub(super) type State = u32;

/// A set of strings over ASCII.
pub(super) trait Machine {
    /// Before anything is read.
    fn start(&self) -> State;
    /// After one more character.
    fn read(&self, state: State, c: u8) -> State;
    /// Whether what was read is in the set.
    fn accepts(&self, state: State) -> bool;
    /// Whether nothing that begins with what was read is in the set. `false` where that is not known.
    fn is_dead(&self, state: State) -> bool;
    /// The characters that the machine tells from others of their kind here, a bit each. Kinds are digits, `*` and `+`, `#`, and all else.
    fn literals(&self, state: State) -> u128;
}

/// Numbers for the states of a machine.
#[derive(Debug)]
pub(super) struct States<T>(RefCell<Known<T>>);

#[derive(Debug)]
struct Known<T> {
    numbers: HashMap<Rc<T>, State, RandomState>,
    states: Vec<Rc<T>>,
}

impl<T: Eq + Hash> States<T> {
    pub(super) fn new() -> Self {
        Self(RefCell::new(Known { numbers: HashMap::with_hasher(super::super::fixed_hasher()), states: Vec::new() }))
    }

    pub(super) fn number(&self, state: T) -> State {
        let mut known = self.0.borrow_mut();
        if let Some(number) = known.numbers.get(&state) {
            return *number;
        }
        let (number, state) = (known.states.len() as State, Rc::new(state));
        known.states.push(state.clone());
        known.numbers.insert(state, number);
        number
    }

    pub(super) fn of(&self, number: State) -> Rc<T> {
        let known = self.0.borrow();
        known.states.get(number as usize).expect("a state has the number that it was given").clone()
    }
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A shortest string of the set.
    Witness(String),
    /// The set is empty: every state was looked at.
    Nothing,
    /// The question cost more than it may.
    GivenUp,
}

/// How many steps one question may take, and all of them together.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) each: usize,
    pub(super) left: usize,
}

/// The shortest string of at least `least` characters in the set.
pub(super) fn shortest(machine: &dyn Machine, least: usize, budget: &mut Budget) -> Found {
    let mut seen: HashSet<(State, bool), RandomState> = HashSet::with_hasher(super::super::fixed_hasher());
    let mut trail: Vec<(usize, u8)> = Vec::new();
    let mut open: VecDeque<(State, usize, usize)> = VecDeque::new();
    let start = machine.start();
    seen.insert((start, least == 0));
    open.push_back((start, 0, usize::MAX));
    let mut steps = 0;
    while let Some((state, length, from)) = open.pop_front() {
        if length >= least && machine.accepts(state) {
            return Found::Witness(spelled(&trail, from));
        }
        if machine.is_dead(state) {
            continue;
        }
        for c in characters(machine.literals(state)) {
            steps += 1;
            budget.left = budget.left.saturating_sub(1);
            if steps > budget.each || budget.left == 0 {
                return Found::GivenUp;
            }
            let next = machine.read(state, c);
            if seen.insert((next, length + 1 >= least)) {
                trail.push((from, c));
                open.push_back((next, length + 1, trail.len() - 1));
            }
        }
    }
    Found::Nothing
}

fn spelled(trail: &[(usize, u8)], mut from: usize) -> String {
    let mut text = Vec::new();
    while let Some((before, c)) = trail.get(from) {
        text.push(char::from(*c));
        from = *before;
    }
    text.into_iter().rev().collect()
}

/// Those that are told from others, and one of each kind that stands for the rest of it; what a phone's keys have comes first.
fn characters(literals: u128) -> impl Iterator<Item = u8> {
    let named = move |c: &u8| literals >> c & 1 == 1;
    let rest = move |kind: &'static [u8]| kind.iter().copied().find(|c| !named(c));
    let digits = b"0123456789".iter().copied().filter(named);
    let others = (33..127u8).filter(|c| !c.is_ascii_digit() && *c != b'#').filter(named);
    digits
        .chain(rest(b"1234567890"))
        .chain(others)
        .chain(rest(b"*+"))
        .chain([b'#'])
        .chain(rest(b"abcdefghijklmnopqrstuvwxyz"))
}

/// Every string.
#[derive(Debug)]
pub(super) struct Anything;

impl Machine for Anything {
    fn start(&self) -> State {
        0
    }

    fn read(&self, _state: State, _c: u8) -> State {
        1
    }

    fn accepts(&self, _state: State) -> bool {
        true
    }

    fn is_dead(&self, _state: State) -> bool {
        false
    }

    fn literals(&self, _state: State) -> u128 {
        0
    }
}

/// Every string but the empty one.
#[derive(Debug)]
pub(super) struct NotEmpty;

impl Machine for NotEmpty {
    fn start(&self) -> State {
        0
    }

    fn read(&self, _state: State, _c: u8) -> State {
        1
    }

    fn accepts(&self, state: State) -> bool {
        state == 1
    }

    fn is_dead(&self, _state: State) -> bool {
        false
    }

    fn literals(&self, _state: State) -> u128 {
        0
    }
}

/// Every string that begins so.
#[derive(Debug)]
pub(super) struct Begins(pub(super) Box<[u8]>);

impl Begins {
    const NEVER: State = State::MAX;
}

impl Machine for Begins {
    fn start(&self) -> State {
        0
    }

    fn read(&self, state: State, c: u8) -> State {
        match self.0.get(state as usize) {
            Some(wanted) if state != Self::NEVER && *wanted == c => state + 1,
            None if state != Self::NEVER => state,
            Some(_) | None => Self::NEVER,
        }
    }

    fn accepts(&self, state: State) -> bool {
        state as usize == self.0.len()
    }

    fn is_dead(&self, state: State) -> bool {
        state == Self::NEVER
    }

    fn literals(&self, state: State) -> u128 {
        self.0.get(state as usize).map_or(0, |c| 1 << (c & 127))
    }
}

/// What is in any of the sets.
pub(super) struct AnyOf<'a> {
    sets: Vec<Rc<dyn Machine + 'a>>,
    states: States<Vec<State>>,
}

impl<'a> AnyOf<'a> {
    pub(super) fn new(sets: Vec<Rc<dyn Machine + 'a>>) -> Self {
        Self { sets, states: States::new() }
    }
}

impl Machine for AnyOf<'_> {
    fn start(&self) -> State {
        self.states.number(self.sets.iter().map(|set| set.start()).collect())
    }

    fn read(&self, state: State, c: u8) -> State {
        let at = self.states.of(state);
        self.states.number(self.sets.iter().zip(at.iter()).map(|(set, at)| set.read(*at, c)).collect())
    }

    fn accepts(&self, state: State) -> bool {
        let at = self.states.of(state);
        self.sets.iter().zip(at.iter()).any(|(set, at)| set.accepts(*at))
    }

    fn is_dead(&self, state: State) -> bool {
        let at = self.states.of(state);
        self.sets.iter().zip(at.iter()).all(|(set, at)| set.is_dead(*at))
    }

    fn literals(&self, state: State) -> u128 {
        let at = self.states.of(state);
        self.sets.iter().zip(at.iter()).fold(0, |all, (set, at)| all | set.literals(*at))
    }
}

/// What is in both sets.
pub(super) struct Both<'a> {
    one: Rc<dyn Machine + 'a>,
    other: Rc<dyn Machine + 'a>,
    states: States<(State, State)>,
}

impl<'a> Both<'a> {
    pub(super) fn new(one: Rc<dyn Machine + 'a>, other: Rc<dyn Machine + 'a>) -> Self {
        Self { one, other, states: States::new() }
    }
}

impl Machine for Both<'_> {
    fn start(&self) -> State {
        self.states.number((self.one.start(), self.other.start()))
    }

    fn read(&self, state: State, c: u8) -> State {
        let at = self.states.of(state);
        self.states.number((self.one.read(at.0, c), self.other.read(at.1, c)))
    }

    fn accepts(&self, state: State) -> bool {
        let at = self.states.of(state);
        self.one.accepts(at.0) && self.other.accepts(at.1)
    }

    fn is_dead(&self, state: State) -> bool {
        let at = self.states.of(state);
        self.one.is_dead(at.0) || self.other.is_dead(at.1)
    }

    fn literals(&self, state: State) -> u128 {
        let at = self.states.of(state);
        self.one.literals(at.0) | self.other.literals(at.1)
    }
}
