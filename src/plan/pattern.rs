//! The dialled pattern of a short code (SPEC 6.1), and which of two patterns fits better (SPEC 6.2).

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use smallvec::SmallVec;

/// Most characters of a code.
pub const LONGEST_CODE: usize = 31;

/// One place of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Element {
    /// This very character.
    Literal(u8),
    /// `X`: one digit 0-9.
    Digit,
    /// `N`: any run of `0-9 * # +`, also empty.
    Run,
}

/// A code as compiled: `9N;`, `*35*N#`, or `?`, the default match.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    elements: Box<[Element]>,
}

/// Why a text is no code; positions count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing there, or nothing before the `;`.
    #[error("a code needs at least one digit")]
    Empty,
    /// Longer than [`LONGEST_CODE`].
    #[error("a code has at most {LONGEST_CODE} characters, this one has {0}")]
    Long(usize),
    /// `;` before the end.
    #[error("`;` at character {0}: it may only be the last character")]
    Semicolon(usize),
    /// `?` among others.
    #[error("`?` at character {0}: the default match stands alone")]
    Question(usize),
    /// What no code has.
    #[error(
        "`{0}` at character {1} does not belong in a code: 0-9 * # + and letters stand for themselves, X is one digit, N any digits, `;` may end it, and `?` alone is the default match"
    )]
    Character(char, usize),
}

impl Pattern {
    /// Reads a code.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let length = text.chars().count();
        if length > LONGEST_CODE {
            return Err(PatternError::Long(length));
        }
        if text == "?" {
            return Ok(Self { text: text.into(), elements: Box::default() });
        }
        let mut elements = Vec::with_capacity(length);
        for (place, c) in (1..).zip(text.chars()) {
            match c {
                'X' => elements.push(Element::Digit),
                // `NN` is `N`: two runs side by side take what one takes
                'N' if elements.last() == Some(&Element::Run) => {}
                'N' => elements.push(Element::Run),
                '0'..='9' | '*' | '#' | '+' | 'a'..='z' | 'A'..='Z' => elements.push(Element::Literal(c as u8)),
                ';' if place == length => {}
                ';' => return Err(PatternError::Semicolon(place)),
                '?' => return Err(PatternError::Question(place)),
                _ => return Err(PatternError::Character(c, place)),
            }
        }
        if elements.is_empty() {
            return Err(PatternError::Empty);
        }
        Ok(Self { text: text.into(), elements: elements.into() })
    }

    /// The code as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `?`: what nothing else matches.
    pub fn is_default(&self) -> bool {
        self.elements.is_empty()
    }

    pub(super) fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The characters before the first `X` or `N`.
    pub(super) fn literal_start(&self) -> &str {
        let length = self.elements.iter().take_while(|e| matches!(e, Element::Literal(_))).count();
        self.text.get(..length).unwrap_or_default()
    }

    /// The first character that is no literal, and its place from 1.
    pub(super) fn first_wildcard(&self) -> Option<(char, usize)> {
        (1..).zip(self.text.chars()).map(|(place, c)| (c, place)).find(|(c, _)| matches!(c, 'X' | 'N' | '?'))
    }

    /// What decides between this code and others that match the same string; `place` is its row.
    pub(super) fn rank(&self, place: u32) -> Rank {
        let count = |wanted: fn(&Element) -> bool| self.elements.iter().filter(|e| wanted(e)).count() as u8;
        Rank {
            missing_literals: u8::MAX - count(|e| matches!(e, Element::Literal(_))),
            has_run: self.elements.contains(&Element::Run),
            missing_digits: u8::MAX - count(|e| matches!(e, Element::Digit)),
            place,
        }
    }

    /// The characters of `text` that `X` and `N` took, in order, if the whole of it matches.
    ///
    /// Where several splits are possible each `N`, from the left, takes as little as it can: a search that costs the product of the two lengths.
    pub(super) fn matched<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        if self.is_default() {
            return Some(Cow::Borrowed(""));
        }
        let runs = self.elements.iter().filter(|e| **e == Element::Run).count();
        if runs > 1 { self.split(text).map(Cow::Owned) } else { self.split_once(text) }
    }

    /// With one `N` at most there is one way to split the text: what stands before the run, what it takes, what stands behind it.
    fn split_once<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        let bytes = text.as_bytes();
        let run = self.elements.iter().position(|e| *e == Element::Run);
        let (before, after) = match run {
            Some(at) => (self.elements.get(..at)?, self.elements.get(at + 1..)?),
            None => (&*self.elements, &[][..]),
        };
        let end = bytes.len().checked_sub(after.len())?;
        let (head, taken, tail) = (bytes.get(..before.len())?, bytes.get(before.len()..end)?, bytes.get(end..)?);
        let may_take = run.is_some() && !(tail.is_empty() && taken.ends_with(b"#")) && taken.iter().all(|&c| runs(c));
        let fits = |(element, &c): (&Element, &u8)| match element {
            Element::Literal(literal) => *literal == c,
            Element::Digit => c.is_ascii_digit(),
            Element::Run => false,
        };
        if !(taken.is_empty() || may_take) || !before.iter().zip(head).all(fits) || !after.iter().zip(tail).all(fits) {
            return None;
        }
        Some(self.wild(text, before.len()..end))
    }

    /// What `X` and `N` took of a text that matches, of which the run took the characters `run`. Mostly the wildcards stand side by side.
    fn wild<'t>(&self, text: &'t str, run: Range<usize>) -> Cow<'t, str> {
        let (length, literal) = (self.elements.len(), |element: &&Element| matches!(element, Element::Literal(_)));
        let first = self.elements.iter().take_while(literal).count();
        let last = self.elements.iter().rev().take_while(literal).count().min(length - first);
        let (mut between, rest) = (self.elements.iter().skip(first).take(length - first - last), text.len() - last);
        if !between.any(|element| literal(&element)) {
            return Cow::Borrowed(text.get(first..rest).unwrap_or_default());
        }
        let element = |at: usize| match at {
            before if before < run.start => before,
            taken if taken < run.end => run.start,
            behind => behind + length - text.len(),
        };
        let is_wild = |at: usize| self.elements.get(element(at)).is_some_and(|element| !literal(&element));
        text.char_indices().filter(|(at, _)| is_wild(*at)).map(|(_, c)| c).collect()
    }

    fn split(&self, text: &str) -> Option<String> {
        let text = text.as_bytes();
        let reach = self.reach(text);
        let (mut at, mut element, mut taken) = (0, 0, String::new());
        let possible = |at: usize, element: usize| reach.get(at).is_some_and(|bits| bits >> element & 1 == 1);
        if !possible(0, 0) {
            return None;
        }
        while let Some(here) = self.elements.get(element) {
            if *here == Element::Run && possible(at, element + 1) {
                element += 1;
                continue;
            }
            let c = *text.get(at)?;
            if !matches!(here, Element::Literal(_)) {
                taken.push(char::from(c));
            }
            element += usize::from(*here != Element::Run);
            at += 1;
        }
        Some(taken)
    }

    /// Bit `e` of entry `t`: the elements from `e` on match the text from `t` on. A code has at most 31 elements.
    fn reach(&self, text: &[u8]) -> SmallVec<[u32; 36]> {
        let mut reach: SmallVec<[u32; 36]> = SmallVec::from_elem(0, text.len() + 1);
        let mut behind = 0u32;
        for at in (0..=text.len()).rev() {
            let mut here = u32::from(at == text.len()) << self.elements.len();
            for (e, element) in self.elements.iter().enumerate().rev() {
                let after_one = |next: usize| behind >> next & 1 == 1;
                let fits = match (*element, text.get(at)) {
                    (Element::Literal(p), Some(&c)) => p == c && after_one(e + 1),
                    (Element::Digit, Some(c)) => c.is_ascii_digit() && after_one(e + 1),
                    (Element::Run, Some(&c)) if runs(c) && !(c == b'#' && at + 1 == text.len()) => {
                        after_one(e) || here >> (e + 1) & 1 == 1
                    }
                    (Element::Run, _) => here >> (e + 1) & 1 == 1,
                    (Element::Literal(_) | Element::Digit, None) => false,
                };
                here |= u32::from(fits) << e;
            }
            if let Some(entry) = reach.get_mut(at) {
                *entry = here;
            }
            behind = here;
        }
        reach
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

/// Whether `N` may take the character.
pub(super) fn runs(c: u8) -> bool {
    c.is_ascii_digit() || matches!(c, b'*' | b'#' | b'+')
}

/// SPEC 6.2: most literals, then no `N` before `N`, then most `X`, then first in the file. The least rank wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    missing_literals: u8,
    has_run: bool,
    missing_digits: u8,
    place: u32,
}

impl Rank {
    /// The row.
    pub(super) fn place(self) -> usize {
        self.place as usize
    }

    /// Why this one lost to `winner`.
    pub(super) fn lost_to(self, winner: Rank) -> String {
        let (mine, best) = (u8::MAX - self.missing_literals, u8::MAX - winner.missing_literals);
        if mine != best {
            return format!("{mine} {}, the winner has {best}", if mine == 1 { "literal" } else { "literals" });
        }
        if self.has_run != winner.has_run {
            return "as many literals, but N takes any length".to_owned();
        }
        let (mine, best) = (u8::MAX - self.missing_digits, u8::MAX - winner.missing_digits);
        if mine != best {
            return format!("as many literals, but {mine} X, the winner has {best}");
        }
        "as good, but later in the file".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(code: &str, text: &str) -> Option<String> {
        Pattern::parse(code).expect("a code").matched(text).map(Cow::into_owned)
    }

    #[test]
    fn a_code_has_one_to_thirty_one_characters() {
        assert_eq!(Pattern::parse(""), Err(PatternError::Empty));
        assert_eq!(Pattern::parse(";"), Err(PatternError::Empty));
        assert!(Pattern::parse(&"1".repeat(31)).is_ok());
        assert_eq!(Pattern::parse(&"1".repeat(32)), Err(PatternError::Long(32)));
    }

    #[test]
    fn what_does_not_belong_is_pointed_at() {
        assert_eq!(Pattern::parse("9N-1"), Err(PatternError::Character('-', 3)));
        assert_eq!(Pattern::parse("9;N"), Err(PatternError::Semicolon(2)));
        assert_eq!(Pattern::parse("9?"), Err(PatternError::Question(2)));
        assert_eq!(Pattern::parse("9é"), Err(PatternError::Character('é', 2)));
        assert_eq!(Pattern::parse("[9]N"), Err(PatternError::Character('[', 1)));
    }

    #[test]
    fn lower_case_x_and_n_are_letters() {
        assert_eq!(matched("xn", "xn"), Some(String::new()));
        assert_eq!(matched("xn", "12"), None);
    }

    #[test]
    fn the_digits_of_x_and_n_are_taken_in_order() {
        assert_eq!(matched("1XXN", "12345").as_deref(), Some("2345"));
        assert_eq!(matched("*35*N#", "*35*204*1234#").as_deref(), Some("204*1234"));
        assert_eq!(matched("*35*N#", "*35*204*1234"), None);
        assert_eq!(matched("60N", "60").as_deref(), Some(""));
        assert_eq!(matched("X1X", "213").as_deref(), Some("23"));
    }

    #[test]
    fn literals_between_wildcards_are_left_out() {
        assert_eq!(matched("7X8N", "71823").as_deref(), Some("123"));
        assert_eq!(matched("7X8N", "718").as_deref(), Some("1"));
        assert_eq!(matched("7N8X", "7881").as_deref(), Some("81"));
        assert_eq!(matched("N8X9", "81239"), None);
        assert_eq!(matched("N8X9", "1239"), None);
        assert_eq!(matched("XX9", "129").as_deref(), Some("12"));
        assert_eq!(matched("X9X", "192").as_deref(), Some("12"));
        assert_eq!(matched("789", "789").as_deref(), Some(""));
        assert_eq!(matched("7N", "7é"), None);
    }

    #[test]
    fn each_run_from_the_left_takes_as_little_as_it_can() {
        assert_eq!(matched("N*N#", "1*2*3#").as_deref(), Some("12*3"));
        assert_eq!(matched("NXN", "12").as_deref(), Some("12"));
        assert_eq!(matched(&"N1".repeat(15), &"1".repeat(4000)), Some("1".repeat(4000 - 15)));
    }

    #[test]
    fn wildcards_never_take_a_final_hash() {
        assert_eq!(matched("6N", "6#"), None);
        assert_eq!(matched("6N", "6##"), None);
        assert_eq!(matched("6N1", "6##1").as_deref(), Some("##"));
        assert_eq!(matched("6N#", "6##").as_deref(), Some("#"));
        assert_eq!(matched("6X", "6#"), None);
    }
}
