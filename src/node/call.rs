//! A request on its way: branches sent, responses judged by the response context, CANCEL, timer C.

use std::time::Duration;

use super::Node;
use super::carriers::Introduction;
use super::forwards::{Deflection, Way};
use super::tally::calls_for_help;
use super::tasks::{Answered, Asked, Call, ClientTask, Key, Late, Leg, Passing, ServerTask, SiteLeg, Timer};
use crate::event::Event;
use crate::location::Record;
use crate::proxy::{
    About, Best, Caller, Context, Dress, Identities, Input, Kind, Middle, Restoring, Ringing, Rule, SessionTimer,
    Stage, Step, Target, TargetSet, branch_with, forward_request, forward_response, forward_success, is_anonymous,
    renamed, share_breadth, via_value, with_challenges,
};
use crate::rejection::Rejection;
use crate::sip::{Method, Name, Response, Status};
use crate::timing::Now;
use crate::trunk::Failure;

/// The longest request that still fits into a datagram with all that may be put on it: Via, Record-Routes, token, identity
/// (SPEC 9.11).
const LONGEST: usize = 64_000;
/// RFC 5393 §5.3.3: the breadth of a request that says nothing of it.
const MAX_BREADTH: u32 = 60;
/// RFC 3326: why a branch is cancelled that was not answered in time.
const TIMED_OUT: &[u8] = b"SIP;cause=408;text=\"Request Timeout\"";

/// Why a branch is sent once more.
pub(super) enum Resent {
    /// The other site has named its boot (SPEC 11.1).
    ForBoot,
    /// A carrier asks who we are (SPEC 9.10).
    ToCarrier(Box<Introduction>),
}

/// A response, and what becomes of identities in it.
type Heard<'a> = (&'a Response, Identities);

impl Node {
    /// Forwards an admitted request to these targets.
    pub(super) fn start_call(&mut self, now: Now, asked: Asked, caller: Caller, plan: Passing, targets: TargetSet) {
        let TargetSet { ringing: Ringing { stages, called, after, lines }, claims, diversions, manner } = targets;
        let is_urgent = stages
            .iter()
            .flat_map(|stage| &stage.targets)
            .any(|target| matches!(target.rule, Rule::Dialog | Rule::Emergency));
        if self.draining && !is_urgent {
            return self.refuse_statelessly(&asked, &Rejection::draining());
        }
        if asked.request.bytes().len() > LONGEST {
            let too_long = Rejection::warned(Status::MESSAGE_TOO_LARGE, "Too Large: it can't be passed on");
            return self.refuse_statelessly(&asked, &too_long);
        }
        let emergency = calls_for_help(&stages);
        let admitted = self
            .session_timer(&asked.request, emergency)
            .and_then(|session| Ok((session, self.admit_call(&asked, &caller, &plan, emergency)?)));
        let (session, live) = match admitted {
            Ok(admitted) => admitted,
            Err(rejection) => return self.refuse_known(now, &asked, &rejection),
        };
        let key = self.next_key();
        let task = ServerTask::Call(key);
        let server = if is_urgent { self.begin_urgent(now, &asked, task) } else { self.begin(now, &asked, task) };
        let Some(server) = server else {
            return live.into_iter().for_each(|live| self.live.over(live));
        };
        if asked.request.method() == &Method::INVITE {
            // RFC 3261 §16.2: a stateful proxy answers 100 at once.
            let trying = self.reply(&asked, Status::TRYING).write();
            self.transactions.respond(now.instant, server, Status::TRYING, trying);
        }
        let (context, first) = Context::new(stages);
        let config = self.config.clone();
        let rings_until = now.instant + self.timing.c;
        if asked.request.method() == &Method::INVITE {
            self.ringing.push_back((rings_until, key));
        }
        let way = Way { called, claims, diversions, manner, round: 0 };
        let (clients, restoring) = (Vec::new(), Restoring::default());
        let outlook = lines.map(|lines| Box::new(lines.into()));
        let call = Call {
            asked,
            server,
            context,
            clients,
            config,
            caller,
            plan,
            way,
            outlook,
            rings_until,
            live,
            session,
            restoring,
            redirected: Vec::new(),
        };
        self.calls.insert(key, call);
        self.arm_patience(now, key, after);
        match first {
            Some(stage) => self.start_stage(now, key, stage),
            None => self.exhausted(now, key, Best { status: Status::TEMPORARILY_UNAVAILABLE, bytes: None }),
        }
    }

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

    /// RFC 5393 §5.3.3: gives each branch its share of the request's breadth. False: there is not enough for all of them. A dialog's
    /// requests have one branch each and keep their header as it is; nothing keeps a call for help (SPEC 6.7).
    fn share_breadth(&mut self, key: Key, stage: &mut Stage) -> bool {
        let Some(call) = self.calls.of(key) else { return true };
        if stage.targets.iter().all(|target| matches!(target.rule, Rule::Dialog | Rule::Emergency)) {
            return true;
        }
        let came = call.asked.request.header(&Name::MaxBreadth);
        let came = came.and_then(|header| std::str::from_utf8(&header.value()).ok()?.trim().parse().ok());
        // One branch of a request that says nothing of it needs no header: whoever is next reads the same from its absence.
        if came.is_none() && stage.targets.len() == 1 {
            return true;
        }
        let Some(shares) = share_breadth(came.unwrap_or(MAX_BREADTH), stage.targets.len()) else { return false };
        stage.targets.iter_mut().zip(shares).for_each(|(target, share)| target.max_breadth = Some(share));
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
        let mut shows = target.shows.clone();
        let mut asserted = target.asserted.clone().or_else(|| call.plan.asserted.clone());
        let manner = match &target.kind {
            _ if request.method() != &Method::INVITE => None,
            Kind::Trunk(_) => target.manner.clone(),
            Kind::Phone | Kind::Site(..) => call.way.manner.clone(),
        };
        // SPEC 6.3: `Z"…"`, where the caller does not hide. What a trunk shows has been decided with the trunk.
        let name = manner.as_ref().and_then(|manner| manner.name.as_deref()).filter(|_| target.manner.is_none());
        if let (Some(name), Some(known)) = (name, &asserted) {
            let from = String::from_utf8_lossy(request.from().uri().as_bytes()).into_owned();
            shows.from = Some(renamed(&format!("<{from}>"), name).into()).filter(|_| !is_anonymous(request.from()));
            asserted = Some(renamed(known, name));
        }
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
            manner: manner.as_deref(),
            credentials: carrier.as_ref().map(|carrier| &carrier.shown[..]).unwrap_or_default(),
        };
        let bytes = forward_request(request, target, &dress);
        let method = request.method();
        let begun =
            self.transactions.begin_client(now.instant, method, branch.as_bytes(), bytes, target.flow, task).ok();
        let site = token.map(|token| SiteLeg { target: target.clone(), receipt: token.receipt, again: false });
        let minutes =
            [&call.way.manner, &target.manner].into_iter().flatten().filter_map(|manner| manner.minutes).min();
        let limit = minutes.map(|minutes| (Duration::from_secs(60 * u64::from(minutes)), routes.len()));
        let limit = limit.filter(|_| !routes.is_empty());
        Some(Leg { client: begun, site, gateway: target.gateway(), carrier, limit, redirects })
    }

    /// A response came to a branch.
    pub(super) fn branch_answered(
        &mut self,
        now: Now,
        key: Key,
        branch: u32,
        response: &Response,
        identities: Identities,
    ) {
        let status = response.status();
        let at = branch as usize;
        self.gateway_answered(now, key, at, status);
        let Some(call) = self.calls.of(key) else {
            return self.branch_answered_late(now, key, branch, response, identities);
        };
        if status == Status::TRYING {
            return call.context.heard(at);
        }
        let is_dealt_with = self.site_answered(now, key, at, response)
            || self.carrier_answered(now, key, at, response)
            || self.redirected(now, key, at, response);
        if is_dealt_with {
            return;
        }
        let deflection = self.deflected(now, key, at, response);
        if deflection == Some(Deflection::Followed) {
            self.note_branch(key, at, &Input::TimedOut);
            return;
        }
        let input = match status.class() {
            1 => Input::Provisional { rings: status.rings() },
            2 => Input::Success,
            _ if deflection.is_some() => {
                let status = Status::TEMPORARILY_UNAVAILABLE;
                Input::Failure { status, bytes: None, cause: None, not_here: false }
            }
            _ => Input::Failure {
                status,
                bytes: Some(forward_response(response, identities, &self.restoring(key))),
                cause: q850_cause(response),
                not_here: self.hands_back(now, key, at, response),
            },
        };
        if status.class() == 1
            && let Some(call) = self.calls.of(key)
        {
            call.rings_until = now.instant + self.timing.c; // RFC 3261 §16.7 step 2
        }
        self.judge(now, key, at, input, Some((response, identities)));
    }

    /// The call is answered: RFC 3261 §16.7 step 5 passes every 2xx on, by the Accepted state of RFC 6026.
    fn branch_answered_late(&mut self, now: Now, key: Key, branch: u32, response: &Response, identities: Identities) {
        let status = response.status();
        if status.is_final() && !status.is_success() {
            return self.note_branch(key, branch as usize, &Input::TimedOut);
        }
        if let Some(answered) = self.answered.of(key).filter(|_| status.is_success()) {
            let (server, live, session) = (answered.server, answered.live, answered.session);
            let bytes = forward_success(response, identities, &session, &answered.restoring);
            self.note_answer(now, live, &session, branch, response, None);
            self.transactions.respond(now.instant, server, status, bytes);
        } else {
            self.pass_late(key, response, identities);
        }
    }

    /// Puts an input through the response context and does what it says.
    pub(super) fn judge(&mut self, now: Now, key: Key, branch: usize, input: Input, heard: Option<Heard<'_>>) {
        self.note_branch(key, branch, &input);
        self.note_refusal(now, key, branch, &input);
        let Some(call) = self.calls.of(key) else { return };
        match call.context.on(branch, input) {
            Step::Hold => {}
            Step::Pass => self.pass(now, key, heard),
            Step::PassAndCancel => {
                self.pass(now, key, heard);
                self.cancel_branches(now, key, Some(b"SIP;cause=200;text=\"Call completed elsewhere\""));
                self.end_answered(now, key, branch, heard.map(|(response, _)| response));
            }
            Step::Cancel => {
                let status = call.context.best_status().unwrap_or(Status::DECLINE);
                let reason = format!("SIP;cause={status};text=\"{}\"", status.reason());
                self.cancel_branches(now, key, Some(reason.as_bytes()));
            }
            Step::Next(stage) => self.start_stage(now, key, stage),
            Step::Finish(best) => self.exhausted(now, key, best),
        }
    }

    fn pass(&mut self, now: Now, key: Key, heard: Option<Heard<'_>>) {
        let Some(((response, identities), call)) = heard.zip(self.calls.of(key)) else { return };
        let bytes = forward_success(response, identities, &call.session, &call.restoring);
        self.transactions.respond(now.instant, call.server, response.status(), bytes);
    }

    /// How the caller of a call wrote what its branches see otherwise.
    fn restoring(&mut self, key: Key) -> Restoring {
        self.calls.of(key).map(|call| call.restoring.clone()).unwrap_or_default()
    }

    /// The first 2xx was passed on: what is left of the call is the way back for later ones.
    fn end_answered(&mut self, now: Now, key: Key, branch: usize, response: Option<&Response>) {
        let Some(mut call) = self.calls.remove(key) else { return };
        self.leave_queue(&mut call);
        let (server, live, session) = (call.server, call.live, call.session);
        if call.asked.request.method() == &Method::INVITE {
            let restoring = call.restoring.clone();
            self.answered.insert(key, Answered { server, live, session, restoring });
        }
        let status = response.map_or(Status::OK, |response| response.status());
        if let Some(response) = response {
            self.note_answer(now, live, &session, branch as u32, response, live.map(|_| about(&call)));
            let limit = call.clients.get(branch).and_then(|leg| leg.limit);
            if let (Some(live), Some((longest, ours))) = (live, limit) {
                let middle = Middle::new(call.asked.request.clone(), response.clone(), ours);
                self.live.limit(now.instant, live, longest, middle);
            }
        }
        self.note_in_dialog(now, &call, status, response);
        self.say_call(&call, status);
    }

    /// The best response goes back, and the call is over.
    pub(super) fn finish(&mut self, now: Now, key: Key, best: Best) {
        let Some(mut call) = self.calls.remove(key) else { return };
        self.leave_queue(&mut call);
        let is_invite = call.asked.request.method() == &Method::INVITE;
        call.live.into_iter().for_each(|live| self.live.over(live));
        self.note_in_dialog(now, &call, best.status, None);
        self.say_call(&call, best.status);
        self.expect_late(now, key, &call);
        match best.bytes {
            // SPEC 6.6, 13: a trunk that says 503 is down, and there was no other.
            Some(_) if best.status == Status::SERVICE_UNAVAILABLE && call.context.last_rule() == Some(Rule::Trunk) => {
                self.refuse(now, call.server, &call.asked, &no_line_free());
            }
            // RFC 3261 §16.7 step 6: a 503 speaks of the next hop, not of us.
            Some(_) if best.status == Status::SERVICE_UNAVAILABLE => {
                let rejection = Rejection::warned(Status::SERVER_INTERNAL_ERROR, "the next server is overloaded");
                self.refuse(now, call.server, &call.asked, &rejection);
            }
            Some(bytes) => {
                let is_challenge = matches!(best.status, Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED);
                let bytes = if is_challenge { with_challenges(bytes, call.context.challenges()) } else { bytes };
                self.transactions.respond(now.instant, call.server, best.status, bytes);
            }
            // RFC 4320 §4.2: a non-INVITE that nobody answered is not answered.
            None if best.status == Status::REQUEST_TIMEOUT && !is_invite => {}
            None => {
                let rejection = self.silent_rejection(&call, best.status);
                self.refuse(now, call.server, &call.asked, &rejection);
            }
        }
    }

    /// The call is over with an answer of ours.
    pub(super) fn finish_as(&mut self, now: Now, key: Key, rejection: &Rejection) {
        let Some(mut call) = self.calls.remove(key) else { return };
        self.leave_queue(&mut call);
        call.live.into_iter().for_each(|live| self.live.over(live));
        self.say_call(&call, rejection.status);
        self.expect_late(now, key, &call);
        self.refuse(now, call.server, &call.asked, rejection);
    }

    /// A branch that was given up may still be answered.
    fn expect_late(&mut self, now: Now, key: Key, call: &Call) {
        while self.late_until.front().is_some_and(|(until, _)| *until <= now.instant) {
            self.late_until.pop_front().into_iter().for_each(|(_, key)| _ = self.late.remove(key));
        }
        if call.asked.request.method() == &Method::INVITE && call.context.may_be_late() {
            self.late.insert(key, Late { reply_to: call.asked.reply_to, restoring: call.restoring.clone() });
            self.late_until.push_back((now.instant + self.timing.t1x64() * 2, key));
        }
    }

    /// RFC 3261 §16.7 step 5: a 2xx to INVITE goes upstream even after another final response. The server transaction has ended with
    /// that one and takes no 2xx (RFC 6026 §7.1), so it goes to where the responses went.
    fn pass_late(&mut self, key: Key, response: &Response, identities: Identities) {
        let Some(late) = self.late.of(key).filter(|_| response.status().is_success()) else { return };
        let (reply_to, bytes) = (late.reply_to, forward_response(response, identities, &late.restoring));
        self.send(reply_to, bytes);
    }

    /// What the caller is told when nobody answered.
    fn silent_rejection(&self, call: &Call, status: Status) -> Rejection {
        let last = call.clients.last().and_then(|leg| leg.site.as_ref()).map(|leg| &leg.target.kind);
        match (status, last) {
            (Status::REQUEST_TERMINATED | Status::MAX_BREADTH_EXCEEDED, _) => Rejection::new(status),
            (_, Some(Kind::Site(site, _))) => Rejection::warned(status, format!("site {site} cannot be reached")),
            _ if matches!(call.context.last_rule(), Some(Rule::Trunk | Rule::Emergency)) || call.outlook.is_some() => {
                no_line_free()
            }
            _ => Rejection::new(status),
        }
    }

    fn say_call(&mut self, call: &Call, status: Status) {
        let request = &call.asked.request;
        // An INVITE inside a dialog (hold, resume) is no new call.
        if request.method() != &Method::INVITE || request.to().tag().is_some() {
            return;
        }
        let About { from, to, gives } = about(call);
        self.say(Event::Call { from, to, status, gives });
    }

    /// CANCEL for every branch without a final response (RFC 3261 §16.10).
    pub(super) fn cancel_branches(&mut self, now: Now, key: Key, reason: Option<&[u8]>) {
        let Some(call) = self.calls.of(key) else { return };
        for branch in call.context.pending() {
            if let Some(client) = call.clients.get(branch).and_then(|leg| leg.client) {
                self.transactions.cancel(now.instant, client, reason, ClientTask::Unheard);
            }
        }
    }

    /// RFC 3261 §9.2, §16.10: CANCEL is answered here, whatever becomes of the INVITE.
    pub(super) fn cancelled(&mut self, now: Now, asked: Asked, of: Option<ServerTask>) {
        let Some(of) = of else {
            return self.refuse_statelessly(&asked, &Rejection::new(Status::CALL_DOES_NOT_EXIST));
        };
        if let Some(id) = self.begin(now, &asked, ServerTask::Own) {
            let ok = self.reply(&asked, Status::OK).write();
            self.transactions.respond(now.instant, id, Status::OK, ok);
        }
        let key = match of {
            ServerTask::Call(key) => key,
            ServerTask::OwnCall(key) => return self.cancel_own_call(now, key),
            ServerTask::Own => return,
        };
        let Some(call) = self.calls.of(key) else { return };
        call.context.cancel();
        let reason = asked.request.header(&Name::Reason).map(|header| header.value().into_owned());
        self.cancel_branches(now, key, reason.as_deref());
        self.stop_waiting(now, key);
    }

    /// A branch was silent for as long as its rule grants.
    pub(super) fn silent(&mut self, now: Now, key: Key, branch: u32) {
        let at = branch as usize;
        let Some(call) = self.calls.of(key) else { return };
        if !call.context.is_silent(at) {
            return;
        }
        if let Some(until) = self.may_be_silent(now, key, at) {
            return self.timers.arm(&Timer::Silence(key, branch), until);
        }
        let Some(call) = self.calls.of(key) else { return };
        let leg = call.clients.get(at);
        let client = leg.and_then(|leg| leg.client);
        if let Some(site) = leg.and_then(|leg| leg.site.as_ref())
            && let Kind::Site(site, _) = site.target.kind.clone()
        {
            self.note_silence(now, &site);
        }
        self.gateway_silent(now, key, at);
        if let Some(client) = client.filter(|_| self.is_invite(key)) {
            // SPEC 8.1: a late 1xx is cancelled: the transaction remembers it until then.
            self.transactions.cancel(now.instant, client, Some(TIMED_OUT), ClientTask::Unheard);
        }
        self.judge(now, key, at, Input::Silence, None);
    }

    /// Timer B, F or C: where T1 is short it comes before the silence is long enough.
    pub(super) fn timed_out(&mut self, now: Now, key: Key, branch: usize) {
        if self.calls.of(key).is_some_and(|call| call.context.is_silent(branch)) {
            self.gateway_silent(now, key, branch);
        }
        self.judge(now, key, branch, Input::TimedOut, None);
    }

    /// A trunk said nothing at all. Other requests than calls prove nothing by that: a carrier may drop what it does not know. Nor does
    /// the shorter patience of a call for help.
    fn gateway_silent(&mut self, now: Now, key: Key, branch: usize) {
        let rule = self.calls.of(key).and_then(|call| call.context.rule(branch));
        if rule == Some(Rule::Trunk) && self.is_invite(key) {
            self.branch_failed(now, key, branch, Failure::Silent);
        }
    }

    fn is_invite(&mut self, key: Key) -> bool {
        self.calls.of(key).is_some_and(|call| call.asked.request.method() == &Method::INVITE)
    }

    /// Timer C (RFC 3261 §16.8), for all calls that have run into it; one that rang again waits again.
    pub(super) fn look_at_ringing(&mut self, now: Now) {
        while self.ringing.front().is_some_and(|(at, _)| *at <= now.instant) {
            let Some((_, key)) = self.ringing.pop_front() else { return };
            match self.calls.of(key).map(|call| call.rings_until) {
                Some(until) if until > now.instant => self.ringing.push_back((until, key)),
                Some(_) => {
                    self.rang_too_long(now, key);
                    // A further stage rings as long.
                    if let Some(call) = self.calls.of(key) {
                        call.rings_until = now.instant + self.timing.c;
                        self.ringing.push_back((call.rings_until, key));
                    }
                }
                None => {}
            }
        }
    }

    /// Nobody has rung for three minutes.
    fn rang_too_long(&mut self, now: Now, key: Key) {
        let Some(call) = self.calls.of(key) else { return };
        let pending: Vec<usize> = call.context.pending().collect();
        self.cancel_branches(now, key, Some(TIMED_OUT));
        for branch in pending {
            self.judge(now, key, branch, Input::TimedOut, None);
        }
    }

    /// The user's record here, if it is a visitor's or a resident's.
    pub(super) fn record(&self, extension: &str) -> Option<std::sync::Arc<Record>> {
        self.location.record(extension)
    }
}

/// What logs say of a call: never a PIN (SPEC 10.5).
fn about(call: &Call) -> About {
    let dialled = call.asked.request.uri().user().map(|user| user.into_owned()).unwrap_or_default();
    let own = match &call.caller {
        Caller::User { extension, .. } => call.config.plan.level_of(extension),
        Caller::Desk(_) | Caller::Outside { .. } | Caller::Unknown => None,
    };
    let (to, gives) = call.config.plan.masked(&dialled, &call.plan.gives, own);
    About { from: call.caller.label().to_string(), to, gives }
}

/// SPEC 13: every trunk full or down. A phone that got 503 would leave the server.
pub(super) fn no_line_free() -> Rejection {
    Rejection::warned(Status::TEMPORARILY_UNAVAILABLE, "no line free").with(Name::Reason, "Q.850;cause=34")
}

/// The cause of `Reason: Q.850;cause=NN` (RFC 3326).
fn q850_cause(response: &Response) -> Option<u16> {
    response.values(&Name::Reason).find_map(|value| {
        let text = std::str::from_utf8(&value).ok()?;
        let mut parts = text.split(';').map(str::trim);
        parts.next().filter(|protocol| protocol.eq_ignore_ascii_case("Q.850"))?;
        parts.find_map(|part| part.strip_prefix("cause=")?.trim().parse().ok())
    })
}
