//! Logouts by an operator's word (SPEC 12.5): at home for its own users wherever they are, and for visitors where they are.

use super::Node;
use super::asking::Notice;
use super::tasks::{Licence, Then};
use crate::event::{Event, LoggedOutBy};
use crate::hot_desk;
use crate::ids::Extension;
use crate::location::{Record, Resident};
use crate::timing::Now;

impl Node {
    /// Every shard is told; the owner does it.
    pub(super) fn log_out(&mut self, now: Now, extension: &Extension) {
        if !self.writes_for(extension) {
            return;
        }
        match self.location.view(extension.as_str()).as_deref() {
            Some(Record::Resident(resident)) => self.log_resident_out(now, extension, resident),
            Some(Record::Visitor(visitor)) => {
                let then = Then {
                    licence: Some(Licence::Leave(extension.clone())),
                    notices: vec![Notice::force_out(extension, &hot_desk::log_out(visitor))],
                    events: vec![self.logged_out(extension, LoggedOutBy::Operator)],
                    ..Then::default()
                };
                self.change(now, extension, None, then);
            }
            None => {}
        }
        self.settle(now);
    }

    fn log_resident_out(&mut self, now: Now, extension: &Extension, resident: &Resident) {
        let here = &self.config.site.name;
        let Some((next, notice)) = hot_desk::force_out(resident, here, now) else { return };
        let at = resident.away.as_ref().map_or(here, |away| &away.site).clone();
        let then = Then {
            notices: notice.into_iter().map(|notice| Notice::displace(extension, notice)).collect(),
            events: vec![Event::LoggedOut { extension: extension.clone(), at, by: LoggedOutBy::Operator }],
            ..Then::default()
        };
        self.change(now, extension, Some(Record::Resident(next)), then);
    }
}
