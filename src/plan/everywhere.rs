//! The plans that are at hand, with the settings that they were made of: what expectations and lint look into.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::caller::{Caller, Neighbours, Standing};
use super::time_profile::{TimeProfile, moments};
use super::{Level, Plan};
use crate::ids::SiteName;
use crate::settings::{Network, Site};
use crate::timing::Wall;

/// A network, as far as its plans are at hand.
#[derive(Clone, Copy, Debug)]
pub struct Everywhere<'a> {
    /// What all sites share.
    pub network: &'a Network,
    /// The sites whose files were read.
    pub sites: &'a BTreeMap<SiteName, Arc<Site>>,
    /// Their plans.
    pub plans: &'a BTreeMap<SiteName, Arc<Plan>>,
}

/// Why nothing is known of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// The plan of the caller's home is not here.
    Home(SiteName),
    /// Nobody has that number.
    Nobody,
}

/// One state of all time profiles, and a moment at which they are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) at: Wall,
    /// Whether each of the profiles is active, in the order of [`Everywhere::profiles`].
    pub(super) active: Vec<bool>,
}

impl Neighbours for Everywhere<'_> {
    fn plan(&self, site: &SiteName) -> Option<&Plan> {
        self.plans.get(site).map(Arc::as_ref)
    }
}

impl<'a> Everywhere<'a> {
    /// A user of any site, as seen at `at`.
    pub(super) fn caller(&self, extension: &str, at: &SiteName) -> Result<Caller<'a>, Unknown> {
        let home = self.network.home_of(extension).ok_or(Unknown::Nobody)?;
        let settings = self.sites.get(&home.name).ok_or_else(|| Unknown::Home(home.name.clone()))?;
        let user = settings.users.get(extension).ok_or(Unknown::Nobody)?;
        let standing = if home.name == *at { Standing::Local } else { Standing::Visitor };
        Ok(Caller::of(user, self.level(&home.name, extension), standing))
    }

    /// The own codes of a user.
    pub(super) fn level(&self, home: &SiteName, extension: &str) -> Option<&'a Level> {
        self.plans.get(home)?.user_levels.get(extension)
    }

    /// Site and name of every time profile, in order.
    pub(super) fn profiles(&self) -> Vec<(&'a SiteName, &'a str)> {
        let of = |site: &'a Arc<Site>| site.time_profiles.keys().map(|name| (&site.name, name.as_str()));
        self.sites.values().flat_map(of).collect()
    }

    /// A moment of every state that the time profiles of all sites can be in together; at least one.
    pub fn hours(&self) -> Vec<Wall> {
        self.states().into_iter().map(|state| state.at).collect()
    }

    /// Every state that the time profiles of all sites can be in together.
    pub(super) fn states(&self) -> Vec<State> {
        let compiled = |(site, name): &(&SiteName, &str)| self.plans.get(*site)?.time_profiles.get(*name);
        let profiles: Vec<&TimeProfile> = self.profiles().iter().filter_map(compiled).collect();
        moments(&profiles).into_iter().map(|(at, active)| State { at, active }).collect()
    }
}
