//! Changes that are judged but not yet durable (DESIGN §1, Storing).
//!
//! A change is staged with what waits for it. Until the store has it, later requests for the same AOR are judged on the staged
//! view; the committed table still shows the old one. Ids are cumulative; a failed step takes the steps staged on top of it with
//! it. The queue is bounded: when it is full, the change is refused.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::record::Record;
use super::table::Location;
use crate::ids::Extension;

/// Names one change; later ones are larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreId(pub u64);

/// One change that must become durable: the whole record of an AOR, or its end.
#[derive(Clone, Debug)]
pub struct StoreOp {
    /// Acknowledged by this id or a larger one.
    pub id: StoreId,
    /// The AOR.
    pub extension: Extension,
    /// The new record; `None`: it is gone.
    pub record: Option<Arc<Record>>,
    /// When it is written.
    pub when: When,
}

/// When a change is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At once: somebody waits for it.
    Awaited,
    /// At once, though nobody waits: it extends what is stored, and that runs out soon.
    Soon,
    /// It extends what is stored and lasts: up to 30 s later (SPEC 4.5).
    Later,
}

/// What is stored and runs out sooner than this is not left to a later write: the process may be gone for a while.
const SOON: Duration = Duration::from_secs(60);

/// The staged queue is at its bound; here is what would have waited.
#[derive(Debug)]
pub struct LedgerFull<T>(pub T);

struct Step<T> {
    id: StoreId,
    extension: Extension,
    record: Option<Arc<Record>>,
    then: T,
}

/// The staged changes of one shard, which alone changes its AORs; `T` is what waits for each. The staged records themselves lie in
/// the [`Location`], where every shard sees them.
pub struct Ledger<T> {
    last: StoreId,
    limit: usize,
    steps: VecDeque<Step<T>>,
    outgoing: VecDeque<StoreOp>,
}

impl<T> Ledger<T> {
    /// At most `limit` changes wait at once.
    pub fn new(limit: usize) -> Self {
        Self { last: StoreId(0), limit, steps: VecDeque::new(), outgoing: VecDeque::new() }
    }

    /// Stages a change; `then` is handed back by [`stored`](Self::stored) or [`failed`](Self::failed).
    pub fn stage(
        &mut self,
        location: &Location,
        extension: &Extension,
        record: Option<Record>,
        then: T,
    ) -> Result<StoreId, LedgerFull<T>> {
        let record = record.map(Arc::new);
        self.stage_as(location, extension, record.clone(), record, then)
    }

    /// Stages the end of a record of which somebody is still to be told: the store keeps `owed` in its place until [`forget`](Self::forget).
    pub fn stage_end(
        &mut self,
        location: &Location,
        extension: &Extension,
        owed: Record,
        then: T,
    ) -> Result<StoreId, LedgerFull<T>> {
        self.stage_as(location, extension, None, Some(Arc::new(owed)), then)
    }

    fn stage_as(
        &mut self,
        location: &Location,
        extension: &Extension,
        record: Option<Arc<Record>>,
        written: Option<Arc<Record>>,
        then: T,
    ) -> Result<StoreId, LedgerFull<T>> {
        if self.steps.len() >= self.limit {
            return Err(LedgerFull(then));
        }
        let id = self.send(extension, written, When::Awaited);
        location.stage(extension, record.clone());
        self.steps.push_back(Step { id, extension: extension.clone(), record, then });
        Ok(id)
    }

    /// What the store keeps in the place of a record that has ended is owed no more. Where there is a record again it has taken that place.
    pub fn forget(&mut self, location: &Location, extension: &Extension) {
        if !location.is_staged(extension.as_str()) && location.record(extension.as_str()).is_none() {
            self.send(extension, None, When::Soon);
        }
    }

    /// A change that only extends: it is true at once and written without anybody waiting for it. Not while steps of the AOR wait
    /// ([`is_staged`](Location::is_staged)): then it is staged behind them.
    pub fn extend(&mut self, location: &Location, extension: &Extension, record: Record, now: Instant) {
        debug_assert!(!location.is_staged(extension.as_str()), "an extension would be undone by the step that waits");
        let end = location.record(extension.as_str()).and_then(|stored| stored.first_end());
        let when = if end.is_some_and(|end| end < now + SOON) { When::Soon } else { When::Later };
        let record = Some(Arc::new(record));
        location.put(extension, record.clone());
        self.send(extension, record, when);
    }

    fn send(&mut self, extension: &Extension, record: Option<Arc<Record>>, when: When) -> StoreId {
        self.last = StoreId(self.last.0 + 1);
        self.outgoing.push_back(StoreOp { id: self.last, extension: extension.clone(), record, when });
        self.last
    }

    /// The next change for the store.
    pub fn poll_store(&mut self) -> Option<StoreOp> {
        self.outgoing.pop_front()
    }

    /// Everything up to `id` is durable: the next step of it is committed, and what waited for it handed out. Call until `None`.
    pub fn stored(&mut self, location: &Location, id: StoreId) -> Option<T> {
        self.steps.front().filter(|step| step.id <= id)?;
        let step = self.steps.pop_front()?;
        location.put(&step.extension, step.record);
        location.unstage(&step.extension);
        Some(step.then)
    }

    /// The step `id` could not be stored: it and the later steps of the same AOR are undone; what waited for them is returned.
    pub fn failed(&mut self, location: &Location, id: StoreId) -> Vec<(Extension, T)> {
        let Some(at) = self.steps.iter().position(|step| step.id == id) else { return Vec::new() };
        let extension = self.steps[at].extension.clone();
        let earlier = self.steps.iter().take(at).rev().find(|step| step.extension == extension);
        let record = earlier.map_or_else(|| location.record(extension.as_str()), |step| step.record.clone());
        let (mut failed, mut kept) = (Vec::new(), VecDeque::with_capacity(self.steps.len()));
        for step in self.steps.drain(..) {
            if step.id >= id && step.extension == extension { failed.push(step) } else { kept.push_back(step) }
        }
        self.steps = kept;
        // What the store has not taken yet is not offered to it again.
        self.outgoing.retain(|op| op.extension != extension || op.id < id);
        location.fall_back(&extension, record);
        failed.iter().for_each(|step| location.unstage(&step.extension));
        failed.into_iter().map(|step| (step.extension, step.then)).collect()
    }

    /// What waits for the step `id`, while it is staged.
    pub fn waiting(&mut self, id: StoreId) -> Option<&mut T> {
        let at = self.steps.binary_search_by_key(&id, |step| step.id).ok()?;
        self.steps.get_mut(at).map(|step| &mut step.then)
    }

    /// What waits for the staged changes of an AOR.
    pub fn of(&self, extension: &Extension) -> impl Iterator<Item = &T> {
        self.steps.iter().filter(move |step| step.extension == *extension).map(|step| &step.then)
    }

    /// How many changes wait.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Resident;
    use super::*;
    use crate::ids::LoginNumber;

    fn record(login: u64) -> Record {
        Record::Resident(Resident { login: LoginNumber(login), ..Resident::default() })
    }

    fn login(record: Option<Arc<Record>>) -> Option<u64> {
        record.and_then(|r| r.resident().map(|r| r.login.0))
    }

    #[test]
    fn a_staged_change_is_judged_on_at_once_and_seen_by_calls_once_stored() {
        let (location, mut ledger) = (Location::new([1; 4]), Ledger::new(8));
        let user = Extension::new("201");
        let first = ledger.stage(&location, &user, Some(record(1)), 'a').expect("room");
        let second = ledger.stage(&location, &user, Some(record(2)), 'b').expect("room");
        assert_eq!((login(location.view("201")), login(location.record("201"))), (Some(2), None));
        assert_eq!(ledger.stored(&location, first), Some('a'));
        assert_eq!(ledger.stored(&location, first), None);
        assert_eq!((login(location.view("201")), login(location.record("201"))), (Some(2), Some(1)));
        assert_eq!(ledger.stored(&location, second), Some('b'));
        assert_eq!(login(location.record("201")), Some(2));
    }

    #[test]
    fn a_failed_step_takes_those_behind_it_along_and_no_other() {
        let (location, mut ledger) = (Location::new([1; 4]), Ledger::new(8));
        let (ada, bob) = (Extension::new("201"), Extension::new("202"));
        let first = ledger.stage(&location, &ada, Some(record(1)), 'a').expect("room");
        let second = ledger.stage(&location, &ada, Some(record(2)), 'b').expect("room");
        let other = ledger.stage(&location, &bob, Some(record(7)), 'c').expect("room");
        ledger.stage(&location, &ada, Some(record(3)), 'd').expect("room");
        let failed: Vec<char> = ledger.failed(&location, second).into_iter().map(|(_, then)| then).collect();
        assert_eq!(failed, ['b', 'd']);
        assert_eq!(login(location.view("201")), Some(1));
        assert_eq!(ledger.stored(&location, first), Some('a'));
        assert_eq!(ledger.stored(&location, other), Some('c'));
        assert!(ledger.is_empty());
    }

    #[test]
    fn a_full_ledger_refuses_and_takes_again() {
        let (location, mut ledger) = (Location::new([1; 4]), Ledger::new(1));
        let user = Extension::new("201");
        let id = ledger.stage(&location, &user, Some(record(1)), 'a').expect("room");
        assert!(ledger.stage(&location, &user, Some(record(2)), 'b').is_err());
        assert_eq!(ledger.stored(&location, id), Some('a'));
        assert!(ledger.stage(&location, &user, None, 'c').is_ok());
    }
}
