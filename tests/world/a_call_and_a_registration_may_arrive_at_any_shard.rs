//! DESIGN §1, Scaling up: the kernel spreads datagrams over the shards of a site by their source; each AOR and each call has one
//! owner, to which what arrives elsewhere is handed over.

use std::net::SocketAddr;
use std::time::Duration;

use hotdesk::phone::{Behaviour, PhoneEvent};
use hotdesk::sip::Status;

use crate::support::{Seat, Stores, World};

/// Sites of three shards that do not probe each other while a scenario plays: all that is handed over is its own.
fn network(seed: u64) -> World {
    World::with(seed, |sample| {
        sample.shards(3);
        sample.sites.values_mut().for_each(|site| site.links.probe = Duration::from_secs(3600));
    })
}

/// Whether something arrived at a shard that does not own it.
fn strays(world: &mut World, deed: impl FnOnce(&mut World)) -> bool {
    let before = world.handed_over();
    deed(world);
    world.handed_over() > before
}

/// An address at the phone's host whose datagrams land at another shard of London than the phone's own.
fn another_port(world: &World, seat: Seat) -> SocketAddr {
    let own = world.phone_address(seat);
    let mut others = (6000..).map(|port| SocketAddr::new(own.ip(), port));
    let lands = world.lands_at("london", own);
    others.find(|other| world.lands_at("london", *other) != lands).expect("a port of another shard")
}

/// The last request that one participant sent London, as text.
fn last(world: &World, from: Seat, method: &str) -> String {
    let own = |(sender, receiver, bytes): &(&str, &str, &bytes::Bytes)| {
        *sender == world.name(from) && *receiver == "london" && bytes.starts_with(method.as_bytes())
    };
    let request = world.datagrams().filter(own).last().unwrap_or_else(|| panic!("no {method}"));
    String::from_utf8(request.2.to_vec()).expect("text")
}

fn line<'t>(text: &'t str, name: &str) -> &'t str {
    text.lines().find(|line| line.starts_with(&format!("{name}: "))).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn registers_and_calls_of_all_work_and_some_of_both_arrived_at_the_wrong_shard() {
    let mut world = network(1);
    let (mut registers, mut calls) = (Vec::new(), Vec::new());
    let mut seats = Vec::new();
    for user in ["201", "202", "203", "204", "205", "206"] {
        registers.push(strays(&mut world, |world| seats.push(world.registered(user, "london"))));
    }
    for at in 0..6 {
        let (caller, callee, number) = (seats[at], seats[(at + 1) % 6], ["202", "203", "204", "205", "206", "201"][at]);
        calls.push(strays(&mut world, |world| drop(world.talk(caller, number, callee))));
    }
    assert!(registers.contains(&true) && registers.contains(&false), "{registers:?}");
    assert!(calls.contains(&true), "{calls:?}");
    world.end();
}

#[test]
fn a_cancel_from_another_port_ends_the_call() {
    let mut world = network(2);
    let (ada, bob) = (world.registered("201", "london"), world.registered("202", "london"));
    world.behave(bob, Behaviour::Ring);
    let dialled = world.dial(ada, "202");
    world.arrival(bob);
    let invite = last(&world, ada, "INVITE");
    let request_line = invite.lines().next().expect("a request line").replacen("INVITE", "CANCEL", 1);
    let cseq = line(&invite, "CSeq").replace("INVITE", "CANCEL");
    let same: Vec<_> =
        ["Via", "Max-Forwards", "From", "To", "Call-ID"].iter().map(|name| line(&invite, name)).collect();
    let cancel = format!("{request_line}\r\n{}\r\n{cseq}\r\nContent-Length: 0\r\n\r\n", same.join("\r\n"));
    let (from, to) = (another_port(&world, ada), world.address("london"));
    world.inject(from, to, cancel.into());
    assert_eq!(world.refused(dialled).status, Status::REQUEST_TERMINATED);
    let cancelled = |event: &PhoneEvent| matches!(event, PhoneEvent::Cancelled { .. }).then_some(());
    assert!(world.find(bob, Duration::from_secs(5), cancelled).is_some(), "202 rings on");
}

#[test]
fn a_bye_from_another_port_ends_the_call() {
    let mut world = network(3);
    let (ada, bob) = (world.registered("201", "london"), world.registered("202", "london"));
    let dialled = world.dial(ada, "202");
    let arrival = world.arrival(bob);
    world.answered(dialled);
    world.confirmed(&arrival);
    let ack = last(&world, ada, "ACK");
    let number: u32 = line(&ack, "CSeq")["CSeq: ".len()..].trim_end_matches(" ACK").parse().expect("a number");
    let bye = ack.replacen("ACK ", "BYE ", 1).replace(line(&ack, "CSeq"), &format!("CSeq: {} BYE", number + 1));
    let bye = bye.replacen("branch=z9hG4bK", "branch=z9hG4bKbye", 1);
    let (from, to) = (another_port(&world, ada), world.address("london"));
    world.inject(from, to, bye.into());
    let ended = |event: &PhoneEvent| matches!(event, PhoneEvent::Ended { .. }).then_some(());
    assert!(world.find(bob, Duration::from_secs(5), ended).is_some(), "202 talks on");
}

#[test]
fn a_visitors_login_and_the_calls_that_follow_may_arrive_at_any_shard_of_both_sites() {
    let mut world = network(4);
    let desks: Vec<Seat> = ["201", "202", "203"].iter().map(|user| world.registered(user, "london")).collect();
    let (colleague, caller) = (world.registered("204", "london"), world.registered("301", "paris"));
    let strayed = strays(&mut world, |world| {
        for (user, desk) in ["201", "202", "203"].into_iter().zip(&desks) {
            let away = world.registered(user, "paris");
            world.talk(caller, user, away);
            world.talk(colleague, user, away);
            world.unregister(away);
            world.talk(caller, user, *desk);
        }
    });
    assert!(strayed);
    world.end();
}

#[test]
fn renewals_whose_users_belong_to_several_shards_are_one_answer_behind_a_slow_store() {
    let mut world = network(5);
    world.store("london", Stores::After(Duration::from_millis(300)));
    for user in ["201", "202", "203", "204", "205", "206"] {
        world.registered(user, "paris");
    }
    // London forgets who is where, and learns it from Paris (SPEC 8.6).
    world.restart("london");
    let known = |world: &World| {
        let record = |user: &&str| world.location("london").record(user);
        let all = ["201", "202", "203", "204", "205", "206"];
        all.iter().filter_map(record).filter(|record| record.resident().is_some_and(|own| own.away.is_some())).count()
    };
    assert_eq!(known(&world), 0);
    let handed_over = world.handed_over();
    assert!(world.run_until(Duration::from_secs(120), |world| known(world) == 6), "London knows {}", known(&world));
    assert!(world.handed_over() > handed_over);
    world.pass(10);
    assert_eq!(world.load("london").waiting, 0);
    world.end();
}

#[test]
fn renewals_that_can_not_be_stored_are_said_nothing_of_and_come_again() {
    let mut world = network(6);
    for user in ["201", "202", "203", "204", "205", "206"] {
        world.registered(user, "paris");
    }
    world.restart("london");
    world.store("london", Stores::Failing);
    world.pass(100);
    assert!(world.location("london").is_empty());
    assert_eq!(world.location("paris").len(), 6, "the visitors stay");
    world.store("london", Stores::AtOnce);
    world.pass(60);
    assert_eq!(world.location("london").len(), 6);
    world.end();
}
