//! SPEC 6.6: trunks that do not answer, callers who wait for a line, and trunks with a host name.

use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use super::agent::Agent;
use super::message::{header, status};
use super::support::{Network, Phone, loopback};

const OUTSIDE: &str = "902079460000";

/// Adds to London's plan.
fn add(network: &Network, text: &str) {
    network.edit("sites/london.toml", "[[trunks]]", &format!("{text}\n[[trunks]]"));
}

/// The carrier answers a call, and the caller hangs up.
fn talk(caller: &Agent, carrier: &Agent) {
    let call = caller.call(OUTSIDE);
    let (mut dialog, _) = carrier.pick_up_with(caller, &call);
    caller.hang_up(&mut dialog, carrier);
}

#[test]
fn a_silent_trunk_costs_the_first_caller_four_seconds_and_the_second_none() {
    let (network, second) = (Network::new(), Phone::new());
    let trunk = format!("[[trunks]]\nname = \"second\"\ngroup = \"pstn\"\naddress = \"{}\"\n", second.address);
    let plan = std::fs::read_to_string(network.directory.join("sites/london.toml")).expect("the plan");
    network.write("sites/london.toml", &format!("{plan}{trunk}"));
    let running = network.run(&[]);
    let ada = Agent::registered(&network, "london", "201");
    let (silent, second) = (Agent::trunk(&network, "london"), Agent::carrier(&network, "london", second));
    let began = hotdesk::net::now().instant;
    talk(&ada, &second);
    assert!(began.elapsed() >= Duration::from_secs(4));
    running.wait_for_log("trunk down");
    silent.request("INVITE");
    let began = hotdesk::net::now().instant;
    talk(&ada, &second);
    assert!(began.elapsed() < Duration::from_secs(3), "it was not tried again");
    // What answers the probe is there again.
    let probe = silent.request("OPTIONS");
    silent.answer(&probe, "200 OK");
    running.wait_for_log("trunk up");
    let call = ada.call("902079461111");
    let invite = loop {
        // Copies of the first call's may still come.
        let invite = silent.request("INVITE");
        if invite.contains("02079461111") {
            break invite;
        }
    };
    silent.answer(&invite, "486 Busy Here");
    assert_eq!(status(&ada.refusal(&call)), 486);
}

#[test]
fn a_caller_of_low_priority_is_queued_and_gets_the_line_that_becomes_free() {
    let (network, mobile) = (Network::new(), Phone::new());
    network.edit("sites/london.toml", "line_group = \"pstn\"", "line_group = \"main\"");
    network.edit("sites/london.toml", "group = \"pstn\"\n", "group = \"pstn\"\nchannels = 1\n");
    network.edit("sites/london.toml", "password = \"secret202\"\n", "password = \"secret202\"\npriority = 2\n");
    let form = |name, group| {
        format!(
            "[ars.{name}]\nshort_codes = [{{ code = \"0N;\", feature = \"Dial\", number = \"0N\", line_group = \"{group}\" }}]\n"
        )
    };
    add(
        &network,
        &format!(
            "{}alternate = \"backup\"\nalternate_priority = 3\nalternate_wait = 60\n{}\
             [[trunks]]\nname = \"mobile\"\ngroup = \"mobile\"\naddress = \"{}\"\n",
            form("main", "pstn"),
            form("backup", "mobile"),
            mobile.address
        ),
    );
    let _running = network.run(&[]);
    let (ada, charles) = (Agent::registered(&network, "london", "201"), Agent::registered(&network, "london", "202"));
    let carrier = Agent::trunk(&network, "london");
    let first = ada.call(OUTSIDE);
    let (mut talking, _) = carrier.pick_up_with(&ada, &first);
    let second = charles.call(OUTSIDE);
    let queued = loop {
        let response = charles.phone.receive();
        if status(&response) != 100 {
            break response;
        }
    };
    assert!(queued.starts_with("SIP/2.0 182 Queued\n") && header(&queued, "To").contains(";tag="), "{queued}");
    ada.hang_up(&mut talking, &carrier);
    let (mut talking, _) = carrier.pick_up_with(&charles, &second);
    charles.hang_up(&mut talking, &carrier);
    assert!(mobile.receive_within(Duration::from_millis(100)).is_none(), "the alternate was not needed");
}

#[test]
fn a_caller_who_gives_up_waiting_is_told_so() {
    let network = Network::new();
    network.edit("sites/london.toml", "line_group = \"pstn\"", "line_group = \"main\"");
    network.edit("sites/london.toml", "group = \"pstn\"\n", "group = \"pstn\"\nchannels = 1\n");
    network.edit("sites/london.toml", "password = \"secret202\"\n", "password = \"secret202\"\npriority = 1\n");
    let codes = "short_codes = [{ code = \"N;\", feature = \"Dial\", number = \"N\", line_group = \"pstn\" }]";
    add(
        &network,
        &format!(
            "[ars.main]\n{codes}\nalternate = \"backup\"\n[ars.backup]\n{}\n",
            codes.replace("number = \"N\"", "number = \"00N\"")
        ),
    );
    let _running = network.run(&[]);
    let (ada, charles) = (Agent::registered(&network, "london", "201"), Agent::registered(&network, "london", "202"));
    let carrier = Agent::trunk(&network, "london");
    let first = ada.call(OUTSIDE);
    let (mut talking, _) = carrier.pick_up_with(&ada, &first);
    let second = charles.call(OUTSIDE);
    while status(&charles.phone.receive()) != 182 {}
    assert_eq!(status(&charles.cancel(&second)), 200);
    assert_eq!(status(&charles.refusal(&second)), 487);
    ada.hang_up(&mut talking, &carrier);
    carrier.stays_silent();
}

#[test]
fn a_trunk_may_have_a_host_name() {
    let network = Network::new();
    let carrier = Agent::trunk(&network, "london");
    let port = carrier.phone.address.port();
    network.edit("sites/london.toml", &carrier.phone.address.to_string(), &format!("Carrier.test:{port}"));
    network.edit("network.toml", "[network]\n", &format!("[network]\nresolvers = [\"{}\"]\n", name_server()));
    let _running = network.run(&[]);
    let ada = Agent::registered(&network, "london", "201");
    // The name may not have been looked up when the first call comes.
    let invite = (0..50).find_map(|_| {
        let call = ada.call(OUTSIDE);
        let came = carrier.phone.receive_within(Duration::from_millis(200)).filter(|text| text.starts_with("INVITE "));
        if came.is_none() {
            ada.refusal(&call);
        }
        came
    });
    let invite = invite.expect("a call arrives at the carrier");
    assert!(invite.starts_with(&format!("INVITE sip:02079460000@Carrier.test:{port} SIP/2.0\n")), "{invite}");
    carrier.answer(&invite, "486 Busy Here");
    carrier.request("ACK");
    // What comes from there is the trunk's: no stranger's 403, but a number that no rule takes.
    let site = network.address("london");
    let from_outside =
        carrier.phone.options(site, 1).replace("OPTIONS", "INVITE").replace("ping@london.example", "1@x.test");
    carrier.phone.send(site, &from_outside.replacen(&format!("sip:{site}"), &format!("sip:0207@{site}"), 1));
    let answer = loop {
        let message = carrier.phone.receive();
        if message.starts_with("SIP/2.0 ") && status(&message) >= 200 {
            break message;
        }
    };
    assert_eq!(status(&answer), 404, "{answer}");
}

/// A name server for `carrier.test`, which is at our loopback address for a minute; nothing else has an address.
fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let address = socket.local_addr().expect("bound");
    thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut query) {
            if let Some(answer) = answer_to(&query[..length]) {
                let _ = socket.send_to(&answer, from);
            }
        }
    });
    address
}

/// RFC 1035 §4.1.
fn answer_to(query: &[u8]) -> Option<Vec<u8>> {
    let (header, rest) = query.split_at_checked(12)?;
    let end = rest.iter().position(|byte| *byte == 0)? + 5;
    let question = rest.get(..end)?;
    let is_ours = question.to_ascii_lowercase().starts_with(b"\x07carrier\x04test\x00") && question[end - 3] == 1;
    let mut answer = [&header[..2], &[0x81, 0x80, 0, 1, 0, u8::from(is_ours), 0, 0, 0, 0], question].concat();
    if is_ours {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(loopback().octets());
    }
    Some(answer)
}
