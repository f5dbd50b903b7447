//! The network of the histories: small, so that ten thousand of them can be played.

use std::collections::BTreeMap;
use std::time::Duration;

use hotdesk::config;
use hotdesk::digits::ExtensionPattern;
use hotdesk::ids::{Extension, SiteName, SiteNumber};
use hotdesk::settings::{Network, OnReconnect, Profile, Site as SiteSettings, User};

use super::deed::{MOVERS, RECEPTION, Setup, Site, home_of};
use crate::support::Sample;

/// Of every site.
pub const LEASE: Duration = Duration::from_secs(20);
/// Places for visitors at each site: fewer than there are movers.
const PLACES: u32 = 1;

/// Sites with a receptionist each, movers at the first two, no plan and no carrier.
pub fn offices(setup: &Setup, sample: &mut Sample) {
    let model = sample.network.sites["berlin"].clone();
    let network: &mut Network = &mut sample.network;
    network.sites.clear();
    sample.sites.clear();
    network.profiles.insert("office".into(), Profile { devices: 10, calls: 100, ..Profile::default() });
    for (at, &name) in setup.sites().iter().enumerate() {
        let number = u8::try_from(at + 1).expect("few");
        let mut entry = model.clone();
        entry.name = SiteName::new(name);
        entry.number = SiteNumber(u16::from(number));
        entry.domain = format!("{name}.example");
        entry.aliases.clear();
        let address = ([127, 0, 0, number], 5060).into();
        entry.address = address;
        (entry.listen[0].bind, entry.listen[0].advertise) = (address, address);
        entry.extensions = vec![ExtensionPattern::parse(&format!("{}XX", at + 2)).expect("a pattern")];
        entry.shards = setup.shards;
        network.sites.insert(entry.name.clone(), entry);
        sample.sites.insert(name.into(), site(setup, name));
    }
}

fn site(setup: &Setup, name: Site) -> SiteSettings {
    let mut site = SiteSettings::empty(SiteName::new(name));
    site.emergency.none = true;
    site.registrar.min_expires = 1;
    site.licences = Some(BTreeMap::from([("office".into(), PLACES)]));
    site.hot_desk.lease = LEASE;
    site.links.probe = setup.probe;
    site.hot_desk.survive_restart = setup.survive_restart;
    if setup.return_home {
        site.hot_desk.on_reconnect = OnReconnect::ReturnHome;
    }
    for who in MOVERS.into_iter().chain(RECEPTION).filter(|who| home_of(who) == name) {
        let mut user = User::plain(Extension::new(who), "office");
        user.credentials.password = Some(format!("secret-{who}"));
        user.credentials.ha1_md5 = Some(config::ha1_md5(who, "hotdesk.example", &format!("secret-{who}")));
        site.users.insert(user.extension.clone(), user);
    }
    site
}
