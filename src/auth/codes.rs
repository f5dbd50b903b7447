//! Wrong login codes, counted three ways (SPEC 5.9): for one user from one source, for one user from everywhere, for one phone whoever is
//! tried at it.
//!
//! The site of the phone counts the first and the third, the home site the second, over all sites. The locks of the latter two double up to
//! an hour. A right code wipes what is counted of its user, and nothing of the phone: else whoever knows one code might try the codes of others
//! for ever. While locked nothing is counted, and the answer is that to a wrong code. The tables are bounded: one entry too many puts
//! out the one that would have run out first.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::lockout::Lockout;

/// The counters of one site.
#[derive(Debug)]
pub struct Codes {
    by_source: Lockout,
    by_user: Doubling,
    by_phone: Doubling,
}

impl Codes {
    /// Locks for `lock` after `attempts` wrong codes, at least one.
    pub fn new(attempts: u32, lock: Duration) -> Self {
        let doubling = || Doubling::new(attempts, lock, Lockout::MOST);
        Self { by_source: Lockout::new(attempts, lock, Lockout::MOST), by_user: doubling(), by_phone: doubling() }
    }

    /// Takes over a new configuration; running locks keep their end.
    pub fn configure(&mut self, attempts: u32, lock: Duration) {
        self.by_source.configure(attempts, lock);
        (self.by_user.attempts, self.by_user.lock) = (attempts.max(1), lock);
        (self.by_phone.attempts, self.by_phone.lock) = (attempts.max(1), lock);
    }

    /// Whether codes for `user` are refused now, right or wrong, at this phone and from this source.
    pub fn is_phone_locked(&self, now: Instant, user: &str, source: IpAddr, phone: &str) -> bool {
        self.by_phone.is_locked(now, phone) || self.by_source.is_locked(now, user, source)
    }

    /// Counts a wrong code at the phone's site.
    pub fn note_wrong_at_phone(&mut self, now: Instant, user: &str, source: IpAddr, phone: &str) {
        self.by_phone.note_wrong(now, phone);
        self.by_source.note_wrong(now, user, source);
    }

    /// Whether codes for `user`, whose home this is, are refused now, right or wrong, wherever they come from.
    pub fn is_user_locked(&self, now: Instant, user: &str) -> bool {
        self.by_user.is_locked(now, user)
    }

    /// Counts a wrong code at the user's home.
    pub fn note_wrong_at_home(&mut self, now: Instant, user: &str) {
        self.by_user.note_wrong(now, user);
    }

    /// A right code of a user who is not locked.
    pub fn note_right(&mut self, user: &str, source: Option<IpAddr>) {
        self.by_user.forget(user);
        source.into_iter().for_each(|source| self.by_source.note_right(user, source));
    }
}

type Key = [u8; 16];

/// Wrong answers by name; each further lock is twice as long as the one before.
#[derive(Debug)]
struct Doubling {
    attempts: u32,
    lock: Duration,
    most: usize,
    entries: BTreeMap<Key, Entry>,
    ends: BTreeSet<(Instant, Key)>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Since the last lock.
    wrong: u32,
    /// How often it was locked.
    locks: u32,
    locked_until: Option<Instant>,
    /// When nothing is remembered any more.
    end: Instant,
}

impl Doubling {
    /// The longest lock, and how long is remembered what was wrong, and that there was a lock.
    const LONGEST: Duration = Duration::from_secs(3600);

    fn new(attempts: u32, lock: Duration, most: usize) -> Self {
        Self { attempts: attempts.max(1), lock, most, entries: BTreeMap::new(), ends: BTreeSet::new() }
    }

    fn is_locked(&self, now: Instant, name: &str) -> bool {
        let locked = |entry: &Entry| entry.locked_until.is_some_and(|until| now < until);
        !self.entries.is_empty() && self.entries.get(&key(name)).is_some_and(locked)
    }

    fn note_wrong(&mut self, now: Instant, name: &str) {
        while let Some((_, key)) = self.ends.first().filter(|(end, _)| *end <= now).copied() {
            self.remove(key);
        }
        let key = key(name);
        let mut entry = self.remove(key).unwrap_or(Entry { wrong: 0, locks: 0, locked_until: None, end: now });
        if entry.locked_until.is_none_or(|until| until <= now) {
            entry.wrong += 1;
            entry.end = now + Self::LONGEST;
        }
        if entry.wrong >= self.attempts {
            let lock = self.lock.saturating_mul(1 << entry.locks.min(16)).min(Self::LONGEST.max(self.lock));
            let until = now + lock;
            entry = Entry { wrong: 0, locks: entry.locks + 1, locked_until: Some(until), end: until + Self::LONGEST };
        }
        self.entries.insert(key, entry);
        self.ends.insert((entry.end, key));
        if self.entries.len() > self.most
            && let Some((_, first)) = self.ends.first().copied()
        {
            self.remove(first);
        }
    }

    fn forget(&mut self, name: &str) {
        if !self.entries.is_empty() {
            self.remove(key(name));
        }
    }

    fn remove(&mut self, key: Key) -> Option<Entry> {
        let entry = self.entries.remove(&key)?;
        self.ends.remove(&(entry.end, key));
        Some(entry)
    }
}

/// Of fixed size however long a name is.
fn key(name: &str) -> Key {
    let mut key = Key::default();
    blake3::Hasher::new().update(name.as_bytes()).finalize_xof().fill(&mut key);
    key
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "any instant will do as the start")]
mod tests {
    use super::*;

    const LOCK: Duration = Duration::from_secs(90);
    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn wrong(counter: &mut Doubling, times: u32, now: Instant) {
        (0..times).for_each(|_| counter.note_wrong(now, "201"));
    }

    #[test]
    fn each_lock_is_twice_as_long_as_the_one_before_up_to_an_hour() {
        let (mut counter, mut now) = (Doubling::new(4, LOCK, 8), Instant::now());
        for seconds in [90, 180, 360, 720, 1440, 2880, 3600, 3600] {
            wrong(&mut counter, 3, now);
            assert!(!counter.is_locked(now, "201"));
            wrong(&mut counter, 1, now);
            wrong(&mut counter, 9, now);
            let end = now + Duration::from_secs(seconds);
            assert!(
                counter.is_locked(end - Duration::from_millis(1), "201") && !counter.is_locked(end, "201"),
                "{seconds}"
            );
            now = end;
        }
        assert!(!counter.is_locked(now, "202"));
    }

    #[test]
    fn an_hour_without_a_wrong_one_forgets_everything() {
        let (mut counter, start) = (Doubling::new(2, LOCK, 8), Instant::now());
        wrong(&mut counter, 1, start);
        let later = start + Doubling::LONGEST;
        wrong(&mut counter, 1, later);
        assert!(!counter.is_locked(later, "201"), "the first is forgotten");
        wrong(&mut counter, 1, later);
        assert!(counter.is_locked(later, "201"));
        let long_after = later + LOCK + Doubling::LONGEST;
        wrong(&mut counter, 2, long_after);
        assert!(!counter.is_locked(long_after + LOCK, "201"), "the lock is as short as the first");
    }

    #[test]
    fn the_table_is_bounded() {
        let (mut counter, now) = (Doubling::new(1, LOCK, 2), Instant::now());
        for (second, name) in (0..).zip(["a", "b", "c"]) {
            counter.note_wrong(now + Duration::from_secs(second), name);
        }
        let locked = ["a", "b", "c"].map(|name| counter.is_locked(now + Duration::from_secs(3), name));
        assert_eq!((locked, counter.ends.len()), ([false, true, true], 2));
    }

    #[test]
    fn a_right_code_wipes_what_is_counted_of_its_user_and_not_of_the_phone() {
        let (mut codes, now) = (Codes::new(2, LOCK), Instant::now());
        for user in ["201", "202"] {
            codes.note_wrong_at_home(now, user);
            codes.note_wrong_at_phone(now, user, HERE, &format!("desk of {user}"));
            codes.note_right(user, Some(HERE));
            codes.note_wrong_at_home(now, user);
            assert!(!codes.is_user_locked(now, user));
        }
        assert!(!codes.is_phone_locked(now, "201", HERE, "desk of 201"));
        codes.note_wrong_at_phone(now, "203", HERE, "desk of 201");
        assert!(codes.is_phone_locked(now, "204", HERE, "desk of 201"), "whoever is tried there");
        assert!(!codes.is_phone_locked(now, "203", HERE, "desk of 202"));
        codes.note_wrong_at_phone(now, "203", HERE, "desk of 203");
        assert!(codes.is_phone_locked(now, "203", HERE, "desk of 204"), "from the same address");
    }
}
