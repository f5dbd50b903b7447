//! SPEC 5.9, 7.3, 10.1, 10.4: who does not know the code, or may not, is told so, and nothing has changed.

use std::time::Duration;

use hotdesk::settings::{DeviceLimit, Shortage};
use hotdesk::sip::Status;

use crate::support::{Failure, Seat, Stores, World};

/// The last thing that a phone hears of a login that is not taken.
fn wrong(world: &mut World, phone: Seat, code: &str) -> Failure {
    let failure = world.code_refused(phone, code);
    assert!(failure.status == Status::FORBIDDEN && failure.says("wrong code"), "{failure:?}");
    failure
}

#[test]
fn a_wrong_code_and_an_unknown_number_are_told_alike() {
    let mut world = World::new(1);
    let (phone, sophie) = (world.registered("205", "london"), world.registered("302", "paris"));
    let first = wrong(&mut world, phone, "*35*201*1202%23");
    // 206 has no code, 299 is nobody, 777 is no number of the network.
    for code in ["*35*206*1206%23", "*35*299*1234%23", "*35*777*1234%23"] {
        let mut world = World::new(2);
        let phone = world.registered("205", "london");
        assert_eq!(wrong(&mut world, phone, code), first, "{code}");
        world.end();
    }
    wrong(&mut world, sophie, "*35*201*1202%23");
    world.code(phone, "*35*201*1201%23");
    world.end();
}

#[test]
fn four_wrong_codes_lock_the_phone_for_everybody_and_the_lock_doubles() {
    let mut world = World::new(3);
    let phone = world.registered("205", "london");
    for lock in [90, 180] {
        for user in ["201", "202", "203", "204"] {
            wrong(&mut world, phone, &format!("*35*{user}*9999%23"));
        }
        wrong(&mut world, phone, "*35*201*1201%23");
        // Codes that do not help take their time too.
        world.pass(lock - 2);
        wrong(&mut world, phone, "*35*201*1201%23");
        world.pass(3);
        world.register(phone);
    }
    world.code(phone, "*35*201*1201%23");
    world.end();
}

#[test]
fn wrong_codes_for_a_user_are_counted_at_home_over_all_sites() {
    let mut world = World::new(4);
    let phones = [
        world.registered("205", "london"),
        world.registered("302", "paris"),
        world.registered("303", "paris"),
        world.registered("402", "berlin"),
    ];
    for phone in phones {
        wrong(&mut world, phone, "*35*201*9999%23");
    }
    let fresh = world.registered("403", "berlin");
    wrong(&mut world, fresh, "*35*201*1201%23");
    world.code(fresh, "*35*202*1202%23");
    world.code(fresh, "*36");
    world.pass(91);
    world.code(fresh, "*35*201*1201%23");
    world.end();
}

#[test]
fn a_wrong_code_counts_whatever_it_is_dialled_for() {
    let mut world = World::new(15);
    let (ada, phone) = (world.registered("201", "london"), world.registered("205", "london"));
    for (dialled, by) in
        [("*59*9999%23", ada), ("*35*201*9999%23", phone), ("*60*9999*1%23", ada), ("*59*9999%23", ada)]
    {
        wrong(&mut world, by, dialled);
    }
    wrong(&mut world, ada, "*59*1201%23");
    wrong(&mut world, phone, "*35*201*1201%23");
    world.pass(91);
    world.code(phone, "*35*201*1201%23");
    world.end();
}

#[test]
fn a_right_code_wipes_what_is_counted_of_the_user() {
    let mut world = World::new(5);
    let phones = ["203", "204", "205"].map(|user| world.registered(user, "london"));
    for phone in phones {
        wrong(&mut world, phone, "*35*201*9999%23");
    }
    world.code(phones[0], "*35*201*1201%23");
    for phone in phones {
        wrong(&mut world, phone, "*35*201*9999%23");
    }
    world.code(phones[1], "*35*201*1201%23");
    world.end();
}

#[test]
fn a_home_that_can_not_be_reached_is_named_and_nothing_has_changed() {
    let mut world = World::new(6);
    let (desk, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    let (sophie, jean) = (world.registered("302", "paris"), world.registered("303", "paris"));
    world.cut("london", "paris");
    let refused = world.code_refused(sophie, "*35*201*1201%23");
    assert_eq!(refused.status, Status::SERVER_TIMEOUT);
    assert!(refused.says("home site london cannot be reached"), "{refused:?}");
    world.talk(jean, "302", sophie);
    world.heal("london", "paris");
    world.pass(30);
    world.talk(charles, "201", desk);
    world.end();
}

#[test]
fn a_home_that_dies_in_the_middle_undoes_what_nobody_was_told() {
    let mut world = World::new(7);
    world.with_disks();
    let (desk, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    let sophie = world.registered("302", "paris");
    // Home takes the login and stores it; its answer is lost with its process.
    world.store("london", Stores::After(Duration::from_millis(50)));
    let dialled = world.dial(sophie, "*35*201*1201%23");
    let asked = |world: &World| world.has_sent("paris", "london", b"MESSAGE sip:201@");
    assert!(world.run_until(Duration::from_secs(1), asked));
    world.run(Duration::from_millis(30));
    world.stop("london");
    assert_eq!(world.refused(dialled).status, Status::SERVER_TIMEOUT);
    world.store("london", Stores::AtOnce);
    world.start("london");
    world.pass(60);
    world.register(desk);
    world.register(charles);
    world.talk(charles, "201", desk);
    world.end();
}

#[test]
fn who_hangs_up_while_home_is_asked_is_not_logged_in() {
    let mut world = World::new(8);
    let (desk, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    let (sophie, jean) = (world.registered("302", "paris"), world.registered("303", "paris"));
    world.store("london", Stores::After(Duration::from_millis(500)));
    let dialled = world.dial(sophie, "*35*201*1201%23");
    world.run(Duration::from_millis(100));
    world.act(sophie, |phone, now| phone.cancel(now, dialled.call));
    assert_eq!(world.refused(dialled).status, Status::REQUEST_TERMINATED);
    world.pass(5);
    world.talk(charles, "201", desk);
    world.talk(jean, "302", sophie);
    world.end();
}

#[test]
fn who_hangs_up_while_it_is_written_down_is_logged_in() {
    let mut world = World::new(9);
    let (phone, charles) = (world.registered("205", "london"), world.registered("202", "london"));
    world.store("london", Stores::After(Duration::from_millis(500)));
    let dialled = world.dial(phone, "*35*201*1201%23");
    world.run(Duration::from_millis(100));
    world.act(phone, |phone, now| phone.cancel(now, dialled.call));
    world.code_done(dialled);
    world.talk(charles, "201", phone);
    world.end();
}

#[test]
fn what_can_not_be_stored_is_not_done() {
    let mut world = World::new(10);
    let (phone, charles) = (world.registered("205", "london"), world.registered("202", "london"));
    world.store("london", Stores::Failing);
    let refused = world.code_refused(phone, "*35*201*1201%23");
    assert!(refused.status == Status::SERVER_INTERNAL_ERROR && refused.says("could not be stored"), "{refused:?}");
    world.store("london", Stores::After(Duration::from_secs(3)));
    assert_eq!(world.code_refused(phone, "*35*203*1203%23").status, Status::SERVICE_UNAVAILABLE);
    world.store("london", Stores::AtOnce);
    world.pass(5);
    let nobody = world.dial(charles, "201");
    assert_eq!(world.refused(nobody).status, Status::TEMPORARILY_UNAVAILABLE);
    world.end();
}

#[test]
fn on_bad_lines_a_login_is_one_login() {
    let mut world = World::new(11);
    let (phone, charles) = (world.registered("205", "london"), world.registered("202", "london"));
    let sophie = world.registered("302", "paris");
    world.all_lines(crate::support::Line::bad(10, 100));
    for (phone, user, code) in [(phone, "203", "1203"), (sophie, "201", "1201")] {
        let dialled = world.dial(phone, &format!("*35*{user}*{code}%23"));
        world.answered(dialled);
        world.pass(3);
    }
    world.all_lines(crate::support::Line::clean(5));
    world.pass(40);
    let logins = |site: &str| {
        let is_login = |event: &&hotdesk::event::Event| matches!(event, hotdesk::event::Event::LoggedIn { .. });
        world.told(site).filter(is_login).count()
    };
    assert_eq!((logins("london"), logins("paris")), (2, 1), "203 at home, 201 as home and as Paris see it");
    world.talk(charles, "203", phone);
    world.talk(charles, "201", sophie);
    world.end();
}

#[test]
fn a_site_without_a_licence_or_without_visitors_says_so() {
    let mut world = World::with(12, |sample| {
        let paris = sample.site("paris");
        paris.hot_desk.licence_shortage = Shortage::Refuse;
        paris.licences = Some([("power".to_string(), 1)].into());
        sample.site("berlin").hot_desk.visitors = false;
    });
    let phones = [world.registered("302", "paris"), world.registered("303", "paris")];
    world.code(phones[0], "*35*201*1201%23");
    let refused = world.code_refused(phones[1], "*35*401*1401%23");
    assert!(refused.status == Status::FORBIDDEN && refused.says("no free licence for profile power"), "{refused:?}");
    world.code(phones[0], "*36");
    world.pass(1);
    world.code(phones[1], "*35*401*1401%23");
    let berlin = world.registered("402", "berlin");
    assert!(world.code_refused(berlin, "*35*201*1201%23").says("this site takes no visitors"));
    world.end();
}

#[test]
fn one_phone_too_many_takes_the_place_of_the_oldest_or_is_refused() {
    for limit in [DeviceLimit::Displace, DeviceLimit::Refuse] {
        let mut world = World::with(13, |sample| {
            sample.network.profiles.get_mut("power").expect("a profile").devices = 1;
            sample.site("london").registrar.device_limit = limit;
        });
        let (own, charles) = (world.registered("201", "london"), world.registered("202", "london"));
        let phone = world.registered("205", "london");
        if limit == DeviceLimit::Refuse {
            let refused = world.code_refused(phone, "*35*201*1201%23");
            assert!(refused.says("only 1 device at a time"), "{refused:?}");
            world.talk(charles, "201", own);
        } else {
            world.code(phone, "*35*201*1201%23");
            world.talk(charles, "201", phone);
            assert!(!world.ever_rang(own));
            assert_eq!(world.try_register(own).expect_err("another phone has taken over").status, Status::FORBIDDEN);
        }
        world.end();
    }
}

#[test]
fn a_phone_that_is_not_registered_has_nothing_to_ring() {
    let mut world = World::new(14);
    let phone = world.phone("205", "london");
    assert!(world.code_refused(phone, "*35*201*1201%23").says("this phone is not registered here"));
    world.end();
}

#[test]
fn a_code_is_known_by_its_hash_too() {
    let hash = "5d2b9d8bd87a1b5cdfb6a4e7b2a2f1c0f6d1b1a7b0d2c3e4f5a6b7c8d9e0f1a2";
    let mut world = World::with(15, |sample| {
        sample.user("201").login_code = Some(hotdesk::settings::LoginCode::Hash(hash.into()));
        sample.user("203").login_code =
            Some(hotdesk::settings::LoginCode::Hash(hotdesk::config::ha1_sha256("203", "hotdesk.example", "8642")));
    });
    let phone = world.registered("205", "london");
    wrong(&mut world, phone, "*35*201*1201%23");
    world.code(phone, "*35*203*8642%23");
    world.end();
}
