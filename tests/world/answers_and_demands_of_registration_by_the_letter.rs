//! SPEC 4.3, 13: where answers go (RFC 3581, RFC 3261 §18.2.2), and what a registrar may be required to do (RFC 3327, RFC 5626).

use crate::support::World;

/// Sends a request from 203.0.113.9:7777 and says where its answer went and how it begins.
fn answer(world: &mut World, method: &str, sent_by: &str, lines: &str) -> (String, String) {
    world.chapter();
    let text = format!(
        "{method} sip:london.example SIP/2.0\r\nVia: SIP/2.0/UDP {sent_by};branch=z9hG4bK{}\r\n\
         From: <sip:201@london.example>;tag=1\r\nTo: <sip:201@london.example>\r\nCall-ID: {sent_by}\r\n\
         CSeq: 1 {method}\r\nMax-Forwards: 70\r\n{lines}Content-Length: 0\r\n\r\n",
        world.now().as_millis()
    );
    let (from, site) = ("203.0.113.9:7777".parse().expect("an address"), world.address("london"));
    world.inject(from, site, text.into());
    world.pass(1);
    let answers = world.datagrams().filter(|(from, to, bytes)| {
        *from == "london" && to.starts_with(|c: char| c.is_ascii_digit()) && bytes.starts_with(b"SIP/2.0 ")
    });
    let (_, to, bytes) = answers.last().expect("an answer");
    (to.to_owned(), String::from_utf8_lossy(bytes).into_owned())
}

#[test]
fn an_answer_goes_to_the_sent_by_port_unless_rport_or_nat_says_otherwise() {
    let mut world = World::new(1);
    let to = |world: &mut World, sent_by: &str| answer(world, "OPTIONS", sent_by, "").0;
    assert_eq!(to(&mut world, "203.0.113.9:5090"), "203.0.113.9:5090", "RFC 3261 §18.2.2");
    assert_eq!(to(&mut world, "203.0.113.9"), "203.0.113.9:5060");
    assert_eq!(to(&mut world, "198.51.100.1:5090"), "203.0.113.9:5090", "never to another host");
    assert_eq!(to(&mut world, "203.0.113.9:5090;rport"), "203.0.113.9:7777", "RFC 3581 §4");
    assert_eq!(to(&mut world, "192.168.1.9:5090"), "203.0.113.9:7777", "behind NAT");
    assert_eq!(to(&mut world, "phone.example:5090"), "203.0.113.9:7777", "a name says nothing");
    world.end();
}

#[test]
fn path_may_be_required_and_outbound_is_not_promised() {
    let mut world = World::new(2);
    let register = |world: &mut World, lines: &str| answer(world, "REGISTER", "203.0.113.9:5090", lines).1;
    assert!(register(&mut world, "Require: path\r\n").starts_with("SIP/2.0 401 "));
    assert!(register(&mut world, "Supported: path, outbound, gruu\r\n").starts_with("SIP/2.0 401 "));
    let refused = register(&mut world, "Require: outbound, gruu\r\n");
    assert!(
        refused.starts_with("SIP/2.0 420 ") && refused.contains("\r\nUnsupported: outbound, gruu\r\n"),
        "{refused}"
    );
    world.end();
}
