//! RFC 3261 §16.7 step 5, §16.8; RFC 6228.

use std::net::SocketAddr;

use bytes::Bytes;
use hotdesk::phone::Behaviour;

use crate::support::World;

/// A call of 201 to somebody behind bt, who says nothing by himself: what London sent there.
fn calling(world: &mut World) -> (crate::support::Dialled, String) {
    let ada = world.registered("201", "london");
    let bt = world.carrier("bt");
    world.behave(bt, Behaviour::Silent);
    let dialled = world.dial(ada, "902079460999");
    world.pass(1);
    let invite = world.datagrams().find(|(_, to, bytes)| *to == "bt" && bytes.starts_with(b"INVITE"));
    (dialled, String::from_utf8_lossy(invite.expect("the INVITE").2).into_owned())
}

/// The carrier answers the INVITE.
fn respond(world: &mut World, invite: &str, status: &str, tag: &str) {
    let bt: SocketAddr = "127.0.0.10:5080".parse().expect("an address");
    let kept = invite.lines().filter_map(|line| match line.split_once(':')?.0 {
        "Via" | "From" | "Call-ID" | "CSeq" => Some(format!("{line}\r\n")),
        "To" => Some(format!("{line};tag={tag}\r\n")),
        _ => None,
    });
    let text =
        format!("SIP/2.0 {status}\r\n{}Contact: <sip:{bt}>\r\nContent-Length: 0\r\n\r\n", kept.collect::<String>());
    world.inject(bt, world.address("london"), Bytes::from(text));
    world.pass(1);
}

fn heard(world: &World) -> Vec<String> {
    let to_ada = world.datagrams().filter(|(from, to, _)| *from == "london" && *to == "201@london");
    let texts = to_ada.map(|(_, _, bytes)| String::from_utf8_lossy(bytes).into_owned());
    let of_call = texts.filter(|text| text.contains("INVITE") && !text.starts_with("SIP/2.0 407"));
    of_call
        .map(|text| {
            let tag = text.lines().find(|line| line.starts_with("To:")).and_then(|to| to.split_once("tag="));
            format!("{} {}", &text[8..11], tag.map_or("", |(_, tag)| tag))
        })
        .collect()
}

#[test]
fn every_provisional_reaches_the_caller_with_its_own_tag_and_so_does_199() {
    let mut world = World::new(1);
    let (_, invite) = calling(&mut world);
    for (status, tag) in [("183 Session Progress", "a"), ("180 Ringing", "b"), ("199 Early Dialog Terminated", "a")] {
        respond(&mut world, &invite, status, tag);
    }
    respond(&mut world, &invite, "100 Trying", "c");
    assert_eq!(heard(&world), ["100 ", "183 a", "180 b", "199 a"], "100 goes no further than one hop");
}

#[test]
fn timer_c_begins_anew_with_a_provisional_and_not_with_a_100() {
    for (status, cancelled_at) in [("100 Trying", 181), ("180 Ringing", 281)] {
        let mut world = World::new(2);
        let (_, invite) = calling(&mut world);
        respond(&mut world, &invite, "183 Session Progress", "a");
        world.pass(98);
        respond(&mut world, &invite, status, "a");
        world.pass(cancelled_at - 101 - 2);
        assert!(!world.has_sent("london", "bt", b"CANCEL"), "{status}");
        world.pass(4);
        assert!(world.has_sent("london", "bt", b"CANCEL"), "{status}");
    }
}
