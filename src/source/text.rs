//! Scans of text formats: one plan node's source for all of them; what differs is a [`TextReader`].
//!
//! A parser knows at which byte a wrong row begins, and in a part of a file no line. The lines before it are counted when
//! that is needed, before the error leaves the scan.

use std::{fmt, sync::Arc};

use arrow::{
    array::{RecordBatch, RecordBatchOptions},
    datatypes::SchemaRef,
    error::ArrowError,
};
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::{
    common::{
        DataFusionError, Result, parsers::CompressionTypeVariant, runtime::SpawnedTask, tree_node::TreeNodeRecursion,
    },
    datasource::{
        listing::PartitionedFile,
        physical_plan::{FileGroupPartitioner, FileOpenFuture, FileOpener, FileScanConfig, FileSource},
        projection::{ProjectionOpener, SplitProjection},
        table_schema::TableSchema,
    },
    physical_expr::{LexOrdering, PhysicalExpr, projection::ProjectionExprs},
    physical_plan::{DisplayFormatType, metrics::ExecutionPlanMetricsSet},
};
use futures::{FutureExt, StreamExt, TryStreamExt, stream::BoxStream};
use object_store::ObjectStore;

use super::{
    Error, Options,
    bytes::{Compression, Input},
    encoding::Encoding,
    keys::{Key, with_keys, without_keys},
    rejects::{OnError, Reject, Rejects},
};

/// After how many chunks without a row a scan lets others run.
const CHUNKS_BETWEEN_YIELDS: usize = 16;

/// What a text format does with one file.
#[async_trait]
pub(super) trait TextReader: fmt::Debug + Send + Sync {
    /// The format's name, as in `STORED AS`.
    fn name(&self) -> &'static str;

    /// How the files are compressed.
    fn compression(&self) -> Compression;

    /// How their characters are written, of texts.
    fn encoding(&self) -> Encoding {
        Encoding::bytes()
    }

    /// What becomes of a row with a value that does not fit.
    fn on_error(&self) -> OnError {
        OnError::Fail
    }

    /// How many lines at the start of each file are passed over.
    fn skipped_lines(&self) -> u64 {
        0
    }

    /// Whether a file's columns are found by their names.
    fn finds_by_name(&self) -> bool {
        true
    }

    /// Whether a local, uncompressed file may be read in parts by several threads.
    fn splits(&self) -> bool {
        false
    }

    /// Prepares the parser of a file, or of the part of it that `task` names.
    async fn prepare(&self, task: &Task) -> Result<Prepared, Error>;
}

/// One file, or a part of it, to read.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) input: Input,
    /// The bytes in which the records to be read begin; none: all.
    pub(super) range: Option<(u64, u64)>,
    /// The table's columns that are in files, and behind them the keys of directories that may be there, too.
    pub(super) schema: SchemaRef,
    /// How many columns precede the keys.
    pub(super) width: usize,
    /// Which of them are wanted, in this order.
    pub(super) columns: Vec<usize>,
    pub(super) batch_size: usize,
}

impl Task {
    /// Some of the table's columns.
    pub(super) fn project(&self, columns: &[usize]) -> Result<SchemaRef, Error> {
        let schema = self.schema.project(columns);
        schema.map(Arc::new).map_err(|error| Error::engine(&self.input.name, error.into()))
    }
}

/// A parser and the bytes to feed it.
pub(super) struct Prepared {
    pub(super) chunks: BoxStream<'static, Result<Bytes, Error>>,
    pub(super) parser: Box<dyn Parse>,
}

/// A push parser: bytes in, rows out.
pub(super) trait Parse: Send {
    /// Takes the file's next bytes.
    fn push(&mut self, chunk: Bytes) -> Result<(), Fault>;

    /// Told that the file has ended.
    fn finish(&mut self) -> Result<(), Fault>;

    /// Whether no later byte belongs to the part.
    fn is_done(&self) -> bool;

    /// The next rows; none until more bytes come.
    fn next(&mut self) -> Result<Option<RecordBatch>, Fault>;

    /// The sheet that is read, of a spreadsheet.
    fn sheet(&self) -> Option<&str> {
        None
    }

    /// What was left out since this was asked.
    fn take_rejects(&mut self) -> Vec<Reject> {
        Vec::new()
    }
}

/// What is wrong with a file's bytes.
#[derive(Debug)]
pub(super) enum Fault {
    /// In the row that begins at this byte of the file, decompressed and without a byte order mark.
    Row {
        /// The byte, from 0.
        offset: u64,
        /// What is wrong with it.
        reason: RowFault,
    },
    /// What a parser said that knows no place.
    Unplaced(ArrowError),
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RowFault {
    /// More or fewer fields than the table has columns, and the sign that the row begins with.
    Ragged { expected: usize, found: usize, begin: Option<char> },
    /// A value that is not of its column's type, which is named in SQL's words.
    Value { column: String, value: String, expected: String },
    /// A column that the table does not have.
    UnknownColumn { column: String },
    /// Not UTF-8, and the encoding that it looks like.
    NotUtf8 { fitting: &'static str },
    /// JSON of which no row can be made: the keys that lead to the place, if they are known, and what to do, or nothing.
    Json { column: Option<String>, reason: String, hint: String },
    /// Anything else, in words.
    Malformed(String),
}

impl From<ArrowError> for Fault {
    fn from(error: ArrowError) -> Self {
        Self::Unplaced(error)
    }
}

/// Works on a file on any thread; dropped, it stops.
pub(super) async fn apart<T: Send + 'static>(
    file: String,
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    let joined = SpawnedTask::spawn(work).join_unwind().await;
    joined.map_err(|error| Error::Io { file, reason: error.to_string(), source: Arc::new(error) })?
}

/// The typed error of a fault in a file of a format: the line of the row is counted only now.
pub(super) async fn located(input: &Input, fault: Fault, format: &'static str) -> Error {
    let (offset, reason) = match fault {
        Fault::Row { offset, reason } => (offset, reason),
        Fault::Unplaced(error) => return Error::engine(&input.name, error.into()),
    };
    let line = match line_of(input, offset).await {
        Ok(line) => line,
        Err(error) => return error,
    };
    let file = input.name.clone();
    match reason {
        RowFault::Ragged { expected, found, begin } => Error::RaggedRow { file, line, expected, found, begin },
        RowFault::Value { column, value, expected } => {
            Error::InvalidValue { file, line, column, value: shortened(&value), expected, format }
        }
        RowFault::UnknownColumn { column } => Error::UnknownColumn { file, line: Some(line), column },
        RowFault::NotUtf8 { fitting } => {
            Error::WrongEncoding { file, line, encoding: "UTF-8".to_owned(), fitting: fitting.to_owned() }
        }
        RowFault::Json { column, reason, hint } => Error::InvalidJson { file, line, column, reason, hint },
        RowFault::Malformed(reason) => Error::Malformed { file, line, reason },
    }
}

/// The line on which a byte of a file stands, from 1.
pub(super) async fn line_of(input: &Input, offset: u64) -> Result<u64, Error> {
    Ok(lines_of(input, &[offset]).await?.first().copied().unwrap_or(1))
}

/// The lines on which some bytes of a file stand, from 1; the bytes come in order. A line ends at a line feed, a carriage
/// return or both.
pub(super) async fn lines_of(input: &Input, offsets: &[u64]) -> Result<Vec<u64>, Error> {
    let mut stream = input.chunks(0).await?.stream;
    let (mut chunk, mut at, mut position) = (Bytes::new(), 0, 0);
    let (mut line, mut returned) = (1 + input.skipped_lines, false);
    let mut lines = Vec::with_capacity(offsets.len());
    for offset in offsets {
        while position < *offset {
            if at == chunk.len() {
                let Some(next) = stream.try_next().await? else { break };
                (chunk, at) = (next, 0);
                continue;
            }
            let rest = chunk.get(at..).unwrap_or_default();
            let length = usize::try_from(offset - position).unwrap_or(usize::MAX).min(rest.len());
            for byte in rest.get(..length).unwrap_or_default() {
                line += u64::from(*byte == b'\r' || (*byte == b'\n' && !returned));
                returned = *byte == b'\r';
            }
            at += length;
            position += length as u64;
        }
        lines.push(line);
    }
    Ok(lines)
}

/// The longest value that a message shows, in characters.
const SHOWN_CHARACTERS: usize = 60;

/// A value as a message shows it.
pub(super) fn shortened(value: &str) -> String {
    match value.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}

/// The source of a scan over text files.
#[derive(Debug, Clone)]
pub(super) struct TextSource {
    reader: Arc<dyn TextReader>,
    options: Options,
    table_schema: TableSchema,
    projection: SplitProjection,
    batch_size: usize,
    metrics: ExecutionPlanMetricsSet,
    /// What precedes a file's path in messages: `/` or `s3://bucket/`.
    place: String,
    rejects: Arc<Rejects>,
}

impl TextSource {
    pub(super) fn new(reader: Arc<dyn TextReader>, options: &Options, table_schema: TableSchema, place: &str) -> Self {
        Self {
            reader,
            options: options.clone(),
            projection: SplitProjection::unprojected(&table_schema),
            table_schema,
            batch_size: 8192,
            metrics: ExecutionPlanMetricsSet::new(),
            place: place.to_owned(),
            rejects: Arc::default(),
        }
    }

    /// A source that says what it leaves out.
    pub(super) fn with_rejects(&self, rejects: &Arc<Rejects>) -> Self {
        Self { rejects: Arc::clone(rejects), ..self.clone() }
    }

    /// What the source was made of: the format's name, its options and the place of the files.
    pub(super) fn origin(&self) -> (&'static str, &Options, &str) {
        (self.reader.name(), &self.options, &self.place)
    }
}

/// Gives the batches of all files the schema of the scan: a key of a directory is no NULL in one file, and NULL in another.
struct DeclaredOpener {
    opener: Arc<dyn FileOpener>,
    schema: SchemaRef,
}

impl FileOpener for DeclaredOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let (opened, schema) = (self.opener.open(file)?, Arc::clone(&self.schema));
        Ok(async move {
            let declared = move |batch: RecordBatch| {
                let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
                let columns = batch.columns().to_vec();
                Ok(RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options)?)
            };
            Ok(opened.await?.map(move |batch| batch.and_then(&declared)).boxed())
        }
        .boxed())
    }
}

impl FileSource for TextSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        _: &FileScanConfig,
        _: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let opener = Arc::new(TextOpener { source: self.clone(), store });
        let opener = ProjectionOpener::try_new(self.projection.clone(), opener, self.table_schema.file_schema())?;
        let schema = Arc::new(self.projection.source.project_schema(self.table_schema.table_schema())?);
        Ok(Arc::new(DeclaredOpener { opener, schema }))
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { batch_size, ..self.clone() })
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.table_schema.file_schema(), &merged);
        Ok(Some(Arc::new(Self { projection, ..self.clone() })))
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        self.reader.name()
    }

    fn fmt_extra(&self, _: DisplayFormatType, _: &mut fmt::Formatter) -> fmt::Result {
        Ok(())
    }

    fn repartitioned(
        &self,
        target_partitions: usize,
        repartition_file_min_size: usize,
        output_ordering: Option<LexOrdering>,
        config: &FileScanConfig,
    ) -> Result<Option<FileScanConfig>> {
        let mut files = config.file_groups.iter().flat_map(|group| group.iter());
        let compression = self.reader.compression();
        let compressed = files.any(|file| compression.of(file.path().as_ref()) != CompressionTypeVariant::UNCOMPRESSED);
        // A part looks through what precedes it, which is cheap on a local disk alone.
        let local = self.place == "/";
        if compressed || !local || !self.reader.splits() {
            return Ok(None);
        }
        let groups = FileGroupPartitioner::new()
            .with_target_partitions(target_partitions)
            .with_repartition_file_min_size(repartition_file_min_size)
            .with_preserve_order_within_groups(output_ordering.is_some())
            .repartition_file_groups(&config.file_groups);
        Ok(groups.map(|file_groups| {
            let mut split = config.clone();
            split.file_groups = file_groups;
            split
        }))
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for projected in self.projection.source.iter() {
            if visit(&projected.expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }
}

struct TextOpener {
    source: TextSource,
    store: Arc<dyn ObjectStore>,
}

impl FileOpener for TextOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let size = file.object_meta.size;
        let range = file.range.as_ref().map(|range| {
            let end = u64::try_from(range.end).unwrap_or_default();
            // What is decompressed or decoded is longer than the file.
            (u64::try_from(range.start).unwrap_or_default(), if end >= size { u64::MAX } else { end })
        });
        let name = format!("{}{}", self.source.place, file.object_meta.location);
        let reader = &self.source.reader;
        let (compression, encoding, skipped_lines) = (reader.compression(), reader.encoding(), reader.skipped_lines());
        let (store, meta) = (Arc::clone(&self.store), file.object_meta);
        let table = &self.source.table_schema;
        let keys = match reader.finds_by_name() {
            true => {
                let columns = table.table_partition_cols().iter().map(|field| field.as_ref());
                Key::all(&self.source.options, columns, &file.partition_values)
            }
            false => Vec::new(),
        };
        let mut columns = self.source.projection.file_indices.clone();
        let width = table.file_schema().fields().len();
        columns.extend(width..width + keys.len());
        let task = Task {
            input: Input { store, meta, name, compression, encoding, skipped_lines },
            range,
            schema: with_keys(table.file_schema(), &keys),
            width,
            columns,
            batch_size: self.source.batch_size,
        };
        let (reader, rejects) = (Arc::clone(&self.source.reader), Arc::clone(&self.source.rejects));
        Ok(Box::pin(async move { Ok(read(reader, task, keys, rejects).await?.map_err(DataFusionError::from).boxed()) }))
    }
}

struct Reading {
    task: Task,
    keys: Vec<Key>,
    prepared: Prepared,
    ended: bool,
    on_error: OnError,
    /// The format's name.
    format: &'static str,
    rejects: Arc<Rejects>,
    rejected: usize,
}

/// The rows of a file, or of a part of it.
async fn read(
    reader: Arc<dyn TextReader>,
    task: Task,
    keys: Vec<Key>,
    rejects: Arc<Rejects>,
) -> Result<BoxStream<'static, Result<RecordBatch, Error>>, Error> {
    let prepared = reader.prepare(&task).await?;
    let on_error = reader.on_error();
    if on_error.is_lenient() {
        rejects.forget(&task.input, task.range.unwrap_or((0, u64::MAX)), prepared.parser.sheet());
    }
    let format = reader.name();
    let reading = Reading { task, keys, prepared, ended: false, on_error, format, rejects, rejected: 0 };
    let batches = futures::stream::try_unfold(reading, |mut reading| async move {
        let batch = reading.next().await?;
        Ok(batch.map(|batch| (batch, reading)))
    });
    Ok(batches.boxed())
}

impl Drop for Reading {
    fn drop(&mut self) {
        if self.rejected > 0 {
            self.rejects.tell(&self.task.input, self.rejected, self.on_error);
        }
    }
}

impl Reading {
    async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        let mut chunks_taken = 0;
        loop {
            let next = self.prepared.parser.next();
            let rejects = self.prepared.parser.take_rejects();
            if !rejects.is_empty() {
                self.rejected += rejects.len();
                self.rejects.add(&self.task.input, rejects);
            }
            match next {
                Ok(Some(batch)) => return without_keys(batch, &self.keys, &self.task.input.name).map(Some),
                Ok(None) if self.ended => return Ok(None),
                Ok(None) => {}
                Err(fault) => return Err(located(&self.task.input, fault, self.format).await),
            }
            chunks_taken += 1;
            if chunks_taken % CHUNKS_BETWEEN_YIELDS == 0 {
                tokio::task::yield_now().await;
            }
            let next = if self.prepared.parser.is_done() { None } else { self.prepared.chunks.try_next().await? };
            let taken = match next {
                Some(chunk) => self.prepared.parser.push(chunk),
                None => {
                    self.ended = true;
                    self.prepared.parser.finish()
                }
            };
            if let Err(fault) = taken {
                return Err(located(&self.task.input, fault, self.format).await);
            }
        }
    }
}
