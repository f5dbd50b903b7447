//! Host names that stand for trunks, and for voicemail: what they resolve to, and when they are asked again.
//!
//! ```text
//!   asked ──► addresses: asked again when their TTL is over, after 5 s to an hour
//!         ├─► no such name: it has none; asked again after 5 s, then twice as long each time, at most a minute
//!         └─► no answer: the last good addresses stay; asked again as above
//! ```
//!
//! The shell asks: its answer comes back here, or none does, and then the name falls due again.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// The shortest and the longest time that an answer is believed, whatever its TTL.
const SOONEST: Duration = Duration::from_secs(5);
const LATEST: Duration = Duration::from_secs(3600);
/// The longest time between two tries to resolve a name.
const SLOWEST: Duration = Duration::from_secs(60);
/// A question that is not answered in this time is asked again.
const LOST: Duration = Duration::from_secs(30);

/// What became of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// The addresses, in the order in which they came, and how long they are good. None at all: there is no such name.
    Addresses(Vec<IpAddr>, Duration),
    /// No name server said anything that counts.
    Failed,
}

/// The names of a site.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<String, Entry>);

#[derive(Debug)]
struct Entry {
    addresses: Vec<IpAddr>,
    ask_at: Instant,
    /// Tries without an address, one after the other.
    failures: u32,
}

impl Names {
    /// These and no others; what is known of a name stays known, and a new one is asked for at once.
    pub(super) fn configure(&mut self, now: Instant, names: impl Iterator<Item = String>) {
        let mut old = std::mem::take(&mut self.0);
        let new = || Entry { addresses: Vec::new(), ask_at: now, failures: 0 };
        for name in names {
            let name = name.to_ascii_lowercase();
            let entry = old.remove(&name).unwrap_or_else(new);
            self.0.entry(name).or_insert(entry);
        }
    }

    /// What a name has resolved to.
    pub(super) fn addresses(&self, name: &str) -> &[IpAddr] {
        self.0.get(&name.to_ascii_lowercase()).map(|entry| &*entry.addresses).unwrap_or_default()
    }

    /// The names to be asked for now.
    pub(super) fn due(&mut self, now: Instant) -> Vec<String> {
        let due = self.0.iter_mut().filter(|(_, entry)| entry.ask_at <= now);
        due.map(|(name, entry)| {
            entry.ask_at = now + LOST;
            name.clone()
        })
        .collect()
    }

    /// When the next one is to be asked for.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().map(|entry| entry.ask_at).min()
    }

    /// The answer to a question. `false`: nobody wants to know any more.
    pub(super) fn resolved(&mut self, now: Instant, name: &str, resolved: Resolved) -> bool {
        let Some(entry) = self.0.get_mut(name) else { return false };
        match resolved {
            Resolved::Addresses(addresses, ttl) if !addresses.is_empty() => {
                entry.failures = 0;
                entry.ask_at = now + ttl.clamp(SOONEST, LATEST);
                entry.addresses = addresses;
            }
            Resolved::Addresses(..) => {
                entry.addresses.clear();
                entry.fail(now);
            }
            Resolved::Failed => entry.fail(now),
        }
        true
    }
}

impl Entry {
    fn fail(&mut self, now: Instant) {
        self.ask_at = now + (SOONEST * 2u32.saturating_pow(self.failures)).min(SLOWEST);
        self.failures = self.failures.saturating_add(1).min(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "carrier.example";

    fn start() -> (Names, Instant) {
        #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin; nothing depends on which it is")]
        let now = Instant::now();
        let mut names = Names::default();
        names.configure(now, [NAME.to_owned()].into_iter());
        (names, now)
    }

    fn addresses(last: u8, ttl: u64) -> Resolved {
        Resolved::Addresses(vec![[192, 0, 2, last].into()], Duration::from_secs(ttl))
    }

    /// Seconds from `now` until the name is asked for.
    fn next(names: &Names, now: Instant) -> u64 {
        (names.next().expect("there is a name") - now).as_secs()
    }

    #[test]
    fn a_name_is_asked_for_at_once_and_again_when_its_ttl_is_over() {
        let (mut names, now) = start();
        assert_eq!(names.due(now), [NAME]);
        assert!(names.due(now).is_empty() && next(&names, now) == 30, "a question may be lost");
        for (ttl, after) in [(0, 5), (4, 5), (300, 300), (90_000, 3600)] {
            assert!(names.resolved(now, NAME, addresses(1, ttl)));
            assert_eq!(next(&names, now), after, "TTL {ttl}");
        }
        assert_eq!(names.addresses("Carrier.Example"), [IpAddr::from([192, 0, 2, 1])]);
        assert!(!names.resolved(now, "other.example", addresses(1, 60)));
    }

    #[test]
    fn while_the_name_servers_fail_the_last_good_addresses_stay() {
        let (mut names, now) = start();
        names.resolved(now, NAME, addresses(1, 60));
        let waits: Vec<u64> = (0..6)
            .map(|_| {
                names.resolved(now, NAME, Resolved::Failed);
                next(&names, now)
            })
            .collect();
        assert_eq!(waits, [5, 10, 20, 40, 60, 60]);
        assert_eq!(names.addresses(NAME).len(), 1);
        names.resolved(now, NAME, addresses(2, 60));
        assert_eq!((names.addresses(NAME), next(&names, now)), (&[IpAddr::from([192, 0, 2, 2])][..], 60));
        names.resolved(now, NAME, Resolved::Failed);
        assert_eq!(next(&names, now), 5, "it begins anew");
    }

    #[test]
    fn a_name_that_does_not_exist_has_no_address() {
        let (mut names, now) = start();
        names.resolved(now, NAME, addresses(1, 60));
        names.resolved(now, NAME, Resolved::Addresses(Vec::new(), Duration::from_secs(3600)));
        assert!(names.addresses(NAME).is_empty() && next(&names, now) == 5);
    }

    #[test]
    fn a_new_configuration_keeps_what_is_known() {
        let (mut names, now) = start();
        names.resolved(now, NAME, addresses(1, 60));
        names.configure(now, [NAME.to_owned(), "other.example".to_owned()].into_iter());
        assert_eq!((names.addresses(NAME).len(), names.due(now)), (1, vec!["other.example".to_owned()]));
        names.configure(now, std::iter::empty());
        assert!(names.addresses(NAME).is_empty() && names.next().is_none());
    }
}
