//! RFC 3261 §16.7 step 7.

use std::net::SocketAddr;

use bytes::Bytes;
use hotdesk::phone::Behaviour;

use crate::support::World;

#[test]
fn challenges_of_every_branch_reach_the_caller() {
    let mut world = World::new(1);
    for _ in 0..2 {
        let seat = world.registered("201", "london");
        world.behave(seat, Behaviour::Silent);
    }
    let (bt, london): (SocketAddr, _) = ("127.0.0.10:5080".parse().expect("an address"), world.address("london"));
    let invite = format!(
        "INVITE sip:+442079460201@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {bt};branch=z9hG4bKone\r\nMax-Forwards: 9\r\n\
         From: <sip:+44207@{bt}>;tag=1\r\nTo: <sip:+442079460201@127.0.0.1>\r\nCall-ID: challenges\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:{bt}>\r\nContent-Length: 0\r\n\r\n"
    );
    world.inject(bt, london, Bytes::from(invite));
    world.pass(1);
    let mut rang: Vec<String> = world
        .datagrams()
        .filter(|(from, to, bytes)| *from == "london" && to.starts_with("201") && bytes.starts_with(b"INVITE"))
        .map(|(_, _, bytes)| String::from_utf8_lossy(bytes).into_owned())
        .collect();
    rang.sort();
    rang.dedup();
    let [first, second] = &rang[..] else { panic!("two phones: {rang:#?}") };
    for (invite, status, challenge) in [
        (first, "401 Unauthorized", "WWW-Authenticate: Digest realm=\"one\", nonce=\"1\""),
        (second, "407 Proxy Authentication Required", "Proxy-Authenticate: Digest realm=\"two\", nonce=\"2\""),
    ] {
        let kept = invite
            .lines()
            .filter(|line| ["Via:", "From:", "To:", "Call-ID:", "CSeq:"].iter().any(|name| line.starts_with(name)));
        let kept: String = kept.map(|line| format!("{line}\r\n")).collect();
        let text = format!("SIP/2.0 {status}\r\n{kept}{challenge}\r\nContent-Length: 0\r\n\r\n");
        let uri = invite.split(['@', ' ']).nth(2).expect("a contact");
        world.inject(uri.parse().expect("its address"), london, Bytes::from(text));
        world.pass(1);
    }
    let answers = world.datagrams().filter(|(from, to, _)| *from == "london" && *to == "bt");
    let texts: Vec<String> = answers.map(|(_, _, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect();
    let refused = texts.iter().find(|text| text.starts_with("SIP/2.0 4")).expect("a final answer");
    assert!(refused.contains("realm=\"one\"") && refused.contains("realm=\"two\""), "{refused}");
}
