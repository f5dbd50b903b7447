//! Forwards (SPEC 9.3), and calls that other sites hand back home: what is tried when a user or group does not answer. Groups: `groups`.
//!
//! The plan decides where a forward goes, in the user's name: what the user may not dial is not forwarded to. A forward that can't be
//! taken (barred, refused by the profile, one too many, back to where the call was) is as if it were not set.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use super::Node;
use super::in_force::Settings;
use super::route::{dialler, do_not_disturb};
use super::tasks::{Asked, Call, Key, Timer};
use crate::ids::{Extension, SiteName};
use crate::link::proof::{Peer, trunk_mark};
use crate::link::{Caller as Claimed, Claims, HomeUser, Identity, Purpose};
use crate::location::Record;
use crate::plan::{Caller as Dialler, Level, Outcome, Standing, Trace};
use crate::proxy::{
    Best, Called, Caller, Cause, Diversion, Diverted, Kind, MOST_FORWARDS, Manner, Ringing, Rule, Shows, Stage, Target,
    TargetSet, deflected_to, handing_over, went_through,
};
use crate::rejection::Rejection;
use crate::sip::{Contacts, Method, Response, Status, Uri};
use crate::timing::Now;

/// A search for targets: who asks, and what the call has gone through.
pub(super) struct Search<'a> {
    /// The request.
    pub asked: &'a Asked,
    /// Who asks.
    pub caller: &'a Caller,
    /// What other sites are told.
    pub claims: Claims,
    /// The forwards taken here.
    pub diversions: Vec<Diversion>,
    /// How the call is made, as a short code says (SPEC 6.3).
    pub manner: Option<Arc<Manner>>,
}

/// What is tried, or why nothing is.
pub(super) type Found = Result<Ringing, Rejection>;

/// What is left to do for a call when its targets fail.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// Whom the present targets stand for.
    pub called: Called,
    /// As other sites are told of the caller.
    pub claims: Claims,
    /// The forwards taken here.
    pub diversions: Vec<Diversion>,
    /// How the call is made, wherever it goes (SPEC 6.3).
    pub manner: Option<Arc<Manner>>,
    /// How often new targets were set: an alarm of earlier ones means nothing.
    pub round: u32,
}

/// Whose forwards these are.
struct Owner<'a> {
    extension: Extension,
    user: Settings<'a>,
    forwarding: bool,
    external: bool,
    /// A visitor's home, which forwards.
    home: Option<SiteName>,
}

impl Owner<'_> {
    /// Where the user's calls go for that cause, in order: the extension that the user follows, but for a call of its own; the forward
    /// that is set, or what the phone said.
    fn numbers<'a>(
        &'a self,
        caller: &Caller,
        cause: Cause,
        deflected: Option<&'a str>,
    ) -> impl Iterator<Item = Onward<'a>> {
        let forward = &self.user.forward;
        let follows = forward.follow_me.as_deref().filter(|_| cause == Cause::Unconditional);
        let calls_back =
            |number: &str| matches!(caller, Caller::User { extension, .. } if extension.as_str() == number);
        let number = deflected.or_else(|| cause.number(forward));
        let numbers = follows.filter(|number| !calls_back(number)).into_iter().chain(number);
        let numbers = numbers.filter(|_| self.forwarding).enumerate();
        numbers.map(move |(at, number)| Onward { cause, number, nth: at + 1, waits: false })
    }
}

/// A number that a user's calls go to.
#[derive(Clone, Copy)]
struct Onward<'a> {
    cause: Cause,
    number: &'a str,
    /// The first of the user's numbers for that cause is 1.
    nth: usize,
    /// The call may wait for a line there (SPEC 6.6).
    waits: bool,
}

impl Search<'_> {
    /// Whose forward brought the call to where it is now.
    pub(super) fn forwarder(&self) -> Option<&Extension> {
        self.diversions.last().map(|diversion| &diversion.from)
    }

    /// Whether the call was at that number already: a loop of forwards ends there.
    pub(super) fn was_at(&self, number: &str) -> bool {
        let here = self.diversions.iter().any(|diversion| diversion.from.as_str() == number);
        here || self.claims.forwards > 0 && went_through(&self.asked.request).iter().any(|at| at.as_str() == number)
    }
}

impl Node {
    /// SPEC 9.2, 9.3: what is tried for a user, visitor or group of this site.
    pub(super) fn reach(&self, now: Now, search: &mut Search<'_>, number: &str) -> Found {
        let method = search.asked.request.method().clone();
        let plain = |search: &Search<'_>| self.extension_stages(now.instant, &method, number, &search.claims);
        // What home delivers, home forwards.
        if method != Method::INVITE || search.claims.purpose == Purpose::Deliver {
            return plain(search).map(Ringing::from);
        }
        let Some(owner) = self.owner(number) else {
            return match self.config.site.groups.get(number) {
                Some(group) => self.ring_group(now, search, group, 0),
                None => plain(search).map(Ringing::from),
            };
        };
        if owner.user.do_not_disturb {
            return Err(do_not_disturb());
        }
        match self.forward_on(now, search, &owner, Cause::Unconditional, None, 0) {
            Some(elsewhere) => Ok(elsewhere),
            None => self.ring_owner(now, search, &owner),
        }
    }

    /// The user's phones ring; without any the call goes where such calls go.
    fn ring_owner(&self, now: Now, search: &mut Search<'_>, owner: &Owner<'_>) -> Found {
        let number = owner.extension.as_str();
        match self.extension_stages(now.instant, &Method::INVITE, number, &search.claims) {
            Ok(stages) => {
                let called = Called::User(owner.extension.clone());
                Ok(Ringing { stages, after: self.patience(owner), called, lines: None })
            }
            Err(rejection) => self.forward_on(now, search, owner, Cause::Unreachable, None, 0).ok_or(rejection),
        }
    }

    /// The visitor who is logged in here, or this site's user, with that number.
    fn owner(&self, number: &str) -> Option<Owner<'_>> {
        if let Some(user) = self.own_user(number) {
            let profile = self.config.network.profile(&user.profile);
            let (forwarding, external) = (profile.forwarding, profile.forward_external);
            return Some(Owner { extension: user.extension.clone(), user, forwarding, external, home: None });
        }
        let record = self.record(number)?;
        let visitor = record.visitor()?;
        Some(Owner {
            extension: Extension::new(number),
            user: Settings::Guest(Arc::clone(&visitor.guest)),
            forwarding: visitor.guest.allows.forwarding,
            external: false,
            home: Some(visitor.home.clone()),
        })
    }

    /// How long the user's phones ring before the call goes elsewhere.
    fn patience(&self, owner: &Owner<'_>) -> Option<Duration> {
        let forward = &owner.user.forward;
        let own = owner.forwarding && forward.no_answer.is_some();
        let voicemail = owner.home.is_none() && self.config.site.voicemail.is_some();
        (own || voicemail).then_some(forward.after)
    }

    /// Where a call for the user goes for that cause: by the forward that is set, or as the phone said; then the site's voicemail. The
    /// first `tried` numbers have failed. A call waits for a line only where there is nothing else.
    fn forward_on(
        &self,
        now: Now,
        search: &mut Search<'_>,
        owner: &Owner<'_>,
        cause: Cause,
        deflected: Option<&str>,
        tried: usize,
    ) -> Option<Ringing> {
        if search.claims.forwards >= MOST_FORWARDS {
            return None;
        }
        let mut numbers = owner.numbers(search.caller, cause, deflected).skip(tried);
        if let Some(home) = &owner.home {
            let onward = numbers.next()?;
            let handed = self.hand_home(search, owner, home, cause, deflected);
            return handed.or_else(|| self.divert(now, search, owner, onward));
        }
        let numbers: SmallVec<[Onward<'_>; 2]> = numbers.collect();
        let at_once = numbers.iter().find_map(|&onward| self.divert(now, search, owner, onward));
        let elsewhere = at_once.or_else(|| match cause {
            Cause::Busy | Cause::NoAnswer | Cause::Unreachable => self.divert_to_voicemail(search, owner, cause),
            Cause::Unconditional | Cause::Deflected => None,
        });
        elsewhere.or_else(|| {
            let mut waiting = numbers.iter().map(|&onward| Onward { waits: true, ..onward });
            waiting.find_map(|onward| self.divert(now, search, owner, onward))
        })
    }

    /// The number is dialled by this site's plan, in the user's name. While a visitor's home can't be reached only extensions are.
    fn divert(
        &self,
        now: Now,
        search: &mut Search<'_>,
        owner: &Owner<'_>,
        Onward { cause, number, nth, waits }: Onward<'_>,
    ) -> Option<Ringing> {
        let compiled;
        let (level, standing) = match &owner.home {
            None => (self.config.plan.level_of(&owner.extension), Standing::Local),
            Some(_) => {
                compiled = Level::of_visitor(&owner.user.short_codes).0;
                (Some(&compiled), Standing::Visitor)
            }
        };
        let dialler = dialler(owner.extension.as_str(), Some(&owner.user), level, standing);
        let decision =
            self.asking(now, |around| self.config.plan.route_forward(number, &dialler, around, Trace::off()));
        let before = (search.claims.clone(), search.diversions.len());
        match &decision.outcome {
            Outcome::Extension(call) if !self.may_go_to(search, &owner.extension, &call.number) => return None,
            Outcome::Extension(_) => {}
            Outcome::Trunk(_) if owner.external => {}
            Outcome::BreakOut(_) if owner.external => {
                search.claims = self.claims_of_owner(now, search, owner, &dialler)
            }
            _ => return None,
        }
        let payer = HomeUser { home: self.home_number(&owner.extension), extension: owner.extension.clone() };
        search.claims.payer = Some(payer);
        self.note_forward(search, owner, cause, number);
        let found = self.lead(now, search, &decision).ok();
        let Some(found) = found.filter(|found| self.can_be_had(now, search, found, waits)) else {
            (search.claims, _) = (before.0, search.diversions.truncate(before.1));
            return None;
        };
        if found.called != Called::Other || owner.home.is_some() {
            return Some(found);
        }
        let (extension, (claims, diversions)) = (owner.extension.clone(), before);
        let diverted = Diverted { extension, cause, tried: nth, claims, diversions };
        Some(Ringing { called: Called::Diverted(Box::new(diverted)), ..found })
    }

    /// A forward that leads out of the site has failed. If it could not even be made, it is as if it were not set; whoever was asked
    /// and can't take the call leaves it to the voicemail, unless somebody declined it.
    fn instead(&self, now: Now, search: &mut Search<'_>, diverted: &Diverted, made: Made) -> Option<Ringing> {
        let &Diverted { ref extension, cause, tried, ref claims, diversions } = diverted;
        let owner = self.owner(extension.as_str())?;
        (search.claims, _) = (claims.clone(), search.diversions.truncate(diversions));
        match (cause, made) {
            (_, Made::Final) | (Cause::Unconditional | Cause::Deflected, Made::Refused) => None,
            (Cause::Busy | Cause::NoAnswer | Cause::Unreachable, Made::Refused | Made::Not) => {
                self.forward_on(now, search, &owner, cause, None, tried)
            }
            (Cause::Unconditional, Made::Not) => {
                let next = self.forward_on(now, search, &owner, cause, None, tried);
                next.or_else(|| self.ring_owner(now, search, &owner).ok())
            }
            // SPEC 9.1: where the phone sent the call can't be reached, as if the phone could not.
            (Cause::Deflected, Made::Not) => self.forward_on(now, search, &owner, Cause::Unreachable, None, 0),
        }
    }

    /// A forward goes to nobody through whom the call has come.
    pub(super) fn may_go_to(&self, search: &Search<'_>, from: &Extension, number: &str) -> bool {
        number != from.as_str() && !search.was_at(number)
    }

    fn note_forward(&self, search: &mut Search<'_>, owner: &Owner<'_>, cause: Cause, to: &str) {
        search.claims.forwards = search.claims.forwards.saturating_add(1);
        search.diversions.push(Diversion {
            from: owner.extension.clone(),
            number: owner.user.caller_id.clone(),
            domain: self.domain_at_home(owner.extension.as_str()),
            cause,
            to_domain: self.domain_at_home(to),
            to: to.to_owned(),
        });
    }

    /// A Break Out is dialled in the user's name (SPEC 6.8): what bars the user here bars the call there. The chain that the call came by
    /// has ended with the user: this one begins here.
    fn claims_of_owner(&self, now: Now, search: &Search<'_>, owner: &Owner<'_>, dialler: &Dialler<'_>) -> Claims {
        let extension = owner.extension.clone();
        Claims {
            caller: Some(Claimed::User(HomeUser { home: self.home_number(&extension), extension })),
            barred: self.config.plan.bar(dialler, now.wall).is_some(),
            rights: self.config.plan.rights_due(&dialler.rights, now.wall).map(str::to_owned),
            priority: Some(owner.user.priority),
            identity: Some(Identity {
                user: owner.user.caller_id.clone().unwrap_or_else(|| owner.extension.to_string()),
                display: owner.user.name.clone(),
            }),
            chain: Vec::new(),
            origin: None,
            ..search.claims.clone()
        }
    }

    /// The priority with which a forward of the user leaves.
    pub(super) fn priority_of(&self, extension: &Extension) -> Option<u8> {
        self.owner(extension.as_str()).map(|owner| owner.user.priority)
    }

    fn home_number(&self, extension: &Extension) -> crate::ids::SiteNumber {
        self.config.network.home_of(extension.as_str()).unwrap_or(self.entry()).number
    }

    /// The domain of the site that owns the number, else of this one.
    pub(super) fn domain_at_home(&self, number: &str) -> String {
        self.config.network.home_of(number).unwrap_or(self.entry()).domain.clone()
    }

    /// The site's voicemail, at the address that its URI names, or at those of its name in turn.
    fn divert_to_voicemail(&self, search: &mut Search<'_>, owner: &Owner<'_>, cause: Cause) -> Option<Ringing> {
        let uri = Uri::parse(self.config.site.voicemail.clone()?).ok()?;
        let at = self.addresses_at(&uri).into_iter().map(|remote| self.voicemail_target(&uri, remote));
        let stages: Vec<Stage> = at.map(|target| Stage { targets: vec![target] }).collect();
        if stages.is_empty() {
            return None;
        }
        let name = uri.user().unwrap_or_default().into_owned();
        self.note_forward(search, owner, cause, &name);
        Some(stages.into())
    }

    fn voicemail_target(&self, uri: &Uri, remote: SocketAddr) -> Target {
        let flow = self.flow_to(remote);
        let trunk = self.source_trunk(remote).and_then(|trunk| self.config.site.trunks.get(trunk));
        let peer = match trunk {
            Some(trunk) => Peer::Trunk { mark: trunk_mark(&trunk.name), flow },
            None => Peer::Phone { flow, nat: false },
        };
        Target {
            uri: uri.as_bytes().clone(),
            flow,
            path: Vec::new(),
            peer,
            kind: Kind::Phone,
            rule: Rule::Voicemail,
            asserted: None,
            shows: Shows::default(),
            max_breadth: None,
            counts: None,
            manner: None,
            conveys: None,
        }
    }

    /// SPEC 9.3: a visitor who is called here is forwarded by home, which is told why.
    fn hand_home(
        &self,
        search: &Search<'_>,
        owner: &Owner<'_>,
        home: &SiteName,
        cause: Cause,
        deflected: Option<&str>,
    ) -> Option<Ringing> {
        let domain = self.config.network.site(home.as_str())?.domain.clone();
        let uri = handing_over(&owner.extension, &domain, cause, deflected);
        let number = owner.extension.as_str();
        let mut stage = self.site_stage(home, number, Purpose::Forward, Rule::Site, &search.claims).ok()?;
        stage.targets.iter_mut().for_each(|target| target.uri = uri.clone().into());
        let otherwise = match cause {
            Cause::Busy => Status::BUSY_HERE,
            Cause::Unconditional | Cause::NoAnswer | Cause::Unreachable | Cause::Deflected => {
                Status::TEMPORARILY_UNAVAILABLE
            }
        };
        let called = Called::Home { extension: owner.extension.clone(), cause, otherwise };
        Some(Ringing { stages: vec![stage], called, after: None, lines: None })
    }

    /// A call for a user of this site that the site where the user is hands back.
    pub(super) fn handed_back(
        &self,
        now: Now,
        search: &mut Search<'_>,
        extension: &Extension,
        from: &SiteName,
        cause: Option<(Cause, Option<String>)>,
    ) -> Found {
        let record = self.record(extension.as_str());
        let away = record.as_deref().and_then(Record::resident).and_then(|resident| resident.away.as_ref());
        if away.is_none_or(|away| away.site != *from) {
            return Err(Rejection::because(Status::FORBIDDEN, "Not Your User"));
        }
        let nowhere = || match cause.as_ref().map(|(cause, _)| *cause) {
            Some(Cause::Busy) => Rejection::new(Status::BUSY_HERE),
            _ => Rejection::new(Status::TEMPORARILY_UNAVAILABLE),
        };
        let owner = self.owner(extension.as_str()).ok_or_else(nowhere)?;
        let (why, number) = cause.as_ref().ok_or_else(nowhere)?;
        self.forward_on(now, search, &owner, *why, number.as_deref(), 0).ok_or_else(nowhere)
    }

    // ------------------------------------------------------------------------------------------------------- while it rings

    /// New targets are set: the phones have this long.
    pub(super) fn arm_patience(&mut self, now: Now, key: Key, after: Option<Duration>) {
        let Some(call) = self.calls.of(key) else { return };
        if let Some(after) = after {
            let round = call.way.round;
            self.timers.arm(&Timer::NoAnswer(key, round), now.instant + after);
        }
    }

    /// Nobody has answered in time. Where the call can't go elsewhere, it rings on.
    pub(super) fn not_answered(&mut self, now: Now, key: Key, round: u32) {
        let Some(call) = self.calls.of(key) else { return };
        let is_open = match call.way.called {
            // One member does not speak for the next.
            Called::Group { .. } => call.context.is_open(),
            // SPEC 9.3: who declines the call does not want it elsewhere, even while another phone has not ended yet.
            Called::User(_) | Called::Home { .. } | Called::Diverted(_) | Called::Other => call.context.may_go_on(),
        };
        if call.way.round == round && is_open {
            self.go_on(now, key, Failed::InTime, b"SIP;cause=408;text=\"No answer\"");
        }
    }

    /// All targets have failed: the call goes elsewhere, or that is the answer.
    pub(super) fn exhausted(&mut self, now: Now, key: Key, best: Best) {
        if self.waits(now, key) || self.go_on(now, key, Failed::By(&best), b"SIP;cause=487") {
            return;
        }
        let Some(call) = self.calls.of(key) else { return };
        let own = best.bytes.is_none() && call.context.is_open();
        match &call.way.called {
            // The visitor's home can't be reached: the caller is told of the visitor, not of the link.
            &Called::Home { otherwise, .. } if own => {
                let rejection = Rejection::new(otherwise);
                self.finish_as(now, key, &rejection);
            }
            Called::Home { .. } | Called::User(_) | Called::Group { .. } | Called::Diverted(_) | Called::Other => {
                self.finish(now, key, best);
            }
        }
    }

    /// SPEC 9.1: a phone's 3xx is a forward of its user. What can't be dialled for the user is a phone that can't be reached: the
    /// caller never gets the address. `None`: it is none of ours to follow.
    pub(super) fn deflected(&mut self, now: Now, key: Key, branch: usize, response: &Response) -> Option<Deflection> {
        let call = self.calls.of(key)?;
        let rule = call.context.rule(branch)?;
        let delivered = call.way.claims.purpose == Purpose::Deliver;
        if response.status().class() != 3 || !matches!(rule, Rule::Phones | Rule::Member | Rule::Visited) || delivered {
            return None;
        }
        let follows = matches!(response.status().0, 300..=302) && call.context.is_wanted(branch);
        let number = match response.contacts(8) {
            Ok(Contacts::List(list)) if follows => {
                let mut list = list;
                list.sort_by_key(|contact| std::cmp::Reverse(contact.q().unwrap_or(1000)));
                list.iter().find_map(|contact| deflected_to(contact.uri()))
            }
            Ok(Contacts::List(_) | Contacts::Star | Contacts::None) | Err(_) => None,
        };
        let reason = b"SIP;cause=302;text=\"Call forwarded\"";
        let gone = number.is_some_and(|number| self.go_on(now, key, Failed::To(&number), reason));
        Some(if gone { Deflection::Followed } else { Deflection::Refused })
    }

    /// Sets the next targets of a call, if there are any, and gives up what rings.
    fn go_on(&mut self, now: Now, key: Key, failed: Failed<'_>, reason: &[u8]) -> bool {
        if !self.calls.of(key).is_some_and(|call| call.context.is_open()) {
            return false;
        }
        let Some(mut call) = self.calls.remove(key) else { return false };
        let found = self.next_targets(now, &mut call, failed);
        if found.is_some() {
            self.leave_queue(&mut call);
        }
        self.calls.insert(key, call);
        let Some(ringing) = found else { return false };
        self.cancel_branches(now, key, Some(reason));
        let Some(call) = self.calls.of(key) else { return false };
        (call.way.called, call.way.round) = (ringing.called, call.way.round.wrapping_add(1));
        call.outlook = ringing.lines.map(|lines| Box::new(lines.into()));
        let first = call.context.resume(ringing.stages);
        self.arm_patience(now, key, ringing.after);
        match first {
            Some(stage) => self.start_stage(now, key, stage),
            None => self.exhausted(now, key, Best { status: Status::TEMPORARILY_UNAVAILABLE, bytes: None }),
        }
        true
    }

    fn next_targets(&self, now: Now, call: &mut Call, failed: Failed<'_>) -> Option<Ringing> {
        let (rang, open) = (call.context.has_rung(), call.context.may_go_on());
        let Call { asked, caller, way, .. } = call;
        let (claims, diversions) = (std::mem::take(&mut way.claims), std::mem::take(&mut way.diversions));
        let mut search = Search { asked, caller, claims, diversions, manner: way.manner.clone() };
        let found = match &way.called {
            Called::Other => None,
            Called::User(extension) => self.owner(extension.as_str()).and_then(|owner| {
                let (cause, number) = failed.cause(rang)?;
                self.forward_on(now, &mut search, &owner, cause, number, 0)
            }),
            Called::Diverted(diverted) => match failed {
                Failed::By(best) => self.instead(now, &mut search, diverted, Made::of(best, rang, open)),
                Failed::InTime | Failed::To(_) => None,
            },
            Called::Group { extension, next } => match failed {
                Failed::To(_) => None,
                Failed::By(_) | Failed::InTime => {
                    let group = self.config.site.groups.get(extension);
                    group.and_then(|group| self.ring_group(now, &mut search, group, *next).ok())
                }
            },
            // While home can't be reached only extensions are forwarded to.
            Called::Home { extension, cause, .. } => match failed {
                Failed::By(best) if best.bytes.is_none() => self.owner(extension.as_str()).and_then(|owner| {
                    let onward = owner.numbers(caller, *cause, None).next()?;
                    let extension = self.divert(now, &mut search, &owner, onward);
                    extension.or_else(|| self.ring_visitor(now, &search, &owner, *cause))
                }),
                Failed::By(_) | Failed::InTime | Failed::To(_) => None,
            },
        };
        (way.claims, way.diversions, way.manner) = (search.claims, search.diversions, search.manner);
        found
    }

    /// A visitor whose calls all go elsewhere, to where only home could send them: the phones here, while home is away.
    fn ring_visitor(&self, now: Now, search: &Search<'_>, owner: &Owner<'_>, cause: Cause) -> Option<Ringing> {
        let number = owner.extension.as_str();
        let stages = || self.extension_stages(now.instant, &Method::INVITE, number, &search.claims).ok();
        (cause == Cause::Unconditional).then(stages).flatten().map(Ringing::from)
    }

    /// Where a request goes that was decided on, with what is said of it.
    pub(super) fn target_set(found: Found, search: Search<'_>) -> Result<TargetSet, Rejection> {
        let Search { claims, diversions, manner, .. } = search;
        found.map(|ringing| TargetSet { ringing, claims, diversions, manner })
    }
}

/// What became of a phone's 3xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deflection {
    /// The call goes there.
    Followed,
    /// It can't.
    Refused,
}

/// How the targets failed.
#[derive(Clone, Copy)]
enum Failed<'a> {
    /// With this as the best response.
    By(&'a Best),
    /// Nobody has answered in time.
    InTime,
    /// A phone said where the call is to go.
    To(&'a str),
}

/// How far a forward came that has failed.
#[derive(Clone, Copy)]
enum Made {
    /// Nobody could be asked: no line was free, or what was to be asked is away.
    Not,
    /// Before anybody rang there was an answer that says something of the number.
    Refused,
    /// It rang, or was declined (SPEC 9.3).
    Final,
}

impl Made {
    /// `open`: none of the branches had an answer that ends the search.
    fn of(best: &Best, rang: bool, open: bool) -> Self {
        if rang || best.status.class() == 6 {
            return Made::Final;
        }
        if open { Made::Not } else { Made::Refused }
    }
}

impl<'a> Failed<'a> {
    fn cause(self, rang: bool) -> Option<(Cause, Option<&'a str>)> {
        match self {
            Failed::By(best) => Cause::of(best.status, rang).map(|cause| (cause, None)),
            Failed::InTime => Some((Cause::NoAnswer, None)),
            Failed::To(number) => Some((Cause::Deflected, Some(number))),
        }
    }
}
