//! SPEC 8.8: wall-clock steps. The clocks of the sites stay near enough for their links.

use crate::support::{Seat, World};

/// A phone of 202 that does not refresh what it has for 300 s, and the clock of London set after 100 s.
fn set_by(seed: u64, milliseconds: i64) -> (World, Seat, Seat) {
    let mut world = World::new(seed);
    let desk = world.phone("202", "london");
    world.act(desk, |phone, _| phone.refresh_by_itself(false));
    world.register(desk);
    let charles = world.registered("203", "london");
    world.pass(100);
    world.set_clock("london", milliseconds);
    (world, desk, charles)
}

#[test]
fn a_binding_lasts_as_long_as_was_granted() {
    for (seed, milliseconds) in [(1, 20_000), (2, -20_000), (3, 3_600_000), (4, -3_600_000)] {
        let (mut world, desk, charles) = set_by(seed, milliseconds);
        world.pass(190);
        world.talk(charles, "202", desk);
        world.pass(15);
        let call = world.dial(charles, "202");
        assert_eq!(world.refused(call).status.0, 480, "{milliseconds} ms");
        world.end();
    }
}

#[test]
fn a_lease_is_renewed_and_runs_out_by_the_time_that_passes() {
    for (seed, milliseconds) in [(5, 20_000), (6, -20_000)] {
        let (mut world, _, charles) = set_by(seed, 0);
        let away = world.registered("201", "paris");
        world.set_clock("london", milliseconds);
        world.pass(300);
        world.talk(charles, "201", away);
        let is_away = |world: &World| {
            let record = world.location("london").record("201").expect("known");
            record.resident().is_some_and(|resident| resident.away.is_some())
        };
        world.cut("london", "paris");
        // The last renewal is less than a minute old.
        world.pass(59);
        assert!(is_away(&world), "{milliseconds} ms");
        world.pass(62);
        assert!(!is_away(&world), "{milliseconds} ms");
        world.end();
    }
}

#[test]
fn sites_whose_clocks_are_set_apart_meet_again_when_they_are_right() {
    let mut world = World::new(7);
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.set_clock("paris", 3_600_000);
    world.pass(300);
    let marie = world.registered("301", "paris");
    world.talk(marie, "201", away);
    world.set_clock("paris", 0);
    world.pass(120);
    world.talk(charles, "201", away);
    world.end();
}
