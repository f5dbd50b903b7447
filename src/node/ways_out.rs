//! From routes to trunks (SPEC 6.6): which trunk of a group is tried first, where each is reached, and what a caller may wait for.

use super::Node;
use super::call::no_line_free;
use super::forwards::{Found, Search};
use super::route::no_refer;
use crate::link::proof::trunk_mark;
use crate::plan::{Priority, Route};
use crate::proxy::{Line, Lines, Ringing, Stage, Target};
use crate::sip::Method;
use crate::timing::Now;
use crate::trunk::Gateway;

impl Node {
    /// The trunks of these routes in the order of trying, each at every address that it has.
    pub(super) fn ways_out(&self, search: &Search<'_>, routes: &[Route]) -> Found {
        let method = search.asked.request.method();
        let refers = method == &Method::REFER;
        let trunks = routes.iter().flat_map(|route| {
            let group = self.by_use(self.config.plan.trunks(&route.group));
            group.into_iter().map(move |trunk| (trunk, route))
        });
        let mut trunks = trunks.filter(|(trunk, _)| !refers || self.passes_refer(*trunk)).peekable();
        if refers && trunks.peek().is_none() {
            return Err(no_refer());
        }
        let lines = trunks.flat_map(|(trunk, route)| {
            let wait = route.alternate.as_ref().map_or_else(Default::default, |alternate| alternate.wait);
            let targets = self.trunk_targets(trunk, &route.number, &route.modifiers, search);
            targets.into_iter().map(move |target| Line { target, wait })
        });
        let ways: Vec<Line> = lines.collect();
        let open = ways.iter().filter(|way| way.wait.is_zero());
        let stages: Vec<Stage> = open.map(|way| Stage { targets: vec![way.target.clone()] }).collect();
        // Only calls wait, and only where the form has something to wait for.
        let waits = method == &Method::INVITE && routes.iter().any(|route| route.alternate.is_some());
        if stages.is_empty() && !waits {
            return Err(no_line_free());
        }
        let coded = routes.first().and_then(|route| route.modifiers.priority); // SPEC 6.3: `p(x)`
        let lines = waits.then(|| Lines { ways, priority: coded.unwrap_or_else(|| self.priority(search)) });
        Ok(Ringing { lines, ..Ringing::from(stages) })
    }

    /// Whether the call can be made there: a trunk among them is up and has a line free, or there is none among them; or, where it `waits`,
    /// its form lets it wait for a line.
    pub(super) fn can_be_had(&self, now: Now, search: &Search<'_>, ringing: &Ringing, waits: bool) -> bool {
        let mut ways = ringing.stages.iter().flat_map(|stage| &stage.targets).map(Target::gateway);
        let priority = ringing.lines.as_ref().map_or_else(|| self.priority(search), |lines| lines.priority);
        let is_free = |gateway: Option<Gateway>| gateway.is_none_or(|it| self.may_take(now, it, None, priority));
        ways.any(is_free) || waits && ringing.lines.is_some()
    }

    /// The caller's priority, or that of the user in whose name a forward leaves.
    fn priority(&self, search: &Search<'_>) -> u8 {
        let forwarder = search.forwarder().and_then(|user| self.priority_of(user));
        forwarder.or(search.claims.priority).unwrap_or(Priority::default().0)
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
