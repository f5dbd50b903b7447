//! The first line of a message: RFC 3261 §7.1 (requests) and §7.2 (responses).

use bytes::Bytes;
use nom::Parser;
use nom::bytes::complete::{tag, tag_no_case, take_while1};

use super::lex::{self, Lexed};
use super::malformed::Malformed;
use super::method::Method;
use super::span::Span;
use super::status::Status;

/// RFC 3261 §7.1. What is wrong with it waits until it is known where the answer goes.
pub(super) struct RequestLine {
    pub method: Method,
    /// The Request-URI.
    pub target: Span,
    pub fault: Option<Malformed>,
}

impl RequestLine {
    /// `None` unless it begins with a method and ends with a SIP version.
    pub(super) fn read(bytes: &Bytes, line: &[u8]) -> Option<Self> {
        let (rest, method) = lex::token(line).ok()?;
        let rest = rest.strip_prefix(b" ")?;
        let words = lex::trim(rest);
        let blank = words.iter().rposition(|&b| lex::is_ws(b))?;
        let (target, version) = (&words[..blank], &words[blank + 1..]);
        let is_current = is_current(version)?;
        let fault = if !is_current {
            Some(Malformed::Version)
        } else if words.len() != rest.len() || target.iter().any(|&b| lex::is_ws(b)) {
            // RFC 3261 §7.1: single blanks, and none in the Request-URI.
            Some(Malformed::RequestLine)
        } else {
            None
        };
        Some(Self { method: Method::read(method, bytes), target: Span::of(bytes, target), fault })
    }
}

/// RFC 3261 §7.2.
pub(super) struct StatusLine {
    pub status: Status,
    pub reason: Span,
}

impl StatusLine {
    /// `None` unless it begins with a SIP version.
    pub(super) fn read(bytes: &Bytes, line: &[u8]) -> Option<Result<Self, Malformed>> {
        let end = line.iter().position(|&b| b == b' ')?;
        let is_current = is_current(&line[..end])?;
        Some(if is_current { Self::behind_version(bytes, &line[end + 1..]) } else { Err(Malformed::Version) })
    }

    fn behind_version(bytes: &Bytes, rest: &[u8]) -> Result<Self, Malformed> {
        let (code, reason) = match rest.iter().position(|&b| b == b' ') {
            Some(blank) => (&rest[..blank], &rest[blank + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        match lex::number(code, 699).ok().and_then(|code| u16::try_from(code).ok()) {
            Some(number @ 100..) if code.len() == 3 && !reason.contains(&b'\r') => {
                Ok(Self { status: Status(number), reason: Span::of(bytes, reason) })
            }
            _ => Err(Malformed::RequestLine),
        }
    }
}

/// Whether `SIP/x.y` is 2.0; `None` if it is no SIP version at all.
fn is_current(version: &[u8]) -> Option<bool> {
    match version_numbers(version) {
        Ok(([], (major, minor))) => Some((major, minor) == (b"2", b"0")),
        _ => None,
    }
}

/// RFC 3261 §25.1 `SIP-Version`, in any case.
fn version_numbers(input: &[u8]) -> Lexed<'_, (&[u8], &[u8])> {
    let digits = || take_while1(|b: u8| b.is_ascii_digit());
    let (rest, _) = tag_no_case("SIP/").parse(input)?;
    let (rest, major) = digits().parse(rest)?;
    let (rest, _) = tag(".").parse(rest)?;
    let (rest, minor) = digits().parse(rest)?;
    Ok((rest, (major, minor)))
}
