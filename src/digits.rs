//! The extension patterns that a site owns, such as `2XX`.
//!
//! Literals and `X` (one digit) name numbers; in lab mode letters are literals too and a final `N` takes any run of digits
//! (SPEC 1, 4.7).

use std::fmt;

/// One of a site's extension patterns.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensionPattern(Box<str>);

/// Why a text is no extension pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing there, or more than 31 characters.
    #[error("an extension pattern has 1 to 31 characters, not {0}")]
    Length(usize),
    /// A character that does not belong there, and its place from 0.
    #[error("`{0}` at position {1} does not belong in an extension pattern: digits, `X`, letters, or a final `N`")]
    Character(char, usize),
}

impl ExtensionPattern {
    /// Reads digits, `X`, lower-case letters (literals) and a final `N`.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let length = text.chars().count();
        if length == 0 || length > 31 {
            return Err(PatternError::Length(length));
        }
        let wrong = text.chars().enumerate().find(|&(at, c)| match c {
            '0'..='9' | 'a'..='z' | 'X' => false,
            'N' => at + 1 != length,
            _ => true,
        });
        match wrong {
            Some((at, c)) => Err(PatternError::Character(c, at)),
            None => Ok(Self(text.into())),
        }
    }

    /// Whether `extension` is one of those that the pattern names.
    pub fn matches(&self, extension: &str) -> bool {
        let (fixed, open) = match self.0.strip_suffix('N') {
            Some(fixed) => (fixed, true),
            None => (&*self.0, false),
        };
        let (text, length) = (extension.as_bytes(), fixed.len());
        (if open { text.len() >= length } else { text.len() == length })
            && fixed.bytes().zip(text).all(|(p, &c)| if p == b'X' { c.is_ascii_digit() } else { p == c })
            && text[length..].iter().all(u8::is_ascii_digit)
    }

    /// Whether some extension fits both patterns.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (a, b) = (self.0.as_bytes(), other.0.as_bytes());
        let meet = |p: u8, q: u8| match (p, q) {
            (b'X', q) => q == b'X' || q.is_ascii_digit(),
            (p, b'X') => p.is_ascii_digit(),
            (p, q) => p == q,
        };
        let rest = |tail: &[u8]| tail.iter().all(|&c| c == b'X' || c == b'N' || c.is_ascii_digit());
        for at in 0.. {
            match (a.get(at), b.get(at)) {
                (None, None) => return true,
                (Some(b'N'), _) => return rest(&b[at.min(b.len())..]),
                (_, Some(b'N')) => return rest(&a[at.min(a.len())..]),
                (Some(&p), Some(&q)) if meet(p, q) => {}
                _ => return false,
            }
        }
        false
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExtensionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ExtensionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> ExtensionPattern {
        ExtensionPattern::parse(text).expect("a pattern")
    }

    #[test]
    fn a_pattern_takes_its_numbers_and_no_others() {
        assert!(pattern("2XX").matches("201"));
        assert!(!pattern("2XX").matches("20") && !pattern("2XX").matches("2011") && !pattern("2XX").matches("2a1"));
        assert!(pattern("uN").matches("u17") && pattern("uN").matches("u") && !pattern("uN").matches("ux"));
        assert_eq!(ExtensionPattern::parse("2N1"), Err(PatternError::Character('N', 1)));
        assert_eq!(ExtensionPattern::parse(""), Err(PatternError::Length(0)));
    }

    #[test]
    fn patterns_overlap_where_one_number_fits_both() {
        assert!(pattern("2XX").overlaps(&pattern("20X")) && pattern("2XX").overlaps(&pattern("N")));
        assert!(!pattern("2XX").overlaps(&pattern("3XX")) && !pattern("2XX").overlaps(&pattern("2XXX")));
        assert!(!pattern("uN").overlaps(&pattern("rN")) && pattern("uN").overlaps(&pattern("u1XN")));
    }
}
