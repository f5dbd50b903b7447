//! SPEC 5.2, 5.5: the second REGISTER waits for home's word on the first, and is then judged for itself.

use crate::support::{Seat, Stores, World};

/// Both at the same moment.
fn register_both(world: &mut World, phones: [Seat; 2]) {
    for phone in phones {
        world.act(phone, |phone, now| phone.register(now, 300));
    }
}

#[test]
fn two_phones_of_a_user_log_in_at_once() {
    for stores in [Stores::AtOnce, Stores::After(std::time::Duration::from_millis(50))] {
        let mut world = World::new(1);
        world.store("paris", stores);
        let charles = world.registered("202", "london");
        let phones = [world.phone("201", "paris"), world.phone("201", "paris")];
        register_both(&mut world, phones);
        for phone in phones {
            world.await_registration(phone).expect("both are let in");
        }
        let dialled = world.dial(charles, "201");
        for phone in phones {
            world.arrival(phone);
        }
        world.answered(dialled);
        world.end();
    }
}

#[test]
fn a_phone_that_may_not_log_in_takes_no_other_with_it() {
    let mut world = World::new(2);
    let charles = world.registered("202", "london");
    let old = world.registered("201", "paris");
    world.registered("201", "berlin");
    world.pass(1);
    let new = world.phone("201", "paris");
    register_both(&mut world, [old, new]);
    assert_eq!(world.await_registration(old).expect_err("it was displaced").status.0, 403);
    world.await_registration(new).expect("it was not");
    world.talk(charles, "201", new);
    world.end();
}
