//! SPEC 9.2, 9.3; RFC 7044, RFC 5806.

use std::time::Duration;

use hotdesk::phone::{Behaviour, PhoneEvent};
use hotdesk::sip::{Name, Status};

use crate::support::{Arrival, Sample, World};

fn values(arrival: &Arrival, name: &Name) -> Vec<String> {
    arrival.request.values(name).map(|value| String::from_utf8_lossy(&value).into_owned()).collect()
}

fn busy_to(number: &'static str) -> impl FnOnce(&mut Sample) {
    move |sample| sample.user("201").forward.busy = Some(number.into())
}

#[test]
fn a_busy_user_is_forwarded_and_whoever_is_reached_learns_from_whom() {
    let mut world = World::with(1, busy_to("202"));
    let (mary, ada, charles) =
        (world.registered("203", "london"), world.registered("201", "london"), world.registered("202", "london"));
    world.behave(ada, Behaviour::Busy);
    world.chapter();
    let arrival = world.talk(mary, "201", charles);
    assert_eq!(
        values(&arrival, &Name::HistoryInfo),
        [
            "<sip:201@london.example?Reason=SIP%3Bcause%3D486>;index=1",
            "<sip:202@london.example;cause=486>;index=1.1;mp=1"
        ]
    );
    assert_eq!(values(&arrival, &Name::Diversion), ["<sip:201@london.example>;reason=user-busy;counter=1"]);
    assert!(arrival.asserted.is_some_and(|identity| identity.contains("203@")), "it is still Mary who calls");
    insta::assert_snapshot!("busy", world.ladder());
    world.end();
}

#[test]
fn an_unconditional_forward_rings_no_phone_of_the_user() {
    let mut world = World::with(2, |sample| sample.user("201").forward.unconditional = Some("202".into()));
    let (mary, ada, charles) =
        (world.registered("203", "london"), world.registered("201", "london"), world.registered("202", "london"));
    let arrival = world.talk(mary, "201", charles);
    assert_eq!(values(&arrival, &Name::Diversion), ["<sip:201@london.example>;reason=unconditional;counter=1"]);
    assert!(!world.ever_rang(ada));
    world.end();
}

#[test]
fn a_user_who_does_not_answer_is_forwarded_after_so_many_seconds_from_sending() {
    let mut world = World::with(3, |sample| {
        let forward = &mut sample.user("201").forward;
        (forward.no_answer, forward.after) = (Some("202".into()), Duration::from_secs(10));
    });
    let (mary, ada, charles) =
        (world.registered("203", "london"), world.registered("201", "london"), world.registered("202", "london"));
    world.behave(ada, Behaviour::Ring);
    world.chapter();
    let dialled = world.dial(mary, "201");
    let rung = world.arrival(ada);
    assert!(world.arrival_within(charles, Duration::from_millis(9_900)).is_none(), "a second too early");
    let arrival = world.arrival_within(charles, Duration::from_millis(200)).expect("after ten seconds");
    world.answered(dialled);
    world.confirmed(&arrival);
    let reason = world.events(ada).find_map(|event| match event {
        PhoneEvent::Cancelled { call, reason } if *call == rung.call => reason.clone(),
        _ => None,
    });
    assert_eq!(reason.as_deref(), Some("SIP;cause=408;text=\"No answer\""));
    world.hang_up((mary, dialled.call), (charles, arrival.call));
    insta::assert_snapshot!("no_answer", world.ladder());
    world.end();
}

#[test]
fn a_180_that_comes_late_gives_no_more_time() {
    let mut world = World::with(4, |sample| sample.user("201").forward.no_answer = Some("202".into()));
    let (mary, ada, charles) =
        (world.registered("203", "london"), world.registered("201", "london"), world.registered("202", "london"));
    world.behave(ada, Behaviour::Silent);
    let dialled = world.dial(mary, "201");
    world.pass(10);
    // The next copy of the INVITE is heard 15.5 s after the first: the timer has run out by then.
    world.behave(ada, Behaviour::Ring);
    let arrival = world.arrival_within(charles, Duration::from_millis(5_100)).expect("15 seconds from sending");
    world.answered(dialled);
    world.confirmed(&arrival);
    world.pass(20);
    let cancelled = world.events(ada).any(|event| matches!(event, PhoneEvent::Cancelled { .. }));
    assert!(world.ever_rang(ada) && cancelled, "RFC 3261 §9.1: the CANCEL waits for the 180");
    world.hang_up((mary, dialled.call), (charles, arrival.call));
    world.end();
}

#[test]
fn a_user_without_a_phone_is_forwarded_when_unreachable_and_not_when_busy() {
    let mut world = World::with(5, |sample| {
        let forward = &mut sample.user("201").forward;
        (forward.unreachable, forward.busy) = (Some("202".into()), Some("204".into()));
        sample.user("205").forward.busy = Some("202".into());
    });
    let (mary, charles) = (world.registered("203", "london"), world.registered("202", "london"));
    world.talk(mary, "201", charles);
    let dialled = world.dial(mary, "205");
    assert_eq!(world.refused(dialled).status.0, 480);
    world.end();
}

#[test]
fn a_phone_that_is_off_the_net_makes_its_user_unreachable() {
    let mut world = World::with(6, |sample| sample.user("201").forward.unreachable = Some("202".into()));
    let (mary, ada, charles) =
        (world.registered("203", "london"), world.registered("201", "london"), world.registered("202", "london"));
    world.switch_off(ada);
    let dialled = world.dial(mary, "201");
    let arrival = world.arrival(charles);
    world.answered(dialled);
    world.confirmed(&arrival);
    world.hang_up((mary, dialled.call), (charles, arrival.call));
    world.end();
}

#[test]
fn who_declines_a_call_does_not_want_it_elsewhere() {
    let mut world = World::with(7, busy_to("202"));
    let (mary, ada, charles) =
        (world.registered("203", "london"), world.registered("201", "london"), world.registered("202", "london"));
    world.behave(ada, Behaviour::Reject { status: Status::DECLINE, reason: "Decline".into() });
    let dialled = world.dial(mary, "201");
    assert_eq!(world.refused(dialled).status.0, 603);
    world.behave(ada, Behaviour::Reject { status: Status::BUSY_EVERYWHERE, reason: "Busy".into() });
    world.talk(mary, "201", charles);
    world.end();
}

#[test]
fn who_does_not_want_to_be_disturbed_is_not_forwarded() {
    let mut world = World::with(8, |sample| {
        sample.user("201").do_not_disturb = true;
        let forward = &mut sample.user("201").forward;
        (forward.busy, forward.unconditional) = (Some("202".into()), Some("202".into()));
    });
    let (mary, ada, charles) =
        (world.registered("203", "london"), world.registered("201", "london"), world.registered("202", "london"));
    let dialled = world.dial(mary, "201");
    let refused = world.refused(dialled);
    assert_eq!((refused.status.0, refused.reason.as_str()), (486, "Do Not Disturb"), "SPEC 9.2: before all else");
    assert!(!world.ever_rang(ada) && !world.ever_rang(charles));
    world.end();
}

#[test]
fn a_forward_leaves_by_a_trunk_in_the_users_name_and_shows_who_calls_where_it_may() {
    for (any, shown) in [(false, "+442079460201"), (true, "+442071110000")] {
        let mut world = World::with(9, |sample| {
            sample.user("201").forward.busy = Some("902079460999".into());
            sample.site("london").trunks.iter_mut().for_each(|trunk| trunk.any_caller_id = any);
        });
        let (bt, ada) = (world.carrier("bt"), world.registered("201", "london"));
        world.behave(ada, Behaviour::Busy);
        let dialled = world.dial(bt, "+442079460201");
        let arrival = world.arrival(bt);
        assert!(arrival.uri.starts_with("sip:02079460999@"), "{}", arrival.uri);
        let asserted = arrival.asserted.clone().expect("a calling number");
        assert!(asserted.contains(shown), "{asserted}");
        assert_eq!(
            values(&arrival, &Name::Diversion),
            ["<sip:+442079460201@london.example>;reason=user-busy;counter=1"]
        );
        world.answered(dialled);
        world.confirmed(&arrival);
        world.hang_up((bt, dialled.call), (bt, arrival.call));
        world.end();
    }
}

/// SPEC 3: `transit_calls`.
#[test]
fn so_many_calls_that_come_in_are_forwarded_out_and_no_more() {
    let mut world = World::with(15, |sample| {
        sample.user("201").forward.busy = Some("902079460999".into());
        sample.site("london").trunks.iter_mut().for_each(|trunk| trunk.transit_calls = 1);
    });
    let (bt, ada) = (world.carrier("bt"), world.registered("201", "london"));
    world.behave(ada, Behaviour::Busy);
    let first = world.dial(bt, "+442079460201");
    let arrival = world.arrival(bt);
    world.answered(first);
    world.confirmed(&arrival);
    let second = world.dial(bt, "+442079460201");
    assert_eq!(world.refused(second).status.0, 480);
    world.hang_up((bt, first.call), (bt, arrival.call));
    let third = world.dial(bt, "+442079460201");
    let arrival = world.arrival(bt);
    world.answered(third);
    world.confirmed(&arrival);
    world.hang_up((bt, third.call), (bt, arrival.call));
    world.end();
}

#[test]
fn what_the_user_may_not_dial_is_not_forwarded_to() {
    // 206 is barred from calls outside; 9090 is barred by the rights of 201; 999 is for whoever needs help.
    for (user, number) in [("206", "902079460999"), ("201", "9090123456"), ("201", "999"), ("201", "9999")] {
        let mut world = World::with(10, |sample| {
            let forward = &mut sample.user(user).forward;
            (forward.busy, forward.unconditional) = (Some(number.into()), Some(number.into()));
        });
        let (mary, busy) = (world.registered("203", "london"), world.registered(user, "london"));
        world.behave(busy, Behaviour::Busy);
        let dialled = world.dial(mary, user);
        assert_eq!(world.refused(dialled).status.0, 486, "{user} to {number}");
        assert!(world.ever_rang(busy), "a forward that may not be taken is none");
        assert!(!world.ever_rang(world.carrier("bt")) && !world.ever_rang(world.carrier("mobile")));
        world.end();
    }
}

#[test]
fn a_profile_may_forbid_forwards_or_those_that_leave_the_network() {
    for (forwarding, external, inside, outside) in
        [(true, true, true, true), (true, false, true, false), (false, true, false, false)]
    {
        let mut world = World::with(11, |sample| {
            let profile = sample.network.profiles.get_mut("power").expect("the profile of 201");
            (profile.forwarding, profile.forward_external) = (forwarding, external);
            let forward = &mut sample.user("201").forward;
            (forward.busy, forward.unreachable) = (Some("202".into()), Some("902079460999".into()));
        });
        let (mary, charles) = (world.registered("203", "london"), world.registered("202", "london"));
        world.dial(mary, "201");
        world.pass(5);
        assert_eq!(world.ever_rang(world.carrier("bt")), outside, "{forwarding} {external}");
        let ada = world.registered("201", "london");
        world.behave(ada, Behaviour::Busy);
        world.dial(mary, "201");
        world.pass(5);
        assert_eq!(world.ever_rang(charles), inside, "{forwarding} {external}");
    }
}

#[test]
fn voicemail_is_the_last_forward() {
    let mut world = World::with(12, |sample| {
        sample.site("london").voicemail = Some("sip:vm@127.0.0.11:5080".into());
        sample.user("201").forward.after = Duration::from_secs(5);
        sample.user("205").forward.busy = Some("202".into());
    });
    let (mary, ada, charles) =
        (world.registered("203", "london"), world.registered("201", "london"), world.registered("202", "london"));
    let voicemail = world.carrier("mobile");
    world.behave(ada, Behaviour::Ring);
    let arrival = world.talk(mary, "201", voicemail);
    assert_eq!(arrival.uri, "sip:vm@127.0.0.11:5080");
    assert_eq!(values(&arrival, &Name::Diversion), ["<sip:201@london.example>;reason=no-answer;counter=1"]);
    // 204 has no phone at all.
    world.talk(mary, "204", voicemail);
    // 205 has another forward.
    let alan = world.registered("205", "london");
    world.behave(alan, Behaviour::Busy);
    world.talk(mary, "205", charles);
    world.end();
}

#[test]
fn a_call_that_is_given_up_during_a_forward_stops_ringing_there() {
    let mut world = World::with(13, busy_to("202"));
    let (mary, ada, charles) =
        (world.registered("203", "london"), world.registered("201", "london"), world.registered("202", "london"));
    world.behave(ada, Behaviour::Busy);
    world.behave(charles, Behaviour::Ring);
    let dialled = world.dial(mary, "201");
    world.arrival(charles);
    world.pass(2);
    world.act(mary, |phone, now| phone.cancel(now, dialled.call));
    assert_eq!(world.refused(dialled).status.0, 487);
    world.pass(1);
    assert!(world.events(charles).any(|event| matches!(event, PhoneEvent::Cancelled { .. })));
    world.end();
}

#[test]
fn a_forward_that_leads_nowhere_ends_as_the_place_that_it_led_to() {
    let mut world = World::with(14, busy_to("202"));
    let (mary, ada, charles) =
        (world.registered("203", "london"), world.registered("201", "london"), world.registered("202", "london"));
    world.behave(ada, Behaviour::Busy);
    world.behave(charles, Behaviour::Reject { status: Status(488), reason: "Not Acceptable Here".into() });
    let dialled = world.dial(mary, "201");
    assert_eq!(world.refused(dialled).status.0, 488);
    world.switch_off(charles);
    world.end();
}
