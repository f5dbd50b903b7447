//! The network of the scenarios: the sample that the product comes with, in `config/`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use hotdesk::config::{self, Sites};
use hotdesk::ids::SiteName;
use hotdesk::node::Config;
use hotdesk::plan::Plan;
use hotdesk::settings::{Network, Site};

/// The sample network as values that a scenario may change.
pub struct Sample {
    pub network: Network,
    pub sites: BTreeMap<String, Site>,
}

impl Sample {
    pub fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/network.toml");
        let loaded = config::load(&path, &Sites::All).unwrap_or_else(|errors| panic!("{errors:?}"));
        let sites = loaded.sites.into_iter().map(|(name, site)| (name.to_string(), Site::clone(&site))).collect();
        Self { network: Network::clone(&loaded.network), sites }
    }

    pub fn site(&mut self, name: &str) -> &mut Site {
        self.sites.get_mut(name).expect("the sample has that site")
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
