//! SPEC 6.6, 9.6: a trunk has so many channels, and gives each back when its call ends.

use hotdesk::phone::Behaviour;

use crate::support::{Arrival, Dialled, World};

const OUTSIDE: &str = "902079460999";

/// London's carrier bt has one channel; `second`: a second trunk of its group, to the carrier mobile, has one too.
fn world(seed: u64, second: bool) -> World {
    World::with(seed, |sample| {
        let trunks = &mut sample.site("london").trunks;
        trunks.iter_mut().for_each(|trunk| trunk.channels = Some(1));
        if second {
            let other = trunks.iter().find(|trunk| trunk.name == "mobile-1").cloned().expect("the sample has it");
            trunks.push(hotdesk::settings::Trunk { name: "bt-2".into(), group: "bt".into(), ..other });
        }
    })
}

fn channels(world: &World, trunk: &str) -> usize {
    world.node("london").tally().channels_of(trunk)
}

fn end(world: &mut World, dialled: Dialled, arrival: &Arrival) {
    world.hang_up((dialled.seat, dialled.call), (arrival.seat, arrival.call));
}

#[test]
fn the_next_trunk_is_taken_and_when_all_are_full_no_line_is_free() {
    let mut world = world(1, true);
    let [ada, bob, charles] = ["202", "203", "204"].map(|user| world.registered(user, "london"));
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    let first = world.dial(ada, OUTSIDE);
    let at_bt = world.arrival(bt);
    world.answered(first);
    let second = world.dial(bob, OUTSIDE);
    let at_mobile = world.arrival(mobile);
    world.answered(second);
    assert_eq!((channels(&world, "bt-1"), channels(&world, "bt-2")), (1, 1));
    let third = world.dial(charles, OUTSIDE);
    let refused = world.refused(third);
    assert!(refused.status.0 == 480 && refused.says("no line free"), "{refused:?}");
    assert!(world.datagrams().any(|(from, _, bytes)| {
        from == "london" && String::from_utf8_lossy(bytes).contains("\r\nReason: Q.850;cause=34\r\n")
    }));
    end(&mut world, first, &at_bt);
    assert_eq!(channels(&world, "bt-1"), 0);
    world.talk(charles, OUTSIDE, bt);
    end(&mut world, second, &at_mobile);
    world.end();
}

#[test]
fn a_channel_is_given_back_by_a_final_error_and_by_cancel() {
    let mut world = world(2, false);
    let ada = world.registered("202", "london");
    let bt = world.carrier("bt");
    world.behave(bt, Behaviour::Busy);
    let dialled = world.dial(ada, OUTSIDE);
    world.arrival(bt);
    assert_eq!(world.refused(dialled).status.0, 486);
    assert_eq!(channels(&world, "bt-1"), 0);
    world.behave(bt, Behaviour::Ring);
    let dialled = world.dial(ada, OUTSIDE);
    world.arrival(bt);
    assert_eq!(channels(&world, "bt-1"), 1);
    world.act(ada, |phone, now| phone.cancel(now, dialled.call));
    assert_eq!(world.refused(dialled).status.0, 487);
    assert_eq!(channels(&world, "bt-1"), 0);
    world.end();
}

#[test]
fn a_call_from_the_carrier_takes_a_channel_and_finds_one_always() {
    let mut world = world(3, false);
    let [ada, bob, charles] = ["201", "202", "203"].map(|user| world.registered(user, "london"));
    let bt = world.carrier("bt");
    let first = world.dial(bt, "+442079460201");
    let at_ada = world.arrival(ada);
    world.answered(first);
    assert_eq!(channels(&world, "bt-1"), 1);
    let out = world.dial(charles, OUTSIDE);
    assert_eq!(world.refused(out).status.0, 480);
    let second = world.dial(bt, "+442079460202");
    let at_bob = world.arrival(bob);
    world.answered(second);
    end(&mut world, first, &at_ada);
    end(&mut world, second, &at_bob);
    assert_eq!(channels(&world, "bt-1"), 0);
    world.talk(charles, OUTSIDE, bt);
    world.end();
}

#[test]
fn a_full_trunk_is_no_obstacle_to_a_call_for_help() {
    let mut world = world(4, false);
    let [ada, bob] = ["202", "203"].map(|user| world.registered(user, "london"));
    let bt = world.carrier("bt");
    let out = world.dial(ada, OUTSIDE);
    let arrival = world.arrival(bt);
    world.answered(out);
    world.talk(bob, "999", bt);
    end(&mut world, out, &arrival);
    world.end();
}
