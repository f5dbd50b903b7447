//! Where users are, for a look at what a number does: at home, unless said otherwise.

use std::collections::{BTreeMap, BTreeSet};

use super::plans::Plans;
use crate::ids::{Extension, SiteName};
use crate::plan::{Decision, Directory, Neighbours, NoVisitors, Outcome, Plan};

/// The plans of a network, and who is logged in away from home.
pub(super) struct Seats<'p> {
    plans: &'p Plans,
    logged_in: BTreeMap<Extension, SiteName>,
    visitors: BTreeMap<SiteName, Visitors>,
}

/// Those who are at a site that is not their home.
#[derive(Default)]
struct Visitors(BTreeSet<Extension>);

impl Directory for Visitors {
    fn at_this_site(&self, extension: &str) -> bool {
        self.0.contains(extension)
    }
}

impl Neighbours for Seats<'_> {
    fn plan(&self, site: &SiteName) -> Option<&Plan> {
        self.plans.plan(site)
    }

    fn directory(&self, site: &SiteName) -> &dyn Directory {
        self.visitors.get(site).map_or(&NoVisitors, |visitors| visitors)
    }
}

impl<'p> Seats<'p> {
    pub(super) fn new(plans: &'p Plans, logged_in: BTreeMap<Extension, SiteName>) -> Self {
        let mut visitors: BTreeMap<SiteName, Visitors> = BTreeMap::new();
        for (extension, site) in &logged_in {
            visitors.entry(site.clone()).or_default().0.insert(extension.clone());
        }
        Self { plans, logged_in, visitors }
    }

    /// The outcome as `asked` sees it: a call to a user rings where the user is.
    pub(super) fn gives(&self, asked: &SiteName, decision: &Decision) -> String {
        match self.called(decision) {
            Some((number, at)) if at == asked => format!("Extension {number}"),
            Some((number, at)) => format!("Extension {number} at {at}"),
            None => decision.gives(asked),
        }
    }

    /// What becomes of a call to a user.
    pub(super) fn notes(&self, decision: &Decision) -> Vec<String> {
        let Outcome::Extension(call) = &decision.outcome else { return Vec::new() };
        let number = call.number.as_str();
        let home = self.plans.0.network.home_of(number).map(|home| &home.name);
        let mut notes = Vec::new();
        if let (Some((_, at)), Some(home)) = (self.called(decision), home) {
            notes.push(match at == &decision.site {
                true => format!("{number} of {home} is logged in here, at {at}: the phone here rings"),
                false => format!(
                    "{number} of {home} is logged in at {at}: {home} sends the call there; while {at} can't be reached, the phones at {home} ring"
                ),
            });
        }
        let user = home.and_then(|home| self.plans.0.sites.get(home)?.users.get(number));
        let Some(user) = user else { return notes };
        if user.do_not_disturb {
            notes.push(format!("{number} is not to be disturbed: 486"));
        }
        let forward = &user.forward;
        let forwards = [
            ("every call", &forward.unconditional),
            ("when busy", &forward.busy),
            ("when nobody answers", &forward.no_answer),
            ("when no phone is there", &forward.unreachable),
        ];
        for (when, to) in forwards.into_iter().filter_map(|(when, to)| Some((when, to.as_ref()?))) {
            notes.push(format!("{number} forwards {when} to {to}"));
        }
        notes
    }

    /// The user who is called, and where that is, if not at home.
    fn called<'d>(&'d self, decision: &'d Decision) -> Option<(&'d str, &'d SiteName)> {
        let Outcome::Extension(call) = &decision.outcome else { return None };
        let at = self.logged_in.get(call.number.as_str())?;
        let home = self.plans.0.network.home_of(&call.number)?;
        (home.name != *at).then_some((call.number.as_str(), at))
    }
}
