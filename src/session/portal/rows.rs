//! The rows of a portal: those that are still to come, those that are kept to go back to, and the row that it stands on.
//!
//! It stands before the first row, on one, or behind the last, and moves as PostgreSQL's cursors do.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use arrow::{
    array::{RecordBatch, RecordBatchOptions, UInt64Array},
    compute::take,
    datatypes::SchemaRef,
};
use datafusion::{
    common::DataFusionError,
    execution::{
        SendableRecordBatchStream,
        memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation},
    },
};

use super::{Direction, Scroll};
use crate::{Error, Fault, Result, interrupt::Interrupt, session::RowsTag};

/// The memory up to which rows are kept for a cursor that was not asked whether it goes back.
const UNASKED_BYTES: usize = 1 << 20;

type Polled<T> = Poll<std::result::Result<T, DataFusionError>>;

/// The rows of a statement that has begun to run.
pub(in crate::session) struct Rows {
    schema: SchemaRef,
    tag: RowsTag,
    /// What is still to come.
    source: Option<SendableRecordBatchStream>,
    interrupt: Interrupt,
    /// Batches that have come and are not forgotten, each with the number of rows before it.
    batches: VecDeque<(u64, RecordBatch)>,
    /// How many rows have come.
    come: u64,
    /// The number of the row that it stands on; 0 before the first.
    row: u64,
    /// Whether it stands behind the last row, which `row` then is.
    past_end: bool,
    scroll: Scroll,
    /// Whether rows are kept although there is no going back: all that are to come.
    held: bool,
    memory: MemoryReservation,
}

impl Rows {
    pub(in crate::session) fn new(
        (source, tag): (SendableRecordBatchStream, RowsTag),
        interrupt: Interrupt,
        scroll: Scroll,
        pool: &Arc<dyn MemoryPool>,
    ) -> Self {
        Self {
            schema: source.schema(),
            tag,
            source: Some(source),
            interrupt,
            batches: VecDeque::new(),
            come: 0,
            row: 0,
            past_end: false,
            scroll,
            held: false,
            memory: MemoryConsumer::new("cursor").register(pool),
        }
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(super) fn tag(&self) -> RowsTag {
        self.tag
    }

    /// Gives the statement time for the rows that are read now.
    pub(in crate::session) fn run_until(&self, deadline: Option<Instant>) {
        self.interrupt.set_deadline(deadline);
    }

    /// Nobody reads for now: its time stands still.
    pub(in crate::session) fn rest(&self) {
        self.interrupt.set_deadline(None);
    }

    /// Takes all rows that are to come, so that nothing else of the statement is needed.
    pub(in crate::session) async fn complete(&mut self) -> Result<()> {
        if self.scroll == Scroll::Unsaid {
            self.scroll = Scroll::Yes;
        }
        self.held = true;
        while poll_fn(|context| self.poll_more(context)).await? {}
        Ok(())
    }

    /// Goes to where the rows of a FETCH begin; returns whether they are read backwards, and how many.
    pub(in crate::session) async fn approach(&mut self, direction: Direction) -> Result<(bool, u64)> {
        Ok(match direction {
            Direction::Forward => (false, u64::MAX),
            Direction::By(0) | Direction::Relative(0) => {
                if !self.is_on_row() {
                    return Ok((false, 0));
                }
                self.check_scroll()?;
                self.skip_backward(1);
                (false, 1)
            }
            Direction::By(rows) if rows > 0 => (false, rows.unsigned_abs()),
            Direction::Relative(rows) if rows > 0 => {
                self.skip_forward(rows.unsigned_abs() - 1).await?;
                (false, 1)
            }
            Direction::Absolute(0) => {
                self.rewind()?;
                (false, 0)
            }
            Direction::Absolute(number) if number > 0 => {
                self.go_before(number.unsigned_abs()).await?;
                (false, 1)
            }
            Direction::Backward => {
                self.check_scroll()?;
                (true, u64::MAX)
            }
            Direction::By(rows) => {
                self.check_scroll()?;
                (true, rows.unsigned_abs())
            }
            Direction::Relative(rows) => {
                self.check_scroll()?;
                self.skip_backward(rows.unsigned_abs() - 1);
                (true, 1)
            }
            Direction::Absolute(number) => {
                self.check_scroll()?;
                self.skip_forward(u64::MAX).await?;
                self.skip_backward(number.unsigned_abs() - 1);
                (true, 1)
            }
        })
    }

    /// Goes over the rows that a FETCH would return; returns how many they are.
    pub(in crate::session) async fn go(&mut self, direction: Direction) -> Result<u64> {
        match direction {
            Direction::By(0) | Direction::Relative(0) => Ok(u64::from(self.is_on_row())),
            Direction::Backward => {
                let passed = self.before();
                self.rewind()?;
                Ok(passed)
            }
            other => match self.approach(other).await? {
                (true, rows) => Ok(self.skip_backward(rows)),
                (false, rows) => self.skip_forward(rows).await,
            },
        }
    }

    /// Up to `most` further rows, as many as stand in one batch; none behind the last.
    pub(super) fn poll_forward(
        &mut self,
        context: &mut Context<'_>,
        most: u64,
    ) -> Poll<Option<std::result::Result<RecordBatch, DataFusionError>>> {
        if self.past_end || most == 0 {
            return Poll::Ready(None);
        }
        while self.row >= self.come {
            match ready!(self.poll_more(context)) {
                Ok(true) => {}
                Ok(false) => {
                    self.past_end = true;
                    return Poll::Ready(None);
                }
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
        let Some((first, batch)) = self.batch_of(self.row) else { return Poll::Ready(None) };
        let offset = (self.row - first) as usize;
        let length = (batch.num_rows() - offset).min(usize::try_from(most).unwrap_or(usize::MAX));
        let rows = batch.slice(offset, length);
        self.row += length as u64;
        self.forget_passed();
        Poll::Ready(Some(Ok(rows)))
    }

    /// Up to `most` rows before this one, the nearest first, as many as stand in one batch; none before the first.
    pub(super) fn backward(&mut self, most: u64) -> Option<std::result::Result<RecordBatch, DataFusionError>> {
        let before = self.before();
        if most == 0 {
            return None;
        }
        if before == 0 {
            self.skip_backward(1);
            return None;
        }
        let (first, batch) = self.batch_of(before - 1)?;
        let length = (before - first).min(most);
        let places = (before - length..before).rev().map(|row| row - first);
        let reversed = picked(batch, &UInt64Array::from_iter_values(places));
        self.skip_backward(length);
        Some(reversed)
    }

    /// Goes on over so many rows; returns over how many it went.
    async fn skip_forward(&mut self, rows: u64) -> Result<u64> {
        let mut left = rows;
        while let Some(batch) = poll_fn(|context| self.poll_forward(context, left)).await {
            left -= batch?.num_rows() as u64;
        }
        Ok(rows - left)
    }

    /// Goes back over so many rows; returns over how many it went.
    fn skip_backward(&mut self, rows: u64) -> u64 {
        if rows == 0 {
            return 0;
        }
        let before = self.before();
        self.row = (before + 1).saturating_sub(rows);
        self.past_end = false;
        rows.min(before)
    }

    /// Goes to where the row of this number, from 1, is the next one.
    async fn go_before(&mut self, number: u64) -> Result<()> {
        let reached = self.row + u64::from(self.past_end);
        if number > reached {
            self.skip_forward(number - 1 - reached).await?;
            return Ok(());
        }
        self.check_scroll()?;
        (self.row, self.past_end) = (number - 1, false);
        Ok(())
    }

    /// Goes before the first row.
    fn rewind(&mut self) -> Result<()> {
        if self.row > 0 || self.past_end {
            self.check_scroll()?;
            (self.row, self.past_end) = (0, false);
        }
        Ok(())
    }

    fn check_scroll(&self) -> Result<()> {
        if self.scroll == Scroll::No {
            return Err(Error::Statement {
                fault: Fault::WrongState,
                message: "cursor can only scan forward".to_owned(),
                hint: Some("Declare it with SCROLL option to enable backward scan.".to_owned()),
            });
        }
        Ok(())
    }

    fn is_on_row(&self) -> bool {
        self.row > 0 && !self.past_end
    }

    /// How many rows are before where it stands.
    fn before(&self) -> u64 {
        if self.past_end { self.row } else { self.row.saturating_sub(1) }
    }

    /// Takes the next batch of what is to come; false at its end.
    fn poll_more(&mut self, context: &mut Context<'_>) -> Polled<bool> {
        loop {
            let Some(source) = &mut self.source else { return Poll::Ready(Ok(false)) };
            match ready!(futures::Stream::poll_next(source.as_mut(), context)) {
                Some(Ok(batch)) if batch.num_rows() == 0 => {}
                Some(Ok(batch)) => return Poll::Ready(self.keep(batch).map(|()| true)),
                Some(Err(error)) => {
                    self.source = None;
                    return Poll::Ready(Err(error));
                }
                None => {
                    self.source = None;
                    return Poll::Ready(Ok(false));
                }
            }
        }
    }

    fn keep(&mut self, batch: RecordBatch) -> std::result::Result<(), DataFusionError> {
        let bytes = batch.get_array_memory_size();
        if self.scroll == Scroll::Unsaid
            && (self.memory.size() + bytes > UNASKED_BYTES || self.memory.try_grow(bytes).is_err())
        {
            self.scroll = Scroll::No;
            self.memory.free();
            self.forget_passed();
        } else if self.scroll == Scroll::Yes || self.held {
            self.memory.try_grow(bytes)?;
        }
        let rows = batch.num_rows() as u64;
        self.batches.push_back((self.come, batch));
        self.come += rows;
        Ok(())
    }

    /// Lets go of the batches that nobody can go back to.
    fn forget_passed(&mut self) {
        while self.scroll == Scroll::No
            && let Some((first, batch)) = self.batches.front()
            && first + batch.num_rows() as u64 <= self.row
        {
            self.memory.shrink(batch.get_array_memory_size().min(self.memory.size()));
            self.batches.pop_front();
        }
    }

    /// The batch with the row of this number, from 0, and the number of its first row.
    fn batch_of(&self, row: u64) -> Option<(u64, &RecordBatch)> {
        let after = self.batches.partition_point(|(first, _)| *first <= row);
        self.batches.get(after.checked_sub(1)?).map(|(first, batch)| (*first, batch))
    }
}

/// Rows of a batch in the order of their places.
fn picked(batch: &RecordBatch, places: &UInt64Array) -> std::result::Result<RecordBatch, DataFusionError> {
    let columns = batch.columns().iter().map(|column| take(column, places, None)).collect::<Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(places.values().len()));
    Ok(RecordBatch::try_new_with_options(batch.schema(), columns, &options)?)
}

impl fmt::Debug for Rows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rows").field("row", &self.row).field("scroll", &self.scroll).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
