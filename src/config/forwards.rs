//! Forwards of the file that nobody's call could ever take (SPEC 9.3: refused when they are set): the user's profile forwards nothing, or
//! nothing outside, or the user is barred from the number whatever the hour. Asked once all plans are compiled; what another site's plan
//! says behind a Break Out is not looked into.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::problem::{Report, Spot};
use crate::ids::SiteName;
use crate::plan::{Around, Caller, Everywhere, Plan, Standing};
use crate::service::bars_forward;
use crate::settings::{Network, Profile, Site, User};
use crate::timing::Wall;

/// Every forward of every user, by the plan of the user's own site.
pub fn can_be_taken(
    network: &Network,
    sites: &BTreeMap<SiteName, Arc<Site>>,
    plans: &BTreeMap<SiteName, Arc<Plan>>,
    report: &mut Report,
) {
    let everywhere = Everywhere { network, sites, plans };
    let mut hours = None;
    for (site, plan) in sites.values().filter_map(|site| Some((site, plans.get(&site.name)?))) {
        for user in site.users.values() {
            for (key, number) in set(user) {
                let hours = hours.get_or_insert_with(|| everywhere.hours());
                if let Some(why) = refused(&network.profile(&user.profile), plan, user, number, hours) {
                    let spot = Spot::of(&user.origin, format!("users.forward.{key}"));
                    report.error_at(spot, format!("{number} of {} could never be forwarded to: {why}", user.extension));
                }
            }
        }
    }
}

/// What the user has set, by its key.
fn set(user: &User) -> impl Iterator<Item = (&'static str, &str)> {
    let forward = &user.forward;
    let all = [
        ("unconditional", &forward.unconditional),
        ("busy", &forward.busy),
        ("no_answer", &forward.no_answer),
        ("unreachable", &forward.unreachable),
    ];
    all.into_iter().filter_map(|(key, number)| Some((key, number.as_deref()?)))
}

/// Why nothing is forwarded to that number at any hour.
fn refused(profile: &Profile, plan: &Plan, user: &User, number: &str, hours: &[Wall]) -> Option<String> {
    let caller = Caller::of(user, plan.level_of(&user.extension), Standing::Local);
    let mut why = None;
    for at in hours {
        let decision = plan.route_forward(number, &caller, &Around::alone(*at), crate::plan::Trace::off());
        why = Some(bars_forward(&decision.outcome, &user.profile, profile)?);
    }
    why
}
