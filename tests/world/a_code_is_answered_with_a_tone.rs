//! SPEC 6.8, 10.4: the site answers a code itself, says by a tone that it is done, and hangs up.

use std::time::Duration;

use hotdesk::phone::{PhoneEvent, RequestRef};
use hotdesk::sip::{Method, Name, Status};

use crate::support::{Dialled, Seat, Stores, World};

/// 201 at London with a registered phone; `*82` alone is a button for Paris.
fn world(seed: u64) -> (World, Seat) {
    let mut world = World::new(seed);
    let ada = world.registered("201", "london");
    world.chapter();
    (world, ada)
}

/// The site hangs up on a call that it has answered.
fn ends(world: &mut World, dialled: Dialled) {
    let over = |event: &PhoneEvent| matches!(event, PhoneEvent::Ended { call } if *call == dialled.call).then_some(());
    world.find(dialled.seat, Duration::from_secs(40), over).expect("the site hangs up");
}

/// What a phone dials next is dialled in Paris.
fn next_goes_to_paris(world: &mut World, ada: Seat) {
    let pierre = world.registered("301", "paris");
    let call = world.dial(ada, "301");
    let arrival = world.arrival(pierre);
    assert!(world.has_sent("london", "paris", b"INVITE sip:301@paris"));
    world.answered(call);
    world.confirmed(&arrival);
    world.hang_up((ada, call.call), (pierre, arrival.call));
}

#[test]
fn the_site_confirms_by_a_second_of_tone_to_the_phone() {
    let (mut world, ada) = world(1);
    let packets = world.code(ada, "*82");
    assert_eq!(packets.len(), 50);
    let first = &packets[0];
    let apart: Vec<_> = packets.windows(2).map(|pair| (pair[1].at - pair[0].at).as_millis()).collect();
    assert!(apart.iter().all(|apart| *apart == 20), "{apart:?}");
    assert!(packets.iter().all(|packet| packet.to == first.to && packet.site == "london" && packet.bytes.len() == 172));
    assert_eq!(first.to.ip(), world.phone_address(ada).ip(), "the tone goes where the INVITE came from");
    insta::assert_snapshot!(world.ladder());
    world.end();
}

#[test]
fn a_break_out_code_alone_sends_the_next_call_there_and_only_that_one() {
    let (mut world, ada) = world(2);
    let orange = world.carrier("orange");
    world.code(ada, "*82");
    world.pass(28);
    // A call within Paris, by the Paris plan.
    let call = world.dial(ada, "00199000999");
    let arrival = world.arrival(orange);
    assert!(arrival.uri.contains("0199000999"), "{}", arrival.uri);
    world.answered(call);
    world.hang_up((ada, call.call), (orange, arrival.call));
    let again = world.dial(ada, "00199000999");
    assert_eq!(world.refused(again).status, Status::NOT_FOUND, "London has no such code");
    world.end();
}

#[test]
fn after_half_a_minute_the_next_call_goes_its_own_way() {
    let (mut world, ada) = world(3);
    let dialled = world.dial(ada, "*82");
    world.answered(dialled);
    world.pass(31);
    let call = world.dial(ada, "00199000999");
    assert_eq!(world.refused(call).status, Status::NOT_FOUND);
    world.end();
}

#[test]
fn help_is_dialled_here_whatever_was_dialled_before() {
    let (mut world, ada) = world(4);
    let bt = world.carrier("bt");
    world.code(ada, "*82");
    let call = world.dial(ada, "15");
    let arrival = world.arrival(bt);
    assert!(arrival.uri.contains("999"), "{}", arrival.uri);
    world.answered(call);
    world.hang_up((ada, call.call), (bt, arrival.call));
    world.end();
}

#[test]
fn a_target_that_is_down_is_said_at_once() {
    let (mut world, ada) = world(5);
    world.stop("paris");
    world.pass(30);
    let dialled = world.dial(ada, "*82");
    let refused = world.refused(dialled);
    assert!(refused.status == Status::SERVER_TIMEOUT && refused.says("site paris cannot be reached"), "{refused:?}");
    assert!(world.tones().is_empty());
    world.start("paris");
    world.end();
}

#[test]
fn without_a_port_for_rtp_there_is_no_tone_and_the_code_is_confirmed_all_the_same() {
    let (mut world, ada) = world(6);
    world.close_ports();
    let dialled = world.dial(ada, "*82");
    let ok = world.answered(dialled);
    assert!(String::from_utf8_lossy(&ok.body()).contains("m=audio 0 RTP/AVP"));
    ends(&mut world, dialled);
    assert!(world.tones().is_empty());
    next_goes_to_paris(&mut world, ada);
    world.end();
}

#[test]
fn a_200_that_is_lost_is_sent_again_and_the_code_is_done_once() {
    let (mut world, ada) = world(7);
    let call = world.act(ada, |phone, now| phone.call(now, "*82"));
    let dialled = Dialled { seat: ada, call };
    // The 407 and the second INVITE pass, the 200 does not.
    assert!(world.run_until(Duration::from_secs(1), |world| world.has_sent("london", "201@london", b"SIP/2.0 100")));
    world.cut("london", "201@london");
    world.run(Duration::from_millis(600));
    world.heal("london", "201@london");
    world.answered(dialled);
    ends(&mut world, dialled);
    assert_eq!(world.tones().len(), 50);
    world.end();
}

#[test]
fn a_phone_that_never_acknowledges_is_hung_up_on() {
    let (mut world, ada) = world(8);
    world.act(ada, |phone, now| phone.call(now, "*82"));
    assert!(world.run_until(Duration::from_secs(1), |world| world.has_sent("london", "201@london", b"SIP/2.0 100")));
    world.cut("london", "201@london");
    world.pass(31);
    assert!(!world.has_sent("london", "201@london", b"BYE"));
    world.pass(2);
    assert!(world.has_sent("london", "201@london", b"BYE"));
    assert!(world.tones().is_empty());
    world.switch_off(ada);
    world.end();
}

#[test]
fn a_phone_may_hang_up_in_the_middle_of_the_tone() {
    let (mut world, ada) = world(9);
    let dialled = world.dial(ada, "*82");
    world.answered(dialled);
    world.run(Duration::from_millis(300));
    world.act(ada, |phone, now| phone.hang_up(now, dialled.call));
    ends(&mut world, dialled);
    let heard = world.tones().len();
    assert!((10..20).contains(&heard), "{heard}");
    world.pass(2);
    assert_eq!(world.tones().len(), heard);
    world.end();
}

#[test]
fn a_cancel_that_comes_too_late_finds_it_done() {
    let (mut world, ada) = world(10);
    let dialled = world.dial(ada, "*82");
    assert!(world.run_until(Duration::from_secs(1), |world| world.has_sent("london", "201@london", b"SIP/2.0 100")));
    world.act(ada, |phone, now| phone.cancel(now, dialled.call));
    ends(&mut world, dialled);
    next_goes_to_paris(&mut world, ada);
    world.end();
}

/// The answer to a request that is no call of the phone's.
fn answer(world: &mut World, seat: Seat, request: RequestRef) -> Status {
    let found = |event: &PhoneEvent| match event {
        PhoneEvent::Response { request: own, response, .. } if *own == request => response.as_ref().map(|r| r.status()),
        _ => None,
    };
    world.find(seat, Duration::from_secs(40), found).expect("an answer")
}

#[test]
fn a_new_offer_in_the_middle_is_declined_and_changes_nothing() {
    let (mut world, ada) = world(11);
    let dialled = world.dial(ada, "*82");
    world.answered(dialled);
    let again = world.act(ada, |phone, now| phone.re_invite(now, dialled.call, true));
    assert_eq!(answer(&mut world, ada, again), Status::NOT_ACCEPTABLE_HERE);
    ends(&mut world, dialled);
    assert_eq!(world.tones().len(), 50);
    world.end();
}

#[test]
fn other_requests_than_invite_make_the_site_do_nothing() {
    let (mut world, ada) = world(12);
    let text = world.act(ada, |phone, now| phone.message(now, "*82", "hello"));
    assert_eq!(answer(&mut world, ada, text), Status::ADDRESS_INCOMPLETE);
    world.end();
}

#[test]
fn what_the_site_can_not_do_is_refused_before_anything_is_done() {
    let (mut world, ada) = world(13);
    let invite = |kind: &str, body: &str, extra: Option<(Name, &str)>| {
        let headers = [(Name::Contact, "<sip:201@127.0.101.5>"), extra.unwrap_or((Name::Allow, "INVITE"))];
        let headers: Vec<_> = headers.map(|(name, value)| (name, value.to_owned())).into();
        (headers, Some((kind.to_owned(), body.to_owned().into())))
    };
    for ((headers, body), status) in [
        (invite("text/plain", "v=0", None), Status::UNSUPPORTED_MEDIA_TYPE),
        (invite("application/sdp", "hello", None), Status::BAD_REQUEST),
        (invite("application/sdp", "v=0", Some((Name::Require, "100rel, precondition"))), Status::BAD_EXTENSION),
    ] {
        let asked = world.act(ada, |phone, now| phone.request(now, Method::INVITE, "*82", headers, body));
        assert_eq!(answer(&mut world, ada, asked), status);
    }
    let call = world.dial(ada, "00199000999");
    assert_eq!(world.refused(call).status, Status::NOT_FOUND, "nothing was done");
    world.end();
}

#[test]
fn a_slow_store_keeps_no_tone_that_needs_none() {
    let (mut world, ada) = world(14);
    world.store("london", Stores::After(Duration::from_secs(1)));
    assert_eq!(world.code(ada, "*82").len(), 50);
    world.end();
}
