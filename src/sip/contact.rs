//! Contact values (RFC 3261 §20.10, RFC 5626 §4.1) as a registrar needs them.

use bytes::Bytes;

use super::address::Address;
use super::lex::{self, NotANumber, Param};
use super::malformed::Malformed;
use super::name::Name;
use super::uri::Uri;

/// All Contact values of a message.
#[derive(Clone, Debug)]
pub enum Contacts {
    /// No Contact header.
    None,
    /// `*`: all bindings (RFC 3261 §10.2.2).
    Star,
    /// One or more, in order.
    List(Vec<Contact>),
}

/// One Contact value; its parameters are kept as they came.
#[derive(Clone, Debug)]
pub struct Contact {
    address: Address,
    asked: Asked,
}

/// The parameters that a registrar reads.
#[derive(Clone, Debug, Default)]
struct Asked {
    q: Option<u16>,
    expires: Option<u32>,
    instance: Option<Bytes>,
    reg_id: Option<u32>,
}

/// RFC 3261 §20.10: what a malformed `expires` counts as, in seconds.
const MALFORMED_EXPIRES: u32 = 3600;

impl Contact {
    /// Reads one value, not `*`.
    pub fn parse(raw: impl Into<Bytes>) -> Result<Self, Malformed> {
        let mut asked = Asked::default();
        let mut fault = Malformed::Syntax(Name::Contact);
        let address = Address::parse(raw.into(), |_, param| asked.take(param).map_err(|why| fault = why).ok());
        match address {
            Some(address) => Ok(Self { address, asked }),
            None => Err(fault),
        }
    }

    /// The URI.
    pub fn uri(&self) -> &Uri {
        &self.address.uri
    }

    /// The preference in thousandths, 0 to 1000.
    pub fn q(&self) -> Option<u16> {
        self.asked.q
    }

    /// The lifetime asked for, in seconds.
    pub fn expires(&self) -> Option<u32> {
        self.asked.expires
    }

    /// `+sip.instance` without quotes, such as `<urn:uuid:…>`.
    pub fn instance(&self) -> Option<Bytes> {
        self.asked.instance.clone()
    }

    /// `reg-id`; one that is out of range counts as none.
    pub fn reg_id(&self) -> Option<u32> {
        self.asked.reg_id
    }

    /// Any parameter: `Some(None)` if it has no value. Quotes are stripped.
    pub fn param(&self, name: &str) -> Option<Option<&[u8]>> {
        self.address.param(name)
    }

    /// Each parameter: its name, and the whole of it as it came, with its `;`.
    pub fn params(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.address.params().flatten().map(|param| (param.name, param.whole))
    }

    /// The parameters as they came, from the first `;`.
    pub fn params_raw(&self) -> &[u8] {
        self.address.params_raw()
    }
}

impl Asked {
    fn take(&mut self, param: Param<'_>) -> Result<(), Malformed> {
        let value = param.value.unwrap_or_default();
        if param.is("q") {
            self.q = Some(thousandths(value).ok_or(Malformed::Syntax(Name::Contact))?);
        } else if param.is("expires") {
            self.expires = Some(seconds(value)?);
        } else if param.is("+sip.instance") {
            self.instance = Some(Bytes::copy_from_slice(&lex::unescape(value))).filter(|id| !id.is_empty());
        } else if param.is("reg-id") {
            // RFC 5626 §4.2: 1 to 2^31 - 1.
            let id = lex::number(value, 0x7fff_ffff).ok().and_then(|id| u32::try_from(id).ok());
            self.reg_id = id.filter(|&id| id > 0);
        }
        Ok(())
    }
}

/// RFC 3261 §25.1 `qvalue`, in thousandths; digits behind the third are dropped.
fn thousandths(value: &[u8]) -> Option<u16> {
    let (whole, rest) = match value {
        [b'0', rest @ ..] => (0, rest),
        [b'1', rest @ ..] => (1000, rest),
        [b'.', ..] => (0, value),
        _ => return None,
    };
    let digits = match rest {
        [] => rest,
        [b'.', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => digits,
        _ => return None,
    };
    let part = digits.iter().zip([100, 10, 1]).map(|(digit, weight)| u16::from(digit - b'0') * weight).sum::<u16>();
    Some(whole + part).filter(|&q| q <= 1000)
}

fn seconds(value: &[u8]) -> Result<u32, Malformed> {
    match lex::number(value, u64::from(u32::MAX)) {
        Ok(seconds) => Ok(u32::try_from(seconds).unwrap_or(u32::MAX)),
        Err(NotANumber::Syntax) => Ok(MALFORMED_EXPIRES),
        Err(NotANumber::Range) => Err(Malformed::Range(Name::Contact)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrars_parameters_are_read_and_all_are_kept() {
        let text = "\"J\" <sip:j@[2001:db8::1]:5070;ob>;q = 0.33;expires=60;+sip.instance=\"<urn:uuid:0>\";reg-id=1;audio;x=\"a,b\"";
        let contact = Contact::parse(text).expect("a contact");
        assert_eq!((contact.q(), contact.expires(), contact.reg_id()), (Some(330), Some(60), Some(1)));
        assert_eq!(contact.instance().as_deref(), Some(&b"<urn:uuid:0>"[..]));
        assert_eq!(contact.uri().as_bytes(), "sip:j@[2001:db8::1]:5070;ob");
        assert_eq!(contact.param("audio"), Some(None));
        assert!(contact.params_raw().starts_with(b";q = 0.33;expires"));
        assert_eq!(contact.params().last(), Some((&b"x"[..], &b";x=\"a,b\""[..])));
    }

    #[test]
    fn a_parameter_without_brackets_is_the_headers() {
        let bare = Contact::parse("sip:+19725552222@gw1.example.net;unknownparam").expect("a contact");
        assert_eq!((bare.param("unknownparam"), bare.uri().param("unknownparam")), (Some(None), None));
        let bracketed = Contact::parse("<sip:+19725552222@gw1.example.net;unknownparam>").expect("a contact");
        assert_eq!((bracketed.param("unknownparam"), bracketed.uri().param("unknownparam")), (None, Some(None)));
        assert!(Contact::parse("sip:user@example.com?Route=%3Csip:x%3E").is_err());
        assert!(Contact::parse("<sip:user@example.com?Route=%3Csip:x%3E>").is_ok_and(|c| c.uri().has_headers()));
    }

    #[test]
    fn numbers_stay_in_their_range() {
        let q = |q: &str| Contact::parse(format!("<sip:h>;q={q}")).ok().and_then(|contact| contact.q());
        assert_eq!(
            [q("1"), q("1.000"), q("0"), q("0."), q(".5")],
            [Some(1000), Some(1000), Some(0), Some(0), Some(500)]
        );
        assert_eq!([q("1.001"), q("2"), q("x"), q("0.x"), q("")], [None; 5]);
        let expires =
            |seconds: &str| Contact::parse(format!("<sip:h>;expires={seconds}")).map(|contact| contact.expires());
        assert_eq!(expires("4294967295"), Ok(Some(u32::MAX)));
        assert_eq!(expires("4294967296"), Err(Malformed::Range(Name::Contact)));
        assert_eq!(expires("soon"), Ok(Some(3600)));
    }
}
