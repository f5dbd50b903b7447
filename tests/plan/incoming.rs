//! SPEC 9.5: calls from trunks reach extensions and groups by the incoming rules, and nothing else.

use hotdesk::ids::Extension;
use hotdesk::plan::{Around, Caller, Plan, Standing, Trace};
use hotdesk::settings::{Group, Incoming, Origin, OutOfHours, Ring, Site, TimeProfile, Weekly};
use hotdesk::timing::Wall;

use crate::sample::*;

fn site_with(rules: &[(&str, &str, &str)]) -> Site {
    let mut site = site("london", "201 203", "9N/Dial/N/pstn *0/DoNotDisturbOn *82N/BreakOut/N/paris", "");
    let rule = |&(group, number, to): &(&str, &str, &str)| Incoming {
        group: group.into(),
        number: number.into(),
        to: to.into(),
        out_of_hours: None,
        origin: Origin { file: "test".into(), line: 7 },
    };
    site.incoming = rules.iter().map(rule).collect();
    site
}

fn called(plan: &Plan, group: &str, number: &str) -> String {
    plan.route_incoming(group, number, &Around::alone(MONDAY_NOON), Trace::on()).gives(plan.site())
}

#[test]
fn a_rule_turns_the_called_number_into_an_extension() {
    let plan =
        plan(&site_with(&[("pstn", "+442071230XXX", "N"), ("pstn", "+442071230299", "203"), ("pstn", "?", "201")]));
    assert_eq!(called(&plan, "pstn", "+442071230201"), "Extension 201");
    assert_eq!(called(&plan, "pstn", "+442071230301"), "Extension 301 at paris");
    assert_eq!(called(&plan, "pstn", "+442071230299"), "Extension 203");
    assert_eq!(called(&plan, "pstn", "+442071230204"), "404", "no such extension");
    assert_eq!(called(&plan, "pstn", "5"), "Extension 201", "the default match");
    assert_eq!(called(&plan, "colt", "+442071230201"), "404", "another group's rules");
}

#[test]
fn without_a_match_a_trunk_gets_404_or_484() {
    let plan = plan(&site_with(&[("pstn", "020XXX", "N")]));
    assert_eq!(called(&plan, "pstn", "020201"), "Extension 201");
    assert_eq!(called(&plan, "pstn", "02020"), "484");
    assert_eq!(called(&plan, "pstn", "0202011"), "404");
}

#[test]
fn no_rule_reaches_a_trunk_a_feature_or_a_break_out() {
    let plan = plan(&site_with(&[("pstn", "N", "N")]));
    for number in ["9123", "*0", "*82301", "999"] {
        assert_eq!(called(&plan, "pstn", number), "404", "{number}");
    }
    assert_eq!(called(&plan, "pstn", "201"), "Extension 201");
}

/// Mondays from nine to five.
fn office_hours(site: &mut Site) {
    let weekly = vec![Weekly { days: vec![0], from: 9 * 60, to: 17 * 60 }];
    let profile = TimeProfile { timezone: "UTC".into(), weekly, closed: Vec::new() };
    site.time_profiles.insert("office".into(), profile);
}

fn outside_office(to: &str) -> Option<OutOfHours> {
    Some(OutOfHours { time_profile: "office".into(), to: to.into() })
}

/// The last moment within the hours, and the first one after them.
const CLOSING: [Wall; 2] = [Wall(MONDAY_NOON.0 + 5 * 3_600_000 - 1), Wall(MONDAY_NOON.0 + 5 * 3_600_000)];

#[test]
fn outside_its_hours_a_rule_leads_elsewhere() {
    let mut site = site_with(&[("pstn", "02XXX", "N"), ("pstn", "?", "201")]);
    office_hours(&mut site);
    site.incoming[0].out_of_hours = outside_office("3N");
    site.incoming[1].out_of_hours = outside_office("203");
    let plan = plan(&site);
    let called = |number, at| {
        let decision = plan.route_incoming("pstn", number, &Around::alone(at), Trace::on());
        (decision.gives(plan.site()), decision.trace.to_string().contains("this is outside office"))
    };
    assert_eq!(CLOSING.map(|at| called("02201", at)), [("Extension 201".into(), false), ("404".into(), true)]);
    assert_eq!(CLOSING.map(|at| called("7", at)), [("Extension 201".into(), false), ("Extension 203".into(), true)]);
}

#[test]
fn outside_its_hours_a_group_gives_its_calls_to_somebody_else() {
    let mut site = site_with(&[("pstn", "1", "290")]);
    office_hours(&mut site);
    for (extension, to) in [("290", "291"), ("291", "203")] {
        let group = Group {
            extension: Extension::new(extension),
            name: extension.into(),
            members: vec![Extension::new("201")],
            ring: Ring::All,
            after: std::time::Duration::from_secs(20),
            then: None,
            out_of_hours: outside_office(to),
            origin: Origin::default(),
        };
        site.groups.insert(group.extension.clone(), group);
    }
    let plan = plan(&site);
    let by_night = Around::alone(CLOSING[1]);
    let from_outside = |around: &Around<'_>| plan.route_incoming("pstn", "1", around, Trace::off()).gives(plan.site());
    assert_eq!(from_outside(&Around::alone(CLOSING[0])), "Extension 290");
    assert_eq!(from_outside(&by_night), "Extension 203", "the second group is closed too");
    let ada = user("201");
    let ada = Caller::of(&ada, None, Standing::Local);
    let dialled = plan.route("290", &ada, &by_night, Trace::on());
    assert_eq!(dialled.gives(plan.site()), "Extension 203");
    assert!(dialled.trace.to_string().contains("group 290 is outside office: 291 instead"), "{}", dialled.trace);
    let forwarded = plan.route_forward("290", &ada, &by_night, Trace::off());
    assert_eq!(forwarded.gives(plan.site()), "Extension 203");
}

#[test]
fn rules_are_checked() {
    let wrong = errors(&site_with(&[
        ("pstm", "1", "201"),
        ("pstn", "1-2", "201"),
        ("pstn", "2", "2,1"),
        ("pstn", "3", "E"),
        ("pstn", "4", "201W"),
    ]));
    for part in [
        "test:7: incoming rule `1`: there is no trunk group `pstm` (did you mean `pstn`?)",
        "incoming rule `1-2`: `-` at character 2",
        "incoming rule `2`, to `2,1`: `,` at character 2",
        "incoming rule `3`, to `E`: `E` at character 1 says nothing of a call from a trunk",
        "incoming rule `4`, to `201W`: `W` at character 4",
    ] {
        assert!(wrong.contains(part), "{part} in\n{wrong}");
    }
}

#[test]
fn an_extension_is_found_without_dialling() {
    let plan = plan(&site_with(&[]));
    let at = |number| plan.route_extension(number, &Around::alone(MONDAY_NOON), Trace::off()).gives(plan.site());
    assert_eq!(
        (at("203").as_str(), at("301").as_str(), at("9123").as_str()),
        ("Extension 203", "Extension 301 at paris", "404")
    );
}
