//! Rows on their way to the client: batches to DataRow messages, and how their end is told.
//!
//! Batches arrive one by one and are written in pieces, so memory does not grow with the result.

use std::future::Future;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use pgwire::messages::data::FORMAT_CODE_BINARY;
use pgwire::messages::extendedquery::PortalSuspended;
use pgwire::messages::response::{CommandComplete, EmptyQueryResponse};

use super::connection::Connection;
use super::encode::Layout;
use super::failure::{Failure, clean, write};
use super::task::{Event, Running};
use super::wire::FLUSH_BYTES;
use crate::Result;
use crate::engine::Outcome;

/// The formats of columns that are all binary.
const ALL_BINARY: &[i16] = &[FORMAT_CODE_BINARY];

/// How the rows are to be sent.
#[derive(Debug, Clone, Default)]
pub(super) struct SendPlan {
    /// The formats of the columns, as in Bind.
    pub(super) formats: Vec<i16>,
    /// The columns that the client was told before.
    pub(super) described: Option<SchemaRef>,
    /// Whether to announce the columns before the first row.
    pub(super) announce: bool,
    /// How many rows were asked for; 0 for all.
    pub(super) limit: u64,
}

/// Why no more rows come now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// As many as were asked for are sent; more may come.
    Suspended,
    /// That was all, with this tag.
    Done(String),
    /// There was no statement.
    Empty,
}

impl Connection {
    /// Runs a statement and sends its rows. On an error it is stopped, and has let go of what it held.
    pub(super) async fn send(
        &mut self,
        work: impl Future<Output = Result<Outcome>> + Send + 'static,
        plan: &SendPlan,
    ) -> Result<Sent, Failure> {
        // A cancel is meant for this statement from now on, even if it comes before the task runs.
        self.session.expect_statement();
        let mut running = Running::start(work);
        let sent = self.forward(&mut running, plan).await;
        if sent.is_err() {
            running.stop().await;
        }
        sent
    }

    /// Tells how a statement ended.
    pub(super) fn tell_end(&mut self, end: &Sent) {
        self.tell_notices();
        let out = &mut self.wire.outbound;
        match end {
            Sent::Suspended => write(out, &PortalSuspended::new()),
            Sent::Done(tag) => write(out, &CommandComplete::new(clean(tag))),
            Sent::Empty => write(out, &EmptyQueryResponse::new()),
        }
    }

    async fn forward(&mut self, running: &mut Running, plan: &SendPlan) -> Result<Sent, Failure> {
        let (mut layout, mut sent) = (None, 0);
        loop {
            match self.supervise(running.next()).await?? {
                Event::Rows { schema, binary } => layout = Some(self.announce(&schema, binary, plan)?),
                Event::CopyOut(copy) => return self.copy_out(running, &copy).await,
                Event::CopyIn { feed, width, binary } => return self.copy_in(running, feed, (width, binary)).await,
                Event::Batch(batch) => {
                    if let Some(layout) = &layout {
                        self.send_rows(layout, &batch).await?;
                        sent += batch.num_rows() as u64;
                    }
                }
                Event::End(_) if plan.limit > 0 && sent == plan.limit => return Ok(Sent::Suspended),
                Event::End(tag) => return Ok(Sent::Done(tag.told(sent))),
                Event::Done(tag) => return Ok(Sent::Done(tag)),
                Event::Empty => return Ok(Sent::Empty),
            }
        }
    }

    fn announce(&mut self, schema: &Schema, binary: bool, plan: &SendPlan) -> Result<Layout, Failure> {
        // Nobody has said how rows are to come that were not bound, but the statement itself may.
        let formats = if plan.announce && binary { ALL_BINARY } else { &plan.formats };
        let layout = match &plan.described {
            Some(described) => Layout::described(described, schema, formats)?,
            None => Layout::new(schema, formats)?,
        };
        if plan.announce {
            write(&mut self.wire.outbound, &layout.row_description());
        }
        Ok(layout)
    }

    async fn send_rows(&mut self, layout: &Layout, batch: &RecordBatch) -> Result<(), Failure> {
        let arrays = layout.conform(batch)?;
        let mut unsent = 0..batch.num_rows();
        while !unsent.is_empty() {
            let out = &mut self.wire.outbound;
            let start = out.len();
            match layout.write_rows(out, &arrays, unsent.clone(), self.zone, FLUSH_BYTES) {
                Ok(written) => unsent.start += written,
                Err(error) => {
                    // A row that broke off would break the protocol.
                    out.truncate(start);
                    return Err(error.into());
                }
            }
            self.wire.flush_if_full().await?;
        }
        Ok(())
    }
}
