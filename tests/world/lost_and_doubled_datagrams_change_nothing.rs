//! RFC 3261 §17: on lines that lose, double and reorder, the same things happen as on clean ones.

use std::time::Duration;

use crate::support::{Line, World};

#[test]
fn lost_and_doubled_datagrams_change_nothing() {
    for seed in 1..=8 {
        let mut world = World::new(seed);
        world.all_lines(Line::bad(10, 50));
        story(&mut world);
        world.end();
    }
}

#[test]
fn every_datagram_twice_changes_nothing() {
    let mut world = World::new(9);
    world.all_lines(Line { duplication: 1000, ..Line::clean(3) });
    story(&mut world);
    world.end();
}

fn story(world: &mut World) {
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    world.talk(charles, "201", desk);
    let away = world.registered("201", "paris");
    world.pass(5);
    world.talk(charles, "201", away);
    world.talk(away, "202", charles);
    world.talk(away, "00145678901", world.carrier("orange"));
    world.talk(away, "*81902079460999", world.carrier("bt"));
    world.unregister(away);
    world.pass(10);
    world.talk(charles, "201", desk);
}

/// SPEC 5.2: home judged the first one, and has spent its digest.
#[test]
fn a_late_copy_of_a_register_that_binds_nothing_has_the_same_answer() {
    let mut world = World::new(10);
    let away = world.phone("201", "paris");
    world.act(away, |phone, now| phone.unregister(now));
    world.run_until(Duration::from_secs(5), |world| world.events(away).next().is_some());
    let (phone, paris) = (world.phone_address(away), world.address("paris"));
    let name = world.name(away).to_owned();
    let sent = world.datagrams().filter(|(from, _, bytes)| *from == name && bytes.starts_with(b"REGISTER"));
    let last = sent.last().map(|(_, _, bytes)| bytes.clone()).expect("with its digest");
    for _ in 0..3 {
        world.inject(phone, paris, last.clone());
        world.pass(5);
    }
    assert!(world.last_answer("paris", &name).starts_with("SIP/2.0 200"));
    world.end();
}

#[test]
fn one_seed_gives_the_same_bytes() {
    let history = |seed| {
        let mut world = World::new(seed);
        world.all_lines(Line::bad(10, 50));
        story(&mut world);
        world.datagrams().map(|(from, to, bytes)| (from.to_string(), to.to_string(), bytes.clone())).collect::<Vec<_>>()
    };
    assert!(history(5) == history(5));
}
