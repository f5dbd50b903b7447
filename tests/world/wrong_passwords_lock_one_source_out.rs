//! SPEC 5.9: after four wrong answers of one source for one user the next are refused for 90 s, right or wrong.

use hotdesk::phone::{Phone, PhoneConfig};

use crate::support::{Seat, World};

/// The phone begins anew, with that password.
fn with_password(world: &mut World, seat: Seat, password: &str, seed: u8) {
    world.act(seat, |phone, _| {
        let config = PhoneConfig { password: password.into(), ..phone.config().clone() };
        *phone = Phone::new(config, [seed; 32]);
    });
}

/// A phone that has guessed so often, and knows the password now.
fn guessed(world: &mut World, site: &str, times: u8) -> Seat {
    let phone = world.phone("201", site);
    for time in 0..times {
        // One that goes on would also answer the old challenge wrongly, before it is given a new one.
        with_password(world, phone, "guess", 10 * times + time);
        assert_eq!(world.try_register(phone).expect_err("wrong").status.0, 401);
    }
    with_password(world, phone, "secret-201", 10 * times + times);
    phone
}

#[test]
fn after_three_a_right_one_counts_and_after_four_it_does_not_for_90_seconds() {
    for site in ["london", "paris"] {
        let mut world = World::new(1);
        let three = guessed(&mut world, site, 3);
        world.register(three);
        world.unregister(three);
        let four = guessed(&mut world, site, 4);
        let refused = world.try_register(four).expect_err("locked");
        assert_eq!(refused.status.0, 401, "{site}: the answer that a wrong one gets");
        world.pass(85);
        assert!(world.try_register(four).is_err(), "{site}");
        world.pass(6);
        world.register(four);
        world.end();
    }
}

#[test]
fn others_are_not_locked_and_a_phone_that_is_registered_stays_so() {
    for site in ["london", "paris"] {
        let mut world = World::new(2);
        let desk = world.registered("201", site);
        let guesser = guessed(&mut world, site, 4);
        assert!(world.try_register(guesser).is_err());
        // Another source, the same user; and the same source, another user.
        world.register(desk);
        let other = world.registered("201", site);
        world.register(other);
        world.end();
    }
}
