//! SPEC 3: a trunk's `address` may be a host name: A and AAAA, asked again by its TTL; several addresses are tried in turn.

use std::time::Duration;

use hotdesk::event::{Event, TrunkFailure};
use hotdesk::phone::Behaviour;
use hotdesk::sip::Status;

use crate::support::{Sample, Seat, World};

const OUTSIDE: &str = "902079460999";
const NAME: &str = "bt.example";

/// London's trunk bt-1, with one channel, is at bt.example; there is no other.
fn named(sample: &mut Sample) {
    let london = sample.site("london");
    for trunk in &mut london.trunks {
        trunk.channels = Some(1);
        (trunk.host, trunk.address) = match trunk.name.as_str() {
            "bt-1" => (format!("{NAME}:5080"), None),
            _ => ("nowhere.example".to_owned(), None),
        };
    }
}

/// The name has these addresses, and the site knows it.
fn world(seed: u64, addresses: &[&str], ttl: u64) -> World {
    let mut world = World::with(seed, named);
    world.host(NAME, addresses, ttl);
    world.pass(6);
    world
}

fn rings_after(world: &mut World, caller: Seat, carrier: Seat) -> u128 {
    let begun = world.now();
    let arrival = world.talk(caller, OUTSIDE, carrier);
    assert_eq!(arrival.uri, format!("sip:02079460999@{NAME}:5080"), "the carrier is asked by its name");
    (world.now() - begun).as_millis()
}

fn changes(world: &World) -> Vec<(String, Option<TrunkFailure>)> {
    let change = |event: &Event| match event {
        Event::TrunkDown(change) | Event::TrunkUp(change) => Some((change.trunk.clone(), change.failure)),
        _ => None,
    };
    world.told("london").filter_map(change).filter(|(trunk, _)| trunk == "bt-1").collect()
}

fn no_line(world: &mut World, caller: Seat) {
    let dialled = world.dial(caller, OUTSIDE);
    let refused = world.refused(dialled);
    assert!(refused.status == Status::TEMPORARILY_UNAVAILABLE && refused.says("no line free"), "{refused:?}");
}

#[test]
fn a_name_that_does_not_resolve_is_a_trunk_that_is_down_until_it_does() {
    let mut world = World::with(1, named);
    let (ada, bt) = (world.registered("202", "london"), world.carrier("bt"));
    no_line(&mut world, ada);
    let down = ("bt-1".to_owned(), Some(TrunkFailure::Unresolved));
    assert_eq!(changes(&world), std::slice::from_ref(&down));
    world.host(NAME, &["127.0.0.10"], 60);
    assert!(world.run_until(Duration::from_secs(11), |world| changes(world).len() == 2));
    assert_eq!(changes(&world), [down, ("bt-1".to_owned(), None)]);
    rings_after(&mut world, ada, bt);
    // What comes from there comes from the trunk.
    world.talk(bt, "+442079460202", ada);
    world.end();
}

#[test]
fn when_its_address_changes_new_calls_go_there_and_calls_that_are_up_stay_where_they_are() {
    let mut world = world(2, &["127.0.0.10"], 60);
    let (ada, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    let dialled = world.dial(ada, OUTSIDE);
    let arrival = world.arrival(bt);
    world.answered(dialled);
    world.host(NAME, &["127.0.0.11"], 60);
    world.pass(61);
    world.hang_up((bt, arrival.call), (ada, dialled.call));
    rings_after(&mut world, charles, mobile);
    world.talk(mobile, "+442079460202", charles);
    let stranger = world.dial(bt, "+442079460202");
    assert_eq!(world.refused(stranger).status.0, 403, "nobody of ours is there any more");
    world.end();
}

#[test]
fn while_the_name_servers_are_silent_the_last_good_address_stays() {
    let mut world = world(3, &["127.0.0.10"], 10);
    let (ada, bt) = (world.registered("202", "london"), world.carrier("bt"));
    world.name_servers(false);
    world.pass(300);
    rings_after(&mut world, ada, bt);
    world.name_servers(true);
    world.host(NAME, &[], 10);
    world.pass(61);
    no_line(&mut world, ada);
    world.end();
}

#[test]
fn several_addresses_are_tried_in_turn_with_one_channel_and_each_has_a_health_of_its_own() {
    let mut world = world(4, &["127.0.0.10", "127.0.0.11"], 3600);
    let ada = world.registered("202", "london");
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    rings_after(&mut world, ada, bt);
    world.behave(bt, Behaviour::Silent);
    let first = rings_after(&mut world, ada, mobile);
    assert!((4_000..7_000).contains(&first), "{first} ms");
    let second = rings_after(&mut world, ada, mobile);
    assert!(second < 3_000, "{second} ms");
    world.behave(mobile, Behaviour::Silent);
    no_line(&mut world, ada);
    world.behave(bt, Behaviour::Answer { after: Duration::from_secs(2) });
    world.pass(31);
    // The other one is silent still.
    let dialled = world.dial(ada, OUTSIDE);
    world.answered(dialled);
    world.act(ada, |phone, now| phone.hang_up(now, dialled.call));
    world.end();
}

#[test]
fn an_address_of_a_site_is_no_trunks_whatever_the_name_says() {
    let mut world = World::with(5, |sample| {
        named(sample);
        sample.site("london").trunks.iter_mut().for_each(|trunk| trunk.host = NAME.to_owned());
    });
    // Port 5060 of Paris.
    world.host(NAME, &["127.0.0.2"], 60);
    world.pass(6);
    let ada = world.registered("202", "london");
    no_line(&mut world, ada);
    world.end();
}

#[test]
fn the_shards_of_a_site_know_the_same_addresses() {
    let mut world = World::with(6, |sample| {
        named(sample);
        sample.shards(3);
    });
    world.host(NAME, &["127.0.0.10"], 60);
    world.pass(6);
    let (ada, bt) = (world.registered("202", "london"), world.carrier("bt"));
    for _ in 0..6 {
        rings_after(&mut world, ada, bt);
        world.talk(bt, "+442079460202", ada);
    }
    world.end();
}

#[test]
fn voicemail_may_have_a_name_too() {
    let mut world = World::with(7, |sample| {
        sample.site("london").voicemail = Some("sip:box@Voice.example:5080".into());
        sample.user("201").forward = Default::default();
    });
    world.host("voice.example", &["127.0.0.11"], 60);
    world.pass(6);
    let caller = world.registered("202", "london");
    let dialled = world.dial(caller, "201");
    let arrival = world.arrival(world.carrier("mobile"));
    assert_eq!(arrival.uri, "sip:box@Voice.example:5080");
    world.answered(dialled);
    world.hang_up((caller, dialled.call), (arrival.seat, arrival.call));
    world.end();
}
