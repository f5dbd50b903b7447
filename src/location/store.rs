//! Where changes become durable: the seam for an embedded database.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};

use super::ledger::{StoreId, StoreOp};

/// Takes a node's changes in order and says when they are durable. Each shard of a site has one: its ids are its own, and no AOR is
/// changed by two of them.
///
/// Whoever drives the node asks [`stored`](Store::stored) after every input, and waits with [`poll_news`](Store::poll_news): a
/// store may work on a thread of its own.
pub trait Store: Send {
    /// Takes one change; it must not block.
    fn stage(&mut self, op: StoreOp);

    /// The next news, `None` if there is none now.
    fn stored(&mut self) -> Option<Stored>;

    /// Ready when there is news; else the task is woken when there is.
    fn poll_news(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// True for as long as it can't be written, for whoever watches it (SPEC 13); a store that never fails need not say so.
    fn failing(&self) -> Arc<AtomicBool> {
        Arc::default()
    }
}

/// What became of staged changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Every change up to this one is durable.
    UpTo(StoreId),
    /// This one can't be stored.
    Failed(StoreId),
}

/// Keeps nothing and acknowledges at once: without `data_dir`.
#[derive(Debug, Default)]
pub struct Memory {
    last: Option<StoreId>,
}

impl Store for Memory {
    fn stage(&mut self, op: StoreOp) {
        self.last = Some(op.id);
    }

    fn stored(&mut self) -> Option<Stored> {
        self.last.take().map(Stored::UpTo)
    }

    fn poll_news(&mut self, _: &mut Context<'_>) -> Poll<()> {
        // What is staged is asked for in the same turn.
        if self.last.is_some() { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Extension;
    use crate::location::When;

    #[test]
    fn memory_acknowledges_everything_taken_and_once() {
        let mut memory = Memory::default();
        for id in [StoreId(1), StoreId(2)] {
            memory.stage(StoreOp { id, extension: Extension::new("201"), record: None, when: When::Awaited });
        }
        assert_eq!(memory.stored(), Some(Stored::UpTo(StoreId(2))));
        assert_eq!(memory.stored(), None);
    }
}
