//! SPEC 5.5.

use crate::support::World;

#[test]
fn a_login_at_a_third_site_displaces_the_second() {
    let mut world = World::new(1);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let paris = world.registered("201", "paris");
    world.chapter();
    let berlin = world.registered("201", "berlin");
    world.pass(1);
    insta::assert_snapshot!("displacement", world.ladder());
    world.talk(charles, "201", berlin);

    let refused = world.try_register(paris).expect_err("the next REGISTER of the displaced phone is refused");
    assert_eq!(refused.status.0, 403);
    assert!(refused.says("logged in at berlin"), "{refused:?}");
    world.talk(charles, "201", berlin);
    assert!(!world.ever_rang(paris) && !world.ever_rang(desk));

    // A new Call-ID is a person's new login.
    world.try_register_anew(paris).expect("it takes over");
    world.talk(charles, "201", paris);
    world.end();
}
