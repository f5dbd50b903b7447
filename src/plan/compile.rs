//! From settings to a plan: everything that can be wrong is found here, once, and told with file and line.

use std::sync::Arc;

use super::break_out::KnownSite;
use super::caller::Priority;
use super::calling::TrunkShows;
use super::emergency::Emergencies;
use super::error::{PlanError, Problem};
use super::extensions::Extensions;
use super::feature::nearest;
use super::form::Form;
use super::level::Level;
use super::rights::RightsHere;
use super::time_profile::{TimeProfile, timezone};
use super::{ByName, LineGroup, Plan, TrunkGroup, by_name, hours, incoming};
use crate::settings::{ArsForm, Network, Origin, Site};

impl Plan {
    /// Compiles the site's plan, or tells everything that is wrong with it.
    pub fn compile(network: &Network, site: &Site) -> Result<Plan, Vec<PlanError>> {
        let mut errors = Vec::new();
        let mut plan = Plan::collect(network, site, &mut errors);
        plan.check_names(site, &mut errors);
        hours::check(site, &mut errors);
        plan.check_forms(site, &mut errors);
        plan.check_circles(site, &mut errors);
        if errors.is_empty() {
            // a circle of forms would never end here
            plan.find_emergencies(site.emergency.default.as_deref());
            if !plan.has_emergency() && !site.emergency.none {
                errors.push(PlanError {
                    origin: somewhere(site),
                    problem: Problem::NoEmergency { site: site.name.clone() },
                });
            }
        }
        if errors.is_empty() { Ok(plan) } else { Err(errors) }
    }

    fn collect(network: &Network, site: &Site, errors: &mut Vec<PlanError>) -> Plan {
        let (groups, line_groups) = line_groups(site, errors);
        let mut user_levels = by_name();
        for (extension, user) in site.users.iter().filter(|(_, user)| !user.short_codes.is_empty()) {
            user_levels.insert(extension.as_str().into(), Level::collect(&user.short_codes, errors));
        }
        let mut rights = by_name();
        for (name, here) in &site.rights {
            let level = Level::collect(&here.short_codes, errors);
            rights.insert(name.as_str().into(), RightsHere { outgoing_bar: here.outgoing_bar, level });
        }
        Plan {
            site: site.name.clone(),
            system: Level::collect(&site.short_codes, errors),
            user_levels,
            rights,
            time_profiles: time_profiles(site, errors),
            line_groups,
            forms: forms(site, errors),
            groups,
            trunks: site.trunks.iter().map(|trunk| TrunkShows::compile(trunk, errors)).collect(),
            extensions: Extensions::new(network, site),
            emergency: Emergencies::default(),
            incoming: incoming::compile(&site.incoming, errors),
            closed_groups: hours::groups(site),
            break_out: site.break_out.clone(),
            sites: KnownSite::all(network),
            missing_rights: site.hot_desk.missing_rights,
            caller_id: site.caller_id.as_deref().map(Box::from),
            timezone: site.timezone.as_deref().and_then(|zone| timezone("site", zone).ok()),
        }
    }

    /// Line groups and sites that codes name, and groups that incoming rules name.
    fn check_names(&self, site: &Site, errors: &mut Vec<PlanError>) {
        let users = site.users.keys().filter_map(|user| self.user_levels.get(user.as_str()));
        let rights = site.rights.keys().filter_map(|name| self.rights.get(name.as_str())).map(|here| &here.level);
        let forms = self.forms.iter().map(|form| &form.level);
        for row in [&self.system].into_iter().chain(users).chain(rights).chain(forms).flat_map(Level::rows) {
            let code = row.pattern.to_string();
            let mut note = |problem| errors.push(PlanError { origin: row.origin.clone(), problem });
            if let Some(name) = row.line_group.as_deref().filter(|name| !self.line_groups.contains_key(*name)) {
                let known =
                    self.groups.iter().map(|group| &*group.name).chain(self.forms.iter().map(|form| &*form.name));
                let nearest = nearest(name, known).map(str::to_owned);
                note(Problem::LineGroup { code: code.clone(), name: name.to_owned(), nearest });
            }
            if let Some(name) = row.site.as_ref().filter(|name| !self.knows(name)) {
                let nearest = nearest(name.as_str(), KnownSite::names(&self.sites)).map(str::to_owned);
                note(Problem::Site { code, name: name.to_string(), nearest });
            }
        }
        for rule in &site.incoming {
            if self.groups.iter().all(|group| *group.name != *rule.group) {
                let nearest = nearest(&rule.group, self.groups.iter().map(|group| &*group.name)).map(str::to_owned);
                let (number, group) = (rule.number.clone(), rule.group.clone());
                errors.push(PlanError {
                    origin: rule.origin.clone(),
                    problem: Problem::IncomingGroup { number, group, nearest },
                });
            }
        }
    }

    /// What forms name, and what they hold.
    fn check_forms(&self, site: &Site, errors: &mut Vec<PlanError>) {
        for (form, (name, settings)) in self.forms.iter().zip(&site.ars) {
            let mut note = |problem| errors.push(PlanError { origin: settings.origin.clone(), problem });
            for (key, named) in substitutes(settings) {
                let Some(named) = named.as_deref().filter(|named| !site.ars.contains_key(*named)) else { continue };
                let nearest = nearest(named, site.ars.keys().map(String::as_str)).map(str::to_owned);
                note(Problem::Form { form: name.clone(), key, name: named.to_owned(), nearest });
            }
            match &settings.time_profile {
                Some(profile) if !site.time_profiles.contains_key(profile) => {
                    let nearest = nearest(profile, site.time_profiles.keys().map(String::as_str)).map(str::to_owned);
                    note(Problem::TimeProfile { who: format!("ARS form `{name}`"), name: profile.clone(), nearest });
                }
                None if settings.out_of_hours.is_some() => note(Problem::NoHours { form: name.clone() }),
                Some(_) | None => {}
            }
            for row in form.level.rows().iter().filter(|row| !row.feature.belongs_in_form()) {
                let (code, feature) = (row.pattern.to_string(), row.feature);
                let problem = Problem::NotInForm { form: name.clone(), code, feature };
                errors.push(PlanError { origin: row.origin.clone(), problem });
            }
        }
    }

    /// SPEC 6.6: forms that lead to each other, by a code, out of service, out of hours or as alternate. Each circle is told once.
    fn check_circles(&self, site: &Site, errors: &mut Vec<PlanError>) {
        let mut done = vec![false; self.forms.len()];
        for start in 0..self.forms.len() {
            let mut path = Vec::new();
            if let Some(circle) = self.circle_from(start, &mut path, &mut done) {
                let name = |at: &usize| self.forms.get(*at).map(|form| form.name.to_string()).unwrap_or_default();
                let forms: Vec<String> = circle.iter().map(name).collect();
                let origin = forms.first().and_then(|name| site.ars.get(name)).map(|form| form.origin.clone());
                errors.push(PlanError { origin: origin.unwrap_or_default(), problem: Problem::Loop { forms } });
            }
        }
    }

    fn circle_from(&self, at: usize, path: &mut Vec<usize>, done: &mut [bool]) -> Option<Vec<usize>> {
        if let Some(begin) = path.iter().position(|&on| on == at) {
            return Some(path[begin..].iter().copied().chain([at]).collect());
        }
        let form = self.forms.get(at).filter(|_| !done[at])?;
        path.push(at);
        let found = self
            .forms_behind(&form.level)
            .chain(form.substitutes())
            .find_map(|next| self.circle_from(next, path, done));
        path.pop();
        done[at] = true;
        found
    }
}

fn substitutes(form: &ArsForm) -> [(&'static str, &Option<String>); 3] {
    [("out_of_service", &form.out_of_service), ("out_of_hours", &form.out_of_hours), ("alternate", &form.alternate)]
}

fn line_groups(site: &Site, errors: &mut Vec<PlanError>) -> (Vec<TrunkGroup>, ByName<LineGroup>) {
    let mut groups: Vec<TrunkGroup> = Vec::new();
    for (at, trunk) in site.trunks.iter().enumerate() {
        match groups.iter_mut().find(|group| *group.name == *trunk.group) {
            Some(group) => group.trunks.push(at),
            None => groups.push(TrunkGroup { name: Arc::from(trunk.group.as_str()), trunks: vec![at] }),
        }
    }
    let mut names = by_name();
    for (at, group) in groups.iter().enumerate() {
        names.insert(Box::from(&*group.name), LineGroup::Trunks(at));
    }
    for (at, (name, form)) in site.ars.iter().enumerate() {
        if names.insert(name.as_str().into(), LineGroup::Form(at)).is_some() {
            errors.push(PlanError { origin: form.origin.clone(), problem: Problem::SharedName { name: name.clone() } });
        }
    }
    (groups, names)
}

fn forms(site: &Site, errors: &mut Vec<PlanError>) -> Vec<Form> {
    let place = |name: &Option<String>| name.as_ref().and_then(|name| site.ars.keys().position(|form| form == name));
    let mut forms = Vec::with_capacity(site.ars.len());
    for (name, form) in &site.ars {
        forms.push(Form {
            name: name.as_str().into(),
            level: Level::collect(&form.short_codes, errors),
            in_service: form.in_service,
            out_of_service: place(&form.out_of_service),
            time_profile: form.time_profile.as_deref().map(Box::from),
            out_of_hours: place(&form.out_of_hours),
            alternate: place(&form.alternate),
            alternate_priority: Priority(form.alternate_priority),
            alternate_wait: form.alternate_wait,
        });
    }
    forms
}

fn time_profiles(site: &Site, errors: &mut Vec<PlanError>) -> ByName<TimeProfile> {
    let mut profiles = by_name();
    let mut note = |problem| errors.push(PlanError { origin: somewhere(site), problem });
    if let Some(zone) = &site.timezone
        && let Err(problem) = timezone("site", zone)
    {
        note(problem);
    }
    for (name, profile) in &site.time_profiles {
        match TimeProfile::compile(name, profile, site.timezone.as_deref()) {
            Ok(compiled) => {
                profiles.insert(name.as_str().into(), compiled);
            }
            // said once, of the site
            Err(Problem::Timezone { .. }) if profile.timezone.is_empty() => {}
            Err(problem) => note(problem),
        }
    }
    profiles
}

/// The site's file, where the settings keep no line for what is wrong.
fn somewhere(site: &Site) -> Origin {
    let codes = site.short_codes.iter().map(|row| &row.origin);
    let trunks = site.trunks.iter().map(|trunk| &trunk.origin);
    let users = site.users.values().map(|user| &user.origin);
    let origin = codes.chain(trunks).chain(users).next();
    Origin { line: 0, ..origin.cloned().unwrap_or_default() }
}
