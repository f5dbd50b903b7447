//! Hosts as they stand in URIs and in Via.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use nom::Parser;
use nom::bytes::complete::{tag, take_till, take_while1};

use super::lex::{self, Lexed};

/// A host: an address or a name. Names are equal whatever their case.
#[derive(Clone, Debug)]
pub enum Host {
    /// `192.0.2.1`
    V4(Ipv4Addr),
    /// `[2001:db8::1]`
    V6(Ipv6Addr),
    /// `example.com`, as it came.
    Name(Bytes),
}

impl Host {
    /// The address, if it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::V4(ip) => Some(IpAddr::V4(*ip)),
            Self::V6(ip) => Some(IpAddr::V6(*ip)),
            Self::Name(_) => None,
        }
    }

    /// Whether this is that name, in any case.
    pub fn eq_name(&self, name: &str) -> bool {
        matches!(self, Self::Name(own) if own.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// Reads a whole text as a host.
    pub fn parse(text: impl Into<Bytes>) -> Option<Self> {
        let text = text.into();
        match Self::lex(&text, &text) {
            Ok(([], host)) => Some(host),
            _ => None,
        }
    }

    /// Reads a host from the front of `input`, which is a part of `all`.
    pub(super) fn lex<'a>(input: &'a [u8], all: &Bytes) -> Lexed<'a, Self> {
        if let Some(inner) = input.strip_prefix(b"[") {
            let (rest, text) = take_till(|b| b == b']').parse(inner)?;
            let (rest, _) = tag("]").parse(rest)?;
            let ip = ipv6(text).ok_or(nom::Err::Error(()))?;
            return Ok((rest, Self::V6(ip)));
        }
        let (rest, text): (_, &[u8]) = take_while1(is_name).parse(input)?;
        let numeric = text.last().is_some_and(u8::is_ascii_digit);
        let ip = if numeric { ipv4(text) } else { None };
        Ok((rest, ip.map_or_else(|| Self::Name(all.slice_ref(text)), Self::V4)))
    }
}

/// The underscore is no hostname's, but stands in the names of many inner networks.
fn is_name(byte: u8) -> bool {
    NAME[usize::from(byte)]
}

static NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'.' | b'-' | b'_');
        byte += 1;
    }
    table
};

/// Four numbers of at most three digits and 255, without leading zeros.
fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut parts = text.split(|&b| b == b'.');
    for octet in &mut octets {
        let part = parts.next().filter(|part| matches!(part, [_] | [b'1'..=b'9', _] | [b'1'..=b'9', _, _]))?;
        *octet = u8::try_from(lex::number(part, 255).ok()?).ok()?;
    }
    parts.next().is_none().then(|| octets.into())
}

/// An IPv6 address without brackets. A zone, which SIP's grammar does not have and some phones write, says nothing here.
fn ipv6(text: &[u8]) -> Option<Ipv6Addr> {
    let text = text.split(|&b| b == b'%').next().unwrap_or_default();
    let text = std::str::from_utf8(text).ok()?;
    // RFC 5118 §4.10: the grammar of RFC 2373 allowed a third colon before an embedded IPv4 address.
    text.parse().ok().or_else(|| text.contains('.').then(|| text.replacen(":::", "::", 1).parse().ok())?)
}

/// An address with or without brackets: the value of `received` (RFC 5118 §4.5).
pub(super) fn ip(text: &[u8]) -> Option<IpAddr> {
    let bare = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]")).unwrap_or(text);
    std::str::from_utf8(bare).ok()?.parse().ok()
}

/// A port from its digits, 1 to 65535.
pub(super) fn port(digits: &[u8]) -> Option<u16> {
    lex::number(digits, 65_535).ok().and_then(|port| u16::try_from(port).ok()).filter(|&port| port > 0)
}

impl PartialEq for Host {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::V4(a), Self::V4(b)) => a == b,
            (Self::V6(a), Self::V6(b)) => a == b,
            (Self::Name(a), Self::Name(b)) => a.eq_ignore_ascii_case(b),
            (Self::V4(_) | Self::V6(_) | Self::Name(_), _) => false,
        }
    }
}

impl Eq for Host {}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(ip) => ip.fmt(f),
            Self::V6(ip) => write!(f, "[{ip}]"),
            Self::Name(name) => write!(f, "{}", name.escape_ascii()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_addresses_and_the_rest_are_names() {
        assert_eq!(Host::parse("192.0.2.1"), Some(Host::V4(Ipv4Addr::new(192, 0, 2, 1))));
        assert_eq!(Host::parse("[2001:db8::1]").and_then(|h| h.ip()), "2001:db8::1".parse().ok());
        assert_eq!(Host::parse("[2001:db8:::192.0.2.1]"), Host::parse("[2001:db8::192.0.2.1]"));
        assert!(Host::parse("ExAmple.com").is_some_and(|host| host.eq_name("example.COM")));
        for wrong in ["", "[2001:db8::1", "[]", "[x]", "2001:db8::1", "a b", "[2001:db8:::1]"] {
            assert_eq!(Host::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_ipv4_address_is_what_everybody_reads_as_one() {
        for text in ["0.0.0.0", "255.255.255.255", "1.22.133.4", "01.2.3.4", "1.2.3.004", "256.1.1.1", "1.2.3.1000"] {
            assert_eq!(ipv4(text.as_bytes()), text.parse().ok(), "{text}");
        }
        for text in
            ["", ".", "1", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5", "1..2.3", "a.2.3.4", "+1.2.3.4", "00.0.0.0"]
        {
            assert_eq!(ipv4(text.as_bytes()), text.parse().ok(), "{text}");
            assert_eq!(ipv4(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_port_is_between_1_and_65535() {
        assert_eq!((port(b"1"), port(b"65535"), port(b"05060")), (Some(1), Some(65_535), Some(5060)));
        assert_eq!((port(b"0"), port(b"65536"), port(b"")), (None, None, None));
    }
}
