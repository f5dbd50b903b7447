//! Break Out (SPEC 6.8): dialling at another site as if one sat there.

use std::net::IpAddr;

use super::Plan;
use super::caller::{Around, Caller, Standing};
use super::decision::{BreakOutCall, Decision, EmergencyCall, Outcome, Refusal};
use super::extensions::{NoVisitors, Place};
use super::rights::RightsNames;
use super::route::{Asking, Routing};
use super::trace::{Step, Trace};
use crate::ids::{Extension, SiteName, SiteNumber};
use crate::settings::Network;

/// Most Break Out steps in a chain.
pub const MOST_STEPS: usize = 5;

/// Where Break Out digits come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FromSite<'a> {
    /// The site where the caller's phone is.
    pub origin: &'a SiteName,
    /// The sites that the digits were sent to so far, this one last.
    pub chain: &'a [SiteName],
}

/// What a Break Out needs to know of a site.
#[derive(Clone, Debug)]
pub(super) struct KnownSite {
    pub(super) name: SiteName,
    number: SiteNumber,
    address: IpAddr,
}

impl KnownSite {
    pub(super) fn all(network: &Network) -> Vec<Self> {
        let known = |entry: &crate::settings::SiteEntry| Self {
            name: entry.name.clone(),
            number: entry.number,
            address: entry.address.ip(),
        };
        network.sites.values().map(known).collect()
    }

    pub(super) fn names(sites: &[Self]) -> impl Iterator<Item = &str> {
        sites.iter().map(|site| site.name.as_str())
    }
}

impl Plan {
    /// What happens to digits that another site sends by Break Out: extensions, system codes and ARS of this site. The caller's own bar travels,
    /// rights of the same name here can only refuse, the caller's own codes do not apply.
    pub fn route_from_site(
        &self,
        digits: &str,
        caller: &Caller<'_>,
        from: &FromSite<'_>,
        around: &Around<'_>,
        trace: Trace,
    ) -> Decision {
        // names that this site lacks bar nothing here: the bar in force at the origin travels
        let caller = Caller { level: None, standing: Standing::Local, ..*caller };
        let mut routing = Routing::new(self, &caller, around, Asking::Site(*from), digits, trace);
        // SPEC 6.7: nothing stands before an emergency number
        let refused = self.refuses(from).filter(|_| !self.is_emergency(digits));
        let outcome = refused.unwrap_or_else(|| routing.dialled_elsewhere(digits));
        routing.decide(digits, outcome)
    }

    fn refuses(&self, from: &FromSite<'_>) -> Option<Outcome> {
        let allowed = self.break_out.allow.as_ref().is_none_or(|allow| allow.contains(from.origin));
        if !allowed && *from.origin != self.site {
            return Some(Outcome::Forbidden(Refusal::BreakOutFrom(from.origin.clone())));
        }
        let twice = (1..).zip(from.chain).any(|(next, site)| from.chain.iter().skip(next).any(|later| later == site));
        (twice || from.chain.len() > MOST_STEPS).then_some(Outcome::LoopDetected)
    }

    /// SPEC 8.8, 11.3: a visitor's home believes this site, where the visitor is, and none `by` which the call would come back to it.
    fn not_relayed(&self, caller: &Caller<'_>, by: Option<&SiteName>, to: &SiteName) -> Option<Refusal> {
        let by = by.filter(|by| **by != self.site)?;
        let home = self.extensions.place(caller.extension, &NoVisitors)?;
        (caller.standing == Standing::Visitor && home == Place::At(to.clone())).then(|| Refusal::ByAThirdSite {
            user: Extension::new(caller.extension),
            at: self.site.clone(),
            by: by.clone(),
        })
    }

    pub(super) fn site_names(&self) -> impl Iterator<Item = &SiteName> {
        self.sites.iter().map(|site| &site.name)
    }

    /// The texts that name a site at the beginning of a number, in their shortest form.
    pub(super) fn targets_of(&self, site: &SiteName) -> Vec<String> {
        let Some(known) = self.sites.iter().find(|known| known.name == *site) else { return Vec::new() };
        vec![known.number.to_string(), known.address.to_string().replace('.', "*")]
    }

    /// The number by which a Break Out names this site.
    pub(super) fn number_here(&self) -> SiteNumber {
        self.sites.iter().find(|site| site.name == self.site).map_or(SiteNumber(0), |site| site.number)
    }

    pub(super) fn knows(&self, site: &SiteName) -> bool {
        self.sites.iter().any(|known| known.name == *site)
    }

    /// The site that a `BreakOut` code means, and the digits for it.
    pub(super) fn break_out_target(&self, site: Option<&SiteName>, output: &str) -> Option<(SiteName, String)> {
        let found = match site {
            Some(site) => self.sites.iter().find(|known| known.name == *site).map(|known| (known, output)),
            None => self.target(output),
        };
        found.map(|(target, digits)| (target.name.clone(), digits.to_owned()))
    }

    /// Without a `site`, the output begins with the target: a site's number, or its IPv4 address with `*` for the dots, then `*` and the digits.
    pub(super) fn target<'t>(&self, output: &'t str) -> Option<(&KnownSite, &'t str)> {
        self.by_address(output).or_else(|| {
            let (number, digits) = output.split_once('*').unwrap_or((output, ""));
            let number = SiteNumber(number.parse().ok()?);
            Some((self.sites.iter().find(|site| site.number == number)?, digits))
        })
    }

    fn by_address<'t>(&self, output: &'t str) -> Option<(&KnownSite, &'t str)> {
        let mut parts = output.splitn(5, '*');
        let mut octets = [0u8; 4];
        for octet in &mut octets {
            *octet = parts.next()?.parse().ok()?;
        }
        let mut meant = self.sites.iter().filter(|site| site.address == IpAddr::from(octets));
        // an address that several sites share names none of them
        let site = meant.next().filter(|_| meant.next().is_none())?;
        Some((site, parts.next().unwrap_or_default()))
    }
}

impl Routing<'_> {
    /// A `BreakOut` code matched: to which site, and may it?
    pub(super) fn break_out(&mut self, site: Option<&SiteName>, output: &str) -> Outcome {
        let plan = self.plan;
        let Some((target, digits)) = self.plan.break_out_target(site, output) else {
            self.trace.step(|| Step::Note { text: "Break Out: the number begins with no site".to_owned() });
            return Outcome::NotFound;
        };
        let digits = digits.as_str();
        if let Some(stopped) = self.emergency_behind(&target, digits).or_else(|| self.refused_by_codes(digits, false)) {
            return stopped;
        }
        let chain = match &self.asking {
            Asking::Site(from) => from.chain,
            Asking::User | Asking::Forward => &[],
        };
        if chain.contains(&target) || chain.len() >= MOST_STEPS {
            self.trace
                .step(|| Step::Note { text: format!("Break Out: {target} once more would go round in a circle") });
            return Outcome::LoopDetected;
        }
        if digits.is_empty() && !matches!(self.asking, Asking::User) {
            // only a phone dials on
            self.trace.step(|| Step::Note { text: format!("Break Out to {target}: nothing is dialled there") });
            return Outcome::Incomplete;
        }
        self.trace.step(|| Step::BreakOut { site: target.to_string(), digits: digits.to_owned() });
        if target == plan.site && !digits.is_empty() {
            // a user's own prefix for home, dialled at home
            return self.dialled_at_home(digits, chain);
        }
        Outcome::BreakOut(BreakOutCall { site: target, digits: digits.to_owned() })
    }

    /// A Break Out to the very site whose plan is asked, with the same rules as from afar.
    fn dialled_at_home(&mut self, digits: &str, chain: &[SiteName]) -> Outcome {
        let chain: Vec<SiteName> = chain.iter().chain([&self.plan.site]).cloned().collect();
        let origin = match &self.asking {
            Asking::Site(from) => from.origin,
            Asking::User | Asking::Forward => &self.plan.site,
        };
        let asking = Asking::Site(FromSite { origin, chain: &chain });
        let trace = std::mem::take(&mut self.trace);
        let mut routing = Routing {
            plan: self.plan,
            caller: self.caller,
            around: self.around,
            asking,
            trace,
            rights: self.rights,
            bar: self.bar.clone(),
            alternate: None,
        };
        let outcome = routing.dialled_elsewhere(digits);
        self.trace = routing.trace;
        outcome
    }

    /// SPEC 6.7: what is an emergency number here or at the target is dialled where the phone is.
    pub(super) fn emergency_behind(&mut self, target: &SiteName, digits: &str) -> Option<Outcome> {
        let there = || {
            let there = self.around.neighbours.plan(target)?;
            Some(there.emergency_row(&there.system.alone(digits))?.number.to_string())
        };
        let number = match self.plan.emergency(digits) {
            Some(call) => call.number,
            None => there()?,
        };
        Some(match self.asking {
            Asking::User => match self.plan.emergency_row_for(&number) {
                Some(row) => Outcome::Emergency(self.emergency(digits, &row)),
                None => {
                    let text = || {
                        format!(
                            "{digits} is an emergency number at {target}, and this site has no way to emergency services"
                        )
                    };
                    self.trace.step(|| Step::Note { text: text() });
                    Outcome::NotFound
                }
            },
            Asking::Site(_) => Outcome::EmergencyAtOrigin { number },
            Asking::Forward => Outcome::Forbidden(Refusal::ForwardToEmergency),
        })
    }

    /// At the target.
    fn dialled_elsewhere(&mut self, digits: &str) -> Outcome {
        let asked = self.plan.system.alone(digits);
        if let Some(row) = self.plan.emergency_row(&asked) {
            let EmergencyCall { number, .. } = self.plan.emergency_call(&row);
            let text = || format!("{digits} is an emergency number here: the phone's own site dials it");
            self.trace.step(|| Step::Note { text: text() });
            return Outcome::EmergencyAtOrigin { number };
        }
        let extension = self.plan.extensions.place(digits, self.around.directory).is_some();
        match self.refused_by_codes(digits, false).filter(|_| !extension) {
            Some(refused) => refused,
            None => self.ordinary(&asked),
        }
    }
}

/// Follows a decision of `plan` through the plans of the sites that it breaks out to, as far as they are at hand: what `hotdesk dial` and
/// expectations ask for. The trace goes on through all of them.
pub fn follow(plan: &Plan, first: Decision, caller: &Caller<'_>, around: &Around<'_>) -> Decision {
    let mut chain: Vec<SiteName> = Vec::new();
    let rights = RightsNames { rights: plan.rights_due(&caller.rights, around.at), ..RightsNames::default() };
    let caller = Caller { outgoing_bar: plan.bar(caller, around.at).is_some(), rights, ..*caller };
    let mut decision = first;
    while let Outcome::BreakOut(BreakOutCall { site, digits }) = &decision.outcome {
        if let Some(refused) = plan.not_relayed(&caller, chain.last(), site) {
            let trace = decision.trace;
            decision = Decision { site: site.clone(), outcome: Outcome::Forbidden(refused), trace }.closed();
            break;
        }
        let Some(next) = around.neighbours.plan(site).filter(|_| !digits.is_empty()) else { break };
        chain.push(site.clone());
        let there = Around { directory: around.neighbours.directory(site), ..*around };
        let from = FromSite { origin: &plan.site, chain: &chain };
        let trace = if decision.trace.is_on() { Trace::on() } else { Trace::off() };
        let answer = next.route_from_site(digits, &caller, &from, &there, trace);
        let trace = decision.trace.then(answer.trace);
        decision = Decision { trace, ..answer };
    }
    if let Outcome::EmergencyAtOrigin { number } = &decision.outcome {
        let outcome = plan.emergency_for(number).map_or(Outcome::NotFound, Outcome::Emergency);
        let note = Trace::note(&decision.trace, || format!("{number} is dialled where the phone is: at {}", plan.site));
        let trace = decision.trace.then(note);
        decision = Decision { site: plan.site.clone(), outcome, trace }.closed();
    }
    decision
}
