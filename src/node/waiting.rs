//! Callers who wait for a line (SPEC 6.6): 182, and then whatever can be had first.
//!
//! ```text
//!            every way that is open has failed                a line is free, or a way opens
//!   trying ────────────────────────────────────► waiting ─────────────────────────────────────► trying
//!      │ a way is taken                             │ 60 s: 480                                  (the place is kept)
//!      ▼                                            ▼ CANCEL: 487
//!     over                                         over
//! ```
//!
//! Only a call whose form has an alternate waits. A way that has refused the call is not asked again; one that was full, or is down,
//! is. A call for help never waits, and nobody's waiting is an obstacle to it.

use std::time::{Duration, Instant};

use super::Node;
use super::handover::Parcel;
use super::tasks::{Call, Key, Timer};
use crate::link::proof::trunk_mark;
use crate::plan::Priority;
use crate::proxy::{Best, Input, Line, Lines, Rule, Stage};
use crate::sip::{Message, Name, Status};
use crate::timing::Now;
use crate::trunk::{Gateway, Place};

/// The longest that anybody waits, all tries together.
const LONGEST: Duration = Duration::from_secs(60);

/// The ways out of one call, and how it waits for them.
#[derive(Debug)]
pub(super) struct Outlook {
    ways: Vec<Line>,
    /// By its place in `ways`: it has refused this call.
    spent: Vec<bool>,
    priority: u8,
    queued: Option<Queued>,
}

/// A call in the queue.
#[derive(Clone, Copy, Debug)]
struct Queued {
    place: Place,
    since: Instant,
    /// A way is being tried.
    trying: bool,
}

impl From<Lines> for Outlook {
    fn from(lines: Lines) -> Self {
        Self { spent: vec![false; lines.ways.len()], ways: lines.ways, priority: lines.priority, queued: None }
    }
}

impl Outlook {
    /// The ways that have not refused the call, and how long it waits for each.
    fn ways(&self) -> impl Iterator<Item = (Gateway, &Line)> {
        let left = self.ways.iter().zip(&self.spent).filter(|(_, spent)| !**spent);
        left.filter_map(|(way, _)| Some((way.target.gateway()?, way)))
    }

    fn spend(&mut self, gateway: Gateway) {
        let ways = self.ways.iter().zip(&mut self.spent);
        ways.filter(|(way, _)| way.target.gateway() == Some(gateway)).for_each(|(_, spent)| *spent = true);
    }

    /// When the next way opens, of those that are not open after `waited`.
    fn next_opening(&self, waited: Duration) -> Option<Duration> {
        self.ways().map(|(_, way)| way.wait).filter(|wait| *wait > waited).min()
    }
}

impl Node {
    /// What came from a branch to a trunk: whether the call may ask it again. What is down by now may be up later.
    pub(super) fn note_refusal(&mut self, now: Now, key: Key, branch: usize, input: &Input) {
        let failed = match input {
            Input::Failure { .. } | Input::TimedOut | Input::Unreachable | Input::Silence => true,
            Input::Provisional { .. } | Input::Success => false,
        };
        // What comes late from a branch that was given up says nothing of the next try.
        let is_awaited = |call: &&mut Call| call.context.pending().any(|pending| pending == branch);
        let Some(call) = self.calls.of(key).filter(|_| failed).filter(is_awaited) else { return };
        let (Some(outlook), Some(gateway)) = (&mut call.outlook, call.clients.get(branch).and_then(|leg| leg.gateway))
        else {
            return;
        };
        if self.commons.trunks.takes_calls(now.instant, gateway) {
            outlook.spend(gateway);
        }
    }

    /// No way that is open to the call can be had: it waits, if there is something to wait for. Says whether it does.
    pub(super) fn waits(&mut self, now: Now, key: Key) -> bool {
        // SPEC 2.3: the line that it would get is one for a new call.
        if self.draining {
            return false;
        }
        let Some(call) = self.calls.of(key).filter(|call| call.context.may_go_on()) else { return false };
        let Some(outlook) = &mut call.outlook else { return false };
        let since = outlook.queued.map_or(now.instant, |queued| queued.since);
        let waited = now.instant.saturating_duration_since(since);
        if waited >= LONGEST || outlook.ways().next().is_none() {
            return false;
        }
        let joined = || self.commons.queue.join(outlook.priority, (self.shard, key));
        let Some(place) = outlook.queued.map(|queued| queued.place).or_else(joined) else { return false };
        let first_time = outlook.queued.replace(Queued { place, since, trying: false }).is_none();
        let open = outlook.ways().filter(|(_, way)| way.wait <= waited);
        self.commons.queue.want(place, open.map(|(gateway, _)| gateway.mark));
        let opens = outlook.next_opening(waited).unwrap_or(LONGEST).min(LONGEST);
        self.timers.arm(&Timer::Line(key), since + opens);
        if first_time {
            self.say_queued(now, key);
        }
        true
    }

    /// RFC 3261 §21.1.5. RFC 3262 §4: who requires reliable provisional answers has had a 100, and gets no more.
    fn say_queued(&mut self, now: Now, key: Key) {
        let Some(call) = self.calls.of(key) else { return };
        if requires_100rel(&call.asked.request) {
            return;
        }
        let (asked, server) = (call.asked.clone(), call.server);
        let bytes = self.reply(&asked, Status::QUEUED).write();
        self.transactions.respond(now.instant, server, Status::QUEUED, bytes);
    }

    /// A way has opened to a waiting call, or it has waited long enough.
    pub(super) fn look_at_waiting(&mut self, now: Now, key: Key) {
        let Some(queued) = self.queued(key).filter(|queued| !queued.trying) else { return };
        if self.tries(now, key) {
            return;
        }
        if now.instant.saturating_duration_since(queued.since) >= LONGEST {
            let best = Best { status: Status::TEMPORARILY_UNAVAILABLE, bytes: None };
            return self.exhausted(now, key, best);
        }
        self.waits(now, key);
    }

    /// A line may be had that a waiting call wants; a call that waits no more, or tries another one, does not mind.
    pub(super) fn line_free(&mut self, now: Now, key: Key) {
        if self.only_waits(key) {
            self.tries(now, key);
        }
    }

    /// Tries the ways that can be had; says whether there is one.
    fn tries(&mut self, now: Now, key: Key) -> bool {
        let Some(queued) = self.queued(key) else { return false };
        let waited = now.instant.saturating_duration_since(queued.since);
        let Some(call) = self.calls.of(key) else { return false };
        let Some(outlook) = &call.outlook else { return false };
        let open: Vec<Line> =
            outlook.ways().filter(|(_, way)| way.wait <= waited).map(|(_, way)| way.clone()).collect();
        let priority = outlook.priority;
        let free =
            |way: &Line| way.target.gateway().is_some_and(|it| self.may_take(now, it, Some(queued.place), priority));
        let stages: Vec<Stage> = open.into_iter().filter(free).map(|way| Stage { targets: vec![way.target] }).collect();
        if stages.is_empty() {
            return false;
        }
        self.commons.queue.want(queued.place, std::iter::empty());
        let c = self.timing.c;
        let Some(call) = self.calls.of(key) else { return false };
        if let Some(outlook) = &mut call.outlook {
            outlook.queued = Some(Queued { trying: true, ..queued });
        }
        call.rings_until = now.instant + c;
        let first = call.context.resume(stages);
        first.into_iter().for_each(|stage| self.start_stage(now, key, stage));
        true
    }

    /// Whether a call may be sent there now: the trunk is not down, and a channel is free that nobody waits for who comes before.
    pub(super) fn may_take(&self, now: Now, gateway: Gateway, place: Option<Place>, priority: u8) -> bool {
        let free = self.free_channels(gateway.mark);
        self.commons.trunks.takes_calls(now.instant, gateway)
            && free > 0
            && free > self.commons.queue.ahead(place, priority, gateway.mark)
    }

    /// Whether a branch is not worth sending: its trunk is down, or its lines are for those who wait and come before.
    pub(super) fn skips(&mut self, now: Now, key: Key, gateway: Option<Gateway>, rule: Rule) -> Option<Input> {
        let gateway = gateway.filter(|_| rule == Rule::Trunk)?;
        let failed =
            Input::Failure { status: Status::TEMPORARILY_UNAVAILABLE, bytes: None, cause: Some(34), not_here: false };
        if !self.commons.trunks.takes_calls(now.instant, gateway) {
            return Some(failed);
        }
        if self.commons.queue.is_empty() {
            return None;
        }
        let call = self.calls.of(key)?;
        let claimed = call.way.claims.priority.unwrap_or(Priority::default().0);
        let (place, priority) = match &call.outlook {
            Some(outlook) => (outlook.queued.map(|queued| queued.place), outlook.priority),
            None => (None, claimed),
        };
        let ahead = self.commons.queue.ahead(place, priority, gateway.mark);
        (ahead > 0 && self.free_channels(gateway.mark) <= ahead).then_some(failed)
    }

    /// How many channels of a trunk are free; a trunk without a limit has any number.
    fn free_channels(&self, mark: u32) -> usize {
        let trunk = self.config.site.trunks.iter().find(|trunk| trunk_mark(&trunk.name) == mark);
        let Some(trunk) = trunk else { return 0 };
        match trunk.channels {
            Some(most) => (most as usize).saturating_sub(self.tally().channels_of(&trunk.name)),
            None => usize::MAX,
        }
    }

    /// After every input: the lines that have become free are for those who wait.
    pub(super) fn look_at_lines(&mut self, now: Now) {
        while let Some(mark) = self.live.poll_freed().or_else(|| self.risen.pop_front()) {
            if self.commons.queue.is_empty() {
                continue;
            }
            for (shard, key) in self.commons.queue.first(mark, self.free_channels(mark)) {
                self.hand_over(now, shard, Parcel::Line(key));
            }
        }
    }

    /// Every trunk may have more lines than before.
    pub(super) fn look_at_all_lines(&mut self, now: Now) {
        self.risen.extend(self.config.site.trunks.iter().map(|trunk| trunk_mark(&trunk.name)));
        self.look_at_lines(now);
    }

    /// The caller has given up: who only waits has nobody else to wait for (RFC 3261 §9.2).
    pub(super) fn stop_waiting(&mut self, now: Now, key: Key) {
        if self.only_waits(key) {
            self.finish(now, key, Best { status: Status::REQUEST_TERMINATED, bytes: None });
        }
    }

    /// A call is over, or goes elsewhere: somebody else may come before.
    pub(super) fn leave_queue(&mut self, call: &mut Call) {
        let Some(queued) = call.outlook.as_mut().and_then(|outlook| outlook.queued.take()) else { return };
        self.commons.queue.leave(queued.place);
        // Whoever stood behind may take what this call has left.
        let wanted: Vec<u32> = call.outlook.iter().flat_map(|outlook| outlook.ways()).map(|(it, _)| it.mark).collect();
        self.risen.extend(wanted);
    }

    /// There is no line that the call could have.
    pub(super) fn waits_for_nothing(&mut self, key: Key) {
        let Some(mut call) = self.calls.remove(key) else { return };
        self.leave_queue(&mut call);
        call.outlook = None;
        self.calls.insert(key, call);
    }

    /// Whether the call waits for a line, and tries none.
    pub(super) fn only_waits(&mut self, key: Key) -> bool {
        self.queued(key).is_some_and(|queued| !queued.trying)
    }

    fn queued(&mut self, key: Key) -> Option<Queued> {
        self.calls.of(key)?.outlook.as_ref()?.queued
    }
}

fn requires_100rel(request: &Message) -> bool {
    request.values(&Name::Require).any(|tag| tag.eq_ignore_ascii_case(b"100rel"))
}
