//! SPEC 5.7, 8.5: a user logs out at a visited site that is cut off from home and crashes before home is told. Nothing of that is kept on disk
//! there: home finds out by the next call, or when the lease runs out.

use std::time::Duration;

use crate::support::{Seat, World};

/// 201 has logged out in Paris, which has started anew; London has heard nothing of it. The desk of 201 and the phone of 202 are in London.
fn unheard(seed: u64) -> (World, Seat, Seat) {
    let mut world = World::new(seed);
    world.with_disks();
    let (desk, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    let away = world.registered("201", "paris");
    world.cut("london", "paris");
    world.unregister(away);
    world.switch_off(away);
    world.restart("paris");
    world.heal("london", "paris");
    world.pass(1);
    assert!(is_away(&world), "home has not been told");
    (world, desk, charles)
}

fn is_away(world: &World) -> bool {
    let record = world.location("london").record("201");
    record.is_some_and(|record| record.resident().is_some_and(|resident| resident.away.is_some()))
}

#[test]
fn the_next_call_finds_out_and_rings_at_home() {
    let (mut world, desk, charles) = unheard(1);
    world.talk(charles, "201", desk);
    assert!(!is_away(&world), "Paris has said with proof that nobody is there");
    world.end();
}

#[test]
fn without_a_call_the_user_is_at_home_when_the_lease_runs_out() {
    let (mut world, desk, charles) = unheard(2);
    let over = world.run_until(Duration::from_secs(121), |world| !is_away(world));
    assert!(over, "nothing has been renewed since");
    world.talk(charles, "201", desk);
    world.end();
}
