//! SPEC 4.2, 5.5: a phone that has lost its user at a site does not get the user back because another phone logs in there.

use hotdesk::sip::Status;

use crate::support::{Sample, Seat, Stores, World};

fn kept_out(world: &mut World, seat: Seat) {
    let refused = world.try_register(seat).expect_err("kept out");
    assert!(refused.status == Status::FORBIDDEN && refused.says("another phone has taken over"), "{refused:?}");
}

fn two_devices(sample: &mut Sample) {
    sample.network.profiles.get_mut("power").expect("a profile").devices = 2;
}

#[test]
fn the_phone_left_behind_when_the_user_went_elsewhere() {
    let mut world = World::new(1);
    let charles = world.registered("202", "london");
    let left_behind = world.registered("201", "paris");
    let elsewhere = world.registered("201", "berlin");
    world.pass(1);
    let here = world.registered("201", "paris");
    kept_out(&mut world, left_behind);
    world.pass(200);
    kept_out(&mut world, left_behind);
    world.talk(charles, "201", here);
    assert!(!world.ever_rang(left_behind) && !world.ever_rang(elsewhere));
    // A person at that phone, and one who takes it out.
    world.try_register_anew(left_behind).expect("a new Call-ID is a person");
    world.unregister(left_behind);
    world.register(left_behind);
    world.end();
}

#[test]
fn neither_does_a_login_by_dialling_bring_it_back() {
    let mut world = World::with(2, |_| {});
    let charles = world.registered("202", "london");
    let left_behind = world.registered("201", "paris");
    world.registered("201", "berlin");
    let sophie = world.registered("302", "paris");
    world.code(sophie, "*35*201*1201%23");
    kept_out(&mut world, left_behind);
    world.talk(charles, "201", sophie);

    // What un-registers is kept out no more, as home is told too.
    let jean = world.registered("303", "paris");
    world.unregister(left_behind);
    world.pass(1);
    world.code(jean, "*35*201*1201%23");
    world.register(left_behind);
    world.end();
}

#[test]
fn the_phone_that_had_to_go_for_one_too_many() {
    let mut world = World::with(3, two_devices);
    let [first, second, third] = [(); 3].map(|()| world.registered("201", "paris"));
    kept_out(&mut world, first);
    let sophie = world.registered("302", "paris");
    world.code(sophie, "*35*201*1201%23");
    kept_out(&mut world, first);
    kept_out(&mut world, second);
    world.register(third);
    world.end();
}

#[test]
fn nor_does_a_restart() {
    let mut world = World::with(4, two_devices);
    world.with_disks();
    let [first, second, third] = [(); 3].map(|()| world.registered("201", "paris"));
    world.restart("paris");
    world.pass(10);
    kept_out(&mut world, first);
    for seat in [second, third] {
        world.register(seat);
    }
    world.end();
}

#[test]
fn once_everybody_has_left_it_is_forgotten() {
    let mut world = World::with(5, two_devices);
    let [first, second, third] = [(); 3].map(|()| world.registered("201", "paris"));
    for seat in [second, third] {
        world.unregister(seat);
    }
    world.pass(1);
    world.register(first);
    world.end();
}

#[test]
fn who_takes_it_out_is_told_so_once_that_is_stored() {
    let mut world = World::with(6, two_devices);
    let [first, second, third] = [(); 3].map(|()| world.registered("201", "paris"));
    world.store("paris", Stores::Failing);
    world.act(first, |phone, now| phone.unregister(now));
    let refused = world.await_registration(first).expect_err("not stored");
    assert_eq!(refused.status.0, 500);
    world.store("paris", Stores::AtOnce);
    kept_out(&mut world, first);
    world.unregister(first);
    world.register(first);
    let _ = (second, third);
    world.end();
}
