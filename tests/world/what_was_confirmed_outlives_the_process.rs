//! SPEC 4.5, 8.5, 8.6.

use std::time::Duration;

use hotdesk::settings::Shortage;

use crate::support::{Stores, World};

#[test]
fn a_restarted_site_has_every_binding_that_it_confirmed() {
    let mut world = World::new(1);
    world.with_disks();
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    world.restart("london");
    world.talk(charles, "201", desk);
    world.end();
}

#[test]
fn without_a_disk_it_has_none() {
    let mut world = World::new(1);
    world.registered("201", "london");
    let charles = world.registered("202", "london");
    world.restart("london");
    let dialled = world.dial(charles, "201");
    assert_eq!(world.refused(dialled).status.0, 480);
    world.end();
}

#[test]
fn home_still_knows_where_its_user_is() {
    let mut world = World::new(2);
    world.with_disks();
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.restart("london");
    world.talk(charles, "201", away);
    assert!(!world.ever_rang(desk), "the desk phone is still parked");
    world.unregister(away);
    world.pass(2);
    world.talk(charles, "201", desk);
    world.end();
}

#[test]
fn a_visitor_is_back_as_soon_as_home_has_confirmed_it() {
    let mut world = World::new(3);
    world.with_disks();
    world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.restart("paris");
    world.pass(3);
    world.talk(charles, "201", away);
    // The digests of the visitor are checked again: its calls are its own.
    let jean = world.registered("301", "paris");
    world.talk(away, "301", jean);
    world.end();
}

#[test]
fn a_visitor_does_not_outlive_a_restart_while_home_is_away() {
    let mut world = World::new(4);
    world.with_disks();
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let jean = world.registered("301", "paris");
    let away = world.registered("201", "paris");
    world.cut("london", "paris");
    world.restart("paris");
    world.pass(3);
    let dialled = world.dial(jean, "201");
    assert_ne!(world.refused(dialled).status.0, 404, "the number is known, the user is not here");
    assert!(!world.ever_rang(away));
    world.talk(charles, "201", desk);
    world.heal("london", "paris");
    world.pass(60);
    world.talk(jean, "201", away);
    world.talk(charles, "201", away);
    world.end();
}

#[test]
fn with_survive_restart_it_does() {
    let mut world = World::with(5, |sample| sample.site("paris").hot_desk.survive_restart = true);
    world.with_disks();
    world.registered("201", "london");
    let jean = world.registered("301", "paris");
    let away = world.registered("201", "paris");
    world.cut("london", "paris");
    world.restart("paris");
    world.pass(1);
    world.talk(jean, "201", away);
    world.talk(away, "301", jean);
    world.heal("london", "paris");
    world.end();
}

#[test]
fn a_visitor_who_went_elsewhere_meanwhile_is_not_brought_back() {
    let mut world = World::new(6);
    world.with_disks();
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.stop("paris");
    let further = world.registered("201", "berlin");
    world.start("paris");
    world.pass(60);
    let jean = world.registered("301", "paris");
    world.talk(jean, "201", further);
    world.talk(charles, "201", further);
    assert!(!world.ever_rang(away));
    world.end();
}

#[test]
fn who_waits_for_a_slow_store_is_told_so_and_the_change_is_true_in_the_end() {
    let mut world = World::new(7);
    world.store("london", Stores::After(Duration::from_secs(5)));
    let desk = world.phone("201", "london");
    let refused = world.try_register(desk).expect_err("2 s are over");
    assert_eq!(refused.status.0, 503);
    assert!(refused.says("could not be stored"), "{refused:?}");
    world.pass(10);
    world.store("london", Stores::AtOnce);
    let charles = world.registered("202", "london");
    world.talk(charles, "201", desk);
    world.end();
}

#[test]
fn a_visitor_of_before_the_restart_holds_its_licence_and_gives_it_back() {
    let mut world = World::with(8, |sample| {
        let paris = sample.site("paris");
        paris.hot_desk.licence_shortage = Shortage::Refuse;
        paris.licences = Some([("power".to_string(), 1)].into());
    });
    world.with_disks();
    let ada = world.registered("201", "paris");
    world.restart("paris");
    world.pass(3);
    let emmy = world.phone("401", "paris");
    let refused = world.try_register(emmy).expect_err("the one licence is taken");
    assert!(refused.says("no free licence"), "{refused:?}");
    world.unregister(ada);
    world.pass(2);
    world.register(emmy);
    world.end();
}
