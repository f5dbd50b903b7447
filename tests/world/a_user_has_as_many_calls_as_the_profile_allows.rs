//! SPEC 9.6, 13: a user's calls count where the user is; one more is busy.

use hotdesk::phone::{Behaviour, CallRef};

use crate::support::{Arrival, Dialled, Seat, World};

/// Everybody may have so many calls at once.
fn world(seed: u64, calls: usize) -> World {
    World::with(seed, |sample| sample.network.profiles.values_mut().for_each(|profile| profile.calls = calls))
}

fn calls_of(world: &World, site: &str, user: &str) -> usize {
    world.node(site).tally().calls_of(user)
}

/// A call that is up.
fn up(world: &mut World, caller: Seat, number: &str, callee: Seat) -> (Dialled, Arrival) {
    let dialled = world.dial(caller, number);
    let arrival = world.arrival(callee);
    world.answered(dialled);
    world.confirmed(&arrival);
    (dialled, arrival)
}

fn end(world: &mut World, (dialled, arrival): (Dialled, Arrival)) {
    let (caller, callee): ((Seat, CallRef), _) = ((dialled.seat, dialled.call), (arrival.seat, arrival.call));
    world.hang_up(caller, callee);
}

#[test]
fn a_user_who_has_all_calls_is_busy_until_one_ends() {
    let mut world = world(1, 2);
    let ada = world.registered("201", "london");
    let callers = ["202", "203", "204"].map(|user| world.registered(user, "london"));
    let first = up(&mut world, callers[0], "201", ada);
    let second = up(&mut world, callers[1], "201", ada);
    assert_eq!(calls_of(&world, "london", "201"), 2);
    let third = world.dial(callers[2], "201");
    assert_eq!(world.refused(third).status.0, 486);
    assert_eq!(calls_of(&world, "london", "204"), 0, "a refused call is none");
    end(&mut world, first);
    let third = up(&mut world, callers[2], "201", ada);
    end(&mut world, second);
    end(&mut world, third);
    world.end();
}

#[test]
fn a_user_who_has_all_calls_makes_no_further_one_but_for_help() {
    let mut world = world(2, 1);
    let (ada, bob) = (world.registered("201", "london"), world.registered("202", "london"));
    world.registered("203", "london");
    let call = up(&mut world, ada, "202", bob);
    let more = world.dial(ada, "203");
    let refused = world.refused(more);
    assert!(refused.status.0 == 486 && refused.says("call limit reached"), "{refused:?}");
    let help = world.dial(ada, "999");
    let bt = world.carrier("bt");
    let rings = world.arrival(bt);
    world.answered(help);
    assert_eq!(world.node("london").tally().calls(), 2, "a call for help counts, and is never refused");
    end(&mut world, (help, rings));
    end(&mut world, call);
    world.end();
}

#[test]
fn a_call_counts_from_its_admission_and_once_for_all_phones_of_a_user() {
    let mut world = world(3, 1);
    let bob = world.registered("202", "london");
    let phones = [world.registered("201", "london"), world.registered("201", "london")];
    phones.iter().for_each(|&phone| world.behave(phone, Behaviour::Ring));
    let dialled = world.dial(bob, "201");
    phones.iter().for_each(|&phone| drop(world.arrival(phone)));
    assert_eq!((calls_of(&world, "london", "201"), calls_of(&world, "london", "202")), (1, 1));
    let charles = world.registered("203", "london");
    let more = world.dial(charles, "201");
    assert_eq!(world.refused(more).status.0, 486, "the first one still rings");
    world.act(bob, |phone, now| phone.cancel(now, dialled.call));
    assert_eq!(world.refused(dialled).status.0, 487);
    assert_eq!(calls_of(&world, "london", "201"), 0, "CANCEL ends it");
    world.end();
}

#[test]
fn a_visitor_is_counted_at_the_visited_site_by_what_home_allows() {
    let mut world = world(4, 1);
    let away = world.registered("201", "paris");
    let (bob, charles) = (world.registered("202", "london"), world.registered("203", "london"));
    let call = up(&mut world, bob, "201", away);
    assert_eq!((calls_of(&world, "paris", "201"), calls_of(&world, "london", "201")), (1, 0));
    assert_eq!((calls_of(&world, "paris", "202"), calls_of(&world, "london", "202")), (0, 1));
    let more = world.dial(charles, "201");
    assert_eq!(world.refused(more).status.0, 486);
    world.registered("302", "paris");
    let own = world.dial(away, "302");
    assert_eq!(world.refused(own).status.0, 486);
    end(&mut world, call);
    world.talk(charles, "201", away);
    world.end();
}

#[test]
fn a_group_rings_those_who_have_a_call_free() {
    let mut world = World::with(5, |sample| {
        sample.network.profiles.values_mut().for_each(|profile| profile.calls = 1);
        let group = sample.site("london").groups.values_mut().next().expect("the sample has a group");
        group.ring = hotdesk::settings::Ring::All;
        group.members = ["201", "202"].map(hotdesk::ids::Extension::new).into();
    });
    let [ada, bob, charles, dora] = ["201", "202", "203", "204"].map(|user| world.registered(user, "london"));
    let call = up(&mut world, charles, "201", ada);
    let reception = up(&mut world, dora, "290", bob);
    end(&mut world, reception);
    end(&mut world, call);
    world.end();
}
