//! SPEC 6.8, 7.2: what bars at the target of a Break Out are the rights there that are in force for the caller by the clock of the site
//! where the caller is.

use hotdesk::settings::{Rights, TimeProfile};
use hotdesk::sip::Status;

use crate::support::{Sample, World};

fn rights(sample: &mut Sample, site: &str, name: &str, outgoing_bar: bool) {
    sample.site(site).rights.insert(name.into(), Rights { outgoing_bar, ..Rights::default() });
}

/// 202 of London has the rights `day`, which are never in force, and `night`.
fn out_of_hours(sample: &mut Sample) {
    let never = TimeProfile { timezone: "Europe/London".into(), weekly: Vec::new(), closed: Vec::new() };
    sample.site("london").time_profiles.insert("never".into(), never);
    rights(sample, "london", "day", false);
    rights(sample, "london", "night", false);
    let user = sample.user("202");
    user.rights = Some("day".into());
    user.time_profile = Some("never".into());
    user.out_of_hours_rights = Some("night".into());
}

#[test]
fn the_rights_out_of_hours_bar_at_the_target() {
    let mut world = World::with(1, |sample| {
        out_of_hours(sample);
        rights(sample, "paris", "night", true);
    });
    let charles = world.registered("202", "london");
    let call = world.dial(charles, "*8200199000999");
    let refused = world.refused(call);
    assert!(refused.status == Status::FORBIDDEN && refused.says("barred by the rights night"), "{refused:?}");
    world.end();
}

#[test]
fn the_rights_of_working_hours_do_not() {
    let mut world = World::with(2, |sample| {
        out_of_hours(sample);
        rights(sample, "paris", "day", true);
        rights(sample, "paris", "night", false);
    });
    let (charles, orange) = (world.registered("202", "london"), world.carrier("orange"));
    world.talk(charles, "*8200199000999", orange);
    world.end();
}

/// Whose forward it is, is asked (SPEC 9.3).
#[test]
fn the_rights_of_whoever_forwards_count_for_the_forward() {
    let mut world = World::with(3, |sample| {
        out_of_hours(sample);
        rights(sample, "paris", "night", true);
        sample.user("202").forward.unconditional = Some("*8200199000999".into());
    });
    let mary = world.registered("203", "london");
    let call = world.dial(mary, "202");
    assert_eq!(world.refused(call).status, Status::FORBIDDEN);
    assert!(!world.ever_rang(world.carrier("orange")));
    world.end();
}

/// What has no room in the link's header is cut, and known all the same.
#[test]
fn rights_with_a_long_name_bar_too() {
    let long = "everybody-in-the-warehouse-and-on-the-ground-floor";
    let mut world = World::with(4, |sample| {
        rights(sample, "london", long, false);
        rights(sample, "paris", long, true);
        sample.user("202").rights = Some(long.into());
    });
    let charles = world.registered("202", "london");
    let call = world.dial(charles, "*8200199000999");
    assert_eq!(world.refused(call).status, Status::FORBIDDEN);
    world.end();
}
