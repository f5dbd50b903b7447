//! RFC 3261 §16.7 step 4: a trunk with `redirects` is followed to its own addresses.

use hotdesk::ids::Extension;
use hotdesk::phone::Behaviour;
use hotdesk::settings::SourceRule;

use crate::support::{Seat, World};

const OUTSIDE: &str = "902079460999";

/// The carrier bt has a second address, which is that of `mobile` in the sample.
fn world(seed: u64, redirects: bool) -> (World, Seat, Seat, Seat) {
    let mut world = World::with(seed, |sample| {
        let trunks = &mut sample.site("london").trunks;
        trunks.retain(|trunk| trunk.name != "mobile-1");
        let second = SourceRule { address: [127, 0, 0, 11].into(), bits: 32, port: Some(5080) };
        let bt = trunks.iter_mut().find(|trunk| trunk.name == "bt-1").expect("the sample has it");
        (bt.redirects, bt.channels, bt.accept_from) = (redirects, Some(1), vec![second]);
        let emergency = &mut sample.site("london").ars;
        emergency.values_mut().for_each(|form| {
            form.short_codes.retain(|code| code.line_group.as_deref() != Some("mobile"));
        });
        sample.site("london").short_codes.retain(|code| code.line_group.as_deref() != Some("mobile"));
    });
    let ada = world.registered("202", "london");
    let (bt, other) = (world.carrier("bt"), world.carrier("mobile"));
    (world, ada, bt, other)
}

fn send_on(world: &mut World, carrier: Seat, to: &str) {
    world.behave(carrier, Behaviour::Redirect { to: to.into() });
}

#[test]
fn the_call_goes_on_there_with_the_number_and_the_caller_id_that_it_had() {
    let (mut world, ada, bt, other) = world(1, true);
    send_on(&mut world, bt, "sip:+442079460998@127.0.0.11:5080;transport=udp");
    let dialled = world.dial(ada, OUTSIDE);
    let arrival = world.arrival(other);
    assert!(arrival.uri.contains("+442079460998@127.0.0.11:5080"), "{}", arrival.uri);
    assert!(arrival.asserted.as_deref().is_some_and(|asserted| asserted.contains("+442079460202")), "{arrival:?}");
    world.answered(dialled);
    world.confirmed(&arrival);
    assert_eq!(world.node("london").tally().channels_of("bt-1"), 1, "the channel of the first try was given back");
    world.hang_up((ada, dialled.call), (other, arrival.call));
    world.end();
}

#[test]
fn a_carrier_that_sends_it_round_is_asked_once_at_each_address() {
    let (mut world, ada, bt, other) = world(2, true);
    send_on(&mut world, bt, "sip:1@127.0.0.11:5080");
    send_on(&mut world, other, "sip:1@127.0.0.11:5080");
    let dialled = world.dial(ada, OUTSIDE);
    world.arrival(bt);
    world.arrival(other);
    assert_eq!(world.refused(dialled).status.0, 302);
    assert_eq!(world.node("london").tally().calls_of(Extension::new("202").as_str()), 0);
    world.end();
}

#[test]
fn nobody_else_is_called_and_a_trunk_without_the_key_is_not_followed() {
    for (seed, redirects, to) in
        [(3, true, "sip:1@127.0.0.20:5080"), (4, true, "sip:201@127.0.0.1:5060"), (5, false, "sip:1@127.0.0.11:5080")]
    {
        let (mut world, ada, bt, other) = world(seed, redirects);
        send_on(&mut world, bt, to);
        let dialled = world.dial(ada, OUTSIDE);
        world.arrival(bt);
        assert_eq!(world.refused(dialled).status.0, 302, "{to}");
        assert!(!world.ever_rang(other));
        world.end();
    }
}
