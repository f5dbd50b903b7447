//! A handle on a running site for other threads: its commands, and what there is to see of it without asking its threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::mpsc;

use super::site::Order;
use crate::ids::SiteName;
use crate::location::Store;
use crate::node::{Command, Load, Overview};

/// A site that runs, for as many holders as like.
#[derive(Clone)]
pub struct Handle {
    /// The site.
    pub name: SiteName,
    /// Everything about its users, calls and links.
    pub overview: Overview,
    /// A handle holds no site alive.
    pub(super) shards: Vec<(mpsc::WeakSender<Order>, Arc<Gauges>)>,
}

/// What a shard's loop says about itself after each turn.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    transactions: AtomicUsize,
    calls: AtomicUsize,
    live: AtomicUsize,
    waiting: AtomicUsize,
    /// The store says this, from whichever thread it writes on.
    store_fails: Arc<AtomicBool>,
}

impl Gauges {
    /// Of a shard with that store.
    pub(super) fn of(store: &dyn Store) -> Self {
        Self { store_fails: store.failing(), ..Self::default() }
    }

    pub(super) fn note(&self, load: Load) {
        let all = [
            (&self.transactions, load.transactions),
            (&self.calls, load.calls),
            (&self.live, load.live),
            (&self.waiting, load.waiting),
        ];
        all.into_iter().for_each(|(gauge, value)| gauge.store(value, Ordering::Relaxed));
    }

    fn load(&self) -> Load {
        let read = |gauge: &AtomicUsize| gauge.load(Ordering::Relaxed);
        Load {
            transactions: read(&self.transactions),
            calls: read(&self.calls),
            live: read(&self.live),
            waiting: read(&self.waiting),
        }
    }
}

impl Handle {
    /// Gives every shard's node a command. A site that has ended takes none.
    pub async fn command(&self, command: Command) {
        for (orders, _) in &self.shards {
            if let Some(orders) = orders.upgrade() {
                let _ = orders.send(Order::Command(command.clone())).await;
            }
        }
    }

    /// What its shards have in hand, together.
    pub fn load(&self) -> Load {
        self.shards.iter().map(|(_, gauges)| gauges.load()).fold(Load::default(), |all, one| Load {
            transactions: all.transactions + one.transactions,
            calls: all.calls + one.calls,
            live: all.live + one.live,
            waiting: all.waiting + one.waiting,
        })
    }

    /// Whether one of its stores can't be written at this moment.
    pub fn store_fails(&self) -> bool {
        self.shards.iter().any(|(_, gauges)| gauges.store_fails.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_last_is_what_is_seen() {
        let gauges = Gauges::default();
        assert_eq!(gauges.load(), Load::default());
        let load = Load { transactions: 4, calls: 3, live: 2, waiting: 1 };
        gauges.note(load);
        assert_eq!(gauges.load(), load);
    }
}
