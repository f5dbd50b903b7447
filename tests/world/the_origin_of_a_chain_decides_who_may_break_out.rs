//! SPEC 6.8: `[break_out] allow` names the sites where callers are, whichever site sends the call on; and a chain ends where the call is
//! delivered.

use hotdesk::ids::SiteName;
use hotdesk::sip::Status;

use crate::support::World;

#[test]
fn the_origin_of_a_chain_decides_who_may_break_out() {
    let mut world = World::with(1, |sample| sample.site("berlin").break_out.allow = Some(vec![SiteName::new("paris")]));
    let (charles, jean) = (world.registered("202", "london"), world.registered("302", "paris"));
    let emil = world.registered("401", "berlin");
    world.talk(jean, "*83401", emil);
    world.talk(jean, "*81*83401", emil);
    for number in ["*83401", "*82*83401"] {
        let call = world.dial(charles, number);
        assert_eq!(world.refused(call).status, Status::FORBIDDEN, "{number}");
    }
    world.end();
}

#[test]
fn a_forward_begins_a_chain_of_its_own() {
    let mut world = World::with(2, |sample| {
        sample.user("401").forward.unconditional = Some("*82304".into());
        sample.site("paris").break_out.allow = Some(vec![SiteName::new("berlin"), SiteName::new("london")]);
    });
    let (charles, yves) = (world.registered("202", "london"), world.registered("304", "paris"));
    world.talk(charles, "*82*83401", yves);
    world.reload("paris", |sample| sample.site("paris").break_out.allow = Some(vec![SiteName::new("london")]));
    let call = world.dial(charles, "*82*83401");
    assert_eq!(world.refused(call).status, Status::FORBIDDEN, "it is a Break Out from Berlin");
    world.end();
}
