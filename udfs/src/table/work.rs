//! What functions that read their whole input share: collecting it within the memory limit, and computing on a thread of
//! its own that stops when nobody waits for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::{
    common::Result,
    execution::{
        SendableRecordBatchStream,
        memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation},
    },
};
use fusewire_learn::Control;
use futures::StreamExt;

use crate::{
    context::{FunctionContext, Progress},
    error::Error,
};

/// Learning holds the rows as they came, as numbers, and as numbers in their canonical order.
const COPIES: usize = 3;

/// The rows of an input, and the memory reserved for them and for what becomes of them.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) reservation: MemoryReservation,
}

/// Reads an input to its end.
///
/// # Errors
/// [`Error::LimitExceeded`] for too many rows; the memory pool's own error for too many bytes.
pub(crate) async fn collect(
    function: &'static str,
    mut input: SendableRecordBatchStream,
    context: &FunctionContext,
    pool: &Arc<dyn MemoryPool>,
) -> Result<Collected> {
    let reservation = MemoryConsumer::new(function).register(pool);
    let mut batches = Vec::new();
    let mut rows = 0u64;
    while let Some(batch) = input.next().await {
        let batch = batch?;
        rows += batch.num_rows() as u64;
        if rows > context.limits.input_rows {
            return Err(Error::LimitExceeded {
                what: format!("the number of rows that {function} was given"),
                found: rows,
                limit: context.limits.input_rows,
                advice: "give it fewer rows, or raise the limit",
            }
            .into());
        }
        reservation.try_grow(COPIES * slice_bytes(&batch))?;
        if batch.num_rows() > 0 {
            batches.push(batch);
        }
    }
    Ok(Collected { batches, reservation })
}

/// The bytes of a batch's own rows: batches are often slices of one large buffer, which must not be counted each time.
fn slice_bytes(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(column_bytes).sum()
}

fn column_bytes(column: &ArrayRef) -> usize {
    match column.as_string_view_opt() {
        // The size of a slice leaves out the texts that views point to.
        Some(views) => views.total_buffer_bytes_used() + std::mem::size_of::<u128>() * views.len(),
        None => column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size()),
    }
}

/// Computes on a thread for blocking work and tells the session how far it has come. Dropping the future tells the
/// computation to stop.
pub(crate) async fn detached<T: Send + 'static>(
    context: &Arc<FunctionContext>,
    phase: String,
    compute: impl FnOnce(&dyn Control) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let _stop = StopOnDrop(cancelled.clone());
    let control = SessionControl {
        context: context.clone(),
        phase,
        cancelled,
        started: Instant::now(),
        next_ms: AtomicU64::new(0),
    };
    match tokio::task::spawn_blocking(move || compute(&control)).await {
        Ok(result) => result,
        // A panic goes on to the statement that asked, where panics are caught.
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(Error::Learn(fusewire_learn::Error::Cancelled)),
    }
}

struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How often a session hears of progress at most, the end of a phase aside.
const TELL_EVERY_MS: u64 = 100;

struct SessionControl {
    context: Arc<FunctionContext>,
    phase: String,
    cancelled: Arc<AtomicBool>,
    started: Instant,
    /// When the session may hear again, in milliseconds after the start.
    next_ms: AtomicU64,
}

impl Control for SessionControl {
    fn progress(&self, phase: &str, done: u64, total: u64, loss: Option<f64>) {
        let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if done < total && now_ms < self.next_ms.load(Ordering::Relaxed) {
            return;
        }
        self.next_ms.store(now_ms.saturating_add(TELL_EVERY_MS), Ordering::Relaxed);
        let phase = format!("{}: {phase}", self.phase);
        (self.context.progress)(Progress::Step { phase, done, total, loss });
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::array::{StringArray, StringViewArray};
    use datafusion::{
        common::DataFusionError, execution::memory_pool::GreedyMemoryPool,
        physical_plan::stream::RecordBatchStreamAdapter,
    };

    use super::*;
    use crate::testing::World;

    #[test]
    fn a_slice_counts_its_own_rows() {
        let long = "a text that does not fit into a view";
        let words = || (0..1000).map(|_| Some(long));
        for array in
            [Arc::new(words().collect::<StringArray>()) as ArrayRef, Arc::new(words().collect::<StringViewArray>())]
        {
            let own = column_bytes(&array.slice(10, 10));
            assert!((10 * long.len()..100 * long.len()).contains(&own), "{own} of {}", array.data_type());
        }
    }

    #[tokio::test]
    async fn rows_beyond_the_memory_pool_are_refused() {
        let context = World::new().session.task_ctx().session_config().get_extension::<FunctionContext>().unwrap();
        let words: ArrayRef = Arc::new((0..1000).map(|_| Some("word")).collect::<StringArray>());
        let batch = RecordBatch::try_from_iter([("c", words)]).unwrap();
        for (bytes, fits) in [(1 << 20, true), (1 << 10, false)] {
            let rows = futures::stream::iter([Ok(batch.clone()), Ok(batch.slice(0, 0))]);
            let input = Box::pin(RecordBatchStreamAdapter::new(batch.schema(), rows));
            let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(bytes));
            match collect("train", input, &context, &pool).await {
                Ok(collected) => {
                    assert!(fits && collected.batches.len() == 1);
                    assert_eq!(pool.reserved(), collected.reservation.size());
                    drop(collected);
                }
                Err(error) => {
                    assert!(!fits && matches!(error.find_root(), DataFusionError::ResourcesExhausted(_)), "{error}")
                }
            }
            assert_eq!(pool.reserved(), 0);
        }
    }
}
