//! SPEC 6.7: emergency numbers come before everything, with or without the outside prefix.

use hotdesk::plan::{Caller, EmergencyCall, Outcome, Plan};
use hotdesk::settings::{Site, TimeProfile};

use crate::sample::*;

fn site_with(system: &str, ars: &str) -> Site {
    let mut site = site("london", "201", system, ars);
    site.emergency.none = false;
    site
}

fn call(plan: &Plan, digits: &str) -> EmergencyCall {
    plan.emergency(digits).unwrap_or_else(|| panic!("{digits} is an emergency number"))
}

fn routes(call: &EmergencyCall) -> Vec<String> {
    call.routes.iter().map(ToString::to_string).collect()
}

#[test]
fn a_system_code_is_matched_bare_and_behind_the_outside_prefix() {
    let plan = plan(&site_with("999/DialEmergency/999/pstn 9N;/Dial/N/main 0N/Dial/N/colt", "main{N;/Dial/N/pstn}"));
    for digits in ["999", "9999", "0999", "999#", "9999#"] {
        assert_eq!(gives(&plan, &ada(), digits), "Emergency 999 via pstn", "{digits}");
    }
    for digits in ["99", "99999", "09999", "8999"] {
        assert_eq!(plan.emergency(digits), None, "{digits}");
    }
    assert_eq!(plan.emergency_numbers(), ["999", "9999", "0999"]);
}

#[test]
fn a_code_of_a_form_is_matched_without_the_prefix_too() {
    let plan = plan(&site_with("9N;/Dial/N/main", "main{112/DialEmergency/112/pstn N;/Dial/N/pstn}"));
    assert_eq!(gives(&plan, &ada(), "9112"), "Emergency 112 via pstn");
    assert_eq!(gives(&plan, &ada(), "112"), "Emergency 112 via pstn");
    assert_eq!(gives(&plan, &ada(), "1"), "484", "it begins an emergency number");
}

#[test]
fn a_row_that_mends_a_prefix_is_no_number_of_its_own() {
    let mended = "main{11/DialEmergency/911/pstn 911/DialEmergency/911/pstn N;/Dial/N/pstn}";
    let plan_with = |ars: &str| plan(&site_with("9N;/Dial/N/main", ars));
    let plan = plan_with(mended);
    assert_eq!(gives(&plan, &ada(), "911"), "Emergency 911 via pstn");
    assert_eq!(gives(&plan, &ada(), "9911"), "Emergency 911 via pstn");
    assert_eq!(plan.emergency("11"), None);
    let mapped = plan_with("main{112/DialEmergency/0112/pstn N;/Dial/N/pstn}");
    assert_eq!(gives(&mapped, &ada(), "112"), "Emergency 0112 via pstn", "a trunk may want a prefix of its own");
}

#[test]
fn nothing_stands_before_an_emergency_number() {
    let mut site = site_with("999/Busy 99X/Barred 999/DialEmergency/999/pstn", "");
    site.users.insert(hotdesk::ids::Extension::new("999"), user("999"));
    let site = with_rights(site, "office", true, "999/Barred");
    let plan = plan(&site);
    let own = level("999/Busy ?/Barred");
    let names = hotdesk::plan::RightsNames { rights: Some("office"), ..Default::default() };
    let caller = Caller { level: Some(&own), rights: names, outgoing_bar: true, ..ada() };
    assert_eq!(gives(&plan, &caller, "999"), "Emergency 999 via pstn");
    assert_eq!(gives(&plan, &caller, "998"), "Barred");
}

#[test]
fn neither_a_forms_hours_nor_its_service_matter() {
    let ars = "main{N;/Dial/N/pstn} backup{112/DialEmergency/112/colt N/Dial/N/colt}";
    let mut site = site_with("9N;/Dial/N/main", ars);
    let main = site.ars.get_mut("main").expect("the form");
    main.out_of_hours = Some("backup".into());
    main.time_profile = Some("never".into());
    site.time_profiles.insert("never".into(), TimeProfile::default());
    assert_eq!(gives(&plan(&site), &ada(), "9112"), "Emergency 112 via colt");
    site.ars.get_mut("backup").expect("the form").in_service = false;
    assert_eq!(gives(&plan(&site), &ada(), "9112"), "Emergency 112 via colt");
    assert_eq!(gives(&plan(&site), &ada(), "112"), "Emergency 112 via colt");
}

#[test]
fn the_rows_own_way_comes_first_then_every_other_group() {
    let direct = plan(&site_with("112/DialEmergency/112/colt", ""));
    assert_eq!(routes(&call(&direct, "112")), ["112 via colt", "112 via pstn"]);
    let by_form = plan(&site_with("112/DialEmergency/112/main", "main{112/Dial/0112/colt 112/Dial/00112/pstn}"));
    assert_eq!(routes(&call(&by_form, "112")), ["0112 via colt", "00112 via pstn"]);
    let barred = plan(&site_with("112/DialEmergency/112/main", "main{?/Barred}"));
    assert_eq!(routes(&call(&barred, "112")), ["112 via pstn", "112 via colt"], "no bar of a form counts");
}

#[test]
fn another_countrys_number_becomes_ours() {
    let mut site = site_with("999/DialEmergency/999/pstn 112/DialEmergency/112/pstn", "");
    let number = |site: &Site, asked: &str| plan(site).emergency_for(asked).map(|call| call.number);
    assert_eq!(number(&site, "112").as_deref(), Some("112"));
    site.emergency.default = Some("999".into());
    assert_eq!(number(&site, "15").as_deref(), Some("999"));
    site.emergency.default = Some("110".into());
    assert_eq!(number(&site, "15").as_deref(), Some("110"));
    let mut none = sample_without();
    assert_eq!(number(&none, "15"), None);
    none.emergency.default = Some("999".into());
    assert_eq!(number(&none, "15"), None);
}

fn sample_without() -> Site {
    site("london", "201", "9N/Dial/N/pstn", "")
}

#[test]
fn a_users_own_code_may_call_for_help_too() {
    let mut site =
        site_with("112/DialEmergency/112/pstn 9N/Dial/N/main", "main{112/DialEmergency/112/pstn N;/Dial/N/pstn}");
    site.emergency.none = false;
    let plan = plan(&site);
    let own = level("7N/Dial/N/main 5/DialEmergency/112/colt");
    let caller = Caller { level: Some(&own), outgoing_bar: true, ..ada() };
    assert_eq!(gives(&plan, &caller, "7112"), "Emergency 112 via pstn");
    assert_eq!(gives(&plan, &caller, "5"), "Emergency 112 via colt");
    assert!(matches!(dials(&plan, &caller, "7113").outcome, Outcome::Barred(_)));
}
