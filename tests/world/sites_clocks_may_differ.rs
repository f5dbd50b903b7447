//! SPEC 11.2, 11.4: links work while the clocks of the sites are less than 30 s apart, and say by how much they differ.

use hotdesk::event::Event;

use crate::support::World;

#[test]
fn sites_clocks_may_differ() {
    for ahead in [-29_000, -4_000, 4_000, 29_000] {
        let mut world = World::new(1);
        world.set_clock("paris", ahead);
        let charles = world.registered("202", "london");
        let away = world.registered("201", "paris");
        world.talk(charles, "201", away);
        world.pass(30);
        let warned = world.told("london").any(|event| matches!(event, Event::ClockDiffers { .. }));
        assert_eq!(warned, ahead.abs() >= 5_000, "{ahead} ms");
        world.end();
    }
}

#[test]
fn clocks_too_far_apart_are_told() {
    for ahead in [-32_000, 32_000] {
        let mut world = World::new(2);
        world.set_clock("paris", ahead);
        world.pass(30);
        let away = world.phone("201", "paris");
        let refused = world.try_register(away).expect_err("no token of Paris is fresh in London");
        assert_eq!(refused.status.0, 504, "{refused:?}");
        assert!(refused.says("the clock of london differs by 3"), "{refused:?}");
    }
}
