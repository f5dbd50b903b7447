//! SPEC 13, 2.3, 6.7: this server has no room, is about to end, or can't store; it says so, and goes on as soon as it can.

use std::time::Duration;

use hotdesk::node::Command;
use hotdesk::phone::PhoneEvent;
use hotdesk::sip::{Response, Status};

use crate::support::{Seat, Stores, World};

/// The answer to a MESSAGE, if one comes.
fn message(world: &mut World, from: Seat, to: &str) -> Option<Response> {
    let asked = world.act(from, |phone, now| phone.message(now, to, "hello"));
    let answer = world.find(from, Duration::from_secs(40), |event| match event {
        PhoneEvent::Response { request, response, .. } if *request == asked => Some(response.clone()),
        _ => None,
    });
    answer.flatten()
}

fn text(response: &Response) -> String {
    String::from_utf8_lossy(response.bytes()).into_owned()
}

/// Messages until the table of transactions is full.
fn overload(world: &mut World, from: Seat, to: &str) -> Response {
    for _ in 0..200 {
        match message(world, from, to) {
            Some(response) if response.status() == Status::SERVICE_UNAVAILABLE => return response,
            Some(response) => assert_eq!(response.status(), Status::OK),
            None => panic!("a message without an answer"),
        }
    }
    panic!("two hundred messages fill no table of a hundred");
}

#[test]
fn a_full_table_is_said_with_503_and_empties_again() {
    // The room is the site's, and each shard has its part of it: this is about the table of one.
    let mut world = World::with(1, |sample| {
        sample.shards(1);
        sample.site("london").sip.transactions = 100;
    });
    let (charles, desk) = (world.registered("202", "london"), world.registered("201", "london"));
    let call = world.dial(charles, "201");
    let arrival = world.arrival(desk);
    world.answered(call);
    world.confirmed(&arrival);

    let busy = text(&overload(&mut world, charles, "201"));
    assert!(busy.starts_with("SIP/2.0 503 this server is busy, try again\r\n"), "{busy}");
    assert!(busy.contains("\r\nRetry-After: 5\r\n") && busy.contains("\r\nWarning: 399 "), "{busy}");
    assert!(world.load("london").transactions <= 200);

    // What ends a call makes room, and nothing stands before a call for help.
    world.hang_up((charles, call.call), (desk, arrival.call));
    let help = world.dial(charles, "999");
    let bt = world.carrier("bt");
    world.arrival(bt);
    world.answered(help);

    world.pass(40);
    assert_eq!(message(&mut world, charles, "201").map(|answer| answer.status()), Some(Status::OK));
    world.talk(charles, "201", desk);
    world.end();
}

#[test]
fn a_server_that_is_going_down_takes_calls_for_help_only() {
    let mut world = World::new(2);
    let (charles, desk) = (world.registered("202", "london"), world.registered("201", "london"));
    let call = world.dial(charles, "201");
    let arrival = world.arrival(desk);
    world.answered(call);
    world.confirmed(&arrival);
    world.command("london", Command::Drain);
    let dialled = world.dial(charles, "201");
    let refused = world.refused(dialled);
    assert!(refused.status == Status::SERVICE_UNAVAILABLE && refused.says("this server is going down"), "{refused:?}");
    assert!(world.last_answer("london", world.name(charles)).contains("\r\nRetry-After: 30\r\n"));
    world.dial(charles, "999");
    world.arrival(world.carrier("bt"));
    world.hang_up((charles, call.call), (desk, arrival.call));
}

#[test]
fn what_cannot_be_stored_is_said_and_refreshes_go_on() {
    let mut world = World::new(3);
    let desk = world.registered("201", "london");
    world.store("london", Stores::Failing);
    let new = world.phone("202", "london");
    let refused = world.try_register(new).expect_err("it can't be stored");
    assert!(
        refused.status == Status::SERVER_INTERNAL_ERROR && refused.says("the registration could not be stored"),
        "{refused:?}"
    );
    world.register(desk);
    world.store("london", Stores::AtOnce);
    world.register(new);
    world.talk(new, "201", desk);
    world.end();
}

#[test]
fn a_flood_of_options_is_answered_in_part_and_takes_nothing_from_carriers_and_phones() {
    let mut world = World::new(4);
    let charles = world.registered("202", "london");
    let at = world.phone_address(charles);
    let (stranger, phone, carrier) = ("127.0.0.201:6000", format!("{}:6000", at.ip()), "127.0.0.10:5080".to_owned());
    world.pass(1);
    let mut ask = |from: &str, number: u32| {
        let ping = format!(
            "OPTIONS sip:london.example SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{number}\r\nMax-Forwards: 70\r\n\
             From: <sip:ping@elsewhere.example>;tag=1\r\nTo: <sip:london.example>\r\nCall-ID: {number}\r\nCSeq: 1 OPTIONS\r\n\
             Content-Length: 0\r\n\r\n"
        );
        let to = world.address("london");
        world.inject(from.parse().expect("an address"), to, ping.into());
    };
    (0..300).for_each(|number| ask(stranger, number));
    (300..310).for_each(|number| ask(&phone, number));
    (310..320).for_each(|number| ask(&carrier, number));
    world.run(Duration::from_millis(900));
    let answered = |to: &str| {
        let is_ping =
            |bytes: &[u8]| bytes.starts_with(b"SIP/2.0 200") && bytes.windows(15).any(|at| at == b"CSeq: 1 OPTIONS");
        world.datagrams().filter(|(from, at, bytes)| *from == "london" && *at == to && is_ping(bytes)).count()
    };
    assert_eq!((answered(stranger), answered(&phone), answered("bt")), (100, 10, 10));
}

#[test]
fn phones_that_are_registered_come_before_those_that_come_anew() {
    let mut world = World::with(5, |sample| {
        sample.shards(1);
        sample.site("london").sip.transactions = 100;
    });
    let (charles, desk) = (world.registered("202", "london"), world.registered("201", "london"));
    for _ in 0..85 {
        message(&mut world, charles, "201").expect("an answer");
    }
    let anew = [world.phone("203", "london"), world.phone("301", "london")];
    for phone in anew {
        let refused = world.try_register(phone).expect_err("not now");
        assert!(refused.status == Status::SERVICE_UNAVAILABLE && refused.says("busy"), "{refused:?}");
        let answer = world.last_answer("london", world.name(phone));
        let seconds = answer.split("\r\nRetry-After: ").nth(1).and_then(|rest| rest.split('\r').next()?.parse().ok());
        assert!(seconds.is_some_and(|seconds: u64| (5..30).contains(&seconds)), "{answer}");
    }
    for phone in [desk, charles] {
        world.register(phone);
    }
    world.pass(40);
    for phone in anew {
        world.register(phone);
    }
    world.end();
}
