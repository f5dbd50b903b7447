//! SPEC 5.2, 8.1, 8.3.

use std::time::Duration;

use crate::support::{Line, LineClass, World};

#[test]
fn the_parked_phone_rings_when_the_visited_site_is_silent() {
    let mut world = World::new(1);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.cut("london", "paris");
    world.chapter();
    let before = world.now();
    let dialled = world.dial(charles, "201");
    let arrival = world.arrival(desk);
    let waited = world.now() - before;
    assert!(waited >= Duration::from_secs(2) && waited < Duration::from_millis(2_500), "{waited:?}");
    world.answered(dialled);
    world.confirmed(&arrival);
    insta::assert_snapshot!("parked_phone", world.ladder());
    assert!(!world.ever_rang(away));
    world.end();
}

#[test]
fn without_a_parked_phone_the_caller_is_told() {
    let mut world = World::new(2);
    let charles = world.registered("202", "london");
    world.registered("203", "paris");
    world.cut("london", "paris");
    let dialled = world.dial(charles, "203");
    assert_eq!(world.refused(dialled).status.0, 480, "SPEC 8.3");
    world.end();
}

#[test]
fn a_login_needs_the_home_site() {
    let mut world = World::new(3);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    world.cut("london", "paris");
    let away = world.phone("201", "paris");
    let refused = world.try_register(away).expect_err("the home site cannot be asked");
    assert_eq!(refused.status.0, 504);
    assert!(refused.says("london cannot be reached"), "{refused:?}");
    world.talk(charles, "201", desk);
    world.heal("london", "paris");
    world.pass(20);
    world.register(away);
    world.talk(charles, "201", away);
    world.end();
}

#[test]
fn an_answer_that_is_only_slow_still_counts() {
    let mut world = World::new(4);
    world.registered("201", "london");
    let charles = world.registered("202", "london");
    world.lines(LineClass::Sites, Line::clean(800));
    let away = world.registered("201", "paris");
    world.talk(charles, "201", away);
    world.end();
}
