//! `network.toml`: from what is written to what every site knows.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::document::{At, Document};
use super::problem::Report;
use super::raw::{ListenForm, NetworkFile, NetworkTable, ProfileTable, SiteRow};
use super::values::is_host;
use crate::digits::ExtensionPattern;
use crate::ids::{SiteName, SiteNumber};
use crate::settings::{Listen, Network, Profile, SiteEntry};

/// Makes the network of its file. Pair secrets follow once it is known who needs them.
pub fn network(document: &Document, file: &NetworkFile, report: &mut Report) -> Network {
    let (root, none) = (document.root(), NetworkTable::default());
    let (at, table) = (root.key("network"), file.network.as_ref().unwrap_or(&none));
    let network = Network {
        fingerprint: [0; 8],
        realm: realm(at, table, report),
        link_secret: report.link_secret(at.key("link_secret"), table.link_secret.as_ref()),
        link_secret_previous: report.link_secret(at.key("link_secret_previous"), table.link_secret_previous.as_ref()),
        admin: table.admin.as_deref().and_then(|text| report.socket(at.key("admin"), text)),
        admin_token: report
            .secret(at.key("admin_token"), table.admin_token.as_ref())
            .map(|token| crate::settings::Secret(token.into_bytes())),
        call_log: report.text(at.key("call_log"), table.call_log.as_deref()).map(|path| document.path(&path)),
        data_dir: report.text(at.key("data_dir"), table.data_dir.as_deref()).map(|path| document.path(&path)),
        resolvers: resolvers(at.key("resolvers"), &table.resolvers, report),
        profiles: profiles(root.key("profiles"), &file.profiles, report),
        sites: sites(root.key("sites"), &file.sites, report),
    };
    needs(at, table, file.sites.len(), &network, report);
    network
}

fn realm(at: At<'_>, table: &NetworkTable, report: &mut Report) -> String {
    let realm = report.required(at.key("realm"), table.realm.as_deref()).unwrap_or_default();
    if realm.contains(['"', '\\']) {
        report.error(at.key("realm"), "a realm has no quotes and no backslashes");
    }
    realm
}

/// Name servers: an address, with or without a port.
fn resolvers(at: At<'_>, written: &[String], report: &mut Report) -> Vec<SocketAddr> {
    let server = |(index, text): (usize, &String)| {
        let server = text.parse().ok().or_else(|| Some(SocketAddr::new(text.parse().ok()?, 53)));
        if server.is_none_or(|server: SocketAddr| server.port() == 0 || server.ip().is_unspecified()) {
            let message = format!("`{text}` is no address of a name server, such as 10.0.0.53 or 127.0.0.1:5353");
            report.error(at.row(index), message);
        }
        server
    };
    written.iter().enumerate().filter_map(server).collect()
}

/// What one key asks of another.
fn needs(at: At<'_>, table: &NetworkTable, sites: usize, network: &Network, report: &mut Report) {
    if sites >= 2 && table.link_secret.is_none() {
        report.error(at.key("link_secret"), "is missing: with two or more sites they must know each other");
    }
    if table.link_secret.is_none() && table.link_secret_previous.is_some() {
        report.error(at.key("link_secret_previous"), "there is no `link_secret` beside it");
    }
    if table.admin_token.is_none() && network.admin.is_some_and(|admin| !admin.ip().is_loopback()) {
        report.error(at.key("admin_token"), "is missing: `admin` is not on loopback");
    }
}

fn profiles(at: At<'_>, rows: &BTreeMap<String, ProfileTable>, report: &mut Report) -> BTreeMap<String, Profile> {
    let mut profiles = BTreeMap::from([("basic".to_owned(), Profile::default())]);
    for (name, row) in rows {
        profiles.insert(name.clone(), profile(at.key(name), row, report));
    }
    profiles
}

fn profile(at: At<'_>, row: &ProfileTable, report: &mut Report) -> Profile {
    let usual = Profile::default();
    Profile {
        devices: report.count(at.key("devices"), row.devices, 1..=1000, usual.devices),
        calls: report.count(at.key("calls"), row.calls, 1..=1_000_000_000, usual.calls),
        forwarding: row.forwarding.unwrap_or(usual.forwarding),
        forward_external: row.forward_external.unwrap_or(usual.forward_external),
        remote_hot_desk: row.remote_hot_desk.unwrap_or(usual.remote_hot_desk),
    }
}

fn sites(at: At<'_>, rows: &BTreeMap<String, SiteRow>, report: &mut Report) -> BTreeMap<SiteName, SiteEntry> {
    if rows.is_empty() {
        report.error(at, "is missing: a network has at least one site");
    }
    rows.iter().map(|(name, row)| (SiteName::new(name), site(at.key(name), name, row, report))).collect()
}

fn site(at: At<'_>, name: &str, row: &SiteRow, report: &mut Report) -> SiteEntry {
    if !(1..=32).contains(&name.len()) || !name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_')) {
        report.error(at, "a site's name has 1 to 32 characters of a-z 0-9 - _");
    }
    if row.number.is_none() {
        report.error(at.key("number"), "is missing");
    }
    report.required(at.key("plan"), row.plan.as_deref());
    let listen = sockets(at.key("listen"), &row.listen, report);
    SiteEntry {
        name: SiteName::new(name),
        number: SiteNumber(report.whole(at.key("number"), row.number, 1..=9999, 0) as u16),
        domain: report
            .required(at.key("domain"), row.domain.as_deref())
            .and_then(|domain| report.host(at.key("domain"), &domain))
            .unwrap_or_default(),
        aliases: aliases(at.key("aliases"), &row.aliases, report),
        address: address(at.key("address"), row.address.as_deref(), &listen, report),
        listen,
        extensions: extensions(at.key("extensions"), &row.extensions, report),
        link_secrets: BTreeMap::new(),
        admin: row.admin.as_deref().and_then(|text| report.socket(at.key("admin"), text)),
        shards: report.whole(at.key("shards"), row.shards, 1..=i64::from(SiteEntry::SHARDS), 1) as u8,
    }
}

fn aliases(at: At<'_>, written: &[String], report: &mut Report) -> Vec<String> {
    written.iter().enumerate().filter_map(|(index, alias)| report.host(at.row(index), alias)).collect()
}

fn sockets(at: At<'_>, forms: &[ListenForm], report: &mut Report) -> Vec<Listen> {
    if forms.is_empty() {
        report.error(at, "is missing: a site has at least one socket, such as \"udp:10.1.0.5:5060\"");
    }
    forms.iter().enumerate().filter_map(|(index, form)| socket(at.row(index), form, report)).collect()
}

fn socket(at: At<'_>, form: &ListenForm, report: &mut Report) -> Option<Listen> {
    let (bind, advertise) = match form {
        ListenForm::Plain(text) => match text.split_once(':') {
            Some(("udp", address)) => (report.socket(at, address)?, None),
            Some(("tcp" | "tls" | "ws" | "wss", _)) => {
                report.error(at, format!("`{text}`: only udp for now"));
                return None;
            }
            Some(_) | None => {
                report.error(at, format!("`{text}` is no socket: \"udp:ADDRESS:PORT\" is expected"));
                return None;
            }
        },
        ListenForm::Table { udp, advertise } => {
            let udp = report.required(at.key("udp"), udp.as_deref())?;
            (report.socket(at.key("udp"), &udp)?, advertise.as_deref())
        }
    };
    let advertise = match advertise {
        Some(text) => report.socket(at.key("advertise"), text)?,
        None => bind,
    };
    if advertise.ip().is_unspecified() {
        report.error(
            at,
            format!(
                "{advertise} is every address of the machine: `advertise` must say which one phones and sites reach"
            ),
        );
        return None;
    }
    Some(Listen { bind, advertise })
}

fn address(at: At<'_>, written: Option<&str>, listen: &[Listen], report: &mut Report) -> SocketAddr {
    let first = listen.first().map_or(SocketAddr::from(([0, 0, 0, 0], 0)), |socket| socket.advertise);
    let Some(address) = written.and_then(|text| report.socket(at, text)) else { return first };
    if address.ip().is_unspecified() {
        report.error(at, format!("{address} is no address that another site can reach"));
    }
    address
}

fn extensions(at: At<'_>, written: &[String], report: &mut Report) -> Vec<ExtensionPattern> {
    if written.is_empty() {
        report.error(at, "is missing: the extensions that the site owns, such as [\"2XX\"]");
    }
    let mut patterns = Vec::new();
    for (index, text) in written.iter().enumerate() {
        match ExtensionPattern::parse(text) {
            Ok(pattern) => patterns.push(pattern),
            Err(why) => report.error(at.row(index), format!("`{text}`: {why}")),
        }
    }
    patterns
}

/// Whether a text is `HOST:PORT`, `HOST`, or an address with port in IPv6's brackets.
pub fn is_host_and_port(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "5060"));
    is_host(host) && port.parse::<u16>().is_ok_and(|port| port != 0)
}
