//! SPEC 3: `ring = "all"`; RFC 5393 §5.3.3, by which the breadth of a call is ours to choose where its sender says nothing of it.

use bytes::Bytes;

use hotdesk::config::ha1_md5;
use hotdesk::ids::Extension;
use hotdesk::phone::Behaviour;
use hotdesk::settings::User;
use hotdesk::sip::Status;

use crate::support::{Sample, Seat, World};

/// The group 290 of London: so many users from 210 on.
fn group_of(members: u32) -> impl FnOnce(&mut Sample) {
    move |sample| {
        let like = sample.user("201").clone();
        let london = sample.site("london");
        let numbers: Vec<Extension> = (210..210 + members).map(|number| Extension::new(number.to_string())).collect();
        for number in &numbers {
            let mut user = User { extension: number.clone(), ..like.clone() };
            user.credentials.ha1_md5 = Some(ha1_md5(number.as_str(), "hotdesk.example", &format!("secret-{number}")));
            london.users.insert(number.clone(), user);
        }
        let group = london.groups.get_mut("290").expect("the sample's group");
        group.members = numbers;
        group.then = None;
    }
}

fn phones(world: &mut World, user: u32, site: &str, count: usize) -> Vec<Seat> {
    let seats: Vec<Seat> = (0..count).map(|_| world.registered(&user.to_string(), site)).collect();
    seats.iter().for_each(|seat| world.behave(*seat, Behaviour::Ring));
    seats
}

fn all_ring(world: &mut World, seats: &[Seat]) {
    let caller = world.registered("202", "london");
    let dialled = world.dial(caller, "290");
    world.pass(2);
    let silent = seats.iter().filter(|seat| !world.ever_rang(**seat)).count();
    assert_eq!(silent, 0, "of {}", seats.len());
    world.act(caller, |phone, now| phone.cancel(now, dialled.call));
    world.pass(1);
}

#[test]
fn twenty_five_members_with_three_phones_each_ring_at_once() {
    let mut world = World::with(1, group_of(25));
    let seats: Vec<Seat> = (210..235).flat_map(|user| phones(&mut world, user, "london", 3)).collect();
    all_ring(&mut world, &seats);
    world.end();
}

#[test]
fn beside_many_phones_a_visitors_phones_ring_too() {
    let mut world = World::with(2, group_of(20));
    let mut seats: Vec<Seat> = (210..229).flat_map(|user| phones(&mut world, user, "london", 3)).collect();
    seats.extend(phones(&mut world, 229, "paris", 2));
    all_ring(&mut world, &seats);
    world.end();
}

/// A call of the carrier bt that says itself how wide it may become.
fn calls_with_breadth(world: &mut World, breadth: u32) {
    let (bt, london) = ("127.0.0.10:5080".parse().expect("an address"), world.address("london"));
    let text = format!(
        "INVITE sip:+442079460290@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {bt};branch=z9hG4bKone\r\nMax-Forwards: 9\r\n\
         From: <sip:+44207@{bt}>;tag=1\r\nTo: <sip:+442079460290@127.0.0.1>\r\nCall-ID: breadth\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:{bt}>\r\nMax-Breadth: {breadth}\r\nContent-Length: 0\r\n\r\n"
    );
    world.inject(bt, london, Bytes::from(text));
    world.pass(2);
}

#[test]
fn a_breadth_that_came_is_kept_and_its_rest_is_for_the_visitors_site() {
    let mut world = World::with(3, group_of(3));
    let mut seats: Vec<Seat> = (210..212).flat_map(|user| phones(&mut world, user, "london", 1)).collect();
    seats.extend(phones(&mut world, 212, "paris", 2));
    calls_with_breadth(&mut world, 4);
    assert!(seats.iter().all(|seat| world.ever_rang(*seat)));
}

#[test]
fn where_a_breadth_that_came_is_too_small_the_phones_ring_one_after_another() {
    let mut world = World::with(4, group_of(3));
    let seats: Vec<Seat> = (210..213).flat_map(|user| phones(&mut world, user, "london", 1)).collect();
    world.behave(seats[0], Behaviour::Busy);
    calls_with_breadth(&mut world, 2);
    let rang = |world: &World| seats.iter().filter(|seat| world.ever_rang(**seat)).count();
    assert_eq!(rang(&world), 2, "the third waits until both of the others have failed");
    let ringing = world.arrival(seats[1]);
    world.act(seats[1], |phone, now| phone.refuse(now, ringing.call, Status::BUSY_HERE));
    world.pass(2);
    assert_eq!(rang(&world), 3);
}
