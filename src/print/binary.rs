//! Values in binary format, as PostgreSQL's send functions pack them: what `pgtype` reads.

use arrow::array::{Array, AsArray, ListArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, FieldRef, Float32Type, Float64Type, Int16Type, Int32Type,
    Int64Type, IntervalMonthDayNanoType, IntervalUnit, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use bytes::{BufMut, BytesMut};

use super::{
    Writer,
    number::{long_without_zeros, without_zeros, write_binary_decimal},
    plain, record,
    told::told_writer,
    unformatted, unsupported, zoned_time,
};
use crate::{
    fault::{Failure, Fault, Result},
    pgtype::{
        self, ColumnType, EPOCH_DAYS, EPOCH_MICROS, ZONED_TIME,
        calendar::{is_infinite, is_infinite_date},
    },
};

/// PostgreSQL's limit on a value and on a row, which clients count on.
pub(crate) const MAX_BYTES: usize = 0x3fff_ffff;

/// PostgreSQL's limit on the dimensions of an array.
const MAX_DIMENSIONS: usize = 6;

/// The writer of a column of a type that [`sent_as`](pgtype::sent_as) returns.
pub(crate) fn binary_writer<'a>(array: &'a dyn Array, field: &'a FieldRef) -> Result<Writer<'a>> {
    Ok(match array.data_type() {
        DataType::Boolean => {
            let values = array.as_boolean();
            plain(move |out, row| out.put_u8(u8::from(values.value(row))))
        }
        DataType::Int16 => {
            let values = array.as_primitive::<Int16Type>();
            plain(move |out, row| out.put_i16(values.value(row)))
        }
        DataType::Int32 => {
            let values = array.as_primitive::<Int32Type>();
            plain(move |out, row| out.put_i32(values.value(row)))
        }
        DataType::Int64 => {
            let values = array.as_primitive::<Int64Type>();
            plain(move |out, row| out.put_i64(values.value(row)))
        }
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            plain(move |out, row| out.put_f32(values.value(row)))
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            plain(move |out, row| out.put_f64(values.value(row)))
        }
        numeric if *numeric == pgtype::ANY_NUMERIC => {
            let values = array.as_primitive::<Decimal128Type>();
            Box::new(move |out, row| {
                let (digits, scale) = without_zeros(values.value(row));
                write_binary_decimal(out, digits, scale)
            })
        }
        numeric if *numeric == pgtype::LONG_NUMERIC => {
            let values = array.as_primitive::<Decimal256Type>();
            Box::new(move |out, row| {
                let (digits, scale) = long_without_zeros(values.value(row));
                write_binary_decimal(out, digits, scale)
            })
        }
        DataType::Decimal128(_, scale) => {
            let (values, scale) = (array.as_primitive::<Decimal128Type>(), *scale);
            Box::new(move |out, row| write_binary_decimal(out, values.value(row), scale))
        }
        DataType::Decimal256(_, scale) => {
            let (values, scale) = (array.as_primitive::<Decimal256Type>(), *scale);
            Box::new(move |out, row| write_binary_decimal(out, values.value(row), scale))
        }
        DataType::Binary => {
            let values = array.as_binary::<i32>();
            plain(move |out, row| out.put_slice(values.value(row)))
        }
        DataType::LargeBinary => {
            let values = array.as_binary::<i64>();
            plain(move |out, row| out.put_slice(values.value(row)))
        }
        DataType::BinaryView => {
            let values = array.as_binary_view();
            plain(move |out, row| out.put_slice(values.value(row)))
        }
        DataType::List(_) => list(array.as_list::<i32>(), None)?,
        DataType::Struct(fields) if pgtype::is_record(fields) => record::binary(array.as_struct())?,
        _ => match unformatted(array, field)? {
            Some(writer) => writer,
            None => return time(array),
        },
    })
}

fn time(array: &dyn Array) -> Result<Writer<'_>> {
    Ok(match array.data_type() {
        DataType::Date32 => {
            let values = array.as_primitive::<Date32Type>();
            Box::new(move |out, row| {
                let days = values.value(row);
                let counted = if is_infinite_date(days) { Some(days) } else { days.checked_sub(EPOCH_DAYS) };
                out.put_i32(counted.ok_or_else(|| out_of_range("date"))?);
                Ok(())
            })
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            let values = array.as_primitive::<Time64MicrosecondType>();
            plain(move |out, row| out.put_i64(values.value(row)))
        }
        zoned if *zoned == ZONED_TIME => {
            let values = array.as_fixed_size_binary();
            Box::new(move |out, row| {
                let time = zoned_time(values.value(row))?;
                out.put_i64(time.micros);
                out.put_i32(-time.east);
                Ok(())
            })
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let values = array.as_primitive::<TimestampMicrosecondType>();
            Box::new(move |out, row| {
                let micros = values.value(row);
                let counted = if is_infinite(micros) { Some(micros) } else { micros.checked_sub(EPOCH_MICROS) };
                out.put_i64(counted.ok_or_else(|| out_of_range("timestamp"))?);
                Ok(())
            })
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let values = array.as_primitive::<IntervalMonthDayNanoType>();
            plain(move |out, row| {
                let interval = values.value(row);
                out.put_i64(interval.nanoseconds / 1000);
                out.put_i32(interval.days);
                out.put_i32(interval.months);
            })
        }
        _ => return Err(unsupported(array, "binary")),
    })
}

fn out_of_range(kind: &str) -> Failure {
    Failure::new(Fault::NumericOutOfRange, format!("{kind} out of range of the binary format; cast it to text"))
}

// Lists of lists are one array with several dimensions, which must be a box: all lists of a level equally long. Its elements
// are of this type where Arrow does not tell theirs.
pub(super) fn list(lists: &ListArray, element: Option<ColumnType>) -> Result<Writer<'_>> {
    let mut levels = vec![lists];
    let mut field = element_field(lists);
    while let Some(inner) = levels.last().and_then(|level| level.values().as_list_opt::<i32>()) {
        levels.push(inner);
        field = element_field(inner);
    }
    if levels.len() > MAX_DIMENSIONS {
        let message = format!("lists nested {} deep; at most {MAX_DIMENSIONS} can be sent in binary", levels.len());
        return Err(Failure::new(Fault::LimitExceeded, message));
    }
    let leaf = levels.last().map_or(lists.values(), |level| level.values());
    let nulls = leaf.logical_nulls();
    let told = element.map(|element| told_writer(leaf.as_ref(), element, true)).transpose()?.flatten();
    let mut write = match told {
        Some(write) => write,
        None => binary_writer(leaf.as_ref(), field.ok_or_else(|| unsupported(lists, "binary"))?)?,
    };
    let element = element.unwrap_or_else(|| pgtype::of(leaf.data_type())).pg.oid;
    Ok(Box::new(move |out, row| {
        let mut lengths = [None; MAX_DIMENSIONS];
        measure(&levels, row, &mut lengths)?;
        let dimensions = &lengths[..levels.len()];
        if dimensions.iter().any(|length| length.unwrap_or(0) == 0) {
            out.put_slice(&[0; 8]);
            out.put_u32(element);
            return Ok(());
        }
        out.put_u32(dimensions.len() as u32);
        // Whether there are nulls among its elements, which is known only afterwards.
        let flag = out.len();
        out.put_i32(0);
        out.put_u32(element);
        for length in dimensions {
            out.put_i32(length.unwrap_or(0));
            out.put_i32(1);
        }
        let mut has_nulls = false;
        each_element(&levels, row, &mut |index| {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(index)) {
                has_nulls = true;
                out.put_i32(-1);
                return Ok(());
            }
            write_sized(out, |out| write(out, index))
        })?;
        if let Some(last) = out.get_mut(flag + 3) {
            *last = u8::from(has_nulls);
        }
        Ok(())
    }))
}

fn element_field(lists: &ListArray) -> Option<&FieldRef> {
    if let DataType::List(field) = lists.data_type() { Some(field) } else { None }
}

fn measure(levels: &[&ListArray], row: usize, lengths: &mut [Option<i32>]) -> Result<()> {
    let ([level, below @ ..], [length, lengths @ ..]) = (levels, lengths) else { return Ok(()) };
    let found = level.value_length(row);
    if level.is_null(row) || length.is_some_and(|length| length != found) {
        let message = "lists of unequal length or null inside a list cannot be sent in binary; ask for the text format";
        return Err(Failure::new(Fault::FeatureNotSupported, message));
    }
    *length = Some(found);
    if !below.is_empty() {
        let start = level.value_offsets()[row];
        for index in start..start + found {
            measure(below, index as usize, lengths)?;
        }
    }
    Ok(())
}

fn each_element(levels: &[&ListArray], row: usize, visit: &mut dyn FnMut(usize) -> Result<()>) -> Result<()> {
    let [level, below @ ..] = levels else { return visit(row) };
    let start = level.value_offsets()[row];
    (start..start + level.value_length(row)).try_for_each(|index| each_element(below, index as usize, visit))
}

/// Writes a value behind its length, which is known only afterwards.
pub(crate) fn write_sized(out: &mut BytesMut, write: impl FnOnce(&mut BytesMut) -> Result<()>) -> Result<()> {
    let start = out.len();
    out.put_i32(0);
    write(out)?;
    let length = out.len() - start - 4;
    if length > MAX_BYTES {
        let message = format!("a value has {length} bytes, at most {MAX_BYTES} can be sent");
        return Err(Failure::new(Fault::LimitExceeded, message));
    }
    patch_length(out, start, length);
    Ok(())
}

/// Writes a length into the four bytes that were left for it.
pub(crate) fn patch_length(out: &mut BytesMut, start: usize, length: usize) {
    // All callers have checked the length against a limit below `u32::MAX`.
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&(length as u32).to_be_bytes());
    }
}
