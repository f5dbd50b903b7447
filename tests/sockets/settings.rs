//! SPEC 7.4: what users set by dialling, through the program: it holds at both sites, outlives the process, and an operator takes it back.

use std::net::TcpListener;
use std::time::Duration;

use super::agent::Agent;
use super::message::status;
use super::support::{Network, Running};

const CODE: &str = "86420975";

/// Two sites that keep what they confirm, with codes of their own.
fn network() -> Network {
    let network = Network::new();
    network.edit("network.toml", "[network]\n", "[network]\ndata_dir = \"data\"\n");
    let codes = [
        ("*01", "ForwardUnconditionalOn", ""),
        ("*07*N#", "ForwardNumber", "number = \"N\"\n"),
        ("*08", "DoNotDisturbOn", ""),
        ("*09", "DoNotDisturbOff", ""),
        ("*60*N#", "ChangeLoginCode", "number = \"N\"\n"),
    ];
    let row = |(code, feature, more)| format!("[[short_codes]]\ncode = \"{code}\"\nfeature = \"{feature}\"\n{more}\n");
    let rows: String = codes.into_iter().map(row).collect();
    for site in ["london", "paris"] {
        network.edit(&format!("sites/{site}.toml"), "[[short_codes]]\n", &format!("{rows}[[short_codes]]\n"));
    }
    network
}

/// The site answers, and hangs up.
fn sets(agent: &Agent, code: &str) {
    let call = agent.call(code);
    agent.answered(&call);
    let bye = agent.request("BYE");
    agent.answer(&bye, "200 OK");
}

fn is_busy(caller: &Agent, number: &str) {
    let call = caller.call(number);
    let refused = caller.refusal(&call);
    assert!(status(&refused) == 486 && refused.contains("Do Not Disturb"), "{refused}");
}

fn says(network: &Network, command: &str, words: &[&str]) -> String {
    let output = network.command(command, words);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn killed(running: &mut Running) {
    running.signal("KILL");
    running.end();
}

#[test]
fn what_is_set_at_home_outlives_the_process_until_it_is_reset() {
    let network = network();
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    network.edit("network.toml", "[network]\n", &format!("[network]\nadmin = \"{free}\"\n"));
    let mut running = network.run(&[]);
    let (ada, charles) = (Agent::registered(&network, "london", "201"), Agent::registered(&network, "london", "202"));
    sets(&ada, "*08");
    is_busy(&charles, "201");
    killed(&mut running);
    let _running = network.run(&[]);
    is_busy(&charles, "201");
    assert_eq!(says(&network, "reset", &["201"]), "201 has again what the configuration says: do_not_disturb\n");
    let call = charles.call("201");
    ada.pick_up_with(&charles, &call);
    let nothing = network.command("reset", &["201"]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("201 has changed nothing"), "{nothing:?}");
}

#[test]
fn what_is_set_at_a_visited_site_holds_at_both_and_not_without_home() {
    let network = network();
    let mut london = network.run(&["--site", "london"]);
    let paris = network.run(&["--site", "paris"]);
    let (away, marie) = (Agent::registered(&network, "paris", "201"), Agent::registered(&network, "paris", "301"));
    let charles = Agent::registered(&network, "london", "202");
    sets(&away, &format!("*60**{CODE}%23"));
    sets(&away, "*08");
    is_busy(&marie, "201");
    is_busy(&charles, "201");
    sets(&away, "*09");
    let call = marie.call("201");
    away.pick_up_with(&marie, &call);
    sets(&away, "*07*202%23");
    sets(&away, "*01");
    let call = marie.call("201");
    charles.pick_up_with(&marie, &call);
    for log in [london.log(), paris.log()] {
        assert!(!log.contains(CODE), "{log}");
    }
    let files = ["london", "paris"].map(|site| network.directory.join(format!("data/{site}.redb")));
    killed(&mut london);
    std::thread::sleep(Duration::from_millis(100));
    let call = away.call("*08");
    let refused = away.refusal(&call);
    assert!(status(&refused) == 504 && refused.contains("home site london cannot be reached"), "{refused}");
    for file in files {
        let bytes = std::fs::read(file).expect("the database");
        assert!(!bytes.windows(CODE.len()).any(|window| window == CODE.as_bytes()), "no code is on disk");
    }
}
