//! SPEC 4.5, DESIGN §1 (Storing): nothing is said before it is true.

use std::time::Duration;

use crate::support::{Stores, World};

#[test]
fn an_answer_waits_for_the_store() {
    let mut world = World::new(1);
    world.store("london", Stores::After(Duration::from_millis(300)));
    world.store("paris", Stores::After(Duration::from_millis(400)));
    let before = world.now();
    let desk = world.registered("201", "london");
    assert!(world.now() - before >= Duration::from_millis(300));
    let charles = world.registered("202", "london");
    world.talk(charles, "201", desk);
    let before = world.now();
    let away = world.registered("201", "paris");
    assert!(
        world.now() - before >= Duration::from_millis(700),
        "H stores before it answers V, V before it answers the phone"
    );
    world.talk(charles, "201", away);
    world.end();
}

#[test]
fn what_cannot_be_stored_has_not_happened() {
    let mut world = World::new(2);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    world.store("london", Stores::Failing);
    let away = world.phone("201", "paris");
    let refused = world.try_register(away).expect_err("the home site cannot store the login");
    assert!((500..=504).contains(&refused.status.0), "{refused:?}");
    world.talk(charles, "201", desk);
    world.store("london", Stores::AtOnce);
    world.store("paris", Stores::Failing);
    world.try_register(away).expect_err("the visited site cannot store the binding");
    world.pass(10);
    world.talk(charles, "201", desk);
    world.end();
}
