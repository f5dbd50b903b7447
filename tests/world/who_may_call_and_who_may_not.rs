//! SPEC 4.4, 9.4, 9.5, 13: callers are known by digest or by address; the rest are turned away.

use hotdesk::phone::PhoneConfig;

use crate::support::World;

#[test]
fn a_wrong_password_and_an_unknown_user_get_the_same_answer() {
    let mut world = World::new(1);
    let unknown = world.phone("299", "london");
    let known = world.phone("201", "london");
    let address = world.address("london");
    world.act(known, |phone, _| {
        let config = PhoneConfig { password: "wrong".into(), ..phone.config().clone() };
        *phone = hotdesk::phone::Phone::new(config, [7; 32]);
        phone.move_to(address, "london.example");
    });
    let first = world.try_register(unknown).expect_err("there is no user 299");
    let second = world.try_register(known).expect_err("that is not the password");
    assert_eq!(first, second);
    assert_eq!(first.status.0, 401);
    world.end();
}

#[test]
fn a_wrong_password_at_another_site_is_refused_and_changes_nothing() {
    let mut world = World::new(2);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.phone("201", "paris");
    world.act(away, |phone, _| {
        let config = PhoneConfig { password: "wrong".into(), ..phone.config().clone() };
        *phone = hotdesk::phone::Phone::new(config, [7; 32]);
    });
    assert_eq!(world.try_register(away).expect_err("wrong").status.0, 401);
    world.talk(charles, "201", desk);
    world.end();
}

#[test]
fn numbers_that_are_nobodys_are_told_apart() {
    let mut world = World::new(3);
    let charles = world.registered("202", "london");
    for (number, status) in [("204", 480), ("277", 404), ("377", 404), ("7777", 404), ("*8", 484)] {
        let dialled = world.dial(charles, number);
        assert_eq!(world.refused(dialled).status.0, status, "{number}");
    }
    world.end();
}

#[test]
fn a_carrier_reaches_incoming_rules_and_nothing_else() {
    let mut world = World::new(4);
    let desk = world.registered("201", "london");
    let bt = world.carrier("bt");
    world.talk(bt, "+442079460201", desk);
    for number in ["902079460999", "*82015", "201", "02079460999", "+33199000301"] {
        let dialled = world.dial(bt, number);
        let status = world.refused(dialled).status.0;
        assert!(status == 403 || status == 404, "{number}: {status}");
    }
    for carrier in ["mobile", "orange", "telekom"] {
        assert!(!world.ever_rang(world.carrier(carrier)));
    }
    world.end();
}

#[test]
fn a_phone_that_is_not_logged_in_here_cannot_use_this_site() {
    let mut world = World::new(5);
    let ada = world.registered("201", "paris");
    world.carry(ada, "berlin");
    let dialled = world.dial(ada, "003012345");
    let refused = world.refused(dialled);
    assert!(refused.status.0 == 403 || refused.status.0 == 407, "{refused:?}");
    world.end();
}
