//! SPEC 6.9 and 10.5: a trace names every step, and no PIN.

use hotdesk::plan::{Caller, RightsNames};

use crate::sample::*;

fn trace(system: &str, ars: &str, digits: &str) -> String {
    let mut site = with_rights(site("london", "201 203", system, ars), "office", false, "8N/Busy");
    site.caller_id = Some("+442071230000".into());
    let plan = plan(&site);
    let own = level("*1/DialExtn/203 9N/Dial/N/telco");
    let names = RightsNames { rights: Some("office"), ..RightsNames::default() };
    let caller = Caller { level: Some(&own), rights: names, ..ada() };
    dials(&plan, &caller, digits).trace.to_string()
}

#[test]
fn an_external_call_is_explained_to_the_trunk() {
    let ars = "main{00N;/Dial/00N/colt 0N;/Dial/0NW/pstn 0N;/Dial/0N/colt XN/Dial/N/pstn}";
    insta::assert_snapshot!(trace("9N;/Dial/N/main 90N;/Dial/0N/main 9XN;/Barred", ars, "901234#"));
}

#[test]
fn an_emergency_call_is_explained() {
    insta::assert_snapshot!(trace("9N;/Dial/N/pstn 999/DialEmergency/999/pstn", "", "9999"));
}

#[test]
fn a_string_that_leads_nowhere_is_explained() {
    insta::assert_snapshot!(trace("60X/DialExtn/203", "", "60"));
}

#[test]
fn a_break_out_is_explained() {
    insta::assert_snapshot!(trace("*82N;/BreakOut/N/paris", "", "*820123"));
}

#[test]
fn no_pin_is_shown() {
    let system = "*35*N#/ExtnLogin/N *82N/BreakOut/N/paris *60*N#/ChangeLoginCode/N";
    for digits in [
        "*35*204*7788#",
        "*35*7788#",
        "*35*7788",
        "*35*204*7788",
        "*82*35*204*7788#",
        "*60*7788*7789#",
        "*35*204*7788##",
    ] {
        let trace = trace(system, "", digits);
        assert!(!trace.contains("7788"), "{digits}:\n{trace}");
        assert!(!trace.contains("7789"), "{digits}:\n{trace}");
    }
    insta::assert_snapshot!(trace(system, "", "*35*204*7788#"));
}

#[test]
fn a_pin_is_masked_even_where_the_code_has_no_literals() {
    assert!(!trace("XXXX/ExtnLogin/N", "", "7788").contains("7788"));
}

#[test]
fn the_steps_are_json_with_a_name_each() {
    let plan = plan(&site("london", "201", "9N/Dial/N/pstn", ""));
    let trace = dials(&plan, &ada(), "912").trace;
    let json = serde_json::to_value(&trace).expect("JSON");
    let names: Vec<&str> = json.as_array().expect("steps").iter().filter_map(|step| step["step"].as_str()).collect();
    assert_eq!(names, ["dialled", "extension", "asked", "candidate", "number", "route", "gives"]);
    assert_eq!(json[6]["outcome"], "Dial 12 via pstn");
}
