//! SPEC 5.2, 7.3: a login holds licences while home is asked, before anything is proven. Neither a home that says nothing nor strangers
//! without a password keep the visitors of other homes out by that; and a home that is known to be away is not waited for.

use std::time::Duration;

use hotdesk::link::State;
use hotdesk::phone::{Phone, PhoneConfig};
use hotdesk::settings::Shortage;

use crate::support::{Line, LineClass, Seat, World};

/// Paris has one licence for `power`, the profile of 201 and 401.
fn one_licence(seed: u64, shortage: Shortage) -> World {
    World::with(seed, |sample| {
        let paris = sample.site("paris");
        paris.hot_desk.licence_shortage = shortage;
        paris.licences = Some([("power".to_string(), 1), ("office".to_string(), 9)].into());
    })
}

/// Somebody at Paris who does not know the user's password.
fn stranger(world: &mut World, user: &str) -> Seat {
    let seat = world.phone(user, "paris");
    world.act(seat, |phone, _| {
        let config = PhoneConfig { password: "wrong".into(), ..phone.config().clone() };
        *phone = Phone::new(config, [7; 32]);
    });
    seat
}

/// Strangers at Paris try London's users, each in the time that one answer takes.
fn strangers_try(world: &mut World) {
    for user in ["202", "203", "204", "205", "206"] {
        let seat = stranger(world, user);
        world.act(seat, |phone, now| phone.register(now, 300));
    }
}

fn comes_and_goes(world: &mut World, emmy: Seat) {
    world.try_register_anew(emmy).expect("a licence is free");
    world.unregister(emmy);
}

#[test]
fn not_where_home_is_frozen() {
    let mut world = one_licence(1, Shortage::Refuse);
    world.stop("london");
    let (emmy, sophie) = (world.phone("401", "paris"), world.registered("302", "paris"));
    strangers_try(&mut world);
    world.pass(1);
    for _ in 0..10 {
        strangers_try(&mut world);
        world.run(Duration::from_millis(500));
        comes_and_goes(&mut world, emmy);
    }
    let links = world.node("paris").overview().links();
    let london = links.iter().find(|link| link.site.as_str() == "london").expect("a site of the sample");
    assert_eq!(london.state, State::Up, "nothing says yet that London is away");

    world.pass(10);
    let late = world.phone("203", "paris");
    let (asked, sent) = (world.now(), messages(&world));
    let refused = world.try_register(late).expect_err("London is away");
    assert!(refused.status.0 == 504 && refused.says("home site london cannot be reached"), "{refused:?}");
    let refused = world.code_refused(sophie, "*35*201*1201%23");
    assert!(refused.status.0 == 504 && refused.says("home site london cannot be reached"), "{refused:?}");
    assert!(world.now() - asked < Duration::from_millis(500), "nobody waits for a home that is known to be away");
    assert_eq!(messages(&world), sent, "nor is it asked");
    comes_and_goes(&mut world, emmy);
    world.start("london");
    world.pass(10);
    world.register(late);
    world.end();
}

/// How often Paris has asked London for something.
fn messages(world: &World) -> usize {
    world
        .datagrams()
        .filter(|(from, to, bytes)| (*from, *to) == ("paris", "london") && bytes.starts_with(b"MESSAGE"))
        .count()
}

#[test]
fn not_where_home_says_that_nobody_is_proven() {
    let mut world = one_licence(2, Shortage::Refuse);
    world.lines(LineClass::Sites, Line::clean(200));
    let emmy = world.phone("401", "paris");
    strangers_try(&mut world);
    world.pass(1);
    for _ in 0..10 {
        strangers_try(&mut world);
        world.run(Duration::from_millis(100));
        comes_and_goes(&mut world, emmy);
    }
    world.pass(10);
    world.end();
}

/// 201 and 401 log in at the same moment where neither holds the one licence that is left.
fn both_at_once(world: &mut World) -> [Seat; 2] {
    world.lines(LineClass::Sites, Line::clean(200));
    for user in ["202", "402"] {
        let seat = stranger(world, user);
        assert_eq!(world.try_register(seat).expect_err("wrong").status.0, 401);
    }
    let both = [world.phone("201", "paris"), world.phone("401", "paris")];
    both.iter().for_each(|seat| world.act(*seat, |phone, now| phone.register(now, 300)));
    both
}

#[test]
fn of_two_who_held_nothing_one_has_it_and_the_others_login_is_undone() {
    let mut world = one_licence(3, Shortage::Refuse);
    let charles = world.registered("202", "london");
    let desk = world.registered("401", "berlin");
    let [ada, emmy] = both_at_once(&mut world);
    world.await_registration(ada).expect("the licence is free");
    let refused = world.await_registration(emmy).expect_err("there is one licence");
    assert!(refused.status.0 == 403 && refused.says("no free licence for profile power"), "{refused:?}");
    world.pass(1);
    world.talk(charles, "401", desk);
    world.unregister(ada);
    world.pass(11);
    world.try_register_anew(emmy).expect("it is free again");
    world.end();
}

#[test]
fn of_two_who_held_nothing_the_other_may_be_let_in_with_basic() {
    let mut world = one_licence(4, Shortage::Basic);
    let [ada, emmy] = both_at_once(&mut world);
    let seats = [(ada, "201", "power", 5), (emmy, "401", "basic", 2)];
    for (seat, user, profile, devices) in seats {
        world.await_registration(seat).expect("let in");
        let record = world.location("paris").record(user).expect("a visitor");
        let guest = &record.visitor().expect("a visitor").guest;
        assert_eq!((&*guest.user.profile, guest.allows.devices), (profile, devices));
    }
    world.end();
}
