//! SPEC 13, 6.6, RFC 4320: what is wrong behind this server is told in words that fit the caller.

use std::time::Duration;

use hotdesk::phone::{Behaviour, PhoneEvent};
use hotdesk::sip::Status;

use crate::support::World;

#[test]
fn no_line_free_is_no_reason_to_leave_the_server() {
    let mut world = World::new(1);
    let charles = world.registered("202", "london");
    for carrier in ["bt", "mobile"] {
        world.behave(world.carrier(carrier), Behaviour::Silent);
    }
    let dialled = world.dial(charles, "902079460999");
    let refused = world.refused(dialled);
    assert!(refused.status == Status::TEMPORARILY_UNAVAILABLE && refused.says("no line free"), "{refused:?}");
    let answer = world.last_answer("london", world.name(charles));
    assert!(answer.contains("\r\nReason: Q.850;cause=34"), "{answer}");
    world.end();
}

#[test]
fn a_503_of_somebody_else_is_a_500_of_ours() {
    let mut world = World::new(2);
    let (charles, desk) = (world.registered("202", "london"), world.registered("201", "london"));
    world.behave(desk, Behaviour::Reject { status: Status::SERVICE_UNAVAILABLE, reason: "Gone".into() });
    let dialled = world.dial(charles, "201");
    let refused = world.refused(dialled);
    assert!(
        refused.status == Status::SERVER_INTERNAL_ERROR && refused.says("the next server is overloaded"),
        "{refused:?}"
    );
    assert!(!world.has_sent("london", world.name(charles), b"SIP/2.0 503"));
    world.end();
}

#[test]
fn another_site_that_cannot_be_reached_is_named() {
    let mut world = World::new(3);
    let charles = world.registered("202", "london");
    world.cut("london", "paris");
    for number in ["301", "*820123456789"] {
        let dialled = world.dial(charles, number);
        let refused = world.refused(dialled);
        assert!(
            refused.status == Status::SERVER_TIMEOUT && refused.says("site paris cannot be reached"),
            "{number}: {refused:?}"
        );
    }
    world.end();
}

#[test]
fn nobody_answers_a_message_and_nobody_says_408() {
    let mut world = World::new(4);
    let (charles, desk) = (world.registered("202", "london"), world.registered("201", "london"));
    world.behave(desk, Behaviour::Silent);
    let asked = world.act(charles, |phone, now| phone.message(now, "201", "hello"));
    let answer = world.find(charles, Duration::from_secs(60), |event| match event {
        PhoneEvent::Response { request, response, .. } if *request == asked => Some(response.clone()),
        _ => None,
    });
    assert!(answer.is_some_and(|answer| answer.is_none()), "the phone's own timer F ends it");
    // RFC 4320 §4.2: neither made here nor passed on.
    world.behave(desk, Behaviour::Reject { status: Status::REQUEST_TIMEOUT, reason: "Request Timeout".into() });
    world.act(charles, |phone, now| phone.message(now, "201", "hello"));
    world.pass(60);
    assert!(!world.has_sent("london", world.name(charles), b"SIP/2.0 408"));
    world.end();
}
