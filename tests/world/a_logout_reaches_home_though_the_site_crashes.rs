//! SPEC 5.7, 8.5, 12.5: a visit ends while home is away, and the visited site crashes before home is told. With a disk it tells home after that;
//! without one home finds out by the next call, or when the lease runs out.

use std::time::Duration;

use hotdesk::ids::Extension;
use hotdesk::timing::TimeOfDay;

use crate::support::{Sample, Seat, World};

/// Seconds from the start of the world until 13:00 in Paris.
const ONE: u64 = 3600;

/// Paris logs out at one, and keeps what proves its visitors.
fn at_one(sample: &mut Sample) {
    let paris = &mut sample.site("paris").hot_desk;
    (paris.logout_at, paris.survive_restart) = (Some(TimeOfDay(13 * 60)), true);
}

/// 201, with a desk in London, is in Paris, which is then cut off from London; 202 is in London.
fn cut_off(seed: u64, disks: bool) -> (World, [Seat; 3]) {
    let mut world = World::with(seed, at_one);
    if disks {
        world.with_disks();
    }
    let seats =
        [("201", "london"), ("202", "london"), ("201", "paris")].map(|(user, site)| world.registered(user, site));
    world.cut("london", "paris");
    (world, seats)
}

/// Paris starts anew, and sees London again.
fn crashed_and_healed(world: &mut World) {
    world.restart("paris");
    world.pass(2);
    world.heal("london", "paris");
}

fn is_away(world: &World) -> bool {
    let record = world.location("london").record("201");
    record.is_some_and(|record| record.resident().is_some_and(|resident| resident.away.is_some()))
}

fn kept_in_paris(world: &World) -> Option<String> {
    world.disk("paris").get(&Extension::new("201")).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// Its next refresh is refused, once home has heard; until then it may be told that home is away.
fn is_kept_out(world: &mut World, phone: Seat, why: &str) {
    world.pass(40);
    // What it noticed until now is not looked at.
    world.find(phone, Duration::ZERO, |_| None::<()>);
    let refused = world.try_register(phone).expect_err("kept out");
    assert!(refused.status.0 == 403 && refused.says(why), "{refused:?}");
}

#[test]
fn home_is_told_that_the_phones_have_left_and_nothing_is_kept_after_that() {
    let (mut world, [desk, charles, away]) = cut_off(1, true);
    world.unregister(away);
    world.switch_off(away);
    let kept = kept_in_paris(&world).expect("home is to be told");
    assert!(!kept.contains("md5") && !kept.contains("sip:201@"), "{kept}");
    crashed_and_healed(&mut world);
    assert!(world.run_until(Duration::from_secs(40), |world| !is_away(world)));
    world.pass(1);
    assert_eq!(kept_in_paris(&world), None);
    world.talk(charles, "201", desk);
    world.end();
}

#[test]
fn whom_the_clock_has_sent_home_stays_there() {
    let (mut world, [desk, charles, away]) = cut_off(2, true);
    world.run(Duration::from_secs(ONE + 1) - world.now());
    crashed_and_healed(&mut world);
    is_kept_out(&mut world, away, "logged out at 13:00");
    world.register(desk);
    world.talk(charles, "201", desk);
    world.end();
}

#[test]
fn who_has_dialled_the_logout_is_not_logged_in_by_a_refresh() {
    let (mut world, [desk, charles, away]) = cut_off(3, true);
    world.code(away, "*36");
    crashed_and_healed(&mut world);
    is_kept_out(&mut world, away, "logged out at this phone");
    world.talk(charles, "201", desk);
    world.try_register_anew(away).expect("a person's new login");
    world.end();
}

#[test]
fn however_long_home_is_away_it_hears_whom_to_keep_out() {
    let (mut world, [_, _, away]) = cut_off(4, false);
    world.run(Duration::from_secs(ONE + 1) - world.now());
    world.pass(1800);
    world.heal("london", "paris");
    is_kept_out(&mut world, away, "logged out at 13:00");
    world.end();
}

#[test]
fn who_has_come_again_meanwhile_is_not_logged_out() {
    let (mut world, [_, charles, away]) = cut_off(5, true);
    world.code(away, "*36");
    world.restart("paris");
    world.heal("london", "paris");
    world.pass(40);
    world.try_register_anew(away).expect("a person's new login");
    world.restart("paris");
    world.pass(40);
    world.talk(charles, "201", away);
    world.end();
}

#[test]
fn without_a_disk_the_next_call_finds_out() {
    let (mut world, [desk, charles, away]) = cut_off(6, false);
    world.unregister(away);
    world.switch_off(away);
    crashed_and_healed(&mut world);
    world.pass(10);
    assert!(is_away(&world), "home has not been told");
    world.talk(charles, "201", desk);
    assert!(!is_away(&world), "Paris has said with proof that nobody is there");
    world.end();
}

#[test]
fn without_a_disk_and_without_a_call_the_lease_runs_out() {
    let (mut world, [desk, charles, away]) = cut_off(7, false);
    world.unregister(away);
    world.switch_off(away);
    crashed_and_healed(&mut world);
    assert!(world.run_until(Duration::from_secs(121), |world| !is_away(world)), "nothing has been renewed since");
    world.talk(charles, "201", desk);
    world.end();
}
