//! Scans of text formats: one plan node's source for all of them; what differs is a [`TextReader`].
//!
//! An error that a parser raises names neither the file nor, in a part of a file, the right line. The reader therefore
//! looks at the file again before the error leaves the scan.

use std::{fmt, sync::Arc};

use arrow::{array::RecordBatch, datatypes::SchemaRef, error::ArrowError};
use async_trait::async_trait;
use bytes::{Buf, Bytes};
use datafusion::{
    common::{DataFusionError, Result, parsers::CompressionTypeVariant, tree_node::TreeNodeRecursion},
    datasource::{
        listing::PartitionedFile,
        physical_plan::{FileGroupPartitioner, FileOpenFuture, FileOpener, FileScanConfig, FileSource},
        projection::{ProjectionOpener, SplitProjection},
        table_schema::TableSchema,
    },
    physical_expr::{LexOrdering, PhysicalExpr, projection::ProjectionExprs},
    physical_plan::{DisplayFormatType, metrics::ExecutionPlanMetricsSet},
};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::ObjectStore;

use super::{
    Error, Options,
    bytes::{Compression, Input},
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

    /// Whether a local, uncompressed file may be read in parts by several threads.
    fn splits(&self) -> bool;

    /// Prepares the parser of a file, or of the part of it that `task` names.
    async fn prepare(&self, task: &Task) -> Result<Prepared, Error>;

    /// Finds the file and line of an error that the parser raised.
    async fn locate(&self, task: &Task, error: ArrowError) -> Error;
}

/// One file, or a part of it, to read.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) input: Input,
    /// The bytes in which the records to be read begin; none: all.
    pub(super) range: Option<(u64, u64)>,
    /// The table's columns that are in files.
    pub(super) schema: SchemaRef,
    /// Which of them are wanted, in this order.
    pub(super) columns: Vec<usize>,
    pub(super) batch_size: usize,
}

/// A parser and the bytes to feed it.
pub(super) struct Prepared {
    pub(super) chunks: BoxStream<'static, Result<Bytes, Error>>,
    pub(super) filter: Box<dyn Filter>,
    pub(super) decoder: Box<dyn Decode>,
}

/// Changes bytes on their way to the parser.
pub(super) trait Filter: Send {
    /// What the parser gets of a chunk.
    fn push(&mut self, chunk: Bytes) -> Result<Bytes, ArrowError>;

    /// Whether it gets nothing more.
    fn is_done(&self) -> bool;

    /// Called when the file has ended.
    fn finish(&mut self) -> Result<(), ArrowError>;
}

/// A push parser of Arrow's.
pub(super) trait Decode: Send {
    /// Takes bytes and says how many; fewer than given when a batch is full.
    fn decode(&mut self, bytes: &[u8]) -> Result<usize, ArrowError>;

    /// The rows so far.
    fn flush(&mut self) -> Result<Option<RecordBatch>, ArrowError>;
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
        }
    }
}

impl TextSource {
    /// What the source was made of: the format's name, its options and the place of the files.
    pub(super) fn origin(&self) -> (&'static str, &Options, &str) {
        (self.reader.name(), &self.options, &self.place)
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
        ProjectionOpener::try_new(self.projection.clone(), opener, self.table_schema.file_schema())
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
        let range = file.range.as_ref().map(|range| {
            (u64::try_from(range.start).unwrap_or_default(), u64::try_from(range.end).unwrap_or_default())
        });
        let name = format!("{}{}", self.source.place, file.object_meta.location);
        let compression = self.source.reader.compression();
        let task = Task {
            input: Input { store: Arc::clone(&self.store), meta: file.object_meta, name, compression },
            range,
            schema: Arc::clone(self.source.table_schema.file_schema()),
            columns: self.source.projection.file_indices.clone(),
            batch_size: self.source.batch_size,
        };
        let reader = Arc::clone(&self.source.reader);
        Ok(Box::pin(async move { Ok(read(reader, task).await?.map_err(DataFusionError::from).boxed()) }))
    }
}

struct Reading {
    reader: Arc<dyn TextReader>,
    task: Task,
    prepared: Prepared,
    buffer: Bytes,
    ended: bool,
}

/// The rows of a file, or of a part of it.
async fn read(
    reader: Arc<dyn TextReader>,
    task: Task,
) -> Result<BoxStream<'static, Result<RecordBatch, Error>>, Error> {
    let prepared = reader.prepare(&task).await?;
    let reading = Reading { reader, task, prepared, buffer: Bytes::new(), ended: false };
    let batches = futures::stream::try_unfold(reading, |mut reading| async move {
        let batch = reading.next().await?;
        Ok(batch.map(|batch| (batch, reading)))
    });
    Ok(batches.boxed())
}

impl Reading {
    async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        let mut chunks_taken = 0;
        loop {
            match self.step() {
                Ok(Some(batch)) => return Ok(Some(batch)),
                Ok(None) if self.ended => return Ok(None),
                Ok(None) => {}
                Err(error) => return Err(self.reader.locate(&self.task, error).await),
            }
            chunks_taken += 1;
            if chunks_taken % CHUNKS_BETWEEN_YIELDS == 0 {
                tokio::task::yield_now().await;
            }
            let next = if self.prepared.filter.is_done() { None } else { self.prepared.chunks.try_next().await? };
            let filtered = match next {
                Some(chunk) => self.prepared.filter.push(chunk),
                None => {
                    self.ended = true;
                    self.prepared.filter.finish().map(|()| Bytes::new())
                }
            };
            match filtered {
                Ok(chunk) => self.buffer = chunk,
                Err(error) => return Err(self.reader.locate(&self.task, error).await),
            }
        }
    }

    /// Feeds the parser until it has a batch or needs more bytes.
    fn step(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let decoder = &mut self.prepared.decoder;
        while !self.buffer.is_empty() {
            let taken = decoder.decode(&self.buffer)?;
            self.buffer.advance(taken);
            if self.buffer.is_empty() {
                break;
            }
            match decoder.flush()? {
                Some(batch) => return Ok(Some(batch)),
                None if taken == 0 => return Err(ArrowError::ParseError("the parser takes no bytes".to_owned())),
                None => {}
            }
        }
        if !self.ended {
            return Ok(None);
        }
        // No bytes tell the parser that the last record is complete.
        decoder.decode(&[])?;
        decoder.flush()
    }
}
