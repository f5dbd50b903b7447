//! SPEC 5.10, `displaced = "limbo"`: the REGISTER of a phone that has lost its user is answered 200, for phones that do not dial unless they are
//! registered; the binding is good for help and for a login by dialling, and for nothing else.

use std::time::Duration;

use hotdesk::phone::PhoneEvent;
use hotdesk::settings::{DeviceLimit, Displaced, Shortage};
use hotdesk::sip::Status;
use hotdesk::timing::TimeOfDay;

use crate::support::{Sample, Seat, Stores, World};

/// Every site keeps such phones in limbo.
fn limbo(sample: &mut Sample) {
    sample.sites.values_mut().for_each(|site| site.hot_desk.displaced = Displaced::Limbo);
}

/// 201 has gone from Paris to Berlin.
fn displaced(seed: u64) -> (World, Seat, Seat) {
    let mut world = World::with(seed, limbo);
    let paris = world.registered("201", "paris");
    let berlin = world.registered("201", "berlin");
    world.pass(1);
    (world, paris, berlin)
}

/// What the last 200 to a phone's REGISTER has granted.
fn granted(world: &World, seat: Seat) -> u32 {
    let granted = |event: &PhoneEvent| match event {
        PhoneEvent::Registered { expires, .. } => Some(*expires),
        _ => None,
    };
    world.events(seat).filter_map(granted).last().expect("it has registered")
}

fn in_limbo(world: &World, site: &str, user: &str) -> usize {
    world.location(site).lost_phones(user).iter().filter(|phone| phone.in_limbo).count()
}

fn assert_kept_out(world: &mut World, phone: Seat, why: &str) {
    let call = world.dial(phone, "301");
    let refused = world.refused(call);
    assert!(refused.status == Status::FORBIDDEN && refused.says(why), "{refused:?}");
}

#[test]
fn it_registers_and_never_rings() {
    let (mut world, paris, berlin) = displaced(1);
    let (charles, jean) = (world.registered("202", "london"), world.registered("301", "paris"));
    world.chapter();
    world.register(paris);
    insta::assert_snapshot!("limbo", world.ladder());
    assert_eq!(granted(&world, paris), 120, "it is to ask again soon");
    for caller in [charles, jean] {
        world.talk(caller, "201", berlin);
    }
    assert!(!world.ever_rang(paris));
    assert_kept_out(&mut world, paris, "logged in at berlin");
    let help = world.dial(paris, "112");
    world.arrival(world.carrier("orange"));
    world.answered(help);
    // Hours of refreshes change nothing.
    world.pass(2 * 3600);
    assert_eq!(in_limbo(&world, "paris", "201"), 1);
    world.talk(charles, "201", berlin);
    assert!(!world.ever_rang(paris) && world.location("paris").record("201").is_none());
    world.end();
}

#[test]
fn it_comes_in_by_itself_when_the_other_login_ends() {
    let (mut world, paris, berlin) = displaced(2);
    let charles = world.registered("202", "london");
    world.register(paris);
    world.unregister(berlin);
    world.pass(120);
    world.talk(charles, "201", paris);
    assert_eq!((granted(&world, paris), in_limbo(&world, "paris", "201")), (300, 0));
    world.end();
}

#[test]
fn a_person_who_registers_it_anew_takes_the_user_back() {
    let (mut world, paris, berlin) = displaced(3);
    let charles = world.registered("202", "london");
    world.register(paris);
    world.try_register_anew(paris).expect("a person's new login");
    world.pass(1);
    world.talk(charles, "201", paris);
    assert!(!world.ever_rang(berlin));
    assert_eq!(in_limbo(&world, "paris", "201"), 0);
    world.end();
}

#[test]
fn others_may_sit_there_and_it_rings_for_them() {
    let (mut world, paris, berlin) = displaced(4);
    let (charles, jean) = (world.registered("202", "london"), world.registered("303", "paris"));
    world.register(paris);
    for (user, code) in [("203", "1203"), ("302", "1302")] {
        world.code(paris, &format!("*35*{user}*{code}%23"));
        world.pass(1);
        world.talk(charles, user, paris);
        let arrival = world.talk(paris, "303", jean);
        assert!(arrival.asserted.unwrap_or_default().contains(&format!("sip:{user}@")));
        world.talk(charles, "201", berlin);
        // The phone goes on refreshing, and the seat with it.
        world.pass(400);
        world.talk(charles, user, paris);
        world.code(paris, "*36");
        world.pass(1);
        assert_kept_out(&mut world, paris, "logged in at berlin");
    }
    world.code(paris, "*35*203*1203%23");
    world.code(paris, "*35*1201%23");
    world.pass(1);
    world.talk(charles, "201", paris);
    world.end();
}

#[test]
fn who_sits_there_stays_when_the_phones_own_user_goes_and_leaves_with_the_phone() {
    for goes in [true, false] {
        let mut world = World::with(5, limbo);
        let (charles, jean) = (world.registered("202", "london"), world.registered("303", "paris"));
        let paris = world.registered("201", "paris");
        world.code(paris, "*35*302*1302%23");
        let _berlin = world.registered("201", "berlin");
        world.pass(1);
        world.talk(jean, "302", paris);
        if goes {
            world.unregister(paris);
            world.pass(1);
        } else {
            world.switch_off(paris);
            world.pass(310);
        }
        world.register(charles);
        let nobody = world.dial(charles, "302");
        assert_eq!(world.refused(nobody).status, Status::TEMPORARILY_UNAVAILABLE);
        world.end();
    }
}

#[test]
fn taking_it_out_forgives_it() {
    let (mut world, paris, _berlin) = displaced(6);
    let charles = world.registered("202", "london");
    world.register(paris);
    world.unregister(paris);
    world.pass(1);
    assert_eq!(in_limbo(&world, "paris", "201"), 0);
    world.register(paris);
    world.pass(1);
    world.talk(charles, "201", paris);
    world.end();
}

#[test]
fn it_takes_no_licence_and_no_place_of_a_device() {
    let mut world = World::with(7, |sample| {
        limbo(sample);
        sample.network.profiles.get_mut("power").expect("a profile").devices = 1;
        let paris = sample.site("paris");
        paris.hot_desk.licence_shortage = Shortage::Refuse;
        paris.licences = Some([("power".to_string(), 1)].into());
    });
    let first = world.registered("201", "paris");
    let _berlin = world.registered("201", "berlin");
    world.pass(1);
    world.register(first);
    let other = world.registered("401", "paris");
    world.unregister(other);
    world.pass(1);
    // Back in Paris with another phone: the one in limbo joins that stay as a phone too many, and takes its place in turn.
    let second = world.phone("201", "paris");
    world.try_register_anew(second).expect("a licence is free");
    world.pass(1);
    let charles = world.registered("202", "london");
    world.talk(charles, "201", second);
    world.end();
}

#[test]
fn at_home_it_waits_too() {
    let mut world = World::with(8, |sample| {
        limbo(sample);
        sample.network.profiles.get_mut("power").expect("a profile").devices = 1;
        sample.site("london").registrar.device_limit = DeviceLimit::Displace;
    });
    let charles = world.registered("202", "london");
    let old = world.registered("201", "london");
    let new = world.registered("201", "london");
    world.register(old);
    assert_eq!((granted(&world, old), in_limbo(&world, "london", "201")), (120, 1));
    world.talk(charles, "201", new);
    assert!(!world.ever_rang(old));
    assert_kept_out(&mut world, old, "another phone has taken over");
    world.code(old, "*35*203*1203%23");
    world.talk(charles, "203", old);
    world.code(old, "*36");
    world.code(old, "*36");
    world.talk(charles, "201", old);
    world.register(new);
    assert_eq!((granted(&world, new), in_limbo(&world, "london", "201")), (120, 1));
    world.end();
}

#[test]
fn a_cut_leaves_it_registered_and_a_restart_judges_it_anew() {
    let (mut world, paris, berlin) = displaced(9);
    let charles = world.registered("202", "london");
    world.register(paris);
    world.cut("london", "paris");
    world.pass(400);
    assert_eq!(in_limbo(&world, "paris", "201"), 1, "its refreshes are what it had");
    // Another phone is not let in that way.
    let other = world.phone("201", "paris");
    let refused = world.try_register(other).expect_err("only home knows");
    assert_eq!(refused.status, Status::SERVER_TIMEOUT);
    world.heal("london", "paris");
    world.pass(20);
    world.restart("paris");
    world.pass(5);
    assert_eq!(in_limbo(&world, "paris", "201"), 0);
    world.register(paris);
    world.pass(1);
    assert_eq!(in_limbo(&world, "paris", "201"), 1);
    world.talk(charles, "201", berlin);
    world.end();
}

#[test]
fn who_was_sent_home_by_the_clock_waits_there() {
    let mut world = World::with(10, |sample| {
        limbo(sample);
        sample.site("paris").hot_desk.logout_at = Some(TimeOfDay(13 * 60));
    });
    let desk = world.registered("201", "london");
    let away = world.registered("201", "paris");
    world.run(Duration::from_secs(3602) - world.now());
    assert_kept_out(&mut world, away, "logged out at 13:00");
    world.register(away);
    assert_eq!(in_limbo(&world, "paris", "201"), 1);
    let charles = world.registered("202", "london");
    world.talk(charles, "201", desk);
    world.code(away, "*36");
    world.pass(1);
    world.talk(charles, "201", away);
    world.end();
}

#[test]
fn where_it_is_refused_nothing_is_in_limbo() {
    let mut world = World::new(11);
    let paris = world.registered("201", "paris");
    let _berlin = world.registered("201", "berlin");
    world.pass(1);
    let refused = world.try_register(paris).expect_err("displaced");
    assert!(refused.says("logged in at berlin"), "{refused:?}");
    assert_eq!(in_limbo(&world, "paris", "201"), 0);
    world.end();
}

#[test]
fn who_sits_there_stays_while_its_own_user_comes_back_to_it_and_the_disk_is_slow() {
    for together in [false, true] {
        let mut world = World::with(12, limbo);
        let jean = world.registered("303", "paris");
        let paris = world.registered("201", "paris");
        world.code(paris, "*35*302*1302%23");
        world.registered("201", "berlin");
        world.pass(1);
        world.talk(jean, "302", paris);
        world.store("paris", Stores::After(Duration::from_millis(80)));
        // Another phone brings the user to Paris, and this one comes with it: while the first is being stored the second is already judged.
        let other = world.phone("201", "paris");
        world.act(other, |phone, now| phone.register(now, 300));
        if !together {
            world.await_registration(other).expect("a person");
        }
        world.act(paris, |phone, now| phone.register_anew(now, 300));
        if together {
            world.await_registration(other).expect("a person");
        }
        world.await_registration(paris).expect("a person");
        world.pass(1);
        assert_eq!(in_limbo(&world, "paris", "201"), 0);
        world.talk(jean, "302", paris);
        world.end();
    }
}
