//! SPEC 6.7, 9.8; RFC 6442, RFC 4119, RFC 5139: a trunk that takes the location gets it, and help does not wait for it.

use std::time::Duration;

use hotdesk::phone::Behaviour;
use hotdesk::settings::{Geolocation, Location, Place, SourceRule};
use hotdesk::sip::{Name, Request, Status};

use crate::support::{Sample, World};

const LIS: &str = "https://lis.example/london";

fn takes(sample: &mut Sample, how: Geolocation) {
    let london = sample.site("london");
    london.trunks[0].geolocation = how;
    let place = &mut london.emergency.place;
    place.uri = Some(LIS.into());
    place.civic = vec![("country", "GB".into()), ("A3", "London".into()), ("HNO", "1".into()), ("FLR", "2".into())];
}

fn value(request: &Request, name: &Name) -> Option<String> {
    request.header(name).map(|header| String::from_utf8_lossy(&header.value()).into_owned())
}

/// Whether each INVITE that was sent to a carrier said where the phone is, oldest first; copies count once.
fn told(world: &World, carrier: &str) -> Vec<bool> {
    let mut sent: Vec<(String, bool)> = Vec::new();
    for (_, to, bytes) in world.datagrams() {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let branch = text.split("branch=").nth(1).and_then(|rest| rest.split(['\r', ';']).next()).unwrap_or_default();
        if to == carrier && text.starts_with("INVITE ") && !sent.iter().any(|(other, _)| other == branch) {
            sent.push((branch.to_owned(), text.contains("\r\nGeolocation: ")));
        }
    }
    sent.into_iter().map(|(_, told)| told).collect()
}

#[test]
fn a_reference_stands_in_a_header() {
    let mut world = World::with(1, |sample| takes(sample, Geolocation::Uri));
    let charles = world.registered("202", "london");
    let arrival = world.talk(charles, "999", world.carrier("bt"));
    assert_eq!(value(&arrival.request, &Name::Geolocation), Some(format!("<{LIS}>")));
    assert_eq!(value(&arrival.request, &Name::GeolocationRouting).as_deref(), Some("yes"));
    assert_eq!(value(&arrival.request, &Name::ContentType).as_deref(), Some("application/sdp"));
    // Only a call for help says where it is.
    let arrival = world.talk(charles, "902079460999", world.carrier("bt"));
    assert_eq!(value(&arrival.request, &Name::Geolocation), None);
    world.end();
}

#[test]
fn a_document_becomes_a_part_beside_the_session_that_keeps_its_bytes() {
    let mut world = World::with(2, |sample| takes(sample, Geolocation::Body));
    let charles = world.registered("202", "london");
    let arrival = world.talk(charles, "999", world.carrier("bt"));
    let (kind, body) = (value(&arrival.request, &Name::ContentType).expect("a kind"), arrival.request.body());
    let boundary = kind.strip_prefix("multipart/mixed;boundary=").expect(&kind);
    let body = String::from_utf8(body.to_vec()).expect("text");
    let parts: Vec<&str> = body.split(&format!("--{boundary}")).collect();
    let sent = world
        .datagrams()
        .filter(|(from, to, bytes)| *from == world.name(charles) && *to == "london" && bytes.starts_with(b"INVITE"));
    let sdp = sent.last().map(|(_, _, bytes)| String::from_utf8_lossy(bytes).into_owned()).expect("an INVITE");
    let (_, sdp) = sdp.split_once("\r\n\r\n").expect("a body");
    assert_eq!(parts[1], format!("\r\nContent-Type: application/sdp\r\n\r\n{sdp}\r\n"));
    let id = value(&arrival.request, &Name::Geolocation).expect("Geolocation");
    let id = id.strip_prefix("<cid:").and_then(|id| id.strip_suffix('>')).expect("a reference to a part");
    assert!(parts[2].contains(&format!("\r\nContent-ID: <{id}>\r\n")), "{}", parts[2]);
    let address = "<ca:civicAddress><ca:country>GB</ca:country><ca:A3>London</ca:A3><ca:HNO>1</ca:HNO>\
                   <ca:LOC>1 High Street, second floor, London</ca:LOC><ca:FLR>2</ca:FLR></ca:civicAddress>";
    assert!(parts[2].contains(address), "{}", parts[2]);
    assert!(parts[2].contains("entity=\"pres:+442079460200@london.example\""), "{}", parts[2]);
    assert!(parts[2].contains("<timestamp>2026-11-23T11:00:0"), "{}", parts[2]);
    assert_eq!((parts.len(), parts[3]), (4, "--\r\n"));
    world.end();
}

#[test]
fn refused_with_the_location_it_is_sent_again_at_once_without() {
    for (how, seed) in [(Geolocation::Uri, 3), (Geolocation::Body, 4)] {
        let mut world = World::with(seed, |sample| takes(sample, how));
        let (bt, charles) = (world.carrier("bt"), world.registered("202", "london"));
        let refusal = Behaviour::Reject { status: Status(415), reason: "Unsupported Media Type".into() };
        world.behave(bt, refusal);
        let dialled = world.dial(charles, "999");
        let first = world.arrival(bt);
        assert!(value(&first.request, &Name::Geolocation).is_some());
        world.behave(bt, Behaviour::Answer { after: Duration::from_secs(1) });
        let second = world.arrival(bt);
        assert_eq!(value(&second.request, &Name::Geolocation), None);
        assert_eq!(value(&second.request, &Name::ContentType).as_deref(), Some("application/sdp"));
        world.answered(dialled);
        world.confirmed(&second);
        assert!(!world.ever_rang(world.carrier("mobile")), "the same trunk comes first");
        world.hang_up((charles, dialled.call), (bt, second.call));
        world.end();
    }
}

#[test]
fn unanswered_with_the_location_it_is_sent_again_after_two_seconds_without() {
    let mut world = World::with(5, |sample| takes(sample, Geolocation::Body));
    let (bt, mobile, charles) = (world.carrier("bt"), world.carrier("mobile"), world.registered("202", "london"));
    world.behave(bt, Behaviour::Silent);
    world.behave(mobile, Behaviour::Ring);
    world.pass(1);
    let began = world.now();
    world.dial(charles, "999");
    let arrived = world.arrival(mobile);
    let waited = world.now() - began;
    assert!(waited > Duration::from_millis(4000) && waited < Duration::from_millis(4200), "{waited:?}");
    assert_eq!(value(&arrived.request, &Name::Geolocation), None, "that carrier takes no location");
    assert_eq!(told(&world, "bt"), [true, false]);
}

#[test]
fn the_second_round_says_nothing_of_the_place() {
    let mut world = World::with(6, |sample| takes(sample, Geolocation::Uri));
    let (bt, mobile, charles) = (world.carrier("bt"), world.carrier("mobile"), world.registered("202", "london"));
    [bt, mobile].into_iter().for_each(|carrier| world.behave(carrier, Behaviour::Busy));
    let dialled = world.dial(charles, "999");
    world.refused(dialled);
    assert_eq!(told(&world, "bt"), [true, false, false]);
    assert_eq!(told(&world, "mobile"), [false, false]);
    world.end();
}

#[test]
fn the_place_is_that_of_the_phones_address() {
    let mut world = World::with(7, |sample| {
        takes(sample, Geolocation::Uri);
        let networks = vec![SourceRule { address: [127, 0, 101, 0].into(), bits: 24, port: None }];
        let place =
            Place { location: "3 Mill Lane".into(), uri: Some("sip:mill@lis.example".into()), ..Place::default() };
        sample.site("london").emergency.locations = vec![Location { networks, place }];
    });
    let charles = world.registered("202", "london");
    let arrival = world.talk(charles, "999", world.carrier("bt"));
    assert_eq!(value(&arrival.request, &Name::Geolocation).as_deref(), Some("<sip:mill@lis.example>"));
    assert!(arrival.asserted.is_some_and(|identity| identity.contains("+442079460200")), "the site's own number");
    world.end();
}

#[test]
fn a_phone_that_knows_where_it_is_is_believed() {
    for (how, seed) in [(Geolocation::No, 8), (Geolocation::Uri, 9), (Geolocation::Body, 10)] {
        let mut world = World::with(seed, |sample| takes(sample, how));
        let (bt, charles) = (world.carrier("bt"), world.registered("202", "london"));
        let headers = vec![(Name::Geolocation, "<https://phone.example/7>".to_owned())];
        let call = world.act(charles, |phone, now| phone.call_with(now, "999", headers));
        let arrival = world.arrival(bt);
        assert_eq!(value(&arrival.request, &Name::Geolocation).as_deref(), Some("<https://phone.example/7>"));
        assert_eq!(value(&arrival.request, &Name::GeolocationRouting), None);
        assert_eq!(value(&arrival.request, &Name::ContentType).as_deref(), Some("application/sdp"));
        world.pass(5);
        world.hang_up((charles, call), (bt, arrival.call));
        world.end();
    }
}
