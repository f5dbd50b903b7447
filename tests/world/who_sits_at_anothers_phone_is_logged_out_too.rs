//! SPEC 12.5, 10.2: `logout_at` and `idle_logout` for a user of the site who sits at somebody else's phone: its own user has it again. The
//! scenarios begin at 11:00 in London, a second after the sites.

use std::time::Duration;

use hotdesk::event::{Event, LoggedOutBy};
use hotdesk::sip::Status;
use hotdesk::timing::TimeOfDay;

use crate::support::{Sample, Seat, World};

const HOUR: u64 = 3600;

fn by_clock(seed: u64) -> World {
    World::with(seed, |sample| {
        sample.site("london").hot_desk.logout_at = Some(TimeOfDay(12 * 60));
        // Hours pass: the sites look for each other every few minutes only.
        sample.sites.values_mut().for_each(|site| site.links.probe = Duration::from_secs(300));
    })
}

fn ten_idle_minutes(sample: &mut Sample) {
    sample.site("london").hot_desk.idle_logout = Duration::from_secs(600);
}

/// Lets time pass until so many seconds after the start.
fn until(world: &mut World, seconds: u64) {
    let left = Duration::from_secs(seconds).checked_sub(world.now()).expect("not yet");
    world.run(left);
}

fn sits(world: &World, user: &str) -> bool {
    world.location("london").record(user).is_some_and(|record| !record.seats().is_empty())
}

fn ended(world: &World) -> Vec<LoggedOutBy> {
    let by = |event: &Event| match event {
        Event::LoggedOut { by, .. } => Some(*by),
        _ => None,
    };
    world.told("london").filter_map(by).collect()
}

fn is_nowhere(world: &mut World, caller: Seat, user: &str) {
    let nobody = world.dial(caller, user);
    assert_eq!(world.refused(nobody).status, Status::TEMPORARILY_UNAVAILABLE);
}

#[test]
fn at_the_time_of_day_the_phones_own_user_comes_back() {
    let mut world = by_clock(1);
    let (phone, charles) = (world.registered("205", "london"), world.registered("202", "london"));
    world.code(phone, "*35*201*1201%23");
    until(&mut world, HOUR - 2);
    assert!(sits(&world, "201"), "two seconds to go");
    until(&mut world, HOUR + 1);
    assert_eq!((sits(&world, "201"), ended(&world)), (false, vec![LoggedOutBy::Clock]));
    world.talk(charles, "205", phone);
    is_nowhere(&mut world, charles, "201");
    // Who sits down after that stays until the same time on the next day, and 202's own phone is 202's own.
    world.code(phone, "*35*203*1203%23");
    until(&mut world, 25 * HOUR - 2);
    assert!(sits(&world, "203"));
    until(&mut world, 25 * HOUR + 1);
    assert!(!sits(&world, "203"));
    world.talk(phone, "202", charles);
    world.end();
}

#[test]
fn who_talks_at_that_time_leaves_after_the_call_and_keeps_the_own_phone() {
    let mut world = by_clock(2);
    let (phone, own) = (world.registered("205", "london"), world.registered("201", "london"));
    let charles = world.registered("202", "london");
    world.code(phone, "*35*201*1201%23");
    until(&mut world, HOUR - 60);
    let call = world.dial(phone, "202");
    let arrival = world.arrival(charles);
    world.answered(call);
    world.confirmed(&arrival);
    until(&mut world, HOUR + 60);
    assert!(sits(&world, "201"), "in a call");
    world.hang_up((phone, call.call), (charles, arrival.call));
    world.pass(2);
    assert!(!sits(&world, "201"));
    // The user is still at home, at a phone of the user's own.
    assert!(ended(&world).is_empty());
    world.talk(charles, "201", own);
    world.talk(charles, "205", phone);
    world.end();
}

#[test]
fn ten_minutes_without_a_call_end_it_and_a_call_puts_that_off() {
    let mut world = World::with(3, ten_idle_minutes);
    let (desk, charles) = (world.registered("desk-7", "london"), world.registered("202", "london"));
    world.code(desk, "*35*201*1201%23");
    let sat_down = world.now().as_secs();
    until(&mut world, sat_down + 500);
    world.talk(charles, "201", desk);
    let talked = world.now().as_secs();
    until(&mut world, talked + 598);
    assert!(sits(&world, "201"));
    until(&mut world, talked + 602);
    assert_eq!((sits(&world, "201"), ended(&world)), (false, vec![LoggedOutBy::Idle]));
    let refused = world.code_refused(desk, "202");
    assert!(refused.says("log in first"), "{refused:?}");
    is_nowhere(&mut world, charles, "201");
    world.end();
}

#[test]
fn a_restart_does_not_begin_the_ten_minutes_anew() {
    let mut world = World::with(4, ten_idle_minutes);
    world.with_disks();
    let phone = world.registered("205", "london");
    world.code(phone, "*35*201*1201%23");
    world.pass(400);
    world.restart("london");
    world.pass(150);
    assert!(sits(&world, "201"), "nine minutes");
    world.pass(120);
    assert!(!sits(&world, "201"), "eleven");
    world.end();
}

#[test]
fn without_the_keys_nobody_goes() {
    let mut world = World::new(5);
    let (phone, charles) = (world.registered("205", "london"), world.registered("202", "london"));
    world.code(phone, "*35*201*1201%23");
    world.pass(2 * HOUR);
    world.command("london", hotdesk::node::Command::LogVisitorsOut);
    world.pass(1);
    world.talk(charles, "201", phone);
    world.end();
}
