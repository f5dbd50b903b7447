use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::ids::{Extension, LoginId, LoginNumber, SiteName};
use crate::settings::{Credentials, Forward, Origin, Profile, ShortCodeRow, User};
use crate::timing::Wall;

fn ada() -> User {
    User {
        extension: Extension::new("201"),
        name: "Ada Lovelace".into(),
        credentials: Credentials { ha1_md5: Some("5f".repeat(16)), ..Credentials::default() },
        login_code: Some("1234".into()),
        profile: "power".into(),
        caller_id: Some("+442071230201".into()),
        rights: Some("office".into()),
        time_profile: Some("office-hours".into()),
        out_of_hours_rights: Some("night".into()),
        outgoing_bar: true,
        do_not_disturb: false,
        priority: 3,
        forward: Forward { no_answer: Some("202".into()), after: Duration::from_secs(20), ..Forward::default() },
        short_codes: vec![ShortCodeRow {
            code: "*1".into(),
            feature: "DialExtn".into(),
            number: Some("202".into()),
            ..ShortCodeRow::default()
        }],
        origin: Origin::default(),
    }
}

fn answer() -> LoginAnswer {
    let user = ada();
    LoginAnswer {
        login: LoginNumber(1_790_000_000_001),
        lease: 120,
        profile: "power".into(),
        settings: Settings::of(&user, &Profile { devices: 5, calls: 10, ..Profile::default() }, 7),
        ha1: (&user.credentials).into(),
        kept_out: vec![KeptOut {
            device: Device::at(([192, 0, 2, 8], 5060).into(), "left-behind", None),
            at: Wall(1_790_000_000_000),
            wait: 600,
        }],
    }
}

fn request() -> LoginRequest {
    LoginRequest {
        extension: Extension::new("201"),
        login_id: LoginId([0xab; 16]),
        device: Device::at(([192, 0, 2, 7], 5060).into(), "843817637684230@998sdasdh09", Some("<urn:uuid:1>")),
        terms: Terms {
            visitors: true,
            licences: Some([("power".to_owned(), 2)].into_iter().collect()),
            shortage: Shortage::Basic,
        },
        digest: PhoneDigest {
            method: "REGISTER".into(),
            username: "201".into(),
            realm: "hotdesk.example".into(),
            nonce: "n".into(),
            uri: "sip:paris.example".into(),
            response: "r".into(),
            algorithm: Some("MD5".into()),
            qop: Some("auth".into()),
            nc: Some("00000001".into()),
            cnonce: Some("c".into()),
            body_hash: None,
            nonce_issued: Wall(1_790_000_000_000),
        },
        source: [192, 0, 2, 7].into(),
        leaves: false,
        by_dialling: false,
        code: None,
    }
}

fn json<T: serde::Serialize>(message: &T) -> String {
    let value: serde_json::Value = serde_json::from_slice(&encode(message)).expect("JSON");
    serde_json::to_string_pretty(&value).expect("JSON")
}

#[test]
fn every_message_keeps_its_form() {
    let renewal = Renewal {
        extension: Extension::new("201"),
        login: LoginNumber(9),
        login_id: LoginId([1; 16]),
        since: Wall(1_790_000_000_000),
        settings_version: 7,
        devices: vec![request().device],
        in_call: false,
        wants_ha1: true,
    };
    let gone = Gone { site: Some(SiteName::new("berlin")), newest: LoginNumber(10) };
    let extension = || Extension::new("201");
    let renewed =
        vec![Renewed::held(extension(), LoginNumber(9), 120), Renewed::gone(extension(), LoginNumber(9), gone.clone())];
    let logout = LogoutRequest::of(&extension(), LoginId([1; 16]), Some(LoginNumber(9)));
    let by_clock = LogoutRequest { forced: true, clock: Some(1_200), ..logout.clone() };
    let displaced = Displaced { extension: extension(), login: LoginNumber(9), gone };
    let notice = SettingsNotice {
        extension: extension(),
        login: LoginNumber(9),
        settings: None,
        ha1: Some((&ada().credentials).into()),
        password_changed: true,
    };
    let change = SettingsChange {
        extension: extension(),
        login: LoginNumber(9),
        asked: Wall(1_790_000_000_002),
        feature: "ForwardNumber".into(),
        argument: "202".into(),
    };
    let granted = SettingsAnswer { login: LoginNumber(9), settings: answer().settings };
    let refusal = Refusal { status: 403, text: "no free licence for profile power".into(), displaced: false };
    let all = [
        json(&request()),
        json(&answer()),
        json(&RenewRequest { logins: vec![renewal] }),
        json(&RenewAnswer { logins: renewed }),
        json(&logout),
        json(&by_clock),
        json(&displaced),
        json(&notice),
        json(&change),
        json(&granted),
        json(&refusal),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn messages_come_back_as_they_were() {
    assert_eq!(decode::<LoginRequest>(&encode(&request())).expect("readable"), request());
    assert_eq!(decode::<LoginAnswer>(&encode(&answer())).expect("readable"), answer());
}

#[test]
fn what_a_later_release_adds_is_skipped_and_what_it_leaves_out_has_a_default() {
    let later = br#"{"login": 9, "lease": 120, "profile": "power", "ha1": {"sha512": "00"}, "mood": {"good": [1]},
        "settings": {"version": 2, "name": "Ada", "allows": {"devices": 9, "video": true}}}"#;
    let answer: LoginAnswer = decode(later).expect("readable");
    assert_eq!((answer.settings.name.as_str(), answer.settings.priority, answer.settings.allows.calls), ("Ada", 5, 4));
    assert!(answer.kept_out.is_empty());
    let terms: Terms = decode(br#"{"visitors": true, "shortage": "auction"}"#).expect("readable");
    assert_eq!(terms.shortage, Shortage::Refuse);
    let renewed: RenewAnswer =
        decode(br#"{"logins": [{"extension": "201", "login": 9, "paused": 5}]}"#).expect("readable");
    assert_eq!(renewed.logins[0].outcome(), Outcome::Unknown);
}

#[test]
fn a_user_is_at_the_visited_site_what_travels_and_no_more() {
    let answer = answer();
    let origin = Origin { file: "london".into(), line: 0 };
    let visitor = answer.settings.user(Extension::new("201"), "basic", answer.ha1.clone().into(), &origin);
    let mut same = User { login_code: None, profile: "basic".into(), origin: origin.clone(), ..ada() };
    same.short_codes[0].origin = origin;
    assert_eq!(visitor, same);
    assert_eq!(Profile::from(&answer.settings.allows), Profile { devices: 5, calls: 10, ..Profile::default() });
}

#[test]
fn licences_are_free_without_a_table_and_by_the_table() {
    let terms = request().terms;
    assert!(terms.has_licence("power") && !terms.has_licence("office"));
    assert!(Terms { licences: None, ..terms.clone() }.has_licence("office"));
    let none = Some([("power".to_owned(), 0)].into_iter().collect());
    assert!(!Terms { licences: none, ..terms }.has_licence("power"));
}

#[test]
fn secrets_do_not_show_in_logs() {
    let shown = format!("{:?} {:?}", answer(), request());
    assert!(!shown.contains("5f5f") && !shown.contains("response"), "{shown}");
}

#[test]
fn sixteen_renewals_with_changed_settings_fit_a_datagram() {
    let (settings, ha1) = (Some(answer().settings), Some(Ha1 { sha256: Some("5f".repeat(32)), ..answer().ha1 }));
    let renewed = Renewed { settings, ha1, ..Renewed::held(Extension::new("201"), LoginNumber(9), 120) };
    let bytes = encode(&RenewAnswer { logins: vec![renewed; RenewRequest::MOST] });
    assert!(bytes.len() < 16_000, "{}", bytes.len());
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        prop_assert!(decode::<LoginRequest>(&bytes).is_err());
        let _ = decode::<RenewAnswer>(&bytes);
    }
}
