//! The thread that publishes, in the order in which commits were asked for. Those that wait are written together.
//!
//! Whoever asks waits for an answer and blocks nothing. Until a commit's turn comes its statement may be cancelled; from
//! then on it runs to its end, whoever still waits for it. What is decided is decided for each alone: a commit that is
//! refused is left out of what is written.

use std::{
    collections::HashSet,
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};

use tokio::sync::oneshot;

use super::{
    directory::DataDirectory,
    effect::{Effect, files_taken_out},
    error::{Error, Result},
    journal::{self, Journal},
    log::Batch,
    object::QualifiedName,
    readers::Readers,
    snapshot::Snapshot,
    transaction::Transaction,
};

/// What says whether a commit may begin, and hears how it ended: its statement's part.
pub trait Permit: Send {
    /// Whether the commit may begin. From then on its statement cannot be cancelled.
    fn begin(&self) -> bool;

    /// The commit is over; whether it is on disk.
    fn end(&self, committed: bool);
}

/// How much is written together at most, in bytes; what waits beyond it is written next.
const MAX_BATCH_BYTES: usize = 4 << 20;

/// A moment of a commit, of those that are written together, or of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Its turn has come.
    Turn,
    /// It may begin.
    Begun,
    /// The records are to be written.
    Write,
    /// What was written in part is to be taken back.
    Cut,
    /// They are written and to be made durable.
    Sync,
    /// They are durable.
    Synced,
    /// That they are is noted.
    Noted,
    /// Everybody sees it; whoever waits is to be told.
    Answer,
    /// The log of a new checkpoint has its name.
    LogNamed,
    /// The checkpoint has its name.
    CheckpointNamed,
    /// What was before it is removed.
    Removed,
    /// Files are removed that nobody reads any more.
    FilesRemoved,
}

/// Who looks on while commits go through their steps, and lets them fail. In the product nobody does.
#[derive(Clone, Default)]
pub(super) struct Watch {
    pub(super) look: Arc<OnceLock<Watcher>>,
    pub(super) limit: Arc<OnceLock<Limiter>>,
}

type Watcher = Box<dyn Fn(Step) + Send + Sync>;

/// Says how much can still be written at a step; none: all of it.
type Limiter = Box<dyn Fn(Step) -> Option<usize> + Send + Sync>;

impl Watch {
    pub(super) fn at(&self, step: Step) {
        if let Some(look) = self.look.get() {
            look(step);
        }
    }

    /// How much of so many bytes can be written at this step; an error where what is no writing fails.
    pub(super) fn room(&self, step: Step, wanted: usize) -> io::Result<usize> {
        match self.limit.get().and_then(|limit| limit(step)) {
            None => Ok(wanted),
            Some(_) if wanted == 0 => Err(io::ErrorKind::StorageFull.into()),
            Some(room) => Ok(room.min(wanted)),
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Watch")
    }
}

/// The newest state, which readers take without waiting for a commit.
pub(super) type Newest = Arc<RwLock<Arc<Snapshot>>>;

/// Who is told of tables that have got files.
pub(super) type Grown = Arc<Mutex<Option<mpsc::Sender<QualifiedName>>>>;

/// The way to the thread; dropping it waits for the commits that were asked for.
#[derive(Debug)]
pub(super) struct Committer {
    /// None while it is dropped.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    readers: Arc<Readers>,
    #[cfg_attr(not(test), allow(dead_code, reason = "only tests look on"))]
    pub(super) watch: Watch,
}

/// What the thread is asked for.
enum Job {
    Commit(Commit),
    /// To remove the files that nobody reads any more.
    RemoveFiles,
}

struct Commit {
    transaction: Transaction,
    permit: Box<dyn Permit>,
    answer: oneshot::Sender<Result<Arc<Snapshot>>>,
}

/// A commit that has begun and whose changes fit: it is to be written.
struct Ready {
    commit: Commit,
    prepared: Prepared,
}

/// What a commit makes of the newest state.
struct Prepared {
    snapshot: Arc<Snapshot>,
    /// The files that older ones have and it has not.
    taken_out: Vec<String>,
    /// The tables that have got files.
    grown: Vec<QualifiedName>,
}

/// What the thread has to itself.
pub(super) struct Publisher {
    pub(super) newest: Newest,
    pub(super) next_oid: Arc<AtomicU32>,
    /// None: in memory.
    pub(super) journal: Option<Journal>,
    pub(super) directory: Arc<DataDirectory>,
    pub(super) grown: Grown,
    pub(super) readers: Arc<Readers>,
    pub(super) watch: Watch,
}

impl Committer {
    /// Starts the thread.
    pub(super) fn start(publisher: Publisher) -> Result<Self> {
        let (jobs, asked) = mpsc::channel();
        let (watch, readers) = (publisher.watch.clone(), Arc::clone(&publisher.readers));
        let directory = Arc::clone(&publisher.directory);
        let wake = jobs.clone();
        // A thread that has ended leaves the files to the next start.
        readers.wake_by(Some(Box::new(move || drop(wake.send(Job::RemoveFiles)))));
        let thread = thread::Builder::new()
            .name("fusewire-commit".to_owned())
            .spawn(move || publisher.run(&asked))
            .map_err(Error::io("start the thread that commits to", directory.root()))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), readers, watch })
    }

    /// Publishes a transaction and returns the state it is part of.
    pub(super) async fn commit(&self, transaction: Transaction, permit: Box<dyn Permit>) -> Result<Arc<Snapshot>> {
        let gone = |_| Error::Internal("the thread that commits has ended; restart".to_owned());
        self.send(transaction, permit).await.map_err(gone)?
    }

    /// The same; whoever does not want to hear how it ends drops what tells it. Where the thread has ended it tells that.
    pub(super) fn send(
        &self,
        transaction: Transaction,
        permit: Box<dyn Permit>,
    ) -> oneshot::Receiver<Result<Arc<Snapshot>>> {
        let (answer, told) = oneshot::channel();
        if let Some(jobs) = &self.jobs {
            // What is not taken drops the other end.
            let _ended = jobs.send(Job::Commit(Commit { transaction, permit, answer }));
        }
        told
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.readers.wake_by(None);
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id()) {
            // It catches what a commit panics with.
            let _ended = thread.join();
        }
    }
}

impl Publisher {
    fn run(mut self, asked: &mpsc::Receiver<Job>) {
        while let Ok(job) = asked.recv() {
            if let Job::Commit(first) = job {
                self.publish(first, asked);
                self.checkpoint();
            }
            self.remove_files();
        }
    }

    /// Publishes a commit and those that wait behind it.
    fn publish(&mut self, first: Commit, asked: &mpsc::Receiver<Job>) {
        let mut newest = self.newest();
        let mut batch = self.journal.as_ref().map(Journal::batch);
        let mut ready = Vec::new();
        let mut next = Some(first);
        while let Some(commit) = next.take() {
            let prepared = catch_unwind(AssertUnwindSafe(|| self.prepare(&commit, &newest, batch.as_mut())));
            match prepared.unwrap_or_else(|_| Err(panicked())) {
                Ok(prepared) => {
                    newest = Arc::clone(&prepared.snapshot);
                    ready.push(Ready { commit, prepared });
                }
                Err(error) => self.answer(commit, Err(error)),
            }
            if batch.as_ref().is_none_or(|batch| batch.size_bytes() < MAX_BATCH_BYTES) {
                next = waiting(asked);
            }
        }
        if ready.is_empty() {
            return;
        }
        match self.write(batch.as_ref()) {
            Ok(()) => {
                for Ready { prepared, .. } in &mut ready {
                    let taken_out = std::mem::take(&mut prepared.taken_out);
                    let retired = taken_out.into_iter().map(|path| self.directory.retired(path));
                    self.readers.retire(prepared.snapshot.number, retired.collect());
                }
                *self.newest.write().unwrap_or_else(PoisonError::into_inner) = newest;
                for Ready { commit, prepared } in ready {
                    self.tell_growth(prepared.grown);
                    self.answer(commit, Ok(prepared.snapshot));
                }
            }
            Err(error) => {
                for Ready { commit, .. } in ready {
                    self.answer(commit, Err(error.again()));
                }
            }
        }
    }

    /// What the newest state becomes with a commit, which begins now and is added to those that are written together.
    fn prepare(&self, commit: &Commit, newest: &Arc<Snapshot>, batch: Option<&mut Batch>) -> Result<Prepared> {
        self.watch.at(Step::Turn);
        if !commit.permit.begin() {
            return Err(Error::Cancelled);
        }
        self.watch.at(Step::Begun);
        if let Some(journal) = &self.journal {
            journal.check()?;
        }
        commit.transaction.check_models()?;
        let (mut next, effects) = commit.transaction.replay(newest)?;
        next.number = newest.number.saturating_add(1);
        next.next_oid = self.next_oid.load(Ordering::Relaxed);
        next.changed = if commit.transaction.is_unseen() { newest.changed } else { next.number };
        let taken_out = files_taken_out(&effects, newest, &next);
        let grown = effects.iter().filter_map(Effect::grown_table).cloned().collect();
        if let Some(batch) = batch {
            let body = journal::encode(&next, effects)?;
            batch.push(next.number, &body)?;
        }
        next.hold = self.readers.hold(next.number);
        Ok(Prepared { snapshot: Arc::new(next), taken_out, grown })
    }

    fn write(&mut self, batch: Option<&Batch>) -> Result<()> {
        let (Some(journal), Some(batch)) = (&mut self.journal, batch) else { return Ok(()) };
        let written = catch_unwind(AssertUnwindSafe(|| journal.append(batch)));
        written.unwrap_or_else(|_| {
            // How far it came is not known.
            journal.give_up();
            journal.check()
        })
    }

    fn tell_growth(&self, tables: Vec<QualifiedName>) {
        let listener = self.grown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = listener.as_ref() {
            for table in tables {
                // It has ended, and nobody is to be told any more.
                let _unheard = listener.send(table);
            }
        }
    }

    /// Tells whoever waits for a commit how it ended.
    fn answer(&self, commit: Commit, outcome: Result<Arc<Snapshot>>) {
        let Commit { transaction, permit, answer } = commit;
        // Records of unknown outcome may need the files after a restart.
        match outcome {
            Ok(_) | Err(Error::OutcomeUnknown { .. }) => transaction.hand_over(),
            Err(_) => drop(transaction),
        }
        permit.end(outcome.is_ok());
        self.watch.at(Step::Answer);
        // Nobody may be left to hear it.
        let _unheard = answer.send(outcome);
    }

    /// Writes a checkpoint where one is due. Whoever commits meanwhile waits for it: as long as it takes to write all names
    /// and files of the catalog, once in as many commits as have written as much.
    fn checkpoint(&mut self) {
        let newest = self.newest();
        let Some(journal) = self.journal.as_mut().filter(|journal| journal.is_due()) else { return };
        if catch_unwind(AssertUnwindSafe(|| journal.checkpoint(&newest))).is_err() {
            journal.give_up();
        }
    }

    /// Removes the files that nobody reads any more, unless a model has come back to one.
    fn remove_files(&self) {
        let free = self.readers.free();
        if free.is_empty() {
            return;
        }
        let newest = self.newest();
        let versions = newest.models().flat_map(|(_, _, model)| model.versions.values());
        let needed: HashSet<&str> = versions.map(|version| version.location.as_str()).collect();
        self.directory.remove(free.iter().filter(|file| !needed.contains(file.path.as_str())));
        self.watch.at(Step::FilesRemoved);
    }

    fn newest(&self) -> Arc<Snapshot> {
        self.newest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The next commit that waits already.
fn waiting(asked: &mpsc::Receiver<Job>) -> Option<Commit> {
    loop {
        match asked.try_recv().ok()? {
            Job::Commit(commit) => return Some(commit),
            // It is done after what is published now.
            Job::RemoveFiles => {}
        }
    }
}

fn panicked() -> Error {
    Error::Internal("a commit failed by a fault of the engine".to_owned())
}
