//! SPEC 5.1-5.4: who registers in Paris is called in Paris, and the phone at home is left in peace.

use crate::support::World;

#[test]
fn a_login_at_another_site_takes_the_calls_there() {
    let mut world = World::new(2);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    world.chapter();
    let away = world.registered("201", "paris");
    insta::assert_snapshot!("login", world.ladder());

    world.chapter();
    world.talk(charles, "201", away);
    insta::assert_snapshot!("call", world.ladder());

    // From a phone in Paris, from a third site and from the carrier it is the same phone that rings.
    let marie = world.registered("301", "paris");
    let emmy = world.registered("401", "berlin");
    let bt = world.carrier("bt");
    world.talk(marie, "201", away);
    world.talk(emmy, "201", away);
    world.talk(bt, "+442079460201", away);
    assert!(!world.ever_rang(desk));
    world.end();
}

#[test]
fn a_login_takes_one_round_trip_between_the_sites() {
    let mut world = World::new(3);
    world.registered("201", "paris");
    let before = world.datagrams().count();
    let away = world.phone("202", "paris");
    world.register(away);
    let between = world.datagrams().skip(before).filter(|(from, to, _)| [*from, *to] == ["paris", "london"]);
    assert_eq!(between.count(), 1, "SPEC 5.2");
    world.end();
}

#[test]
fn a_user_may_log_in_by_the_name_of_the_home_site_or_of_the_realm() {
    let mut world = World::new(4);
    let charles = world.registered("202", "london");
    for domain in ["london.example", "hotdesk.example", "127.0.0.2"] {
        let away = world.phone("201", "paris");
        let paris = world.address("paris");
        world.act(away, |phone, _| phone.move_to(paris, domain));
        world.register(away);
        world.talk(charles, "201", away);
        world.unregister(away);
    }
    world.end();
}
