//! The table of metrics that `train` and `evaluate` return.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema, SchemaRef},
};

use datafusion::{
    catalog::MemTable,
    common::Result as QueryResult,
    datasource::provider_as_source,
    logical_expr::{LogicalPlan, LogicalPlanBuilder},
};

use crate::{
    error::{Error, Result},
    models::MetricRow,
};

/// The columns of the table.
pub const RETURNS: &str = "model text, version bigint, split text, slice text, metric text, value double precision, \
                           baseline double precision, rows bigint";

/// The schema of the table.
pub fn schema() -> SchemaRef {
    let field = |name: &str, data_type: DataType, nullable: bool| Field::new(name, data_type, nullable);
    Arc::new(Schema::new(vec![
        field("model", DataType::Utf8, false),
        field("version", DataType::Int64, false),
        field("split", DataType::Utf8, false),
        field("slice", DataType::Utf8, false),
        field("metric", DataType::Utf8, false),
        field("value", DataType::Float64, true),
        field("baseline", DataType::Float64, true),
        field("rows", DataType::Int64, false),
    ]))
}

/// The metrics of one version as rows.
pub fn batch(model: &str, version: u64, metrics: &[MetricRow]) -> Result<RecordBatch> {
    let integer = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(metrics.iter().map(|_| model))),
        Arc::new(Int64Array::from_iter_values(metrics.iter().map(|_| integer(version)))),
        Arc::new(StringArray::from_iter_values(metrics.iter().map(|row| &row.split))),
        Arc::new(StringArray::from_iter_values(metrics.iter().map(|row| &row.slice))),
        Arc::new(StringArray::from_iter_values(metrics.iter().map(|row| &row.metric))),
        Arc::new(Float64Array::from_iter(metrics.iter().map(|row| row.value))),
        Arc::new(Float64Array::from_iter(metrics.iter().map(|row| row.baseline))),
        Arc::new(Int64Array::from_iter_values(metrics.iter().map(|row| integer(row.rows)))),
    ];
    RecordBatch::try_new(schema(), columns).map_err(|error| Error::Internal(error.to_string()))
}

/// A plan of rows that are there already.
pub fn scan(function: &'static str, rows: Vec<RecordBatch>) -> QueryResult<LogicalPlan> {
    let table = Arc::new(MemTable::try_new(schema(), vec![rows])?);
    LogicalPlanBuilder::scan(function, provider_as_source(table), None)?.build()
}
