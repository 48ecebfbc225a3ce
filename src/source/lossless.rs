//! Reads columns of another type than the table's, where a file stores them so: each value whole, or an error.

use std::{
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, Decimal128Array, FixedSizeBinaryArray, IntervalMonthDayNanoArray, ListArray,
        RecordBatch, StringBuilder, StructArray, new_null_array,
    },
    compute::{CastOptions, cast_with_options, kernels::cmp::not_distinct},
    datatypes::{
        DataType, Field, FieldRef, Fields, Float64Type, Int64Type, IntervalMonthDayNano, IntervalUnit, Schema,
        SchemaRef, TimeUnit,
    },
    error::ArrowError,
    json::writer::make_encoder,
    util::display::array_value_to_string,
};
use datafusion::{
    common::{
        Result,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    logical_expr::ColumnarValue,
    physical_expr::{PhysicalExpr, expressions::Column},
    physical_expr_adapter::{DefaultPhysicalExprAdapterFactory, PhysicalExprAdapter, PhysicalExprAdapterFactory},
};

use super::{
    columns::{Misfit, column},
    forms::Forms,
    infer::{positions, type_name, utc},
    text::shortened,
    values,
    write::json_options,
};

const STRICT: CastOptions<'static> =
    CastOptions { safe: false, format_options: arrow::util::display::FormatOptions::new() };

/// Makes what reads a file's columns as the table's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lossless;

impl PhysicalExprAdapterFactory for Lossless {
    fn create(&self, table: SchemaRef, file: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        let places = {
            let names: Vec<_> = file.fields().iter().map(|field| field.name().as_str()).collect();
            positions(&table, &names).map_err(|unclear| unclear.in_file("of a table that is read"))?
        };
        // What is absent is the engine's business; names and types are ours, so it sees those of the table.
        let same = file.fields().iter().enumerate().map(|(place, field)| {
            let own = places.iter().position(|found| *found == Some(place));
            match own.and_then(|own| table.fields().get(own)) {
                Some(wanted) => {
                    let named = field.as_ref().clone().with_name(wanted.name());
                    Arc::new(named.with_data_type(wanted.data_type().clone()))
                }
                None => Arc::clone(field),
            }
        });
        let same = Arc::new(Schema::new_with_metadata(same.collect::<Vec<_>>(), file.metadata().clone()));
        let names = DefaultPhysicalExprAdapterFactory.create(Arc::clone(&table), same)?;
        Ok(Arc::new(LosslessAdapter { names, table, file }))
    }
}

#[derive(Debug)]
struct LosslessAdapter {
    names: Arc<dyn PhysicalExprAdapter>,
    table: SchemaRef,
    file: SchemaRef,
}

impl PhysicalExprAdapter for LosslessAdapter {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let found = self.names.rewrite(expr)?;
        let cast = |node: Arc<dyn PhysicalExpr>| {
            let Some(column) = node.downcast_ref::<Column>() else { return Ok(Transformed::no(node)) };
            let stored = self.file.fields().get(column.index());
            let wanted = self.table.fields().find(column.name()).map(|(_, field)| field);
            let (Some(stored), Some(wanted)) = (stored, wanted) else { return Ok(Transformed::no(node)) };
            let is_renamed = stored.name() != column.name();
            // The reader finds a column by the file's own name.
            let own = Arc::new(Column::new(stored.name(), column.index())) as Arc<dyn PhysicalExpr>;
            if stored.data_type() != wanted.data_type() || has_time(stored.data_type()) {
                let cast = WholeCast { column: own, wanted: Arc::clone(wanted) };
                return Ok(Transformed::yes(Arc::new(cast) as Arc<dyn PhysicalExpr>));
            }
            Ok(if is_renamed { Transformed::yes(own) } else { Transformed::no(node) })
        };
        found.transform_up(cast).data()
    }
}

/// A column's values as those of another type.
#[derive(Debug, Clone)]
struct WholeCast {
    column: Arc<dyn PhysicalExpr>,
    wanted: FieldRef,
}

impl PartialEq for WholeCast {
    fn eq(&self, other: &Self) -> bool {
        self.column.eq(&other.column) && self.wanted == other.wanted
    }
}

impl Eq for WholeCast {}

impl Hash for WholeCast {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.column.hash(state);
        self.wanted.hash(state);
    }
}

impl fmt::Display for WholeCast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WHOLE({} AS {})", self.column, type_name(self.wanted.data_type()))
    }
}

impl PhysicalExpr for WholeCast {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(self.wanted.data_type().clone())
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let values = self.column.evaluate(batch)?.into_array(batch.num_rows())?;
        Ok(ColumnarValue::Array(whole(&values, self.wanted.data_type())?))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.column]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let column = children.into_iter().next().unwrap_or_else(|| Arc::clone(&self.column));
        Ok(Arc::new(Self { column, wanted: Arc::clone(&self.wanted) }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The values as those of another type; an error that tells the first one that is none.
pub(super) fn whole(values: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    if values.data_type() == wanted {
        check_times(values)?;
        return Ok(Arc::clone(values));
    }
    match (values.data_type(), wanted) {
        (DataType::Dictionary(_, stored), _) => whole(&cast_with_options(values, stored, &STRICT)?, wanted),
        (DataType::RunEndEncoded(_, stored), _) => {
            whole(&cast_with_options(values, stored.data_type(), &STRICT)?, wanted)
        }
        (DataType::List(_), DataType::List(item)) => {
            let list = values.as_list::<i32>();
            let items = whole(list.values(), item.data_type())?;
            let list = ListArray::try_new(Arc::clone(item), list.offsets().clone(), items, list.nulls().cloned())?;
            Ok(Arc::new(list))
        }
        (
            DataType::LargeList(stored)
            | DataType::FixedSizeList(stored, _)
            | DataType::ListView(stored)
            | DataType::LargeListView(stored),
            DataType::List(_),
        ) => whole(&cast_with_options(values, &DataType::List(Arc::clone(stored)), &STRICT)?, wanted),
        (DataType::Struct(_), DataType::Struct(fields)) => structs(values.as_struct(), fields),
        (stored, _) if is_text(wanted) && (stored.is_list() || matches!(stored, DataType::Struct(_))) => {
            json(values, wanted)
        }
        (DataType::FixedSizeBinary(16), DataType::Utf8 | DataType::Utf8View) => {
            cast_with_options(&uuids(values), wanted, &STRICT)
        }
        // As Parquet has them.
        (DataType::FixedSizeBinary(12), DataType::Interval(IntervalUnit::MonthDayNano)) => {
            intervals(values.as_fixed_size_binary())
        }
        (DataType::Float32 | DataType::Float64, DataType::Decimal128(precision, scale)) => {
            decimals(values, *precision, *scale)
        }
        // A text says a distance to UTC in minutes, and a zone may have had seconds.
        (DataType::Timestamp(unit, Some(zone)), _) if is_text(wanted) && *zone != "+00:00".into() => {
            let in_utc = cast_with_options(values, &DataType::Timestamp(*unit, utc()), &STRICT)?;
            cast_with_options(&in_utc, wanted, &STRICT)
        }
        (DataType::Null, _) => Ok(new_null_array(wanted, values.len())),
        (stored, _) if stored.is_binary() && is_text(wanted) => texts(values, wanted),
        (stored, _) if is_text(stored) && !is_text(wanted) && !wanted.is_nested() => from_texts(values, wanted),
        (stored, _) if stored.is_temporal() && wanted.is_numeric() || stored.is_numeric() && wanted.is_temporal() => {
            Err(misfit(values, wanted, 0))
        }
        _ => {
            check_times(values)?;
            cast_back(values, wanted).ok_or_else(|| first_misfit(values, wanted))
        }
    }
}

/// The values as the cast has them, if they come back from it as they were.
fn cast_back(values: &ArrayRef, wanted: &DataType) -> Option<ArrayRef> {
    let cast = cast_with_options(values, wanted, &STRICT).ok()?;
    if is_text(wanted) || is_wider(values.data_type(), wanted) {
        return Some(cast);
    }
    let back = cast_with_options(&cast, values.data_type(), &STRICT).ok()?;
    (!not_distinct(values, &back).ok()?.has_false()).then_some(cast)
}

/// The error of values that a cast changes, of which it tells the first.
fn first_misfit(values: &ArrayRef, wanted: &DataType) -> ArrowError {
    let is_lost = |row: &usize| values.is_valid(*row) && cast_back(&values.slice(*row, 1), wanted).is_none();
    misfit(values, wanted, (0..values.len()).find(is_lost).unwrap_or_default())
}

/// The error of a value that is none of a type.
fn misfit(values: &ArrayRef, wanted: &DataType, row: usize) -> ArrowError {
    let row = (row..values.len()).find(|row| values.is_valid(*row)).unwrap_or(row);
    let shown = if row < values.len() { array_value_to_string(values, row).ok() } else { None };
    let value = match shown {
        Some(shown) => format!("'{}'", shortened(&shown)),
        None => format!("a value of type {}", type_name(values.data_type())),
    };
    ArrowError::CastError(format!("{value} is not of type {}", type_name(wanted)))
}

/// The error of a value that stands in a field.
fn within(error: ArrowError, field: &str) -> ArrowError {
    match error {
        ArrowError::CastError(reason) => ArrowError::CastError(match reason.strip_prefix("in ") {
            Some(reason) => format!("in {field}.{reason}"),
            None => format!("in {field}, {reason}"),
        }),
        other => other,
    }
}

/// Structs with the fields of others. Fields are found as columns are.
fn structs(stored: &StructArray, fields: &Fields) -> Result<ArrayRef, ArrowError> {
    let names: Vec<_> = stored.fields().iter().map(|field| field.name().as_str()).collect();
    let places = positions(&Schema::new(fields.clone()), &names);
    let places = places.map_err(|unclear| ArrowError::CastError(unclear.among_fields()))?;
    let columns =
        fields.iter().zip(places).map(|(field, place)| match place.and_then(|place| stored.columns().get(place)) {
            Some(column) => whole(column, field.data_type()).map_err(|error| within(error, field.name())),
            None => Ok(new_null_array(field.data_type(), stored.len())),
        });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, stored.nulls().cloned())?))
}

/// Lists and structs as texts: JSON, as JSON files have what has no type but text in common.
fn json(values: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    check_times(values)?;
    let field = Arc::new(Field::new("", values.data_type().clone(), true));
    let options = json_options();
    let mut encoder = make_encoder(&field, values.as_ref(), &options)?;
    let (mut texts, mut text) = (StringBuilder::with_capacity(values.len(), values.len() * 16), Vec::new());
    for row in 0..values.len() {
        if values.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        encoder.encode(row, &mut text);
        texts.append_value(String::from_utf8_lossy(&text));
    }
    cast_with_options(&texts.finish(), wanted, &STRICT)
}

/// Bytes as texts, which they must be.
fn texts(values: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    let bytes = cast_with_options(values, &DataType::Binary, &STRICT)?;
    let bytes = bytes.as_binary::<i32>();
    let mut texts = StringBuilder::with_capacity(bytes.len(), bytes.value_data().len());
    for (row, bytes) in bytes.iter().enumerate() {
        let text = bytes.map(std::str::from_utf8).transpose();
        texts.append_option(text.map_err(|_| misfit(values, wanted, row))?);
    }
    cast_with_options(&texts.finish(), wanted, &STRICT)
}

/// Intervals of which Parquet has the months, the days and the milliseconds.
fn intervals(values: &FixedSizeBinaryArray) -> Result<ArrayRef, ArrowError> {
    let read = |bytes: &[u8]| {
        let (parts, _) = bytes.as_chunks::<4>();
        let &[months, days, milliseconds] = parts else {
            return Err(ArrowError::CastError("an interval has twelve bytes".to_owned()));
        };
        let (months, days) = (u32::from_le_bytes(months), u32::from_le_bytes(days));
        let nanoseconds = i64::from(u32::from_le_bytes(milliseconds)) * 1_000_000;
        match (i32::try_from(months), i32::try_from(days)) {
            (Ok(months), Ok(days)) => Ok(IntervalMonthDayNano::new(months, days, nanoseconds)),
            _ => Err(ArrowError::CastError(format!("{months} months and {days} days {NO_INTERVAL}"))),
        }
    };
    let found = values.iter().map(|bytes| bytes.map(read).transpose()).collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(IntervalMonthDayNanoArray::from(found)))
}

/// Whether there are times of day in values of a type.
pub(super) fn has_time(data_type: &DataType) -> bool {
    match data_type {
        DataType::Time32(_) | DataType::Time64(_) => true,
        DataType::Struct(fields) => fields.iter().any(|field| has_time(field.data_type())),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => has_time(item.data_type()),
        DataType::Dictionary(_, value) => has_time(value),
        _ => false,
    }
}

/// An error if a time of day is none: files may have any number in its place.
fn check_times(values: &ArrayRef) -> Result<(), ArrowError> {
    if !has_time(values.data_type()) {
        return Ok(());
    }
    match values.data_type() {
        DataType::Struct(fields) => {
            let mut columns = fields.iter().zip(values.as_struct().columns());
            columns.try_for_each(|(field, column)| check_times(column).map_err(|error| within(error, field.name())))
        }
        DataType::List(_) => check_times(values.as_list::<i32>().values()),
        DataType::LargeList(_) => check_times(values.as_list::<i64>().values()),
        DataType::ListView(_) => check_times(values.as_list_view::<i32>().values()),
        DataType::LargeListView(_) => check_times(values.as_list_view::<i64>().values()),
        DataType::FixedSizeList(..) => check_times(values.as_fixed_size_list().values()),
        DataType::Map(..) => {
            let map = values.as_map();
            check_times(map.keys())?;
            check_times(map.values())
        }
        DataType::Dictionary(_, value) => check_times(&cast_with_options(values, value, &STRICT)?),
        DataType::Time32(unit) => {
            let numbers = cast_with_options(values, &DataType::Int32, &STRICT)?;
            check_day(&cast_with_options(&numbers, &DataType::Int64, &STRICT)?, *unit)
        }
        DataType::Time64(unit) => check_day(&cast_with_options(values, &DataType::Int64, &STRICT)?, *unit),
        _ => Ok(()),
    }
}

/// An error if one of these numbers since midnight lies outside of a day. The midnight that ends it is 24:00.
fn check_day(numbers: &ArrayRef, unit: TimeUnit) -> Result<(), ArrowError> {
    let (a_second, shown) = match unit {
        TimeUnit::Second => (1, "s"),
        TimeUnit::Millisecond => (1_000, "ms"),
        TimeUnit::Microsecond => (1_000_000, "µs"),
        TimeUnit::Nanosecond => (1_000_000_000, "ns"),
    };
    let day = 0..=86_400 * a_second;
    match numbers.as_primitive::<Int64Type>().iter().flatten().find(|number| !day.contains(number)) {
        Some(outside) => Err(ArrowError::CastError(format!("{outside} {shown} {NO_TIME}"))),
        None => Ok(()),
    }
}

/// What is said of a number that should be a time of day.
pub(super) const NO_TIME: &str = "is no time of day";
/// What is said of months and days that are too many.
pub(super) const NO_INTERVAL: &str = "are out of the range of an interval";

/// Texts as values, by the rules of text files.
fn from_texts(values: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    let texts = cast_with_options(values, &DataType::Utf8, &STRICT)?;
    let texts = texts.as_string::<i32>();
    column(wanted, texts.len(), &Forms::default(), texts.iter().map(|text| text.map(Cow::Borrowed)))
        .map_err(|Misfit(row)| misfit(values, wanted, row))
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Whether no value can be lost.
fn is_wider(stored: &DataType, wanted: &DataType) -> bool {
    let integer_bytes = |data_type: &DataType| data_type.is_integer().then(|| data_type.primitive_width()).flatten();
    match (integer_bytes(stored), integer_bytes(wanted)) {
        (Some(stored_bytes), Some(wanted_bytes)) => {
            stored_bytes < wanted_bytes && (stored.is_unsigned_integer() || wanted.is_signed_integer())
        }
        _ if matches!(stored, DataType::Interval(_)) => wanted == &DataType::Interval(IntervalUnit::MonthDayNano),
        _ => stored.is_binary() && wanted.is_binary(),
    }
}

/// Floats as exact numbers: the one with the fewest digits that is this float.
fn decimals(values: &ArrayRef, precision: u8, scale: i8) -> Result<ArrayRef, ArrowError> {
    let single = values.data_type() == &DataType::Float32;
    let floats = cast_with_options(values, &DataType::Float64, &STRICT)?;
    let places = usize::try_from(scale).unwrap_or_default();
    let limit = 10_i128.checked_pow(u32::from(precision)).unwrap_or(i128::MAX);
    let exact = |value: f64| {
        let text = if single { format!("{:e}", value as f32) } else { format!("{value:e}") };
        values::decimal(&text, places)
            .filter(|value| value.abs() < limit)
            .ok_or_else(|| ArrowError::CastError(format!("'{value}' is not of type numeric({precision}, {scale})")))
    };
    let numbers = floats.as_primitive::<Float64Type>().iter().map(|value| value.map(exact).transpose());
    let numbers: Decimal128Array = numbers.collect::<Result<Vec<_>, _>>()?.into_iter().collect();
    Ok(Arc::new(numbers.with_precision_and_scale(precision, scale)?))
}

/// The text of identifiers of 16 bytes, as RFC 9562 writes them.
fn uuids(values: &ArrayRef) -> ArrayRef {
    let mut texts = StringBuilder::with_capacity(values.len(), values.len() * 36);
    for bytes in values.as_fixed_size_binary() {
        texts.append_option(bytes.map(|bytes| {
            let mut text = String::with_capacity(36);
            for (place, byte) in bytes.iter().enumerate() {
                if matches!(place, 4 | 6 | 8 | 10) {
                    text.push('-');
                }
                text.push_str(&format!("{byte:02x}"));
            }
            text
        }));
    }
    Arc::new(texts.finish())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{
        array::{BinaryArray, Float64Array, Int64Array, StringArray, StringViewArray, Time64MicrosecondArray},
        buffer::OffsetBuffer,
        datatypes::Int32Type,
    };

    use super::*;

    fn failure(values: ArrayRef, wanted: &DataType) -> String {
        match whole(&values, wanted).unwrap_err() {
            ArrowError::CastError(reason) => reason,
            other => other.to_string(),
        }
    }

    fn texts_of(values: ArrayRef) -> Vec<Option<String>> {
        let texts = whole(&values, &DataType::Utf8).unwrap();
        texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
    }

    fn object(fields: Vec<(&str, ArrayRef)>) -> ArrayRef {
        let (fields, columns): (Vec<_>, Vec<_>) = fields
            .into_iter()
            .map(|(name, column)| (Field::new(name, column.data_type().clone(), true), column))
            .unzip();
        Arc::new(StructArray::new(fields.into(), columns, None))
    }

    fn number(value: i64) -> ArrayRef {
        Arc::new(Int64Array::from(vec![value]))
    }

    fn list(items: ArrayRef) -> ArrayRef {
        let (field, length) = (Field::new_list_field(items.data_type().clone(), true), items.len());
        Arc::new(ListArray::new(Arc::new(field), OffsetBuffer::from_lengths([length]), items, None))
    }

    #[test]
    fn the_first_value_that_does_not_fit_is_told() {
        let large: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some((1 << 53) + 1)]));
        assert_eq!(
            failure(Arc::clone(&large), &DataType::Float64),
            "'9007199254740993' is not of type double precision"
        );
        let nested = object(vec![("a", object(vec![("b", Arc::clone(&large))]))]);
        let inner = Fields::from(vec![Field::new("b", DataType::Float64, true)]);
        let wanted = DataType::Struct(vec![Field::new("a", DataType::Struct(inner), true)].into());
        assert_eq!(failure(nested, &wanted), "in a.b, '9007199254740993' is not of type double precision");
        let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![b"ab".as_slice(), b"\xff\x00".as_slice()]));
        assert_eq!(failure(bytes, &DataType::Utf8View), "'ff00' is not of type text");
        let word: ArrayRef = Arc::new(StringArray::from(vec!["7", "x"]));
        assert_eq!(failure(word, &DataType::Int64), "'x' is not of type bigint");
        let long: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(1000)]));
        assert!(failure(long, &DataType::Int64).contains("x…'"));
    }

    #[test]
    fn fields_are_found_whatever_their_case() {
        let own = object(vec![("ID", number(2))]);
        let wanted = |names: &[&str]| {
            DataType::Struct(names.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect())
        };
        let found = |names: &[&str]| {
            let found = whole(&own, &wanted(names)).unwrap();
            let columns = found.as_struct().columns().iter();
            columns.map(|column| column.is_valid(0)).collect::<Vec<_>>()
        };
        assert_eq!(found(&["id"]), [true]);
        assert_eq!(found(&["id", "ID"]), [false, true]);
        let both = object(vec![("ID", number(2)), ("Id", number(3))]);
        let reason = "which field is id cannot be told, because names are the same but for case: ID, Id";
        assert_eq!(failure(both, &wanted(&["id"])), reason);
    }

    #[test]
    fn lists_and_structs_are_json_where_they_are_text() {
        let words = list(Arc::new(StringArray::from(vec![Some("a, b"), None, Some("c")])));
        assert_eq!(texts_of(words), [Some(r#"["a, b",null,"c"]"#.to_owned())]);
        let missing: ArrayRef = Arc::new(Float64Array::from(vec![None]));
        let pair = object(vec![("a", number(9_007_199_254_740_993)), ("b", missing)]);
        assert_eq!(texts_of(pair), [Some(r#"{"a":9007199254740993,"b":null}"#.to_owned())]);
    }

    #[test]
    fn lists_of_every_kind_are_lists() {
        let wanted = DataType::new_list(DataType::Utf8View, true);
        let packed: ArrayRef =
            list(Arc::new(vec!["x", "y", "x"].into_iter().collect::<arrow::array::DictionaryArray<Int32Type>>()));
        let item = |data_type: &DataType| Arc::new(Field::new_list_field(data_type.clone(), true));
        for kind in [
            DataType::ListView(item(&DataType::Utf8)),
            DataType::LargeListView(item(&DataType::Utf8)),
            DataType::LargeList(item(&DataType::Utf8)),
            DataType::FixedSizeList(item(&DataType::Utf8), 3),
        ] {
            let plain = whole(&packed, &DataType::new_list(DataType::Utf8, true)).unwrap();
            let stored = cast_with_options(&plain, &kind, &STRICT).unwrap();
            let found = whole(&stored, &wanted).unwrap();
            let expected = StringViewArray::from(vec!["x", "y", "x"]);
            assert_eq!(found.as_list::<i32>().value(0).as_string_view(), &expected, "{kind}");
        }
    }

    #[test]
    fn times_are_within_a_day() {
        let time = DataType::Time64(TimeUnit::Microsecond);
        let values = |number: i64| -> ArrayRef { Arc::new(Time64MicrosecondArray::from(vec![0, number])) };
        assert!(whole(&values(86_400_000_000), &time).is_ok());
        assert_eq!(failure(values(-1), &time), "-1 µs is no time of day");
        assert_eq!(failure(values(86_400_000_001), &DataType::Utf8), "86400000001 µs is no time of day");
        let nested = object(vec![("t", list(values(-1)))]);
        let own = nested.data_type().clone();
        assert_eq!(failure(nested, &own), "in t, -1 µs is no time of day");
    }

    #[test]
    fn intervals_of_parquet_have_months() {
        let bytes = [1_u32, 2, 3].map(u32::to_le_bytes).concat();
        let too_many = [u32::MAX, 0, 0].map(u32::to_le_bytes).concat();
        let wanted = DataType::Interval(IntervalUnit::MonthDayNano);
        let column = |bytes: &[u8]| -> ArrayRef {
            Arc::new(FixedSizeBinaryArray::try_from_iter(std::iter::once(bytes)).unwrap())
        };
        let found = whole(&column(&bytes), &wanted).unwrap();
        let expected = IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, 2, 3_000_000)]);
        assert_eq!(found.to_data(), expected.to_data());
        let reason = "4294967295 months and 0 days are out of the range of an interval";
        assert_eq!(failure(column(&too_many), &wanted), reason);
    }
}
