//! The network of the scenarios: the sample that the product comes with, in `config/`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use hotdesk::config::{self, Sites};
use hotdesk::ids::SiteName;
use hotdesk::node::Config;
use hotdesk::plan::Plan;
use hotdesk::settings::{Network, Site, User};

/// How many shards each site runs where a scenario does not say: 1, or `HOTDESK_SHARDS`.
pub fn shards_asked_for() -> u8 {
    std::env::var("HOTDESK_SHARDS").map_or(1, |text| text.parse().expect("a number of shards"))
}

/// The sample network as values that a scenario may change.
#[derive(Clone)]
pub struct Sample {
    pub network: Network,
    pub sites: BTreeMap<String, Site>,
}

impl Sample {
    /// As it stands in the files, which are read once in a process.
    pub fn read() -> Self {
        static READ: OnceLock<Sample> = OnceLock::new();
        READ.get_or_init(Self::from_files).clone()
    }

    fn from_files() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/network.toml");
        let loaded = config::load(&path, &Sites::All).unwrap_or_else(|errors| panic!("{errors:?}"));
        let sites = loaded.sites.into_iter().map(|(name, site)| (name.to_string(), Site::clone(&site))).collect();
        let mut sample = Self { network: Network::clone(&loaded.network), sites };
        sample.shards(shards_asked_for());
        sample
    }

    pub fn site(&mut self, name: &str) -> &mut Site {
        self.sites.get_mut(name).expect("the sample has that site")
    }

    /// A user, at whatever site.
    pub fn user(&mut self, number: &str) -> &mut User {
        self.sites.values_mut().find_map(|site| site.users.get_mut(number)).expect("the sample has that user")
    }

    /// Every site runs so many shards.
    pub fn shards(&mut self, shards: u8) {
        self.network.sites.values_mut().for_each(|site| site.shards = shards);
    }

    /// What each node is made from.
    pub fn configs(&self) -> BTreeMap<String, Config> {
        let network = Arc::new(self.network.clone());
        let config = |site: &Site| Config {
            network: network.clone(),
            site: Arc::new(site.clone()),
            plan: Arc::new(Plan::compile(&network, site).unwrap_or_else(|errors| panic!("{errors:?}"))),
        };
        self.sites.iter().map(|(name, site)| (name.clone(), config(site))).collect()
    }

    /// The domain of a site.
    pub fn domain(&self, site: &str) -> String {
        self.network.sites[&SiteName::new(site)].domain.clone()
    }
}
