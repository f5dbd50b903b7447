//! What an operator may see of a site while it runs, from any thread: read-only, of all its shards together (SPEC 12.2).

use std::sync::Arc;
use std::time::Instant;

use super::Node;
use super::commons::Commons;
use super::registering::RegistrationSeen;
use crate::ids::SiteName;
use crate::link::proof::trunk_mark;
use crate::link::{Clock, Mistrust, State};
use crate::location::Location;
use crate::proxy::Tally;
use crate::trunk::Seen;

/// A view of a site that outlives nothing and changes nothing.
#[derive(Clone)]
pub struct Overview {
    commons: Arc<Commons>,
}

/// Another site, as this one sees it over their link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkSeen {
    /// The other site.
    pub site: SiteName,
    /// Whether it is there.
    pub state: State,
    /// Its clock against ours, once heard.
    pub clock: Option<Clock>,
    /// Why the last request in its name that was not believed was not, and when that was.
    pub mistrust: Option<(Mistrust, Instant)>,
    /// Its release, once heard.
    pub release: Option<String>,
    /// The hash of its network table, once heard.
    pub network: Option<[u8; 8]>,
}

impl Node {
    /// A view of the whole site.
    pub fn overview(&self) -> Overview {
        Overview { commons: Arc::clone(&self.commons) }
    }
}

impl Overview {
    /// What is committed about every user.
    pub fn location(&self) -> &Location {
        &self.commons.location
    }

    /// How many calls there are.
    pub fn tally(&self) -> &Tally {
        &self.commons.tally
    }

    /// Where the trunk with that name is reached, and whether it answers there.
    pub fn trunk(&self, name: &str) -> Seen {
        self.commons.trunks.seen(trunk_mark(name))
    }

    /// How many callers wait for a line.
    pub fn waiting_for_a_line(&self) -> usize {
        self.commons.queue.len()
    }

    /// The other sites, in order.
    pub fn links(&self) -> Vec<LinkSeen> {
        self.commons.peers.with(|peers| peers.seen())
    }

    /// Our registration with the carrier of a trunk; `None`: it wants none.
    pub fn registration(&self, trunk: &str) -> Option<RegistrationSeen> {
        self.commons.carriers.with(|carriers| carriers.registrations.get(trunk).cloned())
    }

    /// How many licences of a profile visitors hold here.
    pub fn licences_used(&self, profile: &str) -> usize {
        self.commons.licences.with(|licences| licences.used(profile))
    }
}
