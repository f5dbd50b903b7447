//! RFC 3261 §12-14, RFC 3262, RFC 3311: requests inside calls, early ones too, between two sites.

use super::agent::{Agent, Outgoing};
use super::message::header;
use super::support::{Network, Running};

/// 202 in London calls 201, who is logged in at Paris.
fn calling(network: &Network) -> (Running, Agent, Agent, Outgoing) {
    let running = network.run(&[]);
    let (charles, ada) = (Agent::registered(network, "london", "202"), Agent::registered(network, "paris", "201"));
    let call = charles.call("201");
    (running, charles, ada, call)
}

#[test]
fn an_early_dialog_takes_prack_and_update_and_its_media_may_begin() {
    let network = Network::new();
    let (_running, charles, ada, call) = calling(&network);
    let invite = ada.request("INVITE");
    ada.answer(&invite, "183 Session Progress");
    let (_, mut early) = charles.hears(&call, 183);
    for method in ["PRACK", "UPDATE"] {
        let cseq = charles.ask_in(&mut early, method);
        let request = ada.request(method);
        assert_eq!(header(&request, "CSeq"), format!("{cseq} {method}"));
        ada.answer(&request, "200 OK");
        assert_eq!(charles.told(cseq, method), 200);
    }
    ada.answer(&invite, "200 OK");
    let (_, mut dialog) = charles.hears(&call, 200);
    charles.confirm(&dialog);
    ada.request("ACK");
    charles.hang_up(&mut dialog, &ada);
}

#[test]
fn every_copy_of_a_2xx_arrives_until_its_ack_does() {
    let network = Network::new();
    let (_running, charles, ada, call) = calling(&network);
    let invite = ada.request("INVITE");
    // The caller's ACK is lost twice: the callee says so again and again (RFC 3261 §13.3.1.4).
    for copy in 1..=3 {
        ada.answer(&invite, "200 OK");
        let (_, dialog) = charles.hears(&call, 200);
        if copy == 3 {
            charles.confirm(&dialog);
        }
    }
    ada.request("ACK");
    // A copy that was under way: its ACK comes too.
    ada.answer(&invite, "200 OK");
    let (_, mut dialog) = charles.hears(&call, 200);
    charles.confirm(&dialog);
    ada.request("ACK");
    charles.hang_up(&mut dialog, &ada);
}

#[test]
fn two_re_invites_at_once_are_both_refused_with_491() {
    let network = Network::new();
    let (_running, charles, ada, call) = calling(&network);
    let (mut theirs, mut ours) = ada.pick_up_with(&charles, &call);
    let (asked, crossing) = (charles.ask_in(&mut theirs, "INVITE"), ada.ask_in(&mut ours, "INVITE"));
    // RFC 3261 §14.1.
    ada.answer(&ada.request("INVITE"), "491 Request Pending");
    charles.answer(&charles.request("INVITE"), "491 Request Pending");
    assert_eq!((charles.told(asked, "INVITE"), ada.told(crossing, "INVITE")), (491, 491));
    charles.hang_up(&mut theirs, &ada);
}
