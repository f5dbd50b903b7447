//! The known word that a mistyped one was probably meant to be.

/// The nearest of `known`, if it is near enough to be worth saying.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let near = (word.chars().count() / 3).max(2);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= near && distance < candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

/// `; did you mean …?`, or the list of what is known, or nothing.
pub fn hint<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(word, known.iter().copied()) {
        Some(instead) => format!("; did you mean `{instead}`?"),
        None if known.is_empty() || known.len() > 12 => String::new(),
        None => format!("; there is {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_nonsense_finds_none() {
        let known = ["extension", "name", "password"];
        assert_eq!(nearest("extention", known), Some("extension"));
        assert_eq!(nearest("pasword", known), Some("password"));
        assert_eq!(nearest("colour", known), None);
    }
}
