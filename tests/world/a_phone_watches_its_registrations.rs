//! SPEC 9.9, 12.4, RFC 6665, RFC 3680: a phone is told of every phone of its user.

use std::time::Duration;

use hotdesk::phone::Behaviour;
use hotdesk::sip::Status;

use crate::support::{Stores, World};

fn active(document: impl Into<String>) -> (String, String) {
    ("active".to_owned(), document.into())
}

#[test]
fn a_second_phone_comes_and_goes() {
    let mut world = World::new(1);
    let desk = world.registered("201", "london");
    world.chapter();
    assert_eq!(world.subscribes(desk, "reg", 600), Status::OK);
    let first = world.mark(desk);
    assert_eq!(world.hears(desk), active(format!("0 full active: {first} registered")));
    let mobile = world.registered("201", "london");
    let second = world.mark(mobile);
    assert_eq!(world.hears(desk), active(format!("1 partial active: {second} registered")));
    insta::assert_snapshot!("watching", world.ladder());
    world.unregister(mobile);
    assert_eq!(world.hears(desk), active(format!("2 partial active: {second} unregistered")));
    world.register(mobile);
    assert_eq!(world.hears(desk), active(format!("3 partial active: {second} registered")));
    world.switch_off(mobile);
    let told = world.told_within(desk, Duration::from_secs(301)).expect("it runs out");
    assert_eq!((told.subscription, told.document), active(format!("4 partial active: {second} expired")));
    world.end();
}

#[test]
fn a_refresh_of_a_registration_is_not_told_and_one_of_the_subscription_tells_everything() {
    let mut world = World::new(2);
    let desk = world.registered("201", "london");
    world.subscribes(desk, "reg", 600);
    let own = world.mark(desk);
    assert_eq!(world.hears(desk), active(format!("0 full active: {own} registered")));
    assert_eq!(world.told_within(desk, Duration::from_secs(250)), None, "registered anew by itself meanwhile");
    assert_eq!(world.subscribes_again(desk, 600), Status::OK);
    assert_eq!(world.hears(desk), active(format!("1 full active: {own} registered")));
    world.end();
}

#[test]
fn it_ends_at_its_time_and_when_it_is_ended() {
    let mut world = World::new(3);
    let desk = world.registered("201", "london");
    let (own, timeout) = (world.mark(desk), "terminated;reason=timeout".to_owned());
    world.subscribes(desk, "reg", 60);
    world.hears(desk);
    assert_eq!(world.told_within(desk, Duration::from_secs(58)), None);
    let told = world.told_within(desk, Duration::from_secs(2)).expect("it runs out");
    assert_eq!((told.subscription, told.document), (timeout.clone(), format!("1 full active: {own} registered")));
    world.subscribes(desk, "reg", 600);
    world.hears(desk);
    assert_eq!(world.subscribes_again(desk, 0), Status::OK);
    assert_eq!(world.hears(desk), (timeout.clone(), format!("1 full active: {own} registered")));
    // RFC 6665 §4.4.3: told once.
    assert_eq!(world.subscribes(desk, "reg", 0), Status::OK);
    assert_eq!(world.hears(desk), (timeout, format!("0 full active: {own} registered")));
    world.registered("201", "london");
    assert_eq!(world.told_within(desk, Duration::from_secs(60)), None);
    world.end();
}

#[test]
fn what_is_not_stored_is_not_told() {
    let mut world = World::new(4);
    let desk = world.registered("201", "london");
    world.subscribes(desk, "reg", 600);
    world.hears(desk);
    world.store("london", Stores::Failing);
    let mobile = world.phone("201", "london");
    world.try_register(mobile).expect_err("nothing can be stored");
    assert_eq!(world.told_within(desk, Duration::from_secs(5)), None);
    world.store("london", Stores::After(Duration::from_millis(500)));
    let asked = world.now();
    world.register(mobile);
    let second = world.mark(mobile);
    assert_eq!(world.hears(desk), active(format!("1 partial active: {second} registered")));
    assert!(world.now() - asked >= Duration::from_millis(500));
    world.end();
}

#[test]
fn a_notify_that_is_never_answered_ends_the_subscription() {
    let mut world = World::new(5);
    let desk = world.registered("201", "london");
    world.act(desk, |phone, _| phone.refresh_by_itself(false));
    world.subscribes(desk, "reg", 3600);
    world.hears(desk);
    world.behave(desk, Behaviour::Silent);
    let mobile = world.registered("201", "london");
    world.pass(40);
    world.behave(desk, Behaviour::Ring);
    world.unregister(mobile);
    assert_eq!(world.told_within(desk, Duration::from_secs(60)), None);
    assert_eq!(world.subscribes_again(desk, 600), Status::CALL_DOES_NOT_EXIST);
    world.end();
}

#[test]
fn a_phone_that_knows_nothing_of_it_ends_it() {
    let mut world = World::new(6);
    let desk = world.registered("201", "london");
    world.subscribes(desk, "reg", 3600);
    world.hears(desk);
    world.act(desk, |phone, _| phone.reboot());
    let notifies = |world: &World| {
        let sent = world.datagrams().filter(|(from, _, bytes)| *from == "london" && bytes.starts_with(b"NOTIFY"));
        sent.count()
    };
    let before = notifies(&world);
    let mobile = world.registered("201", "london");
    world.pass(1);
    assert_eq!(notifies(&world), before + 1, "answered 481");
    world.unregister(mobile);
    world.pass(1);
    assert_eq!(notifies(&world), before + 1);
    world.end();
}

#[test]
fn lost_notifies_come_again_and_in_order() {
    use crate::support::{Line, LineClass};
    for seed in 10..16 {
        let mut world = World::new(seed);
        let desk = world.registered("201", "london");
        world.subscribes(desk, "reg", 3600);
        world.hears(desk);
        world.lines(LineClass::Phones, Line::bad(5, 300));
        let mobile = world.phone("201", "london");
        for _ in 0..3 {
            world.register(mobile);
            world.unregister(mobile);
        }
        let told: Vec<_> = std::iter::from_fn(|| world.told_within(desk, Duration::from_secs(60))).collect();
        let versions: Vec<u32> = told
            .iter()
            .map(|told| told.document.split(' ').next().and_then(|version| version.parse().ok()).expect("a version"))
            .collect();
        assert_eq!(versions, (1..=versions.len() as u32).collect::<Vec<_>>(), "{told:#?}");
        assert!(told.last().is_some_and(|told| told.document.contains("unregistered")), "{told:#?}");
        world.end();
    }
}
