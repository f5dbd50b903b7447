//! SPEC 10.1, 10.2: *35*201*1201# at any registered phone, at home or at another site; *36 gives the phone back.

use std::time::Duration;

use hotdesk::sip::Status;

use crate::support::{Seat, Stores, World};

/// Who calls, as the called phone is told.
fn identity(world: &mut World, caller: Seat, number: &str, callee: Seat) -> String {
    world.talk(caller, number, callee).asserted.unwrap_or_default()
}

#[test]
fn at_home_the_phone_is_that_users_until_logout() {
    let mut world = World::new(1);
    let (phone, charles) = (world.registered("205", "london"), world.registered("202", "london"));
    world.chapter();
    assert_eq!(world.code(phone, "*35*201*1201%23").len(), 50, "a tone");
    insta::assert_snapshot!("login", world.ladder());
    world.talk(charles, "201", phone);
    assert!(identity(&mut world, phone, "202", charles).contains("sip:201@"));
    let nobody = world.dial(charles, "205");
    assert_eq!(world.refused(nobody).status, Status::TEMPORARILY_UNAVAILABLE, "the phone's own user is displaced");

    world.code(phone, "*36");
    world.talk(charles, "205", phone);
    assert!(identity(&mut world, phone, "202", charles).contains("sip:205@"));
    let nobody = world.dial(charles, "201");
    assert_eq!(world.refused(nobody).status, Status::TEMPORARILY_UNAVAILABLE);
    world.end();
}

#[test]
fn at_another_site_home_checks_the_pin_and_calls_follow() {
    for stores in [Stores::AtOnce, Stores::After(Duration::from_millis(40))] {
        let mut world = World::new(2);
        world.store("paris", stores);
        world.store("london", stores);
        let (desk, charles) = (world.registered("201", "london"), world.registered("202", "london"));
        let (sophie, jean) = (world.registered("302", "paris"), world.registered("303", "paris"));
        world.chapter();
        world.code(sophie, "*35*201*1201%23");
        if stores == Stores::AtOnce {
            insta::assert_snapshot!("visiting", world.ladder());
        }
        world.talk(charles, "201", sophie);
        world.talk(jean, "201", sophie);
        assert!(!world.ever_rang(desk));
        assert!(identity(&mut world, sophie, "303", jean).contains("sip:201@london.example"));
        // What the visitor dials goes by the Paris plan, in the visitor's name.
        let orange = world.carrier("orange");
        let out = world.dial(sophie, "00199000999");
        let arrival = world.arrival(orange);
        world.answered(out);
        world.hang_up((sophie, out.call), (orange, arrival.call));

        world.code(sophie, "*36");
        world.pass(1);
        world.talk(charles, "201", desk);
        world.talk(jean, "302", sophie);
        assert!(identity(&mut world, sophie, "303", jean).contains("sip:302@paris.example"));
        world.end();
    }
}

#[test]
fn a_desk_of_nobody_logs_in_and_does_nothing_else() {
    let mut world = World::new(3);
    let (desk, charles) = (world.registered("desk-7", "london"), world.registered("202", "london"));
    let refused = world.code_refused(desk, "202");
    assert!(refused.status == Status::FORBIDDEN && refused.says("log in first"), "{refused:?}");
    assert!(world.code_refused(desk, "*36").says("nobody is logged in at this phone"));
    assert!(world.code_refused(desk, "*35*1201%23").says("this desk has no user of its own"));
    for (user, code) in [("201", "1201"), ("301", "1301")] {
        world.code(desk, &format!("*35*{user}*{code}%23"));
        world.talk(charles, user, desk);
        assert!(identity(&mut world, desk, "202", charles).contains(&format!("sip:{user}@")));
        world.code(desk, "*36");
        assert_eq!(world.code_refused(desk, "202").status, Status::FORBIDDEN);
    }
    // Help needs nobody.
    let bt = world.carrier("bt");
    let help = world.dial(desk, "999");
    let arrival = world.arrival(bt);
    world.answered(help);
    world.hang_up((desk, help.call), (bt, arrival.call));
    world.end();
}

#[test]
fn a_desk_that_is_taken_out_of_the_plan_rings_for_nobody() {
    let mut world = World::new(31);
    let (desk, charles) = (world.registered("desk-7", "london"), world.registered("202", "london"));
    world.code(desk, "*35*201*1201%23");
    world.talk(charles, "201", desk);
    world.reload("london", |sample| drop(sample.site("london").desks.remove("desk-7")));
    let call = world.dial(charles, "201");
    assert_eq!(world.refused(call).status, Status::TEMPORARILY_UNAVAILABLE);
    assert!(world.try_register(desk).is_err());
    world.end();
}

#[test]
fn one_user_after_another_sits_at_a_phone_and_only_the_last_has_it() {
    let mut world = World::new(4);
    let (phone, charles) = (world.registered("205", "london"), world.registered("202", "london"));
    world.code(phone, "*35*201*1201%23");
    world.code(phone, "*35*203*1203%23");
    world.pass(1);
    world.talk(charles, "203", phone);
    let nobody = world.dial(charles, "201");
    assert_eq!(world.refused(nobody).status, Status::TEMPORARILY_UNAVAILABLE);
    world.code(phone, "*35*301*1301%23");
    world.pass(1);
    world.talk(charles, "301", phone);
    world.code(phone, "*36");
    world.talk(charles, "205", phone);
    world.end();
}

#[test]
fn the_phones_own_user_takes_it_back_with_the_own_code() {
    let mut world = World::new(5);
    let (phone, charles) = (world.registered("205", "london"), world.registered("202", "london"));
    world.code(phone, "*35*201*1201%23");
    assert!(world.code_refused(phone, "*35*9999%23").says("wrong code"));
    world.talk(charles, "201", phone);
    world.code(phone, "*35*1205%23");
    world.pass(1);
    world.talk(charles, "205", phone);
    // Nobody else is there: there is nothing to end, and the code is right all the same.
    world.code(phone, "*35*1205%23");
    assert!(world.code_refused(phone, "*36").says("only the phone's own user is logged in here"));
    world.end();
}

#[test]
fn a_parked_phone_brings_its_own_user_home() {
    for code in ["*36", "*35*1201%23"] {
        let mut world = World::new(6);
        let (desk, charles) = (world.registered("201", "london"), world.registered("202", "london"));
        let away = world.registered("201", "paris");
        let refused = world.code_refused(desk, "202");
        assert!(refused.status == Status::FORBIDDEN && refused.says("logged in at paris"), "{refused:?}");
        world.code(desk, code);
        world.pass(1);
        world.talk(charles, "201", desk);
        assert!(!world.ever_rang(away));
        world.talk(desk, "202", charles);
        let refused = world.try_register(away).expect_err("it has lost the user");
        assert!(refused.says("logged in at london"), "{refused:?}");
        world.end();
    }
}

#[test]
fn somebody_else_may_sit_at_a_parked_phone() {
    let mut world = World::new(7);
    let (desk, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    let away = world.registered("201", "paris");
    world.code(desk, "*35*203*1203%23");
    world.talk(charles, "203", desk);
    world.talk(charles, "201", away);
    world.talk(desk, "202", charles);
    world.code(desk, "*36");
    assert!(world.code_refused(desk, "202").says("logged in at paris"), "parked again");
    world.end();
}

#[test]
fn a_visitor_logs_out_at_a_phone_of_the_visitors_own() {
    let mut world = World::new(8);
    let (desk, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    let away = world.registered("201", "paris");
    world.code(away, "*36");
    world.pass(1);
    world.talk(charles, "201", desk);
    let refused = world.try_register(away).expect_err("a refresh is no login");
    assert!(refused.says("logged out at this phone"), "{refused:?}");
    world.try_register_anew(away).expect("a person's new login is one");
    world.end();
}

#[test]
fn a_phone_where_its_user_has_logged_out_is_told_so_there_and_may_be_brought_elsewhere() {
    for site in ["london", "berlin"] {
        let mut world = World::new(12);
        let charles = world.registered("202", "london");
        let away = world.registered("201", "paris");
        world.code(away, "*36");
        world.pass(1);
        for _ in 0..2 {
            let refused = world.try_register(away).expect_err("a refresh is no login");
            assert!(refused.says("logged out at this phone"), "{refused:?}");
        }
        world.carry(away, site);
        world.register(away);
        world.talk(charles, "201", away);
        world.end();
    }
}

#[test]
fn a_phone_where_its_user_has_logged_out_hears_where_the_user_is_now() {
    let mut world = World::new(13);
    let (first, second) = (world.registered("201", "paris"), world.registered("201", "paris"));
    world.code(first, "*36");
    let refused = world.try_register(first).expect_err("the user is at the other phone");
    assert!(refused.says("logged out at this phone"), "{refused:?}");
    world.code(second, "*36");
    world.pass(1);
    world.registered("201", "berlin");
    let refused = world.try_register(second).expect_err("the user has gone on");
    assert!(refused.says("logged in at berlin"), "{refused:?}");
    world.end();
}

#[test]
fn the_seat_ends_with_the_phones_registration() {
    for expires in [false, true] {
        let mut world = World::new(9);
        let (desk, charles) = (world.registered("201", "london"), world.registered("202", "london"));
        let sophie = world.registered("302", "paris");
        world.code(sophie, "*35*201*1201%23");
        if expires {
            world.switch_off(sophie);
            world.pass(310);
        } else {
            world.unregister(sophie);
            world.pass(1);
        }
        world.register(charles);
        world.register(desk);
        world.talk(charles, "201", desk);
        world.end();
    }
}

#[test]
fn a_seat_follows_the_phone_to_a_new_contact() {
    let mut world = World::new(10);
    let (phone, charles) = (world.registered("205", "london"), world.registered("202", "london"));
    world.code(phone, "*35*201*1201%23");
    world.act(phone, |phone, _| phone.reboot());
    world.register(phone);
    world.talk(charles, "201", phone);
    assert!(identity(&mut world, phone, "202", charles).contains("sip:201@"));
    world.end();
}

#[test]
fn another_phone_of_the_same_account_is_left_in_peace() {
    let mut world = World::new(11);
    let (first, second) = (world.registered("205", "london"), world.registered("205", "london"));
    let charles = world.registered("202", "london");
    world.code(first, "*35*201*1201%23");
    world.talk(charles, "201", first);
    world.talk(charles, "205", second);
    assert!(identity(&mut world, second, "202", charles).contains("sip:205@"));
    world.end();
}

#[test]
fn two_phones_log_the_same_user_in_at_once() {
    for site in ["london", "paris"] {
        let mut world = World::new(12);
        let charles = world.registered("202", "london");
        let (one, other) = if site == "london" { ("203", "205") } else { ("302", "303") };
        let phones = [world.registered(one, site), world.registered(other, site)];
        let dialled = phones.map(|phone| world.dial(phone, "*35*201*1201%23"));
        for dialled in dialled {
            world.code_done(dialled);
        }
        let call = world.dial(charles, "201");
        for phone in phones {
            world.arrival(phone);
        }
        world.answered(call);
        world.end();
    }
}

#[test]
fn the_seat_and_its_calls_outlive_a_restart() {
    let mut world = World::new(13);
    world.with_disks();
    let (phone, charles) = (world.registered("205", "london"), world.registered("202", "london"));
    let sophie = world.registered("302", "paris");
    world.code(phone, "*35*203*1203%23");
    world.code(sophie, "*35*201*1201%23");
    world.restart("london");
    world.restart("paris");
    world.pass(5);
    world.talk(charles, "203", phone);
    world.talk(charles, "201", sophie);
    assert!(identity(&mut world, sophie, "202", charles).contains("sip:201@"));
    world.code(phone, "*36");
    world.code(sophie, "*36");
    world.talk(charles, "205", phone);
    world.talk(charles, "302", sophie);
    world.end();
}

#[test]
fn a_phone_that_ran_out_while_the_site_was_down_has_nobody() {
    let mut world = World::new(14);
    world.with_disks();
    let phone = world.registered("205", "london");
    world.code(phone, "*35*203*1203%23");
    world.stop("london");
    world.switch_off(phone);
    world.pass(400);
    world.start("london");
    world.pass(5);
    let charles = world.registered("202", "london");
    let nobody = world.dial(charles, "203");
    assert_eq!(world.refused(nobody).status, Status::TEMPORARILY_UNAVAILABLE);
    world.end();
}

#[test]
fn the_desk_of_a_user_rings_whoever_sits_there() {
    let mut world = World::new(15);
    let (phone, charles) = (world.registered("205", "london"), world.registered("202", "london"));
    world.code(phone, "*35*201*1201%23");
    world.talk(charles, "*39205", phone);
    let unknown = world.dial(charles, "*39299");
    assert_eq!(world.refused(unknown).status, Status::NOT_FOUND);
    let off = world.dial(charles, "*39203");
    assert_eq!(world.refused(off).status, Status::TEMPORARILY_UNAVAILABLE);
    world.end();
}
