//! SPEC 2.3: when the time for what was begun is over, every caller without an answer gets one, and nothing rings on for nobody. Who
//! waits for a line is told as soon as no new calls are taken.

use std::time::Duration;

use hotdesk::node::Command;
use hotdesk::phone::Behaviour;
use hotdesk::sip::Status;

use crate::support::{Dialled, Sample, Seat, World};

const OUTSIDE: &str = "902079460999";

/// One line of bt, and the alternate form, which leads to mobile, opens to nobody before 30 s.
fn waiting(sample: &mut Sample) {
    ["201", "202", "203"].iter().for_each(|user| sample.user(user).priority = 1);
    let london = sample.site("london");
    london.trunks.iter_mut().for_each(|trunk| trunk.channels = Some(1));
    let main = london.ars.get_mut("main").expect("the sample has it");
    (main.alternate, main.alternate_priority, main.alternate_wait) =
        (Some("backup".into()), 3, Duration::from_secs(30));
}

fn is_told(world: &mut World, dialled: Dialled) {
    let refused = world.refused(dialled);
    assert!(refused.status == Status::SERVICE_UNAVAILABLE && refused.says("this server is going down"), "{refused:?}");
    assert!(world.last_answer("london", world.name(dialled.seat)).contains("\r\nRetry-After: 30\r\n"));
}

/// Calls somebody who rings and does nothing else.
fn rings(world: &mut World, caller: Seat, number: &str, callee: Seat) -> Dialled {
    world.behave(callee, Behaviour::Ring);
    let dialled = world.dial(caller, number);
    world.arrival(callee);
    dialled
}

#[test]
fn what_rings_at_the_end_is_cancelled_and_its_caller_is_told() {
    let mut world = World::new(1);
    let [ada, charles, mary, alan] = ["201", "202", "203", "204"].map(|user| world.registered(user, "london"));
    let bt = world.carrier("bt");
    let (up, arrival) = (world.dial(mary, "204"), world.arrival(alan));
    world.answered(up);
    let calls = [(ada, "202", charles), (charles, "999", bt)];
    let calls = calls.map(|(caller, number, callee)| (rings(&mut world, caller, number, callee), callee));
    world.command("london", Command::Drain);
    world.pass(20);
    assert!(!world.is_idle("london"), "what was begun may finish");
    world.command("london", Command::GiveUp);
    for (dialled, callee) in calls {
        is_told(&mut world, dialled);
        assert!(
            world.run_until(Duration::from_secs(1), |world| {
                world.has_sent("london", world.name(callee), b"CANCEL ")
            })
        );
    }
    assert!(world.is_idle("london"));
    // RFC 3261 §16.10: the phones say 487, and what is up stays up.
    world.pass(1);
    assert_eq!(world.node("london").tally().calls_of("201"), 0);
    world.hang_up((mary, up.call), (alan, arrival.call));
    world.assert_no_complaints();
}

#[test]
fn a_caller_who_waits_for_a_line_is_told_at_once() {
    let mut world = World::with(2, waiting);
    let [ada, charles, mary] = ["201", "202", "203"].map(|user| world.registered(user, "london"));
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    let first = rings(&mut world, ada, OUTSIDE, bt);
    let waits = world.dial(charles, OUTSIDE);
    world.pass(1);
    assert_eq!(world.node("london").overview().waiting_for_a_line(), 1);
    world.command("london", Command::Drain);
    is_told(&mut world, waits);
    assert_eq!(world.node("london").overview().waiting_for_a_line(), 0);
    world.pass(5);
    assert!(!world.is_idle("london"), "what was begun may finish");
    world.act(ada, |phone, now| phone.cancel(now, first.call));
    assert_eq!(world.refused(first).status, Status::REQUEST_TERMINATED);
    world.pass(60);
    assert!(world.is_idle("london") && !world.ever_rang(mobile));
    let refused = world.dial(mary, OUTSIDE);
    is_told(&mut world, refused);
    world.assert_no_complaints();
}

#[test]
fn a_call_that_finds_no_line_while_the_server_ends_does_not_wait() {
    let mut world = World::with(3, waiting);
    let ada = world.registered("201", "london");
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    world.behave(bt, Behaviour::Silent);
    let dialled = world.dial(ada, OUTSIDE);
    world.pass(1);
    world.command("london", Command::Drain);
    let refused = world.refused(dialled);
    assert!(refused.status == Status::TEMPORARILY_UNAVAILABLE && refused.says("no line free"), "{refused:?}");
    assert!(world.is_idle("london") && !world.ever_rang(mobile));
}

/// What it does for the phone itself may take as long as another site does not answer.
#[test]
fn a_phone_that_waits_for_what_its_code_does_is_told() {
    let mut world = World::new(4);
    let phone = world.registered("205", "london");
    world.cut("london", "paris");
    let dialled = world.dial(phone, "*35*301*1301%23");
    world.run(Duration::from_millis(500));
    world.command("london", Command::Drain);
    world.command("london", Command::GiveUp);
    is_told(&mut world, dialled);
    world.pass(10);
    assert!(world.is_idle("london"));
    world.assert_no_complaints();
}
