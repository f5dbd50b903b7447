//! What the operator's API asks of `hotdesk run`, and where it is served (SPEC 3, 12.2).

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::plans::Plans;
use super::{dial, network_file};
use crate::admin::{self, Counters, Dial};
use crate::guarded::Guarded;
use crate::ids::{Extension, SiteName};
use crate::location::Record;
use crate::net::Handle;
use crate::node::Config;

/// Somebody waits to hear what became of a reload.
pub type Reload = oneshot::Sender<Result<(), Vec<String>>>;

/// The running process, as the API knows it.
pub struct Operator {
    /// The configuration that holds.
    pub plans: Arc<Guarded<Arc<Plans>>>,
    /// Its sites.
    pub handles: Vec<Handle>,
    /// What happened at them.
    pub counters: BTreeMap<SiteName, Arc<Counters>>,
    /// Where reloads are asked for.
    pub reloads: mpsc::Sender<Reload>,
}

impl admin::Process for Operator {
    fn configs(&self) -> Vec<Config> {
        let plans = self.plans.with(|plans| Arc::clone(plans));
        plans.sites().map(|(_, config)| config).collect()
    }

    fn handles(&self) -> &[Handle] {
        &self.handles
    }

    fn counters(&self, site: &SiteName) -> Option<Arc<Counters>> {
        self.counters.get(site).cloned()
    }

    fn dial(&self, asked: &Dial) -> Result<Value, String> {
        let plans = self.plans.with(|plans| Arc::clone(plans));
        // Where users of the sites served here are logged in now.
        let away = |extension: &Extension| {
            self.handles.iter().find_map(|handle| match &*handle.overview.location().record(extension.as_str())? {
                Record::Resident(resident) => Some(resident.away.as_ref()?.site.clone()),
                Record::Visitor(_) => None,
            })
        };
        let users = plans.0.sites.values().flat_map(|site| site.users.keys());
        let logged_in = users.filter_map(|extension| Some((extension.clone(), away(extension)?))).collect();
        dial::explained(&plans, asked, logged_in)
    }

    fn reload(&self) -> Option<oneshot::Receiver<Result<(), Vec<String>>>> {
        let (sender, receiver) = oneshot::channel();
        self.reloads.try_send(sender).ok()?;
        Some(receiver)
    }
}

/// Where the API of a process that serves these sites listens: a site's own `admin`, else the network's, each once; with the site
/// whose key it is.
pub fn addresses(plans: &Plans) -> BTreeMap<SocketAddr, Option<SiteName>> {
    let network = plans.0.network.admin;
    let of_site = |entry: &crate::settings::SiteEntry| {
        let own = entry.admin.map(|address| (address, Some(entry.name.clone())));
        own.or_else(|| network.map(|address| (address, None)))
    };
    plans.sites().filter_map(|(entry, _)| of_site(entry)).collect()
}

/// Whether two configurations want the API at the same places.
pub fn same_addresses(a: &Plans, b: &Plans) -> bool {
    let places = |plans| addresses(plans).into_keys().collect::<BTreeSet<_>>();
    places(a) == places(b)
}

/// Binds them all.
///
/// # Errors
///
/// The one that can't be bound, with file, line and key.
pub fn bind(config: &Path, plans: &Plans) -> Result<Vec<TcpListener>, String> {
    let bind = |(address, site): (SocketAddr, Option<SiteName>)| {
        TcpListener::bind(address).map_err(|why| {
            let place = network_file::place_of_admin(config, site.as_ref().map(SiteName::as_str));
            format!("{place}: cannot listen on http://{address}: {why}")
        })
    };
    addresses(plans).into_iter().map(bind).collect()
}
