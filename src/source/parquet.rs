//! Parquet files, through DataFusion's reader, with filters evaluated while decoding and statistics read at planning.

mod columns;
mod guard;
mod write;

use std::{panic::AssertUnwindSafe, sync::Arc};

use arrow::datatypes::{DataType, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::{
    catalog::Session,
    common::{ColumnStatistics, DataFusionError, Statistics, config::TableParquetOptions},
    datasource::{
        file_format::{FileFormat, FileFormatFactory, parquet::ParquetFormat},
        physical_plan::{
            FileScanConfig, FileScanConfigBuilder, FileSource, ParquetSource, parquet::metadata::DFParquetMetadata,
        },
        source::DataSourceExec,
        table_schema::TableSchema,
    },
    physical_plan::ExecutionPlan,
};
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore};

use super::{
    Error, Format, FoundFile, Inferred, Key, Options, Sample, binary,
    bytes::compression_of,
    forms::Guessed,
    infer,
    keys::with_keys,
    lossless::Lossless,
    options::{self, Refused},
};
pub(super) use guard::Guarded;

/// `STORED AS PARQUET`.
#[derive(Debug)]
pub(super) struct Parquet;

impl Parquet {
    fn reader(&self) -> ParquetFormat {
        let mut options = TableParquetOptions::default();
        options.global.pushdown_filters = true;
        options.global.reorder_filters = true;
        ParquetFormat::new().with_options(options)
    }
}

#[async_trait]
impl Format for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn endings(&self) -> &'static [&'static str] {
        &["parquet", "pq"]
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        &[options::UNKNOWN_COLUMNS, options::MISSING_COLUMNS, options::FILENAME]
    }

    async fn infer(&self, sample: Sample<'_>, mut options: Options) -> Result<Inferred, Error> {
        options::settle_unknown(&mut options, sample.declared.is_some());
        let files = sample
            .files
            .iter()
            .map(|file| caught(read_schema(sample.session, sample.store, file), |error| unreadable(&file.name, error)));
        let files: Vec<_> = files.collect();
        let found: Vec<Schema> = futures::stream::iter(files).buffered(FILES_AT_ONCE).try_collect().await?;
        let found = sample.files.iter().zip(found);
        let files: Vec<_> = found.map(|(file, schema)| (file.name.clone(), schema.fields().to_vec())).collect();
        let (columns, told) = binary::together(&files);
        let columns = columns.iter().map(|column| infer::unmarked(column).with_metadata(Default::default()));
        let columns: Vec<_> = columns.collect();
        Ok(Inferred { options, schema: Schema::new(columns), told, doubts: Vec::new() })
    }

    fn writers(&self) -> Option<Arc<dyn FileFormatFactory>> {
        Some(Arc::new(write::Files))
    }

    fn compressed(&self) -> Option<&'static str> {
        Some("columns")
    }

    fn file_source(&self, _: &Options, schema: TableSchema, _: &str) -> Result<Arc<dyn FileSource>, Error> {
        Ok(self.reader().file_source(schema))
    }

    async fn statistics(
        &self,
        session: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        options: &Options,
        schema: &SchemaRef,
        (meta, name): (&ObjectMeta, &str),
        keys: &[Key],
    ) -> Result<Option<Statistics>, Error> {
        let found = self.reader().infer_stats(session, store, Arc::clone(schema), meta).await;
        let found = found.map_err(|error| unreadable(name, error))?;
        let stored = cached(session, store, meta).fetch_schema().await.map_err(|error| unreadable(name, error))?;
        let names: Vec<_> = stored.fields().iter().map(|field| field.name().as_str()).collect();
        let (refused, width) = (Refused::parse(options)?, schema.fields().len());
        let places = binary::found_columns(&with_keys(schema, keys), width, &names, refused, name)?;
        for (key, place) in keys.iter().zip(places.iter().skip(schema.fields().len())) {
            let Some(own) = place.and_then(|place| stored.fields().get(place)) else { continue };
            let own = Arc::new(Schema::new(vec![Arc::clone(own)]));
            let told = self.reader().infer_stats(session, store, own, meta).await;
            let told = told.map_err(|error| unreadable(name, error))?;
            let column = told.column_statistics.first().cloned().unwrap_or_default();
            key.check_statistics(&column, &told.num_rows, name)?;
        }
        Ok(Some(without_others(without_doubtful(found, schema), schema, &stored, &places)))
    }

    async fn plan(
        &self,
        session: &dyn Session,
        options: &Options,
        config: FileScanConfig,
    ) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
        let adapter = Arc::new(Lossless { guessed: Guessed::parse(options) });
        let config = FileScanConfigBuilder::from(config).with_expr_adapter(Some(adapter)).build();
        Ok(guarded(self.reader().create_physical_plan(session, config).await?))
    }
}

/// A scan whose readers see the metadata of files mended.
fn guarded(plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    let scan = plan.downcast_ref::<DataSourceExec>();
    let config = scan.and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>());
    let source = config.and_then(|config| config.file_source().downcast_ref::<ParquetSource>());
    let readers = source.and_then(|source| source.parquet_file_reader_factory());
    let (Some(config), Some(source), Some(readers)) = (config, source, readers) else { return plan };
    let table = Arc::clone(config.file_source().table_schema().file_schema());
    let guarded = Arc::new(Guarded::new(Arc::clone(readers), table));
    let source = source.clone().with_parquet_file_reader_factory(guarded);
    let config = FileScanConfigBuilder::from(config.clone()).with_source(Arc::new(source)).build();
    DataSourceExec::from_data_source(config)
}

/// How many files' metadata is read at once.
const FILES_AT_ONCE: usize = 16;

/// A file's metadata, read once.
fn cached<'a>(session: &dyn Session, store: &'a Arc<dyn ObjectStore>, meta: &'a ObjectMeta) -> DFParquetMetadata<'a> {
    let cache = session.runtime_env().cache_manager.get_file_metadata_cache();
    DFParquetMetadata::new(store.as_ref(), meta).with_file_metadata_cache(Some(cache))
}

/// What is read of a file, of which the reader trusts too much: a panic is an error that `damaged` tells.
pub(super) async fn caught<T, E>(
    read: impl Future<Output = Result<T, E>>,
    damaged: impl FnOnce(DataFusionError) -> E,
) -> Result<T, E> {
    let reason = || DataFusionError::Execution("its parts contradict one another".to_owned());
    AssertUnwindSafe(read).catch_unwind().await.unwrap_or_else(|_| Err(damaged(reason())))
}

/// The columns of a file, as a table would have them.
async fn read_schema(session: &dyn Session, store: &Arc<dyn ObjectStore>, file: &FoundFile) -> Result<Schema, Error> {
    let metadata = cached(session, store, &file.meta);
    let schema = match metadata.fetch_schema().await {
        Ok(schema) => schema,
        Err(error) => return Err(refused(store, file, error).await),
    };
    let failed = |error| unreadable(&file.name, error);
    let metadata = metadata.fetch_metadata().await.map_err(failed)?;
    binary::check(&schema).map_err(|error| failed(error.into()))?;
    Ok(Schema::new(columns::columns(&schema, &metadata)))
}

/// The error of a file whose columns cannot be told. One that is compressed as a whole has none that could be read in its midst.
async fn refused(store: &Arc<dyn ObjectStore>, file: &FoundFile, error: DataFusionError) -> Error {
    let Some(compression) = compression_of(store, &file.meta).await else { return unreadable(&file.name, error) };
    Error::Unreadable {
        file: file.name.clone(),
        format: "Parquet".to_owned(),
        reason: format!(
            "it is compressed as a whole, by {compression}; unpack it, as Parquet compresses its columns itself"
        ),
        source: Arc::new(error),
    }
}

/// Parquet's least and greatest values leave NaN out, so those of floating point columns are not what the rows hold: a column
/// of one number and NaN would be taken for a constant. Those of times of day may be no times: they are checked when read.
fn without_doubtful(mut found: Statistics, schema: &SchemaRef) -> Statistics {
    for (column, field) in found.column_statistics.iter_mut().zip(schema.fields()) {
        if field.data_type().is_floating() || matches!(field.data_type(), DataType::Time32(_) | DataType::Time64(_)) {
            *column = ColumnStatistics { null_count: column.null_count, ..ColumnStatistics::new_unknown() };
        }
    }
    found
}

/// What is known of a column that is stored as another type is not known of the table's, and nothing of one whose name is
/// the same but for case: it was taken for absent.
fn without_others(mut found: Statistics, schema: &SchemaRef, stored: &Schema, places: &[Option<usize>]) -> Statistics {
    for ((column, field), place) in found.column_statistics.iter_mut().zip(schema.fields()).zip(places) {
        let Some(own) = place.and_then(|place| stored.fields().get(place)) else { continue };
        if own.name() != field.name() {
            *column = ColumnStatistics::new_unknown();
            continue;
        }
        let same = |stored: &DataType| {
            let (wanted, text) = (field.data_type(), stored.is_string() && field.data_type().is_string());
            stored == wanted || text || (matches!(stored, DataType::Binary) && matches!(wanted, DataType::BinaryView))
        };
        if !same(own.data_type()) {
            *column = ColumnStatistics { null_count: column.null_count, ..ColumnStatistics::new_unknown() };
        }
    }
    found
}

/// The typed error of a file that the reader gave up on.
pub(super) fn unreadable(file: &str, error: DataFusionError) -> Error {
    Error::unreadable("Parquet", file, error)
}
