//! Groups (SPEC 3: `groups`): whom a number rings that stands for several users, and who is called after them.

use super::Node;
use super::forwards::{Found, Search};
use crate::plan::Trace;
use crate::proxy::{Called, Cause, Diversion, MOST_FORWARDS, Ringing, Rule, Stage, Target};
use crate::rejection::Rejection;
use crate::settings::{Group, Ring};
use crate::sip::{Method, Status};
use crate::timing::Now;

impl Node {
    /// A group from one of its members on: all at once, or one after another, and then whoever is called after it (SPEC 3).
    pub(super) fn ring_group(&self, now: Now, search: &mut Search<'_>, group: &Group, from: usize) -> Found {
        let member = |search: &Search<'_>, at: usize| {
            // Whoever has sent the call on is not called by the group again.
            let extension = group.members.get(at).filter(|member| !search.was_at(member.as_str()))?;
            self.extension_stages(now.instant, &Method::INVITE, extension.as_str(), &search.claims).ok()
        };
        let last = group.members.len();
        let called = |next| Called::Group { extension: group.extension.clone(), next };
        let more = |next| next < last || group.then.is_some();
        match group.ring {
            Ring::All if from == 0 => {
                let together = all_at_once((0..last).filter_map(|at| member(search, at)));
                if !together.is_empty() {
                    let after = more(last).then_some(group.after);
                    return Ok(Ringing { stages: together, called: called(last), after, lines: None });
                }
            }
            Ring::All => {}
            Ring::InTurn => {
                for at in from..last {
                    if let Some(stages) = member(search, at) {
                        let after = more(at + 1).then_some(group.after);
                        return Ok(Ringing { stages, called: called(at + 1), after, lines: None });
                    }
                }
            }
        }
        self.after_group(now, search, group)
    }

    fn after_group(&self, now: Now, search: &mut Search<'_>, group: &Group) -> Found {
        let nobody = || Rejection::because(Status::TEMPORARILY_UNAVAILABLE, "Nobody Answers");
        let then = group.then.as_deref().ok_or_else(nobody)?;
        if search.claims.forwards >= MOST_FORWARDS || !self.may_go_to(search, &group.extension, then) {
            return Err(nobody());
        }
        search.claims.forwards += 1;
        search.diversions.push(Diversion {
            from: group.extension.clone(),
            number: None,
            domain: self.entry().domain.clone(),
            cause: Cause::NoAnswer,
            to: then.to_owned(),
            to_domain: self.domain_at_home(then),
        });
        let decision = self.asking(now, |around| self.config.plan.route_extension(then, around, Trace::off()));
        self.lead(now, search, &decision)
    }
}

/// The first stages of all members ring together, then their second ones; of a member who is at another site that site alone.
pub(super) fn all_at_once(members: impl Iterator<Item = Vec<Stage>>) -> Vec<Stage> {
    let mut together: Vec<Stage> = Vec::new();
    for mut stages in members {
        if stages.first().is_some_and(|stage| stage.targets.iter().any(Target::is_site)) {
            stages.truncate(1);
        }
        for (at, stage) in stages.into_iter().enumerate() {
            let targets = stage.targets.into_iter().map(|target| Target { rule: Rule::Member, ..target });
            match together.get_mut(at) {
                Some(there) => there.targets.extend(targets),
                None => together.push(Stage { targets: targets.collect() }),
            }
        }
    }
    together
}
