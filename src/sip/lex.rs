//! The small words of SIP's grammar (RFC 3261 §25.1), read with `nom` from bytes.
//!
//! Used by every reader of a header or URI. White space means LWS: blanks, tabs, and the line ends of a folded header, which
//! the line scan leaves nowhere else. Nothing here copies, but for `unfold` and the decoders.

use std::borrow::Cow;
use std::ops::Range;

use nom::bytes::complete::{tag, take_until, take_while, take_while1};
use nom::{IResult, Parser};

/// What a reader takes from the front, or that it can't. Who asked knows the header's name and says what is wrong.
pub(super) type Lexed<'a, T> = IResult<&'a [u8], T, ()>;

/// Blank, tab, or part of a folded line's end.
pub(super) fn is_ws(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// RFC 3261 §25.1 `token`.
pub(super) fn is_token(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let marks = b"-.!%*_+`'~";
    let mut at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    table
};

/// `input` without white space at its front.
pub(super) fn skip_ws(input: &[u8]) -> &[u8] {
    match input {
        [first, ..] if is_ws(*first) => {
            let blank = input.iter().take_while(|&&b| is_ws(b)).count();
            input.get(blank..).unwrap_or_default()
        }
        _ => input,
    }
}

/// `input` without white space at either end.
pub(super) fn trim(input: &[u8]) -> &[u8] {
    let mut input = skip_ws(input);
    while let [rest @ .., last] = input
        && is_ws(*last)
    {
        input = rest;
    }
    input
}

/// One or more token characters.
pub(super) fn token(input: &[u8]) -> Lexed<'_, &[u8]> {
    take_while1(is_token).parse(input)
}

/// `mark` with white space round it.
pub(super) fn separator<'a>(mark: &'static str) -> impl Fn(&'a [u8]) -> Lexed<'a, ()> {
    move |input| {
        let (rest, _) = tag(mark).parse(skip_ws(input))?;
        Ok((skip_ws(rest), ()))
    }
}

/// A line up to its LF, without CR LF or bare LF.
pub(super) fn line(input: &[u8]) -> Lexed<'_, &[u8]> {
    let (rest, line): (&[u8], &[u8]) = take_until("\n").parse(input)?;
    Ok((rest.get(1..).unwrap_or_default(), line.strip_suffix(b"\r").unwrap_or(line)))
}

/// A quoted string; the result is what stands between the quotes, escapes and all.
pub(super) fn quoted(input: &[u8]) -> Lexed<'_, &[u8]> {
    let (body, _) = tag("\"").parse(input)?;
    let mut at = 0;
    while let Some(&byte) = body.get(at) {
        match byte {
            b'"' => return Ok((&body[at + 1..], &body[..at])),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    Err(nom::Err::Error(()))
}

/// An unsigned number of one or more digits, leading zeros allowed; nothing but digits, at most `most`.
pub(super) fn number(digits: &[u8], most: u64) -> Result<u64, NotANumber> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NotANumber::Syntax);
    }
    let number = if digits.len() <= NEVER_TOO_LONG {
        Some(digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
    } else {
        let step = |sum: u64, digit: &u8| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
        digits.iter().try_fold(0, step)
    };
    number.filter(|&n| n <= most).ok_or(NotANumber::Range)
}

/// So many digits fit 64 bits, whatever they are.
const NEVER_TOO_LONG: usize = 19;

/// Why digits are no number that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotANumber {
    Syntax,
    Range,
}

/// One `;name=value` of a header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Param<'a> {
    pub name: &'a [u8],
    /// Quotes stripped, escapes kept; `None` without `=`.
    pub value: Option<&'a [u8]>,
    /// From the `;` to the end of the value.
    pub whole: &'a [u8],
}

impl Param<'_> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The parameters of a header value in order; one `Err` and then nothing where the grammar is broken.
#[derive(Clone, Debug)]
pub(super) struct Params<'a>(pub &'a [u8]);

impl<'a> Iterator for Params<'a> {
    type Item = Result<Param<'a>, ()>;

    fn next(&mut self) -> Option<Self::Item> {
        let input = skip_ws(self.0);
        if input.is_empty() {
            return None;
        }
        let read = param(input);
        self.0 = read.as_ref().map(|(rest, _)| *rest).unwrap_or_default();
        Some(read.map(|(_, param)| param).map_err(|_| ()))
    }
}

fn param(input: &[u8]) -> Lexed<'_, Param<'_>> {
    let (rest, ()) = separator(";")(input)?;
    let (rest, name) = token(rest)?;
    let (rest, value) = match separator("=")(rest) {
        Ok((rest, ())) if rest.starts_with(b"\"") => quoted(rest).map(|(rest, value)| (rest, Some(value)))?,
        Ok((rest, ())) => take_while(is_param_value).parse(rest).map(|(rest, value)| (rest, Some(value)))?,
        Err(_) => (rest, None),
    };
    let whole = &input[..input.len() - rest.len()];
    Ok((rest, Param { name, value, whole }))
}

fn is_param_value(byte: u8) -> bool {
    !is_ws(byte) && !matches!(byte, b';' | b',' | b'"' | b'<' | b'>')
}

/// The comma-separated values of a header, as ranges without the white space round them; empty ones are left out. Commas in
/// quotes and in angle brackets separate nothing.
#[derive(Clone, Debug)]
pub(super) struct Values<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Values<'a> {
    pub(super) fn of(input: &'a [u8]) -> Self {
        Self { input, at: 0 }
    }
}

impl Iterator for Values<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        while let Some(rest) = self.input.get(self.at..).filter(|rest| !rest.is_empty()) {
            let length = value_length(rest);
            let value = &rest[..length];
            let start = self.at + (value.len() - skip_ws(value).len());
            self.at += length + 1;
            match trim(value).len() {
                0 => continue,
                length => return Some(start..start + length),
            }
        }
        None
    }
}

fn value_length(input: &[u8]) -> usize {
    if !input.contains(&b',') {
        return input.len();
    }
    let mut rest = input;
    while let [first, after @ ..] = rest {
        rest = match first {
            b',' => return input.len() - rest.len(),
            b'"' => match quoted(rest) {
                Ok((rest, _)) => rest,
                Err(_) => return input.len(),
            },
            b'<' => match after.iter().position(|&b| b == b'>') {
                Some(close) => &after[close..],
                None => return input.len(),
            },
            _ => after,
        };
    }
    input.len()
}

/// A header value on one line: each line end with the white space round it becomes one blank (RFC 3261 §7.3.1).
pub(super) fn unfold(value: &[u8]) -> Cow<'_, [u8]> {
    if !value.contains(&b'\n') {
        return Cow::Borrowed(value);
    }
    let mut out = Vec::with_capacity(value.len());
    for (at, line) in value.split(|&b| b == b'\n').enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(trim(line));
    }
    Cow::Owned(out)
}

/// What a quoted string says: `\x` is `x`.
pub(super) fn unescape(inner: &[u8]) -> Cow<'_, [u8]> {
    if !inner.contains(&b'\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter();
    while let Some(&byte) = bytes.next() {
        out.push(if byte == b'\\' { bytes.next().copied().unwrap_or(byte) } else { byte });
    }
    Cow::Owned(out)
}

/// Two hexadecimal digits.
fn hex(pair: &[u8]) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    match pair {
        [high, low, ..] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    }
}

/// The bytes that a percent-encoded text means; each with whether it was written as `%xx`. A `%` without two digits is itself.
pub(super) fn decoded(text: &[u8]) -> impl Iterator<Item = (u8, bool)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (&first, after) = rest.split_first()?;
        if first == b'%'
            && let Some(byte) = hex(after)
        {
            rest = after.get(2..).unwrap_or_default();
            return Some((byte, true));
        }
        rest = after;
        Some((first, false))
    })
}

/// `text` with every `%xx` decoded.
pub(super) fn percent_decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(decoded(text).map(|(byte, _)| byte).collect())
}

/// Whether every `%` is followed by two hexadecimal digits.
pub(super) fn escapes_are_whole(text: &[u8]) -> bool {
    if !text.contains(&b'%') {
        return true;
    }
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&b| b == b'%') {
        if hex(&rest[at + 1..]).is_none() {
            return false;
        }
        rest = &rest[at + 3..];
    }
    true
}

/// Bytes as text; what is no UTF-8 becomes U+FFFD.
pub(super) fn lossy(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(input: &str) -> Vec<&str> {
        Values::of(input.as_bytes()).map(|range| &input[range]).collect()
    }

    #[test]
    fn commas_separate_outside_quotes_and_brackets_only() {
        assert_eq!(values(r#" "a, \"b" <sip:x,y@h>;p , c,, d "#), [r#""a, \"b" <sip:x,y@h>;p"#, "c", "d"]);
        assert_eq!(values(r#"a, "open"#), ["a", r#""open"#]);
        assert_eq!(values("a, <open, b"), ["a", "<open, b"]);
        assert!(values(" , ,").is_empty());
    }

    #[test]
    fn blanks_may_stand_round_the_marks_of_a_parameter() {
        let read: Vec<_> = Params(b" ; tag = 3\r\n ;lr;x = \"a;\\\"b\"").map(|p| p.expect("whole")).collect();
        assert_eq!((read[0].name, read[0].value), (&b"tag"[..], Some(&b"3"[..])));
        assert_eq!((read[1].name, read[1].value), (&b"lr"[..], None));
        assert_eq!(read[2].value, Some(&b"a;\\\"b"[..]));
        assert_eq!(read.len(), 3);
    }

    #[test]
    fn a_broken_parameter_ends_the_list_with_an_error() {
        for broken in [";;a", "; =3", ";a=\"open", ";a b", "x"] {
            assert!(Params(broken.as_bytes()).any(|param| param.is_err()), "{broken}");
        }
    }

    #[test]
    fn numbers_end_where_their_range_ends() {
        assert_eq!(number(b"00255", 255), Ok(255));
        assert_eq!(number(b"256", 255), Err(NotANumber::Range));
        assert_eq!(number(b"9999999999999999999", u64::MAX), Ok(9_999_999_999_999_999_999));
        assert_eq!(number(b"18446744073709551615", u64::MAX), Ok(u64::MAX));
        assert_eq!(number(b"18446744073709551616", u64::MAX), Err(NotANumber::Range));
        assert_eq!(number(b"99999999999999999999999", u64::MAX), Err(NotANumber::Range));
        assert_eq!(number(b"00000000000000000000007", u64::MAX), Ok(7));
        for no_number in ["", "-1", "+1", "1 2", "1a"] {
            assert_eq!(number(no_number.as_bytes(), 255), Err(NotANumber::Syntax), "{no_number}");
        }
    }

    #[test]
    fn escapes_decode_and_folds_become_blanks() {
        assert_eq!(percent_decode(b"%61lice%20b%zz%4"), &b"alice b%zz%4"[..]);
        assert!(escapes_are_whole(b"%23a%7f") && !escapes_are_whole(b"a%2") && !escapes_are_whole(b"%zz"));
        assert_eq!(unfold(b"a\r\n  b \n\tc"), &b"a b c"[..]);
        assert_eq!(unescape(br#"a\"b\\"#), &br#"a"b\"#[..]);
    }
}
