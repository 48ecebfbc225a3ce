//! Work beside a connection: one statement running, its batches in a short channel, its panics caught.
//!
//! The engine computes on threads of its own; a task here only waits for it, while the connection hears its client.
//! Dropping a task cancels it.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::{FutureExt, StreamExt};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use crate::engine::{CopyFeed, CopyOut, Outcome, RowsTag};
use crate::{Error, Fault, Result};

/// What waits for the client; the statement stands still beyond. As much as a statement of one batch tells.
const EVENTS_AHEAD: usize = 3;

/// How long a cancelled statement may go on before the connection turns to the next.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// What is told of the rows of `COPY`.
const COPIED: RowsTag = RowsTag::Counted("COPY");

/// What a running statement tells.
#[derive(Debug)]
pub(super) enum Event {
    /// It returns rows of this schema, which it may ask to have in binary form.
    Rows { schema: SchemaRef, binary: bool },
    /// Some of them.
    Batch(RecordBatch),
    /// It returns rows whose bytes are the client's, as this writes them.
    CopyOut(Box<CopyOut>),
    /// It waits for bytes of the client.
    CopyIn { feed: CopyFeed, width: usize, binary: bool },
    /// Those were all, with what is told of them.
    End(RowsTag),
    /// It is a command that is done, with its tag.
    Done(String),
    /// There was no statement.
    Empty,
}

/// A statement that runs, or is done.
#[derive(Debug)]
pub(super) struct Running {
    events: Receiver<Result<Event>>,
    /// None: it was done at once.
    task: Option<Task<()>>,
}

/// Spawned work that ends when it is dropped.
#[derive(Debug)]
pub(super) struct Task<T> {
    handle: JoinHandle<T>,
}

impl Running {
    /// Starts the work of a statement.
    pub(super) fn start(work: impl Future<Output = Result<Outcome>> + Send + 'static) -> Self {
        let (sender, events) = channel(EVENTS_AHEAD);
        let mut work = Box::pin(async move {
            let last = match catch_panic(drive(work, &sender)).await {
                Ok(Some(event)) => Ok(event),
                Ok(None) => return,
                Err(error) => Err(error),
            };
            // Nobody may be left to hear it.
            drop(sender.send(last).await);
        });
        // Where nothing is to be computed or waited for, it needs no task.
        let is_done = work.as_mut().now_or_never().is_some();
        Self { events, task: (!is_done).then(|| Task::spawn(work)) }
    }

    /// What it tells next. It always ends in `End`, `Done`, `Empty` or an error.
    pub(super) async fn next(&mut self) -> Result<Event> {
        let ended = || Err(Error::new(Fault::Internal, "the statement ended without a result"));
        self.events.recv().await.unwrap_or_else(ended)
    }

    /// Cancels it and waits until it has let go of what it held. What commits already goes on alone.
    pub(super) async fn stop(mut self) {
        self.events.close();
        let Some(task) = &mut self.task else { return };
        task.handle.abort();
        // One that does not stop in time goes on alone; its rows have nowhere to go.
        drop(tokio::time::timeout(STOP_TIMEOUT, &mut task.handle).await);
    }
}

impl<T: Send + 'static> Task<Result<T>> {
    /// Runs the work, a panic becoming an error.
    pub(super) fn start(work: impl Future<Output = Result<T>> + Send + 'static) -> Self {
        Self::spawn(catch_panic(work))
    }

    /// Its result.
    pub(super) async fn result(&mut self) -> Result<T> {
        (&mut self.handle).await.unwrap_or_else(|error| Err(Error::new(Fault::Internal, error.to_string())))
    }
}

impl<T: Send + 'static> Task<T> {
    fn spawn(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self { handle: tokio::spawn(work) }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

async fn catch_panic<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|panic| {
        let message = format!("the statement failed by a fault of the server: {}", panic_message(panic.as_ref()));
        Err(Error::new(Fault::Internal, message))
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

// None once nobody listens any more.
async fn drive(
    work: impl Future<Output = Result<Outcome>> + Send,
    events: &Sender<Result<Event>>,
) -> Result<Option<Event>> {
    let (first, mut stream, tag) = match work.await? {
        Outcome::Rows { stream, tag, binary } => (Event::Rows { schema: stream.schema(), binary }, stream, tag),
        Outcome::CopyOut { stream, copy } => (Event::CopyOut(Box::new(copy)), stream, COPIED),
        Outcome::CopyIn(copy) => {
            let (width, binary) = (copy.width(), copy.is_binary());
            let (feed, done) = copy.split();
            if events.send(Ok(Event::CopyIn { feed, width, binary })).await.is_err() {
                return Ok(None);
            }
            return Ok(Some(Event::Done(done.await?)));
        }
        Outcome::Done { tag } => return Ok(Some(Event::Done(tag))),
        Outcome::Empty => return Ok(Some(Event::Empty)),
    };
    if events.send(Ok(first)).await.is_err() {
        return Ok(None);
    }
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        if batch.num_rows() > 0 && events.send(Ok(Event::Batch(batch))).await.is_err() {
            return Ok(None);
        }
    }
    Ok(Some(Event::End(tag)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_internal_error_with_its_message() {
        let work = async { if std::hint::black_box(true) { panic!("bad luck") } else { Ok(1) } };
        let error = Task::start(work).result().await.unwrap_err();
        assert_eq!(error.report().code, "XX000");
        assert!(error.report().message.ends_with("bad luck"));
    }

    #[tokio::test]
    async fn what_is_done_at_once_needs_no_task() {
        let mut running = Running::start(async { Ok(Outcome::done("BEGIN")) });
        assert!(running.task.is_none());
        assert!(matches!(running.next().await, Ok(Event::Done(tag)) if tag == "BEGIN"));
        running.stop().await;
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let mut running =
            Running::start(async move { receiver.await.map_err(|_| Error::new(Fault::Internal, "dropped")) });
        assert!(running.task.is_some());
        assert!(sender.send(Outcome::Empty).is_ok());
        assert!(matches!(running.next().await, Ok(Event::Empty)));
    }

    #[tokio::test]
    async fn a_dropped_task_is_cancelled() {
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let work = async move {
            std::future::pending::<()>().await;
            drop(sender);
            Ok(())
        };
        drop(Task::start(work));
        assert!(receiver.await.is_err());
    }
}
