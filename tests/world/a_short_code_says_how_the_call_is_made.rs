//! SPEC 6.3: `r(x)`, `p(x)` and `Z"…"` reach the phone that rings, wherever it is; `t(x)` ends the call for both sides.

use std::time::Duration;

use hotdesk::event::Event;
use hotdesk::phone::{Behaviour, PhoneEvent};
use hotdesk::proxy::EndedBy;
use hotdesk::settings::ShortCodeRow;
use hotdesk::sip::{Method, Name, Request};

use crate::support::{Arrival, Dialled, Sample, Seat, World};

fn code(sample: &mut Sample, code: &str, feature: &str, number: &str) {
    let line_group = (feature == "Dial").then(|| "main".to_owned());
    let row = ShortCodeRow {
        code: code.into(),
        feature: feature.into(),
        number: Some(number.into()),
        line_group,
        ..ShortCodeRow::default()
    };
    sample.site("london").short_codes.push(row);
}

fn value(request: &Request, name: &Name) -> Option<String> {
    let values: Vec<String> =
        request.all(name).map(|header| String::from_utf8_lossy(&header.value()).into_owned()).collect();
    (!values.is_empty()).then(|| values.join(" | "))
}

/// Alert-Info, Priority, and the name in From and in the asserted identity.
fn manner(request: &Request) -> [Option<String>; 4] {
    let asserted = request.parties(&Name::PAssertedIdentity).next().and_then(Result::ok);
    [
        value(request, &Name::AlertInfo),
        value(request, &Name::Priority),
        request.from().display_name().map(|name| name.into_owned()),
        asserted.and_then(|party| party.display_name().map(|name| name.into_owned())),
    ]
}

fn urgent_from_the_door(ring: u8) -> [Option<String>; 4] {
    let ring = format!("<http://127.0.0.1/Bellcore-dr{ring}>;info=Bellcore-dr{ring}");
    [Some(ring), Some("urgent".into()), Some("Front 'door'".into()), Some("Front 'door'".into())]
}

fn door(sample: &mut Sample) {
    code(sample, "*51N", "DialExtn", "Nr(3)p(5)Z\"Front 'door'\"");
}

#[test]
fn ring_priority_and_name_reach_the_phone() {
    let mut world = World::with(1, door);
    let (charles, mary) = (world.registered("202", "london"), world.registered("203", "london"));
    let headers = vec![(Name::AlertInfo, "<http://x/y>".to_owned()), (Name::Priority, "non-urgent".to_owned())];
    let call = world.act(charles, |phone, now| phone.call_with(now, "*51203", headers));
    let arrival = world.arrival(mary);
    assert_eq!(manner(&arrival.request), urgent_from_the_door(3));
    assert!(value(&arrival.request, &Name::From).is_some_and(|from| from.contains("<sip:202@london.example>;tag=")));
    // Both sides go on as if nothing had been said, and each sees its own names.
    world.answered(Dialled { seat: charles, call });
    world.confirmed(&arrival);
    world.act(mary, |phone, now| phone.re_invite(now, arrival.call, true));
    world.pass(1);
    world.hang_up((mary, arrival.call), (charles, call));
    // Dialled without the code, nothing is said.
    let arrival = world.talk(charles, "203", mary);
    assert_eq!(manner(&arrival.request), [None, None, None, Some("Charles Babbage".into())]);
    world.end();
}

#[test]
fn they_reach_a_phone_at_another_site_and_whoever_the_call_is_forwarded_to() {
    let mut world = World::with(2, |sample| {
        door(sample);
        sample.user("204").forward.unconditional = Some("203".into());
        sample.user("205").forward.busy = Some("301".into());
    });
    let charles = world.registered("202", "london");
    let (away, sophie) = (world.registered("203", "paris"), world.registered("302", "paris"));
    let (busy, marie) = (world.registered("205", "london"), world.registered("301", "paris"));
    world.behave(busy, Behaviour::Busy);
    for (number, phone) in [("203", away), ("302", sophie), ("204", away), ("205", marie)] {
        let arrival = world.talk(charles, &format!("*51{number}"), phone);
        assert_eq!(manner(&arrival.request), urgent_from_the_door(3), "{number}");
    }
    world.end();
}

#[test]
fn a_caller_who_hides_gets_no_name() {
    let mut world = World::with(3, door);
    let (charles, mary) = (world.registered("202", "london"), world.registered("203", "london"));
    let headers = vec![(Name::Privacy, "id".to_owned())];
    let call = world.act(charles, |phone, now| phone.call_with(now, "*51203", headers));
    let arrival = world.arrival(mary);
    assert_eq!(manner(&arrival.request)[2..], [None, None]);
    world.answered(Dialled { seat: charles, call });
    world.confirmed(&arrival);
    world.hang_up((charles, call), (mary, arrival.call));
    world.end();
}

#[test]
fn a_carrier_is_told_the_priority_and_the_ring_too() {
    let mut world = World::with(4, |sample| code(sample, "*9N", "Dial", "Nr(1)p(1)Z\"Sales\""));
    let charles = world.registered("202", "london");
    let arrival = world.talk(charles, "*902079460999", world.carrier("bt"));
    let [ring, priority, from, asserted] = manner(&arrival.request);
    assert_eq!(ring.as_deref(), Some("<http://127.0.0.1/Bellcore-dr1>;info=Bellcore-dr1"));
    assert_eq!(priority.as_deref(), Some("non-urgent"));
    assert_eq!((from.as_deref(), asserted.as_deref()), (Some("Sales"), Some("Sales")));
    world.end();
}

// ------------------------------------------------------------------------------------------------------------- longest call

fn up(world: &mut World, caller: Seat, number: &str, callee: Seat) -> (Dialled, Arrival) {
    let dialled = world.dial(caller, number);
    let arrival = world.arrival(callee);
    world.answered(dialled);
    world.confirmed(&arrival);
    (dialled, arrival)
}

fn is_over(world: &World, (seat, of): (Seat, hotdesk::phone::CallRef)) -> bool {
    world.events(seat).any(|event| matches!(event, PhoneEvent::Ended { call } if *call == of))
}

fn ended(world: &World, site: &str) -> Vec<(EndedBy, u64)> {
    let over = world.told(site).filter_map(|event| match event {
        Event::CallEnded { by, lasted, .. } => Some((*by, lasted.as_secs())),
        _ => None,
    });
    over.collect()
}

/// Just before the time both sides talk, and just after it neither does.
fn lasts(world: &mut World, seconds: u64, (dialled, arrival): (Dialled, Arrival)) {
    let sides = [(dialled.seat, dialled.call), (arrival.seat, arrival.call)];
    world.run(Duration::from_secs(seconds) - Duration::from_millis(200));
    assert!(sides.iter().all(|side| !is_over(world, *side)), "too early");
    world.pass(1);
    assert!(sides.iter().all(|side| is_over(world, *side)), "too late");
}

#[test]
fn the_longest_time_of_a_call_ends_it_for_both_sides() {
    let mut world = World::with(5, |sample| code(sample, "*9N", "Dial", "Nt(2)"));
    let charles = world.registered("202", "london");
    let bt = world.carrier("bt");
    let call = up(&mut world, charles, "*902079460999", bt);
    lasts(&mut world, 120, call);
    assert_eq!(ended(&world, "london"), [(EndedBy::Limit, 120)]);
    let reason = |to: &str| {
        let bye = world.datagrams().find(|(_, at, bytes)| *at == to && bytes.starts_with(b"BYE "));
        bye.is_some_and(|(_, _, bytes)| String::from_utf8_lossy(bytes).contains("\r\nReason: Q.850;cause=16;"))
    };
    assert!(reason("bt") && reason(world.name(charles)));
    world.end();
}

#[test]
fn requests_of_both_sides_meanwhile_are_counted_on() {
    let mut world = World::with(6, |sample| code(sample, "*9N", "Dial", "Nt(1)"));
    let charles = world.registered("202", "london");
    let bt = world.carrier("bt");
    let (dialled, arrival) = up(&mut world, charles, "*902079460999", bt);
    for _ in 0..3 {
        world.act(charles, |phone, now| phone.re_invite(now, dialled.call, true));
        world.pass(5);
        world.act(arrival.seat, |phone, now| phone.re_invite(now, arrival.call, false));
        world.pass(5);
    }
    world.run(Duration::from_secs(28));
    assert!(!is_over(&world, (charles, dialled.call)));
    world.pass(3);
    assert!(is_over(&world, (charles, dialled.call)) && is_over(&world, (arrival.seat, arrival.call)));
    world.end();
}

#[test]
fn a_call_over_three_sites_ends_everywhere() {
    let mut world = World::with(7, |sample| {
        code(sample, "8N", "Dial", "Nt(1)");
        code(sample, "*52N", "DialExtn", "Nt(1)");
    });
    let (marie, charles) = (world.registered("301", "paris"), world.registered("202", "london"));
    let away = world.registered("203", "berlin");
    // Paris breaks out to London, which leaves by its carrier.
    let bt = world.carrier("bt");
    let call = up(&mut world, marie, "*81802079460999", bt);
    lasts(&mut world, 60, call);
    // London calls a user who is in Berlin.
    let call = up(&mut world, charles, "*52203", away);
    lasts(&mut world, 60, call);
    assert_eq!(ended(&world, "london"), [(EndedBy::Limit, 60), (EndedBy::Limit, 60)]);
    assert_eq!(ended(&world, "paris"), [(EndedBy::Bye, 60)]);
    assert_eq!(ended(&world, "berlin"), [(EndedBy::Bye, 60)]);
    world.end();
}

#[test]
fn a_call_that_is_over_before_is_left_alone() {
    let mut world = World::with(8, |sample| code(sample, "*52N", "DialExtn", "Nt(1)"));
    let (charles, mary) = (world.registered("202", "london"), world.registered("203", "london"));
    world.talk(charles, "*52203", mary);
    world.pass(90);
    let byes = world.datagrams().filter(|(from, _, bytes)| *from == "london" && bytes.starts_with(b"BYE ")).count();
    assert_eq!((byes, ended(&world, "london").len()), (1, 1));
    let other = |event: &PhoneEvent| matches!(event, PhoneEvent::Request { method, .. } if *method == Method::BYE);
    assert!(!world.events(charles).any(other));
    world.end();
}
