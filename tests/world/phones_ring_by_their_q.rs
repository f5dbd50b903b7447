//! RFC 3261 §16.6, §16.7: serial by `q`, parallel within one.

use hotdesk::phone::{Behaviour, PhoneEvent};
use hotdesk::sip::Status;

use crate::support::{Seat, World};

/// Phones of 201 in London with these `q`.
fn phones(world: &mut World, qs: &[&str]) -> Vec<Seat> {
    qs.iter()
        .map(|q| {
            let seat = world.phone("201", "london");
            world.act(seat, |phone, _| phone.prefer(q));
            world.register(seat);
            seat
        })
        .collect()
}

#[test]
fn three_phones_with_mixed_q_ring_the_best_first_and_equals_together() {
    let mut world = World::new(1);
    let charles = world.registered("202", "london");
    let seats = phones(&mut world, &["0.5", "1.0", "0.5"]);
    world.behave(seats[1], Behaviour::Busy);
    world.behave(seats[0], Behaviour::Ring);
    world.chapter();
    let dialled = world.dial(charles, "201");
    world.arrival(seats[1]);
    let (ringing, answering) = (world.arrival(seats[0]), world.arrival(seats[2]));
    world.answered(dialled);
    world.confirmed(&answering);
    world.pass(1);
    let reason = world.events(seats[0]).find_map(|event| match event {
        PhoneEvent::Cancelled { call, reason } if *call == ringing.call => reason.clone(),
        _ => None,
    });
    assert_eq!(reason.as_deref(), Some("SIP;cause=200;text=\"Call completed elsewhere\""));
    insta::assert_snapshot!("mixed_q", world.ladder());
    world.end();
}

#[test]
fn a_6xx_ends_the_rest() {
    let mut world = World::new(2);
    let charles = world.registered("202", "london");
    let seats = phones(&mut world, &["0.9", "0.9", "0.1"]);
    world.behave(seats[0], Behaviour::Ring);
    world.behave(seats[1], Behaviour::Reject { status: Status::DECLINE, reason: "Decline".into() });
    let dialled = world.dial(charles, "201");
    assert_eq!(world.refused(dialled).status.0, 603);
    world.pass(1);
    let reason = world.events(seats[0]).find_map(|event| match event {
        PhoneEvent::Cancelled { reason, .. } => reason.clone(),
        _ => None,
    });
    assert_eq!(reason.as_deref(), Some("SIP;cause=603;text=\"Decline\""));
    assert!(!world.ever_rang(seats[2]));
    world.end();
}

#[test]
fn the_callers_reason_for_giving_up_reaches_every_phone() {
    let mut world = World::new(3);
    let charles = world.registered("202", "london");
    let seats = phones(&mut world, &["0.9", "0.9"]);
    seats.iter().for_each(|seat| world.behave(*seat, Behaviour::Ring));
    let dialled = world.dial(charles, "201");
    seats.iter().for_each(|seat| _ = world.arrival(*seat));
    world.act(charles, |phone, now| phone.cancel(now, dialled.call));
    assert_eq!(world.refused(dialled).status.0, 487);
    world.pass(1);
    for seat in seats {
        assert!(world.events(seat).any(|event| matches!(event, PhoneEvent::Cancelled { .. })));
    }
    world.end();
}

/// Timer C (RFC 3261 §16.8): three minutes without a provisional response, 100 not counted.
#[test]
fn a_phone_that_only_rings_is_given_up_after_three_minutes() {
    let mut world = World::new(4);
    let charles = world.registered("202", "london");
    let seats = phones(&mut world, &["1.0"]);
    world.behave(seats[0], Behaviour::Ring);
    let dialled = world.dial(charles, "201");
    world.arrival(seats[0]);
    world.pass(179);
    assert!(!world.events(seats[0]).any(|event| matches!(event, PhoneEvent::Cancelled { .. })));
    assert_eq!(world.refused(dialled).status.0, 408);
    let reason = world.events(seats[0]).find_map(|event| match event {
        PhoneEvent::Cancelled { reason, .. } => reason.clone(),
        _ => None,
    });
    assert_eq!(reason.as_deref(), Some("SIP;cause=408;text=\"Request Timeout\""));
    world.end();
}
