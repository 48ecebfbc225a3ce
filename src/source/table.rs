//! A table over files: lists them at each scan, leaves out partitions that a filter excludes, and plans the read.

use std::sync::Arc;

use arrow::{
    array::{Array, AsArray, RecordBatch},
    datatypes::{Field, Schema, SchemaRef},
};
use async_trait::async_trait;
use datafusion::{
    catalog::{Session, TableProvider},
    common::{
        ColumnStatistics, DFSchema, DataFusionError, Result, ScalarValue, Statistics, stats::Precision,
        tree_node::TreeNode,
    },
    datasource::{
        TableType,
        listing::PartitionedFile,
        physical_plan::{FileGroup, FileScanConfigBuilder},
        table_schema::TableSchema,
    },
    logical_expr::{Expr, TableProviderFilterPushDown},
    physical_plan::{ExecutionPlan, empty::EmptyExec},
};
use futures::{StreamExt, TryStreamExt};

use super::{
    Access, Error, Format, Key, Options, Stores,
    files::{GUESSED_KEYS, MAY_BE_EMPTY, ONLY_FILE, TOLD_BY, list},
    format_named,
    forms::GUESSED,
    infer,
    location::{self, FoundFile, Listing, Location},
    looks, options,
    text::TextSource,
};
use crate::{catalog::ExternalTable, planning};

/// How many files' statistics are read at once.
const STATISTICS_AT_ONCE: usize = 16;

/// A table over the files of a definition, as one statement sees it.
#[derive(Debug)]
pub(super) struct FileTable {
    definition: ExternalTable,
    format: &'static dyn Format,
    locations: Vec<Location>,
    file_schema: SchemaRef,
    schema: SchemaRef,
    stores: Stores,
    access: Access,
}

impl FileTable {
    pub(super) fn new(definition: &ExternalTable, stores: &Stores, access: &Access) -> Result<Self, Error> {
        let locations = definition.locations.iter().map(|text| Location::parse(text)).collect::<Result<Vec<_>, _>>()?;
        for location in &locations {
            access.check_location(location)?;
        }
        Ok(Self {
            format: format_named(&definition.format)?,
            locations,
            file_schema: Arc::new(definition.schema.clone()),
            schema: Arc::new(definition.table_schema()),
            definition: definition.clone(),
            stores: stores.clone(),
            access: access.clone(),
        })
    }

    /// The files that the partition filters leave.
    fn pruned(
        &self,
        session: &dyn Session,
        files: Vec<FoundFile>,
        filters: &[Expr],
    ) -> Result<Vec<(FoundFile, Vec<ScalarValue>)>> {
        let columns = &self.definition.partition_columns;
        let mut valued = Vec::with_capacity(files.len());
        for file in files {
            let values = infer::partition_values(&file, columns)?;
            valued.push((file, values));
        }
        // A condition that became a constant after it was taken over is asked by nothing above any more.
        let filters: Vec<_> = filters.iter().filter(|filter| on_keys(filter, columns)).collect();
        if filters.is_empty() || valued.is_empty() {
            return Ok(valued);
        }
        let mut arrays = Vec::with_capacity(columns.len());
        for position in 0..columns.len() {
            let values = valued.iter().filter_map(|(_, values)| values.get(position).cloned());
            arrays.push(ScalarValue::iter_to_array(values)?);
        }
        let schema = Arc::new(Schema::new(columns.clone()));
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
        let names = DFSchema::try_from(schema)?;
        let mut kept = vec![true; valued.len()];
        for filter in filters {
            let filter = session.create_physical_expr(filter.clone(), &names)?;
            let passed = filter.evaluate(&batch)?.into_array(batch.num_rows())?;
            // A NULL may be of no type.
            let passed = passed.as_boolean_opt();
            for (row, kept) in kept.iter_mut().enumerate() {
                *kept &= passed.is_some_and(|passed| passed.is_valid(row) && passed.value(row));
            }
        }
        Ok(valued.into_iter().zip(kept).filter_map(|(file, kept)| kept.then_some(file)).collect())
    }

    /// Of a format without statistics the size is known: joins put the smaller table into memory.
    fn size_alone(&self, size: u64) -> Statistics {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        Statistics { total_byte_size: Precision::Inexact(size), ..Statistics::new_unknown(&self.file_schema) }
    }

    async fn with_statistics(
        &self,
        session: &dyn Session,
        listing: &Listing,
        options: &Options,
        files: Vec<(FoundFile, Vec<ScalarValue>)>,
    ) -> Result<(Vec<PartitionedFile>, Statistics)> {
        let read = futures::stream::iter(files).map(|(file, values)| async move {
            let keys = Key::all(options, &self.definition.partition_columns, &values);
            let found = self
                .format
                .statistics(session, &listing.store, options, &self.file_schema, (&file.meta, &file.name), &keys)
                .await?
                .unwrap_or_else(|| self.size_alone(file.meta.size));
            let rows = found.num_rows;
            let nulls: Vec<bool> = values.iter().map(ScalarValue::is_null).collect();
            let file = PartitionedFile::new_from_meta(file.meta).with_partition_values(values);
            let mut file = file.with_statistics(Arc::new(found));
            if let Some(statistics) = file.statistics.as_mut().filter(|_| nulls.contains(&true)) {
                // The engine takes no key for NULL.
                let columns = &mut Arc::make_mut(statistics).column_statistics;
                let first = columns.len() - nulls.len();
                for (column, _) in columns[first..].iter_mut().zip(nulls).filter(|(_, is_null)| *is_null) {
                    *column = ColumnStatistics { null_count: rows, ..ColumnStatistics::new_unknown() };
                }
            }
            Ok::<_, DataFusionError>(file)
        });
        let files: Vec<PartitionedFile> = read.buffered(STATISTICS_AT_ONCE).try_collect().await?;
        let all = files.iter().filter_map(|file| file.statistics.as_deref());
        let statistics = Statistics::try_merge_iter(all, &self.schema)?;
        Ok((files, statistics))
    }
}

#[async_trait]
impl TableProvider for FileTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let columns = &self.definition.partition_columns;
        let exact = |filter: &&Expr| {
            if on_partitions(filter, columns) {
                TableProviderFilterPushDown::Exact
            } else {
                TableProviderFilterPushDown::Inexact
            }
        };
        Ok(filters.iter().map(exact).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let may_be_empty = self.definition.options.contains_key(MAY_BE_EMPTY);
        let (_, mut listing) =
            list(&self.locations, Some(self.format), &self.stores, &self.access, may_be_empty).await?;
        let mut options = self.definition.options.clone();
        if options.remove(TOLD_BY).is_some_and(|told| looks::fingerprint(&listing.files) == Some(told)) {
            options.remove(GUESSED);
            options.remove(GUESSED_KEYS);
        }
        if let Some(keys) = options.remove(GUESSED_KEYS) {
            infer::check_keys(&listing.files, &self.definition.partition_columns, &keys)?;
        }
        if listing.files.len() == 1 {
            options.insert(ONLY_FILE.to_owned(), true.to_string());
        }
        options::name_files(&mut listing.files, options::file_column(&options)?)?;
        let files = self.pruned(session, std::mem::take(&mut listing.files), filters)?;
        if files.is_empty() {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let decided = |filter: &&Expr| on_partitions(filter, &self.definition.partition_columns);
        let undecided: Vec<Expr> = filters.iter().filter(|filter| !decided(filter)).cloned().collect();
        let (files, statistics) = self.with_statistics(session, &listing, &options, files).await?;
        let partitions: Vec<Arc<Field>> = self.definition.partition_columns.iter().cloned().map(Arc::new).collect();
        let schema = TableSchema::builder(Arc::clone(&self.file_schema)).with_table_partition_cols(partitions);
        let place = location::object_name(&listing.url, &object_store::path::Path::default());
        let mut source = self.format.file_source(&options, schema.build(), &place)?;
        if let Some(text) = source.downcast_ref::<TextSource>() {
            source = Arc::new(text.with_rejects(self.stores.rejects()));
        }
        let config = FileScanConfigBuilder::new(listing.url.clone(), source)
            .with_file_groups(FileGroup::new(files).split_files(session.config().target_partitions()))
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        planning::filter_scan(session, self.format.plan(session, &options, config).await?, &undecided)
    }
}

/// Whether a filter is taken over from whoever asks it: the directories' names alone decide it.
fn on_partitions(filter: &Expr, columns: &[Field]) -> bool {
    !filter.column_refs().is_empty() && on_keys(filter, columns)
}

/// Whether a filter can be decided from the directories' names, or without them.
fn on_keys(filter: &Expr, columns: &[Field]) -> bool {
    if filter.is_volatile() || columns.is_empty() {
        return false;
    }
    // What may fail waits for what keeps rows from it.
    let keys = DFSchema::try_from(Schema::new(columns.to_vec()));
    if keys.is_err() || keys.is_ok_and(|keys| planning::can_fail(filter, &keys)) {
        return false;
    }
    // A calculation may leave its type, which an operator above the scan notices.
    let foreign = |expr: &Expr| match expr {
        Expr::Negative(_) => Ok(true),
        Expr::BinaryExpr(operation) if operation.op.is_numerical_operators() => Ok(true),
        Expr::Column(column) => Ok(!columns.iter().any(|field| *field.name() == column.name)),
        Expr::OuterReferenceColumn(..)
        | Expr::ScalarSubquery(_)
        | Expr::InSubquery(_)
        | Expr::Exists(_)
        | Expr::Placeholder(_) => Ok(true),
        _ => Ok(false),
    };
    !filter.exists(foreign).unwrap_or(true)
}
