//! SPEC 5.2, 7.3: the visited site's terms, and the home site's.

use hotdesk::settings::Shortage;

use crate::support::World;

#[test]
fn a_site_may_turn_visitors_away() {
    let mut world = World::with(1, |sample| sample.site("paris").hot_desk.visitors = false);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.phone("201", "paris");
    let refused = world.try_register(away).expect_err("Paris takes no visitors");
    assert_eq!(refused.status.0, 403, "{refused:?}");
    assert!(refused.warning.is_some());
    world.talk(charles, "201", desk);
    world.end();
}

#[test]
fn a_profile_may_stay_at_home() {
    let mut world = World::with(2, |sample| {
        sample.network.profiles.get_mut("power").expect("a profile of the sample").remote_hot_desk = false;
    });
    let away = world.phone("201", "paris");
    let refused = world.try_register(away).expect_err("users of that profile may not hot-desk");
    assert_eq!(refused.status.0, 403, "{refused:?}");
    world.registered("202", "paris");
    world.end();
}

#[test]
fn a_licence_is_taken_and_given_back() {
    let mut world = World::with(3, |sample| {
        let paris = sample.site("paris");
        paris.hot_desk.licence_shortage = Shortage::Refuse;
        paris.licences = Some([("power".to_string(), 1)].into());
    });
    let ada = world.registered("201", "paris");
    let emmy = world.phone("401", "paris");
    let refused = world.try_register(emmy).expect_err("there is one licence");
    assert_eq!(refused.status.0, 403);
    assert!(refused.says("no free licence for profile power"), "{refused:?}");
    world.unregister(ada);
    world.pass(1);
    world.register(emmy);
    world.end();
}
