//! SPEC 4.3: requests go by the flow of the REGISTER, and keep-alives keep it open.

use std::time::Duration;

use hotdesk::phone::PhoneEvent;

use crate::support::{Seat, World};

const MINUTE: Duration = Duration::from_secs(60);

fn pings(world: &World, to: Seat) -> usize {
    let name = world.name(to);
    world.datagrams().filter(|(from, to, bytes)| *from == "london" && *to == name && &bytes[..] == b"\r\n\r\n").count()
}

fn granted(world: &World, seat: Seat) -> Option<u32> {
    world.events(seat).find_map(|event| match event {
        PhoneEvent::Registered { expires, .. } => Some(*expires),
        _ => None,
    })
}

#[test]
fn a_quiet_phone_is_reached_because_it_is_written_to() {
    let mut world = World::new(1);
    let charles = world.registered("202", "london");
    let ada = world.phone_behind_nat("201", "london", MINUTE);
    world.register(ada);
    assert_eq!((granted(&world, ada), granted(&world, charles)), (Some(120), Some(300)), "nat_expires");
    world.pass(80);
    assert!((3..=4).contains(&pings(&world, ada)), "every 25 s: {}", pings(&world, ada));
    world.talk(charles, "201", ada);
    world.talk(ada, "202", charles);
    assert_eq!(pings(&world, charles), 0, "its address is its own");
    world.unregister(ada);
    let before = pings(&world, ada);
    world.pass(60);
    assert_eq!(pings(&world, ada), before, "it is gone");
    world.end();
}

#[test]
fn with_an_interval_of_zero_nothing_is_sent_and_the_way_closes() {
    let mut world = World::with(2, |sample| sample.site("london").registrar.nat_keepalive = Duration::ZERO);
    let charles = world.registered("202", "london");
    let ada = world.phone_behind_nat("201", "london", MINUTE);
    world.act(ada, |phone, _| phone.refresh_by_itself(false));
    world.register(ada);
    world.talk(charles, "201", ada);
    world.pass(62);
    assert_eq!(pings(&world, ada), 0);
    let dialled = world.dial(charles, "201");
    assert!(world.arrival_within(ada, Duration::from_secs(20)).is_none());
    let refused = world.refused(dialled);
    assert!(matches!(refused.status.0, 408 | 480), "{refused:?}");
    world.end();
}

#[test]
fn phones_that_came_at_once_are_written_to_one_after_the_other() {
    let mut world = World::new(3);
    let users = ["201", "202", "203", "204", "205", "206"];
    let phones: Vec<Seat> = users.iter().map(|user| world.phone_behind_nat(user, "london", MINUTE)).collect();
    for &phone in &phones {
        world.act(phone, |phone, now| phone.register(now, 300));
    }
    world.chapter();
    world.pass(30);
    let ladder = world.ladder();
    let times: std::collections::BTreeSet<&str> = ladder
        .lines()
        .filter(|line| line.contains("london →") && line.trim_end().ends_with("()"))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(times.len() >= phones.len(), "at {times:?}:\n{ladder}");
    world.end();
}
