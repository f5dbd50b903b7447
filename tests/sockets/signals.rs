//! SPEC 2.3: ending, and reading the configuration anew.

use super::support::{Network, Phone};

#[test]
fn sigterm_ends_an_idle_process_with_0() {
    ends_at("TERM");
}

#[test]
fn ctrl_c_ends_an_idle_process_with_0() {
    ends_at("INT");
}

fn ends_at(signal: &str) {
    let network = Network::new();
    let mut running = network.run(&[]);
    running.signal(signal);
    assert_eq!(running.end().code(), Some(0));
}

#[test]
fn a_good_configuration_is_taken_while_the_sites_run() {
    let network = Network::new();
    let mut running = network.run(&[]);
    network.edit("sites/london.toml", "User 201", "Ada Lovelace");
    running.signal("HUP");
    running.wait_for_log("the configuration was read anew");
    assert!(Phone::new().ping(network.address("london"), 1).starts_with("SIP/2.0 200 "));
    assert!(running.is_running());
}

#[test]
fn a_bad_configuration_is_reported_and_the_old_one_stays() {
    let network = Network::new();
    let mut running = network.run(&[]);
    network.edit("sites/london.toml", "extension = \"201\"", "extensio = \"201\"");
    running.signal("HUP");
    running.wait_for_log("the old one stays");
    assert!(running.log().contains("extensio"), "{}", running.log());
    assert!(Phone::new().ping(network.address("london"), 1).starts_with("SIP/2.0 200 "));
    assert!(running.is_running());
}

#[test]
fn other_sockets_need_a_restart() {
    let network = Network::new();
    let running = network.run(&[]);
    let address = network.address("paris").to_string();
    network.edit("network.toml", &address, "127.0.0.1:9");
    running.signal("HUP");
    running.wait_for_log("sites.paris: its sockets and shards change only with a restart");
    assert!(Phone::new().ping(network.address("paris"), 1).starts_with("SIP/2.0 200 "));
}
