//! What the shards of a site share and change: looked at by one of them at a time.

use std::sync::{Mutex, PoisonError};

/// A value behind a lock that is held for one look or one change, never while anything is sent: no guard leaves [`with`](Self::with).
///
/// A site with one shard pays an uncontended lock, some ten nanoseconds.
#[derive(Debug, Default)]
pub struct Guarded<T>(Mutex<T>);

impl<T> Guarded<T> {
    /// Puts the value behind a lock.
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Looks at the value or changes it. `look` must be short, and must not come back here.
    pub fn with<R>(&self, look: impl FnOnce(&mut T) -> R) -> R {
        // A shard that broke while it looked ends the process; until then the others go on.
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_several_threads_are_all_there() {
        let count = Guarded::new(0);
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| (0..1000).for_each(|_| count.with(|count| *count += 1)));
            }
        });
        assert_eq!(count.with(|count| *count), 4000);
    }

    #[test]
    fn a_look_that_panicked_stops_nobody() {
        let count = Guarded::new(1);
        let broken = std::thread::scope(|threads| threads.spawn(|| count.with(|_| panic!("broken"))).join());
        assert!(broken.is_err() && count.with(|count| *count) == 1);
    }
}
