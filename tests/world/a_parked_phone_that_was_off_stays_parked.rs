//! SPEC 5.6: a desk phone that was switched off, or cut off, for longer than its registration does not steal the user's calls.

use crate::support::World;

#[test]
fn a_parked_phone_that_was_off_stays_parked() {
    for restarts in [false, true] {
        let mut world = World::new(1);
        world.with_disks();
        let (charles, desk) = (world.registered("202", "london"), world.phone("201", "london"));
        world.act(desk, |phone, _| phone.refresh_by_itself(false));
        world.register(desk);
        let away = world.registered("201", "paris");
        world.pass(310);
        if restarts {
            world.restart("london");
            world.pass(5);
            world.register(charles);
        }
        assert!(
            world.location("london").record("201").is_some_and(|record| record.bindings().is_empty()),
            "it ran out"
        );
        world.register(desk);
        world.talk(charles, "201", away);
        assert!(!world.ever_rang(desk));
        world.register(away);

        world.unregister(away);
        world.pass(1);
        world.talk(charles, "201", desk);
        world.end();
    }
}
