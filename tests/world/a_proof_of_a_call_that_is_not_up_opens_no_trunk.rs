//! SPEC 9.7: what let one call through to a carrier lets no other one through, past the dial plan.

use bytes::Bytes;
use hotdesk::phone::{Behaviour, PhoneEvent};
use hotdesk::sip::Name;

use crate::support::{Arrival, World};

const OUTSIDE: &str = "902079460999";

/// An INVITE for another number with the Route of that call, and a tag that nobody gave.
fn forged(arrival: &Arrival, branch: &str) -> Bytes {
    let text = |name: Name| {
        let header = arrival.request.header(&name).expect("every call has it");
        String::from_utf8_lossy(&header.value()).into_owned()
    };
    let (from, call_id, route) = (text(Name::From), text(Name::CallId), text(Name::RecordRoute));
    format!(
        "INVITE sip:09001234567@127.0.0.10:5080 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.101.9:5060;branch=z9hG4bK{branch}\r\n\
         Max-Forwards: 70\r\nRoute: {route}\r\nFrom: {from}\r\nTo: <sip:x@london.example>;tag=invented\r\n\
         Call-ID: {call_id}\r\nCSeq: 9 INVITE\r\nContact: <sip:a@127.0.101.9>\r\nContent-Length: 0\r\n\r\n"
    )
    .into()
}

fn invites_at_bt(world: &World) -> usize {
    world.datagrams().filter(|(_, to, bytes)| *to == "bt" && bytes.starts_with(b"INVITE")).count()
}

#[test]
fn an_invented_tag_brings_nobody_to_a_carrier() {
    let mut world = World::new(1);
    let ada = world.registered("202", "london");
    let bt = world.carrier("bt");
    world.behave(bt, Behaviour::Ring);
    let dialled = world.dial(ada, OUTSIDE);
    let arrival = world.arrival(bt);
    let (attacker, london) = ("127.0.101.9:5060".parse().expect("an address"), world.address("london"));
    world.inject(attacker, london, forged(&arrival, "early"));
    world.pass(1);
    assert!(world.has_sent("london", "127.0.101.9:5060", b"SIP/2.0 481"), "while it rings");
    world.act(bt, |phone, now| phone.answer(now, arrival.call));
    world.answered(dialled);
    world.confirmed(&arrival);
    world.inject(attacker, london, forged(&arrival, "up"));
    world.pass(1);
    world.hang_up((ada, dialled.call), (bt, arrival.call));
    world.inject(attacker, london, forged(&arrival, "over"));
    world.pass(1);
    let refusals = world
        .datagrams()
        .filter(|(_, to, bytes)| *to == "127.0.101.9:5060" && bytes.starts_with(b"SIP/2.0 481"))
        .map(|(_, _, bytes)| String::from_utf8_lossy(bytes).into_owned());
    let refusals: Vec<String> = refusals.collect();
    for branch in ["early", "up", "over"] {
        assert!(refusals.iter().any(|refusal| refusal.contains(&format!("z9hG4bK{branch}"))), "{branch}");
    }
    assert_eq!(invites_at_bt(&world), 1);
    world.end();
}

#[test]
fn a_call_that_is_over_can_not_be_taken_up_again() {
    let mut world = World::new(2);
    let ada = world.registered("202", "london");
    let bt = world.carrier("bt");
    let dialled = world.dial(ada, OUTSIDE);
    let arrival = world.arrival(bt);
    world.answered(dialled);
    world.confirmed(&arrival);
    world.act(ada, |phone, now| phone.re_invite(now, dialled.call, true));
    world.pass(1);
    assert_eq!(invites_at_bt(&world), 2, "while it is up, hold passes");
    world.hang_up((ada, dialled.call), (bt, arrival.call));
    let again = world.act(ada, |phone, now| phone.re_invite(now, dialled.call, false));
    let refused = world.find(ada, std::time::Duration::from_secs(5), |event| match event {
        PhoneEvent::Response { request, response, .. } if *request == again => {
            response.as_ref().map(|it| it.status().0)
        }
        _ => None,
    });
    assert_eq!((refused, invites_at_bt(&world)), (Some(481), 2));
    world.end();
}
