//! SPEC 9.9, 9.4: one's own registrations and nobody else's; other events go to the phone that is asked.

use hotdesk::phone::PhoneEvent;
use hotdesk::sip::{Method, Name, Status};

use crate::support::{Seat, World};

fn notified(world: &World, seat: Seat) -> bool {
    world.events(seat).any(|event| matches!(event, PhoneEvent::Request { method, .. } if *method == Method::NOTIFY))
}

#[test]
fn other_events_of_oneself_are_refused_and_say_what_is_served() {
    let mut world = World::new(1);
    let desk = world.registered("201", "london");
    assert_eq!(world.subscribes(desk, "dialog", 600), Status::BAD_EVENT);
    let allow = world.events(desk).find_map(|event| match event {
        PhoneEvent::Response { response: Some(response), .. } => {
            response.header(&Name::AllowEvents).map(|header| header.value().into_owned())
        }
        _ => None,
    });
    assert_eq!(allow.as_deref(), Some(&b"reg"[..]));
    assert_eq!(world.subscribes(desk, "reg", 59), Status::INTERVAL_TOO_BRIEF);
    assert_eq!(world.subscribes(desk, "reg", 60), Status::OK);
    world.end();
}

/// The shard that owns an AOR is found by To; what To and the Request-URI do not agree on is a request like any other, which goes to
/// the user's phones: here there are none.
#[test]
fn one_watches_oneself_under_one_name() {
    for shards in [1, 3] {
        let mut world = World::with(4, |sample| {
            sample.shards(shards);
            sample.site("london").lab = Some(hotdesk::settings::Lab { password: None });
        });
        let mut subscribe = |uri: &str, to: &str| {
            let text = format!(
                "SUBSCRIBE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.201:6000;branch=z9hG4bK{to}{};rport\r\nMax-Forwards: 70\r\n\
                 From: <sip:201@london.example>;tag=1\r\nTo: <{to}>\r\nCall-ID: {uri}{to}\r\nCSeq: 1 SUBSCRIBE\r\n\
                 Contact: <sip:201@127.0.0.201:6000>\r\nEvent: reg\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n",
                uri.len()
            );
            world.inject("127.0.0.201:6000".parse().expect("an address"), world.address("london"), text.into());
            world.run(std::time::Duration::from_millis(50));
            let to_it = world.datagrams().filter(|(from, to, _)| *from == "london" && *to == "127.0.0.201:6000");
            let answers = to_it.filter(|(_, _, bytes)| bytes.starts_with(b"SIP/2.0"));
            answers.last().map(|(_, _, bytes)| String::from_utf8_lossy(&bytes[8..11]).into_owned()).unwrap_or_default()
        };
        for same in ["sip:201@london.example", "sip:201@hotdesk.example", "sip:%3201@london.example"] {
            assert_eq!(subscribe("sip:201@london.example", same), "200", "{shards} {same}");
        }
        // Some of these are owned by the shard of 201, others by another one.
        for other in ["202", "203", "204", "205", "206"] {
            let to = format!("sip:{other}@london.example");
            assert_eq!(subscribe("sip:201@london.example", &to), "480", "{shards} {other}");
        }
        assert_eq!(subscribe("sip:201@london.example", "tel:201"), "480", "{shards}");
    }
}

#[test]
fn another_user_is_watched_at_that_users_phone_only() {
    let mut world = World::new(2);
    let ada = world.registered("201", "london");
    let charles = world.registered("202", "london");
    for event in ["dialog", "reg"] {
        world.act(charles, |phone, now| phone.subscribe(now, "201", event, 600));
        world.pass(1);
        let asked = world
            .events(ada)
            .filter(|event| matches!(event, PhoneEvent::Request { method, .. } if *method == Method::SUBSCRIBE));
        assert!(asked.count() > 0, "{event}");
    }
    assert!(!world.has_sent("london", "202@london", b"NOTIFY sip:202@127.0.0.1"), "the site tells nobody");
    world.end();
}

#[test]
fn a_wrong_password_and_a_strangers_dialog_get_nothing() {
    let mut world = World::new(3);
    let ada = world.registered("201", "london");
    assert_eq!(world.subscribes(ada, "reg", 600), Status::OK);
    world.hears(ada);
    // Somebody who overheard the dialog, with the account of another user.
    let own = world.datagrams().filter(|(from, _, bytes)| *from == "201@london" && bytes.starts_with(b"SUBSCRIBE"));
    let overheard = own.last().map(|(_, _, bytes)| String::from_utf8_lossy(bytes).into_owned()).expect("sent");
    let ok = world.datagrams().filter(|(from, to, bytes)| {
        *from == "london" && *to == "201@london" && bytes.starts_with(b"SIP/2.0 200") && contains(bytes, "SUBSCRIBE")
    });
    let ok = ok.last().map(|(_, _, bytes)| String::from_utf8_lossy(bytes).into_owned()).expect("answered");
    let to = ok.lines().find(|line| line.starts_with("To:")).expect("it has a To");
    let forged: String = overheard
        .lines()
        .filter(|line| !line.starts_with("Proxy-Authorization"))
        .map(|line| match line.split_once(':') {
            Some(("To", _)) => format!("{to}\r\n"),
            Some(("Expires", _)) => "Expires: 0\r\n".to_owned(),
            Some(("Via", via)) => format!("Via:{}\r\n", via.replace("branch=z9hG4bK", "branch=z9hG4bKf")),
            Some(("CSeq", _)) => "CSeq: 99 SUBSCRIBE\r\n".to_owned(),
            _ => format!("{line}\r\n"),
        })
        .collect();
    world.chapter();
    let (from, site) = ("127.0.0.99:5060".parse().expect("an address"), world.address("london"));
    world.inject(from, site, forged.into());
    world.pass(2);
    assert!(world.ladder().contains("407 Proxy Authentication Required"), "{}", world.ladder());
    world.registered("201", "london");
    assert_eq!(world.hears(ada).0, "active", "it lives");
    world.end();
}

#[test]
fn the_dialog_of_one_user_is_nothing_to_another() {
    let mut world = World::new(4);
    let ada = world.registered("201", "london");
    assert_eq!(world.subscribes(ada, "reg", 600), Status::OK);
    world.hears(ada);
    world.act(ada, |phone, _| {
        // The same phone asks by another account of this site.
        phone.account("202", "secret-202");
    });
    assert_eq!(world.subscribes_again(ada, 0), Status::CALL_DOES_NOT_EXIST);
    world.end();
}

#[test]
fn the_seventeenth_subscription_of_a_user_takes_the_place_of_the_first() {
    let mut world = World::new(5);
    let first = world.registered("201", "london");
    assert_eq!(world.subscribes(first, "reg", 600), Status::OK);
    world.hears(first);
    let second = world.registered("201", "london");
    assert_eq!(world.hears(first).0, "active");
    for _ in 0..15 {
        assert_eq!(world.subscribes(second, "reg", 600), Status::OK);
    }
    assert!(world.told_within(first, std::time::Duration::from_secs(1)).is_none());
    assert_eq!(world.subscribes(second, "reg", 600), Status::OK);
    assert_eq!(world.hears(first).0, "terminated;reason=probation;retry-after=3600");
    assert!(notified(&world, second));
    world.end();
}

fn contains(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(text)
}
