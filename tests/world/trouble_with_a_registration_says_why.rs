//! SPEC 13: a phone that is not registered can show why.

use hotdesk::phone::PhoneConfig;
use hotdesk::settings::DeviceLimit;
use hotdesk::sip::Status;

use crate::support::World;

#[test]
fn a_wrong_password_is_asked_for_anew() {
    let mut world = World::new(1);
    let desk = world.phone("201", "london");
    world.act(desk, |phone, _| {
        let config = PhoneConfig { password: "wrong".into(), ..phone.config().clone() };
        *phone = hotdesk::phone::Phone::new(config, [7; 32]);
    });
    assert_eq!(world.try_register(desk).expect_err("wrong").status, Status::UNAUTHORIZED);
    let answer = world.last_answer("london", world.name(desk));
    assert!(answer.contains("\r\nWWW-Authenticate: Digest "), "{answer}");
    world.end();
}

#[test]
fn too_short_an_expiry_is_told_the_shortest() {
    let mut world = World::new(2);
    let desk = world.phone("201", "london");
    world.act(desk, |phone, now| phone.register(now, 5));
    // The phone takes the hint, or shows the refusal.
    let _ = world.await_registration(desk);
    let name = world.name(desk).to_owned();
    let short = world.datagrams().find(|(_, to, bytes)| *to == name && bytes.starts_with(b"SIP/2.0 423 "));
    let short = String::from_utf8_lossy(short.expect("423").2).into_owned();
    assert!(short.contains("\r\nMin-Expires: 60\r\n"), "{short}");
    world.end();
}

#[test]
fn a_phone_too_many_is_told_so() {
    let mut world = World::with(3, |sample| {
        let site = sample.site("london");
        site.registrar.device_limit = DeviceLimit::Refuse;
    });
    let mut refused = None;
    for _ in 0..9 {
        let phone = world.phone("202", "london");
        if let Err(failure) = world.try_register(phone) {
            refused = Some(failure);
            break;
        }
    }
    let refused = refused.expect("nine phones are too many");
    assert_eq!(refused.status, Status::FORBIDDEN);
    assert!(refused.warning.as_ref().is_some_and(|warning| warning.contains(&refused.reason)), "{refused:?}");
    world.end();
}

#[test]
fn a_displaced_phone_and_one_without_a_licence_are_told_so() {
    let mut world = World::with(4, |sample| {
        let places = sample.site("paris").licences.as_mut().expect("the sample counts licences");
        places.values_mut().for_each(|places| *places = 0);
    });
    let desk = world.phone("201", "paris");
    let refused = world.try_register(desk).expect_err("no licence is free");
    assert!(refused.status == Status::FORBIDDEN && refused.says("no free licence for profile"), "{refused:?}");
    let old = world.registered("201", "berlin");
    let _new = world.registered("201", "london");
    world.pass(1);
    let refused = world.try_register(old).expect_err("the user is logged in elsewhere");
    assert!(refused.status == Status::FORBIDDEN && refused.says("logged in at london"), "{refused:?}");
    world.end();
}

#[test]
fn a_home_site_that_cannot_be_reached_is_named() {
    let mut world = World::new(5);
    world.cut("london", "paris");
    let away = world.phone("201", "paris");
    let refused = world.try_register(away).expect_err("nobody can say whether that is 201");
    assert!(
        refused.status == Status::SERVER_TIMEOUT && refused.says("home site london cannot be reached"),
        "{refused:?}"
    );
    world.end();
}
