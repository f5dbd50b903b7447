//! One datagram in, one message out, or why not.
//!
//! Called by the node for every datagram. RFC 3261 §7 (messages), §8.1.1 (what every message says), §18.3 (framing on UDP),
//! §20; RFC 5626 §3.5.1 and RFC 6223 (keep-alives). A request that can't be read is answered if its top Via says where to;
//! responses and ACK never are. What a method needs beyond this (a Contact, say) is asked for where it is used.

use std::sync::Arc;

use bytes::Bytes;

use super::door::Door;
use super::lex;
use super::lines::Lines;
use super::malformed::{DropReason, Limit, Malformed};
use super::message::{Request, RequestParts, Response, ResponseParts};
use super::method::Method;
use super::name::Name;
use super::span::Span;
use super::start_line::{RequestLine, StatusLine};
use super::status::Status;
use super::via::Via;
use crate::settings::Limits;

/// What a datagram is.
#[derive(Clone, Debug)]
pub enum Packet {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
    /// Something that keeps a NAT binding open.
    KeepAlive(KeepAlive),
}

/// A datagram without a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepAlive {
    /// CR LF CR LF: RFC 5626 §3.5.1 answers it with CR LF on streams.
    Ping,
    /// CR LF, NUL, blanks, nothing.
    Other,
}

/// A datagram that is no message.
#[derive(Clone, Debug)]
pub enum Unreadable {
    /// Nothing to answer, or nobody.
    Drop(DropReason),
    /// A bad request.
    Answer(Box<BadRequest>),
}

/// A request that can't be read but can be answered, statelessly.
#[derive(Clone, Debug)]
pub struct BadRequest {
    pub(super) lines: Lines,
    via: Via,
    fault: Malformed,
    reason: String,
}

impl BadRequest {
    /// 400, 505 or 513.
    pub fn status(&self) -> Status {
        self.fault.status()
    }

    /// The reason phrase; it names the header.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The top Via.
    pub fn via(&self) -> &Via {
        &self.via
    }

    /// What is wrong.
    pub fn fault(&self) -> &Malformed {
        &self.fault
    }
}

/// The longest message whatever the configuration says: what a datagram can hold, and what 16 bits can index.
const LONGEST: usize = 65_535;

/// Reads one datagram. Limits are checked before the work that they limit.
pub fn parse(datagram: Bytes, limits: &Limits) -> Result<Packet, Unreadable> {
    if datagram.iter().all(|b| matches!(b, b'\r' | b'\n' | b'\0' | b' ' | b'\t')) {
        let ping = datagram == b"\r\n\r\n"[..];
        return Ok(Packet::KeepAlive(if ping { KeepAlive::Ping } else { KeepAlive::Other }));
    }
    // RFC 3261 §7.5: line ends before the start line are ignored.
    let lead = datagram.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    let mut bytes = datagram.slice(lead..);
    let most = limits.message_bytes.min(LONGEST);
    let too_long = (bytes.len() > most).then_some(Malformed::TooLarge(Limit::Message));
    bytes.truncate(most);
    let Ok((rest, line)) = lex::line(&bytes) else { return Err(Unreadable::Drop(DropReason::NotSip)) };
    let start = bytes.len() - rest.len();
    if let Some(status_line) = StatusLine::read(&bytes, line) {
        let (lines, fault) = Lines::index(bytes, start, limits.headers);
        let read = status_line.and_then(|line| response(lines, line, too_long.or(fault), limits));
        return read.map(Packet::Response).map_err(|fault| Unreadable::Drop(DropReason::Response(fault)));
    }
    let Some(line) = RequestLine::read(&bytes, line) else { return Err(Unreadable::Drop(DropReason::NotSip)) };
    let (lines, fault) = Lines::index(bytes, start, limits.headers);
    let fault = line.fault.clone().or(too_long).or(fault);
    request(lines, line, fault, limits).map(Packet::Request)
}

fn request(lines: Lines, line: RequestLine, fault: Option<Malformed>, limits: &Limits) -> Result<Request, Unreadable> {
    let top = lines.values(&Name::Via).next().and_then(|value| Via::read(lines.bytes.slice_ref(value)));
    let Some((via, via_is_whole)) = top else { return Err(Unreadable::Drop(DropReason::Via)) };
    let fault = fault.or((!via_is_whole).then_some(Malformed::Syntax(Name::Via)));
    let mut door = Door { lines, limits };
    let fault = match fault.map_or_else(|| door.request_head(&line), Err) {
        Ok((head, uri)) => {
            let message = head.into_message(door.lines, via, line.target, limits);
            return Ok(Request(Arc::new(RequestParts { message, method: line.method, uri })));
        }
        Err(fault) => fault,
    };
    if line.method == Method::ACK {
        return Err(Unreadable::Drop(DropReason::Ack(fault)));
    }
    let reason = fault.to_string();
    Err(Unreadable::Answer(Box::new(BadRequest { lines: door.lines, via, fault, reason })))
}

fn response(lines: Lines, line: StatusLine, fault: Option<Malformed>, limits: &Limits) -> Result<Response, Malformed> {
    if let Some(fault) = fault {
        return Err(fault);
    }
    let top = lines.values(&Name::Via).next().ok_or(Malformed::Missing(Name::Via))?;
    let via = Via::parse(lines.bytes.slice_ref(top))?;
    // The answer to a request with the most Vias has one more: ours.
    let limits = &Limits { vias: limits.vias.saturating_add(1), ..*limits };
    let mut door = Door { lines, limits };
    let head = door.head()?;
    let message = head.into_message(door.lines, via, Span::default(), limits);
    Ok(Response(Arc::new(ResponseParts { message, status: line.status, reason: line.reason })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{Contacts, Scheme};

    const HEAD: &str = "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\n";

    fn read(text: impl Into<String>) -> Result<Packet, Unreadable> {
        parse(Bytes::from(text.into()), &Limits::default())
    }

    fn request(text: impl Into<String>) -> Request {
        match read(text) {
            Ok(Packet::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    fn refused(text: impl Into<String>) -> String {
        match read(text) {
            Err(Unreadable::Answer(bad)) => format!("{} {}", bad.status(), bad.reason()),
            Err(Unreadable::Drop(reason)) => format!("dropped: {reason}"),
            Ok(_) => "accepted".into(),
        }
    }

    #[test]
    fn datagrams_without_a_message_keep_a_binding_alive() {
        for (text, what) in [
            ("\r\n\r\n", KeepAlive::Ping),
            ("\r\n", KeepAlive::Other),
            ("\0", KeepAlive::Other),
            ("", KeepAlive::Other),
        ] {
            assert!(matches!(read(text), Ok(Packet::KeepAlive(kind)) if kind == what), "{text:?}");
        }
        assert_eq!(refused("jaK"), "dropped: not SIP");
        assert_eq!(refused("GET / HTTP/1.1\r\n\r\n"), "dropped: not SIP");
    }

    #[test]
    fn a_request_is_read_in_all_its_spellings() {
        let text = "\r\n\r\nDANCE tel:+49-30 sip/2.0\nv:SIP / 2.0 / UDP [::1] ; branch = x , SIP/2.0/TCP h\nf : sip:a@h;tag=1\nt: \"B\" <sip:b@h>\n\
                    i: c\nCSeq: 0007\n DANCE\nMAX-forwards: 070\nm: *\nl: 2\n\nabcd";
        let request = request(text);
        assert_eq!((request.method().as_str(), request.uri().scheme()), ("DANCE", Scheme::Tel));
        assert_eq!((request.cseq().number, request.max_forwards(), &request.call_id()[..]), (7, Some(70), &b"c"[..]));
        assert_eq!((request.vias().count(), request.from().tag()), (2, Some(&b"1"[..])));
        assert!(matches!(request.contacts(1), Ok(Contacts::Star)));
        assert_eq!((&request.body()[..], request.bytes().starts_with(b"DANCE")), (&b"ab"[..], true));
    }

    #[test]
    fn a_request_line_has_three_words_and_the_right_version() {
        let first = |line: &str| refused(format!("{line}\r\n{HEAD}CSeq: 1 OPTIONS\r\n\r\n"));
        assert_eq!(first("OPTIONS sip:h SIP/2.0"), "accepted");
        assert_eq!(first("OPTIONS sip:h SIP/7.0"), "505 Version Not Supported");
        assert_eq!(first("OPTIONS  sip:h SIP/2.0"), "400 Malformed Request-Line");
        assert_eq!(first("OPTIONS sip:h SIP/2.0 "), "400 Malformed Request-Line");
        assert_eq!(first("OPTIONS sip:h; lr SIP/2.0"), "400 Malformed Request-Line");
        assert_eq!(first("OPTIONS <sip:h> SIP/2.0"), "400 Malformed Request-URI");
        assert_eq!(first("OPTIONS sip:h?a=b SIP/2.0"), "400 Malformed Request-URI");
        assert_eq!(first("OPTIONS sip:h"), "dropped: not SIP");
        assert_eq!(first("REGISTER sip:h SIP/2.0"), "400 Method In CSeq Header Differs");
    }

    #[test]
    fn a_fault_is_named_by_its_header() {
        let with = |lines: &str| refused(format!("OPTIONS sip:h SIP/2.0\r\n{HEAD}{lines}\r\n"));
        let fine = "CSeq: 1 OPTIONS\r\n";
        assert_eq!(with(""), "400 Missing CSeq Header");
        assert_eq!(with("CSeq: 4294967295 OPTIONS\r\n"), "accepted");
        assert_eq!(with("CSeq: 4294967296 OPTIONS\r\n"), "400 Number Out Of Range In CSeq Header");
        assert_eq!(with("CSeq: 1OPTIONS\r\n"), "400 Malformed CSeq Header");
        assert_eq!(with(&format!("{fine}{fine}")), "400 More Than One CSeq Header");
        assert_eq!(with(&format!("{fine}i: d\r\n")), "400 More Than One Call-ID Header");
        assert_eq!(with(&format!("{fine}Max-Forwards: 255\r\n")), "accepted");
        assert_eq!(with(&format!("{fine}Max-Forwards: 256\r\n")), "400 Number Out Of Range In Max-Forwards Header");
        assert_eq!(with(&format!("{fine}l: 0\r\nl: 1\r\n")), "400 More Than One Content-Length Header");
        assert_eq!(with(&format!("{fine}l: 0\r\nContent-Length: 0\r\n")), "accepted");
        assert_eq!(with(&format!("{fine}l: -1\r\n")), "400 Malformed Content-Length Header");
        assert_eq!(with(&format!("{fine}l: 1\r\n")), "400 Content-Length Header Exceeds The Message");
        assert_eq!(with(&format!("{fine}oops\r\n")), "400 Malformed Header Line");
        assert_eq!(refused(format!("OPTIONS sip:h SIP/2.0\r\n{HEAD}{fine}")), "400 No Empty Line After The Headers");
        assert_eq!(refused(format!("OPTIONS sip:h SIP/2.0\r\n{fine}\r\n")), "dropped: no readable Via");
        assert_eq!(refused(format!("ACK sip:h SIP/2.0\r\n{HEAD}\r\n")), "dropped: bad ACK: Missing CSeq Header");
    }

    #[test]
    fn a_response_is_read_or_dropped() {
        let with = |line: &str| read(format!("{line}\r\n{HEAD}CSeq: 1 INVITE\r\n\r\n"));
        for (line, reason) in
            [("SIP/2.0 200 OK", "OK"), ("sip/2.0 699 ", ""), ("SIP/2.0 100", ""), ("SIP/2.0 200  x y", " x y")]
        {
            let Ok(Packet::Response(response)) = with(line) else { panic!("{line}") };
            assert_eq!(response.reason(), reason.as_bytes(), "{line}");
        }
        for line in [
            "SIP/2.0 99 x",
            "SIP/2.0 700 x",
            "SIP/2.0 0200 OK",
            "SIP/2.0 4294967301 x",
            "SIP/3.0 200 OK",
            "SIP/2.0  200 OK",
            "SIP/2.0 200 O\rK",
        ] {
            assert!(matches!(with(line), Err(Unreadable::Drop(DropReason::Response(_)))), "{line}");
        }
    }

    #[test]
    fn limits_hold_up_to_their_number_and_no_further() {
        let message = format!(
            "OPTIONS sip:hhhhhh SIP/2.0\r\n{HEAD}CSeq: 1 OPTIONS\r\nv: SIP/2.0/UDP h\r\nm: <sip:a>,<sip:b>\r\n\r\n"
        );
        let exact = Limits { message_bytes: message.len(), headers: 7, vias: 2, contacts: 2, uri_bytes: 10 };
        let under = |limits: Limits| match parse(Bytes::from(message.clone()), &limits) {
            Ok(_) => "accepted".into(),
            Err(Unreadable::Answer(bad)) => format!("{} {}", bad.status(), bad.reason()),
            Err(Unreadable::Drop(reason)) => reason.to_string(),
        };
        assert_eq!(under(exact), "accepted");
        assert_eq!(under(Limits { message_bytes: message.len() - 1, ..exact }), "513 Too Large: Message");
        assert_eq!(under(Limits { headers: 6, ..exact }), "513 Too Large: Number Of Headers");
        assert_eq!(under(Limits { vias: 1, ..exact }), "513 Too Large: Number Of Vias");
        assert_eq!(under(Limits { contacts: 1, ..exact }), "513 Too Large: Number Of Contacts");
        assert_eq!(under(Limits { uri_bytes: 9, ..exact }), "513 Too Large: URI");
    }

    #[test]
    fn a_response_may_have_the_via_that_we_put_on_the_request() {
        let vias = |number: usize| "v: SIP/2.0/UDP h\r\n".repeat(number);
        let heard = |number: usize| {
            let limits = Limits { vias: 3, ..Limits::default() };
            let text = format!("SIP/2.0 200 OK\r\n{}{HEAD}CSeq: 1 OPTIONS\r\n\r\n", vias(number - 1));
            parse(Bytes::from(text), &limits).is_ok()
        };
        assert!(heard(4) && !heard(5));
    }
}
