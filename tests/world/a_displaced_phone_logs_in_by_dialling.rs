//! SPEC 5.10: a phone that has lost its user dials for help and logs in by dialling, and is told where its user is when it dials anything else:
//! where the site has wiped what checks its digest, home checks it.

use std::time::Duration;

use hotdesk::phone::{Phone, PhoneConfig, PhoneEvent};
use hotdesk::settings::{DeviceLimit, Displaced};
use hotdesk::sip::Status;

use crate::support::{Failure, Seat, World};

fn told(world: &mut World, phone: Seat, number: &str) -> Failure {
    let call = world.dial(phone, number);
    let refused = world.refused(call);
    assert_eq!(refused.status, Status::FORBIDDEN, "{number}: {refused:?}");
    refused
}

/// A world where Paris keeps displaced phones so, and a phone there that has lost 201 to Berlin.
fn displaced(seed: u64, how: Displaced) -> (World, Seat, Seat) {
    let mut world = World::with(seed, |sample| sample.site("paris").hot_desk.displaced = how);
    let paris = world.registered("201", "paris");
    let berlin = world.registered("201", "berlin");
    world.pass(1);
    (world, paris, berlin)
}

#[test]
fn it_is_told_where_its_user_is() {
    for how in [Displaced::Refuse, Displaced::Limbo] {
        let (mut world, paris, _berlin) = displaced(1, how);
        world.registered("301", "paris");
        for number in ["301", "00199000999", "202", "*81902079460999", "*08"] {
            assert!(told(&mut world, paris, number).says("logged in at berlin"), "{number}");
        }
        // More than the tries of somebody who guesses: nobody is locked out by right digests.
        assert!(told(&mut world, paris, "301").says("logged in at berlin"));
        let help = world.dial(paris, "112");
        world.arrival(world.carrier("orange"));
        world.answered(help);
        world.end();
    }
}

#[test]
fn it_brings_its_own_user_in() {
    for how in [Displaced::Refuse, Displaced::Limbo] {
        for code in ["*35*1201%23", "*35*201*1201%23", "*36"] {
            let (mut world, paris, berlin) = displaced(2, how);
            let charles = world.registered("202", "london");
            world.code(paris, code);
            world.pass(1);
            world.talk(charles, "201", paris);
            world.talk(paris, "202", charles);
            assert!(!world.ever_rang(berlin));
            let refused = world.try_register(berlin).expect_err("it has lost the user");
            assert!(refused.says("logged in at paris"), "{refused:?}");
            // Its next refresh under the old Call-ID is one like any other, and the stay lasts.
            world.register(paris);
            world.pass(400);
            world.talk(charles, "201", paris);
            world.end();
        }
    }
}

#[test]
fn a_phone_that_does_not_register_again_has_the_user_for_five_minutes() {
    let mut world = World::new(3);
    let (desk, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    let paris = world.phone("201", "paris");
    world.act(paris, |phone, _| phone.refresh_by_itself(false));
    world.register(paris);
    let _berlin = world.registered("201", "berlin");
    world.pass(1);
    world.code(paris, "*36");
    let began = world.now();
    world.run(began + Duration::from_secs(295) - world.now());
    world.talk(charles, "201", paris);
    world.run(began + Duration::from_secs(305) - world.now());
    world.talk(charles, "201", desk);
    world.end();
}

#[test]
fn calls_for_help_are_no_guesses() {
    let (mut world, paris, _berlin) = displaced(12, Displaced::Refuse);
    let (charles, orange) = (world.registered("202", "london"), world.carrier("orange"));
    for _ in 0..6 {
        let help = world.dial(paris, "112");
        let arrival = world.arrival(orange);
        world.answered(help);
        world.hang_up((paris, help.call), (orange, arrival.call));
    }
    world.code(paris, "*36");
    world.pass(1);
    world.talk(charles, "201", paris);
    world.end();
}

#[test]
fn a_wrong_code_or_password_brings_nobody_in() {
    let (mut world, paris, berlin) = displaced(4, Displaced::Refuse);
    let charles = world.registered("202", "london");
    assert!(world.code_refused(paris, "*35*9999%23").says("wrong code"));
    world.act(paris, |phone, _| {
        let config = PhoneConfig { password: "guess".into(), ..phone.config().clone() };
        *phone = Phone::new(config, [7; 32]);
    });
    for number in ["301", "*36", "*35*1201%23"] {
        let call = world.dial(paris, number);
        assert_eq!(world.refused(call).status, Status::PROXY_AUTHENTICATION_REQUIRED, "{number}");
    }
    world.talk(charles, "201", berlin);
    world.end();
}

#[test]
fn somebody_else_needs_a_phone_that_is_registered() {
    let (mut world, paris, berlin) = displaced(5, Displaced::Refuse);
    let charles = world.registered("202", "london");
    assert!(world.code_refused(paris, "*35*203*1203%23").says("this phone is not registered here"));
    world.talk(charles, "201", berlin);
    world.end();
}

#[test]
fn while_home_is_away_nobody_can_say_whose_phone_it_is() {
    let (mut world, paris, _berlin) = displaced(6, Displaced::Refuse);
    world.cut("london", "paris");
    for number in ["301", "*36"] {
        let call = world.dial(paris, number);
        let refused = world.refused(call);
        assert!(
            refused.status == Status::SERVER_TIMEOUT && refused.says("home site london cannot be reached"),
            "{refused:?}"
        );
    }
    let help = world.dial(paris, "112");
    world.arrival(world.carrier("orange"));
    world.answered(help);
    world.heal("london", "paris");
    world.pass(20);
    assert!(told(&mut world, paris, "301").says("logged in at berlin"));
    world.end();
}

#[test]
fn once_the_other_login_has_ended_it_only_has_to_register() {
    let (mut world, paris, berlin) = displaced(7, Displaced::Refuse);
    let charles = world.registered("202", "london");
    world.unregister(berlin);
    world.pass(1);
    assert!(told(&mut world, paris, "301").says("not logged in at paris"));
    world.register(paris);
    world.talk(charles, "201", paris);
    world.end();
}

#[test]
fn a_site_that_has_restarted_remembers_a_phone_that_has_asked_since() {
    let (mut world, paris, _berlin) = displaced(8, Displaced::Refuse);
    let charles = world.registered("202", "london");
    world.restart("paris");
    world.pass(5);
    let refused = world.try_register(paris).expect_err("displaced");
    assert!(refused.says("logged in at berlin"), "{refused:?}");
    assert!(told(&mut world, paris, "301").says("logged in at berlin"));
    world.code(paris, "*36");
    world.pass(1);
    world.talk(charles, "201", paris);
    world.end();
}

#[test]
fn a_phone_that_had_to_go_for_another_is_told_so() {
    for site in ["london", "paris"] {
        let mut world = World::with(9, |sample| {
            sample.network.profiles.get_mut("power").expect("a profile").devices = 1;
            sample.site(site).registrar.device_limit = DeviceLimit::Displace;
        });
        let charles = world.registered("202", "london");
        let old = world.registered("201", site);
        let new = world.registered("201", site);
        assert!(told(&mut world, old, "202").says("another phone has taken over"));
        world.talk(new, "202", charles);
        world.code(old, "*36");
        world.pass(1);
        world.talk(charles, "201", old);
        world.talk(old, "202", charles);
        assert!(told(&mut world, new, "202").says("another phone has taken over"));
        world.code(new, "*35*1201%23");
        world.pass(1);
        world.talk(charles, "201", new);
        world.end();
    }
}

#[test]
fn who_was_logged_out_is_told_so() {
    let mut world = World::new(10);
    let (desk, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    let extension = hotdesk::ids::Extension::new("201");
    world.command("london", hotdesk::node::Command::LogOut(extension));
    world.pass(1);
    assert!(told(&mut world, desk, "202").says("logged out by the operator"));
    world.code(desk, "*35*1201%23");
    world.talk(desk, "202", charles);
    world.talk(charles, "201", desk);
    world.end();
}

#[test]
fn a_crowd_of_such_phones_asks_home_for_a_few_at_a_time() {
    let (mut world, paris, _berlin) = displaced(11, Displaced::Refuse);
    // Home is silent, and not yet known to be.
    world.cut("london", "paris");
    (0..20).for_each(|_| _ = world.dial(paris, "301"));
    world.pass(10);
    let failed = |wanted: Status| {
        let is_one = |event: &&PhoneEvent| matches!(event, PhoneEvent::Failed { status, .. } if *status == wanted);
        world.events(paris).filter(is_one).count()
    };
    assert_eq!((failed(Status::SERVER_TIMEOUT), failed(Status::SERVICE_UNAVAILABLE)), (16, 4));
    world.end();
}
