//! Checks of digest credentials (SPEC 4.4, RFC 7616 §3, RFC 8760): challenges, nonces, nonce counts, verdicts.
//!
//! The registrar and the proxy ask here whether a request proves its user; they find the user's H(A1), compare the
//! digest's `uri` and `username` with the request, and turn the verdict into 200, 401 or 407. Nothing is kept for a
//! request that is not proven: a [nonce](Nonces) proves itself, and only right digests fill the
//! [table of counts](Counts). [`Lockout`] counts wrong answers, [`Codes`] wrong PINs (SPEC 5.9).
//!
//! Assumed: the caller has picked the credentials of its own realm where a request carries several. Out of scope: which
//! user may do what.

mod code;
mod codes;
mod counts;
mod lockout;
mod nonce;

pub use code::{code_hash, hash_of_code, is_code};
pub use codes::Codes;
pub use counts::Counts;
pub use lockout::Lockout;
pub use nonce::{NonceId, Nonces};

use std::sync::Arc;
use std::time::Duration;

use crate::guarded::Guarded;
use crate::ids::Entropy;
use crate::settings::{Auth, Credentials, DigestAlgorithm};
use crate::sip::digest::{self, Counted, Entity, Qop, Statement};
use crate::timing::Wall;

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The digest is right, and its nonce is of ours, fresh, and used for the first time with this count.
    Good {
        /// When the nonce was issued: a request proven by it is not older (SPEC 4.2).
        nonce_issued: Wall,
    },
    /// The nonce is good and the digest is not, or there is no such user. Counts as a failed attempt.
    Wrong,
    /// The nonce is too old, reused, evicted, or of another process: challenge anew with `stale=true`. No failed attempt.
    Stale,
    /// Credentials of another realm: the request has none of ours. No failed attempt.
    OtherRealm,
    /// The credentials cannot be checked: challenge anew for [`Flaw::Algorithm`], else 400. No failed attempt.
    Malformed(Flaw),
}

/// Why credentials cannot be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A parameter that must be there is not; its name.
    #[error("the credentials have no `{0}`")]
    Missing(&'static str),
    /// Not understood, or not offered here.
    #[error("the credentials use an algorithm that was not offered")]
    Algorithm,
    /// Neither `auth` nor `auth-int`.
    #[error("the credentials have an unknown `qop`")]
    Qop,
    /// Not eight hexadecimal digits.
    #[error("the credentials' `nc` is not eight hexadecimal digits")]
    NonceCount,
}

/// The parameters of an `Authorization` or `Proxy-Authorization`, unquoted and unescaped. Empty is as good as missing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'a> {
    /// `username`.
    pub username: &'a [u8],
    /// `realm`.
    pub realm: &'a [u8],
    /// `nonce`.
    pub nonce: &'a [u8],
    /// `uri`.
    pub uri: &'a [u8],
    /// `response`.
    pub response: &'a [u8],
    /// `algorithm`; MD5 where missing.
    pub algorithm: Option<&'a [u8]>,
    /// `qop`; RFC 2069 where missing.
    pub qop: Option<&'a [u8]>,
    /// `nc`.
    pub nc: Option<&'a [u8]>,
    /// `cnonce`.
    pub cnonce: Option<&'a [u8]>,
}

/// A user's H(A1) by algorithm, as lower-case hexadecimal digits.
#[derive(Clone, Copy, Default)]
pub struct Ha1s<'a> {
    /// 32 digits.
    pub md5: Option<&'a str>,
    /// 64 digits.
    pub sha256: Option<&'a str>,
}

/// What the digest is computed over, read from credentials.
#[derive(Clone, Copy, Debug)]
pub struct Claimed<'a> {
    statement: Statement<'a>,
    count: Option<u32>,
    response: &'a [u8],
}

/// One site's side of digest authentication. A clone knows the same nonces and shares their counts: each shard has one.
#[derive(Clone, Debug)]
pub struct Authenticator {
    realm: String,
    algorithms: Vec<DigestAlgorithm>,
    nonces: Nonces,
    counts: Arc<Guarded<Counts>>,
}

impl Authenticator {
    /// With `seed` from the shell: nonces of another seed, so of another process, are stale here.
    pub fn new(realm: &str, auth: &Auth, seed: [u8; 32]) -> Self {
        Self {
            realm: realm.to_owned(),
            algorithms: auth.algorithms.clone(),
            nonces: Nonces::new(seed, realm, auth.nonce_life),
            counts: Arc::new(Guarded::new(Counts::new(Counts::MOST))),
        }
    }

    /// Takes over a new configuration; nonces already issued stay good.
    pub fn configure(&mut self, auth: &Auth) {
        self.algorithms.clone_from(&auth.algorithms);
        self.nonces.set_life(auth.nonce_life);
    }

    /// The realm.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// A new nonce, to be used for one challenge. After the clock was set back it is issued a little ahead of it where that is needed: what is as
    /// old as a nonce that was put out counts as used.
    pub fn challenge(&self, now: Wall, entropy: &mut Entropy) -> String {
        let (_, newest) = self.nonces.span(now);
        let put_out = self.counts.with(|counts| counts.put_out());
        let after = put_out.map(|at| at.plus(Duration::from_millis(1))).filter(|after| *after <= newest);
        self.nonces.issue(after.map_or(now, |after| after.max(now)), entropy)
    }

    /// The values of `WWW-Authenticate` or `Proxy-Authenticate` in one challenge, one for each algorithm offered, in order.
    pub fn challenge_values<'a>(&'a self, nonce: &'a str, stale: bool) -> impl Iterator<Item = String> + 'a {
        self.algorithms.iter().map(move |&algorithm| self.challenge_value(algorithm, nonce, stale))
    }

    /// The challenge for one algorithm. `stale`: the answer may be right, its nonce is not good any more.
    pub fn challenge_value(&self, algorithm: DigestAlgorithm, nonce: &str, stale: bool) -> String {
        // The realm is a host name or word from the configuration: nothing in it needs escaping but these.
        let realm = self.realm.replace('\\', "\\\\").replace('"', "\\\"");
        let stale = if stale { ", stale=true" } else { "" };
        format!(
            "Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={}, qop=\"auth\"{stale}",
            digest::token(algorithm)
        )
    }

    /// Judges credentials. `ha1s` is `None` for an unknown user: that takes as long and ends like a wrong password.
    pub fn check(&self, now: Wall, method: &[u8], given: &Given<'_>, body: &[u8], ha1s: Option<Ha1s<'_>>) -> Verdict {
        if given.realm != self.realm.as_bytes() {
            return Verdict::OtherRealm;
        }
        let claimed = match Claimed::read(method, given, Entity::Body(body)) {
            Ok(claimed) => claimed,
            Err(flaw) => return Verdict::Malformed(flaw),
        };
        if !self.algorithms.contains(&claimed.statement.algorithm) {
            return Verdict::Malformed(Flaw::Algorithm);
        }
        let Some(nonce) = self.nonces.open(now, given.nonce) else {
            return Verdict::Stale;
        };
        let (oldest, newest) = self.nonces.span(now);
        // The digest is computed before the counts are looked at: two shards may not both find the same count unused.
        let proves = claimed.proves(ha1s);
        self.counts.with(|counts| {
            counts.keep_between(oldest, newest);
            if counts.is_spent(nonce, claimed.count) {
                return Verdict::Stale;
            }
            if !proves {
                return Verdict::Wrong;
            }
            counts.spend(nonce, claimed.count);
            Verdict::Good { nonce_issued: nonce.issued }
        })
    }

    /// Notes the count of credentials as used that another site has found to be right: they prove nothing a second time.
    pub fn spend(&self, now: Wall, method: &[u8], given: &Given<'_>) {
        let Ok(claimed) = Claimed::read(method, given, Entity::Body(b"")) else { return };
        let Some(nonce) = self.nonces.open(now, given.nonce) else { return };
        self.counts.with(|counts| counts.spend(nonce, claimed.count));
    }

    /// How many nonces the table of counts holds.
    pub fn nonces_kept(&self) -> usize {
        self.counts.with(|counts| counts.len())
    }
}

impl<'a> Claimed<'a> {
    /// Reads what the digest claims. A home site does this with what a visited site passed on: nonce and count were judged there.
    pub fn read(method: &'a [u8], given: &Given<'a>, entity: Entity<'a>) -> Result<Self, Flaw> {
        let needed =
            [("username", given.username), ("nonce", given.nonce), ("uri", given.uri), ("response", given.response)];
        if let Some((name, _)) = needed.iter().find(|(_, value)| value.is_empty()) {
            return Err(Flaw::Missing(name));
        }
        let algorithm = match present(given.algorithm) {
            Some(text) => digest::named(text).ok_or(Flaw::Algorithm)?,
            None => DigestAlgorithm::Md5,
        };
        let counted = match present(given.qop) {
            Some(text) => Some(Counted {
                qop: Qop::parse(text).ok_or(Flaw::Qop)?,
                nc: present(given.nc).ok_or(Flaw::Missing("nc"))?,
                cnonce: present(given.cnonce).ok_or(Flaw::Missing("cnonce"))?,
            }),
            None => None,
        };
        let count = counted.map(|counted| count(counted.nc).ok_or(Flaw::NonceCount)).transpose()?;
        let statement = Statement { algorithm, method, uri: given.uri, nonce: given.nonce, counted, entity };
        Ok(Self { statement, count, response: given.response })
    }

    /// Whether the digest proves the user. `None`: no such user, which takes as long.
    pub fn proves(&self, ha1s: Option<Ha1s<'_>>) -> bool {
        const NOBODY: Ha1s<'static> = Ha1s {
            md5: Some("00000000000000000000000000000000"),
            sha256: Some("0000000000000000000000000000000000000000000000000000000000000000"),
        };
        let known = ha1s.and_then(|ha1s| ha1s.of(self.statement.algorithm));
        let secret = known.or(NOBODY.of(self.statement.algorithm)).unwrap_or_default();
        // The digest is computed first, whether there is such a user or not.
        digest::proves(&self.statement, secret.as_bytes(), self.response) & known.is_some()
    }

    /// The algorithm that the digest uses.
    pub fn algorithm(&self) -> DigestAlgorithm {
        self.statement.algorithm
    }
}

impl<'a> Ha1s<'a> {
    fn of(self, algorithm: DigestAlgorithm) -> Option<&'a str> {
        match algorithm {
            DigestAlgorithm::Md5 => self.md5,
            DigestAlgorithm::Sha256 => self.sha256,
        }
    }
}

impl<'a> From<&'a Credentials> for Ha1s<'a> {
    fn from(credentials: &'a Credentials) -> Self {
        Self { md5: credentials.ha1_md5.as_deref(), sha256: credentials.ha1_sha256.as_deref() }
    }
}

impl std::fmt::Debug for Ha1s<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ha1s(…)")
    }
}

fn present(parameter: Option<&[u8]>) -> Option<&[u8]> {
    parameter.filter(|value| !value.is_empty())
}

/// RFC 7616 §3.4: `nc-value = 8LHEX`; upper case is read too.
fn count(nc: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(nc).ok()?;
    let digits = text.len() == 8 && text.bytes().all(|c| c.is_ascii_hexdigit());
    digits.then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests;
