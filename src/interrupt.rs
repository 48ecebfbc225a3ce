//! Whether the statement that a thread works for is to go on.
//!
//! Dropping a statement's task stops it at its next pause. What computes for long without one asks here: a function that has a
//! long text before it, a join that tries millions of pairs, a rule of the planner. Where others wait for the thread, they are
//! handed to another meanwhile. Nothing is known here of statements but when they end.

use std::{
    cell::Cell,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::block_in_place,
};

use crate::fault::{Failure, Fault, Result};

/// How long one computation goes on before the other work of its thread moves to another one.
const PATIENCE: Duration = Duration::from_millis(20);

/// Steps from one question to the next.
const STEPS: u32 = 64;

tokio::task_local! {
    /// The interrupt of the statement that a task works for.
    static WORKS_FOR: Interrupt;
}

thread_local! {
    /// Steps that are left until the next question.
    static LEFT: Cell<u32> = const { Cell::new(STEPS) };
    /// Since when this thread has computed without a pause, or without letting others run.
    static SINCE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Whether one statement should go on: shared by whoever may stop it and whatever computes it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<State>);

#[derive(Debug)]
struct State {
    raised: AtomicBool,
    /// From when the deadline is counted.
    made: Instant,
    /// Microseconds until the statement's time is up, or [`NEVER`].
    deadline: AtomicU64,
}

/// The deadline of what may take any time.
const NEVER: u64 = u64::MAX;

impl Default for State {
    fn default() -> Self {
        Self { raised: AtomicBool::new(false), made: Instant::now(), deadline: AtomicU64::new(NEVER) }
    }
}

impl Interrupt {
    /// Of a statement that starts now and may take so long.
    pub(crate) fn within(limit: Option<Duration>) -> Self {
        let interrupt = Self::default();
        interrupt.set_deadline(limit.and_then(|limit| interrupt.0.made.checked_add(limit)));
        interrupt
    }

    /// When the statement's time is up.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.0.deadline.load(Ordering::Relaxed) {
            NEVER => None,
            micros => self.0.made.checked_add(Duration::from_micros(micros)),
        }
    }

    /// How much of the statement's time is left.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        self.deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Gives it another time: what is read in portions has time for each of them, and none runs in between.
    pub(crate) fn set_deadline(&self, deadline: Option<Instant>) {
        let micros = deadline
            .and_then(|deadline| u64::try_from(deadline.saturating_duration_since(self.0.made).as_micros()).ok());
        self.0.deadline.store(micros.unwrap_or(NEVER), Ordering::Relaxed);
    }

    /// Nobody waits for the answer any more.
    pub(crate) fn raise(&self) {
        self.0.raised.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::Relaxed)
    }

    /// An error where the statement is to end.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_raised() {
            return Err(cancelled());
        }
        match self.deadline() {
            Some(deadline) if Instant::now() >= deadline => Err(timed_out()),
            _ => Ok(()),
        }
    }

    /// The work as a part of the statement: what it computes asks this.
    pub(crate) fn over<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        let interrupt = self.clone();
        async move {
            let mut work = pin!(WORKS_FOR.scope(interrupt, work));
            poll_fn(|context| {
                SINCE.set(Some(Instant::now()));
                work.as_mut().poll(context)
            })
            .await
        }
    }
}

/// What a client is told of a statement that nobody waits for any more.
pub(crate) fn cancelled() -> Failure {
    Failure::new(Fault::Cancelled, "canceling statement due to user request")
}

/// The same of one whose time is up.
pub(crate) fn timed_out() -> Failure {
    Failure::new(Fault::Cancelled, "canceling statement due to statement timeout")
}

/// The interrupt of the statement that this thread works for.
pub(crate) fn asked_of() -> Option<Interrupt> {
    WORKS_FOR.try_with(Interrupt::clone).ok()
}

/// An error where the statement that this thread works for is to end.
pub(crate) fn check_wanted() -> Result<()> {
    WORKS_FOR.try_with(Interrupt::check).unwrap_or(Ok(()))
}

/// Whether nobody waits any more for the statement that this thread works for.
pub(crate) fn is_raised() -> bool {
    WORKS_FOR.try_with(Interrupt::is_raised).unwrap_or(false)
}

/// A step of what computes for long without coming up for air: a row, an element, a match. Every so many of them it is asked
/// whether the statement is to go on that this thread works for; where it is not, each step says so, as whoever makes them may
/// try something else first.
#[inline]
pub(crate) fn step() -> Result<()> {
    steps(1)
}

/// So many steps at once.
#[inline]
pub(crate) fn steps(count: usize) -> Result<()> {
    let left = LEFT.get();
    match u32::try_from(count) {
        Ok(count) if count < left => {
            LEFT.set(left - count);
            Ok(())
        }
        _ => ask(),
    }
}

/// The question itself, for whoever counts its steps.
#[cold]
pub(crate) fn ask() -> Result<()> {
    // If the answer is no, the next step asks again.
    LEFT.set(0);
    check_wanted()?;
    LEFT.set(STEPS);
    let_others_run();
    Ok(())
}

/// Every few milliseconds of one computation, hands what else waits for this thread to another.
pub(crate) fn let_others_run() {
    let now = Instant::now();
    if SINCE.get().is_none_or(|since| now.duration_since(since) < PATIENCE) {
        return;
    }
    SINCE.set(Some(now));
    if Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread) {
        block_in_place(|| ());
    }
}

/// Does some work of a statement that nobody waits for any more.
#[cfg(test)]
pub(crate) fn unwanted<T>(work: impl FnOnce() -> T) -> T {
    let interrupt = Interrupt::default();
    interrupt.raise();
    WORKS_FOR.sync_scope(interrupt, work)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_so_many_steps_it_is_asked_who_waits() {
        let taken = |most: usize| (0..most).take_while(|_| step().is_ok()).count();
        let most = usize::try_from(STEPS).unwrap();
        assert_eq!(taken(10 * most), 10 * most);
        unwanted(|| {
            assert!(taken(2 * most) <= most);
            assert_eq!(taken(2), 0);
            assert_eq!(steps(usize::MAX), Err(cancelled()));
        });
        assert_eq!(taken(10 * most), 10 * most);
    }

    #[test]
    fn many_steps_at_once_are_asked_about() {
        steps(usize::MAX).unwrap();
        unwanted(|| assert!(steps(usize::MAX).is_err()));
    }

    #[test]
    fn a_statement_ends_when_its_time_is_up() {
        let late = Interrupt::within(Some(Duration::ZERO));
        assert_eq!(WORKS_FOR.sync_scope(late.clone(), check_wanted), Err(timed_out()));
        late.set_deadline(None);
        assert_eq!(WORKS_FOR.sync_scope(late.clone(), check_wanted), Ok(()));
        late.raise();
        assert_eq!(WORKS_FOR.sync_scope(late, check_wanted), Err(cancelled()));
    }
}
