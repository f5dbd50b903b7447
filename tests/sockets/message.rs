//! Reading what came, as text with plain line ends; and the digest answer, made here by hand.

use std::net::SocketAddr;

use md5::{Digest, Md5};

pub fn status(message: &str) -> u16 {
    message
        .strip_prefix("SIP/2.0 ")
        .and_then(|rest| rest.get(..3)?.parse().ok())
        .unwrap_or_else(|| panic!("no response: {message}"))
}

/// The values of every line with that name.
pub fn headers<'m>(message: &'m str, name: &str) -> Vec<&'m str> {
    let head = message.split("\n\n").next().unwrap_or_default();
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.filter(|(found, _)| found.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
}

pub fn header<'m>(message: &'m str, name: &str) -> &'m str {
    headers(message, name).first().copied().unwrap_or_else(|| panic!("no {name} in:\n{message}"))
}

/// The values of comma-separated lines, none of which has a comma of its own.
pub fn list(message: &str, name: &str) -> Vec<String> {
    headers(message, name).iter().flat_map(|line| line.split(',')).map(|value| value.trim().to_owned()).collect()
}

/// What stands between `<` and `>`.
pub fn uri(value: &str) -> &str {
    value.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or(value, |(uri, _)| uri)
}

/// The address in a URI whose host is one.
pub fn address(uri: &str) -> SocketAddr {
    let after_scheme = uri.split_once(':').expect("a URI").1;
    let host = after_scheme.split([';', '?']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    host.parse().unwrap_or_else(|_| panic!("no address: {uri}"))
}

/// A parameter of a challenge, without its quotes.
fn parameter<'c>(challenge: &'c str, name: &str) -> Option<&'c str> {
    let fields = challenge.trim_start_matches("Digest").split(',').filter_map(|field| field.trim().split_once('='));
    fields.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim_matches('"')).next()
}

/// RFC 7616 §3.4 with MD5 and `qop=auth`: the value of the header that answers a challenge.
pub fn credentials(challenge: &str, user: &str, password: &str, method: &str, uri: &str) -> String {
    let of = |name| parameter(challenge, name).unwrap_or_else(|| panic!("no {name} in {challenge}"));
    let (realm, nonce) = (of("realm"), of("nonce"));
    let (ha1, ha2) = (md5(&format!("{user}:{realm}:{password}")), md5(&format!("{method}:{uri}")));
    let response = md5(&format!("{ha1}:{nonce}:00000001:0a4f113b:auth:{ha2}"));
    let opaque = parameter(challenge, "opaque").map(|opaque| format!(", opaque=\"{opaque}\"")).unwrap_or_default();
    format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", \
         algorithm=MD5, qop=auth, nc=00000001, cnonce=\"0a4f113b\"{opaque}"
    )
}

/// Whether credentials with MD5 and `qop=auth` prove that password for that method and their own URI.
pub fn is_right(credentials: &str, user: &str, password: &str, method: &str) -> bool {
    let of = |name| parameter(credentials, name).unwrap_or_else(|| panic!("no {name} in {credentials}"));
    let (realm, nonce, uri, nc, cnonce) = (of("realm"), of("nonce"), of("uri"), of("nc"), of("cnonce"));
    let (ha1, ha2) = (md5(&format!("{user}:{realm}:{password}")), md5(&format!("{method}:{uri}")));
    of("username") == user && of("response") == md5(&format!("{ha1}:{nonce}:{nc}:{cnonce}:auth:{ha2}"))
}

fn md5(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
