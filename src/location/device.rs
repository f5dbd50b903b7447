//! One phone, as far as a registrar can tell (SPEC 1).

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use crate::sip::{Contact, Digits, Host, Scheme, Uri, push_address};

/// Most bytes of an instance, a Call-ID or a contact's address that are kept as they came.
const WORD: usize = 128;
/// How the hash of a longer one begins.
const LONG: &str = "blake3:";

/// What a phone is known by: its `+sip.instance`; else the Call-ID of its registrations; else its contact's host and port, behind NAT
/// within what comes from one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// `+sip.instance` without its quotes (RFC 5626 §4.1).
    pub instance: Option<Bytes>,
    /// The Call-ID of its registrations.
    pub call_id: Bytes,
    /// `host:port` of its contact, lower case; the user part may change from start to start. Behind NAT, `@` and the address that its
    /// requests come from follow.
    pub host: Bytes,
    /// It was seen to change its Call-ID between refreshes: its Call-ID says nothing about who uses it (SPEC 5.5).
    pub rotates: bool,
}

impl Device {
    /// A phone by what it says of itself. These words travel to other sites, several phones in a datagram: of one that is longer than
    /// [`WORD`] bytes a hash is kept, which tells phones apart as well.
    pub fn new(instance: Option<Bytes>, call_id: Bytes, host: Bytes, rotates: bool) -> Self {
        Self { instance: instance.map(Self::word), call_id: Self::word(call_id), host: Self::word(host), rotates }
    }

    /// What is kept of an instance, a Call-ID or a contact's address.
    pub fn word(said: Bytes) -> Bytes {
        if said.len() <= WORD {
            return said;
        }
        format!("{LONG}{}", blake3::hash(&said).to_hex()).into()
    }

    /// The phone that gives this contact in a request of that Call-ID; `None` where the contact is no SIP URI with a host.
    pub fn of_contact(contact: &Contact, call_id: Bytes) -> Option<Self> {
        let uri = contact.uri();
        let host = match uri.scheme() {
            Scheme::Sip | Scheme::Sips => uri.host()?,
            Scheme::Tel | Scheme::Other => return None,
        };
        Some(Self::new(contact.instance(), call_id, address(uri, host), false))
    }

    /// The same behind NAT at that address: others behind another NAT may have its private address too.
    pub fn behind(mut self, source: IpAddr) -> Self {
        let source = source.to_canonical().to_string();
        self.host = Self::word([&self.host[..], b"@", source.as_bytes()].concat().into());
        self
    }

    /// Whether both are the same phone. Two instances decide alone; else Call-ID or contact address does.
    pub fn is(&self, other: &Device) -> bool {
        match (&self.instance, &other.instance) {
            (Some(mine), Some(theirs)) => mine == theirs,
            (Some(_), None) | (None, Some(_)) | (None, None) => {
                self.call_id == other.call_id || self.host == other.host
            }
        }
    }
}

/// `host:port` of a contact, lower case, with the port that is meant where none is written.
fn address(uri: &Uri, host: &Host) -> Bytes {
    let port = uri.port().unwrap_or(if uri.scheme() == Scheme::Sips { 5061 } else { 5060 });
    let mut address = Vec::with_capacity(32);
    match host {
        Host::V4(ip) => push_address(&mut address, SocketAddr::from((*ip, port))),
        Host::V6(ip) => push_address(&mut address, SocketAddr::from((*ip, port))),
        Host::Name(name) => {
            address.extend(name.iter().map(u8::to_ascii_lowercase));
            address.push(b':');
            address.extend_from_slice(Digits::of(port.into()).as_ref());
        }
    }
    address.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(instance: Option<&'static str>, call_id: &'static str, host: &'static str) -> Device {
        Device {
            instance: instance.map(|i| Bytes::from_static(i.as_bytes())),
            call_id: Bytes::from_static(call_id.as_bytes()),
            host: Bytes::from_static(host.as_bytes()),
            rotates: false,
        }
    }

    #[test]
    fn an_instance_decides_alone_where_both_have_one() {
        assert!(device(Some("a"), "1", "h1").is(&device(Some("a"), "2", "h2")));
        assert!(!device(Some("a"), "1", "h1").is(&device(Some("b"), "1", "h1")));
    }

    #[test]
    fn a_word_is_kept_as_it_came_unless_it_is_too_long() {
        let (word, just) = (Device::word, Bytes::from(vec![b'c'; WORD]));
        assert_eq!(word(just.clone()), just);
        let (long, longer) = (Bytes::from(vec![b'c'; WORD + 1]), Bytes::from(vec![b'c'; 17_000]));
        assert_eq!((word(long.clone()).len(), word(longer.clone()).len()), (71, 71));
        assert_ne!(word(long.clone()), word(longer.clone()));
        // Told by a site that keeps it as it came, or by one that does not.
        assert_eq!(word(word(long.clone())), word(long.clone()));
        let phone = |call_id: &Bytes| Device::new(None, call_id.clone(), Bytes::from_static(b"h"), false);
        assert_eq!(phone(&long), phone(&word(long.clone())));
    }

    #[test]
    fn without_an_instance_the_call_id_or_the_contact_address_tells() {
        assert!(device(None, "1", "h1").is(&device(None, "1", "h2")));
        assert!(device(None, "1", "h1").is(&device(Some("a"), "2", "h1")));
        assert!(!device(None, "1", "h1").is(&device(None, "2", "h2")));
    }
}
