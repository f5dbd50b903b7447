//! `network.toml`: what all sites share.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::site::Listen;
use crate::digits::ExtensionPattern;
use crate::ids::{SiteName, SiteNumber};

/// Bytes that never appear in logs, errors or the API.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a licence type allows (`[profiles.NAME]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Simultaneous bindings of one user, parked ones not counted.
    pub devices: usize,
    /// Simultaneous calls of one user.
    pub calls: usize,
    /// Forwards are allowed.
    pub forwarding: bool,
    /// Forwards may leave by a trunk.
    pub forward_external: bool,
    /// The user may log in at other sites.
    pub remote_hot_desk: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self { devices: 3, calls: 4, forwarding: true, forward_external: true, remote_hot_desk: true }
    }
}

/// What every site knows of one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteEntry {
    /// Its name.
    pub name: SiteName,
    /// The target of a Break Out without a `site`.
    pub number: SiteNumber,
    /// Its SIP domain, lower case.
    pub domain: String,
    /// Other host names that phones use for it, lower case.
    pub aliases: Vec<String>,
    /// Its sockets; at least one.
    pub listen: Vec<Listen>,
    /// Where the other sites reach it.
    pub address: SocketAddr,
    /// The extensions that it owns; they overlap with no other site's.
    pub extensions: Vec<ExtensionPattern>,
    /// A pair of sites may have its own secret instead of the network's, by the other's name.
    pub link_secrets: BTreeMap<SiteName, Secret>,
    /// Web page, API and metrics of a process that serves this site.
    pub admin: Option<SocketAddr>,
    /// How many threads serve it, each with sockets of its own; 1 to [`SiteEntry::SHARDS`].
    pub shards: u8,
}

impl SiteEntry {
    /// Most shards of one site.
    pub const SHARDS: u8 = 64;
}

/// The network: the same at every site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The one digest realm.
    pub realm: String,
    /// At least 32 bytes; `None` only in a network of one site.
    pub link_secret: Option<Secret>,
    /// Accepted beside it while it is being changed.
    pub link_secret_previous: Option<Secret>,
    /// Web page, API and metrics.
    pub admin: Option<SocketAddr>,
    /// Needed when `admin` is not on loopback.
    pub admin_token: Option<Secret>,
    /// SPEC 12.7.
    pub call_log: Option<PathBuf>,
    /// The embedded database; `None`: in memory.
    pub data_dir: Option<PathBuf>,
    /// Name servers for the host names of trunks; empty: those of the machine. Taken at the start, not at a reload.
    pub resolvers: Vec<SocketAddr>,
    /// Licence types by name; `basic` is always there.
    pub profiles: BTreeMap<String, Profile>,
    /// All sites by name; at least one.
    pub sites: BTreeMap<SiteName, SiteEntry>,
    /// A hash of what all sites must agree on: sites compare it over their links.
    pub fingerprint: [u8; 8],
}

impl Network {
    /// The site whose extension patterns take `extension`, if any does.
    pub fn home_of(&self, extension: &str) -> Option<&SiteEntry> {
        self.sites.values().find(|site| site.extensions.iter().any(|pattern| pattern.matches(extension)))
    }

    /// The site with that name, if there is one.
    pub fn site(&self, name: &str) -> Option<&SiteEntry> {
        self.sites.get(name)
    }

    /// What the profile allows; an unknown name allows what `basic` does.
    pub fn profile(&self, name: &str) -> Profile {
        self.profiles.get(name).or_else(|| self.profiles.get("basic")).cloned().unwrap_or_default()
    }
}
