//! A configuration that holds: what `run`, `check` and `dial` begin with.

use std::path::Path;
use std::sync::Arc;

use crate::config::{self, Loaded, Sites};
use crate::ids::SiteName;
use crate::node::Config;
use crate::plan::{Neighbours, Plan};
use crate::settings::SiteEntry;

/// The configuration, with the compiled dial plan of every site that was read.
pub struct Plans(pub Loaded);

impl Plans {
    /// Reads and compiles.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, one message each, with file and line.
    pub fn load(path: &Path, only: &Sites) -> Result<Self, Vec<String>> {
        config::load(path, only).map(Self).map_err(|errors| errors.0.iter().map(ToString::to_string).collect())
    }

    /// The sites that were read, each with what the network says of it and what its node needs.
    pub fn sites(&self) -> impl Iterator<Item = (&SiteEntry, Config)> {
        let Loaded { network, sites, plans, .. } = &self.0;
        sites.iter().filter_map(|(name, site)| {
            let plan = Arc::clone(plans.get(name)?);
            let config = Config { network: Arc::clone(network), site: Arc::clone(site), plan };
            Some((network.sites.get(name)?, config))
        })
    }
}

impl Neighbours for Plans {
    fn plan(&self, site: &SiteName) -> Option<&Plan> {
        self.0.plans.get(site).map(Arc::as_ref)
    }
}
