//! The location table: what is committed, shared by the shards of a site.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ahash::RandomState;
use dashmap::DashMap;

use super::record::Record;
use crate::ids::Extension;

/// AOR → record, for all shards of a site. Reads hand out an `Arc`, writes take a closure-free value: no guard ever leaves a method.
pub struct Location {
    records: DashMap<Extension, Arc<Record>, RandomState>,
    /// What the ledgers of the shards have staged: the newest record of each AOR, and how many steps of it wait.
    staged: DashMap<Extension, (Option<Arc<Record>>, usize), RandomState>,
    /// How many AORs have steps that wait: mostly none, and then nobody looks for them.
    waiting: AtomicUsize,
}

impl Location {
    /// An empty table; the seeds come from the node's generator, so that strangers can't choose colliding names.
    pub fn new(seeds: [u64; 4]) -> Self {
        let hasher = RandomState::with_seeds(seeds[0], seeds[1], seeds[2], seeds[3]);
        Self {
            records: DashMap::with_hasher(hasher.clone()),
            staged: DashMap::with_hasher(hasher),
            waiting: AtomicUsize::new(0),
        }
    }

    /// The record that the next request for this AOR is judged on: the newest staged one, else the committed one.
    pub fn view(&self, extension: &str) -> Option<Arc<Record>> {
        if self.waiting.load(Ordering::Acquire) > 0
            && let Some(staged) = self.staged.get(extension)
        {
            return staged.0.clone();
        }
        self.record(extension)
    }

    /// Whether changes of this AOR wait to be stored.
    pub fn is_staged(&self, extension: &str) -> bool {
        self.waiting.load(Ordering::Acquire) > 0 && self.staged.contains_key(extension)
    }

    /// A step of the AOR waits, with this record as the newest. Only the AOR's owner shard calls this.
    pub(super) fn stage(&self, extension: &Extension, record: Option<Arc<Record>>) {
        match self.staged.get_mut(extension.as_str()) {
            Some(mut staged) => *staged = (record, staged.1 + 1),
            None => {
                self.staged.insert(extension.clone(), (record, 1));
                self.waiting.fetch_add(1, Ordering::Release);
            }
        }
    }

    /// The newest record of an AOR with steps that wait is this one again. Only the AOR's owner shard calls this.
    pub(super) fn fall_back(&self, extension: &Extension, record: Option<Arc<Record>>) {
        if let Some(mut staged) = self.staged.get_mut(extension.as_str()) {
            staged.0 = record;
        }
    }

    /// A step of the AOR waits no more. Only the AOR's owner shard calls this.
    pub(super) fn unstage(&self, extension: &Extension) {
        let is_last = self.staged.get_mut(extension.as_str()).map(|mut staged| {
            staged.1 = staged.1.saturating_sub(1);
            staged.1 == 0
        });
        if is_last == Some(true) {
            self.staged.remove(extension.as_str());
            self.waiting.fetch_sub(1, Ordering::Release);
        }
    }

    /// The committed record of an AOR.
    pub fn record(&self, extension: &str) -> Option<Arc<Record>> {
        self.records.get(extension).map(|entry| Arc::clone(&entry))
    }

    /// Replaces or, with `None`, forgets the record. Only the AOR's owner shard calls this.
    pub(super) fn put(&self, extension: &Extension, record: Option<Arc<Record>>) {
        match record {
            Some(record) => drop(self.records.insert(extension.clone(), record)),
            None => drop(self.records.remove(extension)),
        }
    }

    /// Puts a record back that was stored before the process began.
    pub fn restore(&self, extension: &Extension, record: Record) {
        self.put(extension, Some(Arc::new(record)));
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Every record, in the order of the extensions: for the API and for tests, not for calls.
    pub fn snapshot(&self) -> Vec<(Extension, Arc<Record>)> {
        let mut all: Vec<_> = self.records.iter().map(|e| (e.key().clone(), Arc::clone(e.value()))).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }
}
