//! Hours of groups and incoming rules: outside a time profile their calls go elsewhere.

use super::Plan;
use super::error::{PlanError, Problem};
use super::{ByName, by_name};
use crate::settings::{Group, OutOfHours, Site};
use crate::timing::Wall;

/// Where calls go outside the hours of a time profile.
#[derive(Clone, Debug)]
pub(super) struct Closed<T> {
    profile: Box<str>,
    to: T,
}

impl<T> Closed<T> {
    pub(super) fn new(settings: &OutOfHours, to: T) -> Self {
        Self { profile: settings.time_profile.as_str().into(), to }
    }

    /// Where calls go at that moment; `None` within the hours.
    pub(super) fn elsewhere(&self, plan: &Plan, at: Wall) -> Option<&T> {
        let calendar = plan.time_profiles.get(&self.profile)?;
        (!calendar.active(at)).then_some(&self.to)
    }

    /// The time profile's name.
    pub(super) fn profile(&self) -> &str {
        &self.profile
    }
}

/// The groups that have hours, by their extensions.
pub(super) fn groups(site: &Site) -> ByName<Closed<Box<str>>> {
    let mut closed = by_name();
    for (extension, group) in &site.groups {
        if let Some(hours) = &group.out_of_hours {
            closed.insert(extension.as_str().into(), Closed::new(hours, hours.to.as_str().into()));
        }
    }
    closed
}

/// Notes time profiles that are not there, and groups whose calls would go round: the way of a call has an end.
pub(super) fn check(site: &Site, errors: &mut Vec<PlanError>) {
    let groups = site
        .groups
        .values()
        .map(|group| (format!("group {}", group.extension), &group.origin, group.out_of_hours.as_ref()));
    let rules = site
        .incoming
        .iter()
        .map(|rule| (format!("incoming rule `{}`", rule.number), &rule.origin, rule.out_of_hours.as_ref()));
    for (who, origin, hours) in groups.chain(rules) {
        let Some(OutOfHours { time_profile: name, .. }) = hours else { continue };
        if !site.time_profiles.contains_key(name) {
            let nearest = super::feature::nearest(name, site.time_profiles.keys().map(String::as_str));
            let problem = Problem::TimeProfile { who, name: name.clone(), nearest: nearest.map(str::to_owned) };
            errors.push(PlanError { origin: origin.clone(), problem });
        }
    }
    for group in site.groups.values() {
        // each circle is told once, at its least number
        if let Some(groups) = circle(site, group).filter(|circle| circle.iter().min() == circle.first()) {
            errors.push(PlanError { origin: group.origin.clone(), problem: Problem::GroupLoop { groups } });
        }
    }
}

/// The way of a call for the group out of hours, if it comes back to it.
fn circle(site: &Site, group: &Group) -> Option<Vec<String>> {
    let mut way = vec![group.extension.to_string()];
    let mut next = group;
    while way.len() <= site.groups.len() {
        let to = &next.out_of_hours.as_ref()?.to;
        way.push(to.clone());
        if *to == way[0] {
            return Some(way);
        }
        next = site.groups.get(to.as_str())?;
    }
    None
}
