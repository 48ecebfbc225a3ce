//! The rows of a plan: computed by the compute runtime, streamed through a short channel to whoever reads them.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use arrow::{
    array::{RecordBatch, RecordBatchOptions},
    datatypes::SchemaRef,
};
use datafusion::{
    common::DataFusionError,
    execution::{RecordBatchStream, SendableRecordBatchStream, runtime_env::RuntimeEnv},
    logical_expr::LogicalPlan,
    physical_plan::{ExecutionPlan, execute_stream, memory::MemoryStream},
};
use futures::{Stream, StreamExt, future::BoxFuture};
use tokio::{
    sync::mpsc,
    time::{Sleep, sleep_until},
};

use super::{clocks, headings::unmarked, plan::following};
use crate::{
    Error, Fault, Result,
    interrupt::Interrupt,
    pgtype::Styles,
    session::{Client, Outcome, Physical, Scope, Staged, caught, explain_failure, timed_out},
};

/// Batches that wait between the compute runtime and whoever reads the result.
const BATCHES_BUFFERED: usize = 2;

/// Rows that are held until what their statement does beside them is done.
const MAX_ROWS_HELD: usize = 1_000_000;

/// Optimizes a plan, starts it on the compute runtime and streams its rows.
pub(super) fn run(scope: &Scope, plan: LogicalPlan) -> BoxFuture<'_, Result<Outcome>> {
    Box::pin(start(scope, scope.physical(plan)))
}

/// The same of a plan that is optimized already.
pub(super) fn run_optimized(scope: &Scope, plan: LogicalPlan) -> BoxFuture<'_, Result<Outcome>> {
    Box::pin(start(scope, scope.physical_of_optimized(plan)))
}

/// Rows that are there already, as clients see them.
pub(super) fn shown(scope: &Scope, rows: RecordBatch) -> Result<Outcome> {
    let schema = clocks::in_zone(&unmarked(rows.schema_ref()), scope.zone());
    let rows = named(rows, &schema)?;
    Outcome::batches(schema, vec![rows])
}

async fn start(scope: &Scope, planned: BoxFuture<'_, Result<Physical>>) -> Result<Outcome> {
    let (physical, task) = planned.await?;
    let options = task.session_config().options();
    let (zone, styles) = (options.execution.time_zone.clone(), Styles::of(options));
    let stream = execute_stream(Arc::clone(&physical), task)?;
    let schema = clocks::in_zone(&unmarked(&stream.schema()), zone.as_deref().unwrap_or("UTC"));
    let schema = Arc::new(styles.said(Arc::unwrap_or_clone(schema)));
    let (sender, receiver) = mpsc::channel(BATCHES_BUFFERED);
    let interrupt = scope.interrupt().clone();
    let runtime = Arc::clone(&scope.shared().runtime);
    // The files of what it reads stay as long as it does.
    let read = Arc::clone(scope.snapshot());
    let forwarded = async move {
        forward(stream, physical, runtime, sender).await;
        drop(read);
    };
    let worker = scope.shared().compute_handle().spawn(interrupt.over(forwarded));
    let rows = ComputedRows { schema, receiver, worker, interrupt, timer: None, finished: false };
    Ok(Outcome::rows(Box::pin(rows)))
}

/// Runs the plan around a training and publishes its model: where the statement commits by itself, when all rows are there
/// and before any is shown, so that nobody who has seen one hears of an error.
pub(super) fn run_and_publish<'a>(
    client: &'a Client,
    scope: &'a Scope,
    plan: LogicalPlan,
    model: Staged,
) -> BoxFuture<'a, Result<Outcome>> {
    let running = run(scope, plan);
    Box::pin(async move {
        let mut stream = match running.await? {
            Outcome::Rows { stream, .. } => stream,
            other => return Ok(other),
        };
        if !model.is_alone() {
            return Ok(Outcome::rows(stream));
        }
        let too_many = || {
            format!(
                "a statement that trains returns at most {MAX_ROWS_HELD} rows; query its metrics in another with evaluate"
            )
        };
        let batches = held(&mut stream, too_many).await?;
        client.settle(scope, model).await?;
        let schema = stream.schema();
        Ok(Outcome::rows(Box::pin(MemoryStream::try_new(batches, schema, None)?)))
    })
}

/// Runs a plan that calls `set_config`, and sets what it says when all rows are there: none is shown of a statement that fails.
pub(super) fn run_and_assign<'a>(
    client: &'a Client,
    scope: &'a Scope,
    plan: LogicalPlan,
) -> BoxFuture<'a, Result<Outcome>> {
    scope.open_assignments();
    let running = following(plan, scope).map(|plan| run(scope, plan));
    Box::pin(async move {
        let mut stream = match running?.await? {
            Outcome::Rows { stream, .. } => stream,
            other => return Ok(other),
        };
        let too_many = || format!("a statement that calls set_config returns at most {MAX_ROWS_HELD} rows");
        let batches = held(&mut stream, too_many).await?;
        for assignment in scope.assigned() {
            client.assign(&assignment.name, assignment.value.as_deref(), assignment.local)?;
        }
        let schema = stream.schema();
        Ok(Outcome::rows(Box::pin(MemoryStream::try_new(batches, schema, None)?)))
    })
}

/// All rows of a stream.
async fn held(stream: &mut SendableRecordBatchStream, too_many: impl FnOnce() -> String) -> Result<Vec<RecordBatch>> {
    let (mut batches, mut rows) = (Vec::new(), 0);
    while let Some(batch) = stream.next().await.transpose()? {
        rows += batch.num_rows();
        if rows > MAX_ROWS_HELD {
            return Err(Error::new(Fault::LimitExceeded, too_many()));
        }
        batches.push(batch);
    }
    Ok(batches)
}

/// Runs a plan to its end and returns its rows.
pub(super) fn collect(scope: &Scope, plan: LogicalPlan) -> BoxFuture<'_, Result<Vec<RecordBatch>>> {
    Box::pin(finish(scope, scope.physical(plan)))
}

async fn finish(scope: &Scope, planned: BoxFuture<'_, Result<Physical>>) -> Result<Vec<RecordBatch>> {
    let (physical, task) = planned.await?;
    let collected = caught(datafusion::physical_plan::collect(Arc::clone(&physical), task)).await;
    match collected {
        Ok(batches) => Ok(batches),
        Err(error) => Err(explain_failure(&physical, &scope.shared().runtime, error).await),
    }
}

async fn forward(
    mut stream: SendableRecordBatchStream,
    plan: Arc<dyn ExecutionPlan>,
    runtime: Arc<RuntimeEnv>,
    sender: mpsc::Sender<std::result::Result<RecordBatch, DataFusionError>>,
) {
    while let Some(batch) = caught(async { stream.next().await.transpose() }).await.transpose() {
        let (batch, failed) = match batch {
            Ok(batch) => (Ok(batch), false),
            Err(error) => (Err(explain_failure(&plan, &runtime, error).await.into()), true),
        };
        if sender.send(batch).await.is_err() || failed {
            return;
        }
    }
}

/// The rows of a plan that runs on the compute runtime; dropping it stops the plan.
struct ComputedRows {
    schema: SchemaRef,
    receiver: mpsc::Receiver<std::result::Result<RecordBatch, DataFusionError>>,
    worker: tokio::task::JoinHandle<()>,
    interrupt: Interrupt,
    /// Wakes whoever waits for a row when the time is up that it was set for.
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
    finished: bool,
}

impl Stream for ComputedRows {
    type Item = std::result::Result<RecordBatch, DataFusionError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.finished {
            return Poll::Ready(None);
        }
        if self.interrupt.deadline().is_some_and(|deadline| Instant::now() >= deadline) {
            return Poll::Ready(Some(Err(self.time_out())));
        }
        let Poll::Ready(received) = self.receiver.poll_recv(context) else {
            ready!(self.poll_timer(context));
            return Poll::Ready(Some(Err(self.time_out())));
        };
        match received {
            Some(item) => Poll::Ready(Some(item.and_then(|batch| named(batch, &self.schema)))),
            // The channel closes when the worker ends; only a panic ends it without a last word.
            None => match ready!(Pin::new(&mut self.worker).poll(context)) {
                Err(error) if error.is_panic() => {
                    self.finished = true;
                    let error = Error::panicked(error.into_panic().as_ref());
                    Poll::Ready(Some(Err(error.into())))
                }
                _ => {
                    self.finished = true;
                    Poll::Ready(None)
                }
            },
        }
    }
}

impl ComputedRows {
    /// Ready when the time is up. It runs while somebody waits for rows, so that one who leaves them alone loses none.
    fn poll_timer(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.interrupt.deadline() else { return Poll::Pending };
        let set = self.timer.take().filter(|(set, _)| *set == deadline);
        let (_, timer) = self.timer.insert(set.unwrap_or_else(|| (deadline, Box::pin(sleep_until(deadline.into())))));
        timer.as_mut().poll(context)
    }

    /// Ends the plan and says why.
    fn time_out(&mut self) -> DataFusionError {
        self.finished = true;
        self.interrupt.raise();
        self.worker.abort();
        timed_out().into()
    }
}

/// The batch as clients see it: the columns' names, and instants by the session's clocks.
fn named(batch: RecordBatch, schema: &SchemaRef) -> std::result::Result<RecordBatch, DataFusionError> {
    let own = batch.schema_ref();
    if own.fields() == schema.fields() && own.metadata() == schema.metadata() {
        return Ok(batch);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let (_, columns, _) = batch.into_parts();
    let columns = clocks::shown(columns, schema)?;
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

impl RecordBatchStream for ComputedRows {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl Drop for ComputedRows {
    fn drop(&mut self) {
        self.interrupt.raise();
        self.worker.abort();
    }
}
