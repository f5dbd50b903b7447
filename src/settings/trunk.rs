//! `[[trunks]]` of a site and what belongs to them: where carriers send from, what they are shown, the calls that come in.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Secret;
use super::site::OutOfHours;
use super::user::Origin;

/// An address, an address and port, or a network, that requests come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRule {
    /// The network's address.
    pub address: IpAddr,
    /// Leading bits that count: 32 or 128 for one address.
    pub bits: u8,
    /// Only this port.
    pub port: Option<u16>,
}

impl SourceRule {
    /// Whether `source` is meant.
    pub fn matches(&self, source: SocketAddr) -> bool {
        self.port.is_none_or(|port| port == source.port()) && self.contains(source.ip())
    }

    /// Whether `address` is in the network, whatever the port.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let drop = 32 - u32::from(self.bits.min(32));
                net.to_bits().checked_shr(drop) == ip.to_bits().checked_shr(drop)
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let drop = 128 - u32::from(self.bits.min(128));
                net.to_bits().checked_shr(drop) == ip.to_bits().checked_shr(drop)
            }
            (IpAddr::V4(_), IpAddr::V6(ip)) => ip.to_ipv4_mapped().is_some_and(|ip| self.contains(IpAddr::V4(ip))),
            (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// What goes out as the calling number on a trunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallerId {
    /// The user's, else the site's.
    User,
    /// The site's.
    Site,
    /// Always this one.
    Fixed(String),
}

/// Whether the calling number is also put into From.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromHeader {
    /// Rewritten, and restored on the way back.
    Rewrite,
    /// Left as the phone sent it.
    Keep,
}

/// Whether a carrier takes the caller's location (RFC 6442).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Geolocation {
    /// No.
    No,
    /// As a reference.
    Uri,
    /// As a PIDF-LO body.
    Body,
}

/// A carrier that wants registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Its registrar's URI.
    pub registrar: String,
    /// Our user there.
    pub user: String,
    /// Asked for.
    pub expires: Duration,
}

/// `[[trunks]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    /// Its name, unique at the site.
    pub name: String,
    /// Its line group.
    pub group: String,
    /// Host (an IP address or a name) and port where it is reached.
    pub host: String,
    /// The address, where `host` is one.
    pub address: Option<SocketAddr>,
    /// Simultaneous calls; `None`: no limit.
    pub channels: Option<u32>,
    /// More sources; the address itself always counts.
    pub accept_from: Vec<SourceRule>,
    /// What is shown.
    pub caller_id: CallerId,
    /// Calling numbers that the carrier accepts, as code patterns; empty: all.
    pub numbers: Vec<String>,
    /// Numbers of forwarded and SS calls too.
    pub any_caller_id: bool,
    /// From.
    pub from: FromHeader,
    /// P-Asserted-Identity goes out even with Privacy, and comes in.
    pub trusted: bool,
    /// Location of emergency calls.
    pub geolocation: Geolocation,
    /// How long a failed trunk counts as down.
    pub retry: Duration,
    /// Calls that come in here and are forwarded out by a trunk, at most.
    pub transit_calls: u32,
    /// Passes REFER.
    pub refer: bool,
    /// A 3xx of the carrier is followed, to its own addresses.
    pub redirects: bool,
    /// Digest credentials, if the carrier challenges.
    pub username: String,
    /// Their password.
    pub password: Option<Secret>,
    /// Registration with the carrier.
    pub register: Option<Registration>,
    /// Where it stands.
    pub origin: Origin,
}

/// `[[incoming]]`: calls from a trunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// The trunk group.
    pub group: String,
    /// Code pattern on the called number.
    pub number: String,
    /// Extension or group, by the number template.
    pub to: String,
    /// The same outside its hours.
    pub out_of_hours: Option<OutOfHours>,
    /// Where it stands.
    pub origin: Origin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_rule_takes_its_network_and_no_other() {
        let rule = SourceRule { address: [10, 1, 0, 0].into(), bits: 16, port: None };
        assert!(rule.matches("10.1.255.9:5060".parse().expect("address")));
        assert!(!rule.matches("10.2.0.1:5060".parse().expect("address")));
        let any = SourceRule { address: [0, 0, 0, 0].into(), bits: 0, port: Some(5060) };
        assert!(any.matches("192.0.2.1:5060".parse().expect("address")));
        assert!(!any.matches("192.0.2.1:5061".parse().expect("address")));
    }
}
