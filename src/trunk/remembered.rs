//! A bounded memory: what is not asked for again goes after a time, and the oldest when there is no more room.

use std::collections::BTreeMap;
use std::time::Instant;

/// Things by the hash of their name.
#[derive(Debug)]
pub(super) struct Remembered<T> {
    most: usize,
    items: BTreeMap<u128, Item<T>>,
    /// In the order of coming.
    order: BTreeMap<u64, u128>,
    next: u64,
}

#[derive(Debug)]
struct Item<T> {
    order: u64,
    until: Instant,
    value: T,
}

impl<T> Remembered<T> {
    /// Nothing yet, and never more than `most` things.
    pub fn new(most: usize) -> Self {
        Self { most, items: BTreeMap::new(), order: BTreeMap::new(), next: 0 }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// What has that name.
    pub fn of(&self, name: u128) -> Option<&T> {
        self.items.get(&name).map(|item| &item.value)
    }

    /// Keeps a thing until then; one of that name before it is forgotten.
    pub fn keep(&mut self, now: Instant, until: Instant, name: u128, value: T) {
        self.forget(name);
        while self.items.len() >= self.most || self.oldest().is_some_and(|oldest| oldest <= now) {
            let Some((_, name)) = self.order.pop_first() else { break };
            self.items.remove(&name);
        }
        self.items.insert(name, Item { order: self.next, until, value });
        self.order.insert(self.next, name);
        self.next += 1;
    }

    /// Forgets what has that name.
    pub fn forget(&mut self, name: u128) -> Option<T> {
        let item = self.items.remove(&name)?;
        self.order.remove(&item.order);
        Some(item.value)
    }

    /// How long the one that came first is kept.
    fn oldest(&self) -> Option<Instant> {
        let (_, name) = self.order.first_key_value()?;
        self.items.get(name).map(|item| item.until)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "any instant will do as the start")]
    fn the_oldest_goes_when_there_is_no_room_or_its_time_is_over() {
        let (mut memory, start) = (Remembered::new(3), Instant::now());
        let keep = |memory: &mut Remembered<u32>, at: u64, name: u128| {
            let now = start + Duration::from_secs(at);
            memory.keep(now, now + Duration::from_secs(10), name, at as u32);
        };
        (0..3).for_each(|name| keep(&mut memory, 0, name));
        keep(&mut memory, 1, 0);
        assert_eq!((memory.len(), memory.of(0)), (3, Some(&1)), "it is kept anew");
        keep(&mut memory, 2, 3);
        assert_eq!((memory.len(), memory.of(1), memory.of(3)), (3, None, Some(&2)));
        assert_eq!((memory.forget(3), memory.forget(3)), (Some(2), None));
        keep(&mut memory, 10, 4);
        assert_eq!((memory.len(), memory.of(2), memory.of(0)), (2, None, Some(&1)));
    }
}
