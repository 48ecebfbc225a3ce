//! Formats whose files say what columns they have: batches in, the table's columns out.
//!
//! A file's columns are found by their names. One that is stored as another type than the table's is read whole, or is an
//! error; one that the table lacks is an error, too, unless the options say otherwise.

use std::{
    collections::HashSet,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, RecordBatch, new_null_array},
    datatypes::{DataType, Field, Schema, SchemaRef},
    error::ArrowError,
};
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::datasource::{file_format::FileFormatFactory, physical_plan::FileSource, table_schema::TableSchema};
use futures::{StreamExt, TryStreamExt};

use super::{
    Error, Format, Inferred, Options, Sample,
    bytes::{Compression, Input},
    columns::batch_of,
    encoding::Encoding,
    error::misfit,
    forms::Guessed,
    infer::{Places, Spellings, merge, plain, positions, type_name},
    lossless::{trusted, unfit_row},
    options::{self, Refused},
    text::{Fault, Parse, Prepared, Task, TextReader, TextSource, apart},
    trace::{Place, Told},
};

/// The options of these formats.
const OPTIONS: &[(&str, &str)] =
    &[options::UNKNOWN_COLUMNS, options::MISSING_COLUMNS, options::COMPRESSION, options::FILENAME];

/// How many files' columns are looked at at once.
const FILES_AT_ONCE: usize = 16;

/// The bytes of a file on their way to batches.
pub(super) trait Decode: Send {
    /// Takes the file's next bytes.
    fn push(&mut self, bytes: Bytes) -> Result<(), ArrowError>;

    /// Told that the file has ended.
    fn finish(&mut self) -> Result<(), ArrowError>;

    /// The file's columns, once they are known.
    fn schema(&self) -> Option<SchemaRef>;

    /// Told before the first rows which of the file's columns are wanted, and of which types the table's are. The others
    /// may be handed out as nulls.
    fn want(&mut self, _: &[Option<DataType>]) {}

    /// The next rows; none until more bytes come.
    fn next(&mut self) -> Result<Option<RecordBatch>, ArrowError>;
}

/// A value that its column cannot have, as a decoder tells of it, which does not know the file.
#[derive(Debug, thiserror::Error)]
#[error("record {record}, column {column}: '{value}' is not of type {expected}")]
pub(super) struct Misfit {
    /// The number of its record, from 1.
    pub(super) record: u64,
    pub(super) column: String,
    pub(super) value: String,
    /// The column's type in SQL's words.
    pub(super) expected: String,
}

/// A format: its name in `STORED AS`, its name in messages, and what decodes a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) shown: &'static str,
    pub(super) endings: &'static [&'static str],
    pub(super) decoder: fn() -> Box<dyn Decode>,
    /// What of a file is compressed by itself.
    pub(super) compressed: &'static str,
    /// What writes files, if something does.
    pub(super) writers: Option<fn() -> Arc<dyn FileFormatFactory>>,
}

/// A format of such files.
#[derive(Debug)]
pub(super) struct Binary(pub(super) Kind);

#[async_trait]
impl Format for Binary {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn endings(&self) -> &'static [&'static str] {
        self.0.endings
    }

    fn options(&self) -> &'static [(&'static str, &'static str)] {
        OPTIONS
    }

    async fn infer(&self, sample: Sample<'_>, options: Options) -> Result<Inferred, Error> {
        infer(self.0, sample, options).await
    }

    fn writers(&self) -> Option<Arc<dyn FileFormatFactory>> {
        self.0.writers.map(|writers| writers())
    }

    fn compressed(&self) -> Option<&'static str> {
        Some(self.0.compressed)
    }

    fn file_source(&self, options: &Options, schema: TableSchema, place: &str) -> Result<Arc<dyn FileSource>, Error> {
        let refused = Refused::parse(options)?;
        let guessed = Guessed::parse(options);
        let reader = BinaryReader { kind: self.0, compression: compression(options)?, refused, guessed };
        Ok(Arc::new(TextSource::new(Arc::new(reader), options, schema, place)))
    }
}

/// The columns of all files; only as much of them is read as says so.
async fn infer(kind: Kind, sample: Sample<'_>, mut options: Options) -> Result<Inferred, Error> {
    let inputs = sample.inputs(compression(&options)?, Encoding::bytes(), 0);
    options::settle_unknown(&mut options, sample.declared.is_some());
    let looks = inputs.into_iter().map(|input| {
        apart(input.name.clone(), async move { Ok((input.name.clone(), schema_of(kind, &input).await?)) })
    });
    let found: Vec<(String, SchemaRef)> = futures::stream::iter(looks).buffered(FILES_AT_ONCE).try_collect().await?;
    let mut files = Vec::with_capacity(found.len());
    for (file, schema) in found {
        let fields = schema.fields().iter().map(|field| Arc::new(Field::new(field.name(), type_of(field), true)));
        files.push((file, fields.collect::<Vec<_>>()));
    }
    let (columns, told) = together(&files);
    Ok(Inferred { options, schema: Schema::new(columns), told, doubts: Vec::new() })
}

/// The columns of all files, each with its name, and what made their types what they are.
pub(super) fn together(files: &[(String, Vec<Arc<Field>>)]) -> (Vec<Field>, Vec<(String, Told)>) {
    let spellings = Spellings::of(files.iter().map(|(_, fields)| fields.iter().map(|field| field.name().as_str())));
    let (mut columns, mut told) = (Vec::new(), Vec::new());
    for (file, fields) in files {
        merge_told(&mut columns, &mut told, &spellings.renamed(fields), file);
    }
    (columns, told)
}

/// Adds the columns of a file to those seen so far, and notes where it changed the type of one.
fn merge_told(columns: &mut Vec<Field>, told: &mut Vec<(String, Told)>, found: &[Arc<Field>], file: &str) {
    let before: Vec<DataType> = columns.iter().map(|column| column.data_type().clone()).collect();
    merge(columns, found);
    let places = Places::of(found.iter().map(|field| field.name().as_str()));
    for (place, column) in columns.iter().enumerate() {
        match (before.get(place), told.get_mut(place)) {
            (Some(before), Some((_, told))) if before != column.data_type() => {
                let own = places.exact(column.name()).and_then(|place| found.get(place));
                let own = own.map(|field| type_name(field.data_type())).unwrap_or_default();
                told.forced = Some((own, Place::File(file.to_owned())));
            }
            (Some(_), _) => {}
            (None, _) => told.push((column.name().clone(), Told::default())),
        }
    }
}

fn compression(options: &Options) -> Result<Compression, Error> {
    Compression::parse(options.get(options::COMPRESSION.0).map(String::as_str))
}

async fn schema_of(kind: Kind, input: &Input) -> Result<SchemaRef, Error> {
    let failed = |error: ArrowError| Error::unreadable(kind.shown, &input.name, error.into());
    let mut decoder = (kind.decoder)();
    let mut chunks = input.chunks(0).await?.stream;
    let mut is_empty = true;
    while let Some(chunk) = chunks.try_next().await? {
        is_empty = false;
        caught(|| decoder.push(chunk)).map_err(failed)?;
        if let Some(schema) = decoder.schema() {
            check(&schema).map_err(failed)?;
            return Ok(schema);
        }
    }
    if is_empty {
        return Err(Error::EmptyFile { file: input.name.clone() });
    }
    caught(|| decoder.finish()).map_err(failed)?;
    let schema = decoder.schema().ok_or_else(|| failed(ArrowError::ParseError("it says no columns".to_owned())))?;
    check(&schema).map_err(failed)?;
    Ok(schema)
}

/// What a decoder does with bytes of which it trusts too much.
fn caught<T>(decode: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, ArrowError> {
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(ArrowError::ParseError("its parts contradict one another".to_owned())))
}

/// The type of a column as a table has it.
fn type_of(field: &Field) -> DataType {
    match (field.extension_type_name(), field.data_type()) {
        (Some("arrow.uuid"), DataType::FixedSizeBinary(16)) => DataType::Utf8View,
        (_, data_type) => plain(data_type),
    }
}

/// What of a file's columns no table can have.
pub(super) fn check(schema: &Schema) -> Result<(), ArrowError> {
    let mut seen = HashSet::new();
    for field in schema.fields() {
        let name = field.name();
        if !seen.insert(name) {
            return Err(ArrowError::SchemaError(format!("two of its columns are called {name}")));
        }
        if has_union(field.data_type()) {
            let reason = format!("its column {name} is a union, of values of several types, which is not supported");
            return Err(ArrowError::SchemaError(reason));
        }
    }
    Ok(())
}

fn has_union(data_type: &DataType) -> bool {
    match data_type {
        DataType::Union(..) => true,
        DataType::Struct(fields) => fields.iter().any(|field| has_union(field.data_type())),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => has_union(item.data_type()),
        DataType::Dictionary(_, value) => has_union(value),
        DataType::RunEndEncoded(_, value) => has_union(value.data_type()),
        _ => false,
    }
}

struct BinaryReader {
    kind: Kind,
    compression: Compression,
    refused: Refused,
    guessed: Guessed,
}

impl fmt::Debug for BinaryReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the reader of {}", self.kind.name)
    }
}

#[async_trait]
impl TextReader for BinaryReader {
    fn name(&self) -> &'static str {
        self.kind.name
    }

    fn compression(&self) -> Compression {
        self.compression
    }

    async fn prepare(&self, task: &Task) -> Result<Prepared, Error> {
        let parser = BinaryParser {
            decoder: (self.kind.decoder)(),
            kind: self.kind,
            table: Arc::clone(&task.schema),
            width: task.width,
            schema: task.project(&task.columns)?,
            refused: self.refused,
            guessed: self.guessed.clone(),
            columns: task.columns.clone(),
            places: None,
            rows: 0,
            file: task.input.name.clone(),
        };
        Ok(Prepared { chunks: task.input.chunks(0).await?.stream, parser: Box::new(parser) })
    }
}

/// Reads the columns that are wanted of a file.
struct BinaryParser {
    decoder: Box<dyn Decode>,
    kind: Kind,
    table: SchemaRef,
    /// How many of these columns precede the keys of directories.
    width: usize,
    schema: SchemaRef,
    refused: Refused,
    guessed: Guessed,
    /// Which of the table's columns are wanted, in this order.
    columns: Vec<usize>,
    /// Where each of these stands in the file; none: nowhere, or not known before the first rows.
    places: Option<Vec<Option<usize>>>,
    /// How many rows were read.
    rows: u64,
    file: String,
}

impl BinaryParser {
    fn failed(&self, error: ArrowError) -> Fault {
        if let ArrowError::ExternalError(found) = &error
            && let Some(Misfit { record, column, value, expected }) = found.downcast_ref::<Misfit>()
        {
            let (file, record, column) = (self.file.clone(), *record, column.clone());
            return typed(Error::InvalidRecord {
                file,
                record,
                column,
                value: value.clone(),
                expected: expected.clone(),
            });
        }
        typed(Error::unreadable(self.kind.shown, &self.file, error.into()))
    }

    /// Tells the decoder which columns are wanted, as soon as it knows the file's. What is wrong with these is told with
    /// the first rows: a file without any has no value that could be lost.
    fn want(&mut self) {
        if self.places.is_some() {
            return;
        }
        let Some(stored) = self.decoder.schema() else { return };
        let Ok(places) = self.places(&stored) else { return };
        let mut wanted = vec![None; stored.fields().len()];
        for (place, field) in places.iter().zip(self.schema.fields()) {
            let own = place.and_then(|place| stored.fields().get(place)).map(|own| own.data_type());
            // Texts that are looked at must still be texts.
            let own = own.filter(|own| own.is_string() && self.guessed.has(field.name()));
            if let Some(wanted) = place.and_then(|place| wanted.get_mut(place)) {
                *wanted = Some(own.unwrap_or(field.data_type()).clone());
            }
        }
        self.decoder.want(&wanted);
        self.places = Some(places);
    }

    /// Where the wanted columns stand in the file.
    fn places(&self, stored: &Schema) -> Result<Vec<Option<usize>>, Fault> {
        check(stored).map_err(|error| self.failed(error))?;
        let names: Vec<_> = stored.fields().iter().map(|field| field.name().as_str()).collect();
        let found = found_columns(&self.table, self.width, &names, self.refused, &self.file).map_err(typed)?;
        Ok(self.columns.iter().map(|column| found.get(*column).copied().flatten()).collect())
    }

    fn adapted(&mut self, batch: &RecordBatch) -> Result<RecordBatch, Fault> {
        let places = match self.places.take() {
            Some(places) => places,
            None => self.places(batch.schema_ref())?,
        };
        let adapted = self.adapted_at(&places, batch);
        self.places = Some(places);
        self.rows += batch.num_rows() as u64;
        adapted
    }

    /// The error of a column with a value that is none of the table's, told of the first such row.
    fn unfit(&self, column: &ArrayRef, field: &Field, error: ArrowError) -> Error {
        let (file, error) = match unfit_row(column, field.data_type(), self.guessed.has(field.name())) {
            Some((row, error)) => (format!("{}, row {}", self.file, self.rows + row as u64 + 1), error),
            None => (self.file.clone(), error),
        };
        let (found, expected) = (type_name(column.data_type()), type_name(field.data_type()));
        let misfit = misfit(&expected, &error);
        Error::UnfitColumn { file, column: field.name().clone(), found, expected, misfit }
    }

    fn adapted_at(&self, places: &[Option<usize>], batch: &RecordBatch) -> Result<RecordBatch, Fault> {
        let mut columns = Vec::with_capacity(places.len());
        for (place, field) in places.iter().zip(self.schema.fields()) {
            let Some(column) = place.and_then(|place| batch.columns().get(place)) else {
                columns.push(new_null_array(field.data_type(), batch.num_rows()));
                continue;
            };
            let array = trusted(column, field.data_type(), self.guessed.has(field.name()));
            columns.push(array.map_err(|error| typed(self.unfit(column, field, error)))?);
        }
        Ok(batch_of(&self.schema, columns, batch.num_rows())?)
    }
}

/// Where in a file each of the table's columns stands; an error if it has none of them, or others that are refused. Behind
/// so many columns there are keys of directories, which the file may have.
pub(super) fn found_columns(
    table: &Schema,
    width: usize,
    names: &[impl AsRef<str>],
    refused: Refused,
    file: &str,
) -> Result<Vec<Option<usize>>, Error> {
    let found = positions(table, names).map_err(|unclear| unclear.in_file(file))?;
    let known: HashSet<usize> = found.iter().copied().flatten().collect();
    let mut others = names.iter().enumerate().filter(|(place, _)| !known.contains(place));
    if let Some((_, column)) = others.next().filter(|_| refused.others) {
        return Err(Error::UnknownColumn { file: file.to_owned(), line: None, column: column.as_ref().to_owned() });
    }
    if found.iter().all(Option::is_none) && !found.is_empty() {
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        return Err(Error::NoCommonColumn { file: file.to_owned(), line: None, found: names.join(", ") });
    }
    if refused.missing {
        check_missing(table, found.get(..width).unwrap_or_default(), file)?;
    }
    Ok(found)
}

/// Refuses a file that lacks a column of its table, of which it is the only file.
pub(super) fn check_missing(table: &Schema, found: &[Option<usize>], file: &str) -> Result<(), Error> {
    let mut missing = found.iter().zip(table.fields()).filter(|(place, _)| place.is_none());
    match missing.next() {
        Some((_, field)) => Err(Error::LostColumn { file: file.to_owned(), column: field.name().clone() }),
        None => Ok(()),
    }
}

/// An error that knows its file, as a parser returns it.
pub(super) fn typed(error: Error) -> Fault {
    Fault::Unplaced(ArrowError::ExternalError(Box::new(error)))
}

impl Parse for BinaryParser {
    fn push(&mut self, chunk: Bytes) -> Result<(), Fault> {
        caught(|| self.decoder.push(chunk)).map_err(|error| self.failed(error))
    }

    fn finish(&mut self) -> Result<(), Fault> {
        caught(|| self.decoder.finish()).map_err(|error| self.failed(error))
    }

    fn is_done(&self) -> bool {
        false
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, Fault> {
        self.want();
        match caught(|| self.decoder.next()) {
            Ok(Some(batch)) => self.adapted(&batch).map(Some),
            Ok(None) => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }
}
