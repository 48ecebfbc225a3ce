//! Values of one array as numbers, texts, times and lists, whatever Arrow type they come in.

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, new_null_array},
    compute::{CastOptions, cast_with_options},
    datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType},
    error::ArrowError,
};

use super::kind::{plain_type, trained_type};
use crate::error::{Error, Result};

/// A number a row, NaN for NULL. Text is parsed.
pub(super) fn numbers(name: &str, array: &ArrayRef) -> Result<Vec<f64>> {
    let array = converted(name, array, &DataType::Float64, "a number")?;
    let numbers = array.as_primitive::<Float64Type>();
    Ok(match numbers.null_count() {
        0 => numbers.values().to_vec(),
        _ => numbers.iter().map(|number| number.unwrap_or(f64::NAN)).collect(),
    })
}

/// A whole number a row. Text is parsed.
pub(super) fn integers(name: &str, array: &ArrayRef) -> Result<Vec<Option<i64>>> {
    let array = converted(name, array, &DataType::Int64, "a whole number of 64 bits")?;
    Ok(array.as_primitive::<Int64Type>().iter().collect())
}

/// A boolean a row.
pub(super) fn booleans(name: &str, array: &ArrayRef) -> Result<BooleanArray> {
    Ok(converted(name, array, &DataType::Boolean, "true or false")?.as_boolean().clone())
}

/// Microseconds since 1970-01-01 UTC; times without a zone are taken for UTC. Text is parsed.
pub(super) fn timestamps(name: &str, array: &ArrayRef) -> Result<Vec<Option<i64>>> {
    let zone = match plain_type(array.data_type()) {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    check_finite(name, array)?;
    let target = DataType::Timestamp(TimeUnit::Microsecond, zone);
    let array = converted(name, array, &target, "a point in time that microseconds of 64 bits can hold")?;
    Ok(array.as_primitive::<TimestampMicrosecondType>().iter().collect())
}

/// Refuses dates and timestamps before or after all others, which are far from every number that is learnt from.
fn check_finite(name: &str, array: &ArrayRef) -> Result<()> {
    let is_infinite = match array.data_type() {
        DataType::Date32 => {
            let mut days = array.as_primitive::<Date32Type>().iter().flatten();
            days.any(|days| matches!(days, i32::MIN | i32::MAX))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let mut micros = array.as_primitive::<TimestampMicrosecondType>().iter().flatten();
            micros.any(|micros| matches!(micros, i64::MIN | i64::MAX))
        }
        _ => false,
    };
    if is_infinite {
        let problem = format!("the column {name} holds an infinity; learning needs finite times, so filter or cap it");
        return Err(Error::InvalidData(problem));
    }
    Ok(())
}

/// The array as one of the three text types, so that [`each_text`] takes it. Numbers are written out.
pub(super) fn text_array(name: &str, array: &ArrayRef) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(array.clone()),
        other => match plain_type(other) {
            text @ (DataType::LargeUtf8 | DataType::Utf8View) => converted(name, array, text, "a text"),
            _ => converted(name, array, &DataType::Utf8, "a text"),
        },
    }
}

/// Calls `take` with every row of an array that [`text_array`] returned.
pub(super) fn each_text<'a>(array: &'a ArrayRef, take: impl FnMut(Option<&'a str>)) {
    match array.data_type() {
        DataType::LargeUtf8 => array.as_string::<i64>().iter().for_each(take),
        DataType::Utf8View => array.as_string_view().iter().for_each(take),
        _ => array.as_string::<i32>().iter().for_each(take),
    }
}

/// The lists of an array: where each row's elements begin and end, and the elements. A NULL list is empty.
pub(super) struct Lists {
    /// A pair a row, into `elements`; `None` for NULL.
    pub(super) rows: Vec<Option<(usize, usize)>>,
    /// The elements of all rows.
    pub(super) elements: ArrayRef,
}

/// Reads an array of lists.
pub(super) fn lists(name: &str, array: &ArrayRef) -> Result<Lists> {
    let target = trained_type(array.data_type());
    if *array.data_type() == DataType::Null {
        return Ok(Lists { rows: vec![None; array.len()], elements: new_null_array(&DataType::Null, 0) });
    }
    let array = converted(name, array, &target, "a list")?;
    let lists: &ListArray =
        array.as_list_opt().ok_or_else(|| Error::Internal(format!("the column {name} is no list: {target}")))?;
    let offsets = lists.value_offsets();
    let first = offsets.first().copied().unwrap_or(0) as usize;
    let last = offsets.last().copied().unwrap_or(0) as usize;
    let row = |row: usize, pair: &[i32]| match pair {
        [start, end] if !lists.is_null(row) => Some((*start as usize - first, *end as usize - first)),
        _ => None,
    };
    let rows = offsets.windows(2).enumerate().map(|(at, pair)| row(at, pair)).collect();
    Ok(Lists { rows, elements: lists.values().slice(first, last - first) })
}

/// The array as `target`. A value that has no counterpart there is an error that shows it.
fn converted(name: &str, array: &ArrayRef, target: &DataType, expected: &str) -> Result<ArrayRef> {
    if array.data_type() == target {
        return Ok(array.clone());
    }
    let failed = |error: ArrowError| Error::Internal(format!("cannot read the column {name} as {target}: {error}"));
    // Casting quietly and then looking for what became NULL finds the value to show.
    let options = CastOptions { safe: true, ..Default::default() };
    let converted = cast_with_options(array, target, &options).map_err(failed)?;
    if converted.logical_null_count() == array.logical_null_count() {
        return Ok(converted);
    }
    let (before, after) = (array.logical_nulls(), converted.logical_nulls());
    let missing =
        |nulls: &Option<arrow::buffer::NullBuffer>, row| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
    let lost = (0..array.len()).find(|&row| !missing(&before, row) && missing(&after, row));
    let value = match lost {
        Some(row) => arrow::util::display::array_value_to_string(array, row).map_err(failed)?,
        None => return Ok(converted),
    };
    Err(Error::InvalidValue { column: name.into(), value, expected: expected.into() })
}
