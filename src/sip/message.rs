//! A received message: its bytes, the index of its headers, and what every message must say, read once at the door.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;

use super::contact::{Contact, Contacts};
use super::credentials::{Challenge, Credentials};
use super::lex::{self, NotANumber};
use super::lines::{Field, Lines};
use super::malformed::{Limit, Malformed};
use super::method::Method;
use super::name::Name;
use super::party::Party;
use super::route::Route;
use super::span::Span;
use super::status::Status;
use super::uri::Uri;
use super::via::Via;

/// What requests and responses have in common.
#[derive(Clone, Debug)]
pub struct Message {
    pub(super) lines: Lines,
    /// The Request-URI in the start line; empty in a response.
    pub(super) target: Span,
    pub(super) via: Via,
    pub(super) from: Party,
    pub(super) to: Party,
    pub(super) call_id: Bytes,
    pub(super) cseq: CSeq,
    pub(super) max_forwards: Option<u32>,
    /// `settings::Limits::uri_bytes`, for the URIs that are read later.
    pub(super) uri_bytes: usize,
}

/// RFC 3261 §20.16.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// The sequence number.
    pub number: u32,
    /// The method; in a request its own.
    pub method: Method,
}

/// One header of a message.
#[derive(Clone, Copy, Debug)]
pub struct Header<'m> {
    lines: &'m Lines,
    field: &'m Field,
}

impl<'m> Header<'m> {
    /// Its name, compact forms read.
    pub fn name(&self) -> Name {
        self.lines.name_of(self.field)
    }

    /// The name as it is written.
    pub fn name_bytes(&self) -> &'m [u8] {
        self.field.name.in_(&self.lines.bytes)
    }

    /// The value on one line, without white space round it.
    pub fn value(&self) -> Cow<'m, [u8]> {
        lex::unfold(self.lines.value_of(self.field))
    }

    /// The value as `value`, sharing the message's bytes where it is not folded.
    pub fn value_bytes(&self) -> Bytes {
        self.lines.unfolded(self.lines.value_of(self.field))
    }

    /// The whole header as it came, line ends and all.
    pub fn raw(&self) -> &'m [u8] {
        self.field.line.in_(&self.lines.bytes)
    }
}

impl Message {
    /// The message as it came, without what stood before or behind it in its datagram.
    pub fn bytes(&self) -> &Bytes {
        &self.lines.bytes
    }

    /// The body; empty if there is none.
    pub fn body(&self) -> Bytes {
        self.lines.bytes.slice(self.lines.body..)
    }

    /// Every header in order.
    pub fn headers(&self) -> impl Iterator<Item = Header<'_>> {
        self.lines.fields.iter().map(|field| Header { lines: &self.lines, field })
    }

    /// The first header with that name.
    pub fn header(&self, name: &Name) -> Option<Header<'_>> {
        self.lines.all(name).next().map(|field| Header { lines: &self.lines, field })
    }

    /// Every header with that name.
    pub fn all<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = Header<'a>> {
        self.lines.all(name).map(|field| Header { lines: &self.lines, field })
    }

    /// The comma-separated values over all headers of that name, quotes and `<>` respected. Not for headers whose grammar has
    /// commas of its own: Date, Subject, Authorization and its kin.
    pub fn values<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = Bytes> + 'a {
        self.lines.values(name).map(|value| self.lines.unfolded(value))
    }

    /// The top Via.
    pub fn via(&self) -> &Via {
        &self.via
    }

    /// From.
    pub fn from(&self) -> &Party {
        &self.from
    }

    /// To.
    pub fn to(&self) -> &Party {
        &self.to
    }

    /// Call-ID, compared byte by byte (RFC 3261 §20.8).
    pub fn call_id(&self) -> &Bytes {
        &self.call_id
    }

    /// CSeq.
    pub fn cseq(&self) -> &CSeq {
        &self.cseq
    }

    /// All Contact values; more than `limit`, or a broken one, is an error.
    pub fn contacts(&self, limit: usize) -> Result<Contacts, Malformed> {
        // One is what nearly all have.
        let mut list = Vec::with_capacity(1);
        let mut star = false;
        for (at, value) in self.lines.values(&Name::Contact).enumerate() {
            if at >= limit {
                return Err(Malformed::TooLarge(Limit::Contacts));
            }
            if value == b"*" {
                star = true;
                continue;
            }
            let contact = Contact::parse(self.lines.bytes.slice_ref(value))?;
            self.within_limit(contact.uri())?;
            list.push(contact);
        }
        match (star, list.is_empty()) {
            (false, true) => Ok(Contacts::None),
            (false, false) => Ok(Contacts::List(list)),
            (true, true) => Ok(Contacts::Star),
            // RFC 3261 §10.3 step 6: `*` stands alone.
            (true, false) => Err(Malformed::Syntax(Name::Contact)),
        }
    }

    fn within_limit(&self, uri: &Uri) -> Result<(), Malformed> {
        if uri.as_bytes().len() > self.uri_bytes { Err(Malformed::TooLarge(Limit::Uri)) } else { Ok(()) }
    }

    fn hops<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = Result<Route, Malformed>> + 'a {
        self.lines.values(name).map(|value| {
            let route = Route::parse(self.lines.bytes.slice_ref(value), name)?;
            self.within_limit(&route.uri)?;
            Ok(route)
        })
    }

    /// The Route values in order.
    pub fn routes(&self) -> Result<Vec<Route>, Malformed> {
        self.hops(&Name::Route).collect()
    }

    /// The first Route value.
    pub fn first_route(&self) -> Result<Option<Route>, Malformed> {
        self.hops(&Name::Route).next().transpose()
    }

    /// The Record-Route values in order.
    pub fn record_routes(&self) -> Result<Vec<Route>, Malformed> {
        self.hops(&Name::RecordRoute).collect()
    }

    /// The Path values in order (RFC 3327).
    pub fn path(&self) -> Result<Vec<Route>, Malformed> {
        self.hops(&Name::Path).collect()
    }

    /// Expires in seconds.
    pub fn expires(&self) -> Result<Option<u32>, Malformed> {
        self.seconds(&Name::Expires)
    }

    /// A header that is one number of seconds (or any other 32-bit number), such as Expires or Min-Expires.
    pub fn seconds(&self, name: &Name) -> Result<Option<u32>, Malformed> {
        let Some(value) = self.lines.single(name)? else { return Ok(None) };
        number(value, u32::MAX, name).map(Some)
    }

    /// Digest credentials of Authorization or Proxy-Authorization; other schemes are skipped.
    pub fn credentials<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = Credentials> + 'a {
        self.all(name).filter_map(|header| Credentials::parse(&header.value_bytes()))
    }

    /// Digest challenges of WWW-Authenticate or Proxy-Authenticate; other schemes are skipped.
    pub fn challenges<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = Challenge> + 'a {
        self.all(name).filter_map(|header| Challenge::parse(&header.value_bytes()))
    }

    /// Every Via value in order.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via, Malformed>> {
        self.lines.values(&Name::Via).map(|value| Via::parse(self.lines.bytes.slice_ref(value)))
    }

    /// The option tags of Require, Proxy-Require, Supported and their like.
    pub fn require(&self, name: &Name) -> Vec<Bytes> {
        self.values(name).collect()
    }

    /// Whether `tag` is among the option tags of `name`, in any case.
    pub fn has_tag(&self, name: &Name, tag: &str) -> bool {
        self.lines.values(name).any(|own| own.eq_ignore_ascii_case(tag.as_bytes()))
    }

    /// A header with one address, such as Refer-To; `None` if it is not there.
    pub fn party(&self, name: &Name) -> Result<Option<Party>, Malformed> {
        let Some(value) = self.lines.single(name)? else { return Ok(None) };
        Party::parse(self.lines.bytes.slice_ref(value), name).map(Some)
    }

    /// A header with a list of addresses, such as P-Asserted-Identity.
    pub fn parties<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = Result<Party, Malformed>> + 'a {
        self.lines.values(name).map(|value| Party::parse(self.lines.bytes.slice_ref(value), name))
    }
}

/// A header value that is one number of at most `most`.
pub(super) fn number(value: &[u8], most: u32, name: &Name) -> Result<u32, Malformed> {
    match lex::number(value, u64::from(most)) {
        Ok(number) => Ok(u32::try_from(number).unwrap_or(most)),
        Err(NotANumber::Syntax) => Err(Malformed::Syntax(name.clone())),
        Err(NotANumber::Range) => Err(Malformed::Range(name.clone())),
    }
}

/// A request. A clone shares everything.
#[derive(Clone, Debug)]
pub struct Request(pub(super) Arc<RequestParts>);

#[derive(Clone, Debug)]
pub(super) struct RequestParts {
    pub message: Message,
    pub method: Method,
    pub uri: Uri,
}

impl Request {
    /// Its method.
    pub fn method(&self) -> &Method {
        &self.0.method
    }

    /// The Request-URI; of any scheme.
    pub fn uri(&self) -> &Uri {
        &self.0.uri
    }

    /// Max-Forwards, 0 to 255.
    pub fn max_forwards(&self) -> Option<u32> {
        self.0.message.max_forwards
    }
}

impl Deref for Request {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.0.message
    }
}

/// A response. A clone shares everything.
#[derive(Clone, Debug)]
pub struct Response(pub(super) Arc<ResponseParts>);

#[derive(Clone, Debug)]
pub(super) struct ResponseParts {
    pub message: Message,
    pub status: Status,
    pub reason: Span,
}

impl Response {
    /// Its code.
    pub fn status(&self) -> Status {
        self.0.status
    }

    /// Its phrase; may be empty, need not be UTF-8.
    pub fn reason(&self) -> &[u8] {
        self.0.reason.in_(self.bytes())
    }
}

impl Deref for Response {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.0.message
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Limits;
    use crate::sip::{Packet, parse};

    fn with(lines: &[u8]) -> Request {
        let head =
            b"OPTIONS sip:h SIP/2.0\r\nv: SIP/2.0/UDP h\r\nf: <sip:a@h>\r\nt: <sip:b@h>\r\ni: c\r\nCSeq: 1 OPTIONS\r\n";
        let bytes = [head, lines, b"\r\n"].concat();
        match parse(bytes.into(), &Limits { uri_bytes: 12, ..Limits::default() }) {
            Ok(Packet::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn headers_are_found_by_any_spelling_of_their_name() {
        let request = with(b"s: \xfcber\r\n alles\r\nX-thing:1\r\nsubject:\r\n");
        let subjects: Vec<_> = request.all(&Name::Subject).map(|header| header.value().into_owned()).collect();
        assert_eq!(subjects, [&b"\xfcber alles"[..], b""]);
        let subject = request.header(&Name::Subject).expect("there");
        assert_eq!((subject.name_bytes(), subject.raw()), (&b"s"[..], &b"s: \xfcber\r\n alles\r\n"[..]));
        let thing = Name::Other(Bytes::from_static(b"x-THING"));
        assert_eq!(request.header(&thing).map(|header| header.value_bytes()), Some(Bytes::from_static(b"1")));
        assert!(request.header(&Name::Other(Bytes::from_static(b"x-things"))).is_none());
        assert_eq!(request.headers().map(|header| header.name()).last(), Some(Name::Subject));
    }

    #[test]
    fn values_run_over_lines_and_commas() {
        let request =
            with(b"Route: <sip:1;lr>, \"a,b\" <sip:2>\r\nRoute:\r\n <sip:3>\r\nk: timer, Path\r\nSupported:\r\n");
        let routes = request.routes().expect("routes");
        assert_eq!(routes.iter().map(|route| route.uri.is_lr()).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(routes[1].raw, "\"a,b\" <sip:2>");
        assert_eq!(request.first_route().ok().flatten().map(|route| route.raw), Some(routes[0].raw.clone()));
        assert_eq!(request.require(&Name::Supported), ["timer", "Path"]);
        assert!(request.has_tag(&Name::Supported, "path") && !request.has_tag(&Name::Supported, "pat"));
        assert!(request.record_routes().is_ok_and(|routes| routes.is_empty()));
    }

    #[test]
    fn broken_or_long_hops_are_errors() {
        assert_eq!(with(b"Path: <sip:1\r\n").path().map(|_| ()), Err(Malformed::Syntax(Name::Path)));
        assert!(with(b"Route: <sip:12345678>\r\n").routes().is_ok());
        assert_eq!(with(b"Route: <sip:123456789>\r\n").routes().map(|_| ()), Err(Malformed::TooLarge(Limit::Uri)));
        assert_eq!(with(b"m: <sip:123456789>\r\n").contacts(1).map(|_| ()), Err(Malformed::TooLarge(Limit::Uri)));
    }

    #[test]
    fn a_star_stands_alone_among_contacts() {
        let contacts = |lines: &[u8]| with(lines).contacts(2);
        assert!(matches!(contacts(b""), Ok(Contacts::None)));
        assert!(matches!(contacts(b"Contact:\r\n *\r\n"), Ok(Contacts::Star)));
        assert!(matches!(contacts(b"m: <sip:1>\r\nm: <sip:2>\r\n"), Ok(Contacts::List(list)) if list.len() == 2));
        assert_eq!(contacts(b"m: *, <sip:1>\r\n").map(|_| ()), Err(Malformed::Syntax(Name::Contact)));
        assert_eq!(contacts(b"m: <sip:1>;;\r\n").map(|_| ()), Err(Malformed::Syntax(Name::Contact)));
        assert_eq!(contacts(b"m: sip:1,sip:2,sip:3\r\n").map(|_| ()), Err(Malformed::TooLarge(Limit::Contacts)));
    }

    #[test]
    fn expires_is_one_32_bit_number() {
        assert_eq!(with(b"").expires(), Ok(None));
        assert_eq!(with(b"Expires: 4294967295\r\n").expires(), Ok(Some(u32::MAX)));
        assert_eq!(with(b"Expires: 4294967296\r\n").expires(), Err(Malformed::Range(Name::Expires)));
        assert_eq!(with(b"Expires: soon\r\n").expires(), Err(Malformed::Syntax(Name::Expires)));
        assert_eq!(with(b"Expires: 1\r\nexpires: 1\r\n").expires(), Err(Malformed::Repeated(Name::Expires)));
    }
}
