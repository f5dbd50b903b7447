//! SPEC 5.6, 5.7.

use std::time::Duration;

use crate::support::World;

#[test]
fn a_logout_brings_the_parked_phone_back() {
    let mut world = World::new(1);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.chapter();
    world.unregister(away);
    world.pass(1);
    insta::assert_snapshot!("logout", world.ladder());
    world.talk(charles, "201", desk);
    assert!(!world.ever_rang(away));
    world.end();
}

#[test]
fn an_expired_login_is_a_logout() {
    let mut world = World::new(2);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.switch_off(away);
    world.pass(310);
    world.talk(charles, "201", desk);
    world.end();
}

#[test]
fn a_parked_phone_stays_parked_when_it_refreshes_reboots_or_un_registers() {
    let mut world = World::new(3);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.register(desk);
    world.talk(charles, "201", away);
    world.act(desk, |phone, _| phone.reboot());
    world.register(desk);
    world.talk(charles, "201", away);
    world.act(desk, |phone, now| phone.unregister(now));
    world.pass(2);
    world.act(desk, |phone, _| phone.reboot());
    world.register(desk);
    world.talk(charles, "201", away);
    assert!(!world.ever_rang(desk));
    world.end();
}

#[test]
fn a_new_phone_at_home_is_a_login_at_home() {
    let mut world = World::new(4);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    let second = world.registered("201", "london");
    world.pass(1);
    let dialled = world.dial(charles, "201");
    world.arrival(desk);
    world.arrival(second);
    world.answered(dialled);
    assert!(!world.ever_rang(away), "SPEC 5.6: the parked bindings ring again beside the new one");
    let refused = world.try_register(away).expect_err("it was displaced");
    assert!(refused.status.0 == 403 && refused.says("logged in at london"), "{refused:?}");
    world.run(Duration::from_secs(5));
    world.end();
}
