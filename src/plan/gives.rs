//! The words of SPEC 6.10: what an expectation says that a dialled string gives.

use std::fmt;

use super::feature::{Feature, nearest};

/// An outcome in the words that [`Decision::gives`](super::Decision::gives) uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gives(Box<str>);

/// Why a text is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GivesError {
    /// The first word is none of those that an outcome begins with.
    #[error("`{word}` is no outcome{}: Dial NUMBER via GROUP, Emergency NUMBER via GROUP, Extension NUMBER, Busy, Barred, 404, 484, 482, 403, 480, or a feature and its argument", meant(*nearest))]
    Word {
        /// What stands there.
        word: String,
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
    /// The words behind the first one do not fit.
    #[error("an outcome of this kind reads `{0}`")]
    Form(&'static str),
    /// A PIN.
    #[error("an outcome never names a PIN: `{0}` alone, or with the extension")]
    Pin(Feature),
}

impl Gives {
    /// Reads an outcome, at this site or ` at SITE`.
    ///
    /// # Errors
    ///
    /// What stands there is no outcome, or not the whole of one.
    pub fn parse(text: &str) -> Result<Self, GivesError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let words = match &words[..] {
            [rest @ .., "at", _] => rest,
            all => all,
        };
        let Some((first, rest)) = words.split_first() else {
            return Err(GivesError::Word { word: String::new(), nearest: None });
        };
        match (*first, rest) {
            ("Dial" | "Emergency", [_, "via", _]) | ("Extension", [_]) => {}
            ("Busy" | "Barred" | "404" | "484" | "482" | "403" | "480", []) => {}
            ("Dial", _) => return Err(GivesError::Form("Dial NUMBER via GROUP")),
            ("Emergency", _) => return Err(GivesError::Form("Emergency NUMBER via GROUP")),
            ("Extension", _) => return Err(GivesError::Form("Extension NUMBER")),
            ("Busy" | "Barred" | "404" | "484" | "482" | "403" | "480", _) => {
                return Err(GivesError::Form("Busy, Barred or the code, and nothing behind it but `at SITE`"));
            }
            (name, rest) => feature(name, rest)?,
        }
        let text: Vec<&str> = text.split_whitespace().collect();
        Ok(Self(text.join(" ").into()))
    }

    /// As written, with single spaces.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn feature(name: &str, rest: &[&str]) -> Result<(), GivesError> {
    let Some(feature) = Feature::parse(name) else {
        let others = ["Dial", "Emergency", "Extension", "Busy", "Barred"];
        let known = others.into_iter().chain(Feature::ALL.iter().map(|feature| feature.name()));
        let known: Vec<&'static str> = known.collect();
        let nearest = nearest(name, known.iter().copied());
        let nearest = nearest.and_then(|name| known.iter().copied().find(|known| *known == name));
        return Err(GivesError::Word { word: name.to_owned(), nearest });
    };
    match feature {
        Feature::DialExtn => Err(GivesError::Form("Extension NUMBER")),
        Feature::DialEmergency => Err(GivesError::Form("Emergency NUMBER via GROUP")),
        Feature::BreakOut if rest.len() > 1 => Err(GivesError::Form("BreakOut DIGITS at SITE")),
        feature if feature.takes_pin() && rest.iter().any(|word| word.contains('*')) => Err(GivesError::Pin(feature)),
        _ if rest.len() > 1 => Err(GivesError::Form("FEATURE ARGUMENT")),
        _ => Ok(()),
    }
}

impl fmt::Display for Gives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_read_and_other_words_are_not() {
        for text in [
            "Dial 0207 via pstn",
            "Dial 0123 via ptt at paris",
            "Emergency 999 via bt",
            "Extension 301 at paris",
            "Busy",
            "404 at paris",
            "480",
            "ForwardNumber 201",
            "ExtnLogout",
            "ExtnLogin 204",
        ] {
            assert!(Gives::parse(text).is_ok(), "{text}");
        }
        for text in ["", "Dial 0207", "Dial 0207 by pstn", "Extension", "Busy now", "405", "barred", "DialExtn 201"] {
            assert!(Gives::parse(text).is_err(), "{text}");
        }
        assert_eq!(Gives::parse("ExtnLogin 204*1234"), Err(GivesError::Pin(Feature::ExtnLogin)));
        let near = Gives::parse("Barrd").expect_err("no outcome");
        assert!(near.to_string().contains("did you mean `Barred`?"), "{near}");
    }
}
