//! SPEC 6.7: any valid digest of the network, whoever was here lately, whom nobody can judge, and the networks named; nobody floods.

use std::time::Duration;

use hotdesk::phone::{Behaviour, Phone, PhoneConfig};
use hotdesk::sip::Status;

use crate::support::{Dialled, Sample, Seat, World};

/// Nobody may call without credentials just for being in some network.
fn strict(sample: &mut Sample) {
    sample.sites.values_mut().for_each(|site| site.emergency.anyone_from.clear());
}

fn with_password(world: &mut World, seat: Seat, password: &str, site: &str) {
    let proxy = world.address(site);
    world.act(seat, |phone, _| {
        *phone = Phone::new(PhoneConfig { password: password.into(), ..phone.config().clone() }, [7; 32]);
        phone.move_to(proxy, &format!("{site}.example"));
    });
}

fn is_challenged(world: &mut World, seat: Seat) -> bool {
    let dialled = world.dial(seat, "999");
    world.refused(dialled).status == Status::PROXY_AUTHENTICATION_REQUIRED
}

/// A call for help that is up.
fn help(world: &mut World, seat: Seat) -> (Dialled, crate::support::Arrival) {
    let dialled = world.dial(seat, "999");
    let arrival = world.arrival(world.carrier("bt"));
    world.answered(dialled);
    world.confirmed(&arrival);
    (dialled, arrival)
}

#[test]
fn a_digest_of_any_user_will_do_logged_in_or_not() {
    let mut world = World::with(1, strict);
    let bt = world.carrier("bt");
    // Of London, of Paris and Berlin, whose homes say that the digest is right, and of one who may not log in elsewhere.
    for user in ["204", "302", "404", "306", "desk-7"] {
        let phone = world.phone(user, "london");
        world.talk(phone, "999", bt);
    }
    // Nobody has logged in by it.
    world.end();
}

#[test]
fn a_wrong_digest_is_challenged_here_and_by_home() {
    let mut world = World::with(2, strict);
    for user in ["204", "302", "399", "777", "desk-7"] {
        let phone = world.phone(user, "london");
        with_password(&mut world, phone, "wrong", "london");
        assert!(is_challenged(&mut world, phone), "{user}");
    }
    assert!(!world.ever_rang(world.carrier("bt")));
    world.end();
}

#[test]
fn a_digest_that_only_a_site_out_of_reach_could_check_will_do() {
    let mut world = World::with(3, strict);
    let bt = world.carrier("bt");
    let phone = world.phone("302", "london");
    with_password(&mut world, phone, "never checked", "london");
    world.cut("london", "paris");
    // At once, while London does not know yet that Paris is away; and later.
    world.talk(phone, "999", bt);
    world.pass(30);
    world.talk(phone, "999", bt);
    world.heal("london", "paris");
    world.pass(30);
    assert!(is_challenged(&mut world, phone), "Paris is asked again");
    world.end();
}

#[test]
fn whoever_had_a_phone_here_in_the_last_day_needs_no_password() {
    let mut world = World::with(4, |sample| {
        strict(sample);
        sample.sites.values_mut().for_each(|site| site.links.probe = Duration::from_secs(3600));
    });
    let (bt, charles) = (world.carrier("bt"), world.registered("202", "london"));
    let bound = world.now();
    world.act(charles, |phone, now| phone.unregister(now));
    world.pass(1);
    with_password(&mut world, charles, "wrong", "london");
    world.talk(charles, "999", bt);
    let day = Duration::from_secs(24 * 3600);
    let until = bound + day - world.now() - Duration::from_secs(10);
    world.run(until);
    world.talk(charles, "999", bt);
    world.pass(10);
    assert!(is_challenged(&mut world, charles));
    world.end();
}

#[test]
fn a_displaced_phone_calls_for_help() {
    let mut world = World::with(5, strict);
    let displaced = world.registered("201", "paris");
    world.registered("201", "berlin");
    assert_eq!(world.try_register(displaced).expect_err("displaced").status, Status::FORBIDDEN);
    let arrival = world.talk(displaced, "112", world.carrier("orange"));
    assert!(arrival.uri.starts_with("sip:112@"));
    world.end();
}

#[test]
fn no_lockout_stands_before_it() {
    let mut world = World::with(6, strict);
    let (bt, phone) = (world.carrier("bt"), world.phone("204", "london"));
    with_password(&mut world, phone, "wrong", "london");
    for _ in 0..5 {
        assert_eq!(world.try_register(phone).expect_err("wrong").status, Status::UNAUTHORIZED);
    }
    with_password(&mut world, phone, "secret-204", "london");
    assert_eq!(world.try_register(phone).expect_err("locked").status, Status::UNAUTHORIZED);
    world.talk(phone, "999", bt);
    world.end();
}

#[test]
fn without_a_password_there_are_two_calls_at_once_and_no_third() {
    let mut world = World::new(7);
    let (bt, stranger) = (world.carrier("bt"), world.phone("299", "london"));
    let (first, there) = help(&mut world, stranger);
    world.pass(20);
    let (second, _) = help(&mut world, stranger);
    world.pass(20);
    assert!(is_challenged(&mut world, stranger));
    assert_eq!(world.node("london").tally().unproven_of(world.phone_address(stranger).ip()), 2);
    world.hang_up((bt, there.call), (stranger, first.call));
    let (third, here) = help(&mut world, stranger);
    // Another phone, and one with a password, have nothing to do with it.
    let other = world.phone("298", "london");
    world.talk(other, "999", bt);
    world.hang_up((stranger, third.call), (bt, here.call));
    world.act(stranger, |phone, now| phone.hang_up(now, second.call));
    world.end();
}

#[test]
fn who_proves_to_be_somebody_calls_as_often_as_it_takes() {
    let mut world = World::with(8, strict);
    let charles = world.registered("202", "london");
    let calls: Vec<_> = (0..4).map(|_| help(&mut world, charles)).collect();
    for (dialled, arrival) in calls {
        world.hang_up((charles, dialled.call), (arrival.seat, arrival.call));
    }
    world.end();
}

#[test]
fn without_a_password_there_are_ten_calls_a_minute() {
    let mut world = World::new(9);
    let (bt, stranger) = (world.carrier("bt"), world.phone("299", "london"));
    world.behave(bt, Behaviour::Answer { after: Duration::from_millis(100) });
    let began = world.now();
    for _ in 0..10 {
        world.talk(stranger, "999", bt);
    }
    assert!(world.now() - began < Duration::from_secs(50));
    assert!(is_challenged(&mut world, stranger));
    world.pass(60);
    world.talk(stranger, "999", bt);
    world.end();
}
