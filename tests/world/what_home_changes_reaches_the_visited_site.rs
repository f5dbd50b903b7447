//! SPEC 5.11: what home changes while the user is away (settings, bars, password, removal) reaches the visited site at once, and with
//! the next renewal where it could not be told.

use hotdesk::config::ha1_md5;
use hotdesk::event::{Event, LoggedOutBy};
use hotdesk::settings::Credentials;

use crate::support::{Sample, Seat, World};

/// 201 of London at Paris, and 301 of Paris.
fn visit(seed: u64) -> (World, Seat, Seat) {
    let mut world = World::new(seed);
    let (away, marie) = (world.registered("201", "paris"), world.registered("301", "paris"));
    (world, away, marie)
}

fn reload(world: &mut World, change: impl FnOnce(&mut Sample)) {
    world.reload("london", change);
    world.pass(1);
}

fn with_password(sample: &mut Sample, password: &str) {
    let ha1_md5 = Some(ha1_md5("201", &sample.network.realm, password));
    sample.user("201").credentials = Credentials { ha1_md5, ..Credentials::default() };
}

#[test]
fn a_setting_holds_for_the_next_call_there() {
    let (mut world, away, marie) = visit(1);
    reload(&mut world, |sample| sample.user("201").do_not_disturb = true);
    let dialled = world.dial(marie, "201");
    let refused = world.refused(dialled);
    assert!(refused.status.0 == 486 && refused.says("Do Not Disturb"), "{refused:?}");
    assert!(!world.ever_rang(away));
    reload(&mut world, |sample| sample.user("201").do_not_disturb = false);
    world.talk(marie, "201", away);
    let charles = world.registered("202", "london");
    reload(&mut world, |sample| sample.user("201").forward.unconditional = Some("202".to_owned()));
    world.talk(marie, "201", charles);
    world.end();
}

#[test]
fn a_bar_holds_for_the_next_call_from_there() {
    let (mut world, away, _) = visit(2);
    let orange = world.carrier("orange");
    world.talk(away, "00145678901", orange);
    reload(&mut world, |sample| sample.user("201").outgoing_bar = true);
    let dialled = world.dial(away, "00145678901");
    let refused = world.refused(dialled);
    assert!(refused.status.0 == 403 && refused.says("external calls are barred for this user"), "{refused:?}");
    world.end();
}

#[test]
fn what_could_not_be_told_is_told_later() {
    let (mut world, _, marie) = visit(3);
    world.cut("london", "paris");
    reload(&mut world, |sample| sample.user("201").do_not_disturb = true);
    world.pass(20);
    world.heal("london", "paris");
    world.pass(45);
    let dialled = world.dial(marie, "201");
    assert_eq!(world.refused(dialled).status.0, 486);
    world.end();
}

#[test]
fn of_two_changes_the_later_holds_whatever_order_they_come_in() {
    let (mut world, away, marie) = visit(4);
    world.cut("london", "paris");
    reload(&mut world, |sample| sample.user("201").do_not_disturb = true);
    // The first notice waits to be sent again; the second goes at once.
    world.heal("london", "paris");
    reload(&mut world, |sample| sample.user("201").do_not_disturb = false);
    world.pass(60);
    world.talk(marie, "201", away);
    world.end();
}

#[test]
fn a_changed_password_holds_there_at_once_and_without_home() {
    let (mut world, away, marie) = visit(5);
    reload(&mut world, |sample| with_password(sample, "another"));
    world.stop("london");
    let refused = world.try_register(away).expect_err("that was the password");
    assert_eq!(refused.status.0, 401);
    world.act(away, |phone, _| phone.account("201", "another"));
    world.register(away);
    world.talk(marie, "201", away);
}

#[test]
fn a_removed_user_is_logged_out_at_once_everywhere() {
    let (mut world, away, marie) = visit(6);
    let desk = world.registered("202", "london");
    world.subscribes(away, "reg", 3000);
    world.hears(away);
    reload(&mut world, |sample| {
        sample.site("london").users.retain(|user, _| !["201", "202"].contains(&user.as_str()));
        sample.site("london").groups.clear();
    });
    assert_eq!(world.hears(away).0, "terminated;reason=rejected");
    assert!(world.location("paris").record("201").is_none() && world.location("london").record("201").is_none());
    let removed = |event: &&Event| matches!(event, Event::LoggedOut { by: LoggedOutBy::Removal, .. });
    assert_eq!(world.told("london").filter(removed).count(), 2, "201 at Paris and 202 at home");
    let dialled = world.dial(marie, "201");
    assert_eq!(world.refused(dialled).status.0, 404);
    for phone in [away, desk] {
        assert_eq!(world.try_register(phone).expect_err("nobody is called so").status.0, 401);
    }
    world.end();
}
