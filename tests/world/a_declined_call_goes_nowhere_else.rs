//! SPEC 9.3: 603 is not forwarded, whatever the user's other phones do; RFC 3261 §16.7 step 5.

use std::time::Duration;

use hotdesk::phone::{Behaviour, PhoneEvent};
use hotdesk::settings::Ring;
use hotdesk::sip::Status;

use crate::support::{Sample, World};

fn decline() -> Behaviour {
    Behaviour::Reject { status: Status::DECLINE, reason: "Decline".into() }
}

/// Who does not answer for ten seconds is forwarded to 202; what still fails goes to the voicemail.
fn forwarded(sample: &mut Sample) {
    sample.site("london").voicemail = Some("sip:vm@127.0.0.11:5080".into());
    let forward = &mut sample.user("201").forward;
    (forward.no_answer, forward.after) = (Some("202".into()), Duration::from_secs(10));
}

#[test]
fn a_phone_that_rings_is_cancelled() {
    let mut world = World::with(2, forwarded);
    let (mary, charles) = (world.registered("203", "london"), world.registered("202", "london"));
    let (desk, mobile) = (world.registered("201", "london"), world.registered("201", "london"));
    world.behave(desk, Behaviour::Ring);
    world.behave(mobile, Behaviour::Ring);
    let dialled = world.dial(mary, "201");
    let ringing = world.arrival(desk);
    world.arrival(mobile);
    world.pass(5);
    world.act(desk, |phone, now| phone.refuse(now, ringing.call, Status::DECLINE));
    assert_eq!(world.refused(dialled).status, Status::DECLINE);
    world.pass(30);
    assert!(world.events(mobile).any(|event| matches!(event, PhoneEvent::Cancelled { .. })));
    assert!(!world.ever_rang(charles));
    world.end();
}

/// The CANCEL has 64 × T1 to take effect (RFC 3261 §9.1); the user's patience is shorter.
#[test]
fn a_phone_that_has_rung_and_is_off_the_net_now_brings_no_forward() {
    let mut world = World::with(3, forwarded);
    let (mary, charles) = (world.registered("203", "london"), world.registered("202", "london"));
    let (desk, mobile) = (world.registered("201", "london"), world.registered("201", "london"));
    world.behave(desk, Behaviour::Ring);
    world.behave(mobile, Behaviour::Ring);
    let dialled = world.dial(mary, "201");
    let ringing = world.arrival(desk);
    world.arrival(mobile);
    world.switch_off(mobile);
    world.act(desk, |phone, now| phone.refuse(now, ringing.call, Status::DECLINE));
    world.pass(40);
    assert_eq!(world.refused(dialled).status, Status::DECLINE);
    assert!(!world.ever_rang(charles));
    world.end();
}

#[test]
fn in_a_group_the_next_member_has_its_turn() {
    let mut world = World::with(6, |sample| {
        let group = sample.site("london").groups.get_mut("290").expect("the sample's group");
        (group.ring, group.after, group.then) = (Ring::InTurn, Duration::from_secs(10), None);
    });
    let (caller, alan) = (world.registered("202", "london"), world.registered("205", "london"));
    let (desk, mobile) = (world.registered("203", "london"), world.registered("203", "london"));
    world.behave(desk, decline());
    world.switch_off(mobile);
    let begun = world.now();
    world.talk(caller, "290", alan);
    assert!(world.now() - begun < Duration::from_secs(15), "as if nobody had answered");
    world.end();
}
