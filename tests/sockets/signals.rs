//! SPEC 2.3: ending, and reading the configuration anew.

use std::path::Path;
use std::process::Command;

use super::agent::Agent;
use super::message::{header, status};
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

#[test]
fn who_still_waits_at_the_end_is_told_so_and_nothing_rings_on() {
    let network = Network::new();
    let mut running = network.run(&[]);
    let (ada, charles) = (Agent::registered(&network, "london", "201"), Agent::registered(&network, "london", "202"));
    let call = ada.call("202");
    let invite = charles.request("INVITE");
    charles.answer(&invite, "180 Ringing");
    ada.hears_ringing();
    running.signal("TERM");
    running.wait_for_log("draining");
    running.signal("TERM");
    let refusal = ada.refusal(&call);
    assert!(status(&refusal) == 503 && header(&refusal, "Retry-After") == "30", "{refusal}");
    let cancel = charles.request("CANCEL");
    charles.answer(&cancel, "200 OK");
    charles.answer(&invite, "487 Request Terminated");
    charles.request("ACK");
    assert_eq!(running.end().code(), Some(0));
}

#[test]
fn a_pipe_in_place_of_a_file_is_refused_and_holds_nobody_up() {
    let network = Network::new();
    let mut running = network.run(&[]);
    pipe(&network.directory.join("sites/users.csv"));
    network.edit("sites/london.toml", "timezone", "users_csv = \"users.csv\"\ntimezone");
    running.signal("HUP");
    running.wait_for_log("the old one stays");
    assert!(running.log().contains("users.csv: it is not a regular file"), "{}", running.log());
    let checked = network.command("check", &[]);
    assert!(
        checked.status.code() == Some(2) && String::from_utf8_lossy(&checked.stderr).contains("not a regular file")
    );
    running.signal("TERM");
    assert_eq!(running.end().code(), Some(0));
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo of coreutils is there").success());
}
