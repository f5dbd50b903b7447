//! The location table: what is committed, shared by the shards of a site.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use ahash::RandomState;
use dashmap::DashMap;

use super::binding::Binding;
use super::device::Device;
use super::lost::{LostPhone, LostPhones};
use super::record::Record;
use super::seats::{Seats, Sitter, sitter_at};
use crate::ids::Extension;

/// AOR → record, for all shards of a site. Reads hand out an `Arc`, writes take a closure-free value: no guard ever leaves a method.
pub struct Location {
    records: DashMap<Extension, Arc<Record>, RandomState>,
    /// What the ledgers of the shards have staged: the newest record of each AOR, and how many steps of it wait.
    staged: DashMap<Extension, (Option<Arc<Record>>, usize), RandomState>,
    /// How many AORs have steps that wait: mostly none, and then nobody looks for them.
    waiting: AtomicUsize,
    /// Who sits at whose phones, by what is committed.
    seats: Seats,
    /// Phones here that have lost their users.
    lost: LostPhones,
}

impl Location {
    /// An empty table; the seeds come from the node's generator, so that strangers can't choose colliding names.
    pub fn new(seeds: [u64; 4]) -> Self {
        let hasher = RandomState::with_seeds(seeds[0], seeds[1], seeds[2], seeds[3]);
        Self {
            records: DashMap::with_hasher(hasher.clone()),
            staged: DashMap::with_hasher(hasher),
            waiting: AtomicUsize::new(0),
            seats: Seats::default(),
            lost: LostPhones::default(),
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
        let before = match &record {
            Some(record) => self.records.insert(extension.clone(), Arc::clone(record)),
            None => self.records.remove(extension).map(|(_, record)| record),
        };
        self.seats.moved(extension, before.as_deref(), record.as_deref());
    }

    /// Whether anybody sits at a phone of somebody else's.
    pub fn has_seats(&self) -> bool {
        self.seats.any()
    }

    /// Everybody who claims a phone of that account.
    pub fn sitters(&self, phone: &str) -> Vec<Sitter> {
        self.seats.at(phone)
    }

    /// Who sits at a phone of that account; `None`: nobody but its own user.
    pub fn sitter(&self, phone: &str, device: &Device) -> Option<Extension> {
        sitter_at(&self.seats.at(phone), device).map(|sitter| sitter.user.clone())
    }

    /// The bindings by which a user is reached here: the user's own, but for those where somebody else sits, and those of phones of others at
    /// which the user sits.
    pub fn phones_of<'r>(&self, user: &str, record: &'r Record) -> Cow<'r, [Binding]> {
        let sitters = self.sitters(user);
        if sitters.is_empty() && record.seats().is_empty() {
            return Cow::Borrowed(record.bindings());
        }
        let own = record.bindings().iter().filter(|binding| sitter_at(&sitters, &binding.device).is_none()).cloned();
        let mut phones: Vec<Binding> = own.collect();
        for seat in record.seats() {
            let account = self.record(seat.phone.as_str());
            let own = account.as_deref().map_or(&[][..], Record::bindings);
            let in_limbo = self.lost_phones(seat.phone.as_str()).into_iter().filter(|phone| phone.in_limbo);
            let in_limbo: Vec<Binding> = in_limbo.map(|phone| phone.binding).collect();
            let sitters = self.sitters(seat.phone.as_str());
            let is_there = |binding: &&Binding| {
                let has_it = sitter_at(&sitters, &binding.device).is_some_and(|sitter| sitter.user.as_str() == user);
                has_it && binding.device.is(&seat.device)
            };
            phones.extend(own.iter().chain(&in_limbo).filter(is_there).cloned());
        }
        Cow::Owned(phones)
    }

    /// Whether any phone here has lost its user.
    pub fn has_lost_phones(&self) -> bool {
        self.lost.any()
    }

    /// The phones here that have lost that user (SPEC 5.10), the latest last.
    pub fn lost_phones(&self, user: &str) -> Vec<LostPhone> {
        self.lost.of(user)
    }

    /// Those of them that are bound in limbo.
    pub fn in_limbo(&self, user: &str, now: Instant) -> Vec<Binding> {
        self.lost.of(user).into_iter().filter(|phone| phone.is_in_limbo(now)).map(|phone| phone.binding).collect()
    }

    /// A phone has lost that user. Only the AOR's owner shard calls this.
    pub fn lose(&self, user: &Extension, phone: LostPhone) {
        self.lost.add(user, phone);
    }

    /// Such phones are no more. Only the AOR's owner shard calls this.
    pub fn forget_lost(&self, user: &str, is_meant: impl Fn(&LostPhone) -> bool) {
        self.lost.forget(user, is_meant);
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
