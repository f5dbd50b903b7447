//! Digest credentials and challenges (RFC 3261 §20.7, §20.44; RFC 7616, RFC 8760). Other schemes count as none.

use std::borrow::Cow;

use bytes::Bytes;

use super::lex::{self, Lexed};

/// What an Authorization or Proxy-Authorization header says, unquoted and unescaped. What is missing is empty or `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// `username`
    pub username: Bytes,
    /// `realm`
    pub realm: Bytes,
    /// `nonce`
    pub nonce: Bytes,
    /// `uri`
    pub uri: Bytes,
    /// `response`, 32 or 64 hexadecimal digits
    pub response: Bytes,
    /// `algorithm`; missing means MD5
    pub algorithm: Option<Bytes>,
    /// `qop`
    pub qop: Option<Bytes>,
    /// `nc`, 8 hexadecimal digits
    pub nc: Option<Bytes>,
    /// `cnonce`
    pub cnonce: Option<Bytes>,
    /// `opaque`
    pub opaque: Option<Bytes>,
}

/// What a WWW-Authenticate or Proxy-Authenticate header asks for, unquoted and unescaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// `realm`
    pub realm: Bytes,
    /// `nonce`
    pub nonce: Bytes,
    /// `algorithm`; missing means MD5
    pub algorithm: Option<Bytes>,
    /// `qop`: a list such as `auth,auth-int`
    pub qop: Option<Bytes>,
    /// `opaque`
    pub opaque: Option<Bytes>,
    /// `stale=true`: only the nonce was wrong
    pub stale: bool,
}

impl Credentials {
    /// Reads a header's value; `None` for another scheme or a broken list.
    pub fn parse(value: &Bytes) -> Option<Self> {
        let mut read = Self::default();
        let whole = each_digest_param(value, |name, value| match name {
            b"username" => read.username = value,
            b"realm" => read.realm = value,
            b"nonce" => read.nonce = value,
            b"uri" => read.uri = value,
            b"response" => read.response = value,
            b"algorithm" => read.algorithm = Some(value),
            b"qop" => read.qop = Some(value),
            b"nc" => read.nc = Some(value),
            b"cnonce" => read.cnonce = Some(value),
            b"opaque" => read.opaque = Some(value),
            _ => {}
        });
        whole.then_some(read)
    }
}

impl Challenge {
    /// Reads a header's value; `None` for another scheme or a broken list.
    pub fn parse(value: &Bytes) -> Option<Self> {
        let mut read = Self::default();
        let whole = each_digest_param(value, |name, value| match name {
            b"realm" => read.realm = value,
            b"nonce" => read.nonce = value,
            b"algorithm" => read.algorithm = Some(value),
            b"qop" => read.qop = Some(value),
            b"opaque" => read.opaque = Some(value),
            b"stale" => read.stale = value.eq_ignore_ascii_case(b"true"),
            _ => {}
        });
        whole.then_some(read)
    }
}

/// Calls `take` with each parameter, its name in lower case; says whether it was a Digest list, whole.
fn each_digest_param(value: &Bytes, mut take: impl FnMut(&[u8], Bytes)) -> bool {
    let Ok((mut rest, scheme)) = lex::token(lex::skip_ws(value)) else { return false };
    if !scheme.eq_ignore_ascii_case(b"Digest") || rest.first().is_none_or(|&b| !lex::is_ws(b)) {
        return false;
    }
    loop {
        let Ok((after, (name, said))) = param(lex::skip_ws(rest)) else { return false };
        let said = match said {
            Cow::Borrowed(said) => value.slice_ref(said),
            Cow::Owned(said) => said.into(),
        };
        take(&name.to_ascii_lowercase(), said);
        rest = match lex::skip_ws(after) {
            [] => return true,
            [b',', rest @ ..] => rest,
            _ => return false,
        };
    }
}

type NameAndValue<'a> = (&'a [u8], Cow<'a, [u8]>);

fn param(input: &[u8]) -> Lexed<'_, NameAndValue<'_>> {
    let (rest, name) = lex::token(input)?;
    let (rest, ()) = lex::separator("=")(rest)?;
    if let Ok((rest, inner)) = lex::quoted(rest) {
        return Ok((rest, (name, lex::unescape(inner))));
    }
    let length = rest.iter().take_while(|&&b| !lex::is_ws(b) && !matches!(b, b',' | b'"')).count();
    if length == 0 {
        return Err(nom::Err::Error(()));
    }
    Ok((&rest[length..], (name, Cow::Borrowed(&rest[..length]))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(text: &'static str) -> Option<Credentials> {
        Credentials::parse(&Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn credentials_are_unquoted_and_unescaped() {
        let read = credentials(
            "digest username=\"a\\\"b\", realm = \"r,s\" ,\r\n nonce=\"n==\", uri=\"sip:h;x\", response=\"00ff\", \
             algorithm=SHA-256, qop=auth, nc=00000001, CNONCE=\"c\", other=x",
        )
        .expect("digest");
        assert_eq!((&read.username[..], &read.realm[..]), (&b"a\"b"[..], &b"r,s"[..]));
        assert_eq!(read.algorithm.as_deref(), Some(&b"SHA-256"[..]));
        assert_eq!((read.nc.as_deref(), read.cnonce.as_deref()), (Some(&b"00000001"[..]), Some(&b"c"[..])));
        assert_eq!((&read.uri[..], read.opaque), (&b"sip:h;x"[..], None));
    }

    #[test]
    fn other_schemes_and_broken_lists_count_as_none() {
        for text in [
            "NoOneKnowsThisScheme opaque-data=here",
            "Digest",
            "Digest a",
            "Digest a=\"b",
            "Digest a=b c=d",
            "Digesta=b",
        ] {
            assert_eq!(credentials(text), None, "{text}");
        }
    }

    #[test]
    fn a_challenge_says_what_is_offered() {
        let value = Bytes::from_static(b"Digest realm=\"r\",nonce=\"n\",qop=\"auth,auth-int\",stale=TRUE");
        let read = Challenge::parse(&value).expect("digest");
        assert_eq!((read.qop.as_deref(), read.stale, read.algorithm), (Some(&b"auth,auth-int"[..]), true, None));
    }
}
