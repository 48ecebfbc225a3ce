//! Values in text format, as PostgreSQL's output functions print them.

use std::sync::LazyLock;

use arrow::array::{Array, AsArray, ListArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, FieldRef, Float32Type, Float64Type, Int16Type, Int32Type,
    Int64Type, IntervalMonthDayNanoType, IntervalUnit, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use arrow::json::writer::{EncoderOptions, make_encoder};
use bytes::{BufMut, BytesMut};

use super::calendar::{Zone, write_date, write_interval, write_time, write_timestamp};
use super::number::{write_decimal, write_float, write_integer};
use super::{Writer, unsupported};
use crate::Result;

static JSON_OPTIONS: LazyLock<EncoderOptions> = LazyLock::new(|| EncoderOptions::default().with_explicit_nulls(true));

/// The writer of a column of a canonical type. Instants are shown in `zone`.
pub(super) fn writer<'a>(array: &'a dyn Array, field: &'a FieldRef, zone: Zone) -> Result<Writer<'a>> {
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
            plain(move |out, row| write_float(out, f64::from(values.value(row)), values.value(row), 6))
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            plain(move |out, row| write_float(out, values.value(row), values.value(row), 15))
        }
        DataType::Decimal128(_, scale) => {
            let (values, scale) = (array.as_primitive::<Decimal128Type>(), *scale);
            plain(move |out, row| write_decimal(out, values.value(row), scale))
        }
        DataType::Decimal256(_, scale) => {
            let (values, scale) = (array.as_primitive::<Decimal256Type>(), *scale);
            plain(move |out, row| write_decimal(out, values.value(row), scale))
        }
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
        DataType::List(element) => list(array.as_list::<i32>(), element, zone)?,
        _ => match unformatted(array, field)? {
            Some(writer) => writer,
            None => return time(array, zone),
        },
    })
}

/// The writer of a column whose text and binary formats are the same: text itself, and nested values as JSON.
pub(super) fn unformatted<'a>(array: &'a dyn Array, field: &'a FieldRef) -> Result<Option<Writer<'a>>> {
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

fn time(array: &dyn Array, zone: Zone) -> Result<Writer<'_>> {
    Ok(match array.data_type() {
        DataType::Date32 => {
            let values = array.as_primitive::<Date32Type>();
            plain(move |out, row| write_date(out, i64::from(values.value(row))))
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            let values = array.as_primitive::<Time64MicrosecondType>();
            plain(move |out, row| write_time(out, values.value(row).unsigned_abs()))
        }
        DataType::Timestamp(TimeUnit::Microsecond, stored) => {
            let (values, zone) = (array.as_primitive::<TimestampMicrosecondType>(), stored.as_ref().map(|_| zone));
            plain(move |out, row| write_timestamp(out, values.value(row), zone))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let values = array.as_primitive::<IntervalMonthDayNanoType>();
            plain(move |out, row| write_interval(out, values.value(row)))
        }
        _ => return Err(unsupported(array, "text")),
    })
}

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

fn list<'a>(lists: &'a ListArray, element: &'a FieldRef, zone: Zone) -> Result<Writer<'a>> {
    let (offsets, values) = (lists.value_offsets(), lists.values());
    let nulls = values.logical_nulls();
    let nested = matches!(values.data_type(), DataType::List(_));
    let mut write = writer(values.as_ref(), element, zone)?;
    Ok(Box::new(move |out, row| {
        out.put_u8(b'{');
        for (position, index) in (offsets[row]..offsets[row + 1]).enumerate() {
            if position > 0 {
                out.put_u8(b',');
            }
            let index = index as usize;
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(index)) {
                out.put_slice(b"NULL");
                continue;
            }
            let start = out.len();
            write(out, index)?;
            if !nested {
                quote_from(out, start);
            }
        }
        out.put_u8(b'}');
        Ok(())
    }))
}

// Puts the element that begins at `start` between quotes if it could be read as something else, moving it in place.
fn quote_from(out: &mut BytesMut, start: usize) {
    let element = &out[start..];
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b',') || is_space(*byte);
    if !element.is_empty() && !element.eq_ignore_ascii_case(b"null") && !element.iter().any(special) {
        return;
    }
    let is_escaped = |byte: &u8| matches!(byte, b'"' | b'\\');
    let escapes = element.iter().filter(|byte| is_escaped(byte)).count();
    let mut read = out.len();
    out.put_bytes(b'"', escapes + 2);
    let mut write = out.len() - 1;
    while read > start {
        (read, write) = (read - 1, write - 1);
        let byte = out[read];
        out[write] = byte;
        if is_escaped(&byte) {
            write -= 1;
            out[write] = b'\\';
        }
    }
    out[start] = b'"';
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
