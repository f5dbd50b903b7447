//! SPEC 9.3: at most five, and never back to where the call was.

use hotdesk::phone::Behaviour;
use hotdesk::sip::Name;

use crate::support::{Sample, World};

fn busy(sample: &mut Sample, from: &str, to: &str) {
    sample.user(from).forward.busy = Some(to.into());
}

#[test]
fn a_loop_of_forwards_ends_where_it_closes() {
    let mut world = World::with(1, |sample| {
        busy(sample, "201", "202");
        busy(sample, "202", "201");
    });
    let (mary, ada, charles) =
        (world.registered("203", "london"), world.registered("201", "london"), world.registered("202", "london"));
    world.behave(ada, Behaviour::Busy);
    world.behave(charles, Behaviour::Busy);
    let dialled = world.dial(mary, "201");
    assert_eq!(world.refused(dialled).status.0, 486);
    let calls = world.datagrams().filter(|(from, to, bytes)| {
        *from == "london" && (to.starts_with("201") || to.starts_with("202")) && bytes.starts_with(b"INVITE")
    });
    assert_eq!(calls.count(), 2, "each rang once");
    world.end();
}

#[test]
fn two_who_forward_everything_to_each_other_are_reached_all_the_same() {
    let mut world = World::with(2, |sample| {
        sample.user("201").forward.unconditional = Some("202".into());
        sample.user("202").forward.unconditional = Some("201".into());
    });
    let (mary, ada, charles) =
        (world.registered("203", "london"), world.registered("201", "london"), world.registered("202", "london"));
    world.talk(mary, "201", charles);
    world.talk(mary, "202", ada);
    world.end();
}

#[test]
fn a_user_who_forwards_to_the_own_number_is_not_forwarded() {
    let mut world = World::with(3, |sample| sample.user("201").forward.unconditional = Some("201".into()));
    let (mary, ada) = (world.registered("203", "london"), world.registered("201", "london"));
    world.talk(mary, "201", ada);
    world.end();
}

#[test]
fn the_sixth_forward_is_not_taken() {
    let chain = ["201", "301", "202", "302", "203", "303", "204"];
    let mut world = World::with(4, |sample| chain.windows(2).for_each(|pair| busy(sample, pair[0], pair[1])));
    let caller = world.registered("205", "london");
    let seats: Vec<_> = chain
        .iter()
        .map(|user| world.registered(user, if user.starts_with('2') { "london" } else { "paris" }))
        .collect();
    seats.iter().for_each(|seat| world.behave(*seat, Behaviour::Busy));
    let dialled = world.dial(caller, "201");
    assert_eq!(world.refused(dialled).status.0, 486);
    assert!(world.ever_rang(seats[5]), "the fifth forward");
    assert!(!world.ever_rang(seats[6]), "the sixth");
    let arrival = world.arrival(seats[5]);
    let history: Vec<String> =
        arrival.request.values(&Name::HistoryInfo).map(|entry| String::from_utf8_lossy(&entry).into_owned()).collect();
    assert_eq!(history.len(), 6, "{history:#?}");
    assert!(history[5].starts_with("<sip:303@paris.example;cause=486>;index=1.1.1.1.1.1;"), "{history:#?}");
    world.end();
}

#[test]
fn a_loop_over_two_sites_ends_too() {
    let mut world = World::with(5, |sample| {
        busy(sample, "201", "301");
        busy(sample, "301", "201");
    });
    let (mary, ada, paul) =
        (world.registered("203", "london"), world.registered("201", "london"), world.registered("301", "paris"));
    world.behave(ada, Behaviour::Busy);
    world.behave(paul, Behaviour::Busy);
    let dialled = world.dial(mary, "201");
    assert_eq!(world.refused(dialled).status.0, 486);
    world.end();
}
