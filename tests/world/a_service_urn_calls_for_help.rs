//! SPEC 6.7, RFC 5031: `urn:service:sos` and what is below it is a call for help, whatever number that is here.

use hotdesk::sip::{Method, Status};

use crate::support::World;

#[test]
fn a_service_urn_is_this_sites_emergency_number() {
    let mut world = World::new(1);
    let (charles, away) = (world.registered("202", "london"), world.registered("203", "paris"));
    let (bt, orange) = (world.carrier("bt"), world.carrier("orange"));
    for urn in ["urn:service:sos", "urn:service:sos.ambulance", "URN:SERVICE:SOS.police.x"] {
        let arrival = world.talk(charles, urn, bt);
        assert!(arrival.uri.starts_with("sip:999@127.0.0.10"), "{urn}: {}", arrival.uri);
        assert!(arrival.asserted.is_some_and(|identity| identity.contains("+442079460200")));
        // Where the phone is: in Paris that is 112.
        let arrival = world.talk(away, urn, orange);
        assert!(arrival.uri.starts_with("sip:112@"), "{urn}: {}", arrival.uri);
    }
    world.end();
}

#[test]
fn without_a_default_it_is_the_first_number() {
    let mut world = World::with(2, |sample| sample.site("london").emergency.default = None);
    let charles = world.registered("202", "london");
    let arrival = world.talk(charles, "urn:service:sos", world.carrier("bt"));
    assert!(arrival.uri.starts_with("sip:112@"), "{}", arrival.uri);
    world.end();
}

#[test]
fn a_phone_that_nobody_is_logged_in_at_may_call_so_too() {
    let mut world = World::with(3, |sample| sample.site("london").emergency.anyone_from.clear());
    let bt = world.carrier("bt");
    // Barred; a desk without a user; parked, as its user is in Paris; logged out; known by its digest alone.
    let (lobby, parked, logged_out) =
        (world.registered("206", "london"), world.registered("201", "london"), world.registered("202", "london"));
    let (desk, never) = (world.phone("desk-7", "london"), world.phone("204", "london"));
    world.registered("201", "paris");
    world.act(logged_out, |phone, now| phone.unregister(now));
    world.pass(5);
    for phone in [lobby, desk, parked, logged_out, never] {
        let arrival = world.talk(phone, "urn:service:sos.fire", bt);
        assert!(arrival.uri.starts_with("sip:999@"), "{}", arrival.uri);
    }
    world.end();
}

#[test]
fn other_urns_and_other_requests_are_refused() {
    let mut world = World::with(4, |sample| {
        let paris = sample.site("paris");
        paris.emergency.none = true;
        paris.short_codes.retain(|code| code.feature != "DialEmergency");
        paris.ars.values_mut().for_each(|form| form.short_codes.retain(|code| code.feature != "DialEmergency"));
    });
    let (charles, marie) = (world.registered("202", "london"), world.registered("302", "paris"));
    for (phone, urn, status) in [
        (charles, "urn:service:counseling", Status::UNSUPPORTED_URI_SCHEME),
        (charles, "urn:service:sosx", Status::UNSUPPORTED_URI_SCHEME),
        (charles, "urn:service:test.sos", Status::UNSUPPORTED_URI_SCHEME),
        // A site that has no way to emergency services.
        (marie, "urn:service:sos", Status::NOT_FOUND),
    ] {
        let dialled = world.dial(phone, urn);
        assert_eq!(world.refused(dialled).status, status, "{urn}");
    }
    world.act(charles, |phone, now| phone.request(now, Method::MESSAGE, "urn:service:sos", Vec::new(), None));
    world.pass(1);
    let answer = world.last_answer("london", world.name(charles));
    assert!(answer.starts_with("SIP/2.0 416"), "{answer}");
    // From a carrier it is a number like any other, and nobody's.
    let dialled = world.dial(world.carrier("bt"), "urn:service:sos");
    assert_eq!(world.refused(dialled).status, Status::NOT_FOUND);
    world.end();
}
