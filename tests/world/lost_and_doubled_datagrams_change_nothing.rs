//! RFC 3261 §17: on lines that lose, double and reorder, the same things happen as on clean ones.

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
