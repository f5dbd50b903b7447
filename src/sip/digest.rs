//! Digest computation of RFC 7616, with the algorithms of RFC 8760 that are understood here: MD5 and SHA-256.
//!
//! `auth/` checks phones with it, the home site checks a login that came over a link, `trunk/` and the demo's phones
//! answer challenges. Everything comes in as plain bytes, unquoted and unescaped; reading headers is not done here.
//! `qop` is `auth`, `auth-int` or absent (RFC 2069). Out of scope: `-sess` algorithms, `userhash`, `nextnonce`.

use std::fmt;

use md5::Md5;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::credentials::Challenge;
use crate::settings::DigestAlgorithm;

/// The lower-case hexadecimal digits of one hash: 32 or 64 of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hex {
    digits: [u8; 64],
    length: usize,
}

/// RFC 7616 §3.3: the quality of protection that a response claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qop {
    /// The request line is protected.
    Auth,
    /// The body too.
    AuthInt,
}

/// What a response with a `qop` is computed over beside the nonce.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    /// Which one.
    pub qop: Qop,
    /// The nonce count as it was sent, eight hexadecimal digits.
    pub nc: &'a [u8],
    /// The client's nonce.
    pub cnonce: &'a [u8],
}

/// A message body, as `auth-int` sees it.
#[derive(Clone, Copy, Debug)]
pub enum Entity<'a> {
    /// The body itself; empty if there is none.
    Body(&'a [u8]),
    /// Its hash as hexadecimal digits, where the body is at another site.
    Hash(&'a [u8]),
}

/// All that a response is computed over, except H(A1).
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// The hash.
    pub algorithm: DigestAlgorithm,
    /// The request's method.
    pub method: &'a [u8],
    /// The `uri` parameter.
    pub uri: &'a [u8],
    /// The `nonce` parameter.
    pub nonce: &'a [u8],
    /// `None`: no `qop`, as in RFC 2069.
    pub counted: Option<Counted<'a>>,
    /// The request's body, read only for `auth-int`.
    pub entity: Entity<'a>,
}

/// A challenge that a client of ours answers.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The `realm` parameter.
    pub realm: &'a str,
    /// The `nonce` parameter.
    pub nonce: &'a str,
    /// The `opaque` parameter, returned as it came.
    pub opaque: Option<&'a str>,
    /// `None` where the challenge named none: MD5 then, and none is named in the answer.
    pub algorithm: Option<DigestAlgorithm>,
    /// The one chosen of those offered; `None` if none was.
    pub qop: Option<Qop>,
}

impl<'a> Asked<'a> {
    /// What a client makes of a challenge: `auth` before `auth-int`, as the body may still change hands. `None` where the algorithm, or
    /// every `qop`, is unknown here, or a text is no UTF-8.
    pub fn by(challenge: &'a Challenge) -> Option<Self> {
        let algorithm = match &challenge.algorithm {
            Some(algorithm) => Some(named(algorithm)?),
            None => None,
        };
        let qop = match challenge.qop.as_deref().map(<[u8]>::trim_ascii).filter(|list| !list.is_empty()) {
            Some(list) => {
                let offered = || list.split(|&byte| byte == b',').filter_map(|qop| Qop::parse(qop.trim_ascii()));
                Some(offered().find(|&qop| qop == Qop::Auth).or_else(|| offered().next())?)
            }
            None => None,
        };
        Some(Self {
            realm: std::str::from_utf8(&challenge.realm).ok()?,
            nonce: std::str::from_utf8(&challenge.nonce).ok()?,
            opaque: challenge.opaque.as_deref().map(std::str::from_utf8).transpose().ok()?,
            algorithm,
            qop,
        })
    }
}

/// Who answers a challenge, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Answering<'a> {
    /// The account's name.
    pub username: &'a str,
    /// Its password.
    pub password: &'a str,
    /// The request's method.
    pub method: &'a str,
    /// The request's URI.
    pub uri: &'a str,
    /// The request's body.
    pub body: &'a [u8],
    /// A fresh random text.
    pub cnonce: &'a str,
    /// How often the nonce has been used, this time included: from 1.
    pub count: u32,
}

/// RFC 7616 §3.4.2: H(A1), which stands for the password.
pub fn ha1(algorithm: DigestAlgorithm, username: &[u8], realm: &[u8], password: &[u8]) -> Hex {
    hash(algorithm, &[username, realm, password])
}

/// H(entity-body) of RFC 7616 §3.4.3.
pub fn body_hash(algorithm: DigestAlgorithm, body: &[u8]) -> Hex {
    hash(algorithm, &[body])
}

/// RFC 7616 §3.4.1: the response that proves H(A1), given as hexadecimal digits.
pub fn response(statement: &Statement<'_>, ha1: &[u8]) -> Hex {
    let ha2 = ha2(statement);
    match statement.counted {
        Some(Counted { qop, nc, cnonce }) => hash(
            statement.algorithm,
            &[ha1, statement.nonce, nc, cnonce, qop.as_str().as_bytes(), ha2.as_str().as_bytes()],
        ),
        None => hash(statement.algorithm, &[ha1, statement.nonce, ha2.as_str().as_bytes()]),
    }
}

/// Whether `given` is the response that proves H(A1); the time taken does not tell how nearly it is.
pub fn proves(statement: &Statement<'_>, ha1: &[u8], given: &[u8]) -> bool {
    let right = response(statement, ha1);
    // Some phones write the digits in upper case.
    let lower = given.to_ascii_lowercase();
    right.as_str().as_bytes().ct_eq(&lower).into()
}

/// The value of `Authorization` or `Proxy-Authorization` that answers a challenge.
pub fn authorization(asked: &Asked<'_>, by: &Answering<'_>) -> String {
    use fmt::Write as _;

    let algorithm = asked.algorithm.unwrap_or(DigestAlgorithm::Md5);
    let nc = format!("{:08x}", by.count);
    let statement = Statement {
        algorithm,
        method: by.method.as_bytes(),
        uri: by.uri.as_bytes(),
        nonce: asked.nonce.as_bytes(),
        counted: asked.qop.map(|qop| Counted { qop, nc: nc.as_bytes(), cnonce: by.cnonce.as_bytes() }),
        entity: Entity::Body(by.body),
    };
    let secret = ha1(algorithm, by.username.as_bytes(), asked.realm.as_bytes(), by.password.as_bytes());
    let response = response(&statement, secret.as_str().as_bytes());
    let mut value = format!(
        "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
        Quoted(by.username),
        Quoted(asked.realm),
        Quoted(asked.nonce),
        Quoted(by.uri),
    );
    // Writing to a String cannot fail.
    if let Some(named) = asked.algorithm {
        let _ = write!(value, ", algorithm={}", token(named));
    }
    if let Some(qop) = asked.qop {
        let _ = write!(value, ", cnonce={}, qop={}, nc={nc}", Quoted(by.cnonce), qop.as_str());
    }
    if let Some(opaque) = asked.opaque {
        let _ = write!(value, ", opaque={}", Quoted(opaque));
    }
    value
}

/// The algorithm as RFC 8760 writes it.
pub fn token(algorithm: DigestAlgorithm) -> &'static str {
    match algorithm {
        DigestAlgorithm::Md5 => "MD5",
        DigestAlgorithm::Sha256 => "SHA-256",
    }
}

/// The algorithm of an `algorithm` parameter, in any case; `None` if it is not understood.
pub fn named(algorithm: &[u8]) -> Option<DigestAlgorithm> {
    [DigestAlgorithm::Md5, DigestAlgorithm::Sha256]
        .into_iter()
        .find(|&known| algorithm.eq_ignore_ascii_case(token(known).as_bytes()))
}

impl Qop {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Qop::Auth => "auth",
            Qop::AuthInt => "auth-int",
        }
    }

    /// The value of a `qop` parameter in credentials, in any case; `None` if it is neither.
    pub fn parse(text: &[u8]) -> Option<Qop> {
        [Qop::Auth, Qop::AuthInt].into_iter().find(|qop| text.eq_ignore_ascii_case(qop.as_str().as_bytes()))
    }
}

impl Hex {
    /// The digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.digits[..self.length]).expect("only hexadecimal digits are put in")
    }

    fn of(hash: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(hash) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        Self { digits, length: (hash.len() * 2).min(64) }
    }
}

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Hex {
    // What it stands for is a secret as often as not (SPEC 12.1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hex(…)")
    }
}

/// RFC 7616 §3.4.3.
fn ha2(statement: &Statement<'_>) -> Hex {
    let Statement { algorithm, method, uri, entity, .. } = *statement;
    match (statement.counted.map(|counted| counted.qop), entity) {
        (Some(Qop::AuthInt), Entity::Body(body)) => {
            hash(algorithm, &[method, uri, body_hash(algorithm, body).as_str().as_bytes()])
        }
        (Some(Qop::AuthInt), Entity::Hash(digits)) => hash(algorithm, &[method, uri, digits]),
        (Some(Qop::Auth) | None, _) => hash(algorithm, &[method, uri]),
    }
}

fn hash(algorithm: DigestAlgorithm, parts: &[&[u8]]) -> Hex {
    match algorithm {
        DigestAlgorithm::Md5 => joined::<Md5>(parts),
        DigestAlgorithm::Sha256 => joined::<Sha256>(parts),
    }
}

/// The hash of the parts with colons between them.
fn joined<D: Digest>(parts: &[&[u8]]) -> Hex {
    let mut hasher = D::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            hasher.update(b":");
        }
        hasher.update(part);
    }
    Hex::of(&hasher.finalize())
}

/// RFC 3261 §25.1 quoted-string.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;

        f.write_char('"')?;
        for c in self.0.chars() {
            if matches!(c, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(c)?;
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// RFC 7616 §3.9.1.
    fn rfc7616(algorithm: DigestAlgorithm) -> (Statement<'static>, Hex) {
        let statement = Statement {
            algorithm,
            method: b"GET",
            uri: b"/dir/index.html",
            nonce: b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            counted: Some(Counted {
                qop: Qop::Auth,
                nc: b"00000001",
                cnonce: b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            }),
            entity: Entity::Body(b""),
        };
        (statement, ha1(algorithm, b"Mufasa", b"http-auth@example.org", b"Circle of Life"))
    }

    #[test]
    fn the_examples_of_rfc_7616_come_out() {
        for (algorithm, right) in [
            (DigestAlgorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (DigestAlgorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let (statement, ha1) = rfc7616(algorithm);
            assert_eq!(response(&statement, ha1.as_str().as_bytes()).as_str(), right);
            assert!(proves(&statement, ha1.as_str().as_bytes(), right.as_bytes()));
            assert!(proves(&statement, ha1.as_str().as_bytes(), right.to_uppercase().as_bytes()));
        }
    }

    #[test]
    fn the_examples_without_qop_and_with_auth_int_come_out() {
        let plain = Statement {
            algorithm: DigestAlgorithm::Md5,
            method: b"GET",
            uri: b"/dir/index.html",
            nonce: b"dcd98b7102dd2f0e8b11d0f600bfb0c093",
            counted: None,
            entity: Entity::Body(b""),
        };
        // RFC 2069 §2.4, by its erratum 749.
        let secret = ha1(DigestAlgorithm::Md5, b"Mufasa", b"testrealm@host.com", b"CircleOfLife");
        assert_eq!(response(&plain, secret.as_str().as_bytes()).as_str(), "1949323746fe6a43ef61f9606e7febea");
        // RFC 2617 §3.5.
        let counted = Counted { qop: Qop::Auth, nc: b"00000001", cnonce: b"0a4f113b" };
        let secret = ha1(DigestAlgorithm::Md5, b"Mufasa", b"testrealm@host.com", b"Circle Of Life");
        let auth = Statement { counted: Some(counted), ..plain };
        assert_eq!(response(&auth, secret.as_str().as_bytes()).as_str(), "6629fae49393a05397450978507c4ef1");
        // The same with a body, by hand from RFC 7616 §3.4.3.
        let int = Statement {
            counted: Some(Counted { qop: Qop::AuthInt, ..counted }),
            entity: Entity::Body(b"Hello, world!"),
            ..plain
        };
        assert_eq!(response(&int, secret.as_str().as_bytes()).as_str(), "7c6b5ea5d915822016a66204f4692273");
        let elsewhere = body_hash(DigestAlgorithm::Md5, b"Hello, world!");
        let by_hash = Statement { entity: Entity::Hash(elsewhere.as_str().as_bytes()), ..int };
        assert_eq!(response(&by_hash, secret.as_str().as_bytes()), response(&int, secret.as_str().as_bytes()));
    }

    #[test]
    fn every_part_of_the_statement_counts() {
        let (statement, ha1) = rfc7616(DigestAlgorithm::Sha256);
        let ha1 = ha1.as_str().as_bytes();
        let right = response(&statement, ha1);
        let counted = statement.counted.expect("it has a qop");
        for wrong in [
            Statement { algorithm: DigestAlgorithm::Md5, ..statement },
            Statement { method: b"PUT", ..statement },
            Statement { uri: b"/dir", ..statement },
            Statement { nonce: b"7", ..statement },
            Statement { counted: None, ..statement },
            Statement { counted: Some(Counted { qop: Qop::AuthInt, ..counted }), ..statement },
            Statement { counted: Some(Counted { nc: b"00000002", ..counted }), ..statement },
            Statement { counted: Some(Counted { cnonce: b"f", ..counted }), ..statement },
        ] {
            assert!(!proves(&wrong, ha1, right.as_str().as_bytes()), "{wrong:?}");
        }
        assert!(!proves(&statement, b"00", right.as_str().as_bytes()));
        assert!(!proves(&statement, ha1, b"") && !proves(&statement, ha1, &right.as_str().as_bytes()[1..]));
    }

    #[test]
    fn an_answer_to_a_challenge_is_what_a_server_takes() {
        let asked = Asked {
            realm: "http-auth@example.org",
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            opaque: Some("FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"),
            algorithm: Some(DigestAlgorithm::Md5),
            qop: Some(Qop::Auth),
        };
        let by = Answering {
            username: "Mufasa",
            password: "Circle of Life",
            method: "GET",
            uri: "/dir/index.html",
            body: b"",
            cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            count: 1,
        };
        insta::assert_snapshot!(authorization(&asked, &by));
        let bare = Asked { opaque: None, algorithm: None, qop: None, ..asked };
        let odd = Answering { username: r#"a"b\c"#, ..by };
        insta::assert_snapshot!(authorization(&bare, &odd));
    }

    #[test]
    fn a_client_knows_which_challenges_it_can_answer() {
        let asked = |value: &'static str| {
            let challenge = Challenge::parse(&Bytes::from_static(value.as_bytes())).expect("a challenge");
            Asked::by(&challenge).map(|asked| (asked.algorithm, asked.qop))
        };
        let (md5, sha) = (Some(DigestAlgorithm::Md5), Some(DigestAlgorithm::Sha256));
        for (value, right) in [
            (r#"Digest realm="r", nonce="n""#, Some((None, None))),
            (r#"Digest realm="r", nonce="n", qop="""#, Some((None, None))),
            (r#"Digest realm="r", nonce="n", algorithm=md5, qop="auth-int, auth""#, Some((md5, Some(Qop::Auth)))),
            (r#"Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth-int""#, Some((sha, Some(Qop::AuthInt)))),
            (r#"Digest realm="r", nonce="n", qop="privacy""#, None),
            (r#"Digest realm="r", nonce="n", algorithm=MD5-sess, qop="auth""#, None),
            (r#"Digest realm="r", nonce="n", algorithm=SHA-512-256"#, None),
        ] {
            assert_eq!(asked(value), right, "{value}");
        }
    }

    #[test]
    fn names_are_read_in_any_case_and_unknown_ones_are_not() {
        assert_eq!(named(b"md5"), Some(DigestAlgorithm::Md5));
        assert_eq!(named(b"sha-256"), Some(DigestAlgorithm::Sha256));
        assert_eq!(named(b"MD5-sess"), None);
        assert_eq!(
            (Qop::parse(b"AUTH"), Qop::parse(b"auth-int"), Qop::parse(b"")),
            (Some(Qop::Auth), Some(Qop::AuthInt), None)
        );
    }
}
