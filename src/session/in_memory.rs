//! Tables that are made when a statement reads them, column by column.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use arrow::{
    array::{
        ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray,
    },
    datatypes::{Field, Schema, SchemaRef},
};
use datafusion::{common::DataFusionError, datasource::MemTable};

/// A table under construction.
#[derive(Default)]
pub(super) struct Columns(Vec<(Field, ArrayRef)>);

impl Columns {
    pub(super) fn text<T: AsRef<str>>(self, name: &str, values: impl Iterator<Item = Option<T>>) -> Self {
        self.push(name, Arc::new(values.collect::<StringArray>()))
    }

    pub(super) fn number(self, name: &str, values: impl Iterator<Item = Option<i32>>) -> Self {
        self.push(name, Arc::new(values.collect::<Int32Array>()))
    }

    pub(super) fn integer(self, name: &str, values: impl Iterator<Item = Option<u64>>) -> Self {
        let values = values.map(|value| value.and_then(|value| i64::try_from(value).ok()));
        self.push(name, Arc::new(values.collect::<Int64Array>()))
    }

    pub(super) fn double(self, name: &str, values: impl Iterator<Item = Option<f64>>) -> Self {
        self.push(name, Arc::new(values.collect::<Float64Array>()))
    }

    pub(super) fn boolean(self, name: &str, values: impl Iterator<Item = bool>) -> Self {
        self.push(name, Arc::new(values.map(Some).collect::<BooleanArray>()))
    }

    /// Milliseconds since 1970.
    pub(super) fn time(self, name: &str, values: impl Iterator<Item = i64>) -> Self {
        let values: TimestampMicrosecondArray = values.map(|value| Some(value.saturating_mul(1000))).collect();
        self.push(name, Arc::new(values.with_timezone("UTC")))
    }

    /// Points in time, where there is one.
    pub(super) fn instant(self, name: &str, values: impl Iterator<Item = Option<SystemTime>>) -> Self {
        let micros = |time: SystemTime| i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_micros()).ok();
        let values: TimestampMicrosecondArray = values.map(|value| value.and_then(micros)).collect();
        self.push(name, Arc::new(values.with_timezone("UTC")))
    }

    fn push(mut self, name: &str, values: ArrayRef) -> Self {
        self.0.push((Field::new(name, values.data_type().clone(), true), values));
        self
    }

    /// The names and types of the columns, which are the same without any row.
    pub(super) fn schema(self) -> SchemaRef {
        let fields = self.0.into_iter().map(|(field, _)| field);
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// The table with its rows.
    pub(super) fn table(self) -> Result<MemTable, DataFusionError> {
        let (fields, columns): (Vec<_>, Vec<_>) = self.0.into_iter().unzip();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
        MemTable::try_new(batch.schema(), vec![vec![batch]])
    }
}
