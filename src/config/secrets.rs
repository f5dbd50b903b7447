//! Reads secrets from where they are kept, and makes digest hashes of passwords.

use md5::Md5;
use sha2::{Digest, Sha256};

use super::document::At;
use super::problem::Report;
use super::raw::SecretForm;
use crate::settings::{Credentials, Secret};

/// Shortest link secret in bytes.
pub const LINK_SECRET_BYTES: usize = 32;

impl Report {
    /// The secret itself, as text. One that cannot be read is an error, or where the report is lenient a warning.
    pub fn secret(&mut self, at: At<'_>, form: Option<&SecretForm>) -> Option<String> {
        let read = match form? {
            SecretForm::Literal(text) => Ok(text.clone()),
            SecretForm::File(name) => {
                let path = at.document.path(name);
                self.files.text(&path).map_err(|why| format!("cannot read {}: {why}", path.display()))
            }
            SecretForm::Env(name) => std::env::var(name).map_err(|_| format!("the environment has no `{name}`")),
        };
        match read {
            Ok(text) => {
                let text = without_newline(&text);
                if text.is_empty() {
                    self.error(at, "the secret is empty");
                    return None;
                }
                Some(text.to_owned())
            }
            Err(why) if self.lenient => {
                self.warn(at, format!("{why}; checked without it"));
                None
            }
            Err(why) => {
                self.error(at, why);
                None
            }
        }
    }

    /// A secret that two sites share: at least 32 bytes.
    pub fn link_secret(&mut self, at: At<'_>, form: Option<&SecretForm>) -> Option<Secret> {
        let text = self.secret(at, form)?;
        if text.len() < LINK_SECRET_BYTES {
            let message = format!("has {} bytes; a link secret needs at least {LINK_SECRET_BYTES}", text.len());
            self.error(at, format!("{message} (`hotdesk secret` makes one)"));
            return None;
        }
        Some(Secret(text.into_bytes()))
    }

    /// What proves `username`: a password, or its hashes, never both.
    pub fn credentials(
        &mut self,
        at: At<'_>,
        (username, realm): (&str, &str),
        password: Option<&SecretForm>,
        [md5, sha256]: [Option<&SecretForm>; 2],
    ) -> Option<Credentials> {
        if password.is_some() && (md5.is_some() || sha256.is_some()) {
            self.error(at.key("password"), "either the password or its hashes, not both");
            return None;
        }
        if password.is_some() {
            let Some(password) = self.secret(at.key("password"), password) else {
                return self.lenient.then(Credentials::default);
            };
            return Some(Credentials {
                ha1_md5: Some(ha1_md5(username, realm, &password)),
                ha1_sha256: Some(ha1_sha256(username, realm, &password)),
                password: Some(password),
            });
        }
        if md5.is_none() && sha256.is_none() {
            self.error(
                at.key("password"),
                format!("is missing: a password, or the hash that `hotdesk hash {username}` prints"),
            );
            return None;
        }
        let (md5, sha256) = (self.hash(at.key("ha1_md5"), md5, 32), self.hash(at.key("ha1_sha256"), sha256, 64));
        Some(Credentials { ha1_md5: md5, ha1_sha256: sha256, password: None })
    }

    /// A hash of so many hexadecimal digits, in lower case.
    pub fn hash(&mut self, at: At<'_>, form: Option<&SecretForm>, digits: usize) -> Option<String> {
        let text = self.secret(at, form)?;
        if text.len() != digits || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            self.error(at, format!("is no hash of {digits} hexadecimal digits"));
            return None;
        }
        Some(text.to_ascii_lowercase())
    }
}

/// H(A1) by MD5 (RFC 7616 §3.4.2), 32 lower-case digits.
pub fn ha1_md5(username: &str, realm: &str, password: &str) -> String {
    hexadecimal(&Md5::digest(format!("{username}:{realm}:{password}")))
}

/// H(A1) by SHA-256 (RFC 7616 §3.4.2), 64 lower-case digits. A login code is hashed in the same way.
pub fn ha1_sha256(username: &str, realm: &str, password: &str) -> String {
    hexadecimal(&Sha256::digest(format!("{username}:{realm}:{password}")))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn without_newline(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 §3.9.1 and RFC 2617 §3.5 use these names; the values are from `printf | md5sum` and `sha256sum`.
    #[test]
    fn hashes_are_those_of_the_digest_scheme() {
        assert_eq!(ha1_md5("Mufasa", "testrealm@host.com", "Circle Of Life"), "939e7578ed9e3c518a452acee763bce9");
        assert!(
            ha1_sha256("Mufasa", "http-auth@example.org", "Circle of Life")
                .starts_with("7987c64c30e25f1b74be53f966b49b90")
        );
    }

    #[test]
    fn one_newline_at_the_end_is_not_part_of_a_secret() {
        assert_eq!((without_newline("a\n"), without_newline("a\r\n"), without_newline("a\n\n")), ("a", "a", "a\n"));
    }
}
