//! Parquet files, through DataFusion's reader, with filters evaluated while decoding and statistics read at planning.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::{
    catalog::Session,
    common::{ColumnStatistics, DataFusionError, Statistics, config::TableParquetOptions},
    datasource::{
        file_format::{FileFormat, parquet::ParquetFormat},
        physical_plan::{FileScanConfig, FileSource},
        table_schema::TableSchema,
    },
    physical_plan::ExecutionPlan,
};
use object_store::{ObjectMeta, ObjectStore};

use super::{Error, Format, Inferred, Options, Sample, infer};

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
        &[]
    }

    async fn infer(&self, sample: Sample<'_>, options: Options) -> Result<Inferred, Error> {
        let mut columns = Vec::new();
        for file in infer::sampled(sample.files) {
            let found =
                self.reader().infer_schema(sample.session, sample.store, std::slice::from_ref(&file.meta)).await;
            let schema = found.map_err(|error| unreadable(&file.name, error))?;
            infer::merge(&mut columns, schema.fields(), &file.name)?;
        }
        Ok(Inferred { options, schema: Schema::new(columns) })
    }

    fn file_source(&self, _: &Options, schema: TableSchema, _: &str) -> Result<Arc<dyn FileSource>, Error> {
        Ok(self.reader().file_source(schema))
    }

    async fn statistics(
        &self,
        session: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        schema: &SchemaRef,
        (meta, name): (&ObjectMeta, &str),
    ) -> Result<Option<Statistics>, Error> {
        let found = self.reader().infer_stats(session, store, Arc::clone(schema), meta).await;
        found.map(|found| Some(without_floats(found, schema))).map_err(|error| unreadable(name, error))
    }

    async fn plan(
        &self,
        session: &dyn Session,
        config: FileScanConfig,
    ) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
        self.reader().create_physical_plan(session, config).await
    }
}

/// Parquet's least and greatest values leave NaN out, so those of floating point columns are not what the rows hold: a column
/// of one number and NaN would be taken for a constant.
fn without_floats(mut found: Statistics, schema: &SchemaRef) -> Statistics {
    for (column, field) in found.column_statistics.iter_mut().zip(schema.fields()) {
        if field.data_type().is_floating() {
            *column = ColumnStatistics { null_count: column.null_count, ..ColumnStatistics::new_unknown() };
        }
    }
    found
}

/// The typed error of a file that the reader gave up on.
pub(super) fn unreadable(file: &str, error: DataFusionError) -> Error {
    if let Some(found) = Error::find(&error) {
        return found;
    }
    if let DataFusionError::ObjectStore(error) = error {
        return Error::store(file, *error);
    }
    let root = error.find_root().to_string();
    let reason = root.rsplit_once("error: ").map_or(root.as_str(), |(_, reason)| reason).trim().to_owned();
    Error::Unreadable { file: file.to_owned(), format: "Parquet".to_owned(), reason, source: Arc::new(error) }
}
