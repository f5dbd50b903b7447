//! What a phone has asked and waits for: its client transactions (RFC 3261 §17.1), kept until no copy can come any more.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::event::{CallRef, RequestRef};
use super::outline::Outline;
use crate::sip::{Method, Response, Status};

/// Why something was asked, and so who is told of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Register,
    Invite(CallRef),
    /// An INVITE inside a call.
    ReInvite(CallRef, RequestRef),
    Bye(CallRef),
    Plain(RequestRef),
    /// A SUBSCRIBE that makes a dialog.
    Subscribe(RequestRef),
    /// CANCEL, NOTIFY, the BYE of a surplus branch: nobody waits for the answer.
    Nobody,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing heard.
    Waiting,
    /// A provisional answer came.
    Proceeding,
    /// The final answer came.
    Done(Status),
}

/// One client transaction.
#[derive(Debug)]
pub(super) struct Ask {
    pub outline: Outline,
    pub purpose: Purpose,
    /// How often credentials were sent.
    pub attempts: u8,
    pub stage: Stage,
    bytes: Bytes,
    /// When to send again, and after how long then.
    resend: Option<(Instant, Duration)>,
    ends: Instant,
    /// The ACK to a refusal, for its copies.
    pub ack: Option<Bytes>,
}

/// A transaction is named by its branch and method: a CANCEL has the branch of its INVITE.
pub(super) type AskKey = (String, String);

/// RFC 3261 Table 4, for the phone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub t1: Duration,
    pub t2: Duration,
}

impl Clock {
    pub fn new(t1: Duration) -> Self {
        Self { t1, t2: Duration::from_secs(4).max(t1) }
    }

    pub fn t1x64(self) -> Duration {
        self.t1 * 64
    }
}

/// How long an INVITE rings before the phone gives up by itself.
const PATIENCE: Duration = Duration::from_secs(300);

impl Ask {
    pub fn key(branch: &str, method: &Method) -> AskKey {
        (branch.into(), method.as_str().into())
    }

    fn is_invite(&self) -> bool {
        self.outline.method == Method::INVITE
    }

    /// A provisional answer: INVITEs are not sent again (§17.1.1.2), others every T2 (§17.1.2.2).
    pub fn proceed(&mut self, now: Instant, clock: Clock) {
        if self.stage != Stage::Waiting {
            return;
        }
        self.stage = Stage::Proceeding;
        if self.is_invite() {
            self.resend = None;
            self.ends = now + PATIENCE;
        } else if let Some((_, interval)) = &mut self.resend {
            *interval = clock.t2;
        }
    }

    /// The final answer: from now on only its copies are waited for (timers D, K and M).
    pub fn finish(&mut self, now: Instant, status: Status, clock: Clock) {
        self.stage = Stage::Done(status);
        self.resend = None;
        self.ends = now + clock.t1x64();
    }

    /// After a CANCEL the INVITE ends within 64·T1 (RFC 3261 §9.1).
    pub fn end_soon(&mut self, now: Instant, clock: Clock) {
        self.ends = self.ends.min(now + clock.t1x64());
    }
}

/// All client transactions of a phone.
#[derive(Debug, Default)]
pub(super) struct Asking {
    asks: BTreeMap<AskKey, Ask>,
    /// Every branch that was ever sent: an answer to another is nobody's.
    branches: BTreeSet<String>,
}

/// What fell due.
pub(super) enum Due {
    Resend(SocketAddr, Bytes),
    /// Nothing final came.
    Unanswered(Box<Ask>),
}

impl Asking {
    /// Begins a transaction; the caller sends `bytes`.
    pub fn begin(
        &mut self,
        now: Instant,
        branch: &str,
        outline: Outline,
        purpose: Purpose,
        bytes: Bytes,
        clock: Clock,
    ) {
        let key = Ask::key(branch, &outline.method);
        let ask = Ask {
            outline,
            purpose,
            attempts: 0,
            stage: Stage::Waiting,
            bytes,
            resend: Some((now + clock.t1, clock.t1 * 2)),
            ends: now + clock.t1x64(),
            ack: None,
        };
        self.branches.insert(branch.into());
        self.asks.insert(key, ask);
    }

    /// Forgets what is under way, but not which branches are its own.
    pub fn forget(&mut self) {
        self.asks.clear();
    }

    pub fn find(&mut self, key: &AskKey) -> Option<&mut Ask> {
        self.asks.get_mut(key)
    }

    /// The transaction that a response belongs to.
    pub fn of(&mut self, response: &Response) -> Option<&mut Ask> {
        let branch = response.via().branch()?;
        self.asks.get_mut(&Ask::key(&String::from_utf8_lossy(branch), &response.cseq().method))
    }

    pub fn has_sent(&self, branch: &[u8]) -> bool {
        self.branches.contains(&*String::from_utf8_lossy(branch))
    }

    /// The INVITE of a call that is still unanswered.
    pub fn open_invite(&mut self, call: CallRef) -> Option<(AskKey, &mut Ask)> {
        self.asks
            .iter_mut()
            .find(|(_, ask)| ask.purpose == Purpose::Invite(call) && !matches!(ask.stage, Stage::Done(_)))
            .map(|(key, ask)| (key.clone(), ask))
    }

    /// Whether an INVITE inside the call is unanswered.
    pub fn has_open_re_invite(&self, of: CallRef) -> bool {
        self.asks.values().any(|ask| {
            matches!(ask.purpose, Purpose::ReInvite(call, _) if call == of) && !matches!(ask.stage, Stage::Done(_))
        })
    }

    pub fn next(&self) -> Option<Instant> {
        self.asks.values().map(|ask| ask.resend.map_or(ask.ends, |(at, _)| at.min(ask.ends))).min()
    }

    /// One thing that fell due by `now`.
    pub fn due(&mut self, now: Instant, clock: Clock) -> Option<Due> {
        loop {
            let ended = self.asks.iter().find(|(_, ask)| ask.ends <= now).map(|(key, _)| key.clone());
            let Some(ask) = ended.and_then(|key| self.asks.remove(&key)) else { break };
            if !matches!(ask.stage, Stage::Done(_)) {
                return Some(Due::Unanswered(Box::new(ask)));
            }
        }
        let ask = self.asks.values_mut().find(|ask| ask.resend.is_some_and(|(at, _)| at <= now))?;
        let is_invite = ask.is_invite();
        if let Some((at, interval)) = &mut ask.resend {
            *at += *interval;
            // Timer A doubles without bound, timer E up to T2.
            *interval = if is_invite { *interval * 2 } else { (*interval * 2).min(clock.t2) };
        }
        Some(Due::Resend(ask.outline.next_hop, ask.bytes.clone()))
    }
}
