//! SPEC 8.4, 8.6: time while home itself was down runs no lease out, and each comes back in full.

use std::time::Duration;

use hotdesk::event::{Event, LoggedOutBy};

use crate::support::World;

fn runs_out(world: &World) -> usize {
    let by_lease = |event: &&Event| matches!(event, Event::LoggedOut { by: LoggedOutBy::Lease, .. });
    world.told("london").filter(by_lease).count()
}

#[test]
fn ten_minutes_without_home_end_no_login_and_bring_no_desk_phone_to_steal_it() {
    let mut world = World::new(1);
    world.with_disks();
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.stop("london");
    world.pass(600);
    world.start("london");
    // Both ran out meanwhile, for nobody could refresh them.
    for phone in [charles, desk] {
        world.find(phone, Duration::ZERO, |_| None::<()>);
        world.register(phone);
    }
    // It is the phone that was parked, and stays so: nobody has come home.
    world.talk(charles, "201", away);
    assert!(!world.ever_rang(desk));
    world.end();
}

#[test]
fn the_lease_that_comes_back_is_a_whole_one() {
    let mut world = World::new(2);
    world.with_disks();
    world.registered("201", "paris");
    world.cut("london", "paris");
    world.pass(50);
    world.stop("london");
    world.pass(600);
    world.start("london");
    world.pass(119);
    assert_eq!(runs_out(&world), 0, "120 s from the start on");
    world.pass(2);
    assert_eq!(runs_out(&world), 1);
    world.end();
}
