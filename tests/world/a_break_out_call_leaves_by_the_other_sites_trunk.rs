//! SPEC 6.8.

use crate::support::World;

#[test]
fn a_break_out_call_leaves_by_the_other_sites_trunk() {
    let mut world = World::new(1);
    let ada = world.registered("201", "paris");
    let bt = world.carrier("bt");
    world.chapter();
    let arrival = world.talk(ada, "*81902079460999", bt);
    insta::assert_snapshot!("break_out", world.ladder());
    assert!(arrival.uri.starts_with("sip:02079460999@"), "{}", arrival.uri);
    let identity = arrival.asserted.expect("the calling number is asserted");
    assert!(identity.contains("+442079460201"), "the caller's identity travels: {identity}");
    assert!(!world.ever_rang(world.carrier("orange")));
    world.end();
}

#[test]
fn an_extension_behind_the_prefix_rings_where_the_user_is() {
    let mut world = World::new(2);
    let marie = world.registered("301", "paris");
    let ada = world.registered("201", "berlin");
    world.talk(marie, "*81201", ada);
    world.end();
}

#[test]
fn a_site_may_be_named_by_its_number() {
    let mut world = World::new(3);
    let charles = world.registered("202", "london");
    let telekom = world.carrier("telekom");
    let arrival = world.talk(charles, "*803*003012345", telekom);
    assert!(arrival.uri.starts_with("sip:03012345@"), "{}", arrival.uri);
    world.end();
}

/// Toll bypass: the plan of one site sends a number back to where the call began.
#[test]
fn a_chain_may_lead_back_to_the_callers_own_site() {
    let mut world = World::new(5);
    let (charles, ada, bt) =
        (world.registered("202", "london"), world.registered("201", "london"), world.carrier("bt"));
    world.talk(charles, "*83*81902079460999", bt);
    world.talk(charles, "*82*81201", ada);
    let (marie, orange) = (world.registered("301", "paris"), world.carrier("orange"));
    let help = world.dial(marie, "*81*8215");
    let arrival = world.arrival(orange);
    assert!(arrival.uri.starts_with("sip:15@") || arrival.uri.starts_with("sip:112@"), "{}", arrival.uri);
    world.answered(help);
    world.hang_up((marie, help.call), (orange, arrival.call));
    world.end();
}

/// SPEC 9.3: a forward is dialled as its user would dial, so its chain may lead back too.
#[test]
fn a_forwards_chain_may_lead_back_to_the_users_own_site() {
    let mut world = World::with(6, |sample| sample.user("202").forward.unconditional = Some("*82*81201".into()));
    let (mary, ada) = (world.registered("203", "london"), world.registered("201", "london"));
    world.talk(mary, "202", ada);
    let bt = world.carrier("bt");
    world.talk(bt, "+442079460202", ada);
    world.end();
}

#[test]
fn a_target_that_cannot_be_reached_is_named() {
    let mut world = World::new(4);
    let ada = world.registered("201", "paris");
    world.cut("paris", "london");
    let before = world.now();
    let dialled = world.dial(ada, "*81902079460999");
    let refused = world.refused(dialled);
    assert_eq!(refused.status.0, 504);
    assert!(refused.says("london"), "{refused:?}");
    assert!((world.now() - before).as_millis() < 2_500, "SPEC 8.1: `links.answer` seconds");
    world.end();
}
