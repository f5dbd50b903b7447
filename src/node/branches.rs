//! The branches of a call: what is sent to each target of a stage (RFC 3261 §16.6), once or, where it is asked for, anew.

use std::borrow::Cow;
use std::time::Duration;

use super::Node;
use super::carriers::Introduction;
use super::forwards::Way;
use super::tasks::{ClientTask, Key, Leg, Passing, SiteLeg, Timer};
use crate::ids::Extension;
use crate::link::{Caller as Claimed, Purpose};
use crate::proxy::{
    Best, Dress, Identities, Input, Kind, Manner, Rule, SessionTimer, Shows, Stage, Target, branch_with,
    forward_request, is_anonymous, own_breadth, renamed, share_breadth, via_value,
};
use crate::sip::{Method, Name, Request, Status};
use crate::timing::Now;

/// Why a branch is sent once more.
pub(super) enum Resent {
    /// The other site has named its boot (SPEC 11.1).
    ForBoot,
    /// A carrier asks who we are (SPEC 9.10).
    ToCarrier(Box<Introduction>),
}

impl Node {
    /// Sends the branches of a stage, all at once.
    pub(super) fn start_stage(&mut self, now: Now, key: Key, mut stage: Stage) {
        if !self.share_breadth(key, &mut stage) {
            return self.finish(now, key, Best { status: Status::MAX_BREADTH_EXCEEDED, bytes: None });
        }
        let mut failed = Vec::new();
        for target in stage.targets {
            failed.extend(self.send_branch(now, key, target));
        }
        for (branch, why) in failed {
            self.judge(now, key, branch, why, None);
        }
    }

    /// RFC 5393 §5.3.3: gives each branch its share of the request's breadth. Where there is not enough for all of them, those that are
    /// left over are the next stage. False: there is none at all. A dialog's requests have one branch each and keep their header as it
    /// is; nothing keeps a call for help (SPEC 6.7).
    fn share_breadth(&mut self, key: Key, stage: &mut Stage) -> bool {
        let Some(call) = self.calls.of(key) else { return true };
        if stage.targets.iter().all(|target| matches!(target.rule, Rule::Dialog | Rule::Emergency)) {
            return true;
        }
        let came = call.asked.request.header(&Name::MaxBreadth);
        let came: Option<u32> = came.and_then(|header| std::str::from_utf8(&header.value()).ok()?.trim().parse().ok());
        // One branch of a request that says nothing of it needs no header: whoever is next reads the same from its absence.
        if came.is_none() && stage.targets.len() == 1 {
            return true;
        }
        let breadth = came.unwrap_or_else(|| own_breadth(&stage.targets));
        if breadth == 0 {
            return false;
        }
        let together = stage.targets.len().min(usize::try_from(breadth).unwrap_or(usize::MAX));
        let later = stage.targets.split_off(together);
        if !later.is_empty() {
            call.context.insert(vec![Stage { targets: later }]);
        }
        share_breadth(breadth, &mut stage.targets);
        true
    }

    /// Sends one branch; gives its number back if it could not be sent, and why.
    fn send_branch(&mut self, now: Now, key: Key, target: Target) -> Option<(usize, Input)> {
        let call = self.calls.of(key)?;
        let branch = call.context.begin(target.rule);
        let gateway = target.gateway();
        if let Some(full) = self.skips(now, key, gateway, target.rule).or_else(|| self.hold_for(key, branch, &target)) {
            self.calls.of(key)?.clients.push(Leg::default());
            return Some((branch, full));
        }
        let introduction = self.introduce(&target);
        let call = self.calls.of(key)?;
        let silence = target.silence(&call.config.site.links);
        let is_invite = call.asked.request.method() == &Method::INVITE;
        let live = call.live;
        // SPEC 6.8: the plans of other sites may send it back here.
        if let (Some(live), Some(user)) = (live, breaks_out_for(&target)) {
            self.live.breaks_out(live, user);
        }
        let leg = self.transmit_branch(now, key, branch as u32, &target, introduction)?;
        let (client, call) = (leg.client, self.calls.of(key)?);
        call.clients.push(leg);
        if let Some(silence) = silence {
            // SPEC 8.1: a non-INVITE has 4 s to its final response, as nothing is heard of it before.
            let silence = if is_invite { silence } else { silence.max(Duration::from_secs(4)) };
            self.timers.arm(&Timer::Silence(key, branch as u32), now.instant + silence);
        }
        client.is_none().then_some((branch, Input::Unreachable))
    }

    /// Sends a branch once more, in a transaction of its own.
    pub(super) fn send_branch_anew(&mut self, now: Now, key: Key, branch: usize, target: &Target, why: Resent) {
        let (again, introduction) = match why {
            Resent::ForBoot => (true, None),
            Resent::ToCarrier(introduction) => (false, Some(*introduction)),
        };
        let Some(mut leg) = self.transmit_branch(now, key, branch as u32, target, introduction) else { return };
        leg.site.iter_mut().for_each(|site| site.again = again);
        let sent = leg.client.is_some();
        let silent_until = leg.carrier.as_ref().and_then(|carrier| carrier.silent_until);
        let Some(place) = self.calls.of(key).and_then(|call| call.clients.get_mut(branch)) else { return };
        *place = leg;
        if !sent {
            return self.judge(now, key, branch, Input::Unreachable, None);
        }
        if let Some(until) = silent_until {
            self.timers.arm(&Timer::Silence(key, branch as u32), until);
        }
    }

    fn transmit_branch(
        &mut self,
        now: Now,
        key: Key,
        number: u32,
        target: &Target,
        introduction: Option<Introduction>,
    ) -> Option<Leg> {
        let is_believed = self.keeps_identity(&target.peer);
        let carrier = match introduction {
            Some(introduction) => {
                let request = self.calls.of(key)?.asked.request.clone();
                Some(self.show_credentials(introduction, &request, target))
            }
            None => None,
        };
        let redirects = self.may_be_redirected(target);
        let call = self.calls.of(key)?;
        let request = &call.asked.request;
        let identities = Identities::new(is_believed, call.plan.sees_withheld);
        let task = ClientTask::Branch(key, number, identities);
        let urgent = target.rule == Rule::Emergency;
        let branch = branch_with(self.shard, &mut self.entropy, call.plan.hash);
        let out = self.listen[usize::from(target.flow.socket.0).min(self.listen.len() - 1)];
        let via = via_value(out, &branch);
        let manner = match &target.kind {
            _ if request.method() != &Method::INVITE => None,
            Kind::Trunk(_) => target.manner.as_ref(),
            Kind::Phone | Kind::Site(..) => call.way.manner.as_ref(),
        };
        let (mut shows, asserted) = names_shown(request, &call.plan, target, manner.map(|manner| &**manner));
        let routes = match &call.plan.record_route {
            Some(caller) => {
                let back = self.listen[usize::from(call.asked.source.socket.0).min(self.listen.len() - 1)];
                let (routes, from) = self.links.record_routes(request, *caller, target.peer, back, out, &shows);
                shows.from = from;
                routes
            }
            None => Vec::new(),
        };
        call.restoring.note(request, &shows);
        let token = match &target.kind {
            Kind::Site(site, claims) => self.links.token(now, site, claims, request, &target.uri, branch.as_bytes()),
            Kind::Phone | Kind::Trunk(_) => None,
        };
        let dress = Dress {
            stamp: call.asked.stamp,
            via: &via,
            record_routes: &routes,
            own_routes: call.plan.own_routes,
            strict_last: call.plan.strict_last,
            drop_routes: call.plan.drop_routes,
            max_forwards: call.plan.max_forwards,
            token: token.as_ref().map(|token| token.text.as_str()),
            asserted: asserted.as_deref(),
            keep_identity: call.plan.keep_identity,
            realm: &call.config.network.realm,
            from_outside: call.plan.from_outside,
            diversions: &call.way.diversions,
            session: if urgent { SessionTimer::default() } else { call.session },
            shows,
            manner: manner.map(|manner| &**manner),
            credentials: carrier.as_ref().map(|carrier| &carrier.shown[..]).unwrap_or_default(),
        };
        let bytes = forward_request(request, target, &dress);
        let method = request.method();
        let begun =
            self.transactions.begin_client(now.instant, method, branch.as_bytes(), bytes, target.flow, task).ok();
        let site = token.map(|token| SiteLeg { target: target.clone(), receipt: token.receipt, again: false });
        let limit = longest(&call.way, target).filter(|_| !routes.is_empty()).map(|longest| (longest, routes.len()));
        Some(Leg { client: begun, site, gateway: target.gateway(), carrier, limit, redirects })
    }
}

/// In whose name a Break Out is dialled at another site.
fn breaks_out_for(target: &Target) -> Option<&Extension> {
    let Kind::Site(_, claims) = &target.kind else { return None };
    match &claims.caller {
        Some(Claimed::User(user)) if claims.purpose == Purpose::BreakOut => Some(&user.extension),
        Some(Claimed::User(_) | Claimed::Outsider(_)) | None => None,
    }
}

/// What a branch shows of the caller: in From and Contact, and as the asserted identity.
fn names_shown<'a>(
    request: &Request,
    plan: &'a Passing,
    target: &'a Target,
    manner: Option<&Manner>,
) -> (Shows, Option<Cow<'a, str>>) {
    let mut shows = target.shows.clone();
    let asserted = target.asserted.as_deref().or(plan.asserted.as_deref());
    // SPEC 6.3: `Z"…"`, where the caller does not hide. What a trunk shows has been decided with the trunk.
    let name = manner.and_then(|manner| manner.name.as_deref()).filter(|_| target.manner.is_none());
    let (Some(name), Some(known)) = (name, asserted) else { return (shows, asserted.map(Cow::Borrowed)) };
    let from = String::from_utf8_lossy(request.from().uri().as_bytes());
    shows.from = Some(renamed(&format!("<{from}>"), name).into()).filter(|_| !is_anonymous(request.from()));
    (shows, Some(Cow::Owned(renamed(known, name))))
}

/// How long a call over this branch may last: the shorter of what the caller's code and the trunk's say (SPEC 6.3: `t(x)`).
fn longest(way: &Way, target: &Target) -> Option<Duration> {
    let minutes = [&way.manner, &target.manner].into_iter().flatten().filter_map(|manner| manner.minutes).min()?;
    Some(Duration::from_secs(60 * u64::from(minutes)))
}
