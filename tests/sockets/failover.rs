//! SPEC 6.6: after which answers of a carrier the next trunk is tried, and after which the search stops.

use super::agent::Agent;
use super::message::status;
use super::support::{Network, Phone};

/// London's group has a second trunk, and none of them is ever left alone for having failed.
fn two_trunks() -> (Network, Phone) {
    let (network, second) = (Network::new(), Phone::new());
    network.edit("sites/london.toml", "name = \"carrier\"\n", "name = \"carrier\"\nretry = 0\n");
    let plan = std::fs::read_to_string(network.directory.join("sites/london.toml")).expect("the plan");
    let trunk =
        format!("[[trunks]]\nname = \"second\"\ngroup = \"pstn\"\nretry = 0\naddress = \"{}\"\n", second.address);
    network.write("sites/london.toml", &format!("{plan}{trunk}"));
    (network, second)
}

/// Each answer with a number of its own to dial. Behind the statuses: refusals that say nothing by their status, and the cause in `Reason` (RFC 3326).
fn answers(statuses: &[&str], causes: &[u16]) -> Vec<(String, String)> {
    let statuses = statuses.iter().map(|line| (*line).to_owned());
    let reason = |cause| format!("480 Temporarily Unavailable\nReason: Q.850;cause={cause};text=\"no\"");
    let lines = statuses.chain(causes.iter().map(reason));
    (0..).zip(lines).map(|(n, line): (u16, _)| (format!("0207946{n:04}"), line)).collect()
}

/// The INVITE of that call: copies of earlier ones may still come.
fn invite(carrier: &Agent, number: &str) -> String {
    loop {
        let invite = carrier.request("INVITE");
        if invite.contains(number) {
            break invite;
        }
    }
}

#[test]
fn a_carrier_that_cannot_do_it_gives_way_to_the_next() {
    let (network, second) = two_trunks();
    let _running = network.run(&[]);
    let ada = Agent::registered(&network, "london", "201");
    let (first, second) = (Agent::trunk(&network, "london"), Agent::carrier(&network, "london", second));
    let failures = [
        "403 Forbidden",
        "408 Request Timeout",
        "500 Server Internal Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Server Time-out",
        "580 Precondition Failure",
    ];
    for (number, answer) in answers(&failures, &[27, 34, 38, 41, 42, 44, 47]) {
        let call = ada.call(&format!("9{number}"));
        first.answer(&invite(&first, &number), &answer);
        second.answer(&invite(&second, &number), "486 Busy Here");
        assert_eq!(status(&ada.refusal(&call)), 486, "{answer}");
    }
}

#[test]
fn a_carrier_that_has_the_answer_of_the_called_side_ends_the_search() {
    let (network, second) = two_trunks();
    let _running = network.run(&[]);
    let ada = Agent::registered(&network, "london", "201");
    let first = Agent::trunk(&network, "london");
    let refusals = [
        "404 Not Found",
        "484 Address Incomplete",
        "486 Busy Here",
        "488 Not Acceptable Here",
        "600 Busy Everywhere",
        "603 Decline",
    ];
    for (number, answer) in answers(&refusals, &[1, 16, 17, 21, 28]) {
        let call = ada.call(&format!("9{number}"));
        first.answer(&invite(&first, &number), &answer);
        assert_eq!(status(&ada.refusal(&call)), answer[..3].parse::<u16>().expect("a status"), "{answer}");
    }
    assert!(second.receive_within(std::time::Duration::from_millis(100)).is_none(), "the second trunk is never asked");
}

#[test]
fn a_carrier_that_has_rung_is_the_last() {
    let (network, second) = two_trunks();
    let _running = network.run(&[]);
    let ada = Agent::registered(&network, "london", "201");
    let first = Agent::trunk(&network, "london");
    let call = ada.call("902079460000");
    let invite = first.request("INVITE");
    first.answer(&invite, "180 Ringing");
    ada.hears_ringing();
    first.answer(&invite, "500 Server Internal Error");
    assert_eq!(status(&ada.refusal(&call)), 500);
    assert!(second.receive_within(std::time::Duration::from_millis(100)).is_none(), "the second trunk is never asked");
}
