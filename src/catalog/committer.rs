//! The thread that publishes: one commit after the other, in the order in which they were asked for.
//!
//! Whoever asks waits for an answer and blocks nothing. Until a commit's turn comes its statement may be cancelled; from
//! then on it runs to its end, whoever still waits for it.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};

use tokio::sync::oneshot;

use super::{
    directory::DataDirectory,
    error::{Error, Result},
    manifest::Manifests,
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

/// A moment of a commit, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Its turn has come.
    Turn,
    /// It may begin.
    Begun,
    /// The manifest is to be written.
    Write,
    /// It is written and to be made durable.
    Sync,
    /// It is durable under its temporary name.
    Synced,
    /// It has its name.
    Named,
    /// Its name is durable.
    Durable,
    /// Everybody sees it; whoever waits is to be told.
    Answer,
}

/// Who looks on while commits go through their steps. In the product nobody does.
#[derive(Clone, Default)]
pub(super) struct Watch(pub(super) Arc<OnceLock<Watcher>>);

type Watcher = Box<dyn Fn(Step) + Send + Sync>;

impl Watch {
    pub(super) fn at(&self, step: Step) {
        if let Some(look) = self.0.get() {
            look(step);
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

/// The way to the thread; dropping it waits for the commits that were asked for.
#[derive(Debug)]
pub(super) struct Committer {
    /// None while it is dropped.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    #[cfg_attr(not(test), allow(dead_code, reason = "only tests look on"))]
    pub(super) watch: Watch,
}

struct Job {
    transaction: Transaction,
    permit: Box<dyn Permit>,
    answer: oneshot::Sender<Result<Arc<Snapshot>>>,
}

/// What the thread has to itself.
pub(super) struct Publisher {
    pub(super) newest: Newest,
    pub(super) next_oid: Arc<AtomicU32>,
    /// None: in memory.
    pub(super) manifests: Option<Manifests>,
    pub(super) watch: Watch,
    pub(super) is_outcome_unknown: bool,
}

impl Committer {
    /// Starts the thread.
    pub(super) fn start(publisher: Publisher, directory: &DataDirectory) -> Result<Self> {
        let (jobs, asked) = mpsc::channel();
        let watch = publisher.watch.clone();
        let thread = thread::Builder::new()
            .name("fusewire-commit".to_owned())
            .spawn(move || publisher.run(&asked))
            .map_err(Error::io("start the thread that commits to", directory.root()))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), watch })
    }

    /// Publishes a transaction and returns the state it is part of.
    pub(super) async fn commit(&self, transaction: Transaction, permit: Box<dyn Permit>) -> Result<Arc<Snapshot>> {
        let gone = || Error::Internal("the thread that commits has ended; restart".to_owned());
        let (answer, told) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(Job { transaction, permit, answer }).map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id()) {
            // It catches what a commit panics with.
            let _ended = thread.join();
        }
    }
}

impl Publisher {
    fn run(mut self, asked: &mpsc::Receiver<Job>) {
        while let Ok(Job { transaction, permit, answer }) = asked.recv() {
            let caught = catch_unwind(AssertUnwindSafe(|| self.commit(&transaction, permit.as_ref())));
            let panicked = caught.is_err();
            let outcome = caught.unwrap_or_else(|_| {
                // How far it came is not known.
                self.is_outcome_unknown = true;
                Err(Error::Internal("a commit failed by a fault of the engine; restart".to_owned()))
            });
            // A manifest of unknown outcome may need the files after a restart.
            if panicked || matches!(outcome, Ok(_) | Err(Error::OutcomeUnknown { .. })) {
                transaction.hand_over();
            } else {
                drop(transaction);
            }
            permit.end(outcome.is_ok());
            self.watch.at(Step::Answer);
            // Nobody may be left to hear it.
            let _unheard = answer.send(outcome);
        }
    }

    fn commit(&mut self, transaction: &Transaction, permit: &dyn Permit) -> Result<Arc<Snapshot>> {
        self.watch.at(Step::Turn);
        if !permit.begin() {
            return Err(Error::Cancelled);
        }
        self.watch.at(Step::Begun);
        let newest = self.newest.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut next = transaction.replay(&newest)?;
        next.number = newest.number.saturating_add(1);
        next.next_oid = self.next_oid.load(Ordering::Relaxed);
        self.write(&next)?;
        let next = Arc::new(next);
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = next.clone();
        Ok(next)
    }

    fn write(&mut self, snapshot: &Snapshot) -> Result<()> {
        let Some(manifests) = &self.manifests else { return Ok(()) };
        if self.is_outcome_unknown {
            return Err(Error::OutcomeUnknown { path: manifests.directory().to_owned() });
        }
        let written = manifests.write(snapshot, &self.watch);
        self.is_outcome_unknown = matches!(written, Err(Error::OutcomeUnknown { .. }));
        written?;
        // The commit stands; manifests that are kept too long are removed by a later one.
        let _tried_again_later = manifests.prune(snapshot.number);
        Ok(())
    }
}
