//! Values that text files are not given: those whose texts their readers do not read.
//!
//! A column holds more than its type means: a time of 25 hours, a year that no calendar has, a span of more than 292 years,
//! which no interval is. Binary formats and clients of the network give such values.

use std::collections::HashSet;

use arrow::{
    array::{Array, ArrayRef, AsArray, MapArray, RecordBatch},
    datatypes::{DataType, TimeUnit},
};

use super::{Error, text::shortened, years::MAX_DAYS};
use crate::print::{self, Form};

const SECONDS_A_DAY: i64 = 86_400;

/// Refuses rows with a value that would not be read back from a file of the format.
pub(super) fn check(batch: &RecordBatch, format: &str) -> Result<(), Error> {
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if let Some(value) = found(column) {
            let (column, format) = (field.name().clone(), format.to_owned());
            return Err(Error::Unwritable { column, value: shortened(&value), format });
        }
    }
    Ok(())
}

/// Refuses rows with a map that has a key twice: of the members of an object readers find one.
pub(super) fn check_keys(batch: &RecordBatch) -> Result<(), Error> {
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if let Some(key) = repeated(column) {
            return Err(Error::RepeatedKey { column: field.name().clone(), key: shortened(&key) });
        }
    }
    Ok(())
}

/// The first such key of a column, or of what its values consist of.
fn repeated(column: &ArrayRef) -> Option<String> {
    match column.data_type() {
        DataType::List(_) => repeated(column.as_list::<i32>().values()),
        DataType::LargeList(_) => repeated(column.as_list::<i64>().values()),
        DataType::FixedSizeList(..) => repeated(column.as_fixed_size_list().values()),
        DataType::Struct(_) => column.as_struct().columns().iter().find_map(repeated),
        DataType::Map(..) => repeated_key(column.as_map()).or_else(|| repeated(column.as_map().values())),
        DataType::Dictionary(..) => repeated(column.as_any_dictionary().values()),
        _ => None,
    }
}

fn repeated_key(map: &MapArray) -> Option<String> {
    // Keys without texts are told when they are written.
    let keys = print::texts(map.keys(), Form::default()).ok()?;
    let mut seen = HashSet::new();
    for (_, ends) in map.value_offsets().windows(2).enumerate().filter(|(row, _)| map.is_valid(*row)) {
        let [first, last] = ends else { continue };
        seen.clear();
        for place in *first..*last {
            let key = keys.value(usize::try_from(place).ok()?);
            if !seen.insert(key) {
                return Some(key.to_owned());
            }
        }
    }
    None
}

/// The first such value of a column, or of what its values consist of.
fn found(column: &ArrayRef) -> Option<String> {
    match column.data_type() {
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            let (first, last) = (*list.value_offsets().first()?, *list.value_offsets().last()?);
            found(&list.values().slice(usize::try_from(first).ok()?, usize::try_from(last - first).ok()?))
        }
        DataType::LargeList(_) => {
            let list = column.as_list::<i64>();
            let (first, last) = (*list.value_offsets().first()?, *list.value_offsets().last()?);
            found(&list.values().slice(usize::try_from(first).ok()?, usize::try_from(last - first).ok()?))
        }
        DataType::FixedSizeList(..) => found(column.as_fixed_size_list().values()),
        DataType::Struct(_) => column.as_struct().columns().iter().find_map(found),
        DataType::Map(..) => found(column.as_map().values()),
        DataType::Dictionary(..) => found(column.as_any_dictionary().values()),
        data_type => {
            let (least, greatest) = limits(data_type)?;
            let counts = print::counts(column.as_ref()).ok()?;
            let is_beyond = |row: &usize| !(least..=greatest).contains(&counts.value(*row));
            let row = (0..counts.len()).find(|row| counts.is_valid(*row) && is_beyond(row))?;
            let text = print::texts(&column.slice(row, 1), Form::default()).ok()?;
            Some(text.value(0).to_owned())
        }
    }
}

/// The least and the greatest that a column of dates, times or spans may count; none of other types, whose values are all read.
fn limits(data_type: &DataType) -> Option<(i64, i64)> {
    let a_day = |unit: &TimeUnit| i64::try_from(print::a_day(*unit)).unwrap_or(i64::MAX);
    let days = |a_day: i64| (MAX_DAYS.saturating_mul(-a_day), MAX_DAYS.saturating_mul(a_day));
    Some(match data_type {
        DataType::Date32 => days(1),
        DataType::Date64 => days(a_day(&TimeUnit::Millisecond)),
        DataType::Timestamp(unit, _) => days(a_day(unit)),
        // The midnight that ends a day is read.
        DataType::Time32(unit) | DataType::Time64(unit) => (0, a_day(unit)),
        // They are read as intervals, which count nanoseconds.
        DataType::Duration(unit) => {
            let nanoseconds = 1_000_000_000 / (a_day(unit) / SECONDS_A_DAY);
            (i64::MIN / nanoseconds, i64::MAX / nanoseconds)
        }
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{
            Date32Array, DurationMicrosecondArray, Int32Builder, ListArray, MapBuilder, StringBuilder,
            Time64MicrosecondArray, TimestampMicrosecondArray,
        },
        datatypes::Time64MicrosecondType,
    };

    use super::*;

    fn refused(column: impl Array + 'static) -> Option<String> {
        let batch = RecordBatch::try_from_iter_with_nullable([("c", Arc::new(column) as ArrayRef, true)]).unwrap();
        let error = check(&batch, "csv").err()?.to_string();
        let value = error.strip_prefix("column c: '").unwrap();
        Some(value.strip_suffix("' cannot be written to csv, because it could not be read back").unwrap().to_owned())
    }

    #[test]
    fn what_is_read_is_written() {
        assert_eq!(refused(Time64MicrosecondArray::from(vec![Some(0), None, Some(86_400_000_000)])), None);
        assert_eq!(refused(Date32Array::from(vec![2_932_897, -719_163])), None);
        assert_eq!(refused(TimestampMicrosecondArray::from(vec![253_402_300_800_000_000])), None);
        assert_eq!(refused(DurationMicrosecondArray::from(vec![9_223_372_036_854_775])), None);
    }

    #[test]
    fn what_no_reader_finds_again_is_refused() {
        let refuses = |value: &str| Some(value.to_owned());
        assert_eq!(refused(Time64MicrosecondArray::from(vec![90_000_000_000])), refuses("25:00:00"));
        assert_eq!(refused(Date32Array::from(vec![Some(0), Some(i32::MAX)])), refuses("5881580-07-11"));
        assert_eq!(refused(TimestampMicrosecondArray::from(vec![i64::MAX])), refuses("294247-01-10 04:00:54.775807"));
        let lists = [Some(vec![Some(0)]), None, Some(vec![None, Some(90_000_000_000)])];
        let lists = ListArray::from_iter_primitive::<Time64MicrosecondType, _, _>(lists);
        assert_eq!(refused(lists.slice(0, 2)), None);
        assert_eq!(refused(lists), refuses("25:00:00"));
        let span = DurationMicrosecondArray::from(vec![10_000_000_000_000_000]);
        assert_eq!(refused(span), refuses("2777777:46:40"));
    }

    /// Maps from integers, each row as pairs of a key and a value.
    fn maps(rows: &[&[(i32, &str)]]) -> RecordBatch {
        let mut builder = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
        for row in rows {
            for (key, value) in *row {
                builder.keys().append_value(*key);
                builder.values().append_value(value);
            }
            builder.append(true).unwrap();
        }
        RecordBatch::try_from_iter([("m", Arc::new(builder.finish()) as ArrayRef)]).unwrap()
    }

    #[test]
    fn an_object_has_no_member_twice() {
        assert!(check_keys(&maps(&[&[(1, "a"), (2, "a")], &[(1, "b")], &[]])).is_ok());
        let twice = maps(&[&[(1, "a")], &[(7, "a"), (8, "b"), (7, "c")]]);
        assert!(check_keys(&twice.slice(0, 1)).is_ok());
        let error = check_keys(&twice).unwrap_err().to_string();
        assert_eq!(error, "column m: a map has the key '7' twice, and as a JSON object it could not be read back");
    }
}
