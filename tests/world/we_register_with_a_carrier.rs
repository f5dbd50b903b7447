//! SPEC 3, `register`: a carrier that wants registration has it, refreshed and by digest, and calls the contact that it was given.

use std::time::Duration;

use hotdesk::event::Event;
use hotdesk::node::{Command, RegistrationState};
use hotdesk::phone::{Behaviour, Demand, Grants};
use hotdesk::settings::{Registration, Secret};
use hotdesk::sip::{Name, Status};

use crate::support::{Dialled, Sample, Seat, World, shards_asked_for};

const BT: &str = "127.0.0.10:5080";
/// Comes from no address that London knows.
const ELSEWHERE: &str = "127.0.0.99:5080";

fn register(sample: &mut Sample, expires: u64) {
    let trunk = sample.site("london").trunks.iter_mut().find(|own| own.name == "bt-1").expect("the sample has it");
    (trunk.username, trunk.password) = ("hotdesk".into(), Some(Secret(b"gold".to_vec())));
    let (registrar, user) = (format!("sip:{BT}"), "london1".to_owned());
    trunk.register = Some(Registration { registrar, user, expires: Duration::from_secs(expires) });
}

/// London, of so many shards, registers at bt, which asks who it is, and grants from `least` up to `most` seconds.
fn world(seed: u64, shards: u8, (least, most): (u32, u32)) -> (World, Seat) {
    let mut world = World::with(seed, |sample| sample.shards(shards));
    let bt = world.carrier("bt");
    world.act(bt, |phone, _| {
        phone.demand(Some(Demand { status: Status::UNAUTHORIZED, ..Demand::new("hotdesk", "gold") }));
        phone.grant(Some(Grants { least, most }));
    });
    world.reload("london", |sample| register(sample, 300));
    world.pass(2);
    (world, bt)
}

/// REGISTERs that London has sent.
fn sent(world: &World) -> Vec<String> {
    let to_bt = world.datagrams().filter(|(from, to, _)| *from == "london" && *to == "bt");
    let texts = to_bt.map(|(_, _, bytes)| String::from_utf8_lossy(bytes).into_owned());
    texts.filter(|text| text.starts_with("REGISTER ")).collect()
}

fn header(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).to_owned()
}

fn contact(world: &mut World, bt: Seat) -> Option<String> {
    world.act(bt, |phone, now| phone.registered_here(now).map(str::to_owned))
}

fn state(world: &World) -> Option<RegistrationState> {
    world.node("london").overview().registration("bt-1").map(|seen| seen.state)
}

fn told(world: &World) -> Vec<&'static str> {
    let word = |event: &Event| match event {
        Event::CarrierRegistered { .. } => Some("in"),
        Event::CarrierNotRegistered { .. } => Some("out"),
        Event::CarrierLeft { .. } => Some("left"),
        _ => None,
    };
    world.told("london").filter_map(word).collect()
}

#[test]
fn it_is_registered_by_digest_and_refreshed_before_it_runs_out() {
    for shards in [1, 3] {
        let (mut world, bt) = world(1, shards, (60, 120));
        let first = contact(&mut world, bt).expect("it is registered");
        assert_eq!((state(&world), told(&world)), (Some(RegistrationState::Registered), vec!["in"]));
        for _ in 0..8 {
            world.pass(50);
            assert_eq!(contact(&mut world, bt), Some(first.clone()));
        }
        let all = sent(&world);
        // One shard does it: a challenge and its answer, then a refresh a minute that shows its credentials unasked.
        assert!((7..=9).contains(&all.len()), "{} REGISTERs in 402 s", all.len());
        let numbers: Vec<u32> =
            all.iter().filter_map(|text| header(text, "CSeq").split(' ').next()?.parse().ok()).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
        assert!(all.iter().all(|text| header(text, "Call-ID") == header(&all[0], "Call-ID")));
        assert!(all.iter().all(|text| header(text, "To") == format!("<sip:london1@{BT}>")));
        assert!(all.iter().skip(1).all(|text| text.contains("Authorization: Digest ")));
        assert_eq!(told(&world), ["in"], "a refresh is no news");
        world.end();
    }
}

#[test]
fn a_registrar_that_wants_longer_registrations_has_them() {
    let (mut world, bt) = world(2, shards_asked_for(), (400, 3600));
    assert!(contact(&mut world, bt).is_some());
    assert_eq!(header(sent(&world).last().expect("one"), "Expires"), "400");
    world.pass(420);
    assert!(contact(&mut world, bt).is_some());
    assert_eq!(told(&world), ["in"]);
    world.end();
}

#[test]
fn a_carrier_that_goes_away_and_comes_back_has_us_again() {
    let (mut world, bt) = world(3, shards_asked_for(), (60, 300));
    world.behave(bt, Behaviour::Silent);
    world.pass(400);
    assert_eq!((contact(&mut world, bt), state(&world)), (None, Some(RegistrationState::Failed)));
    let tries = sent(&world).iter().map(|text| header(text, "CSeq")).collect::<std::collections::BTreeSet<_>>().len();
    assert!(tries < 9, "{tries} tries in 400 s");
    world.behave(bt, Behaviour::Ring);
    world.pass(130);
    assert!(contact(&mut world, bt).is_some());
    assert_eq!((state(&world), told(&world)), (Some(RegistrationState::Registered), vec!["in", "out", "in"]));
    world.end();
}

#[test]
fn a_carrier_that_refuses_is_asked_less_and_less_often_and_told_of_once() {
    let (mut world, bt) = world(4, shards_asked_for(), (60, 300));
    world.act(bt, |phone, _| {
        phone.demand(Some(Demand { status: Status::UNAUTHORIZED, ..Demand::new("hotdesk", "silver") }))
    });
    let before = sent(&world).len();
    world.pass(450);
    let tries = (sent(&world).len() - before) / 2;
    assert!((3..=4).contains(&tries), "{tries} tries in 450 s");
    assert_eq!(told(&world), ["in", "out"]);
    let why = world.node("london").overview().registration("bt-1").and_then(|seen| seen.why);
    assert_eq!(why.as_deref(), Some("the user name or the password is wrong"));
    world.act(bt, |phone, _| phone.demand(None));
    world.pass(250);
    assert_eq!(told(&world), ["in", "out", "in"]);
    world.end();
}

#[test]
fn after_a_restart_there_is_a_new_contact_and_at_an_orderly_stop_none() {
    let (mut world, bt) = world(5, shards_asked_for(), (60, 300));
    let before = contact(&mut world, bt).expect("it is registered");
    world.restart("london");
    world.pass(2);
    let after = contact(&mut world, bt).expect("it is registered");
    assert_ne!(before, after);
    let user = after.strip_prefix("sip:").and_then(|rest| rest.split('@').next()).expect("a user part");
    assert!(user.len() == 32 && user.bytes().all(|digit| digit.is_ascii_hexdigit()), "{user}");
    world.command("london", Command::Drain);
    assert!(!world.is_idle("london"), "the carrier is to hear of it");
    world.pass(1);
    assert!(world.is_idle("london"));
    assert_eq!((contact(&mut world, bt), state(&world)), (None, Some(RegistrationState::Ended)));
    world.pass(300);
    assert_eq!(contact(&mut world, bt), None);
}

#[test]
fn a_carrier_that_does_not_answer_keeps_no_process_from_ending() {
    let (mut world, bt) = world(6, shards_asked_for(), (60, 300));
    world.behave(bt, Behaviour::Silent);
    world.command("london", Command::Drain);
    world.run(Duration::from_millis(3_900));
    assert!(!world.is_idle("london"));
    world.run(Duration::from_millis(200));
    assert!(world.is_idle("london"));
}

#[test]
fn other_terms_are_another_registration() {
    let (mut world, bt) = world(7, shards_asked_for(), (60, 300));
    world.reload("london", |sample| {
        register(sample, 300);
        let trunk = sample.site("london").trunks.iter_mut().find(|own| own.name == "bt-1").expect("it is there");
        trunk.register.iter_mut().for_each(|terms| terms.user = "london2".into());
    });
    world.pass(2);
    assert!(contact(&mut world, bt).is_some());
    assert_eq!(header(sent(&world).last().expect("one"), "To"), format!("<sip:london2@{BT}>"));
    assert_eq!((state(&world), told(&world)), (Some(RegistrationState::Registered), vec!["in", "left", "in"]));
    // Another expiry of the same user: the contact is never taken out.
    let before = sent(&world).len();
    world.reload("london", |sample| {
        register(sample, 600);
        let trunk = sample.site("london").trunks.iter_mut().find(|own| own.name == "bt-1").expect("it is there");
        trunk.register.iter_mut().for_each(|terms| terms.user = "london2".into());
    });
    world.pass(2);
    assert!(sent(&world).iter().skip(before).all(|text| header(text, "Expires") == "600"));
    assert!(contact(&mut world, bt).is_some() && state(&world) == Some(RegistrationState::Registered));
    world.reload("london", |sample| sample.site("london").trunks.iter_mut().for_each(|trunk| trunk.register = None));
    world.pass(2);
    assert_eq!((contact(&mut world, bt), state(&world)), (None, None));
    world.end();
}

#[test]
fn a_registrar_is_reached_by_its_name_or_else_through_its_trunk() {
    for known in [true, false] {
        let mut world = World::new(10);
        let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
        for carrier in [bt, mobile] {
            world.act(carrier, |phone, _| phone.grant(Some(Grants { least: 60, most: 300 })));
        }
        if known {
            world.host("registrar.example", &["127.0.0.11"], 300);
        }
        world.reload("london", |sample| {
            register(sample, 300);
            let trunk = sample.site("london").trunks.iter_mut().find(|own| own.name == "bt-1").expect("it is there");
            trunk.register.iter_mut().for_each(|terms| terms.registrar = "sip:registrar.example:5080".into());
        });
        world.pass(5);
        let (there, elsewhere) = if known { (mobile, bt) } else { (bt, mobile) };
        assert!(contact(&mut world, there).is_some() && contact(&mut world, elsewhere).is_none());
        assert_eq!(told(&world), ["in"], "the name was looked up first");
        world.end();
    }
}

/// What is called is what was dialled, and the contact is named nowhere else.
#[test]
fn a_call_to_the_contact_is_the_carriers_wherever_it_comes_from() {
    for shards in [1, 3] {
        let (mut world, bt) = world(8, shards, (60, 300));
        world.act(bt, |phone, _| phone.demand(None));
        let ada = world.registered("201", "london");
        let contact = contact(&mut world, bt).expect("it is registered");
        // The carrier sends its calls from another address than the one where it takes ours.
        let other = world.another_carrier("bt-out", ELSEWHERE, "london");
        let stranger = world.dial(other, "+442079460201");
        assert_eq!(world.refused(stranger).status, Status::FORBIDDEN);
        let called = vec![(Name::PCalledPartyId, "<sip:+442079460201@bt.example>".to_owned())];
        for (to, headers) in [("+442079460201", vec![]), ("london1", called)] {
            let call = world.act(other, |phone, now| phone.call_contact(now, &contact, to, headers));
            let dialled = Dialled { seat: other, call };
            let arrival = world.arrival(ada);
            world.answered(dialled);
            world.confirmed(&arrival);
            world.act(ada, |phone, now| phone.re_invite(now, arrival.call, true));
            world.pass(2);
            world.hang_up((other, call), (ada, arrival.call));
        }
        let unknown = world.act(other, |phone, now| phone.call_contact(now, &contact, "+4412345", vec![]));
        assert_eq!(world.refused(Dialled { seat: other, call: unknown }).status, Status::NOT_FOUND);
        let guess = contact.replace("sip:", "sip:0").replacen("0@", "@", 1);
        let guessed = world.act(other, |phone, now| phone.call_contact(now, &guess, "+442079460201", vec![]));
        assert_eq!(world.refused(Dialled { seat: other, call: guessed }).status, Status::FORBIDDEN);
        let user = contact.strip_prefix("sip:").and_then(|rest| rest.split('@').next()).expect("a user part");
        let leaks = |event: &&Event| format!("{event:?}").contains(user);
        assert_eq!(world.told("london").filter(leaks).count(), 0);
        world.end();
    }
}

#[test]
fn a_carrier_that_asks_whether_its_contact_is_there_hears_that_it_is() {
    let (mut world, bt) = world(9, shards_asked_for(), (60, 300));
    let contact = contact(&mut world, bt).expect("it is registered");
    for from in [bt, world.another_carrier("bt-out", ELSEWHERE, "london")] {
        let asked = world.act(from, |phone, now| phone.options(now, &contact));
        world.pass(1);
        let is_200 = world.events(from).any(|event| {
            matches!(event, hotdesk::phone::PhoneEvent::Response { request, response: Some(response), .. }
                if *request == asked && response.status() == Status::OK)
        });
        assert!(is_200);
    }
    world.end();
}
