//! SPEC 4.1, 4.2: the device limit by both policies, and the phone that starts anew with its old Call-ID.

use hotdesk::phone::PhoneEvent;
use hotdesk::settings::DeviceLimit;
use hotdesk::sip::Status;

use crate::support::{Seat, World};

/// As many phones of 201 as its profile allows.
fn full(world: &mut World, site: &str) -> Vec<Seat> {
    (0..5).map(|_| world.registered("201", site)).collect()
}

fn contacts(world: &World, seat: Seat) -> usize {
    let last = world.events(seat).filter_map(|event| match event {
        PhoneEvent::Registered { contacts, .. } | PhoneEvent::Unregistered { contacts } => Some(contacts.len()),
        _ => None,
    });
    last.last().expect("registered")
}

#[test]
fn the_oldest_is_displaced_and_a_person_brings_it_back_in_turn() {
    for site in ["london", "paris"] {
        let mut world = World::new(1);
        let phones = full(&mut world, site);
        let sixth = world.registered("201", site);
        assert_eq!(contacts(&world, sixth), 5);
        let refused = world.try_register(phones[0]).expect_err("displaced");
        assert!(refused.status == Status::FORBIDDEN && refused.says("another phone has taken over"), "{refused:?}");
        world.try_register_anew(phones[0]).expect("a new Call-ID is a person");
        assert_eq!(contacts(&world, phones[0]), 5);
        let refused = world.try_register(phones[1]).expect_err("displaced in turn");
        assert_eq!(refused.status, Status::FORBIDDEN, "{site}");
        world.end();
    }
}

#[test]
fn at_home_as_much_once_the_user_has_been_elsewhere() {
    let mut world = World::new(6);
    let away = world.registered("201", "paris");
    world.unregister(away);
    world.pass(1);
    let phones = full(&mut world, "london");
    let sixth = world.registered("201", "london");
    let kept_out = |world: &mut World, seat: Seat| {
        let refused = world.try_register(seat).expect_err("displaced");
        assert!(refused.status == Status::FORBIDDEN && refused.says("another phone has taken over"), "{refused:?}");
    };
    kept_out(&mut world, phones[0]);
    for seat in phones[1..].iter().chain([&sixth]) {
        world.register(*seat);
    }
    // Who comes home with one phone too many displaces the oldest too.
    world.registered("201", "paris");
    let seventh = world.registered("201", "london");
    assert_eq!(contacts(&world, seventh), 5);
    kept_out(&mut world, phones[0]);
    kept_out(&mut world, phones[1]);
    world.register(phones[2]);
    world.end();
}

#[test]
fn a_phone_at_which_the_user_sits_is_one_of_them() {
    for (site, own) in [("london", "205"), ("paris", "302")] {
        for limit in [DeviceLimit::Displace, DeviceLimit::Refuse] {
            let mut world = World::with(7, |sample| {
                sample.network.profiles.get_mut("power").expect("a profile").devices = 2;
                sample.site(site).registrar.device_limit = limit;
            });
            let (charles, sat) = (world.registered("202", "london"), world.registered(own, site));
            world.code(sat, "*35*201*1201%23");
            let first = world.registered("201", site);
            let second = world.phone("201", site);
            match (limit, world.try_register(second)) {
                (DeviceLimit::Displace, Ok(())) => {
                    world.pass(1);
                    world.talk(charles, own, sat);
                }
                (DeviceLimit::Refuse, Err(refused)) => {
                    assert!(refused.says("only 2 devices at a time"), "{refused:?}");
                    world.code(sat, "*36");
                    world.register(second);
                }
                (limit, outcome) => panic!("{site} {limit:?} {outcome:?}"),
            }
            let call = world.dial(charles, "201");
            world.arrival(first);
            world.arrival(second);
            world.answered(call);
            world.end();
        }
    }
}

#[test]
fn a_displaced_phone_that_unregisters_takes_nobody_elses_binding_out() {
    for site in ["london", "paris"] {
        let mut world = World::new(2);
        let phones = full(&mut world, site);
        let sixth = world.registered("201", site);
        world.unregister(phones[0]);
        assert_eq!(contacts(&world, phones[0]), 0, "200 without contacts");
        world.register(sixth);
        assert_eq!(contacts(&world, sixth), 5, "{site}");
        // It has been forgiven: its old Call-ID will do.
        world.register(phones[0]);
        world.end();
    }
}

#[test]
fn or_the_sixth_phone_is_refused() {
    for site in ["london", "paris"] {
        let mut world = World::with(3, |sample| sample.site(site).registrar.device_limit = DeviceLimit::Refuse);
        let phones = full(&mut world, site);
        let sixth = world.phone("201", site);
        let refused = world.try_register(sixth).expect_err("one too many");
        assert!(refused.status == Status::FORBIDDEN && refused.says("only 5 devices at a time"), "{refused:?}");
        world.register(phones[0]);
        world.unregister(phones[1]);
        world.register(sixth);
        world.end();
    }
}

#[test]
fn a_phone_that_counts_anew_under_its_old_call_id_is_let_in() {
    for site in ["london", "paris"] {
        let mut world = World::new(4);
        let desk = world.registered("201", site);
        (0..5).for_each(|_| world.register(desk));
        world.pass(5);
        world.act(desk, |phone, _| phone.count_anew());
        world.register(desk);
        assert_eq!(contacts(&world, desk), 1, "{site}");
        world.end();
    }
}

#[test]
fn an_old_register_that_is_repeated_changes_nothing() {
    let mut world = World::new(5);
    let desk = world.registered("201", "london");
    let sent = world.datagrams().filter(|(_, to, bytes)| *to == "london" && bytes.starts_with(b"REGISTER"));
    let old = sent.last().map(|(_, _, bytes)| String::from_utf8_lossy(bytes).into_owned()).expect("sent");
    world.unregister(desk);
    world.chapter();
    let copy = old.replace("branch=z9hG4bK", "branch=z9hG4bKcopy");
    let (from, site) = ("127.0.0.99:5060".parse().expect("an address"), world.address("london"));
    world.inject(from, site, copy.into());
    world.pass(1);
    assert!(world.ladder().contains("401 Unauthorized"), "{}", world.ladder());
    assert!(world.node("london").location().record("201").is_none_or(|record| record.bindings().is_empty()));
    world.end();
}
