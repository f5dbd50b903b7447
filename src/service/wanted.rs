//! What a SUBSCRIBE to one's own AOR asks for (RFC 6665 §4.2.1, RFC 3680 §4).

use bytes::Bytes;

use crate::location::Device;
use crate::rejection::Rejection;
use crate::sip::{Contacts, Malformed, Name, Request, Status};

/// The one event package that is served here.
pub const EVENT: &str = "reg";
/// What its documents are.
pub const CONTENT_TYPE: &str = "application/reginfo+xml";
/// RFC 3680 §4.3: the lifetime where none is asked for, in seconds; nothing lasts longer.
const LONGEST: u32 = 3761;

/// A SUBSCRIBE as the service needs it.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Granted seconds; 0: told once, or the end.
    pub expires: u32,
    /// The `id` of its Event, which tells subscriptions of one phone apart.
    pub id: Option<Bytes>,
    /// Where its NOTIFYs are addressed, and the phone that is there. A refresh may leave it out.
    pub subscriber: Option<(Bytes, Device)>,
}

impl Wanted {
    /// The subscriber is that phone, as the registrar knows it.
    pub fn known_as(&mut self, device: Option<Device>) {
        if let (Some((_, subscriber)), Some(device)) = (&mut self.subscriber, device) {
            *subscriber = device;
        }
    }

    /// Reads a SUBSCRIBE. 420 for what it requires, 489 for another event, 406 where the document is not accepted, 423 for a lifetime below `shortest`
    /// seconds, 400 for what can't be read, and for a first SUBSCRIBE without Contact.
    pub fn read(request: &Request, shortest: u32) -> Result<Self, Rejection> {
        // RFC 3261 §8.2.2.3: this service needs no extension, and knows none that may be required of it.
        let required: Vec<String> =
            request.values(&Name::Require).map(|tag| String::from_utf8_lossy(&tag).into_owned()).collect();
        if !required.is_empty() {
            return Err(Rejection::new(Status::BAD_EXTENSION).with(Name::Unsupported, required.join(", ")));
        }
        let id = event_id(request).ok_or_else(bad_event)?;
        if !accepts(request) {
            return Err(Rejection::new(Status::NOT_ACCEPTABLE).with(Name::Accept, CONTENT_TYPE));
        }
        let asked = request.expires().map_err(unreadable)?.unwrap_or(LONGEST);
        if asked > 0 && asked < shortest.min(LONGEST) {
            return Err(Rejection::new(Status::INTERVAL_TOO_BRIEF).with(Name::MinExpires, shortest.to_string()));
        }
        request.record_routes().map_err(unreadable)?;
        let subscriber = subscriber(request)?;
        if subscriber.is_none() && request.to().tag().is_none() {
            return Err(Rejection::because(Status::BAD_REQUEST, "Missing Contact Header"));
        }
        Ok(Self { expires: asked.min(LONGEST), id, subscriber })
    }
}

/// RFC 6665 §7.2.1: 489 says what would have been served.
fn bad_event() -> Rejection {
    Rejection::new(Status::BAD_EVENT).with(Name::AllowEvents, EVENT)
}

fn unreadable(fault: Malformed) -> Rejection {
    Rejection::because(fault.status(), fault.to_string())
}

/// `None` for another event. RFC 6665 §8.2.1: types and ids are compared byte by byte.
fn event_id(request: &Request) -> Option<Option<Bytes>> {
    let value = request.header(&Name::Event)?.value_bytes();
    let mut parts = value.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    parts.next().filter(|kind| *kind == EVENT.as_bytes())?;
    let id = parts.find_map(|part| part.strip_prefix(b"id="));
    Some(id.map(Bytes::copy_from_slice))
}

/// RFC 3680 §4.5: without Accept the document is accepted.
fn accepts(request: &Request) -> bool {
    let mut ranges = request.values(&Name::Accept).peekable();
    ranges.peek().is_none()
        || ranges.any(|range| {
            let kind = range.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
            [CONTENT_TYPE, "application/*", "*/*"].iter().any(|own| kind.eq_ignore_ascii_case(own.as_bytes()))
        })
}

fn subscriber(request: &Request) -> Result<Option<(Bytes, Device)>, Rejection> {
    let contact = match request.contacts(1).map_err(unreadable)? {
        Contacts::None => return Ok(None),
        Contacts::Star => None,
        Contacts::List(list) => list.into_iter().next(),
    };
    let subscriber = contact.and_then(|contact| {
        let device = Device::of_contact(&contact, Bytes::copy_from_slice(request.call_id()))?;
        Some((Bytes::copy_from_slice(contact.uri().as_bytes()), device))
    });
    match subscriber {
        Some(subscriber) => Ok(Some(subscriber)),
        None => Err(Rejection::because(Status::BAD_REQUEST, "Malformed Contact Header")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::subscription::fixtures::subscribe;
    use super::*;

    const CONTACT: &str = "Contact: <sip:201@127.0.0.1:5070>;+sip.instance=\"<urn:uuid:1>\"";

    fn read(lines: &[&str]) -> Result<Wanted, Status> {
        Wanted::read(&subscribe("", lines), 60).map_err(|refused| refused.status)
    }

    #[test]
    fn only_reg_is_served_and_489_says_so() {
        assert!(read(&["Event: reg", CONTACT]).is_ok_and(|wanted| wanted.id.is_none()));
        assert!(read(&["o: reg ; id=7", CONTACT]).is_ok_and(|wanted| wanted.id.as_deref() == Some(b"7")));
        for event in ["Event: dialog", "Event: REG", "Event: reg.winfo", "Event: regular", "X: y"] {
            assert_eq!(read(&[event, CONTACT]).err(), Some(Status::BAD_EVENT), "{event}");
        }
        let refused = Wanted::read(&subscribe("", &["Event: dialog", CONTACT]), 60).expect_err("another event");
        assert_eq!(refused.headers, [(Name::AllowEvents, "reg".to_owned())]);
    }

    #[test]
    fn the_lifetime_is_3761_seconds_unless_a_shorter_one_is_asked_for() {
        let expires = |line: &str| read(&["Event: reg", CONTACT, line]).map(|wanted| wanted.expires);
        assert_eq!(
            [expires("X: y"), expires("Expires: 3762"), expires("Expires: 3760")],
            [Ok(3761), Ok(3761), Ok(3760)]
        );
        assert_eq!([expires("Expires: 60"), expires("Expires: 0")], [Ok(60), Ok(0)]);
        assert_eq!(expires("Expires: 59"), Err(Status::INTERVAL_TOO_BRIEF));
        assert_eq!(expires("Expires: soon"), Err(Status::BAD_REQUEST));
    }

    #[test]
    fn who_does_not_accept_the_document_gets_406() {
        let accept = |line: &str| read(&["Event: reg", CONTACT, line]).map(|_| ());
        for line in ["Accept: application/reginfo+xml", "Accept: text/plain, Application/*;q=0.1", "Accept: */*"] {
            assert_eq!(accept(line), Ok(()), "{line}");
        }
        assert_eq!(accept("Accept: application/pidf+xml"), Err(Status::NOT_ACCEPTABLE));
    }

    #[test]
    fn what_is_required_of_a_notifier_is_not_known_here() {
        assert_eq!(read(&["Event: reg", CONTACT, "Require: eventlist"]).err(), Some(Status::BAD_EXTENSION));
    }

    #[test]
    fn a_first_subscribe_needs_a_contact_and_a_refresh_does_not() {
        assert_eq!(read(&["Event: reg"]).err(), Some(Status::BAD_REQUEST));
        assert_eq!(read(&["Event: reg", "Contact: *"]).err(), Some(Status::BAD_REQUEST));
        assert_eq!(read(&["Event: reg", "Contact: <tel:+44>"]).err(), Some(Status::BAD_REQUEST));
        assert!(
            Wanted::read(&subscribe(";tag=x", &["Event: reg"]), 60).is_ok_and(|wanted| wanted.subscriber.is_none())
        );
        let (uri, device) = read(&["Event: reg", CONTACT]).expect("good").subscriber.expect("there");
        assert_eq!((&uri[..], &device.host[..]), (&b"sip:201@127.0.0.1:5070"[..], &b"127.0.0.1:5070"[..]));
    }
}
