//! What a training hands to its statement: a version that has no number yet, in one row of the table that `train` returns.
//!
//! It is a row like any other, so that it comes from another process as it comes from this one.

use arrow::{
    array::{AsArray, RecordBatch},
    datatypes::DataType,
};

use crate::{
    error::{Error, Result},
    models::{MetricRow, NewVersion},
    table::metrics,
};

/// The column that holds the version; in the rows of a finished statement it has a metric's name.
const COLUMN: &str = "metric";

/// The row that a training ends with.
pub(super) fn row(version: &NewVersion) -> Result<RecordBatch> {
    let text = serde_json::to_string(version)
        .map_err(|error| Error::Internal(format!("the model {} cannot be handed over: {error}", version.name)))?;
    let row =
        MetricRow { split: String::new(), slice: String::new(), metric: text, value: None, baseline: None, rows: 0 };
    metrics::batch(&version.name, 0, &[row])
}

/// The version in the row of a training that was run by itself.
///
/// # Errors
/// [`Error::Internal`] where these are not the rows of a training.
pub fn trained(rows: &[RecordBatch]) -> Result<NewVersion> {
    let wrong = |problem: String| Error::Internal(format!("a training ended without its model: {problem}"));
    let mut found = rows.iter().filter(|batch| batch.num_rows() > 0);
    let (Some(batch), None) = (found.next(), found.next()) else {
        return Err(wrong("expected one batch of rows".into()));
    };
    let column = batch.column_by_name(COLUMN).filter(|column| *column.data_type() == DataType::Utf8);
    let Some(column) = column.filter(|column| column.len() == 1) else {
        return Err(wrong(format!("expected one row with a text {COLUMN}")));
    };
    serde_json::from_str(column.as_string::<i32>().value(0)).map_err(|error| wrong(error.to_string()))
}

/// What `train` returns of a version that was published under this number: its metrics.
///
/// # Errors
/// [`Error::Internal`] where they make no table.
pub fn rows(version: &NewVersion, number: u64) -> Result<RecordBatch> {
    metrics::batch(&version.name, number, &version.metrics)
}
