//! Lint against brute force: what it says never wins is never won by any short string, and what it does not name is.

use hotdesk::plan::{Around, Everywhere, Finding, Kind, Plan, Step, Trace, lint, reach};
use hotdesk::settings::{Network, Site};
use proptest::prelude::*;

use crate::sample::{self, MONDAY_NOON, ada};

/// One site with these system codes; the rows' features tell them apart in the outcome.
fn site_of(codes: &[String]) -> Site {
    let rows: Vec<String> = codes.iter().enumerate().map(|(at, code)| format!("{code}/ForwardNumber/{at}*.")).collect();
    sample::site("london", "12 3", &rows.join(" "), "")
}

fn network() -> Network {
    let mut network = sample::network();
    network.sites.retain(|name, _| name.as_str() == "london");
    network
}

fn plan_of(site: &Site) -> Plan {
    Plan::compile(&network(), site).unwrap_or_else(|errors| panic!("{}", sample::in_words(&errors)))
}

fn found(network: &Network, sites: &[Site]) -> Vec<Finding> {
    let plans = sites.iter().map(|site| {
        let plan = Plan::compile(network, site).unwrap_or_else(|errors| panic!("{}", sample::in_words(&errors)));
        (site.name.clone(), plan.into())
    });
    let plans = plans.collect();
    let sites = sites.iter().map(|site| (site.name.clone(), site.clone().into())).collect();
    lint(&Everywhere { network, sites: &sites, plans: &plans })
}

/// Every string of the reduced alphabet up to that length: the digits of the codes and another one, each mark, and a letter.
fn strings(longest: usize) -> Vec<String> {
    let alphabet = ["0", "1", "2", "3", "*", "#", "+", "a"];
    let (mut all, mut last) = (Vec::new(), vec![String::new()]);
    for _ in 0..longest {
        last = last.iter().flat_map(|text| alphabet.iter().map(move |c| format!("{text}{c}"))).collect();
        all.extend(last.iter().cloned());
    }
    all
}

/// The rows that some short string reaches.
fn won(codes: &[String], strings: &[String]) -> Vec<bool> {
    let plan = plan_of(&site_of(codes));
    let mut won = vec![false; codes.len()];
    for text in strings {
        let gives = plan.route(text, &ada(), &Around::alone(MONDAY_NOON), Trace::off()).gives(plan.site());
        let row = gives.strip_prefix("ForwardNumber ").and_then(|rest| rest.split_once('*')).map(|(row, _)| row);
        if let Some(row) = row.and_then(|row| row.parse::<usize>().ok()) {
            won[row] = true;
        }
    }
    won
}

/// What numbers that begin so give, by every way out.
fn ways(site: &Site, digits: &str) -> Vec<String> {
    let plans = [(site.name.clone(), plan_of(site).into())].into();
    let sites = [(site.name.clone(), site.clone().into())].into();
    let found = reach(&Everywhere { network: &network(), sites: &sites, plans: &plans }, digits);
    found.ways.into_iter().map(|way| way.gives).collect()
}

#[test]
fn an_alternate_is_a_way_for_the_numbers_of_its_form_and_no_others() {
    let ars = "main>backup{0N;/Dial/0N/pstn 07N;/Barred} backup{0N;/Dial/44N/colt 1N;/Dial/1N/colt}";
    let site = sample::site("london", "201", "9N;/Dial/N/main", ars);
    assert_eq!(ways(&site, "02"), ["Dial 02 via pstn"]);
    assert_eq!(ways(&site, "442"), ["Dial 442 via colt (by the alternate backup)"]);
    assert_eq!(ways(&site, "1"), [""; 0], "the form itself has no way for it");
    assert_eq!(ways(&site, "447"), [""; 0], "what is barred in the form is not tried in the alternate");
}

#[test]
fn an_alternate_that_helps_no_number_is_told() {
    let told = |ars: &str| {
        let findings = found(&network(), &[sample::site("london", "201", "9N;/Dial/N/main 8N;/Dial/N/backup", ars)]);
        findings.iter().filter(|finding| finding.kind == Kind::UselessAlternate).count()
    };
    assert_eq!(told("main>backup{0N;/Dial/0N/pstn} backup{1N;/Dial/1N/colt}"), 1);
    assert_eq!(told("main>backup{0N;/Dial/0N/pstn} backup{1N;/Dial/1N/colt 07X;/Dial/0N/colt}"), 0);
    assert_eq!(
        told("main>backup{0N;/Dial/0N/pstn 0N;/Barred} backup{0N;/Dial/0N/colt}"),
        1,
        "the search ends before it"
    );
}

fn a_code() -> impl Strategy<Value = String> {
    let element = prop_oneof![3 => proptest::char::ranges(vec!['1'..='3', '*'..='*', '#'..='#'].into()), 2 => Just('X'), 2 => Just('N')];
    let code = proptest::collection::vec(element, 1..4).prop_map(|code| code.into_iter().collect());
    prop_oneof![12 => code, 1 => Just("?".to_owned())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_never_wins_is_what_no_string_reaches(codes in proptest::collection::vec(a_code(), 1..7)) {
        let findings = found(&network(), &[site_of(&codes)]);
        let strings = strings(5);
        let won = won(&codes, &strings);
        for (at, code) in codes.iter().enumerate() {
            let line = at as u32 + 1;
            let told = findings.iter().any(|finding| {
                finding.origin.line == line && matches!(finding.kind, Kind::NeverWins | Kind::HiddenByExtension)
                    && finding.what.contains("can never win")
            });
            prop_assert_eq!(told, !won[at], "{} of {:?}: {:?}", code, codes, findings);
        }
        prop_assert!(findings.iter().all(|finding| finding.kind != Kind::Undecided));
    }

    #[test]
    fn the_example_of_a_shadow_is_decided_as_told(codes in proptest::collection::vec(a_code(), 2..7)) {
        let site = site_of(&codes);
        let plan = plan_of(&site);
        for finding in found(&network(), &[site]) {
            let Some((_, rest)) = finding.what.split_once("is decided before, ") else { continue };
            let (example, claim) = rest.split_once(" for one ").expect("an example");
            let decision = plan.route(example, &ada(), &Around::alone(MONDAY_NOON), Trace::on());
            if claim == "is an extension" {
                prop_assert!(decision.gives(plan.site()).starts_with("Extension "), "{}", finding);
            } else {
                let won = decision.trace.steps().iter().any(|step| {
                    matches!(step, Step::Candidate { code, won: true, .. } if claim.contains(code.as_str()))
                });
                prop_assert!(won, "{}\n{}", finding, decision.trace);
            }
        }
    }
}

#[test]
fn a_shadow_needs_every_string_covered() {
    let kinds = |codes: &[&str]| -> Vec<u32> {
        let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
        let findings = found(&network(), &[site_of(&codes)]);
        findings.iter().filter(|finding| finding.kind == Kind::NeverWins).map(|finding| finding.origin.line).collect()
    };
    let tens: Vec<String> = (0..10).map(|digit| format!("9{digit}")).collect();
    let mut nine: Vec<&str> = tens.iter().map(String::as_str).take(9).collect();
    nine.push("9X");
    assert_eq!(kinds(&nine), [0u32; 0], "99 is left to 9X");
    let mut ten: Vec<&str> = tens.iter().map(String::as_str).collect();
    ten.push("9X");
    assert_eq!(kinds(&ten), [11]);
    assert_eq!(kinds(&["9N", "9N;"]), [2], "the same code");
    assert_eq!(kinds(&["8N", "8N#"]), [0u32; 0], "a final # has a code of its own");
    assert_eq!(kinds(&["N", "?"]), [0u32; 0], "letters are left to ?");
}
