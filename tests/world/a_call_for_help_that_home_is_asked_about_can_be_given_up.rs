//! SPEC 6.7, for a digest that only another site can judge; RFC 3261 §16.2, §9.2.

use std::time::Duration;

use hotdesk::sip::Status;

use crate::support::{Dialled, Seat, World};

/// A phone of Paris at London, which does not know yet that Paris is away, has dialled 999.
fn asked(seed: u64) -> (World, Seat, Dialled) {
    let mut world = World::with(seed, |sample| {
        sample.sites.values_mut().for_each(|site| site.emergency.anyone_from.clear());
    });
    let phone = world.phone("302", "london");
    world.cut("london", "paris");
    let dialled = world.dial(phone, "999");
    (world, phone, dialled)
}

fn is_trying(world: &World, phone: Seat) -> bool {
    world.has_sent("london", world.name(phone), b"SIP/2.0 100 Trying\r\n")
}

#[test]
fn the_caller_is_told_at_once_that_somebody_is_at_it() {
    let (mut world, phone, dialled) = asked(1);
    let bt = world.carrier("bt");
    world.run(Duration::from_millis(500));
    assert!(is_trying(&world, phone) && !world.ever_rang(bt));
    let invites = |world: &World| {
        let to_london = world.datagrams().filter(|(_, to, bytes)| *to == "london" && bytes.starts_with(b"INVITE"));
        to_london.count()
    };
    let before = invites(&world);
    let arrival = world.arrival_within(bt, Duration::from_secs(5)).expect("Paris does not answer");
    world.answered(dialled);
    world.confirmed(&arrival);
    assert_eq!(invites(&world), before, "the phone has no reason to send it again");
    world.hang_up((phone, dialled.call), (bt, arrival.call));
    world.end();
}

#[test]
fn who_gives_up_meanwhile_calls_nobody() {
    let (mut world, phone, dialled) = asked(2);
    let bt = world.carrier("bt");
    world.run(Duration::from_millis(500));
    world.act(phone, |phone, now| phone.cancel(now, dialled.call));
    assert_eq!(world.refused(dialled).status, Status::REQUEST_TERMINATED);
    world.pass(60);
    assert!(!world.ever_rang(bt));
    world.end();
}

#[test]
fn who_gives_up_once_it_rings_is_taken_back_there() {
    let (mut world, phone, dialled) = asked(3);
    let bt = world.carrier("bt");
    world.behave(bt, hotdesk::phone::Behaviour::Ring);
    world.arrival_within(bt, Duration::from_secs(5)).expect("Paris does not answer");
    world.pass(1);
    world.act(phone, |phone, now| phone.cancel(now, dialled.call));
    assert_eq!(world.refused(dialled).status, Status::REQUEST_TERMINATED);
    assert!(world.events(bt).any(|event| matches!(event, hotdesk::phone::PhoneEvent::Cancelled { .. })));
    world.end();
}

/// SPEC 2.3: also who has had nothing but 100.
#[test]
fn a_server_that_ends_meanwhile_says_so() {
    let (mut world, _, dialled) = asked(5);
    world.run(Duration::from_millis(500));
    world.command("london", hotdesk::node::Command::Drain);
    world.command("london", hotdesk::node::Command::GiveUp);
    assert_eq!(world.refused(dialled).status, Status::SERVICE_UNAVAILABLE);
    world.pass(10);
    assert!(world.is_idle("london") && !world.ever_rang(world.carrier("bt")));
}
