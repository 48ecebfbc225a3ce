//! `COPY … TO 'file'` in a text format: DataFusion's plan of a write, around a serializer that the format brings,
//! because DataFusion's do not keep all values. Parquet and Arrow files have DataFusion's writers, behind checks of
//! their options.
//!
//! Knows options, compression and bytes, and nothing of how a row is written.

use std::{collections::HashMap, fmt, sync::Arc};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::{
    catalog::Session,
    common::{GetExt, Result, Statistics, not_impl_err, runtime::SpawnedTask},
    datasource::{
        file_format::{
            FileFormat, FileFormatFactory,
            file_compression_type::FileCompressionType,
            write::{BatchSerializer, demux::DemuxedStreamReceiver, orchestration::spawn_writer_tasks_and_join},
        },
        physical_plan::{FileScanConfig, FileSink, FileSinkConfig, FileSource},
        sink::{DataSink, DataSinkExec},
        table_schema::TableSchema,
    },
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::LexRequirement,
    physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan},
};
use object_store::{ObjectMeta, ObjectStore};

use super::{Error, Options, bytes::Compression, encoding::Written, given_options, plain_options};

/// Makes what writes the files of a `COPY` in a text format.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writers {
    /// The format's name.
    pub(super) name: &'static str,
    /// The options that a writer takes.
    pub(super) options: &'static [&'static str],
    /// From options to what makes bytes of rows.
    pub(super) serializer: fn(&Options) -> Result<Arc<dyn BatchSerializer>, Error>,
}

impl Writers {
    fn writer(&self, options: &Options) -> Result<Writer, Error> {
        let compression = Compression::parse(options.get("compression").map(String::as_str))?;
        let serializer = (self.serializer)(options)?;
        let serializer: Arc<dyn BatchSerializer> = match Written::parse(options.get("encoding").map(String::as_str))? {
            Some(written) => Arc::new(Encoded { serializer, written }),
            None => serializer,
        };
        Ok(Writer { name: self.name, serializer, compression: compression.of("").into() })
    }
}

/// Writes in another encoding what is a text of UTF-8.
struct Encoded {
    serializer: Arc<dyn BatchSerializer>,
    written: Written,
}

impl BatchSerializer for Encoded {
    fn serialize(&self, batch: RecordBatch, initial: bool) -> Result<Bytes> {
        let text = self.serializer.serialize(batch, initial)?;
        Ok(self.written.encode(&String::from_utf8_lossy(&text), initial)?.into())
    }
}

impl GetExt for Writers {
    fn get_ext(&self) -> String {
        self.name.to_owned()
    }
}

impl FileFormatFactory for Writers {
    fn create(&self, _: &dyn Session, options: &HashMap<String, String>) -> Result<Arc<dyn FileFormat>> {
        let given = plain_options(self.name, self.options.iter().copied(), &given_options(options))?;
        Ok(Arc::new(self.writer(&given)?))
    }

    fn default(&self) -> Arc<dyn FileFormat> {
        match self.writer(&Options::new()) {
            Ok(writer) => Arc::new(writer),
            // No options cannot be wrong ones.
            Err(_) => Arc::new(datafusion::datasource::file_format::json::JsonFormat::default()),
        }
    }
}

/// Writes files, and reads none: those are read by our own scans.
struct Writer {
    name: &'static str,
    serializer: Arc<dyn BatchSerializer>,
    compression: FileCompressionType,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the writer of {}", self.name)
    }
}

#[async_trait]
impl FileFormat for Writer {
    fn get_ext(&self) -> String {
        self.name.to_owned()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> Result<String> {
        Ok(format!("{}{}", self.name, compression.get_ext()))
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        Some(self.compression)
    }

    async fn infer_schema(&self, _: &dyn Session, _: &Arc<dyn ObjectStore>, _: &[ObjectMeta]) -> Result<SchemaRef> {
        not_impl_err!("the writer of {} does not read", self.name)
    }

    async fn infer_stats(
        &self,
        _: &dyn Session,
        _: &Arc<dyn ObjectStore>,
        schema: SchemaRef,
        _: &ObjectMeta,
    ) -> Result<Statistics> {
        Ok(Statistics::new_unknown(&schema))
    }

    async fn create_physical_plan(&self, _: &dyn Session, _: FileScanConfig) -> Result<Arc<dyn ExecutionPlan>> {
        not_impl_err!("the writer of {} does not read", self.name)
    }

    async fn create_writer_physical_plan(
        &self,
        input: Arc<dyn ExecutionPlan>,
        _: &dyn Session,
        config: FileSinkConfig,
        order: Option<LexRequirement>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (name, serializer, compression) = (self.name, Arc::clone(&self.serializer), self.compression);
        let sink = TextSink { name, serializer, compression, config };
        Ok(Arc::new(DataSinkExec::new(input, Arc::new(sink), order)))
    }

    fn file_source(&self, schema: TableSchema) -> Arc<dyn FileSource> {
        datafusion::datasource::file_format::json::JsonFormat::default().file_source(schema)
    }
}

struct TextSink {
    name: &'static str,
    serializer: Arc<dyn BatchSerializer>,
    compression: FileCompressionType,
    config: FileSinkConfig,
}

impl fmt::Debug for TextSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.config.original_url)
    }
}

impl DisplayAs for TextSink {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[async_trait]
impl DataSink for TextSink {
    fn schema(&self) -> &SchemaRef {
        self.config.output_schema()
    }

    async fn write_all(&self, data: SendableRecordBatchStream, context: &Arc<TaskContext>) -> Result<u64> {
        FileSink::write_all(self, data, context).await
    }
}

#[async_trait]
impl FileSink for TextSink {
    fn config(&self) -> &FileSinkConfig {
        &self.config
    }

    async fn spawn_writer_tasks_and_join(
        &self,
        context: &Arc<TaskContext>,
        demux: SpawnedTask<Result<()>>,
        files: DemuxedStreamReceiver,
        store: Arc<dyn ObjectStore>,
    ) -> Result<u64> {
        let serializer = Arc::clone(&self.serializer);
        spawn_writer_tasks_and_join(context, serializer, self.compression, None, store, demux, files).await
    }
}
