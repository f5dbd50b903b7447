//! SPEC 8.4, 8.7, 8.8, 10.1, 10.2: what a person has dialled and heard the tone for counts as any newer login does, whatever the links and
//! clocks do.

use std::time::Duration;

use crate::support::World;

/// 201 sits in Paris when London is cut off; the lease runs out, so that the desk in London rings.
fn cut_off(seed: u64) -> (World, [crate::support::Seat; 3]) {
    let mut world = World::new(seed);
    let (desk, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    let away = world.registered("201", "paris");
    world.cut("london", "paris");
    world.pass(130);
    world.talk(charles, "201", desk);
    (world, [desk, charles, away])
}

#[test]
fn who_has_come_home_by_dialling_after_the_lease_ran_out_stays_at_home() {
    let (mut world, [desk, charles, away]) = cut_off(1);
    world.code(desk, "*35*1201%23");
    world.heal("london", "paris");
    world.pass(60);
    world.talk(charles, "201", desk);
    let refused = world.try_register(away).expect_err("it has lost the user");
    assert!(refused.says("logged in at london"), "{refused:?}");
    world.end();
}

#[test]
fn who_has_come_home_to_a_phone_where_somebody_sat_has_it_and_stays() {
    let (mut world, [desk, charles, _]) = cut_off(2);
    world.code(desk, "*35*203*1203%23");
    world.code(desk, "*35*1201%23");
    world.heal("london", "paris");
    world.pass(60);
    world.register(charles);
    world.talk(charles, "201", desk);
    let nobody = world.dial(charles, "203");
    assert_eq!(world.refused(nobody).status.0, 480);
    world.end();
}

#[test]
fn the_last_who_sat_down_has_the_phone_though_the_clock_was_set_back() {
    let mut world = World::new(3);
    let (phone, charles) = (world.registered("205", "london"), world.registered("202", "london"));
    world.code(phone, "*35*201*1201%23");
    world.set_clock("london", -3_600_000);
    world.code(phone, "*35*203*1203%23");
    world.talk(charles, "203", phone);
    let nobody = world.dial(charles, "201");
    assert_eq!(world.refused(nobody).status.0, 480);
    world.code(phone, "*36");
    world.talk(charles, "205", phone);
    world.end();
}

#[test]
fn a_setting_may_be_changed_after_the_visited_sites_clock_was_set_back() {
    let mut world = World::new(4);
    let (away, charles) = (world.registered("201", "paris"), world.registered("202", "london"));
    world.set_clock("paris", 12_000);
    world.code(away, "*08");
    world.set_clock("paris", -12_000);
    world.run(Duration::from_secs(1));
    world.code(away, "*09");
    world.talk(charles, "201", away);
    world.end();
}

#[test]
fn who_sits_at_a_visitors_phone_still_does_after_a_restart_with_slow_disks() {
    // Whose home answers first differs.
    for (owner, sitter) in [("301", "202"), ("202", "301")] {
        let mut world = World::new(5);
        world.with_disks();
        for site in ["london", "paris", "berlin"] {
            world.store(site, crate::support::Stores::After(Duration::from_millis(80)));
        }
        let (phone, caller) = (world.registered(owner, "berlin"), world.registered("203", "london"));
        world.code(phone, &format!("*35*{sitter}*1{sitter}%23"));
        world.pass(1);
        world.restart("berlin");
        world.pass(10);
        world.register(caller);
        world.talk(caller, sitter, phone);
        world.end();
    }
}
