//! SPEC 5.5: a new Call-ID is a person, unless the phone changes it by itself, or was displaced twice within ten minutes.

use std::time::Duration;

use crate::support::{Seat, World};

const MINUTE: u64 = 60;

/// Registers under a new Call-ID; whether that is taken. What the phone noticed before is not looked at.
fn comes_anew(world: &mut World, seat: Seat) -> bool {
    world.find(seat, Duration::ZERO, |_| None::<()>);
    match world.try_register_anew(seat) {
        Ok(()) => {
            // The site that loses the user is told at once.
            world.pass(1);
            true
        }
        Err(refused) => {
            assert!(refused.status.0 == 403 && refused.reason.starts_with("logged in at "), "{refused:?}");
            false
        }
    }
}

/// A phone of 201 in Paris that takes a new Call-ID for every refresh, of which home knows.
fn restless(world: &mut World) -> Seat {
    let paris = world.registered("201", "paris");
    assert!(comes_anew(world, paris), "it has the user anyway");
    paris
}

#[test]
fn a_phone_that_changes_its_call_id_by_itself_is_no_person() {
    let mut world = World::new(1);
    let charles = world.registered("202", "london");
    let paris = restless(&mut world);
    let berlin = world.registered("201", "berlin");
    world.pass(1);
    assert!(!comes_anew(&mut world, paris) && !comes_anew(&mut world, paris));
    world.talk(charles, "201", berlin);

    // What a person can do: take it out, and put it in again.
    world.unregister(paris);
    assert!(comes_anew(&mut world, paris));
    world.talk(charles, "201", paris);
    world.end();
}

#[test]
fn such_a_phone_comes_back_when_the_other_login_ends() {
    let mut world = World::new(2);
    let charles = world.registered("202", "london");
    let paris = restless(&mut world);
    let berlin = world.registered("201", "berlin");
    world.pass(1);
    assert!(!comes_anew(&mut world, paris));
    world.unregister(berlin);
    world.pass(1);
    assert!(comes_anew(&mut world, paris));
    world.talk(charles, "201", paris);
    world.end();
}

#[test]
fn such_a_phone_comes_back_after_a_day() {
    // A day passes: the sites look for each other every few minutes only.
    let mut world = World::with(3, |sample| {
        sample.sites.values_mut().for_each(|site| site.links.probe = Duration::from_secs(300));
    });
    let paris = restless(&mut world);
    let _berlin = world.registered("201", "berlin");
    let displaced = world.now();
    world.run(displaced + Duration::from_secs(24 * 60 * MINUTE - 10) - world.now());
    assert!(!comes_anew(&mut world, paris), "ten seconds to go");
    world.pass(20);
    assert!(comes_anew(&mut world, paris));
    world.end();
}

#[test]
fn who_is_displaced_again_within_ten_minutes_waits_ten_and_then_twice_as_long() {
    let mut world = World::new(4);
    let (paris, berlin) = (world.registered("201", "paris"), world.phone("201", "berlin"));
    assert!(comes_anew(&mut world, berlin), "Paris is displaced for the first time");
    world.pass(MINUTE);
    assert!(comes_anew(&mut world, paris), "a person");
    world.pass(MINUTE);
    assert!(comes_anew(&mut world, berlin), "Paris is displaced for the second time");
    let second = world.now();
    let until = |world: &mut World, seconds: u64| world.run(second + Duration::from_secs(seconds) - world.now());
    assert!(!comes_anew(&mut world, paris));
    until(&mut world, 10 * MINUTE - 5);
    assert!(!comes_anew(&mut world, paris), "ten minutes are not over");
    until(&mut world, 10 * MINUTE + 5);
    assert!(comes_anew(&mut world, paris));
    world.pass(MINUTE);
    assert!(comes_anew(&mut world, berlin), "Paris is displaced for the third time");
    let third = world.now();
    let until = |world: &mut World, seconds: u64| world.run(third + Duration::from_secs(seconds) - world.now());
    until(&mut world, 20 * MINUTE - 5);
    assert!(!comes_anew(&mut world, paris), "twenty minutes are not over");
    until(&mut world, 20 * MINUTE + 5);
    assert!(comes_anew(&mut world, paris));
    world.end();
}

#[test]
fn the_wait_doubles_up_to_a_day() {
    // Days pass: the sites look for each other every few minutes only.
    let mut world = World::with(6, |sample| {
        sample.sites.values_mut().for_each(|site| site.links.probe = Duration::from_secs(300));
    });
    let (paris, berlin) = (world.registered("201", "paris"), world.phone("201", "berlin"));
    assert!(comes_anew(&mut world, berlin) && comes_anew(&mut world, paris), "the first time nobody waits");
    for minutes in [10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440] {
        world.pass(MINUTE);
        assert!(comes_anew(&mut world, berlin), "{minutes}: Paris is displaced again");
        let displaced = world.now();
        let until = |world: &mut World, seconds: u64| {
            let at = displaced + Duration::from_secs(seconds);
            world.run(at.saturating_sub(world.now()));
        };
        until(&mut world, minutes * MINUTE - 5);
        assert!(!comes_anew(&mut world, paris), "{minutes}: five seconds to go");
        until(&mut world, minutes * MINUTE + 5);
        assert!(comes_anew(&mut world, paris), "{minutes}: it has waited long enough");
    }
    world.end();
}

#[test]
fn home_remembers_it_over_a_restart() {
    let mut world = World::new(5);
    world.with_disks();
    let paris = restless(&mut world);
    let berlin = world.registered("201", "berlin");
    world.pass(1);
    world.restart("london");
    world.pass(3);
    assert!(!comes_anew(&mut world, paris));
    world.unregister(berlin);
    world.pass(1);
    assert!(comes_anew(&mut world, paris));
    world.end();
}

#[test]
fn who_has_the_user_again_and_un_registers_elsewhere_is_still_one_that_quarrels() {
    let mut world = World::new(9);
    let (paris, berlin) = (world.registered("201", "paris"), world.phone("201", "berlin"));
    assert!(comes_anew(&mut world, berlin), "Paris is displaced for the first time");
    world.pass(MINUTE);
    assert!(comes_anew(&mut world, paris), "a person");
    world.registered("201", "paris");
    world.unregister(paris);
    world.pass(1);
    world.registered("201", "london");
    world.pass(1);
    // Now the user is at home, and that phone has not lost anybody.
    world.unregister(paris);
    world.pass(1);
    assert!(comes_anew(&mut world, paris));
    world.pass(MINUTE);
    assert!(comes_anew(&mut world, berlin), "Paris is displaced for the second time");
    assert!(!comes_anew(&mut world, paris), "and has to wait");
    world.end();
}
