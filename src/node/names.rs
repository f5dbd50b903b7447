//! Host names of trunks and of voicemail (SPEC 3): which to look up, and what they resolved to.

use std::net::SocketAddr;

use super::commons::Commons;
use super::{Config, Node};
use crate::event::Event;
use crate::link::proof::trunk_mark;
use crate::proxy;
use crate::settings::Site;
use crate::sip::{Host, Uri};
use crate::timing::Now;
use crate::trunk::Resolved;

/// The names that stand for no trunk: that of the voicemail, and those of registrars.
pub(super) fn other_names(site: &Site) -> impl Iterator<Item = String> {
    let registrars = site.trunks.iter().filter_map(|trunk| Some(trunk.register.as_ref()?.registrar.clone()));
    let uris = site.voicemail.clone().into_iter().chain(registrars);
    uris.filter_map(|uri| match Uri::parse(uri).ok()?.host()? {
        Host::Name(name) => Some(String::from_utf8_lossy(name).into_owned()),
        Host::V4(_) | Host::V6(_) => None,
    })
}

/// As [`Node::is_reserved`], where the node is lent to something else.
pub(super) fn is_reserved(config: &Config, commons: &Commons, address: SocketAddr) -> bool {
    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
    source_trunk(config, commons, address).is_some() || proxy::is_site(&config.network, address)
}

fn source_trunk(config: &Config, commons: &Commons, source: SocketAddr) -> Option<usize> {
    let written = proxy::source_trunk(&config.site, source);
    written.or_else(|| {
        let mark = commons.trunks.named_at(source)?;
        config.site.trunks.iter().position(|trunk| trunk_mark(&trunk.name) == mark)
    })
}

impl Node {
    /// The next host name that the shell is to look up; what comes of it is told by [`handle_resolved`](Self::handle_resolved).
    pub fn poll_lookup(&mut self) -> Option<String> {
        self.lookups.pop_front()
    }

    /// What a name has resolved to.
    pub fn handle_resolved(&mut self, now: Now, name: &str, resolved: Resolved) {
        let changes = self.commons.trunks.resolved(now.instant, name, resolved, |address| self.is_usable(address));
        for change in changes {
            self.say(match change.failure {
                Some(_) => Event::TrunkDown(change),
                None => Event::TrunkUp(change),
            });
        }
        self.look_at_all_lines(now);
        self.settle(now);
    }

    /// Whether a trunk may be there: at an address that a socket of ours reaches, and where no site is (SPEC 9.5).
    fn is_usable(&self, address: SocketAddr) -> bool {
        self.listen.iter().any(|ours| ours.is_ipv4() == address.is_ipv4())
            && !proxy::is_site(&self.config.network, address)
    }

    /// Asks for the names that are due.
    pub(super) fn look_up_names(&mut self, now: Now) {
        let due = self.commons.trunks.lookups(now.instant);
        self.lookups.extend(due);
    }

    /// The trunk that sends from this address and port: by its address, one of its `accept_from`, or what its name resolves to.
    pub(super) fn source_trunk(&self, source: SocketAddr) -> Option<usize> {
        source_trunk(&self.config, &self.commons, source)
    }

    /// Whether a trunk or a site is at that address: no phone is (SPEC 9.5, 9.7).
    pub(super) fn is_reserved(&self, address: SocketAddr) -> bool {
        is_reserved(&self.config, &self.commons, address)
    }

    /// Where a URI leads, in the order of trying: its address, or what its name resolves to.
    pub(super) fn addresses_at(&self, uri: &Uri) -> Vec<SocketAddr> {
        let port = uri.port().unwrap_or(5060); // RFC 3261 §19.1.2
        let found = match uri.host() {
            None => Vec::new(),
            Some(Host::Name(name)) => self.commons.trunks.addresses_of(&String::from_utf8_lossy(name)),
            Some(host @ (Host::V4(_) | Host::V6(_))) => host.ip().into_iter().collect(),
        };
        let at = found.into_iter().map(|ip| SocketAddr::new(ip, port));
        at.filter(|address| self.listen.iter().any(|ours| ours.is_ipv4() == address.is_ipv4())).collect()
    }
}
