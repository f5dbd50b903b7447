//! SPEC 8.8: links are a full mesh. Where two sites can't reach each other, a third one that both can reach is no way round.

use std::time::Duration;

use hotdesk::sip::Status;

use crate::support::{Seat, World};

/// London and Paris are cut off from each other, and both see Berlin.
fn cut_apart(seed: u64) -> World {
    let mut world = World::new(seed);
    world.cut("london", "paris");
    world
}

/// Nothing but what Berlin and the others have to say to each other goes by Berlin.
fn assert_berlin_relays_nothing(world: &World) {
    for (from, to) in [("london", "berlin"), ("paris", "berlin"), ("berlin", "london"), ("berlin", "paris")] {
        for method in [&b"INVITE"[..], b"CANCEL", b"BYE"] {
            assert!(!world.has_sent(from, to, method), "{from} → {to}");
        }
    }
}

fn can_not_be_reached(world: &mut World, caller: Seat, number: &str, site: &str) {
    let call = world.dial(caller, number);
    let refused = world.refused(call);
    assert_eq!(refused.status, Status::SERVER_TIMEOUT, "{number}: {refused:?}");
    assert!(refused.says(&format!("site {site} cannot be reached")), "{number}: {refused:?}");
}

#[test]
fn calls_to_users_and_by_break_out_fail_and_do_not_go_round() {
    let mut world = cut_apart(1);
    let (charles, jean) = (world.registered("202", "london"), world.registered("301", "paris"));
    let emil = world.registered("401", "berlin");
    // In the call that finds out, and once it is known.
    for wait in [0, 20] {
        world.pass(wait);
        can_not_be_reached(&mut world, charles, "301", "paris");
        can_not_be_reached(&mut world, jean, "202", "london");
        can_not_be_reached(&mut world, charles, "*8200199000999", "paris");
    }
    assert_berlin_relays_nothing(&world);
    // Each of them reaches Berlin, and Berlin each of them.
    world.talk(charles, "401", emil);
    world.talk(jean, "401", emil);
    world.talk(emil, "301", jean);
    world.end();
}

#[test]
fn a_user_who_is_beyond_the_cut_is_reached_at_home_and_not_by_a_way_round() {
    let mut world = World::new(2);
    let (desk, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    let away = world.registered("201", "paris");
    let emil = world.registered("401", "berlin");
    world.cut("london", "paris");
    world.talk(charles, "201", desk);
    assert_berlin_relays_nothing(&world);
    // Berlin asks London, which alone says where its user is, though Berlin sees Paris.
    world.talk(emil, "201", desk);
    assert!(!world.ever_rang(away) && !world.has_sent("berlin", "paris", b"INVITE"));
    world.end();
}

#[test]
fn a_login_goes_to_home_itself_or_not_at_all() {
    let mut world = cut_apart(3);
    let visiting = world.phone("201", "paris");
    let refused = world.try_register(visiting).expect_err("home is away");
    assert!(
        refused.status == Status::SERVER_TIMEOUT && refused.says("home site london cannot be reached"),
        "{refused:?}"
    );
    world.run(Duration::from_secs(30));
    assert!(!world.has_sent("paris", "berlin", b"MESSAGE") && !world.has_sent("berlin", "london", b"MESSAGE"));
    world.end();
}
