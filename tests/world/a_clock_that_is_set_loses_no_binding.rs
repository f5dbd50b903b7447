//! SPEC 4.5, 8.8: what is on disk outlives a clock that is set, before or after a crash.

use std::time::Duration;

use hotdesk::location::Record;

use crate::support::World;

/// Milliseconds.
const HOUR: i64 = 3_600_000;

fn world(seed: u64) -> World {
    let mut world = World::new(seed);
    world.with_disks();
    world
}

/// `kill -9`, and so many seconds until it is there again.
fn crash(world: &mut World, site: &str, seconds: u64) {
    world.stop(site);
    world.pass(seconds);
    world.start(site);
}

fn seconds_left(world: &World, site: &str, user: &str) -> Option<u32> {
    let record = world.location(site).record(user);
    let first = record.as_deref().map(Record::bindings).and_then(|bindings| bindings.first().cloned());
    first.map(|binding| binding.expires_in(world.instant()))
}

#[test]
fn a_clock_that_was_an_hour_behind_and_is_set_right_ages_nothing() {
    let mut world = world(1);
    for site in ["london", "paris"] {
        world.set_clock(site, -HOUR);
    }
    world.registered("202", "london");
    world.registered("201", "paris");
    world.pass(5);
    for site in ["london", "paris"] {
        world.set_clock(site, 0);
    }
    world.pass(10);
    crash(&mut world, "london", 3);
    crash(&mut world, "paris", 3);
    world.pass(3);
    assert!(seconds_left(&world, "london", "202").is_some_and(|left| (200..300).contains(&left)));
    assert!(seconds_left(&world, "paris", "201").is_some(), "the visitor too");
    world.end();
}

#[test]
fn one_phone_that_registers_while_the_clock_is_a_day_ahead_makes_no_other_run_out() {
    let mut world = world(2);
    world.registered("202", "london");
    world.set_clock("london", 24 * HOUR);
    world.registered("201", "london");
    world.set_clock("london", 0);
    crash(&mut world, "london", 3);
    for user in ["201", "202"] {
        assert!(seconds_left(&world, "london", user).is_some(), "{user}");
    }
    world.end();
}

#[test]
fn a_phone_that_starts_anew_after_the_clock_went_back_is_let_in() {
    let mut world = world(3);
    let phone = world.registered("202", "london");
    world.set_clock("london", -HOUR);
    world.pass(5);
    world.act(phone, |phone, _| phone.reboot());
    world.try_register(phone).expect("a fresh nonce proves that it is new");
    world.end();
}

#[test]
fn a_refresh_of_what_is_about_to_run_out_is_written_at_once() {
    for left in [2, 59] {
        let mut world = world(4);
        let phone = world.phone("202", "london");
        world.act(phone, |phone, _| phone.refresh_by_itself(false));
        world.try_register(phone).expect("a registration");
        world.pass(300 - left);
        world.try_register(phone).expect("a refresh");
        world.run(Duration::from_millis(10));
        crash(&mut world, "london", 3);
        let now = seconds_left(&world, "london", "202");
        assert!(now.is_some_and(|now| now > 290), "{left} s were left, and {now:?} are");
        world.end();
    }
}
