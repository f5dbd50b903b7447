//! Who can sit at a site: everybody who differs to the plan, once.

use std::collections::BTreeMap;

use crate::ids::SiteName;
use crate::plan::{Caller, Everywhere, Standing};
use crate::settings::User;

/// Callers that the plan of a site treats alike.
pub(super) struct Class<'a> {
    /// One of them.
    pub(super) caller: Caller<'a>,
    /// Their numbers.
    pub(super) who: Vec<&'a str>,
}

/// The users of the site, those who may visit it, and its desks.
pub(super) fn classes<'a>(all: &Everywhere<'a>, site: &SiteName) -> Vec<Class<'a>> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut classes: Vec<Class<'a>> = Vec::new();
    for home in all.sites.values() {
        for user in home.users.values().filter(|user| home.name == *site || may_visit(all, user, site)) {
            let standing = if home.name == *site { Standing::Local } else { Standing::Visitor };
            let place = *places.entry(alike(user, standing)).or_insert(classes.len());
            if place == classes.len() {
                let level = all.level(&home.name, user.extension.as_str());
                classes.push(Class { caller: Caller::of(user, level, standing), who: Vec::new() });
            }
            classes[place].who.push(user.extension.as_str());
        }
    }
    let desks: Vec<&str> =
        all.sites.get(site).map(|here| here.desks.keys().map(String::as_str).collect()).unwrap_or_default();
    if let Some(first) = desks.first() {
        let caller = Caller { extension: first, standing: Standing::Desk, ..Caller::default() };
        classes.push(Class { caller, who: desks });
    }
    classes
}

/// Whether the user may log in there (SPEC 7.3 apart).
pub(super) fn may_visit(all: &Everywhere<'_>, user: &User, site: &SiteName) -> bool {
    all.network.profile(&user.profile).remote_hot_desk && all.sites.get(site).is_some_and(|site| site.hot_desk.visitors)
}

/// What of a user makes a difference to a plan.
fn alike(user: &User, standing: Standing) -> String {
    let mut key = format!(
        "{standing:?} {:?} {:?} {:?} {}",
        user.rights, user.time_profile, user.out_of_hours_rights, user.outgoing_bar
    );
    for row in &user.short_codes {
        key.push_str(&format!(
            " {:?} {:?} {:?} {:?} {:?}",
            row.code, row.feature, row.number, row.line_group, row.site
        ));
    }
    key
}
