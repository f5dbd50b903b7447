//! SPEC 9.3: a forward that can't be made is no forward: what comes after it is tried, the site's voicemail or the user's phones.

use std::time::Duration;

use hotdesk::phone::{Behaviour, PhoneEvent};
use hotdesk::sip::{Name, Status};

use crate::support::{Arrival, Dialled, Sample, Seat, World};

const OUTSIDE: &str = "902079460999";

/// 201 does not answer for five seconds and is forwarded to the outside, where the carrier bt has one line; `voicemail`: the site has
/// one, at the other carrier's.
fn no_answer(sample: &mut Sample, voicemail: bool) {
    let ada = sample.user("201");
    ada.priority = 1;
    let forward = &mut ada.forward;
    (forward.no_answer, forward.after) = (Some(OUTSIDE.into()), Duration::from_secs(5));
    let london = sample.site("london");
    london.trunks.iter_mut().for_each(|trunk| trunk.channels = Some(1));
    london.voicemail = voicemail.then(|| "sip:vm@127.0.0.11:5080".into());
}

fn always(sample: &mut Sample) {
    no_answer(sample, true);
    let forward = &mut sample.user("201").forward;
    forward.unconditional = forward.no_answer.take();
}

/// Who calls, whose phone rings, the carrier, and the carrier where the voicemail is.
fn cast(world: &mut World) -> [Seat; 4] {
    let (mary, ada) = (world.registered("203", "london"), world.registered("201", "london"));
    world.behave(ada, Behaviour::Ring);
    [mary, ada, world.carrier("bt"), world.carrier("mobile")]
}

/// 202 has the carrier's only line.
fn occupied(world: &mut World) -> (Dialled, Arrival) {
    let charles = world.registered("202", "london");
    let dialled = world.dial(charles, OUTSIDE);
    let arrival = world.arrival(world.carrier("bt"));
    world.answered(dialled);
    world.confirmed(&arrival);
    (dialled, arrival)
}

fn end(world: &mut World, (dialled, arrival): &(Dialled, Arrival)) {
    world.hang_up((dialled.seat, dialled.call), (arrival.seat, arrival.call));
}

fn cancelled(world: &World, seat: Seat) -> bool {
    world.events(seat).any(|event| matches!(event, PhoneEvent::Cancelled { .. }))
}

/// The voicemail has the call within that time, and is told of no other forward.
fn is_recorded(world: &mut World, dialled: Dialled, voicemail: Seat, within: Duration) {
    let arrival = world.arrival_within(voicemail, within).expect("the voicemail has the call");
    let diversion = arrival.request.values(&Name::Diversion).count();
    assert_eq!((arrival.uri.as_str(), diversion), ("sip:vm@127.0.0.11:5080", 1));
    world.answered(dialled);
    world.confirmed(&arrival);
    end(world, &(dialled, arrival));
}

#[test]
fn a_full_trunk_leaves_the_call_to_the_voicemail() {
    let mut world = World::with(1, |sample| no_answer(sample, true));
    let [mary, ada, bt, voicemail] = cast(&mut world);
    let other = occupied(&mut world);
    let dialled = world.dial(mary, "201");
    is_recorded(&mut world, dialled, voicemail, Duration::from_millis(5_200));
    assert!(cancelled(&world, ada));
    assert_eq!(world.events(bt).filter(|event| matches!(event, PhoneEvent::Incoming { .. })).count(), 1);
    end(&mut world, &other);
    world.end();
}

#[test]
fn without_a_voicemail_the_phone_rings_on() {
    let mut world = World::with(2, |sample| no_answer(sample, false));
    let [mary, ada, ..] = cast(&mut world);
    let other = occupied(&mut world);
    let dialled = world.dial(mary, "201");
    let ringing = world.arrival(ada);
    world.pass(20);
    assert!(!cancelled(&world, ada));
    world.act(ada, |phone, now| phone.answer(now, ringing.call));
    world.answered(dialled);
    end(&mut world, &(dialled, ringing));
    end(&mut world, &other);
    world.end();
}

#[test]
fn a_trunk_that_proves_to_be_down_leaves_the_call_to_the_voicemail() {
    let mut world = World::with(3, |sample| no_answer(sample, true));
    let [mary, ada, bt, voicemail] = cast(&mut world);
    world.behave(bt, Behaviour::Silent);
    let dialled = world.dial(mary, "201");
    is_recorded(&mut world, dialled, voicemail, Duration::from_millis(9_500));
    assert!(cancelled(&world, ada));
    // By now it is known to be down: nobody waits for it.
    let dialled = world.dial(mary, "201");
    is_recorded(&mut world, dialled, voicemail, Duration::from_millis(5_200));
    world.end();
}

#[test]
fn what_the_carrier_refuses_goes_to_the_voicemail_but_not_what_was_declined_there() {
    for (status, recorded) in [(503, true), (404, true), (486, true), (600, false), (603, false)] {
        let mut world = World::with(4, |sample| no_answer(sample, true));
        let [mary, _, bt, voicemail] = cast(&mut world);
        world.behave(bt, Behaviour::Reject { status: Status(status), reason: "No".into() });
        let dialled = world.dial(mary, "201");
        if recorded {
            is_recorded(&mut world, dialled, voicemail, Duration::from_millis(5_500));
        } else {
            world.pass(6);
            assert_eq!(world.refused(dialled).status.0, status);
            assert!(!world.ever_rang(voicemail));
        }
        world.end();
    }
}

#[test]
fn what_has_rung_outside_is_not_taken_away() {
    let mut world = World::with(5, |sample| no_answer(sample, true));
    let [mary, _, bt, voicemail] = cast(&mut world);
    world.behave(bt, Behaviour::Ring);
    let dialled = world.dial(mary, "201");
    world.pass(6);
    let ringing = world.arrival(bt);
    world.act(bt, |phone, now| phone.refuse(now, ringing.call, Status::BUSY_HERE));
    assert_eq!(world.refused(dialled).status, Status::BUSY_HERE);
    assert!(!world.ever_rang(voicemail));
    world.end();
}

#[test]
fn who_is_always_forwarded_rings_where_there_is_no_line() {
    let mut world = World::with(6, always);
    let [mary, ada, bt, _] = cast(&mut world);
    world.behave(ada, Behaviour::Answer { after: Duration::from_secs(1) });
    let other = occupied(&mut world);
    world.talk(mary, "201", ada);
    end(&mut world, &other);
    // A trunk whose being down comes out only now.
    world.behave(bt, Behaviour::Silent);
    let dialled = world.dial(mary, "201");
    let arrival = world.arrival_within(ada, Duration::from_millis(4_500)).expect("after four seconds of silence");
    world.answered(dialled);
    world.confirmed(&arrival);
    assert!(arrival.request.header(&Name::Diversion).is_none(), "nobody has diverted it");
    end(&mut world, &(dialled, arrival));
    world.end();
}

/// What the other end says of the number is the answer to who is always forwarded.
#[test]
fn who_is_always_forwarded_to_a_busy_number_is_busy() {
    let mut world = World::with(7, always);
    let [mary, ada, bt, voicemail] = cast(&mut world);
    world.behave(bt, Behaviour::Busy);
    let dialled = world.dial(mary, "201");
    assert_eq!(world.refused(dialled).status, Status::BUSY_HERE);
    assert!(!world.ever_rang(ada) && !world.ever_rang(voicemail));
    world.end();
}

#[test]
fn a_302_to_where_there_is_no_line_is_a_phone_that_can_not_be_reached() {
    let mut world = World::with(8, |sample| no_answer(sample, true));
    let [mary, ada, bt, voicemail] = cast(&mut world);
    world.behave(ada, Behaviour::Redirect { to: format!("sip:{OUTSIDE}@london.example") });
    world.behave(bt, Behaviour::Silent);
    let dialled = world.dial(mary, "201");
    is_recorded(&mut world, dialled, voicemail, Duration::from_millis(4_500));
    world.end();
}

/// SPEC 6.6: the form has an alternate, which is open to 201's priority after a minute, so there is something to wait for.
#[test]
fn a_call_waits_for_a_line_only_where_there_is_nothing_else() {
    let waits = |sample: &mut Sample| {
        let main = sample.site("london").ars.get_mut("main").expect("the sample has it");
        (main.alternate, main.alternate_priority, main.alternate_wait) =
            (Some("backup".into()), 3, Duration::from_secs(90));
    };
    let mut world = World::with(9, |sample| {
        no_answer(sample, true);
        waits(sample);
    });
    let [mary, _, _, voicemail] = cast(&mut world);
    let other = occupied(&mut world);
    let dialled = world.dial(mary, "201");
    is_recorded(&mut world, dialled, voicemail, Duration::from_millis(5_200));
    end(&mut world, &other);
    world.end();
    let mut world = World::with(10, |sample| {
        always(sample);
        waits(sample);
    });
    let [mary, ada, ..] = cast(&mut world);
    world.behave(ada, Behaviour::Answer { after: Duration::from_secs(1) });
    let other = occupied(&mut world);
    let dialled = world.dial(mary, "201");
    assert!(world.arrival_within(ada, Duration::from_secs(59)).is_none(), "the caller waits for a minute");
    assert!(world.has_sent("london", world.name(mary), b"SIP/2.0 182 Queued\r\n"));
    let arrival = world.arrival_within(ada, Duration::from_secs(2)).expect("then the phones ring");
    world.answered(dialled);
    world.confirmed(&arrival);
    assert_eq!(world.node("london").overview().waiting_for_a_line(), 0);
    end(&mut world, &(dialled, arrival));
    end(&mut world, &other);
    world.end();
}

/// The same where the forward leads to another site.
#[test]
fn a_site_that_proves_to_be_away_leaves_the_call_to_the_voicemail() {
    let mut world = World::with(11, |sample| {
        no_answer(sample, true);
        sample.user("201").forward.no_answer = Some("301".into());
    });
    let [mary, _, _, voicemail] = cast(&mut world);
    world.registered("301", "paris");
    world.cut("london", "paris");
    let dialled = world.dial(mary, "201");
    is_recorded(&mut world, dialled, voicemail, Duration::from_millis(8_000));
    world.end();
}
