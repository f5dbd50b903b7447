//! SPEC 4.1, 9.1: the plain story inside one site.

use crate::support::World;

#[test]
fn a_phone_registers_and_is_called() {
    let mut world = World::new(1);
    let ada = world.registered("201", "london");
    let charles = world.registered("202", "london");
    insta::assert_snapshot!("registering", world.ladder());

    world.chapter();
    let arrival = world.talk(charles, "201", ada);
    insta::assert_snapshot!("calling", world.ladder());
    assert_eq!(arrival.uri, world.look(ada).contact_uri());
    assert!(arrival.asserted.is_some_and(|identity| identity.starts_with("sip:202@")), "SPEC 9.4");
    world.end();
}
