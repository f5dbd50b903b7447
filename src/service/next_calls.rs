//! Phones that have dialled a Break Out code and no digits: their next call is dialled at its target (SPEC 6.8).

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::ids::{Extension, SiteName};

/// A phone: its account and where it sends from.
type Phone = (Extension, SocketAddr);

/// The phones and their targets.
#[derive(Debug, Default)]
pub struct NextCalls {
    phones: BTreeMap<Phone, (SiteName, Instant)>,
    ends: BTreeSet<(Instant, Phone)>,
}

impl NextCalls {
    /// How long a phone has to dial.
    pub const TIME: Duration = Duration::from_secs(30);
    /// Most phones that are remembered; one more puts out the one that has waited longest.
    pub const MOST: usize = 10_000;

    /// The phone's next call goes to that site.
    pub fn remember(&mut self, now: Instant, account: &Extension, source: SocketAddr, site: SiteName) {
        let phone = (account.clone(), source);
        self.forget(&phone);
        while let Some((until, first)) = self.ends.first().cloned() {
            if until > now && self.phones.len() < Self::MOST {
                break;
            }
            self.forget(&first);
        }
        let until = now + Self::TIME;
        self.ends.insert((until, phone.clone()));
        self.phones.insert(phone, (site, until));
    }

    /// Where this call of a phone goes instead; the next one goes its own way again.
    pub fn take(&mut self, now: Instant, account: &str, source: SocketAddr) -> Option<SiteName> {
        // Mostly nobody has, and then nobody is looked for.
        if self.phones.is_empty() {
            return None;
        }
        let (site, until) = self.forget(&(Extension::new(account), source))?;
        (now < until).then_some(site)
    }

    fn forget(&mut self, phone: &Phone) -> Option<(SiteName, Instant)> {
        let (site, until) = self.phones.remove(phone)?;
        self.ends.remove(&(until, phone.clone()));
        Some((site, until))
    }
}

#[cfg(test)]
mod tests {
    use super::super::subscription::fixtures::{flow, now};
    use super::*;

    fn remembered() -> NextCalls {
        let mut calls = NextCalls::default();
        calls.remember(now().instant, &Extension::new("201"), flow(1).remote, SiteName::new("paris"));
        calls
    }

    #[test]
    fn one_call_of_that_phone_goes_there_within_the_time() {
        let start = now().instant;
        let last = start + NextCalls::TIME - Duration::from_millis(1);
        let mut calls = remembered();
        assert_eq!(calls.take(last, "201", flow(2).remote), None, "another phone");
        assert_eq!(calls.take(last, "202", flow(1).remote), None, "another account");
        assert_eq!(calls.take(last, "201", flow(1).remote), Some(SiteName::new("paris")));
        assert_eq!(calls.take(last, "201", flow(1).remote), None, "only one call");
        assert_eq!(remembered().take(start + NextCalls::TIME, "201", flow(1).remote), None, "too late");
    }

    #[test]
    fn the_one_that_has_waited_longest_goes_where_there_are_too_many() {
        let (mut calls, start) = (remembered(), now().instant);
        for number in 0..NextCalls::MOST {
            calls.remember(start, &Extension::new(format!("u{number:05}")), flow(1).remote, SiteName::new("paris"));
        }
        assert_eq!((calls.phones.len(), calls.ends.len()), (NextCalls::MOST, NextCalls::MOST));
        assert_eq!(calls.take(start, "201", flow(1).remote), None);
    }
}
