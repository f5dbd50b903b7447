//! Calls for help (SPEC 6.7): who may make them, where they go, who is told, and what the carrier is told of the place.
//!
//! ```text
//! an INVITE for an emergency number, from anywhere but a site or trunk
//!   ├─ a valid digest, locked or not                     ─┐
//!   ├─ a source that was bound here, or of anyone_from    ├─► every trunk, twice ─► those of notify
//!   ├─ a digest of another site's user ─► home judges it ─┘
//!   └─ else: 407
//! ```

use std::net::IpAddr;

use super::Node;
use super::asking::What;
use super::login::digest_of;
use super::tasks::{Asked, Begun, Key, Passing, ServerTask};
use crate::event::Event;
use crate::ids::{Extension, LoginId, SiteName};
use crate::link::messages::{self, LoginRequest, Terms};
use crate::link::{Cause, Claims, Purpose};
use crate::plan::{Decision, EmergencyCall, Outcome};
use crate::proxy::{
    Best, Caller, Conveyed, Rule, SessionTimer, Shows, Stage, Target, escaped_user, has_location, pidf_lo, routing_hash,
};
use crate::rejection::Rejection;
use crate::settings::{Geolocation, Place};
use crate::sip::{Method, Name, Reply, Request, Status};
use crate::timing::Now;

/// Most calls for help that wait for a home site's word, and most of one source: nobody has proven anything yet.
const WAITING: usize = 1_000;
const WAITING_FROM_ONE: usize = 16;
/// Most calls at once of a source that has proven nothing.
const AT_ONCE: usize = 2;

/// A call for help that a home site is asked about.
#[derive(Debug)]
pub(super) struct Helping {
    asked: Asked,
    call: EmergencyCall,
    user: Extension,
    home: SiteName,
    /// Its transaction, from when home is asked on.
    begun: Option<Begun>,
}

impl Node {
    pub(super) fn call_for_help(&mut self, now: Now, asked: Asked, call: &EmergencyCall) {
        let caller = match self.prove_for_help(now, &asked) {
            Ok(proven) => self.caller_of(&self.seated(&asked, &proven.account)),
            Err(_) if self.helps(now, asked.source.remote.ip()) => Caller::Unknown,
            Err(challenge) => match self.user_elsewhere(now, &asked) {
                Some((user, home)) => {
                    let helping = Helping { asked, call: call.clone(), user, home, begun: None };
                    return self.ask_for_help(now, helping);
                }
                None => return self.refuse_statelessly(&asked, &challenge),
            },
        };
        self.dial_help(now, asked, caller, call, None);
    }

    /// SPEC 6.7: an INVITE for a number that is an emergency number here, from someone who may call for help.
    pub(super) fn emergency_of(&self, request: &Request, dialled: &Extension) -> Option<EmergencyCall> {
        if request.method() != &Method::INVITE {
            return None;
        }
        let plan = &self.config.plan;
        plan.emergency(dialled.as_str()).or_else(|| {
            let (site, digits) = plan.break_out_alone(dialled.as_str())?;
            let helps = plan.emergency(&digits).is_some() || self.links.helps(&site, &digits);
            helps.then(|| plan.emergency_for(&digits)).flatten()
        })
    }

    /// SPEC 6.7: the call for help that a proven user makes behind a Break Out prefix. What is dialled for help at the target is
    /// dialled here, whether that site can be asked or not.
    pub(super) fn help_behind(&self, asked: &Asked, decision: &Decision) -> Option<EmergencyCall> {
        if asked.request.method() != &Method::INVITE {
            return None;
        }
        if let Outcome::Emergency(call) = &decision.outcome {
            return Some(call.clone());
        }
        let Outcome::BreakOut(there) = &decision.outcome else { return None };
        let helps = self.links.helps(&there.site, &there.digits);
        helps.then(|| self.config.plan.emergency_for(&there.digits)).flatten()
    }

    /// Sends an admitted emergency call out, and tells those in charge.
    pub(super) fn dial_help(
        &mut self,
        now: Now,
        asked: Asked,
        caller: Caller,
        call: &EmergencyCall,
        begun: Option<Begun>,
    ) {
        let Some(max_forwards) = self.hops_left(&asked) else { return };
        let plan = Passing {
            max_forwards,
            hash: routing_hash(&self.secret, &asked.request, b"emergency"),
            own_routes: 0,
            strict_last: None,
            drop_routes: true,
            record_route: Some(self.caller_peer(&asked)),
            asserted: None,
            keep_identity: false,
            from_outside: false,
            sees_withheld: false,
            gives: format!("Emergency {}", call.number),
            break_out: None,
        };
        self.help_is_called(now, &asked, &caller, call);
        let stages = self.emergency_stages(now, &asked, call);
        self.start_call_begun(now, asked, caller, plan, stages.into(), begun);
    }

    fn help_is_called(&mut self, now: Now, asked: &Asked, caller: &Caller, call: &EmergencyCall) {
        let (from, source, number) = (caller.label().to_owned(), asked.source.remote, call.number.clone());
        self.say(Event::Emergency { from, source, number });
        let who = match caller {
            Caller::Unknown => format!("somebody who claims to be {}", claimed_name(asked)),
            Caller::User { .. } | Caller::Desk(_) | Caller::Outside { .. } => caller.label().to_owned(),
        };
        let place = &self.config.site.emergency.place_of(source.ip()).location;
        let text = help_text(&who, &call.number, place, source, now);
        self.tell_those_in_charge(now, &text);
    }

    /// SPEC 6.7: those of `notify` are told by MESSAGE who calls for help, where and when.
    fn tell_those_in_charge(&mut self, now: Now, text: &str) {
        for extension in self.config.site.emergency.notify.clone() {
            self.tell(now, &extension, text);
        }
    }

    /// SPEC 6.7: the target of a Break Out says that the number is one for emergencies. It is dialled where the phone stands: here, or
    /// at the site that this one only went on for, and which hears the same.
    pub(super) fn help_at_origin(&mut self, now: Now, key: Key, number: &Extension) -> bool {
        let Some(call) = self.calls.of(key) else { return false };
        // Nobody's forward calls emergency services: neither here nor where the caller stands, who has dialled no such number.
        if !call.way.diversions.is_empty() {
            return false;
        }
        let came = call.plan.break_out.clone().map(|token| (call.asked.clone(), token));
        let Some((asked, token)) = came else { return self.dial_help_here(now, key, number) };
        let status = Status::NOT_FOUND;
        let bytes = self.site_answer(now, &asked, &token, status, Some(Cause::EmergencyAtOrigin), None);
        self.finish(now, key, Best { status, bytes: Some(bytes) });
        true
    }

    fn dial_help_here(&mut self, now: Now, key: Key, number: &Extension) -> bool {
        let Some(call) = self.config.plan.emergency_for(number.as_str()) else { return false };
        let Some(asking) = self.calls.of(key) else { return false };
        let (asked, caller) = (asking.asked.clone(), asking.caller.clone());
        self.help_is_called(now, &asked, &caller, &call);
        let stages = self.emergency_stages(now, &asked, &call);
        if let Some(asking) = self.calls.of(key) {
            asking.context.insert(stages);
            asking.plan.gives = format!("Emergency {}", call.number);
            asking.session = SessionTimer::default();
        }
        true
    }

    /// Sources that need no credentials to call for help: those that had a binding here in the last 24 h, and the networks named.
    fn helps(&self, now: Now, source: IpAddr) -> bool {
        let anyone = self.config.site.emergency.anyone_from.iter().any(|network| network.contains(source));
        (anyone || self.commons.callers.with(|callers| callers.was_bound(now.instant, source)))
            && self.may_call_for_help(now, source)
    }

    /// Counts an emergency call of somebody who has proven nothing: so many at once, and so many a minute.
    pub(super) fn may_call_for_help(&self, now: Now, source: IpAddr) -> bool {
        self.live.tally().unproven_of(source) < AT_ONCE
            && self.commons.callers.with(|callers| callers.may_call(now.instant, source))
    }

    /// Whose digest only another site can check: its nonce is ours and fresh, and its user lives there.
    fn user_elsewhere(&mut self, now: Now, asked: &Asked) -> Option<(Extension, SiteName)> {
        let given = self.credentials(asked, &Name::ProxyAuthorization)?;
        let user = String::from_utf8_lossy(&given.username).into_owned();
        let home = self.config.network.home_of(&user).map(|home| home.name.clone())?;
        let is_fresh = self.verdict(now, asked, &given, None) == crate::auth::Verdict::Wrong;
        (is_fresh && home != self.config.site.name).then(|| (Extension::new(&user), home))
    }

    /// Asks home whether the digest is right. A site that is known to be down is not waited for.
    fn ask_for_help(&mut self, now: Now, helping: Helping) {
        if self.links.is_down(&helping.home) {
            return self.help_unjudged(now, helping);
        }
        let source = helping.asked.source.remote.ip();
        let from_there = self.helping.values().filter(|other| other.asked.source.remote.ip() == source).count();
        if self.helping.len() >= WAITING || from_there >= WAITING_FROM_ONE {
            return self.help_unjudged(now, helping);
        }
        let Some(given) = self.credentials(&helping.asked, &Name::ProxyAuthorization) else { return };
        // A login on no terms: home looks at the digest first, and takes no login.
        let request = LoginRequest {
            extension: helping.user.clone(),
            login_id: LoginId(self.entropy.bytes()),
            device: messages::Device::default(),
            terms: Terms::default(),
            digest: digest_of(&helping.asked, &given, now),
            source,
            leaves: false,
            by_dialling: false,
            code: None,
        };
        let (key, home, user) = (self.next_key(), helping.home.clone(), helping.user.clone());
        // RFC 3261 §16.2: home may take seconds, in which the caller waits, and may give up (§9.2).
        let Some(server) = self.begin_urgent(now, &helping.asked, ServerTask::Call(key)) else { return };
        let trying = self.reply(&helping.asked, Status::TRYING).write();
        self.transactions.respond(now.instant, server, Status::TRYING, trying);
        self.helping.insert(key, Helping { begun: Some(Begun { key, server }), ..helping });
        let body = messages::encode(&request);
        self.ask_site(now, &home, Claims::of(Purpose::Login), Some(&user), body, What::Help(key));
    }

    /// Home has judged the digest: 401 says that it is wrong, a refusal of the login that it is right.
    pub(super) fn help_judged(&mut self, now: Now, key: Key, status: Status) {
        let Some(helping) = self.helping.remove(&key) else { return };
        match status {
            Status::UNAUTHORIZED => self.challenge_for_help(now, &helping),
            Status::FORBIDDEN => {
                let Helping { asked, call, user, home, begun } = helping;
                let caller = Caller::User { extension: user, home, name: String::new() };
                self.dial_help(now, asked, caller, &call, begun);
            }
            _ => self.help_unjudged(now, helping),
        }
    }

    /// Home has not answered.
    pub(super) fn help_failed(&mut self, now: Now, key: Key) {
        let Some(helping) = self.helping.remove(&key) else { return };
        self.help_unjudged(now, helping);
    }

    /// SPEC 6.7: a digest that only an unreachable home could check.
    fn help_unjudged(&mut self, now: Now, helping: Helping) {
        if self.may_call_for_help(now, helping.asked.source.remote.ip()) {
            let Helping { asked, call, begun, .. } = helping;
            return self.dial_help(now, asked, Caller::Unknown, &call, begun);
        }
        self.challenge_for_help(now, &helping);
    }

    fn challenge_for_help(&mut self, now: Now, helping: &Helping) {
        let challenge = self.challenge(now, &Name::ProxyAuthorization, false);
        self.turn_away(&helping.asked, helping.begun, &challenge);
    }

    /// RFC 3261 §9.2: the caller has given up while home is being asked. Nobody has proven anything: both answers are stateless
    /// (SPEC 9.5).
    pub(super) fn help_cancelled(&mut self, key: Key, cancel: &Asked) {
        let Some(helping) = self.helping.remove(&key) else { return };
        let tag = self.stateless_tag(cancel.request.via().raw());
        let ok = Reply::to(&cancel.request, Status::OK).stamped(cancel.stamp.received, cancel.stamp.rport);
        let ok = ok.to_tag(&tag).write();
        self.answer_stranger(cancel.reply_to, cancel.request.bytes().len(), ok);
        self.turn_away(&helping.asked, helping.begun, &Rejection::new(Status::REQUEST_TERMINATED));
    }

    /// SPEC 2.3: the process ends before home has said anything.
    pub(super) fn give_help_up(&mut self) {
        for helping in std::mem::take(&mut self.helping).into_values() {
            self.turn_away(&helping.asked, helping.begun, &Rejection::draining());
        }
    }

    /// SPEC 6.7: any trunk will do, and after a full round once more. A trunk that takes the location is tried with it and, when that
    /// fails, at once without it; in the second round without it.
    pub(super) fn emergency_stages(&self, now: Now, asked: &Asked, call: &EmergencyCall) -> Vec<Stage> {
        let site = &self.config.site;
        let place = site.emergency.place_of(asked.source.remote.ip());
        let number = place.caller_id.as_ref().or(site.emergency.place.caller_id.as_ref()).or(site.caller_id.as_ref());
        let identity = number.map(|number| Caller::Outside { number: number.clone(), name: None });
        let asserted = identity.and_then(|identity| identity.asserted(&self.entry().domain));
        let trunks = call
            .routes
            .iter()
            .flat_map(|route| self.config.plan.trunks(&route.group).iter().map(move |&index| (index, route)));
        let (mut round, mut again) = (Vec::new(), Vec::new());
        let addresses =
            trunks.flat_map(|(index, route)| self.addresses_of(index).map(move |address| (index, address, route)));
        for (index, address, route) in addresses {
            let Some(trunk) = site.trunks.get(index) else { continue };
            let host = route.modifiers.host.as_deref();
            let target = self.trunk(index, address, host, &route.number, asserted.clone());
            let shows = Shows::in_emergency(trunk, asserted.as_deref());
            let target = Target { rule: Rule::Emergency, shows, ..target };
            if let Some(conveys) = self.conveyed(now, asked, place, number.map(String::as_str), trunk.geolocation) {
                round.push(Stage { targets: vec![Target { conveys: Some(conveys.into()), ..target.clone() }] });
            }
            round.push(Stage { targets: vec![target.clone()] });
            again.push(Stage { targets: vec![target] });
        }
        round.into_iter().chain(again).collect()
    }

    /// What a trunk is told of the place; nothing where the phone itself says where it is.
    fn conveyed(
        &self,
        now: Now,
        asked: &Asked,
        place: &Place,
        number: Option<&str>,
        how: Geolocation,
    ) -> Option<Conveyed> {
        if has_location(&asked.request) {
            return None;
        }
        match how {
            Geolocation::No => None,
            Geolocation::Uri => place.uri.as_deref().map(|uri| Conveyed::Reference(uri.into())),
            Geolocation::Body => {
                let hash = blake3::keyed_hash(&self.secret, asked.request.via().raw());
                let name = hash.to_hex().get(..32).unwrap_or_default().into();
                let domain = self.entry().domain.as_str();
                let time = moment(now).map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
                let who = format!("pres:{}@{domain}", escaped_user(number.unwrap_or("anonymous")));
                Some(Conveyed::Document { name, domain: domain.into(), xml: pidf_lo(place, &who, &time).into() })
            }
        }
    }
}

fn moment(now: Now) -> Option<jiff::Timestamp> {
    i64::try_from(now.wall.0).ok().and_then(|wall| jiff::Timestamp::from_millisecond(wall).ok())
}

/// What those in charge read.
fn help_text(who: &str, number: &str, place: &str, source: std::net::SocketAddr, now: Now) -> String {
    let place = if place.is_empty() { "no location is configured" } else { place };
    let time = moment(now).map(|time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()).unwrap_or_default();
    format!("Emergency call at {time}: {who} dialled {number}. Location: {place}. Phone: {source}.")
}

/// The user part of From, which proves nothing.
fn claimed_name(asked: &Asked) -> String {
    asked.request.from().uri().user().map(|user| user.into_owned()).unwrap_or_default()
}
