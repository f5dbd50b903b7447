//! The response context (RFC 3261 §16.7): the branches of one request, and which answer goes back.
//!
//! ```text
//!              1xx: pass on                     2xx: pass on, cancel the others
//!   Trying ───────────────────► Trying ───────────────────────────────────────► Answered ─► 2xx: pass on
//!      │ every branch of the stage has failed
//!      ├── the rule says go on, and there is a stage ──► Next(stage)
//!      └── else ──► Finish: the best response, and the context is over, unless the call is forwarded: resume
//!   6xx, and 3xx of a phone: cancel the others, and no further stage (§16.7 step 5)
//! ```
//!
//! Every state × rule × input is in `snapshots/`. A branch that is given up (silent for too long, or not answered in time) may still
//! bring a 2xx: it is passed on.

use std::collections::VecDeque;

use bytes::Bytes;

use super::targets::{Rule, Stage};
use crate::sip::Status;

/// A final response kept until the others have come.
#[derive(Clone, Debug)]
pub struct Best {
    /// Its status.
    pub status: Status,
    /// It, as it goes upstream; `None`: one of our own making.
    pub bytes: Option<Bytes>,
}

/// What came from a branch.
#[derive(Clone, Debug)]
pub enum Input {
    /// 101 to 199.
    Provisional {
        /// 18x: what rings, or is about to, is not taken away again (SPEC 6.6).
        rings: bool,
    },
    /// 2xx.
    Success,
    /// 3xx to 6xx.
    Failure {
        /// The status.
        status: Status,
        /// It, as it goes upstream; `None`: one of our own making.
        bytes: Option<Bytes>,
        /// Its `Reason: Q.850` cause.
        cause: Option<u16>,
        /// The other site proves that it is not for it: the user is not there, or the number is to be dialled here.
        not_here: bool,
    },
    /// No response at all in the time that the rule grants.
    Silence,
    /// Timer B, F or C ran out after something had been heard or nothing was to be expected sooner.
    TimedOut,
    /// The network says that nobody is there.
    Unreachable,
}

/// What to do about it.
#[derive(Debug)]
pub enum Step {
    /// Nothing.
    Hold,
    /// Pass the response on.
    Pass,
    /// Pass the 2xx on and cancel the other branches.
    PassAndCancel,
    /// Cancel the other branches; their finals are awaited.
    Cancel,
    /// Start this stage.
    Next(Stage),
    /// The best response is final; the context is over.
    Finish(Best),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Branch {
    Calling,
    Proceeding,
    /// Not waited for any more: a final response may come, and a 2xx counts.
    GivenUp,
    Failed,
    Answered,
}

/// The state of one forwarded request.
#[derive(Debug)]
pub struct Context {
    branches: Vec<(Branch, Rule)>,
    stages: VecDeque<Stage>,
    best: Option<Best>,
    /// The 401 and 407 that came: the answer has the challenges of all of them (§16.7 step 7).
    challenges: Vec<Bytes>,
    answered: bool,
    rang: bool,
    stopped: bool,
    cancelled: bool,
}

impl Context {
    /// A context with these stages still to be tried, and the first stage, which is to be started now.
    pub fn new(stages: Vec<Stage>) -> (Self, Option<Stage>) {
        let mut stages = VecDeque::from(stages);
        let first = stages.pop_front();
        let context = Self {
            branches: Vec::new(),
            stages,
            best: None,
            challenges: Vec::new(),
            answered: false,
            rang: false,
            stopped: false,
            cancelled: false,
        };
        (context, first)
    }

    /// A branch was sent, to a target with this rule; its number.
    pub fn begin(&mut self, rule: Rule) -> usize {
        self.branches.push((Branch::Calling, rule));
        self.branches.len() - 1
    }

    /// The rule of the branch that was sent last.
    pub fn last_rule(&self) -> Option<Rule> {
        self.branches.last().map(|&(_, rule)| rule)
    }

    /// The branches without a final response.
    pub fn pending(&self) -> impl Iterator<Item = usize> {
        let open =
            |&(_, (branch, _)): &(usize, &(Branch, Rule))| matches!(branch, Branch::Calling | Branch::Proceeding);
        self.branches.iter().enumerate().filter(open).map(|(at, _)| at)
    }

    /// Whether the branch is still awaited, and the caller still waits.
    pub fn is_wanted(&self, branch: usize) -> bool {
        !self.stopped && !self.answered && self.pending().any(|pending| pending == branch)
    }

    /// Whether nothing at all was heard from the branch.
    pub fn is_silent(&self, branch: usize) -> bool {
        matches!(self.branches.get(branch), Some((Branch::Calling, _)))
    }

    /// A 100 came: the branch is no longer silent, and nothing else changes.
    pub fn heard(&mut self, branch: usize) {
        if let Some((state @ Branch::Calling, _)) = self.branches.get_mut(branch) {
            *state = Branch::Proceeding;
        }
    }

    /// The branch is sent once more, with an answer to its challenge (SPEC 9.10): nothing was heard of it yet.
    pub fn again(&mut self, branch: usize) {
        if let Some((state @ Branch::Proceeding, _)) = self.branches.get_mut(branch) {
            *state = Branch::Calling;
        }
    }

    /// Stages that are tried before those that are left.
    pub fn insert(&mut self, stages: Vec<Stage>) {
        stages.into_iter().rev().for_each(|stage| self.stages.push_front(stage));
    }

    /// The rule of a branch.
    pub fn rule(&self, branch: usize) -> Option<Rule> {
        self.branches.get(branch).map(|&(_, rule)| rule)
    }

    /// Whether something else may still be tried: nobody has answered, and the caller waits.
    pub fn is_open(&self) -> bool {
        !self.answered && !self.cancelled
    }

    /// Whether another way may be tried: nothing has come that ends the search.
    pub fn may_go_on(&self) -> bool {
        self.is_open() && !self.stopped
    }

    /// Whether anything rang since the last stages were set.
    pub fn has_rung(&self) -> bool {
        self.rang
    }

    /// The status of the best response so far.
    pub fn best_status(&self) -> Option<Status> {
        self.best.as_ref().map(|best| best.status)
    }

    /// The 401 and 407 that came, as they go upstream.
    pub fn challenges(&self) -> &[Bytes] {
        &self.challenges
    }

    /// Whether a 2xx may still come of a branch that nobody waits for.
    pub fn may_be_late(&self) -> bool {
        self.branches.iter().any(|&(branch, _)| branch == Branch::GivenUp)
    }

    /// The call goes on elsewhere (SPEC 9.3): what rings is given up, and these stages are tried instead. The first one is to be
    /// started now. What became of the earlier branches is no answer to the caller any more.
    pub fn resume(&mut self, stages: Vec<Stage>) -> Option<Stage> {
        let pending: Vec<usize> = self.pending().collect();
        pending.into_iter().for_each(|branch| self.branches[branch].0 = Branch::GivenUp);
        self.stages = VecDeque::from(stages);
        (self.best, self.rang, self.stopped) = (None, false, false);
        self.challenges.clear();
        self.stages.pop_front()
    }

    /// The caller cancels: no further stage is begun. The node cancels the pending branches.
    pub fn cancel(&mut self) {
        (self.stopped, self.cancelled) = (true, true);
        self.stages.clear();
    }

    /// The table. An unknown branch, or one that is over, changes nothing, but for a late 2xx.
    pub fn on(&mut self, branch: usize, input: Input) -> Step {
        let Some(&(state, rule)) = self.branches.get(branch) else { return Step::Hold };
        match (state, input) {
            (Branch::Calling | Branch::Proceeding, Input::Provisional { rings }) => {
                self.branches[branch].0 = Branch::Proceeding;
                self.rang |= rings;
                if self.answered { Step::Hold } else { Step::Pass }
            }
            // §16.7 step 5: every 2xx to INVITE is passed on at once, later ones too.
            (
                Branch::Calling | Branch::Proceeding | Branch::GivenUp | Branch::Failed | Branch::Answered,
                Input::Success,
            ) => {
                self.branches[branch].0 = Branch::Answered;
                self.stages.clear();
                if std::mem::replace(&mut self.answered, true) { Step::Pass } else { Step::PassAndCancel }
            }
            (Branch::Calling | Branch::Proceeding, Input::Failure { status, bytes, cause, not_here }) => {
                let go_on = not_here || self.goes_on(rule, status, cause);
                self.branches[branch].0 = Branch::Failed;
                self.fail(branch, Best { status, bytes }, go_on)
            }
            (Branch::Calling, Input::Silence | Input::Unreachable | Input::TimedOut) => {
                self.branches[branch].0 = Branch::GivenUp;
                self.fail(branch, Best { status: silent_status(rule), bytes: None }, true)
            }
            (Branch::Proceeding, Input::TimedOut | Input::Unreachable) => {
                self.branches[branch].0 = Branch::GivenUp;
                let go_on = match rule {
                    Rule::Phones | Rule::Member | Rule::Emergency => true,
                    // As after 408 (RFC 3261 §16.8), or an ICMP error (SPEC 6.6).
                    Rule::Trunk => !self.rang,
                    Rule::Visited | Rule::Site | Rule::Dialog | Rule::Voicemail => false,
                };
                self.fail(branch, Best { status: Status::REQUEST_TIMEOUT, bytes: None }, go_on)
            }
            (Branch::Proceeding, Input::Silence) => Step::Hold,
            (Branch::GivenUp, Input::Failure { .. }) => {
                self.branches[branch].0 = Branch::Failed;
                Step::Hold
            }
            (Branch::GivenUp, Input::Provisional { .. } | Input::Silence | Input::TimedOut | Input::Unreachable)
            | (
                Branch::Failed | Branch::Answered,
                Input::Provisional { .. }
                | Input::Failure { .. }
                | Input::Silence
                | Input::TimedOut
                | Input::Unreachable,
            ) => Step::Hold,
        }
    }

    fn fail(&mut self, branch: usize, failed: Best, go_on: bool) -> Step {
        // What SPEC 6.6 goes on after, it goes on after whatever the class: a gateway may say 603 and mean cause 34.
        let decline = !go_on && declines(self.branches[branch].1, failed.status);
        if decline || !go_on {
            self.stopped = true;
        }
        self.keep(failed);
        if self.answered {
            return Step::Hold;
        }
        if self.pending().next().is_some() {
            return if decline { Step::Cancel } else { Step::Hold };
        }
        if self.stopped {
            self.stages.clear();
        }
        match self.stages.pop_front() {
            Some(stage) => Step::Next(stage),
            None => Step::Finish(self.outcome()),
        }
    }

    /// A cancelled request that nobody answered ends as a cancelled one (RFC 3261 §9.2).
    fn outcome(&mut self) -> Best {
        let best = self.best.take().unwrap_or(Best { status: Status::REQUEST_TIMEOUT, bytes: None });
        if self.cancelled && best.bytes.is_none() {
            return Best { status: Status::REQUEST_TERMINATED, bytes: None };
        }
        best
    }

    /// §16.7 step 6: 6xx before all, else the lowest class; within 4xx those that tell the caller what to do.
    fn keep(&mut self, new: Best) {
        if matches!(new.status, Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED) {
            self.challenges.extend(new.bytes.clone());
        }
        let better = self.best.as_ref().is_none_or(|best| rank(new.status) < rank(best.status));
        if better {
            self.best = Some(new);
        }
    }

    fn goes_on(&self, rule: Rule, status: Status, cause: Option<u16>) -> bool {
        match rule {
            Rule::Phones => !declines(rule, status),
            Rule::Member | Rule::Emergency => true,
            Rule::Visited | Rule::Site | Rule::Dialog | Rule::Voicemail => false,
            Rule::Trunk => !self.rang && trunk_failed(status, cause),
        }
    }
}

/// Whether an answer speaks for all phones that ring beside that one. §16.7 step 5: a 6xx ends the search; but nothing ends the
/// search for help (SPEC 6.7), and one member does not speak for a group. A phone that sends the call elsewhere (SPEC 9.1) does so
/// for its user.
fn declines(rule: Rule, status: Status) -> bool {
    match rule {
        Rule::Member | Rule::Emergency => false,
        Rule::Phones => matches!(status.class(), 3 | 6),
        Rule::Visited | Rule::Site | Rule::Trunk | Rule::Dialog | Rule::Voicemail => status.class() == 6,
    }
}

/// What silence means to the caller.
fn silent_status(rule: Rule) -> Status {
    match rule {
        Rule::Site => Status::SERVER_TIMEOUT,
        Rule::Visited | Rule::Trunk | Rule::Emergency | Rule::Voicemail => Status::TEMPORARILY_UNAVAILABLE,
        Rule::Phones | Rule::Member | Rule::Dialog => Status::REQUEST_TIMEOUT,
    }
}

/// SPEC 6.6: the answers after which the next trunk is tried.
fn trunk_failed(status: Status, cause: Option<u16>) -> bool {
    matches!(status.0, 401 | 403 | 407 | 408 | 500 | 502 | 503 | 504 | 580)
        || matches!(cause, Some(27 | 34 | 38 | 41 | 42 | 44 | 47))
}

fn rank(status: Status) -> (u8, u16) {
    match status.0 {
        600.. => (0, status.0),
        300..=399 => (1, status.0),
        // §16.7 step 6: those that tell the caller what to change.
        401 | 407 | 415 | 420 | 484 => (2, 0),
        // A phone that is busy says more of its user than one that is off the net or was cancelled.
        486 => (3, 0),
        408 | 480 | 487 => (4, status.0),
        400..=499 => (3, status.0),
        // §16.7 step 6: an overloaded server is the last thing to speak of.
        503 => (6, status.0),
        _ => (5, status.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A context with as many stages as there are rules, and how branches of the first one begin.
    fn context(rules: &[Rule]) -> Begun {
        let stages = rules.iter().map(|_| Stage { targets: Vec::new() }).collect();
        Begun { context: Context::new(stages).0, rules: rules.to_vec() }
    }

    struct Begun {
        context: Context,
        rules: Vec<Rule>,
    }

    impl Begun {
        /// A branch of the stage that is being tried.
        fn begin(&mut self) -> usize {
            let left = self.context.stages.len();
            self.context.begin(self.rules[self.rules.len() - 1 - left.min(self.rules.len() - 1)])
        }
    }

    impl std::ops::Deref for Begun {
        type Target = Context;

        fn deref(&self) -> &Context {
            &self.context
        }
    }

    impl std::ops::DerefMut for Begun {
        fn deref_mut(&mut self) -> &mut Context {
            &mut self.context
        }
    }

    fn failure(status: u16) -> Input {
        Input::Failure { status: Status(status), bytes: None, cause: None, not_here: false }
    }

    fn finish(step: Step) -> u16 {
        match step {
            Step::Finish(best) => best.status.0,
            step => panic!("not over: {step:?}"),
        }
    }

    #[test]
    fn the_best_response_waits_for_every_branch() {
        let mut context = context(&[Rule::Phones]);
        let (a, b) = (context.begin(), context.begin());
        assert!(matches!(context.on(a, failure(404)), Step::Hold));
        assert_eq!(finish(context.on(b, failure(486))), 486);
    }

    #[test]
    fn the_best_response_is_the_one_of_most_use_to_the_caller() {
        for (best, others) in [
            (603, [302, 401]),
            (302, [401, 486]),
            (407, [486, 404]),
            (484, [486, 500]),
            (486, [404, 480]),
            (404, [408, 480]),
            (488, [480, 487]),
            (480, [487, 500]),
            (500, [503, 503]),
        ] {
            let mut context = context(&[Rule::Member]);
            let branches = [context.begin(), context.begin(), context.begin()];
            context.on(branches[0], failure(others[0]));
            context.on(branches[1], failure(best));
            assert_eq!(finish(context.on(branches[2], failure(others[1]))), best, "{others:?}");
        }
    }

    #[test]
    fn every_challenge_is_kept_for_the_answer() {
        let mut context = context(&[Rule::Phones]);
        let (a, b) = (context.begin(), context.begin());
        let challenge = |status, text: &'static str| Input::Failure {
            status: Status(status),
            bytes: Some(Bytes::from_static(text.as_bytes())),
            cause: None,
            not_here: false,
        };
        context.on(a, challenge(407, "a"));
        assert_eq!(finish(context.on(b, challenge(401, "b"))), 407);
        assert_eq!(context.challenges(), ["a", "b"]);
    }

    #[test]
    fn a_call_that_goes_on_elsewhere_forgets_how_it_failed_but_not_who_may_still_answer() {
        let mut context = context(&[Rule::Phones, Rule::Phones]);
        let (a, b) = (context.begin(), context.begin());
        context.on(a, Input::Provisional { rings: true });
        context.on(b, failure(486));
        assert!(context.has_rung() && !context.may_be_late());
        assert!(context.resume(vec![Stage { targets: Vec::new() }]).is_some());
        assert!(!context.has_rung() && context.may_be_late() && context.pending().next().is_none());
        let c = context.context.begin(Rule::Trunk);
        assert!(matches!(context.on(a, Input::Provisional { rings: true }), Step::Hold));
        assert_eq!(finish(context.on(c, failure(404))), 404);
        assert!(matches!(context.on(a, Input::Success), Step::PassAndCancel));
    }

    #[test]
    fn a_6xx_of_one_member_does_not_speak_for_the_group() {
        let mut context = context(&[Rule::Member]);
        let (a, b) = (context.begin(), context.begin());
        assert!(matches!(context.on(a, failure(603)), Step::Hold));
        assert!(matches!(context.on(b, Input::Success), Step::PassAndCancel));
    }

    /// RFC 3261 §16.7, every rule × state × input; in each row what follows with a further stage and without one, beside another
    /// branch that still rings, and after a 2xx.
    #[test]
    fn every_rule_state_and_input() {
        use std::fmt::Write as _;
        let rules = [
            Rule::Phones,
            Rule::Member,
            Rule::Visited,
            Rule::Site,
            Rule::Trunk,
            Rule::Emergency,
            Rule::Voicemail,
            Rule::Dialog,
        ];
        let states = [Branch::Calling, Branch::Proceeding, Branch::GivenUp, Branch::Failed, Branch::Answered];
        let mut text = String::new();
        for rule in rules {
            for state in states {
                for (name, input) in inputs() {
                    let situations = ["last", "more", "rings", "answered"];
                    let outcomes = situations.map(|situation| outcome(rule, state, situation, input.clone()));
                    let next = &outcomes[1].1;
                    let steps = situations.iter().zip(&outcomes).map(|(s, (step, _))| format!("{s}: {step:<13}"));
                    let steps: Vec<String> = steps.collect();
                    let row = format!("{:<10}{:<12}{name:<13}{next:<12}", format!("{rule:?}"), format!("{state:?}"));
                    let _ = writeln!(text, "{row}{}", steps.join(" ").trim_end());
                }
            }
            text.push('\n');
        }
        insta::assert_snapshot!(text);
    }

    fn inputs() -> Vec<(&'static str, Input)> {
        let not_here = Input::Failure { status: Status(480), bytes: None, cause: None, not_here: true };
        let congested = Input::Failure { status: Status(480), bytes: None, cause: Some(34), not_here: false };
        vec![
            ("199", Input::Provisional { rings: false }),
            ("18x", Input::Provisional { rings: true }),
            ("2xx", Input::Success),
            ("302", failure(302)),
            ("404", failure(404)),
            ("407", failure(407)),
            ("486", failure(486)),
            ("503", failure(503)),
            ("603", failure(603)),
            ("Q.850 34", congested),
            ("not here", not_here),
            ("silence", Input::Silence),
            ("timed out", Input::TimedOut),
            ("unreachable", Input::Unreachable),
        ]
    }

    /// The step, and the state that the branch is in then.
    fn outcome(rule: Rule, state: Branch, situation: &str, input: Input) -> (String, String) {
        let stage = || Stage { targets: Vec::new() };
        let stages = if situation == "more" { vec![stage(), stage()] } else { vec![stage()] };
        let (mut context, _) = Context::new(stages);
        let branch = context.begin(rule);
        context.branches[branch].0 = state;
        context.rang = state == Branch::Proceeding;
        if situation == "rings" {
            let other = context.begin(rule);
            context.branches[other].0 = Branch::Proceeding;
        }
        context.answered = situation == "answered" || state == Branch::Answered;
        let step = match context.on(branch, input) {
            Step::Hold => "-".to_owned(),
            Step::Pass => "pass".to_owned(),
            Step::PassAndCancel => "pass + cancel".to_owned(),
            Step::Cancel => "cancel".to_owned(),
            Step::Next(_) => "next stage".to_owned(),
            Step::Finish(best) => format!("finish {}", best.status),
        };
        let next = context.branches[branch].0;
        (step, if next == state { "·".to_owned() } else { format!("{next:?}") })
    }

    #[test]
    fn a_2xx_is_passed_on_and_cancels_the_others_and_so_is_every_later_one() {
        let mut context = context(&[Rule::Phones]);
        let (a, b) = (context.begin(), context.begin());
        assert!(matches!(context.on(a, Input::Success), Step::PassAndCancel));
        assert!(matches!(context.on(b, Input::Success), Step::Pass));
        assert!(matches!(context.on(a, Input::Success), Step::Pass));
    }

    #[test]
    fn a_6xx_cancels_the_others_and_ends_the_search() {
        let mut context = context(&[Rule::Phones, Rule::Phones]);
        let (a, b) = (context.begin(), context.begin());
        assert!(matches!(context.on(a, failure(603)), Step::Cancel));
        assert_eq!(finish(context.on(b, failure(487))), 603);
    }

    #[test]
    fn in_a_group_each_member_fails_by_its_own_rule() {
        let (mut context, _) = Context::new(vec![Stage { targets: Vec::new() }]);
        let (phone, away) = (context.begin(Rule::Phones), context.begin(Rule::Visited));
        assert!(matches!(context.on(away, Input::Silence), Step::Hold));
        assert!(matches!(context.on(phone, Input::Success), Step::PassAndCancel));
    }

    #[test]
    fn the_next_stage_begins_when_all_phones_of_a_stage_failed() {
        let mut context = context(&[Rule::Phones, Rule::Phones]);
        let a = context.begin();
        assert!(matches!(context.on(a, failure(486)), Step::Next(_)));
        let b = context.begin();
        assert_eq!(finish(context.on(b, Input::TimedOut)), 486);
    }

    #[test]
    fn a_visited_site_that_is_silent_gives_way_and_one_that_answers_does_not() {
        let mut silent = context(&[Rule::Visited, Rule::Phones]);
        let a = silent.begin();
        assert!(matches!(silent.on(a, Input::Silence), Step::Next(_)));
        let mut busy = context(&[Rule::Visited, Rule::Phones]);
        let a = busy.begin();
        assert_eq!(finish(busy.on(a, failure(486))), 486);
        let mut gone = context(&[Rule::Visited, Rule::Phones]);
        let a = gone.begin();
        let not_here = Input::Failure { status: Status(480), bytes: None, cause: None, not_here: true };
        assert!(matches!(gone.on(a, not_here), Step::Next(_)));
    }

    #[test]
    fn the_late_2xx_of_a_branch_that_was_given_up_is_passed_on() {
        let mut context = context(&[Rule::Visited, Rule::Phones]);
        let a = context.begin();
        assert!(matches!(context.on(a, Input::Silence), Step::Next(_)));
        context.begin();
        assert!(matches!(context.on(a, Input::Provisional { rings: true }), Step::Hold));
        assert!(matches!(context.on(a, Input::Success), Step::PassAndCancel));
    }

    #[test]
    fn a_trunk_gives_way_by_status_or_cause_but_not_after_it_rang() {
        for (status, goes_on) in [(403, true), (503, true), (404, false), (486, false), (603, false)] {
            let mut context = context(&[Rule::Trunk, Rule::Trunk]);
            let a = context.begin();
            assert_eq!(matches!(context.on(a, failure(status)), Step::Next(_)), goes_on, "{status}");
        }
        let mut rang = context(&[Rule::Trunk, Rule::Trunk]);
        let a = rang.begin();
        assert!(matches!(rang.on(a, Input::Provisional { rings: true }), Step::Pass));
        assert_eq!(finish(rang.on(a, failure(503))), 503);
        let mut cause = context(&[Rule::Trunk, Rule::Trunk]);
        let a = cause.begin();
        let busy = Input::Failure { status: Status(480), bytes: None, cause: Some(34), not_here: false };
        assert!(matches!(cause.on(a, busy), Step::Next(_)));
    }

    #[test]
    fn nothing_but_2xx_ends_the_search_for_help_while_there_is_a_trunk() {
        let mut context = context(&[Rule::Emergency, Rule::Emergency]);
        let a = context.begin();
        assert!(matches!(context.on(a, failure(603)), Step::Next(_)));
    }

    #[test]
    fn a_cancelled_request_that_meets_silence_ends_as_cancelled() {
        let mut context = context(&[Rule::Trunk, Rule::Trunk]);
        let a = context.begin();
        context.cancel();
        assert_eq!(finish(context.on(a, Input::Silence)), 487);
    }

    #[test]
    fn a_cancelled_context_begins_no_further_stage() {
        let mut context = context(&[Rule::Phones, Rule::Phones]);
        let a = context.begin();
        context.cancel();
        assert_eq!(finish(context.on(a, failure(487))), 487);
    }
}
