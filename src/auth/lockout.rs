//! Wrong answers counted per user and source address (SPEC 5.9).
//!
//! The registrar and the proxy ask before they check credentials, and answer a locked one like a wrong one. That a device
//! with a live binding is not locked out by others is for the caller, who knows the bindings. Unknown users count alike.
//! The table is bounded: one entry too many puts out the one that would have run out first.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

type Key = [u8; 16];

/// The counters of one site.
#[derive(Debug)]
pub struct Lockout {
    attempts: u32,
    lock: Duration,
    most: usize,
    entries: BTreeMap<Key, Entry>,
    ends: BTreeSet<(Instant, Key)>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    wrong: u32,
    end: Instant,
}

impl Lockout {
    /// As many pairs of user and address as one site counts.
    pub const MOST: usize = 65_536;

    /// Locks for `lock` after `attempts` wrong answers, at least one; keeps at most `most` counters.
    pub fn new(attempts: u32, lock: Duration, most: usize) -> Self {
        Self { attempts: attempts.max(1), lock, most: most.max(1), entries: BTreeMap::new(), ends: BTreeSet::new() }
    }

    /// Takes over a new configuration; running locks keep their end.
    pub fn configure(&mut self, attempts: u32, lock: Duration) {
        (self.attempts, self.lock) = (attempts.max(1), lock);
    }

    /// Whether answers for `user` from `source` are refused now, right or wrong.
    pub fn is_locked(&self, now: Instant, user: &str, source: IpAddr) -> bool {
        // Mostly nobody is counted, and then nothing is hashed.
        !self.entries.is_empty()
            && self.entries.get(&key(user, source)).is_some_and(|entry| entry.wrong >= self.attempts && now < entry.end)
    }

    /// Counts a wrong answer to a fresh nonce, or a wrong code. True if this one locks. While locked nothing is counted.
    pub fn note_wrong(&mut self, now: Instant, user: &str, source: IpAddr) -> bool {
        self.forget(now);
        let key = key(user, source);
        let wrong = match self.entries.get(&key) {
            Some(entry) if entry.wrong >= self.attempts => return false,
            Some(entry) => {
                self.ends.remove(&(entry.end, key));
                entry.wrong + 1
            }
            None => 1,
        };
        let end = now + self.lock;
        self.entries.insert(key, Entry { wrong, end });
        self.ends.insert((end, key));
        if self.entries.len() > self.most
            && let Some((_, first)) = self.ends.pop_first()
        {
            self.entries.remove(&first);
        }
        wrong >= self.attempts
    }

    /// A right answer, when not locked, wipes the count.
    pub fn note_right(&mut self, user: &str, source: IpAddr) {
        if self.entries.is_empty() {
            return;
        }
        let key = key(user, source);
        if let Some(entry) = self.entries.remove(&key) {
            self.ends.remove(&(entry.end, key));
        }
    }

    /// How many counters are kept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn forget(&mut self, now: Instant) {
        while let Some(&(end, key)) = self.ends.first().filter(|(end, _)| *end <= now) {
            self.ends.remove(&(end, key));
            self.entries.remove(&key);
        }
    }
}

/// Of fixed size however long a stranger's user name is.
fn key(user: &str, source: IpAddr) -> Key {
    let mut key = Key::default();
    let address = match source.to_canonical() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    blake3::Hasher::new().update(&address.octets()).update(user.as_bytes()).finalize_xof().fill(&mut key);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: Duration = Duration::from_secs(90);
    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 1, 0, 7));

    fn start() -> Instant {
        // One reading to have an Instant at all; only differences count.
        #[allow(clippy::disallowed_methods, reason = "a test's zero point")]
        Instant::now()
    }

    #[test]
    fn the_fourth_wrong_answer_locks_for_90_seconds_and_nobody_else() {
        let (mut lockout, now) = (Lockout::new(4, LOCK, 100), start());
        for _ in 0..3 {
            assert!(!lockout.note_wrong(now, "201", HERE));
        }
        assert!(!lockout.is_locked(now, "201", HERE));
        assert!(lockout.note_wrong(now, "201", HERE) && lockout.is_locked(now, "201", HERE));
        assert!(lockout.is_locked(now, "201", "::ffff:10.1.0.7".parse().expect("address")));
        assert!(!lockout.is_locked(now, "202", HERE) && !lockout.is_locked(now, "201", [10, 1, 0, 8].into()));
        // Trying on does not prolong it.
        assert!(!lockout.note_wrong(now + LOCK / 2, "201", HERE));
        assert!(lockout.is_locked(now + LOCK - Duration::from_millis(1), "201", HERE));
        assert!(!lockout.is_locked(now + LOCK, "201", HERE) && !lockout.note_wrong(now + LOCK, "201", HERE));
    }

    #[test]
    fn a_right_answer_and_a_long_pause_wipe_the_count() {
        let (mut lockout, now) = (Lockout::new(2, LOCK, 100), start());
        lockout.note_wrong(now, "201", HERE);
        lockout.note_right("201", HERE);
        assert!(lockout.is_empty() && !lockout.note_wrong(now, "201", HERE));
        assert!(!lockout.note_wrong(now + LOCK, "201", HERE));
        assert!(lockout.note_wrong(now + LOCK + LOCK / 2, "201", HERE));
    }

    #[test]
    fn the_table_is_bounded() {
        let (mut lockout, now) = (Lockout::new(1, LOCK, 10), start());
        for user in 0..11u64 {
            lockout.note_wrong(now + Duration::from_secs(user), &user.to_string(), HERE);
        }
        assert_eq!(lockout.len(), 10);
        let now = now + Duration::from_secs(11);
        assert!(!lockout.is_locked(now, "0", HERE) && lockout.is_locked(now, "1", HERE));
    }
}
