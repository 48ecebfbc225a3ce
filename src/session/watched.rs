//! The rows of a statement that others may stop, and whose session works until they are read.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use datafusion::{
    common::DataFusionError,
    execution::{RecordBatchStream, SendableRecordBatchStream},
};
use futures::Stream;

use super::{Outcome, Ticket, Working};

impl Outcome {
    /// The same outcome; its rows end with an error when somebody stops their statement.
    pub(crate) fn watched(self, ticket: Ticket, working: Working) -> Self {
        match self {
            Self::Rows { stream, tag, binary } => Self::Rows { stream: watched(stream, ticket, working), tag, binary },
            Self::CopyOut { stream, copy } => Self::CopyOut { stream: watched(stream, ticket, working), copy },
            Self::CopyIn(copy) => Self::CopyIn(copy.keeping(working)),
            other => other,
        }
    }
}

fn watched(stream: SendableRecordBatchStream, ticket: Ticket, working: Working) -> SendableRecordBatchStream {
    Box::pin(Watched { schema: stream.schema(), ticket, reading: Some((stream, working)) })
}

struct Watched {
    schema: SchemaRef,
    ticket: Ticket,
    /// None when all rows are read.
    reading: Option<(SendableRecordBatchStream, Working)>,
}

impl Stream for Watched {
    type Item = Result<RecordBatch, DataFusionError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some((rows, _working)) = &mut this.reading else { return Poll::Ready(None) };
        if let Poll::Ready(error) = this.ticket.poll_stopped(context) {
            this.reading = None;
            return Poll::Ready(Some(Err(error.into())));
        }
        let next = ready!(rows.as_mut().poll_next(context));
        if next.is_none() {
            this.reading = None;
        }
        Poll::Ready(next)
    }
}

impl RecordBatchStream for Watched {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
