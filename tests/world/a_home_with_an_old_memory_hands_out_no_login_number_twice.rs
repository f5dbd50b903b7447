//! SPEC 8.7, 8.6: a database that was restored from an older copy, and one that is lost.

use std::time::Duration;

use crate::support::{Seat, World};

fn number(world: &World, site: &str) -> u64 {
    let record = world.location(site).record("201").expect("known there");
    record.resident().map_or_else(|| record.visitor().expect("a visitor").login.0, |resident| resident.login.0)
}

fn elsewhere(world: &World) -> Option<String> {
    let record = world.location("london").record("201")?;
    record.resident()?.away.as_ref().map(|away| away.site.to_string())
}

/// 201 was in Paris when the copy was made, and is in Berlin when London starts with it.
fn restored(world: &mut World) -> (Seat, Seat) {
    world.with_disks();
    let paris = world.registered("201", "paris");
    let copy = world.disk("london");
    world.pass(1);
    let berlin = world.registered("201", "berlin");
    world.pass(1);
    world.stop("london");
    world.put_disk("london", copy);
    world.start("london");
    (paris, berlin)
}

#[test]
fn the_renewal_of_a_newer_login_lifts_it() {
    let mut world = World::new(1);
    let charles = world.registered("202", "london");
    let (paris, berlin) = restored(&mut world);
    let newest = number(&world, "berlin");
    assert!(number(&world, "london") < newest && elsewhere(&world).as_deref() == Some("paris"), "the old copy");
    world.pass(61);
    assert_eq!((number(&world, "london"), elsewhere(&world).as_deref()), (newest, Some("berlin")));
    world.register(charles);
    world.talk(charles, "201", berlin);
    assert!(!world.ever_rang(paris));
    world.end();
}

#[test]
fn a_login_before_that_has_a_number_of_its_own_and_counts_more() {
    let mut world = World::new(2);
    let charles = world.registered("202", "london");
    let (paris, berlin) = restored(&mut world);
    let newest = number(&world, "berlin");
    // Before Berlin's renewal: London does not know that login.
    world.try_register_anew(paris).expect("a person");
    assert!(number(&world, "paris") > newest);
    world.pass(61);
    assert!(world.location("berlin").record("201").is_none(), "its renewal is refused");
    let refused = world.try_register(berlin).expect_err("displaced");
    assert!(refused.status.0 == 403 && refused.says("logged in at paris"), "{refused:?}");
    world.register(charles);
    world.talk(charles, "201", paris);
    world.end();
}

#[test]
fn a_clock_that_was_set_back_hands_out_none_twice_either() {
    let mut world = World::new(3);
    let paris = world.registered("201", "paris");
    let first = number(&world, "paris");
    world.pass(10);
    world.set_clock("london", -20_000);
    world.unregister(paris);
    world.pass(1);
    world.register(paris);
    assert!(number(&world, "paris") > first);
    world.run(Duration::from_secs(1));
    world.end();
}

#[test]
fn a_number_that_is_not_confirmed_counts_when_its_lease_has_run_out() {
    for restarts in [false, true] {
        let mut world = World::new(4);
        world.with_disks();
        let charles = world.registered("202", "london");
        let away = world.registered("201", "berlin");
        world.stop("berlin");
        world.wipe("berlin");
        world.start("berlin");
        world.register(away);
        let newest = number(&world, "berlin");
        // Now neither believes the other: London can't know whether Berlin has ever heard of the second login.
        world.set_clock("london", -600_000);
        world.pass(121);
        assert_eq!(elsewhere(&world), None, "its lease has run out");
        if restarts {
            world.restart("london");
        }
        let desk = world.registered("201", "london");
        assert!(number(&world, "london") > newest);
        world.set_clock("london", 0);
        world.pass(180);
        assert!(world.location("berlin").record("201").is_none(), "its renewal is refused");
        let refused = world.try_register(away).expect_err("displaced");
        assert!(refused.says("logged in at london"), "{refused:?}");
        for seat in [charles, desk] {
            world.register(seat);
        }
        world.talk(charles, "201", desk);
        world.end();
    }
}
