//! The ways out: from a row through forms and Break Outs to a trunk, each a chain of machines, and the shortest string that takes it.

use std::collections::HashMap;
use std::rc::Rc;

use ahash::RandomState;

use super::here::Here;
use super::leads::Leads;
use super::machine::{AnyOf, Both, Machine, NotEmpty, State, States};
use super::order::{Order, Verdict};
use super::site_numbers::Names;
use crate::ids::SiteName;
use crate::plan::break_out::MOST_STEPS;
use crate::plan::feature::Feature;
use crate::plan::form::{Form, State as FormState};
use crate::plan::level::Level;
use crate::plan::pattern::Element;
use crate::plan::short_code::ShortCode;
use crate::plan::{Caller, LineGroup, Plan, fixed_hasher};
use crate::timing::Wall;

/// A way out: its rows, and the machine of the numbers that take it.
pub(super) struct WayOut<'a> {
    pub(super) steps: Vec<String>,
    pub(super) machine: Rc<dyn Machine + 'a>,
}

/// A walk through plans for one caller.
pub(super) struct Walk<'a, 'h> {
    pub(super) sites: &'h [Here<'a>],
    /// Where the phone is.
    pub(super) origin: &'h SiteName,
    pub(super) caller: Caller<'a>,
    /// The state of the forms; `None`: every form that may ever be used.
    pub(super) at: Option<Wall>,
    /// What the number on the trunk must be.
    pub(super) wanted: Rc<dyn Machine + 'h>,
}

impl<'a: 'h, 'h> Walk<'a, 'h> {
    /// The ways out of one row that an order decides for.
    pub(super) fn out_of(
        &self,
        here: &'h Here<'a>,
        order: &Rc<Order<'h>>,
        decides: Verdict,
        row: &'h ShortCode,
        chain: &[&SiteName],
    ) -> Vec<WayOut<'h>> {
        let Some(shape) = row.number.as_ref().map_or(Some(crate::plan::number::Shape::whole()), |number| {
            number.shape(self.caller.extension, self.caller.name)
        }) else {
            return Vec::new();
        };
        let behind = match row.feature {
            Feature::Dial => self.through(here.plan, row),
            Feature::BreakOut => self.break_outs(here, row, chain),
            _ => Vec::new(),
        };
        let mut ways = Vec::new();
        for way in behind {
            let machine = Leads::new(order.clone(), decides, &row.pattern, shape.clone(), way.machine);
            let mut steps = vec![described(row)];
            steps.extend(way.steps);
            ways.push(WayOut { steps, machine: Rc::new(machine) });
        }
        ways
    }

    /// From a number through a line group.
    fn through(&self, plan: &'h Plan, row: &'h ShortCode) -> Vec<WayOut<'h>> {
        match plan.line_groups.get(row.line_group.as_deref().unwrap_or_default()) {
            Some(LineGroup::Trunks(at)) => {
                let group = plan.groups.get(*at).map_or("", |group| &*group.name);
                vec![WayOut { steps: vec![format!("trunks of {group}")], machine: self.wanted.clone() }]
            }
            Some(LineGroup::Form(at)) => self.form(plan, *at),
            None => Vec::new(),
        }
    }

    /// The forms that stand for a form.
    fn forms(&self, plan: &'h Plan, at: usize) -> Vec<&'h Form> {
        let Some(form) = plan.forms.get(at) else { return Vec::new() };
        let instead = |at: Option<usize>| at.map(|at| self.forms(plan, at)).unwrap_or_default();
        match self.at.map(|at| plan.form_state(form, at)) {
            Some(FormState::Open) => vec![form],
            Some(FormState::OutOfService(other) | FormState::OutOfHours(other)) => instead(other),
            None if !form.in_service => instead(form.out_of_service),
            None => [form].into_iter().chain(instead(form.out_of_hours)).collect(),
        }
    }

    fn form(&self, plan: &'h Plan, at: usize) -> Vec<WayOut<'h>> {
        let mut ways = Vec::new();
        for form in self.forms(plan, at) {
            ways.extend(self.open_form(plan, form, |_| true));
            ways.extend(self.alternates(plan, form));
        }
        ways
    }

    /// SPEC 6.6: the ways of the alternate form, for the numbers that have a way by the form itself and no code that ends the search.
    pub(super) fn alternates(&self, plan: &'h Plan, form: &'h Form) -> Vec<WayOut<'h>> {
        let Some(at) = form.alternate else { return Vec::new() };
        let ends = |row: &ShortCode| {
            let same = |other: &&ShortCode| other.pattern.elements() == row.pattern.elements();
            form.level.rows().iter().filter(same).any(|other| other.feature != Feature::Dial)
        };
        let any = Walk { wanted: Rc::new(NotEmpty), ..*self };
        let own = any.open_form(plan, form, |row| !ends(row)).into_iter().map(|way| way.machine).collect();
        let own: Rc<dyn Machine + 'h> = Rc::new(AnyOf::new(own));
        let mut ways = self.form(plan, at);
        for way in &mut ways {
            way.machine = Rc::new(Both::new(own.clone(), way.machine.clone()));
            way.steps.insert(0, format!("alternate of {}", form.name));
        }
        ways
    }

    /// The ways of a form by its own codes.
    fn open_form(&self, plan: &'h Plan, form: &'h Form, counts: impl Fn(&ShortCode) -> bool) -> Vec<WayOut<'h>> {
        let mut ways = Vec::new();
        let rows = tried(&form.level).into_iter().filter(|(_, row)| row.feature == Feature::Dial && counts(row));
        for (first, row) in rows {
            let Some(shape) =
                row.number.as_ref().and_then(|number| number.shape(self.caller.extension, self.caller.name))
            else {
                continue;
            };
            for way in self.through(plan, row) {
                let order = Rc::new(Order::alone(plan, &form.level));
                let decides = Verdict::Row { level: 0, row: first };
                let machine = Leads::new(order, decides, &row.pattern, shape.clone(), way.machine);
                let mut steps = vec![format!("{} in {}", described(row), form.name)];
                steps.extend(way.steps);
                ways.push(WayOut { steps, machine: Rc::new(machine) });
            }
        }
        ways
    }

    fn break_outs(&self, here: &'h Here<'a>, row: &'h ShortCode, chain: &[&SiteName]) -> Vec<WayOut<'h>> {
        let mut ways = Vec::new();
        for target in self.sites {
            let name = target.plan.site();
            let meant = row.site.as_ref().is_none_or(|site| site == name);
            if !meant || chain.contains(&name) || chain.len() >= MOST_STEPS || !self.admits(target) {
                continue;
            }
            let chain: Vec<&SiteName> = chain.iter().copied().chain([name]).collect();
            for way in self.at_target(target, &chain) {
                let mut machine: Rc<dyn Machine + 'h> =
                    Rc::new(Both::new(way.machine, Rc::new(self.unrefused(here, target))));
                if row.site.is_none() {
                    machine = Rc::new(Names::new(here.plan, name, machine));
                }
                let mut steps = vec![format!("at {name}")];
                steps.extend(way.steps);
                ways.push(WayOut { steps, machine });
            }
        }
        ways
    }

    fn admits(&self, target: &Here<'a>) -> bool {
        let allow = &target.plan.break_out.allow;
        target.plan.site() == self.origin || allow.as_ref().is_none_or(|allow| allow.contains(self.origin))
    }

    fn at_target(&self, target: &'h Here<'a>, chain: &[&SiteName]) -> Vec<WayOut<'h>> {
        let order = Rc::new(Order::dialled(target.plan, &target.help, &target.numbers, []));
        let rows = target.plan.system.rows().iter().enumerate();
        let of_row = |(at, row)| self.out_of(target, &order, Verdict::Row { level: 0, row: at }, row, chain);
        rows.flat_map(of_row).collect()
    }

    /// The caller's own and rights codes here, and rights of the same name there, may refuse the digits (SPEC 6.8).
    fn unrefused(&self, here: &'h Here<'a>, target: &'h Here<'a>) -> Unrefused<'h> {
        let mut orders = Vec::new();
        if let Some(level) = self.caller.level {
            orders.push(Order::alone(here.plan, level));
        }
        let origin = self.sites.iter().find(|site| site.plan.site() == self.origin);
        let due = origin.zip(self.at).and_then(|(origin, at)| origin.plan.rights_due(&self.caller.rights, at));
        for plan in [here.plan, target.plan] {
            if let Some(rights) = due.and_then(|name| plan.rights.get(name)) {
                orders.push(Order::alone(plan, &rights.level));
            }
        }
        Unrefused { orders, states: States::new() }
    }
}

/// The rows of a form that are tried, each with the first row of its pattern: those behind one that ends the search are not.
pub(super) fn tried(level: &Level) -> Vec<(usize, &ShortCode)> {
    let mut firsts: HashMap<&[Element], (usize, bool), RandomState> = HashMap::with_hasher(fixed_hasher());
    let mut tried = Vec::new();
    for (at, row) in level.rows().iter().enumerate() {
        let (first, over) = firsts.entry(row.pattern.elements()).or_insert((at, false));
        if !*over {
            tried.push((*first, row));
        }
        *over |= row.feature != Feature::Dial;
    }
    tried
}

/// A row in short, and where it stands.
pub(super) fn described(row: &ShortCode) -> String {
    if row.origin.file.is_empty() { row.in_words() } else { format!("{} [{}]", row.in_words(), row.origin) }
}

/// The digits that no level of the caller's refuses.
struct Unrefused<'a> {
    orders: Vec<Order<'a>>,
    states: States<Vec<State>>,
}

impl Machine for Unrefused<'_> {
    fn start(&self) -> State {
        self.states.number(self.orders.iter().map(Order::start).collect())
    }

    fn read(&self, state: State, c: u8) -> State {
        let at = self.states.of(state);
        self.states.number(self.orders.iter().zip(at.iter()).map(|(order, at)| order.read(*at, c)).collect())
    }

    fn accepts(&self, state: State) -> bool {
        let at = self.states.of(state);
        self.orders.iter().zip(at.iter()).all(|(order, at)| {
            let Some(Verdict::Row { level, row }) = order.decides(*at).map(|decided| decided.by) else { return true };
            let row = order.level(level).and_then(|level| level.rows().get(row));
            row.is_none_or(|row| row.pattern.is_default() || !matches!(row.feature, Feature::Busy | Feature::Barred))
        })
    }

    fn is_dead(&self, _state: State) -> bool {
        false
    }

    fn literals(&self, state: State) -> u128 {
        let at = self.states.of(state);
        self.orders.iter().zip(at.iter()).fold(0, |all, (order, at)| all | order.literals(*at))
    }
}
