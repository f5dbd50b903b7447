//! `tests/data/bad-network`: everything that lint looks for is wrong there once, and a promise is broken. The sample of `config/` is clean.

use hotdesk::config::{Loaded, Sites, load};
use hotdesk::plan::{Kind, reach};

fn network(path: &str) -> Loaded {
    load(path.as_ref(), &Sites::Present).unwrap_or_else(|errors| panic!("{errors}"))
}

fn bad() -> Loaded {
    network("tests/data/bad-network/network.toml")
}

#[test]
fn every_kind_of_finding_occurs_once_with_its_witness() {
    let findings = bad().lint();
    for kind in Kind::ALL {
        assert!(findings.iter().any(|finding| finding.kind == *kind), "{} is not found", kind.name());
    }
    let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn every_finding_says_where_what_why_it_matters_and_how_to_mend_it() {
    for finding in bad().lint() {
        assert!(finding.origin.to_string().starts_with("tests/data/bad-network/"), "{finding}");
        // what is missing in a file has no line there
        assert_eq!(finding.origin.line == 0, finding.kind == Kind::NobodyUnknown, "{finding}");
        let (why, mend) = finding.kind.advice();
        assert!([&finding.what, why, mend].iter().all(|words| !words.is_empty()), "{finding}");
    }
}

#[test]
fn a_broken_promise_is_told_with_its_trace() {
    let tried = bad().try_expectations();
    assert_eq!((tried.held, tried.untried.len()), (1, 0));
    let text: Vec<String> = tried.broken.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn the_sample_network_is_clean_and_keeps_its_promises() {
    let sample = network("config/network.toml");
    assert_eq!(sample.lint(), []);
    let tried = sample.try_expectations();
    assert!(tried.broken.is_empty() && tried.untried.is_empty() && tried.held > 10, "{tried:?}");
}

#[test]
fn who_can_reach_premium_numbers_is_told() {
    let said = reach(&network("config/network.toml").everywhere(), "0909").to_string();
    insta::assert_snapshot!(crate::without_lines(&said));
}
