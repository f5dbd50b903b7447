//! SPEC 10.1, 12.5: a visitor has logged out by dialling at one phone, and then the visit ends at the other, by dialling too or by force: neither
//! phone brings the user back with its next refresh.

use hotdesk::ids::Extension;
use hotdesk::node::Command;

use crate::support::{Seat, World};

fn two_phones(seed: u64) -> (World, Seat, Seat, Seat, Seat) {
    let mut world = World::new(seed);
    let [desk, charles] = ["201", "202"].map(|user| world.registered(user, "london"));
    let [first, second] = [(); 2].map(|()| world.registered("201", "paris"));
    // Home hears of both.
    world.pass(61);
    world.code(first, "*36");
    (world, desk, charles, first, second)
}

fn assert_kept_out(world: &mut World, phone: Seat, why: &str) {
    let refused = world.try_register(phone).expect_err("kept out");
    assert!(refused.status.0 == 403 && refused.says(why), "{refused:?}");
}

#[test]
fn who_logs_out_at_both_phones_stays_logged_out() {
    for wait in [1, 61] {
        let (mut world, desk, charles, first, second) = two_phones(wait);
        world.pass(wait);
        world.code(second, "*36");
        world.pass(2);
        for phone in [first, second] {
            assert_kept_out(&mut world, phone, "logged out at this phone");
        }
        world.talk(charles, "201", desk);
        world.try_register_anew(first).expect("a person's new login");
        world.end();
    }
}

#[test]
fn nor_is_the_first_let_in_when_an_operator_ends_the_visit() {
    let (mut world, _, _, first, second) = two_phones(2);
    world.pass(61);
    world.command("paris", Command::LogOut(Extension::new("201")));
    world.pass(2);
    assert_kept_out(&mut world, second, "logged out by the operator");
    assert_kept_out(&mut world, first, "logged out");
    world.end();
}

#[test]
fn nor_does_it_bring_the_user_back_from_a_third_site() {
    let (mut world, _, charles, first, _) = two_phones(3);
    world.pass(61);
    let berlin = world.registered("201", "berlin");
    world.pass(1);
    assert_kept_out(&mut world, first, "logged out at this phone");
    world.talk(charles, "201", berlin);
    world.end();
}
