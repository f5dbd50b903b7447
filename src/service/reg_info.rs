//! The document of the `reg` event: `application/reginfo+xml` (RFC 3680 §5).

use std::fmt::Write as _;

use crate::location::Binding;
use crate::sip::{Contact, escaped_xml};
use crate::timing::Now;

/// What last happened to a contact (RFC 3680 §4.7.2). Never `deactivated`, which asks the phone to register again at once, and
/// not `refreshed`, which nobody is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It came.
    Registered,
    /// It runs out sooner than was said.
    Shortened,
    /// It ran out.
    Expired,
    /// Its phone took it out.
    Unregistered,
    /// The site took it out: the user logged in elsewhere, or another phone took the place.
    Rejected,
}

impl Change {
    /// Whether the contact is still there.
    pub fn is_active(self) -> bool {
        match self {
            Change::Registered | Change::Shortened => true,
            Change::Expired | Change::Unregistered | Change::Rejected => false,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Change::Registered => "registered",
            Change::Shortened => "shortened",
            Change::Expired => "expired",
            Change::Unregistered => "unregistered",
            Change::Rejected => "rejected",
        }
    }
}

/// What a document says.
pub(super) struct RegInfo<'i> {
    /// One more than in the document before.
    pub version: u32,
    /// Every contact there is, or those that changed.
    pub is_full: bool,
    /// The address of record, as it was subscribed to.
    pub aor: &'i str,
    /// Names the registration in all its documents.
    pub id: &'i str,
    /// `init`, `active` or `terminated`.
    pub state: &'static str,
    /// The contacts, with what last happened to each.
    pub contacts: Vec<(&'i Binding, Change)>,
}

impl RegInfo<'_> {
    /// The document, in UTF-8. What came by a message is escaped.
    pub fn write(&self, now: Now) -> String {
        let mut out = String::with_capacity(512);
        let state = if self.is_full { "full" } else { "partial" };
        let written = write!(
            out,
            "<?xml version=\"1.0\"?>\n<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"{}\" state=\"{state}\">\n\
             <registration aor=\"{}\" id=\"{}\" state=\"{}\">\n",
            self.version,
            escaped_xml(self.aor.as_bytes()),
            escaped_xml(self.id.as_bytes()),
            self.state
        );
        written.expect("a string takes every text");
        self.contacts.iter().for_each(|(binding, change)| push_contact(&mut out, binding, *change, now));
        out.push_str("</registration>\n</reginfo>\n");
        out
    }
}

fn push_contact(out: &mut String, binding: &Binding, change: Change, now: Now) {
    let state = if change.is_active() { "active" } else { "terminated" };
    let mut head = format!("<contact id=\"{}\" state=\"{state}\" event=\"{}\"", contact_id(binding), change.word());
    if change.is_active() {
        head.push_str(&format!(" expires=\"{}\"", binding.expires_in(now.instant)));
    }
    if binding.q < 1000 {
        head.push_str(&format!(" q=\"0.{:03}\"", binding.q));
    }
    out.push_str(&head);
    out.push_str(&format!(">\n<uri>{}</uri>\n", escaped_xml(binding.uri.as_bytes())));
    for (name, value) in params(binding) {
        let line = format!("<unknown-param name=\"{}\">{}</unknown-param>\n", escaped_xml(&name), escaped_xml(&value));
        out.push_str(&line);
    }
    out.push_str("</contact>\n");
}

/// RFC 3680 §5.3: the same contact has the same id, and another URI in the place of an old one is another contact.
pub(super) fn contact_id(binding: &Binding) -> String {
    let hash = blake3::Hasher::new().update(&binding.serial.to_be_bytes()).update(binding.uri.as_bytes()).finalize();
    hash.as_bytes()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The contact's parameters but for `q`, names and values as they came, quotes and all.
fn params(binding: &Binding) -> Vec<(Vec<u8>, Vec<u8>)> {
    let whole = [b"<", &binding.uri.as_bytes()[..], b">", &binding.params[..]].concat();
    let Ok(contact) = Contact::parse(whole) else { return Vec::new() };
    let named = contact.params().filter(|(name, _)| !name.eq_ignore_ascii_case(b"q"));
    named
        .map(|(name, whole)| {
            let value = whole.iter().position(|&byte| byte == b'=').map_or(&[][..], |at| &whole[at + 1..]);
            (name.to_vec(), value.trim_ascii().to_vec())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::subscription::fixtures::{binding, now};
    use super::*;

    fn document(contacts: Vec<(&Binding, Change)>) -> String {
        let aor = "sip:201@london.example";
        RegInfo { version: 0, is_full: true, aor, id: "201", state: "active", contacts }.write(now())
    }

    #[test]
    fn a_document_is_what_the_rfc_shows() {
        let desk = binding(1, "sip:201-ab@127.0.0.1:5070;ob", ";q=0.5;+sip.instance=\"<urn:uuid:1>\";audio");
        let mut gone = binding(2, "sip:201@127.0.0.1:5071", "");
        gone.q = 1000;
        insta::assert_snapshot!(document(vec![(&desk, Change::Registered), (&gone, Change::Rejected)]));
    }

    #[test]
    fn every_event_has_its_word_and_none_asks_the_phone_to_register_again() {
        let words = [Change::Registered, Change::Shortened, Change::Expired, Change::Unregistered, Change::Rejected]
            .map(|change| (change.word(), change.is_active()));
        assert_eq!(
            words,
            [
                ("registered", true),
                ("shortened", true),
                ("expired", false),
                ("unregistered", false),
                ("rejected", false)
            ]
        );
    }

    #[test]
    fn nothing_that_a_phone_says_becomes_markup() {
        let text =
            document(vec![(&binding(1, "sip:a&b'c@h", ";x=\"</uri><a b='c'>\";y=\"\u{1}\""), Change::Registered)]);
        assert!(text.contains("<uri>sip:a&amp;b&apos;c@h</uri>"), "{text}");
        assert!(text.contains("&quot;&lt;/uri&gt;&lt;a b=&apos;c&apos;&gt;&quot;"), "{text}");
        assert!(!text.contains('\u{1}') && !text.contains("<a"), "{text}");
    }

    #[test]
    fn another_uri_or_another_serial_is_another_contact() {
        let id = |serial, uri| contact_id(&binding(serial, uri, ""));
        assert_eq!(id(1, "sip:a@h"), id(1, "sip:a@h"));
        assert!(id(1, "sip:a@h") != id(2, "sip:a@h") && id(1, "sip:a@h") != id(1, "sip:b@h"));
    }
}
