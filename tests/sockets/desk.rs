//! SPEC 10.1: login by dialling through the real program: at home and at another site, with what is heard and what is logged.

use super::agent::Agent;
use super::message::{header, status};
use super::support::Network;

const CODES: &str = "[[short_codes]]\ncode = \"*35*N#\"\nfeature = \"ExtnLogin\"\nnumber = \"N\"\n\
                     [[short_codes]]\ncode = \"*36\"\nfeature = \"ExtnLogout\"\n";

/// The codes at both sites, a PIN for 201, and a database.
fn network() -> Network {
    let network = Network::new();
    for site in ["london", "paris"] {
        network.edit(&format!("sites/{site}.toml"), "[[short_codes]]", &format!("{CODES}[[short_codes]]"));
    }
    network.edit(
        "sites/london.toml",
        "password = \"secret201\"",
        "password = \"secret201\"\nlogin_code = \"97531975\"",
    );
    network.edit("network.toml", "[network]", "[network]\ndata_dir = \"data\"");
    network
}

/// Dials a code: it is confirmed, and the site hangs up.
fn does(agent: &Agent, code: &str) {
    let call = agent.call(code);
    let (_, dialog) = agent.hears(&call, 200);
    agent.confirm(&dialog);
    let bye = agent.request("BYE");
    agent.answer(&bye, "200 OK");
}

/// A call to `number` rings at that phone.
fn rings(caller: &Agent, number: &str, phone: &Agent) {
    let call = caller.call(number);
    let (mut theirs, _) = phone.pick_up_with(caller, &call);
    caller.hang_up(&mut theirs, phone);
}

#[test]
fn a_user_sits_at_a_phone_of_another_until_logout_and_over_a_restart() {
    let network = network();
    for site in ["london", "paris"] {
        let first = if site == "london" { "202" } else { "302" };
        let running = network.run(&[]);
        let phone = Agent::registered(&network, site, first);
        let other = Agent::registered(&network, site, if site == "london" { "201" } else { "301" });
        does(&phone, "*35*201*97531975%23");
        rings(&other, "201", &phone);
        let log = running.log();
        assert!(log.contains("*35*201*…#") && log.contains("ExtnLogin 201") && !log.contains("97531975"), "{log}");
        drop(running);

        let running = network.run(&[]);
        running.wait_for_log("site up site=paris other=london");
        if site == "paris" {
            running.wait_for_log("login site=paris extension=201");
        }
        rings(&other, "201", &phone);
        does(&phone, "*36");
        rings(&other, first, &phone);
    }
}

#[test]
fn a_wrong_code_is_refused_with_a_reason_and_a_warning() {
    let network = network();
    let running = network.run(&[]);
    for (site, user) in [("london", "202"), ("paris", "302")] {
        let phone = Agent::registered(&network, site, user);
        let call = phone.call("*35*201*13579%23");
        let refusal = phone.refusal(&call);
        assert_eq!(status(&refusal), 403, "{refusal}");
        assert!(refusal.starts_with("SIP/2.0 403 wrong code\n"), "{refusal}");
        assert!(header(&refusal, "Warning").ends_with("\"wrong code\""), "{refusal}");
    }
    assert!(!running.log().contains("13579"), "{}", running.log());
}
