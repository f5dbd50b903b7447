//! Where a request belongs by its address and its names (SPEC 4.6, 9.5).

use std::net::{IpAddr, SocketAddr};

use crate::settings::{Network, Site, SiteEntry};
use crate::sip::{Host, Uri};

/// The names of a site: its domain, its aliases, and every address that it listens on or advertises, with any port.
#[derive(Clone, Debug)]
pub struct Names {
    hosts: Vec<String>,
    addresses: Vec<IpAddr>,
    advertised: Vec<SocketAddr>,
    realm: String,
    network: Vec<String>,
    network_addresses: Vec<IpAddr>,
}

impl Names {
    /// The names of `entry`, and those of the whole network beside them.
    pub fn new(network: &Network, entry: &SiteEntry) -> Self {
        let hosts = |entry: &SiteEntry| -> Vec<String> {
            std::iter::once(&entry.domain).chain(&entry.aliases).map(|name| name.to_ascii_lowercase()).collect()
        };
        let addresses = |entry: &SiteEntry| -> Vec<IpAddr> {
            entry.listen.iter().flat_map(|listen| [listen.bind.ip(), listen.advertise.ip()]).collect()
        };
        Self {
            hosts: hosts(entry),
            addresses: addresses(entry),
            advertised: entry.listen.iter().flat_map(|listen| [listen.advertise, listen.bind]).collect(),
            realm: network.realm.to_ascii_lowercase(),
            network: network.sites.values().flat_map(hosts).collect(),
            network_addresses: network.sites.values().flat_map(addresses).collect(),
        }
    }

    /// Whether the host names this site, or the realm, which means the user wherever at home.
    pub fn is_here(&self, host: &Host) -> bool {
        match host {
            Host::Name(name) => self.is_realm(name) || self.hosts.iter().any(|ours| same(name, ours)),
            Host::V4(_) | Host::V6(_) => host.ip().is_some_and(|ip| self.addresses.contains(&ip)),
        }
    }

    /// Whether the host is a name of any site of the network.
    pub fn is_in_network(&self, host: &Host) -> bool {
        match host {
            Host::Name(name) => self.is_realm(name) || self.network.iter().any(|ours| same(name, ours)),
            Host::V4(_) | Host::V6(_) => host.ip().is_some_and(|ip| self.network_addresses.contains(&ip)),
        }
    }

    /// Whether a Route or Via with this host and port is ours: the very addresses that we write there.
    pub fn is_our_address(&self, host: &Host, port: Option<u16>) -> bool {
        host.ip().is_some_and(|ip| self.advertised.contains(&SocketAddr::new(ip, port.unwrap_or(5060))))
    }

    /// Whether a Route URI means us: our address, or one of our names.
    pub fn is_our_route(&self, uri: &Uri) -> bool {
        uri.host().is_some_and(|host| match host {
            Host::Name(name) => self.hosts.iter().any(|ours| same(name, ours)),
            Host::V4(_) | Host::V6(_) => self.is_our_address(host, uri.port()),
        })
    }

    fn is_realm(&self, name: &[u8]) -> bool {
        same(name, &self.realm)
    }
}

fn same(name: &[u8], ours: &str) -> bool {
    name.eq_ignore_ascii_case(ours.as_bytes())
}

/// Whether a site of the network is at that address.
pub fn is_site(network: &Network, address: SocketAddr) -> bool {
    let is_its = |entry: &SiteEntry| {
        let listens = entry.listen.iter().flat_map(|listen| [listen.bind, listen.advertise]);
        listens.chain([entry.address]).any(|own| own == address)
    };
    network.sites.values().any(is_its)
}

/// The trunk that sends from this address and port: its own address, or one of its `accept_from`. What trunks with a host name have
/// is known by [`Trunks`](crate::trunk::Trunks).
pub fn source_trunk(site: &Site, source: SocketAddr) -> Option<usize> {
    site.trunks
        .iter()
        .position(|trunk| trunk.address == Some(source) || trunk.accept_from.iter().any(|rule| rule.matches(source)))
}
