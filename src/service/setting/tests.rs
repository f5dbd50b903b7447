use super::*;
use crate::plan::{Bar, ExtensionCall, Modifiers};
use crate::settings::Switched;

const REALM: &str = "hotdesk.example";

fn ada() -> Extension {
    Extension::new("201")
}

fn coded(digits: &str) -> ChangedCode {
    ChangedCode { hash: code_hash(&ada(), REALM, digits), before: None }
}

/// 2XX are extensions, 9… leaves by a trunk but for the barred 90…; 8 begins something, *… is a code.
fn leads(number: &str) -> Outcome {
    match number.as_bytes() {
        [b'2', _, _] => {
            let (number, modifiers) = (number.to_owned(), Modifiers::default());
            Outcome::Extension(ExtensionCall { number, site: None, modifiers })
        }
        [b'9', b'0', ..] => Outcome::Barred(Bar::User),
        [b'9', ..] => Outcome::Trunk(Vec::new()),
        [b'8'] => Outcome::Incomplete,
        [b'6'] => Outcome::Busy,
        [b'*', ..] => Outcome::Feature { feature: Feature::DoNotDisturbOn, argument: String::new() },
        _ => Outcome::NotFound,
    }
}

fn asked(present: &Effective, allows: &Profile, feature: &str, argument: &str) -> Judged {
    asked_by(present, allows, feature, argument, true)
}

fn asked_by(present: &Effective, allows: &Profile, feature: &str, argument: &str, lifts_bar: bool) -> Judged {
    let feature = Feature::parse(feature).expect("a feature");
    let extension = ada();
    let rules = Rules { extension: &extension, realm: REALM, profile: "office", allows, lifts_bar, leads: &leads };
    change(Asks { feature, argument }, present, &rules)
}

fn told(judged: &Judged) -> String {
    match judged {
        Ok(now) => shown(now),
        Err(refused) => {
            let rejection = Rejection::from(refused.clone());
            assert_eq!(rejection.status.0, 403);
            format!("403 {}", rejection.warning.expect("a text"))
        }
    }
}

/// Only what is not as at the beginning.
fn shown(now: &Effective) -> String {
    let forward = |name: &str, forward: &Switched| {
        let number = forward.number.as_deref().unwrap_or("-");
        (forward != &Switched::default()).then(|| format!("{name} {number} {}", if forward.on { "on" } else { "off" }))
    };
    let parts = [
        now.do_not_disturb.then(|| "dnd".to_owned()),
        now.outgoing_bar.then(|| "bar".to_owned()),
        forward("always", &now.unconditional),
        forward("busy", &now.busy),
        forward("no answer", &now.no_answer),
        now.follow_me.as_ref().map(|number| format!("follow {number}")),
        now.login_code.as_ref().map(|code| {
            let digits = ["1234", "5678", "9"].into_iter().find(|digits| is_code(&code.hash, &ada(), REALM, digits));
            format!("code {}", digits.unwrap_or("?"))
        }),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What a user of this profile has after dialling these one after another; a refusal changes nothing.
fn after(allows: &Profile, dialled: &[(&str, &str)]) -> String {
    let mut present = Effective::default();
    let mut last = String::new();
    for (feature, argument) in dialled {
        let judged = asked(&present, allows, feature, argument);
        last = told(&judged);
        present = judged.unwrap_or(present);
    }
    last
}

#[test]
fn what_each_code_makes_of_what_is_in_force() {
    let rows: &[(&[(&str, &str)], &str)] = &[
        (&[("DoNotDisturbOn", "")], "dnd"),
        (&[("DoNotDisturbOn", ""), ("DoNotDisturbOn", "")], "dnd"),
        (&[("DoNotDisturbOn", ""), ("DoNotDisturbOff", "")], ""),
        // A number is stored by one code and switched on by another.
        (&[("ForwardNumber", "202")], "always 202 off"),
        (&[("ForwardNumber", "202"), ("ForwardUnconditionalOn", "")], "always 202 on"),
        (
            &[("ForwardNumber", "202"), ("ForwardUnconditionalOn", ""), ("ForwardUnconditionalOff", "")],
            "always 202 off",
        ),
        (&[("ForwardNumber", "202"), ("ForwardUnconditionalOn", ""), ("ForwardNumber", "203")], "always 203 on"),
        (&[("ForwardNumber", "202"), ("ForwardUnconditionalOn", ""), ("ForwardNumber", "")], ""),
        (&[("ForwardUnconditionalOn", "")], "403 no number is set to forward to"),
        (&[("ForwardUnconditionalOff", "")], ""),
        // Busy and no answer have one number; without it the unconditional one serves.
        (&[("ForwardOnBusyNumber", "203")], "busy 203 off, no answer 203 off"),
        (&[("ForwardOnBusyNumber", "203"), ("ForwardOnBusyOn", "")], "busy 203 on, no answer 203 off"),
        (&[("ForwardOnBusyNumber", "203"), ("ForwardOnNoAnswerOn", "")], "busy 203 off, no answer 203 on"),
        (&[("ForwardNumber", "202"), ("ForwardOnBusyOn", "")], "always 202 off, busy - on"),
        (&[("ForwardNumber", "202"), ("ForwardOnBusyOn", ""), ("ForwardNumber", "")], ""),
        (&[("ForwardNumber", "202"), ("ForwardOnNoAnswerOn", ""), ("ForwardOnNoAnswerOff", "")], "always 202 off"),
        (&[("ForwardOnBusyOn", "")], "403 no number is set to forward to"),
        (&[("ForwardOnNoAnswerOn", "")], "403 no number is set to forward to"),
        (&[("ForwardOnBusyOff", "")], ""),
        (&[("FollowMeTo", "204")], "follow 204"),
        (&[("FollowMeTo", "204"), ("FollowMeTo", "")], ""),
        (&[("FollowMeTo", "204"), ("FollowMeTo", "201")], ""),
        (&[("FollowMeTo", "91")], "403 91 is no extension"),
        (
            &[
                ("ForwardNumber", "202"),
                ("ForwardUnconditionalOn", ""),
                ("ForwardOnBusyOn", ""),
                ("FollowMeTo", "204"),
                ("DoNotDisturbOn", ""),
                ("CancelAllForwarding", ""),
            ],
            "dnd, always 202 off",
        ),
        (&[("OutgoingCallBarOn", "")], "bar"),
        (&[("OutgoingCallBarOn", ""), ("OutgoingCallBarOff", "1234")], "403 no login code is set"),
        (&[("ChangeLoginCode", "*1234"), ("OutgoingCallBarOn", ""), ("OutgoingCallBarOff", "1235")], "403 wrong code"),
        (&[("ChangeLoginCode", "*1234"), ("OutgoingCallBarOn", ""), ("OutgoingCallBarOff", "")], "403 wrong code"),
        (&[("ChangeLoginCode", "*1234"), ("OutgoingCallBarOn", ""), ("OutgoingCallBarOff", "1234")], "code 1234"),
        (&[("ChangeLoginCode", "*1234")], "code 1234"),
        (&[("ChangeLoginCode", "9*1234")], "403 wrong code"),
        (&[("ChangeLoginCode", "*1234"), ("ChangeLoginCode", "1234*5678")], "code 5678"),
        (&[("ChangeLoginCode", "*1234"), ("ChangeLoginCode", "*5678")], "403 wrong code"),
        (&[("ChangeLoginCode", "*1234"), ("ChangeLoginCode", "9*5678")], "403 wrong code"),
        (&[("ChangeLoginCode", "*1234"), ("ChangeLoginCode", "1234*")], "403 a login code has 1 to 31 digits"),
        (&[("ChangeLoginCode", "*1234"), ("ChangeLoginCode", "1234*5#6")], "403 a login code has 1 to 31 digits"),
        (&[("ChangeLoginCode", "201*1234*5678")], "403 a login code has 1 to 31 digits"),
        (&[("ChangeLoginCode", "1234")], "403 dial the old code, *, and the new one"),
        (&[("ExtnLogin", "1234")], "403 ExtnLogin changes no setting"),
    ];
    let allows = Profile::default();
    for (dialled, gives) in rows {
        assert_eq!(after(&allows, dialled), *gives, "{dialled:?}");
    }
}

#[test]
fn a_number_that_its_user_could_not_dial_is_refused() {
    let allows = Profile::default();
    let rows = [
        ("9123", "always 9123 off"),
        ("90123", "403 no forward to 90123: external calls are barred for this user"),
        ("6", "403 no forward to 6: this number is barred"),
        ("777", "403 no forward to 777: there is no such number"),
        ("8", "403 no forward to 8: the number is incomplete"),
        ("*08", "403 no forward to *08: it is a feature code"),
        ("201", "403 nobody forwards to oneself"),
    ];
    for (number, gives) in rows {
        assert_eq!(after(&allows, &[("ForwardNumber", number)]), gives, "{number}");
    }
    let longest = "9".repeat(31);
    assert_eq!(after(&allows, &[("ForwardNumber", &longest)]), format!("always {longest} off"));
    assert_eq!(after(&allows, &[("ForwardNumber", &"9".repeat(32))]), "403 a number has at most 31 digits");
}

#[test]
fn the_profile_has_its_say() {
    let inside = Profile { forward_external: false, ..Profile::default() };
    assert_eq!(after(&inside, &[("ForwardNumber", "202")]), "always 202 off");
    let outside = "403 no forward to 9123: the profile `office` forwards nothing outside";
    assert_eq!(after(&inside, &[("ForwardNumber", "9123")]), outside);
    let none = Profile { forwarding: false, ..Profile::default() };
    for code in ["ForwardNumber", "ForwardOnBusyNumber", "FollowMeTo"] {
        assert_eq!(after(&none, &[(code, "202")]), "403 no forward to 202: the profile `office` forwards nothing");
    }
    assert_eq!(after(&none, &[("DoNotDisturbOn", "")]), "dnd");
    // Set in the file, or before the profile was another: it can be switched off, not on.
    let number = Some("202".to_owned());
    let set = Effective { unconditional: Switched { number, on: true }, ..Effective::default() };
    assert_eq!(told(&asked(&set, &none, "CancelAllForwarding", "")), "always 202 off");
    let refused = "403 no forward to 202: the profile `office` forwards nothing";
    assert_eq!(told(&asked(&set, &none, "ForwardUnconditionalOn", "")), refused);
}

#[test]
fn a_change_of_the_code_whose_answer_was_lost_is_granted_again() {
    let allows = Profile::default();
    let present = Effective { login_code: Some(coded("1234")), ..Effective::default() };
    let changed = asked(&present, &allows, "ChangeLoginCode", "1234*5678").expect("the right code");
    assert_eq!(asked(&changed, &allows, "ChangeLoginCode", "1234*5678"), Ok(changed.clone()));
    // Whoever does not know the old one learns nothing by the new one.
    assert_eq!(asked(&changed, &allows, "ChangeLoginCode", "9*5678"), Err(Refused::WrongCode));
    let again = asked(&changed, &allows, "ChangeLoginCode", "5678*9").expect("the right code");
    assert_eq!(asked(&again, &allows, "ChangeLoginCode", "1234*5678"), Err(Refused::WrongCode));
}

#[test]
fn the_operators_bar_stays_where_the_operator_gave_no_code() {
    let (allows, login_code) = (Profile::default(), Some(coded("1234")));
    let barred = Effective { outgoing_bar: true, login_code, ..Effective::default() };
    let lifts = |lifts_bar| told(&asked_by(&barred, &allows, "OutgoingCallBarOff", "1234", lifts_bar));
    assert_eq!((lifts(true).as_str(), lifts(false).as_str()), ("code 1234", "403 only the operator lifts this bar"));
}

#[test]
fn every_feature_changes_a_setting_or_says_that_it_does_not() {
    let (present, allows) = (Effective::default(), Profile::default());
    for feature in Feature::ALL {
        let judged = asked(&present, &allows, feature.name(), "202");
        let is_none = told(&judged).ends_with("changes no setting");
        assert_eq!(is_setting(*feature), !is_none, "{feature}");
    }
}
