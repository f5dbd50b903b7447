//! What users bring to other sites: names that these lack, and profiles that nobody has a licence for (SPEC 7.2, 7.3).

use super::finding::Kind;
use super::here::{Here, Report};
use super::people::may_visit;
use crate::plan::Everywhere;
use crate::settings::{Shortage, Site, User};

/// Rights and time profiles of users here that another site lacks. Said once for each name and site.
pub(super) fn rights(all: &Everywhere<'_>, here: &Here<'_>, report: &mut Report) {
    for other in all.sites.values().filter(|other| other.name != here.site.name) {
        let visitors: Vec<&User> = here.site.users.values().filter(|user| may_visit(all, user, &other.name)).collect();
        let mut told: Vec<(&str, Kind)> = Vec::new();
        for user in &visitors {
            let rights = [&user.rights, &user.out_of_hours_rights].into_iter().flatten();
            let lacks = rights.filter(|name| !other.rights.contains_key(*name)).map(|name| (name, Kind::LacksRights));
            let profile = user.time_profile.iter().filter(|name| {
                !other.time_profiles.contains_key(*name)
                    && (user.rights.is_some() || user.out_of_hours_rights.is_some())
            });
            for (name, kind) in lacks.chain(profile.map(|name| (name, Kind::LacksTimeProfile))) {
                if told.contains(&(name, kind)) {
                    continue;
                }
                told.push((name, kind));
                let what = if kind == Kind::LacksRights { "rights" } else { "time profile" };
                let (number, site) = (&user.extension, &other.name);
                report.note(
                    &user.origin,
                    kind,
                    format!("user {number} may log in at {site}, which has no {what} `{name}`"),
                );
            }
        }
    }
}

/// Users who may log in elsewhere, and for whom no other site has a licence. Not asked where a plan is missing.
pub(super) fn licences(all: &Everywhere<'_>, here: &Here<'_>, report: &mut Report) {
    if all.network.sites.len() < 2 || all.sites.len() < all.network.sites.len() {
        return;
    }
    for user in here.site.users.values() {
        let mut open = all
            .sites
            .values()
            .filter(|other| other.name != here.site.name && may_visit(all, user, &other.name))
            .peekable();
        if open.peek().is_some() && !open.any(|other| has_licence(other, &user.profile)) {
            let (number, profile) = (&user.extension, &user.profile);
            let what = format!("user {number}: no other site has a licence for the profile `{profile}`");
            report.note(&user.origin, Kind::NoLicence, what);
        }
    }
}

fn has_licence(site: &Site, profile: &str) -> bool {
    site.hot_desk.licence_shortage == Shortage::Basic
        || site.licences.as_ref().is_none_or(|licences| licences.get(profile).is_some_and(|places| *places > 0))
}
