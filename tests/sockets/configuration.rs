//! What can't be started says why, names the file, the key and the line, and exits with 2.

use std::net::UdpSocket;
use std::process::Output;

use super::support::Network;

fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("ready"));
    text
}

/// Breaks a network, and what `run` and `check` then say of it.
fn refused(file: &str, old: &str, new: &str) -> (Network, String) {
    let network = Network::new();
    network.edit(file, old, new);
    let said = complaint(&network.command("run", &[]));
    assert_eq!(said, complaint(&network.command("check", &[])));
    (network, said)
}

#[test]
fn a_socket_that_is_taken_is_named_with_file_key_and_line() {
    let network = Network::new();
    let _taken = UdpSocket::bind(network.address("paris")).expect("free until now");
    let said = complaint(&network.command("run", &[]));
    let line = network.line("network.toml", &network.address("paris").to_string());
    assert!(said.contains(&format!("network.toml:{line}: sites.paris.listen[0]:")), "{said}");
    assert!(said.contains(&format!("udp:{}", network.address("paris"))), "{said}");
}

#[test]
fn an_unknown_key_is_told_the_nearest_known_one() {
    let (network, said) = refused("sites/paris.toml", "timezone", "timezon");
    let line = network.line("sites/paris.toml", "timezon");
    assert!(said.contains(&format!("sites/paris.toml:{line}: ")), "{said}");
    assert!(said.contains("site.timezon:") && said.contains("did you mean `timezone`"), "{said}");
}

#[test]
fn a_short_code_that_says_nothing_is_named() {
    let (network, said) = refused("sites/london.toml", "feature = \"Busy\"", "feature = \"Buzy\"");
    assert!(said.contains("Buzy") && said.contains("Busy"), "{said}");
    let line = network.line("sites/london.toml", "*70");
    let near = (line - 1..=line + 1).any(|line| said.contains(&format!("sites/london.toml:{line}: ")));
    assert!(near, "{said}");
}

#[test]
fn an_extension_of_two_sites_is_named() {
    let (_network, said) = refused("sites/paris.toml", "extension = \"301\"", "extension = \"201\"");
    assert!(said.contains("sites/paris.toml:") && said.contains("201"), "{said}");
}

#[test]
fn a_plan_that_is_not_there_is_named() {
    let network = Network::new();
    network.edit("network.toml", "sites/paris.toml", "sites/pari.toml");
    let said = complaint(&network.command("run", &[]));
    let line = network.line("network.toml", "sites/pari.toml");
    assert!(said.contains(&format!("network.toml:{line}")) && said.contains("pari.toml"), "{said}");
}

#[test]
fn a_site_that_nobody_knows_is_named() {
    let said = complaint(&Network::new().command("run", &["--site", "pari"]));
    assert!(said.contains("`pari`") && said.contains("paris"), "{said}");
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let network = Network::new();
    std::fs::remove_file(network.config()).expect("the file");
    assert!(complaint(&network.command("run", &[])).contains("network.toml"));
}

#[test]
fn a_log_filter_that_says_nothing_is_refused() {
    assert!(complaint(&Network::new().command("run", &["--log", "hotdesk=loud"])).contains("filter"));
}
