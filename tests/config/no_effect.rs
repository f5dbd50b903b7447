//! Keys that are accepted and do nothing in this release: whoever sets one is told, whoever declines it is not.

use hotdesk::config::{Sites, load};

use crate::Folder;

const NETWORK: &str = r#"
[network]
realm = "r.example"
[sites.london]
number = 1
domain = "london.example"
listen = ["udp:127.0.0.1:5060"]
extensions = ["2XX"]
plan = "london.toml"
"#;

fn warnings(london: &str) -> Vec<String> {
    warned(NETWORK, &[("london.toml", london)])
}

fn warned(network: &str, plans: &[(&str, &str)]) -> Vec<String> {
    let plans: Vec<(&str, String)> =
        plans.iter().map(|(name, plan)| (*name, format!("[emergency]\nnone = true\n{plan}"))).collect();
    let files: Vec<(&str, &str)> = plans.iter().map(|(name, plan)| (*name, plan.as_str())).collect();
    let folder = Folder::with(&[&[("network.toml", network)], &files[..]].concat());
    let loaded = load(&folder.path("network.toml"), &Sites::All).unwrap_or_else(|errors| panic!("{errors}"));
    loaded.warnings.iter().map(|warning| folder.plain(&warning.to_string())).collect()
}

#[test]
fn a_key_is_told_with_its_place_and_what_does_not_happen() {
    let network = NETWORK.replace("[network]", "[network]\ncall_log = \"calls.jsonl\"");
    assert_eq!(
        warned(&network, &[("london.toml", "")]),
        ["network.toml:3: network.call_log: has no effect in this release: calls are not recorded"]
    );
}

#[test]
fn a_value_that_asks_for_nothing_is_not_told() {
    let declined = r#"
[sip]
session_expires = 0
[registrar]
nat_keepalive = 0
[hot_desk]
displaced = "limbo"
survive_restart = false
logout_at = ""
idle_logout = 0
login_attempts = 4
login_lock = 90
[[users]]
extension = "201"
password = "p"
do_not_disturb = true
forward = { busy = "", no_answer = "" }
[[groups]]
extension = "290"
members = ["201"]
[[trunks]]
name = "t"
group = "g"
address = "127.0.0.9"
from = "keep"
geolocation = "no"
retry = 0
username = ""
password = ""
refer = true
trusted = true
any_caller_id = true
"#;
    assert_eq!(warnings(declined), [""; 0]);
}

#[test]
fn no_calling_number_at_all_is_told() {
    let trunk = "[[trunks]]\nname = \"t\"\ngroup = \"g\"\naddress = \"127.0.0.9\"\nnumbers = [";
    assert_eq!(
        warnings(&format!("{trunk}]")),
        ["london.toml:7: trunks[0].numbers: says nothing: with no number in it, every calling number goes out"]
    );
    assert_eq!(warnings(&format!("{trunk}\"+44XXX\"]")), [""; 0]);
}
