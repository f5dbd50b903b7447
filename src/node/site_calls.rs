//! Calls, and all other requests, that another site sends here: for its user, for an extension of ours, by Break Out (SPEC 6.8, 9.2,
//! 11.3).

use super::Node;
use super::forwards::Search;
use super::route::number_of;
use super::tasks::{Asked, Passing, ServerTask};
use crate::ids::{Extension, SiteName};
use crate::link::proof::Peer;
use crate::link::{Caller as Claimant, Cause, Claims, Purpose, Token, is_named};
use crate::location::Record;
use crate::plan::{Caller as Dialler, FromSite, Outcome, Priority, RightsNames, Standing, Trace};
use crate::proxy::{Caller, handed_over, routing_hash};
use crate::rejection::Rejection;
use crate::sip::{Status, Via};
use crate::timing::Now;

/// Whether a user of another site is here.
enum Visiting {
    Here,
    /// A login is under way or not yet stored.
    Arriving,
    No,
}

impl Node {
    /// A call, or any other request, that another site sends here.
    pub(super) fn site_calls(&mut self, now: Now, asked: Asked, token: &Token, site: &SiteName) {
        let Some(number) = number_of(&asked.request) else {
            return self.refuse_known(now, &asked, &Rejection::new(Status::NOT_FOUND));
        };
        let mut claims = token.claims.clone();
        let speaks = self.may_speak_for(&claims, site);
        if !speaks && claims.purpose == Purpose::BreakOut && !self.is_under_way(&asked, &claims) {
            // SPEC 6.7: nothing stands before a call for help, whoever goes on for the caller.
            if self.config.plan.emergency(number.as_str()).is_some() {
                return self.dial_there(now, &asked, token);
            }
            return self.refuse_known(now, &asked, &Rejection::because(Status::FORBIDDEN, "Not Your User"));
        }
        let Some(max_forwards) = self.hops_left(&asked) else { return };
        let hash = routing_hash(&self.secret, &asked.request, &routing_claims(&claims));
        if self.has_been_here(&asked, hash) {
            return self.refuse_known(now, &asked, &Rejection::new(Status::LOOP_DETECTED));
        }
        let mut caller = self.claimed_caller(&claims);
        // SPEC 6.8: a call of our own user that another site hands back has passed here; else the claim is worth no more than
        // an outsider's.
        if !speaks && !self.has_passed_here(&asked) {
            caller = Caller::Outside { number: caller.label().to_owned(), name: None };
        }
        let domain = self.domain_of_claims(&claims);
        let mut plan = Passing {
            max_forwards,
            hash,
            own_routes: 0,
            strict_last: None,
            drop_routes: false,
            record_route: Self::begins_dialog(asked.request.method()).then_some(Peer::Site(token.envelope.from)),
            asserted: caller.asserted(&domain).filter(|_| !claims.withheld),
            keep_identity: false,
            from_outside: matches!(caller, Caller::Outside { .. }),
            sees_withheld: true,
            gives: format!("Extension {number}"),
            break_out: (claims.purpose == Purpose::BreakOut).then(|| Box::new(token.clone())),
        };
        let targets = match claims.purpose {
            Purpose::Deliver => match self.visiting(&number, site) {
                Visiting::Here => {
                    let mut search =
                        Search { asked: &asked, caller: &caller, claims, diversions: Vec::new(), manner: None };
                    let found = self.reach(now, &mut search, number.as_str());
                    Self::target_set(found, search)
                }
                // The call has overtaken the login that it follows: that says nothing about where the user is.
                Visiting::Arriving => Err(Rejection::warned(Status::TEMPORARILY_UNAVAILABLE, "Logging In")),
                Visiting::No => return self.not_here(now, &asked, token),
            },
            Purpose::BreakOut => {
                // SPEC 6.8: who sends a chain on says where it began.
                claims.origin.get_or_insert(token.envelope.from);
                let outcome = self.break_out(now, number.as_str(), &claims, site);
                plan.gives = outcome.gives(&self.config.site.name);
                if let Outcome::EmergencyAtOrigin { .. } = outcome.outcome {
                    return self.dial_there(now, &asked, token);
                }
                self.stages(now, &asked, &outcome, &caller, claims)
            }
            Purpose::Forward => {
                let cause = handed_over(asked.request.uri());
                let mut search =
                    Search { asked: &asked, caller: &caller, claims, diversions: Vec::new(), manner: None };
                let found = self.handed_back(now, &mut search, &number, site, cause);
                Self::target_set(found, search)
            }
            _ => {
                let config = self.config.clone();
                let decision =
                    self.asking(now, |around| config.plan.route_extension(number.as_str(), around, Trace::off()));
                self.stages(now, &asked, &decision, &caller, claims)
            }
        };
        match targets {
            Ok(targets) => self.start_call(now, asked, caller, plan, targets),
            Err(rejection) => self.refuse_known(now, &asked, &rejection),
        }
    }

    /// SPEC 11.3: for one of our own users a site speaks only while that user is logged in there.
    fn may_speak_for(&self, claims: &Claims, site: &SiteName) -> bool {
        let Some(Claimant::User(user)) = &claims.caller else { return true };
        if user.home != self.entry().number {
            return true;
        }
        let record = self.record(user.extension.as_str());
        let away = record.as_deref().and_then(Record::resident).and_then(|resident| resident.away.as_ref());
        // A call that a site delivers to its own user may come from a user of ours at a third site, which spoke for the caller.
        away.is_some_and(|away| away.site == *site || claims.purpose == Purpose::Deliver)
    }

    /// SPEC 6.8: a call that a user of ours has begun here, and that the plans of other sites send back to this one.
    fn is_under_way(&self, asked: &Asked, claims: &Claims) -> bool {
        let Some(Claimant::User(user)) = &claims.caller else { return false };
        let tag = asked.request.from().tag().unwrap_or_default();
        self.live.is_of(asked.request.call_id(), tag, &user.extension)
    }

    fn has_passed_here(&self, asked: &Asked) -> bool {
        let is_ours = |via: &Via| self.names.is_our_address(via.sent_by_host(), via.sent_by_port());
        asked.request.vias().skip(1).filter_map(Result::ok).any(|via| is_ours(&via))
    }

    fn claimed_caller(&self, claims: &Claims) -> Caller {
        let identity = claims.identity.as_ref();
        let display = identity.map(|identity| identity.display.clone()).unwrap_or_default();
        match &claims.caller {
            Some(Claimant::User(user)) => {
                let home = self.site_by_number(user.home).map(|site| site.name.clone());
                let home = home.unwrap_or_else(|| self.config.site.name.clone());
                Caller::User { extension: user.extension.clone(), home, name: display }
            }
            Some(Claimant::Outsider(_)) => Caller::Outside {
                number: identity.map(|identity| identity.user.clone()).unwrap_or_default(),
                name: Some(display).filter(|display| !display.is_empty()),
            },
            None => Caller::Unknown,
        }
    }

    fn domain_of_claims(&self, claims: &Claims) -> String {
        let number = match &claims.caller {
            Some(Claimant::User(user)) => Some(user.home),
            Some(Claimant::Outsider(site)) => Some(*site),
            None => None,
        };
        let site = number.and_then(|number| self.site_by_number(number)).unwrap_or(self.entry());
        site.domain.clone()
    }

    /// Whether that user of `home` is logged in here. A login under way at another shard is looked for first: what it comes to is
    /// staged before it ends, and committed before it is staged no more.
    fn visiting(&self, extension: &Extension, home: &SiteName) -> Visiting {
        let arrives = self.is_arriving(extension) || self.location.is_staged(extension.as_str());
        let record = self.record(extension.as_str());
        if record.as_deref().and_then(Record::visitor).is_some_and(|visitor| visitor.home == *home) {
            return Visiting::Here;
        }
        if arrives { Visiting::Arriving } else { Visiting::No }
    }

    /// SPEC 9.2: home is told with proof, and ends that login.
    fn not_here(&mut self, now: Now, asked: &Asked, token: &Token) {
        if let Some(server) = self.begin(now, asked, ServerTask::Own) {
            let status = Status::TEMPORARILY_UNAVAILABLE;
            self.answer_site(now, server, asked, token, status, Some(Cause::NotHere), None);
        }
    }

    /// SPEC 6.7: an emergency number of ours behind a Break Out prefix is dialled where the phone stands.
    fn dial_there(&mut self, now: Now, asked: &Asked, token: &Token) {
        if let Some(server) = self.begin(now, asked, ServerTask::Own) {
            self.answer_site(now, server, asked, token, Status::NOT_FOUND, Some(Cause::EmergencyAtOrigin), None);
        }
    }

    /// SPEC 6.8: digits that another site sends, dialled as if here, under the caller's own bar.
    fn break_out(&self, now: Now, digits: &str, claims: &Claims, sender: &SiteName) -> crate::plan::Decision {
        let extension = match &claims.caller {
            Some(Claimant::User(user)) => user.extension.as_str(),
            Some(Claimant::Outsider(_)) | None => "",
        };
        let identity = claims.identity.as_ref();
        // The claim may be the beginning of a long name.
        let rights = claims.rights.as_deref().and_then(|claimed| {
            let mut names = self.config.site.rights.keys().map(String::as_str);
            names.find(|name| is_named(claimed, name))
        });
        let dialler = Dialler {
            extension,
            name: identity.map_or("", |identity| &identity.display),
            caller_id: identity.map(|identity| identity.user.as_str()),
            original: None,
            level: None,
            rights: RightsNames { rights, ..RightsNames::default() },
            priority: claims.priority.map_or_else(Priority::default, Priority),
            outgoing_bar: claims.barred,
            standing: Standing::Visitor,
        };
        let sites = claims.chain.iter().filter_map(|number| self.site_by_number(*number));
        let chain: Vec<SiteName> = sites.map(|site| site.name.clone()).collect();
        let origin = claims.origin.and_then(|number| self.site_by_number(number)).map_or(sender, |site| &site.name);
        let from = FromSite { origin, chain: &chain };
        self.asking(now, |around| self.config.plan.route_from_site(digits, &dialler, &from, around, Trace::off()))
    }
}

/// What of the claims decides where a request goes: a call that comes back forwarded once more is a spiral.
fn routing_claims(claims: &Claims) -> [u8; 3] {
    let purpose = match claims.purpose {
        Purpose::Deliver => 1,
        Purpose::Extension => 2,
        Purpose::BreakOut => 3,
        Purpose::Forward => 4,
        _ => 0,
    };
    [claims.chain.len() as u8, purpose, claims.forwards]
}
