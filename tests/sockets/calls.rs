//! SPEC 9: calls at one site, to its trunk and from it.

use super::agent::Agent;
use super::message::{header, status};
use super::support::Network;

#[test]
fn a_call_is_answered_and_either_side_hangs_up() {
    let network = Network::new();
    let _running = network.run(&[]);
    let (ada, charles) = (Agent::registered(&network, "london", "201"), Agent::registered(&network, "london", "202"));
    for caller_hangs_up in [true, false] {
        let call = ada.call("202");
        let mut theirs = charles.pick_up_with(&ada, &call);
        if caller_hangs_up {
            ada.hang_up(&mut theirs.0, &charles);
        } else {
            charles.hang_up(&mut theirs.1, &ada);
        }
    }
}

#[test]
fn a_caller_who_gives_up_stops_the_ringing() {
    let network = Network::new();
    let _running = network.run(&[]);
    let (ada, charles) = (Agent::registered(&network, "london", "201"), Agent::registered(&network, "london", "202"));
    let call = ada.call("202");
    let invite = charles.request("INVITE");
    charles.answer(&invite, "180 Ringing");
    ada.hears_ringing();
    assert_eq!(status(&ada.cancel(&call)), 200);
    let cancel = charles.request("CANCEL");
    charles.answer(&cancel, "200 OK");
    charles.answer(&invite, "487 Request Terminated");
    assert_eq!(status(&ada.refusal(&call)), 487);
}

#[test]
fn a_call_to_nobody_says_why() {
    let network = Network::new();
    let _running = network.run(&[]);
    let ada = Agent::registered(&network, "london", "201");
    for (number, answer) in [("202", 480), ("299", 404), ("*70", 486), ("301", 480)] {
        let call = ada.call(number);
        let refusal = ada.refusal(&call);
        assert_eq!(status(&refusal), answer, "{number}: {refusal}");
    }
}

#[test]
fn a_busy_phone_is_busy_for_the_caller() {
    let network = Network::new();
    let _running = network.run(&[]);
    let (ada, charles) = (Agent::registered(&network, "london", "201"), Agent::registered(&network, "london", "202"));
    let call = ada.call("202");
    let invite = charles.request("INVITE");
    charles.answer(&invite, "486 Busy Here");
    charles.request("ACK");
    assert_eq!(status(&ada.refusal(&call)), 486);
}

#[test]
fn an_outside_number_leaves_by_the_trunk_with_an_asserted_identity_and_without_credentials() {
    let network = Network::new();
    let _running = network.run(&[]);
    let ada = Agent::registered(&network, "london", "201");
    let trunk = Agent::trunk(&network, "london");
    let call = ada.call("902079460000");
    let invite = trunk.request("INVITE");
    assert!(invite.starts_with("INVITE sip:02079460000@"), "{invite}");
    assert!(!invite.contains("Proxy-Authorization"), "{invite}");
    assert!(header(&invite, "P-Asserted-Identity").contains("<sip:"), "{invite}");
    trunk.answer(&invite, "603 Decline");
    trunk.request("ACK");
    assert_eq!(status(&ada.refusal(&call)), 603);
}

#[test]
fn a_stranger_reaches_nobody() {
    let network = Network::new();
    let _running = network.run(&[]);
    let ada = Agent::registered(&network, "london", "201");
    let (stranger, site) = (super::support::Phone::new(), network.address("london"));
    let invite =
        stranger.options(site, 1).replace("OPTIONS", "INVITE").replace("ping@london.example", "me@elsewhere.example");
    stranger.send(site, &invite.replacen(&format!("sip:{site}"), "sip:201@london.example", 1));
    assert_eq!(status(&stranger.receive()), 403);
    ada.stays_silent();
}
