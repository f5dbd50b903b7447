//! Every string that calls for help at a site, dialled by itself or with the outside prefix (SPEC 6.7): a list, because a `DialEmergency` row has only
//! literals, found from its end: the rows' numbers, then what leads to them.
//!
//! Where a code turns all that it matches into one emergency number the list has no end; such rows stand beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::machine::{Machine, State, States};
use super::order::Order;
use super::order::Verdict;
use crate::plan::codes::Codes;
use crate::plan::feature::Feature;
use crate::plan::level::Level;
use crate::plan::number::{Shape, Varies};
use crate::plan::pattern::{Element, Pattern};
use crate::plan::short_code::ShortCode;
use crate::plan::{LineGroup, Plan};

/// More strings than these from one row are not looked for.
const MOST_SPLITS: usize = 4096;

/// The strings that call for help at one site.
pub(super) struct Help<'a> {
    /// All of them, as far as they can be listed.
    pub(super) strings: BTreeSet<String>,
    /// System rows that lead to help whatever they match.
    pub(super) always: Vec<usize>,
    /// Rows whose strings could not be listed.
    pub(super) unlisted: Vec<&'a ShortCode>,
    trie: Codes,
    alone: Option<Order<'a>>,
    states: States<(Vec<u32>, State)>,
}

impl<'a> Help<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        let mut search = Search { plan, forms: BTreeMap::new(), unlisted: Vec::new() };
        let mut strings = BTreeSet::new();
        for number in plan.bare_emergencies() {
            strings.extend([number.to_owned(), format!("{number}#")]);
        }
        let (found, always) = search.before(&plan.system, true);
        strings.extend(found);
        // whatever was found from behind is asked from the front
        strings.retain(|text| plan.is_emergency(text));
        let mut trie = Codes::new();
        for text in &strings {
            trie.push(&text.bytes().map(Element::Literal).collect::<Vec<_>>());
        }
        let alone = (!always.is_empty()).then(|| Order::alone(plan, &plan.system));
        let unlisted = search.unlisted;
        Self { strings, always, unlisted, trie, alone, states: States::new() }
    }
}

/// The set as a machine; nothing in it is dead, for it only ever stands beside others.
impl Machine for Help<'_> {
    fn start(&self) -> State {
        self.states.number((self.trie.start(), self.alone.as_ref().map_or(0, Order::start)))
    }

    fn read(&self, state: State, c: u8) -> State {
        let at = self.states.of(state);
        let alone = self.alone.as_ref().map_or(0, |order| order.read(at.1, c));
        self.states.number((self.trie.read(&at.0, c), alone))
    }

    fn accepts(&self, state: State) -> bool {
        let at = self.states.of(state);
        let row = self.alone.as_ref().and_then(|order| order.decides(at.1)).map(|decided| decided.by);
        let always = matches!(row, Some(Verdict::Row { row, .. }) if self.always.contains(&row));
        always || self.trie.ends(&at.0).next().is_some()
    }

    fn is_dead(&self, _state: State) -> bool {
        false
    }

    fn literals(&self, state: State) -> u128 {
        let at = self.states.of(state);
        self.trie.literals(&at.0) | self.alone.as_ref().map_or(0, |order| order.literals(at.1))
    }
}

struct Search<'a> {
    plan: &'a Plan,
    forms: BTreeMap<usize, BTreeSet<String>>,
    unlisted: Vec<&'a ShortCode>,
}

impl<'a> Search<'a> {
    /// The strings with which the rows of a level lead to help, and the rows that do so always.
    fn before(&mut self, level: &'a Level, system: bool) -> (BTreeSet<String>, Vec<usize>) {
        let (mut strings, mut always) = (BTreeSet::new(), Vec::new());
        for (place, row) in level.rows().iter().enumerate() {
            match row.feature {
                Feature::DialEmergency => {
                    let code = row.pattern.as_str().trim_end_matches(';');
                    strings.extend([code.to_owned(), format!("{code}#")]);
                }
                Feature::Dial => match self.before_row(row) {
                    Some(found) => strings.extend(found),
                    None if system && constant(row) => always.push(place),
                    None => self.unlisted.push(row),
                },
                _ => {}
            }
        }
        (strings, always)
    }

    fn before_row(&mut self, row: &'a ShortCode) -> Option<BTreeSet<String>> {
        let mut targets: BTreeSet<String> = self.plan.bare_emergencies().map(str::to_owned).collect();
        if let Some(LineGroup::Form(form)) = self.plan.line_groups.get(row.line_group.as_deref().unwrap_or_default()) {
            targets.extend(self.form(*form));
        }
        let mut strings = BTreeSet::new();
        for target in &targets {
            for source in sources(row, target)? {
                strings.insert(format!("{source}#"));
                strings.insert(source);
            }
        }
        Some(strings)
    }

    fn form(&mut self, at: usize) -> BTreeSet<String> {
        if let Some(known) = self.forms.get(&at) {
            return known.clone();
        }
        let Some(form) = self.plan.forms.get(at) else { return BTreeSet::new() };
        let (mut strings, _) = self.before(&form.level, false);
        for other in form.substitutes() {
            strings.extend(self.form(other));
        }
        strings.retain(|number| self.plan.leads_in_form(at, number).is_some());
        self.forms.insert(at, strings.clone());
        strings
    }
}

fn constant(row: &ShortCode) -> bool {
    let shape = row.number.as_ref().and_then(|number| number.shape("", ""));
    shape.is_some_and(|shape| shape.varies == Varies::Not || row.pattern.is_default())
}

/// The strings of which the row makes `target`; `None` where there is no end of them, or they cannot be told.
pub(super) fn sources(row: &ShortCode, target: &str) -> Option<Vec<String>> {
    let Shape { before, varies, after } = row.number.as_ref().map_or_else(
        || Some(Shape { before: String::new(), varies: Varies::Not, after: String::new() }),
        |number| number.shape("", ""),
    )?;
    let piece = target.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(after.as_str()));
    let Some(piece) = piece else { return Some(Vec::new()) };
    match varies {
        Varies::Not => (!piece.is_empty()).then(Vec::new),
        Varies::Whole => Some(vec![piece.to_owned()]),
        Varies::Matched if row.pattern.is_default() => (!piece.is_empty()).then(Vec::new),
        Varies::Matched => filled(&row.pattern, piece),
    }
}

/// The strings of which the wildcards of a pattern take just `taken`.
fn filled(pattern: &Pattern, taken: &str) -> Option<Vec<String>> {
    let mut found = vec![(String::new(), 0)];
    for element in pattern.elements() {
        let mut next = Vec::new();
        for (text, used) in &found {
            let longest = match element {
                Element::Literal(c) => {
                    next.push((format!("{text}{}", char::from(*c)), *used));
                    continue;
                }
                Element::Digit => 1..=1,
                Element::Run => 0..=taken.len() - used,
            };
            let more = longest.filter_map(|n| Some((format!("{text}{}", taken.get(*used..used + n)?), used + n)));
            next.extend(more);
        }
        found = next;
        if found.len() > MOST_SPLITS {
            return None;
        }
    }
    let fits = |text: &String| pattern.matched(text).as_deref() == Some(taken);
    Some(found.into_iter().map(|(text, _)| text).filter(fits).collect())
}
