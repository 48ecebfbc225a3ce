//! From texts to a column: values of the table's type, strictly.
//!
//! It knows no format: a format gives the texts of a column, row by row, and is told which one has no value of the type.

use std::{borrow::Cow, sync::Arc};

use arrow::{
    array::{
        Array, ArrayRef, BinaryBuilder, BooleanArray, BooleanBuilder, Decimal128Array, Decimal128Builder,
        PrimitiveBuilder, RecordBatch, RecordBatchOptions, StringArray, StringBuilder, StringViewBuilder,
    },
    compute::{CastOptions, cast_with_options, filter_record_batch},
    datatypes::{
        ArrowPrimitiveType, DataType, Date32Type, Field, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
        Int64Type, IntervalMonthDayNanoType, IntervalUnit, Schema, SchemaRef, Time64MicrosecondType,
        Time64NanosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
        TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
    },
    error::ArrowError,
};

use super::{
    forms::Forms,
    guess::keeps,
    infer::type_name,
    spans,
    values::{self, Instant},
    zones::Clocks,
};

/// The texts of a column; none: NULL.
pub(super) trait Texts<'a>: Iterator<Item = Option<Cow<'a, str>>> {}

impl<'a, I: Iterator<Item = Option<Cow<'a, str>>>> Texts<'a> for I {}

/// The row, from 0, whose text has no value of the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Misfit(pub(super) usize);

/// The column of a type. Blanks around what is no text do not count.
pub(super) fn column<'a>(
    data_type: &DataType,
    rows: usize,
    forms: &Forms,
    texts: impl Texts<'a>,
) -> Result<ArrayRef, Misfit> {
    if forms.doubts && !data_type.is_string() {
        let texts: Vec<_> = texts.collect();
        let keeps = |text: &Option<Cow<'a, str>>| text.as_ref().is_none_or(|text| keeps(data_type, text, forms));
        return match texts.iter().position(|text| !keeps(text)) {
            Some(row) => Err(Misfit(row)),
            None => column(data_type, rows, &forms.trusting(), texts.into_iter()),
        };
    }
    match data_type {
        DataType::Utf8 => {
            let mut builder = StringBuilder::with_capacity(rows, rows * 8);
            texts.for_each(|text| builder.append_option(text));
            Ok(Arc::new(builder.finish()))
        }
        DataType::Utf8View => {
            let mut builder = StringViewBuilder::with_capacity(rows);
            texts.for_each(|text| builder.append_option(text));
            Ok(Arc::new(builder.finish()))
        }
        DataType::Boolean => {
            let mut builder = BooleanBuilder::with_capacity(rows);
            for (row, text) in texts.enumerate() {
                let value = text.map(|text| values::boolean(text.trim_ascii()).ok_or(Misfit(row)));
                builder.append_option(value.transpose()?);
            }
            Ok(Arc::new(builder.finish()))
        }
        DataType::Int8 => whole::<Int8Type>(rows, forms, texts),
        DataType::Int16 => whole::<Int16Type>(rows, forms, texts),
        DataType::Int32 => whole::<Int32Type>(rows, forms, texts),
        DataType::Int64 => whole::<Int64Type>(rows, forms, texts),
        DataType::UInt8 => whole::<UInt8Type>(rows, forms, texts),
        DataType::UInt16 => whole::<UInt16Type>(rows, forms, texts),
        DataType::UInt32 => whole::<UInt32Type>(rows, forms, texts),
        DataType::UInt64 => whole::<UInt64Type>(rows, forms, texts),
        DataType::Float64 => {
            primitive::<Float64Type>(data_type, rows, texts, |text| values::float(&forms.number(text)?))
        }
        DataType::Float32 => {
            primitive::<Float32Type>(data_type, rows, texts, |text| values::single(&forms.number(text)?))
        }
        DataType::Date32 => primitive::<Date32Type>(data_type, rows, texts, |text| forms.wanted_date(text)),
        DataType::Time64(TimeUnit::Microsecond) => primitive::<Time64MicrosecondType>(data_type, rows, texts, |text| {
            let nanoseconds = values::wanted_time(text)?;
            (nanoseconds % 1_000 == 0).then_some(nanoseconds / 1_000)
        }),
        DataType::Time64(TimeUnit::Nanosecond) => {
            primitive::<Time64NanosecondType>(data_type, rows, texts, values::wanted_time)
        }
        DataType::Timestamp(unit, zone) => {
            let clocks = zone.as_deref().map(|zone| Clocks::named(zone).ok_or(Misfit(0))).transpose()?;
            let read = |text: &str| {
                let found = instant(text, forms)?;
                let found = match &clocks {
                    // A column without time zones cannot say what a text with one means.
                    None if found.is_zoned => return None,
                    Some(clocks) if !found.is_zoned => found.by_clocks(clocks)?,
                    _ => found,
                };
                found.in_units(*unit)
            };
            match unit {
                TimeUnit::Second => primitive::<TimestampSecondType>(data_type, rows, texts, read),
                TimeUnit::Millisecond => primitive::<TimestampMillisecondType>(data_type, rows, texts, read),
                TimeUnit::Microsecond => primitive::<TimestampMicrosecondType>(data_type, rows, texts, read),
                TimeUnit::Nanosecond => primitive::<TimestampNanosecondType>(data_type, rows, texts, read),
            }
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            primitive::<IntervalMonthDayNanoType>(data_type, rows, texts, spans::interval)
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => bytes(data_type, rows, texts),
        DataType::Decimal128(precision, scale) if *scale >= 0 => decimals(*precision, *scale, rows, forms, texts),
        other => cast(other, texts),
    }
}

/// The column with NULL where a text has no value of the type, and the rows of these texts. `make` makes a column of so
/// many rows.
pub(super) fn lenient_column<'a, T: Texts<'a>>(
    texts: impl Fn() -> T,
    make: impl for<'b> Fn(usize, &mut dyn Iterator<Item = Option<Cow<'b, str>>>) -> Result<ArrayRef, Misfit>,
) -> Result<(ArrayRef, Vec<(usize, String)>), Misfit> {
    let (mut rows, mut misfits) = (0, Vec::new());
    for (row, text) in texts().enumerate() {
        rows = row + 1;
        let Some(text) = text else { continue };
        if make(1, &mut std::iter::once(Some(Cow::Borrowed(text.as_ref())))).is_err() {
            misfits.push((row, text.into_owned()));
        }
    }
    let mut left_out = misfits.iter().map(|(row, _)| *row).peekable();
    let mut fitting = texts().enumerate().map(|(row, text)| text.filter(|_| left_out.next_if_eq(&row).is_none()));
    Ok((make(rows, &mut fitting)?, misfits))
}

/// The rows without a value, of a column that must have one in each.
pub(super) fn missing(array: &ArrayRef, field: &Field) -> Vec<Misfit> {
    if field.is_nullable() || array.null_count() == 0 {
        return Vec::new();
    }
    (0..array.len()).filter(|row| array.is_null(*row)).map(Misfit).collect()
}

/// What a column that must have a value in each row expects.
pub(super) fn required(field: &Field) -> String {
    format!("{} NOT NULL", type_name(field.data_type()))
}

/// The columns as they are while rows may lack values.
pub(super) fn nullable(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// A batch whose columns are called and may lack values as a schema says.
pub(super) fn with_schema(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    batch_of(schema, batch.columns().to_vec(), batch.num_rows())
}

/// A batch of so many rows, even if it has no column.
pub(super) fn batch_of(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

/// A batch without some of its rows.
pub(super) fn without_rows(batch: &RecordBatch, left_out: &[usize]) -> Result<RecordBatch, ArrowError> {
    if left_out.is_empty() {
        return Ok(batch.clone());
    }
    let mut kept = vec![true; batch.num_rows()];
    for row in left_out {
        if let Some(kept) = kept.get_mut(*row) {
            *kept = false;
        }
    }
    filter_record_batch(batch, &BooleanArray::from(kept))
}

/// Which list or map an item is of, of those that have so many items each.
pub(super) fn owner(lengths: impl IntoIterator<Item = usize>, item: usize) -> usize {
    let mut end = 0;
    let is_owner = |length: usize| {
        end += length;
        item < end
    };
    lengths.into_iter().position(is_owner).unwrap_or_default()
}

fn whole<'a, T>(rows: usize, forms: &Forms, texts: impl Texts<'a>) -> Result<ArrayRef, Misfit>
where
    T: ArrowPrimitiveType,
    T::Native: TryFrom<i128>,
{
    primitive::<T>(&T::DATA_TYPE, rows, texts, |text| {
        let number = forms.number(text)?;
        // A number that is written as a fraction may be whole: `5.0`, `1e3`.
        let value = values::integer(&number).or_else(|| values::decimal(&number, 0))?;
        T::Native::try_from(value).ok()
    })
}

fn primitive<'a, T: ArrowPrimitiveType>(
    data_type: &DataType,
    rows: usize,
    texts: impl Texts<'a>,
    read: impl Fn(&str) -> Option<T::Native>,
) -> Result<ArrayRef, Misfit> {
    let mut builder = PrimitiveBuilder::<T>::with_capacity(rows).with_data_type(data_type.clone());
    for (row, text) in texts.enumerate() {
        match text {
            None => builder.append_null(),
            // Hardly any text has blanks, and to look for them costs more than to read most numbers.
            Some(text) => match read(&text).or_else(|| read(text.trim_ascii())) {
                Some(value) => builder.append_value(value),
                None => return Err(Misfit(row)),
            },
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn instant(text: &str, forms: &Forms) -> Option<Instant> {
    forms.wanted_timestamp(text).or_else(|| forms.wanted_date(text).map(Instant::midnight))
}

fn decimals<'a>(
    precision: u8,
    scale: i8,
    rows: usize,
    forms: &Forms,
    texts: impl Texts<'a>,
) -> Result<ArrayRef, Misfit> {
    let places = usize::try_from(scale).unwrap_or_default();
    let limit = 10_i128.checked_pow(u32::from(precision)).unwrap_or(i128::MAX);
    let mut builder = Decimal128Builder::with_capacity(rows);
    for (row, text) in texts.enumerate() {
        let value = text.map(|text| {
            let value = forms.number(text.trim_ascii()).and_then(|text| values::decimal(&text, places));
            value.filter(|value| value.abs() < limit).ok_or(Misfit(row))
        });
        builder.append_option(value.transpose()?);
    }
    let array: Decimal128Array = builder.finish();
    let array = array.with_precision_and_scale(precision, scale).map_err(|_| Misfit(0))?;
    Ok(Arc::new(array))
}

fn bytes<'a>(data_type: &DataType, rows: usize, texts: impl Texts<'a>) -> Result<ArrayRef, Misfit> {
    let mut builder = BinaryBuilder::with_capacity(rows, rows * 8);
    for (row, text) in texts.enumerate() {
        builder.append_option(text.map(|text| values::bytes(&text).ok_or(Misfit(row))).transpose()?);
    }
    cast_with_options(&builder.finish(), data_type, &CastOptions::default()).map_err(|_| Misfit(0))
}

/// A type that files rarely have, as the engine casts texts to it.
fn cast<'a>(data_type: &DataType, texts: impl Texts<'a>) -> Result<ArrayRef, Misfit> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let texts: StringArray = texts.collect();
    let all = cast_with_options(&texts, data_type, &strict);
    all.map_err(|_| {
        let fits = |row: &usize| cast_with_options(&texts.slice(*row, 1), data_type, &strict).is_ok();
        Misfit((0..texts.len()).find(|row| !fits(row)).unwrap_or_default())
    })
}
