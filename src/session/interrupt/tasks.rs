//! The tasks that a statement's operators start stand still once nobody waits for it.
//!
//! Dropping a statement ends its tasks when their turn comes, and that of the one to be dropped comes behind all that wait
//! for the thread. A sort in memory starts one for each of its batches, thousands, and each wakes the merge of them all: a
//! statement that was cancelled could keep its threads for minutes. So each task asks first, as conditions of joins do.

use std::{any::Any, task::Poll};

use datafusion::common::runtime::{JoinSetTracer, set_join_set_tracer};
use futures::{
    FutureExt,
    future::{BoxFuture, poll_fn},
};

use crate::interrupt::{Interrupt, asked_of};

/// What a task does, whatever it results in.
type Work = BoxFuture<'static, Box<dyn Any + Send>>;

impl Interrupt {
    /// The work of a task as a part of the statement: it stands still when this is raised, and so do the tasks that it starts.
    fn over_task(self, work: Work) -> Work {
        let mut work = self.over(work).boxed();
        // It does not end, nor does it let go of anything: who reads from it would take that for the end of its rows.
        poll_fn(move |context| if self.is_raised() { Poll::Pending } else { work.poll_unpin(context) }).boxed()
    }
}

/// Has the query engine's tasks ask the statements that they work for. An embedding program may have them do something else:
/// then they end when their turn comes.
pub(in crate::session) fn ask_in_tasks() {
    let _ = set_join_set_tracer(&Asking);
}

struct Asking;

impl JoinSetTracer for Asking {
    fn trace_future(&self, work: Work) -> Work {
        match asked_of() {
            Some(interrupt) => interrupt.over_task(work),
            None => work,
        }
    }

    fn trace_block(
        &self,
        work: Box<dyn FnOnce() -> Box<dyn Any + Send> + Send>,
    ) -> Box<dyn FnOnce() -> Box<dyn Any + Send> + Send> {
        work
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use datafusion::common::runtime::JoinSet;
    use tokio::task::yield_now;

    use super::*;

    /// Lets the tasks of this thread go on, and says how far one has come.
    async fn turns(counted: &AtomicUsize) -> usize {
        for _ in 0..100 {
            yield_now().await;
        }
        counted.load(Ordering::Relaxed)
    }

    async fn count(counted: Arc<AtomicUsize>) {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
    }

    async fn later(result: i32) -> i32 {
        yield_now().await;
        result
    }

    /// Symptom: the next statement got no answer, because one that was cancelled kept the only thread for a quarter of an hour.
    /// Cause: the turn to drop it came behind the tasks of its sort. Fix: they ask whether anybody waits.
    #[tokio::test]
    async fn tasks_of_a_statement_stand_still_when_nobody_waits() {
        ask_in_tasks();
        let interrupt = Interrupt::default();
        let (counted, within) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        let start = async {
            tasks.spawn(count(Arc::clone(&counted)));
            let within = Arc::clone(&within);
            tasks.spawn(async move {
                let mut tasks = JoinSet::new();
                tasks.spawn(count(within));
                tasks.join_next().await.unwrap().unwrap()
            });
        };
        interrupt.over(start).await;
        for counted in [&counted, &within] {
            let before = turns(counted).await;
            assert!(turns(counted).await > before);
        }
        interrupt.raise();
        for counted in [&counted, &within] {
            let before = turns(counted).await;
            assert_eq!(turns(counted).await, before);
            assert!(Arc::strong_count(counted) > 1, "what it holds is let go of when it is dropped");
        }
        tasks.shutdown().await;
        assert_eq!(Arc::strong_count(&counted), 1);
    }

    #[tokio::test]
    async fn other_tasks_go_on() {
        ask_in_tasks();
        let mut tasks = JoinSet::new();
        tasks.spawn(later(1));
        Interrupt::default().over(async { tasks.spawn(later(2)) }).await;
        let mut results = tasks.join_all().await;
        results.sort_unstable();
        assert_eq!(results, [1, 2]);
    }
}
