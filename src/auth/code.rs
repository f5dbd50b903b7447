//! Login codes (SPEC 10.1): compared by their hash, in the same time whatever is wrong with them.

use crate::ids::Extension;
use crate::settings::{DigestAlgorithm, LoginCode};
use crate::sip::digest;

/// A code as `login_code_hash` has it: SHA-256 of `extension:realm:digits`, 64 lower-case hexadecimal digits.
pub fn code_hash(extension: &Extension, realm: &str, digits: &str) -> String {
    let (extension, realm) = (extension.as_str().as_bytes(), realm.as_bytes());
    digest::ha1(DigestAlgorithm::Sha256, extension, realm, digits.as_bytes()).as_str().to_owned()
}

/// The same, whichever way the file has it.
pub fn hash_of_code(code: &LoginCode, extension: &Extension, realm: &str) -> String {
    match code {
        LoginCode::Plain(digits) => code_hash(extension, realm, digits),
        LoginCode::Hash(hash) => hash.to_ascii_lowercase(),
    }
}

/// Whether the digits are those of the hash.
pub fn is_code(hash: &str, extension: &Extension, realm: &str, digits: &str) -> bool {
    let given = code_hash(extension, realm, digits);
    let differ = given.bytes().zip(hash.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    given.len() == hash.len() && differ == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_by_its_hash_and_by_no_other_user_of_the_same_digits() {
        let (ada, charles) = (Extension::new("201"), Extension::new("202"));
        let hash = hash_of_code(&LoginCode::Plain("1234".to_owned()), &ada, "r");
        assert_eq!(hash, hash_of_code(&LoginCode::Hash(hash.to_ascii_uppercase()), &ada, "r"));
        assert!(is_code(&hash, &ada, "r", "1234"));
        assert!(!is_code(&hash, &ada, "r", "1235") && !is_code(&hash, &ada, "r", ""));
        assert!(!is_code(&hash, &charles, "r", "1234") && !is_code(&hash, &ada, "q", "1234"));
        assert!(!is_code("", &ada, "r", "") && !is_code(&hash[..63], &ada, "r", "1234"));
    }
}
