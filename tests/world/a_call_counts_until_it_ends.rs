//! SPEC 9.6: a call ends with its last dialog, or with its final error; a restart forgets the count, never the call.

use hotdesk::event::{EndedBy, Event};
use hotdesk::phone::Behaviour;
use hotdesk::sip::Status;

use crate::support::World;

fn ended(world: &World, site: &str) -> Vec<EndedBy> {
    let by = |event: &Event| match event {
        Event::CallEnded { by, .. } => Some(*by),
        _ => None,
    };
    world.told(site).filter_map(by).collect()
}

#[test]
fn two_answers_at_once_are_one_call_until_the_last_dialog_ends() {
    let mut world = World::new(1);
    let bob = world.registered("202", "london");
    let phones = [world.registered("201", "london"), world.registered("201", "london")];
    let dialled = world.dial(bob, "201");
    world.answered(dialled);
    world.pass(5);
    let count = |world: &World| world.node("london").tally().calls_of("201");
    assert_eq!(count(&world), 1, "the surplus dialog was ended, the other is up");
    assert_eq!(ended(&world, "london"), []);
    let callee = *phones.iter().find(|&&phone| !world.look(phone).calls_up().is_empty()).expect("one is up");
    let call = world.look(callee).calls_up()[0];
    world.hang_up((bob, dialled.call), (callee, call));
    assert_eq!((count(&world), ended(&world, "london")), (0, vec![EndedBy::Bye]));
    world.end();
}

#[test]
fn a_call_that_fails_is_not_counted_any_more() {
    let mut world = World::new(2);
    let (bob, ada) = (world.registered("202", "london"), world.registered("201", "london"));
    let busy = Behaviour::Busy;
    let decline = Behaviour::Reject { status: Status(603), reason: "Decline".into() };
    for behaviour in [busy, decline, Behaviour::Silent] {
        world.behave(ada, behaviour);
        let dialled = world.dial(bob, "201");
        world.pass(1);
        world.refused(dialled);
        world.assert_nothing_counted_is_over();
    }
    assert_eq!(ended(&world, "london"), [], "what was never answered has its own line");
    world.end();
}

#[test]
fn every_site_on_the_way_counts_the_call_and_its_end() {
    let mut world = World::new(3);
    let (bob, away) = (world.registered("302", "paris"), world.registered("201", "berlin"));
    let dialled = world.dial(bob, "201");
    let arrival = world.arrival(away);
    world.answered(dialled);
    world.confirmed(&arrival);
    for site in ["paris", "london", "berlin"] {
        assert_eq!(world.node(site).tally().calls(), 1, "{site}");
    }
    world.hang_up((away, arrival.call), (bob, dialled.call));
    for site in ["paris", "london", "berlin"] {
        assert_eq!(ended(&world, site), [EndedBy::Bye], "{site}");
    }
    world.end();
}

#[test]
fn a_site_that_restarts_lets_its_calls_go_on_without_counting_them() {
    let mut world = World::new(4);
    let (bob, bt) = (world.registered("202", "london"), world.carrier("bt"));
    let dialled = world.dial(bob, "902079460999");
    let arrival = world.arrival(bt);
    world.answered(dialled);
    world.confirmed(&arrival);
    world.restart("london");
    assert_eq!(world.node("london").tally().calls(), 0);
    world.act(bob, |phone, now| phone.re_invite(now, dialled.call, true));
    world.pass(1);
    assert!(world.has_sent("london", "bt", b"INVITE"), "hold reaches the carrier");
    world.hang_up((bob, dialled.call), (bt, arrival.call));
    world.end();
}
