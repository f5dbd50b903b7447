//! SPEC 5.5: also the phone that joined another, and of which home hears by a renewal only; but not the one that left.

use crate::support::World;

#[test]
fn every_phone_of_a_displaced_stay_is_kept_out() {
    let mut world = World::new(1);
    let charles = world.registered("202", "london");
    let first = world.registered("201", "paris");
    let second = world.registered("201", "paris");
    world.pass(1);
    let berlin = world.registered("201", "berlin");
    world.pass(1);
    for displaced in [first, second] {
        let refused = world.try_register(displaced).expect_err("the user is in Berlin");
        assert!(refused.status.0 == 403 && refused.says("logged in at berlin"), "{refused:?}");
    }
    world.talk(charles, "201", berlin);
    world.end();
}

#[test]
fn a_phone_that_left_before_was_not_displaced() {
    let mut world = World::new(2);
    let charles = world.registered("202", "london");
    world.registered("201", "paris");
    let second = world.registered("201", "paris");
    // Home hears of both.
    world.pass(60);
    world.unregister(second);
    world.pass(1);
    world.registered("201", "berlin");
    world.pass(1);
    world.register(second);
    world.talk(charles, "201", second);
    world.end();
}
