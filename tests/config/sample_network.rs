//! What `config/` promises to an engineer who reads it.

use std::collections::BTreeSet;
use std::path::Path;

use hotdesk::config::{Sites, load};
use hotdesk::ids::SiteName;

use crate::{sample, without_lines};

#[test]
fn it_loads_without_a_word() {
    for only in [Sites::All, Sites::Present] {
        let loaded = load(&sample(), &only).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(loaded.warnings, []);
        assert!(loaded.missing.is_empty());
        assert_eq!(loaded.sites.len(), 3);
    }
}

#[test]
fn a_configuration_with_every_key_there_is_loads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/every_key/network.toml");
    let loaded = load(&path, &Sites::All).unwrap_or_else(|errors| panic!("{errors}"));
    let folder = format!("{}/", path.parent().expect("a file has a folder").display());
    let said: Vec<String> = loaded.warnings.iter().map(|warning| warning.to_string().replace(&folder, "")).collect();
    insta::assert_snapshot!("what_has_no_effect", without_lines(&said.join("\n")));
    assert_eq!(loaded.sites["london"].users.len(), 4);
    assert_eq!((loaded.network.sites["london"].shards, loaded.network.sites["paris"].shards), (2, 1));
}

#[test]
fn each_site_loads_alone() {
    for name in ["london", "paris", "berlin"] {
        let only = Sites::Named(BTreeSet::from([SiteName::new(name)]));
        let loaded = load(&sample(), &only).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(loaded.sites.keys().map(SiteName::as_str).collect::<Vec<_>>(), [name]);
        assert_eq!(loaded.network.sites.len(), 3, "the network is known to every site");
    }
}

#[test]
fn six_users_sit_at_each_site() {
    let loaded = load(&sample(), &Sites::All).unwrap_or_else(|errors| panic!("{errors}"));
    for (name, first) in [("london", 201), ("paris", 301), ("berlin", 401)] {
        let users: Vec<String> = loaded.sites[name].users.keys().map(ToString::to_string).collect();
        assert_eq!(users, (first..first + 6).map(|number| number.to_string()).collect::<Vec<_>>());
    }
}

#[test]
fn every_address_is_on_loopback() {
    let loaded = load(&sample(), &Sites::All).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(loaded.network.sites.values().all(|site| site.address.ip().is_loopback()));
    let mut trunks = loaded.sites.values().flat_map(|site| &site.trunks);
    assert!(trunks.all(|trunk| trunk.address.is_some_and(|address| address.ip().is_loopback())));
}
