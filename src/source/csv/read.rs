//! From a CSV file's bytes to batches, with Arrow's parser.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array},
    csv::{ReaderBuilder, reader::Decoder},
    datatypes::{DataType, Field, Schema, SchemaRef},
    error::ArrowError,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;

use super::{
    super::{
        bytes::{Compression, Input},
        records::{Blanks, Dialect, RecordFilter},
        text::{Decode, Filter, Prepared, Task, TextReader},
    },
    CsvOptions, CsvReader, Error, column_names, locate, positions,
};

/// How much of a file is first read to find its header.
const HEADER_BYTES: usize = 16 << 10;
/// The longest header.
const MAX_HEADER_BYTES: usize = 16 << 20;

/// Which column of a file is which of the table.
#[derive(Debug)]
pub(super) struct Layout {
    /// The file's columns in order, typed as the table's.
    pub(super) file: SchemaRef,
    /// Where each of the table's columns stands in the file; none: nowhere.
    pub(super) positions: Vec<Option<usize>>,
}

#[async_trait]
impl TextReader for CsvReader {
    fn name(&self) -> &'static str {
        self.name
    }

    fn compression(&self) -> Compression {
        self.options.compression
    }

    fn splits(&self) -> bool {
        true
    }

    async fn prepare(&self, task: &Task) -> Result<Prepared, Error> {
        let Some(layout) = layout(&self.options, &task.input, &task.schema).await? else {
            return Ok(Prepared {
                chunks: futures::stream::empty().boxed(),
                filter: Box::new(CsvFilter::new(&self.options, 0, 0)),
                decoder: Box::new(Nothing),
            });
        };
        let (start, end) = task.range.unwrap_or((0, u64::MAX));
        let mut wanted = Vec::with_capacity(task.columns.len());
        let mut sources = Vec::with_capacity(task.columns.len());
        for column in &task.columns {
            let position = layout.positions.get(*column).copied().flatten();
            sources.push(position.map(|position| {
                wanted.push(position);
                wanted.len() - 1
            }));
        }
        let dialect = self.options.dialect();
        let mut builder = ReaderBuilder::new(Arc::clone(&layout.file))
            .with_header(self.options.has_header() && start == 0)
            .with_delimiter(dialect.delimiter)
            .with_quote(dialect.quote)
            .with_batch_size(task.batch_size)
            .with_projection(wanted);
        if let Some(escape) = dialect.escape {
            builder = builder.with_escape(escape);
        }
        if let Some(comment) = dialect.comment {
            builder = builder.with_comment(comment);
        }
        if let Some(null) = &self.options.null {
            builder = builder.with_null_regex(null.clone());
        }
        let schema = Arc::new(task.schema.project(&task.columns).map_err(|error| engine(&task.input, error))?);
        Ok(Prepared {
            chunks: task.input.chunks(0).await?.stream,
            filter: Box::new(CsvFilter::new(&self.options, start, end)),
            decoder: Box::new(CsvDecoder { decoder: builder.build_decoder(), sources, schema }),
        })
    }

    async fn locate(&self, task: &Task, error: ArrowError) -> Error {
        locate::locate(&self.options, task, error).await
    }
}

/// How a file's columns and the table's correspond; none for a file without a line.
pub(super) async fn layout(options: &CsvOptions, input: &Input, schema: &SchemaRef) -> Result<Option<Layout>, Error> {
    let fields = schema.fields();
    if !options.by_name() {
        let positions = (0..fields.len()).map(Some).collect();
        return Ok(Some(Layout { file: Arc::clone(schema), positions }));
    }
    let Some(names) = header(options, input).await? else { return Ok(None) };
    let positions = positions(schema, &names);
    if positions.iter().all(Option::is_none) && !fields.is_empty() {
        return Err(Error::NoCommonColumn { file: input.name.clone(), found: names.join(", ") });
    }
    // A column that the table has not is parsed as text and not looked at.
    let mut file: Vec<Field> = names.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
    for (field, position) in fields.iter().zip(&positions) {
        if let Some(column) = position.and_then(|position| file.get_mut(position)) {
            *column = field.as_ref().clone();
        }
    }
    Ok(Some(Layout { file: Arc::new(Schema::new(file)), positions }))
}

async fn header(options: &CsvOptions, input: &Input) -> Result<Option<Vec<String>>, Error> {
    let mut limit = HEADER_BYTES;
    loop {
        let (bytes, more) = input.head(limit).await?;
        let bytes = options.cleaned(bytes);
        let mut reader = options.records().from_reader(bytes.as_slice());
        let mut record = csv::ByteRecord::new();
        let read = reader.read_byte_record(&mut record).unwrap_or(false);
        let complete = !more || reader.position().byte() < bytes.len() as u64;
        if complete || limit > MAX_HEADER_BYTES {
            let record =
                csv::StringRecord::from_byte_record(record).map_err(|_| super::infer::not_utf8(&input.name, 1))?;
            return Ok(read.then(|| column_names(record.iter())));
        }
        limit *= 16;
    }
}

fn engine(input: &Input, error: ArrowError) -> Error {
    Error::engine(&input.name, error.into())
}

/// Lets the records of a part through and drops blanks after delimiters.
struct CsvFilter {
    records: RecordFilter,
    dialect: Dialect,
    blanks: Blanks,
}

impl CsvFilter {
    fn new(options: &CsvOptions, start: u64, end: u64) -> Self {
        let dialect = options.dialect();
        Self { records: RecordFilter::new(dialect, start, end), dialect, blanks: Blanks::default() }
    }
}

impl Filter for CsvFilter {
    fn push(&mut self, chunk: Bytes) -> Result<Bytes, ArrowError> {
        let kept = self.records.push(chunk);
        if self.dialect.skip_initial_space {
            Ok(self.dialect.without_initial_space(&kept, &mut self.blanks))
        } else {
            Ok(kept)
        }
    }

    fn is_done(&self) -> bool {
        self.records.is_done()
    }

    fn finish(&mut self) -> Result<(), ArrowError> {
        match self.records.is_within_quotes() {
            true => Err(ArrowError::CsvError(locate::NEVER_CLOSED.into())),
            false => Ok(()),
        }
    }
}

/// Arrow's parser, and the order in which the table wants its columns.
struct CsvDecoder {
    decoder: Decoder,
    /// For each wanted column its place among the parsed ones; none: NULLs.
    sources: Vec<Option<usize>>,
    schema: SchemaRef,
}

impl Decode for CsvDecoder {
    fn decode(&mut self, bytes: &[u8]) -> Result<usize, ArrowError> {
        self.decoder.decode(bytes)
    }

    fn flush(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        let Some(batch) = self.decoder.flush()? else { return Ok(None) };
        let rows = batch.num_rows();
        let pairs = self.sources.iter().zip(self.schema.fields());
        let columns: Vec<ArrayRef> = pairs
            .map(|(source, field)| {
                let parsed = source.and_then(|source| batch.columns().get(source));
                parsed.cloned().unwrap_or_else(|| new_null_array(field.data_type(), rows))
            })
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).map(Some)
    }
}

/// The parser of a file without a line.
struct Nothing;

impl Decode for Nothing {
    fn decode(&mut self, bytes: &[u8]) -> Result<usize, ArrowError> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        Ok(None)
    }
}
