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
    let london = format!("[emergency]\nnone = true\n{london}");
    let folder = Folder::with(&[("network.toml", NETWORK), ("london.toml", &london)]);
    let csv = "extension,password,priority,forward.busy\n203,p,,201\n204,p,,202\n205,p,3,\n";
    std::fs::write(folder.path("users.csv"), csv).expect("a file");
    let loaded = load(&folder.path("network.toml"), &Sites::All).unwrap_or_else(|errors| panic!("{errors}"));
    loaded.warnings.iter().map(|warning| folder.plain(&warning.to_string())).collect()
}

#[test]
fn a_kind_of_key_is_told_once_with_its_first_place_and_how_often_it_stands_elsewhere() {
    let trunk = |name| format!("[[trunks]]\nname = \"{name}\"\ngroup = \"g\"\naddress = \"carrier.example\"\n");
    assert_eq!(
        warnings(&format!("{}{}", trunk("a"), trunk("b"))),
        [
            "london.toml:6: trunks[0].address: has no effect in this release: host names are not looked up: no call ever leaves by this trunk (1 more like this)",
        ]
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
displaced = "refuse"
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
