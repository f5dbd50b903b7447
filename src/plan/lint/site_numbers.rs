//! The numbers of a `BreakOut` without a `site`, as a machine: those that begin with one site, and go on with digits of another set.

use std::rc::Rc;

use super::machine::{Machine, State, States};
use crate::ids::SiteName;
use crate::plan::Plan;

/// What names that site, with digits that are in `inner`.
pub(super) struct Names<'a> {
    plan: &'a Plan,
    site: &'a SiteName,
    inner: Rc<dyn Machine + 'a>,
    states: States<Reading>,
}

/// A target is read as text; what follows it goes to `inner`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Reading {
    /// `None` once this can be no target any more.
    text: Option<String>,
    /// After a site's number and `*`.
    by_number: Option<State>,
    /// After a site's address and `*`.
    by_address: Option<State>,
}

impl<'a> Names<'a> {
    pub(super) fn new(plan: &'a Plan, site: &'a SiteName, inner: Rc<dyn Machine + 'a>) -> Self {
        Self { plan, site, inner, states: States::new() }
    }

    /// Whether more may follow that makes the text the site's number or address; zeros may stand before each part of it.
    fn may_name(&self, text: &str) -> bool {
        let begins = |whole: &str| {
            let (mut read, mut wanted) = (text.split('*').peekable(), whole.split('*'));
            while let Some(part) = read.next() {
                let Some(wanted) = wanted.next() else { return false };
                let fits = if read.peek().is_some() { part == wanted } else { wanted.starts_with(part) || part == "0" };
                if !fits {
                    return false;
                }
            }
            true
        };
        self.plan.targets_of(self.site).iter().any(|whole| begins(whole))
    }

    fn names(&self, text: &str) -> bool {
        self.plan.target(text).is_some_and(|(target, _)| target.name == *self.site)
    }
}

impl Machine for Names<'_> {
    fn start(&self) -> State {
        self.states.number(Reading { text: Some(String::new()), by_number: None, by_address: None })
    }

    fn read(&self, state: State, c: u8) -> State {
        let at = self.states.of(state);
        let on = |inner: Option<State>| inner.map(|inner| self.inner.read(inner, c));
        let (mut by_number, mut by_address) = (on(at.by_number), on(at.by_address));
        let mut text = at.text.clone();
        if let Some(read) = &mut text {
            let stars = read.bytes().filter(|c| *c == b'*').count();
            if c == b'*' && self.names(read) {
                match stars {
                    0 => by_number = Some(self.inner.start()),
                    3 => by_address = Some(self.inner.start()),
                    _ => {}
                }
            }
            // zeros before a part say nothing
            if read.ends_with("*0") || read == "0" {
                read.pop();
                if c == b'*' {
                    read.push('0');
                }
            }
            read.push(char::from(c));
        }
        let text = text.filter(|read| self.may_name(read));
        self.states.number(Reading { text, by_number, by_address })
    }

    fn accepts(&self, state: State) -> bool {
        let at = self.states.of(state);
        let ends = |inner: Option<State>| inner.is_some_and(|inner| self.inner.accepts(inner));
        let bare = at.text.as_ref().is_some_and(|text| self.names(text)) && self.inner.accepts(self.inner.start());
        bare || ends(at.by_address) || at.by_address.is_none() && ends(at.by_number)
    }

    fn is_dead(&self, state: State) -> bool {
        let at = self.states.of(state);
        let over = |inner: Option<State>| inner.is_none_or(|inner| self.inner.is_dead(inner));
        at.text.is_none() && over(at.by_number) && over(at.by_address)
    }

    fn literals(&self, state: State) -> u128 {
        let at = self.states.of(state);
        let inner = [at.by_number, at.by_address].into_iter().flatten();
        let own = if at.text.is_some() { 0x3ff << b'0' | 1 << b'*' } else { 0 };
        inner.fold(own, |all, inner| all | self.inner.literals(inner))
    }
}
