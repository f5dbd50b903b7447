//! SPEC 12.4, 5.5: a displacement or forced logout is told at once, and in words that do not bring the phone back.

use std::time::Duration;

use hotdesk::sip::Status;

use crate::support::World;

#[test]
fn a_login_at_a_third_site_is_told_at_the_second_at_once() {
    let mut world = World::new(1);
    let desk = world.registered("201", "london");
    world.subscribes(desk, "reg", 3000);
    let home = world.mark(desk);
    assert_eq!(world.hears(desk).1, format!("0 full active: {home} registered"));
    let paris = world.registered("201", "paris");
    let visiting = world.mark(paris);
    assert_eq!(world.told_within(desk, Duration::from_secs(5)), None, "a parked phone is registered all the same");
    assert_eq!(world.subscribes(paris, "reg", 3000), Status::OK);
    assert_eq!(world.hears(paris).1, format!("0 full active: {visiting} registered"));
    world.chapter();
    let berlin = world.registered("201", "berlin");
    assert_eq!(
        world.hears(paris),
        ("terminated;reason=rejected".to_owned(), format!("1 full terminated: {visiting} rejected"))
    );
    insta::assert_snapshot!("losing_a_user", world.ladder());
    assert_eq!(world.told_within(paris, Duration::from_secs(60)), None);
    let refused = world.try_register(paris).expect_err("displaced");
    assert!(refused.says("logged in at berlin"), "{refused:?}");
    // At home the parked phone's subscription goes on, and so does its registration.
    assert_eq!(world.subscribes_again(desk, 3000), Status::OK);
    assert_eq!(world.hears(desk).1, format!("1 full active: {home} registered"));
    world.unregister(berlin);
    world.end();
}

#[test]
fn a_phone_too_many_is_told_and_the_others_hear_of_it() {
    let mut world = World::new(2);
    let phones: Vec<_> = (0..5).map(|_| world.registered("201", "london")).collect();
    let (oldest, next) = (phones[0], phones[1]);
    for seat in [oldest, next] {
        assert_eq!(world.subscribes(seat, "reg", 3000), Status::OK);
        world.hears(seat);
    }
    let newest = world.registered("201", "london");
    let (gone, come) = (world.mark(oldest), world.mark(newest));
    let (state, document) = world.hears(oldest);
    assert_eq!(state, "terminated;reason=rejected");
    assert!(document.starts_with("1 full active:") && document.contains(&format!("{gone} rejected")), "{document}");
    assert_eq!(
        world.hears(next),
        ("active".to_owned(), format!("1 partial active: {gone} rejected {come} registered"))
    );
    let refused = world.try_register(oldest).expect_err("displaced");
    assert!(refused.status == Status::FORBIDDEN && refused.says("another phone has taken over"), "{refused:?}");
    world.end();
}

#[test]
fn a_visitor_who_leaves_ends_its_subscriptions_there() {
    let mut world = World::new(3);
    world.registered("201", "london");
    let paris = world.registered("201", "paris");
    world.subscribes(paris, "reg", 3000);
    world.hears(paris);
    let own = world.mark(paris);
    world.unregister(paris);
    assert_eq!(
        world.hears(paris),
        ("terminated;reason=noresource".to_owned(), format!("1 full terminated: {own} unregistered"))
    );
    world.end();
}
