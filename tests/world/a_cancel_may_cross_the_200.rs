//! RFC 3261 §9.1 and §16.10, RFC 6026.

use std::time::Duration;

use hotdesk::phone::{Behaviour, PhoneEvent};

use crate::support::World;

#[test]
fn a_call_that_is_given_up_stops_ringing_wherever_it_is() {
    let mut world = World::new(1);
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.behave(away, Behaviour::Ring);
    world.chapter();
    let dialled = world.dial(charles, "201");
    world.arrival(away);
    world.pass(3);
    world.act(charles, |phone, now| phone.cancel(now, dialled.call));
    assert_eq!(world.refused(dialled).status.0, 487);
    world.pass(1);
    insta::assert_snapshot!("cancelled", world.ladder());
    assert!(world.events(away).any(|event| matches!(event, PhoneEvent::Cancelled { .. })));
    world.end();
}

/// The caller gives up at every millisecond round the answer. However the two cross, both sides end alike: answered and hung
/// up again, or never answered.
#[test]
fn a_cancel_may_cross_the_200() {
    let mut world = World::new(2);
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.behave(away, Behaviour::Answer { after: Duration::from_secs(2) });
    for early in 0..30 {
        let dialled = world.dial(charles, "201");
        let arrival = world.arrival(away);
        world.run(Duration::from_millis(2_000 - 15 + early));
        world.act(charles, |phone, now| phone.hang_up(now, dialled.call));
        world.pass(5);
        let ends: Vec<&str> = world
            .events(away)
            .filter_map(|event| match event {
                PhoneEvent::Confirmed { call } if *call == arrival.call => Some("up"),
                PhoneEvent::Cancelled { call, .. } if *call == arrival.call => Some("cancelled"),
                PhoneEvent::Ended { call } if *call == arrival.call => Some("ended"),
                _ => None,
            })
            .collect();
        let caller = world
            .events(charles)
            .any(|event| matches!(event, PhoneEvent::Answered { call, .. } if *call == dialled.call));
        assert_eq!(ends, if caller { vec!["up", "ended"] } else { vec!["cancelled"] }, "{early} ms");
        assert!(world.look(charles).calls_up().is_empty() && world.look(away).calls_up().is_empty());
    }
    world.end();
}

#[test]
fn every_phone_of_a_user_rings_and_one_answers() {
    let mut world = World::new(3);
    let charles = world.registered("202", "london");
    let (first, second) = (world.registered("201", "london"), world.registered("201", "london"));
    world.behave(second, Behaviour::Ring);
    let dialled = world.dial(charles, "201");
    let (arrival, other) = (world.arrival(first), world.arrival(second));
    world.answered(dialled);
    world.confirmed(&arrival);
    world.pass(1);
    let stopped =
        world.events(second).any(|event| matches!(event, PhoneEvent::Cancelled { call, .. } if *call == other.call));
    assert!(stopped, "RFC 3261 §16.7 step 10: the others are cancelled");
    world.end();
}

#[test]
fn two_answers_at_once_end_as_one_call() {
    let mut world = World::new(4);
    let charles = world.registered("202", "london");
    let (first, second) = (world.registered("201", "london"), world.registered("201", "london"));
    let dialled = world.dial(charles, "201");
    world.answered(dialled);
    world.pass(5);
    let up = world.look(first).calls_up().len() + world.look(second).calls_up().len();
    assert_eq!((up, world.look(charles).calls_up().len()), (1, 1), "the surplus 2xx was acknowledged and ended by BYE");
    world.end();
}
