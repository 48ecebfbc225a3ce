//! How a value is written: as text, as PostgreSQL's output functions print it, and in binary, as its send functions pack
//! it; how it is read, `pgtype` knows.
//!
//! One place for the network's text format and the shell's CSV, and for the dates, times, lists and objects that the
//! shell shows, that `COPY` writes into text files and that are cast to text: one of these that any of them can show,
//! all can. Knows columns, and nothing of where the text goes.

mod array;
mod binary;
mod calendar;
mod json;
mod number;
mod record;
mod spans;
mod told;

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array, StringArray, StringBuilder},
    compute::{CastOptions, cast, cast_with_options},
    datatypes::{
        DataType, Date32Type, Decimal128Type, Decimal256Type, Field, FieldRef, Float32Type, Float64Type, Int16Type,
        Int32Type, Int64Type, IntervalDayTimeType, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit,
        IntervalYearMonthType, TimeUnit,
    },
    json::writer::make_encoder,
};
use bytes::{BufMut, BytesMut};

pub(crate) use self::{
    binary::{MAX_BYTES, binary_writer, patch_length, write_sized},
    calendar::zone_of,
    json::{json_texts, json_writers},
    told::told_writer,
};
use self::{
    calendar::{write_date, write_infinite, write_interval, write_time, write_timestamp, write_zoned_time},
    json::JSON_OPTIONS,
    number::{long_without_zeros, without_zeros, write_decimal, write_float, write_integer},
};
use crate::{
    fault::{Failure, Fault, Result},
    interrupt::step,
    pgtype::{
        self, Styles, ZONED_TIME, Zone, ZonedTime,
        calendar::{SECONDS_A_DAY, is_infinite, is_infinite_date},
        canonical,
    },
};

const MILLIS_PER_DAY: i64 = 86_400_000;
const NANOS_PER_SECOND: u64 = 1_000_000_000;
const NANOS_PER_MICRO: i64 = 1_000;

/// Writes the value of a row, which is not null.
pub(crate) type Writer<'a> = Box<dyn FnMut(&mut BytesMut, usize) -> Result<()> + 'a>;

/// How dates and times are written, of which programs expect different things.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Form {
    /// The zone that instants are shown in; none: each in its column's.
    pub(crate) zone: Option<Zone>,
    /// Whether what lies between two microseconds is left out: PostgreSQL has no such times, and its clients read none.
    pub(crate) in_micros: bool,
    /// Whether they are written as JSON has them, which is ISO 8601.
    pub(crate) is_json: bool,
    /// The styles of the session's dates, intervals and floats.
    pub(crate) styles: Styles,
}

impl Form {
    /// As clients of a session see them, whose clocks show this zone.
    pub(crate) fn of_session(zone: &str, styles: Styles) -> Self {
        Self { zone: Some(Zone::of_session(zone)), in_micros: true, is_json: false, styles }
    }
}

/// The texts of a column of any type.
pub(crate) fn texts(array: &ArrayRef, form: Form) -> Result<StringArray> {
    let array = conformed(array)?;
    let field: FieldRef = Arc::new(Field::new("", array.data_type().clone(), true));
    let nulls = array.logical_nulls();
    let mut write = writer(array.as_ref(), &field, form)?;
    let mut texts = StringBuilder::with_capacity(array.len(), array.len() * 8);
    let mut out = BytesMut::new();
    for row in 0..array.len() {
        step()?;
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            texts.append_null();
            continue;
        }
        out.clear();
        write(&mut out, row)?;
        texts.append_value(String::from_utf8_lossy(&out));
    }
    Ok(texts.finish())
}

fn conformed(array: &ArrayRef) -> Result<ArrayRef> {
    let wanted = canonical(array.data_type());
    if *array.data_type() == wanted {
        return Ok(Arc::clone(array));
    }
    // A value that does not fit is an error, never a silent null.
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, &wanted, &options).map_err(|error| Failure::new(Fault::InvalidData, error.to_string()))
}

/// The writer of a column of a type that [`canonical`] returns.
pub(crate) fn writer<'a>(array: &'a dyn Array, field: &'a FieldRef, form: Form) -> Result<Writer<'a>> {
    Ok(match array.data_type() {
        DataType::Boolean => {
            let values = array.as_boolean();
            plain(move |out, row| out.put_u8(if values.value(row) { b't' } else { b'f' }))
        }
        DataType::Int16 => {
            let values = array.as_primitive::<Int16Type>();
            plain(move |out, row| write_integer(out, i64::from(values.value(row))))
        }
        DataType::Int32 => {
            let values = array.as_primitive::<Int32Type>();
            plain(move |out, row| write_integer(out, i64::from(values.value(row))))
        }
        DataType::Int64 => {
            let values = array.as_primitive::<Int64Type>();
            plain(move |out, row| write_integer(out, values.value(row)))
        }
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            let digits = form.styles.floats;
            plain(move |out, row| write_float(out, values.value(row), digits))
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            let digits = form.styles.floats;
            plain(move |out, row| write_float(out, values.value(row), digits))
        }
        numeric if *numeric == pgtype::ANY_NUMERIC => {
            let values = array.as_primitive::<Decimal128Type>();
            plain(move |out, row| {
                let (digits, scale) = without_zeros(values.value(row));
                write_decimal(out, digits, scale);
            })
        }
        numeric if *numeric == pgtype::LONG_NUMERIC => {
            let values = array.as_primitive::<Decimal256Type>();
            plain(move |out, row| {
                let (digits, scale) = long_without_zeros(values.value(row));
                write_decimal(out, digits, scale);
            })
        }
        DataType::Decimal128(_, scale) => {
            let (values, scale) = (array.as_primitive::<Decimal128Type>(), *scale);
            plain(move |out, row| write_decimal(out, values.value(row), scale))
        }
        DataType::Decimal256(_, scale) => {
            let (values, scale) = (array.as_primitive::<Decimal256Type>(), *scale);
            plain(move |out, row| write_decimal(out, values.value(row), scale))
        }
        DataType::List(element) => array::writer(array.as_list::<i32>(), element, form)?,
        DataType::Struct(fields) if pgtype::is_record(fields) => record::writer(array.as_struct(), form)?,
        _ => match unformatted(array, field)? {
            Some(writer) => writer,
            None => time_or_bytes(array, form)?.ok_or_else(|| unsupported(array, "text"))?,
        },
    })
}

/// The writer of a column whose text and binary formats are the same: text itself, and nested values as JSON.
fn unformatted<'a>(array: &'a dyn Array, field: &'a FieldRef) -> Result<Option<Writer<'a>>> {
    Ok(Some(match array.data_type() {
        DataType::Null => Box::new(|_, _| Ok(())),
        DataType::Utf8 => {
            let values = array.as_string::<i32>();
            plain(move |out, row| out.put_slice(values.value(row).as_bytes()))
        }
        DataType::LargeUtf8 => {
            let values = array.as_string::<i64>();
            plain(move |out, row| out.put_slice(values.value(row).as_bytes()))
        }
        DataType::Utf8View => {
            let values = array.as_string_view();
            plain(move |out, row| out.put_slice(values.value(row).as_bytes()))
        }
        DataType::Struct(_) | DataType::Map(..) | DataType::Union(..) => {
            let mut encoder = make_encoder(field, array, &JSON_OPTIONS).map_err(|_| unsupported(array, "JSON"))?;
            let mut scratch = Vec::new();
            plain(move |out, row| {
                scratch.clear();
                encoder.encode(row, &mut scratch);
                out.put_slice(&scratch);
            })
        }
        _ => return Ok(None),
    }))
}

/// The writer of a column of bytes, dates, times or intervals, as it is; none for other types. Of what JSON escapes, its
/// texts have backslashes alone.
fn time_or_bytes<'a>(array: &'a dyn Array, form: Form) -> Result<Option<Writer<'a>>> {
    Ok(Some(match array.data_type() {
        DataType::Binary => {
            let values = array.as_binary::<i32>();
            plain(move |out, row| write_hex(out, values.value(row)))
        }
        DataType::LargeBinary => {
            let values = array.as_binary::<i64>();
            plain(move |out, row| write_hex(out, values.value(row)))
        }
        DataType::BinaryView => {
            let values = array.as_binary_view();
            plain(move |out, row| write_hex(out, values.value(row)))
        }
        zoned if *zoned == ZONED_TIME => {
            let values = array.as_fixed_size_binary();
            Box::new(move |out, row| {
                write_zoned_time(out, zoned_time(values.value(row))?);
                Ok(())
            })
        }
        DataType::FixedSizeBinary(_) => {
            let values = array.as_fixed_size_binary();
            plain(move |out, row| write_hex(out, values.value(row)))
        }
        DataType::Date32 => {
            let values = array.as_primitive::<Date32Type>();
            plain(move |out, row| match values.value(row) {
                days if is_infinite_date(days) => write_infinite(out, days < 0),
                days => write_date(out, i64::from(days), form.styles),
            })
        }
        DataType::Interval(unit) => interval(array, *unit, form),
        data_type if data_type.is_temporal() => return time(array, form).map(Some),
        _ => return Ok(None),
    }))
}

fn interval(array: &dyn Array, unit: IntervalUnit, form: Form) -> Writer<'_> {
    match unit {
        IntervalUnit::YearMonth => {
            let values = array.as_primitive::<IntervalYearMonthType>();
            plain(move |out, row| {
                write_interval(out, IntervalMonthDayNano::new(values.value(row), 0, 0), form.styles.intervals);
            })
        }
        IntervalUnit::DayTime => {
            let values = array.as_primitive::<IntervalDayTimeType>();
            plain(move |out, row| {
                let value = values.value(row);
                let nanoseconds = i64::from(value.milliseconds) * 1_000_000;
                write_interval(out, IntervalMonthDayNano::new(0, value.days, nanoseconds), form.styles.intervals);
            })
        }
        IntervalUnit::MonthDayNano => {
            let values = array.as_primitive::<IntervalMonthDayNanoType>();
            plain(move |out, row| {
                let IntervalMonthDayNano { months, days, mut nanoseconds } = values.value(row);
                if form.in_micros {
                    nanoseconds = nanoseconds / NANOS_PER_MICRO * NANOS_PER_MICRO;
                }
                write_interval(out, IntervalMonthDayNano::new(months, days, nanoseconds), form.styles.intervals);
            })
        }
    }
}

/// The writer of a column of times, timestamps, spans or dates in milliseconds, which count a unit of their own.
fn time(array: &dyn Array, form: Form) -> Result<Writer<'_>> {
    let counts = counts(array)?;
    Ok(match array.data_type() {
        DataType::Date64 => {
            plain(move |out, row| write_date(out, counts.value(row).div_euclid(MILLIS_PER_DAY), form.styles))
        }
        DataType::Time32(unit) | DataType::Time64(unit) => {
            let a_second = a_second(*unit).unsigned_abs();
            plain(move |out, row| {
                let (seconds, nanoseconds) = span(counts.value(row), a_second);
                write_time(out, seconds, nanoseconds);
            })
        }
        DataType::Duration(unit) => {
            let a_second = a_second(*unit).unsigned_abs();
            plain(move |out, row| {
                let count = counts.value(row);
                if count < 0 {
                    out.put_u8(b'-');
                }
                let (seconds, nanoseconds) = span(count, a_second);
                write_time(out, seconds, nanoseconds);
            })
        }
        DataType::Timestamp(unit, own) => {
            let a_second = a_second(*unit);
            let zone = own.as_deref().map(|own| form.zone.unwrap_or_else(|| Zone::of_session(own)));
            // Of other units every number is a time.
            let has_infinities = *unit == TimeUnit::Microsecond;
            plain(move |out, row| {
                let count = counts.value(row);
                if has_infinities && is_infinite(count) {
                    return write_infinite(out, count < 0);
                }
                let (seconds, rest) = (count.div_euclid(a_second), count.rem_euclid(a_second).unsigned_abs());
                let nanoseconds = rest * (NANOS_PER_SECOND / a_second.unsigned_abs());
                write_timestamp(out, seconds, nanoseconds, zone, form);
            })
        }
        _ => return Err(unsupported(array, "text")),
    })
}

/// What a column of dates, times, timestamps or spans counts, of the unit that its type has.
pub(crate) fn counts(array: &dyn Array) -> Result<Int64Array> {
    let counts = match array.data_type() {
        DataType::Date32 | DataType::Time32(_) => {
            cast(array, &DataType::Int32).and_then(|counts| cast(&counts, &DataType::Int64))
        }
        _ => cast(array, &DataType::Int64),
    };
    Ok(counts.map_err(|_| unsupported(array, "text"))?.as_primitive::<Int64Type>().clone())
}

/// How many of a unit are a day.
pub(crate) fn a_day(unit: TimeUnit) -> i64 {
    a_second(unit) * SECONDS_A_DAY
}

/// How many of a unit are a second.
pub(crate) fn a_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// The whole seconds of a span, and the nanoseconds beyond, without its sign.
fn span(count: i64, a_second: u64) -> (u64, u64) {
    let count = count.unsigned_abs();
    (count / a_second, count % a_second * (NANOS_PER_SECOND / a_second))
}

/// A writer that does not fail.
fn plain<'a>(mut write: impl FnMut(&mut BytesMut, usize) + 'a) -> Writer<'a> {
    Box::new(move |out, row| {
        write(out, row);
        Ok(())
    })
}

fn write_hex(out: &mut BytesMut, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.put_slice(b"\\x");
    for byte in bytes {
        out.put_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

/// A time on the clock of a zone, of what a column has.
pub(crate) fn zoned_time(bytes: &[u8]) -> Result<ZonedTime> {
    ZonedTime::of_bytes(bytes).ok_or_else(|| Failure::new(Fault::Internal, "a time with a zone has other bytes"))
}

/// The error of a column whose type has no form of the kind.
fn unsupported(array: &dyn Array, format: &str) -> Failure {
    let message = format!("{} has no {format} form; cast the column to text", array.data_type());
    Failure::new(Fault::FeatureNotSupported, message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
