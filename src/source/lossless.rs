//! Reads columns of another type than the table's, where a file stores them so: each value whole, or an error.

mod doubts;
mod nested;
mod times;

use std::{
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, Decimal128Array, ListArray, RecordBatch, StringBuilder, UInt64Array, new_null_array,
    },
    compute::{CastOptions, cast_with_options, kernels::cmp::not_distinct, take},
    datatypes::{DataType, FieldRef, Float64Type, IntervalUnit, Schema, SchemaRef},
    error::ArrowError,
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
    forms::{Forms, Guessed},
    infer::{inverted, positions, type_name, utc},
    text::shortened,
    values,
};
pub(super) use doubts::trusted;
use nested::{json_texts, structs, whole_map};
pub(super) use times::{NO_INTERVAL, NO_TIME, has_time, whole_interval};
use times::{by_clocks, check_times, intervals};

const STRICT: CastOptions<'static> =
    CastOptions { safe: false, format_options: arrow::util::display::FormatOptions::new() };

/// Makes what reads a file's columns as the table's.
#[derive(Debug, Clone)]
pub(super) struct Lossless {
    pub(super) guessed: Guessed,
}

impl PhysicalExprAdapterFactory for Lossless {
    fn create(&self, table: SchemaRef, file: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        let places = {
            let names: Vec<_> = file.fields().iter().map(|field| field.name().as_str()).collect();
            positions(&table, &names).map_err(|unclear| unclear.in_file("of a table that is read"))?
        };
        // What is absent is the engine's business; names and types are ours, so it sees those of the table.
        let owners = inverted(&places, file.fields().len()).into_iter();
        let wanted: Vec<_> = owners.map(|owner| table.fields().get(owner?).cloned()).collect();
        let same = file.fields().iter().zip(&wanted).map(|(field, wanted)| match wanted {
            Some(wanted) => {
                let named = field.as_ref().clone().with_name(wanted.name());
                Arc::new(named.with_data_type(wanted.data_type().clone()))
            }
            None => Arc::clone(field),
        });
        let same = Arc::new(Schema::new_with_metadata(same.collect::<Vec<_>>(), file.metadata().clone()));
        let names = DefaultPhysicalExprAdapterFactory.create(table, same)?;
        Ok(Arc::new(LosslessAdapter { names, file, wanted, guessed: self.guessed.clone() }))
    }
}

#[derive(Debug)]
struct LosslessAdapter {
    names: Arc<dyn PhysicalExprAdapter>,
    file: SchemaRef,
    /// For each of the file's columns the table's that it is.
    wanted: Vec<Option<FieldRef>>,
    guessed: Guessed,
}

impl PhysicalExprAdapter for LosslessAdapter {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let found = self.names.rewrite(expr)?;
        let cast = |node: Arc<dyn PhysicalExpr>| {
            let Some(column) = node.downcast_ref::<Column>() else { return Ok(Transformed::no(node)) };
            let stored = self.file.fields().get(column.index());
            let wanted = self.wanted.get(column.index()).and_then(Option::as_ref);
            let (Some(stored), Some(wanted)) = (stored, wanted) else { return Ok(Transformed::no(node)) };
            let is_renamed = stored.name() != column.name();
            // The reader finds a column by the file's own name.
            let own = Arc::new(Column::new(stored.name(), column.index())) as Arc<dyn PhysicalExpr>;
            if is_converted(stored.data_type(), wanted.data_type()) {
                let doubts = self.guessed.has(wanted.name());
                let cast = WholeCast { column: own, wanted: Arc::clone(wanted), doubts };
                return Ok(Transformed::yes(Arc::new(cast) as Arc<dyn PhysicalExpr>));
            }
            Ok(if is_renamed { Transformed::yes(own) } else { Transformed::no(node) })
        };
        found.transform_up(cast).data()
    }
}

/// Whether a column of a stored type goes through [`whole`] to be of the wanted one. Times of day do in any case.
pub(super) fn is_converted(stored: &DataType, wanted: &DataType) -> bool {
    stored != wanted || has_time(stored)
}

/// A column's values as those of another type.
#[derive(Debug, Clone)]
struct WholeCast {
    column: Arc<dyn PhysicalExpr>,
    wanted: FieldRef,
    /// Whether the type was guessed by other files.
    doubts: bool,
}

impl PartialEq for WholeCast {
    fn eq(&self, other: &Self) -> bool {
        self.column.eq(&other.column) && self.wanted == other.wanted && self.doubts == other.doubts
    }
}

impl Eq for WholeCast {}

impl Hash for WholeCast {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.column.hash(state);
        self.wanted.hash(state);
        self.doubts.hash(state);
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
        Ok(ColumnarValue::Array(trusted(&values, self.wanted.data_type(), self.doubts)?))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.column]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let column = children.into_iter().next().unwrap_or_else(|| Arc::clone(&self.column));
        Ok(Arc::new(Self { column, wanted: Arc::clone(&self.wanted), doubts: self.doubts }))
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
        (DataType::Map(..), DataType::Map(entries, ordered)) => whole_map(values.as_map(), entries, *ordered),
        (stored, _) if stored.is_nested() && wanted.is_string() => json_texts(values, wanted),
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
        (DataType::Timestamp(unit, Some(zone)), _) if wanted.is_string() && *zone != "+00:00".into() => {
            let in_utc = cast_with_options(values, &DataType::Timestamp(*unit, utc()), &STRICT)?;
            cast_with_options(&in_utc, wanted, &STRICT)
        }
        (DataType::Timestamp(_, None), DataType::Timestamp(unit, Some(zone))) => by_clocks(values, *unit, zone, wanted),
        // What clocks showed, where there is no zone, depends on where they were.
        (DataType::Timestamp(_, Some(_)), DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64) => {
            Err(misfit(values, wanted, 0))
        }
        (DataType::Null, _) => Ok(new_null_array(wanted, values.len())),
        (stored, _) if stored.is_binary() && wanted.is_string() => texts(values, wanted),
        (stored, _) if stored.is_string() && !wanted.is_string() && !wanted.is_nested() => from_texts(values, wanted),
        (stored, _) if stored.is_temporal() && wanted.is_numeric() || stored.is_numeric() && wanted.is_temporal() => {
            Err(misfit(values, wanted, 0))
        }
        _ => {
            check_times(values)?;
            cast_back(values, wanted).ok_or_else(|| first_misfit(values, wanted))
        }
    }
}

/// The first row whose value is none of a type, and what is wrong with it.
pub(super) fn unfit_row(values: &ArrayRef, wanted: &DataType, doubts: bool) -> Option<(usize, ArrowError)> {
    // A slice of lists would still have the items of all.
    let alone = |row: usize| {
        let value = take(values.as_ref(), &UInt64Array::from(vec![row as u64]), None).ok()?;
        trusted(&value, wanted, doubts).err().map(|error| (row, error))
    };
    (0..values.len()).find_map(alone)
}

/// The values as the cast has them, if they come back from it as they were.
fn cast_back(values: &ArrayRef, wanted: &DataType) -> Option<ArrayRef> {
    let cast = cast_with_options(values, wanted, &STRICT).ok()?;
    if wanted.is_string() || is_wider(values.data_type(), wanted) {
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

/// The error of a value that is none of a type: that of the row, or the next one that has a value.
fn misfit(values: &ArrayRef, wanted: &DataType, row: usize) -> ArrowError {
    let row = (row..values.len()).find(|row| values.is_valid(*row));
    let value = match row.and_then(|row| array_value_to_string(values, row).ok()) {
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

/// Texts as values, by the rules of text files.
fn from_texts(values: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    let texts = cast_with_options(values, &DataType::Utf8, &STRICT)?;
    let texts = texts.as_string::<i32>();
    column(wanted, texts.len(), &Forms::default(), texts.iter().map(|text| text.map(Cow::Borrowed)))
        .map_err(|Misfit(row)| misfit(values, wanted, row))
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
        array::{BinaryArray, Int64Array, StringArray, StringViewArray, StructArray},
        buffer::OffsetBuffer,
        datatypes::{Field, Fields, Int32Type},
    };

    use super::*;

    pub(super) fn failure(values: ArrayRef, wanted: &DataType) -> String {
        match whole(&values, wanted).unwrap_err() {
            ArrowError::CastError(reason) => reason,
            other => other.to_string(),
        }
    }

    pub(super) fn object(fields: Vec<(&str, ArrayRef)>) -> ArrayRef {
        let (fields, columns): (Vec<_>, Vec<_>) = fields
            .into_iter()
            .map(|(name, column)| (Field::new(name, column.data_type().clone(), true), column))
            .unzip();
        Arc::new(StructArray::new(fields.into(), columns, None))
    }

    pub(super) fn number(value: i64) -> ArrayRef {
        Arc::new(Int64Array::from(vec![value]))
    }

    pub(super) fn list(items: ArrayRef) -> ArrayRef {
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

    /// Symptom: the first row was blamed for an item of a later one. Cause: a slice of lists has the items of all.
    #[test]
    fn the_first_row_that_does_not_fit_is_told() {
        let items: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, (1 << 53) + 1]));
        let item = Arc::new(Field::new_list_field(DataType::Int64, true));
        let lists: ArrayRef = Arc::new(ListArray::new(item, OffsetBuffer::from_lengths([1, 0, 2]), items, None));
        let wanted = DataType::new_list(DataType::Float64, true);
        assert_eq!(unfit_row(&lists, &wanted, false).map(|(row, _)| row), Some(2));
        assert!(unfit_row(&lists, &DataType::new_list(DataType::Int64, true), false).is_none());
        assert!(unfit_row(&lists, &DataType::Utf8View, false).is_none());
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
}
