//! From a dialled number to stages of targets: the plan decides, the location table and the trunks say where that is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::Node;
use super::admit::Account;
use super::call::no_line_free;
use super::features::not_here;
use super::forwards::{Found, Search};
use super::groups::all_at_once;
use super::in_force::{Settings, in_force};
use super::phones::ALLOW_TO_TRUNK;
use super::tasks::Asked;
use crate::ids::{Extension, SiteName};
use crate::link::proof::{Peer, trunk_mark};
use crate::link::{Claims, Purpose};
use crate::location::{Binding, Record, Resident};
use crate::plan::{
    Around, Caller as Dialler, Calling, CallingNumber, Decision, Feature, Level, Modifiers, Outcome, Priority,
    RightsNames, Standing,
};
use crate::proxy::{
    Caller, Kind, Manner, Ringing, Rule, Shows, Stage, Target, TargetSet, Withheld, escaped_user, phone_stages,
};
use crate::rejection::Rejection;
use crate::settings::{CallerId, SiteEntry, User};
use crate::sip::{Method, Name, Status};
use crate::timing::Now;
use crate::transmit::Flow;

/// Where a request goes, or why not.
pub(super) type Routed = Result<Vec<Stage>, Rejection>;
/// The same, with what is tried after it.
pub(super) type Directed = Result<TargetSet, Rejection>;

impl Node {
    /// What happens to a number that a proven user dials here, or behind a Break Out code for that site.
    pub(super) fn dialled(&self, now: Now, account: &Account, dialled: &str, behind: Option<&SiteName>) -> Decision {
        let compiled;
        let (user, level, standing) = match account {
            Account::Resident(extension) => {
                (self.own_user(extension.as_str()), self.config.plan.level_of(extension), Standing::Local)
            }
            Account::Visitor(_, guest) => {
                compiled = Level::of_visitor(&guest.user.short_codes).0;
                (Some(Settings::Guest(Arc::clone(guest))), Some(&compiled), Standing::Visitor)
            }
            Account::Desk(_) | Account::Lost(..) => (None, None, Standing::Desk),
        };
        let dialler = dialler(account.name(), user.as_deref(), level, standing);
        let (plan, around, trace) = (&self.config.plan, self.around(now), crate::plan::Trace::off());
        match behind {
            Some(site) => plan.route_behind(site, dialled, &dialler, &around, trace),
            None => plan.route(dialled, &dialler, &around, trace),
        }
    }

    /// Asks the plan with this site's visitors as directory.
    pub(super) fn asking<T>(&self, now: Now, ask: impl FnOnce(&Around<'_>) -> T) -> T {
        ask(&self.around(now))
    }

    fn around(&self, now: Now) -> Around<'_> {
        Around { directory: self, neighbours: &crate::plan::Alone, at: now.wall }
    }

    /// The targets of a decision. `claims` are those of the caller; the purpose is set here.
    pub(super) fn stages(
        &self,
        now: Now,
        asked: &Asked,
        decision: &Decision,
        caller: &Caller,
        claims: Claims,
    ) -> Directed {
        let mut search = Search { asked, caller, claims, diversions: Vec::new(), manner: None };
        let found = self.lead(now, &mut search, decision);
        Self::target_set(found, search)
    }

    /// Where a decision leads.
    pub(super) fn lead(&self, now: Now, search: &mut Search<'_>, decision: &Decision) -> Found {
        if let Outcome::Extension(call) = &decision.outcome
            && let Some(manner) = Manner::of(&call.modifiers)
        {
            // Another site says who calls by what it is told.
            let name = manner.name.clone();
            search.claims.identity.iter_mut().zip(name).for_each(|(identity, name)| identity.display = name);
            search.manner = Some(manner.into());
        }
        let (asked, claims) = (search.asked, &search.claims);
        let refers = asked.request.method() == &Method::REFER;
        let stages: Routed = match &decision.outcome {
            Outcome::Extension(call) => match &call.site {
                None => return self.reach(now, search, &call.number),
                Some(site) => Ok(vec![self.site_stage(site, &call.number, Purpose::Extension, Rule::Site, claims)?]),
            },
            Outcome::Trunk(routes) => return self.ways_out(search, routes),
            Outcome::Emergency(_) if refers => Err(no_refer()),
            Outcome::Emergency(call) => Ok(self.emergency_stages(now, asked, call)),
            Outcome::BreakOut(call) if call.digits.is_empty() => Err(Rejection::new(Status::ADDRESS_INCOMPLETE)),
            Outcome::BreakOut(call) => {
                let Some(entry) = self.config.network.site(call.site.as_str()) else {
                    return Err(Rejection::new(Status::NOT_FOUND));
                };
                let mut claims = claims.clone();
                claims.chain.push(entry.number);
                Ok(vec![self.site_stage(&call.site, &call.digits, Purpose::BreakOut, Rule::Site, &claims)?])
            }
            Outcome::Busy => Err(Rejection::new(Status::BUSY_HERE)),
            Outcome::Barred(why) => Err(Rejection::warned(Status::FORBIDDEN, why.to_string())),
            Outcome::NotFound | Outcome::EmergencyAtOrigin { .. } => Err(Rejection::new(Status::NOT_FOUND)),
            Outcome::Incomplete => Err(Rejection::new(Status::ADDRESS_INCOMPLETE)),
            Outcome::LoopDetected => Err(Rejection::new(Status::LOOP_DETECTED)),
            Outcome::Forbidden(why) => Err(Rejection::warned(Status::FORBIDDEN, why.to_string())),
            Outcome::NoRoute => Err(no_line_free()),
            Outcome::Feature { feature: Feature::DialPhysicalExtn, argument } => {
                self.desk_stages(now.instant, argument)
            }
            // Only a phone's INVITE makes the site do something (SPEC 10.4).
            Outcome::Feature { feature, .. } => Err(not_here(*feature)),
        };
        stages.map(Ringing::from)
    }

    /// SPEC 9.2: where an extension of this site, or a visitor here, rings, whatever is forwarded.
    pub(super) fn extension_stages(&self, now: Instant, method: &Method, extension: &str, claims: &Claims) -> Routed {
        let record = self.record(extension);
        let is_invite = method == &Method::INVITE;
        if let Some(Record::Visitor(visitor)) = record.as_deref() {
            // A call that home delivers was judged there, by what the user has set last.
            if is_invite && visitor.guest.user.do_not_disturb && claims.purpose != Purpose::Deliver {
                return Err(do_not_disturb());
            }
            let phones = record.as_deref().map(|record| self.location.phones_of(extension, record)).unwrap_or_default();
            return self.ringing(self.phone_stages(extension, &phones, now));
        }
        // Other requests than calls are for all members at once.
        if let Some(group) = self.config.site.groups.get(extension) {
            let members = group.members.iter().filter(|member| !self.config.site.groups.contains_key(*member));
            let stages = members.filter_map(|member| self.extension_stages(now, method, member.as_str(), claims).ok());
            return self.ringing(all_at_once(stages));
        }
        let user = in_force(&self.config, extension, record.as_deref());
        if user.is_none() && !(self.config.site.lab.is_some() && self.owns(extension)) {
            return Err(Rejection::new(Status::NOT_FOUND));
        }
        if is_invite && user.is_some_and(|user| user.do_not_disturb) {
            return Err(do_not_disturb());
        }
        match record.as_deref() {
            Some(here @ Record::Resident(resident)) => {
                let phones = self.location.phones_of(extension, here);
                self.resident_stages(now, extension, resident, &phones, claims)
            }
            Some(Record::Visitor(_)) | None => self.ringing(Vec::new()),
        }
    }

    /// SPEC 6.5: the phones of that user of this site, whoever sits there, wherever the user is.
    fn desk_stages(&self, now: Instant, extension: &str) -> Routed {
        if !self.config.site.users.contains_key(extension) {
            return Err(Rejection::new(Status::NOT_FOUND));
        }
        let record = self.record(extension);
        let bindings = record.as_deref().map_or(&[][..], Record::bindings);
        let mut stages = Vec::new();
        for binding in bindings {
            let sitter = self.location.sitter(extension, &binding.device);
            let whose = sitter.as_ref().map_or(extension, Extension::as_str);
            stages.extend(self.phone_stages(whose, std::slice::from_ref(binding), now));
        }
        self.ringing(all_at_once(stages.into_iter().map(|stage| vec![stage])))
    }

    /// The phones here, or the site where the user is, with the parked phones behind it.
    fn resident_stages(
        &self,
        now: Instant,
        extension: &str,
        resident: &Resident,
        phones: &[Binding],
        claims: &Claims,
    ) -> Routed {
        let phones = self.phone_stages(extension, phones, now);
        let Some(away) = &resident.away else { return self.ringing(phones) };
        let claims = Claims { login: Some(resident.login), ..claims.clone() };
        match self.site_stage(&away.site, extension, Purpose::Deliver, Rule::Visited, &claims) {
            Ok(there) => Ok(std::iter::once(there).chain(phones).collect()),
            // SPEC 8.3: the site is known to be down.
            Err(_) if !phones.is_empty() => Ok(phones),
            Err(unreachable) => Err(unreachable),
        }
    }

    /// The phones of a user who is here: their calls are that user's (SPEC 9.6).
    fn phone_stages(&self, extension: &str, bindings: &[Binding], now: Instant) -> Vec<Stage> {
        let mut stages = phone_stages(bindings, now, |address| self.is_reserved(address));
        let user = Extension::new(extension);
        stages.iter_mut().flat_map(|stage| &mut stage.targets).for_each(|target| target.counts = Some(user.clone()));
        stages
    }

    fn ringing(&self, stages: Vec<Stage>) -> Routed {
        if stages.is_empty() {
            return Err(Rejection::warned(Status::TEMPORARILY_UNAVAILABLE, "Not Logged In"));
        }
        Ok(stages)
    }

    /// Another site, asked with these claims.
    pub(super) fn site_stage(
        &self,
        site: &SiteName,
        number: &str,
        purpose: Purpose,
        rule: Rule,
        claims: &Claims,
    ) -> Result<Stage, Rejection> {
        let unreachable = || Rejection::warned(Status::SERVER_TIMEOUT, format!("site {site} cannot be reached"));
        let Some(entry) = self.config.network.site(site.as_str()) else { return Err(unreachable()) };
        // SPEC 8.1: a site that is known to be down is not waited for.
        if self.links.is_down(site) {
            let status = if rule == Rule::Visited { Status::TEMPORARILY_UNAVAILABLE } else { Status::SERVER_TIMEOUT };
            return Err(Rejection { status, ..unreachable() });
        }
        let origin = claims.origin.filter(|_| purpose == Purpose::BreakOut);
        let claims = Box::new(Claims { purpose, origin, ..claims.clone() });
        let target = Target {
            uri: format!("sip:{}@{}", escaped_user(number), entry.domain).into(),
            flow: self.flow_to(entry.address),
            path: Vec::new(),
            peer: Peer::Site(entry.number),
            kind: Kind::Site(site.clone(), claims),
            rule,
            asserted: None,
            shows: Shows::default(),
            max_breadth: None,
            counts: None,
            manner: None,
            conveys: None,
        };
        Ok(Stage { targets: vec![target] })
    }

    /// The flow to a site, trunk or other fixed address.
    pub(super) fn flow_to(&self, remote: SocketAddr) -> Flow {
        Flow { socket: self.socket_towards(remote), remote }
    }

    /// What is sent to a trunk: the same at each of its addresses.
    pub(super) fn trunk_targets(
        &self,
        index: usize,
        number: &str,
        modifiers: &Modifiers,
        search: &Search<'_>,
    ) -> Vec<Target> {
        let (caller, claims) = (search.caller, &search.claims);
        let Some(trunk) = self.config.site.trunks.get(index) else { return Vec::new() };
        let who = match (search.forwarder(), caller) {
            // SPEC 9.3: a forward is in the user's name.
            (Some(forwarder), _) => Some(forwarder),
            (None, Caller::User { extension, .. }) => Some(extension),
            (None, Caller::Desk(_) | Caller::Outside { .. } | Caller::Unknown) => None,
        };
        let record = who.and_then(|extension| self.record(extension.as_str()));
        let guest = record.as_deref().and_then(Record::visitor).map(|visitor| &visitor.guest.user);
        let user = guest.or_else(|| who.and_then(|who| self.config.site.users.get(who)));
        // A number from outside the site: an outsider's, or the one that another site asserts. An extension is no number outside.
        let named = claims.identity.as_ref().map(|identity| identity.user.as_str());
        let named = named.filter(|number| *number != caller.label() || matches!(caller, Caller::Outside { .. }));
        let dialler = Dialler {
            caller_id: user.and_then(|user| user.caller_id.as_deref()).or(named),
            original: named,
            ..dialler(who.map_or(caller.label(), Extension::as_str), user, None, Standing::Local)
        };
        let original = search.forwarder().and_then(|_| self.original_number(index, modifiers, &dialler));
        let is_original = original.is_some();
        let calling = original.unwrap_or_else(|| self.config.plan.calling(index, modifiers, &dialler));
        let withheld = Withheld { asked: claims.withheld, coded: calling.withheld };
        let identity = calling.number.map(|number| {
            let callers = claims.identity.as_ref().map(|identity| identity.display.clone());
            // What is dialled for a user of another site: the name is what that site says.
            let own = || match user.filter(|_| !is_original) {
                Some(user) => Some(user.name.clone()),
                None => callers.filter(|_| is_original || search.forwarder().is_none()),
            };
            Caller::Outside { number, name: calling.name.or_else(own) }
                .asserted(&self.entry().domain)
                .unwrap_or_default()
        });
        let shows = Shows::on(trunk, search.asked.request.from(), identity.as_deref(), withheld);
        let asserted = identity.filter(|_| trunk.trusted || !withheld.holds());
        let manner = Manner::of(modifiers).map(Arc::new);
        let at = |address| Target {
            shows: shows.clone(),
            manner: manner.clone(),
            // SPEC 9.3, 9.6: a forward counts for the user in whose name it leaves.
            counts: search.forwarder().cloned(),
            ..self.trunk(index, address, modifiers.host.as_deref(), number, asserted.clone())
        };
        self.addresses_of(index).map(at).collect()
    }

    /// The number of whoever calls the user who forwards, where this trunk may show it: the carrier takes it as the user's own, or
    /// takes any (SPEC 3: `numbers`, `any_caller_id`).
    fn original_number(&self, index: usize, modifiers: &Modifiers, dialler: &Dialler<'_>) -> Option<Calling> {
        let trunk = self.config.site.trunks.get(index)?;
        if modifiers.calling.is_some() || !(trunk.any_caller_id || trunk.caller_id == CallerId::User) {
            return None;
        }
        let modifiers = Modifiers { calling: Some(CallingNumber::Original), ..modifiers.clone() };
        let calling = self.config.plan.calling(index, &modifiers, dialler);
        (calling.number.is_some() && calling.number.as_deref() == dialler.original).then_some(calling)
    }

    pub(super) fn trunk(
        &self,
        index: usize,
        address: SocketAddr,
        host: Option<&str>,
        number: &str,
        asserted: Option<String>,
    ) -> Target {
        let trunk = self.config.site.trunks.get(index);
        // A carrier that has a name is asked by it, whatever it resolves to.
        let name = trunk.filter(|trunk| trunk.address.is_none()).map(|trunk| &*trunk.host);
        let host = host.or(name).map_or_else(|| address.to_string(), str::to_owned);
        let mark = trunk.map_or(0, |trunk| trunk_mark(&trunk.name));
        Target {
            uri: format!("sip:{}@{host}", escaped_user(number)).into(),
            flow: self.flow_to(address),
            path: Vec::new(),
            peer: Peer::Trunk { mark, flow: self.flow_to(address) },
            kind: Kind::Trunk(index),
            rule: Rule::Trunk,
            // An empty identity takes the caller's own away.
            asserted: Some(asserted.unwrap_or_default()),
            shows: Shows::default(),
            max_breadth: None,
            counts: None,
            manner: None,
            conveys: None,
        }
    }

    /// The entry of a site by its number.
    pub(super) fn site_by_number(&self, number: crate::ids::SiteNumber) -> Option<&SiteEntry> {
        self.config.network.sites.values().find(|site| site.number == number)
    }
}

impl crate::plan::Directory for Node {
    fn at_this_site(&self, extension: &str) -> bool {
        self.record(extension).is_some_and(|record| record.visitor().is_some())
    }
}

/// The caller as the plan sees it.
pub(super) fn dialler<'a>(
    extension: &'a str,
    user: Option<&'a User>,
    level: Option<&'a Level>,
    standing: Standing,
) -> Dialler<'a> {
    Dialler {
        extension,
        name: user.map_or(extension, |user| &user.name),
        caller_id: user.and_then(|user| user.caller_id.as_deref()),
        original: None,
        level,
        rights: RightsNames {
            rights: user.and_then(|user| user.rights.as_deref()),
            time_profile: user.and_then(|user| user.time_profile.as_deref()),
            out_of_hours: user.and_then(|user| user.out_of_hours_rights.as_deref()),
        },
        priority: user.map_or_else(Priority::default, |user| Priority(user.priority)),
        outgoing_bar: user.is_some_and(|user| user.outgoing_bar),
        standing,
    }
}

pub(super) fn do_not_disturb() -> Rejection {
    Rejection::warned(Status::BUSY_HERE, "Do Not Disturb")
}

/// SPEC 9.9: REFER whose other side is a trunk.
pub(super) fn no_refer() -> Rejection {
    Rejection::new(Status::METHOD_NOT_ALLOWED).with(Name::Allow, ALLOW_TO_TRUNK)
}

/// The number that a Request-URI dials: percent-decoded, of a telephone number without its visual separators (RFC 3966 §5.1.1); a service
/// URN that calls for help as it is (RFC 5031).
pub(super) fn number_of(request: &crate::sip::Request) -> Option<Extension> {
    let uri = request.uri();
    let number = uri.dialled().filter(|number| !number.is_empty());
    number.map(Extension::new).or_else(|| uri.sos().map(Extension::new))
}
