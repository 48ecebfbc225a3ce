//! `COPY … FROM STDIN` and from a file: rows that come as bytes, appended to a managed table as those of an INSERT are.
//!
//! ```sql
//! COPY orders (id, total) FROM STDIN (FORMAT csv, HEADER);
//! COPY orders FROM '/data/orders.tsv';
//! ```
//!
//! It is one change: a row that cannot be read leaves nothing of those before it.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    path::Path,
    sync::Arc,
};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::{
    common::DataFusionError, execution::SendableRecordBatchStream, logical_expr::LogicalPlan,
    physical_plan::stream::RecordBatchStreamAdapter, sql::parser::Statement as SqlStatement,
};
use futures::stream::try_unfold;
use tokio::{runtime::Handle, sync::mpsc::Receiver, task::spawn_blocking};

use super::{
    Action,
    copy_data::Table,
    copy_where::{over, planned},
};
use crate::{
    Error, Fault, Result,
    catalog::{Change, Definition, Header, Kind, ManagedTable, Privilege, QualifiedName},
    copy::{CopyFeed, CopyIn, Given, Options, Reader, channel},
    session::{Client, Outcome, Running, Scope, Sealed, storage},
};

/// How much of a file is read at once.
const FILE_BYTES: usize = 256 << 10;

#[derive(Debug)]
pub(super) struct CopyFrom {
    pub(super) table: Table,
    pub(super) options: Options,
    /// The path of a file; none where the client sends the bytes.
    pub(super) file: Option<String>,
    /// The query of the table's rows that are wanted, where there is a condition.
    pub(super) condition: Option<Sealed<SqlStatement>>,
}

#[async_trait]
impl Action for CopyFrom {
    async fn run(&self, Running { client, scope, .. }: Running<'_>) -> Result<Outcome> {
        let (name, header, table) = self.found(scope)?;
        scope.check_writes_to(&name, "COPY FROM")?;
        let columns = &self.table.columns;
        let (title, session) = (self.table.name.name.as_str(), scope.reads_in());
        let reader = Reader::new((title, &table.schema), columns, self.options.clone(), session);
        let wanted = match &self.condition {
            Some(query) => Some(planned(scope, query).await?),
            None => None,
        };
        let (feed, given) = channel();
        let width = reader.width();
        let copying = Copying {
            client: Arc::clone(client),
            scope: Arc::clone(scope),
            schema: Arc::new(table.schema.clone()),
            oid: header.oid,
            name,
            wanted,
        };
        if let Some(file) = &self.file {
            let opened = open(&scope.access().readable(file)?, file)?;
            let runtime = Handle::current();
            // It ends when nobody takes its bytes any more.
            let pouring = spawn_blocking(move || runtime.block_on(pour(opened, feed)));
            let told = copying.run(reader, given).await?;
            drop(pouring);
            return Ok(Outcome::done(told));
        }
        let (client, scope) = (Arc::clone(client), Arc::clone(scope));
        let done = async move { client.shared().timed(&scope, copying.run(reader, given)).await };
        Ok(Outcome::CopyIn(CopyIn::new((width, self.options.is_binary()), feed, done)))
    }
}

impl CopyFrom {
    /// The table, which is one of ours and has the columns.
    fn found<'a>(&self, scope: &'a Scope) -> Result<(QualifiedName, &'a Header, &'a ManagedTable)> {
        let name = scope.named(Kind::Table, &self.table.name);
        let found = scope.snapshot().relation(&name).ok_or_else(|| scope.no_relation(&name))?;
        scope.check(Privilege::Insert, found)?;
        let title = &self.table.name.name;
        match &found.definition {
            Definition::ManagedTable(table) => {
                self.table.check(&table.schema)?;
                self.table.check_named(&table.schema, &self.options.force_not_null, "FORCE_NOT_NULL")?;
                self.table.check_named(&table.schema, &self.options.force_null, "FORCE_NULL")?;
                Ok((name, &found.header, table))
            }
            Definition::View(_) => Err(Error::Statement {
                fault: Fault::WrongObjectType,
                message: format!("cannot copy to view \"{title}\""),
                hint: Some("copy into the table that it reads".to_owned()),
            }),
            other => {
                let noun = other.noun();
                let message =
                    format!("\"{title}\" is {noun}; rows can be copied into tables made with CREATE TABLE alone");
                Err(Error::new(Fault::WrongObjectType, message))
            }
        }
    }
}

/// What bytes become.
struct Copying {
    client: Arc<Client>,
    scope: Arc<Scope>,
    name: QualifiedName,
    oid: u32,
    schema: SchemaRef,
    /// The plan of the rows that are wanted, where not all are.
    wanted: Option<Sealed<LogicalPlan>>,
}

impl Copying {
    /// Appends the rows of all bytes that are given, and returns the tag.
    async fn run(self, reader: Reader, given: Receiver<Given>) -> Result<String> {
        let rows = rows_of(reader, given);
        let files = match self.wanted {
            Some(plan) => {
                let plan = over(LogicalPlan::clone(&plan), rows)?;
                storage::write(&self.scope, plan, self.schema, self.oid).await?
            }
            None => storage::write_rows(&self.scope, rows, self.schema, self.oid).await?,
        };
        let count: u64 = files.iter().map(|file| file.rows).sum();
        self.client.apply(&self.scope, vec![Change::AppendFiles { table: self.name, files }]).await?;
        Ok(format!("COPY {count}"))
    }
}

/// The rows of the bytes that are given.
fn rows_of(reader: Reader, given: Receiver<Given>) -> SendableRecordBatchStream {
    let schema = Arc::clone(reader.schema());
    let batches = try_unfold((reader, given, false), |(mut reader, mut given, mut has_ended)| async move {
        loop {
            if let Some(batch) = reader.next_batch().map_err(DataFusionError::from)? {
                return Ok(Some((batch, (reader, given, has_ended))));
            }
            if has_ended {
                return Ok(None);
            }
            match given.recv().await {
                Some(Given::Bytes(bytes)) => reader.push(&bytes).map_err(DataFusionError::from)?,
                Some(Given::End) => {
                    reader.end();
                    has_ended = true;
                }
                Some(Given::Failed(why)) => return Err(DataFusionError::from(reader.given_up(&why))),
                None => return Err(DataFusionError::from(reader.given_up("what sends the bytes has gone"))),
            }
        }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}

/// Opens a file; `shown` is its path as it was written.
fn open(path: &Path, shown: &str) -> Result<File> {
    let failed = |error: io::Error| {
        let fault = if error.kind() == ErrorKind::NotFound { Fault::UndefinedFile } else { Fault::Io };
        Error::new(fault, format!("could not open file \"{shown}\" for reading: {error}"))
    };
    if path.is_dir() {
        return Err(Error::new(Fault::WrongObjectType, format!("\"{shown}\" is a directory")));
    }
    File::open(path).map_err(failed)
}

/// Gives the bytes of a file, on a thread that may wait.
async fn pour(mut file: File, feed: CopyFeed) {
    loop {
        let mut bytes = vec![0; FILE_BYTES];
        match file.read(&mut bytes) {
            Ok(0) => return feed.finish().await,
            Ok(length) => {
                bytes.truncate(length);
                if !feed.send(Bytes::from(bytes)).await {
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return feed.fail(format!("could not read the file: {error}")).await,
        }
    }
}
