//! From and To (RFC 3261 §20.20, §20.39), and the identity headers of RFC 3325 that are made alike.

use std::borrow::Cow;

use bytes::Bytes;

use super::address::Address;
use super::malformed::Malformed;
use super::name::Name;
use super::span::Span;
use super::uri::Uri;

/// One side of a dialog: display name, URI, tag.
#[derive(Clone, Debug)]
pub struct Party {
    address: Address,
    tag: Option<Span>,
}

impl Party {
    /// Reads the value of the header `name`, which an error names.
    pub fn parse(raw: impl Into<Bytes>, name: &Name) -> Result<Self, Malformed> {
        Self::read(raw.into()).ok_or_else(|| Malformed::Syntax(name.clone()))
    }

    fn read(raw: Bytes) -> Option<Self> {
        let mut tag = None;
        let address = Address::parse(raw, |raw, param| {
            if !param.is("tag") {
                return Some(());
            }
            // RFC 3261 §19.3: a token, so not empty; and one.
            let value = param.value.filter(|value| !value.is_empty())?;
            if tag.replace(Span::of(raw, value)).is_some() { None } else { Some(()) }
        })?;
        Some(Self { address, tag })
    }

    /// The URI.
    pub fn uri(&self) -> &Uri {
        &self.address.uri
    }

    /// The tag; never empty.
    pub fn tag(&self) -> Option<&[u8]> {
        self.tag.map(|tag| tag.in_(&self.address.raw))
    }

    /// The display name without quotes and escapes; what is no UTF-8 becomes U+FFFD.
    pub fn display_name(&self) -> Option<Cow<'_, str>> {
        self.address.display_name()
    }

    /// A parameter of the header: `Some(None)` if it has no value. Quotes are stripped.
    pub fn param(&self, name: &str) -> Option<Option<&[u8]>> {
        self.address.param(name)
    }

    /// Name and URI as they came: the value without its parameters.
    pub fn written(&self) -> &[u8] {
        let params = self.address.params_raw().len();
        let raw = self.address.raw.trim_ascii_end();
        raw.get(..raw.len().saturating_sub(params)).unwrap_or_default().trim_ascii_end()
    }

    /// The value as it came.
    pub fn raw(&self) -> &Bytes {
        &self.address.raw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(text: &'static str) -> Party {
        Party::parse(text, &Name::To).unwrap_or_else(|_| panic!("{text}"))
    }

    #[test]
    fn names_and_tags_are_read_in_every_form() {
        for (text, name, uri, tag) in [
            (r#""Bob, \"B\" <x>" <sip:b@h;lr>;tag=3"#, Some(r#"Bob, "B" <x>"#), "sip:b@h;lr", Some(&b"3"[..])),
            ("caller<sip:c@h>", Some("caller"), "sip:c@h", None),
            ("Bell, Alexander <sip:a@h> ; tag = 43", Some("Bell, Alexander"), "sip:a@h", Some(b"43")),
            ("\"W\r\n T\" < sip:w@h >", Some("W T"), "sip:w@h", None),
            ("sip:j.user@h;tag=1;x=\"a;b>\"", None, "sip:j.user@h", Some(b"1")),
            ("<tel:+49301234567>", None, "tel:+49301234567", None),
            ("isbn:2983792873", None, "isbn:2983792873", None),
        ] {
            let party = party(text);
            assert_eq!((party.display_name().as_deref(), party.tag()), (name, tag), "{text}");
            let written = std::str::from_utf8(party.written()).expect("text");
            assert!(text.starts_with(written) && written.contains(uri), "{text}: {written}");
            let left = text[written.len()..].trim_start();
            assert!(left.is_empty() || left.starts_with(';'), "{text}: {left}");
            assert_eq!(party.uri().as_bytes(), uri);
        }
        let latin = Party::parse(Bytes::from_static(b"\"J\xf6rg\" <sip:j@h>"), &Name::From).expect("a party");
        assert_eq!(latin.display_name().as_deref(), Some("J\u{fffd}rg"));
    }

    #[test]
    fn broken_ones_are_refused() {
        for text in [
            "",
            "\"Mr. J. User <sip:j@h>",
            "<sip:j@h",
            "sip:a@h?x=y",
            "<sip:a@h>, <sip:b@h>",
            "<sip:a@h>;tag=",
            "<sip:a@h>;tag",
            "<sip:a@h>;tag=1;tag=2",
            "<sip:a@h>;;;",
            "bob",
            "<sip:a@h> x",
        ] {
            assert_eq!(Party::parse(text, &Name::To).map(|_| ()), Err(Malformed::Syntax(Name::To)), "{text}");
        }
    }
}
