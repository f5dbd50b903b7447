//! The network of the histories: small, so that ten thousand of them can be played.

use std::collections::BTreeMap;
use std::time::Duration;

use hotdesk::config;
use hotdesk::digits::ExtensionPattern;
use hotdesk::ids::{Extension, SiteName, SiteNumber};
use hotdesk::settings::{
    Credentials, Desk, Network, OnReconnect, Origin, Profile, ShortCodeRow, Site as SiteSettings, User,
};

use super::deed::{DESKS, MOVERS, RECEPTION, Setup, Site, Who, home_of, pin_of};
use crate::support::Sample;

/// Of every site.
pub const LEASE: Duration = Duration::from_secs(20);
/// The codes that can be dialled: the feature, and whether it takes what stands between the code and `#`.
const CODES: [(&str, &str, bool); 5] = [
    ("*35*N#", "ExtnLogin", true),
    ("*36", "ExtnLogout", false),
    ("*08", "DoNotDisturbOn", false),
    ("*09", "DoNotDisturbOff", false),
    ("*14*N#", "FollowMeTo", true),
];

/// Sites with a receptionist and a desk of nobody's each, movers at the first two, a few codes and no carrier.
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
    site.licences = Some(BTreeMap::from([("office".into(), setup.places)]));
    site.hot_desk.lease = LEASE;
    site.links.probe = setup.probe;
    site.hot_desk.survive_restart = setup.survive_restart;
    if setup.return_home {
        site.hot_desk.on_reconnect = OnReconnect::ReturnHome;
    }
    for who in MOVERS.into_iter().chain(RECEPTION).filter(|who| home_of(who) == name) {
        let mut user = User::plain(Extension::new(who), "office");
        user.credentials = credentials(who);
        user.login_code = Some(pin_of(who).as_str().into());
        site.users.insert(user.extension.clone(), user);
    }
    for id in DESKS.into_iter().filter(|id| home_of(id) == name) {
        let desk = Desk { id: id.to_owned(), credentials: credentials(id), origin: Origin::default() };
        site.desks.insert(id.to_owned(), desk);
    }
    let row = |(code, feature, takes): (&str, &str, bool)| ShortCodeRow {
        code: code.to_owned(),
        feature: feature.to_owned(),
        number: takes.then(|| "N".to_owned()),
        ..ShortCodeRow::default()
    };
    site.short_codes = CODES.into_iter().map(row).collect();
    site
}

fn credentials(name: Who) -> Credentials {
    let password = format!("secret-{name}");
    let ha1_md5 = Some(config::ha1_md5(name, "hotdesk.example", &password));
    Credentials { ha1_md5, password: Some(password), ..Credentials::default() }
}
