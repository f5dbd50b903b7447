//! Which user a REGISTER is for: the user part of `To`, and whose names its host and that of the Request-URI are (SPEC 4.6, 5.1).

use crate::ids::{Extension, SiteName};
use crate::rejection::Rejection;
use crate::settings::{Network, Site, SiteEntry};
use crate::sip::{Host, Request, Scheme, Status, Uri};

/// Whom a REGISTER is for. Nothing is said about whether that user is configured: a stranger is challenged like anyone (SPEC 4.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A user whose home this site is, by its extension patterns.
    Here(Extension),
    /// A user of another site.
    Visitor {
        /// The user.
        extension: Extension,
        /// Where the user is configured.
        home: SiteName,
    },
    /// A shared desk of this site (`[[phones]]`).
    Desk(String),
    /// A name that no site of the network owns.
    Nobody(String),
}

/// Reads whom a REGISTER at `site` is for. 403 for a host that is not the network's or names a site where the user is not at home,
/// 416 for a URI of another scheme, 404 for one without a user.
pub fn named(request: &Request, network: &Network, entry: &SiteEntry, site: &Site) -> Result<Named, Rejection> {
    let asked = host(request.uri())?;
    let is_network = |host: &Host| is_realm(network, host) || network.sites.values().any(|site| is_of(site, host));
    // The Request-URI names this site, or, by outbound proxy, the home site.
    if !is_of(entry, asked) && !is_network(asked) {
        return Err(Rejection::new(Status::FORBIDDEN));
    }
    let to = request.to().uri();
    let host = host(to)?;
    let Some(user) = to.user() else { return Err(Rejection::new(Status::NOT_FOUND)) };
    let home = network.home_of(&user);
    if is_of(entry, host) || is_realm(network, host) {
        return Ok(match home {
            Some(home) if home.name == entry.name => Named::Here(Extension::new(&user)),
            Some(home) => Named::Visitor { extension: Extension::new(&user), home: home.name.clone() },
            None if site.desks.contains_key(&*user) => Named::Desk(user.into_owned()),
            None => Named::Nobody(user.into_owned()),
        });
    }
    match home {
        Some(home) if is_of(home, host) => {
            Ok(Named::Visitor { extension: Extension::new(&user), home: home.name.clone() })
        }
        Some(_) | None => Err(Rejection::new(Status::FORBIDDEN)),
    }
}

fn host(uri: &Uri) -> Result<&Host, Rejection> {
    match (uri.scheme(), uri.host()) {
        (Scheme::Sip | Scheme::Sips, Some(host)) => Ok(host),
        (Scheme::Sip | Scheme::Sips | Scheme::Tel | Scheme::Other, _) => {
            Err(Rejection::new(Status::UNSUPPORTED_URI_SCHEME))
        }
    }
}

fn is_realm(network: &Network, host: &Host) -> bool {
    host.eq_name(&network.realm)
}

/// SPEC 4.6: domain, aliases, and every address that the site listens on or advertises, with any port.
fn is_of(entry: &SiteEntry, host: &Host) -> bool {
    if host.eq_name(&entry.domain) || entry.aliases.iter().any(|alias| host.eq_name(alias)) {
        return true;
    }
    let Some(ip) = host.ip().map(|ip| ip.to_canonical()) else { return false };
    let listens = entry.listen.iter().flat_map(|listen| [listen.bind, listen.advertise]);
    let mut own = listens.chain([entry.address]).map(|address| address.ip().to_canonical());
    own.any(|address| address == ip)
        // A site's domain may be an address.
        || [&entry.domain].into_iter().chain(&entry.aliases).any(|name| name.parse() == Ok(ip))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::fixtures::message;
    use super::*;
    use crate::digits::ExtensionPattern;
    use crate::ids::SiteNumber;
    use crate::settings::{Credentials, Desk, Listen, Origin};

    fn entry(name: &str, number: u16, extensions: &str) -> SiteEntry {
        let port = 5060 + number;
        let advertise = ([192, 0, 2, number as u8], 5060).into();
        SiteEntry {
            name: SiteName::new(name),
            number: SiteNumber(number),
            domain: format!("{name}.example"),
            aliases: vec![format!("sip.{name}.example")],
            listen: vec![Listen { bind: ([127, 0, 0, 1], port).into(), advertise }],
            address: ([10, 0, 0, number as u8], 5060).into(),
            extensions: vec![ExtensionPattern::parse(extensions).expect("a pattern")],
            link_secrets: BTreeMap::new(),
            admin: None,
            shards: 1,
        }
    }

    fn network() -> Network {
        let sites = [entry("london", 1, "2XX"), entry("paris", 2, "3XX"), entry("berlin", 3, "uN")];
        Network {
            fingerprint: [0; 8],
            realm: "hotdesk.example".to_owned(),
            link_secret: None,
            link_secret_previous: None,
            admin: None,
            admin_token: None,
            call_log: None,
            data_dir: None,
            resolvers: Vec::new(),
            profiles: BTreeMap::new(),
            sites: sites.into_iter().map(|site| (site.name.clone(), site)).collect(),
        }
    }

    /// At London.
    fn asked(uri: &str, to: &str) -> Result<Named, Status> {
        let (network, mut site) = (network(), Site::empty(SiteName::new("london")));
        let desk = Desk { id: "desk-7".to_owned(), credentials: Credentials::default(), origin: Origin::default() };
        site.desks.insert("desk-7".to_owned(), desk);
        let entry = network.site("london").expect("london");
        named(&message(uri, to, "a", 1, &[]), &network, entry, &site).map_err(|rejection| rejection.status)
    }

    fn to(to: &str) -> Result<Named, Status> {
        asked("sip:london.example", to)
    }

    fn visitor(extension: &str, home: &str) -> Named {
        Named::Visitor { extension: Extension::new(extension), home: SiteName::new(home) }
    }

    #[test]
    fn a_site_answers_to_all_its_names_with_any_port() {
        for host in [
            "london.example",
            "LONDON.example:9",
            "sip.london.example",
            "127.0.0.1",
            "127.0.0.1:7",
            "192.0.2.1",
            "10.0.0.1",
        ] {
            assert_eq!(to(&format!("sip:201@{host}")), Ok(Named::Here(Extension::new("201"))), "{host}");
        }
        assert_eq!(to("sips:201@hotdesk.example"), Ok(Named::Here(Extension::new("201"))));
        assert_eq!(to("sip:%32%301@london.example"), Ok(Named::Here(Extension::new("201"))));
    }

    #[test]
    fn a_user_of_another_site_is_a_visitor_by_our_name_by_the_realm_and_by_home() {
        for host in ["london.example", "127.0.0.1:5061", "hotdesk.example", "paris.example", "192.0.2.2:5060"] {
            assert_eq!(to(&format!("sip:301@{host}")), Ok(visitor("301", "paris")), "{host}");
        }
        assert_eq!(to("sip:u17@london.example"), Ok(visitor("u17", "berlin")));
    }

    #[test]
    fn any_other_host_is_refused() {
        for address in
            ["sip:201@elsewhere.example", "sip:201@198.51.100.1", "sip:201@paris.example", "sip:301@berlin.example"]
        {
            assert_eq!(to(address), Err(Status::FORBIDDEN), "{address}");
        }
    }

    #[test]
    fn the_request_uri_is_of_the_network() {
        for uri in ["sip:london.example", "sip:127.0.0.1:5061", "sip:hotdesk.example", "sip:paris.example"] {
            assert!(asked(uri, "sip:301@paris.example").is_ok(), "{uri}");
        }
        assert_eq!(asked("sip:elsewhere.example", "sip:201@london.example"), Err(Status::FORBIDDEN));
        assert_eq!(asked("tel:201", "sip:201@london.example"), Err(Status::UNSUPPORTED_URI_SCHEME));
    }

    #[test]
    fn a_desk_is_at_its_own_site_and_a_stranger_is_nobody() {
        assert_eq!(to("sip:desk-7@london.example"), Ok(Named::Desk("desk-7".to_owned())));
        assert_eq!(to("sip:desk-8@london.example"), Ok(Named::Nobody("desk-8".to_owned())));
        assert_eq!(to("sip:9999@hotdesk.example"), Ok(Named::Nobody("9999".to_owned())));
        assert_eq!(to("sip:london.example"), Err(Status::NOT_FOUND));
    }
}
