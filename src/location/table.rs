//! The location table: what is committed, shared by the shards of a site.

use std::sync::Arc;

use ahash::RandomState;
use dashmap::DashMap;

use super::record::Record;
use crate::ids::Extension;

/// AOR → record. Reads hand out an `Arc`, writes take a closure-free value: no guard ever leaves a method.
pub struct Location {
    records: DashMap<Extension, Arc<Record>, RandomState>,
}

impl Location {
    /// An empty table; the seeds come from the node's generator, so that strangers can't choose colliding names.
    pub fn new(seeds: [u64; 4]) -> Self {
        let hasher = RandomState::with_seeds(seeds[0], seeds[1], seeds[2], seeds[3]);
        Self { records: DashMap::with_hasher(hasher) }
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
