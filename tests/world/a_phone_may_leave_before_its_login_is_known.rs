//! SPEC 5.2, 5.7, 8.5: what a visitor's phone is told about its binding is true, also while home is still being asked.
//!
//! A simulated phone that asks for two things at once complains of the first answer: those scenarios do not end as others do.

use std::time::Duration;

use hotdesk::phone::PhoneEvent;

use crate::support::{Seat, Stores, World};

fn is_at_paris(world: &World) -> bool {
    world.location("paris").record("201").is_some()
}

fn is_out(world: &World, seat: Seat) -> bool {
    world.events(seat).any(|event| matches!(event, PhoneEvent::Unregistered { .. }))
}

#[test]
fn one_that_leaves_after_a_restart_that_home_has_not_heard_of_is_not_told_that_it_is_out() {
    let mut world = World::new(1);
    world.with_disks();
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.cut("london", "paris");
    world.restart("paris");
    world.pass(1);
    world.act(away, |phone, now| phone.unregister(now));
    let refused = world.await_registration(away).expect_err("its binding may come back");
    assert!(refused.status.0 == 504 && refused.says("home site london"), "{refused:?}");
    world.heal("london", "paris");
    world.pass(60);
    world.talk(charles, "201", away);
    world.unregister(away);
    world.pass(2);
    assert!(!is_at_paris(&world));
    world.talk(charles, "201", desk);
    world.end();
}

#[test]
fn one_that_leaves_while_home_is_asked_about_its_login_is_out_behind_it() {
    let mut world = World::new(2);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.phone("201", "paris");
    world.store("london", Stores::After(Duration::from_secs(1)));
    world.act(away, |phone, now| phone.register(now, 300));
    world.run(Duration::from_millis(100));
    world.act(away, |phone, now| phone.unregister(now));
    assert!(world.run_until(Duration::from_secs(5), |world| is_out(world, away)), "it is answered");
    world.pass(5);
    assert!(!is_at_paris(&world), "who was told to be out is out");
    world.talk(charles, "201", desk);
}

#[test]
fn one_whose_login_is_refused_takes_nothing_out() {
    let mut world = World::with(3, |sample| sample.site("paris").licences = Some([].into()));
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.phone("201", "paris");
    world.store("london", Stores::After(Duration::from_secs(1)));
    world.act(away, |phone, now| phone.register(now, 300));
    world.run(Duration::from_millis(5));
    world.act(away, |phone, now| phone.unregister(now));
    assert!(world.run_until(Duration::from_secs(5), |world| is_out(world, away)), "it is answered");
    world.pass(5);
    assert!(!is_at_paris(&world));
    world.talk(charles, "201", desk);
}
