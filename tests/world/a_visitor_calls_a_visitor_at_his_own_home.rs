//! SPEC 9.2, 11.3: the callee's home hands on a call whose caller belongs to the site that it goes to.

use crate::support::World;

#[test]
fn a_visitor_calls_a_visitor_at_his_own_home() {
    let mut world = World::new(1);
    let charles_in_paris = world.registered("202", "paris");
    let berliner_in_london = world.registered("401", "london");
    let arrival = world.talk(charles_in_paris, "401", berliner_in_london);
    assert!(arrival.asserted.is_some_and(|asserted| asserted.starts_with("sip:202@")));
    world.end();
}
