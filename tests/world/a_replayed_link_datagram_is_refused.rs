//! SPEC 11.1, 11.2: what was sent between sites once cannot be used again, not even after a restart.

use bytes::Bytes;
use hotdesk::event::Event;

use crate::support::World;

/// What went from one site to the other so far, but for probes.
fn sent(world: &World, from: &str, to: &str) -> Vec<Bytes> {
    let between = world.datagrams().filter(|(a, b, _)| (*a, *b) == (from, to));
    between.map(|(_, _, bytes)| bytes.clone()).filter(|bytes| !bytes.starts_with(b"OPTIONS")).collect()
}

fn logins(world: &World, site: &str) -> usize {
    world.told(site).filter(|event| matches!(event, Event::LoggedIn { .. })).count()
}

#[test]
fn a_replayed_login_changes_nothing_after_a_restart() {
    let mut world = World::new(1);
    let away = world.registered("201", "paris");
    let captured = sent(&world, "paris", "london");
    assert!(!captured.is_empty());
    world.unregister(away);
    world.pass(2);
    world.restart("london");
    let (desk, charles) = (world.registered("201", "london"), world.registered("202", "london"));
    world.pass(40);
    let before = logins(&world, "london");
    let (paris, london) = (world.address("paris"), world.address("london"));
    for datagram in captured {
        world.inject(paris, london, datagram);
        world.pass(1);
    }
    assert_eq!(logins(&world, "london"), before);
    world.talk(charles, "201", desk);
    world.end();
}

#[test]
fn a_replayed_call_does_not_ring_again() {
    let mut world = World::new(2);
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.talk(charles, "201", away);
    let captured = sent(&world, "london", "paris");
    for (pause, restart) in [(0, false), (40, false), (0, true)] {
        world.pass(pause);
        if restart {
            world.restart("paris");
        }
        let rung = world.events(away).count();
        for datagram in &captured {
            let (paris, london) = (world.address("paris"), world.address("london"));
            world.inject(london, paris, datagram.clone());
            world.pass(1);
        }
        assert_eq!(world.events(away).count(), rung, "{pause} s later, restart {restart}");
    }
    world.end();
}

#[test]
fn what_was_changed_on_the_way_is_refused() {
    let mut world = World::new(3);
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    world.registered("203", "paris");
    world.cut("london", "paris");
    let dialled = world.dial(charles, "201");
    world.refused(dialled);
    // The INVITE never arrived in Paris, so it is fresh there; but something in it is not what London sent.
    let (london, paris) = (world.address("london"), world.address("paris"));
    let invite = sent(&world, "london", "paris").into_iter().find(|bytes| bytes.starts_with(b"INVITE"));
    let invite = String::from_utf8(invite.expect("London asked Paris").to_vec()).expect("text");
    for (was, is) in [("INVITE sip:201@", "INVITE sip:203@"), ("Call-ID: ", "Call-ID: x"), ("CSeq: ", "CSeq: 1")] {
        assert!(invite.contains(was), "{invite}");
        world.inject(london, paris, invite.replacen(was, is, 1).into());
        world.pass(1);
    }
    assert!(!world.ever_rang(away));
    // As it was sent it does ring.
    world.inject(london, paris, invite.into());
    world.arrival(away);
}
