//! Logouts by an operator's word (SPEC 12.5): at home for its own users wherever they are, and for visitors where they are.

use super::Node;
use super::asking::Notice;
use super::tasks::{Licence, Then};
use crate::event::{Event, LoggedOutBy};
use crate::hot_desk;
use crate::ids::{Extension, SiteName};
use crate::location::{Ending, Forced, Record, Resident, Visitor};
use crate::timing::Now;

/// Why home does not know of a logout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Untold {
    /// It is being stored, or told for the first time.
    Soon,
    /// Home has not answered.
    Away,
}

impl Node {
    /// Every shard is told; the owner does it.
    pub(super) fn log_out(&mut self, now: Now, extension: &Extension) {
        if !self.writes_for(extension) {
            return;
        }
        match self.location.view(extension.as_str()).as_deref() {
            Some(Record::Resident(resident)) => self.log_resident_out(now, extension, resident),
            Some(Record::Visitor(visitor)) => self.end_visit(now, extension, visitor, Forced::Operator),
            // Home has not confirmed it since a restart, and is not to.
            None => {
                if let Some(visitor) = self.returning.get(extension).cloned() {
                    self.end_visit(now, extension, &visitor, Forced::Operator);
                }
            }
        }
        self.settle(now);
    }

    fn log_resident_out(&mut self, now: Now, extension: &Extension, resident: &Resident) {
        let here = &self.config.site.name;
        let Some((next, notice)) = hot_desk::force_out(resident, here, Forced::Operator, now) else { return };
        let at = resident.away.as_ref().map_or(here, |away| &away.site).clone();
        let then = Then {
            notices: notice.into_iter().map(|notice| Notice::displace(extension, notice)).collect(),
            events: vec![Event::LoggedOut { extension: extension.clone(), at, by: LoggedOutBy::Operator }],
            ..Then::default()
        };
        self.change(now, extension, Some(Record::Resident(next)), then);
    }

    /// Ends the login of a visitor; home is told, and keeps the phones out.
    pub(super) fn end_visit(&mut self, now: Now, extension: &Extension, visitor: &Visitor, why: Forced) {
        let then = Then {
            licence: Some(Licence::Leave(extension.clone())),
            notices: vec![Notice::visit_ended(extension, &hot_desk::log_out(visitor), Ending::Forced(why))],
            events: vec![self.logged_out(extension, cause(why))],
            ..Then::default()
        };
        self.lose_phones(now, extension, &visitor.bindings);
        self.change(now, extension, None, then);
    }

    /// Whether home does not know yet that a login here was ended by force: until it does, it can't say which phones to keep out, and
    /// one of them may be asking.
    pub(super) fn untold_logout(&self, extension: &Extension, home: &SiteName) -> Option<Untold> {
        let is_of = |notice: &Notice| notice.keeps_out() && notice.extension == *extension && notice.site == *home;
        let is_staged = self.location.is_staged(extension.as_str())
            && self.ledger.of(extension).any(|then| then.notices.iter().any(is_of));
        if is_staged {
            return Some(Untold::Soon);
        }
        let (_, has_failed) = self.notices().find(|(notice, _)| is_of(notice))?;
        Some(if has_failed { Untold::Away } else { Untold::Soon })
    }
}

/// As it is told to logs and metrics.
pub(super) fn cause(forced: Forced) -> LoggedOutBy {
    match forced {
        Forced::Operator => LoggedOutBy::Operator,
        Forced::Clock(_) => LoggedOutBy::Clock,
        Forced::Idle => LoggedOutBy::Idle,
    }
}
