//! Logouts by an operator's word (SPEC 12.5): at home for its own users wherever they are, and for visitors where they are.

use super::Node;
use super::asking::Notice;
use super::tasks::{Licence, Then};
use crate::event::{Event, LoggedOutBy};
use crate::hot_desk;
use crate::ids::{Extension, SiteName};
use crate::location::{Forced, Record, Resident, Visitor};
use crate::timing::Now;

impl Node {
    /// Every shard is told; the owner does it.
    pub(super) fn log_out(&mut self, now: Now, extension: &Extension) {
        if !self.writes_for(extension) {
            return;
        }
        match self.location.view(extension.as_str()).as_deref() {
            Some(Record::Resident(resident)) => self.log_resident_out(now, extension, resident),
            Some(Record::Visitor(visitor)) => self.end_visit(now, extension, visitor, Forced::Operator),
            None => {}
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
            notices: vec![Notice::force_out(extension, &hot_desk::log_out(visitor), why)],
            events: vec![self.logged_out(extension, cause(why))],
            ..Then::default()
        };
        self.change(now, extension, None, then);
    }

    /// Whether home has not confirmed yet that a login here was ended by force: until it has, it does not know which phones to keep
    /// out, and one of them may be asking.
    pub(super) fn is_being_logged_out(&self, extension: &Extension, home: &SiteName) -> bool {
        self.notices().any(|notice| notice.forced && notice.extension == *extension && notice.site == *home)
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
