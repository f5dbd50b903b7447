//! The order in which a plan is asked (SPEC 6.4), and what each feature does with what matched.

use super::Plan;
use super::break_out::FromSite;
use super::caller::{Around, Caller, Standing};
use super::decision::{Alternate, Bar, Decision, EmergencyCall, Outcome, Refusal};
use super::emergency::EmergencyRow;
use super::feature::Feature;
use super::level::{Alone, Level, Unusable};
use super::number::{Filling, Modifiers};
use super::rights::{InForce, RightsHere};
use super::short_code::ShortCode;
use super::trace::{Step, Trace};
use crate::ids::SiteName;
use crate::settings::MissingRights;
use crate::sip::is_sos;
use crate::timing::Wall;

impl Plan {
    /// What happens when a user or desk at this site dials `dialled`.
    pub fn route(&self, dialled: &str, caller: &Caller<'_>, around: &Around<'_>, trace: Trace) -> Decision {
        let mut routing = Routing::new(self, caller, around, Asking::User, dialled, trace);
        let outcome = routing.dialled(dialled);
        routing.decide(dialled, outcome)
    }

    /// What happens when a user at this site dials `digits` after a Break Out code for `site` alone (SPEC 6.8): as behind that code.
    pub fn route_behind(
        &self,
        site: &SiteName,
        digits: &str,
        caller: &Caller<'_>,
        around: &Around<'_>,
        trace: Trace,
    ) -> Decision {
        let mut routing = Routing::new(self, caller, around, Asking::User, digits, trace);
        let outcome = routing.break_out(Some(site), digits);
        routing.decide(digits, outcome)
    }

    /// Where a forward of this site's user goes (SPEC 9.3): by extensions and system codes, never where the user dialling the number would
    /// be barred, and never to emergency services.
    pub fn route_forward(&self, number: &str, user: &Caller<'_>, around: &Around<'_>, trace: Trace) -> Decision {
        let mut routing = Routing::new(self, user, around, Asking::Forward, number, trace);
        let outcome = routing.forward(number);
        routing.decide(number, outcome)
    }
}

/// On whose behalf a plan is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking<'a> {
    /// A user or desk of the site dials.
    User,
    /// A forward of a user.
    Forward,
    /// Another site's Break Out.
    Site(FromSite<'a>),
}

impl Asking<'_> {
    fn step(self, plan: &Plan, caller: &Caller<'_>, digits: &str) -> Step {
        let by = if caller.standing == Standing::Desk { "a desk" } else { caller.extension };
        let how = match self {
            Self::User => String::new(),
            Self::Forward => ", as a forward".to_owned(),
            Self::Site(from) => format!(", by Break Out from {}", from.origin),
        };
        Step::Dialled { digits: digits.to_owned(), by: by.to_owned(), site: plan.site.to_string(), how }
    }
}

/// One question to a plan on its way to an answer.
pub(super) struct Routing<'a> {
    pub(super) plan: &'a Plan,
    pub(super) caller: &'a Caller<'a>,
    pub(super) around: &'a Around<'a>,
    pub(super) asking: Asking<'a>,
    pub(super) trace: Trace,
    pub(super) rights: Option<(&'a str, &'a RightsHere)>,
    pub(super) bar: Option<Bar>,
    /// The alternate form whose routes are being looked for.
    pub(super) alternate: Option<Alternate>,
}

/// A row that won, and the string that it matched.
#[derive(Clone, Copy)]
struct Winner<'a, 't> {
    row: &'a ShortCode,
    text: &'t str,
}

impl<'a> Routing<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        caller: &'a Caller<'a>,
        around: &'a Around<'a>,
        asking: Asking<'a>,
        dialled: &str,
        mut trace: Trace,
    ) -> Self {
        trace.step(|| asking.step(plan, caller, dialled));
        let in_force = plan.rights_in_force(&caller.rights, around.at);
        if in_force != (InForce { name: None, missing: None }) {
            trace.step(|| Step::Rights { name: in_force.name.map(str::to_owned), why: in_force.why(&caller.rights) });
        }
        let rights = in_force.name.and_then(|name| Some((name, plan.rights.get(name)?)));
        let bar = plan.bar_of(caller, &in_force);
        Self { plan, caller, around, asking, trace, rights, bar, alternate: None }
    }

    /// Closes the trace, with no PIN in it (SPEC 10.5).
    pub(super) fn decide(mut self, dialled: &str, outcome: Outcome) -> Decision {
        let mut decision =
            Decision { site: self.plan.site.clone(), outcome, trace: std::mem::take(&mut self.trace) }.closed();
        if decision.trace.is_on() {
            self.mask(dialled, &decision.outcome, &mut decision.trace);
        }
        decision
    }

    /// SPEC 6.4.
    fn dialled(&mut self, dialled: &str) -> Outcome {
        let asked = self.plan.system.alone(dialled);
        if let Some(row) = self.plan.emergency_row(&asked) {
            return Outcome::Emergency(self.emergency(dialled, &row));
        }
        // No code is meant by a service URN: it calls for help, or nobody.
        if is_sos(dialled) {
            let text = || "this site has no way to emergency services".to_owned();
            self.trace.step(|| Step::Note { text: text() });
            return Outcome::NotFound;
        }
        // SPEC 6.7: behind a Break Out prefix too, no user's or rights' code stands before it.
        if let Some(help) = self.help_behind_break_out(&asked) {
            return help;
        }
        if self.caller.standing == Standing::Desk {
            return self.desk(dialled);
        }
        self.ordinary(&asked)
    }

    fn help_behind_break_out(&mut self, asked: &Alone<'_, '_>) -> Option<Outcome> {
        let (target, digits) = self.plan.breaks_out(asked)?;
        let help = self.emergency_behind(&target, &digits)?;
        self.trace.step(|| Step::Note {
            text: format!("{} is {digits} by Break Out to {target}: help is called where the phone is", asked.text),
        });
        Some(help)
    }

    /// Everything after emergency numbers: as dialled, then without a final `#`, then the default matches (SPEC 6.2).
    pub(super) fn ordinary(&mut self, asked: &Alone<'a, '_>) -> Outcome {
        let (dialled, mut begins) = (asked.text, false);
        if let Some(outcome) = self.search(asked, &mut begins) {
            return outcome;
        }
        let complete = dialled.strip_suffix('#');
        if let Some(digits) = complete {
            self.trace.step(|| Step::Complete { digits: digits.to_owned() });
            if let Some(outcome) = self.search(&self.plan.system.alone(digits), &mut false) {
                return outcome;
            }
        }
        if let Some(outcome) = self.defaults(complete.unwrap_or(dialled)) {
            return outcome;
        }
        if begins || self.plan.extensions.begin(dialled) || self.plan.begins_emergency(dialled) {
            self.trace.step(|| Step::Note { text: "it begins something longer that would match".to_owned() });
            return Outcome::Incomplete;
        }
        Outcome::NotFound
    }

    fn search(&mut self, asked: &Alone<'a, '_>, begins: &mut bool) -> Option<Outcome> {
        let text = asked.text;
        if let Some(place) = self.plan.place_step(text, self.around, &mut self.trace) {
            let (number, modifiers) = (text.to_owned(), Modifiers::default());
            return Some(self.plan.called(place, number, modifiers, self.around, &mut self.trace));
        }
        for (who, level) in self.levels() {
            let plan = self.plan;
            let name = || who.in_words(self.caller);
            let answer = match who {
                Who::System => asked.told(&name, &mut self.trace),
                Who::User | Who::Rights(_) => level.best(text, &name, &|row| plan.unusable(row), &mut self.trace),
            };
            if let Some((row, _)) = answer.best {
                return Some(self.act(Winner { row, text }));
            }
            *begins |= answer.begins
                && match who {
                    Who::User => level.begins(text, &|row| plan.unusable(row).is_none()),
                    Who::Rights(_) | Who::System => true,
                };
        }
        None
    }

    fn defaults(&mut self, text: &str) -> Option<Outcome> {
        for (who, level) in self.levels() {
            let plan = self.plan;
            let name = || who.in_words(self.caller);
            let best = level.default_match(&name, &|row| plan.unusable(row), &mut self.trace);
            if let Some((row, _)) = best {
                return Some(self.act(Winner { row, text }));
            }
        }
        None
    }

    /// The levels that apply, the first one first: user and rights codes apply only to what a user dials.
    fn levels(&self) -> impl Iterator<Item = (Who<'a>, &'a Level)> + use<'a> {
        let dials = self.asking == Asking::User;
        let own = self.caller.level.filter(|_| dials).map(|level| (Who::User, level));
        let rights = self.rights.filter(|_| dials).map(|(name, here)| (Who::Rights(name), &here.level));
        own.into_iter().chain(rights).chain([(Who::System, &self.plan.system)])
    }

    /// Whether the caller's own or rights codes say Busy or Barred to these digits. `hiding`: only the first level that matches counts, as when
    /// the user dials; otherwise each is asked, and the stricter one wins.
    pub(super) fn refused_by_codes(&mut self, digits: &str, hiding: bool) -> Option<Outcome> {
        let own = self.caller.level.map(|level| (Who::User, level));
        let rights = self.rights.map(|(name, here)| (Who::Rights(name), &here.level));
        for (who, level) in own.into_iter().chain(rights) {
            let (plan, caller) = (self.plan, self.caller);
            let name = || format!("{} (only to refuse)", who.in_words(caller));
            let mut ask = |text: &str| level.best(text, &name, &|row| plan.unusable(row), &mut self.trace).best;
            let best = ask(digits).or_else(|| ask(digits.strip_suffix('#')?));
            match best.map(|(row, _)| row.feature) {
                Some(Feature::Busy) => return Some(Outcome::Busy),
                Some(Feature::Barred) => return Some(Outcome::Barred(Bar::Code)),
                Some(_) if hiding => return None,
                Some(_) | None => {}
            }
        }
        None
    }

    /// A desk with no user logs in, and nothing else.
    fn desk(&mut self, dialled: &str) -> Outcome {
        let name = || "system".to_owned();
        let level = &self.plan.system;
        let mut ask = |text: &str| level.best(text, &name, &|_| None::<Unusable>, &mut self.trace).best;
        let found = ask(dialled).map(|(row, _)| (row, dialled)).or_else(|| {
            let complete = dialled.strip_suffix('#')?;
            ask(complete).map(|(row, _)| (row, complete))
        });
        match found {
            Some((row, text)) if matches!(row.feature, Feature::ExtnLogin | Feature::ExtnLogout) => {
                self.act(Winner { row, text })
            }
            Some(_) | None => Outcome::Forbidden(Refusal::DeskOnly),
        }
    }

    fn forward(&mut self, number: &str) -> Outcome {
        let asked = self.plan.system.alone(number);
        if self.plan.emergency_row(&asked).is_some() {
            return Outcome::Forbidden(Refusal::ForwardToEmergency);
        }
        let extension = self.plan.extensions.place(number, self.around.directory).is_some();
        match self.refused_by_codes(number, true).filter(|_| !extension) {
            Some(refused) => refused,
            None => self.ordinary(&asked),
        }
    }

    fn act(&mut self, winner: Winner<'_, '_>) -> Outcome {
        let Winner { row, text } = winner;
        match row.feature {
            Feature::Dial => self.dial(row, text),
            Feature::DialExtn => {
                let (number, modifiers) = self.build(row, text);
                if number.is_empty() {
                    return Outcome::Incomplete;
                }
                self.plan.extension_outcome(number, modifiers, self.around, &mut self.trace)
            }
            Feature::DialEmergency => match EmergencyRow::of(row) {
                Some(found) if self.asking == Asking::User => Outcome::Emergency(self.emergency(text, &found)),
                Some(_) | None => Outcome::NotFound,
            },
            Feature::BreakOut => {
                let (digits, _) = self.build(row, text);
                self.break_out(row.site.as_ref(), &digits)
            }
            Feature::Busy => Outcome::Busy,
            Feature::Barred => Outcome::Barred(Bar::Code),
            // what changes a user's settings or a desk is done where it was dialled, by whom it concerns
            feature if self.asking != Asking::User => {
                self.trace.step(|| Step::Note { text: format!("{feature} acts only where a user dials it") });
                Outcome::NotFound
            }
            feature => Outcome::Feature { feature, argument: self.build(row, text).0 },
        }
    }

    pub(super) fn build(&mut self, row: &ShortCode, text: &str) -> (String, Modifiers) {
        let Some(template) = &row.number else { return Default::default() };
        let matched = row.pattern.matched(text).unwrap_or_default();
        let filling =
            Filling { matched: &matched, whole: text, extension: self.caller.extension, name: self.caller.name };
        let number = template.number(&filling).into_owned();
        self.trace.step(|| Step::Number { template: template.as_str().to_owned(), number: number.clone() });
        (number, template.modifiers(&filling))
    }

    /// An emergency number, and the ways that will be tried.
    pub(super) fn emergency(&mut self, digits: &str, row: &EmergencyRow) -> EmergencyCall {
        let (plan, call) = (self.plan, self.plan.emergency_call(row));
        self.trace.step(|| Step::Emergency {
            digits: digits.to_owned(),
            number: call.number.clone(),
            row: row.row.to_string(),
        });
        for route in &call.routes {
            self.trace.step(|| Step::Route {
                group: route.group.to_string(),
                trunks: plan.trunk_names(plan.trunks(&route.group)),
                number: route.number.clone(),
                calling: "that of the phone's place".to_owned(),
            });
        }
        call
    }

    /// Takes what was dialled with a code that takes a PIN out of the trace, whether the code was complete or not.
    fn mask(&self, dialled: &str, outcome: &Outcome, trace: &mut Trace) {
        let mut pin = false;
        if let Outcome::Feature { feature, argument } = outcome
            && feature.takes_pin()
        {
            pin = true;
            let visible = feature.shown(argument);
            let shown = if visible.is_empty() { "…".to_owned() } else { format!("{visible}*…") };
            trace.mask(argument, &shown);
        }
        let own = self.caller.level.into_iter();
        let levels = own.chain(self.rights.map(|(_, here)| &here.level)).chain([&self.plan.system]);
        let tail =
            levels.flat_map(Level::pin_starts).filter_map(|start| behind(dialled, start)).max_by_key(|t| t.len());
        match tail {
            Some(tail) => {
                trace.mask(tail, "…");
                trace.mask(tail.trim_end_matches('#'), "…");
            }
            None if pin => trace.mask(dialled, "…"),
            None => {}
        }
    }
}

impl Plan {
    /// What was dialled, and words about it, without what stands behind the start of a code that takes a PIN (SPEC 10.5): whether the code was
    /// complete or not, and behind a Break Out prefix too. `own` is the level of the user who dials.
    pub fn masked(&self, dialled: &str, words: &str, own: Option<&Level>) -> (String, String) {
        let rights = self.rights.values().map(|here| &here.level);
        let levels = own.into_iter().chain(rights).chain([&self.system]);
        let tails = levels.flat_map(Level::pin_starts).filter_map(|start| behind(dialled, start));
        let Some(tail) = tails.max_by_key(|tail| tail.len()).filter(|tail| !tail.is_empty()) else {
            return (dialled.to_owned(), words.to_owned());
        };
        let whole = words.replace(tail, "…");
        let complete = tail.trim_end_matches('#');
        let words = if complete.is_empty() { whole } else { whole.replace(complete, "…") };
        (format!("{}…", dialled.strip_suffix(tail).unwrap_or_default()), words)
    }
}

/// What stands behind the literal start of a code that takes a PIN, also behind a Break Out prefix.
fn behind<'t>(dialled: &'t str, start: &str) -> Option<&'t str> {
    match dialled.split_once(start) {
        Some((before, tail)) => {
            Some(tail).filter(|_| !start.is_empty() && (before.is_empty() || start.contains(['*', '#'])))
        }
        None => None,
    }
}

impl Plan {
    /// Who bars external calls of this caller here and now, if anyone does. The bar travels with a Break Out (SPEC 6.8).
    pub fn bar(&self, caller: &Caller<'_>, at: Wall) -> Option<Bar> {
        self.bar_of(caller, &self.rights_in_force(&caller.rights, at))
    }

    fn bar_of(&self, caller: &Caller<'_>, in_force: &InForce<'_>) -> Option<Bar> {
        if caller.outgoing_bar {
            return Some(Bar::User);
        }
        if let Some(name) = in_force.name.filter(|name| self.rights.get(*name).is_some_and(|here| here.outgoing_bar)) {
            return Some(Bar::Rights(name.to_owned()));
        }
        // SPEC 7.2: only a visitor's rights can be another site's
        let bars = caller.standing == Standing::Visitor && self.missing_rights == MissingRights::Bar;
        in_force.missing.filter(|_| bars).map(|missing| Bar::MissingRights(missing.name().to_owned()))
    }

    /// Why a row cannot be used at this site (SPEC 7.5).
    pub(super) fn unusable(&self, row: &ShortCode) -> Option<Unusable> {
        let no_group = row.line_group.as_ref().is_some_and(|name| !self.line_groups.contains_key(&**name));
        let no_site = row.site.as_ref().is_some_and(|site| !self.knows(site));
        match (no_group, no_site) {
            (true, _) => Some(Unusable::LineGroup),
            (false, true) => Some(Unusable::Site),
            (false, false) => None,
        }
    }
}

/// Whose level it is, in the trace.
#[derive(Clone, Copy)]
enum Who<'a> {
    User,
    Rights(&'a str),
    System,
}

impl Who<'_> {
    fn in_words(self, caller: &Caller<'_>) -> String {
        match self {
            Self::User => format!("codes of user {}", caller.extension),
            Self::Rights(name) => format!("codes of the rights {name}"),
            Self::System => "system codes".to_owned(),
        }
    }
}

impl Decision {
    /// Says in the trace what it came to.
    pub(super) fn closed(mut self) -> Self {
        if self.trace.is_on() {
            let outcome = self.gives(&self.site.clone());
            self.trace.step(|| Step::Gives { outcome });
        }
        self
    }
}
