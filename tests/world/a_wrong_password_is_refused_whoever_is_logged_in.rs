//! SPEC 4.4, 5.2: who un-registers, or asks what is registered, at a visited site is told whether the password is right, though the user is not
//! logged in there: home is asked. So the answer does not tell strangers who is there either.

use std::time::Duration;

use bytes::Bytes;
use hotdesk::phone::{Phone, PhoneConfig, PhoneEvent};

use crate::support::{Seat, World};

/// Nobody's phone: what is sent from there is answered to there.
const ELSEWHERE: &str = "127.0.99.9:5060";

fn with_password(world: &mut World, user: &str, password: &str) -> Seat {
    let seat = world.phone(user, "paris");
    world.act(seat, |phone, _| {
        let config = PhoneConfig { password: password.into(), ..phone.config().clone() };
        *phone = Phone::new(config, [7; 32]);
    });
    seat
}

/// The status of an un-REGISTER.
fn unregisters(world: &mut World, seat: Seat) -> u16 {
    world.act(seat, |phone, now| phone.unregister(now));
    let answer = world.find(seat, Duration::from_secs(40), |event| match event {
        PhoneEvent::Unregistered { .. } => Some(200),
        PhoneEvent::RegistrationRefused { status, .. } => Some(status.0),
        _ => None,
    });
    answer.expect("an answer")
}

/// The answer to a query with the credentials of a phone.
fn asks(world: &mut World, seat: Seat) -> String {
    let name = world.name(seat).to_owned();
    world.act(seat, |phone, now| phone.unregister(now));
    assert!(world.run_until(Duration::from_secs(1), |world| world.has_sent("paris", &name, b"SIP/2.0 401")));
    world.cut_one_way(&name, "paris");
    world.run(Duration::from_millis(100));
    let sent = world.datagrams().filter(|(from, _, _)| *from == name).last().map(|(_, _, bytes)| bytes.clone());
    let query = as_query(&sent.expect("the REGISTER with credentials"));
    world.inject(ELSEWHERE.parse().expect("an address"), world.address("paris"), query);
    world.pass(5);
    world.heal(&name, "paris");
    world.last_answer("paris", ELSEWHERE)
}

/// Without Contact and Expires, and in a transaction of its own.
fn as_query(register: &Bytes) -> Bytes {
    let text = String::from_utf8(register.to_vec()).expect("text");
    assert!(text.contains("Authorization: "), "{text}");
    let is_kept = |line: &&str| !line.starts_with("Contact:") && !line.starts_with("Expires:");
    let lines: Vec<&str> = text.split("\r\n").filter(is_kept).collect();
    lines.join("\r\n").replacen("branch=z9hG4bK", "branch=z9hG4bKquery", 1).into()
}

#[test]
fn a_wrong_password_is_refused_whoever_is_logged_in() {
    for (seed, is_there) in [(1, false), (2, true)] {
        let mut world = World::new(seed);
        if is_there {
            world.registered("201", "paris");
        }
        let stranger = with_password(&mut world, "201", "nonsense");
        assert_eq!(unregisters(&mut world, stranger), 401);
        let asking = with_password(&mut world, "201", "nonsense");
        let answer = asks(&mut world, asking);
        assert!(answer.starts_with("SIP/2.0 401 "), "{answer}");
        let owner = world.phone("201", "paris");
        let answer = asks(&mut world, owner);
        assert!(answer.starts_with("SIP/2.0 200 ") && answer.contains("Contact:") == is_there, "{answer}");
        assert_eq!(world.location("paris").record("201").is_some(), is_there);
        world.end();
    }
}

#[test]
fn a_right_one_is_taken_and_logs_nobody_in() {
    let mut world = World::new(3);
    let (desk, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    let owner = world.phone("201", "paris");
    assert_eq!(unregisters(&mut world, owner), 200);
    assert!(world.location("paris").is_empty());
    world.talk(charles, "201", desk);
    world.end();
}

#[test]
fn four_wrong_ones_lock_their_source_out() {
    let mut world = World::new(4);
    let stranger = with_password(&mut world, "201", "nonsense");
    for _ in 0..4 {
        assert_eq!(unregisters(&mut world, stranger), 401);
    }
    world.act(stranger, |phone, _| phone.account("201", "secret-201"));
    assert_eq!(unregisters(&mut world, stranger), 401, "right or wrong");
    world.pass(91);
    assert_eq!(unregisters(&mut world, stranger), 200);
    world.end();
}

/// What changes nothing is not held up by a home that is away.
#[test]
fn nobody_is_refused_where_home_cannot_be_reached() {
    let mut world = World::new(5);
    world.stop("london");
    let owner = world.phone("201", "paris");
    let begun = world.now();
    assert_eq!(unregisters(&mut world, owner), 200);
    assert!(world.now() - begun < Duration::from_secs(5), "home is waited for as long as for anything");
    world.pass(11);
    let begun = world.now();
    assert_eq!(unregisters(&mut world, owner), 200);
    assert!(world.now() - begun < Duration::from_millis(500), "home is known to be away");
    world.start("london");
    world.pass(10);
    world.end();
}

/// A login that is refused says nothing about what waits behind it.
#[test]
fn what_waits_behind_a_login_that_is_refused_is_asked_for_itself() {
    let mut world = World::new(6);
    let phones =
        ["nonsense", "other nonsense", "secret-201"].map(|password| with_password(&mut world, "201", password));
    world.act(phones[0], |phone, now| phone.register(now, 300));
    world.act(phones[1], |phone, now| phone.unregister(now));
    world.act(phones[2], |phone, now| phone.unregister(now));
    let refused = world.await_registration(phones[0]).expect_err("wrong");
    assert_eq!(refused.status.0, 401);
    let mut answer = |seat| {
        world.find(seat, Duration::from_secs(5), |event| match event {
            PhoneEvent::Unregistered { .. } => Some(200),
            PhoneEvent::RegistrationRefused { status, .. } => Some(status.0),
            _ => None,
        })
    };
    assert_eq!((answer(phones[1]), answer(phones[2])), (Some(401), Some(200)));
    world.end();
}
