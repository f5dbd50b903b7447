//! What the shards of one site give each other, from thread to thread.
//!
//! Each shard has one bounded queue. What does not fit is dropped, the newest first, and counted: a packet as the kernel would have
//! dropped it from a full socket, so that whoever sent it sends again; an errand because its sender can do without
//! ([`Handover`]). Nobody waits for another shard.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::sync::mpsc;

use crate::node::Handover;

/// Most handovers that wait for one shard: as much as a second of a busy one.
const WAITING: usize = 8192;

/// One shard's way to the others and theirs to it. A site of one shard has neither.
pub(super) struct Siblings {
    inbox: Option<mpsc::Receiver<Handover>>,
    /// The first of what waits, once somebody has looked.
    first: Option<Handover>,
    /// By the ids of the shards.
    outboxes: Vec<mpsc::Sender<Handover>>,
    dropped: Arc<AtomicU64>,
}

/// Handovers of a site that were dropped.
#[derive(Clone, Debug, Default)]
pub struct HandoverDrops {
    all: Arc<AtomicU64>,
    seen: u64,
}

impl HandoverDrops {
    /// How many more it is than when this was last asked.
    pub fn more(&mut self) -> u64 {
        let all = self.all.load(Ordering::Relaxed);
        all - std::mem::replace(&mut self.seen, all)
    }
}

impl Siblings {
    /// For so many shards of one site, in the order of their ids, and what counts their losses.
    pub fn of(shards: usize) -> (Vec<Self>, HandoverDrops) {
        let drops = HandoverDrops::default();
        let alone = shards == 1;
        let (outboxes, inboxes): (Vec<_>, Vec<_>) =
            (0..shards).filter(|_| !alone).map(|_| mpsc::channel(WAITING)).unzip();
        let inboxes = inboxes.into_iter().map(Some).chain(alone.then_some(None));
        let shard = |inbox| {
            let (outboxes, dropped) = (outboxes.clone(), Arc::clone(&drops.all));
            Self { inbox, first: None, outboxes, dropped }
        };
        (inboxes.map(shard).collect(), drops)
    }

    /// Ready when something is there to be [`taken`](Self::take).
    pub fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.first.is_none() {
            let Some(inbox) = &mut self.inbox else { return Poll::Pending };
            match inbox.poll_recv(cx) {
                Poll::Ready(Some(first)) => self.first = Some(first),
                // The others are gone: the site ends.
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    /// The next handover for this shard.
    pub fn take(&mut self) -> Option<Handover> {
        self.first.take().or_else(|| self.inbox.as_mut()?.try_recv().ok())
    }

    /// Gives one to its shard, or drops it.
    pub fn give(&self, handover: Handover) {
        let given = self.outboxes.get(usize::from(handover.to.0)).map(|outbox| outbox.try_send(handover));
        if !matches!(given, Some(Ok(()))) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether nothing waits for this shard.
    pub fn is_idle(&self) -> bool {
        self.first.is_none() && self.inbox.as_ref().is_none_or(mpsc::Receiver::is_empty)
    }
}
