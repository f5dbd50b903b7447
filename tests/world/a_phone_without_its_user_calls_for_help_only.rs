//! SPEC 5.10: parked and displaced phones.

use crate::support::World;

#[test]
fn a_parked_phone_is_told_where_its_user_is_and_may_call_for_help() {
    let mut world = World::new(1);
    let desk = world.registered("201", "london");
    world.registered("202", "london");
    let _away = world.registered("201", "paris");
    for number in ["202", "902079460999", "*82301", "203"] {
        let call = world.dial(desk, number);
        let refused = world.refused(call);
        assert!(refused.status.0 == 403 && refused.says("logged in at paris"), "{number}: {refused:?}");
    }
    let help = world.dial(desk, "999");
    let bt = world.carrier("bt");
    world.arrival(bt);
    world.answered(help);
    world.end();
}

#[test]
fn a_displaced_phone_reaches_nobody_but_help() {
    let mut world = World::new(2);
    let paris = world.registered("201", "paris");
    world.registered("301", "paris");
    let _berlin = world.registered("201", "berlin");
    world.pass(1);
    for number in ["301", "00145678901", "202"] {
        let call = world.dial(paris, number);
        let refused = world.refused(call);
        assert!(refused.status.0 == 403 && refused.says("logged in at berlin"), "{number}: {refused:?}");
    }
    let help = world.dial(paris, "112");
    world.arrival(world.carrier("orange"));
    world.answered(help);
    world.end();
}
