//! SPEC 8.2-8.6: losing a site, and meeting it again.

use std::time::Duration;

use hotdesk::event::{Event, LoggedOutBy};

use crate::support::World;

#[test]
fn the_visitor_works_on_while_home_is_gone() {
    let mut world = World::new(1);
    let away = world.registered("201", "paris");
    let marie = world.registered("301", "paris");
    world.stop("london");
    world.pass(600);
    world.talk(marie, "201", away);
    world.talk(away, "00145678901", world.carrier("orange"));
}

#[test]
fn a_lease_runs_out_and_they_meet_again() {
    let mut world = World::new(2);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.cut("london", "paris");
    world.pass(130);
    let ended = |event: &Event| matches!(event, Event::LoggedOut { by: LoggedOutBy::Lease, .. });
    assert!(world.told("london").any(ended), "the lease of 120 s ran out");
    let before = world.now();
    world.talk(charles, "201", desk);
    assert!(world.now() - before < Duration::from_secs(3), "nobody is waited for");
    world.heal("london", "paris");
    world.pass(120);
    world.talk(charles, "201", away);
    world.end();
}

#[test]
fn a_visitor_does_not_outlive_a_newer_login() {
    let mut world = World::new(3);
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.cut("london", "paris");
    let elsewhere = world.registered("201", "berlin");
    world.talk(charles, "201", elsewhere);
    world.heal("london", "paris");
    world.pass(150);
    world.talk(charles, "201", elsewhere);
    let refused = world.try_register(away).expect_err("it was displaced while Paris could not be told");
    assert!(refused.status.0 == 403 && refused.says("logged in at berlin"), "{refused:?}");
    world.end();
}

#[test]
fn home_learns_from_the_renewals_after_a_restart() {
    let mut world = World::new(4);
    let away = world.registered("201", "paris");
    world.restart("london");
    let charles = world.registered("202", "london");
    world.pass(120);
    world.talk(charles, "201", away);
    world.end();
}

#[test]
fn a_restarted_visited_site_is_registered_at_anew() {
    let mut world = World::new(5);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.restart("paris");
    world.pass(1);
    let dialled = world.dial(charles, "201");
    world.arrival(desk);
    world.answered(dialled);
    world.pass(1);
    world.register(away);
    world.talk(charles, "201", away);
    world.end();
}
