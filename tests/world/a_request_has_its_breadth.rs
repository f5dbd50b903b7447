//! RFC 5393 §5.3: Max-Breadth.

use bytes::Bytes;

use crate::support::World;

/// A call of the carrier bt to 201, who has three phones in London; the breadth that each phone's INVITE has, and whether the
/// call was refused with 440.
fn breadths(header: &str) -> (Vec<String>, bool) {
    let mut world = World::new(1);
    (0..3).for_each(|_| _ = world.registered("201", "london"));
    let (bt, london) = ("127.0.0.10:5080".parse().expect("an address"), world.address("london"));
    let text = format!(
        "INVITE sip:+442079460201@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {bt};branch=z9hG4bKone\r\nMax-Forwards: 9\r\n\
         From: <sip:+44207@{bt}>;tag=1\r\nTo: <sip:+442079460201@127.0.0.1>\r\nCall-ID: breadth\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:{bt}>\r\n{header}Content-Length: 0\r\n\r\n"
    );
    world.inject(bt, london, Bytes::from(text));
    world.pass(1);
    let line = |bytes: &Bytes| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.lines().find_map(|line| line.strip_prefix("Max-Breadth: ")).unwrap_or("none").to_owned()
    };
    let rang = world
        .datagrams()
        .filter(|(from, to, bytes)| *from == "london" && to.starts_with("201") && bytes.starts_with(b"INVITE"));
    let mut seen: Vec<(String, String)> = rang.map(|(_, to, bytes)| (to.to_owned(), line(bytes))).collect();
    seen.dedup();
    (seen.into_iter().map(|(_, breadth)| breadth).collect(), world.has_sent("london", "bt", b"SIP/2.0 440"))
}

#[test]
fn breadth_is_shared_out_and_is_sixty_where_nothing_is_said() {
    assert_eq!(breadths(""), (vec!["20".to_owned(); 3], false));
    assert_eq!(breadths("Max-Breadth: 5\r\n"), (vec!["2".to_owned(), "2".to_owned(), "1".to_owned()], false));
    assert_eq!(breadths("Max-Breadth: 3\r\n"), (vec!["1".to_owned(); 3], false));
}

#[test]
fn more_phones_than_breadth_have_to_wait_and_without_any_there_is_no_way() {
    assert_eq!(breadths("Max-Breadth: 2\r\n"), (vec!["1".to_owned(); 2], false));
    assert_eq!(breadths("Max-Breadth: 0\r\n"), (Vec::new(), true));
}

/// RFC 5393 §4.2: a Via of ours with the hash of what decides routing.
#[test]
fn a_request_that_comes_back_unchanged_is_a_loop_and_one_that_changed_is_a_spiral() {
    let mut world = World::new(2);
    world.registered("201", "london");
    let (bt, london) = ("127.0.0.10:5080".parse().expect("an address"), world.address("london"));
    let invite = |branch: &str, vias: &str, number: &str| {
        let text = format!(
            "INVITE sip:{number}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {bt};branch=z9hG4bK{branch}\r\n{vias}Max-Forwards: 9\r\n\
             From: <sip:+44207@{bt}>;tag=1\r\nTo: <sip:+442079460201@127.0.0.1>\r\nCall-ID: loop\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:{bt}>\r\nContent-Length: 0\r\n\r\n"
        );
        Bytes::from(text)
    };
    world.inject(bt, london, invite("one", "", "+442079460201"));
    world.pass(1);
    let ours = world
        .datagrams()
        .find(|(from, to, bytes)| *from == "london" && to.starts_with("201") && bytes.starts_with(b"INVITE"));
    let text = String::from_utf8_lossy(ours.expect("201 rings").2).into_owned();
    let via = text.lines().find(|line| line.starts_with("Via:")).expect("a Via").to_owned() + "\r\n";
    world.inject(bt, london, invite("two", &via, "+442079460202"));
    world.pass(1);
    assert!(world.has_sent("london", "bt", b"SIP/2.0 480") && !world.has_sent("london", "bt", b"SIP/2.0 482"));
    world.inject(bt, london, invite("three", &via, "+442079460201"));
    world.pass(1);
    assert!(world.has_sent("london", "bt", b"SIP/2.0 482"));
}
