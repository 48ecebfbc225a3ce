//! Whether a statement is still wanted, decided once: it is cancelled or it commits, never both.
//!
//! A statement has one ticket. Whoever wants to stop it asks the ticket, and where the commit was first waits for its
//! outcome; the commit asks too, and where the cancel was first it is refused. A ticket also says which transaction its
//! statement belongs to, so that a change that arrives when that is over is not taken for one of the next.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use futures::task::AtomicWaker;

use crate::{Error, Fault, Result, catalog::Permit, interrupt};

/// The ticket of one statement; its clones are the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ticket {
    fate: Arc<Fate>,
    /// The transaction that was open when the statement started; none: it commits by itself.
    transaction: Option<u64>,
}

#[derive(Debug, Default)]
struct Fate {
    stage: Mutex<Stage>,
    /// Whether a statement has it.
    claimed: AtomicBool,
    /// Why somebody has stopped it, and who waits for that.
    stop: OnceLock<Stop>,
    waiter: AtomicWaker,
}

/// Why a statement ends that another session stops, or its client by another connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It was cancelled.
    Cancelled,
    /// Its session is to end.
    Terminated,
}

/// How far a statement has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Running,
    Cancelled,
    /// From here on it cannot be cancelled.
    Committing,
    Committed,
    /// The commit was begun and changed nothing, or nobody knows what; its error tells.
    Failed,
}

impl Ticket {
    /// Cancels the statement, and says whether it is cancelled: nothing of it will be committed. Otherwise its commit has
    /// begun, and whoever wants it to end waits for the outcome.
    pub(crate) fn cancel(&self) -> bool {
        let mut stage = self.stage();
        match *stage {
            Stage::Running | Stage::Cancelled => {
                *stage = Stage::Cancelled;
                true
            }
            Stage::Committing | Stage::Committed | Stage::Failed => false,
        }
    }

    /// Cancels the statement for somebody who does not run it: whoever runs it or reads its rows hears of it.
    pub(crate) fn stop(&self, why: Stop) {
        if self.cancel() {
            // The first reason stays.
            let _ = self.fate.stop.set(why);
            self.fate.waiter.wake();
        }
    }

    /// Ready, with the error to end with, when the statement was stopped. One waits at a time: who runs it, and then who
    /// reads its rows.
    pub(crate) fn poll_stopped(&self, context: &mut Context<'_>) -> Poll<Error> {
        self.fate.waiter.register(context.waker());
        self.fate.stop.get().map_or(Poll::Pending, |why| Poll::Ready(why.error()))
    }

    /// The same ticket as that of a statement of this transaction, unless a statement has it already.
    pub(crate) fn claim(&self, transaction: Option<u64>) -> Option<Self> {
        let claimed = self.fate.claimed.swap(true, Ordering::Relaxed);
        (!claimed).then(|| Self { fate: Arc::clone(&self.fate), transaction })
    }

    /// Whether the statement may still change something, where `transaction` is open now.
    pub(crate) fn check(&self, transaction: Option<u64>) -> Result<()> {
        if *self.stage() == Stage::Cancelled {
            return Err(cancelled());
        }
        if self.transaction != transaction {
            let message =
                "the transaction of this statement is over, and what it would have changed is not; run it again";
            return Err(Error::new(Fault::Conflict, message));
        }
        Ok(())
    }

    /// The error to end with, where the statement is cancelled.
    pub(crate) fn check_stopped(&self) -> Result<()> {
        match *self.stage() {
            Stage::Cancelled => Err(self.fate.stop.get().map_or_else(cancelled, |why| why.error())),
            _ => Ok(()),
        }
    }

    /// Does what cannot be undone and is no change of the catalog. It is refused and cannot be cancelled as a commit is.
    pub(crate) fn irrevocably<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        if !self.begin() {
            return Err(cancelled());
        }
        let outcome = work();
        self.end(outcome.is_ok());
        outcome
    }

    /// A stage is set whole, so that a panic elsewhere leaves it usable.
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.fate.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stop {
    /// What the statement ends with.
    pub(crate) fn error(self) -> Error {
        match self {
            Self::Cancelled => cancelled(),
            Self::Terminated => Error::new(Fault::Shutdown, "terminating connection due to administrator command"),
        }
    }
}

impl Permit for Ticket {
    fn begin(&self) -> bool {
        let mut stage = self.stage();
        let begins = *stage == Stage::Running;
        if begins {
            *stage = Stage::Committing;
        }
        begins
    }

    fn end(&self, committed: bool) {
        let mut stage = self.stage();
        if *stage == Stage::Committing {
            *stage = if committed { Stage::Committed } else { Stage::Failed };
        }
    }
}

fn cancelled() -> Error {
    interrupt::cancelled().into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[test]
    fn what_is_cancelled_does_not_commit() {
        let ticket = Ticket::default();
        assert!(ticket.check(None).is_ok());
        assert!(ticket.clone().cancel());
        assert!(ticket.cancel(), "twice is once");
        assert!(!ticket.begin());
        ticket.end(true);
        assert!(ticket.cancel() && *ticket.stage() == Stage::Cancelled);
        assert_eq!(ticket.check(None).unwrap_err().fault(), Fault::Cancelled);
        assert_eq!(ticket.check_stopped().unwrap_err().fault(), Fault::Cancelled);
        assert!(Ticket::default().check_stopped().is_ok());
    }

    #[test]
    fn what_commits_is_not_cancelled() {
        for (committed, stage) in [(true, Stage::Committed), (false, Stage::Failed)] {
            let ticket = Ticket::default();
            ticket.end(committed);
            assert_eq!(*ticket.stage(), Stage::Running, "nothing ends before it begins");
            assert!(ticket.begin());
            assert!(!ticket.cancel());
            assert!(!ticket.begin(), "a statement commits once");
            ticket.end(committed);
            assert_eq!(*ticket.stage(), stage);
            assert!(!ticket.cancel());
            ticket.end(!committed);
            assert_eq!(*ticket.stage(), stage);
        }
    }

    #[test]
    fn what_cannot_be_undone_is_done_as_a_commit_is() {
        let ticket = Ticket::default();
        let within = ticket.irrevocably(|| Ok(ticket.cancel()));
        assert!(!within.unwrap() && *ticket.stage() == Stage::Committed);
        let ticket = Ticket::default();
        assert_eq!(ticket.irrevocably::<()>(|| Err(cancelled())).unwrap_err().fault(), Fault::Cancelled);
        assert_eq!(*ticket.stage(), Stage::Failed);
        let ticket = Ticket::default();
        assert!(ticket.cancel());
        assert!(ticket.irrevocably(|| -> Result<()> { panic!("it was cancelled") }).is_err());
    }

    #[tokio::test]
    async fn who_waits_hears_that_a_statement_is_stopped() {
        let ticket = Ticket::default();
        let waiting = tokio::spawn({
            let ticket = ticket.clone();
            async move { poll_fn(|context| ticket.poll_stopped(context)).await }
        });
        tokio::task::yield_now().await;
        assert!(ticket.cancel(), "that alone stops nobody");
        assert!(poll_fn(|context| Poll::Ready(Ticket::default().poll_stopped(context).is_pending())).await);
        ticket.stop(Stop::Terminated);
        ticket.stop(Stop::Cancelled);
        assert_eq!(waiting.await.unwrap().fault(), Fault::Shutdown, "the first reason is told");
        assert_eq!(poll_fn(|context| ticket.poll_stopped(context)).await.fault(), Fault::Shutdown);
        let committing = Ticket::default();
        assert!(committing.begin());
        committing.stop(Stop::Cancelled);
        assert!(poll_fn(|context| Poll::Ready(committing.poll_stopped(context).is_pending())).await);
    }

    #[test]
    fn of_two_at_once_one_is_first() {
        for _ in 0..1_000 {
            let ticket = Ticket::default();
            let (cancelled, begun) = std::thread::scope(|scope| {
                let cancel = scope.spawn(|| ticket.cancel());
                (ticket.begin(), cancel.join().unwrap())
            });
            assert!(cancelled != begun);
        }
    }

    #[test]
    fn a_change_belongs_to_the_transaction_that_its_statement_started_in() {
        for (started, arrived, refused) in [
            (None, None, None),
            (Some(1), Some(1), None),
            (Some(1), None, Some(Fault::Conflict)),
            (None, Some(2), Some(Fault::Conflict)),
            (Some(1), Some(2), Some(Fault::Conflict)),
        ] {
            let ticket = Ticket::default().claim(started).unwrap();
            assert_eq!(ticket.check(arrived).err().map(|error| error.fault()), refused, "{started:?} {arrived:?}");
        }
    }

    #[test]
    fn a_statement_has_a_ticket_to_itself() {
        let expected = Ticket::default();
        let claimed = expected.claim(Some(1)).unwrap();
        assert!(Arc::ptr_eq(&claimed.fate, &expected.fate));
        assert!(expected.claim(Some(1)).is_none());
        assert!(expected.cancel());
        assert!(claimed.check(Some(1)).is_err(), "who asked before it started has cancelled it");
    }
}
