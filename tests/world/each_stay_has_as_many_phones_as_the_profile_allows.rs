//! SPEC 4.2, 5.4, 7.1: `devices` counts the phones of one login, whatever waits at home.

use crate::support::{Seat, World};

/// Of the profile `power`, which 201 has.
const DEVICES: usize = 5;

fn full(world: &mut World, site: &str) -> Vec<Seat> {
    (0..DEVICES).map(|_| world.registered("201", site)).collect()
}

fn phones_at(world: &World, site: &str) -> usize {
    world.location(site).record("201").map_or(0, |record| record.bindings().len())
}

#[test]
fn parked_phones_are_not_counted_and_come_back_all() {
    let mut world = World::new(1);
    let charles = world.registered("202", "london");
    let desks = full(&mut world, "london");
    let away = full(&mut world, "paris");
    assert_eq!((phones_at(&world, "london"), phones_at(&world, "paris")), (DEVICES, DEVICES));
    let sixth = world.registered("201", "paris");
    assert_eq!((phones_at(&world, "london"), phones_at(&world, "paris")), (DEVICES, DEVICES));
    let refused = world.try_register(away[0]).expect_err("the oldest there has given way");
    assert!(refused.says("another phone has taken over"), "{refused:?}");
    for desk in &desks {
        world.register(*desk);
    }
    for phone in away[1..].iter().chain([&sixth]) {
        world.unregister(*phone);
    }
    world.pass(1);
    let call = world.dial(charles, "201");
    for desk in &desks {
        world.arrival(*desk);
    }
    world.answered(call);
    world.end();
}

#[test]
fn a_login_elsewhere_begins_with_one() {
    let mut world = World::new(2);
    let charles = world.registered("202", "london");
    full(&mut world, "paris");
    let berlin = world.registered("201", "berlin");
    world.pass(1);
    assert_eq!((phones_at(&world, "paris"), phones_at(&world, "berlin")), (0, 1));
    world.talk(charles, "201", berlin);
    world.end();
}
