//! SPEC 9.1, 9.3; RFC 3261 §16.7 step 4.

use hotdesk::phone::{Behaviour, PhoneEvent};
use hotdesk::sip::{Name, Status};

use crate::support::World;

#[test]
fn a_phone_sends_its_calls_to_another_number() {
    let mut world = World::new(1);
    let (mary, charles) = (world.registered("203", "london"), world.registered("202", "london"));
    let (first, second) = (world.registered("201", "london"), world.registered("201", "london"));
    world.behave(first, Behaviour::Redirect { to: "sip:202@127.0.0.1:5060".into() });
    world.behave(second, Behaviour::Ring);
    let arrival = world.talk(mary, "201", charles);
    let diversion = arrival.request.header(&Name::Diversion).expect("a Diversion").value();
    assert_eq!(&*diversion, b"<sip:201@london.example>;reason=deflection;counter=1");
    let stopped = world.events(second).find_map(|event| match event {
        PhoneEvent::Cancelled { reason, .. } => reason.clone(),
        _ => None,
    });
    assert_eq!(stopped.as_deref(), Some("SIP;cause=302;text=\"Call forwarded\""));
    world.end();
}

/// The number is dialled for the user, the address is never used, and the caller never sees it.
#[test]
fn what_a_phone_names_is_a_number_and_no_address() {
    for to in ["sip:nobody@192.0.2.1", "sip:127.0.0.30:5080", "sip:999@london.example", "sip:9090123456@h", "http://x"]
    {
        let mut world = World::new(2);
        let (mary, ada) = (world.registered("203", "london"), world.registered("201", "london"));
        world.behave(ada, Behaviour::Redirect { to: to.into() });
        let dialled = world.dial(mary, "201");
        assert_eq!(world.refused(dialled).status.0, 480, "{to}");
        world.end();
    }
}

#[test]
fn a_3xx_of_a_carrier_is_passed_on() {
    let mut world = World::new(3);
    let ada = world.registered("201", "london");
    let bt = world.carrier("bt");
    world.behave(bt, Behaviour::Reject { status: Status::MOVED_PERMANENTLY, reason: "Moved".into() });
    let dialled = world.dial(ada, "902079460999");
    assert_eq!(world.refused(dialled).status.0, 301);
    world.end();
}

/// Reception is 203, 205 and 206: whoever sends a call there is not called by it again, at any phone.
#[test]
fn a_group_does_not_call_the_member_who_sent_the_call_there() {
    let mut world = World::new(4);
    let (caller, alan) = (world.registered("202", "london"), world.registered("205", "london"));
    let (first, second) = (world.registered("203", "london"), world.registered("203", "london"));
    world.behave(first, Behaviour::Redirect { to: "sip:290@london.example".into() });
    world.behave(second, Behaviour::Ring);
    world.talk(caller, "203", alan);
    let rang = |seat| world.events(seat).filter(|event| matches!(event, PhoneEvent::Incoming { .. })).count();
    assert_eq!((rang(first), rang(second)), (1, 1));
    world.end();
}
