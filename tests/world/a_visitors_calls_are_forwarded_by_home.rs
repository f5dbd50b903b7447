//! SPEC 9.2, 9.3: home forwards, whether it delivers the call or the visited site hands it back.

use std::time::Duration;

use hotdesk::phone::Behaviour;
use hotdesk::sip::Name;

use crate::support::World;

#[test]
fn home_forwards_what_it_delivers_and_rings_no_parked_phone() {
    let mut world = World::with(1, |sample| {
        let forward = &mut sample.user("201").forward;
        (forward.busy, forward.no_answer) = (Some("202".into()), Some("204".into()));
    });
    let (mary, charles, michael) =
        (world.registered("203", "london"), world.registered("202", "london"), world.registered("204", "london"));
    let desk = world.registered("201", "london");
    let away = world.registered("201", "paris");
    world.behave(away, Behaviour::Busy);
    world.talk(mary, "201", charles);
    world.behave(away, Behaviour::Ring);
    world.talk(mary, "201", michael);
    assert!(!world.ever_rang(desk), "SPEC 9.2: the forwards, not the parked phone");
    world.end();
}

#[test]
fn a_call_made_where_the_visitor_is_goes_home_to_be_forwarded() {
    let mut world = World::with(2, |sample| {
        let forward = &mut sample.user("201").forward;
        (forward.busy, forward.no_answer) = (Some("902079460999".into()), Some("*82303".into()));
        forward.after = Duration::from_secs(5);
    });
    let (paul, away) = (world.registered("301", "paris"), world.registered("201", "paris"));
    let bt = world.carrier("bt");
    world.behave(away, Behaviour::Busy);
    world.chapter();
    let arrival = world.talk(paul, "201", bt);
    assert!(arrival.uri.starts_with("sip:02079460999@"), "by London's plan: {}", arrival.uri);
    let diversion = arrival.request.header(&Name::Diversion).expect("a Diversion").value();
    assert_eq!(&*diversion, b"<sip:+442079460201@london.example>;reason=user-busy;counter=1");
    insta::assert_snapshot!("handed_back", world.ladder());
    // And by a Break Out of London's plan back to Paris.
    let marie = world.registered("303", "paris");
    world.behave(away, Behaviour::Ring);
    world.talk(paul, "201", marie);
    world.end();
}

#[test]
fn a_visitors_unconditional_forward_holds_where_the_visitor_is() {
    let mut world = World::with(3, |sample| sample.user("201").forward.unconditional = Some("202".into()));
    let (paul, away, charles) =
        (world.registered("301", "paris"), world.registered("201", "paris"), world.registered("202", "london"));
    world.talk(paul, "201", charles);
    assert!(!world.ever_rang(away));
    world.end();
}

#[test]
fn while_home_is_away_only_extensions_are_forwarded_to() {
    for (number, reached) in [("303", true), ("902079460999", false)] {
        let mut world = World::with(4, |sample| sample.user("201").forward.busy = Some(number.into()));
        let (paul, away, marie) =
            (world.registered("301", "paris"), world.registered("201", "paris"), world.registered("303", "paris"));
        world.behave(away, Behaviour::Busy);
        world.cut("london", "paris");
        // Paris does not know it yet in the first call, and knows it in the second.
        for wait in [0, 30] {
            world.pass(wait);
            let dialled = world.dial(paul, "201");
            if reached {
                let arrival = world.arrival(marie);
                world.answered(dialled);
                world.confirmed(&arrival);
                world.hang_up((paul, dialled.call), (marie, arrival.call));
            } else {
                assert_eq!(world.refused(dialled).status.0, 486, "the visitor is busy, whatever the link is");
            }
        }
        world.end();
    }
}

#[test]
fn while_home_is_away_a_visitor_who_forwards_everything_outside_rings() {
    let mut world = World::with(8, |sample| sample.user("201").forward.unconditional = Some("902079460999".into()));
    let (paul, away) = (world.registered("301", "paris"), world.registered("201", "paris"));
    world.cut("london", "paris");
    for wait in [0, 30] {
        world.pass(wait);
        world.talk(paul, "201", away);
    }
    world.end();
}

#[test]
fn a_visitor_without_forwards_goes_to_the_voicemail_of_home() {
    let mut world = World::with(5, |sample| {
        sample.site("london").voicemail = Some("sip:vm@127.0.0.11:5080".into());
    });
    let (paul, away) = (world.registered("301", "paris"), world.registered("201", "paris"));
    world.behave(away, Behaviour::Busy);
    world.talk(paul, "201", world.carrier("mobile"));
    world.end();
}

#[test]
fn a_visited_site_that_is_silent_gives_way_to_the_forwards() {
    let mut world = World::with(6, |sample| sample.user("201").forward.unreachable = Some("202".into()));
    let (mary, charles) = (world.registered("203", "london"), world.registered("202", "london"));
    world.registered("201", "paris");
    world.cut("london", "paris");
    let dialled = world.dial(mary, "201");
    let arrival = world.arrival_within(charles, Duration::from_secs(3)).expect("SPEC 8.1: after two seconds");
    world.answered(dialled);
    world.confirmed(&arrival);
    world.hang_up((mary, dialled.call), (charles, arrival.call));
    world.end();
}

#[test]
fn a_302_of_a_visitors_phone_is_followed_by_home() {
    let mut world = World::new(7);
    let (mary, paul, away) =
        (world.registered("203", "london"), world.registered("301", "paris"), world.registered("201", "paris"));
    let charles = world.registered("202", "london");
    world.behave(away, Behaviour::Redirect { to: "sip:202@paris.example".into() });
    world.talk(mary, "201", charles);
    world.talk(paul, "201", charles);
    // By London's plan, not by that of Paris: 9 is for an outside line there.
    world.behave(away, Behaviour::Redirect { to: "sip:902079460999@192.0.2.1".into() });
    world.talk(paul, "201", world.carrier("bt"));
    world.end();
}
