//! What is due when: a wheel of milliseconds for very many waiting things.
//!
//! `transaction/` keeps each transaction's one deadline, the nearest, here; anything with a small dense index can do so.
//! A hierarchical wheel (Varghese and Lauck, scheme 6): five levels of 256 slots, each slot a doubly linked list through
//! one table. Arming, moving and clearing are a few writes without allocation, whatever waits; a deadline of 32 s is
//! moved once before it fires. A heap would pay log n cache misses for each firing and keep or search what is cleared.
//!
//! Equal milliseconds fire in the order in which they were set (to set the same again changes nothing), so that one
//! history gives one order.
//!
//! Assumptions: a process runs less than 34 years (2^40 ms), later deadlines count as that one. Out of scope: who waits
//! and why; times finer than a millisecond (a deadline is rounded up, it never fires early).

use std::time::{Duration, Instant};

use crate::pages::Pages;

const SLOTS: usize = 256;
const LEVELS: usize = 5;
const HORIZON: u64 = (1 << (8 * LEVELS)) - 1;
const NONE: u32 = u32::MAX;

/// A key that is also a place in a vector: small numbers, one for each thing that can wait.
pub trait Dense: Copy {
    /// The place, below 2^32 - 1. Two keys with one place have one deadline, the later key's.
    fn place(self) -> usize;
}

/// The deadlines of many things, at most one of each.
#[derive(Debug)]
pub struct Deadlines<K> {
    /// Tick 0: the time of the first `set`.
    origin: Option<Instant>,
    /// Every deadline before this tick has fired; none is linked before it.
    elapsed: u64,
    levels: Vec<Level>,
    waiting: Pages<Waiting<K>>,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Waiting<K> {
    key: Option<K>,
    due: u64,
    previous: u32,
    next: u32,
    level: u8,
    slot: u8,
}

#[derive(Clone, Debug)]
struct Level {
    slots: [Slot; SLOTS],
    occupied: [u64; SLOTS / 64],
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    head: u32,
    tail: u32,
    /// Not later than any deadline in this slot; exact until the nearest is taken out.
    nearest: u64,
}

impl<K: Dense> Default for Deadlines<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Dense> Deadlines<K> {
    /// Nothing waits.
    pub fn new() -> Self {
        let empty = Level { slots: [Slot { head: NONE, tail: NONE, nearest: 0 }; SLOTS], occupied: [0; SLOTS / 64] };
        Self { origin: None, elapsed: 0, levels: vec![empty; LEVELS], waiting: Pages::default(), len: 0 }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Makes `at` the one deadline of `key`; one in the past is due at once. The first `now` begins the count of ticks.
    pub fn set(&mut self, now: Instant, key: K, at: Instant) {
        let origin = *self.origin.get_or_insert(now);
        let due = ticks_up(at.saturating_duration_since(origin)).clamp(self.elapsed, HORIZON);
        let place = key.place();
        while place >= self.waiting.len() {
            self.waiting.push(Waiting { key: None, due: 0, previous: NONE, next: NONE, level: 0, slot: 0 });
        }
        let waiting = &mut self.waiting[place];
        if waiting.key.is_some() && waiting.due == due {
            waiting.key = Some(key);
            return;
        }
        self.unlink(place);
        self.waiting[place].key = Some(key);
        self.waiting[place].due = due;
        self.link(place);
        self.len += 1;
    }

    /// Takes the deadline of `key` away, if it has one.
    pub fn clear(&mut self, key: K) {
        self.unlink(key.place());
    }

    /// When `expired` is to be asked again: not later than the nearest deadline, and seldom earlier. `None`: nothing waits.
    pub fn next(&self) -> Option<Instant> {
        let (level, slot) = self.nearest()?;
        Some(self.origin? + Duration::from_millis(self.levels[level].slots[slot].nearest))
    }

    /// Takes out one key whose deadline is `now` or earlier; the earliest first.
    pub fn expired(&mut self, now: Instant) -> Option<K> {
        let now = ticks_down(now.saturating_duration_since(self.origin?));
        while let Some((level, slot)) = self.nearest() {
            let begins = self.begin(level, slot);
            if begins > now {
                break;
            }
            self.elapsed = self.elapsed.max(begins);
            if level == 0 {
                let place = self.levels[0].slots[slot].head as usize;
                let key = self.waiting[place].key;
                self.unlink(place);
                return key;
            }
            self.cascade(level, slot);
        }
        // All slots that begin at or before `now` are empty, so the links of the others stay right.
        self.elapsed = self.elapsed.max(now.min(HORIZON));
        None
    }

    /// The lowest level that holds something has what is nearest, in its first slot.
    fn nearest(&self) -> Option<(usize, usize)> {
        self.levels.iter().enumerate().find_map(|(level, slots)| Some((level, slots.first_occupied()?)))
    }

    /// The first tick of a slot.
    fn begin(&self, level: usize, slot: usize) -> u64 {
        let above = 8 * (level + 1);
        (self.elapsed >> above << above) | ((slot as u64) << (8 * level))
    }

    /// Moves what is in a slot to the levels below, in its order.
    fn cascade(&mut self, level: usize, slot: usize) {
        let mut place = self.levels[level].slots[slot].head;
        self.levels[level].empty(slot);
        while place != NONE {
            let next = self.waiting[place as usize].next;
            self.link(place as usize);
            place = next;
        }
    }

    fn link(&mut self, place: usize) {
        let due = self.waiting[place].due;
        // The level is that of the highest byte in which the deadline differs from the present.
        let level = (63 - ((due ^ self.elapsed) | 1).leading_zeros() as usize) / 8;
        let slot = (due >> (8 * level)) as usize % SLOTS;
        let tail = self.levels[level].append(slot, place as u32, due);
        if let Some(last) = self.waiting.get_mut(tail as usize) {
            last.next = place as u32;
        }
        let waiting = &mut self.waiting[place];
        (waiting.previous, waiting.next, waiting.level, waiting.slot) = (tail, NONE, level as u8, slot as u8);
    }

    fn unlink(&mut self, place: usize) {
        let Some(waiting) = self.waiting.get_mut(place) else { return };
        if waiting.key.take().is_none() {
            return;
        }
        let Waiting { previous, next, level, slot, .. } = *waiting;
        let level = &mut self.levels[usize::from(level)];
        match self.waiting.get_mut(previous as usize) {
            Some(before) => before.next = next,
            None => level.slots[usize::from(slot)].head = next,
        }
        match self.waiting.get_mut(next as usize) {
            Some(after) => after.previous = previous,
            None => level.slots[usize::from(slot)].tail = previous,
        }
        if previous == NONE && next == NONE {
            level.empty(usize::from(slot));
        }
        self.len -= 1;
    }
}

impl Level {
    fn first_occupied(&self) -> Option<usize> {
        let word = self.occupied.iter().position(|&word| word != 0)?;
        Some(word * 64 + self.occupied[word].trailing_zeros() as usize)
    }

    /// Puts `place` at the end of a slot's list; answers with the former end.
    fn append(&mut self, slot: usize, place: u32, due: u64) -> u32 {
        let list = &mut self.slots[slot];
        let tail = std::mem::replace(&mut list.tail, place);
        if tail == NONE {
            (list.head, list.nearest) = (place, due);
            self.occupied[slot / 64] |= 1 << (slot % 64);
        }
        list.nearest = list.nearest.min(due);
        tail
    }

    fn empty(&mut self, slot: usize) {
        self.slots[slot] = Slot { head: NONE, tail: NONE, nearest: 0 };
        self.occupied[slot / 64] &= !(1 << (slot % 64));
    }
}

fn ticks_up(span: Duration) -> u64 {
    u64::try_from(span.as_nanos().div_ceil(1_000_000)).unwrap_or(HORIZON)
}

fn ticks_down(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(HORIZON)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    impl Dense for u32 {
        fn place(self) -> usize {
            self as usize
        }
    }

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[expect(clippy::disallowed_methods, reason = "an arbitrary origin for virtual time")]
    fn origin() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_deadline_fires_at_its_time_and_not_before() {
        let (mut deadlines, start) = (Deadlines::new(), origin());
        for span in [1, 255, 256, 257, 32_000, 65_535, 65_536, 16_777_216] {
            deadlines.set(start, 7, start + ms(span));
            assert_eq!(deadlines.next(), Some(start + ms(span)), "{span} ms");
            assert_eq!(deadlines.expired(start + ms(span - 1)), None, "{span} ms");
            assert_eq!(deadlines.next(), Some(start + ms(span)), "{span} ms");
            assert_eq!(deadlines.expired(start + ms(span)), Some(7), "{span} ms");
        }
        assert_eq!(deadlines.next(), None);
    }

    #[test]
    fn a_fraction_of_a_millisecond_is_rounded_up() {
        let (mut deadlines, start) = (Deadlines::new(), origin());
        deadlines.set(start, 1, start + Duration::from_micros(1_001));
        assert_eq!(deadlines.expired(start + Duration::from_micros(1_999)), None);
        assert_eq!(deadlines.expired(start + ms(2)), Some(1));
    }

    #[test]
    fn a_deadline_in_the_past_is_due_at_once() {
        let (mut deadlines, start) = (Deadlines::new(), origin());
        deadlines.set(start, 0, start + ms(10));
        assert_eq!(deadlines.expired(start + ms(500)), Some(0));
        assert_eq!(deadlines.expired(start + ms(500)), None);
        deadlines.set(start, 1, start + ms(100));
        assert_eq!(deadlines.expired(start + ms(500)), Some(1));
    }

    #[test]
    fn a_new_deadline_takes_the_old_one_s_place_and_a_cleared_one_never_fires() {
        let (mut deadlines, start) = (Deadlines::new(), origin());
        deadlines.set(start, 1, start + ms(500));
        deadlines.set(start, 1, start + ms(5_000));
        deadlines.set(start, 2, start + ms(700));
        deadlines.clear(2);
        deadlines.clear(2);
        deadlines.clear(99);
        assert_eq!(deadlines.len(), 1);
        assert_eq!(deadlines.expired(start + ms(4_999)), None);
        assert_eq!(deadlines.expired(start + ms(5_000)), Some(1));
        assert!(deadlines.is_empty());
    }

    #[test]
    fn equal_times_fire_in_the_order_in_which_they_were_set() {
        let (mut deadlines, start) = (Deadlines::new(), origin());
        deadlines.set(start, 0, start);
        deadlines.set(start, 5, start + ms(40_000));
        deadlines.set(start, 3, start + ms(40_000));
        assert_eq!(deadlines.expired(start + ms(39_990)), Some(0));
        assert_eq!(deadlines.expired(start + ms(39_990)), None);
        deadlines.set(start, 4, start + ms(40_000));
        deadlines.set(start, 1, start + ms(39_999));
        let order = std::iter::from_fn(|| deadlines.expired(start + ms(50_000))).collect::<Vec<_>>();
        assert_eq!(order, [1, 5, 3, 4]);
    }

    #[test]
    fn a_deadline_beyond_the_horizon_waits_there() {
        let (mut deadlines, start) = (Deadlines::new(), origin());
        deadlines.set(start, 1, start + Duration::from_secs(u32::MAX.into()));
        assert_eq!(deadlines.next(), Some(start + ms(HORIZON)));
        assert_eq!(deadlines.expired(start + ms(HORIZON - 1)), None);
        assert_eq!(deadlines.expired(start + ms(HORIZON)), Some(1));
    }

    #[test]
    fn three_hundred_thousand_wait_at_the_cost_of_a_few() {
        const MANY: u32 = 300_000;
        let (mut deadlines, start) = (Deadlines::new(), origin());
        // 6,000 a second, each first armed for 500 ms and then for 32 s after it.
        for key in 0..MANY {
            let began = start + ms(u64::from(key) / 6);
            deadlines.set(start, key, began + ms(500));
            deadlines.set(start, key, began + ms(50_000));
        }
        assert_eq!(deadlines.len(), MANY as usize);
        let (mut asked, mut fired, mut now) = (0, 0, start);
        while let Some(next) = deadlines.next() {
            asked += 1;
            now = now.max(next);
            while let Some(key) = deadlines.expired(now) {
                assert_eq!(now, start + ms(u64::from(key) / 6 + 50_000), "neither early nor late");
                fired += 1;
            }
        }
        assert_eq!(fired, MANY);
        assert!(asked < MANY / 6 + 256, "woken once for each millisecond in which something is due: {asked}");
        assert_eq!(deadlines.waiting.len(), MANY as usize, "one entry each, however often it was moved");
    }

    #[derive(Clone, Debug)]
    enum Step {
        Set(u32, u64),
        Clear(u32),
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        let span = prop_oneof![0..600_u64, 0..70_000_u64, 0..20_000_000_u64];
        prop_oneof![
            3 => (0..40_u32, span.clone()).prop_map(|(key, span)| Step::Set(key, span)),
            1 => (0..40_u32).prop_map(Step::Clear),
            2 => span.prop_map(Step::Pass),
        ]
    }

    proptest! {
        #[test]
        fn the_wheel_agrees_with_a_sorted_list(steps in prop::collection::vec(step(), 1..120)) {
            let (mut wheel, start) = (Deadlines::new(), origin());
            // The reference: due time and number of the setting, for each key.
            let (mut list, mut settings, mut now) = (BTreeMap::new(), 0, 0_u64);
            for step in steps {
                match step {
                    Step::Set(key, span) => {
                        settings += 1;
                        let at = list.entry(key).or_insert((now + span, settings));
                        if at.0 != now + span {
                            *at = (now + span, settings);
                        }
                        wheel.set(start + ms(now), key, start + ms(now + span));
                    }
                    Step::Clear(key) => {
                        list.remove(&key);
                        wheel.clear(key);
                    }
                    Step::Pass(span) => {
                        now += span;
                        let mut due = list.iter().filter(|(_, at)| at.0 <= now).map(|(&key, &at)| (at, key)).collect::<Vec<_>>();
                        due.sort_unstable();
                        list.retain(|_, at| at.0 > now);
                        let fired = std::iter::from_fn(|| wheel.expired(start + ms(now))).collect::<Vec<_>>();
                        prop_assert_eq!(fired, due.into_iter().map(|(_, key)| key).collect::<Vec<_>>());
                    }
                }
                prop_assert_eq!(wheel.len(), list.len());
                let nearest = list.values().map(|at| start + ms(at.0)).min();
                prop_assert!(wheel.next() <= nearest && wheel.next().is_some() == nearest.is_some());
            }
        }
    }
}
