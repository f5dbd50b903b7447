//! SPEC 12.5: `logout_at`, `idle_logout`, and everybody at once. The scenarios begin at 12:00 in Paris, a second after the sites.

use std::time::Duration;

use hotdesk::event::{Event, LoggedOutBy};
use hotdesk::ids::Extension;
use hotdesk::node::Command;
use hotdesk::phone::{Behaviour, PhoneEvent};
use hotdesk::settings::Lab;
use hotdesk::timing::TimeOfDay;

use crate::support::{Line, LineClass, Sample, Seat, Stores, World};

const HOUR: u64 = 3600;
/// Extensions of London beside those of the sample.
const CROWD: std::ops::Range<u16> = 210..289;

/// Paris logs out at that hour.
fn by_clock(seed: u64, hour: u16) -> World {
    World::with(seed, |sample| {
        sample.site("paris").hot_desk.logout_at = Some(TimeOfDay(hour * 60));
        seldom_probed(sample);
    })
}

/// Hours pass: the sites look for each other every few minutes only.
fn seldom_probed(sample: &mut Sample) {
    sample.sites.values_mut().for_each(|site| site.links.probe = Duration::from_secs(300));
}

/// Paris logs out after ten minutes without a call.
fn by_idleness(seed: u64) -> World {
    World::with(seed, |sample| sample.site("paris").hot_desk.idle_logout = Duration::from_secs(600))
}

/// Lets time pass until so many seconds after the start.
fn until(world: &mut World, seconds: u64) {
    let left = Duration::from_secs(seconds).checked_sub(world.now()).expect("not yet");
    world.run(left);
}

fn is_here(world: &World, user: &str) -> bool {
    world.location("paris").record(user).is_some()
}

fn ended(world: &World, site: &str) -> Vec<LoggedOutBy> {
    let by = |event: &Event| match event {
        Event::LoggedOut { by, .. } => Some(*by),
        _ => None,
    };
    world.told(site).filter_map(by).collect()
}

/// What a phone shows whose next refresh is refused.
fn shows(world: &mut World, seat: Seat) -> String {
    let refused = world.find(seat, Duration::from_secs(300), |event| match event {
        PhoneEvent::RegistrationRefused { status, reason, .. } => Some(format!("{} {reason}", status.0)),
        _ => None,
    });
    refused.expect("its refresh is refused")
}

#[test]
fn at_the_time_of_day_visitors_go_and_the_sites_own_users_stay() {
    let mut world = by_clock(1, 13);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let jean = world.registered("301", "paris");
    let away = world.registered("201", "paris");
    world.subscribes(away, "reg", 7200);
    world.hears(away);
    until(&mut world, HOUR - 1);
    assert!(is_here(&world, "201"), "a second to go");
    until(&mut world, HOUR);
    world.pass(1);
    assert!(!is_here(&world, "201"));
    assert_eq!(world.hears(away).0, "terminated;reason=rejected");
    assert_eq!((ended(&world, "paris"), ended(&world, "london")), (vec![LoggedOutBy::Clock], vec![LoggedOutBy::Clock]));
    assert_eq!(shows(&mut world, away), "403 logged out at 13:00");
    world.talk(charles, "201", desk);
    world.talk(charles, "301", jean);

    // A person may come again, and stays until the same time on the next day.
    world.try_register_anew(away).expect("a new login");
    until(&mut world, 25 * HOUR - 1);
    assert!(is_here(&world, "201"));
    until(&mut world, 25 * HOUR);
    world.pass(1);
    assert_eq!(ended(&world, "paris"), [LoggedOutBy::Clock; 2]);
    world.end();
}

#[test]
fn who_talks_at_that_time_goes_after_the_call() {
    let mut world = by_clock(2, 13);
    let away = world.registered("201", "paris");
    let jean = world.registered("301", "paris");
    until(&mut world, HOUR - 60);
    let call = world.dial(jean, "201");
    let arrival = world.arrival(away);
    world.answered(call);
    world.confirmed(&arrival);
    until(&mut world, HOUR + 60);
    assert!(is_here(&world, "201"), "in a call");
    world.hang_up((jean, call.call), (away, arrival.call));
    world.pass(2);
    assert!(!is_here(&world, "201"));
    assert_eq!(shows(&mut world, away), "403 logged out at 13:00");
    world.end();
}

#[test]
fn a_restart_at_that_time_neither_forgets_it_nor_does_it_twice() {
    let mut world = by_clock(3, 13);
    world.with_disks();
    let away = world.registered("201", "paris");
    until(&mut world, HOUR - 10);
    world.stop("paris");
    until(&mut world, HOUR + 10);
    world.start("paris");
    world.pass(70);
    assert_eq!((is_here(&world, "201"), ended(&world, "london")), (false, vec![LoggedOutBy::Clock]));
    assert_eq!(shows(&mut world, away), "403 logged out at 13:00");
    world.try_register_anew(away).expect("a new login");
    world.pass(5);
    world.restart("paris");
    world.pass(HOUR);
    assert!(is_here(&world, "201"), "it came after the time");
    world.end();
}

/// Home hears of a logout later than the phone asks: while Paris stores it, and while the notice is on its way.
#[test]
fn who_refreshes_at_that_very_moment_is_kept_out_too() {
    let slow = Stores::After(Duration::from_millis(100));
    for (stores, delay) in [(slow, 5), (Stores::AtOnce, 400), (slow, 400)] {
        let mut world = World::new(5);
        world.store("paris", stores);
        let away = world.registered("201", "paris");
        world.lines(LineClass::Sites, Line::clean(delay));
        world.command("paris", Command::LogOut(Extension::new("201")));
        let refused = world.try_register(away).expect_err("logged out");
        assert!(refused.says("logged out by the operator"), "{stores:?}, {delay} ms: {refused:?}");
        world.pass(5);
        assert!(!is_here(&world, "201"));
        world.end();
    }
}

#[test]
fn while_home_is_away_the_visitor_goes_all_the_same_and_home_keeps_its_phone_out_later() {
    let mut world = by_clock(4, 13);
    let away = world.registered("201", "paris");
    until(&mut world, HOUR - 60);
    world.cut("london", "paris");
    until(&mut world, HOUR + 1);
    assert!(!is_here(&world, "201"));
    assert_eq!(shows(&mut world, away), "504 home site london cannot be reached");
    world.heal("london", "paris");
    // Home may hear of the logout after the phone has asked again.
    let refused = world.try_register(away).expect_err("not before home knows");
    assert!(refused.status.0 == 504 || refused.says("logged out at 13:00"), "{refused:?}");
    world.pass(40);
    let refused = world.try_register(away).expect_err("logged out");
    assert!(refused.says("logged out at 13:00"), "{refused:?}");
    world.end();
}

#[test]
fn a_time_that_a_reload_brings_holds_from_then_on() {
    let mut sample = Sample::read();
    seldom_probed(&mut sample);
    let mut world = World::with(5, seldom_probed);
    let away = world.registered("201", "paris");
    let mut reload = |world: &mut World, hour: u16| {
        sample.site("paris").hot_desk.logout_at = Some(TimeOfDay(hour * 60));
        let config = sample.configs().remove("paris").expect("the sample has it");
        world.command("paris", Command::Reload(Box::new(config)));
    };
    reload(&mut world, 11);
    world.pass(2 * HOUR);
    assert!(is_here(&world, "201"), "11:00 was an hour before");
    reload(&mut world, 15);
    until(&mut world, 3 * HOUR + 1);
    assert!(!is_here(&world, "201"));
    assert_eq!(shows(&mut world, away), "403 logged out at 15:00");
    world.end();
}

#[test]
fn who_has_no_call_for_long_enough_goes_and_refreshes_are_no_calls() {
    let mut world = by_idleness(6);
    let start = world.now().as_secs();
    let away = world.registered("201", "paris");
    let jean = world.registered("301", "paris");
    until(&mut world, start + 599);
    assert!(is_here(&world, "201"));
    until(&mut world, start + 602);
    assert!(!is_here(&world, "201"));
    assert_eq!(ended(&world, "paris"), [LoggedOutBy::Idle]);
    assert_eq!(shows(&mut world, away), "403 logged out for being idle");
    assert!(is_here(&world, "301"), "at home nobody is");
    world.unregister(jean);
    world.end();
}

#[test]
fn a_call_puts_it_off_from_its_end_and_one_that_only_rings_does_not() {
    let mut world = by_idleness(7);
    let away = world.registered("201", "paris");
    let jean = world.registered("301", "paris");
    world.pass(500);
    let call = world.dial(away, "301");
    let arrival = world.arrival(jean);
    world.answered(call);
    world.confirmed(&arrival);
    world.pass(400);
    assert!(is_here(&world, "201"), "a call in progress");
    world.hang_up((away, call.call), (jean, arrival.call));
    world.pass(590);
    assert!(is_here(&world, "201"));
    // It rings over the ten minutes: that is waited for, and counts for nothing.
    world.behave(away, Behaviour::Ring);
    let ringing = world.dial(jean, "201");
    world.arrival(away);
    world.pass(20);
    assert!(is_here(&world, "201"), "it rings");
    world.act(jean, |phone, now| phone.cancel(now, ringing.call));
    world.refused(ringing);
    world.pass(2);
    assert!(!is_here(&world, "201"));
    assert_eq!(shows(&mut world, away), "403 logged out for being idle");
    world.end();
}

#[test]
fn a_restart_does_not_begin_the_ten_minutes_anew() {
    let mut world = by_idleness(8);
    world.with_disks();
    let away = world.registered("201", "paris");
    world.pass(400);
    world.restart("paris");
    world.pass(150);
    assert!(is_here(&world, "201"), "nine minutes");
    world.pass(120);
    assert!(!is_here(&world, "201"), "eleven");
    assert_eq!(shows(&mut world, away), "403 logged out for being idle");
    world.end();
}

#[test]
fn an_operator_sends_all_visitors_of_a_site_home_at_once() {
    let mut world = World::new(9);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let visitors = ["201", "203", "401"].map(|user| world.registered(user, "paris"));
    let jean = world.registered("301", "paris");
    let call = world.dial(visitors[1], "301");
    let arrival = world.arrival(jean);
    world.answered(call);
    world.confirmed(&arrival);
    world.command("paris", Command::LogVisitorsOut);
    world.pass(1);
    assert_eq!(ended(&world, "paris"), [LoggedOutBy::Operator; 3]);
    assert_eq!((ended(&world, "london").len(), ended(&world, "berlin").len()), (2, 1));
    // Calls go on, at once and not after them: it is the operator's word.
    world.hang_up((visitors[1], call.call), (jean, arrival.call));
    for seat in visitors {
        assert_eq!(shows(&mut world, seat), "403 logged out by the operator");
    }
    world.talk(charles, "201", desk);
    world.try_register_anew(visitors[2]).expect("a person comes again");
    world.pass(60);
    assert!(is_here(&world, "401"));
    world.end();
}

#[test]
fn a_crowd_goes_in_batches() {
    let mut world = World::with(10, |sample| {
        // Each shard has batches of its own.
        sample.shards(1);
        sample.site("paris").licences = None;
        for site in ["london", "paris"] {
            sample.site(site).lab = Some(Lab { password: None });
        }
        sample.site("paris").hot_desk.logout_at = Some(TimeOfDay(13 * 60));
    });
    for number in CROWD {
        world.registered(&number.to_string(), "paris");
    }
    until(&mut world, HOUR);
    world.run(Duration::from_millis(50));
    assert_eq!(ended(&world, "paris").len(), 50);
    world.pass(1);
    assert_eq!(ended(&world, "paris").len(), CROWD.count());
    world.pass(3);
    assert_eq!(ended(&world, "london").len(), CROWD.count());
    world.end();
}
