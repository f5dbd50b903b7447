//! Single values: ranges, choices, times, addresses. Each tells the report what is wrong and goes on with the default.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::document::At;
use super::nearest::hint;
use super::problem::Report;
use crate::settings::SourceRule;

/// Longest span of time in a configuration: 68 years in seconds.
pub const LONGEST: i64 = i32::MAX as i64;

impl Report {
    /// A whole number within `range`.
    pub fn whole(&mut self, at: At<'_>, written: Option<i64>, range: RangeInclusive<i64>, default: u32) -> u32 {
        let Some(value) = written else { return default };
        match u32::try_from(value) {
            Ok(fits) if range.contains(&value) => fits,
            Ok(_) | Err(_) => {
                self.error(at, format!("{value} is out of range: {} to {}", range.start(), range.end()));
                default
            }
        }
    }

    /// A count within `range`.
    pub fn count(&mut self, at: At<'_>, written: Option<i64>, range: RangeInclusive<i64>, default: usize) -> usize {
        let default = u32::try_from(default).unwrap_or(u32::MAX);
        self.whole(at, written, range, default) as usize
    }

    /// Whole seconds within `range`.
    pub fn seconds(
        &mut self,
        at: At<'_>,
        written: Option<i64>,
        range: RangeInclusive<i64>,
        default: Duration,
    ) -> Duration {
        match written {
            Some(_) => Duration::from_secs(self.whole(at, written, range, default.as_secs() as u32).into()),
            None => default,
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&mut self, at: At<'_>, written: Option<&str>, choices: &[(&str, T)], default: T) -> T {
        let Some(word) = written else { return default };
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == word) {
            return *choice;
        }
        self.error(at, format!("`{word}` is no choice here: {}", either(choices.iter().map(|(name, _)| *name))));
        default
    }

    /// A text in which nothing can hide: not empty, no control characters.
    pub fn text(&mut self, at: At<'_>, written: Option<&str>) -> Option<String> {
        let text = written?;
        if text.trim().is_empty() {
            self.error(at, "is empty; leave the key out for none");
            return None;
        }
        if text.chars().any(char::is_control) {
            self.error(at, "has a control character");
            return None;
        }
        Some(text.to_owned())
    }

    /// A text that must be there.
    pub fn required(&mut self, at: At<'_>, written: Option<&str>) -> Option<String> {
        if written.is_none() {
            self.error(at, "is missing");
        }
        self.text(at, written)
    }

    /// A number that can be dialled or shown: `0-9 * # +`, at most 31. Empty is none.
    pub fn number(&mut self, at: At<'_>, written: Option<&str>) -> Option<String> {
        let text = written.filter(|text| !text.is_empty())?;
        let strange = text.chars().find(|c| !c.is_ascii_digit() && !matches!(c, '*' | '#' | '+'));
        match strange {
            Some(c) => self.error(at, format!("`{text}` is no number: `{c}` cannot be dialled")),
            None if text.len() > 31 => self.error(at, format!("`{text}` is longer than 31 digits")),
            None => return Some(text.to_owned()),
        }
        None
    }

    /// A name from a list of those that exist.
    pub fn known<'k>(
        &mut self,
        at: At<'_>,
        kind: &str,
        written: Option<&str>,
        known: impl IntoIterator<Item = &'k str>,
    ) -> Option<String> {
        let name = written.filter(|name| !name.is_empty())?;
        let known: Vec<&str> = known.into_iter().collect();
        if known.contains(&name) {
            return Some(name.to_owned());
        }
        self.error(at, format!("no {kind} `{name}`{}", hint(name, known)));
        None
    }

    /// `ADDRESS:PORT`, the port not 0.
    pub fn socket(&mut self, at: At<'_>, written: &str) -> Option<SocketAddr> {
        match written.parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 => return Some(address),
            Ok(_) => self.error(at, format!("`{written}`: the port cannot be 0")),
            Err(_) => {
                self.error(at, format!("`{written}` is not ADDRESS:PORT, such as 10.1.0.5:5060 or [2001:db8::5]:5060"))
            }
        }
        None
    }

    /// A local time, `HH:MM`, in minutes since midnight; `24:00` where `midnight` allows it.
    pub fn time_of_day(&mut self, at: At<'_>, written: &str, midnight: bool) -> Option<u16> {
        let minutes = minutes_of(written).filter(|&m| m < 1440 || (m == 1440 && midnight));
        if minutes.is_none() {
            self.error(at, format!("`{written}` is no time of day, such as 09:00"));
        }
        minutes
    }

    /// An IANA time zone. An unknown one is told and kept, so that nobody else misses it.
    pub fn timezone(&mut self, at: At<'_>, written: Option<&str>) -> Option<String> {
        let name = written?;
        if jiff::tz::TimeZone::get(name).is_err() {
            self.error(at, format!("no time zone `{name}`: an IANA name such as Europe/London is needed"));
        }
        Some(name.to_owned())
    }

    /// Source rules: `ip`, `ip:port` or `network/bits`.
    pub fn sources(&mut self, at: At<'_>, written: &[String]) -> Vec<SourceRule> {
        let mut rules = Vec::with_capacity(written.len());
        for (index, text) in written.iter().enumerate() {
            match source_rule(text) {
                Ok(rule) => rules.push(rule),
                Err(why) => self.error(at.row(index), why),
            }
        }
        rules
    }

    /// A host name or IPv4 address, in lower case.
    pub fn host(&mut self, at: At<'_>, written: &str) -> Option<String> {
        if is_host(written) {
            return Some(written.to_ascii_lowercase());
        }
        self.error(at, format!("`{written}` is no host name"));
        None
    }
}

fn either<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        Some(_) | None => names.concat(),
    }
}

/// Whether a text can stand as host name in a URI (RFC 3261 §25.1 `hostname`, or an IPv4 address).
pub fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

fn minutes_of(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |part: &str| (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?;
    let (hours, minutes): (u16, u16) = (two(hours)?, two(minutes)?);
    (minutes < 60).then_some(hours * 60 + minutes)
}

fn source_rule(text: &str) -> Result<SourceRule, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(SourceRule { address, bits: width(address), port: None });
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Ok(SourceRule { address: socket.ip(), bits: width(socket.ip()), port: Some(socket.port()) });
    }
    let network = text.split_once('/').and_then(|(ip, bits)| Some((ip.parse::<IpAddr>().ok()?, bits.parse().ok()?)));
    match network {
        Some((address, bits)) if bits <= width(address) => {
            let first = first_of(address, bits);
            if first == address {
                Ok(SourceRule { address, bits, port: None })
            } else {
                Err(format!("`{text}` is no network: with {bits} bits it begins at {first}"))
            }
        }
        Some(_) | None => Err(format!("`{text}` is no source: an address, address:port or network/bits")),
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn first_of(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(ip) => {
            IpAddr::from((ip.to_bits() & u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)).to_be_bytes())
        }
        IpAddr::V6(ip) => {
            IpAddr::from((ip.to_bits() & u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)).to_be_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_an_address_a_socket_or_a_network() {
        let rule = |text| source_rule(text).map(|r| (r.bits, r.port));
        assert_eq!(rule("10.0.0.1"), Ok((32, None)));
        assert_eq!(rule("10.0.0.1:5060"), Ok((32, Some(5060))));
        assert_eq!(rule("[::1]:5060"), Ok((128, Some(5060))));
        assert_eq!(rule("10.0.0.0/8"), Ok((8, None)));
        assert_eq!(rule("0.0.0.0/0"), Ok((0, None)));
        assert_eq!(rule("fe80::/10"), Ok((10, None)));
        assert!(rule("10.0.0.1/8").is_err_and(|why| why.ends_with("it begins at 10.0.0.0")));
        assert!(rule("10.0.0.0/33").is_err() && rule("ten").is_err());
    }

    #[test]
    fn a_time_of_day_has_four_digits() {
        assert_eq!(minutes_of("09:30"), Some(570));
        assert_eq!(minutes_of("24:00"), Some(1440));
        assert_eq!((minutes_of("9:30"), minutes_of("09:60"), minutes_of("0930")), (None, None, None));
    }

    #[test]
    fn a_host_is_labels_between_dots() {
        assert!(is_host("london.example") && is_host("127.0.0.1") && is_host("a"));
        assert!(!is_host("london..example") && !is_host("") && !is_host("-a") && !is_host("a b") && !is_host("sip:a"));
    }
}
