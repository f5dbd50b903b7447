//! SPEC 6.7.

use hotdesk::phone::PhoneEvent;

use crate::support::{Line, LineClass, World};

#[test]
fn an_emergency_number_behind_break_out_is_dialled_here() {
    let mut world = World::new(1);
    let charles = world.registered("202", "london");
    let bt = world.carrier("bt");
    world.chapter();
    // 15 is the ambulance in Paris; here that is 999.
    let arrival = world.talk(charles, "*8215", bt);
    insta::assert_snapshot!("emergency", world.ladder());
    assert!(arrival.uri.starts_with("sip:999@"), "{}", arrival.uri);
    assert!(arrival.asserted.is_some_and(|identity| identity.contains("+442079460200")), "who is rung back");
    assert!(!world.ever_rang(world.carrier("orange")));
    world.end();
}

#[test]
fn a_visitor_calls_for_help_where_the_visitor_is() {
    let mut world = World::new(2);
    let ada = world.registered("201", "paris");
    let orange = world.carrier("orange");
    for (dialled, sent) in [("112", "112"), ("15", "15"), ("*81999", "112"), ("*81112", "112")] {
        let arrival = world.talk(ada, dialled, orange);
        assert!(arrival.uri.starts_with(&format!("sip:{sent}@")), "{dialled}: {}", arrival.uri);
        assert!(arrival.asserted.is_some_and(|identity| identity.contains("+33199000300")));
    }
    assert!(!world.ever_rang(world.carrier("bt")));
    world.end();
}

#[test]
fn the_other_site_is_asked_while_its_numbers_are_not_known() {
    let mut world = World::new(7);
    world.lines(LineClass::Sites, Line::clean(800));
    let charles = world.registered("202", "london");
    // The first probes are still on their way.
    let arrival = world.talk(charles, "*8215", world.carrier("bt"));
    assert!(arrival.uri.starts_with("sip:999@"), "{}", arrival.uri);
    world.end();
}

#[test]
fn help_is_known_behind_break_out_while_that_site_is_away() {
    let mut world = World::new(6);
    let charles = world.registered("202", "london");
    let bt = world.carrier("bt");
    world.pass(20);
    world.cut("london", "paris");
    // At once, and when it is known to be down: 15 is help in Paris only, there behind its outside prefix too.
    for _ in 0..2 {
        for dialled in ["*8215", "*82015"] {
            let arrival = world.talk(charles, dialled, bt);
            assert!(arrival.uri.starts_with("sip:999@"), "{dialled}: {}", arrival.uri);
        }
        world.pass(30);
    }
    let dialled = world.dial(charles, "*820199");
    assert_eq!(world.refused(dialled).status.0, 504, "nothing else is dialled here for another site");
    world.end();
}

#[test]
fn nothing_stands_before_an_emergency_call() {
    let mut world = World::new(3);
    let bt = world.carrier("bt");
    // Barred from calling out.
    let lobby = world.registered("206", "london");
    world.talk(lobby, "999", bt);
    // Never registered, in a network of `anyone_from`, with a wrong password.
    let stranger = world.phone("299", "london");
    world.talk(stranger, "999", bt);
    // With the outside prefix.
    world.talk(lobby, "9999", bt);
    // Behind a Break Out prefix, with help of this site and of the other, once it is known.
    world.pass(5);
    for caller in [lobby, stranger] {
        world.talk(caller, "*82999", bt);
        world.talk(caller, "*8215", bt);
    }
    world.end();
}

#[test]
fn those_in_charge_are_told() {
    let mut world = World::new(5);
    let charles = world.registered("202", "london");
    let mary = world.registered("203", "london");
    world.talk(charles, "999", world.carrier("bt"));
    world.pass(5);
    let told =
        world.events(mary).any(|event| matches!(event, PhoneEvent::Message { text, .. } if text.contains("202")));
    assert!(told, "`notify` is told who, where and when");
    world.end();
}

#[test]
fn another_trunk_takes_the_call_when_the_first_fails() {
    let mut world = World::new(4);
    let charles = world.registered("202", "london");
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    world.switch_off(bt);
    world.talk(charles, "999", mobile);
    world.end();
}
