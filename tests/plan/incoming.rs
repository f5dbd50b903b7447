//! SPEC 9.5: calls from trunks reach extensions and groups by the incoming rules, and nothing else.

use hotdesk::plan::{Around, Plan, Trace};
use hotdesk::settings::{Incoming, Origin, Site};

use crate::sample::*;

fn site_with(rules: &[(&str, &str, &str)]) -> Site {
    let mut site = site("london", "201 203", "9N/Dial/N/pstn *0/DoNotDisturbOn *82N/BreakOut/N/paris", "");
    let rule = |&(group, number, to): &(&str, &str, &str)| Incoming {
        group: group.into(),
        number: number.into(),
        to: to.into(),
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
