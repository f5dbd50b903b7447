//! SPEC 6.4, 6.5, 7.2, 7.5 and 9.3: who is asked, in which order, and who bars.

use hotdesk::plan::{Around, Bar, Caller, Level, Missing, Outcome, Refusal, RightsNames, Standing, Trace};
use hotdesk::settings::{MissingRights, Site, TimeProfile, Weekly};
use hotdesk::timing::Wall;

use crate::sample::*;

fn office() -> RightsNames<'static> {
    RightsNames { rights: Some("office"), time_profile: Some("hours"), out_of_hours: Some("night") }
}

/// `office` from 09:00 to 17:30 on Mondays, else `night`.
fn site_with_hours() -> Site {
    let mut site = with_rights(site("london", "201", "7N/Dial/3N/pstn", ""), "office", false, "7N/Dial/2N/pstn");
    site = with_rights(site, "night", true, "8/Busy");
    let weekly = vec![Weekly { days: vec![0], from: 540, to: 1050 }];
    let hours = TimeProfile { timezone: "Europe/London".into(), weekly, closed: Vec::new() };
    site.time_profiles.insert("hours".into(), hours);
    site
}

const EVENING: Wall = Wall(MONDAY_NOON.0 + 8 * 3_600_000);

#[test]
fn extensions_are_here_or_where_their_pattern_belongs() {
    let plan = plan(&site("london", "201 203", "", ""));
    assert_eq!(gives(&plan, &ada(), "203"), "Extension 203");
    assert_eq!(gives(&plan, &ada(), "301"), "Extension 301 at paris");
    assert_eq!(gives(&plan, &ada(), "204"), "404");
    assert_eq!(gives(&plan, &ada(), "20"), "484");
    assert_eq!(gives(&plan, &ada(), "30"), "484");
    assert_eq!(gives(&plan, &ada(), "203#"), "Extension 203");
    assert_eq!(gives(&plan, &ada(), "3012"), "404");
}

#[test]
fn a_visitor_is_here_though_the_number_is_another_sites() {
    let plan = plan(&site("london", "201", "", ""));
    let visitors = |extension: &str| extension == "301";
    let around = Around { directory: &visitors, ..Around::alone(MONDAY_NOON) };
    assert_eq!(plan.route("301", &ada(), &around, Trace::off()).gives(plan.site()), "Extension 301");
    assert_eq!(plan.route("302", &ada(), &around, Trace::off()).gives(plan.site()), "Extension 302 at paris");
}

#[test]
fn in_the_lab_every_name_that_fits_is_a_user() {
    let mut lab = site("london", "", "", "");
    assert_eq!(gives(&plan(&lab), &ada(), "288"), "404");
    lab.lab = Some(hotdesk::settings::Lab { password: None });
    assert_eq!(gives(&plan(&lab), &ada(), "288"), "Extension 288");
    assert_eq!(gives(&plan(&lab), &ada(), "28"), "484");
}

#[test]
fn dial_extn_reaches_extensions_and_nothing_else() {
    let plan = plan(&site("london", "201", "1/DialExtn/301 2/DialExtn/999 5N/DialExtn/N", ""));
    assert_eq!(gives(&plan, &ada(), "1"), "Extension 301 at paris");
    assert_eq!(gives(&plan, &ada(), "2"), "404");
    assert_eq!(gives(&plan, &ada(), "5"), "484");
    assert_eq!(gives(&plan, &ada(), "5201"), "Extension 201");
}

#[test]
fn the_rights_in_force_follow_the_clock() {
    let plan = plan(&site_with_hours());
    let caller = Caller { rights: office(), ..ada() };
    assert_eq!(gives(&plan, &caller, "75"), "Dial 25 via pstn");
    let at = |at: Wall, digits: &str| plan.route(digits, &caller, &Around::alone(at), Trace::off()).outcome;
    assert_eq!(at(EVENING, "75"), Outcome::Barred(Bar::Rights("night".into())));
    assert_eq!(at(EVENING, "8"), Outcome::Busy);
    assert_eq!(at(MONDAY_NOON, "8"), Outcome::NotFound);
    assert_eq!(plan.rights_in_force(&office(), EVENING).name, Some("night"));
}

#[test]
fn names_that_the_site_lacks_apply_nothing_and_are_reported() {
    let plan = plan(&site_with_hours());
    let lacking = RightsNames { rights: Some("sales"), ..RightsNames::default() };
    let found = plan.rights_in_force(&lacking, MONDAY_NOON);
    assert_eq!((found.name, found.missing), (None, Some(Missing::Rights("sales"))));
    let lacking = RightsNames { time_profile: Some("summer"), ..office() };
    for at in [MONDAY_NOON, EVENING] {
        let found = plan.rights_in_force(&lacking, at);
        assert_eq!((found.name, found.missing), (None, Some(Missing::TimeProfile("summer"))));
    }
    assert_eq!(gives(&plan, &Caller { rights: lacking, ..ada() }, "75"), "Dial 35 via pstn");
    let nothing = RightsNames { time_profile: Some("summer"), ..RightsNames::default() };
    assert_eq!(plan.rights_in_force(&nothing, EVENING).missing, None);
}

#[test]
fn a_visitor_without_its_rights_may_be_barred() {
    let mut site = site_with_hours();
    let names = RightsNames { rights: Some("sales"), ..RightsNames::default() };
    let visitor = Caller { extension: "301", rights: names, standing: Standing::Visitor, ..Caller::default() };
    assert_eq!(gives(&plan(&site), &visitor, "75"), "Dial 35 via pstn");
    site.hot_desk.missing_rights = MissingRights::Bar;
    let plan = plan(&site);
    assert_eq!(dials(&plan, &visitor, "75").outcome, Outcome::Barred(Bar::MissingRights("sales".into())));
    assert_eq!(gives(&plan, &visitor, "201"), "Extension 201");
    assert_eq!(gives(&plan, &Caller { rights: RightsNames::default(), ..visitor }, "75"), "Dial 35 via pstn");
    assert_eq!(gives(&plan, &Caller { standing: Standing::Local, ..visitor }, "75"), "Dial 35 via pstn");
}

#[test]
fn a_bar_stops_external_numbers_and_nothing_else() {
    let plan = plan(&site("london", "201 203", "9N/Dial/N/pstn 6/DialExtn/203 *0/DoNotDisturbOn 8N/Busy", ""));
    let barred = Caller { outgoing_bar: true, ..ada() };
    assert_eq!(dials(&plan, &barred, "9123").outcome, Outcome::Barred(Bar::User));
    assert_eq!(gives(&plan, &ada(), "9123"), "Dial 123 via pstn");
    assert_eq!(gives(&plan, &barred, "6"), "Extension 203");
    assert_eq!(gives(&plan, &barred, "*0"), "DoNotDisturbOn");
    assert_eq!(gives(&plan, &barred, "81"), "Busy");
    assert_eq!(gives(&plan, &barred, "9"), "484", "no number, nothing to bar");
    assert_eq!(plan.bar(&barred, MONDAY_NOON), Some(Bar::User));
    assert_eq!(plan.bar(&ada(), MONDAY_NOON), None);
}

#[test]
fn a_code_whose_line_group_is_missing_here_is_unusable() {
    let plan = plan(&site("london", "201", "9N/Dial/N/pstn", ""));
    let own = level("9N/Dial/0N/telco 91N/BreakOut/N/atlantis 92N/Busy");
    let caller = Caller { level: Some(&own), ..ada() };
    let decision = dials(&plan, &caller, "912");
    assert_eq!(decision.gives(plan.site()), "Dial 12 via pstn");
    let trace = decision.trace.to_string();
    assert!(trace.contains("unusable: this site has no line group `telco`"), "{trace}");
    assert!(trace.contains("unusable: no site `atlantis` is known here"), "{trace}");
    assert_eq!(gives(&plan, &caller, "923"), "Busy");
}

#[test]
fn a_row_that_a_visitor_brings_from_a_newer_site_is_only_unusable() {
    let (own, errors) = Level::of_visitor(&rows("5/Teleport/1 6/Busy"));
    let caller = Caller { level: Some(&own), ..ada() };
    let plan = plan(&site("london", "201", "", ""));
    assert_eq!(gives(&plan, &caller, "6"), "Busy");
    assert_eq!(gives(&plan, &caller, "5"), "404");
    assert_eq!(errors.len(), 1);
}

#[test]
fn other_features_come_out_with_their_argument() {
    let plan = plan(&site(
        "london",
        "201",
        "*07*N#/ForwardNumber/N *57*N/ForwardOnBusyNumber/N *60*N#/ChangeLoginCode/N *0/CancelAllForwarding",
        "",
    ));
    assert_eq!(gives(&plan, &ada(), "*07*202#"), "ForwardNumber 202");
    assert_eq!(gives(&plan, &ada(), "*57*202#"), "ForwardOnBusyNumber 202");
    assert_eq!(gives(&plan, &ada(), "*60*1*2#"), "ChangeLoginCode");
    assert_eq!(gives(&plan, &ada(), "*0"), "CancelAllForwarding");
    assert_eq!(gives(&plan, &ada(), "*"), "484");
}

#[test]
fn a_desk_without_a_user_logs_in_or_calls_for_help() {
    let mut site =
        site("london", "201", "*35*N#/ExtnLogin/N *36/ExtnLogout 9N/Dial/N/pstn 999/DialEmergency/999/pstn", "");
    site.emergency.none = false;
    let plan = plan(&site);
    let desk = Caller { standing: Standing::Desk, ..Caller::default() };
    assert_eq!(gives(&plan, &desk, "*35*201*1234#"), "ExtnLogin 201");
    assert_eq!(gives(&plan, &desk, "999"), "Emergency 999 via pstn");
    assert_eq!(gives(&plan, &desk, "9999"), "Emergency 999 via pstn");
    for refused in ["201", "9123", "301", "5"] {
        assert_eq!(dials(&plan, &desk, refused).outcome, Outcome::Forbidden(Refusal::DeskOnly), "{refused}");
    }
}

#[test]
fn a_forward_goes_by_extensions_and_system_codes() {
    let mut site = site("london", "201 203", "9N/Dial/N/pstn 999/DialEmergency/999/pstn *0/DoNotDisturbOn", "");
    site.emergency.none = false;
    let plan = plan(&site);
    let own = level("9N/Dial/0N/pstn 5N/Dial/N/pstn 91N/Barred 203/Busy");
    let user = Caller { level: Some(&own), ..ada() };
    let forward = |user: &Caller<'_>, number: &str| {
        plan.route_forward(number, user, &Around::alone(MONDAY_NOON), Trace::off()).gives(plan.site())
    };
    assert_eq!(forward(&user, "203"), "Extension 203");
    assert_eq!(forward(&user, "301"), "Extension 301 at paris");
    assert_eq!(forward(&user, "9222"), "Dial 222 via pstn", "the user's own code rewrites only what the user dials");
    assert_eq!(forward(&user, "5222"), "404");
    assert_eq!(forward(&user, "9122"), "Barred", "the user dialling it would be barred");
    assert_eq!(forward(&Caller { outgoing_bar: true, ..user }, "9222"), "Barred");
    assert_eq!(forward(&user, "999"), "403");
    assert_eq!(forward(&user, "*0"), "404");
}

#[test]
fn without_a_trace_nothing_is_kept() {
    let plan = plan(&site("london", "201", "9N/Dial/N/pstn", ""));
    let decision = plan.route("9123", &ada(), &Around::alone(MONDAY_NOON), Trace::off());
    assert!(decision.trace.steps().is_empty() && decision.trace.to_string().is_empty());
}

#[test]
fn hostile_strings_are_only_strings() {
    let plan = plan(&site("london", "201", "9N/Dial/N/pstn ?/Dial/./pstn NNN1N1N/Busy", ""));
    for hostile in
        ["", "#", "##", "é", "9é", "\u{0}", &"9".repeat(10_000), &"1#".repeat(5_000), "a@b", "9123@evil.example"]
    {
        let decision = dials(&plan, &ada(), hostile);
        if let Outcome::Trunk(routes) = decision.outcome {
            assert!(routes.iter().all(|route| route.modifiers.host.is_none()), "a dialled @ sets no host");
        }
    }
    let _: Level = level("");
}
