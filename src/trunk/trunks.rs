//! All trunks of a site, shared by its shards: the addresses of each, in turn, and their health; and what host names resolve to.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::health::{Failure, Health};
use super::names::{Names, Resolved};
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
    /// Which address; `None`: its name has none.
    pub address: Option<SocketAddr>,
    /// Why it is down; `None`: it answers again.
    pub failure: Option<Failure>,
    /// How many addresses of the trunk are up.
    pub left: usize,
}

/// What an operator may see of a trunk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The addresses, in the order in which they are tried, and whether each is up; none while its name has none.
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
    /// Names to look up.
    named: AtomicUsize,
    inner: Guarded<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    lines: BTreeMap<u32, Line>,
    names: Names,
}

#[derive(Debug)]
struct Line {
    name: String,
    retry: Duration,
    /// The name that stands for its addresses, in lower case, and the port.
    host: Option<(String, u16)>,
    /// It was said that the name has no address.
    unresolved: bool,
    gateways: SmallVec<[(SocketAddr, Health); 1]>,
}

impl Trunks {
    /// Takes over a configuration: each trunk with its mark, and other names to look up. What is known of an address or name stays known.
    pub fn configure<'a>(
        &self,
        now: Instant,
        trunks: impl Iterator<Item = (u32, &'a settings::Trunk)>,
        names: impl Iterator<Item = String>,
    ) {
        self.inner.with(|inner| {
            let mut old = std::mem::take(&mut inner.lines);
            for (mark, trunk) in trunks {
                let host = host_of(trunk);
                let known = old.remove(&mark).filter(|line| line.host == host);
                let (unresolved, gateways) = known.map(|line| (line.unresolved, line.gateways)).unwrap_or_default();
                let mut line = Line { name: trunk.name.clone(), retry: trunk.retry, host, unresolved, gateways };
                if line.host.is_none() {
                    line.set_addresses(trunk.address.as_slice());
                }
                inner.lines.insert(mark, line);
            }
            self.count(&inner.lines);
            let hosts = inner.lines.values().filter_map(|line| Some(line.host.as_ref()?.0.clone()));
            let all: Vec<String> = hosts.chain(names).collect();
            self.named.store(all.len(), Ordering::Relaxed);
            inner.names.configure(now, all.into_iter());
        });
    }

    /// The names that are to be looked up now.
    pub fn lookups(&self, now: Instant) -> Vec<String> {
        if self.named.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        self.inner.with(|inner| inner.names.due(now))
    }

    /// What a name has resolved to; a trunk takes those addresses that `usable` admits. What has changed for the trunks of that name.
    pub fn resolved(
        &self,
        now: Instant,
        name: &str,
        resolved: Resolved,
        usable: impl Fn(SocketAddr) -> bool,
    ) -> Vec<Change> {
        self.inner.with(|inner| {
            if !inner.names.resolved(now, name, resolved) {
                return Vec::new();
            }
            let found = inner.names.addresses(name);
            let of_name =
                inner.lines.values_mut().filter(|line| line.host.as_ref().is_some_and(|(host, _)| host == name));
            let changes = of_name.filter_map(|line| line.resolved(found, &usable)).collect();
            self.count(&inner.lines);
            changes
        })
    }

    /// What a name has resolved to.
    pub fn addresses_of(&self, name: &str) -> Vec<IpAddr> {
        self.inner.with(|inner| inner.names.addresses(name).to_vec())
    }

    /// The mark of the trunk whose name has that address.
    pub fn named_at(&self, address: SocketAddr) -> Option<u32> {
        if self.named.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let is_it = |line: &Line| line.host.is_some() && line.of(address).is_some();
        self.inner.with(|inner| inner.lines.iter().find(|(_, line)| is_it(line)).map(|(mark, _)| *mark))
    }

    /// Where a trunk is reached, in the order of trying.
    pub fn addresses(&self, mark: u32) -> SmallVec<[SocketAddr; 1]> {
        let all = |line: &Line| line.gateways.iter().map(|(address, _)| *address).collect();
        self.inner.with(|inner| inner.lines.get(&mark).map(all)).unwrap_or_default()
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
        self.inner.with(|inner| {
            let all = inner
                .lines
                .iter_mut()
                .flat_map(|(mark, line)| line.gateways.iter_mut().map(|(address, health)| (*mark, *address, health)));
            let due =
                all.filter_map(|(mark, address, health)| health.wants_probe(now).then_some(Gateway { mark, address }));
            due.collect()
        })
    }

    /// When the next one is to be probed, or a name to be looked up.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.down.load(Ordering::Relaxed) == 0 && self.named.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.inner.with(|inner| {
            let probes =
                inner.lines.values().flat_map(|line| &line.gateways).filter_map(|(_, health)| health.next_probe());
            probes.chain(inner.names.next()).min()
        })
    }

    /// What an operator may see of a trunk.
    pub fn seen(&self, mark: u32) -> Seen {
        let all =
            |line: &Line| line.gateways.iter().map(|(address, health)| (*address, health.is_up())).collect::<Vec<_>>();
        let addresses = self.inner.with(|inner| inner.lines.get(&mark).map(all)).unwrap_or_default();
        Seen { addresses }
    }

    fn with<R>(&self, gateway: Gateway, look: impl FnOnce(&mut Line) -> R) -> Option<R> {
        self.inner.with(|inner| inner.lines.get_mut(&gateway.mark).map(look))
    }

    /// Changes the health of a gateway; `change` says whether it went down, or came back.
    fn change(
        &self,
        gateway: Gateway,
        failure: Option<Failure>,
        change: impl FnOnce(&mut Health, Duration) -> bool,
    ) -> Option<Change> {
        self.inner.with(|inner| {
            let line = inner.lines.get_mut(&gateway.mark)?;
            let retry = line.retry;
            let (_, health) = line.gateways.iter_mut().find(|(address, _)| *address == gateway.address)?;
            if !change(health, retry) {
                return None;
            }
            let (trunk, left) = (line.name.clone(), line.left());
            self.count(&inner.lines);
            Some(Change { trunk, address: Some(gateway.address), failure, left })
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

    /// Its name has these addresses. A change, if it had none before, or has none now.
    fn resolved(&mut self, found: &[IpAddr], usable: &impl Fn(SocketAddr) -> bool) -> Option<Change> {
        let port = self.host.as_ref().map_or(5060, |(_, port)| *port);
        let at = found.iter().map(|ip| SocketAddr::new(*ip, port));
        let addresses: Vec<SocketAddr> = at.filter(|address| usable(*address)).collect();
        self.set_addresses(&addresses);
        let was = std::mem::replace(&mut self.unresolved, addresses.is_empty());
        let failure = self.unresolved.then_some(Failure::Unresolved);
        let (trunk, address, left) = (self.name.clone(), addresses.first().copied(), self.left());
        (was != self.unresolved).then_some(Change { trunk, address, failure, left })
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

/// The name and port of a trunk that has a name. RFC 3261 §19.1.2: the default port is 5060.
fn host_of(trunk: &settings::Trunk) -> Option<(String, u16)> {
    if trunk.address.is_some() {
        return None;
    }
    let (name, port) = trunk.host.rsplit_once(':').unwrap_or((&trunk.host, ""));
    Some((name.to_ascii_lowercase(), port.parse().unwrap_or(5060)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(host: Option<(String, u16)>) -> Line {
        let (name, retry) = ("bt-1".into(), Duration::from_secs(30));
        Line { name, retry, host, unresolved: false, gateways: SmallVec::new() }
    }

    #[test]
    fn a_gateway_that_failed_takes_no_calls_until_it_answers() {
        #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin; nothing depends on which it is")]
        let now = Instant::now();
        let address = SocketAddr::from(([192, 0, 2, 1], 5060));
        let trunks = Trunks::default();
        let mut line = line(None);
        line.set_addresses(&[address]);
        trunks.inner.with(|inner| inner.lines.insert(1, line));
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

    #[test]
    fn a_named_trunk_is_where_its_name_says_and_down_while_that_is_nowhere() {
        #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin; nothing depends on which it is")]
        let now = Instant::now();
        let trunks = Trunks::default();
        let name = "carrier.example";
        trunks.inner.with(|inner| {
            inner.lines.insert(1, line(Some((name.into(), 5070))));
            inner.names.configure(now, [name.to_owned()].into_iter());
        });
        trunks.named.store(1, Ordering::Relaxed);
        assert_eq!((trunks.poll_timeout(), trunks.lookups(now)), (Some(now), vec![name.to_owned()]));
        let found = |last: &[u8]| {
            let ips = last.iter().map(|last| IpAddr::from([192, 0, 2, *last])).collect();
            trunks.resolved(now, name, Resolved::Addresses(ips, Duration::from_secs(60)), |at| {
                at.ip() != IpAddr::from([192, 0, 2, 9])
            })
        };
        let at = |last| SocketAddr::from(([192, 0, 2, last], 5070));
        assert!(found(&[1, 9, 2]).is_empty(), "nothing was said against it");
        assert_eq!(trunks.addresses(1)[..], [at(1), at(2)]);
        assert_eq!(
            [at(1), at(9), SocketAddr::from(([192, 0, 2, 1], 5060))].map(|at| trunks.named_at(at)),
            [Some(1), None, None]
        );
        trunks.failed(now, Gateway { mark: 1, address: at(2) }, Failure::Silent).expect("it was up");
        assert!(found(&[2, 3]).is_empty());
        assert_eq!(
            trunks.seen(1).addresses,
            [(at(2), false), (at(3), true)],
            "what is known of an address stays known"
        );
        let gone = found(&[]);
        assert!(gone.len() == 1 && gone[0].failure == Some(Failure::Unresolved) && !trunks.seen(1).is_up());
        assert!(found(&[]).is_empty(), "it is said once");
        let back = found(&[3]);
        assert!(back.len() == 1 && back[0].failure.is_none() && trunks.seen(1).is_up());
    }
}
