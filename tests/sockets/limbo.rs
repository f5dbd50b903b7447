//! SPEC 5.10 through the real program: a phone that has lost its user, where the site refuses it and where it keeps it in limbo.

use super::agent::{Agent, Outgoing};
use super::message::{header, status};
use super::support::Network;

const CODES: &str = "[[short_codes]]\ncode = \"*35*N#\"\nfeature = \"ExtnLogin\"\nnumber = \"N\"\n\
                     [[short_codes]]\ncode = \"*36\"\nfeature = \"ExtnLogout\"\n";

fn network(displaced: &str) -> Network {
    let network = Network::new();
    let hot_desk = format!("[hot_desk]\ndisplaced = \"{displaced}\"\n[emergency]");
    network.edit("sites/paris.toml", "[emergency]", &hot_desk);
    network.edit("sites/paris.toml", "[[short_codes]]", &format!("{CODES}[[short_codes]]"));
    network
}

fn assert_kept_out(phone: &Agent, call: &Outgoing) {
    let refusal = phone.refusal(call);
    assert!(refusal.starts_with("SIP/2.0 403 logged in at london\n"), "{refusal}");
    assert!(header(&refusal, "Warning").ends_with("\"logged in at london\""), "{refusal}");
}

/// Dials `*36`: it is confirmed, the site hangs up, and a call rings at the phone.
fn brings_its_user_in(phone: &Agent, charles: &Agent) {
    let call = phone.call("*36");
    let (_, dialog) = phone.hears(&call, 200);
    phone.confirm(&dialog);
    let bye = phone.request("BYE");
    phone.answer(&bye, "200 OK");
    let call = charles.call("201");
    let (mut theirs, _) = phone.pick_up_with(charles, &call);
    charles.hang_up(&mut theirs, phone);
}

#[test]
fn a_phone_in_limbo_is_registered_is_told_where_its_user_is_and_brings_the_user_in() {
    let network = network("limbo");
    let running = network.run(&[]);
    let charles = Agent::registered(&network, "london", "202");
    let paris = Agent::registered(&network, "paris", "201");
    let home = Agent::registered(&network, "london", "201");
    running.wait_for_log("displaced by a login elsewhere site=paris extension=201");
    let granted = paris.register(300);
    assert!(status(&granted) == 200 && header(&granted, "Contact").ends_with(";expires=120"), "{granted}");
    assert_kept_out(&paris, &paris.call("301"));
    let call = charles.call("201");
    let (mut theirs, _) = home.pick_up_with(&charles, &call);
    charles.hang_up(&mut theirs, &home);
    brings_its_user_in(&paris, &charles);
    let granted = paris.register(300);
    assert!(header(&granted, "Contact").ends_with(";expires=300"), "{granted}");
}

#[test]
fn a_phone_that_is_refused_is_told_where_its_user_is_and_brings_the_user_in() {
    let network = network("refuse");
    let running = network.run(&[]);
    let charles = Agent::registered(&network, "london", "202");
    let paris = Agent::registered(&network, "paris", "201");
    let _home = Agent::registered(&network, "london", "201");
    running.wait_for_log("displaced by a login elsewhere site=paris extension=201");
    assert_eq!(status(&paris.register(300)), 403);
    assert_kept_out(&paris, &paris.call("301"));
    brings_its_user_in(&paris, &charles);
    assert_eq!(status(&paris.register(300)), 200);
}
