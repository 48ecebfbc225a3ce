//! `to_char`: timestamps, intervals and numbers as a template has them.
//!
//! ```sql
//! SELECT to_char(ordered_at, 'FMDay, DD Mon YYYY'), to_char(price, 'FM999G990D00')
//! ```

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{DataType, Decimal128Type, Decimal256Type},
};

use super::{Last, decimal::Decimal, picture::Picture, template::Template, write_number::Number, write_time::Moment};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{
        FLOAT4, FLOAT8, INT4, INT8, INTERVAL, NUMERIC, TEXT, TIMESTAMP, TIMESTAMPTZ, Zone,
        calendar::{MICROS_A_SECOND, is_infinite},
    },
};

const NANOS_PER_MICRO: i64 = 1_000;

pub(super) static TO_CHAR: Function = Function {
    name: "to_char",
    purpose: "A timestamp, an interval or a number, written as a template has it",
    example: "to_char(timestamp '2024-05-06 17:08:09', 'FMDay, DD Mon YYYY HH12:MI pm')",
    shows: "Monday, 06 May 2024 05:08 pm",
    overloads: &[
        Overload::new(&[TIMESTAMP, TEXT], TEXT, of_timestamp),
        Overload::new(&[TIMESTAMPTZ, TEXT], TEXT, of_instant).stable(),
        Overload::new(&[INTERVAL, TEXT], TEXT, of_interval),
        Overload::new(&[INT4, TEXT], TEXT, of_int4),
        Overload::new(&[INT8, TEXT], TEXT, of_int8),
        Overload::new(&[FLOAT4, TEXT], TEXT, of_float4),
        Overload::new(&[FLOAT8, TEXT], TEXT, of_float8),
        Overload::new(&[NUMERIC, TEXT], TEXT, of_numeric),
    ],
};

fn of_timestamp(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.timestamps(0)?;
    moments(call, |row| finite(values.value(row)).map(Moment::of_timestamp))
}

fn of_instant(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, zone) = (call.timestamps(0)?, Zone::of_session(call.zone()));
    moments(call, |row| {
        let instant = finite(values.value(row))?;
        let (offset, name) = (zone.seconds_at(instant), zone.abbreviation_at(instant));
        Some(Moment::of_timestamp(instant.saturating_add(offset * MICROS_A_SECOND)).in_zone(offset, name))
    })
}

fn of_interval(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.intervals(0)?;
    moments(call, |row| {
        let value = values.value(row);
        Some(Moment::of_interval(value.months.into(), value.days.into(), value.nanoseconds / NANOS_PER_MICRO))
    })
}

/// A timestamp that has parts to write: what is before or after all others has none.
fn finite(micros: i64) -> Option<i64> {
    (!is_infinite(micros)).then_some(micros)
}

/// A template without a character yields NULL, and so does a moment that there is not.
fn moments(call: &Call<'_>, moment: impl Fn(usize) -> Option<Moment>) -> Result<ArrayRef> {
    let (templates, mut last) = (call.texts(1)?, Last::new(Template::parse));
    call.text_of(|row| match (templates.value(row), moment(row)) {
        ("", _) | (_, None) => Ok(None),
        (template, Some(moment)) => last.of(template)?.write(&moment).map(Some),
    })
}

fn of_int4(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.int4s(0)?;
    numbers(call, |row| Number::Int4(values.value(row)))
}

fn of_int8(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.int8s(0)?;
    numbers(call, |row| Number::Int8(values.value(row)))
}

fn of_float4(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.float4s(0)?;
    numbers(call, |row| Number::Float4(values.value(row)))
}

fn of_float8(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.float8s(0)?;
    numbers(call, |row| Number::Float8(values.value(row)))
}

fn of_numeric(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.argument(0)?;
    match values.data_type() {
        DataType::Decimal128(_, scale) => {
            let (values, scale) = (values.as_primitive::<Decimal128Type>(), i32::from(*scale));
            numbers(call, |row| Number::Numeric(Decimal::new(&values.value(row).to_string(), scale)))
        }
        DataType::Decimal256(_, scale) => {
            let (values, scale) = (values.as_primitive::<Decimal256Type>(), i32::from(*scale));
            numbers(call, |row| Number::Numeric(Decimal::new(&values.value(row).to_string(), scale)))
        }
        other => Err(Failure::new(Fault::Internal, format!("a numeric is not {other}"))),
    }
}

fn numbers(call: &Call<'_>, number: impl Fn(usize) -> Number) -> Result<ArrayRef> {
    let (templates, mut last) = (call.texts(1)?, Last::new(Picture::parse));
    call.text_of(|row| last.of(templates.value(row))?.write(&number(row)).map(Some))
}
