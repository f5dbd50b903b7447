//! The sites of this process, each with its configuration and its handle, as one request sees them.

use super::Asked;
use super::fault::Fault;
use crate::ids::SiteName;
use crate::net::Handle;
use crate::node::Config;

/// Whom to ask.
#[derive(Clone)]
pub struct Places(pub Asked);

/// A site that is served here.
pub struct Place<'p> {
    /// Its configuration at this moment.
    pub config: Config,
    /// The running site.
    pub handle: &'p Handle,
}

impl Places {
    /// The sites that are served here, in order.
    pub fn all(&self) -> Vec<Place<'_>> {
        let with_handle = |config: Config| {
            let handle = self.0.handles().iter().find(|handle| handle.name == config.site.name)?;
            Some(Place { config, handle })
        };
        self.0.configs().into_iter().filter_map(with_handle).collect()
    }
}

/// The sites of the network that other processes serve.
pub fn elsewhere(places: &[Place<'_>]) -> Vec<String> {
    let Some(first) = places.first() else { return Vec::new() };
    let others = first.config.network.sites.keys().filter(|name| served(places, name).is_none());
    others.map(|name| name.as_str().to_owned()).collect()
}

/// The site of that name, if it is served here.
pub fn served<'a, 'p>(places: &'a [Place<'p>], name: &SiteName) -> Option<&'a Place<'p>> {
    places.iter().find(|place| place.config.site.name == *name)
}

/// The same, or what is said of a name that is not.
///
/// # Errors
///
/// 404 with the names that are.
pub fn place_of<'a, 'p>(places: &'a [Place<'p>], name: &str) -> Result<&'a Place<'p>, Fault> {
    served(places, &SiteName::new(name)).ok_or_else(|| {
        let known = places.iter().map(|place| place.config.site.name.as_str()).collect::<Vec<_>>().join(", ");
        Fault::not_found(format!("{name} is not served here"), format!("this process serves {known}"))
    })
}
