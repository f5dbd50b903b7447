//! The ways out of a site: trunks, their incoming rules, ARS forms.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::calendar::out_of_hours;
use super::document::At;
use super::network::is_host_and_port;
use super::plan_file::PlanFiles;
use super::problem::Report;
use super::raw::{ArsTable, IncomingRow, RegisterTable, TrunkRow};
use super::site::{Names, short_codes};
use super::values::LONGEST;
use crate::ids::SiteName;
use crate::settings::{
    ArsForm, CallerId, FromHeader, Geolocation, Incoming, Network, Registration, Secret, Site, Trunk,
};
use crate::sip::{Scheme, Uri};

/// Reads `[[trunks]]`, `[[incoming]]` and `[ars.NAME]`.
pub fn fill(site: &mut Site, files: &PlanFiles, names: &Names<'_>, report: &mut Report) {
    files.rows(
        "trunks",
        |file| &file.trunks,
        |at, row| {
            let Some(trunk) = trunk(at, row, report) else { return };
            for other in &site.trunks {
                if other.name == trunk.name {
                    report.error(at.key("name"), format!("trunk `{}` is already there: {}", trunk.name, other.origin));
                } else if reached_at(&other.host) == reached_at(&trunk.host) {
                    let message =
                        format!("is the address of trunk `{}` too: where is a call from it from?", other.name);
                    report.error(at.key("address"), message);
                }
            }
            if names.forms.contains(trunk.group.as_str()) {
                report.error(at.key("group"), format!("`{}` is the name of an ARS form too", trunk.group));
            }
            not_a_site(at, &trunk, names.network, report);
            site.trunks.push(trunk);
        },
    );
    files.rows(
        "incoming",
        |file| &file.incoming,
        |at, row| {
            site.incoming.extend(incoming(at, row, names, report));
        },
    );
    files.named(
        "ars",
        report,
        |file| &file.ars,
        |at, name, table, report| {
            site.ars.insert(name.to_owned(), form(at, table, names, report));
        },
    );
}

fn trunk(at: At<'_>, row: &TrunkRow, report: &mut Report) -> Option<Trunk> {
    let password = row.password.as_ref().filter(|form| !form.is_empty());
    if row.username.as_deref().unwrap_or_default().is_empty() != password.is_none() {
        report.error(at.key("username"), "`username` and `password` go together");
    }
    let name = report.required(at.key("name"), row.name.as_deref());
    let group = report.required(at.key("group"), row.group.as_deref());
    let host = report.required(at.key("address"), row.address.as_deref());
    let address = host.as_deref().and_then(address_of);
    if let Some(host) = host.as_deref().filter(|host| address.is_none() && !is_host_and_port(host)) {
        report.error(at.key("address"), format!("`{host}` is no address:port and no host:port"));
    }
    if let Some(address) = address.filter(|address| !is_a_peers(*address)) {
        report.error(
            at.key("address"),
            format!("nobody can be called at {address}: a carrier has an address and a port"),
        );
    }
    if row.numbers.as_ref().is_some_and(Vec::is_empty) {
        report.warn(at.key("numbers"), "says nothing: with no number in it, every calling number goes out");
    }
    let geolocation = [("no", Geolocation::No), ("uri", Geolocation::Uri), ("body", Geolocation::Body)];
    let from = [("rewrite", FromHeader::Rewrite), ("keep", FromHeader::Keep)];
    Some(Trunk {
        channels: row.channels.map(|_| report.whole(at.key("channels"), row.channels, 1..=LONGEST, 1)),
        accept_from: report.sources(at.key("accept_from"), &row.accept_from),
        caller_id: caller_id(at.key("caller_id"), row.caller_id.as_deref(), report),
        numbers: row.numbers.clone().unwrap_or_default(),
        any_caller_id: row.any_caller_id.unwrap_or(false),
        from: report.choice(at.key("from"), row.from.as_deref(), &from, FromHeader::Rewrite),
        trusted: row.trusted.unwrap_or(false),
        geolocation: report.choice(at.key("geolocation"), row.geolocation.as_deref(), &geolocation, Geolocation::No),
        retry: report.seconds(at.key("retry"), row.retry, 0..=LONGEST, Duration::from_secs(30)),
        transit_calls: report.whole(at.key("transit_calls"), row.transit_calls, 0..=LONGEST, 5),
        refer: row.refer.unwrap_or(false),
        redirects: row.redirects.unwrap_or(false),
        username: row.username.clone().unwrap_or_default(),
        password: report.secret(at.key("password"), password).map(|text| Secret(text.into_bytes())),
        register: row.register.as_ref().and_then(|table| registration(at.key("register"), table, report)),
        origin: at.key("name").spot().origin(),
        name: name?,
        group: group?,
        host: host?,
        address,
    })
}

/// The address and port of a trunk that is written as such; `None` for a host name.
pub fn address_of(host: &str) -> Option<SocketAddr> {
    let port = |ip: IpAddr| SocketAddr::new(ip, 5060); // RFC 3261 §19.1.2: the default port
    host.parse().ok().or_else(|| host.parse().ok().map(port))
}

/// Where a trunk is reached, however that is written.
fn reached_at(host: &str) -> Result<SocketAddr, (String, u16)> {
    address_of(host).ok_or_else(|| {
        let (name, port) = host.rsplit_once(':').unwrap_or((host, ""));
        (name.to_ascii_lowercase(), port.parse().unwrap_or(5060))
    })
}

/// Whether one peer can have that address.
fn is_a_peers(address: SocketAddr) -> bool {
    let ip = address.ip().to_canonical();
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && ip != IpAddr::V4(Ipv4Addr::BROADCAST)
}

fn caller_id(at: At<'_>, written: Option<&str>, report: &mut Report) -> CallerId {
    match written {
        None | Some("user") => CallerId::User,
        Some("site") => CallerId::Site,
        Some(number) => report.number(at, Some(number)).map_or(CallerId::User, CallerId::Fixed),
    }
}

fn registration(at: At<'_>, table: &RegisterTable, report: &mut Report) -> Option<Registration> {
    let registrar = report.required(at.key("registrar"), table.registrar.as_deref())?;
    if !is_server(&registrar) {
        report.error(
            at.key("registrar"),
            format!("`{registrar}` is no SIP URI of a server, such as sip:carrier.example"),
        );
    }
    let user = report.required(at.key("user"), table.user.as_deref());
    let expires = report.seconds(at.key("expires"), table.expires, 60..=DAY, Duration::from_secs(300));
    Some(Registration { registrar, user: user?, expires })
}

/// Longest expiry that is asked for, in seconds.
const DAY: i64 = 86_400;

/// RFC 3261 §10.2: the Request-URI of a REGISTER names a server, and no user.
fn is_server(uri: &str) -> bool {
    Uri::parse(uri.to_owned()).is_ok_and(|uri| {
        uri.scheme() == Scheme::Sip && uri.host().is_some() && uri.user_bytes().is_none() && !uri.has_headers()
    })
}

/// SPEC 9.5: a source is a trunk or a site, never both.
fn not_a_site(at: At<'_>, trunk: &Trunk, network: &Network, report: &mut Report) {
    let sockets = network.sites.values().flat_map(|site| {
        let listens = site.listen.iter().flat_map(|socket| [socket.bind, socket.advertise]);
        listens.chain([site.address]).map(move |socket| (&site.name, socket))
    });
    let mut told: Vec<(&SiteName, SocketAddr)> = Vec::new();
    for (site, socket) in sockets {
        let from = trunk.accept_from.iter().position(|rule| rule.matches(socket));
        let here = trunk.address == Some(socket);
        if (!here && from.is_none()) || told.contains(&(site, socket)) {
            continue;
        }
        told.push((site, socket));
        let message = format!("{socket} is an address of the site {site}: a source is a trunk or a site, not both");
        match from {
            Some(index) if !here => report.error(at.key("accept_from").row(index), message),
            Some(_) | None => report.error(at.key("address"), message),
        }
    }
}

fn incoming(at: At<'_>, row: &IncomingRow, names: &Names<'_>, report: &mut Report) -> Option<Incoming> {
    let group = report.required(at.key("group"), row.group.as_deref());
    let number = report.required(at.key("number"), row.number.as_deref());
    let to = report.required(at.key("to"), row.to.as_deref());
    let group = report.known(at.key("group"), "trunk group", group.as_deref(), names.groups.iter().copied());
    let out_of_hours = out_of_hours(at, row.time_profile.as_deref(), row.out_of_hours.as_deref(), names, report);
    Some(Incoming { group: group?, number: number?, to: to?, out_of_hours, origin: at.key("number").spot().origin() })
}

fn form(at: At<'_>, table: &ArsTable, names: &Names<'_>, report: &mut Report) -> ArsForm {
    let written = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
    let times = names.time_profiles.iter().copied();
    if written(&table.alternate).is_none() {
        for (key, is_there) in [
            ("alternate_priority", table.alternate_priority.is_some()),
            ("alternate_wait", table.alternate_wait.is_some()),
        ] {
            if is_there {
                report.warn(at.key(key), "says nothing: the form names no `alternate`");
            }
        }
    }
    ArsForm {
        in_service: table.in_service.unwrap_or(true),
        out_of_service: written(&table.out_of_service),
        time_profile: report.known(at.key("time_profile"), "time profile", table.time_profile.as_deref(), times),
        out_of_hours: written(&table.out_of_hours),
        alternate: written(&table.alternate),
        alternate_priority: report.whole(at.key("alternate_priority"), table.alternate_priority, 1..=5, 3) as u8,
        alternate_wait: report.seconds(at.key("alternate_wait"), table.alternate_wait, 0..=60, Duration::from_secs(30)),
        short_codes: short_codes(at.key("short_codes"), &table.short_codes, report),
        origin: at.spot().origin(),
    }
}
