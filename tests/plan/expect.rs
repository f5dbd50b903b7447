//! SPEC 6.10: what a plan promises of itself, and what breaks it.

use hotdesk::ids::Extension;
use hotdesk::plan::{Everywhere, Plan, Tried, try_expectations};
use hotdesk::settings::{Expect, Incoming, Origin, Site, TimeProfile, Weekly};

use crate::sample::*;

fn expect(user: &str, dials: &str, at: Option<&str>, gives: &str) -> Expect {
    Expect {
        user: Some(Extension::new(user)),
        trunk: None,
        dials: dials.to_owned(),
        at: at.map(|at| at.parse().expect("a local time")),
        gives: gives.to_owned(),
        origin: Origin { file: "test".into(), line: 9 },
    }
}

/// Outside lines on Mondays from nine to half past five, and Busy at all other times.
fn london(expect: Vec<Expect>) -> Site {
    let ars = "main{N;/Dial/N/pstn} night{N;/Busy}";
    let mut site = site("london", "201", "9N;/Dial/N/main *82N;/BreakOut/N/paris *35*N#/ExtnLogin/N", ars);
    let weekly = vec![Weekly { days: vec![0], from: 540, to: 1050 }];
    site.time_profiles.insert("hours".into(), TimeProfile { timezone: String::new(), weekly, closed: Vec::new() });
    let main = site.ars.get_mut("main").expect("the form");
    (main.time_profile, main.out_of_hours) = (Some("hours".into()), Some("night".into()));
    let rule = |number: &str, to: &str| Incoming {
        group: "pstn".into(),
        number: number.into(),
        to: to.into(),
        out_of_hours: None,
        origin: Origin::default(),
    };
    site.incoming = vec![rule("020XXX", "N")];
    site.expect = expect;
    site
}

fn tried(sites: Vec<Site>) -> Tried {
    let network = network();
    let compiled = |site: &Site| (site.name.clone(), Plan::compile(&network, site).expect("a plan").into());
    let plans = sites.iter().map(compiled).collect();
    let sites = sites.into_iter().map(|site| (site.name.clone(), site.into())).collect();
    try_expectations(&Everywhere { network: &network, sites: &sites, plans: &plans })
}

/// How many hold, what the others came to, and how many could not be tried.
fn outcome(sites: Vec<Site>) -> (usize, Vec<String>, usize) {
    let tried = tried(sites);
    (tried.held, tried.broken.into_iter().map(|broken| broken.came).collect(), tried.untried.len())
}

#[test]
fn a_promise_with_a_time_is_tried_then_and_one_without_at_every_time() {
    let by_day = expect("201", "912", Some("2026-11-23T17:29"), "Dial 12 via pstn");
    let by_night = expect("201", "912", Some("2026-11-23T17:30"), "Busy");
    assert_eq!(outcome(vec![london(vec![by_day.clone(), by_night])]), (2, vec![], 0));
    let never = expect("201", "912", Some("2026-11-23T17:30"), "Dial 12 via pstn");
    assert_eq!(outcome(vec![london(vec![never])]), (0, vec!["Busy".to_owned()], 0));
    let always = expect("201", "912", None, "Dial 12 via pstn");
    let tried = tried(vec![london(vec![always, by_day, expect("201", "201", None, "Extension 201")])]);
    assert_eq!((tried.held, tried.broken.len()), (2, 1));
    let broken = tried.broken[0].to_string();
    assert!(broken.starts_with("test:9: expectation broken: 201 dials 912 at times such as "), "{broken}");
    assert!(broken.contains("should give `Dial 12 via pstn`, and gives `Busy`"), "{broken}");
    assert!(broken.contains("ARS main with 12: out of hours, night instead"), "the trace: {broken}");
}

#[test]
fn a_trunk_may_be_promised_something_too() {
    let trunk =
        |dials: &str, gives: &str| Expect { user: None, trunk: Some("pstn".into()), ..expect("", dials, None, gives) };
    let rows = vec![trunk("020201", "Extension 201"), trunk("02020", "484"), trunk("020202", "Extension 202")];
    assert_eq!(outcome(vec![london(rows)]), (2, vec!["404".to_owned()], 0));
}

#[test]
fn what_another_site_does_with_it_is_the_outcome_where_its_plan_is_here() {
    let rows = || {
        let out = expect("201", "*8201", None, "Dial 1 via colt at paris");
        vec![out, expect("201", "*82301", None, "Extension 301 at paris"), expect("301", "201", None, "Extension 201")]
    };
    let paris = || site("paris", "301", "0N;/Dial/N/colt", "");
    assert_eq!(outcome(vec![london(rows()), paris()]), (3, vec![], 0));
    assert_eq!(outcome(vec![london(rows())]), (0, vec![], 3), "without the plan of Paris none can be tried");
    let wrong = expect("201", "*8201", None, "Dial 1 via colt");
    assert_eq!(outcome(vec![london(vec![wrong]), paris()]), (0, vec!["Dial 1 via colt at paris".to_owned()], 0));
}

#[test]
fn a_broken_promise_shows_no_pin() {
    let tried = tried(vec![london(vec![
        expect("201", "*35*204*7788#", None, "ExtnLogin 204"),
        expect("201", "*35*204*7788#", None, "ExtnLogin 205"),
    ])]);
    assert_eq!((tried.held, tried.broken.len()), (1, 1));
    assert!(!tried.broken[0].to_string().contains("7788"), "{}", tried.broken[0]);
}
