//! Fields of tag, length and value, one byte each for the first two: the part of every form here that may grow.

/// A field that is cut off by the end of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Torn;

/// Tags from here on must be understood by the reader.
pub(super) const MUST: u8 = 128;

/// Walks the fields in order.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u8, &'a [u8]), Torn>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let taken = take(&mut self.0);
        if taken.is_none() {
            self.0 = &[];
        }
        Some(taken.ok_or(Torn))
    }
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let tag = byte(rest)?;
    let length = byte(rest)?;
    Some((tag, slice(rest, usize::from(length))?))
}

/// Takes one byte off the front.
pub(super) fn byte(rest: &mut &[u8]) -> Option<u8> {
    array::<1>(rest).map(|[byte]| byte)
}

/// Takes `N` bytes off the front.
pub(super) fn array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

/// Takes `length` bytes off the front.
pub(super) fn slice<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(head)
}

/// Takes a time in milliseconds of 6 bytes off the front: enough for 8,000 years.
pub(super) fn millis(rest: &mut &[u8]) -> Option<u64> {
    array::<6>(rest).map(|bytes| bytes.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
}

/// Appends a time in milliseconds as 6 bytes.
pub(super) fn put_millis(out: &mut Vec<u8>, millis: u64) {
    out.extend_from_slice(&millis.to_be_bytes()[2..]);
}

/// Appends a field; a value of more than 255 bytes is the caller's error and is cut.
pub(super) fn put(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    let value = &value[..value.len().min(255)];
    out.extend_from_slice(&[tag, value.len() as u8]);
    out.extend_from_slice(value);
}

/// Appends a field with a number, without leading zero bytes.
pub(super) fn put_number(out: &mut Vec<u8>, tag: u8, number: u64) {
    let bytes = number.to_be_bytes();
    put(out, tag, &bytes[(number.leading_zeros() / 8) as usize..]);
}

/// The number in a field; `None` if it has more than 8 bytes.
pub(super) fn number(value: &[u8]) -> Option<u64> {
    (value.len() <= 8).then(|| value.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
}

/// The longest beginning of `text` of at most `most` bytes.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_field_comes_back_and_a_torn_one_ends_the_walk() {
        let mut out = Vec::new();
        put(&mut out, 7, b"abc");
        put_number(&mut out, 8, 0);
        put_number(&mut out, 9, 0x1234);
        let fields: Result<Vec<_>, _> = Fields(&out).collect();
        assert_eq!(fields, Ok(vec![(7, b"abc".as_slice()), (8, b"".as_slice()), (9, b"\x12\x34".as_slice())]));
        assert_eq!(Fields(&out[..4]).collect::<Vec<_>>(), [Err(Torn)]);
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!((cut("Zoë", 3), cut("Zoë", 4), cut("", 4)), ("Zo", "Zoë", ""));
    }

    proptest! {
        #[test]
        fn numbers_come_back(value: u64) {
            let mut out = Vec::new();
            put_number(&mut out, 1, value);
            prop_assert_eq!(number(&out[2..]), Some(value));
        }
    }
}
