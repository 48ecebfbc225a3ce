//! Reads columns of another type than the table's, where a file stores them so: each value whole, or an error.

use std::{
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

use arrow::{
    array::{
        Array, ArrayRef, AsArray, Decimal128Array, Int64Array, ListArray, MapArray, RecordBatch, StringArray,
        StringBuilder, StructArray, new_null_array,
    },
    compute::{CastOptions, cast_with_options, kernels::cmp::not_distinct},
    datatypes::{DataType, Field, FieldRef, Fields, Float64Type, Int64Type, Schema, SchemaRef, TimeUnit},
    error::ArrowError,
    json::writer::make_encoder,
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
    infer::{pair, positions, type_name, utc},
    values,
    zones::Clocks,
};
use crate::print::JSON_OPTIONS;

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
            if stored.data_type() != wanted.data_type() {
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

/// The values as those of another type; an error if one of them is none.
pub(super) fn whole(values: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    if values.data_type() == wanted {
        return Ok(Arc::clone(values));
    }
    match (values.data_type(), wanted) {
        (DataType::Dictionary(_, stored), _) => whole(&cast_with_options(values, stored, &STRICT)?, wanted),
        (DataType::List(_), DataType::List(item)) => {
            let list = values.as_list::<i32>();
            let items = whole(list.values(), item.data_type())?;
            let list = ListArray::try_new(Arc::clone(item), list.offsets().clone(), items, list.nulls().cloned())?;
            Ok(Arc::new(list))
        }
        (DataType::LargeList(stored) | DataType::FixedSizeList(stored, _), DataType::List(_)) => {
            whole(&cast_with_options(values, &DataType::List(Arc::clone(stored)), &STRICT)?, wanted)
        }
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let stored = values.as_struct();
            let columns = fields.iter().map(|field| match stored.column_by_name(field.name()) {
                Some(column) => whole(column, field.data_type()),
                None => Ok(new_null_array(field.data_type(), values.len())),
            });
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            Ok(Arc::new(StructArray::try_new(fields.clone(), columns, stored.nulls().cloned())?))
        }
        (DataType::Map(..), DataType::Map(entries, ordered)) => whole_map(values.as_map(), entries, *ordered),
        (DataType::FixedSizeBinary(16), DataType::Utf8 | DataType::Utf8View) => {
            cast_with_options(&uuids(values), wanted, &STRICT)
        }
        (DataType::Float32 | DataType::Float64, DataType::Decimal128(precision, scale)) => {
            decimals(values, *precision, *scale)
        }
        // A text says a distance to UTC in minutes, and a zone may have had seconds.
        (DataType::Timestamp(unit, Some(zone)), _) if is_text(wanted) && *zone != "+00:00".into() => {
            let in_utc = cast_with_options(values, &DataType::Timestamp(*unit, utc()), &STRICT)?;
            cast_with_options(&in_utc, wanted, &STRICT)
        }
        (DataType::Timestamp(_, None), DataType::Timestamp(unit, Some(zone))) => by_clocks(values, *unit, zone, wanted),
        // What clocks showed, where there is no zone, depends on where they were.
        (DataType::Timestamp(_, Some(_)), DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64) => {
            Err(unfit(values.data_type(), wanted))
        }
        (DataType::Null, _) => Ok(new_null_array(wanted, values.len())),
        (stored, _) if stored.is_nested() && is_text(wanted) => json_texts(values, wanted),
        (stored, _) if stored.is_binary() && is_text(wanted) => {
            let bytes = cast_with_options(values, &DataType::Binary, &STRICT)?;
            let texts = bytes.as_binary::<i32>().iter().map(|bytes| bytes.map(std::str::from_utf8).transpose());
            let texts = texts.collect::<Result<StringArray, _>>();
            let texts = texts.map_err(|_| ArrowError::CastError("bytes that are no text".to_owned()))?;
            cast_with_options(&texts, wanted, &STRICT)
        }
        (stored, _) if is_text(stored) && !is_text(wanted) && !wanted.is_nested() => from_texts(values, wanted),
        (stored, _) if stored.is_temporal() && wanted.is_numeric() || stored.is_numeric() && wanted.is_temporal() => {
            Err(unfit(stored, wanted))
        }
        (stored, _) => {
            let cast = cast_with_options(values, wanted, &STRICT).map_err(|_| unfit(stored, wanted))?;
            if !is_text(wanted) && !is_wider(stored, wanted) {
                check_same(values, &cast)?;
            }
            Ok(cast)
        }
    }
}

/// Maps whose keys and values are of other types.
fn whole_map(map: &MapArray, entries: &FieldRef, ordered: bool) -> Result<ArrayRef, ArrowError> {
    let Some((key, value)) = pair(entries) else {
        return Err(ArrowError::CastError("a map without keys and values".to_owned()));
    };
    let columns = vec![whole(map.keys(), key.data_type())?, whole(map.values(), value.data_type())?];
    let fields: Fields = vec![Arc::clone(key), Arc::clone(value)].into();
    let pairs = StructArray::try_new(fields, columns, None)?;
    let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, pairs, nulls, ordered)?))
}

/// Lists, objects and maps as their own JSON, as those in JSON files are that have text beside them.
fn json_texts(values: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    let field: FieldRef = Arc::new(Field::new("", values.data_type().clone(), true));
    let mut encoder = make_encoder(&field, values.as_ref(), &JSON_OPTIONS)?;
    let (mut texts, mut json) = (StringBuilder::with_capacity(values.len(), values.len() * 16), Vec::new());
    for row in 0..values.len() {
        if values.is_null(row) {
            texts.append_null();
            continue;
        }
        json.clear();
        encoder.encode(row, &mut json);
        let text = std::str::from_utf8(&json).map_err(|_| ArrowError::CastError("JSON that is no text".to_owned()))?;
        texts.append_value(text);
    }
    let texts: ArrayRef = Arc::new(texts.finish());
    cast_with_options(&texts, wanted, &STRICT)
}

fn unfit(stored: &DataType, wanted: &DataType) -> ArrowError {
    let (stored, wanted) = (type_name(stored), type_name(wanted));
    ArrowError::CastError(format!("a value of type {stored} is none of type {wanted}"))
}

/// Times without a zone as instants: those at which the clocks of the wanted zone show them.
fn by_clocks(values: &ArrayRef, unit: TimeUnit, zone: &str, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    let clocks = Clocks::named(zone).ok_or_else(|| unfit(values.data_type(), wanted))?;
    let shown = cast_with_options(&whole(values, &DataType::Timestamp(unit, None))?, &DataType::Int64, &STRICT)?;
    let second: i64 = match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    let instant = |shown: i64| {
        let seconds = clocks.instant(shown.div_euclid(second))?;
        seconds.checked_mul(second)?.checked_add(shown.rem_euclid(second))
    };
    let instants = shown.as_primitive::<Int64Type>().iter().map(|shown| match shown {
        Some(shown) => instant(shown).map(Some).ok_or_else(|| unfit(values.data_type(), wanted)),
        None => Ok(None),
    });
    let instants = instants.collect::<Result<Int64Array, ArrowError>>()?;
    cast_with_options(&instants, wanted, &STRICT)
}

/// Texts as values, by the rules of text files.
fn from_texts(values: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    let texts = cast_with_options(values, &DataType::Utf8, &STRICT)?;
    let texts = texts.as_string::<i32>();
    column(wanted, texts.len(), &Forms::default(), texts.iter().map(|text| text.map(Cow::Borrowed))).map_err(
        |Misfit(row)| {
            let text = if texts.is_valid(row) { texts.value(row) } else { "" };
            ArrowError::CastError(format!("'{text}' is not of type {}", type_name(wanted)))
        },
    )
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
        _ => stored.is_binary() && wanted.is_binary(),
    }
}

/// Whether the values come back as they were.
fn check_same(values: &ArrayRef, cast: &ArrayRef) -> Result<(), ArrowError> {
    let lost = || unfit(values.data_type(), cast.data_type());
    let back = cast_with_options(cast, values.data_type(), &STRICT).map_err(|_| lost())?;
    let same = not_distinct(values, &back)?;
    if same.has_false() { Err(lost()) } else { Ok(()) }
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
            .ok_or_else(|| ArrowError::CastError(format!("{value} is no numeric({precision}, {scale})")))
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
