//! Emergency numbers (SPEC 6.7): what the site's own system codes and ARS lead to `DialEmergency`, before everything else.
//!
//! An emergency number is recognised
//! - as the code or the number of a `DialEmergency` row among the system codes, or in a form that they lead to, whatever the form's state or hours;
//! - as a service URN, `urn:service:sos` and what is below it (RFC 5031): it is this site's `default`, or its first number;
//! - behind an outside prefix: where the system codes, taken alone, turn what was dialled into such a number, or into such a row's code in a form.
//!
//! A row such as `11` → `911` only mends a prefix `9` that ate the first digit. Where the form also has the row `911`, `11` alone is no emergency number.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::decision::{EmergencyCall, Route};
use super::feature::Feature;
use super::level::{Alone, Level};
use super::number::{Filling, Modifiers};
use super::short_code::ShortCode;
use super::{LineGroup, Plan};
use crate::ids::SiteName;
use crate::sip::is_sos;

/// What is dialled for one emergency number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EmergencyRow {
    pub(super) number: Box<str>,
    line_group: Arc<str>,
    /// The row as written, and where: for the trace.
    pub(super) row: Box<str>,
}

/// The numbers that are emergency numbers without any prefix.
#[derive(Clone, Debug, Default)]
pub(super) struct Emergencies {
    rows: BTreeMap<Box<str>, EmergencyRow>,
    default: Option<Box<str>>,
}

impl Plan {
    /// The emergency call that `dialled` is at this site, with or without the outside prefix, whoever dials it. The node asks this before it
    /// authenticates, and [`Plan::route`] before anything else.
    pub fn emergency(&self, dialled: &str) -> Option<EmergencyCall> {
        self.emergency_row(&self.system.alone(dialled)).map(|row| self.emergency_call(&row))
    }

    /// Where `dialled` breaks out to by the system codes, taken alone, and the digits for that site: nothing stands before an emergency number
    /// behind a Break Out prefix either, no user's or rights' code.
    pub fn break_out_alone(&self, dialled: &str) -> Option<(SiteName, String)> {
        self.breaks_out(&self.system.alone(dialled))
    }

    pub(super) fn breaks_out(&self, dialled: &Alone<'_, '_>) -> Option<(SiteName, String)> {
        let (mut rows, text) = dialled.rows()?;
        let row = rows.next().filter(|row| row.feature == Feature::BreakOut)?;
        let matched = row.pattern.matched(text).unwrap_or_default();
        let filling = Filling { matched: &matched, whole: text, extension: "", name: "" };
        self.break_out_target(row.site.as_ref(), &row.number.as_ref()?.number(&filling))
    }

    /// The call that is made here for an emergency number of another place: this site's own code for it, else `[emergency] default`.
    /// `None` where this site has no way to emergency services.
    pub fn emergency_for(&self, number: &str) -> Option<EmergencyCall> {
        self.emergency_row_for(number).map(|row| self.emergency_call(&row))
    }

    pub(super) fn emergency_row_for(&self, number: &str) -> Option<EmergencyRow> {
        self.emergency_row(&self.system.alone(number)).or_else(|| self.default_row())
    }

    /// What is dialled where nobody says which emergency number: `[emergency] default`, else the first one.
    fn default_row(&self) -> Option<EmergencyRow> {
        let default = || {
            let default = self.emergency.default.as_deref()?;
            let unknown = || Some(EmergencyRow { number: default.into(), ..self.any_emergency()? });
            self.emergency_row(&self.system.alone(default)).or_else(unknown)
        };
        default().or_else(|| self.any_emergency())
    }

    /// What is dialled here for help: the emergency numbers without any prefix first, then behind the outside prefixes.
    pub fn emergency_numbers(&self) -> Vec<String> {
        let bare = || self.emergency.rows.keys().map(|number| number.to_string());
        let patterns = self.system.rows().iter().map(|row| row.pattern.as_str().trim_end_matches(';'));
        let prefixes = patterns.filter_map(|pattern| pattern.strip_suffix('N'));
        let behind = prefixes.flat_map(|prefix| bare().map(move |number| format!("{prefix}{number}")));
        let mut numbers: Vec<String> = bare().collect();
        for dialled in behind.filter(|dialled| self.is_emergency(dialled)) {
            if !numbers.contains(&dialled) {
                numbers.push(dialled);
            }
        }
        numbers
    }

    /// The emergency numbers without any prefix, in order.
    pub(super) fn bare_emergencies(&self) -> impl Iterator<Item = &str> {
        self.emergency.rows.keys().map(|number| &**number)
    }

    /// Finds the emergency numbers; `None` when no code leads to any.
    pub(super) fn find_emergencies(&mut self, default: Option<&str>) {
        let mut rows = BTreeMap::new();
        let mut add = |number: &str, row: &ShortCode| {
            if let Some(found) = EmergencyRow::of(row) {
                rows.entry(number.into()).or_insert(found);
            }
        };
        let levels = || std::iter::once(&self.system).chain(self.reachable_forms().into_iter().map(|form| &form.level));
        let emergencies = |level: &'_ Level| -> Vec<ShortCode> {
            level.rows().iter().filter(|row| row.feature == Feature::DialEmergency).cloned().collect()
        };
        for level in levels() {
            let found = emergencies(level);
            for row in &found {
                let code = row.pattern.as_str().trim_end_matches(';');
                if !self.mends_a_prefix(code, row, &found) {
                    add(code, row);
                }
            }
        }
        // the numbers themselves come second: a row whose code is the number knows better where it goes
        for row in levels().flat_map(emergencies) {
            if let Some(number) = &row.number {
                add(number.as_str(), &row);
            }
        }
        self.emergency = Emergencies { rows, default: default.map(Box::from) };
    }

    pub(super) fn has_emergency(&self) -> bool {
        !self.emergency.rows.is_empty()
    }

    /// Whether `digits` begin a longer emergency number.
    pub(super) fn begins_emergency(&self, digits: &str) -> bool {
        let from = (Bound::Excluded(digits), Bound::Unbounded);
        self.emergency.rows.range::<str, _>(from).next().is_some_and(|(next, _)| next.starts_with(digits))
    }

    /// Whether `dialled` calls for help.
    pub(super) fn is_emergency(&self, dialled: &str) -> bool {
        self.emergency_row(&self.system.alone(dialled)).is_some()
    }

    pub(super) fn emergency_row(&self, dialled: &Alone<'_, '_>) -> Option<EmergencyRow> {
        if self.emergency.rows.is_empty() {
            return None;
        }
        if is_sos(dialled.text) {
            return self.default_row();
        }
        let complete = dialled.text.strip_suffix('#');
        self.bare(dialled.text).or_else(|| self.bare(complete?)).cloned().or_else(|| self.leads_from(dialled, true))
    }

    /// The call for a `DialEmergency` row: its own routes, then every other trunk group.
    pub(super) fn emergency_call(&self, row: &EmergencyRow) -> EmergencyCall {
        let mut routes = Vec::new();
        self.emergency_routes(&row.line_group, &row.number, Modifiers::default(), &mut routes);
        let number = routes.first().map_or(&*row.number, |route| &*route.number).to_owned();
        for group in &self.groups {
            if routes.iter().all(|route| route.group != group.name) {
                routes.push(Route {
                    group: group.name.clone(),
                    number: number.clone(),
                    modifiers: Modifiers::default(),
                    alternate: None,
                });
            }
        }
        EmergencyCall { number, routes }
    }

    fn any_emergency(&self) -> Option<EmergencyRow> {
        self.emergency.rows.values().next().cloned()
    }

    fn bare(&self, dialled: &str) -> Option<&EmergencyRow> {
        self.emergency.rows.get(dialled)
    }

    /// What one level, taken alone, makes of a string: a `DialEmergency` row, or a number that is an emergency number.
    fn leads_from(&self, asked: &Alone<'_, '_>, system: bool) -> Option<EmergencyRow> {
        let (found, text) = asked.rows()?;
        for row in found {
            match row.feature {
                Feature::DialEmergency => return EmergencyRow::of(row),
                Feature::Dial => {}
                _ if system => return None,
                _ => continue,
            }
            let matched = row.pattern.matched(text).unwrap_or_default();
            let filling = Filling { matched: &matched, whole: text, extension: "", name: "" };
            let number = row.number.as_ref()?.number(&filling);
            let next = match self.line_groups.get(row.line_group.as_deref()?) {
                Some(LineGroup::Form(at)) => self.leads_in_form(*at, &number),
                Some(LineGroup::Trunks(_)) | None => None,
            };
            if let Some(found) = next.or_else(|| self.bare(&number).cloned()) {
                return Some(found);
            }
            if system {
                return None;
            }
        }
        None
    }

    /// Whatever the form's state and hours: help must not depend on them.
    pub(super) fn leads_in_form(&self, at: usize, number: &str) -> Option<EmergencyRow> {
        let form = self.forms.get(at)?;
        let own = self.leads_from(&form.level.alone(number), false);
        own.or_else(|| form.substitutes().find_map(|at| self.leads_in_form(at, number)))
    }

    /// The ways of an emergency number through a line group; a form's state and hours, and its bars, do not count.
    fn emergency_routes(&self, group: &str, number: &str, modifiers: Modifiers, routes: &mut Vec<Route>) {
        let at = match self.line_groups.get(group) {
            Some(LineGroup::Trunks(at)) => {
                if let Some(group) = self.groups.get(*at) {
                    let (group, number) = (group.name.clone(), number.to_owned());
                    routes.push(Route { group, number, modifiers, alternate: None });
                }
                return;
            }
            Some(LineGroup::Form(at)) => *at,
            None => return,
        };
        let Some(form) = self.forms.get(at) else { return };
        let Some((rows, text)) = form.level.alone(number).rows() else { return };
        for row in rows.filter(|row| matches!(row.feature, Feature::Dial | Feature::DialEmergency)) {
            let (Some(template), Some(group)) = (&row.number, &row.line_group) else { continue };
            let matched = row.pattern.matched(text).unwrap_or_default();
            let filling = Filling { matched: &matched, whole: text, extension: "", name: "" };
            let modifiers = template.modifiers(&filling).or(&modifiers);
            self.emergency_routes(group, &template.number(&filling), modifiers, routes);
        }
    }

    /// The forms that system codes lead to, directly, through other forms or in their place.
    fn reachable_forms(&self) -> Vec<&super::form::Form> {
        let mut reached: Vec<usize> = Vec::new();
        let mut open: Vec<usize> = self.forms_behind(&self.system).collect();
        while let Some(at) = open.pop() {
            let Some(form) = self.forms.get(at).filter(|_| !reached.contains(&at)) else { continue };
            reached.push(at);
            open.extend(self.forms_behind(&form.level).chain(form.substitutes()));
        }
        reached.sort_unstable();
        reached.into_iter().filter_map(|at| self.forms.get(at)).collect()
    }

    /// The forms that the rows of a level name.
    pub(super) fn forms_behind<'a>(&'a self, level: &'a Level) -> impl Iterator<Item = usize> + 'a {
        level.rows().iter().filter_map(|row| match self.line_groups.get(row.line_group.as_deref()?)? {
            LineGroup::Form(at) => Some(*at),
            LineGroup::Trunks(_) => None,
        })
    }

    /// Whether `code` is its row's number without an outside prefix, and the whole number has a row of its own beside it.
    fn mends_a_prefix(&self, code: &str, row: &ShortCode, beside: &[ShortCode]) -> bool {
        let Some(number) = row.number.as_ref().map(|number| number.as_str()) else { return false };
        let Some(prefix) = number.strip_suffix(code).filter(|prefix| !prefix.is_empty()) else { return false };
        let is_prefix = |row: &ShortCode| {
            row.feature == Feature::Dial && row.pattern.as_str().trim_end_matches(';') == format!("{prefix}N")
        };
        beside.iter().any(|other| other.pattern.as_str().trim_end_matches(';') == number)
            && self.system.rows().iter().any(is_prefix)
    }
}

impl EmergencyRow {
    /// What a `DialEmergency` row says.
    pub(super) fn of(row: &ShortCode) -> Option<Self> {
        let (number, line_group) = (row.number.as_ref()?, row.line_group.as_ref()?);
        let origin = if row.origin.file.is_empty() { String::new() } else { format!("  [{}]", row.origin) };
        let row = format!("{}{origin}", row.in_words()).into();
        Some(Self { number: number.as_str().into(), line_group: line_group.clone(), row })
    }
}
