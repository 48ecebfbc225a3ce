//! From the error of a running query to the file that caused it.
//!
//! Our own readers and the S3 stores put a typed error into what the query's stream yields, where it is found.
//! DataFusion's Parquet reader names no file, so the Parquet files of the plan are read again, one after another.

use std::sync::Arc;

use arrow::error::ArrowError;
use datafusion::{
    common::DataFusionError,
    datasource::{
        physical_plan::{FileScanConfig, ParquetSource},
        source::DataSourceExec,
    },
    execution::{TaskContext, runtime_env::RuntimeEnv},
    physical_plan::{ExecutionPlan, execute_stream},
};
use futures::TryStreamExt;

use super::{Error, location::object_name, parquet::unreadable};

/// The typed error behind a failed query, if a file or an object store is to blame.
pub async fn diagnose(
    plan: &Arc<dyn ExecutionPlan>,
    runtime: &Arc<RuntimeEnv>,
    error: &DataFusionError,
) -> Option<Error> {
    if let Some(found) = Error::find(error) {
        return Some(found);
    }
    if !may_come_from_a_file(error) {
        return None;
    }
    let mut scans = Vec::new();
    collect(plan, &mut scans);
    for scan in scans {
        if let Some(found) = first_broken(&scan, runtime).await {
            return Some(found);
        }
    }
    None
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
    let mut files: Vec<_> = scan.file_groups.iter().flat_map(|group| group.iter().cloned()).collect();
    files.sort_by(|left, right| left.path().cmp(right.path()));
    files.dedup_by(|left, right| left.path() == right.path());
    for mut file in files {
        file.range = None;
        let name = object_name(&scan.object_store_url, file.path());
        let mut single = scan.clone();
        single.file_groups = vec![vec![file].into()];
        let context = Arc::new(TaskContext::default().with_runtime(Arc::clone(runtime)));
        let read = match execute_stream(DataSourceExec::from_data_source(single), context) {
            Ok(stream) => stream.try_for_each(|_| std::future::ready(Ok(()))).await,
            Err(error) => Err(error),
        };
        if let Err(error) = read {
            return Some(unreadable(&name, error));
        }
    }
    None
}
