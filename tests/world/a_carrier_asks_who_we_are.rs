//! SPEC 9.10: a trunk that challenges is answered by the site. The caller hears nothing of it; the numbers of the call are one ahead at
//! the carrier, and in step at home.

use std::time::Duration;

use hotdesk::event::Event;
use hotdesk::phone::{Behaviour, CallRef, Demand};
use hotdesk::settings::{DigestAlgorithm, Secret};
use hotdesk::sip::Status;

use crate::support::{Line, LineClass, Sample, Seat, World};

const OUTSIDE: &str = "902079460999";

fn account(sample: &mut Sample, trunk: &str, password: &str) {
    let trunk = sample.site("london").trunks.iter_mut().find(|own| own.name == trunk).expect("the sample has it");
    (trunk.username, trunk.password) = ("hotdesk".into(), Some(Secret(password.into())));
}

/// London has an account at bt, which asks for it.
fn world(seed: u64, demand: Demand) -> World {
    with(seed, demand, |_| {})
}

fn with(seed: u64, demand: Demand, change: impl FnOnce(&mut Sample)) -> World {
    let mut world = World::with(seed, |sample| {
        account(sample, "bt-1", "gold");
        change(sample);
    });
    let bt = world.carrier("bt");
    world.act(bt, |phone, _| phone.demand(Some(demand)));
    world
}

/// Asks for everything, and each nonce is good once.
fn strict() -> Demand {
    Demand { inside: true, uses: 1, ..Demand::new("hotdesk", "gold") }
}

fn up(world: &mut World, ada: Seat, bt: Seat) -> ((Seat, CallRef), (Seat, CallRef)) {
    let dialled = world.dial(ada, OUTSIDE);
    let arrival = world.arrival(bt);
    world.answered(dialled);
    world.confirmed(&arrival);
    ((ada, dialled.call), (bt, arrival.call))
}

/// Both sides ask something within the call, and are answered.
fn talk_inside(world: &mut World, (ada, own): (Seat, CallRef), (bt, theirs): (Seat, CallRef)) {
    world.act(ada, |phone, now| phone.re_invite(now, own, true));
    world.pass(2);
    world.act(bt, |phone, now| phone.re_invite(now, theirs, false));
    world.pass(2);
    world.act(ada, |phone, now| phone.update(now, own));
    world.pass(2);
    world.act(bt, |phone, now| phone.info(now, theirs, '5'));
    world.pass(2);
    world.act(ada, |phone, now| phone.info(now, own, '7'));
    world.pass(2);
    let refused = |bytes: &[u8]| bytes.starts_with(b"SIP/2.0 5") || bytes.starts_with(b"SIP/2.0 481");
    assert!(!world.datagrams().any(|(_, _, bytes)| refused(bytes)), "everything was in order");
}

/// Requests of a method from London to the carrier.
fn sent(world: &World, method: &str) -> Vec<String> {
    let to_bt = world.datagrams().filter(|(from, to, _)| *from == "london" && *to == "bt");
    let texts = to_bt.map(|(_, _, bytes)| String::from_utf8_lossy(bytes).into_owned());
    texts.filter(|text| text.starts_with(&format!("{method} "))).collect()
}

fn cseq(text: &str) -> u32 {
    let line = text.lines().find_map(|line| line.strip_prefix("CSeq: ")).expect("every message has one");
    line.split(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

/// Nothing of the carrier's challenge reaches a phone, and no phone's password the carrier.
fn nothing_leaks(world: &World) {
    for (from, to, bytes) in world.datagrams() {
        let text = String::from_utf8_lossy(bytes);
        let inside = from != "bt" && to != "bt" && from != "mobile" && to != "mobile";
        assert!(!(inside && text.contains("carrier.example")), "{from} to {to}:\n{text}");
        assert!(!text.contains("gold"), "{from} to {to}:\n{text}");
    }
}

fn warnings(world: &World) -> usize {
    world.told("london").filter(|event| matches!(event, Event::CarrierRefuses { .. })).count()
}

#[test]
fn every_kind_of_challenge_is_answered_and_the_call_goes_on_one_ahead() {
    let (md5, sha256) = (DigestAlgorithm::Md5, DigestAlgorithm::Sha256);
    let of = |status, offers: &[DigestAlgorithm], qop| Demand {
        status,
        offers: offers.to_vec(),
        qop,
        ..Demand::new("hotdesk", "gold")
    };
    for demand in [
        of(Status::PROXY_AUTHENTICATION_REQUIRED, &[md5], true),
        of(Status::UNAUTHORIZED, &[md5], true),
        of(Status::UNAUTHORIZED, &[sha256], true),
        of(Status::PROXY_AUTHENTICATION_REQUIRED, &[md5, sha256], true),
        of(Status::PROXY_AUTHENTICATION_REQUIRED, &[sha256, md5], true),
        of(Status::PROXY_AUTHENTICATION_REQUIRED, &[], false),
        of(Status::UNAUTHORIZED, &[sha256], false),
    ] {
        let mut world = world(1, demand);
        let (ada, bt) = (world.registered("201", "london"), world.carrier("bt"));
        let (caller, callee) = up(&mut world, ada, bt);
        let invites = sent(&world, "INVITE");
        assert_eq!(invites.len(), 2);
        assert_eq!(cseq(&invites[1]), cseq(&invites[0]) + 1);
        assert_eq!(sent(&world, "ACK").last().map(|ack| cseq(ack)), Some(cseq(&invites[1])));
        talk_inside(&mut world, caller, callee);
        world.hang_up(caller, callee);
        nothing_leaks(&world);
        world.end();
    }
}

#[test]
fn the_carrier_may_hang_up() {
    for demand in [Demand::new("hotdesk", "gold"), strict()] {
        let mut world = world(2, demand);
        let (ada, bt) = (world.registered("201", "london"), world.carrier("bt"));
        let (caller, callee) = up(&mut world, ada, bt);
        talk_inside(&mut world, caller, callee);
        world.hang_up(callee, caller);
        nothing_leaks(&world);
        world.end();
    }
}

#[test]
fn later_calls_show_the_credentials_unasked() {
    let mut world = world(3, Demand { inside: true, uses: 20, ..Demand::new("hotdesk", "gold") });
    let (ada, bt) = (world.registered("201", "london"), world.carrier("bt"));
    for calls in 1..=3 {
        let (caller, callee) = up(&mut world, ada, bt);
        assert_eq!(sent(&world, "INVITE").len(), 2 * calls, "the first one was asked, then a re-INVITE each");
        world.act(ada, |phone, now| phone.re_invite(now, caller.1, true));
        world.pass(2);
        world.hang_up(caller, callee);
    }
    assert_eq!(sent(&world, "BYE").len(), 3);
    assert!(sent(&world, "BYE").iter().all(|bye| bye.contains("Proxy-Authorization: ")));
    world.end();
}

#[test]
fn a_nonce_that_has_run_out_is_no_refusal() {
    let mut world = world(4, Demand { uses: 2, ..Demand::new("hotdesk", "gold") });
    let (ada, bt) = (world.registered("201", "london"), world.carrier("bt"));
    for _ in 0..6 {
        let (caller, callee) = up(&mut world, ada, bt);
        world.hang_up(caller, callee);
    }
    assert_eq!(warnings(&world), 0);
    nothing_leaks(&world);
    world.end();
}

#[test]
fn a_carrier_that_asks_for_every_request_is_answered_every_time() {
    for shards in [1, 3] {
        let mut world = with(5, strict(), |sample| sample.shards(shards));
        let (ada, bt) = (world.registered("201", "london"), world.carrier("bt"));
        for _ in 0..5 {
            let (caller, callee) = up(&mut world, ada, bt);
            (0..12).for_each(|_| talk_inside(&mut world, caller, callee));
            world.hang_up(caller, callee);
        }
        nothing_leaks(&world);
        world.end();
    }
}

#[test]
fn in_a_call_from_the_carrier_the_phones_requests_are_asked_too() {
    let mut world = world(6, strict());
    let (ada, bt) = (world.registered("201", "london"), world.carrier("bt"));
    for by_phone in [true, false] {
        let dialled = world.dial(bt, "+442079460201");
        let arrival = world.arrival(ada);
        world.answered(dialled);
        world.confirmed(&arrival);
        let (phone, carrier) = ((ada, arrival.call), (bt, dialled.call));
        talk_inside(&mut world, phone, carrier);
        talk_inside(&mut world, phone, carrier);
        if by_phone {
            world.hang_up(phone, carrier);
        } else {
            world.hang_up(carrier, phone);
        }
    }
    nothing_leaks(&world);
    world.end();
}

#[test]
fn the_call_outlives_restarts() {
    for demand in [Demand::new("hotdesk", "gold"), strict()] {
        let mut world = world(7, demand);
        world.with_disks();
        let (ada, bt) = (world.registered("201", "london"), world.carrier("bt"));
        let (caller, callee) = up(&mut world, ada, bt);
        talk_inside(&mut world, caller, callee);
        for _ in 0..2 {
            world.restart("london");
            world.pass(20);
            talk_inside(&mut world, caller, callee);
            talk_inside(&mut world, caller, callee);
        }
        world.restart("london");
        world.hang_up(caller, callee);
        nothing_leaks(&world);
        world.end();
    }
}

#[test]
fn bad_lines_change_nothing() {
    for seed in 0..6 {
        let mut world = world(80 + seed, if seed % 2 == 0 { strict() } else { Demand::new("hotdesk", "gold") });
        let (ada, bt) = (world.registered("201", "london"), world.carrier("bt"));
        world.lines(LineClass::Trunks, Line::bad(5, 200));
        for _ in 0..4 {
            let (caller, _) = up(&mut world, ada, bt);
            world.pass(10);
            world.act(ada, |phone, now| phone.re_invite(now, caller.1, true));
            world.pass(40);
            world.act(ada, |phone, now| phone.hang_up(now, caller.1));
            world.pass(40);
        }
        nothing_leaks(&world);
        world.end();
    }
}

#[test]
fn a_call_may_be_given_up_at_any_time() {
    for after in (4..40).step_by(2) {
        let mut world = world(9, Demand::new("hotdesk", "gold"));
        let (ada, bt) = (world.registered("201", "london"), world.carrier("bt"));
        world.behave(bt, Behaviour::Ring);
        let dialled = world.dial(ada, OUTSIDE);
        world.run(Duration::from_millis(after));
        world.act(ada, |phone, now| phone.cancel(now, dialled.call));
        assert_eq!(world.refused(dialled).status, Status::REQUEST_TERMINATED, "after {after} ms");
        for cancel in sent(&world, "CANCEL") {
            assert!(sent(&world, "INVITE").iter().any(|invite| cseq(invite) == cseq(&cancel)));
        }
        nothing_leaks(&world);
        world.end();
    }
}

#[test]
fn a_wrong_password_fails_the_trunk_and_is_warned_of_once() {
    let mut world = World::with(10, |sample| {
        account(sample, "bt-1", "brass");
        let trunks = &mut sample.site("london").trunks;
        let mobile = trunks.iter().find(|trunk| trunk.name == "mobile-1").cloned().expect("the sample has it");
        trunks.push(hotdesk::settings::Trunk { name: "bt-2".into(), group: "bt".into(), ..mobile });
    });
    let (ada, bt, mobile) = (world.registered("201", "london"), world.carrier("bt"), world.carrier("mobile"));
    world.act(bt, |phone, _| phone.demand(Some(Demand::new("hotdesk", "gold"))));
    for _ in 0..3 {
        world.talk(ada, OUTSIDE, mobile);
    }
    assert!(!world.ever_rang(bt));
    assert_eq!((sent(&world, "INVITE").len(), warnings(&world)), (6, 1), "asked once each time, and answered once");
    nothing_leaks(&world);
    world.end();
}

#[test]
fn with_no_other_trunk_no_line_is_free() {
    let mut world = World::with(11, |sample| account(sample, "bt-1", "brass"));
    let (ada, bt) = (world.registered("201", "london"), world.carrier("bt"));
    for offers in [vec![DigestAlgorithm::Md5], vec![DigestAlgorithm::Sha256]] {
        world.act(bt, |phone, _| phone.demand(Some(Demand { offers, ..Demand::new("hotdesk", "gold") })));
        let dialled = world.dial(ada, OUTSIDE);
        let refused = world.refused(dialled);
        assert!(refused.status.0 == 480 && refused.says("no line free"), "{refused:?}");
    }
    nothing_leaks(&world);
    world.end();
}

#[test]
fn a_call_for_help_is_asked_and_answered_and_goes_elsewhere_if_it_is_not_believed() {
    let mut world = world(12, Demand::new("hotdesk", "gold"));
    let (ada, bt) = (world.registered("206", "london"), world.carrier("bt"));
    world.talk(ada, "999", bt);
    nothing_leaks(&world);
    world.end();
    let mut world = with(13, Demand::new("hotdesk", "gold"), |sample| account(sample, "bt-1", "brass"));
    let (ada, mobile) = (world.registered("206", "london"), world.carrier("mobile"));
    world.talk(ada, "999", mobile);
    nothing_leaks(&world);
    world.end();
}

#[test]
fn a_carrier_that_falls_silent_after_its_challenge_is_waited_for_as_long_as_any() {
    let mut world = World::with(14, |sample| {
        account(sample, "bt-1", "gold");
        let trunks = &mut sample.site("london").trunks;
        let mobile = trunks.iter().find(|trunk| trunk.name == "mobile-1").cloned().expect("the sample has it");
        trunks.push(hotdesk::settings::Trunk { name: "bt-2".into(), group: "bt".into(), ..mobile });
    });
    let (ada, bt, mobile) = (world.registered("201", "london"), world.carrier("bt"), world.carrier("mobile"));
    world.act(bt, |phone, _| phone.demand(Some(Demand::new("hotdesk", "gold"))));
    let dialled = world.dial(ada, OUTSIDE);
    let asked =
        |world: &World| world.datagrams().any(|(from, _, bytes)| from == "bt" && bytes.starts_with(b"SIP/2.0 407"));
    assert!(world.run_until(Duration::from_secs(1), asked));
    world.behave(bt, Behaviour::Silent);
    let begun = world.now();
    world.arrival(mobile);
    let waited = world.now() - begun;
    assert!((Duration::from_secs(4)..Duration::from_millis(4_200)).contains(&waited), "{waited:?}");
    world.answered(dialled);
    world.act(ada, |phone, now| phone.hang_up(now, dialled.call));
    world.end();
}

#[test]
fn a_trunk_without_an_account_leaves_the_challenge_to_the_caller() {
    let mut world = World::new(15);
    let (ada, bt) = (world.registered("201", "london"), world.carrier("bt"));
    world.act(bt, |phone, _| phone.demand(Some(Demand::new("hotdesk", "gold"))));
    let dialled = world.dial(ada, OUTSIDE);
    assert_eq!(world.refused(dialled).status, Status::PROXY_AUTHENTICATION_REQUIRED);
    world.end();
}
