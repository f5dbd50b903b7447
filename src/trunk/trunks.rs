//! All trunks of a site, shared by its shards: the addresses of each, in turn, and their health.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::health::{Failure, Health};
use crate::guarded::Guarded;
use crate::settings;

/// One address of a trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gateway {
    /// The trunk's mark: its name in short.
    pub mark: u32,
    /// Where it is reached.
    pub address: SocketAddr,
}

/// A gateway went away, or came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The trunk's name.
    pub trunk: String,
    /// Which address.
    pub address: SocketAddr,
    /// Why it is down; `None`: it answers again.
    pub failure: Option<Failure>,
    /// How many addresses of the trunk are up.
    pub left: usize,
}

/// What an operator may see of a trunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The addresses, in the order in which they are tried, and whether each is up.
    pub addresses: Vec<(SocketAddr, bool)>,
}

impl Seen {
    /// Whether calls find it: it answers at one of its addresses, as far as is known.
    pub fn is_up(&self) -> bool {
        self.addresses.iter().any(|(_, up)| *up)
    }
}

/// What is known of the trunks of a site.
#[derive(Debug, Default)]
pub struct Trunks {
    /// Addresses that are down: while there is none, nobody looks further.
    down: AtomicUsize,
    lines: Guarded<BTreeMap<u32, Line>>,
}

#[derive(Debug)]
struct Line {
    name: String,
    retry: Duration,
    gateways: SmallVec<[(SocketAddr, Health); 1]>,
}

impl Trunks {
    /// Takes over a configuration, each trunk with its mark; what is known of an address stays known.
    pub fn configure<'a>(&self, trunks: impl Iterator<Item = (u32, &'a settings::Trunk)>) {
        self.lines.with(|lines| {
            let mut old = std::mem::take(lines);
            for (mark, trunk) in trunks {
                let known = old.remove(&mark).map(|line| line.gateways).unwrap_or_default();
                let mut line = Line { name: trunk.name.clone(), retry: trunk.retry, gateways: known };
                line.set_addresses(trunk.address.as_slice());
                lines.insert(mark, line);
            }
            self.count(lines);
        });
    }

    /// Where a trunk is reached, in the order of trying.
    pub fn addresses(&self, mark: u32) -> SmallVec<[SocketAddr; 1]> {
        let all = |line: &Line| line.gateways.iter().map(|(address, _)| *address).collect();
        self.lines.with(|lines| lines.get(&mark).map(all)).unwrap_or_default()
    }

    /// Whether a call may go there. One that calls for help need not ask (SPEC 6.6).
    pub fn takes_calls(&self, now: Instant, gateway: Gateway) -> bool {
        if self.down.load(Ordering::Relaxed) == 0 {
            return true;
        }
        self.with(gateway, |line| line.of(gateway.address).is_none_or(|health| health.takes_calls(now))).unwrap_or(true)
    }

    /// A request failed there.
    pub fn failed(&self, now: Instant, gateway: Gateway, failure: Failure) -> Option<Change> {
        self.change(gateway, Some(failure), |health, retry| health.fail(now, retry))
    }

    /// A response came from there.
    pub fn answered(&self, gateway: Gateway) -> Option<Change> {
        if self.down.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.change(gateway, None, |health, _| health.answer())
    }

    /// The gateways that are to be probed now.
    pub fn probes(&self, now: Instant) -> Vec<Gateway> {
        self.lines.with(|lines| {
            let all = lines
                .iter_mut()
                .flat_map(|(mark, line)| line.gateways.iter_mut().map(|(address, health)| (*mark, *address, health)));
            let due =
                all.filter_map(|(mark, address, health)| health.wants_probe(now).then_some(Gateway { mark, address }));
            due.collect()
        })
    }

    /// When the next one is to be probed.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.down.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let all = |lines: &mut BTreeMap<u32, Line>| {
            lines.values().flat_map(|line| &line.gateways).filter_map(|(_, health)| health.next_probe()).min()
        };
        self.lines.with(all)
    }

    /// What an operator may see of a trunk.
    pub fn seen(&self, mark: u32) -> Seen {
        let all =
            |line: &Line| line.gateways.iter().map(|(address, health)| (*address, health.is_up())).collect::<Vec<_>>();
        let addresses = self.lines.with(|lines| lines.get(&mark).map(all)).unwrap_or_default();
        Seen { addresses }
    }

    fn with<R>(&self, gateway: Gateway, look: impl FnOnce(&mut Line) -> R) -> Option<R> {
        self.lines.with(|lines| lines.get_mut(&gateway.mark).map(look))
    }

    /// Changes the health of a gateway; `change` says whether it went down, or came back.
    fn change(
        &self,
        gateway: Gateway,
        failure: Option<Failure>,
        change: impl FnOnce(&mut Health, Duration) -> bool,
    ) -> Option<Change> {
        self.lines.with(|lines| {
            let line = lines.get_mut(&gateway.mark)?;
            let retry = line.retry;
            let (_, health) = line.gateways.iter_mut().find(|(address, _)| *address == gateway.address)?;
            if !change(health, retry) {
                return None;
            }
            let (trunk, left) = (line.name.clone(), line.left());
            self.count(lines);
            Some(Change { trunk, address: gateway.address, failure, left })
        })
    }

    fn count(&self, lines: &BTreeMap<u32, Line>) {
        let down = lines.values().flat_map(|line| &line.gateways).filter(|(_, health)| !health.is_up()).count();
        self.down.store(down, Ordering::Relaxed);
    }
}

impl Line {
    fn of(&self, address: SocketAddr) -> Option<&Health> {
        self.gateways.iter().find(|(known, _)| *known == address).map(|(_, health)| health)
    }

    fn left(&self) -> usize {
        self.gateways.iter().filter(|(_, health)| health.is_up()).count()
    }

    /// What is known of an address that stays, stays known.
    fn set_addresses(&mut self, addresses: &[SocketAddr]) {
        let health = |address: &SocketAddr| (*address, self.of(*address).copied().unwrap_or_default());
        self.gateways = addresses.iter().map(health).collect();
    }
}

impl Change {
    /// Whether the trunk has no address left that is up.
    pub fn is_gone(&self) -> bool {
        self.left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_that_failed_takes_no_calls_until_it_answers() {
        #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin; nothing depends on which it is")]
        let now = Instant::now();
        let address = SocketAddr::from(([192, 0, 2, 1], 5060));
        let trunks = Trunks::default();
        let line = Line {
            name: "bt-1".into(),
            retry: Duration::from_secs(30),
            gateways: SmallVec::from_elem((address, Health::default()), 1),
        };
        trunks.lines.with(|lines| lines.insert(1, line));
        let (gateway, stranger) = (Gateway { mark: 1, address }, Gateway { mark: 2, address });
        assert!(trunks.takes_calls(now, gateway) && trunks.poll_timeout().is_none());
        let change = trunks.failed(now, gateway, Failure::Silent).expect("it was up");
        assert!(change.is_gone() && change.failure == Some(Failure::Silent) && change.trunk == "bt-1");
        assert_eq!(trunks.failed(now, gateway, Failure::Silent), None, "it was down");
        assert!(!trunks.takes_calls(now, gateway) && trunks.takes_calls(now, stranger));
        assert_eq!(trunks.seen(1).addresses, [(address, false)]);
        let at = trunks.poll_timeout().expect("it is to be probed");
        assert_eq!((trunks.probes(now), trunks.probes(at)), (vec![], vec![gateway]));
        let change = trunks.answered(gateway).expect("it was down");
        assert!(!change.is_gone() && change.failure.is_none());
        assert!(trunks.takes_calls(now, gateway) && trunks.answered(gateway).is_none());
    }
}
