//! SPEC 6.6, RFC 3261 §18.4: what the network says (ICMP) of a request that nobody has answered is believed at once. What anybody may
//! forge ends no call that rings.

use std::time::Duration;

use hotdesk::phone::Behaviour;
use hotdesk::sip::Status;

use crate::support::World;

#[test]
fn a_phone_that_is_gone_is_given_up_at_once() {
    let mut world = World::new(1);
    let (ada, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    let gone = world.phone_address(ada);
    world.switch_off(ada);
    let (begun, dialled) = (world.now(), world.dial(charles, "201"));
    world.run(Duration::from_millis(50));
    world.nobody_at("london", gone);
    assert_eq!(world.refused(dialled).status, Status::REQUEST_TIMEOUT);
    assert!(world.now() - begun < Duration::from_secs(1), "{:?}", world.now());
    world.end();
}

#[test]
fn a_phone_that_rings_is_there_whatever_is_said() {
    let mut world = World::new(2);
    let (ada, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    world.behave(ada, Behaviour::Ring);
    let dialled = world.dial(charles, "201");
    let arrival = world.arrival(ada);
    world.pass(1);
    for seat in [ada, charles] {
        let address = world.phone_address(seat);
        world.nobody_at("london", address);
    }
    world.pass(1);
    world.act(ada, |phone, now| phone.answer(now, arrival.call));
    world.answered(dialled);
    world.confirmed(&arrival);
    world.hang_up((charles, dialled.call), (ada, arrival.call));
    world.end();
}
