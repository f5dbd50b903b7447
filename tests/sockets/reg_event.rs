//! SPEC 12.4, RFC 3680: a phone watches its user's registrations, over plain sockets.

use super::agent::Agent;
use super::message::{header, status};
use super::support::Network;

/// What a NOTIFY says: `Subscription-State` without the time that is left, and `state` and `event` of the contact that has this address.
fn said(notify: &str, about: &Agent) -> (String, String) {
    assert_eq!((header(notify, "Event"), header(notify, "Content-Type")), ("reg", "application/reginfo+xml"));
    let state = header(notify, "Subscription-State").split(";expires=").next().unwrap_or_default();
    let (_, document) = notify.split_once("\n\n").expect("a document");
    assert!(document.contains("xmlns=\"urn:ietf:params:xml:ns:reginfo\""), "{document}");
    let address = about.phone.address.to_string();
    let contact = document.split("<contact ").find(|contact| contact.contains(&address));
    let contact = contact.unwrap_or_else(|| panic!("no contact at {address}: {document}"));
    let value = |name: &str| {
        let value = contact.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
        value.unwrap_or_else(|| panic!("no {name}: {contact}"))
    };
    (state.to_owned(), format!("{} {}", value("state"), value("event")))
}

fn told(state: &str, contact: &str) -> (String, String) {
    (state.to_owned(), contact.to_owned())
}

#[test]
fn a_phone_sees_another_come_and_go_and_hears_at_once_that_its_user_is_elsewhere() {
    let network = Network::new();
    let _running = network.run(&[]);
    let first = Agent::registered(&network, "paris", "201");
    let mut dialog = first.subscribe("reg", 600);
    let notify = first.is_notified();
    assert_eq!(said(&notify, &first), told("active", "active registered"));
    assert!(
        notify.contains("version=\"0\" state=\"full\"") && notify.contains("aor=\"sip:201@paris.example\""),
        "{notify}"
    );

    let second = Agent::registered(&network, "paris", "201");
    let notify = first.is_notified();
    assert_eq!(said(&notify, &second), told("active", "active registered"));
    assert!(notify.contains("version=\"1\" state=\"partial\""), "{notify}");
    assert_eq!(status(&second.register(0)), 200);
    assert_eq!(said(&first.is_notified(), &second), told("active", "terminated unregistered"));

    let _home = Agent::registered(&network, "london", "201");
    let notify = first.is_notified();
    assert_eq!(said(&notify, &first), told("terminated;reason=rejected", "terminated rejected"));
    let refused = first.register(300);
    assert!(status(&refused) == 403 && refused.contains("logged in at london"), "{refused}");
    let refused = first.subscribe_in(&mut dialog, "reg", 600);
    assert!(matches!(status(&refused), 403 | 407 | 481), "{refused}");
    first.stays_silent();
}

#[test]
fn a_phone_that_unsubscribes_is_told_once_more_and_then_nothing() {
    let network = Network::new();
    let _running = network.run(&[]);
    let desk = Agent::registered(&network, "london", "201");
    let mut dialog = desk.subscribe("reg", 600);
    assert_eq!(said(&desk.is_notified(), &desk), told("active", "active registered"));
    let answer = desk.subscribe_in(&mut dialog, "reg", 600);
    assert_eq!((status(&answer), header(&answer, "Expires")), (200, "600"), "{answer}");
    assert_eq!(said(&desk.is_notified(), &desk), told("active", "active registered"));
    assert_eq!(status(&desk.subscribe_in(&mut dialog, "reg", 0)), 200);
    assert_eq!(said(&desk.is_notified(), &desk), told("terminated;reason=timeout", "active registered"));
    let _mobile = Agent::registered(&network, "london", "201");
    desk.stays_silent();
    assert_eq!(status(&desk.subscribe_in(&mut dialog, "reg", 600)), 481);
}
