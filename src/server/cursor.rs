//! Rows of one running statement on their way to the client, a part at a time.
//!
//! Batches arrive one by one and are written in pieces, so memory does not grow with the result.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::common::ScalarValue;

use super::connection::Connection;
use super::encode::Layout;
use super::failure::{Failure, write};
use super::task::{Event, Running};
use super::wire::FLUSH_BYTES;
use crate::engine::Statement;

/// A statement that has begun to run, and the rows of it that have come but are not sent.
#[derive(Debug)]
pub(super) struct Cursor {
    running: Running,
    plan: SendPlan,
    layout: Option<Layout>,
    arrays: Vec<ArrayRef>,
    unsent: Range<usize>,
}

/// How the rows are to be sent.
#[derive(Debug, Clone, Default)]
pub(super) struct SendPlan {
    /// The formats of the columns, as in Bind.
    pub(super) formats: Vec<i16>,
    /// The columns that the client was told before.
    pub(super) described: Option<SchemaRef>,
    /// Whether to announce the columns before the first row.
    pub(super) announce: bool,
}

/// Why no more rows come now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fetched {
    /// As many as were asked for are sent; more may come.
    Suspended,
    /// That were all; as many were sent this time.
    Rows(u64),
    /// That was all of a command, with this tag.
    Command(String),
    /// There was no statement.
    Empty,
}

impl Cursor {
    /// Starts the statement for a connection.
    pub(super) fn start(
        connection: &Connection,
        statement: Arc<Statement>,
        parameters: Vec<ScalarValue>,
        plan: SendPlan,
    ) -> Self {
        let running = Running::start(Arc::clone(&connection.session), statement, parameters);
        Self { running, plan, layout: None, arrays: Vec::new(), unsent: 0..0 }
    }

    /// Sends up to `limit` further rows.
    pub(super) async fn fetch(&mut self, connection: &mut Connection, limit: u64) -> Result<Fetched, Failure> {
        let mut sent = 0;
        loop {
            sent += self.send(connection, limit - sent).await?;
            if sent == limit {
                return Ok(Fetched::Suspended);
            }
            match connection.supervise(self.running.next()).await?? {
                Event::Rows(schema) => self.announce(connection, &schema)?,
                Event::Batch(batch) => self.take(&batch)?,
                Event::Done(Some(tag)) => return Ok(Fetched::Command(tag)),
                Event::Done(None) => return Ok(Fetched::Rows(sent)),
                Event::Empty => return Ok(Fetched::Empty),
            }
        }
    }

    /// Cancels the statement and waits until it has let go of what it held.
    pub(super) async fn stop(self) {
        self.running.stop().await;
    }

    fn announce(&mut self, connection: &mut Connection, schema: &SchemaRef) -> Result<(), Failure> {
        let layout = match &self.plan.described {
            Some(described) => Layout::described(described, schema, &self.plan.formats)?,
            None => Layout::new(schema, &self.plan.formats)?,
        };
        if self.plan.announce {
            write(&mut connection.wire.outbound, &layout.row_description());
        }
        self.layout = Some(layout);
        Ok(())
    }

    fn take(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        if let Some(layout) = &self.layout {
            self.arrays = layout.conform(batch)?;
            self.unsent = 0..batch.num_rows();
        }
        Ok(())
    }

    async fn send(&mut self, connection: &mut Connection, limit: u64) -> Result<u64, Failure> {
        let Some(layout) = &self.layout else { return Ok(0) };
        let mut sent = 0u64;
        while !self.unsent.is_empty() && sent < limit {
            let allowed = usize::try_from(limit - sent).unwrap_or(usize::MAX);
            let rows = self.unsent.start..self.unsent.end.min(self.unsent.start.saturating_add(allowed));
            let out = &mut connection.wire.outbound;
            let start = out.len();
            let written = layout.write_rows(out, &self.arrays, rows, connection.zone, FLUSH_BYTES);
            match written {
                Ok(written) => {
                    self.unsent.start += written;
                    sent += written as u64;
                }
                Err(error) => {
                    // A row that broke off would break the protocol.
                    out.truncate(start);
                    return Err(error.into());
                }
            }
            connection.wire.flush_if_full().await?;
        }
        if self.unsent.is_empty() {
            self.arrays = Vec::new();
        }
        Ok(sent)
    }
}
