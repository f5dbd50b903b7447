//! SPEC 3: `ring`, `after`, `then`; and whom a group gives its calls to outside its hours.

use std::time::Duration;

use hotdesk::phone::{Behaviour, PhoneEvent};
use hotdesk::settings::Ring;
use hotdesk::sip::Status;

use crate::support::{Sample, World};

/// Reception is 203, 205 and 206.
fn reception(sample: &mut Sample, ring: Ring, then: Option<&str>) {
    let group = sample.site("london").groups.get_mut("290").expect("the sample's group");
    (group.ring, group.after, group.then) = (ring, Duration::from_secs(10), then.map(str::to_owned));
}

#[test]
fn a_group_that_does_not_answer_gives_the_call_on() {
    let mut world = World::with(1, |sample| reception(sample, Ring::All, Some("201")));
    let (caller, ada) = (world.registered("202", "london"), world.registered("201", "london"));
    let members = [world.registered("203", "london"), world.registered("205", "london")];
    members.iter().for_each(|seat| world.behave(*seat, Behaviour::Ring));
    let dialled = world.dial(caller, "290");
    members.iter().for_each(|seat| _ = world.arrival(*seat));
    assert!(world.arrival_within(ada, Duration::from_millis(9_900)).is_none());
    let arrival = world.arrival_within(ada, Duration::from_millis(200)).expect("after ten seconds");
    world.answered(dialled);
    world.confirmed(&arrival);
    for seat in members {
        assert!(world.events(seat).any(|event| matches!(event, PhoneEvent::Cancelled { .. })));
    }
    world.hang_up((caller, dialled.call), (ada, arrival.call));
    world.end();
}

#[test]
fn a_member_who_declines_does_not_speak_for_the_group() {
    let mut world = World::with(2, |sample| reception(sample, Ring::All, Some("201")));
    let (caller, ada) = (world.registered("202", "london"), world.registered("201", "london"));
    let (mary, alan) = (world.registered("203", "london"), world.registered("205", "london"));
    let decline = Behaviour::Reject { status: Status::DECLINE, reason: "Decline".into() };
    world.behave(mary, decline.clone());
    world.talk(caller, "290", alan);
    world.behave(alan, decline);
    world.talk(caller, "290", ada);
    world.end();
}

#[test]
fn in_turn_each_member_has_its_time() {
    let mut world = World::with(3, |sample| reception(sample, Ring::InTurn, Some("201")));
    let (caller, ada) = (world.registered("202", "london"), world.registered("201", "london"));
    let (mary, alan) = (world.registered("203", "london"), world.registered("205", "london"));
    world.behave(mary, Behaviour::Ring);
    world.behave(alan, Behaviour::Ring);
    let dialled = world.dial(caller, "290");
    world.arrival(mary);
    assert!(!world.ever_rang(alan));
    world.arrival_within(alan, Duration::from_millis(10_100)).expect("ten seconds later");
    assert!(world.events(mary).any(|event| matches!(event, PhoneEvent::Cancelled { .. })));
    let arrival = world.arrival_within(ada, Duration::from_millis(10_100)).expect("206 has no phone");
    world.answered(dialled);
    world.confirmed(&arrival);
    world.hang_up((caller, dialled.call), (ada, arrival.call));
    world.end();
}

#[test]
fn a_group_with_nobody_after_it_rings_on() {
    let mut world = World::with(4, |sample| reception(sample, Ring::All, None));
    let caller = world.registered("202", "london");
    let mary = world.registered("203", "london");
    world.behave(mary, Behaviour::Answer { after: Duration::from_secs(60) });
    let dialled = world.dial(caller, "290");
    let arrival = world.arrival(mary);
    world.answered(dialled);
    world.confirmed(&arrival);
    world.hang_up((caller, dialled.call), (mary, arrival.call));
    world.end();
}

#[test]
fn members_forwards_are_not_the_groups() {
    let mut world = World::with(5, |sample| {
        reception(sample, Ring::All, None);
        sample.user("203").forward.unconditional = Some("201".into());
    });
    let (caller, ada, mary) =
        (world.registered("202", "london"), world.registered("201", "london"), world.registered("203", "london"));
    world.talk(caller, "290", mary);
    assert!(!world.ever_rang(ada));
    world.end();
}

#[test]
fn an_empty_group_goes_to_whoever_is_after_it_and_two_that_name_each_other_end() {
    let mut world = World::with(6, |sample| reception(sample, Ring::All, Some("201")));
    let (caller, ada) = (world.registered("202", "london"), world.registered("201", "london"));
    world.talk(caller, "290", ada);
    world.end();
    let mut world = World::with(7, |sample| reception(sample, Ring::InTurn, Some("290")));
    let caller = world.registered("202", "london");
    let dialled = world.dial(caller, "290");
    assert_eq!(world.refused(dialled).status.0, 480);
    world.end();
}

/// Reception closes at half past six; 204 takes its calls then.
#[test]
fn by_night_the_calls_of_a_group_go_to_somebody_else_from_wherever_they_come() {
    let mut world = World::with(8, |_| {});
    let (caller, michael) = (world.registered("202", "london"), world.registered("204", "london"));
    let (mary, marie) = (world.registered("203", "london"), world.registered("301", "paris"));
    world.talk(caller, "290", mary);
    world.set_clock("london", 8 * 3_600_000);
    world.set_clock("paris", 8 * 3_600_000);
    world.talk(caller, "290", michael);
    world.talk(marie, "290", michael);
    let carrier = world.carrier("bt");
    let dialled = world.dial(carrier, "+442079460200");
    let arrival = world.arrival(michael);
    world.answered(dialled);
    world.confirmed(&arrival);
    world.hang_up((carrier, dialled.call), (michael, arrival.call));
    world.end();
}
