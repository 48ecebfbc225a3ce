//! From the error of a running query to the file that caused it.
//!
//! Our own readers and the S3 stores put a typed error into what the query's stream yields, where it is found.
//! DataFusion's Parquet reader names no file, so the Parquet files of the plan are read again, one after another; where a value
//! could not be cast, only the columns that are cast, and where bytes are no text, each column alone.

use std::sync::Arc;

use arrow::{datatypes::DataType, error::ArrowError};
use datafusion::{
    common::DataFusionError,
    datasource::{
        listing::PartitionedFile,
        physical_plan::{
            FileScanConfig, FileScanConfigBuilder, ParquetSource,
            parquet::{DefaultParquetFileReaderFactory, metadata::DFParquetMetadata},
        },
        source::DataSourceExec,
    },
    execution::{TaskContext, runtime_env::RuntimeEnv},
    physical_expr::utils::collect_columns,
    physical_plan::{ExecutionPlan, execute_stream},
};
use futures::TryStreamExt;

use super::{
    Error,
    error::misfit,
    infer::{positions, type_name},
    location::object_name,
    lossless::is_converted,
    parquet::{Guarded, caught, unreadable},
};

/// The typed error behind a failed query, if a file or an object store is to blame.
pub async fn diagnose(
    plan: &Arc<dyn ExecutionPlan>,
    runtime: &Arc<RuntimeEnv>,
    error: &DataFusionError,
) -> Option<Error> {
    if let Some(found) = Error::find(error) {
        return Some(found);
    }
    let casts = is_cast(error);
    if !casts && !may_come_from_a_file(error) {
        return None;
    }
    let mut scans = Vec::new();
    collect(plan, &mut scans);
    for scan in scans {
        let found = if casts { first_unfit(&scan, runtime).await } else { first_broken(&scan, runtime).await };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Whether a value was not of the type that it had to be: a stored one of its column's, or one that the query casts.
fn is_cast(error: &DataFusionError) -> bool {
    // What fails in a filter that the reader evaluates is debugging text.
    if error.to_string().split_once(FILTER_FAILED).is_some_and(|(_, failed)| failed.contains("CastError(\"")) {
        return true;
    }
    let DataFusionError::ArrowError(error, _) = error.find_root() else { return false };
    matches!(error.as_ref(), ArrowError::CastError(_) | ArrowError::ParseError(_))
}

/// What the Parquet reader says when a filter that it evaluates fails; the error itself follows as debugging text.
pub(crate) const FILTER_FAILED: &str = "Error evaluating filter predicate: ";

/// Whether a reader may have failed. Scans compute expressions too: what those fail with is the query's fault, and
/// would come again from a whole file.
fn may_come_from_a_file(error: &DataFusionError) -> bool {
    if error.to_string().contains(FILTER_FAILED) {
        return false;
    }
    match error.find_root() {
        DataFusionError::ArrowError(error, _) => !matches!(
            error.as_ref(),
            ArrowError::DivideByZero
                | ArrowError::ArithmeticOverflow(_)
                | ArrowError::CastError(_)
                | ArrowError::ComputeError(_)
                | ArrowError::ParseError(_)
        ),
        DataFusionError::ParquetError(_)
        | DataFusionError::ObjectStore(_)
        | DataFusionError::IoError(_)
        | DataFusionError::External(_) => true,
        _ => false,
    }
}

/// The Parquet scans of a plan.
fn collect(plan: &Arc<dyn ExecutionPlan>, scans: &mut Vec<FileScanConfig>) {
    if let Some(scan) = plan.downcast_ref::<DataSourceExec>()
        && let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>()
        && config.file_source().is::<ParquetSource>()
    {
        scans.push(config.clone());
    }
    for child in plan.children() {
        collect(child, scans);
    }
}

/// The first file of a scan that cannot be read to its end.
async fn first_broken(scan: &FileScanConfig, runtime: &Arc<RuntimeEnv>) -> Option<Error> {
    for file in files(scan) {
        let name = object_name(&scan.object_store_url, file.path());
        let Err(error) = read(scan, file.clone(), None, runtime).await else { continue };
        let in_column = if is_no_text(&error) { first_no_text(scan, &file, runtime).await } else { None };
        return Some(in_column.unwrap_or_else(|| unreadable(&name, error)));
    }
    None
}

/// What is said of a column that should have text.
pub(super) const NO_UTF8: &str = "it has bytes that are not UTF-8";

/// Whether the reader found bytes that are no text where text should be.
fn is_no_text(error: &DataFusionError) -> bool {
    error.to_string().contains("non UTF-8")
}

/// The first column of a file that has bytes that are no text where text should be.
async fn first_no_text(scan: &FileScanConfig, file: &PartitionedFile, runtime: &Arc<RuntimeEnv>) -> Option<Error> {
    for Cast { position, column, found, expected } in casts(scan, file, runtime, |_, wanted| has_text(wanted)).await? {
        let Err(error) = read(scan, file.clone(), Some(position), runtime).await else { continue };
        if !is_no_text(&error) {
            continue;
        }
        let file = object_name(&scan.object_store_url, file.path());
        let misfit = format!(": {NO_UTF8}").into();
        return Some(Error::UnfitColumn { file, column, found, expected, misfit });
    }
    None
}

/// Whether there are texts in values of a type.
fn has_text(data_type: &DataType) -> bool {
    data_type.is_string() || data_type.is_nested()
}

/// The first column of a file that is stored as another type than the table's and has a value that is not of the table's.
async fn first_unfit(scan: &FileScanConfig, runtime: &Arc<RuntimeEnv>) -> Option<Error> {
    for file in files(scan) {
        let converted = casts(scan, &file, runtime, is_converted).await.unwrap_or_default();
        for Cast { position, column, found, expected } in converted {
            let Err(error) = read(scan, file.clone(), Some(position), runtime).await else { continue };
            let file = object_name(&scan.object_store_url, file.path());
            let misfit = match error.find_root() {
                DataFusionError::ArrowError(error, _) => misfit(&expected, error),
                _ => Box::default(),
            };
            return Some(Error::UnfitColumn { file, column, found, expected, misfit });
        }
    }
    None
}

/// A column that a scan reads: where it stands in the table, and its types in a file and in the table.
struct Cast {
    position: usize,
    column: String,
    found: String,
    expected: String,
}

/// The columns that a scan reads of a file and whose types, as stored and in the table, are asked for; none if it cannot be
/// told which they are.
async fn casts(
    scan: &FileScanConfig,
    file: &PartitionedFile,
    runtime: &Arc<RuntimeEnv>,
    is_asked: impl Fn(&DataType, &DataType) -> bool,
) -> Option<Vec<Cast>> {
    let schema = Arc::clone(scan.file_source.table_schema().file_schema());
    let store = runtime.object_store(&scan.object_store_url).ok()?;
    let stored = DFParquetMetadata::new(store.as_ref(), &file.object_meta).fetch_schema().await.ok()?;
    let names: Vec<_> = stored.fields().iter().map(|field| field.name().as_str()).collect();
    let places = positions(&schema, &names).ok()?;
    let mut casts = Vec::new();
    for (position, column) in schema.fields().iter().enumerate().filter(|(position, _)| is_read(scan, *position)) {
        let place = places.get(position).copied().flatten();
        let Some(found) = place.and_then(|place| stored.fields().get(place)) else { continue };
        if is_asked(found.data_type(), column.data_type()) {
            let (found, expected) = (type_name(found.data_type()), type_name(column.data_type()));
            casts.push(Cast { position, column: column.name().clone(), found, expected });
        }
    }
    Some(casts)
}

/// Whether a scan reads a column: what it does not read is not to blame.
fn is_read(scan: &FileScanConfig, position: usize) -> bool {
    let source = scan.file_source();
    let projected = source.projection().map(|projection| projection.column_indices());
    let filtered = source.filter().map(|filter| collect_columns(&filter));
    let is_filtered = filtered.is_some_and(|columns| columns.iter().any(|column| column.index() == position));
    is_filtered || projected.is_none_or(|columns| columns.contains(&position))
}

/// The files of a scan, each once and whole.
fn files(scan: &FileScanConfig) -> Vec<PartitionedFile> {
    let mut files: Vec<_> = scan.file_groups.iter().flat_map(|group| group.iter().cloned()).collect();
    files.sort_by(|left, right| left.path().cmp(right.path()));
    files.dedup_by(|left, right| left.path() == right.path());
    for file in &mut files {
        file.range = None;
    }
    files
}

/// Reads a file's columns, or one of them, as they are: what the query computes of them may fail by its own fault.
async fn read(
    scan: &FileScanConfig,
    file: PartitionedFile,
    column: Option<usize>,
    runtime: &Arc<RuntimeEnv>,
) -> Result<(), DataFusionError> {
    let store = runtime.object_store(&scan.object_store_url)?;
    let table = Arc::clone(scan.file_source.table_schema().file_schema());
    let readers = Guarded::new(Arc::new(DefaultParquetFileReaderFactory::new(store)), table);
    let columns = ParquetSource::new(scan.file_source.table_schema().clone());
    let columns = Arc::new(columns.with_parquet_file_reader_factory(Arc::new(readers)));
    let single = FileScanConfigBuilder::new(scan.object_store_url.clone(), columns)
        .with_file_groups(vec![vec![file].into()])
        .with_expr_adapter(scan.expr_adapter_factory.clone())
        .with_projection_indices(column.map(|column| vec![column]))?
        .build();
    let context = Arc::new(TaskContext::default().with_runtime(Arc::clone(runtime)));
    let stream = execute_stream(DataSourceExec::from_data_source(single), context)?;
    caught(stream.try_for_each(|_| std::future::ready(Ok(()))), |error| error).await
}
