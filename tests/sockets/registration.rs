//! SPEC 4: registering at home.

use super::agent::Agent;
use super::message::{header, status, uri};
use super::support::Network;

#[test]
fn a_phone_registers_with_its_password_and_un_registers() {
    let network = Network::new();
    let _running = network.run(&[]);
    let agent = Agent::new(&network, "london", "201");
    let answer = agent.register(300);
    assert_eq!(status(&answer), 200, "{answer}");
    assert_eq!(uri(header(&answer, "Contact")), format!("sip:201@{}", agent.phone.address));
    let refreshed = agent.register(120);
    assert!(header(&refreshed, "Contact").contains("expires=120"), "{refreshed}");
    let gone = agent.register(0);
    assert_eq!(status(&gone), 200, "{gone}");
    assert!(!gone.contains("\nContact:"), "{gone}");
}

#[test]
fn a_wrong_password_and_an_unknown_user_are_challenged_alike() {
    let network = Network::new();
    let _running = network.run(&[]);
    let wrong = Agent::new(&network, "london", "201").register_with(300, "guess");
    let unknown = Agent::new(&network, "london", "299").register(300);
    assert_eq!((status(&wrong), status(&unknown)), (401, 401), "{wrong}\n{unknown}");
}

#[test]
fn too_short_an_expiry_is_told_the_shortest() {
    let network = Network::new();
    let _running = network.run(&[]);
    let answer = Agent::new(&network, "london", "201").register(10);
    assert_eq!((status(&answer), header(&answer, "Min-Expires")), (423, "60"), "{answer}");
}

#[test]
fn a_reload_loses_no_registration() {
    let network = Network::new();
    let running = network.run(&[]);
    let (ada, charles) = (Agent::registered(&network, "london", "201"), Agent::registered(&network, "london", "202"));
    running.signal("HUP");
    running.wait_for_log("the configuration was read anew");
    let call = ada.call("202");
    charles.pick_up_with(&ada, &call);
}
