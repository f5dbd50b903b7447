//! Features that the site does itself (SPEC 6.5, 6.8, 10): from the code that was dialled to the tone, or the refusal.
//!
//! ```text
//! dials ─ feature_dialled ── 100, a Deed; the Wish goes to the shard that does the writes
//!            perform ─────── one arm a feature: it may ask another site, or wait for the store
//!            done ────────── 200, tone, BYE       (own_calls)
//!            not_done ────── the refusal, whose reason a person reads
//! ```
//!
//! Whoever adds a feature gives it an arm in [`perform`](Node::perform), and ends every way through it with `done` or `not_done`: at once, or by
//! a [`Then`](super::tasks::Then) whose `deed` it is, once that is stored. What is not ended within 20 s is refused.

use std::fmt;

use super::Node;
use super::admit::Account;
use super::desk::user_and_code;
use super::handover::Parcel;
use super::tasks::{Asked, Key};
use crate::ids::{Extension, ShardId, SiteName};
use crate::plan::{BreakOutCall, Decision, Feature, Outcome};
use crate::proxy::{About, Caller};
use crate::rejection::Rejection;
use crate::sip::{Method, Status};
use crate::timing::Now;

/// Names what a phone waits for: the call, and the shard that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Deed {
    shard: ShardId,
    key: Key,
}

/// What is to be done, and who wants it.
#[derive(Clone)]
pub(super) struct Wish {
    /// Who dialled: the user who sits at the phone, else the phone's own, or the desk without one.
    pub account: Account,
    /// The phone's own account, whose digest it has.
    pub phone: Account,
    /// The INVITE. What it dials may hold a PIN.
    pub asked: Asked,
    /// What is to be done.
    pub feature: Feature,
    /// The number template's result, which may hold a PIN; of a Break Out the target.
    pub argument: String,
}

/// Without what was dialled (SPEC 10.5).
impl fmt::Debug for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wish({} of {})", self.feature, self.account.name())
    }
}

impl Node {
    /// Whether what was dialled is something that the site does itself; then it is being done.
    pub(super) fn does_itself(
        &mut self,
        now: Now,
        asked: &Asked,
        [account, phone]: [&Account; 2],
        decision: &Decision,
    ) -> bool {
        if asked.request.method() != &Method::INVITE {
            return false;
        }
        let (feature, argument) = match &decision.outcome {
            // That is a call.
            Outcome::Feature { feature: Feature::DialPhysicalExtn, .. } => return false,
            Outcome::Feature { feature, argument } => (*feature, argument.clone()),
            Outcome::BreakOut(BreakOutCall { site, digits }) if digits.is_empty() => {
                (Feature::BreakOut, site.to_string())
            }
            Outcome::Extension(_)
            | Outcome::Trunk(_)
            | Outcome::Emergency(_)
            | Outcome::BreakOut(_)
            | Outcome::Busy
            | Outcome::Barred(_)
            | Outcome::NotFound
            | Outcome::Incomplete
            | Outcome::LoopDetected
            | Outcome::Forbidden(_)
            | Outcome::NoRoute
            | Outcome::EmergencyAtOrigin { .. } => return false,
        };
        let (account, phone) = (account.clone(), phone.clone());
        let wish = Wish { account, phone, asked: asked.clone(), feature, argument };
        self.feature_dialled(now, wish, decision.gives(&self.config.site.name));
        true
    }

    fn feature_dialled(&mut self, now: Now, wish: Wish, gives: String) {
        let from: Caller = self.caller_of(&wish.account);
        let dialled = super::route::number_of(&wish.asked.request);
        let to = wish.feature.masked(dialled.as_ref().map_or("", Extension::as_str), &wish.argument);
        let about = About { from: from.label().to_string(), to, gives };
        let owner = self.commons.owners.of_user(wish.subject());
        let Some(key) = self.begin_own_call(now, wish.asked.clone(), about, owner) else { return };
        let deed = Deed { shard: self.shard, key };
        self.hand_over(now, owner, Parcel::Wish(deed, Box::new(wish)));
    }

    /// One arm a feature, at the shard that does all writes for the user whom it changes.
    pub(super) fn perform(&mut self, now: Now, deed: Deed, wish: &Wish) {
        match wish.feature {
            Feature::ExtnLogin => self.log_in_here(now, deed, wish),
            Feature::ExtnLogout => self.log_out_here(now, deed, wish),
            Feature::BreakOut => self.break_out_next(now, deed, wish),
            Feature::ChangeLoginCode
            | Feature::DoNotDisturbOn
            | Feature::DoNotDisturbOff
            | Feature::ForwardUnconditionalOn
            | Feature::ForwardUnconditionalOff
            | Feature::ForwardOnBusyOn
            | Feature::ForwardOnBusyOff
            | Feature::ForwardOnNoAnswerOn
            | Feature::ForwardOnNoAnswerOff
            | Feature::ForwardNumber
            | Feature::ForwardOnBusyNumber
            | Feature::CancelAllForwarding
            | Feature::FollowMeTo
            | Feature::OutgoingCallBarOn
            | Feature::OutgoingCallBarOff => self.change_setting(now, deed, wish),
            Feature::Dial
            | Feature::DialExtn
            | Feature::DialEmergency
            | Feature::Busy
            | Feature::Barred
            | Feature::DialPhysicalExtn => self.not_done(now, deed, not_here(wish.feature)),
        }
    }

    /// It is done, durably where it must be: the phone hears the tone.
    pub(super) fn done(&mut self, now: Now, deed: Deed) {
        self.hand_over(now, deed.shard, Parcel::Done(deed.key, Ok(())));
    }

    /// It can't be done, and nothing has changed: the phone shows why.
    pub(super) fn not_done(&mut self, now: Now, deed: Deed, why: Rejection) {
        self.hand_over(now, deed.shard, Parcel::Done(deed.key, Err(why)));
    }

    /// A deed of this shard's call has an end.
    pub(super) fn deed_ended(&mut self, now: Now, key: Key, end: Result<(), Rejection>) {
        match end {
            Ok(()) => self.accept_own_call(now, key),
            Err(why) => self.refuse_own_call(now, key, &why),
        }
    }

    /// The phone hangs up: what can still be left undone is, and then the call is refused with 487. What the store has been given is done.
    pub(super) fn give_up(&mut self, now: Now, performer: ShardId, key: Key) {
        self.hand_over(now, performer, Parcel::GiveUp(Deed { shard: self.shard, key }));
    }

    /// SPEC 6.8: a Break Out code without digits, as a phone's button dials it.
    fn break_out_next(&mut self, now: Now, deed: Deed, wish: &Wish) {
        let site = SiteName::new(&wish.argument);
        if self.links.is_down(&site) {
            let unreachable = format!("site {site} cannot be reached");
            return self.not_done(now, deed, Rejection::warned(Status::SERVER_TIMEOUT, unreachable));
        }
        let (account, source) = (Extension::new(wish.account.name()), wish.asked.source.remote);
        self.commons.next_calls.with(|calls| calls.remember(now.instant, &account, source, site));
        self.done(now, deed);
    }

    /// Where the next call of that phone goes, if it has dialled a Break Out code alone.
    pub(super) fn breaks_out(&mut self, now: Now, asked: &Asked, account: &Account) -> Option<SiteName> {
        if asked.request.method() != &Method::INVITE {
            return None;
        }
        self.commons.next_calls.with(|calls| calls.take(now.instant, account.name(), asked.source.remote))
    }
}

impl Wish {
    /// Whose record changes.
    fn subject(&self) -> &str {
        match self.feature {
            Feature::ExtnLogin => user_and_code(&self.argument).0.unwrap_or(self.phone.name()),
            _ => self.account.name(),
        }
    }
}

/// A feature that nothing acts on.
pub(super) fn not_here(feature: Feature) -> Rejection {
    Rejection::warned(Status::FORBIDDEN, format!("{feature} cannot be dialled at this site"))
}
