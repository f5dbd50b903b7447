//! URIs: `sip`, `sips` and `tel` taken apart, all others kept whole.
//!
//! RFC 3261 §19.1 (syntax and equality), RFC 3966 (`tel`), RFC 5118 (IPv6). Lenient where phones are: any byte but blanks,
//! controls, quotes and angle brackets may stand in a user part, so that `*35*201#` can be dialled unescaped.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use nom::Parser;
use nom::bytes::complete::{tag, take_while};

use super::host::{self, Host};
use super::lex::{self, Lexed};
use super::malformed::Malformed;
use super::span::Span;

/// What a URI begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:`
    Tel,
    /// Anything else.
    Other,
}

/// A URI over the bytes that it came in.
#[derive(Clone)]
pub struct Uri {
    raw: Bytes,
    scheme: Scheme,
    parts: Parts,
}

/// Where the parts of a URI lie. A `tel` URI's number is its `user`; one of an unknown scheme has none of them.
#[derive(Clone, Default)]
struct Parts {
    user: Option<Span>,
    password: Option<Span>,
    host: Option<Host>,
    port: Option<u16>,
    params: Span,
    headers: Option<Span>,
}

impl Uri {
    /// Reads a whole text as a URI; an unknown scheme is accepted as it is.
    pub fn parse(text: impl Into<Bytes>) -> Result<Self, Malformed> {
        let raw = text.into();
        match Self::read(&raw) {
            Some((scheme, parts)) => Ok(Self { raw, scheme, parts }),
            None => Err(Malformed::Uri),
        }
    }

    /// The same URI over a copy of its bytes: it holds on to no message.
    pub fn detached(&self) -> Self {
        let raw = Bytes::copy_from_slice(&self.raw);
        let host = self.parts.host.as_ref().map(|host| match host {
            Host::Name(name) => Host::Name(raw.slice_ref(Span::of(&self.raw, name).in_(&raw))),
            Host::V4(_) | Host::V6(_) => host.clone(),
        });
        Self { raw, scheme: self.scheme, parts: Parts { host, ..self.parts.clone() } }
    }

    fn read(raw: &Bytes) -> Option<(Scheme, Parts)> {
        let at_sign = survey(raw)?;
        let (rest, scheme) = scheme(raw).ok()?;
        let parts = match scheme {
            Scheme::Sip | Scheme::Sips => Parts::of_sip(raw, rest, at_sign)?,
            Scheme::Tel => Parts::of_tel(raw, rest)?,
            Scheme::Other if rest.is_empty() => return None,
            Scheme::Other => Parts::default(),
        };
        Some((scheme, parts))
    }

    /// Which kind of URI it is.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The user part of a `sip` or `sips` URI with `%xx` decoded; decoded bytes that are no UTF-8 become U+FFFD.
    pub fn user(&self) -> Option<Cow<'_, str>> {
        self.user_bytes().map(|user| lex::lossy(lex::percent_decode(user)))
    }

    /// The user part as it is written, escapes and all.
    pub fn user_bytes(&self) -> Option<&[u8]> {
        match self.scheme {
            Scheme::Tel | Scheme::Other => None,
            Scheme::Sip | Scheme::Sips => self.parts.user.map(|user| user.in_(&self.raw)),
        }
    }

    /// The password as it is written. RFC 3261 §19.1.1 advises against it.
    pub fn password(&self) -> Option<&[u8]> {
        self.parts.password.map(|password| password.in_(&self.raw))
    }

    /// The number of a `tel` URI without its visual separators `- . ( )`, escapes decoded.
    pub fn tel_number(&self) -> Option<Cow<'_, str>> {
        let number = self.parts.user.filter(|_| self.scheme == Scheme::Tel)?.in_(&self.raw);
        let number = lex::lossy(lex::percent_decode(number));
        if !number.contains(is_visual_separator) {
            return Some(number);
        }
        Some(Cow::Owned(number.replace(is_visual_separator, "")))
    }

    /// What it dials: the number of a `tel` URI, or the user part of a `sip` or `sips` URI. That may be a telephone number too (RFC 3261
    /// §19.1.1), with parameters (RFC 3966 §5.1.4, RFC 4694) and, where `user=phone` says so or it is a global one, visual separators.
    pub fn dialled(&self) -> Option<Cow<'_, str>> {
        let Some(user) = self.user_bytes() else { return self.tel_number() };
        let number = user.split(|&byte| byte == b';').next().unwrap_or_default();
        let is_number = number.iter().any(u8::is_ascii_digit)
            && number
                .iter()
                .all(|&byte| byte.is_ascii_digit() || b"*#+%".contains(&byte) || is_visual_separator(byte.into()));
        if !is_number {
            return self.user();
        }
        let has_parameters = number.len() < user.len();
        let is_telephone = has_parameters
            || number.starts_with(b"+")
            || self.param("user").flatten().is_some_and(|value| value.eq_ignore_ascii_case(b"phone"));
        let number = lex::lossy(lex::percent_decode(number));
        Some(if is_telephone && number.contains(is_visual_separator) {
            Cow::Owned(number.replace(is_visual_separator, ""))
        } else {
            number
        })
    }

    /// A service URN that calls for help, `urn:service:sos` or one of its sub-services such as `urn:service:sos.fire` (RFC 5031).
    pub fn sos(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.raw).ok().filter(|_| self.scheme == Scheme::Other)?;
        is_sos(text).then_some(text)
    }

    /// The host of a `sip` or `sips` URI.
    pub fn host(&self) -> Option<&Host> {
        self.parts.host.as_ref()
    }

    /// The port as written; `None` does not equal 5060 (RFC 3261 §19.1.4).
    pub fn port(&self) -> Option<u16> {
        self.parts.port
    }

    /// A parameter's value as written; the name is compared decoded and without case. `Some(None)`: there, without `=`.
    pub fn param(&self, name: &str) -> Option<Option<&[u8]>> {
        self.params()
            .find(|(own, _)| lex::percent_decode(own).eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// Every parameter in order, as written.
    pub fn params(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        pairs(self.parts.params.in_(&self.raw), b';')
    }

    /// Whether it has the `lr` parameter: a loose router (RFC 3261 §19.1.1).
    pub fn is_lr(&self) -> bool {
        self.param("lr").is_some()
    }

    /// Whether it carries headers, as in `sip:a@b?Subject=x`.
    pub fn has_headers(&self) -> bool {
        self.parts.headers.is_some()
    }

    /// What stands behind the `?`, name and value as written.
    pub fn headers(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        pairs(self.parts.headers.unwrap_or_default().in_(&self.raw), b'&')
    }

    /// The URI as it came.
    pub fn as_bytes(&self) -> &Bytes {
        &self.raw
    }
}

/// Whether a text is a service URN that calls for help; compared without case (RFC 5031 §4.3).
pub fn is_sos(text: &str) -> bool {
    const SOS: &str = "urn:service:sos";
    let begin = text.get(..SOS.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(SOS));
    begin && text.get(SOS.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// One look at every byte: where the first `@` is; `None` if a byte may not stand in a URI, or a `%` has no two digits.
fn survey(raw: &[u8]) -> Option<Option<usize>> {
    let seen = raw.iter().fold(0, |seen, &byte| seen | CLASS[usize::from(byte)]);
    if seen & NEVER != 0 || raw.len() > usize::from(u16::MAX) {
        return None;
    }
    if seen & PERCENT != 0 && !lex::escapes_are_whole(raw) {
        return None;
    }
    Some(if seen & AT == 0 { None } else { raw.iter().position(|&byte| byte == b'@') })
}

/// What a byte is in a URI, each a bit.
const PLAIN: u8 = 0;
const AT: u8 = 1;
const PERCENT: u8 = 2;
const NEVER: u8 = 4;

static CLASS: [u8; 256] = {
    let mut table = [NEVER; 256];
    let mut byte = b'!' as usize;
    while byte < 256 {
        table[byte] = match byte as u8 {
            0x7f | b'<' | b'>' | b'"' => NEVER,
            b'@' => AT,
            b'%' => PERCENT,
            _ => PLAIN,
        };
        byte += 1;
    }
    table
};

impl Parts {
    /// RFC 3261 §25.1 `SIP-URI`; `rest` is what stands behind the scheme.
    fn of_sip(raw: &Bytes, rest: &[u8], at_sign: Option<usize>) -> Option<Self> {
        let mut parts = Self::default();
        let mut rest = rest;
        if let Some(at_sign) = at_sign {
            let userinfo = &rest[..at_sign - (raw.len() - rest.len())];
            parts.read_userinfo(raw, userinfo)?;
            rest = &raw[at_sign + 1..];
        }
        let (after, host) = Host::lex(rest, raw).ok()?;
        parts.host = Some(host);
        rest = after;
        if let Some(after) = rest.strip_prefix(b":") {
            let (after, digits) = digits(after).ok()?;
            parts.port = Some(host::port(digits)?);
            rest = after;
        }
        let params = rest.iter().position(|&b| b == b'?').unwrap_or(rest.len());
        parts.headers = rest.get(params + 1..).map(|headers| Span::of(raw, headers));
        parts.read_params(raw, &rest[..params])?;
        Some(parts)
    }

    fn read_userinfo(&mut self, raw: &[u8], userinfo: &[u8]) -> Option<()> {
        let colon = userinfo.iter().position(|&b| b == b':');
        let user = &userinfo[..colon.unwrap_or(userinfo.len())];
        self.user = Some(Span::of(raw, user));
        self.password = colon.map(|colon| Span::of(raw, &userinfo[colon + 1..]));
        if user.is_empty() { None } else { Some(()) }
    }

    /// RFC 3966 §3 `telephone-uri`; `rest` is what stands behind the scheme.
    fn of_tel(raw: &[u8], rest: &[u8]) -> Option<Self> {
        let (rest, number) = number(rest).ok()?;
        if !number.iter().any(|b| b.is_ascii_hexdigit() || matches!(b, b'*' | b'#')) {
            return None;
        }
        let mut parts = Self { user: Some(Span::of(raw, number)), ..Self::default() };
        parts.read_params(raw, rest)?;
        Some(parts)
    }

    /// `;name=value` and so on, none of them without a name.
    fn read_params(&mut self, raw: &[u8], params: &[u8]) -> Option<()> {
        let Some(list) = params.strip_prefix(b";") else { return if params.is_empty() { Some(()) } else { None } };
        self.params = Span::of(raw, list);
        let is_whole = |param: &[u8]| !matches!(param, [] | [b'=', ..]) && !param.contains(&b'@');
        if list.split(|&b| b == b';').all(is_whole) { Some(()) } else { None }
    }
}

/// `name=value` pairs between `mark`s.
fn pairs(list: &[u8], mark: u8) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    list.split(move |&b| b == mark).filter(|pair| !pair.is_empty()).map(|pair| {
        match pair.iter().position(|&b| b == b'=') {
            Some(at) => (&pair[..at], pair.get(at + 1..)),
            None => (pair, None),
        }
    })
}

pub(super) fn is_visual_separator(c: char) -> bool {
    matches!(c, '-' | '.' | '(' | ')')
}

/// RFC 3261 §25.1 `scheme`, with its colon.
fn scheme(input: &[u8]) -> Lexed<'_, Scheme> {
    // Nearly all are.
    if let [b's', b'i', b'p', b':', rest @ ..] = input {
        return Ok((rest, Scheme::Sip));
    }
    let (rest, name) = take_while(|b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')).parse(input)?;
    let (rest, _) = tag(":").parse(rest)?;
    if !name.first().is_some_and(u8::is_ascii_alphabetic) {
        return Err(nom::Err::Error(()));
    }
    let scheme = match name {
        [b's' | b'S', b'i' | b'I', b'p' | b'P'] => Scheme::Sip,
        [b's' | b'S', b'i' | b'I', b'p' | b'P', b's' | b'S'] => Scheme::Sips,
        [b't' | b'T', b'e' | b'E', b'l' | b'L'] => Scheme::Tel,
        _ => Scheme::Other,
    };
    Ok((rest, scheme))
}

fn digits(input: &[u8]) -> Lexed<'_, &[u8]> {
    take_while(|b: u8| b.is_ascii_digit()).parse(input)
}

/// The digits of RFC 3966 with their separators, a leading `+`, and escapes (some phones write `%23`).
fn number(input: &[u8]) -> Lexed<'_, &[u8]> {
    let is_number =
        |b: u8| b.is_ascii_hexdigit() || is_visual_separator(b.into()) || matches!(b, b'+' | b'*' | b'#' | b'%');
    take_while(is_number).parse(input)
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.raw))
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.raw.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &'static str) -> Uri {
        Uri::parse(text).unwrap_or_else(|_| panic!("{text}"))
    }

    #[test]
    fn a_sip_uri_comes_apart() {
        let u = uri("sips:alice.smith:pw@[2001:db8::1]:5061;lr;maddr=[::1]?subject=a&x");
        assert_eq!((u.scheme(), u.user().as_deref(), u.port()), (Scheme::Sips, Some("alice.smith"), Some(5061)));
        assert_eq!(u.host().and_then(Host::ip), "2001:db8::1".parse().ok());
        assert!(u.is_lr() && u.has_headers());
        assert_eq!(u.param("MADDR"), Some(Some(&b"[::1]"[..])));
        assert_eq!(u.headers().count(), 2);
        assert_eq!(u.as_bytes().len(), 65);
    }

    #[test]
    fn a_detached_uri_says_the_same_from_bytes_of_its_own() {
        for text in ["sip:a:b@h.example:5070;lr?x=y", "sip:[::1]", "sip:1.2.3.4", "tel:+49-30", "urn:service:sos"] {
            let (attached, detached) = (uri(text), uri(text).detached());
            assert_eq!(
                (detached.user(), detached.host(), detached.port()),
                (attached.user(), attached.host(), attached.port())
            );
            assert_eq!((detached.as_bytes(), detached.is_lr()), (attached.as_bytes(), attached.is_lr()));
            let own = detached.as_bytes().as_ptr_range();
            assert_ne!(own.start, attached.as_bytes().as_ptr());
            if let Some(Host::Name(name)) = detached.host() {
                assert!(own.contains(&name.as_ptr()));
            }
        }
    }

    #[test]
    fn user_parts_hold_what_can_be_dialled() {
        for (text, user) in [
            ("sip:%61lice%20b@h", "alice b"),
            ("sip:*35*201%23@h", "*35*201#"),
            ("sip:#31#@h", "#31#"),
            ("sip:user;par=u%40example.net@example.com", "user;par=u@example.net"),
            (
                "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d@h",
                "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
            ),
        ] {
            assert_eq!(uri(text).user().as_deref(), Some(user));
        }
        assert_eq!(uri("sip:%ff@h").user().as_deref(), Some("\u{fffd}"));
        assert_eq!(uri("sip:h:5070").user(), None);
    }

    #[test]
    fn a_user_part_may_be_a_telephone_number() {
        for (text, dialled) in [
            ("sip:999;phone-context=+44@h;user=phone", "999"),
            ("sip:9-9-9@h;user=phone", "999"),
            ("sip:9-9-9@h;USER=Phone", "999"),
            ("sip:9-9-9@h", "9-9-9"),
            ("sip:+442079460201;npdi@h", "+442079460201"),
            ("sip:+44-(20)7946.0201@h", "+442079460201"),
            ("sip:902079460999;phone-context=x@h", "902079460999"),
            ("sip:*35*201*1201%23@h;user=phone", "*35*201*1201#"),
            ("sip:%2b44-20@h", "+44-20"),
            ("sip:alice.smith;x=1@h;user=phone", "alice.smith;x=1"),
            ("sip:a-9@h;user=phone", "a-9"),
            ("tel:+49-30;phone-context=x", "+4930"),
        ] {
            assert_eq!(uri(text).dialled().as_deref(), Some(dialled), "{text}");
        }
        assert_eq!(uri("sip:h:5070").dialled(), None);
    }

    #[test]
    fn tel_uris_lose_their_separators() {
        assert_eq!(uri("tel:+49-30.(12)34;phone-context=x").tel_number().as_deref(), Some("+49301234"));
        assert_eq!(uri("TEL:*31%23").tel_number().as_deref(), Some("*31#"));
        assert_eq!((uri("tel:1").user(), uri("tel:1").host()), (None, None));
        assert!(Uri::parse("tel:").is_err() && Uri::parse("tel:-").is_err() && Uri::parse("tel:1@h").is_err());
    }

    #[test]
    fn other_schemes_are_kept_whole() {
        assert_eq!(uri("urn:service:sos").scheme(), Scheme::Other);
        for help in ["urn:service:sos", "URN:Service:SOS", "urn:service:sos.ambulance", "urn:service:sos.fire.x"] {
            assert_eq!(uri(help).sos(), Some(help));
        }
        for other in ["urn:service:sosx", "urn:service:test.sos", "urn:service:counseling", "sip:urn:service:sos@h"] {
            assert_eq!(uri(other).sos(), None, "{other}");
        }
        assert_eq!(uri("soap.beep://192.0.2.103:3002").scheme(), Scheme::Other);
        assert!(Uri::parse("urn:").is_err() && Uri::parse("1x:y").is_err() && Uri::parse("x").is_err());
    }

    #[test]
    fn what_is_no_uri_is_refused() {
        for wrong in [
            "",
            "sip:",
            "sip:@h",
            "sip:a@",
            "sip:a%@h",
            "sip:a%4@h",
            "sip:a@b@c",
            "sip:2001:db8::10",
            "sip:h:0",
            "sip:h:65536",
            "sip:h:",
            "sip:h;",
            "sip:h;;lr",
            "sip:h;=x",
            "<sip:h>",
            "sip:a b@h",
            "sip:a@h\n",
            "sip:h x",
            "sip:[::1",
            "sip:a@h;x@y",
        ] {
            assert_eq!(Uri::parse(wrong).map(|_| ()), Err(Malformed::Uri), "{wrong}");
        }
    }
}
