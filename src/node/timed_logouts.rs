//! Logouts that come by themselves, or for many at once (SPEC 12.5): at a time of day, for being idle, all visitors of the site.
//!
//! Visitors here, and users of this site who sit at somebody else's phone (SPEC 10.2), which its own user has again then: a user with a phone
//! at home has it as its own, as the owner of a base extension has. Nothing of it is remembered but what the records have: who logged in before the clock last showed the time is to go, whether this process was
//! there then or not. A call in progress is waited for, and so is a phone that rings; but ringing alone is no call, and who was not
//! called and did not call goes afterwards.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::handover::Parcel;
use super::logout::cause;
use super::tasks::{Then, Timer};
use super::{Config, Node};
use crate::hot_desk;
use crate::ids::{Extension, LoginNumber};
use crate::location::{Activity, Forced, Record, Resident, Seat, Visitor};
use crate::settings::Site;
use crate::timing::{Now, TimeOfDay, Wall};

/// So many users are logged out at once; their home sites are told of each.
const AT_ONCE: usize = 50;
/// The next ones go after so long.
const PACE: Duration = Duration::from_millis(100);
/// Who is to go and has a call is looked at so often.
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

/// Somebody who may have to go.
enum Guest {
    Visitor(Visitor),
    /// A user of this site at phones of others.
    Sitter(Resident),
}

impl Guest {
    /// Who sits here.
    fn of(record: &Record) -> Option<Self> {
        match record {
            Record::Visitor(visitor) => Some(Guest::Visitor(visitor.clone())),
            Record::Resident(resident) if !resident.seats.is_empty() => Some(Guest::Sitter(resident.clone())),
            Record::Resident(_) => None,
        }
    }

    /// Since when; of several phones the one where the user sits for longest.
    fn since(&self) -> Wall {
        match self {
            Guest::Visitor(visitor) => visitor.since,
            Guest::Sitter(resident) => resident.seats.iter().map(|seat| seat.since).min().unwrap_or_default(),
        }
    }

    /// When the user last did something; `None`: nobody knows.
    fn active_at(&self) -> Option<Instant> {
        match self {
            Guest::Visitor(visitor) => Some(visitor.active_at),
            Guest::Sitter(resident) => resident.active.map(|active| active.at),
        }
    }

    fn visitor(self) -> Option<Visitor> {
        match self {
            Guest::Visitor(visitor) => Some(visitor),
            Guest::Sitter(_) => None,
        }
    }
}

/// When and why they go.
struct Rules {
    clock: Option<(TimeOfDay, Wall)>,
    idle: Option<Duration>,
}

/// What a look at one of them says.
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
        let visitors = self.guests().into_iter().filter_map(|(who, guest)| Some((who, guest.visitor()?.login)));
        self.timed_logouts.ordered = visitors.collect();
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
        let guests = self.guests();
        // Who has gone meanwhile need not be sent away, nor be when it comes again.
        self.timed_logouts.ordered.retain(|who, _| guests.binary_search_by(|(known, _)| known.cmp(who)).is_ok());
        for (extension, guest) in guests {
            match self.fate(now, &rules, &extension, &guest) {
                Fate::Stays => {}
                Fate::StaysUntil(at) => wake(at),
                Fate::GoesAfterTheCall => wake(now.instant + BUSY),
                Fate::Goes(_) if going.len() == AT_ONCE => wake(now.instant + PACE),
                Fate::Goes(why) => going.push((extension, guest, why)),
            }
        }
        rules.next(&self.config.site, now).into_iter().for_each(wake);
        for (extension, guest, why) in going {
            self.timed_logouts.ordered.remove(&extension);
            match guest {
                Guest::Visitor(visitor) => self.end_visit(now, &extension, &visitor, why),
                Guest::Sitter(resident) => self.end_seats(now, &rules, &extension, &resident, why),
            }
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

    fn fate(&self, now: Now, rules: &Rules, extension: &Extension, guest: &Guest) -> Fate {
        if let Guest::Visitor(visitor) = guest
            && self.timed_logouts.ordered.get(extension) == Some(&visitor.login)
        {
            return Fate::Goes(Forced::Operator);
        }
        let by_clock = rules.clock.filter(|(_, last)| guest.since() < *last);
        let idle_until = rules.idle.and_then(|idle| Some(guest.active_at()? + idle));
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

    /// A user of this site leaves phones of others: by the clock those where the user sat at that time.
    fn end_seats(&mut self, now: Now, rules: &Rules, user: &Extension, resident: &Resident, why: Forced) {
        let last = rules.clock.map(|(_, last)| last).filter(|_| matches!(why, Forced::Clock(_)));
        let is_left = |seat: &Seat| last.is_none_or(|last| seat.since < last);
        self.resident_stands_up(now, user, resident, is_left, cause(why), None);
    }

    /// Those whose records are this shard's, as the next request for them is judged.
    fn guests(&self) -> Vec<(Extension, Guest)> {
        let own = self.location.snapshot().into_iter().filter(|(extension, _)| self.writes_for(extension));
        let here = own.filter_map(|(extension, _)| {
            let view = self.location.view(extension.as_str());
            let guest = view.as_deref().and_then(Guest::of);
            guest.map(|guest| (extension, guest))
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
        let next = match view.as_deref().and_then(Guest::of) {
            Some(Guest::Visitor(visitor)) => {
                Record::Visitor(Visitor { active_at: now.instant, active_wall: now.wall, ..visitor })
            }
            Some(Guest::Sitter(resident)) => {
                let active = Some(Activity { at: now.instant, wall: now.wall });
                Record::Resident(Resident { active, ..resident })
            }
            None => return,
        };
        self.extend(now, extension, next, Then::default());
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
