//! One run of a portal: who has it in hand, and the rows that it gives this time.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use datafusion::{common::DataFusionError, execution::RecordBatchStream};
use futures::Stream;
use tokio::sync::OwnedMutexGuard;

use super::{Content, Rows};
use crate::session::RowsTag;

/// A portal in somebody's hand. One that is let go in the middle has failed.
pub(in crate::session) struct Run {
    content: OwnedMutexGuard<Content>,
    /// Whether it may be run again from where it stands.
    whole: bool,
}

/// The rows of one run.
pub(in crate::session) struct Fetch {
    /// None once they have all been read: then the portal is free.
    run: Option<Run>,
    schema: SchemaRef,
    backward: bool,
    left: u64,
}

impl Run {
    pub(super) fn new(content: OwnedMutexGuard<Content>) -> Self {
        Self { content, whole: false }
    }

    pub(in crate::session) fn content(&mut self) -> &mut Content {
        &mut self.content
    }

    pub(in crate::session) fn rows(&mut self) -> Option<&mut Rows> {
        match &mut *self.content {
            Content::Rows(rows) => Some(rows),
            Content::Bound(_) | Content::Ran | Content::Failed => None,
        }
    }

    /// Lets it go as it is.
    pub(in crate::session) fn finish(mut self) {
        self.whole = true;
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.whole {
            *self.content = Content::Failed;
        } else if let Content::Rows(rows) = &mut *self.content {
            rows.rest();
        }
    }
}

impl Fetch {
    /// So many rows of the portal in this direction. None where it returns no rows.
    pub(in crate::session) fn new(mut run: Run, (backward, left): (bool, u64)) -> Option<(Self, RowsTag)> {
        let rows = run.rows()?;
        let (schema, tag) = (Arc::clone(rows.schema()), rows.tag());
        Some((Self { run: Some(run), schema, backward, left }, tag))
    }

    fn finish(&mut self) {
        if let Some(run) = self.run.take() {
            run.finish();
        }
    }
}

impl Stream for Fetch {
    type Item = Result<RecordBatch, DataFusionError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let (backward, left) = (self.backward, self.left);
        let Some(rows) = self.run.as_mut().and_then(Run::rows) else { return Poll::Ready(None) };
        let next = if backward { rows.backward(left) } else { ready!(rows.poll_forward(context, left)) };
        match &next {
            Some(Ok(batch)) => {
                self.left = left.saturating_sub(batch.num_rows() as u64);
                if self.left == 0 {
                    self.finish();
                }
            }
            Some(Err(_)) => self.run = None,
            None => self.finish(),
        }
        Poll::Ready(next)
    }
}

impl RecordBatchStream for Fetch {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
