//! Logouts that come by themselves, or for many at once (SPEC 12.5): at a time of day, for being idle, all visitors of the site.
//!
//! Only users who are visitors here: a user with a phone at home has it as its own, as the owner of a base extension has. Nothing of
//! it is remembered but what the records have: who logged in before the clock last showed the time is to go, whether this process was
//! there then or not. A call in progress is waited for, and so is a phone that rings; but ringing alone is no call, and who was not
//! called and did not call goes afterwards.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::handover::Parcel;
use super::tasks::{Then, Timer};
use super::{Config, Node};
use crate::hot_desk;
use crate::ids::{Extension, LoginNumber};
use crate::location::{Forced, Record, Visitor};
use crate::settings::Site;
use crate::timing::{Now, TimeOfDay, Wall};

/// So many visitors are logged out at once; their home sites are told of each.
const AT_ONCE: usize = 50;
/// The next ones go after so long.
const PACE: Duration = Duration::from_millis(100);
/// A visitor who is to go and has a call is looked at so often.
const BUSY: Duration = Duration::from_secs(1);
/// The clock on the wall may be set: it is looked at so often.
const LOOK: Duration = Duration::from_secs(60);

/// What is known beside the records.
#[derive(Debug, Default)]
pub(super) struct TimedLogouts {
    /// Times before this do not count: the configuration did not have them.
    counts_from: Wall,
    /// Who goes by an operator's word, and by which login.
    ordered: BTreeMap<Extension, LoginNumber>,
}

/// When and why visitors go.
struct Rules {
    clock: Option<(TimeOfDay, Wall)>,
    idle: Option<Duration>,
}

/// What a look at one visitor says.
enum Fate {
    Stays,
    /// For now: until then.
    StaysUntil(Instant),
    GoesAfterTheCall,
    Goes(Forced),
}

impl Node {
    /// An operator ends all visits here; whoever logs in from now on stays.
    pub(super) fn log_visitors_out(&mut self, now: Now) {
        self.timed_logouts.ordered = self.visitors().into_iter().map(|(who, visitor)| (who, visitor.login)).collect();
        self.timers.arm(&Timer::Logouts, now.instant);
    }

    /// The site begins to serve.
    pub(super) fn schedule_logouts(&mut self, now: Now) {
        let hot_desk = &self.config.site.hot_desk;
        if hot_desk.logout_at.is_some() || !hot_desk.idle_logout.is_zero() {
            self.timers.arm(&Timer::Logouts, now.instant);
        }
    }

    /// The configuration is another: another time of day holds from now on.
    pub(super) fn schedule_logouts_anew(&mut self, now: Now, before: &Config) {
        let clock = |config: &Config| (config.site.hot_desk.logout_at, config.site.timezone.clone());
        if clock(&self.config) != clock(before) {
            self.timed_logouts.counts_from = now.wall;
        }
        self.schedule_logouts(now);
    }

    /// Who is to go goes; `Timer::Logouts` rings again for the next one.
    pub(super) fn look_at_logouts(&mut self, now: Now) {
        let rules = self.rules(now);
        let (mut going, mut next) = (Vec::new(), None);
        let mut wake = |at: Instant| next = Some(next.map_or(at, |next: Instant| next.min(at)));
        let visitors = self.visitors();
        // Who has gone meanwhile need not be sent away, nor be when it comes again.
        self.timed_logouts.ordered.retain(|who, _| visitors.binary_search_by(|(known, _)| known.cmp(who)).is_ok());
        for (extension, visitor) in visitors {
            match self.fate(now, &rules, &extension, &visitor) {
                Fate::Stays => {}
                Fate::StaysUntil(at) => wake(at),
                Fate::GoesAfterTheCall => wake(now.instant + BUSY),
                Fate::Goes(_) if going.len() == AT_ONCE => wake(now.instant + PACE),
                Fate::Goes(why) => going.push((extension, visitor, why)),
            }
        }
        rules.next(&self.config.site, now).into_iter().for_each(wake);
        for (extension, visitor, why) in going {
            self.timed_logouts.ordered.remove(&extension);
            self.end_visit(now, &extension, &visitor, why);
        }
        next.into_iter().for_each(|next| self.timers.arm(&Timer::Logouts, next));
    }

    fn rules(&self, now: Now) -> Rules {
        let site = &self.config.site;
        let clock = site.hot_desk.logout_at.and_then(|at| {
            let last = hot_desk::last_time(at, site.timezone.as_deref()?, now.wall)?;
            (last > self.timed_logouts.counts_from).then_some((at, last))
        });
        let idle = Some(site.hot_desk.idle_logout).filter(|idle| !idle.is_zero());
        Rules { clock, idle }
    }

    fn fate(&self, now: Now, rules: &Rules, extension: &Extension, visitor: &Visitor) -> Fate {
        if self.timed_logouts.ordered.get(extension) == Some(&visitor.login) {
            return Fate::Goes(Forced::Operator);
        }
        let by_clock = rules.clock.filter(|(_, last)| visitor.since < *last);
        let idle_until = rules.idle.map(|idle| visitor.active_at + idle);
        let why = match (by_clock, idle_until) {
            (Some((at, _)), _) => Forced::Clock(at),
            (None, Some(until)) if until <= now.instant => Forced::Idle,
            (None, Some(until)) => return Fate::StaysUntil(until),
            (None, None) => return Fate::Stays,
        };
        if self.tally().calls_of(extension.as_str()) > 0 {
            return Fate::GoesAfterTheCall;
        }
        Fate::Goes(why)
    }

    /// The visitors whose records are this shard's, as the next request for them is judged.
    fn visitors(&self) -> Vec<(Extension, Visitor)> {
        let own = self.location.snapshot().into_iter().filter(|(extension, _)| self.writes_for(extension));
        let here = own.filter_map(|(extension, _)| {
            let view = self.location.view(extension.as_str());
            let visitor = view.as_deref().and_then(Record::visitor).cloned();
            visitor.map(|visitor| (extension, visitor))
        });
        here.collect()
    }

    /// A call that was answered is over: its users have done something.
    pub(super) fn note_active(&mut self, now: Now, users: impl IntoIterator<Item = Extension>) {
        if self.config.site.hot_desk.idle_logout.is_zero() {
            return;
        }
        for extension in users {
            let owner = self.commons.owners.of_user(extension.as_str());
            self.hand_over(now, owner, Parcel::Active(extension));
        }
    }

    /// The same at the owner.
    pub(super) fn take_active(&mut self, now: Now, extension: &Extension) {
        let view = self.location.view(extension.as_str());
        let Some(visitor) = view.as_deref().and_then(Record::visitor) else { return };
        let next = Visitor { active_at: now.instant, active_wall: now.wall, ..visitor.clone() };
        self.extend(now, extension, Record::Visitor(next), Then::default());
    }
}

impl Rules {
    /// When to look again whatever the visitors do: one who comes meanwhile is not idle before.
    fn next(&self, site: &Site, now: Now) -> Option<Instant> {
        let clock = site.hot_desk.logout_at.and_then(|at| {
            let next = hot_desk::next_time(at, site.timezone.as_deref()?, now.wall)?;
            Some(next.since(now.wall).min(LOOK))
        });
        let idle = self.idle.map(|idle| idle.min(LOOK));
        clock.into_iter().chain(idle).min().map(|span| now.instant + span)
    }
}
