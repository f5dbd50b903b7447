//! From routes to trunks (SPEC 6.6): which trunk of a group is tried first, and where each is reached.

use super::Node;
use super::call::no_line_free;
use super::forwards::Search;
use super::route::{Routed, no_refer};
use crate::link::proof::trunk_mark;
use crate::plan::Route;
use crate::proxy::Stage;
use crate::sip::Method;

impl Node {
    /// The trunks of these routes in the order of trying, each at every address that it has.
    pub(super) fn trunk_stages(&self, search: &Search<'_>, routes: &[Route]) -> Routed {
        let refers = search.asked.request.method() == &Method::REFER;
        let trunks = routes.iter().flat_map(|route| {
            let group = self.by_use(self.config.plan.trunks(&route.group));
            group.into_iter().map(move |trunk| (trunk, route))
        });
        let mut trunks = trunks.filter(|(trunk, _)| !refers || self.passes_refer(*trunk)).peekable();
        if refers && trunks.peek().is_none() {
            return Err(no_refer());
        }
        let stages: Vec<Stage> = trunks
            .flat_map(|(trunk, route)| self.trunk_targets(trunk, &route.number, &route.modifiers, search))
            .map(|target| Stage { targets: vec![target] })
            .collect();
        if stages.is_empty() { Err(no_line_free()) } else { Ok(stages) }
    }

    /// The trunks of a group: the least used first, then in file order.
    fn by_use(&self, group: &[usize]) -> Vec<usize> {
        let mut trunks = group.to_vec();
        if trunks.len() > 1 {
            let used = |index: &usize| {
                let trunk = self.config.site.trunks.get(*index);
                trunk.map_or(0, |trunk| self.tally().channels_of(&trunk.name))
            };
            trunks.sort_by_cached_key(used);
        }
        trunks
    }

    /// Where a trunk is reached, in the order of trying.
    pub(super) fn addresses_of(&self, index: usize) -> impl Iterator<Item = std::net::SocketAddr> + use<> {
        let mark = self.config.site.trunks.get(index).map(|trunk| trunk_mark(&trunk.name));
        mark.map(|mark| self.commons.trunks.addresses(mark)).into_iter().flatten()
    }

    /// SPEC 9.9: whether the trunk takes REFER.
    fn passes_refer(&self, trunk: usize) -> bool {
        self.config.site.trunks.get(trunk).is_some_and(|trunk| trunk.refer)
    }
}
