//! SPEC 13: what is wrong with a request stands in its answer; what can't be answered is counted.

use std::net::SocketAddr;
use std::time::Duration;

use hotdesk::event::Event;
use hotdesk::phone::Behaviour;
use hotdesk::settings::Lab;

use crate::support::World;

const PHONE: &str = "127.0.0.201:6000";

/// A MESSAGE of 201 to 202, with lines in place of others by their names.
fn message(lines: &[(&str, &str)]) -> String {
    let usual = [
        ("start", "MESSAGE sip:202@london.example SIP/2.0"),
        ("Via", "SIP/2.0/UDP 127.0.0.201:6000;branch=z9hG4bKtrouble;rport"),
        ("Max-Forwards", "70"),
        ("From", "<sip:201@london.example>;tag=1"),
        ("To", "<sip:202@london.example>"),
        ("Call-ID", "trouble"),
        ("CSeq", "1 MESSAGE"),
        ("Content-Length", "0"),
    ];
    let mut text = String::new();
    for (name, value) in usual {
        let value = lines.iter().find(|(own, _)| *own == name).map_or(value, |(_, value)| value);
        match (name, value) {
            ("start", value) => text += &format!("{value}\r\n"),
            (_, "none") => {}
            (name, value) => text += &format!("{name}: {value}\r\n"),
        }
    }
    let more = lines.iter().filter(|(name, _)| usual.iter().all(|(own, _)| own != name));
    text + &more.map(|(name, value)| format!("{name}: {value}\r\n")).collect::<String>() + "\r\n"
}

/// A lab without passwords, so that nothing but the request is in the way.
fn lab(seed: u64) -> World {
    World::with(seed, |sample| sample.site("london").lab = Some(Lab { password: None }))
}

fn ask(world: &mut World, text: String) -> String {
    let (from, to): (SocketAddr, _) = (PHONE.parse().expect("an address"), world.address("london"));
    world.inject(from, to, text.into());
    world.run(Duration::from_millis(50));
    world.last_answer("london", PHONE)
}

#[test]
fn a_malformed_request_is_told_which_header_is_wrong() {
    let mut world = lab(1);
    for (lines, answer) in [
        (&[("From", "none")][..], "400 Missing From Header"),
        (&[("To", "<sip:202@london.example")], "400 Malformed To Header"),
        (&[("CSeq", "4294967296 MESSAGE")], "400 Number Out Of Range In CSeq Header"),
        (&[("Max-Forwards", "x")], "400 Malformed Max-Forwards Header"),
        (&[("start", "MESSAGE sip:202@london.example SIP/3.0")], "505 Version Not Supported"),
        (&[("start", "MESSAGE mailto:202@london.example SIP/2.0")], "416 Unsupported URI Scheme"),
        (&[("start", "MESSAGE sips:202@london.example SIP/2.0")], "416 No TLS Here"),
        (&[("Max-Forwards", "0")], "483 Too Many Hops"),
        (&[("Proxy-Require", "teleport, gruu")], "420 Bad Extension"),
    ] {
        let answered = ask(&mut world, message(lines));
        assert!(answered.starts_with(&format!("SIP/2.0 {answer}\r\n")), "{lines:?}: {answered}");
    }
    let unsupported = ask(&mut world, message(&[("Proxy-Require", "teleport, gruu")]));
    assert!(unsupported.contains("\r\nUnsupported: teleport, gruu\r\n"), "{unsupported}");
    world.end();
}

/// RFC 3261 §26.2.2: what is asked for by `sips:` goes by TLS or not at all. In a dialog the URI is the other side's, and help is
/// called however it is dialled.
#[test]
fn who_wants_tls_is_not_served_without_it() {
    let mut world = lab(10);
    fn start(line: &str) -> (&str, &str) {
        ("start", line)
    }
    for method in ["INVITE", "SUBSCRIBE", "OPTIONS"] {
        let line = format!("{method} sips:202@london.example SIP/2.0");
        let answer = ask(&mut world, message(&[start(&line), ("CSeq", &format!("1 {method}")), ("Call-ID", method)]));
        assert!(answer.starts_with("SIP/2.0 416 No TLS Here\r\n"), "{method}: {answer}");
    }
    let register = [start("REGISTER sips:london.example SIP/2.0"), ("CSeq", "1 REGISTER")];
    assert!(ask(&mut world, message(&register)).starts_with("SIP/2.0 416 "));
    let bye = [start("BYE sips:202@127.0.0.9 SIP/2.0"), ("CSeq", "2 BYE"), ("To", "<sip:202@london.example>;tag=2")];
    assert!(ask(&mut world, message(&bye)).starts_with("SIP/2.0 481 "));
    let help = [start("INVITE sips:999@london.example SIP/2.0"), ("CSeq", "1 INVITE"), ("Call-ID", "help")];
    ask(&mut world, message(&help));
    assert!(world.has_sent("london", "bt", b"INVITE sip:999@"), "{}", world.last_answer("london", PHONE));
}

#[test]
fn a_registrar_names_the_extensions_that_it_lacks() {
    let mut world = lab(2);
    let start = ("start", "REGISTER sip:london.example SIP/2.0");
    let lines = [start, ("CSeq", "1 REGISTER"), ("To", "<sip:201@london.example>"), ("Require", "path, teleport")];
    let answer = ask(&mut world, message(&lines));
    assert!(answer.starts_with("SIP/2.0 420 ") && answer.contains("\r\nUnsupported: teleport\r\n"), "{answer}");
    world.end();
}

#[test]
fn what_is_too_large_is_told_so() {
    let mut world = lab(3);
    let long = "x".repeat(65_000);
    let answer = ask(&mut world, message(&[("X-Long", &long), ("X-Longer", &long[..500])]));
    assert!(answer.starts_with("SIP/2.0 513 Too Large: Message\r\n"), "{answer:.100}");
    let many: Vec<(String, &str)> = (0..300).map(|at| (format!("X-{at}"), "1")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let answer = ask(&mut world, message(&many));
    assert!(answer.starts_with("SIP/2.0 513 Too Large: Number Of Headers\r\n"), "{answer:.100}");
    world.end();
}

#[test]
fn what_cannot_be_answered_is_dropped_and_counted() {
    let mut world = lab(4);
    let dropped = |world: &World| world.told("london").filter(|event| matches!(event, Event::Dropped { .. })).count();
    let before = dropped(&world);
    for text in
        ["GET / HTTP/1.1\r\n\r\n".to_owned(), message(&[("Via", "none")]), "SIP/2.0 700 What\r\n\r\n".to_owned()]
    {
        assert_eq!(ask(&mut world, text), "");
    }
    assert_eq!(dropped(&world) - before, 3);
    world.end();
}

/// RFC 3261 §16.3 step 4, RFC 5393: what comes back as it left has been here before; what comes back changed has not.
#[test]
fn a_request_that_comes_back_unchanged_is_a_loop() {
    let mut world = lab(5);
    let charles = world.registered("202", "london");
    world.behave(charles, Behaviour::Silent);
    ask(&mut world, message(&[]));
    let name = world.name(charles).to_owned();
    let forwarded = world.datagrams().filter(|(_, to, bytes)| *to == name && bytes.starts_with(b"MESSAGE ")).last();
    let forwarded = String::from_utf8_lossy(forwarded.expect("the MESSAGE").2).into_owned();
    let (_, rest) = forwarded.split_once("\r\n").expect("a request line");
    let again = |target: &str| {
        format!(
            "MESSAGE {target} SIP/2.0\r\nVia: SIP/2.0/UDP {PHONE};branch=z9hG4bKagain{};rport\r\n{rest}",
            target.len()
        )
    };
    let answer = ask(&mut world, again("sip:202@london.example"));
    assert!(answer.starts_with("SIP/2.0 482 Loop Detected\r\n"), "{answer}");
    let answer = ask(&mut world, again("sip:204@london.example"));
    assert!(answer.starts_with("SIP/2.0 480 "), "a spiral is no loop: {answer}");
}
