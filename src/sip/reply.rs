//! Answers that the site makes itself (RFC 3261 §8.2.6).

use std::net::IpAddr;

use bytes::Bytes;
use smallvec::SmallVec;

use super::draft::{push_end, push_flat, push_line};
use super::lines::{Field, Lines};
use super::message::Request;
use super::name::{Known, Name};
use super::numeral::push_number;
use super::packet::BadRequest;
use super::span::Span;
use super::stamp::{Mark, stamp};
use super::status::Status;
use super::via::Via;

/// Room for the headers of most answers, in bytes.
const HEADERS: usize = 192;
/// What the status line, a stamp, the tag's name and Content-Length take at most, in bytes, with the longest IPv6 address.
const ROOM: usize = 128;

/// A response in the making. Via, From, To, Call-ID and CSeq are the request's own lines.
pub struct Reply<'m> {
    lines: &'m Lines,
    via: &'m Via,
    to_has_tag: bool,
    status: Status,
    reason: Option<String>,
    to_tag: SmallVec<[u8; 32]>,
    stamp: SmallVec<[(Span, Mark); 2]>,
    routes_too: bool,
    headers: Vec<u8>,
    body: Vec<u8>,
}

impl<'m> Reply<'m> {
    /// An answer to a request.
    pub fn to(request: &'m Request, status: Status) -> Self {
        let message = &request.0.message;
        Self::new(&message.lines, &message.via, message.to.tag().is_some(), status)
    }

    /// The answer to a request that can't be read: its status and reason.
    pub fn to_bad(bad: &'m BadRequest) -> Self {
        let to = bad.lines.all(&Name::To).next().map(|field| bad.lines.value_of(field));
        // The tag of a To that can't be read is not looked for: with a second one the answer would not match either.
        let has_tag = to.is_none_or(contains_tag);
        Self::new(&bad.lines, bad.via(), has_tag, bad.status()).reason(bad.reason())
    }

    fn new(lines: &'m Lines, via: &'m Via, to_has_tag: bool, status: Status) -> Self {
        Self {
            lines,
            via,
            to_has_tag,
            status,
            reason: None,
            to_tag: SmallVec::new(),
            stamp: SmallVec::new(),
            routes_too: false,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Another phrase than the usual one.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The tag for a To that has none (RFC 3261 §8.2.6.2: every response but 100).
    pub fn to_tag(mut self, tag: &str) -> Self {
        self.to_tag = SmallVec::from_slice(tag.as_bytes());
        self
    }

    /// Where the request came from, for the top Via: `received` if given, `rport` if the Via asks for it.
    pub fn stamped(mut self, received: Option<IpAddr>, rport: Option<u16>) -> Self {
        self.stamp = stamp(self.lines, self.via, received, rport);
        self
    }

    /// Copies the Record-Route lines too, as an answer that makes a dialog must (RFC 3261 §12.1.1).
    pub fn with_record_routes(mut self) -> Self {
        self.routes_too = true;
        self
    }

    /// Adds a header, behind those before.
    pub fn header(mut self, name: &Name, value: impl AsRef<[u8]>) -> Self {
        push_line(self.headers(), name.canonical(), value.as_ref());
        self
    }

    /// Adds a header whose value comes in pieces.
    pub fn header_of(mut self, name: &Name, pieces: &[&[u8]]) -> Self {
        let headers = self.headers();
        push_flat(headers, name.canonical());
        headers.extend_from_slice(b": ");
        pieces.iter().for_each(|piece| push_flat(headers, piece));
        headers.extend_from_slice(b"\r\n");
        self
    }

    fn headers(&mut self) -> &mut Vec<u8> {
        if self.headers.is_empty() {
            self.headers.reserve(HEADERS);
        }
        &mut self.headers
    }

    /// The body and its type.
    pub fn body(mut self, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        push_line(&mut self.headers, Name::ContentType.canonical(), content_type.as_bytes());
        self.body = body.as_ref().to_vec();
        self
    }

    /// The response.
    pub fn write(self) -> Bytes {
        let reason = self.reason.as_deref().unwrap_or(self.status.reason());
        let copied = self.kept_lines().map(|field| usize::from(field.line.end - field.line.start)).sum::<usize>();
        let own = self.headers.len() + self.body.len() + reason.len() + self.to_tag.len();
        let mut out = Vec::with_capacity(copied + own + ROOM);
        out.extend_from_slice(b"SIP/2.0 ");
        push_number(&mut out, self.status.0.into());
        out.push(b' ');
        push_flat(&mut out, reason.as_bytes());
        out.extend_from_slice(b"\r\n");
        self.copy_lines(&mut out);
        out.extend_from_slice(&self.headers);
        push_end(&mut out, &self.body);
        Bytes::from(out)
    }

    /// RFC 3261 §8.2.6.1 and .2: which lines of the request are the response's too. Of what may be there once, the first.
    fn copy_lines(&self, out: &mut Vec<u8>) {
        for field in self.kept_lines() {
            match field.known {
                Known::Via => self.copy_via(field, out),
                Known::To => self.copy_to(field, out),
                _ => self.copy_line(field, out),
            }
        }
    }

    fn kept_lines(&self) -> impl Iterator<Item = &'m Field> {
        let mut seen: SmallVec<[Known; 4]> = SmallVec::new();
        let (is_trying, routes_too) = (self.status == Status::TRYING, self.routes_too);
        self.lines.fields.iter().filter(move |field| match field.known {
            single @ (Known::From | Known::To | Known::CallId | Known::CSeq) => {
                let is_first = !seen.contains(&single);
                if is_first {
                    seen.push(single);
                }
                is_first
            }
            Known::Via => true,
            Known::Timestamp => is_trying,
            Known::RecordRoute => routes_too,
            _ => false,
        })
    }

    fn copy_line(&self, field: &Field, out: &mut Vec<u8>) {
        out.extend_from_slice(Span { start: field.line.start, end: field.value.end }.in_(&self.lines.bytes));
        out.extend_from_slice(b"\r\n");
    }

    /// A Via line; the stamp changes the one that it lies in.
    fn copy_via(&self, field: &Field, out: &mut Vec<u8>) {
        let (from, to) = (field.line.start, field.value.end);
        let mut at = from;
        for (span, mark) in self.stamp.iter().filter(|(span, _)| from <= span.start && span.end <= to) {
            out.extend_from_slice(Span { start: at, end: span.start }.in_(&self.lines.bytes));
            mark.write(out);
            at = span.end;
        }
        out.extend_from_slice(Span { start: at, end: to }.in_(&self.lines.bytes));
        out.extend_from_slice(b"\r\n");
    }

    fn copy_to(&self, field: &Field, out: &mut Vec<u8>) {
        out.extend_from_slice(Span { start: field.line.start, end: field.value.end }.in_(&self.lines.bytes));
        if !self.to_has_tag && !self.to_tag.is_empty() {
            out.extend_from_slice(b";tag=");
            push_flat(out, &self.to_tag);
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// Whether a To value that may be broken seems to have a tag.
fn contains_tag(to: &[u8]) -> bool {
    to.to_ascii_lowercase().windows(4).any(|four| four == b"tag=")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Limits;
    use crate::sip::{Packet, Unreadable, parse};

    const HEAD: &str = "v: SIP/2.0/UDP a;rport\r\nf: <sip:a@h>;tag=1\r\nTo : <sip:b@h>\r\nTimestamp: 5\r\nRecord-Route: <sip:r>\r\nCall-ID: c\r\n";

    fn text(bytes: Bytes) -> String {
        String::from_utf8(bytes.to_vec()).expect("text")
    }

    fn request() -> Request {
        let bytes = format!("OPTIONS sip:b@h SIP/2.0\r\n{HEAD}CSeq: 1\r\n OPTIONS\r\n\r\n");
        let Ok(Packet::Request(request)) = parse(Bytes::from(bytes), &Limits::default()) else { panic!("a request") };
        request
    }

    #[test]
    fn an_answer_has_the_requests_own_lines() {
        let request = request();
        let reply = Reply::to(&request, Status::FORBIDDEN)
            .reason("no\r\nX: y")
            .to_tag("t")
            .stamped("::1".parse().ok(), Some(9));
        assert_eq!(
            text(reply.header(&Name::Server, "s").body("text/plain", "hi").write()),
            "SIP/2.0 403 no  X: y\r\nv: SIP/2.0/UDP a;rport=9;received=::1\r\nf: <sip:a@h>;tag=1\r\nTo : <sip:b@h>;tag=t\r\nCall-ID: c\r\n\
             CSeq: 1\r\n OPTIONS\r\nServer: s\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
        );
    }

    #[test]
    fn a_100_has_the_timestamp_and_a_dialogs_answer_the_record_route() {
        let request = request();
        assert!(text(Reply::to(&request, Status::TRYING).write()).contains("\r\nTimestamp: 5\r\n"));
        let ok = text(Reply::to(&request, Status::OK).with_record_routes().write());
        assert!(ok.contains("\r\nRecord-Route: <sip:r>\r\n") && !ok.contains("Timestamp"));
    }

    #[test]
    fn what_may_be_there_once_is_answered_once() {
        let bytes =
            Bytes::from(format!("OPTIONS sip:b@h SIP/2.0\r\n{HEAD}t: <sip:d@h>\r\ni: e\r\nv: SIP/2.0/UDP b\r\n\r\n"));
        let Err(Unreadable::Answer(bad)) = parse(bytes, &Limits::default()) else { panic!("bad") };
        assert_eq!(
            text(Reply::to_bad(&bad).to_tag("t\r\nX: y").write()),
            "SIP/2.0 400 More Than One To Header\r\nv: SIP/2.0/UDP a;rport\r\nf: <sip:a@h>;tag=1\r\nTo : <sip:b@h>;tag=t  X: y\r\n\
             Call-ID: c\r\nv: SIP/2.0/UDP b\r\nContent-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn a_bad_request_is_answered_from_what_could_be_read() {
        let bytes = Bytes::from(format!("OPTIONS sip:b@h SIP/2.0\r\n{HEAD}\r\n"));
        let Err(Unreadable::Answer(bad)) = parse(bytes, &Limits::default()) else { panic!("bad") };
        assert_eq!(
            text(Reply::to_bad(&bad).to_tag("t").write()),
            "SIP/2.0 400 Missing CSeq Header\r\nv: SIP/2.0/UDP a;rport\r\nf: <sip:a@h>;tag=1\r\nTo : <sip:b@h>;tag=t\r\nCall-ID: c\r\n\
             Content-Length: 0\r\n\r\n"
        );
    }
}
