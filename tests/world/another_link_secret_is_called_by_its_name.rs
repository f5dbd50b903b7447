//! SPEC 11.3: a site that has another link secret looks like one that is away, and an operator is told that it is not. Anybody can send what
//! looks like that: it is told as what it may be, once a minute, and changes nothing.

use bytes::Bytes;
use hotdesk::event::Event;
use hotdesk::link::{Mistrust, State};
use hotdesk::node::LinkSeen;
use hotdesk::settings::Secret;

use crate::support::World;

fn told(world: &World, site: &str, other: &str) -> usize {
    let is_it = |event: &&Event| matches!(event, Event::SiteNotBelieved { site, .. } if site.as_str() == other);
    world.told(site).filter(is_it).count()
}

fn link(world: &World, site: &str, other: &str) -> LinkSeen {
    let links = world.node(site).overview().links();
    links.into_iter().find(|link| link.site.as_str() == other).expect("a site of the sample")
}

fn why(world: &World, site: &str, other: &str) -> Option<Mistrust> {
    link(world, site, other).mistrust.map(|(why, _)| why)
}

#[test]
fn another_link_secret_is_called_by_its_name() {
    let mut world = World::new(1);
    let mut known = None;
    world.reload("london", |sample| known = sample.network.link_secret.replace(Secret(vec![7; 32])));
    world.pass(11);
    for (site, other) in [("paris", "london"), ("london", "paris"), ("berlin", "london")] {
        assert_eq!(link(&world, site, other).state, State::Down);
        assert_eq!(why(&world, site, other), Some(Mistrust::OtherSecret), "{site} of {other}");
        assert_eq!(told(&world, site, other), 1);
    }
    assert_eq!((told(&world, "paris", "berlin"), why(&world, "paris", "berlin")), (0, None));
    world.pass(120);
    assert!((2..=3).contains(&told(&world, "paris", "london")), "once a minute");

    world.reload("london", |sample| sample.network.link_secret = known);
    world.pass(10);
    assert_eq!(link(&world, "paris", "london").state, State::Up);
    world.registered("201", "paris");
    world.end();
}

#[test]
fn who_forges_requests_of_a_site_changes_nothing() {
    let mut world = World::new(2);
    let probe = |world: &World| {
        let probes = world
            .datagrams()
            .filter(|(from, to, bytes)| (*from, *to) == ("london", "paris") && bytes.starts_with(b"OPTIONS"));
        String::from_utf8(probes.last().expect("a probe").2.to_vec()).expect("text")
    };
    let probe = probe(&world);
    let (before, rest) = probe.split_once("Hotdesk-Link: ").expect("a token");
    // The key id is in the 2nd to 4th character, the MAC at the end.
    let token = rest.split("\r\n").next().expect("a line");
    let other = |c: u8| if c == b'A' { b'B' } else { b'A' };
    for (at, expected) in [(2, Mistrust::OtherSecret), (token.len() - 2, Mistrust::Unproven)] {
        for number in 0..20 {
            let mut forged = rest.as_bytes().to_vec();
            forged[at] = other(forged[at]);
            let head = before.replacen("branch=z9hG4bK", &format!("branch=z9hG4bK{at}-{number}"), 1);
            let (london, paris) = (world.address("london"), world.address("paris"));
            world.inject(london, paris, Bytes::from([head.as_bytes(), b"Hotdesk-Link: ", &forged].concat()));
            world.pass(1);
        }
        assert_eq!(why(&world, "paris", "london"), Some(expected));
        assert_eq!(told(&world, "paris", "london"), 1);
        assert_eq!(link(&world, "paris", "london").state, State::Up);
    }
    let away = world.registered("201", "paris");
    let charles = world.registered("202", "london");
    world.talk(charles, "201", away);
    world.end();
}
