//! Calls that are counted (SPEC 9.6) and their session timers (RFC 4028): what the other files of the node tell, and ask.

use super::Node;
use super::tasks::{Asked, Call, Key, Passing};
use crate::event::Event;
use crate::ids::Extension;
use crate::link::proof::{Peer, Side, trunk_mark};
use crate::location::Record;
use crate::proxy::{
    About, Answer, Asks, Caller, Channel, DialogTags, Ended, EndedBy, Input, LEAST_SESSION, LiveId, Middle, NoRoom,
    Rule, SessionTimer, Stage, Stamp, Standing, Tally, Target, Wants, branch_with, via_value,
};
use crate::rejection::Rejection;
use crate::settings::Trunk;
use crate::sip::{Message, Method, Name, Request, Response, Status};
use crate::timing::Now;
use crate::transmit::{Flow, SocketId};

impl Node {
    /// How many calls there are, by user, trunk and site: for the API, metrics and tests.
    pub fn tally(&self) -> &Tally {
        self.live.tally()
    }

    /// Lets a call in: its caller's count, or the channel of the trunk that it comes by. Nothing is counted for a request that is
    /// no call, or is one already.
    pub(super) fn admit_call(
        &mut self,
        asked: &Asked,
        caller: &Caller,
        plan: &Passing,
        emergency: bool,
    ) -> Result<Option<LiveId>, Rejection> {
        let request = &asked.request;
        let Some(peer) = plan.record_route.filter(|_| request.method() == &Method::INVITE) else { return Ok(None) };
        let user = match (peer, caller) {
            // Where the user is: at another site, that site counts.
            (Peer::Phone { .. }, Caller::User { extension, .. }) => Some((extension, self.calls_allowed(extension))),
            (Peer::Phone { .. } | Peer::Site(_) | Peer::Trunk { .. }, _) => None,
        };
        let came_by = match peer {
            Peer::Trunk { mark, .. } => Some(mark),
            Peer::Phone { .. } | Peer::Site(_) => None,
        };
        let caller_tag = request.from().tag().unwrap_or_default();
        let unproven = (emergency && *caller == Caller::Unknown).then(|| asked.source.remote.ip());
        let asks = Asks { call_id: request.call_id(), caller_tag, user, came_by, unproven, emergency };
        match self.live.begin(&asks) {
            Ok(id) => Ok(Some(id)),
            Err(_) if emergency => Ok(None),
            Err(no_room) => Err(no_room_for(no_room)),
        }
    }

    /// What a branch needs before it is sent: a place of the user whose phone rings, a channel of the trunk. Without it the branch
    /// fails as if the phone were busy, or the trunk had said that it is full.
    pub(super) fn hold_for(&mut self, key: Key, branch: usize, target: &Target) -> Option<Input> {
        let (id, begun_with) = self.calls.of(key).and_then(|call| Some((call.live?, call.config.clone())))?;
        // How many lines there are is said by the configuration that holds now, as for those who wait for one (SPEC 6.6); of a trunk that
        // is there no more, by the one that the call began with.
        let find = |mark: u32| {
            let mut trunks = self.config.site.trunks.iter().chain(&begun_with.site.trunks);
            trunks.find(|trunk| trunk_mark(&trunk.name) == mark)
        };
        let user = target.counts.as_ref().map(|user| (user, self.calls_allowed(user)));
        let trunk = match target.peer {
            Peer::Trunk { mark, .. } => {
                let came_by = self.calls.of(key).and_then(|call| match call.plan.record_route {
                    Some(Peer::Trunk { mark, .. }) => find(mark),
                    Some(Peer::Phone { .. } | Peer::Site(_)) | None => None,
                });
                Some(channel(mark, find(mark), came_by))
            }
            Peer::Phone { .. } | Peer::Site(_) => None,
        };
        let wants = Wants { user, trunk, emergency: target.rule == Rule::Emergency };
        let (status, cause) = match self.live.hold(id, branch as u32, &wants) {
            Ok(()) => return None,
            Err(NoRoom::User) => (Status::BUSY_HERE, None),
            // SPEC 6.6, 13: as if the carrier had said so.
            Err(NoRoom::Trunk | NoRoom::Table) => (Status::TEMPORARILY_UNAVAILABLE, Some(34)),
            // No line that becomes free helps: it does not wait for one.
            Err(NoRoom::Transit) => {
                self.waits_for_nothing(key);
                (Status::TEMPORARILY_UNAVAILABLE, Some(34))
            }
        };
        Some(Input::Failure { status, bytes: None, cause, not_here: false })
    }

    /// What comes from a branch, before the response context hears of it: with a final error it gives back what it holds. Silence
    /// is no final error.
    pub(super) fn note_branch(&mut self, key: Key, branch: usize, input: &Input) {
        match input {
            Input::Failure { .. } | Input::TimedOut | Input::Unreachable => {
                let answered = || self.answered.of(key).and_then(|answered| answered.live);
                if let Some(id) = self.calls.of(key).map_or_else(answered, |call| call.live) {
                    self.live.give_back(id, branch as u32);
                }
            }
            Input::Provisional { .. } | Input::Success | Input::Silence => {}
        }
    }

    /// A 2xx to an INVITE that began a call; with the first comes what is told of the call at its end.
    pub(super) fn note_answer(
        &mut self,
        now: Now,
        live: Option<LiveId>,
        session: &SessionTimer,
        branch: u32,
        response: &Response,
        about: Option<About>,
    ) {
        let Some(id) = live else { return };
        let callee_tag = response.to().tag().unwrap_or_default();
        let (session, cap) = (session.agreed(response), self.config.site.sip.session_cap);
        self.live.answered(now.instant, id, &Answer { branch, callee_tag, session, cap }, about);
    }

    /// A request inside a dialog has its final answer; without a response of its own, or without any, by that status.
    pub(super) fn note_in_dialog(&mut self, now: Now, call: &Call, status: Status, response: Option<&Response>) {
        let request = &call.asked.request;
        if call.plan.record_route.is_some() || request.to().tag().is_none() {
            return;
        }
        let tags = tags_of(request);
        let ended = match (request.method(), status) {
            // Asked for again with credentials.
            (&Method::BYE, Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED) => None,
            (&Method::BYE, _) => Some(EndedBy::Bye),
            // RFC 5057 §5.1: these say something of a subscription only.
            (&(Method::SUBSCRIBE | Method::NOTIFY | Method::REFER), _) => None,
            (_, Status::REQUEST_TIMEOUT | Status::CALL_DOES_NOT_EXIST) => Some(EndedBy::Gone),
            (&(Method::INVITE | Method::UPDATE), _) => {
                if let Some(response) = response.filter(|_| status.is_success()) {
                    self.live.refreshed(now.instant, &tags, call.session.agreed(response));
                }
                None
            }
            _ => None,
        };
        if let Some(by) = ended {
            self.forget_shifts(request);
            let over = self.live.end_dialog(now.instant, &tags, by);
            over.into_iter().for_each(|ended| self.say_ended(now, ended));
        }
    }

    /// Calls whose session, or whose time, has run out.
    pub(super) fn look_at_calls(&mut self, now: Now) {
        while let Some(mut ended) = self.live.expired(now.instant) {
            let middle = ended.middle.take();
            self.say_ended(now, ended);
            if let Some(middle) = middle {
                self.end_from_the_middle(now, &middle);
            }
        }
    }

    /// SPEC 6.3: the longest time of a call is over. Each side gets the BYE that the other would send, by all the rules of this dialog.
    fn end_from_the_middle(&mut self, now: Now, middle: &Middle) {
        for side in [Side::Caller, Side::Callee] {
            let branch = branch_with(self.shard, &mut self.entropy, 0);
            let Some(request) = middle.bye(side, &via_value(self.listen[0], &branch)) else { continue };
            let nowhere = Flow::nowhere(SocketId(0));
            let asked = Asked { request, source: nowhere, stamp: Stamp::default(), reply_to: nowhere };
            self.in_dialog(now, asked);
        }
    }

    fn say_ended(&mut self, now: Now, ended: Ended) {
        let Ended { about: About { from, to, gives }, lasted, by, users, middle: _ } = ended;
        self.say(Event::CallEnded { from, to, gives, lasted, by });
        self.note_active(now, users);
    }

    /// RFC 4028 §8.1: what this site has to say about the session timer of a request.
    pub(super) fn session_timer(&self, request: &Request, emergency: bool) -> Result<SessionTimer, Rejection> {
        let offered = self.config.site.sip.session_expires;
        let offered = match *request.method() {
            // Nothing is done to an emergency call that might end it.
            _ if emergency => None,
            Method::INVITE => Some(offered),
            // Without an offer it would end the timer of a call that has one (§8.3); before the answer it is no refresh (§7.4).
            Method::UPDATE if self.live.standing(&tags_of(request)) == Standing::Up => Some(offered),
            Method::UPDATE => None,
            _ => return Ok(SessionTimer::default()),
        };
        match SessionTimer::of(request, offered) {
            Ok(session) => Ok(session),
            Err(_) if emergency => Ok(SessionTimer::default()),
            Err(_) => {
                let rejection = Rejection::new(Status::SESSION_INTERVAL_TOO_SMALL);
                Err(rejection.with(Name::MinSe, LEAST_SESSION.to_string()))
            }
        }
    }

    /// SPEC 7.1: the profile that is in force where the user is.
    fn calls_allowed(&self, extension: &Extension) -> usize {
        if let Some(Record::Visitor(visitor)) = self.record(extension.as_str()).as_deref() {
            return visitor.guest.allows.calls;
        }
        let profile = self.config.site.users.get(extension).map_or("basic", |user| &user.profile);
        self.config.network.profile(profile).calls
    }
}

/// Whether any of these targets is for help.
pub(super) fn calls_for_help(stages: &[Stage]) -> bool {
    stages.iter().flat_map(|stage| &stage.targets).any(|target| target.rule == Rule::Emergency)
}

/// A channel of a trunk, for a call that came in by another one, or the same, or by none.
fn channel(mark: u32, trunk: Option<&Trunk>, came_by: Option<&Trunk>) -> Channel {
    Channel {
        mark,
        most: trunk.and_then(|trunk| trunk.channels).map(|most| most as usize),
        transit: came_by.map(|came_by| came_by.transit_calls as usize),
    }
}

fn no_room_for(no_room: NoRoom) -> Rejection {
    match no_room {
        NoRoom::User => Rejection::warned(Status::BUSY_HERE, no_room.to_string()),
        NoRoom::Trunk | NoRoom::Transit | NoRoom::Table => {
            Rejection::warned(Status::SERVICE_UNAVAILABLE, no_room.to_string()).with(Name::RetryAfter, "30")
        }
    }
}

pub(super) fn tags_of(message: &Message) -> DialogTags<'_> {
    DialogTags {
        call_id: message.call_id(),
        from: message.from().tag().unwrap_or_default(),
        to: message.to().tag().unwrap_or_default(),
    }
}
