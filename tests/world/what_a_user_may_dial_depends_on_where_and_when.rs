//! SPEC 6.4, 7.2, 9.3: rights are held by the site where the user is, in force by that site's clock, at every way out.

use std::time::Duration;

use hotdesk::settings::MissingRights;
use hotdesk::sip::Status;

use crate::support::{Failure, Sample, Seat, World};

/// All clocks show this time of Monday 2026-11-23, UTC.
fn at(seed: u64, hour: i64, minute: i64, change: impl FnOnce(&mut Sample)) -> World {
    let mut world = World::with(seed, change);
    let ahead = ((hour - 11) * 60 + minute) * 60_000;
    ["london", "paris", "berlin"].into_iter().for_each(|site| world.set_clock(site, ahead));
    world.run(Duration::from_secs(15));
    world
}

fn refused(world: &mut World, seat: Seat, number: &str) -> Failure {
    let dialled = world.dial(seat, number);
    world.refused(dialled)
}

fn is_barred(world: &mut World, seat: Seat, number: &str) -> bool {
    let refused = refused(world, seat, number);
    refused.status == Status::FORBIDDEN && refused.says("external calls are barred")
}

#[test]
fn the_clock_of_the_site_where_the_user_is_counts() {
    // 18:15 in London, where the office is open until 18:30; 19:15 in Paris, where it has closed at 19:00.
    let mut world = at(1, 18, 15, |_| {});
    let here = world.registered("201", "london");
    world.talk(here, "902079460999", world.carrier("bt"));
    let there = world.registered("201", "paris");
    assert!(is_barred(&mut world, there, "00199000999"));
    // A quarter of an hour earlier both were open.
    let mut world = at(2, 17, 45, |_| {});
    let there = world.registered("201", "paris");
    world.talk(there, "00199000999", world.carrier("orange"));
    world.end();
}

#[test]
fn at_night_every_way_out_is_barred_and_nothing_else() {
    let mut world = at(3, 20, 0, |sample| sample.user("201").forward.unconditional = Some("902079460999".into()));
    let (ada, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    // Dialled, by ARS, behind a Break Out prefix.
    for number in ["902079460999", "9001234567", "*8200199000999"] {
        assert!(is_barred(&mut world, ada, number), "{number}");
    }
    // A forward that leads outside is as if it were not set; inside calls and help are as ever.
    world.talk(charles, "201", ada);
    world.talk(ada, "202", charles);
    world.talk(ada, "999", world.carrier("bt"));
    world.end();
    // By day the forward is taken.
    let mut world = at(4, 12, 0, |sample| sample.user("201").forward.unconditional = Some("902079460999".into()));
    let (_, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    world.talk(charles, "201", world.carrier("bt"));
    world.end();
}

#[test]
fn what_the_rights_of_that_name_say_differs_from_site_to_site() {
    let mut world = at(5, 12, 0, |_| {});
    let ada = world.registered("201", "london");
    let premium = refused(&mut world, ada, "9090123456");
    assert!(premium.status == Status::FORBIDDEN && premium.says("this number is barred"), "{premium:?}");
    let ada = world.registered("201", "paris");
    let premium = refused(&mut world, ada, "0089123456");
    assert!(premium.status == Status::FORBIDDEN && premium.says("this number is barred"), "{premium:?}");
    world.end();
}

#[test]
fn rights_that_the_site_lacks_bar_a_visitor_only_where_it_says_so() {
    for (seed, policy, goes_out) in [(6, MissingRights::None, true), (7, MissingRights::Bar, false)] {
        let mut world = at(seed, 12, 0, |sample| {
            (sample.user("202").rights, sample.user("202").time_profile) = (Some("sales".into()), None);
            sample.sites.values_mut().for_each(|site| site.hot_desk.missing_rights = policy);
        });
        // At home the rights are missing too, and nobody is barred there.
        let home = world.registered("202", "london");
        world.talk(home, "902079460999", world.carrier("bt"));
        let away = world.registered("202", "paris");
        if goes_out {
            world.talk(away, "00199000999", world.carrier("orange"));
        } else {
            let refused = refused(&mut world, away, "00199000999");
            assert!(refused.says("external calls are barred: this site lacks sales"), "{refused:?}");
        }
        world.talk(away, "112", world.carrier("orange"));
        world.end();
    }
}
