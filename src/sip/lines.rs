//! The index of a message: where its headers lie, found in one pass over its lines.
//!
//! RFC 3261 §7.3.1 (header lines, folding). A line ends with CR LF or, leniently, a bare LF; a CR elsewhere is refused, because
//! another reader may take it for a line end. Called by `packet`.

use std::borrow::Cow;

use bytes::Bytes;
use nom::Parser;
use nom::bytes::complete::tag;

use super::lex::{self, Lexed, Values};
use super::malformed::{Limit, Malformed};
use super::name::{Known, Name};
use super::span::Span;

/// A message's bytes and the places of its headers. No header is copied.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    /// From the start line to the end of the body.
    pub bytes: Bytes,
    pub fields: Vec<Field>,
    /// Where the empty line begins.
    pub headers_end: usize,
    /// Where the body begins.
    pub body: usize,
}

/// One header: a line, or a line and its continuations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub known: Known,
    pub name: Span,
    /// Without the white space round it, folds and all.
    pub value: Span,
    /// From the name to behind the last line end.
    pub line: Span,
}

impl Lines {
    /// Indexes what lies behind the start line. Goes on after a fault as far as it can, so that the request can be answered.
    pub(super) fn index(bytes: Bytes, start: usize, most: usize) -> (Self, Option<Malformed>) {
        let scan = Scan::of(&bytes, start, most);
        let Scan { fields, headers_end, body, fault } = scan;
        (Self { bytes, fields, headers_end, body }, fault)
    }

    pub(super) fn value_of(&self, field: &Field) -> &[u8] {
        field.value.in_(&self.bytes)
    }

    /// A part of the bytes on one line: without a fold it is a slice, with one a copy.
    pub(super) fn unfolded(&self, part: &[u8]) -> Bytes {
        match lex::unfold(part) {
            Cow::Borrowed(part) => self.bytes.slice_ref(part),
            Cow::Owned(copy) => copy.into(),
        }
    }

    pub(super) fn name_of(&self, field: &Field) -> Name {
        field.known.name(|| self.bytes.slice_ref(field.name.in_(&self.bytes)))
    }

    pub(super) fn all(&self, name: &Name) -> impl Iterator<Item = &Field> {
        let known = name.known();
        self.fields.iter().filter(move |field| {
            field.known == known && (known != Known::Unknown || name.fits(known, field.name.in_(&self.bytes)))
        })
    }

    /// The one value of a header that may be there once.
    pub(super) fn single(&self, name: &Name) -> Result<Option<&[u8]>, Malformed> {
        let mut all = self.all(name);
        match (all.next(), all.next()) {
            (first, None) => Ok(first.map(|field| self.value_of(field))),
            _ => Err(Malformed::Repeated(name.clone())),
        }
    }

    /// Every comma-separated value of every line with that name, in order.
    pub(super) fn values(&self, name: &Name) -> impl Iterator<Item = &[u8]> {
        self.all(name).flat_map(|field| {
            let value = self.value_of(field);
            Values::of(value).map(move |range| &value[range])
        })
    }
}

/// What one pass over the lines finds.
struct Scan {
    fields: Vec<Field>,
    headers_end: usize,
    body: usize,
    fault: Option<Malformed>,
}

impl Scan {
    fn of(bytes: &[u8], start: usize, most: usize) -> Self {
        let mut scan =
            Self { fields: Vec::with_capacity(24), headers_end: bytes.len(), body: bytes.len(), fault: None };
        let mut rest = bytes.get(start..).unwrap_or_default();
        let mut crlfs = 0;
        loop {
            scan.headers_end = bytes.len() - rest.len();
            if let Some(after) = behind_empty_line(rest) {
                scan.body = bytes.len() - after.len();
                break;
            }
            let Ok((after, line)) = logical_line(rest, &mut crlfs) else {
                scan.fault.get_or_insert(Malformed::NoEnd);
                break;
            };
            if scan.fields.len() >= most {
                scan.fault = Some(Malformed::TooLarge(Limit::Headers));
                break;
            }
            match Field::read(bytes, line) {
                Some(field) => scan.fields.push(field),
                None => drop(scan.fault.get_or_insert(Malformed::HeaderLine)),
            }
            rest = after;
        }
        // A CR that ends no line may end one for another reader.
        if scan.fault.is_none() && count_crs(bytes.get(start..scan.headers_end).unwrap_or_default()) != crlfs {
            scan.fault = Some(Malformed::HeaderLine);
        }
        scan
    }
}

/// Summed in bytes and in chunks that can't overflow them: sixteen at a time in one instruction.
fn count_crs(lines: &[u8]) -> usize {
    let in_chunk = |chunk: &[u8]| usize::from(chunk.iter().map(|&b| u8::from(b == b'\r')).sum::<u8>());
    lines.chunks(128).map(in_chunk).sum()
}

impl Field {
    fn read(bytes: &[u8], line: &[u8]) -> Option<Self> {
        let (value, name) = name_and_colon(line).ok()?;
        // An empty value lies behind its colon, not behind its line end.
        let value = Some(lex::trim(value)).filter(|trimmed| !trimmed.is_empty()).unwrap_or(&value[..0]);
        Some(Self {
            known: Known::read(name),
            name: Span::of(bytes, name),
            value: Span::of(bytes, value),
            line: Span::of(bytes, line),
        })
    }
}

fn behind_empty_line(input: &[u8]) -> Option<&[u8]> {
    match input {
        [b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// A line and those behind it that begin with white space; with its line ends, of which those with a CR are counted.
fn logical_line<'a>(input: &'a [u8], crlfs: &mut usize) -> Lexed<'a, &'a [u8]> {
    let mut rest = input;
    loop {
        let (after, line) = lex::line(rest)?;
        *crlfs += rest.len() - after.len() - line.len() - 1;
        rest = after;
        if !matches!(rest, [b' ' | b'\t', ..]) {
            return Ok((rest, &input[..input.len() - rest.len()]));
        }
    }
}

/// `HCOLON`: blanks may stand before the colon, and anything behind it.
fn name_and_colon(line: &[u8]) -> Lexed<'_, &[u8]> {
    let (rest, name) = lex::token(line)?;
    let blank = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    let (rest, _) = tag(":").parse(&rest[blank..])?;
    Ok((rest, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(text: &'static str) -> (Lines, Option<Malformed>) {
        Lines::index(Bytes::from_static(text.as_bytes()), 0, 3)
    }

    #[test]
    fn lines_are_found_folded_or_not_with_cr_lf_or_lf() {
        let (lines, fault) = index("a: 1\r\nVIA \t:  x\r\n y\n\tz \nc:\n\nbody");
        assert_eq!(fault, None);
        let values: Vec<_> = lines.fields.iter().map(|field| lex::unfold(lines.value_of(field)).into_owned()).collect();
        assert_eq!(values, [&b"1"[..], b"x y z", b""]);
        assert_eq!(lines.fields[1].known, Known::Via);
        assert_eq!(&lines.bytes[lines.body..], b"body");
    }

    #[test]
    fn one_header_too_many_is_too_large() {
        assert_eq!(index("a: 1\r\nb: 2\r\nc: 3\r\n\r\n").1, None);
        assert_eq!(index("a: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\n\r\n").1, Some(Malformed::TooLarge(Limit::Headers)));
    }

    #[test]
    fn broken_lines_are_faults_but_the_rest_is_read() {
        for text in ["no colon\r\na: 1\r\n\r\n", ": x\r\na: 1\r\n\r\n", " fold: x\r\na: 1\r\n\r\n"] {
            let (lines, fault) = index(text);
            assert_eq!((fault, lines.fields.len()), (Some(Malformed::HeaderLine), 1), "{text:?}");
        }
        assert_eq!(index("b: x\ry: z\r\na: 1\r\n\r\n").1, Some(Malformed::HeaderLine));
        assert_eq!(index("a: 1\r\r\n\r\n").1, Some(Malformed::HeaderLine));
        assert_eq!(index("a: 1\r\n\r\nx\ry").1, None);
        assert_eq!(index("a: 1\r\n").1, Some(Malformed::NoEnd));
        assert_eq!(index("a: 1\r\nb: 2").1, Some(Malformed::NoEnd));
    }
}
