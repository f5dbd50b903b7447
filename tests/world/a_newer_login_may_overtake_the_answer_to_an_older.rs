//! SPEC 5.5: home's word that a login has ended may reach the visited site before home's word that it was taken.

use std::time::Duration;

use crate::support::World;

#[test]
fn a_newer_login_may_overtake_the_answer_to_an_older() {
    let mut world = World::new(1);
    let charles = world.registered("202", "london");
    let away = world.phone("201", "paris");
    world.act(away, |phone, now| phone.register(now, 300));
    // The login arrives, its answer does not: it is asked for again after 0.5, 1.5 and 3.5 s.
    assert!(world.run_until(Duration::from_secs(1), |world| world.has_sent("paris", "london", b"MESSAGE")));
    world.cut("london", "paris");
    world.run(Duration::from_millis(1600));
    let desk = world.registered("201", "london");
    world.heal("london", "paris");

    let refused = world.await_registration(away).expect_err("the user is at home again");
    assert!(refused.status.0 == 403 && refused.says("logged in at london"), "{refused:?}");
    assert!(world.location("paris").is_empty(), "nobody is logged in at Paris");
    world.talk(charles, "201", desk);
    world.end();
}
