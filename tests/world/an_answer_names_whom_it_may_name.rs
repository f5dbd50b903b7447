//! SPEC 9.4, RFC 3325 §5, §7: who is named in an answer is believed from another site and from a trusted trunk alone, in every answer,
//! however late; and what `Privacy: id` withholds is shown to those alone.

use std::time::Duration;

use hotdesk::phone::Behaviour;

use crate::support::{Sample, Seat, World};

const NAMED: &str = "P-Asserted-Identity: \"The King\" <sip:999@x>\r\nP-Preferred-Identity: <sip:999@x>\r\nRemote-Party-ID: <sip:999@x>\r\n";
const WITHHELD: &str = "Privacy: id\r\n";

/// The last request of that method that reached a silent phone or carrier, answered by hand.
fn answer(world: &mut World, seat: Seat, method: &str, status: &str, more: &str) {
    let name = world.name(seat);
    let reached = world.datagrams().filter(|(_, to, bytes)| *to == name && bytes.starts_with(method.as_bytes())).last();
    let (site, _, bytes) = reached.unwrap_or_else(|| panic!("no {method} reached {name}"));
    let (from, to, text) = (world.phone_address(seat), world.address(site), String::from_utf8_lossy(bytes));
    let mut reply = format!("SIP/2.0 {status}\r\n");
    for line in text.lines().take_while(|line| !line.is_empty()) {
        let is = |name: &str| line.starts_with(&format!("{name}: "));
        if ["Via", "Record-Route", "From", "Call-ID", "CSeq"].into_iter().any(is) {
            reply += &format!("{line}\r\n");
        } else if is("To") {
            reply += &if line.contains(";tag=") { format!("{line}\r\n") } else { format!("{line};tag=by-hand\r\n") };
        }
    }
    reply += &format!("Contact: <sip:{from}>\r\n{more}Content-Length: 0\r\n\r\n");
    world.inject(from, to, reply.into());
    world.run(Duration::from_millis(100));
}

/// How many lines name somebody in the last answer of a site to a phone, carrier or site, which has this status.
fn named(world: &World, site: &str, to: &str, status: &str) -> usize {
    let told = world.last_answer(site, to);
    assert!(told.starts_with(&format!("SIP/2.0 {status}")), "{to}: {told}");
    NAMED.lines().filter(|line| told.contains(*line)).count()
}

fn trust(sample: &mut Sample, trunk: &str) {
    let trunks = &mut sample.site("london").trunks;
    trunks.iter_mut().find(|own| own.name.starts_with(trunk)).expect("London has it").trusted = true;
}

fn silent_carrier(world: &mut World, name: &str) -> Seat {
    let carrier = world.carrier(name);
    world.behave(carrier, Behaviour::Silent);
    carrier
}

#[test]
fn a_phone_names_nobody_in_whatever_it_answers() {
    let mut world = World::new(1);
    let (charles, desk) = (world.registered("202", "london"), world.registered("201", "london"));
    world.behave(desk, Behaviour::Silent);
    let dialled = world.dial(charles, "201");
    world.run(Duration::from_millis(50));
    for status in ["180 Ringing", "183 Session Progress", "200 OK"] {
        answer(&mut world, desk, "INVITE", status, NAMED);
        assert_eq!(named(&world, "london", "202@london", status), 0);
    }
    // In the dialog too.
    world.act(charles, |phone, now| phone.info(now, dialled.call, '5'));
    world.run(Duration::from_millis(50));
    answer(&mut world, desk, "INFO", "200 OK", NAMED);
    assert_eq!(named(&world, "london", "202@london", "200 OK"), 0);
    assert!(world.last_answer("london", "202@london").contains("INFO"));
    // A refusal.
    world.dial(charles, "201");
    world.run(Duration::from_millis(50));
    answer(&mut world, desk, "INVITE", "603 Decline", NAMED);
    assert_eq!(named(&world, "london", "202@london", "603"), 0);
}

#[test]
fn nor_when_another_phone_has_answered_before() {
    let mut world = World::new(2);
    let charles = world.registered("202", "london");
    let (first, second) = (world.registered("201", "london"), world.registered("201", "london"));
    world.behave(first, Behaviour::Answer { after: Duration::from_millis(300) });
    world.behave(second, Behaviour::Silent);
    let dialled = world.dial(charles, "201");
    world.answered(dialled);
    world.run(Duration::from_millis(200));
    answer(&mut world, second, "INVITE", "200 OK", NAMED);
    assert!(world.last_answer("london", "202@london").contains(";tag=by-hand"), "the second 2xx is passed on");
    assert_eq!(named(&world, "london", "202@london", "200"), 0);
}

#[test]
fn a_trunk_that_is_not_trusted_names_nobody() {
    let mut world = World::new(3);
    let charles = world.registered("202", "london");
    let bt = silent_carrier(&mut world, "bt");
    world.dial(charles, "902079460999");
    world.run(Duration::from_millis(50));
    for status in ["183 Session Progress", "200 OK"] {
        answer(&mut world, bt, "INVITE", status, NAMED);
        assert_eq!(named(&world, "london", "202@london", status), 0);
    }
}

/// The carrier answers so late that the caller was told something else long before.
fn late(seed: u64, trusted: bool, more: &str) -> usize {
    let mut world = World::with(seed, |sample| {
        if trusted {
            trust(sample, "bt");
        }
    });
    let charles = world.registered("202", "london");
    let bt = silent_carrier(&mut world, "bt");
    silent_carrier(&mut world, "mobile");
    let dialled = world.dial(charles, "902079460999");
    assert_eq!(world.refused(dialled).status.0, 480);
    world.pass(1);
    answer(&mut world, bt, "INVITE", "200 OK", &format!("{NAMED}{more}"));
    named(&world, "london", "202@london", "200")
}

#[test]
fn an_answer_after_our_own_final_one_is_judged_like_any_other() {
    assert_eq!(late(4, false, ""), 0);
    assert_eq!(late(4, true, ""), 3);
    assert_eq!(late(4, true, WITHHELD), 0, "a phone is not shown what is withheld");
}

/// 203 in Paris dials by London's plan; London trusts its carrier.
#[test]
fn a_trusted_trunk_is_believed_at_every_site() {
    for (withheld, at_paris, at_phone) in [("", 3, 3), (WITHHELD, 3, 0)] {
        let mut world = World::with(5, |sample| trust(sample, "bt"));
        let mary = world.registered("203", "paris");
        let bt = silent_carrier(&mut world, "bt");
        world.dial(mary, "*81902079460999");
        world.run(Duration::from_millis(100));
        for status in ["183 Session Progress", "200 OK"] {
            answer(&mut world, bt, "INVITE", status, &format!("{NAMED}{withheld}"));
            assert_eq!(named(&world, "london", "paris", status), at_paris, "a site may see it");
            assert_eq!(named(&world, "paris", "203@paris", status), at_phone);
        }
    }
}

/// The mobile network calls 201, whose calls go on to a number outside by the other carrier, which is trusted.
#[test]
fn what_is_withheld_is_not_shown_to_a_trunk_without_trust() {
    for (trusted, withheld, shown) in [(false, "", 3), (false, WITHHELD, 0), (true, WITHHELD, 3)] {
        let mut world = World::with(6, |sample| {
            trust(sample, "bt");
            if trusted {
                trust(sample, "mobile");
            }
            let incoming = &mut sample.site("london").incoming;
            incoming.iter_mut().for_each(|rule| rule.group = "mobile".into());
            sample.user("201").forward.unconditional = Some("902079460999".into());
        });
        let mobile = world.carrier("mobile");
        let bt = silent_carrier(&mut world, "bt");
        world.dial(mobile, "+442079460201");
        world.run(Duration::from_millis(100));
        for status in ["180 Ringing", "200 OK"] {
            answer(&mut world, bt, "INVITE", status, &format!("{NAMED}{withheld}"));
            assert_eq!(named(&world, "london", "mobile", status), shown, "{withheld}{trusted}");
        }
    }
}
