//! `name-addr` and `addr-spec` with header parameters (RFC 3261 §20.10): what From, To, Contact and the Route headers share.

use std::borrow::Cow;

use bytes::Bytes;
use nom::Parser;
use nom::bytes::complete::{tag, take_till};

use super::lex::{self, Lexed, Param, Params};
use super::span::Span;
use super::uri::Uri;

/// One address over the bytes that it came in.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub raw: Bytes,
    display: Span,
    pub uri: Uri,
    params: Span,
}

impl Address {
    /// Reads one value and shows each parameter, with the whole value; `None` if it is no address, or if a parameter is broken
    /// or not to the taste of `take`.
    pub(super) fn parse(raw: Bytes, mut take: impl FnMut(&[u8], Param<'_>) -> Option<()>) -> Option<Self> {
        let (rest, (display, uri)) = name_addr(&raw).or_else(|_| addr_spec(&raw)).ok()?;
        let uri = Uri::parse(raw.slice_ref(uri)).ok()?;
        for param in Params(rest) {
            take(&raw, param.ok()?)?;
        }
        Some(Self { display: Span::of(&raw, display), params: Span::of(&raw, rest), uri, raw })
    }

    pub(super) fn params(&self) -> Params<'_> {
        Params(self.params.in_(&self.raw))
    }

    pub(super) fn param(&self, name: &str) -> Option<Option<&[u8]>> {
        self.params().flatten().find(|param| param.is(name)).map(|param| param.value)
    }

    /// The parameters as they came, with their first `;`.
    pub(super) fn params_raw(&self) -> &[u8] {
        lex::trim(self.params.in_(&self.raw))
    }

    pub(super) fn display_name(&self) -> Option<Cow<'_, str>> {
        let written = lex::trim(self.display.in_(&self.raw));
        if written.is_empty() {
            return None;
        }
        let said = match lex::quoted(written) {
            Ok((_, inner)) => match lex::unfold(inner) {
                Cow::Borrowed(inner) => lex::unescape(inner),
                Cow::Owned(inner) => Cow::Owned(lex::unescape(&inner).into_owned()),
            },
            Err(_) => lex::unfold(written),
        };
        Some(lex::lossy(said))
    }
}

/// `"display" <uri>` or `display <uri>`; blanks inside the brackets are overlooked (RFC 4475 §3.1.2.14).
fn name_addr(input: &[u8]) -> Lexed<'_, (&[u8], &[u8])> {
    let input = lex::skip_ws(input);
    let (rest, display) = match lex::quoted(input) {
        Ok((rest, _)) => (lex::skip_ws(rest), &input[..input.len() - rest.len()]),
        // Neither a colon nor a semicolon: that would be a bare URI with something behind it.
        Err(_) => take_till(|b| matches!(b, b'<' | b'"' | b':' | b';')).parse(input)?,
    };
    let (rest, _) = tag("<").parse(rest)?;
    let (rest, uri) = take_till(|b| b == b'>').parse(rest)?;
    let (rest, _) = tag(">").parse(rest)?;
    Ok((rest, (display, lex::trim(uri))))
}

/// A bare URI: parameters belong to the header, and a `?` needs brackets (RFC 3261 §20).
fn addr_spec(input: &[u8]) -> Lexed<'_, (&[u8], &[u8])> {
    let input = lex::skip_ws(input);
    let (rest, uri) = take_till(|b| lex::is_ws(b) || matches!(b, b';' | b',')).parse(input)?;
    if uri.contains(&b'?') { Err(nom::Err::Error(())) } else { Ok((rest, (&[], uri))) }
}
