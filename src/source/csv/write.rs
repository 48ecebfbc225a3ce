//! `COPY … TO 'file.csv'`: rows as CSV that is read back as it was. NULL is an empty field, the empty text is `""`.

use std::{collections::HashMap, fmt, io::Write as _, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::{DataType, FieldRef, SchemaRef},
    json::writer::{EncoderOptions, make_encoder},
    util::display::{ArrayFormatter, FormatOptions},
};
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::{
    catalog::Session,
    common::{DataFusionError, GetExt, Result, Statistics, not_impl_err, runtime::SpawnedTask},
    datasource::{
        file_format::{
            FileFormat, FileFormatFactory,
            file_compression_type::FileCompressionType,
            write::{BatchSerializer, demux::DemuxedStreamReceiver, orchestration::spawn_writer_tasks_and_join},
        },
        physical_plan::{FileSink, FileSinkConfig, FileSource},
        sink::{DataSink, DataSinkExec},
        table_schema::TableSchema,
    },
    execution::{SendableRecordBatchStream, TaskContext},
    physical_expr::LexRequirement,
    physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan},
};
use object_store::{ObjectMeta, ObjectStore};

use super::{CsvOptions, NullMark, Options};
use crate::source::plain_options;

/// The options of files that are written.
const WRITTEN: [&str; 6] = ["header", "delimiter", "quote", "escape", "null_value", "compression"];

/// Makes the writer of a `COPY`.
#[derive(Debug, Clone)]
pub(super) struct CsvWriters {
    pub(super) name: &'static str,
    pub(super) delimiter: u8,
}

impl GetExt for CsvWriters {
    fn get_ext(&self) -> String {
        self.name.to_owned()
    }
}

impl FileFormatFactory for CsvWriters {
    fn create(&self, _: &dyn Session, options: &HashMap<String, String>) -> Result<Arc<dyn FileFormat>> {
        let given: Options = options.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let given = plain_options(self.name, WRITTEN.iter().copied(), &given)?;
        let options = CsvOptions::parse(&given)?;
        let compression = options.compression.of("").into();
        let delimiter = options.delimiter.unwrap_or(self.delimiter);
        Ok(Arc::new(CsvWriter {
            name: self.name,
            compression,
            options: CsvOptions { delimiter: Some(delimiter), ..options },
        }))
    }

    fn default(&self) -> Arc<dyn FileFormat> {
        let options = CsvOptions { delimiter: Some(self.delimiter), ..CsvOptions::default() };
        Arc::new(CsvWriter { name: self.name, options, compression: FileCompressionType::UNCOMPRESSED })
    }
}

/// Writes files, and reads none: those are read by our own scans.
#[derive(Debug)]
struct CsvWriter {
    name: &'static str,
    options: CsvOptions,
    compression: FileCompressionType,
}

#[async_trait]
impl FileFormat for CsvWriter {
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

    async fn create_physical_plan(
        &self,
        _: &dyn Session,
        _: datafusion::datasource::physical_plan::FileScanConfig,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        not_impl_err!("the writer of {} does not read", self.name)
    }

    async fn create_writer_physical_plan(
        &self,
        input: Arc<dyn ExecutionPlan>,
        _: &dyn Session,
        config: FileSinkConfig,
        order: Option<LexRequirement>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let sink = CsvSink { name: self.name, options: self.options.clone(), compression: self.compression, config };
        Ok(Arc::new(DataSinkExec::new(input, Arc::new(sink), order)))
    }

    fn file_source(&self, schema: TableSchema) -> Arc<dyn FileSource> {
        datafusion::datasource::file_format::csv::CsvFormat::default().file_source(schema)
    }
}

#[derive(Debug)]
struct CsvSink {
    name: &'static str,
    options: CsvOptions,
    compression: FileCompressionType,
    config: FileSinkConfig,
}

impl DisplayAs for CsvSink {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.config.original_url)
    }
}

#[async_trait]
impl DataSink for CsvSink {
    fn schema(&self) -> &SchemaRef {
        self.config.output_schema()
    }

    async fn write_all(&self, data: SendableRecordBatchStream, context: &Arc<TaskContext>) -> Result<u64> {
        FileSink::write_all(self, data, context).await
    }
}

#[async_trait]
impl FileSink for CsvSink {
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
        let serializer = Arc::new(Serializer { options: self.options.clone() });
        spawn_writer_tasks_and_join(context, serializer, self.compression, None, store, demux, files).await
    }
}

struct Serializer {
    options: CsvOptions,
}

impl BatchSerializer for Serializer {
    fn serialize(&self, batch: RecordBatch, initial: bool) -> Result<Bytes> {
        let mut out = Vec::with_capacity(batch.num_rows() * batch.num_columns() * 8);
        let dialect = self.options.dialect();
        if initial && self.options.has_header() {
            for (position, field) in batch.schema().fields().iter().enumerate() {
                if position > 0 {
                    out.push(dialect.delimiter);
                }
                self.write_text(&mut out, field.name());
            }
            out.push(b'\n');
        }
        let schema = batch.schema();
        let pairs = schema.fields().iter().zip(batch.columns());
        let columns = pairs.map(|(field, array)| cells(field, array)).collect::<Result<Vec<_>>>()?;
        let mut text = Vec::new();
        for row in 0..batch.num_rows() {
            for (position, (column, array)) in columns.iter().zip(batch.columns()).enumerate() {
                if position > 0 {
                    out.push(dialect.delimiter);
                }
                if array.is_null(row) || array.data_type() == &DataType::Null {
                    if let NullMark::Text(mark) = &self.options.null {
                        out.extend_from_slice(mark.as_bytes());
                    }
                    continue;
                }
                match column {
                    Cells::Texts(texts) => self.write_text(&mut out, texts.as_string::<i32>().value(row)),
                    Cells::Shown(array, options) => {
                        text.clear();
                        let formatter = ArrayFormatter::try_new(array.as_ref(), options)?;
                        write!(text, "{}", formatter.value(row)).map_err(DataFusionError::IoError)?;
                        let shown = String::from_utf8_lossy(&text);
                        match shown.split_once('e') {
                            // Without a sign an exponent looks like a part of a name.
                            Some((digits, exponent))
                                if array.data_type().is_floating() && !exponent.starts_with('-') =>
                            {
                                self.write_text(&mut out, &format!("{digits}e+{exponent}"));
                            }
                            _ => self.write_text(&mut out, &shown),
                        }
                    }
                    Cells::Json(texts) => {
                        self.write_text(&mut out, texts.get(row).map(String::as_str).unwrap_or_default());
                    }
                }
            }
            out.push(b'\n');
        }
        Ok(Bytes::from(out))
    }
}

/// A column on its way to text.
enum Cells {
    Texts(ArrayRef),
    /// As the engine shows values.
    Shown(ArrayRef, FormatOptions<'static>),
    /// Lists and structs.
    Json(Vec<String>),
}

fn cells(field: &FieldRef, array: &ArrayRef) -> Result<Cells> {
    match array.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            Ok(Cells::Texts(arrow::compute::cast(array, &DataType::Utf8)?))
        }
        DataType::Dictionary(_, value) => cells(field, &arrow::compute::cast(array, value)?),
        data_type if data_type.is_nested() => {
            let options = EncoderOptions::default();
            let mut encoder = make_encoder(field, array.as_ref(), &options)?;
            let mut texts = Vec::with_capacity(array.len());
            for row in 0..array.len() {
                let mut text = Vec::new();
                if array.is_valid(row) {
                    encoder.encode(row, &mut text);
                }
                texts.push(String::from_utf8_lossy(&text).into_owned());
            }
            Ok(Cells::Json(texts))
        }
        _ => {
            let options = FormatOptions::new()
                .with_display_error(false)
                .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
                .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f%:z"));
            Ok(Cells::Shown(Arc::clone(array), options))
        }
    }
}

impl Serializer {
    /// A field that is not NULL: quoted wherever it could be taken for something else.
    fn write_text(&self, out: &mut Vec<u8>, text: &str) {
        let dialect = self.options.dialect();
        let bytes = text.as_bytes();
        let special =
            |byte: &u8| *byte == dialect.delimiter || *byte == dialect.quote || matches!(*byte, b'\n' | b'\r');
        let is_blank = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
        let is_quoted = bytes.is_empty()
            || bytes.iter().any(special)
            || is_blank(bytes.first())
            || is_blank(bytes.last())
            || bytes.first().copied() == dialect.comment
            || matches!(&self.options.null, NullMark::Text(mark) if mark == text);
        if !is_quoted {
            out.extend_from_slice(bytes);
            return;
        }
        let escape = dialect.escape.unwrap_or(dialect.quote);
        out.push(dialect.quote);
        for byte in bytes {
            if *byte == dialect.quote || *byte == escape {
                out.push(escape);
            }
            out.push(*byte);
        }
        out.push(dialect.quote);
    }
}
