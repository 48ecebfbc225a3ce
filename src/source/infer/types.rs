//! The types of several files' columns: the one that holds the values of all, and its name in SQL.

use std::{collections::HashMap, sync::Arc};

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};

use super::Spellings;
use crate::pgtype;

/// The mark of a column of integers that double precision does not hold.
pub(in super::super) const LARGE: &str = "fusewire.large_integers";

/// The mark of a column of days or times that nanoseconds since 1970 do not reach.
pub(in super::super) const FAR: &str = "fusewire.far_times";

/// Adds a file's columns to those seen so far. Columns are matched by name; types widen.
pub(in super::super) fn merge(columns: &mut Vec<Field>, found: &[Arc<Field>]) {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(columns.len());
    for (place, column) in columns.iter().enumerate() {
        places.entry(column.name().clone()).or_insert(place);
    }
    for field in found {
        let place = *places.entry(field.name().clone()).or_insert(columns.len());
        match columns.get_mut(place) {
            None => columns.push(field.as_ref().clone().with_nullable(true)),
            Some(column) => {
                let together = fitting(column, field);
                let mut metadata = column.metadata().clone();
                metadata.extend(field.metadata().clone());
                *column = column.clone().with_data_type(together).with_metadata(metadata);
            }
        }
    }
}

/// The type that holds the values of two columns, by what is known of their values.
fn fitting(left: &Field, right: &Field) -> DataType {
    let has = |field: &Field, mark: &str| field.metadata().contains_key(mark);
    let is_large = |field: &Field| {
        let data_type = field.data_type();
        has(field, LARGE) && is_number(data_type) && !is_wide(data_type)
    };
    let is_fine = |field: &Field| matches!(field.data_type(), DataType::Timestamp(TimeUnit::Nanosecond, _));
    // Integers beyond double precision beside doubles: exact numbers, of nineteen digits behind the point.
    if left.data_type().is_floating() && is_large(right) || right.data_type().is_floating() && is_large(left) {
        return DataType::Decimal128(MAX_DIGITS as u8, 19);
    }
    // No number of 64 bits counts the nanoseconds of one beside the years of the other.
    if is_fine(left) && has(right, FAR) || is_fine(right) && has(left, FAR) {
        return DataType::Utf8View;
    }
    wider(left.data_type(), right.data_type())
}

/// The items of the lists that hold those of both.
fn items(left: &Field, right: &Field) -> Arc<Field> {
    let marks =
        left.metadata().iter().chain(right.metadata()).filter(|(mark, _)| [LARGE, FAR].contains(&mark.as_str()));
    let marks = marks.map(|(mark, value)| (mark.clone(), value.clone()));
    Arc::new(Field::new_list_field(fitting(left, right), true).with_metadata(marks.collect()))
}

/// A column without the marks of its values.
pub(in super::super) fn unmarked(field: &Field) -> Field {
    let inner = |field: &Arc<Field>| Arc::new(unmarked(field));
    let data_type = match field.data_type() {
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect()),
        DataType::List(item) => DataType::List(inner(item)),
        DataType::LargeList(item) => DataType::LargeList(inner(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(inner(item), *size),
        other => other.clone(),
    };
    let mut metadata = field.metadata().clone();
    metadata.retain(|mark, _| ![LARGE, FAR].contains(&mark.as_str()));
    field.clone().with_data_type(data_type).with_metadata(metadata)
}

/// The narrowest type that holds the values of both without losing one. What has nothing else in common has its text.
fn wider(left: &DataType, right: &DataType) -> DataType {
    use DataType::{
        Binary, BinaryView, Date32, Date64, Dictionary, FixedSizeBinary, FixedSizeList, Interval, LargeBinary,
        LargeList, LargeListView, LargeUtf8, List, ListView, Map, Null, Struct, Time32, Time64, Timestamp, Utf8,
        Utf8View,
    };
    match (left, right) {
        (left, right) if left == right => left.clone(),
        (Null, other) | (other, Null) => other.clone(),
        (Dictionary(_, value), other) | (other, Dictionary(_, value)) => wider(value, other),
        (left, right) if is_number(left) && is_number(right) => wider_number(left, right),
        (Utf8 | LargeUtf8 | Utf8View, Utf8 | LargeUtf8 | Utf8View) => Utf8View,
        (
            Binary | LargeBinary | BinaryView | FixedSizeBinary(_),
            Binary | LargeBinary | BinaryView | FixedSizeBinary(_),
        ) => BinaryView,
        (Date32, Date64) | (Date64, Date32) => Date64,
        // In which zone a day begins, a date does not tell.
        (Date32 | Date64, Timestamp(unit, None)) | (Timestamp(unit, None), Date32 | Date64) => Timestamp(*unit, None),
        (Timestamp(left, None), Timestamp(right, None)) => Timestamp(*left.max(right), None),
        (Timestamp(left, Some(zone)), Timestamp(right, Some(other))) => {
            let zone = if zone == other { Some(zone.clone()) } else { utc() };
            Timestamp(*left.max(right), zone)
        }
        (Time32(left) | Time64(left), Time32(right) | Time64(right)) => {
            Time64(*left.max(right).max(&TimeUnit::Microsecond))
        }
        (Interval(_), Interval(_)) => Interval(IntervalUnit::MonthDayNano),
        (
            List(left) | LargeList(left) | FixedSizeList(left, _) | ListView(left) | LargeListView(left),
            List(right) | LargeList(right) | FixedSizeList(right, _) | ListView(right) | LargeListView(right),
        ) => List(items(left, right)),
        (Struct(fields), Struct(others)) => {
            let names = [fields, others].map(|fields| fields.iter().map(|field| field.name().as_str()));
            let spellings = Spellings::of(names);
            let own = spellings.renamed(fields);
            let mut columns: Vec<Field> = own.iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
            merge(&mut columns, &spellings.renamed(others));
            Struct(columns.into())
        }
        (Map(left, _), Map(right, _)) => match (pair(left), pair(right)) {
            (Some((key, value)), Some((other_key, other_value))) => {
                map_of(wider(key.data_type(), other_key.data_type()), wider(value.data_type(), other_value.data_type()))
            }
            _ => Utf8View,
        },
        _ => Utf8View,
    }
}

/// The type of maps, in no order, whose parts are called as those in Arrow files.
pub(in super::super) fn map_of(key: DataType, value: DataType) -> DataType {
    let pair = vec![Field::new("key", key, false), Field::new("value", value, true)];
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(pair.into()), false)), false)
}

/// The key and the value of a map's entries.
pub(in super::super) fn pair(entries: &Field) -> Option<(&Arc<Field>, &Arc<Field>)> {
    match entries.data_type() {
        DataType::Struct(fields) => fields.first().zip(fields.get(1)),
        _ => None,
    }
}

/// The zone of a point in time, which is the same in all of them: its text is that in UTC.
pub(in super::super) fn utc() -> Option<Arc<str>> {
    Some("+00:00".into())
}

/// The type of a column as a table has it: not how its values are packed.
pub(in super::super) fn plain(data_type: &DataType) -> DataType {
    use DataType::{
        Binary, BinaryView, Decimal32, Decimal64, Decimal128, Dictionary, FixedSizeBinary, FixedSizeList, Float16,
        Float32, LargeBinary, LargeList, LargeListView, LargeUtf8, List, ListView, RunEndEncoded, Struct, Timestamp,
        Utf8, Utf8View,
    };
    match data_type {
        Dictionary(_, value) => plain(value),
        RunEndEncoded(_, value) => plain(value.data_type()),
        Utf8 | LargeUtf8 => Utf8View,
        Binary | LargeBinary | FixedSizeBinary(_) => BinaryView,
        Float16 => Float32,
        Timestamp(unit, Some(_)) => Timestamp(*unit, utc()),
        Decimal32(precision, scale) | Decimal64(precision, scale) => Decimal128(*precision, *scale),
        List(item) | LargeList(item) | FixedSizeList(item, _) | ListView(item) | LargeListView(item) => {
            DataType::new_list(plain(item.data_type()), true)
        }
        Struct(fields) => {
            let fields = fields.iter().map(|field| Field::new(field.name(), plain(field.data_type()), true));
            Struct(fields.collect())
        }
        other => other.clone(),
    }
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_integer()
        || data_type.is_floating()
        || matches!(data_type, DataType::Decimal128(..) | DataType::Decimal256(..))
}

/// Whether it is an exact number that may have more digits than most have room for.
fn is_wide(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Decimal256(..))
}

fn wider_number(left: &DataType, right: &DataType) -> DataType {
    use DataType::{Decimal128, Decimal256, Float16, Float32, Float64, Int64, UInt64};
    // The digits before and behind the point of exact numbers.
    let digits = |data_type: &DataType| match data_type {
        Decimal128(precision, scale) | Decimal256(precision, scale) => {
            (i16::from(*precision) - i16::from(*scale), i16::from(*scale))
        }
        UInt64 => (20, 0),
        data_type => match data_type.primitive_width() {
            Some(1) => (3, 0),
            Some(2) => (5, 0),
            Some(4) => (10, 0),
            _ => (19, 0),
        },
    };
    let is_wide = is_wide(left) || is_wide(right);
    // Where there is no room for all digits, text has it.
    let decimal = |whole: i16, fraction: i16| match whole + fraction {
        precision @ 1..=MAX_WIDE_DIGITS if is_wide => Decimal256(precision as u8, fraction as i8),
        precision @ 1..=MAX_DIGITS => Decimal128(precision as u8, fraction as i8),
        _ => DataType::Utf8View,
    };
    match (left, right) {
        (left, right) if left.is_floating() && right.is_floating() => match (left, right) {
            (Float16 | Float32, Float16 | Float32) => Float32,
            _ => Float64,
        },
        (left, right) if left.is_integer() && right.is_integer() => match (left, right) {
            (UInt64, _) | (_, UInt64) => Decimal128(20, 0),
            _ => Int64,
        },
        // Whole numbers that double precision does not hold are told apart where files are merged, and when they are read.
        (exact, float) | (float, exact) if float.is_floating() && exact.is_integer() => Float64,
        (exact, float) | (float, exact) if float.is_floating() => {
            let (whole, fraction) = digits(exact);
            match whole + fraction {
                // Double precision holds fifteen digits.
                ..=15 => Float64,
                // How many a float has behind the point is not known.
                _ if is_wide => DataType::Utf8View,
                _ => decimal(whole, MAX_DIGITS - whole),
            }
        }
        (left, right) => {
            let (left, right) = (digits(left), digits(right));
            decimal(left.0.max(right.0), left.1.max(right.1))
        }
    }
}

/// The most digits of a number that is stored exactly.
const MAX_DIGITS: i16 = 38;
/// The most digits of one that is stored as a wide number.
const MAX_WIDE_DIGITS: i16 = 76;

/// A type in SQL's words, and by Arrow's own name where no column can be declared as such.
pub(in super::super) fn type_name(data_type: &DataType) -> String {
    use DataType::{Decimal32, Decimal64, Decimal128, Decimal256, Duration, Float16, Map, Struct, Timestamp};
    match data_type {
        Struct(_) => "an object".to_owned(),
        Map(..) => "a map".to_owned(),
        DataType::Dictionary(_, value) => type_name(value),
        // Files differ in the digits that times have.
        Timestamp(unit, _) => {
            let digits = match unit {
                TimeUnit::Second => Some(0),
                TimeUnit::Millisecond => Some(3),
                TimeUnit::Microsecond => None,
                TimeUnit::Nanosecond => Some(9),
            };
            pgtype::of(data_type).pg.word(digits)
        }
        Decimal128(precision, scale) | Decimal256(precision, scale) => {
            format!("{}({precision}, {scale})", pgtype::NUMERIC.spelling)
        }
        Float16 | Decimal32(..) | Decimal64(..) | Duration(_) | DataType::RunEndEncoded(..) => data_type.to_string(),
        unsigned if unsigned.is_unsigned_integer() => unsigned.to_string(),
        _ => match pgtype::element(data_type) {
            Some(item) => format!("{}[]", type_name(item)),
            None => pgtype::type_name(data_type),
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn structure(names: &[&str]) -> DataType {
        DataType::Struct(names.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect())
    }

    fn together(types: &[DataType]) -> DataType {
        let mut columns = Vec::new();
        types.iter().for_each(|data_type| merge(&mut columns, &[Arc::new(Field::new("v", data_type.clone(), true))]));
        unmarked(columns.first().unwrap()).data_type().clone()
    }

    fn marked(name: &str, data_type: DataType, mark: &str) -> Arc<Field> {
        Arc::new(Field::new(name, data_type, true).with_metadata([(mark.to_owned(), String::new())].into()))
    }

    #[test]
    fn fields_that_differ_in_case_are_one_unless_an_object_has_both() {
        assert_eq!(
            together(&[structure(&["id"]), structure(&["ID"]), structure(&["Id", "x"])]),
            structure(&["id", "x"])
        );
        assert_eq!(together(&[structure(&["id"]), structure(&["ID", "id"])]), structure(&["id", "ID"]));
        assert_eq!(together(&[structure(&["id", "ID"]), structure(&["ID"])]), structure(&["id", "ID"]));
    }

    #[test]
    fn marks_reach_into_lists_and_structs() {
        let large = DataType::Struct(vec![marked("a", DataType::Int64, LARGE)].into());
        let double = DataType::Struct(vec![Field::new("a", DataType::Float64, true)].into());
        let exact = DataType::Struct(vec![Field::new("a", DataType::Decimal128(38, 19), true)].into());
        assert_eq!(together(&[large, double]), exact);
        let items = DataType::List(marked("item", DataType::Int64, LARGE));
        let doubles = DataType::new_list(DataType::Float64, true);
        let integers = DataType::new_list(DataType::Int64, true);
        let exact = DataType::new_list(DataType::Decimal128(38, 19), true);
        assert_eq!(together(&[integers.clone(), items.clone(), doubles.clone()]), exact);
        assert_eq!(together(&[doubles.clone(), items]), exact);
        assert_eq!(together(&[doubles.clone(), integers]), doubles);
    }

    #[test]
    fn far_times_beside_nanoseconds_are_text() {
        let mut columns = Vec::new();
        merge(&mut columns, &[marked("v", DataType::Timestamp(TimeUnit::Millisecond, None), FAR)]);
        merge(&mut columns, &[Arc::new(Field::new("v", DataType::Timestamp(TimeUnit::Microsecond, None), true))]);
        assert_eq!(columns.first().unwrap().data_type(), &DataType::Timestamp(TimeUnit::Microsecond, None));
        merge(&mut columns, &[Arc::new(Field::new("v", DataType::Timestamp(TimeUnit::Nanosecond, None), true))]);
        assert_eq!(columns.first().unwrap().data_type(), &DataType::Utf8View);
    }

    #[test]
    fn what_has_nothing_in_common_is_text() {
        assert_eq!(together(&[structure(&["id"]), DataType::Utf8]), DataType::Utf8View);
        let item = || Arc::new(Field::new_list_field(DataType::Int64, true));
        let lists = [DataType::FixedSizeList(item(), 2), DataType::ListView(item()), DataType::LargeListView(item())];
        assert_eq!(together(&lists), DataType::List(item()));
        let intervals = [DataType::Interval(IntervalUnit::DayTime), DataType::Interval(IntervalUnit::MonthDayNano)];
        assert_eq!(together(&intervals), DataType::Interval(IntervalUnit::MonthDayNano));
    }
    #[test]
    fn values_of_maps_widen() {
        let found = together(&[map_of(DataType::Utf8, DataType::Int64), map_of(DataType::Utf8, DataType::Float64)]);
        assert_eq!(found, map_of(DataType::Utf8, DataType::Float64));
        assert_eq!(together(&[found, structure(&["id"])]), DataType::Utf8View);
    }

    /// The mark of large integers stays with a column of wide numbers, for which there is no room beside doubles.
    #[test]
    fn wide_numbers_beside_doubles_are_text() {
        let mut columns = Vec::new();
        merge(&mut columns, &[marked("v", DataType::Int64, LARGE)]);
        merge(&mut columns, &[Arc::new(Field::new("v", DataType::Decimal256(50, 5), true))]);
        assert_eq!(columns.first().unwrap().data_type(), &DataType::Decimal256(50, 5));
        merge(&mut columns, &[Arc::new(Field::new("v", DataType::Float64, true))]);
        assert_eq!(columns.first().unwrap().data_type(), &DataType::Utf8View);
    }
}
