//! The commands that serve nobody.

use std::io::Write;
use std::process::{Output, Stdio};

use super::support::{Network, REALM, hotdesk};

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn check_counts_what_is_good() {
    let said = printed(&Network::new().command("check", &[]));
    assert!(said.contains("good: 2 sites, 4 users"), "{said}");
}

#[test]
fn check_names_a_plan_that_is_not_here_and_strict_does_not_like_it() {
    let network = Network::new();
    std::fs::remove_file(network.directory.join("sites/paris.toml")).expect("the plan");
    let said = printed(&network.command("check", &[]));
    assert!(said.contains("warning: ") && said.contains("paris"), "{said}");
    assert_eq!(network.command("check", &["--strict"]).status.code(), Some(1));
}

#[test]
fn dial_explains_and_ends_in_what_it_gives() {
    let network = Network::new();
    let said = printed(&network.command("dial", &["--site", "paris", "--user", "201", "*70"]));
    assert!(said.contains("sites/paris.toml") && said.ends_with("gives: Busy\n"), "{said}");
    let said = printed(&network.command("dial", &["202", "--site", "paris", "--user", "301"]));
    assert!(said.ends_with("gives: Extension 202 at london\n"), "{said}");
}

#[test]
fn dial_follows_a_break_out_into_the_other_plan_where_that_is_here() {
    let network = Network::new();
    let dial = || printed(&network.command("dial", &["--site", "london", "--user", "201", "*82301"]));
    let said = dial();
    assert!(said.ends_with("gives: Extension 301 at paris\n"), "{said}");
    std::fs::remove_file(network.directory.join("sites/paris.toml")).expect("the plan");
    let said = dial();
    assert!(
        said.contains("note: the plan of paris is not here") && said.ends_with("gives: BreakOut 301 at paris\n"),
        "{said}"
    );
}

#[test]
fn dial_follows_a_call_to_where_its_user_is_logged_in() {
    let network = Network::new();
    let dial = |more: &[&str]| {
        let arguments = [&["--site", "london", "--user", "201"], more].concat();
        printed(&network.command("dial", &arguments))
    };
    let said = dial(&["--logged-in", "202=paris", "202"]);
    assert!(
        said.contains("note: 202 of london is logged in at paris: london sends the call there")
            && said.ends_with("gives: Extension 202 at paris\n"),
        "{said}"
    );
    // A user of Paris who sits here is called here.
    let said = dial(&["--logged-in", "301=london", "301"]);
    assert!(said.contains("logged in here, at london") && said.ends_with("gives: Extension 301\n"), "{said}");
    for (wrong, says) in
        [("202", "EXT=SITE"), ("202=pari", "no site pari"), ("901=paris", "no site has an extension 901")]
    {
        let arguments = ["--site", "london", "--user", "201", "--logged-in", wrong, "202"];
        let output = network.command("dial", &arguments);
        assert!(String::from_utf8_lossy(&output.stderr).contains(says), "{output:?}");
    }
}

#[test]
fn dial_uses_colours_where_it_is_told_to() {
    let network = Network::new();
    let dial = |color: &str| {
        printed(&network.command("dial", &["--color", color, "--site", "london", "--user", "201", "*70"]))
    };
    let (plain, coloured) = (dial("auto"), dial("always"));
    assert!(
        !plain.contains('\u{1b}') && coloured.contains("\u{1b}[1m") && coloured.contains("\u{1b}[32m"),
        "{coloured:?}"
    );
    assert_eq!(plain, dial("never"), "into a pipe there are none");
}

#[test]
fn dial_prints_json_that_says_the_same() {
    let network = Network::new();
    let said = printed(
        &network.command("dial", &["--json", "--site", "london", "--user", "201", "--at", "2026-11-23T22:00", "202"]),
    );
    let value: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(value["gives"], "Extension 202");
    assert_eq!(value["steps"][0]["step"], "dialled");
}

#[test]
fn dial_refuses_what_it_does_not_know() {
    let network = Network::new();
    for (arguments, said) in [
        (["--site", "pari", "--user", "201", "202"].as_slice(), "london, paris"),
        (&["--site", "paris", "--user", "209", "202"], "london has no user 209"),
        (&["--site", "paris", "--user", "901", "202"], "no site has an extension 901"),
        (&["--site", "paris", "--user", "201", "--at", "noon", "202"], "2026-11-23T22:00"),
    ] {
        let output = network.command("dial", arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{output:?}");
    }
}

#[test]
fn hash_prints_what_a_user_row_takes() {
    let network = Network::new();
    let mut child = hotdesk("hash", &network.config(), &["201"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(b"secret201\n").expect("written");
    let said = printed(&child.wait_with_output().expect("it ends"));
    assert_eq!(said, format!("ha1_md5 = \"{}\"\nha1_sha256 = \"{}\"\n", md5_201(), sha256_201()));
    let hashes = said.trim_end();
    network.edit("sites/london.toml", "password = \"secret201\"", hashes);
    assert!(printed(&network.command("check", &[])).contains("good"));
}

fn md5_201() -> String {
    hotdesk::config::ha1_md5("201", REALM, "secret201")
}

fn sha256_201() -> String {
    hotdesk::config::ha1_sha256("201", REALM, "secret201")
}

#[test]
fn secrets_are_long_and_differ() {
    let secret = || {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_hotdesk")).arg("secret").output();
        printed(&output.expect("the program starts"))
    };
    let (one, other) = (secret(), secret());
    assert!(one.trim_end().len() >= 32 && one != other, "{one}{other}");
}
