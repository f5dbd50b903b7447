//! Callers who wait for a line (SPEC 6.6), at all shards of a site: by priority, then first come, first served.
//!
//! A caller who tries a line keeps the place, and wants nothing meanwhile. Nobody takes a line for which somebody waits who comes before:
//! [`Queue::ahead`] says how many those are. At most [`MOST`] wait; one more is told at once that there is no line.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use smallvec::SmallVec;

use crate::guarded::Guarded;

/// Most callers who wait at a site.
pub const MOST: usize = 1_000;

/// A place in the queue; a lesser one comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    priority: Reverse<u8>,
    number: u64,
}

/// The queue of a site. `C` is what a waiting caller is to its shard.
#[derive(Debug)]
pub struct Queue<C> {
    /// How many wait: while nobody does, nobody looks further.
    length: AtomicUsize,
    inner: Guarded<Inner<C>>,
}

#[derive(Debug)]
struct Inner<C> {
    waiting: BTreeMap<Place, Waiter<C>>,
    numbers: u64,
}

#[derive(Debug)]
struct Waiter<C> {
    caller: C,
    /// The marks of the trunks that would do.
    wants: SmallVec<[u32; 4]>,
}

impl<C: Copy> Default for Queue<C> {
    fn default() -> Self {
        Self { length: AtomicUsize::new(0), inner: Guarded::new(Inner { waiting: BTreeMap::new(), numbers: 0 }) }
    }
}

impl<C: Copy> Queue<C> {
    /// How many wait.
    pub fn len(&self) -> usize {
        self.length.load(Ordering::Relaxed)
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A caller begins to wait, for nothing yet; `None`: too many do.
    pub fn join(&self, priority: u8, caller: C) -> Option<Place> {
        self.change(|inner| {
            if inner.waiting.len() >= MOST {
                return None;
            }
            inner.numbers += 1;
            let place = Place { priority: Reverse(priority), number: inner.numbers };
            inner.waiting.insert(place, Waiter { caller, wants: SmallVec::new() });
            Some(place)
        })
    }

    /// The trunks that would do for whoever has that place.
    pub fn want(&self, place: Place, trunks: impl Iterator<Item = u32>) {
        self.inner.with(|inner| {
            if let Some(waiter) = inner.waiting.get_mut(&place) {
                waiter.wants = trunks.collect();
            }
        });
    }

    /// Whoever has that place waits no more.
    pub fn leave(&self, place: Place) {
        self.change(|inner| drop(inner.waiting.remove(&place)));
    }

    /// How many come before a caller who wants the trunk: before that place, or, of one who has none, all of at least that priority.
    pub fn ahead(&self, place: Option<Place>, priority: u8, trunk: u32) -> usize {
        if self.is_empty() {
            return 0;
        }
        let last = Place { priority: Reverse(priority), number: u64::MAX };
        let before = ..place.unwrap_or(last);
        self.inner.with(|inner| inner.waiting.range(before).filter(|(_, waiter)| waiter.wants.contains(&trunk)).count())
    }

    /// The first so many who want that trunk, in their order.
    pub fn first(&self, trunk: u32, most: usize) -> Vec<C> {
        if self.is_empty() {
            return Vec::new();
        }
        let wants = |waiter: &&Waiter<C>| waiter.wants.contains(&trunk);
        self.inner.with(|inner| inner.waiting.values().filter(wants).take(most).map(|waiter| waiter.caller).collect())
    }

    fn change<R>(&self, change: impl FnOnce(&mut Inner<C>) -> R) -> R {
        self.inner.with(|inner| {
            let done = change(inner);
            self.length.store(inner.waiting.len(), Ordering::Relaxed);
            done
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_priority_comes_first_and_among_equals_who_came_first() {
        let queue = Queue::default();
        let places: Vec<Place> = [(2, 'a'), (4, 'b'), (2, 'c'), (4, 'd')]
            .map(|(priority, who)| queue.join(priority, who))
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(queue.first(7, 9), [], "nobody wants anything yet");
        places.iter().for_each(|place| queue.want(*place, [7, 8].into_iter()));
        assert_eq!(queue.first(7, 9), ['b', 'd', 'a', 'c']);
        assert_eq!((queue.first(7, 2), queue.first(9, 9)), (vec!['b', 'd'], vec![]));
        let ahead = |at: usize| queue.ahead(Some(places[at]), 0, 8);
        assert_eq!([ahead(0), ahead(1), ahead(2), ahead(3)], [2, 0, 3, 1]);
        assert_eq!([5, 4, 3, 2].map(|priority| queue.ahead(None, priority, 7)), [0, 2, 2, 4]);
        queue.want(places[1], [].into_iter());
        assert_eq!(queue.first(7, 1), ['d'], "who tries a line keeps the place and wants nothing");
        places.iter().for_each(|place| queue.leave(*place));
        assert!(queue.is_empty() && queue.ahead(None, 1, 7) == 0);
    }

    #[test]
    fn at_most_so_many_wait() {
        let queue = Queue::default();
        let first = queue.join(1, 0).expect("there is room");
        (1..MOST).for_each(|at| assert!(queue.join(1, at).is_some()));
        assert!(queue.join(5, MOST).is_none() && queue.len() == MOST);
        queue.leave(first);
        assert!(queue.join(5, MOST).is_some());
    }
}
