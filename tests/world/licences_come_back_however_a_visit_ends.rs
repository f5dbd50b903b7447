//! SPEC 7.3: one licence of a visited site is taken for a visitor, and is free again after every kind of end, and of no beginning.

use std::time::Duration;

use hotdesk::ids::Extension;
use hotdesk::location::Record;
use hotdesk::node::Command;
use hotdesk::phone::{Phone, PhoneConfig};
use hotdesk::settings::Shortage;
use hotdesk::timing::TimeOfDay;

use crate::support::{Sample, Seat, World};

/// Paris has one licence for `power`, the profile of 201 and 401.
fn one_licence(seed: u64, change: impl FnOnce(&mut Sample)) -> World {
    World::with(seed, |sample| {
        let paris = sample.site("paris");
        paris.hot_desk.licence_shortage = Shortage::Refuse;
        paris.licences = Some([("power".to_string(), 1)].into());
        change(sample);
    })
}

fn is_taken(world: &mut World) -> bool {
    let emmy = world.phone("401", "paris");
    match world.try_register(emmy) {
        Ok(()) => {
            world.unregister(emmy);
            world.pass(1);
            false
        }
        Err(refused) => {
            assert!(refused.says("no free licence for profile power"), "{refused:?}");
            true
        }
    }
}

/// 201 is a visitor of Paris, that ends by `end`, and afterwards there is a licence again: twice, for one that leaks shows then.
fn ends_by(seed: u64, change: impl FnOnce(&mut Sample), mut end: impl FnMut(&mut World, Seat)) {
    let mut world = one_licence(seed, change);
    let ada = world.phone("201", "paris");
    for _ in 0..2 {
        world.find(ada, Duration::ZERO, |_| None::<()>);
        world.try_register_anew(ada).expect("a licence is free");
        assert!(is_taken(&mut world));
        end(&mut world, ada);
        assert!(!is_taken(&mut world));
    }
    world.end();
}

#[test]
fn by_a_logout() {
    ends_by(
        1,
        |_| {},
        |world, ada| {
            world.unregister(ada);
            world.pass(1);
        },
    );
}

#[test]
fn by_silence() {
    let mut world = one_licence(2, |_| {});
    let ada = world.registered("201", "paris");
    assert!(is_taken(&mut world));
    world.switch_off(ada);
    world.pass(298);
    assert!(is_taken(&mut world));
    world.pass(4);
    assert!(!is_taken(&mut world));
    world.end();
}

#[test]
fn by_a_login_at_a_third_site_and_by_one_at_home() {
    for (seed, site) in [(3, "berlin"), (4, "london")] {
        let mut world = one_licence(seed, |_| {});
        world.registered("201", "paris");
        assert!(is_taken(&mut world));
        world.registered("201", site);
        world.pass(1);
        assert!(!is_taken(&mut world), "{site}");
        world.end();
    }
}

#[test]
fn by_an_operator_here_and_at_home() {
    for (seed, site) in [(5, "paris"), (6, "london")] {
        ends_by(
            seed,
            |_| {},
            |world, _| {
                world.command(site, Command::LogOut(Extension::new("201")));
                world.pass(1);
            },
        );
    }
}

#[test]
fn by_the_clock() {
    let mut world = one_licence(7, |sample| sample.site("paris").hot_desk.logout_at = Some(TimeOfDay(13 * 60)));
    world.registered("201", "paris");
    assert!(is_taken(&mut world));
    world.pass(3601);
    assert!(!is_taken(&mut world));
    world.end();
}

#[test]
fn by_the_users_removal() {
    let mut world = one_licence(8, |_| {});
    world.registered("201", "paris");
    assert!(is_taken(&mut world));
    let mut sample = Sample::read();
    sample.site("london").users.remove("201").expect("the sample has it");
    sample.site("london").groups.values_mut().for_each(|group| group.members.retain(|member| member.as_str() != "201"));
    let config = sample.configs().remove("london").expect("the sample has it");
    world.command("london", Command::Reload(Box::new(config)));
    world.pass(1);
    assert!(!is_taken(&mut world));
    world.end();
}

#[test]
fn a_login_that_is_refused_takes_none() {
    let mut world = one_licence(9, |_| {});
    let wrong = world.phone("201", "paris");
    world.act(wrong, |phone, _| {
        let config = PhoneConfig { password: "wrong".into(), ..phone.config().clone() };
        *phone = Phone::new(config, [7; 32]);
    });
    for _ in 0..3 {
        assert_eq!(world.try_register(wrong).expect_err("wrong").status.0, 401);
    }
    assert!(!is_taken(&mut world));
    world.end();
}

#[test]
fn a_login_whose_home_does_not_answer_takes_none() {
    let mut world = one_licence(10, |_| {});
    world.cut("london", "paris");
    let ada = world.phone("201", "paris");
    assert_eq!(world.try_register(ada).expect_err("home is away").status.0, 504);
    assert!(!is_taken(&mut world));
    world.end();
}

#[test]
fn it_is_kept_while_home_is_away_and_no_second_one_is_taken_when_it_is_back() {
    let mut world = one_licence(11, |_| {});
    let ada = world.registered("201", "paris");
    world.cut("london", "paris");
    world.pass(600);
    assert!(is_taken(&mut world));
    world.heal("london", "paris");
    world.pass(120);
    assert!(is_taken(&mut world));
    world.unregister(ada);
    world.pass(1);
    assert!(!is_taken(&mut world));
    world.end();
}

#[test]
fn without_a_free_one_the_profile_is_basic_and_stays_so() {
    let mut world = one_licence(12, |sample| {
        sample.site("paris").hot_desk.licence_shortage = Shortage::Basic;
        sample.network.profiles.entry("basic".to_owned()).or_default().devices = 1;
    });
    let profile = |world: &World, user: &str| {
        let record = world.location("paris").record(user).expect("a visitor");
        let guest = &record.visitor().expect("a visitor").guest;
        (guest.user.profile.clone(), guest.allows.devices)
    };
    let ada = world.registered("201", "paris");
    let emmy = world.registered("401", "paris");
    assert_eq!((profile(&world, "201").0, profile(&world, "401")), ("power".to_owned(), ("basic".to_owned(), 1)));
    // Renewals bring settings, but no other profile; nor does a licence that comes free.
    world.unregister(ada);
    world.pass(300);
    assert_eq!(profile(&world, "401"), ("basic".to_owned(), 1));
    world.unregister(emmy);
    world.pass(1);
    world.try_register_anew(emmy).expect("let in");
    assert_eq!(profile(&world, "401").0, "power", "a new login takes it");
    world.end();
}

/// London takes the login of the REGISTER first; its answer is lost, and comes again after that to the login that was dialled.
#[test]
fn by_everybodys_leaving_though_the_answers_to_two_logins_have_changed_places() {
    let mut world = one_licence(13, |_| {});
    let (ada, sophie) = (world.phone("201", "paris"), world.registered("302", "paris"));
    for _ in 0..2 {
        world.act(ada, |phone, now| phone.register_anew(now, 300));
        let taken = |world: &World| world.location("london").record("201").is_some_and(|record| is_away(&record));
        assert!(world.run_until(Duration::from_secs(1), taken));
        world.cut_one_way("london", "paris");
        world.run(Duration::from_millis(100));
        world.heal("london", "paris");
        world.code(sophie, "*35*201*1201%23");
        world.await_registration(ada).expect("it is let in too");
        assert!(is_taken(&mut world));

        world.code(sophie, "*36");
        world.unregister(ada);
        world.pass(1);
        assert_eq!(world.node("paris").overview().licences_used("power"), 0);
        assert!(!is_taken(&mut world));
    }
    world.end();
}

fn is_away(record: &Record) -> bool {
    record.resident().is_some_and(|resident| resident.away.is_some())
}
