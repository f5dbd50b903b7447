//! SPEC 12.5, 12.2: the phone's next refresh is refused as in 5.5, and a person may come again.

use std::time::Duration;

use hotdesk::event::{Event, LoggedOutBy};
use hotdesk::ids::Extension;
use hotdesk::node::Command;

use crate::support::World;

fn log_out(world: &mut World, site: &str, user: &str) {
    world.command(site, Command::LogOut(Extension::new(user)));
    world.pass(1);
}

fn ended(world: &World, site: &str) -> Vec<LoggedOutBy> {
    let by = |event: &Event| match event {
        Event::LoggedOut { by, .. } => Some(*by),
        _ => None,
    };
    world.told(site).filter_map(by).collect()
}

#[test]
fn at_home_every_phone_loses_the_user() {
    let mut world = World::new(1);
    let phones = [world.registered("201", "london"), world.registered("201", "london")];
    let charles = world.registered("202", "london");
    world.subscribes(phones[0], "reg", 3000);
    world.hears(phones[0]);
    log_out(&mut world, "london", "201");
    assert_eq!(world.hears(phones[0]).0, "terminated;reason=rejected");
    let dialled = world.dial(charles, "201");
    assert_eq!(world.refused(dialled).status.0, 480);
    for phone in phones {
        let refused = world.try_register(phone).expect_err("logged out");
        assert!(refused.status.0 == 403 && refused.says("logged out by the operator"), "{refused:?}");
    }
    assert_eq!(ended(&world, "london"), [LoggedOutBy::Operator]);
    world.try_register_anew(phones[0]).expect("a person logs in again");
    world.talk(charles, "201", phones[0]);
    world.end();
}

#[test]
fn from_home_a_login_elsewhere_ends_and_the_desk_phone_rings_again() {
    let mut world = World::new(2);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.subscribes(away, "reg", 3000);
    world.hears(away);
    log_out(&mut world, "london", "201");
    assert_eq!(world.hears(away).0, "terminated;reason=rejected");
    assert!(world.location("paris").record("201").is_none());
    let refused = world.try_register(away).expect_err("logged out");
    assert!(refused.says("logged out by the operator"), "{refused:?}");
    world.talk(charles, "201", desk);
    assert!(!world.ever_rang(away));
    world.end();
}

#[test]
fn at_the_visited_site_home_is_told_and_keeps_the_phone_out() {
    let mut world = World::new(3);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    log_out(&mut world, "paris", "201");
    assert_eq!(
        (ended(&world, "paris"), ended(&world, "london")),
        (vec![LoggedOutBy::Operator], vec![LoggedOutBy::Operator])
    );
    let refused = world.try_register(away).expect_err("logged out");
    assert!(refused.says("logged out by the operator"), "{refused:?}");
    world.talk(charles, "201", desk);
    world.try_register_anew(away).expect("a person logs in again");
    world.talk(charles, "201", away);
    world.end();
}

#[test]
fn a_cut_between_the_sites_only_delays_it() {
    let mut world = World::new(4);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.cut("london", "paris");
    log_out(&mut world, "london", "201");
    assert!(world.location("paris").record("201").is_some(), "nobody could tell it");
    world.heal("london", "paris");
    world.run(Duration::from_secs(60));
    assert!(world.location("paris").record("201").is_none());
    world.talk(charles, "201", desk);
    assert!(world.try_register(away).is_err());
    world.end();
}

#[test]
fn who_is_logged_in_nowhere_stays_so() {
    let mut world = World::new(5);
    let phone = world.phone("201", "london");
    log_out(&mut world, "london", "201");
    log_out(&mut world, "paris", "201");
    assert_eq!((ended(&world, "london").len(), ended(&world, "paris").len()), (0, 0));
    world.register(phone);
    world.end();
}

#[test]
fn a_lease_that_ran_out_before_home_was_sure_of_the_newest_login_lets_no_phone_in() {
    let mut world = World::new(6);
    let charles = world.registered("202", "london");
    let (phone, sophie) = (world.registered("201", "paris"), world.registered("302", "paris"));
    world.pass(61);
    // London takes the second login, and does not hear that Paris has.
    world.code(sophie, "*35*201*1201%23");
    world.cut("london", "paris");
    world.pass(125);
    log_out(&mut world, "paris", "201");
    world.heal("london", "paris");
    world.pass(40);
    let refused = world.try_register(phone).expect_err("logged out");
    assert!(refused.status.0 == 403 && refused.says("logged out by the operator"), "{refused:?}");
    world.register(charles);
    world.end();
}

#[test]
fn a_visitor_whom_home_has_not_confirmed_since_a_restart_does_not_come_back() {
    let mut world = World::new(8);
    world.with_disks();
    let (desk, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    let away = world.registered("201", "paris");
    world.cut("london", "paris");
    world.restart("paris");
    world.pass(1);
    log_out(&mut world, "paris", "201");
    assert_eq!(ended(&world, "paris"), [LoggedOutBy::Operator]);
    world.heal("london", "paris");
    world.pass(60);
    let refused = world.try_register(away).expect_err("logged out");
    assert!(refused.status.0 == 403 && refused.says("logged out by the operator"), "{refused:?}");
    world.talk(charles, "201", desk);
    world.end();
}
