//! SPEC 9.6, RFC 4028: whose BYE was lost ends by its session timer, by 481, or by the cap.

use std::time::Duration;

use hotdesk::event::{EndedBy, Event};
use hotdesk::sip::{Method, Name};

use crate::support::{Arrival, Dialled, Seat, World};

fn ended(world: &World, site: &str) -> Vec<(EndedBy, u64)> {
    let by = |event: &Event| match event {
        Event::CallEnded { by, lasted, .. } => Some((*by, lasted.as_secs())),
        _ => None,
    };
    world.told(site).filter_map(by).collect()
}

fn header(message: &hotdesk::sip::Message, name: Name) -> Option<String> {
    message.header(&name).map(|header| String::from_utf8_lossy(&header.value()).into_owned())
}

/// 202 calls 201 in Paris; `timer`: 202's phone knows session timers.
fn call(world: &mut World, timer: bool) -> (Dialled, Arrival, hotdesk::sip::Response) {
    let (bob, away) = (world.registered("202", "london"), world.registered("201", "paris"));
    let headers = if timer { vec![(Name::Supported, "timer".to_string())] } else { Vec::new() };
    let call = world.act(bob, |phone, now| phone.call_with(now, "201", headers));
    let dialled = Dialled { seat: bob, call };
    let arrival = world.arrival(away);
    let response = world.answered(dialled);
    world.confirmed(&arrival);
    (dialled, arrival, response)
}

/// Both sides hang up, and nobody hears it.
fn lose_the_bye(world: &mut World, dialled: Dialled, arrival: &Arrival) {
    for (seat, call, site) in [(dialled.seat, dialled.call, "london"), (arrival.seat, arrival.call, "paris")] {
        let name = world.name(seat).to_string();
        world.cut(&name, site);
        world.act(seat, |phone, now| phone.hang_up(now, call));
        world.pass(40);
        world.heal(&name, site);
    }
}

#[test]
fn a_call_whose_bye_is_lost_ends_by_its_session_timer() {
    let mut world = World::new(1);
    let (dialled, arrival, response) = call(&mut world, true);
    let begun = world.now();
    assert_eq!(header(&arrival.request, Name::SessionExpires).as_deref(), Some("1800"), "offered on the way");
    assert_eq!(header(&response, Name::SessionExpires).as_deref(), Some("1800;refresher=uac"));
    assert_eq!(header(&response, Name::Require).as_deref(), Some("timer"));
    lose_the_bye(&mut world, dialled, &arrival);
    let rest = begun + Duration::from_secs(1799) - world.now();
    world.run(rest);
    assert_eq!((world.node("london").tally().calls_of("202"), world.node("paris").tally().calls_of("201")), (1, 1));
    world.pass(2);
    for site in ["london", "paris"] {
        assert_eq!(ended(&world, site), [(EndedBy::SessionTimer, 1800)], "{site}");
    }
    world.end();
}

#[test]
fn a_refresh_puts_the_end_off() {
    let mut world = World::new(2);
    let (dialled, arrival, _) = call(&mut world, true);
    world.pass(900);
    let timer = [(Name::Supported, "timer".into()), (Name::SessionExpires, "1800;refresher=uac".into())];
    world.act(dialled.seat, |phone, now| phone.inside(now, dialled.call, Method::UPDATE, timer.into(), None));
    world.pass(1);
    lose_the_bye(&mut world, dialled, &arrival);
    world.pass(1_700);
    assert_eq!(ended(&world, "london"), []);
    world.pass(100);
    assert_eq!(ended(&world, "london"), [(EndedBy::SessionTimer, 2700)]);
    world.end();
}

#[test]
fn a_call_of_two_phones_without_session_timers_ends_by_the_cap() {
    let mut world = World::with(3, |sample| {
        sample.sites.values_mut().for_each(|site| site.sip.session_cap = Duration::from_secs(7200));
    });
    let (dialled, arrival, response) = call(&mut world, false);
    assert_eq!(header(&response, Name::SessionExpires), None, "nobody asked for one who would understand it");
    lose_the_bye(&mut world, dialled, &arrival);
    world.pass(7_100);
    assert_eq!(ended(&world, "london"), []);
    world.pass(100);
    assert_eq!(ended(&world, "london"), [(EndedBy::Cap, 7200)]);
    world.end();
}

#[test]
fn a_481_inside_a_call_ends_it() {
    let mut world = World::new(4);
    let (dialled, arrival, _) = call(&mut world, false);
    let name = world.name(arrival.seat).to_string();
    world.cut(&name, "paris");
    world.act(arrival.seat, |phone, now| phone.hang_up(now, arrival.call));
    world.pass(40);
    world.heal(&name, "paris");
    assert_eq!(ended(&world, "london"), []);
    world.act(dialled.seat, |phone, now| phone.info(now, dialled.call, '7'));
    world.pass(1);
    for site in ["london", "paris"] {
        assert_eq!(ended(&world, site).iter().map(|(by, _)| *by).collect::<Vec<_>>(), [EndedBy::Gone], "{site}");
    }
    world.act(dialled.seat, |phone, now| phone.hang_up(now, dialled.call));
    world.end();
}

#[test]
fn a_session_interval_below_90_seconds_is_refused() {
    let mut world = World::new(5);
    let (bob, ada) = (world.registered("202", "london"), world.registered("201", "london"));
    for (interval, passes) in [("89", false), ("90", true)] {
        let headers = vec![(Name::Supported, "timer".into()), (Name::SessionExpires, interval.into())];
        let call = world.act(bob, |phone, now| phone.call_with(now, "201", headers));
        let dialled = Dialled { seat: bob, call };
        match passes {
            false => assert_eq!(world.refused(dialled).status.0, 422),
            true => finish(&mut world, dialled, ada),
        }
    }
    let least = world.datagrams().find(|(from, _, bytes)| *from == "london" && bytes.starts_with(b"SIP/2.0 422"));
    let least = String::from_utf8_lossy(least.expect("it was refused").2).into_owned();
    assert!(least.contains("\r\nMin-SE: 90\r\n"), "{least}");
    world.end();
}

fn finish(world: &mut World, dialled: Dialled, callee: Seat) {
    let arrival = world.arrival(callee);
    world.answered(dialled);
    world.confirmed(&arrival);
    world.hang_up((dialled.seat, dialled.call), (callee, arrival.call));
}

#[test]
fn a_site_that_offers_none_and_an_emergency_call_have_no_session_timer() {
    let mut world = World::with(6, |sample| sample.site("london").sip.session_expires = Duration::ZERO);
    let (bob, ada) = (world.registered("202", "london"), world.registered("201", "london"));
    let arrival = world.talk(bob, "201", ada);
    assert_eq!(header(&arrival.request, Name::SessionExpires), None);
    let caller = world.registered("302", "paris");
    let orange = world.carrier("orange");
    let arrival = world.talk(caller, "112", orange);
    assert_eq!(header(&arrival.request, Name::SessionExpires), None);
    world.end();
}
