//! What the plans of the sample network do with what people dial.

use std::collections::BTreeMap;

use hotdesk::config::{Loaded, Sites, load};
use hotdesk::ids::SiteName;
use hotdesk::plan::{
    Around, Caller, Level, Neighbours, NoVisitors, Plan, Priority, RightsNames, Standing, Trace, follow,
};
use hotdesk::settings::User;
use hotdesk::timing::Wall;

use crate::sample;

/// A Monday: in working hours at all three sites, and at night.
const MORNING: &str = "2026-11-23T11:00";
const NIGHT: &str = "2026-11-23T23:00";

struct Others<'a>(&'a Loaded);

impl Neighbours for Others<'_> {
    fn plan(&self, site: &SiteName) -> Option<&Plan> {
        self.0.plans.get(site).map(AsRef::as_ref)
    }
}

fn loaded() -> Loaded {
    load(&sample(), &Sites::All).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What `user`, wherever at home, gets at `site` for `digits` at that local time.
fn gives(loaded: &Loaded, site: &str, user: &str, digits: &str, time: &str) -> String {
    let (name, plan) = loaded.plans.get_key_value(site).expect("the site is there");
    let zone = loaded.sites[site].timezone.as_deref().expect("every sample site has a time zone");
    let time: jiff::civil::DateTime = time.parse().expect("a local time");
    let at = time.in_tz(zone).expect("a time there").timestamp().as_millisecond();
    let around = Around { directory: &NoVisitors, neighbours: &Others(loaded), at: Wall(at as u64) };
    let (home, user) = find(loaded, user);
    let level = Level::compile(&user.short_codes).expect("the user's codes hold");
    let standing = if home == site { Standing::Local } else { Standing::Visitor };
    let caller = Caller {
        extension: user.extension.as_str(),
        name: &user.name,
        caller_id: user.caller_id.as_deref(),
        original: None,
        level: Some(&level),
        rights: RightsNames {
            rights: user.rights.as_deref(),
            time_profile: user.time_profile.as_deref(),
            out_of_hours: user.out_of_hours_rights.as_deref(),
        },
        priority: Priority(user.priority),
        outgoing_bar: user.outgoing_bar,
        standing,
    };
    let first = plan.route(digits, &caller, &around, Trace::on());
    follow(plan, first, &caller, &around).gives(name)
}

fn find<'l>(loaded: &'l Loaded, user: &str) -> (&'l str, &'l User) {
    let all = loaded.sites.iter().flat_map(|(name, site)| site.users.iter().map(move |found| (name.as_str(), found)));
    let all: BTreeMap<&str, (&str, &User)> =
        all.map(|(name, (number, user))| (number.as_str(), (name, user))).collect();
    all[user]
}

#[test]
fn everybody_reaches_everybody() {
    let loaded = loaded();
    assert_eq!(gives(&loaded, "london", "201", "202", MORNING), "Extension 202");
    assert_eq!(gives(&loaded, "london", "201", "290", MORNING), "Extension 290");
    assert_eq!(gives(&loaded, "london", "201", "301", MORNING), "Extension 301 at paris");
    assert_eq!(gives(&loaded, "berlin", "401", "206", MORNING), "Extension 206 at london");
    assert_eq!(gives(&loaded, "paris", "201", "*1", MORNING), "Extension 202 at london", "her code travels");
}

#[test]
fn an_outside_line_is_the_sites_where_the_phone_is() {
    let loaded = loaded();
    assert_eq!(gives(&loaded, "london", "202", "902079460999", MORNING), "Dial 02079460999 via bt");
    assert_eq!(gives(&loaded, "london", "202", "979460999", MORNING), "Dial 02079460999 via bt", "without the 020");
    assert_eq!(gives(&loaded, "paris", "201", "00199000999", MORNING), "Dial 0199000999 via orange");
    assert_eq!(gives(&loaded, "paris", "201", "000442079460999", MORNING), "Dial +442079460999 via orange");
    assert_eq!(gives(&loaded, "berlin", "201", "003023125999", MORNING), "Dial 03023125999 via telekom");
    assert_eq!(
        gives(&loaded, "berlin", "401", "023125999", MORNING),
        "Dial 03023125999 via telekom",
        "without the 030"
    );
}

#[test]
fn break_out_dials_at_the_other_site_both_ways() {
    let loaded = loaded();
    assert_eq!(gives(&loaded, "paris", "202", "*81902079460999", MORNING), "Dial 02079460999 via bt at london");
    assert_eq!(gives(&loaded, "london", "302", "*8200199000999", MORNING), "Dial 0199000999 via orange at paris");
    assert_eq!(gives(&loaded, "berlin", "402", "*8200199000999", MORNING), "Dial 0199000999 via orange at paris");
    assert_eq!(gives(&loaded, "paris", "302", "*83003023125999", MORNING), "Dial 03023125999 via telekom at berlin");
    assert_eq!(gives(&loaded, "london", "202", "*803*003023125999", MORNING), "Dial 03023125999 via telekom at berlin");
    assert_eq!(gives(&loaded, "london", "202", "*82301", MORNING), "Extension 301 at paris");
}

#[test]
fn help_is_always_near() {
    let loaded = loaded();
    let numbers = [
        ("london", "bt", &["999", "112"][..]),
        ("paris", "orange", &["112", "15", "17", "18"]),
        ("berlin", "telekom", &["112", "110"]),
    ];
    for (site, group, numbers) in numbers {
        let outside = if site == "london" { "9" } else { "0" };
        for number in numbers {
            for user in ["201", "206", "306", "406"] {
                let help = format!("Emergency {number} via {group}");
                assert_eq!(gives(&loaded, site, user, number, NIGHT), help);
                assert_eq!(gives(&loaded, site, user, &format!("{outside}{number}"), NIGHT), help);
            }
        }
    }
    assert_eq!(gives(&loaded, "paris", "201", "*81999", NIGHT), "Emergency 112 via orange", "here, not in London");
    assert_eq!(gives(&loaded, "london", "201", "*8215", NIGHT), "Emergency 999 via bt");
}

#[test]
fn rights_are_those_of_the_place() {
    let loaded = loaded();
    assert_eq!(gives(&loaded, "london", "202", "90909879000", MORNING), "Barred");
    assert_eq!(gives(&loaded, "london", "203", "90909879000", MORNING), "Dial 0909879000 via bt", "no rights, no bar");
    assert_eq!(gives(&loaded, "paris", "202", "00899123456", MORNING), "Barred");
    assert_eq!(gives(&loaded, "berlin", "302", "00900123456", MORNING), "Barred");
    assert_eq!(gives(&loaded, "paris", "201", "00199000999", NIGHT), "Barred", "Paris has a night too");
    assert_eq!(gives(&loaded, "london", "206", "902079460999", MORNING), "Barred");
}
