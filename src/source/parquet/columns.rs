//! The columns of a Parquet file as a table would have them, and what its statistics tell of their values.

use std::{collections::HashSet, sync::Arc};

use arrow::datatypes::{DataType, FieldRef, IntervalUnit, Schema, TimeUnit};
use datafusion::parquet::{
    basic::LogicalType,
    file::{metadata::ParquetMetaData, statistics::Statistics},
    schema::types::TypePtr,
};

use super::{super::infer, guard::has_whole_intervals};
use crate::print;

/// The columns of a file. Marks say which hold numbers and times that do not fit into every type that others of their kind fit
/// into.
pub(super) fn columns(schema: &Schema, metadata: &ParquetMetaData) -> Vec<FieldRef> {
    let stored = metadata.file_metadata().schema_descr().root_schema().get_fields();
    let is_uuid = |own: &&TypePtr| own.get_basic_info().logical_type_ref() == Some(&LogicalType::Uuid);
    let uuids: HashSet<&str> = stored.iter().filter(is_uuid).map(|own| own.name()).collect();
    let mut leaves = Leaves { metadata, next: 0, has_whole_intervals: has_whole_intervals(metadata) };
    let column = |field: &FieldRef| {
        let found = leaves.field(field);
        let data_type = match (uuids.contains(field.name().as_str()), found.data_type()) {
            (true, _) | (false, DataType::Utf8 | DataType::LargeUtf8) => DataType::Utf8View,
            (false, DataType::Binary | DataType::LargeBinary) => DataType::BinaryView,
            (false, DataType::Timestamp(_, Some(_))) => infer::plain(found.data_type()),
            (false, _) => return found,
        };
        Arc::new(found.as_ref().clone().with_data_type(data_type))
    };
    schema.fields().iter().map(column).collect()
}

/// The leaves of a file's schema, while its columns are walked through.
struct Leaves<'a> {
    metadata: &'a ParquetMetaData,
    /// Which leaf comes next.
    next: usize,
    has_whole_intervals: bool,
}

impl Leaves<'_> {
    fn field(&mut self, field: &FieldRef) -> FieldRef {
        let data_type = match field.data_type() {
            DataType::Struct(fields) => DataType::Struct(fields.iter().map(|field| self.field(field)).collect()),
            DataType::List(item) | DataType::ListView(item) | DataType::LargeListView(item) => {
                DataType::List(self.field(item))
            }
            DataType::LargeList(item) => DataType::LargeList(self.field(item)),
            DataType::FixedSizeList(item, size) => DataType::FixedSizeList(self.field(item), *size),
            DataType::Map(entries, _) => {
                self.field(entries);
                return Arc::clone(field);
            }
            _ => return self.leaf(field),
        };
        if data_type == *field.data_type() {
            return Arc::clone(field);
        }
        Arc::new(field.as_ref().clone().with_data_type(data_type))
    }

    fn leaf(&mut self, field: &FieldRef) -> FieldRef {
        let place = self.next;
        self.next += 1;
        let data_type = match field.data_type() {
            packed @ DataType::Dictionary(..) => infer::plain(packed),
            DataType::Interval(_) if self.has_whole_intervals => DataType::Interval(IntervalUnit::MonthDayNano),
            other => other.clone(),
        };
        let mut metadata = field.metadata().clone();
        let mark = limits(&data_type).filter(|(_, least, greatest)| self.exceeds(place, *least, *greatest));
        metadata.extend(mark.map(|(mark, ..)| (mark.to_owned(), String::new())));
        Arc::new(field.as_ref().clone().with_data_type(data_type).with_metadata(metadata))
    }

    /// Whether a leaf has values outside of limits, as far as statistics tell.
    fn exceeds(&self, place: usize, least: i64, greatest: i64) -> bool {
        let is_outside = |value: Option<i64>| value.is_some_and(|value| !(least..=greatest).contains(&value));
        let chunks = self.metadata.row_groups().iter().filter_map(|group| group.columns().get(place));
        chunks.filter_map(|chunk| chunk.statistics()).any(|found| match found {
            Statistics::Int64(found) => is_outside(found.min_opt().copied()) || is_outside(found.max_opt().copied()),
            Statistics::Int32(found) => {
                is_outside(found.min_opt().copied().map(i64::from))
                    || is_outside(found.max_opt().copied().map(i64::from))
            }
            _ => false,
        })
    }
}

/// The mark of values outside of the limits that follow: integers that double precision does not hold, and days and times that
/// nanoseconds do not reach.
fn limits(data_type: &DataType) -> Option<(&'static str, i64, i64)> {
    const DOUBLE: i64 = 1 << 53;
    const NANOSECONDS: i64 = 1_000_000_000;
    let a_unit = match data_type {
        // The statistics have those of these that are too great as negative ones.
        DataType::UInt64 => return Some((infer::LARGE, 0, DOUBLE)),
        integer if integer.is_integer() => return Some((infer::LARGE, -DOUBLE, DOUBLE)),
        DataType::Date32 => print::a_day(TimeUnit::Nanosecond),
        DataType::Timestamp(unit, _) if *unit != TimeUnit::Nanosecond => NANOSECONDS / print::a_second(*unit),
        _ => return None,
    };
    Some((infer::FAR, i64::MIN / a_unit, i64::MAX / a_unit))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::Field;
    use datafusion::parquet::{
        arrow::parquet_to_arrow_schema,
        file::metadata::{ColumnChunkMetaData, FileMetaData, RowGroupMetaData},
        schema::{parser::parse_message_type, types::SchemaDescriptor},
    };

    use super::*;

    /// The columns of a file whose leaves, all of them integers, have these greatest values.
    fn found(message: &str, greatest: &[i64]) -> Vec<FieldRef> {
        let described = Arc::new(SchemaDescriptor::new(Arc::new(parse_message_type(message).unwrap())));
        let chunks = described.columns().iter().zip(greatest).map(|(leaf, greatest)| {
            let statistics = Statistics::int64(Some(0), Some(*greatest), None, Some(0), false);
            ColumnChunkMetaData::builder(Arc::clone(leaf)).set_statistics(statistics).build().unwrap()
        });
        let group = RowGroupMetaData::builder(Arc::clone(&described)).set_column_metadata(chunks.collect());
        let file = FileMetaData::new(2, 0, None, None, Arc::clone(&described), None);
        let metadata = ParquetMetaData::new(file, vec![group.build().unwrap()]);
        columns(&parquet_to_arrow_schema(&described, None).unwrap(), &metadata)
    }

    #[test]
    fn large_integers_are_told_wherever_they_stand() {
        let message = "message m { optional int64 a; optional group s { optional int64 b; optional int64 c; } \
                       optional group l (LIST) { repeated group list { optional int64 element; } } }";
        let columns = found(message, &[1, 2, (1 << 53) + 1, i64::MAX]);
        let is_large = |field: &Field| field.metadata().contains_key(infer::LARGE);
        let DataType::Struct(fields) = columns.get(1).unwrap().data_type() else { unreachable!("a struct") };
        let DataType::List(item) = columns.get(2).unwrap().data_type() else { unreachable!("a list") };
        let marks: Vec<_> = fields.iter().map(|field| is_large(field)).collect();
        assert_eq!((is_large(columns.first().unwrap()), marks, is_large(item)), (false, vec![false, true], true));
    }

    #[test]
    fn times_that_nanoseconds_do_not_reach_are_told() {
        let message = "message m { optional int64 a (TIMESTAMP(MILLIS,false)); optional int64 b (TIMESTAMP(MILLIS,false)); \
                       optional int64 c (TIMESTAMP(NANOS,false)); }";
        let columns = found(message, &[253_402_214_400_000, 9_000_000_000_000, i64::MAX]);
        let marks: Vec<_> = columns.iter().map(|field| field.metadata().contains_key(infer::FAR)).collect();
        assert_eq!(marks, [true, false, false]);
    }

    #[test]
    fn intervals_have_months() {
        let columns = found("message m { optional fixed_len_byte_array(12) i (INTERVAL); }", &[0]);
        assert_eq!(columns.first().unwrap().data_type(), &DataType::Interval(IntervalUnit::MonthDayNano));
    }
}
