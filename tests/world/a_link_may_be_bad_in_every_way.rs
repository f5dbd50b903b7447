//! SPEC 8.1-8.4, 11.2: a link that comes and goes, and one that loses what goes one way.

use std::time::Duration;

use hotdesk::event::Event;
use hotdesk::phone::Behaviour;

use crate::support::{Line, LineClass, World};

fn logouts(world: &World, site: &str) -> usize {
    world.told(site).filter(|event| matches!(event, Event::LoggedOut { .. })).count()
}

#[test]
fn a_link_that_flaps_ends_no_login() {
    let mut world = World::new(1);
    let charles = world.registered("202", "london");
    let marie = world.registered("301", "paris");
    let away = world.registered("201", "paris");
    for seconds in [3, 7, 1, 12, 5, 9, 2, 11].into_iter().cycle().take(48) {
        world.cut("london", "paris");
        world.pass(seconds);
        world.heal("london", "paris");
        world.pass(seconds);
    }
    world.pass(35);
    assert_eq!(logouts(&world, "paris"), 0, "nobody has to log in again");
    world.talk(charles, "201", away);
    world.talk(marie, "201", away);
    world.end();
}

#[test]
fn three_of_ten_datagrams_may_be_lost_and_no_login_ends() {
    let mut world = World::new(2);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.lines(LineClass::Sites, Line::bad(10, 300));
    world.pass(900);
    assert_eq!((logouts(&world, "paris"), logouts(&world, "london")), (0, 0), "renewals come through within a lease");
    world.lines(LineClass::Sites, Line::clean(10));
    world.pass(15);
    world.talk(charles, "201", away);
    assert!(!world.ever_rang(desk));
    world.end();
}

#[test]
fn what_reaches_home_but_not_the_way_back_is_no_login() {
    let mut world = World::new(3);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    world.cut_one_way("london", "paris");
    let away = world.phone("201", "paris");
    let refused = world.try_register(away).expect_err("no answer of London arrives");
    assert_eq!(refused.status.0, 504, "{refused:?}");
    // London has taken the login; it is undone as soon as that can be said, which needs no answer.
    world.pass(5);
    world.talk(charles, "201", desk);
    assert!(!world.ever_rang(away));
    world.heal("london", "paris");
    world.pass(15);
    world.register(away);
    world.talk(charles, "201", away);
    world.end();
}

#[test]
fn while_only_one_way_is_open_neither_side_forgets_the_visitor() {
    for (seed, from, to) in [(4, "london", "paris"), (5, "paris", "london")] {
        let mut world = World::new(seed);
        let desk = world.registered("201", "london");
        let charles = world.registered("202", "london");
        let marie = world.registered("301", "paris");
        let away = world.registered("201", "paris");
        let usual = world.look(away).config().behaviour.clone();
        world.cut_one_way(from, to);
        world.pass(60);
        world.talk(marie, "201", away);
        // It may ring, but what it says does not arrive.
        world.behave(away, Behaviour::Ring);
        let before = world.now();
        world.talk(charles, "201", desk);
        assert!(world.now() - before < Duration::from_secs(6), "the parked phone rings");
        world.heal("london", "paris");
        world.pass(70);
        world.find(away, Duration::ZERO, |_| None::<()>);
        world.behave(away, usual);
        world.talk(charles, "201", away);
        world.end();
    }
}
