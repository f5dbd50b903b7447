//! SPEC 9.2: a site that is just logging a user in does not deny the user, for home would end that login.

use std::time::Duration;

use crate::support::World;

#[test]
fn a_call_may_overtake_the_answer_to_a_login() {
    let mut world = World::new(1);
    let charles = world.registered("202", "london");
    let away = world.phone("201", "paris");
    world.act(away, |phone, now| phone.register(now, 300));
    // The login arrives, its answer does not: it is asked for again after 0.5, 1.5 and 3.5 s.
    assert!(world.run_until(Duration::from_secs(1), |world| world.has_sent("paris", "london", b"MESSAGE")));
    world.cut("london", "paris");
    world.run(Duration::from_millis(1600));
    let dialled = world.dial(charles, "201");
    world.run(Duration::from_millis(100));
    world.heal("london", "paris");

    assert_eq!(world.refused(dialled).status.0, 480);
    world.await_registration(away).expect("the login goes on");
    world.talk(charles, "201", away);
    world.end();
}
