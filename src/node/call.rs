//! A request on its way: its call begins, responses are judged by the response context, CANCEL, timer C, the end.

use super::Node;
use super::forwards::{Deflection, Way};
use super::tally::calls_for_help;
use super::tasks::{Answered, Asked, Begun, Call, ClientTask, Key, Late, Passing, ServerTask, Timer};
use crate::event::Event;
use crate::location::Record;
use crate::proxy::{
    About, Best, Caller, Context, Identities, Input, Kind, Middle, Restoring, Ringing, Rule, Step, TargetSet,
    forward_response, forward_success, with_challenges,
};
use crate::rejection::Rejection;
use crate::sip::{Method, Name, Response, Status};
use crate::timing::Now;
use crate::trunk::Failure;

/// The longest request that still fits into a datagram with all that may be put on it: Via, Record-Routes, token, identity
/// (SPEC 9.11).
const LONGEST: usize = 64_000;
/// RFC 3326: why a branch is cancelled that was not answered in time.
const TIMED_OUT: &[u8] = b"SIP;cause=408;text=\"Request Timeout\"";

/// A response, and what becomes of identities in it.
type Heard<'a> = (&'a Response, Identities);

impl Node {
    /// Forwards an admitted request to these targets.
    pub(super) fn start_call(&mut self, now: Now, asked: Asked, caller: Caller, plan: Passing, targets: TargetSet) {
        self.start_call_begun(now, asked, caller, plan, targets, None);
    }

    /// The same for a request that may have its transaction already.
    pub(super) fn start_call_begun(
        &mut self,
        now: Now,
        asked: Asked,
        caller: Caller,
        plan: Passing,
        targets: TargetSet,
        begun: Option<Begun>,
    ) {
        let TargetSet { ringing: Ringing { stages, called, after, lines }, claims, diversions, manner } = targets;
        let is_urgent = stages
            .iter()
            .flat_map(|stage| &stage.targets)
            .any(|target| matches!(target.rule, Rule::Dialog | Rule::Emergency));
        if self.draining && !is_urgent {
            return self.turn_away(&asked, begun, &Rejection::draining());
        }
        if asked.request.bytes().len() > LONGEST {
            let too_long = Rejection::warned(Status::MESSAGE_TOO_LARGE, "Too Large: it can't be passed on");
            return self.turn_away(&asked, begun, &too_long);
        }
        let emergency = calls_for_help(&stages);
        let admitted = self
            .session_timer(&asked.request, emergency)
            .and_then(|session| Ok((session, self.admit_call(&asked, &caller, &plan, emergency)?)));
        let (session, live) = match admitted {
            Ok(admitted) => admitted,
            Err(rejection) if begun.is_some() => return self.turn_away(&asked, begun, &rejection),
            Err(rejection) => return self.refuse_known(now, &asked, &rejection),
        };
        let Some(Begun { key, server }) = begun.or_else(|| self.begin_call(now, &asked, is_urgent)) else {
            return live.into_iter().for_each(|live| self.live.over(live));
        };
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

    /// Refuses a request that has not been admitted, and keeps nothing of it, whether it has its transaction already or not (SPEC 9.5).
    pub(super) fn turn_away(&mut self, asked: &Asked, begun: Option<Begun>, rejection: &Rejection) {
        begun.into_iter().for_each(|begun| self.transactions.abandon_server(begun.server));
        self.refuse_statelessly(asked, rejection);
    }

    fn begin_call(&mut self, now: Now, asked: &Asked, is_urgent: bool) -> Option<Begun> {
        let key = self.next_key();
        let task = ServerTask::Call(key);
        let server = if is_urgent { self.begin_urgent(now, asked, task) } else { self.begin(now, asked, task) }?;
        if asked.request.method() == &Method::INVITE {
            // RFC 3261 §16.2: a stateful proxy answers 100 at once.
            let trying = self.reply(asked, Status::TRYING).write();
            self.transactions.respond(now.instant, server, Status::TRYING, trying);
        }
        Some(Begun { key, server })
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
        if let ServerTask::Call(key) = of
            && self.helping.contains_key(&key)
        {
            return self.help_cancelled(key, &asked);
        }
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
