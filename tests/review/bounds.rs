//! What phones, carriers and strangers may not do, and what is put right on the way (SPEC 4.3, 4.6, 6.7, 9.2, 9.5, 9.7, 9.9).

use std::net::SocketAddr;
use std::time::Duration;

use super::{LONDON, Net, PARIS, finals, ok, status};

const A: &str = "127.0.0.50:6000";
const B: &str = "127.0.0.52:6000";
const BT: &str = "127.0.0.10:5080";
const DID: &str = "sip:+442079460201@127.0.0.1";

/// The Route that leads back through us, from the INVITE that the callee got.
fn route_of(invite: &str) -> String {
    let line = invite.lines().find(|line| line.starts_with("Record-Route:")).expect("a Record-Route");
    line.replace("Record-Route", "Route")
}

/// BT calls 201 at B, who answers: the Route of the call.
fn carrier_calls(net: &mut Net) -> String {
    net.register("201", B, LONDON, &format!("sip:201@{B}"));
    let extra = format!("Contact: <sip:pstn@{BT}>\r\n");
    let invite = net.request("INVITE", DID, BT, "07700900000", &format!("<{DID}>"), &extra);
    net.send(BT, LONDON, invite);
    let invite = net.at(B).pop().expect("the INVITE");
    net.send(B, LONDON, ok(&invite, "callee", &format!("sip:201@{B}")));
    net.at(BT);
    route_of(&invite)
}

/// 205 at A calls 202 at B, who answers: the Route of the call.
fn phones_talk(net: &mut Net, contact: &str, extra: &str) -> String {
    net.register("202", B, LONDON, &format!("sip:202@{B}"));
    let uri = "sip:202@london.example";
    let extra = format!("Contact: <{contact}>\r\n{extra}");
    let text = net.challenged("INVITE", uri, A, LONDON, "205", &format!("<{uri}>"), &extra);
    net.send(A, LONDON, text);
    let invite = net.at(B).pop().expect("the INVITE");
    net.send(B, LONDON, ok(&invite, "callee", &format!("sip:202@{B}")));
    net.at(A);
    route_of(&invite)
}

/// A request of the callee in the call of `phones_talk`, to the caller's contact.
fn back(net: &mut Net, method: &str, uri: &str, extra: &str) -> String {
    let text = net.request(method, uri, B, "202", "<sip:205@london.example>;tag=f205", extra);
    let text = text.replace(";tag=f202", ";tag=callee");
    text.replace(&format!("Call-ID: c-202-{B}"), &format!("Call-ID: c-205-{A}"))
}

#[test]
fn no_registration_names_a_trunk_or_a_site() {
    let mut net = Net::new();
    let refused = |answer: String| assert_eq!(status(&answer), 403, "{answer}");
    refused(net.register("206", A, LONDON, "sip:1@127.0.0.11:5080"));
    refused(net.register("206", A, LONDON, "sip:1@127.0.0.2:5060"));
    refused(net.register("206", A, LONDON, "sip:1@127.0.0.2"));
    refused(net.register("206", A, LONDON, "sip:1@[::ffff:127.0.0.10]:5080"));
    // At another site, before the login and after it. London's trunks are nothing to Paris.
    refused(net.register("201", A, PARIS, "sip:1@127.0.0.20:5080"));
    assert_eq!(status(&net.register("201", A, PARIS, "sip:201@127.0.0.50:6000")), 200);
    refused(net.register("201", A, PARIS, "sip:1@127.0.0.20:5080"));
    // From the address of a trunk, which anybody can write into a datagram.
    refused(net.register("206", BT, LONDON, "sip:206@phone.example"));
    assert_eq!(status(&net.register("206", A, LONDON, "sip:206@127.0.0.50:5080")), 200);
}

#[test]
fn a_caller_whose_contact_is_a_trunk_is_called_back_where_it_is() {
    let mut net = Net::new();
    let contact = "sip:0900123456@127.0.0.10:5080";
    let route = phones_talk(&mut net, contact, "");
    let update = back(&mut net, "UPDATE", contact, &format!("{route}\r\n"));
    net.send(B, LONDON, update);
    assert!(net.at(BT).is_empty());
    assert!(net.at(A).iter().any(|text| text.starts_with("UPDATE")));
}

#[test]
fn a_caller_behind_a_proxy_is_called_back_by_that_proxy() {
    let mut net = Net::new();
    let contact = "sip:205@127.0.0.77:6000";
    let route = phones_talk(&mut net, contact, "Record-Route: <sip:127.0.0.50:6000;lr>\r\n");
    let extra = format!("{route}\r\nRoute: <sip:127.0.0.50:6000;lr>\r\n");
    let update = back(&mut net, "UPDATE", contact, &extra);
    net.send(B, LONDON, update);
    let update = net.at(A).into_iter().find(|text| text.starts_with("UPDATE")).expect("the UPDATE");
    assert!(update.starts_with(&format!("UPDATE {contact} ")) && update.contains("Route: <sip:127.0.0.50:6000;lr>"));
}

#[test]
fn an_acknowledgement_asserts_nobody() {
    let mut net = Net::new();
    let route = phones_talk(&mut net, &format!("sip:205@{A}"), "");
    let to = "<sip:202@london.example>;tag=callee";
    let extra = format!("{route}\r\nP-Asserted-Identity: <sip:boss@x>\r\nRemote-Party-ID: <sip:boss@x>\r\n");
    let ack = net.request("ACK", &format!("sip:202@{B}"), A, "205", to, &extra);
    net.send(A, LONDON, ack);
    let ack = net.at(B).pop().expect("the ACK");
    assert!(ack.starts_with("ACK") && !ack.contains("boss"), "{ack}");
}

#[test]
fn a_callers_remote_party_id_is_taken_out() {
    let mut net = Net::new();
    net.register("202", B, LONDON, &format!("sip:202@{B}"));
    let uri = "sip:202@london.example";
    let extra = format!("Contact: <sip:205@{A}>\r\nRemote-Party-ID: \"Boss\" <sip:201@london.example>\r\n");
    let text = net.challenged("INVITE", uri, A, LONDON, "205", &format!("<{uri}>"), &extra);
    net.send(A, LONDON, text);
    let invite = net.at(B).pop().expect("the INVITE");
    assert!(invite.contains("P-Asserted-Identity: \"Alan Turing\" <sip:205@") && !invite.contains("Boss"), "{invite}");
}

#[test]
fn what_a_carrier_sends_in_a_call_is_read_like_its_first_request() {
    let mut net = Net::new();
    let route = carrier_calls(&mut net);
    let (uri, to) = (format!("sip:201@{B}"), format!("<{DID}>;tag=callee"));
    let extra = format!("{route}\r\nReplaces: a;to-tag=b;from-tag=c\r\n");
    let replaces = net.request("INVITE", &uri, BT, "07700900000", &to, &extra);
    net.send(BT, LONDON, replaces);
    assert_eq!((net.at(B).len(), finals(&net.at(BT))), (0, vec![403]));
    let extra = format!(
        "{route}\r\nAlert-Info: <urn:x>\r\nAnswer-Mode: Auto\r\nP-Asserted-Identity: <sip:boss@london.example>\r\n"
    );
    let info = net.request("INFO", &uri, BT, "07700900000", &to, &extra);
    net.send(BT, LONDON, info);
    let info = net.at(B).pop().expect("the INFO");
    assert!(info.starts_with("INFO") && !info.contains("Alert-Info") && !info.contains("Answer-Mode"), "{info}");
    assert!(!info.contains("boss"), "{info}");
}

/// 201 refers the carrier that called.
fn refer_the_carrier(net: &mut Net) -> (Vec<String>, Vec<String>) {
    let route = carrier_calls(net);
    let extra = format!("{route}\r\nRefer-To: <sip:202@london.example>\r\n");
    let from = "<sip:07700900000@london.example>;tag=f07700900000";
    let refer = net.request("REFER", &format!("sip:pstn@{BT}"), B, "201", from, &extra);
    let refer = refer.replace(";tag=f201", ";tag=callee");
    let refer = refer.replace(&format!("Call-ID: c-201-{B}"), &format!("Call-ID: c-07700900000-{BT}"));
    net.send(B, LONDON, refer);
    (net.at(BT), net.at(B))
}

#[test]
fn a_carrier_is_referred_in_a_call_only_if_it_takes_it() {
    let (reached, answers) = refer_the_carrier(&mut Net::new());
    assert!(reached.is_empty());
    assert_eq!(finals(&answers), [405]);
    assert!(answers.iter().all(|text| text.contains("Allow: INVITE") && !text.contains("REFER,")), "{answers:?}");
    let willing = |name: &str, site: &mut hotdesk::settings::Site| {
        if name == "london" {
            site.trunks.iter_mut().for_each(|trunk| trunk.refer = true);
        }
    };
    let (reached, _) = refer_the_carrier(&mut Net::with(willing));
    assert!(reached.iter().any(|text| text.starts_with("REFER")), "{reached:?}");
}

#[test]
fn a_strict_router_may_leave_both_our_routes() {
    let mut net = Net::new();
    let route = phones_talk(&mut net, &format!("sip:205@{A}"), "");
    let own = route.trim_start_matches("Route: ").trim_matches(|c| c == '<' || c == '>').to_owned();
    // The Record-Route was doubled: one of ours became the Request-URI, the other one is on top.
    let extra = format!("{route}\r\nRoute: <sip:202@{B}>\r\n");
    let info = net.request("INFO", &own, A, "205", "<sip:202@london.example>;tag=callee", &extra);
    net.send(A, LONDON, info);
    let info = net.at(B).pop().expect("the INFO");
    assert!(info.starts_with(&format!("INFO sip:202@{B} ")) && !info.contains("\r\nRoute:"), "{info}");
}

#[test]
fn a_call_with_a_site_that_is_no_more_is_gone() {
    let mut net = Net::new();
    net.register("301", B, PARIS, &format!("sip:301@{B}"));
    let uri = "sip:301@london.example";
    let extra = format!("Contact: <sip:205@{A}>\r\n");
    let text = net.challenged("INVITE", uri, A, LONDON, "205", &format!("<{uri}>"), &extra);
    net.send(A, LONDON, text);
    let invite = net.at(B).pop().expect("the INVITE");
    net.send(B, PARIS, ok(&invite, "callee", &format!("sip:301@{B}")));
    let answer = net.at(A).into_iter().find(|text| status(text) == 200).expect("the 200");
    let routes: Vec<String> =
        answer.lines().filter(|line| line.starts_with("Record-Route")).map(str::to_owned).collect();
    let routes: String =
        routes.iter().rev().map(|line| format!("{}\r\n", line.replace("Record-Route", "Route"))).collect();
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/network.toml");
    let mut loaded = hotdesk::config::load(&file, &hotdesk::config::Sites::All).expect("the sample network");
    std::sync::Arc::make_mut(&mut loaded.network).sites.retain(|name, _| name.as_str() != "paris");
    let (site, plan) = (loaded.sites["london"].clone(), loaded.plans["london"].clone());
    let config = hotdesk::node::Config { network: loaded.network, site, plan };
    let now = net.now;
    net.nodes[0].1.handle_command(now, hotdesk::node::Command::Reload(Box::new(config)));
    let bye = net.request("BYE", &format!("sip:301@{B}"), A, "205", &format!("<{uri}>;tag=callee"), &routes);
    net.send(A, LONDON, bye);
    assert_eq!(finals(&net.at(A)), [481]);
}

#[test]
fn a_visitor_who_does_not_want_to_be_disturbed_is_not() {
    let tweak = |name: &str, site: &mut hotdesk::settings::Site| {
        if name == "london" {
            site.users
                .values_mut()
                .filter(|user| user.extension.as_str() == "203")
                .for_each(|user| user.do_not_disturb = true);
        }
    };
    let mut net = Net::with(tweak);
    assert_eq!(status(&net.register("203", B, PARIS, &format!("sip:203@{B}"))), 200);
    net.invite("301", A, PARIS, "203");
    assert_eq!((finals(&net.at(A)), net.at(B).len()), (vec![486], 0));
    let uri = "sip:203@paris.example";
    let text = net.challenged("MESSAGE", uri, A, PARIS, "301", &format!("<{uri}>"), "");
    net.send(A, PARIS, text);
    assert!(net.at(B).iter().any(|text| text.starts_with("MESSAGE")), "only calls disturb");
}

#[test]
fn a_site_says_that_it_is_there_by_its_own_names_only() {
    let mut net = Net::new();
    let mut ask = |method: &str, host: &str, from: &str| {
        let text = net.request(method, &format!("sip:{host}"), A, "205", &format!("<sip:{host}>"), "");
        net.send(A, LONDON, text.replace("205@london.example", from));
        finals(&net.at(A))
    };
    for host in ["london.example", "127.0.0.1:9", "hotdesk.example"] {
        assert_eq!(ask("OPTIONS", host, "x@stranger.example"), [200], "{host}");
    }
    for host in ["paris.example", "stranger.example", "127.0.0.2"] {
        assert_eq!(ask("OPTIONS", host, "205@london.example"), [403], "{host}");
    }
    assert_eq!(ask("MESSAGE", "london.example", "x@stranger.example"), [403]);
    assert_eq!(ask("MESSAGE", "london.example", "205@london.example"), [404]);
}

#[test]
fn a_name_of_another_site_alone_calls_no_help_while_that_site_is_there() {
    let tweak = |_: &str, site: &mut hotdesk::settings::Site| site.emergency.anyone_from.clear();
    let mut net = Net::with(tweak);
    let uri = "sip:999@london.example";
    let call = |net: &mut Net, is_right: bool| {
        let extra = format!("Contact: <sip:301@{A}>\r\n");
        let text = net.challenged("INVITE", uri, A, LONDON, "301", &format!("<{uri}>"), &extra);
        let (before, digest) = text.split_once("response=\"").expect("a digest");
        let wrong = format!("{before}response=\"{}{}", if digest.starts_with('0') { '1' } else { '0' }, &digest[1..]);
        net.send(A, LONDON, if is_right { text } else { wrong });
        net.pass(Duration::from_secs(1));
        (finals(&net.at(A)), net.at(BT).len())
    };
    assert_eq!(call(&mut net, false), (vec![407], 0), "Paris says that it is wrong");
    let (refused, sent) = call(&mut net, true);
    assert!(refused.is_empty() && sent > 0, "Paris says that it is right: {refused:?}");
    let (london, paris): (SocketAddr, SocketAddr) = (LONDON.parse().unwrap(), PARIS.parse().unwrap());
    net.lost = Box::new(move |from, to, _| [from, to].contains(&paris) && [from, to].contains(&london));
    net.pass(Duration::from_secs(120));
    net.at(A);
    net.at(BT);
    let (refused, sent) = call(&mut net, false);
    assert!(refused.is_empty() && sent > 0, "nobody can say: {refused:?}");
}

#[test]
fn a_hidden_caller_proves_itself_and_a_stranger_is_not_even_asked() {
    let mut net = Net::new();
    net.register("202", B, LONDON, &format!("sip:202@{B}"));
    let (uri, to) = ("sip:202@london.example", "<sip:202@london.example>");
    let bare = net.request("INVITE", uri, A, "201", to, "");
    net.send(A, LONDON, bare.replace("sip:201@london.example", "sip:201@elsewhere.example"));
    assert_eq!(finals(&net.at(A)), [403]);
    // With an answer to our challenge it is a phone of ours, whatever its From says.
    let text = net.challenged("INVITE", uri, A, LONDON, "201", to, &format!("Contact: <sip:201@{A}>\r\n"));
    net.send(A, LONDON, text.replace("sip:201@london.example", "sip:201@elsewhere.example"));
    assert!(net.at(B).iter().any(|text| text.starts_with("INVITE")), "{:?}", net.at(A));
}

#[test]
fn a_digest_that_was_heard_once_logs_nobody_in_by_another_uri() {
    let mut net = Net::new();
    let (to, thief) = ("<sip:201@hotdesk.example>", "127.0.0.66:6000");
    let of = |me: &str| format!("Contact: <sip:201@{me}>;expires=600\r\n");
    let text = net.challenged("REGISTER", "sip:hotdesk.example", A, PARIS, "201", to, &of(A));
    net.send(A, PARIS, text.clone());
    assert_eq!(finals(&net.at(A)), [200]);
    assert_eq!(status(&net.register("201", B, LONDON, &format!("sip:201@{B}"))), 200);
    net.pass(Duration::from_secs(1));
    let heard = text.lines().find(|line| line.starts_with("Authorization")).unwrap();
    for uri in ["sip:hotdesk.example", "sip:paris.example"] {
        let replay = net.request("REGISTER", uri, thief, "201", to, &format!("{}{heard}\r\n", of(thief)));
        net.send(thief, PARIS, replay);
        net.pass(Duration::from_secs(1));
        assert_eq!(finals(&net.at(thief)), [401], "{uri}");
    }
}

#[test]
fn a_tag_in_the_to_of_a_register_means_nothing() {
    let mut net = Net::new();
    let to = "<sip:201@hotdesk.example>;tag=old";
    let extra = format!("Contact: <sip:201@{A}>;expires=600\r\n");
    let text = net.challenged("REGISTER", "sip:hotdesk.example", A, LONDON, "201", to, &extra);
    net.send(A, LONDON, text);
    assert_eq!(finals(&net.at(A)), [200]);
}
