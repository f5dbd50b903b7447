//! Who may come in: the Host must be ours, the token right, and an order must come from nobody else's page (SPEC 12.2).
//!
//! A page of another origin can make a browser send requests here: without a Host of ours (DNS rebinding), or, for an order, with a
//! foreign `Origin` or a form's `Content-Type`. None of these passes, and no answer has a CORS header.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::Asked;
use super::fault::Fault;
use crate::node::Config;

/// The door of one socket.
pub struct Door {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whom it leads to.
    pub process: Asked,
}

/// Lets a request pass, or answers it.
pub async fn pass(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let answer = match door.judge(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(fault) => fault.into_response(),
    };
    with_rules(answer)
}

/// No browser runs, frames, guesses or keeps what we say.
fn with_rules(mut answer: Response) -> Response {
    let rules = [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in rules {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

impl Door {
    fn judge(&self, method: &Method, headers: &HeaderMap) -> Result<(), Fault> {
        let configs = self.process.configs();
        let names: Vec<&str> = names(&configs).collect();
        let host = self.judge_host(headers, &names)?;
        if let Some(token) = configs.first().and_then(|config| config.network.admin_token.as_ref()) {
            judge_token(headers, &token.0)?;
        }
        if method == Method::POST { judge_order(headers, host) } else { Ok(()) }
    }

    fn judge_host<'h>(&self, headers: &'h HeaderMap, names: &[&str]) -> Result<&'h str, Fault> {
        let host = one(headers, &header::HOST).unwrap_or_default();
        if is_ours(host, self.address, names) {
            return Ok(host);
        }
        let hint = format!("ask http://{}, or by the name of a site that is served here", self.address);
        Err(Fault::new(421, "this host is not served here", hint))
    }
}

/// The names of the sites that are served: their domains and aliases.
fn names(configs: &[Config]) -> impl Iterator<Item = &str> {
    let entries = configs.iter().filter_map(|config| config.network.site(config.site.name.as_str()));
    entries.flat_map(|entry| std::iter::once(&entry.domain).chain(&entry.aliases).map(String::as_str))
}

/// The header's value, if there is exactly one.
fn one<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().and_then(|value| value.to_str().ok());
    first.filter(|_| values.next().is_none())
}

/// Whether `host` names the socket at `address`. An address in it can't be rebound; a name must be one that we know.
fn is_ours(host: &str, address: SocketAddr, names: &[&str]) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
        Some(_) | None => (host, Some(80)),
    };
    let literal = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let is_address =
        |ip: IpAddr| ip == address.ip() || address.ip().is_unspecified() || both_loopback(ip, address.ip());
    let is_name = |known: &&str| known.eq_ignore_ascii_case(name);
    port == Some(address.port())
        && (literal.parse().is_ok_and(is_address)
            || name.eq_ignore_ascii_case("localhost")
            || names.iter().any(is_name))
}

fn both_loopback(a: IpAddr, b: IpAddr) -> bool {
    a.is_loopback() && b.is_loopback()
}

fn judge_token(headers: &HeaderMap, token: &[u8]) -> Result<(), Fault> {
    let given = one(headers, &header::AUTHORIZATION).and_then(|value| value.split_once(' '));
    let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer")).map(|(_, token)| token.trim());
    // Hashes have one length: the time tells nothing about the token's.
    let hash = |text: &[u8]| *blake3::hash(text).as_bytes();
    if given.is_some_and(|given| bool::from(hash(given.as_bytes()).ct_eq(&hash(token)))) {
        return Ok(());
    }
    Err(Fault::new(401, "the token is missing or wrong", "send `Authorization: Bearer …` with `admin_token`"))
}

fn judge_order(headers: &HeaderMap, host: &str) -> Result<(), Fault> {
    let kind = one(headers, &header::CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Fault::new(415, "an order is JSON", "send `Content-Type: application/json`"));
    }
    let same = |origin: &str| {
        let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host))
    };
    if !headers.contains_key(header::ORIGIN) || one(headers, &header::ORIGIN).is_some_and(same) {
        return Ok(());
    }
    Err(Fault::new(403, "the order comes from another origin's page", "give orders from here, or without `Origin`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str) -> SocketAddr {
        address.parse().expect("an address")
    }

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_host_is_the_address_localhost_or_a_site() {
        let names = ["london.example"];
        let loopback = |host| is_ours(host, at("127.0.0.1:8080"), &names);
        for host in [
            "127.0.0.1:8080",
            "127.0.0.2:8080",
            "[::1]:8080",
            "localhost:8080",
            "LocalHost:8080",
            "London.example:8080",
        ] {
            assert!(loopback(host), "{host}");
        }
        for host in [
            "",
            "127.0.0.1",
            "127.0.0.1:8081",
            "localhost",
            "evil.example:8080",
            "10.0.0.1:8080",
            "localhost:x",
            "[::1]",
        ] {
            assert!(!loopback(host), "{host}");
        }
        assert!(
            is_ours("10.0.0.1:8080", at("10.0.0.1:8080"), &[]) && !is_ours("10.0.0.2:8080", at("10.0.0.1:8080"), &[])
        );
        assert!(is_ours("10.9.9.9:80", at("0.0.0.0:80"), &[]) && is_ours("10.9.9.9", at("0.0.0.0:80"), &[]));
        assert!(is_ours("[::1]", at("[::1]:80"), &[]) && !is_ours("rebound.example", at("0.0.0.0:80"), &[]));
    }

    #[test]
    fn the_token_is_right_or_nobody_comes_in() {
        let given =
            |value| judge_token(&headers(&[("authorization", value)]), b"token").map_err(|fault| fault.status());
        assert_eq!(given("Bearer token"), Ok(()));
        assert_eq!(given("bearer token"), Ok(()));
        for wrong in ["Bearer toke", "Bearer tokens", "Bearer ", "Basic token", "token"] {
            assert_eq!(given(wrong), Err(401), "{wrong}");
        }
        assert!(judge_token(&headers(&[]), b"token").is_err());
        assert!(
            judge_token(&headers(&[("authorization", "Bearer token"), ("authorization", "Bearer token")]), b"token")
                .is_err()
        );
    }

    #[test]
    fn an_order_is_json_and_comes_from_no_other_page() {
        const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");
        let order = |lines: &[(&'static str, &'static str)]| {
            judge_order(&headers(lines), "127.0.0.1:8080").map_err(|fault| fault.status())
        };
        assert_eq!(order(&[JSON]), Ok(()));
        assert_eq!(order(&[JSON, ("origin", "http://127.0.0.1:8080")]), Ok(()));
        for origin in ["null", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:8081", "127.0.0.1:8080"] {
            assert_eq!(order(&[JSON, ("origin", origin)]), Err(403), "{origin}");
        }
        assert_eq!(order(&[JSON, ("origin", "http://127.0.0.1:8080"), ("origin", "http://evil.example")]), Err(403));
        for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""] {
            assert_eq!(order(&[("content-type", kind)]), Err(415), "{kind}");
        }
        assert_eq!(order(&[]), Err(415));
    }
}
