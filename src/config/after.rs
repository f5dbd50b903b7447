//! What can only be judged when every plan has been read: hashes that no site can use, and lab mode.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use super::document::Document;
use super::problem::{Report, Spot};
use crate::ids::SiteName;
use crate::settings::{Credentials, DigestAlgorithm, Network, Origin, Site, User};

/// SPEC 4.4: every site that takes a user must offer an algorithm that fits the stored hash.
pub fn hashes_fit(network: &Network, sites: &BTreeMap<SiteName, Arc<Site>>, report: &mut Report) {
    for home in sites.values() {
        for user in home.users.values() {
            let roams = network.profile(&user.profile).remote_hot_desk;
            let takes = |site: &&Arc<Site>| site.name == home.name || (roams && site.hot_desk.visitors);
            for site in sites.values().filter(takes).filter(|site| !fits(&user.credentials, site)) {
                report.error_at(hash_of(user), unusable(&user.credentials, site));
            }
        }
        for desk in home.desks.values().filter(|desk| !fits(&desk.credentials, home)) {
            report.error_at(hash_spot(&desk.credentials, &desk.origin, "phones"), unusable(&desk.credentials, home));
        }
    }
}

fn fits(credentials: &Credentials, site: &Site) -> bool {
    let none = credentials.ha1_md5.is_none() && credentials.ha1_sha256.is_none(); // told elsewhere
    none || site.auth.algorithms.iter().any(|algorithm| match algorithm {
        DigestAlgorithm::Md5 => credentials.ha1_md5.is_some(),
        DigestAlgorithm::Sha256 => credentials.ha1_sha256.is_some(),
    })
}

fn unusable(credentials: &Credentials, site: &Site) -> String {
    let (has, offered) = if credentials.ha1_md5.is_some() { ("MD5", "SHA-256") } else { ("SHA-256", "MD5") };
    format!("{} offers {offered} only, and this hash is for {has}: nobody could log in there with it", site.name)
}

fn hash_of(user: &User) -> Spot {
    hash_spot(&user.credentials, &user.origin, "users")
}

fn hash_spot(credentials: &Credentials, origin: &Origin, table: &str) -> Spot {
    Spot::of(origin, format!("{table}.{}", if credentials.ha1_md5.is_some() { "ha1_md5" } else { "ha1_sha256" }))
}

/// SPEC 4.7: lab mode is for loopback only; elsewhere letters name nobody.
pub fn lab_stays_here(
    document: &Document,
    network: &Network,
    sites: &BTreeMap<SiteName, Arc<Site>>,
    report: &mut Report,
) {
    let root = document.root();
    let at = root.key("sites");
    for site in sites.values().filter(|site| site.lab.is_none()) {
        let entry = network.sites.get(&site.name).map_or(&[][..], |entry| &entry.extensions);
        let lettered = |text: &str| text.bytes().any(|b| b.is_ascii_lowercase() || b == b'N');
        for (index, pattern) in entry.iter().enumerate().filter(|(_, pattern)| lettered(pattern.as_str())) {
            let message = format!("`{pattern}`: letters and a final `N` are for lab mode only");
            report.error(at.key(site.name.as_str()).key("extensions").row(index), message);
        }
    }
    let Some(lab) = sites.values().find(|site| site.lab.is_some()) else { return };
    let abroad = |address: &SocketAddr| !address.ip().is_loopback() && address.port() != 0; // 0: told elsewhere
    let why = |what: String| format!("{} is in lab mode, which is for loopback only: {what}", lab.name);
    for (name, entry) in &network.sites {
        let sockets = entry.listen.iter().flat_map(|socket| [socket.bind, socket.advertise]);
        if let Some(address) = sockets.chain([entry.address]).chain(entry.admin).find(abroad) {
            report.error(at.key(name.as_str()), why(format!("{address} is not")));
        }
    }
    if let Some(admin) = network.admin.filter(abroad) {
        report.error(root.key("network").key("admin"), why(format!("{admin} is not")));
    }
    for trunk in sites.values().flat_map(|site| &site.trunks) {
        let sources = trunk.accept_from.iter().all(|rule| rule.address.is_loopback());
        if !sources || trunk.address.is_none_or(|address| !address.ip().is_loopback()) {
            report.error_at(Spot::of(&trunk.origin, "trunks.address"), why(format!("trunk `{}` is not", trunk.name)));
        }
    }
}
