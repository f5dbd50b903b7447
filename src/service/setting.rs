//! Settings changed by dialling (SPEC 6.5, 7.4): what a feature code makes of what is in force, or why it is refused.
//!
//! The home site asks, for its own users alone, wherever the code was dialled; the node stores what comes out of here. As in IP Office a
//! number is stored and switched on by two codes, busy and no answer have one number, and where that is not set the unconditional
//! one serves. Out of scope: who may ask (digests, locks after wrong codes), what the forwards do to a call.

use crate::auth::{code_hash, is_code};
use crate::ids::Extension;
use crate::plan::{Feature, Outcome};
use crate::rejection::Rejection;
use crate::settings::{ChangedCode, Effective, Profile, Switched};
use crate::sip::Status;

/// Longest number that is stored, and longest code, in characters.
const LONGEST: usize = 31;

/// What was dialled: a feature that changes a setting, and its argument, which may hold a code.
#[derive(Clone, Copy)]
pub struct Asks<'a> {
    /// The feature.
    pub feature: Feature,
    /// The number template's result.
    pub argument: &'a str,
}

/// What a user's wish is judged by, beside what is in force.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// The user.
    pub extension: &'a Extension,
    /// The network's, for codes.
    pub realm: &'a str,
    /// The name of the user's profile.
    pub profile: &'a str,
    /// What it allows.
    pub allows: &'a Profile,
    /// Whether the user may lift the bar: not one of the file's where the file gives no login code.
    pub lifts_bar: bool,
    /// Where a number leads now, as a forward of this user.
    pub leads: &'a dyn Fn(&str) -> Outcome,
}

/// Why a wish is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The code is wrong: to be counted (SPEC 5.9).
    WrongCode,
    /// Anything else.
    For(Rejection),
}

type Judged = Result<Effective, Refused>;

/// Whether a feature changes a setting of whoever dials it.
pub fn is_setting(feature: Feature) -> bool {
    match feature {
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
        | Feature::OutgoingCallBarOff => true,
        Feature::Dial
        | Feature::DialExtn
        | Feature::DialEmergency
        | Feature::BreakOut
        | Feature::Busy
        | Feature::Barred
        | Feature::ExtnLogin
        | Feature::ExtnLogout
        | Feature::DialPhysicalExtn => false,
    }
}

/// What is in force once the wish is granted. What is so already is granted too.
pub fn change(asks: Asks<'_>, present: &Effective, rules: &Rules<'_>) -> Judged {
    let mut next = present.clone();
    match asks.feature {
        Feature::DoNotDisturbOn => next.do_not_disturb = true,
        Feature::DoNotDisturbOff => next.do_not_disturb = false,
        Feature::ForwardUnconditionalOn => next.unconditional.on = rules.switches_on(&next.unconditional, &next)?,
        Feature::ForwardUnconditionalOff => next.unconditional.on = false,
        Feature::ForwardOnBusyOn => next.busy.on = rules.switches_on(&next.busy, &next)?,
        Feature::ForwardOnBusyOff => next.busy.on = false,
        Feature::ForwardOnNoAnswerOn => next.no_answer.on = rules.switches_on(&next.no_answer, &next)?,
        Feature::ForwardOnNoAnswerOff => next.no_answer.on = false,
        Feature::ForwardNumber => next.unconditional.number = rules.number(asks.argument)?,
        Feature::ForwardOnBusyNumber => {
            next.busy.number = rules.number(asks.argument)?;
            next.no_answer.number = next.busy.number.clone();
        }
        Feature::CancelAllForwarding => {
            [&mut next.unconditional, &mut next.busy, &mut next.no_answer].into_iter().for_each(|one| one.on = false);
            next.follow_me = None;
        }
        Feature::FollowMeTo => next.follow_me = rules.extension_to_follow(asks.argument)?,
        Feature::OutgoingCallBarOn => next.outgoing_bar = true,
        Feature::OutgoingCallBarOff => {
            rules.may_lift_bar(asks.argument, present)?;
            next.outgoing_bar = false;
        }
        Feature::ChangeLoginCode => next.login_code = Some(rules.new_code(asks.argument, present)?),
        Feature::Dial
        | Feature::DialExtn
        | Feature::DialEmergency
        | Feature::BreakOut
        | Feature::Busy
        | Feature::Barred
        | Feature::ExtnLogin
        | Feature::ExtnLogout
        | Feature::DialPhysicalExtn => return refused(format!("{} changes no setting", asks.feature)),
    }
    without_a_number_nothing_is_on(&mut next);
    Ok(next)
}

/// Why the profile or the plan lets nobody forward there (SPEC 9.3), whatever else comes of it; `None`: they do not mind.
pub fn bars_forward(outcome: &Outcome, profile: &str, allows: &Profile) -> Option<String> {
    if !allows.forwarding {
        return Some(format!("the profile `{profile}` forwards nothing"));
    }
    match outcome {
        Outcome::Barred(bar) => Some(bar.to_string()),
        Outcome::Forbidden(refusal) => Some(refusal.to_string()),
        Outcome::Trunk(_) | Outcome::BreakOut(_) if !allows.forward_external => {
            Some(format!("the profile `{profile}` forwards nothing outside"))
        }
        Outcome::Extension(_)
        | Outcome::Trunk(_)
        | Outcome::Emergency(_)
        | Outcome::BreakOut(_)
        | Outcome::Busy
        | Outcome::NotFound
        | Outcome::Incomplete
        | Outcome::LoopDetected
        | Outcome::NoRoute
        | Outcome::EmergencyAtOrigin { .. }
        | Outcome::Feature { .. } => None,
    }
}

impl Rules<'_> {
    /// `true`, if the forward has a number that calls may be forwarded to.
    fn switches_on(&self, forward: &Switched, present: &Effective) -> Result<bool, Refused> {
        match forward.number_or(&present.unconditional) {
            Some(number) => self.may_forward(number).map(|_| true),
            None => refused("no number is set to forward to"),
        }
    }

    /// The number to store; without digits, none.
    fn number(&self, dialled: &str) -> Result<Option<String>, Refused> {
        if dialled.is_empty() {
            return Ok(None);
        }
        self.may_forward(dialled)?;
        Ok(Some(dialled.to_owned()))
    }

    /// SPEC 9.3: refused when it is set, where the user dialling that number would be refused.
    fn may_forward(&self, number: &str) -> Result<Outcome, Refused> {
        if number.len() > LONGEST {
            return refused(format!("a number has at most {LONGEST} digits"));
        }
        if number == self.extension.as_str() {
            return refused("nobody forwards to oneself");
        }
        let outcome = (self.leads)(number);
        let why = bars_forward(&outcome, self.profile, self.allows);
        match why.or_else(|| reaches_nobody(&outcome).map(str::to_owned)) {
            Some(why) => refused(format!("no forward to {number}: {why}")),
            None => Ok(outcome),
        }
    }

    /// An extension of the network; without digits, or one's own: no longer.
    fn extension_to_follow(&self, dialled: &str) -> Result<Option<String>, Refused> {
        if dialled.is_empty() || dialled == self.extension.as_str() {
            return Ok(None);
        }
        if matches!(self.may_forward(dialled)?, Outcome::Extension(_)) {
            return Ok(Some(dialled.to_owned()));
        }
        refused(format!("{dialled} is no extension"))
    }

    fn may_lift_bar(&self, code: &str, present: &Effective) -> Result<(), Refused> {
        if present.outgoing_bar && !self.lifts_bar {
            return refused("only the operator lifts this bar");
        }
        match &present.login_code {
            Some(own) if is_code(&own.hash, self.extension, self.realm, code) => Ok(()),
            Some(_) => Err(Refused::WrongCode),
            None => refused("no login code is set"),
        }
    }

    /// `old*new`; without an old one `*new`. A change whose answer was lost is dialled again, and granted.
    fn new_code(&self, dialled: &str, present: &Effective) -> Result<ChangedCode, Refused> {
        let Some((old, new)) = dialled.split_once('*') else {
            return refused("dial the old code, *, and the new one");
        };
        if new.is_empty() || new.len() > LONGEST || !new.bytes().all(|digit| digit.is_ascii_digit()) {
            return refused(format!("a login code has 1 to {LONGEST} digits"));
        }
        let is = |hash: &str, digits: &str| is_code(hash, self.extension, self.realm, digits);
        let before = match &present.login_code {
            Some(own) if is(&own.hash, old) => Some(own.hash.clone()),
            Some(own) if is(&own.hash, new) && own.before.as_ref().is_some_and(|before| is(before, old)) => {
                return Ok(own.clone());
            }
            None if old.is_empty() => None,
            Some(_) | None => return Err(Refused::WrongCode),
        };
        Ok(ChangedCode { hash: code_hash(self.extension, self.realm, new), before })
    }
}

/// What nobody would reach who dialled it.
fn reaches_nobody(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Extension(_) | Outcome::Trunk(_) | Outcome::BreakOut(_) | Outcome::NoRoute => None,
        Outcome::Busy => Some("this number is barred"),
        Outcome::Emergency(_) | Outcome::EmergencyAtOrigin { .. } => Some("it is an emergency number"),
        Outcome::NotFound => Some("there is no such number"),
        Outcome::Incomplete => Some("the number is incomplete"),
        Outcome::LoopDetected => Some("it leads in a circle"),
        Outcome::Feature { .. } => Some("it is a feature code"),
        // Said already.
        Outcome::Barred(_) | Outcome::Forbidden(_) => None,
    }
}

fn without_a_number_nothing_is_on(next: &mut Effective) {
    let unconditional = next.unconditional.clone();
    for forward in [&mut next.unconditional, &mut next.busy, &mut next.no_answer] {
        forward.on &= forward.number_or(&unconditional).is_some();
    }
}

fn refused<T>(why: impl Into<std::borrow::Cow<'static, str>>) -> Result<T, Refused> {
    Err(Refused::For(Rejection::warned(Status::FORBIDDEN, why)))
}

impl From<Refused> for Rejection {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::WrongCode => Rejection::warned(Status::FORBIDDEN, "wrong code"),
            Refused::For(rejection) => rejection,
        }
    }
}

#[cfg(test)]
mod tests;
