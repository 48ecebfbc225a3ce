//! What goes between a client and its session: who it is, what its statements return, what it is told beside them.

use std::{collections::BTreeMap, net::SocketAddr};

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, SchemaRef},
};
use datafusion::{execution::SendableRecordBatchStream, physical_plan::memory::MemoryStream};
use fusewire_udfs::Progress;

use crate::{
    Fault, Result,
    copy::{CopyIn, CopyOut},
};

/// Who opens a session and from where.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// The name the client gave.
    pub user: String,
    /// Where its SQL comes from.
    pub origin: Origin,
    /// The client's address, where it comes over the network.
    pub address: Option<SocketAddr>,
}

/// Where the SQL of a session comes from; SQL from the wire opens only allowed paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The shell, a script or an embedding program.
    Local,
    /// A network connection.
    Wire,
}

/// What a statement takes and returns, without running it.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// The types of `$1`, `$2`, …; text where nothing tells.
    pub parameters: Vec<DataType>,
    /// The numbers of their PostgreSQL types by their own numbers, where `parameters` do not tell them, as of `$1::uuid`.
    pub told: BTreeMap<usize, u32>,
    /// The columns it returns; none for a command.
    pub columns: Option<SchemaRef>,
}

/// What running a statement yields. There is one of it a statement, so that it matters to nobody how large it is.
#[allow(clippy::large_enum_variant)]
pub enum Outcome {
    /// Rows, streamed; dropping the stream cancels the statement.
    Rows {
        /// Batches in order; their schema is the stream's.
        stream: SendableRecordBatchStream,
        /// How their end is told.
        tag: RowsTag,
        /// Whether they are asked for in binary form, as those of a binary cursor are.
        binary: bool,
    },
    /// Rows for `COPY … TO STDOUT`, streamed; dropping the stream cancels the statement.
    CopyOut {
        /// Batches in order.
        stream: SendableRecordBatchStream,
        /// What makes bytes of them.
        copy: CopyOut,
    },
    /// The statement waits for the bytes of `COPY … FROM STDIN`.
    CopyIn(CopyIn),
    /// A command that is done, with its tag as PostgreSQL words it (`CREATE TABLE`, `INSERT 0 3`, `BEGIN`).
    Done {
        /// The command tag.
        tag: String,
    },
    /// The text held no statement.
    Empty,
}

/// The command tag of a statement that returns rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsTag {
    /// A word and the number of rows (`SELECT 3`).
    Counted(&'static str),
    /// The word alone (`SHOW`).
    Plain(&'static str),
}

/// Where a session stands, as ReadyForQuery tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStatus {
    /// No transaction is open.
    Idle,
    /// A transaction is open.
    Open,
    /// A transaction is open and has failed: only ROLLBACK (or COMMIT, which rolls back) is accepted.
    Failed,
}

/// Something to tell the client beside the result.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// A remark on the statement (`NOTICE`).
    Remark {
        /// What would have been an error, where it is about that.
        fault: Option<Fault>,
        /// What it says.
        text: String,
    },
    /// Something that may be wrong (`WARNING`).
    Warning {
        /// What would have been an error elsewhere, where it is about that.
        fault: Option<Fault>,
        /// What it says.
        text: String,
    },
    /// How far a long statement has come.
    Progress {
        /// What is being done, for example `train taste: epoch`.
        phase: String,
        /// Units done.
        done: u64,
        /// Units in all.
        total: u64,
        /// The current training loss, where known.
        loss: Option<f64>,
    },
    /// A setting that the protocol must tell the client (ParameterStatus).
    Setting {
        /// Its name, for example `TimeZone`.
        name: String,
        /// Its new value.
        value: String,
    },
    /// Something was said on a channel that the session listens to: see `Session::notifications`.
    Notified,
}

/// What a session has said with `NOTIFY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The number of that session.
    pub pid: i32,
    /// The channel.
    pub channel: String,
    /// What was said; it may be empty.
    pub payload: String,
}

impl Outcome {
    /// A command that is done.
    pub(crate) fn done(tag: impl Into<String>) -> Self {
        Self::Done { tag: tag.into() }
    }

    /// The rows of a query.
    pub(crate) fn rows(stream: SendableRecordBatchStream) -> Self {
        Self::Rows { stream, tag: RowsTag::Counted("SELECT"), binary: false }
    }

    /// The rows of a query that are there already.
    pub(crate) fn batches(schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<Self> {
        Ok(Self::rows(Box::pin(MemoryStream::try_new(batches, schema, None)?)))
    }

    /// The same rows with another tag.
    pub(crate) fn tagged(self, tag: RowsTag) -> Self {
        match self {
            Self::Rows { stream, binary, .. } => Self::Rows { stream, tag, binary },
            other => other,
        }
    }
}

impl RowsTag {
    /// The tag of so many rows, as PostgreSQL words it.
    pub fn told(self, rows: u64) -> String {
        match self {
            Self::Counted(word) => format!("{word} {rows}"),
            Self::Plain(word) => word.to_owned(),
        }
    }
}

impl Notice {
    /// A remark on the statement.
    pub(crate) fn remark(text: impl Into<String>) -> Self {
        Self::Remark { fault: None, text: text.into() }
    }
}

impl From<Progress> for Notice {
    fn from(event: Progress) -> Self {
        match event {
            Progress::Notice(sentence) => Self::remark(sentence),
            Progress::Step { phase, done, total, loss } => Self::Progress { phase, done, total, loss },
        }
    }
}
