//! Keeps the Parquet reader from taking on trust what a file says of its columns.
//!
//! The reader checks that bytes are UTF-8 only where the file itself marks them so. It makes text of others, too: of those that
//! the table has as text, of JSON, and where the Arrow schema that a writer left in the file says text; what is no text is
//! then undefined behaviour in whatever reads it. Intervals of months, days and milliseconds it takes for days and
//! milliseconds. Both are mended in the file's metadata before the reader sees it: what becomes text is marked as UTF-8,
//! and an interval is its twelve bytes, which are read where other types become the table's.

use std::{ops::Range, sync::Arc};

use arrow::datatypes::{DataType, Schema, SchemaRef};
use bytes::Bytes;
use datafusion::{
    common::Result,
    datasource::{
        listing::PartitionedFile,
        physical_plan::parquet::{ParquetFileReaderFactory, apply_file_schema_type_coercions},
    },
    parquet::{
        arrow::{
            ARROW_SCHEMA_META_KEY, arrow_reader::ArrowReaderOptions, async_reader::AsyncFileReader,
            parquet_to_arrow_schema,
        },
        basic::{ConvertedType, LogicalType, Type as Stored},
        errors::{ParquetError, Result as ParquetResult},
        file::metadata::{FileMetaData, KeyValue, ParquetMetaData, ParquetMetaDataBuilder},
        schema::types::{BasicTypeInfo, ColumnDescriptor, SchemaDescriptor, Type, TypePtr},
    },
    physical_plan::metrics::ExecutionPlanMetricsSet,
};
use futures::{FutureExt, future::BoxFuture};

use super::super::lossless::has_time;

/// A mark in a file's metadata that tells its schema from the table's: the reader casts nothing where both are the same, and
/// times of day are checked where values are cast.
const CHECKED: &str = "fusewire.checked";

/// Makes readers of files that see their metadata mended.
#[derive(Debug)]
pub(in super::super) struct Guarded {
    readers: Arc<dyn ParquetFileReaderFactory>,
    table: SchemaRef,
}

impl Guarded {
    /// Readers for a scan into columns of a table.
    pub(in super::super) fn new(readers: Arc<dyn ParquetFileReaderFactory>, table: SchemaRef) -> Self {
        Self { readers, table }
    }
}

impl ParquetFileReaderFactory for Guarded {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let reader = self.readers.create_reader(partition, file, metadata_size_hint, metrics)?;
        Ok(Box::new(GuardedReader { reader, table: Arc::clone(&self.table) }))
    }
}

struct GuardedReader {
    reader: Box<dyn AsyncFileReader + Send>,
    table: SchemaRef,
}

impl AsyncFileReader for GuardedReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        (*self.reader).get_bytes(range)
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        (*self.reader).get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        let table = Arc::clone(&self.table);
        let found = (*self.reader).get_metadata(options);
        async move { mended(found.await?, &table) }.boxed()
    }
}

/// Whether a file's intervals are those of Parquet: a writer that left its Arrow schema had other ones.
pub(super) fn has_whole_intervals(metadata: &ParquetMetaData) -> bool {
    let notes = metadata.file_metadata().key_value_metadata();
    !notes.is_some_and(|notes| notes.iter().any(|note| note.key == ARROW_SCHEMA_META_KEY))
}

/// The metadata as the reader shall see it.
fn mended(metadata: Arc<ParquetMetaData>, table: &Schema) -> ParquetResult<Arc<ParquetMetaData>> {
    let own = metadata.file_metadata();
    let is_doubtful = own.schema_descr().columns().iter().any(|leaf| is_doubtful(leaf));
    let is_checked = table.fields().iter().any(|field| has_time(field.data_type()));
    if !is_doubtful && !is_checked {
        return Ok(metadata);
    }
    let described = if is_doubtful { marked(&metadata, table)? } else { None };
    if described.is_none() && !is_checked {
        return Ok(metadata);
    }
    let mut notes = own.key_value_metadata().cloned();
    if is_checked {
        notes.get_or_insert_default().push(KeyValue::new(CHECKED.to_owned(), String::new()));
    }
    let described = described.map_or_else(|| own.schema_descr_ptr(), Arc::new);
    let author = own.created_by().map(str::to_owned);
    let file = FileMetaData::new(own.version(), own.num_rows(), author, notes, described, own.column_orders().cloned());
    let mended = ParquetMetaDataBuilder::new(file)
        .set_row_groups(metadata.row_groups().to_vec())
        .set_column_index(metadata.column_index().cloned())
        .set_offset_index(metadata.offset_index().cloned());
    Ok(Arc::new(mended.build()))
}

fn is_doubtful(leaf: &ColumnDescriptor) -> bool {
    match leaf.physical_type() {
        Stored::BYTE_ARRAY => leaf.converted_type() != ConvertedType::UTF8,
        Stored::FIXED_LEN_BYTE_ARRAY => leaf.converted_type() == ConvertedType::INTERVAL,
        _ => false,
    }
}

/// A file's schema in which all that the reader makes text of is marked as such, and intervals are bytes; none if it is so
/// already.
fn marked(metadata: &ParquetMetaData, table: &Schema) -> ParquetResult<Option<SchemaDescriptor>> {
    let own = metadata.file_metadata();
    let described = own.schema_descr();
    let read = parquet_to_arrow_schema(described, own.key_value_metadata())?;
    let read = apply_file_schema_type_coercions(table, &read).unwrap_or(read);
    let mut texts = Vec::with_capacity(described.num_columns());
    read.fields().iter().for_each(|field| note_texts(field.data_type(), &mut texts));
    if texts.len() != described.num_columns() {
        return Err(ParquetError::General("its columns are not those of its schema".to_owned()));
    }
    let frees_intervals = has_whole_intervals(metadata);
    let mut texts = texts.into_iter();
    let mut is_changed = false;
    let mut mend = |leaf: &TypePtr| {
        let mended = mended_leaf(leaf, texts.next() == Some(true), frees_intervals)?;
        is_changed |= !Arc::ptr_eq(&mended, leaf);
        Ok(mended)
    };
    let root = mended_type(&described.root_schema_ptr(), &mut mend)?;
    Ok(is_changed.then(|| SchemaDescriptor::new(root)))
}

/// Notes which leaves of a type are read as text, in their order.
fn note_texts(data_type: &DataType, texts: &mut Vec<bool>) {
    match data_type {
        DataType::Struct(fields) => fields.iter().for_each(|field| note_texts(field.data_type(), texts)),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => note_texts(item.data_type(), texts),
        DataType::Dictionary(_, value) => texts.push(value.is_string()),
        leaf => texts.push(leaf.is_string()),
    }
}

/// A type whose leaves are mended.
fn mended_type(own: &TypePtr, mend: &mut impl FnMut(&TypePtr) -> ParquetResult<TypePtr>) -> ParquetResult<TypePtr> {
    if own.is_primitive() {
        return mend(own);
    }
    let fields = own.get_fields().iter().map(|field| mended_type(field, &mut *mend));
    let fields = fields.collect::<ParquetResult<Vec<_>>>()?;
    let info = own.get_basic_info();
    let group = Type::group_type_builder(own.name())
        .with_converted_type(info.converted_type())
        .with_logical_type(info.logical_type_ref().cloned())
        .with_fields(fields)
        .with_id(id_of(info));
    let group = if info.has_repetition() { group.with_repetition(info.repetition()) } else { group };
    Ok(Arc::new(group.build()?))
}

fn mended_leaf(own: &TypePtr, is_text: bool, frees_intervals: bool) -> ParquetResult<TypePtr> {
    let info = own.get_basic_info();
    let builder = Type::primitive_type_builder(own.name(), own.get_physical_type()).with_id(id_of(info));
    let builder = if info.has_repetition() { builder.with_repetition(info.repetition()) } else { builder };
    let mended = match (own.get_physical_type(), info.converted_type()) {
        (Stored::BYTE_ARRAY, converted) if is_text && converted != ConvertedType::UTF8 => {
            builder.with_logical_type(Some(LogicalType::String)).build()?
        }
        (Stored::FIXED_LEN_BYTE_ARRAY, ConvertedType::INTERVAL) if frees_intervals => {
            builder.with_length(INTERVAL_BYTES).build()?
        }
        _ => return Ok(Arc::clone(own)),
    };
    Ok(Arc::new(mended))
}

/// The bytes of an interval.
const INTERVAL_BYTES: i32 = 12;

fn id_of(info: &BasicTypeInfo) -> Option<i32> {
    info.has_id().then(|| info.id())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::Field;
    use datafusion::parquet::schema::parser::parse_message_type;

    use super::*;

    fn metadata(message: &str, notes: Option<Vec<KeyValue>>) -> Arc<ParquetMetaData> {
        let described = SchemaDescriptor::new(Arc::new(parse_message_type(message).unwrap()));
        let file = FileMetaData::new(2, 0, None, notes, Arc::new(described), None);
        Arc::new(ParquetMetaData::new(file, Vec::new()))
    }

    fn read_as(message: &str, table: &Schema) -> Vec<DataType> {
        let mended = mended(metadata(message, None), table).unwrap();
        let own = mended.file_metadata();
        let schema = parquet_to_arrow_schema(own.schema_descr(), own.key_value_metadata()).unwrap();
        schema.fields().iter().map(|field| field.data_type().clone()).collect()
    }

    /// Symptom: bytes that are no text crashed `upper`. Cause: the reader made text of them, unchecked, as the table has text.
    #[test]
    fn what_becomes_text_is_marked_as_text() {
        let message = "message m { optional binary a; optional binary b; optional binary j (JSON); \
                       optional group s { optional binary k (JSON); optional binary c; } }";
        let table = Schema::new(vec![
            Field::new("a", DataType::Utf8View, true),
            Field::new("b", DataType::BinaryView, true),
            Field::new("j", DataType::Utf8View, true),
        ]);
        let mended = mended(metadata(message, None), &table).unwrap();
        let leaves = mended.file_metadata().schema_descr().columns();
        let kinds: Vec<_> = leaves.iter().map(|leaf| leaf.converted_type()).collect();
        let (text, bytes) = (ConvertedType::UTF8, ConvertedType::NONE);
        assert_eq!(kinds, [text, bytes, text, text, bytes]);
    }

    #[test]
    fn intervals_are_their_bytes_unless_the_writer_had_others() {
        let message = "message m { optional fixed_len_byte_array(12) i (INTERVAL); }";
        assert_eq!(read_as(message, &Schema::empty()), [DataType::FixedSizeBinary(12)]);
        let noted = metadata(message, Some(vec![KeyValue::new(ARROW_SCHEMA_META_KEY.to_owned(), String::new())]));
        assert!(!has_whole_intervals(&noted) && has_whole_intervals(&metadata(message, None)));
    }

    #[test]
    fn a_file_without_doubt_is_left_alone() {
        let message =
            "message m { optional int64 a; optional binary s (STRING); optional int64 t (TIME(MICROS,true)); }";
        let found = metadata(message, None);
        let table = Schema::new(vec![Field::new("a", DataType::Int64, true)]);
        assert!(Arc::ptr_eq(&mended(Arc::clone(&found), &table).unwrap(), &found));
        let timed = Schema::new(vec![Field::new("t", DataType::Time64(arrow::datatypes::TimeUnit::Microsecond), true)]);
        let marked = mended(Arc::clone(&found), &timed).unwrap();
        assert_eq!(marked.file_metadata().key_value_metadata().unwrap().len(), 1);
    }
}
