//! The wall clock is set while the site runs (SPEC 8.8): no timer moves, and what is on disk gets the date that its timers have now, so
//! that a start that comes next reckons with it.

use std::sync::Arc;
use std::time::Duration;

use super::Node;
use super::tasks::Then;
use crate::ids::Extension;
use crate::location::{Binding, Record};
use crate::timing::Now;

/// A clock that is off by less than this was not set.
const SET: Duration = Duration::from_secs(2);
/// After it was set users are looked at so far apart: a hundred thousand in two seconds.
const PACE: Duration = Duration::from_micros(20);

impl Node {
    /// Sees whether the clock was set since it was last looked at.
    pub(super) fn look_at_clocks(&mut self, now: Now) {
        let before = std::mem::replace(&mut self.clocks, now);
        let expected = before.wall.plus(now.instant.saturating_duration_since(before.instant));
        if expected.since(now.wall).max(now.wall.since(expected)) < SET {
            return;
        }
        for (place, (extension, _)) in (0..).zip(self.location.snapshot()) {
            if self.writes_for(&extension) {
                self.alarms.arm(&extension, now.instant + PACE * place);
            }
        }
    }

    /// A user who is looked at: the record as it stands after its dates were set right, if they were wrong.
    pub(super) fn redate(&mut self, now: Now, extension: &Extension, record: Arc<Record>) -> Arc<Record> {
        if !record.bindings().iter().any(|binding| binding.is_live(now.instant) && binding.misdated(now) >= SET) {
            return record;
        }
        let mut dated = Record::clone(&record);
        let bindings = dated.bindings_mut();
        *bindings = std::mem::take(bindings).into_iter().map(|binding| binding.redated(now)).collect::<Vec<Binding>>();
        self.extend(now, extension, dated.clone(), Then::default());
        Arc::new(dated)
    }
}
