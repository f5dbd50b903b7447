//! What the sites of a network must not share: numbers, names, extensions, sockets. And what two of them share alone: a secret.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::document::{At, Document};
use super::nearest::hint;
use super::problem::Report;
use super::raw::{NetworkFile, SiteRow};
use crate::ids::SiteName;
use crate::settings::{Network, Secret, SiteEntry};

/// Checks every pair of sites. `together` are those that one process will serve.
pub fn neighbours(document: &Document, network: &Network, together: &BTreeSet<SiteName>, report: &mut Report) {
    let root = document.root();
    let at = root.key("sites");
    let sites: Vec<&SiteEntry> = network.sites.values().collect();
    for (index, site) in sites.iter().enumerate() {
        let here = at.key(site.name.as_str());
        admin(here, site, network, report);
        own_names(here, site, report);
        own_sockets(here, site, report);
        for other in sites.iter().take(index) {
            number(here, site, other, report);
            names(here, site, other, report);
            extensions(here, site, other, report);
            sockets(here, site, other, together, report);
        }
    }
}

fn admin(at: At<'_>, site: &SiteEntry, network: &Network, report: &mut Report) {
    if network.admin_token.is_none() && site.admin.is_some_and(|admin| !admin.ip().is_loopback()) {
        report.error(at.key("admin"), "is not on loopback: `admin_token` is needed in [network]");
    }
    for admin in [site.admin, network.admin].into_iter().flatten() {
        if let Some(index) = site.listen.iter().position(|socket| collide(socket.bind, admin)) {
            report.error(at.key("listen").row(index), format!("{admin} is the `admin` address"));
        }
    }
}

fn number(at: At<'_>, site: &SiteEntry, other: &SiteEntry, report: &mut Report) {
    if site.number == other.number && site.number.0 != 0 {
        report.error(at.key("number"), format!("{} is already the number of {}", site.number, other.name));
    }
}

fn own_names(at: At<'_>, site: &SiteEntry, report: &mut Report) {
    for (index, alias) in site.aliases.iter().enumerate() {
        if *alias == site.domain || site.aliases.iter().take(index).any(|earlier| earlier == alias) {
            report.error(at.key("aliases").row(index), format!("`{alias}` stands there twice"));
        }
    }
}

fn names(at: At<'_>, site: &SiteEntry, other: &SiteEntry, report: &mut Report) {
    let theirs = |name: &String| !name.is_empty() && (other.domain == *name || other.aliases.contains(name));
    if theirs(&site.domain) {
        report.error(at.key("domain"), format!("`{}` is already a name of {}", site.domain, other.name));
    }
    for (index, alias) in site.aliases.iter().enumerate().filter(|(_, alias)| theirs(alias)) {
        report.error(at.key("aliases").row(index), format!("`{alias}` is already a name of {}", other.name));
    }
}

fn extensions(at: At<'_>, site: &SiteEntry, other: &SiteEntry, report: &mut Report) {
    for (index, mine) in site.extensions.iter().enumerate() {
        for theirs in other.extensions.iter().filter(|theirs| mine.overlaps(theirs)) {
            let message = format!("`{mine}` overlaps `{theirs}` of {}: a number has one home", other.name);
            report.error(at.key("extensions").row(index), message);
        }
    }
}

fn own_sockets(at: At<'_>, site: &SiteEntry, report: &mut Report) {
    for (index, socket) in site.listen.iter().enumerate() {
        if site.listen.iter().take(index).any(|earlier| collide(socket.bind, earlier.bind)) {
            report.error(at.key("listen").row(index), format!("{} is taken by a socket before it", socket.bind));
        }
    }
}

fn sockets(at: At<'_>, site: &SiteEntry, other: &SiteEntry, together: &BTreeSet<SiteName>, report: &mut Report) {
    let one_process = together.contains(&site.name) && together.contains(&other.name);
    for (index, mine) in site.listen.iter().enumerate() {
        let here = at.key("listen");
        if other.listen.iter().any(|theirs| mine.advertise == theirs.advertise) {
            report.error(here.row(index), format!("{} is already a socket of {}", mine.advertise, other.name));
        } else if one_process && other.listen.iter().any(|theirs| collide(mine.bind, theirs.bind)) {
            let message = format!("{} cannot be bound beside a socket of {} in one process", mine.bind, other.name);
            report.error(here.row(index), message);
        }
    }
    let own = site.listen.iter().any(|socket| socket.advertise == site.address);
    if site.address == other.address && site.address.port() != 0 && !own {
        report.error(at.key("address"), format!("{} is already the address of {}", site.address, other.name));
    }
}

/// Whether two sockets of one machine are the same, one of them perhaps on every address.
fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    let anywhere = a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() == b.port() && (a.ip() == b.ip() || (anywhere && a.is_ipv4() == b.is_ipv4()))
}

/// Reads the secrets of pairs of sites and gives each to both. Those that no site in `served` needs are not looked for;
/// `None` is for all.
pub fn pair_secrets(
    document: &Document,
    file: &NetworkFile,
    served: Option<&BTreeSet<SiteName>>,
    network: &mut Network,
    report: &mut Report,
) {
    let root = document.root();
    let at = root.key("sites");
    for (name, row) in &file.sites {
        let here = at.key(name);
        for (other, secret) in read(here.key("link_secrets"), name, row, file, served, report) {
            share(here, (name, &other), secret, network, report);
        }
    }
}

fn read(
    at: At<'_>,
    name: &str,
    row: &SiteRow,
    file: &NetworkFile,
    served: Option<&BTreeSet<SiteName>>,
    report: &mut Report,
) -> BTreeMap<String, Secret> {
    let mut secrets = BTreeMap::new();
    for (other, form) in &row.link_secrets {
        let key = at.key(other);
        if other == name || !file.sites.contains_key(other) {
            let known = file.sites.keys().map(String::as_str).filter(|known| *known != name);
            report.error(key, format!("no other site `{other}`{}", hint(other, known)));
        } else if served.is_none_or(|served| served.contains(name) || served.contains(other.as_str())) {
            secrets.extend(report.link_secret(key, Some(form)).map(|secret| (other.clone(), secret)));
        }
    }
    secrets
}

fn share(at: At<'_>, (name, other): (&str, &str), secret: Secret, network: &mut Network, report: &mut Report) {
    for (mine, theirs) in [(name, other), (other, name)] {
        let Some(site) = network.sites.get_mut(mine) else { continue };
        let kept = site.link_secrets.entry(SiteName::new(theirs)).or_insert_with(|| secret.clone());
        if *kept != secret {
            report
                .error(at.key("link_secrets").key(other), format!("differs from the one that {other} has for {name}"));
            return;
        }
    }
}
