//! Group commit on a thread of its own.
//!
//! ```text
//! node ─ stage ─► queue ─► one transaction ─► disk ─► news ─► handle_stored
//!                   └ what comes meanwhile is the next transaction
//! ```
//! A transaction that fails is tried again change by change; one that fails alone takes the later changes of the same AOR with it
//! until the node has heard of it. Changes that only extend wait for [`LAZY`], if what is written lasts, and replace each other: they
//! need no bound of their own, the changes that must be durable have the ledger's. While nothing can be written it is tried again and again, whether
//! anybody wants something written or not: whoever watches ([`Store::failing`]) sees the end of it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use crate::ids::Extension;
use crate::location::{Record, Store, StoreId, StoreOp, Stored, When};

/// What only extends a binding is written so much later at most (SPEC 4.5 allows 30 s).
pub const LAZY: Duration = Duration::from_secs(5);
/// Most changes in one transaction.
const GROUP: usize = 4_096;
/// A database that fails is tried again after so long, though nobody has a change for it.
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// A database that fails is said to fail so often.
const SAY_AGAIN: Duration = Duration::from_secs(30);

/// One change as it is written: a record, or that there is none.
pub(super) type Change<'a> = (&'a Extension, Option<&'a Record>);

/// What changes are written to.
pub trait Medium: Send + 'static {
    /// Writes all of these or none, and returns when they are durable. Without any it writes something all the same: the caller wants
    /// to know whether that can be done.
    ///
    /// # Errors
    ///
    /// Why not, for the log. The next call may succeed.
    fn write(&mut self, changes: &[(&Extension, Option<&Record>)]) -> Result<(), String>;
}

/// What the writers of several shards write to, one at a time.
impl<M: Medium> Medium for Arc<Mutex<M>> {
    fn write(&mut self, changes: &[Change<'_>]) -> Result<(), String> {
        self.lock().unwrap_or_else(PoisonError::into_inner).write(changes)
    }
}

/// The node's side of a database.
pub struct Writer {
    queue: Arc<Queue>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    failing: Arc<AtomicBool>,
}

#[derive(Default)]
struct State {
    /// What must be durable, in order.
    durable: VecDeque<StoreOp>,
    /// The newest record of each AOR that only extends.
    lazy: HashMap<Extension, Arc<Record>>,
    /// When the oldest of them is due.
    lazy_due: Option<Instant>,
    /// AORs of which a change failed, until the node has heard of it: what was staged on top of it is not true.
    failed: HashSet<Extension>,
    news: VecDeque<News>,
    waker: Option<Waker>,
    ending: bool,
}

enum News {
    UpTo(StoreId),
    Failed(StoreId, Extension),
}

impl Writer {
    /// Writes to `medium` from now on.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn start(site: &str, medium: impl Medium) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let name = format!("store {site}");
        let committer = Committer { queue: Arc::clone(&queue), medium, site: site.to_owned(), said: None };
        let thread = thread::Builder::new().name(name).spawn(move || committer.run())?;
        Ok(Self { queue, thread: Some(thread) })
    }
}

impl Store for Writer {
    fn stage(&mut self, op: StoreOp) {
        let mut state = self.queue.lock();
        if state.failed.contains(&op.extension) {
            return;
        }
        match op.record {
            Some(record) if op.when != When::Awaited => {
                state.lazy.insert(op.extension, record);
                let due = now() + if op.when == When::Soon { Duration::ZERO } else { LAZY };
                if state.lazy_due.is_none_or(|earlier| due < earlier) {
                    state.lazy_due = Some(due);
                    self.queue.changed.notify_one();
                }
            }
            record => {
                state.lazy.remove(&op.extension);
                state.durable.push_back(StoreOp { record, ..op });
                self.queue.changed.notify_one();
            }
        }
    }

    fn stored(&mut self) -> Option<Stored> {
        let mut state = self.queue.lock();
        match state.news.pop_front()? {
            News::UpTo(id) => Some(Stored::UpTo(id)),
            News::Failed(id, extension) => {
                let again = state.news.iter().any(|news| matches!(news, News::Failed(_, other) if *other == extension));
                if !again {
                    state.failed.remove(&extension);
                }
                Some(Stored::Failed(id))
            }
        }
    }

    fn poll_news(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.queue.lock();
        if !state.news.is_empty() {
            return Poll::Ready(());
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => state.waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    fn failing(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.queue.failing)
    }
}

impl Drop for Writer {
    /// Everything that waits is written first (SPEC 2.3), if it can be.
    fn drop(&mut self) {
        self.queue.lock().ending = true;
        self.queue.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for something to write, or for the time to see whether anything can be written again; `None`: the end.
    fn next(&self) -> Option<Batch> {
        let mut state = self.lock();
        let again = self.failing.load(Ordering::Relaxed).then(|| now() + TRY_AGAIN);
        loop {
            let due = state.lazy_due.is_some_and(|due| state.ending || due <= now());
            if !state.durable.is_empty() || due {
                return Some(state.take(due));
            }
            if state.ending {
                return None;
            }
            if again.is_some_and(|again| again <= now()) {
                return Some(Batch::default());
            }
            state = match state.lazy_due.into_iter().chain(again).min() {
                Some(next) => {
                    let wait = next.saturating_duration_since(now());
                    self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn tell(&self, news: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        news(&mut state);
        if let Some(waker) = state.waker.take() {
            drop(state);
            waker.wake();
        }
    }
}

impl State {
    fn take(&mut self, lazy_too: bool) -> Batch {
        let durable = self.durable.drain(..self.durable.len().min(GROUP)).collect();
        let lazy = if lazy_too {
            self.lazy_due = None;
            std::mem::take(&mut self.lazy)
        } else {
            HashMap::new()
        };
        Batch { durable, lazy }
    }
}

#[derive(Default)]
struct Batch {
    durable: Vec<StoreOp>,
    lazy: HashMap<Extension, Arc<Record>>,
}

struct Committer<M> {
    queue: Arc<Queue>,
    medium: M,
    site: String,
    /// When it was last said that nothing can be written.
    said: Option<Instant>,
}

impl<M: Medium> Committer<M> {
    fn run(mut self) {
        while let Some(batch) = self.queue.next() {
            self.commit(batch);
        }
    }

    fn commit(&mut self, batch: Batch) {
        let durable = batch.durable.iter().map(|op| (&op.extension, op.record.as_deref()));
        let lazy = batch.lazy.iter().map(|(extension, record)| (extension, Some(&**record)));
        let changes: Vec<Change<'_>> = durable.chain(lazy).collect();
        match self.medium.write(&changes) {
            Ok(()) => {
                self.works();
                if let Some(last) = batch.durable.last() {
                    self.queue.tell(|state| state.news.push_back(News::UpTo(last.id)));
                }
            }
            Err(why) => {
                self.fails(&why);
                self.one_by_one(batch);
            }
        }
    }

    /// After a failure: each change by itself, so that one can't take the others with it.
    fn one_by_one(&mut self, batch: Batch) {
        let mut failed: HashSet<Extension> = HashSet::new();
        for op in batch.durable {
            if failed.contains(&op.extension) {
                continue;
            }
            match self.medium.write(&[(&op.extension, op.record.as_deref())]) {
                Ok(()) => self.queue.tell(|state| state.news.push_back(News::UpTo(op.id))),
                Err(why) => {
                    self.fails(&why);
                    failed.insert(op.extension.clone());
                    self.queue.tell(|state| {
                        state.durable.retain(|later| later.extension != op.extension);
                        state.lazy.remove(&op.extension);
                        state.failed.insert(op.extension.clone());
                        state.news.push_back(News::Failed(op.id, op.extension));
                    });
                }
            }
        }
        // What only extends is kept for later, unless something newer has come or there is no later.
        let mut state = self.queue.lock();
        if state.ending {
            return;
        }
        for (extension, record) in batch.lazy {
            let newer = failed.contains(&extension) || state.durable.iter().any(|op| op.extension == extension);
            if !newer {
                state.lazy.entry(extension).or_insert(record);
            }
        }
        if !state.lazy.is_empty() {
            state.lazy_due = Some(now() + LAZY);
        }
    }

    fn works(&mut self) {
        self.queue.failing.store(false, Ordering::Relaxed);
        if self.said.take().is_some() {
            info!(site = self.site, "the database can be written again");
        }
    }

    fn fails(&mut self, why: &str) {
        self.queue.failing.store(true, Ordering::Relaxed);
        if self.said.is_some_and(|said| now().saturating_duration_since(said) < SAY_AGAIN) {
            return;
        }
        if self.said.is_none() {
            error!(site = self.site, "the database can't be written: {why}");
        } else {
            warn!(site = self.site, "the database still can't be written: {why}");
        }
        self.said = Some(now());
    }
}

#[expect(clippy::disallowed_methods, reason = "the writer waits on the machine's clock; the node is not told of it")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::When::{Awaited, Later, Soon};
    use super::*;
    use crate::ids::LoginNumber;
    use crate::location::Resident;

    /// Keeps the login numbers that were written, in groups; refuses the users that are on its list, and waits to be let go.
    #[derive(Clone, Default)]
    struct Paper(Arc<(Mutex<Sheet>, Condvar)>);

    #[derive(Default)]
    struct Sheet {
        groups: Vec<Vec<(String, u64)>>,
        refuses: Vec<&'static str>,
        full: bool,
        held: bool,
        waiting: bool,
    }

    impl Paper {
        fn sheet(&self) -> MutexGuard<'_, Sheet> {
            self.0.0.lock().expect("no test panics with it")
        }

        fn hold(&self, held: bool) {
            self.sheet().held = held;
            self.0.1.notify_all();
        }

        fn until_it_waits(&self) {
            let sheet = self.0.1.wait_while(self.sheet(), |sheet| !sheet.waiting).expect("no test panics with it");
            drop(sheet);
        }
    }

    impl Medium for Paper {
        fn write(&mut self, changes: &[Change<'_>]) -> Result<(), String> {
            let mut sheet = self.sheet();
            sheet.waiting = true;
            self.0.1.notify_all();
            let mut sheet = self.0.1.wait_while(sheet, |sheet| sheet.held).expect("no test panics with it");
            sheet.waiting = false;
            if sheet.full || changes.iter().any(|(extension, _)| sheet.refuses.contains(&extension.as_str())) {
                return Err("no".into());
            }
            let login = |record: Option<&Record>| record.and_then(Record::resident).map_or(0, |found| found.login.0);
            sheet.groups.push(changes.iter().map(|(who, what)| (who.to_string(), login(*what))).collect());
            Ok(())
        }
    }

    fn op(id: u64, extension: &str, when: When) -> StoreOp {
        let record = Record::Resident(Resident { login: LoginNumber(id), ..Resident::default() });
        StoreOp { id: StoreId(id), extension: Extension::new(extension), record: Some(Arc::new(record)), when }
    }

    fn news(writer: &mut Writer) -> Stored {
        let (waker, woken) = (Arc::new(Bell::default()), 20);
        for _ in 0..woken {
            let waker: Waker = Arc::clone(&waker).into();
            if writer.poll_news(&mut Context::from_waker(&waker)).is_ready() {
                return writer.stored().expect("there is news");
            }
            thread::park_timeout(Duration::from_secs(1));
        }
        panic!("no news within {woken} s");
    }

    struct Bell(thread::Thread);

    impl Default for Bell {
        fn default() -> Self {
            Self(thread::current())
        }
    }

    impl std::task::Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    #[test]
    fn what_comes_while_a_group_is_written_is_the_next_group() {
        let paper = Paper::default();
        paper.hold(true);
        let mut writer = Writer::start("test", paper.clone()).expect("a thread");
        writer.stage(op(1, "201", Awaited));
        paper.until_it_waits();
        for id in 2..=4 {
            writer.stage(op(id, "202", Awaited));
        }
        assert_eq!(writer.stored(), None, "nothing is durable yet");
        paper.hold(false);
        assert_eq!((news(&mut writer), news(&mut writer)), (Stored::UpTo(StoreId(1)), Stored::UpTo(StoreId(4))));
        assert_eq!(paper.sheet().groups.iter().map(Vec::len).collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn what_only_extends_is_written_late_and_at_the_end_and_never_over_something_newer() {
        let paper = Paper::default();
        let mut writer = Writer::start("test", paper.clone()).expect("a thread");
        writer.stage(op(1, "201", Later));
        writer.stage(op(2, "202", Later));
        writer.stage(op(3, "201", Awaited));
        assert_eq!(news(&mut writer), Stored::UpTo(StoreId(3)));
        writer.stage(op(4, "201", Later));
        writer.stage(op(5, "201", Later));
        assert_eq!(paper.sheet().groups, [[("201".to_owned(), 3)]]);
        drop(writer);
        let mut last = paper.sheet().groups.pop().expect("the flush");
        last.sort();
        assert_eq!(last, [("201".to_owned(), 5), ("202".to_owned(), 2)]);
    }

    #[test]
    fn what_extends_something_that_runs_out_soon_is_written_at_once_and_takes_the_others_along() {
        let paper = Paper::default();
        paper.hold(true);
        let mut writer = Writer::start("test", paper.clone()).expect("a thread");
        writer.stage(op(1, "201", Later));
        writer.stage(op(2, "202", Soon));
        paper.until_it_waits();
        paper.hold(false);
        drop(writer);
        assert_eq!(paper.sheet().groups.iter().map(Vec::len).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_full_disk_is_seen_and_keeps_nobody_from_ending() {
        let paper = Paper::default();
        paper.sheet().full = true;
        let mut writer = Writer::start("test", paper.clone()).expect("a thread");
        let failing = writer.failing();
        assert!(!failing.load(Ordering::Relaxed));
        writer.stage(op(1, "201", Awaited));
        assert_eq!(news(&mut writer), Stored::Failed(StoreId(1)));
        assert!(failing.load(Ordering::Relaxed));
        writer.stage(op(2, "202", Later));
        drop(writer);
        assert!(paper.sheet().groups.is_empty());
    }

    #[test]
    fn what_could_not_be_written_is_tried_again_though_nobody_asks() {
        let paper = Paper::default();
        paper.sheet().full = true;
        let mut writer = Writer::start("test", paper.clone()).expect("a thread");
        writer.stage(op(1, "201", Awaited));
        assert_eq!(news(&mut writer), Stored::Failed(StoreId(1)));
        paper.sheet().full = false;
        let start = now();
        while writer.failing().load(Ordering::Relaxed) {
            assert!(now() - start < TRY_AGAIN * 10);
            thread::park_timeout(TRY_AGAIN / 10);
        }
        assert!(paper.sheet().groups.iter().all(Vec::is_empty), "only whether it can be done");
    }

    #[test]
    fn one_that_fails_takes_those_behind_it_along_until_the_node_knows_and_no_other_aor() {
        let paper = Paper::default();
        paper.sheet().refuses.push("201");
        paper.hold(true);
        let mut writer = Writer::start("test", paper.clone()).expect("a thread");
        writer.stage(op(1, "203", Awaited));
        paper.until_it_waits();
        for (id, extension) in [(2, "201"), (3, "202"), (4, "201")] {
            writer.stage(op(id, extension, Awaited));
        }
        paper.hold(false);
        assert_eq!(news(&mut writer), Stored::UpTo(StoreId(1)));
        while writer.queue.lock().news.len() < 2 {
            thread::yield_now();
        }
        // Staged on top of the failed one: not true either.
        writer.stage(op(5, "201", Awaited));
        let told: Vec<Stored> = (0..2).map(|_| news(&mut writer)).collect();
        assert_eq!(told, [Stored::Failed(StoreId(2)), Stored::UpTo(StoreId(3))]);
        paper.sheet().refuses.clear();
        writer.stage(op(6, "201", Awaited));
        assert_eq!(news(&mut writer), Stored::UpTo(StoreId(6)));
        let written: Vec<u64> = paper.sheet().groups.iter().flatten().map(|(_, login)| *login).collect();
        assert_eq!(written, [1, 3, 6]);
    }
}
