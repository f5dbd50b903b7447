//! The one reading of the clocks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::timing::{Now, Wall};

/// Both clocks, now. A wall clock before 1970 reads as zero.
#[expect(clippy::disallowed_methods, reason = "everything below is told the time that is read here")]
pub fn now() -> Now {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let wall = Wall(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX));
    Now { instant: Instant::now(), wall }
}
