//! SPEC 9.1, 9.7: re-INVITE, UPDATE, INFO, REFER, unknown methods and BYE travel along the call, both ways, and nothing else does.

use hotdesk::event::Event;
use hotdesk::phone::{CallRef, PhoneEvent, RequestRef};
use hotdesk::sip::{Method, Status};

use crate::support::{Seat, World};

fn status_of(world: &mut World, seat: Seat, own: RequestRef) -> Option<Status> {
    let within = std::time::Duration::from_secs(40);
    let answer = world.find(seat, within, |event| match event {
        PhoneEvent::Response { request, response, .. } if *request == own => {
            Some(response.as_ref().map(|response| response.status()))
        }
        _ => None,
    });
    answer.expect("every request ends")
}

fn exercise(world: &mut World, (seat, call): (Seat, CallRef), other: Seat) {
    let heard = world.events(other).filter(|event| matches!(event, PhoneEvent::Request { .. })).count();
    let hold = world.act(seat, |phone, now| phone.re_invite(now, call, true));
    assert_eq!(status_of(world, seat, hold), Some(Status::OK));
    let update = world.act(seat, |phone, now| phone.update(now, call));
    assert_eq!(status_of(world, seat, update), Some(Status::OK));
    let info = world.act(seat, |phone, now| phone.info(now, call, '7'));
    assert_eq!(status_of(world, seat, info), Some(Status::OK));
    let refer = world.act(seat, |phone, now| phone.refer(now, call, "203"));
    assert_eq!(status_of(world, seat, refer), Some(Status::ACCEPTED));
    let dance = Method::Other("DANCE".into());
    let dance = world.act(seat, |phone, now| phone.inside(now, call, dance, Vec::new(), None));
    assert_eq!(status_of(world, seat, dance), Some(Status::OK));
    let now = world.events(other).filter(|event| matches!(event, PhoneEvent::Request { .. })).count();
    assert_eq!(now - heard, 5);
}

#[test]
fn requests_inside_a_call_reach_the_other_side() {
    let mut world = World::new(1);
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    let dialled = world.dial(charles, "201");
    let arrival = world.arrival(away);
    world.answered(dialled);
    world.confirmed(&arrival);
    exercise(&mut world, (charles, dialled.call), away);
    exercise(&mut world, (away, arrival.call), charles);
    world.hang_up((away, arrival.call), (charles, dialled.call));
    for site in ["london", "paris"] {
        let calls = world.told(site).filter(|event| matches!(event, Event::Call { .. })).count();
        assert_eq!(calls, 1, "{site} tells of the call, not of what is inside it");
    }
    world.end();
}

#[test]
fn a_call_lives_on_when_its_user_logs_in_elsewhere() {
    let mut world = World::new(2);
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    let dialled = world.dial(charles, "201");
    let arrival = world.arrival(away);
    world.answered(dialled);
    world.confirmed(&arrival);
    world.registered("201", "berlin");
    world.pass(2);
    let info = world.act(charles, |phone, now| phone.info(now, dialled.call, '7'));
    assert_eq!(status_of(&mut world, charles, info), Some(Status::OK), "SPEC 5.4: calls in progress go on");
    world.hang_up((away, arrival.call), (charles, dialled.call));
    world.end();
}

#[test]
fn a_call_lives_through_a_restart_of_both_sites() {
    let mut world = World::new(3);
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    let dialled = world.dial(charles, "201");
    let arrival = world.arrival(away);
    world.answered(dialled);
    world.confirmed(&arrival);
    world.restart("london");
    world.restart("paris");
    world.hang_up((away, arrival.call), (charles, dialled.call));
    world.end();
}

#[test]
fn requests_outside_a_call_find_the_user_too() {
    let mut world = World::new(4);
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    let text = world.act(charles, |phone, now| phone.message(now, "201", "Tea?"));
    assert_eq!(status_of(&mut world, charles, text), Some(Status::OK));
    assert!(world.events(away).any(|event| matches!(event, PhoneEvent::Message { text, .. } if text == "Tea?")));
    let options = world.act(charles, |phone, now| phone.options(now, "201"));
    assert_eq!(status_of(&mut world, charles, options), Some(Status::OK));
    let watch = world.act(charles, |phone, now| phone.subscribe(now, "201", "dialog", 600));
    assert_eq!(status_of(&mut world, charles, watch), Some(Status::OK));
    world.pass(1);
    let notified = world
        .events(charles)
        .any(|event| matches!(event, PhoneEvent::Request { method, .. } if *method == Method::NOTIFY));
    assert!(notified);
    let dance = Method::Other("DANCE".into());
    let dance = world.act(charles, |phone, now| phone.request(now, dance, "201", Vec::new(), None));
    assert_eq!(status_of(&mut world, charles, dance), Some(Status::OK));
    world.end();
}
