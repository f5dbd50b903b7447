//! SPEC 6.7: any trunk will do; whatever a carrier says but 2xx, and silence of two seconds, goes on; after a full round once more.

use std::time::Duration;

use hotdesk::phone::{Behaviour, PhoneEvent};
use hotdesk::sip::Status;

use crate::support::{Seat, World};

fn refuses(world: &mut World, carrier: Seat, status: u16) {
    world.behave(carrier, Behaviour::Reject { status: Status(status), reason: "No".into() });
}

/// The carriers in the order in which they got the INVITEs of a call.
fn tried(world: &World) -> Vec<String> {
    let mut seen = Vec::new();
    for (from, to, bytes) in world.datagrams() {
        let is_branch = from == "london" && bytes.starts_with(b"INVITE ") && ["bt", "mobile"].contains(&to);
        let text = String::from_utf8_lossy(bytes);
        let branch = text.split("branch=").nth(1).and_then(|rest| rest.split(['\r', ';']).next()).unwrap_or_default();
        if is_branch && !seen.iter().any(|(_, other)| other == branch) {
            seen.push((to.to_owned(), branch.to_owned()));
        }
    }
    seen.into_iter().map(|(to, _)| to).collect()
}

#[test]
fn every_final_answer_but_2xx_goes_on_to_the_next_trunk() {
    for (seed, status) in (1..).zip([302, 400, 401, 403, 404, 407, 408, 415, 484, 486, 488, 500, 503, 600, 603, 606]) {
        let mut world = World::new(seed);
        let charles = world.registered("202", "london");
        let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
        refuses(&mut world, bt, status);
        world.talk(charles, "999", mobile);
        assert_eq!(tried(&world), ["bt", "mobile"], "{status}");
        world.end();
    }
}

#[test]
fn a_trunk_that_rings_and_then_refuses_goes_on_too() {
    let mut world = World::new(30);
    let charles = world.registered("202", "london");
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    world.behave(bt, Behaviour::Ring);
    let dialled = world.dial(charles, "999");
    let arrival = world.arrival(bt);
    world.pass(5);
    world.act(bt, |phone, now| phone.refuse(now, arrival.call, Status::BUSY_HERE));
    let second = world.arrival(mobile);
    world.answered(dialled);
    world.confirmed(&second);
    world.hang_up((charles, dialled.call), (mobile, second.call));
    world.end();
}

#[test]
fn two_seconds_of_silence_are_enough() {
    let mut world = World::new(31);
    let charles = world.registered("202", "london");
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    world.behave(bt, Behaviour::Silent);
    let began = world.now();
    world.dial(charles, "999");
    world.arrival(mobile);
    let waited = world.now() - began;
    assert!(waited > Duration::from_secs(2) && waited < Duration::from_millis(2200), "{waited:?}");
}

#[test]
fn after_a_full_round_all_are_tried_once_more() {
    let mut world = World::new(32);
    let charles = world.registered("202", "london");
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    refuses(&mut world, bt, 486);
    refuses(&mut world, mobile, 603);
    let dialled = world.dial(charles, "999");
    let refused = world.refused(dialled);
    assert_eq!(tried(&world), ["bt", "mobile", "bt", "mobile"]);
    assert!(refused.status == Status::BUSY_HERE || refused.status == Status::DECLINE, "{refused:?}");
    world.end();
}

#[test]
fn the_second_round_finds_what_the_first_did_not() {
    let mut world = World::new(35);
    let charles = world.registered("202", "london");
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    refuses(&mut world, bt, 486);
    refuses(&mut world, mobile, 503);
    let dialled = world.dial(charles, "999");
    world.arrival(mobile);
    world.behave(mobile, Behaviour::Answer { after: Duration::from_secs(1) });
    let arrival = world.arrival(mobile);
    world.answered(dialled);
    world.confirmed(&arrival);
    assert_eq!(tried(&world), ["bt", "mobile", "bt", "mobile"]);
    world.hang_up((charles, dialled.call), (mobile, arrival.call));
    world.end();
}

#[test]
fn the_caller_may_give_up() {
    let mut world = World::new(33);
    let charles = world.registered("202", "london");
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    world.behave(bt, Behaviour::Ring);
    let dialled = world.dial(charles, "999");
    let arrival = world.arrival(bt);
    world.act(charles, |phone, now| phone.cancel(now, dialled.call));
    assert_eq!(world.refused(dialled).status, Status::REQUEST_TERMINATED);
    let own = arrival.call;
    let cancelled = |event: &PhoneEvent| matches!(event, PhoneEvent::Cancelled { call, .. } if *call == own);
    assert!(world.events(bt).any(cancelled));
    assert!(!world.ever_rang(mobile));
    world.end();
}

#[test]
fn those_of_notify_read_who_where_and_when() {
    let mut world = World::new(34);
    let (charles, mary) = (world.registered("202", "london"), world.registered("203", "london"));
    let (bt, stranger) = (world.carrier("bt"), world.phone("299", "london"));
    world.talk(charles, "999", bt);
    world.talk(stranger, "9112", bt);
    world.pass(5);
    let texts: Vec<String> = world
        .events(mary)
        .filter_map(|event| match event {
            PhoneEvent::Message { text, .. } => Some(text.clone()),
            _ => None,
        })
        .collect();
    let place = "Location: 1 High Street, second floor, London.";
    let expected = [
        format!("202 dialled 999. {place} Phone: {}.", world.phone_address(charles)),
        format!("somebody who claims to be 299 dialled 112. {place} Phone: {}.", world.phone_address(stranger)),
    ];
    assert_eq!(texts.len(), 2, "{texts:?}");
    for (text, expected) in texts.iter().zip(&expected) {
        assert!(text.starts_with("Emergency call at 2026-11-23 11:0") && text.ends_with(expected), "{text}");
    }
    world.end();
}
