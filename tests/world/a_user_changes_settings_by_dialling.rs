//! SPEC 6.5, 7.4: forwards, do not disturb, follow me, the bar and the login code, dialled at home and at a visited site.

use std::sync::Arc;
use std::time::Duration;

use hotdesk::event::Event;
use hotdesk::ids::Extension;
use hotdesk::node::Command;
use hotdesk::phone::{Behaviour, PhoneEvent};
use hotdesk::settings::{Changes, Lab};

use crate::support::{Dialled, Line, Sample, Seat, Stores, World};

/// Digits that come together by no chance.
const OLD: &str = "97531864";
const NEW: &str = "86420975";

fn with_code(sample: &mut Sample) {
    sample.user("201").login_code = Some(OLD.into());
}

/// London's 201 to 204, each at a desk there.
fn office(seed: u64) -> (World, [Seat; 4]) {
    let mut world = World::with(seed, with_code);
    let seats = ["201", "202", "203", "204"].map(|user| world.registered(user, "london"));
    (world, seats)
}

/// 201 of London at Paris, 301 there, and 202 at London.
fn visit(seed: u64) -> (World, [Seat; 3]) {
    let mut world = World::with(seed, with_code);
    let seats = [("201", "paris"), ("301", "paris"), ("202", "london")].map(|(user, at)| world.registered(user, at));
    (world, seats)
}

/// The site answers, and hangs up.
fn confirmed(world: &mut World, dialled: Dialled) {
    world.answered(dialled);
    let over = |event: &PhoneEvent| matches!(event, PhoneEvent::Ended { call } if *call == dialled.call).then_some(());
    world.find(dialled.seat, Duration::from_secs(40), over).expect("the site hangs up");
}

fn sets(world: &mut World, seat: Seat, code: &str) {
    let dialled = world.dial(seat, code);
    confirmed(world, dialled);
}

/// The answer, with its reason in the phrase and in the Warning.
fn refuses(world: &mut World, seat: Seat, code: &str, status: u16, why: &str) {
    let dialled = world.dial(seat, code);
    let refused = world.refused(dialled);
    assert!(refused.status.0 == status && refused.says(why), "{refused:?}");
}

fn is_busy(world: &mut World, caller: Seat, number: &str) {
    refuses(world, caller, number, 486, "Do Not Disturb");
}

#[test]
fn do_not_disturb_holds_until_it_is_switched_off() {
    let (mut world, [ada, charles, ..]) = office(1);
    sets(&mut world, ada, "*08");
    sets(&mut world, ada, "*08");
    is_busy(&mut world, charles, "201");
    sets(&mut world, ada, "*09");
    world.talk(charles, "201", ada);
    world.end();
}

#[test]
fn a_number_is_stored_by_one_code_and_switched_on_by_another() {
    let (mut world, [ada, charles, mary, _]) = office(2);
    sets(&mut world, ada, "*07*203%23");
    world.talk(charles, "201", ada);
    sets(&mut world, ada, "*01");
    world.talk(charles, "201", mary);
    sets(&mut world, ada, "*02");
    world.talk(charles, "201", ada);
    world.end();
}

#[test]
fn busy_and_no_answer_have_one_number_and_a_switch_each() {
    let (mut world, [ada, charles, mary, _]) = office(3);
    sets(&mut world, ada, "*57*203%23");
    sets(&mut world, ada, "*05");
    world.behave(ada, Behaviour::Ring);
    let before = world.now();
    world.talk(charles, "201", mary);
    assert!(world.now() - before > Duration::from_secs(15));
    sets(&mut world, ada, "*06");
    sets(&mut world, ada, "*03");
    world.behave(ada, Behaviour::Busy);
    world.talk(charles, "201", mary);
    sets(&mut world, ada, "*00");
    let dialled = world.dial(charles, "201");
    assert_eq!(world.refused(dialled).status.0, 486);
    world.end();
}

#[test]
fn calls_follow_to_an_extension_that_may_call_back() {
    let (mut world, [ada, charles, mary, alan]) = office(4);
    sets(&mut world, ada, "*07*203%23");
    sets(&mut world, ada, "*01");
    sets(&mut world, ada, "*14*204%23");
    world.talk(charles, "201", alan);
    // Whom 201 follows reaches 201's own forward.
    world.talk(alan, "201", mary);
    sets(&mut world, ada, "*02");
    world.talk(alan, "201", ada);
    sets(&mut world, ada, "*14*%23");
    world.talk(charles, "201", ada);
    world.end();
}

#[test]
fn a_forward_that_the_user_could_not_dial_is_refused_when_it_is_set_and_when_it_is_used() {
    let (mut world, [ada, charles, ..]) = office(5);
    let barred = world.registered("206", "london");
    refuses(&mut world, barred, "*07*902079460000%23", 403, "external calls are barred");
    refuses(&mut world, ada, "*07*777%23", 403, "there is no such number");
    refuses(&mut world, ada, "*01", 403, "no number is set");
    let bt = world.carrier("bt");
    sets(&mut world, ada, "*07*902079460000%23");
    sets(&mut world, ada, "*01");
    world.talk(charles, "201", bt);
    sets(&mut world, ada, "*58");
    world.talk(charles, "201", ada);
    world.end();
}

#[test]
fn the_bar_is_lifted_by_the_login_code() {
    let (mut world, [ada, ..]) = office(6);
    let bt = world.carrier("bt");
    sets(&mut world, ada, "*58");
    refuses(&mut world, ada, "902079460000", 403, "external calls are barred for this user");
    refuses(&mut world, ada, "*59*1%23", 403, "wrong code");
    sets(&mut world, ada, &format!("*59*{OLD}%23"));
    world.talk(ada, "902079460000", bt);
    // The file bars 206 and gives no code: one's own does not help.
    let barred = world.registered("206", "london");
    sets(&mut world, barred, &format!("*60**{NEW}%23"));
    refuses(&mut world, barred, &format!("*59*{NEW}%23"), 403, "only the operator lifts this bar");
    world.end();
}

#[test]
fn after_four_wrong_codes_a_right_one_is_wrong_for_a_while_wherever_they_are_dialled() {
    let (mut world, [away, ..]) = visit(19);
    let right = format!("*59*{OLD}%23");
    for _ in 0..3 {
        refuses(&mut world, away, "*59*1%23", 403, "wrong code");
    }
    sets(&mut world, away, &right);
    let second = world.registered("201", "paris");
    for phone in [away, second, away, second] {
        refuses(&mut world, phone, "*59*1%23", 403, "wrong code");
    }
    refuses(&mut world, away, &right, 403, "wrong code");
    refuses(&mut world, second, &right, 403, "wrong code");
    world.register(away);
    sets(&mut world, away, "*08");
    world.pass(90);
    sets(&mut world, away, &right);
    world.end();
}

#[test]
fn a_login_code_is_changed_by_the_one_before_it_and_is_seen_nowhere() {
    let (mut world, [away, ..]) = visit(7);
    refuses(&mut world, away, &format!("*60*1*{NEW}%23"), 403, "wrong code");
    sets(&mut world, away, &format!("*60*{OLD}*{NEW}%23"));
    sets(&mut world, away, "*58");
    refuses(&mut world, away, &format!("*59*{OLD}%23"), 403, "wrong code");
    sets(&mut world, away, &format!("*59*{NEW}%23"));
    for site in ["london", "paris"] {
        let told: Vec<&Event> = world.told(site).collect();
        let text = format!("{told:?}");
        assert!(!text.contains(OLD) && !text.contains(NEW), "{text}");
    }
    let between_sites = |(from, to, _): &(&str, &str, &bytes::Bytes)| !from.contains('@') && !to.contains('@');
    for (from, to, bytes) in world.datagrams().filter(between_sites) {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains(OLD) && !text.contains(NEW), "{from} to {to}: {text}");
    }
    world.end();
}

#[test]
fn what_is_set_at_a_visited_site_holds_at_both_and_outlasts_the_visit() {
    let (mut world, [away, marie, charles]) = visit(8);
    sets(&mut world, away, "*08");
    is_busy(&mut world, marie, "201");
    is_busy(&mut world, charles, "201");
    sets(&mut world, away, "*09");
    world.talk(marie, "201", away);
    sets(&mut world, away, "*07*202%23");
    sets(&mut world, away, "*01");
    world.talk(marie, "201", charles);
    let mary = world.registered("203", "london");
    world.talk(mary, "201", charles);
    sets(&mut world, away, "*58");
    refuses(&mut world, away, "00145678901", 403, "external calls are barred for this user");
    world.unregister(away);
    world.pass(1);
    let desk = world.registered("201", "london");
    world.talk(mary, "201", charles);
    refuses(&mut world, desk, "902079460000", 403, "external calls are barred for this user");
    world.end();
}

#[test]
fn while_home_cannot_be_reached_nothing_changes_and_the_phone_is_told_so() {
    let (mut world, [away, marie, _]) = visit(9);
    world.cut("london", "paris");
    refuses(&mut world, away, "*08", 504, "home site london cannot be reached");
    world.pass(20);
    let before = world.now();
    refuses(&mut world, away, "*08", 504, "home site london cannot be reached");
    assert!(world.now() - before < Duration::from_secs(1), "a site that is known to be down is not waited for");
    world.talk(marie, "201", away);
    world.heal("london", "paris");
    world.pass(30);
    world.talk(marie, "201", away);
    sets(&mut world, away, "*08");
    is_busy(&mut world, marie, "201");
    world.end();
}

#[test]
fn a_change_whose_answer_is_lost_is_seen_later_and_may_be_dialled_again() {
    let (mut world, [away, marie, charles]) = visit(10);
    world.store("london", Stores::After(Duration::from_millis(500)));
    for code in [format!("*60*{OLD}*{NEW}%23"), "*08".to_owned()] {
        let (before, dialled) = (changes(&world), world.dial(away, &code));
        // Home has heard it and is writing it down.
        world.run(Duration::from_millis(100));
        world.cut("london", "paris");
        assert_eq!(world.refused(dialled).status.0, 504);
        assert_ne!(changes(&world), before, "home has made the change");
        world.heal("london", "paris");
        world.pass(5);
    }
    is_busy(&mut world, charles, "201");
    // The renewal that is due at once has brought it.
    is_busy(&mut world, marie, "201");
    sets(&mut world, away, &format!("*60*{OLD}*{NEW}%23"));
    sets(&mut world, away, &format!("*59*{NEW}%23"));
    world.end();
}

/// What London has of 201's changes.
fn changes(world: &World) -> Option<Arc<Changes>> {
    let record = world.location("london").record("201")?;
    record.resident()?.changes.clone()
}

#[test]
fn two_phones_of_a_user_change_two_things_at_once() {
    let (mut world, [away, marie, charles]) = visit(11);
    let second = world.registered("201", "paris");
    let both = [world.dial(away, "*07*202%23"), world.dial(second, "*57*202%23")];
    both.into_iter().for_each(|dialled| confirmed(&mut world, dialled));
    let both = [world.dial(second, "*01"), world.dial(away, "*58")];
    both.into_iter().for_each(|dialled| confirmed(&mut world, dialled));
    world.talk(marie, "201", charles);
    refuses(&mut world, second, "00145678901", 403, "external calls are barred for this user");
    world.end();
}

#[test]
fn copies_of_a_code_change_once() {
    let (mut world, [away, marie, _]) = visit(12);
    world.all_lines(Line::bad(10, 200));
    for code in ["*08", "*09", "*08"] {
        sets(&mut world, away, code);
    }
    world.all_lines(Line::clean(5));
    world.pass(30);
    is_busy(&mut world, marie, "201");
    world.end();
}

#[test]
fn with_a_disk_it_outlives_the_process_and_without_one_it_does_not() {
    for (seed, has_disk) in [(13, true), (14, false)] {
        let mut world = World::with(seed, with_code);
        if has_disk {
            world.with_disks();
        }
        let (ada, charles) = (world.registered("201", "london"), world.registered("202", "london"));
        sets(&mut world, ada, "*08");
        sets(&mut world, ada, &format!("*60*{OLD}*{NEW}%23"));
        world.restart("london");
        [ada, charles].into_iter().for_each(|phone| world.register(phone));
        if has_disk {
            is_busy(&mut world, charles, "201");
            refuses(&mut world, ada, &format!("*59*{OLD}%23"), 403, "wrong code");
        } else {
            world.talk(charles, "201", ada);
            sets(&mut world, ada, &format!("*59*{OLD}%23"));
        }
        world.end();
    }
}

#[test]
fn what_can_not_be_stored_is_refused_and_does_not_hold() {
    let (mut world, [ada, charles, ..]) = office(15);
    world.store("london", Stores::Failing);
    refuses(&mut world, ada, "*08", 500, "could not be stored");
    world.talk(charles, "201", ada);
    world.store("london", Stores::AtOnce);
    sets(&mut world, ada, "*08");
    is_busy(&mut world, charles, "201");
    world.end();
}

#[test]
fn the_file_holds_again_where_it_says_something_new() {
    let (mut world, [away, marie, charles]) = visit(16);
    world.with_disks();
    sets(&mut world, away, "*08");
    sets(&mut world, away, "*07*202%23");
    sets(&mut world, away, "*01");
    world.reload("london", |sample| sample.user("201").forward.busy = Some("203".to_owned()));
    world.pass(1);
    is_busy(&mut world, marie, "201");
    // For do not disturb the file says now what the user had chosen; then it changes its mind.
    world.reload("london", |sample| sample.user("201").do_not_disturb = true);
    world.reload("london", |sample| sample.user("201").do_not_disturb = false);
    world.pass(1);
    world.talk(marie, "201", charles);
    world.stop("london");
    world.configure("london", |sample| sample.user("201").forward.unconditional = Some("204".to_owned()));
    world.start("london");
    world.configure("london", |sample| sample.user("201").forward.unconditional = None);
    world.pass(20);
    world.restart("london");
    world.register(charles);
    world.pass(60);
    world.talk(marie, "201", away);
    world.end();
}

#[test]
fn an_operator_takes_it_all_back() {
    let (mut world, [away, marie, charles]) = visit(17);
    sets(&mut world, away, "*08");
    sets(&mut world, away, &format!("*60*{OLD}*{NEW}%23"));
    world.command("paris", Command::Reset(Extension::new("201")));
    world.pass(1);
    is_busy(&mut world, marie, "201");
    world.command("london", Command::Reset(Extension::new("201")));
    world.pass(1);
    world.talk(marie, "201", away);
    world.talk(charles, "201", away);
    sets(&mut world, away, &format!("*59*{OLD}%23"));
    assert!(changes(&world).is_none());
    world.end();
}

#[test]
fn a_user_of_the_lab_has_settings_too() {
    let lab = Some(Lab { password: Some("secret".to_owned()) });
    let mut world = World::with(18, |sample| sample.site("london").lab = lab);
    let charles = world.registered("202", "london");
    let phone = world.phone("277", "london");
    world.act(phone, |phone, _| phone.account("277", "secret"));
    world.register(phone);
    sets(&mut world, phone, "*08");
    is_busy(&mut world, charles, "277");
    sets(&mut world, phone, "*09");
    sets(&mut world, phone, "*14*202%23");
    let caller = world.registered("203", "london");
    world.talk(caller, "277", charles);
    world.end();
}
