//! What every message must say, read once (RFC 3261 §8.1.1, §18.3, §20).

use bytes::Bytes;

use super::lex::{self, Values};
use super::lines::Lines;
use super::malformed::{Limit, Malformed};
use super::message::{CSeq, Message, number};
use super::method::Method;
use super::name::{Known, Name};
use super::party::Party;
use super::span::Span;
use super::start_line::RequestLine;
use super::uri::{Scheme, Uri};
use super::via::Via;
use crate::settings::Limits;

/// An indexed message on its way in.
pub(super) struct Door<'l> {
    pub lines: Lines,
    pub limits: &'l Limits,
}

/// What every message must say.
pub(super) struct Head {
    from: Party,
    to: Party,
    call_id: Bytes,
    cseq: CSeq,
    max_forwards: Option<u32>,
}

impl Head {
    pub(super) fn into_message(self, lines: Lines, via: Via, target: Span, limits: &Limits) -> Message {
        let Self { from, to, call_id, cseq, max_forwards } = self;
        Message { lines, target, via, from, to, call_id, cseq, max_forwards, uri_bytes: limits.uri_bytes }
    }
}

impl Door<'_> {
    /// What a request must say, and its Request-URI.
    pub(super) fn request_head(&mut self, line: &RequestLine) -> Result<(Head, Uri), Malformed> {
        let target = self.lines.bytes.slice_ref(line.target.in_(&self.lines.bytes));
        if target.len() > self.limits.uri_bytes {
            return Err(Malformed::TooLarge(Limit::Uri));
        }
        let uri = Uri::parse(target).map_err(|_| Malformed::RequestUri)?;
        // RFC 3261 §19.1.1, Table 1: no headers in a Request-URI.
        if uri.has_headers() && matches!(uri.scheme(), Scheme::Sip | Scheme::Sips) {
            return Err(Malformed::RequestUri);
        }
        let head = self.head()?;
        if head.cseq.method != line.method {
            return Err(Malformed::CSeqMethod);
        }
        Ok((head, uri))
    }

    /// What every message must say; what lies beyond its Content-Length is cut off.
    pub(super) fn head(&mut self) -> Result<Head, Malformed> {
        let roll = Roll::call(&self.lines)?;
        if roll.vias > self.limits.vias {
            return Err(Malformed::TooLarge(Limit::Vias));
        }
        if roll.contacts > self.limits.contacts {
            return Err(Malformed::TooLarge(Limit::Contacts));
        }
        self.frame(roll.content_length)?;
        let (from, to) = (self.party(roll.from, Name::From)?, self.party(roll.to, Name::To)?);
        let call_id = self.call_id(roll.call_id)?;
        let cseq = self.cseq(roll.cseq)?;
        let max_forwards = match roll.max_forwards {
            // RFC 3261 §8.1.1.6 and §20.22: 0 to 255.
            Some(value) => Some(number(value.in_(&self.lines.bytes), 255, &Name::MaxForwards)?),
            None => None,
        };
        Ok(Head { from, to, call_id, cseq, max_forwards })
    }

    /// RFC 3261 §18.3: bytes beyond Content-Length are dropped; without it the body is the rest of the datagram.
    fn frame(&mut self, content_length: Option<Span>) -> Result<(), Malformed> {
        let Some(value) = content_length else { return Ok(()) };
        let announced = match lex::number(value.in_(&self.lines.bytes), u64::MAX) {
            Ok(length) => usize::try_from(length).unwrap_or(usize::MAX),
            Err(lex::NotANumber::Range) => usize::MAX,
            Err(lex::NotANumber::Syntax) => return Err(Malformed::Syntax(Name::ContentLength)),
        };
        let end = self.lines.body.saturating_add(announced);
        if end > self.lines.bytes.len() {
            return Err(Malformed::ShortBody);
        }
        self.lines.bytes.truncate(end);
        Ok(())
    }

    fn mandatory(&self, value: Option<Span>, name: &Name) -> Result<&[u8], Malformed> {
        value.map(|value| value.in_(&self.lines.bytes)).ok_or_else(|| Malformed::Missing(name.clone()))
    }

    fn party(&self, value: Option<Span>, name: Name) -> Result<Party, Malformed> {
        let value = self.mandatory(value, &name)?;
        let party = Party::parse(self.lines.bytes.slice_ref(value), &name)?;
        if party.uri().as_bytes().len() > self.limits.uri_bytes {
            return Err(Malformed::TooLarge(Limit::Uri));
        }
        Ok(party)
    }

    fn call_id(&self, value: Option<Span>) -> Result<Bytes, Malformed> {
        let value = self.mandatory(value, &Name::CallId)?;
        if value.is_empty() || value.iter().any(|&b| lex::is_ws(b)) {
            return Err(Malformed::Syntax(Name::CallId));
        }
        Ok(self.lines.bytes.slice_ref(value))
    }

    fn cseq(&self, value: Option<Span>) -> Result<CSeq, Malformed> {
        let syntax = || Malformed::Syntax(Name::CSeq);
        let value = self.mandatory(value, &Name::CSeq)?;
        let (digits, rest) = value.split_at(value.iter().take_while(|b| b.is_ascii_digit()).count());
        let number = number(digits, u32::MAX, &Name::CSeq)?;
        let (after, method) = lex::token(lex::skip_ws(rest)).map_err(|_| syntax())?;
        if !rest.first().is_some_and(|&b| lex::is_ws(b)) || !after.is_empty() {
            return Err(syntax());
        }
        Ok(CSeq { number, method: Method::read(method, &self.lines.bytes) })
    }
}

/// The headers that may be there once, and how many values the bounded lists have: one look over the index.
#[derive(Default)]
struct Roll {
    from: Option<Span>,
    to: Option<Span>,
    call_id: Option<Span>,
    cseq: Option<Span>,
    max_forwards: Option<Span>,
    content_length: Option<Span>,
    vias: usize,
    contacts: usize,
}

impl Roll {
    fn call(lines: &Lines) -> Result<Self, Malformed> {
        let mut roll = Self::default();
        for field in &lines.fields {
            let (single, name) = match field.known {
                Known::From => (&mut roll.from, Name::From),
                Known::To => (&mut roll.to, Name::To),
                Known::CallId => (&mut roll.call_id, Name::CallId),
                Known::CSeq => (&mut roll.cseq, Name::CSeq),
                Known::MaxForwards => (&mut roll.max_forwards, Name::MaxForwards),
                Known::ContentLength => (&mut roll.content_length, Name::ContentLength),
                Known::Via => {
                    roll.vias += Values::of(lines.value_of(field)).count();
                    continue;
                }
                Known::Contact => {
                    roll.contacts += Values::of(lines.value_of(field)).count();
                    continue;
                }
                _ => continue,
            };
            match single.replace(field.value) {
                None => {}
                // The same length twice leaves no doubt where the message ends.
                Some(first) if name == Name::ContentLength && lines.value_of(field) == first.in_(&lines.bytes) => {}
                Some(_) => return Err(Malformed::Repeated(name)),
            }
        }
        Ok(roll)
    }
}
