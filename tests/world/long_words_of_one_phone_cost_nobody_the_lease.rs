//! SPEC 5.3: renewals are gathered, and what one user's phones say of themselves costs the others nothing: a datagram has an end.

use hotdesk::event::Event;
use hotdesk::location::Record;
use hotdesk::phone::{Phone, PhoneConfig};
use hotdesk::settings::{Origin, ShortCodeRow};
use hotdesk::sip::Status;

use crate::support::{Seat, World};

/// A phone whose instance has so many bytes.
fn wordy(world: &mut World, user: &str, site: &str, bytes: usize, mark: char) -> Seat {
    let seat = world.phone(user, site);
    world.act(seat, |phone, _| {
        let instance = Some(format!("<urn:x:{}>", mark.to_string().repeat(bytes)));
        *phone = Phone::new(PhoneConfig { instance, ..phone.config().clone() }, [mark as u8; 32]);
    });
    seat
}

#[test]
fn long_words_of_one_phone_cost_nobody_the_lease() {
    let mut world = World::new(1);
    let (emmy, charles) = (world.registered("203", "london"), world.registered("202", "paris"));
    for (user, mark) in [("302", 'a'), ("303", 'b'), ("304", 'c'), ("305", 'd')] {
        let phone = wordy(&mut world, user, "paris", 17_000, mark);
        world.register(phone);
        world.code(phone, "*35*201*1201%23");
    }
    for _ in 0..5 {
        world.pass(100);
        world.talk(emmy, "202", charles);
        let devices = |record: &Record| record.resident()?.away.as_ref().map(|away| away.devices.len());
        assert_eq!(world.location("london").record("201").and_then(|record| devices(&record)), Some(4));
    }
    assert!(!is_too_large(&world), "everything fits a datagram");
    world.end();
}

#[test]
fn phones_with_long_words_are_told_apart_at_every_site() {
    let mut world = World::new(3);
    let [first, second] = ['a', 'b'].map(|mark| wordy(&mut world, "201", "paris", 17_000, mark));
    world.register(first);
    world.registered("201", "berlin");
    world.pass(1);
    let refused = world.try_register(first).expect_err("it has lost its user");
    assert!(refused.status == Status::FORBIDDEN && refused.says("logged in at berlin"), "{refused:?}");
    world.register(second);
    world.end();
}

fn is_too_large(world: &World) -> bool {
    let told = world.told("paris").chain(world.told("london"));
    told.into_iter().any(|event| matches!(event, Event::TooLarge { .. }))
}

/// Home says what fits, and the rest when it is asked again.
#[test]
fn settings_that_do_not_fit_together_come_one_after_the_other() {
    let mut world = World::new(2);
    let users = ["201", "202", "203", "205"];
    let phones = users.map(|user| world.registered(user, "paris"));
    world.cut("london", "paris");
    world.reload("london", |sample| users.iter().for_each(|user| sample.user(user).short_codes = rows()));
    // Until nobody tells it of one user after the other any more.
    world.pass(300);
    world.heal("london", "paris");
    world.pass(200);
    for (user, phone) in users.into_iter().zip(phones) {
        let record = world.location("paris").record(user).expect("the visitor is there all the time");
        let codes = record.visitor().expect("a visitor").guest.user.short_codes.len();
        assert_eq!(codes, 300, "{user}");
        world.register(phone);
    }
    world.end();
}

/// Some 20 kB of them: no datagram holds those of four users.
fn rows() -> Vec<ShortCodeRow> {
    let row = |number: u32| ShortCodeRow {
        code: format!("*7{number:03}"),
        feature: "DialExtn".to_owned(),
        number: Some("202".to_owned()),
        line_group: None,
        site: None,
        origin: Origin::default(),
    };
    (0..300).map(row).collect()
}
