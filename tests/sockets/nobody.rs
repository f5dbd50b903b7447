//! SPEC 6.6, RFC 3261 §18.4: where nobody listens any more, the network says so, and no call waits for a timer.

use super::agent::Agent;
use super::message::status;
use super::support::{Network, free_addresses};

#[test]
fn a_trunk_with_nobody_behind_it_is_down_at_once() {
    let network = Network::new();
    let trunk = network.trunk("london").address.to_string();
    network.edit("sites/london.toml", &trunk, &free_addresses(1)[0].to_string());
    let running = network.run(&[]);
    let ada = Agent::registered(&network, "london", "201");
    let call = ada.call("902079460999");
    assert_eq!(status(&ada.refusal(&call)), 480);
    running.wait_for_log("trunk down");
    assert!(running.log().lines().any(|line| line.contains("trunk down") && line.contains("unreachable")));
}

#[test]
fn a_phone_that_is_gone_keeps_no_caller_waiting_at_any_shard() {
    let network = Network::new();
    network.edit("network.toml", "plan = \"sites/london.toml\"", "plan = \"sites/london.toml\"\nshards = 3");
    let _running = network.run(&[]);
    let ada = Agent::registered(&network, "london", "201");
    // Half a minute would be too long for this test's patience.
    for _ in 0..4 {
        drop(Agent::registered(&network, "london", "202"));
        let call = ada.call("202");
        assert_eq!(status(&ada.refusal(&call)), 408);
    }
}
