//! Managed tables: rows as Parquet files under the data directory.

mod cache;
mod form;
mod index;
mod lookup;

use std::{
    collections::HashMap,
    fs::File,
    sync::{Arc, Weak},
};

use arrow::{
    array::RecordBatch,
    compute::{CastOptions, cast_with_options},
    datatypes::{DataType, Field, FieldRef, Schema, SchemaRef},
    util::display::FormatOptions,
};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    common::{DataFusionError, runtime::JoinSet},
    datasource::{
        TableType,
        empty::EmptyTable,
        file_format::parquet::ParquetFormat,
        listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl},
        source_as_provider,
    },
    execution::SendableRecordBatchStream,
    logical_expr::{Expr, LogicalPlan, TableProviderFilterPushDown, TableSource},
    parquet::{
        arrow::ArrowWriter,
        basic::Compression,
        file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder},
        schema::types::ColumnPath,
    },
    physical_plan::{ExecutionPlan, execute_stream_partitioned},
};
use futures::StreamExt;

use crate::{
    Error, Fault, Result,
    catalog::{self, DataDirectory, Definition, List, ManagedTable, NewTableFile, Object, QualifiedName, TableFile},
    pgtype::{only_told, told},
    planning,
};

pub(crate) use self::{cache::Lookups, lookup::PointRead};
use super::{Scope, caught, explain_failure};

/// The schema that rows of a query are stored with: no metadata but what tells types, and no column without a type.
pub(crate) fn stored_schema(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let data_type = match field.data_type() {
            // A column of nothing but NULL becomes text, as in PostgreSQL.
            DataType::Null => DataType::Utf8View,
            DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
            DataType::Dictionary(_, value) => value.as_ref().clone(),
            other => other.clone(),
        };
        // No column has the type of what has no value.
        let is_type = told(field).is_some_and(|told| told.pg.category != 'P');
        let metadata = if is_type { only_told(field) } else { HashMap::new() };
        Field::new(field.name(), data_type, true).with_metadata(metadata)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The columns of a table as its files have them.
pub(super) fn file_schema(schema: &Schema) -> SchemaRef {
    form::stored(schema)
}

/// NewFiles files that no change has taken over yet; dropping it removes them.
struct NewFiles {
    directory: Arc<DataDirectory>,
    files: Vec<TableFile>,
}

impl NewFiles {
    fn keep(mut self) -> Vec<TableFile> {
        std::mem::take(&mut self.files)
    }
}

impl Drop for NewFiles {
    fn drop(&mut self) {
        self.directory.discard(&self.files);
    }
}

/// Runs a query and writes its rows into new, sealed files of the table with this identifier: a file a partition, so
/// that partitions are encoded side by side. Stopped or failed, it leaves no file.
pub(crate) async fn write(
    scope: &Arc<Scope>,
    query: LogicalPlan,
    schema: SchemaRef,
    oid: u32,
) -> Result<Vec<TableFile>> {
    let (plan, task) = scope.physical(query).await?;
    let streams = execute_stream_partitioned(Arc::clone(&plan), task)?;
    let mut writers = JoinSet::new();
    for (partition, stream) in streams.into_iter().enumerate() {
        let (scope, schema) = (Arc::clone(scope), Arc::clone(&schema));
        writers.spawn(async move { (partition, caught(write_partition(&scope, stream, schema, oid)).await) });
    }
    let mut sealed: Vec<(usize, NewFiles)> = Vec::new();
    let mut failed = None;
    // Every writer is waited for even after one has failed, so that what the others sealed is removed.
    while let Some(joined) = writers.join_next().await {
        match joined {
            Ok((partition, Ok(Some(file)))) => sealed.push((partition, file)),
            Ok((_, Ok(None))) => {}
            Ok((_, Err(error))) => failed = failed.or(Some(error)),
            // Those that are stopped because another has failed.
            Err(error) if error.is_cancelled() && failed.is_some() => {}
            Err(error) => {
                let message = format!("writing a table was interrupted: {error}");
                failed = Some(DataFusionError::from(Error::new(Fault::Internal, message)));
            }
        }
        if failed.is_some() {
            writers.abort_all();
        }
    }
    sealed.sort_by_key(|(partition, _)| *partition);
    match failed {
        None => Ok(sealed.into_iter().flat_map(|(_, sealed)| sealed.keep()).collect()),
        Some(error) => {
            drop(sealed);
            Err(explain_failure(&plan, &scope.shared().runtime, error).await)
        }
    }
}

/// Writes rows that come from elsewhere into a new, sealed file of the table, which is none where there are none. Stopped or
/// failed, it leaves no file.
pub(crate) async fn write_rows(
    scope: &Arc<Scope>,
    rows: SendableRecordBatchStream,
    schema: SchemaRef,
    oid: u32,
) -> Result<Vec<TableFile>> {
    let written = caught(write_partition(scope, rows, schema, oid)).await?;
    Ok(written.map(NewFiles::keep).unwrap_or_default())
}

async fn write_partition(
    scope: &Arc<Scope>,
    mut stream: SendableRecordBatchStream,
    schema: SchemaRef,
    oid: u32,
) -> std::result::Result<Option<NewFiles>, DataFusionError> {
    let directory = Arc::clone(scope.shared().catalog.directory());
    let stored = form::stored(&schema);
    let mut open: Option<(NewTableFile, ArrowWriter<File>)> = None;
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        let batch = form::as_stored(conform(&batch?, &schema)?, &stored)?;
        if batch.num_rows() == 0 {
            continue;
        }
        rows += batch.num_rows() as u64;
        if open.is_none() {
            let place = Arc::clone(&directory);
            let file = blocking(move || place.new_table_file(oid)).await?;
            let output = File::options().write(true).open(file.path())?;
            let properties = writer_properties(&stored);
            let writer = ArrowWriter::try_new(output, Arc::clone(&stored), Some(properties))?;
            open = Some((file, writer));
        }
        if let Some((_, writer)) = &mut open {
            writer.write(&batch)?;
        }
        tokio::task::consume_budget().await;
    }
    let Some((file, writer)) = open else { return Ok(None) };
    writer.close()?;
    // Whoever stops waiting for it has it removed when it is done.
    let seal = move || directory.seal(file, rows).map(|file| NewFiles { directory, files: vec![file] });
    Ok(Some(blocking(seal).await?))
}

/// What reaches the disk or hashes a file, on a thread that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> catalog::Result<T> + Send + 'static,
) -> Result<T, DataFusionError> {
    let done = tokio::task::spawn_blocking(work).await;
    let interrupted = |error: tokio::task::JoinError| {
        Error::new(Fault::Internal, format!("writing a table was interrupted: {error}"))
    };
    Ok(done.map_err(interrupted)?.map_err(Error::from)?)
}

/// Least and greatest values of floating point columns are not kept: Parquet's leave NaN out, and readers that prune by
/// them would lose its rows.
pub(super) fn writer_properties(schema: &Schema) -> WriterProperties {
    let floats = schema.fields().iter().filter(|field| field.data_type().is_floating());
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
    let without = |properties: WriterPropertiesBuilder, field: &FieldRef| {
        properties.set_column_statistics_enabled(ColumnPath::from(vec![field.name().clone()]), EnabledStatistics::None)
    };
    floats.fold(properties, without).build()
}

const STRICT: CastOptions<'static> = CastOptions { safe: false, format_options: FormatOptions::new() };

/// The batch with the table's columns by position, cast where a query's type differs in form only.
pub(super) fn conform(batch: &RecordBatch, schema: &SchemaRef) -> std::result::Result<RecordBatch, DataFusionError> {
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| match column.data_type() == field.data_type() {
            true => Ok(Arc::clone(column)),
            // A value that the table cannot hold is an error, never NULL.
            false => cast_with_options(column, field.data_type(), &STRICT),
        })
        .collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// The table as the planner reads it. Its files are looked at when they are to be read, so that what only names the table, as
/// an INSERT does, costs the same however many it has.
pub(crate) fn open(
    scope: &Scope,
    name: &QualifiedName,
    object: &Arc<Object>,
    table: &ManagedTable,
) -> Arc<dyn TableProvider> {
    let schema = Arc::new(table.schema.clone());
    if table.files.is_empty() {
        return Arc::new(EmptyTable::new(schema));
    }
    let directory = Arc::clone(scope.shared().catalog.directory());
    let lookups = Arc::clone(&scope.shared().lookups);
    Arc::new(StoredTable { name: name.clone(), schema, object: Arc::downgrade(object), directory, lookups })
}

/// Whether a source is a managed table, whose rows are those of its definition.
pub(crate) fn is_managed(source: &Arc<dyn TableSource>) -> bool {
    source_as_provider(source).is_ok_and(|table| {
        table.downcast_ref::<StoredTable>().is_some() || table.downcast_ref::<EmptyTable>().is_some()
    })
}

/// The files of a managed table, read with the filters of the statement.
#[derive(Debug)]
struct StoredTable {
    name: QualifiedName,
    /// The table's columns; those of the files are how they are stored.
    schema: SchemaRef,
    /// Whoever reads it holds a snapshot that has it. A plan that is kept does not: it would keep lists of files that are gone.
    object: Weak<Object>,
    directory: Arc<DataDirectory>,
    /// What is kept of its files for lookups by key.
    lookups: Arc<Lookups>,
}

impl StoredTable {
    fn files(&self) -> Result<List<TableFile>> {
        match self.object.upgrade().as_deref().map(|object| &object.definition) {
            Some(Definition::ManagedTable(table)) => Ok(table.files.clone()),
            _ => Err(Error::new(Fault::Internal, format!("the table {} is read without its snapshot", self.name))),
        }
    }

    /// The files, after they were found to be what was sealed.
    async fn checked(&self) -> Result<ListingTable, DataFusionError> {
        let (directory, files) = (Arc::clone(&self.directory), self.files()?);
        let check = move || files.iter().map(|file| directory.verify(file)).collect::<Result<Vec<_>, _>>();
        let interrupted = |error: tokio::task::JoinError| {
            Error::new(Fault::Internal, format!("checking the table {} was interrupted: {error}", self.name))
        };
        let paths = tokio::task::spawn_blocking(check).await.map_err(interrupted)?.map_err(Error::from)?;
        let urls = paths
            .iter()
            .map(|path| {
                let url = url::Url::from_file_path(path)
                    .map_err(|()| Error::new(Fault::Internal, format!("{} is not an absolute path", path.display())))?;
                ListingTableUrl::try_new(url, None)
            })
            .collect::<Result<Vec<_>, DataFusionError>>()?;
        let options = ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension("");
        let config = ListingTableConfig::new_with_multi_paths(urls)
            .with_listing_options(options)
            .with_schema(form::stored(&self.schema));
        ListingTable::try_new(config)
    }
}

#[async_trait]
impl TableProvider for StoredTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> std::result::Result<Vec<TableProviderFilterPushDown>, DataFusionError> {
        let is_converted =
            |name: &str| self.schema.field_with_name(name).is_ok_and(|field| form::is_converted(field.data_type()));
        let taken = |filter: &&Expr| match filter.column_refs().iter().any(|column| is_converted(&column.name)) {
            true => TableProviderFilterPushDown::Unsupported,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(taken).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> std::result::Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let scan = self.checked().await?.scan(session, projection, filters, limit).await?;
        form::as_declared(session, planning::filter_scan(session, scan, filters)?, &self.schema)
    }
}
