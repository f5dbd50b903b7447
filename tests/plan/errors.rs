//! Bad plans: each error names its row and points at what is wrong.

use hotdesk::plan::Level;
use hotdesk::settings::{TimeProfile, Trunk};

use crate::sample::*;

#[track_caller]
fn says(wrong: &str, parts: &[&str]) {
    for part in parts {
        assert!(wrong.contains(part), "{part}\nin\n{wrong}");
    }
    assert_eq!(wrong.lines().count(), parts.len(), "as many errors as expected:\n{wrong}");
}

#[test]
fn rows_that_cannot_be_read() {
    let rows = rows("9-N/Dial/N/pstn 8N/Dial/N@/pstn 7N/Dail/N/pstn 6N/VoicemailCollect/N/ 1Z2?/Busy");
    let wrong = in_words(&Level::compile(&rows).expect_err("errors"));
    says(
        &wrong,
        &[
            "test:1: code `9-N`: `-` at character 2 does not belong in a code",
            "test:2: code `8N`, number `N@`: `@` at character 2: ISDN sub-addresses do not exist in SIP",
            "test:3: code `7N`: unknown feature `Dail` (did you mean `Dial`?); the features are Dial, DialExtn, DialEmergency, BreakOut, Busy",
            "test:4: code `6N`: unknown feature `VoicemailCollect`; the features are",
            "test:5: code `1Z2?`: `?` at character 4: the default match stands alone",
        ],
    );
}

#[test]
fn fields_that_the_feature_does_not_use_or_lacks() {
    let mut codes = rows(
        "1N/Busy/N 2/DialExtn/201/pstn 3N/Dial/N 4N/Dial//pstn 5/BreakOut 6/DialExtn/201W 7/DialExtn/\"@x\" 8/ExtnLogin",
    );
    codes.push(hotdesk::settings::ShortCodeRow { site: Some("paris".into()), ..codes[2].clone() });
    let wrong = in_words(&Level::compile(&codes).expect_err("errors"));
    says(
        &wrong,
        &[
            "code `1N`: `Busy` does not use `number`",
            "code `2`: `DialExtn` does not use `line_group`",
            "test:3: code `3N`: `Dial` needs `line_group`",
            "code `4N`: `Dial` needs `number`",
            "code `5`: `BreakOut` needs a `site`, or a `number` that begins with the target",
            "code `6`: `W` at character 4 of the number says nothing to `DialExtn`",
            "code `7`: the number sets a host, and `DialExtn` calls no trunk",
            "code `8`: `ExtnLogin` needs `number`",
            "code `3N`: `Dial` does not use `site`",
            "code `3N`: `Dial` needs `line_group`",
        ],
    );
}

#[test]
fn an_emergency_row_is_literal() {
    let wrong = errors(&site(
        "london",
        "",
        "9X/DialEmergency/9N/pstn 112N/DialEmergency/112/pstn 11;/DialEmergency/112/pstn",
        "",
    ));
    says(
        &wrong,
        &[
            "test:1: `DialEmergency` has only literal digits, and its code `9X` has `X` at character 2",
            "test:1: `DialEmergency` has only literal digits, and its number `9N` has `N` at character 2",
            "test:2: `DialEmergency` has only literal digits, and its code `112N` has `N` at character 4",
        ],
    );
}

#[test]
fn names_that_lead_nowhere() {
    let mut site =
        site("london", "201", "9N/Dial/N/pstm 8N/Dial/N/mian 7N/BreakOut/N/pariss", "main{N/Dial/N/nowhere}");
    let main = site.ars.get_mut("main").expect("the form");
    main.out_of_service = Some("mainn".into());
    main.time_profile = Some("hours".into());
    site.users.get_mut("201").expect("the user").short_codes = rows("1N/Dial/N/cotl");
    let site = with_rights(site, "office", false, "2N/Dial/N/pst");
    says(
        &errors(&site),
        &[
            "code `9N`: line group `pstm` leads nowhere: there is no trunk group and no ARS form of that name (did you mean `pstn`?)",
            "code `8N`: line group `mian` leads nowhere: there is no trunk group and no ARS form of that name (did you mean `main`?)",
            "code `7N`: there is no site `pariss` (did you mean `paris`?)",
            "code `1N`: line group `cotl` leads nowhere: there is no trunk group and no ARS form of that name (did you mean `colt`?)",
            "code `2N`: line group `pst` leads nowhere",
            "code `N`: line group `nowhere` leads nowhere: there is no trunk group and no ARS form of that name",
            "ARS form `main`: `out_of_service` names the form `mainn`, which does not exist (did you mean `main`?)",
            "ARS form `main`: there is no time profile `hours`",
        ],
    );
}

#[test]
fn forms_that_lead_in_a_circle() {
    let codes = site("london", "", "", "a{N/Dial/N/b} b{1/Dial/1/pstn 2/Dial/2/c} c{N/Dial/N/a} d{N/Dial/N/a}");
    says(&errors(&codes), &["ARS forms lead in a circle: a -> b -> c -> a"]);
    let mut alternates = site("london", "", "", "a{N/Dial/N/pstn} b{N/Dial/N/pstn} c{N/Dial/N/pstn}");
    alternates.ars.get_mut("a").expect("a").alternate = Some("b".into());
    assert!(hotdesk::plan::Plan::compile(&network(), &alternates).is_ok());
    alternates.ars.get_mut("b").expect("b").out_of_service = Some("a".into());
    alternates.ars.get_mut("c").expect("c").out_of_service = Some("c".into());
    says(&errors(&alternates), &["circle: a -> b -> a", "circle: c -> c"]);
}

#[test]
fn what_a_form_may_not_hold() {
    let mut site = site("london", "", "", "main{1/DialExtn/201 2N/BreakOut/N/paris N/Dial/N/pstn} pstn{N/Busy}");
    site.ars.get_mut("main").expect("the form").out_of_hours = Some("pstn".into());
    says(
        &errors(&site),
        &[
            "`pstn` is both an ARS form and a trunk group: a line group must mean one of them",
            "ARS form `main` has `out_of_hours` but no `time_profile`",
            "ARS form `main`, code `1`: a form has only Dial, DialEmergency, Busy and Barred, not `DialExtn`",
            "ARS form `main`, code `2N`: a form has only Dial, DialEmergency, Busy and Barred, not `BreakOut`",
        ],
    );
}

#[test]
fn a_site_leads_to_emergency_services_or_says_that_it_does_not() {
    let compile = |none: bool, system: &str, ars: &str| {
        let mut site = site("london", "", system, ars);
        site.emergency.none = none;
        hotdesk::plan::Plan::compile(&network(), &site).map(|_| ()).map_err(|errors| in_words(&errors))
    };
    let unreached = "main{999/DialEmergency/999/pstn}";
    assert_eq!(compile(true, "9N/Dial/N/pstn", ""), Ok(()));
    assert_eq!(compile(false, "9N/Dial/N/main", unreached), Ok(()));
    assert_eq!(compile(false, "999/DialEmergency/999/pstn", ""), Ok(()));
    let wrong = compile(false, "9N/Dial/N/pstn", unreached).expect_err("no code leads there");
    says(
        &wrong,
        &["test: site `london`: no code leads to DialEmergency; if that is so, say `[emergency] none = true`"],
    );
}

#[test]
fn calendars_and_trunks_are_checked() {
    let mut site = site("london", "", "", "");
    site.timezone = None;
    site.time_profiles.insert("a".into(), TimeProfile::default());
    site.time_profiles.insert("b".into(), TimeProfile { timezone: "Europe/Lundon".into(), ..TimeProfile::default() });
    let numbers = vec!["+44(0)20".to_owned()];
    site.trunks.push(Trunk { numbers, ..trunk("bt-3", "pstn") });
    says(
        &errors(&site),
        &[
            "time profile `a` has no `timezone`, and neither has the site",
            "time profile `b`: `Europe/Lundon` is no IANA time zone",
            "trunk `bt-3`, calling number `+44(0)20`: `(` at character 4",
        ],
    );
    site.timezone = Some("Nowhere".into());
    assert!(errors(&site).contains("site: `Nowhere` is no IANA time zone"));
}
