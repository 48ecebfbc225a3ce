//! Keys of directories that are columns of the files, too: `y=2023/a.csv` with a column y, as Spark and DuckDB write it where
//! that is asked for. The table has the directory's value, and a file that has another one is an error.
//!
//! A NULL in a file says nothing: row by row it cannot be told from a column that the file lacks.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, RecordBatch},
    compute::kernels::cmp::neq,
    datatypes::{Field, Schema, SchemaRef},
    util::display::array_value_to_string,
};
use datafusion::common::{ColumnStatistics, DataFusionError, ScalarValue, stats::Precision};

use super::{Error, Options, lossless::whole, options};

/// A key and what the directory of a file says of it.
#[derive(Debug, Clone)]
pub struct Key {
    field: Field,
    value: ScalarValue,
}

impl Key {
    /// The keys that a file of these partition columns may have, too; none where its other columns are passed over.
    pub(super) fn all<'a>(
        options: &Options,
        columns: impl IntoIterator<Item = &'a Field>,
        values: &[ScalarValue],
    ) -> Vec<Self> {
        if !matches!(options::refuses_unknown(options), Ok(true)) {
            return Vec::new();
        }
        let file_column = options::file_column(options).ok().flatten();
        let pairs = columns.into_iter().zip(values).filter(|(field, _)| Some(field.name().as_str()) != file_column);
        pairs.map(|(field, value)| Self { field: field.clone().with_nullable(true), value: value.clone() }).collect()
    }

    fn check(&self, found: &ArrayRef, file: &str) -> Result<(), Error> {
        let failed = |error: DataFusionError| Error::engine(file, error);
        let row = if self.value.is_null() {
            (0..found.len()).find(|row| found.is_valid(*row))
        } else {
            let value = self.value.to_scalar().map_err(failed)?;
            let others = neq(found, &value).map_err(|error| failed(error.into()))?;
            (0..others.len()).find(|row| others.is_valid(*row) && others.value(*row))
        };
        match row {
            Some(row) => Err(self.differs(file, array_value_to_string(found, row).unwrap_or_default())),
            None => Ok(()),
        }
    }

    /// Checks what a file's statistics say of its column.
    pub(super) fn check_statistics(
        &self,
        found: &ColumnStatistics,
        rows: &Precision<usize>,
        file: &str,
    ) -> Result<(), Error> {
        // Where the bounds of long texts were cut, they are bounds all the same.
        let bounds = match (found.min_value.get_value(), found.max_value.get_value()) {
            (Some(least), Some(greatest)) if !least.is_null() && !greatest.is_null() => [least, greatest],
            // Without a value there is none that could differ.
            _ if rows.get_value().is_some() && rows.get_value() == found.null_count.get_value() => return Ok(()),
            _ => return Err(self.differs(file, "values that its statistics do not tell".to_owned())),
        };
        for bound in bounds {
            let own = bound.to_array().map_err(|error| Error::engine(file, error))?;
            match whole(&own, self.field.data_type()) {
                Ok(own) => self.check(&own, file)?,
                Err(_) => return Err(self.differs(file, array_value_to_string(&own, 0).unwrap_or_default())),
            }
        }
        Ok(())
    }

    fn differs(&self, file: &str, found: String) -> Error {
        let directory = match self.value.to_array() {
            Ok(value) if value.is_valid(0) => array_value_to_string(&value, 0).unwrap_or_default(),
            _ => "NULL".to_owned(),
        };
        Error::KeyDiffers { file: file.to_owned(), column: self.field.name().clone(), directory, found }
    }
}

/// A file's columns and, behind them, its keys.
pub(super) fn with_keys(schema: &SchemaRef, keys: &[Key]) -> SchemaRef {
    if keys.is_empty() {
        return Arc::clone(schema);
    }
    let own = schema.fields().iter().map(|field| field.as_ref().clone());
    Arc::new(Schema::new(own.chain(keys.iter().map(|key| key.field.clone())).collect::<Vec<_>>()))
}

/// The rows of a file without its keys, which are the last columns and must be what the directories say.
pub(super) fn without_keys(batch: RecordBatch, keys: &[Key], file: &str) -> Result<RecordBatch, Error> {
    if keys.is_empty() {
        return Ok(batch);
    }
    let width = batch.num_columns().saturating_sub(keys.len());
    for (key, column) in keys.iter().zip(batch.columns().iter().skip(width)) {
        key.check(column, file)?;
    }
    batch.project(&(0..width).collect::<Vec<_>>()).map_err(|error| Error::engine(file, error.into()))
}
