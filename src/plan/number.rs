//! The number template of a short code (SPEC 6.3): what is sent, and how the calling number shows.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

/// One piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    /// `N`: what `X` and `N` of the code took.
    Matched,
    /// `.`: all that was dialled.
    Whole,
    /// `E`: the caller's extension.
    Extension,
    /// `U`: the caller's name.
    Name,
}

/// The calling number that a template asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallingNumber {
    /// `S…`: this one.
    Set(String),
    /// `SS`: the one that came with the call.
    Original,
}

/// What a number carries beside its digits. Of two templates in a row the later one's wishes count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Modifiers {
    /// `"…@host"`: the host of the Request-URI, with its port if there is one.
    pub host: Option<String>,
    /// `S` and `SS`.
    pub calling: Option<CallingNumber>,
    /// `A` shows, `W` withholds the calling number (RFC 3323).
    pub show: Option<bool>,
    /// `Z"…"`: the calling name.
    pub name: Option<String>,
    /// `p(x)`: 1 low … 5 high.
    pub priority: Option<u8>,
    /// `t(x)`: longest call in minutes.
    pub minutes: Option<u16>,
    /// `r(x)`: ring pattern 1 … 8, for Alert-Info.
    pub ring: Option<u8>,
}

impl Modifiers {
    /// These, and where they are silent those of `earlier`.
    pub(super) fn or(self, earlier: &Modifiers) -> Modifiers {
        Modifiers {
            host: self.host.or_else(|| earlier.host.clone()),
            calling: self.calling.or_else(|| earlier.calling.clone()),
            show: self.show.or(earlier.show),
            name: self.name.or_else(|| earlier.name.clone()),
            priority: self.priority.or(earlier.priority),
            minutes: self.minutes.or(earlier.minutes),
            ring: self.ring.or(earlier.ring),
        }
    }
}

/// A compiled template.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Template {
    text: Box<str>,
    number: Vec<Piece>,
    calling: Option<Vec<Piece>>,
    fixed: Option<Box<Modifiers>>,
}

/// A template with at most one piece that what was dialled decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) before: String,
    pub(super) varies: Varies,
    pub(super) after: String,
}

/// What that piece holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Varies {
    Not,
    Matched,
    Whole,
}

/// What a template is filled with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filling<'a> {
    pub(super) matched: &'a str,
    pub(super) whole: &'a str,
    pub(super) extension: &'a str,
    pub(super) name: &'a str,
}

/// Why a text is no template; positions count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// What only another kind of line knows.
    #[error("`{0}` at character {1}: {2}")]
    Foreign(char, usize, &'static str),
    /// What no template has.
    #[error(
        "`{0}` at character {1} does not belong in a number: 0-9 * # + stand for themselves, N is what X and N matched, `.` all that was dialled, E and U the caller's extension and name, other text stands in quotes"
    )]
    Character(char, usize),
    /// `"` without its partner.
    #[error("the quote at character {0} is not closed")]
    Quote(usize),
    /// `p`, `t` and `r` take `(number)`.
    #[error("`{0}` at character {1} takes a number from {2} to {3} in parentheses, as in `{0}({2})`")]
    Argument(char, usize, u16, u16),
    /// `Z` takes a quoted name.
    #[error("`Z` at character {0} takes a name in quotes, as in Z\"Reception\"")]
    CallingName(usize),
    /// Said twice.
    #[error("`{0}` at character {1} is said twice, or against an earlier one")]
    Twice(char, usize),
    /// `S` and no number.
    #[error("`S` at character {0} sets the calling number, and none follows")]
    NoCalling(usize),
    /// No host.
    #[error("the quote at character {0} has no host name behind its `@`")]
    Host(usize),
}

impl Template {
    /// Reads a template.
    pub(super) fn parse(text: &str) -> Result<Self, NumberError> {
        Reader::new(text).read()
    }

    /// As written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The first character that is no literal digit, and its place from 1.
    pub(super) fn first_not_literal(&self) -> Option<(char, usize)> {
        (1..)
            .zip(self.text.chars())
            .map(|(at, c)| (c, at))
            .find(|(c, _)| !c.is_ascii_digit() && !matches!(c, '*' | '#' | '+'))
    }

    /// The first modifier among `refused`, outside quotes, and its place from 1.
    pub(super) fn first_of(&self, refused: &[char]) -> Option<(char, usize)> {
        let mut quoted = false;
        (1..).zip(self.text.chars()).map(|(at, c)| (c, at)).find(|(c, _)| {
            quoted ^= *c == '"';
            !quoted && refused.contains(c)
        })
    }

    /// Whether it sets a host.
    pub(super) fn has_host(&self) -> bool {
        self.fixed.as_ref().is_some_and(|fixed| fixed.host.is_some())
    }

    /// The number as text before and after the one piece that what was dialled decides; `None` where there are two such pieces.
    pub(super) fn shape(&self, extension: &str, name: &str) -> Option<Shape> {
        let mut shape = Shape { before: String::new(), varies: Varies::Not, after: String::new() };
        for piece in &self.number {
            let varies = match piece {
                Piece::Matched => Varies::Matched,
                Piece::Whole => Varies::Whole,
                Piece::Text(_) | Piece::Extension | Piece::Name => {
                    let text = match piece {
                        Piece::Text(text) => text,
                        Piece::Extension => extension,
                        Piece::Name => name,
                        Piece::Matched | Piece::Whole => "",
                    };
                    if shape.varies == Varies::Not { &mut shape.before } else { &mut shape.after }.push_str(text);
                    continue;
                }
            };
            if shape.varies != Varies::Not {
                return None;
            }
            shape.varies = varies;
        }
        Some(shape)
    }

    /// The number.
    pub(super) fn number<'a>(&'a self, filling: &Filling<'a>) -> Cow<'a, str> {
        fill(&self.number, filling)
    }

    /// What goes with the number.
    pub(super) fn modifiers(&self, filling: &Filling<'_>) -> Modifiers {
        let mut modifiers = self.fixed.as_deref().cloned().unwrap_or_default();
        if let Some(calling) = &self.calling {
            modifiers.calling = Some(CallingNumber::Set(fill(calling, filling).into_owned()));
        }
        modifiers
    }
}

impl Shape {
    /// Passes on whatever was dialled.
    pub(super) fn whole() -> Self {
        Self { before: String::new(), varies: Varies::Whole, after: String::new() }
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

fn fill<'a>(pieces: &'a [Piece], filling: &Filling<'a>) -> Cow<'a, str> {
    let text = |piece: &'a Piece| match piece {
        Piece::Text(text) => text,
        Piece::Matched => filling.matched,
        Piece::Whole => filling.whole,
        Piece::Extension => filling.extension,
        Piece::Name => filling.name,
    };
    match pieces {
        [piece] => Cow::Borrowed(text(piece)),
        pieces => {
            let mut filled = String::with_capacity(pieces.iter().map(|piece| text(piece).len()).sum());
            filled.extend(pieces.iter().map(text));
            Cow::Owned(filled)
        }
    }
}

struct Reader<'a> {
    rest: std::iter::Peekable<std::iter::Zip<std::ops::RangeFrom<usize>, std::str::Chars<'a>>>,
    template: Template,
    modifiers: Modifiers,
    calling_at: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: (1..).zip(text.chars()).peekable(),
            template: Template { text: text.into(), number: Vec::new(), calling: None, fixed: None },
            modifiers: Modifiers::default(),
            calling_at: 0,
        }
    }

    fn read(mut self) -> Result<Template, NumberError> {
        while let Some((at, c)) = self.rest.next() {
            match c {
                '0'..='9' | '*' | '#' | '+' => self.text(c.encode_utf8(&mut [0; 4])),
                'N' => self.push(Piece::Matched),
                '.' => self.push(Piece::Whole),
                'E' => self.push(Piece::Extension),
                'U' => self.push(Piece::Name),
                '"' => {
                    let text = self.quoted(at)?;
                    self.quoted_piece(at, &text)?;
                }
                'S' => self.calling(at)?,
                'A' | 'W' => once(&mut self.modifiers.show, c == 'A', c, at)?,
                'Z' => self.name(at)?,
                'p' => {
                    let value = self.argument(c, at, 1, 5)? as u8;
                    once(&mut self.modifiers.priority, value, c, at)?;
                }
                't' => {
                    let value = self.argument(c, at, 1, 1440)?;
                    once(&mut self.modifiers.minutes, value, c, at)?;
                }
                'r' => {
                    let value = self.argument(c, at, 1, 8)? as u8;
                    once(&mut self.modifiers.ring, value, c, at)?;
                }
                _ => return Err(refused(c, at)),
            }
        }
        if self.template.calling.as_ref().is_some_and(Vec::is_empty) {
            return Err(NumberError::NoCalling(self.calling_at));
        }
        if self.modifiers != Modifiers::default() {
            self.template.fixed = Some(Box::new(self.modifiers));
        }
        Ok(self.template)
    }

    /// What follows an `S` is the calling number, everything else the called one.
    fn pieces(&mut self) -> &mut Vec<Piece> {
        self.template.calling.as_mut().unwrap_or(&mut self.template.number)
    }

    fn push(&mut self, piece: Piece) {
        self.pieces().push(piece);
    }

    fn text(&mut self, more: &str) {
        match self.pieces().last_mut() {
            Some(Piece::Text(text)) => *text = format!("{text}{more}").into(),
            _ => self.push(Piece::Text(more.into())),
        }
    }

    fn quoted(&mut self, at: usize) -> Result<String, NumberError> {
        let mut text = String::new();
        loop {
            match self.rest.next() {
                Some((_, '"')) => return Ok(text),
                Some((_, c)) => text.push(c),
                None => return Err(NumberError::Quote(at)),
            }
        }
    }

    /// Quoted text is literal; what stands behind its `@` is the host.
    fn quoted_piece(&mut self, at: usize, text: &str) -> Result<(), NumberError> {
        let Some((user, host)) = text.split_once('@') else {
            self.text(text);
            return Ok(());
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        if host.is_empty() || !host.chars().all(fits) {
            return Err(NumberError::Host(at));
        }
        if !user.is_empty() && self.template.calling.is_some() {
            // what follows an S is the calling number, and a host is the called one's
            return Err(NumberError::Host(at));
        }
        if !user.is_empty() {
            self.text(user);
        }
        once(&mut self.modifiers.host, host.to_owned(), '"', at)
    }

    fn calling(&mut self, at: usize) -> Result<(), NumberError> {
        if self.template.calling.is_some() || self.modifiers.calling.is_some() {
            return Err(NumberError::Twice('S', at));
        }
        if self.rest.next_if(|(_, c)| *c == 'S').is_some() {
            self.modifiers.calling = Some(CallingNumber::Original);
        } else {
            self.calling_at = at;
            self.template.calling = Some(Vec::new());
        }
        Ok(())
    }

    fn name(&mut self, at: usize) -> Result<(), NumberError> {
        let Some((quote, _)) = self.rest.next_if(|(_, c)| *c == '"') else { return Err(NumberError::CallingName(at)) };
        let name = self.quoted(quote)?;
        once(&mut self.modifiers.name, name, 'Z', at)
    }

    fn argument(&mut self, c: char, at: usize, least: u16, most: u16) -> Result<u16, NumberError> {
        let error = NumberError::Argument(c, at, least, most);
        if self.rest.next_if(|(_, c)| *c == '(').is_none() {
            return Err(error);
        }
        let mut digits = String::new();
        while let Some((_, digit)) = self.rest.next_if(|(_, c)| c.is_ascii_digit()) {
            digits.push(digit);
        }
        if self.rest.next_if(|(_, c)| *c == ')').is_none() {
            return Err(error);
        }
        digits.parse().ok().filter(|value| (least..=most).contains(value)).ok_or(error)
    }
}

fn once<T>(slot: &mut Option<T>, value: T, c: char, at: usize) -> Result<(), NumberError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(NumberError::Twice(c, at)),
    }
}

fn refused(c: char, at: usize) -> NumberError {
    let why = match c {
        '@' => "ISDN sub-addresses do not exist in SIP; a host is set by quoted text, as in N\"@carrier.example\"",
        ';' => "it belongs at the end of the code; in SIP a number is always complete",
        ',' | 'D' | 'Y' => "digits after the answer are for the phone to send: the site does not touch the media",
        'C' | 'K' => "Called Party and Keypad fields exist in ISDN only",
        'I' | 'i' | 'V' => "numbering plans and information packets exist in ISDN only",
        'L' | 'l' => "the site keeps no last number; the phone's own redial knows it",
        'h' => "music on hold comes from the phones",
        'X' => "X stands in codes; what it matched is part of N here",
        '?' => "the default match stands in codes",
        's' | 'n' | 'e' | 'u' | 'a' | 'w' | 'z' => {
            "the letters of a number template are upper case; other text stands in quotes"
        }
        _ => return NumberError::Character(c, at),
    };
    NumberError::Foreign(c, at, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILLING: Filling<'_> = Filling { matched: "23", whole: "*5*23", extension: "201", name: "Ada" };

    fn built(text: &str) -> (String, Modifiers) {
        let template = Template::parse(text).expect("a template");
        (template.number(&FILLING).into_owned(), template.modifiers(&FILLING))
    }

    #[test]
    fn letters_are_filled_and_literals_kept() {
        assert_eq!(built("+44N#.E*"), ("+4423#*5*23201*".into(), Modifiers::default()));
        assert_eq!(built("U").0, "Ada");
        assert_eq!(built("\"N.E\"N").0, "N.E23");
    }

    #[test]
    fn quoted_text_with_an_at_sets_the_host() {
        let (number, modifiers) = built("N\"7@carrier.example:5080\"");
        assert_eq!((number.as_str(), modifiers.host.as_deref()), ("237", Some("carrier.example:5080")));
        assert_eq!(Template::parse("N\"@\""), Err(NumberError::Host(2)));
        assert_eq!(Template::parse("N\"@a b\""), Err(NumberError::Host(2)));
    }

    #[test]
    fn the_calling_number_follows_the_s() {
        let (number, modifiers) = built("NS020ENW");
        assert_eq!((number.as_str(), modifiers.show), ("23", Some(false)));
        assert_eq!(modifiers.calling, Some(CallingNumber::Set("02020123".into())));
        assert_eq!(built(".SS").1.calling, Some(CallingNumber::Original));
        assert_eq!(Template::parse("NS"), Err(NumberError::NoCalling(2)));
        assert_eq!(Template::parse("NSSS1"), Err(NumberError::Twice('S', 4)));
        assert_eq!(Template::parse("NAW"), Err(NumberError::Twice('W', 3)));
    }

    #[test]
    fn arguments_have_their_ranges() {
        let modifiers = built("Np(5)t(1440)r(8)Z\"Front desk\"").1;
        assert_eq!((modifiers.priority, modifiers.minutes, modifiers.ring), (Some(5), Some(1440), Some(8)));
        assert_eq!(modifiers.name.as_deref(), Some("Front desk"));
        for wrong in ["Np(6)", "Np(0)", "Nt(1441)", "Nr(9)", "Np", "Np(", "Np(1", "Nt()", "Nt(99999)"] {
            assert!(matches!(Template::parse(wrong), Err(NumberError::Argument(_, 2, _, _))), "{wrong}");
        }
        assert_eq!(Template::parse("NZReception"), Err(NumberError::CallingName(2)));
        assert_eq!(Template::parse("Z\"x"), Err(NumberError::Quote(2)));
    }

    #[test]
    fn what_only_isdn_knows_is_refused_with_a_reason() {
        for wrong in ["N@1", "N;", "N,", "NX", "NK", "Nl", "Nh(1)", "NI"] {
            assert!(matches!(Template::parse(wrong), Err(NumberError::Foreign(_, 2, _))), "{wrong}");
        }
        assert_eq!(Template::parse("N 1"), Err(NumberError::Character(' ', 2)));
        assert_eq!(Template::parse("né"), Err(refused('n', 1)));
    }
}
