//! SPEC 6.6: silence, ICMP and 503 mark a trunk down; later calls pass it by until it answers a probe, or `retry` is over.

use std::time::Duration;

use hotdesk::event::{Event, TrunkFailure};
use hotdesk::phone::Behaviour;
use hotdesk::sip::Status;

use crate::support::{Dialled, Seat, World};

const OUTSIDE: &str = "902079460999";

/// London's group bt has two trunks: to the carrier bt, and to the carrier mobile.
fn world(seed: u64, retry: u64) -> World {
    World::with(seed, |sample| {
        let trunks = &mut sample.site("london").trunks;
        let other = trunks.iter().find(|trunk| trunk.name == "mobile-1").cloned().expect("the sample has it");
        trunks.retain(|trunk| trunk.name != "mobile-1");
        trunks.push(hotdesk::settings::Trunk { name: "bt-2".into(), group: "bt".into(), ..other.clone() });
        let nobody = "127.0.0.98:5080".parse().ok();
        trunks.push(hotdesk::settings::Trunk { address: nobody, name: "mobile-1".into(), ..other });
        trunks.iter_mut().for_each(|trunk| trunk.retry = Duration::from_secs(retry));
    })
}

/// Dials, and says after how many milliseconds the carrier's phone rings.
fn rings_after(world: &mut World, caller: Seat, carrier: Seat) -> u128 {
    let (begun, dialled) = (world.now(), world.dial(caller, OUTSIDE));
    let arrival = world.arrival(carrier);
    let after = (world.now() - begun).as_millis();
    world.answered(dialled);
    world.hang_up((caller, dialled.call), (carrier, arrival.call));
    after
}

fn changes(world: &World) -> Vec<String> {
    let change = |event: &Event| match event {
        Event::TrunkDown(change) => Some(format!("{} down {:?}", change.trunk, change.failure?)),
        Event::TrunkUp(change) => Some(format!("{} up", change.trunk)),
        _ => None,
    };
    world.told("london").filter_map(change).collect()
}

fn refused(world: &mut World, dialled: Dialled) {
    let refused = world.refused(dialled);
    assert!(refused.status == Status::TEMPORARILY_UNAVAILABLE && refused.says("no line free"), "{refused:?}");
}

#[test]
fn a_silent_trunk_costs_one_caller_four_seconds_and_is_taken_again_when_it_answers_a_probe() {
    let mut world = world(1, 30);
    let ada = world.registered("202", "london");
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    world.behave(bt, Behaviour::Silent);
    let first = rings_after(&mut world, ada, mobile);
    assert!((4_000..4_100).contains(&first), "{first} ms");
    let second = rings_after(&mut world, ada, mobile);
    assert!(second < 100, "{second} ms");
    assert_eq!(changes(&world), ["bt-1 down Silent"]);
    // The first probe meets silence too.
    assert!(world.run_until(Duration::from_secs(6), |world| world.has_sent("london", "bt", b"OPTIONS sip:")));
    world.behave(bt, Behaviour::Answer { after: Duration::from_secs(2) });
    assert!(world.run_until(Duration::from_secs(11), |world| changes(world).len() == 2), "{:?}", changes(&world));
    assert_eq!(changes(&world), ["bt-1 down Silent", "bt-1 up"]);
    let third = rings_after(&mut world, ada, bt);
    assert!(third < 100, "{third} ms");
    world.end();
}

#[test]
fn when_retry_is_over_a_call_may_try_it_and_marks_it_down_anew() {
    let mut world = world(2, 12);
    let ada = world.registered("202", "london");
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    world.behave(bt, Behaviour::Silent);
    rings_after(&mut world, ada, mobile);
    world.pass(12);
    let again = rings_after(&mut world, ada, mobile);
    assert!((4_000..4_100).contains(&again), "{again} ms");
    let skipped = rings_after(&mut world, ada, mobile);
    assert!(skipped < 100, "{skipped} ms");
    assert_eq!(changes(&world), ["bt-1 down Silent"], "one line for one change");
    world.end();
}

#[test]
fn with_retry_0_every_call_tries_it() {
    let mut world = world(3, 0);
    let ada = world.registered("202", "london");
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    world.behave(bt, Behaviour::Silent);
    for _ in 0..2 {
        let after = rings_after(&mut world, ada, mobile);
        assert!((4_000..4_100).contains(&after), "{after} ms");
    }
    assert!(changes(&world).is_empty() && !world.has_sent("london", "bt", b"OPTIONS"));
    world.end();
}

#[test]
fn a_503_marks_it_down_and_when_there_is_no_other_no_line_is_free() {
    let mut world = world(4, 30);
    let ada = world.registered("202", "london");
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    let overloaded = || Behaviour::Reject { status: Status::SERVICE_UNAVAILABLE, reason: "Overloaded".into() };
    world.behave(bt, overloaded());
    let first = rings_after(&mut world, ada, mobile);
    assert!(first < 200, "{first} ms");
    world.behave(mobile, overloaded());
    let dialled = world.dial(ada, OUTSIDE);
    refused(&mut world, dialled);
    assert_eq!(changes(&world), ["bt-1 down Unavailable", "bt-2 down Unavailable"]);
    // Neither is asked any more.
    let dialled = world.dial(ada, OUTSIDE);
    refused(&mut world, dialled);
    let invites =
        |name: &str| world.datagrams().filter(|(_, to, bytes)| *to == name && bytes.starts_with(b"INVITE")).count();
    assert_eq!((invites("bt"), invites("mobile")), (1, 2));
    world.end();
}

#[test]
fn an_address_where_nobody_is_is_left_at_once() {
    let mut world = World::with(5, |sample| {
        let trunks = &mut sample.site("london").trunks;
        let bt = trunks.iter().find(|trunk| trunk.name == "bt-1").cloned().expect("the sample has it");
        let nobody = "127.0.0.99:5080".parse().ok();
        trunks.insert(0, hotdesk::settings::Trunk { name: "bt-0".into(), address: nobody, ..bt });
    });
    let (ada, bt) = (world.registered("202", "london"), world.carrier("bt"));
    for _ in 0..2 {
        let after = rings_after(&mut world, ada, bt);
        assert!(after < 200, "{after} ms");
    }
    let change = world.told("london").find_map(|event| match event {
        Event::TrunkDown(change) => Some(change.clone()),
        _ => None,
    });
    let change = change.expect("a trunk is down");
    assert!(change.trunk == "bt-0" && change.failure == Some(TrunkFailure::Unreachable) && change.is_gone());
    world.end();
}

#[test]
fn a_trunk_that_is_down_is_no_obstacle_to_a_call_for_help() {
    let mut world = world(6, 3600);
    let ada = world.registered("202", "london");
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    world.behave(bt, Behaviour::Silent);
    rings_after(&mut world, ada, mobile);
    world.behave(bt, Behaviour::Answer { after: Duration::from_secs(2) });
    let begun = world.now();
    let dialled = world.dial(ada, "999");
    let arrival = world.arrival(bt);
    assert!(world.now() - begun < Duration::from_millis(100));
    world.answered(dialled);
    world.hang_up((ada, dialled.call), (bt, arrival.call));
    assert_eq!(changes(&world), ["bt-1 down Silent", "bt-1 up"], "it has answered");
    world.end();
}

#[test]
fn the_shards_of_a_site_know_it_of_each_other() {
    let mut world = World::with(7, |sample| {
        let trunks = &mut sample.site("london").trunks;
        let other = trunks.iter().find(|trunk| trunk.name == "mobile-1").cloned().expect("the sample has it");
        trunks.push(hotdesk::settings::Trunk { name: "bt-2".into(), group: "bt".into(), ..other });
        sample.shards(3);
    });
    let ada = world.registered("202", "london");
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    world.behave(bt, Behaviour::Silent);
    rings_after(&mut world, ada, mobile);
    // Every call has a Call-ID, and so a shard, of its own.
    for _ in 0..9 {
        let after = rings_after(&mut world, ada, mobile);
        assert!(after < 100, "{after} ms");
    }
    world.behave(bt, Behaviour::Answer { after: Duration::from_secs(2) });
    assert!(world.run_until(Duration::from_secs(31), |world| changes(world).contains(&"bt-1 up".to_owned())));
    world.end();
}
