//! SPEC 9.10: a carrier that wants to know who calls by it, as it stands on the wire.

use super::admin::Admin;
use super::agent::{Agent, Outgoing};
use super::message::{header, headers, is_right, uri};
use super::support::Network;

const CHALLENGE: &str =
    "Proxy-Authenticate: Digest realm=\"carrier.example\", nonce=\"n1\", qop=\"auth\", opaque=\"o\", algorithm=MD5";

/// London has an account at its carrier.
fn network() -> Network {
    let network = Network::new();
    let trunk = format!("address = \"{}\"\n", network.trunk("london").address);
    network.edit("sites/london.toml", &trunk, &format!("{trunk}username = \"hotdesk\"\npassword = \"gold\"\n"));
    network
}

fn cseq(message: &str) -> (u32, &str) {
    let (number, method) = header(message, "CSeq").split_once(' ').expect("a number and a method");
    (number.parse().expect("a number"), method)
}

/// 201 calls outside, and the carrier asks who that is: the INVITE that it gets then, whose credentials are right.
fn asked_for(carrier: &Agent, ada: &Agent) -> (Outgoing, String) {
    let call = ada.call("9123");
    let first = carrier.request("INVITE");
    assert_eq!((cseq(&first), headers(&first, "Proxy-Authorization").len()), ((2, "INVITE"), 0));
    carrier.answer(&first, &format!("407 Proxy Authentication Required\n{CHALLENGE}"));
    assert_eq!(cseq(&carrier.request("ACK")), (2, "ACK"));
    let second = carrier.request("INVITE");
    assert_eq!(cseq(&second), (3, "INVITE"));
    assert_ne!(header(&first, "Via"), header(&second, "Via"));
    for same in ["From", "To", "Call-ID", "Contact"] {
        assert_eq!(header(&first, same), header(&second, same));
    }
    let credentials = header(&second, "Proxy-Authorization");
    assert!(
        is_right(credentials, "hotdesk", "gold", "INVITE") && credentials.contains("opaque=\"o\""),
        "{credentials}"
    );
    (call, second)
}

#[test]
fn the_numbers_of_a_call_are_one_ahead_at_the_carrier_and_in_step_at_home() {
    let network = network();
    let _running = network.run(&[]);
    let (ada, carrier) = (Agent::registered(&network, "london", "201"), Agent::trunk(&network, "london"));
    let (call, invite) = asked_for(&carrier, &ada);
    carrier.answer(&invite, "183 Session Progress\nRSeq: 7\nRequire: 100rel");
    let (early, mut dialog) = ada.hears(&call, 183);
    assert_eq!(cseq(&early), (2, "INVITE"));
    let asked = ada.ask_with(&mut dialog, "PRACK", "RAck: 7 2 INVITE\n");
    let prack = carrier.request("PRACK");
    assert_eq!((cseq(&prack), header(&prack, "RAck")), ((asked + 1, "PRACK"), "7 3 INVITE"));
    assert!(is_right(header(&prack, "Proxy-Authorization"), "hotdesk", "gold", "PRACK"));
    carrier.answer(&prack, "200 OK");
    assert_eq!(ada.told(asked, "PRACK"), 200);
    let (answer, cseq_of_prack) = (carrier.answer(&invite, "200 OK"), dialog.cseq());
    let (heard, mut dialog) = ada.hears(&call, 200);
    assert_eq!(cseq(&heard), (2, "INVITE"));
    ada.confirm(&dialog);
    let ack = carrier.request("ACK");
    assert_eq!(cseq(&ack), (3, "ACK"));
    assert_eq!(header(&ack, "Proxy-Authorization"), header(&invite, "Proxy-Authorization"), "RFC 3261 §22.1");
    dialog.count_from(cseq_of_prack);
    // The carrier's own numbers are its own.
    let mut theirs = carrier.callee_of(&invite, &answer);
    let update = carrier.ask_in(&mut theirs, "UPDATE");
    let at_home = ada.request("UPDATE");
    assert_eq!(cseq(&at_home), (update, "UPDATE"));
    ada.answer(&at_home, "200 OK");
    assert_eq!(carrier.told(update, "UPDATE"), 200);
    let bye = ada.ask_in(&mut dialog, "BYE");
    let at_carrier = carrier.request("BYE");
    assert_eq!(cseq(&at_carrier), (bye + 1, "BYE"));
    carrier.answer(&at_carrier, "200 OK");
    assert_eq!(ada.told(bye, "BYE"), 200);
}

#[test]
fn the_next_call_shows_the_credentials_unasked() {
    let network = network();
    let _running = network.run(&[]);
    let (ada, carrier) = (Agent::registered(&network, "london", "201"), Agent::trunk(&network, "london"));
    let (call, invite) = asked_for(&carrier, &ada);
    carrier.answer(&invite, "486 Busy Here");
    ada.refusal(&call);
    ada.call("9124");
    let next = carrier.request("INVITE");
    let credentials = header(&next, "Proxy-Authorization");
    assert!(is_right(credentials, "hotdesk", "gold", "INVITE") && credentials.contains("nc=00000002"), "{credentials}");
    assert_eq!(cseq(&next), (2, "INVITE"));
}

#[test]
fn a_bye_that_is_challenged_is_sent_again() {
    let network = network();
    let running = network.run(&[]);
    let (ada, carrier) = (Agent::registered(&network, "london", "201"), Agent::trunk(&network, "london"));
    let (call, invite) = asked_for(&carrier, &ada);
    carrier.answer(&invite, "200 OK");
    let (_, mut dialog) = ada.hears(&call, 200);
    ada.confirm(&dialog);
    carrier.request("ACK");
    let bye = ada.ask_in(&mut dialog, "BYE");
    let first = carrier.request("BYE");
    carrier
        .answer(&first, &format!("407 Proxy Authentication Required\n{}, stale=true", CHALLENGE.replace("n1", "n2")));
    let second = carrier.request("BYE");
    assert_eq!((cseq(&first), cseq(&second)), ((bye + 1, "BYE"), (bye + 2, "BYE")));
    assert!(is_right(header(&second, "Proxy-Authorization"), "hotdesk", "gold", "BYE"));
    carrier.answer(&second, "200 OK");
    assert_eq!(ada.told(bye, "BYE"), 200);
    assert!(!running.log().contains("nonce") && !running.log().contains("gold"));
}

#[test]
fn a_carrier_that_does_not_believe_us_is_warned_of_and_its_challenge_stays_here() {
    let network = network();
    let running = network.run(&[]);
    let (ada, carrier) = (Agent::registered(&network, "london", "201"), Agent::trunk(&network, "london"));
    let (call, invite) = asked_for(&carrier, &ada);
    carrier.answer(&invite, &format!("407 Proxy Authentication Required\n{}", CHALLENGE.replace("n1", "n2")));
    let refusal = ada.refusal(&call);
    assert!(refusal.starts_with("SIP/2.0 480 no line free") && !refusal.contains("carrier.example"), "{refusal}");
    running.wait_for_log("the carrier does not take our credentials");
    assert!(running.log().contains("trunk=carrier why=the user name or the password is wrong"), "{}", running.log());
}

/// What the carrier is asked by REGISTER, and answers.
fn registers(carrier: &Agent, answer: &str) -> String {
    let register = carrier.request("REGISTER");
    carrier.answer_with(&register, answer);
    register
}

#[test]
fn a_carrier_that_wants_registration_has_it_calls_the_contact_and_hears_of_the_end() {
    let network = network();
    let carrier = Agent::trunk(&network, "london");
    let registrar = carrier.phone.address;
    let register = format!("register = {{ registrar = \"sip:{registrar}\", user = \"london1\", expires = 300 }}\n");
    network.edit("sites/london.toml", "password = \"gold\"\n", &format!("password = \"gold\"\n{register}"));
    network.edit(
        "sites/london.toml",
        "[[trunks]]",
        "[[incoming]]\ngroup = \"pstn\"\nnumber = \"+4420XXX\"\nto = \"N\"\n[[trunks]]",
    );
    let admin = Admin::of(&network, "");
    let mut running = network.run(&[]);
    let first = registers(&carrier, &format!("401 Unauthorized\n{}", CHALLENGE.replace("Proxy-", "WWW-")));
    assert!(first.starts_with(&format!("REGISTER sip:{registrar} SIP/2.0")), "{first}");
    assert_eq!((header(&first, "To"), cseq(&first)), (&*format!("<sip:london1@{registrar}>"), (1, "REGISTER")));
    let contact = uri(header(&first, "Contact")).to_owned();
    let (user, at) = contact.strip_prefix("sip:").and_then(|rest| rest.split_once('@')).expect("a user part");
    assert_eq!((user.len(), at), (32, &*network.address("london").to_string()));
    let second = registers(&carrier, &format!("200 OK\nContact: <{contact}>;expires=2"));
    assert!(is_right(header(&second, "Authorization"), "hotdesk", "gold", "REGISTER"));
    assert_eq!((cseq(&second), header(&second, "Expires")), ((2, "REGISTER"), "300"));
    running.wait_for_log("registered with the carrier");
    let said = admin.get("/api/calls");
    let sites = said["sites"].as_array().expect("a list");
    let london = sites.iter().find(|site| site["site"] == "london").expect("it is served");
    assert_eq!(london["trunks"][0]["registration"]["state"], "registered", "{said}");
    let metrics = admin.ask("GET", "/metrics", "", "").body;
    assert!(metrics.contains("hotdesk_trunk_registered{site=\"london\",trunk=\"carrier\"} 1\n"), "{metrics}");
    // Two seconds are granted: the refresh comes after one, by the same nonce.
    let third = registers(&carrier, &format!("200 OK\nContact: <{contact}>;expires=300"));
    assert!(header(&third, "Authorization").contains("nc=00000002") && cseq(&third).0 == 3, "{third}");
    // The carrier calls from another address than the one where it takes our calls.
    let ada = Agent::registered(&network, "london", "201");
    let outside = Agent::carrier_elsewhere(&network, "london");
    outside.calls_contact(&contact, "+4420201");
    let invite = ada.request("INVITE");
    assert!(!invite.contains(user), "{invite}");
    ada.answer(&invite, "486 Busy Here");
    assert_eq!(outside.final_of(1, "INVITE"), 486);
    running.signal("TERM");
    // Copies of the refresh may have been under way.
    let mut all = std::iter::repeat_with(|| registers(&carrier, "200 OK"));
    let last = all.find(|register| header(register, "Expires") == "0").expect("it is endless");
    assert_eq!(uri(header(&last, "Contact")), contact);
    assert!(running.end().success());
    let log = running.log();
    assert!(
        log.contains("no longer registered with the carrier") && !log.contains(user) && !log.contains("nonce"),
        "{log}"
    );
}
