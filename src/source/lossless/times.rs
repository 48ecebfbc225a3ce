//! Times between zones, times of day and intervals, as files have them.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, FixedSizeBinaryArray, Int64Array, IntervalMonthDayNanoArray},
    compute::cast_with_options,
    datatypes::{DataType, Int64Type, IntervalMonthDayNano, TimeUnit},
    error::ArrowError,
};

use super::{super::zones::Clocks, STRICT, misfit, whole, within};
use crate::print;

/// What is said of a number that should be a time of day.
pub(in super::super) const NO_TIME: &str = "is no time of day";
/// What is said of months and days that are too many.
pub(in super::super) const NO_INTERVAL: &str = "are out of the range of an interval";

/// Times without a zone as instants: those at which the clocks of the wanted zone show them.
pub(super) fn by_clocks(
    values: &ArrayRef,
    unit: TimeUnit,
    zone: &str,
    wanted: &DataType,
) -> Result<ArrayRef, ArrowError> {
    let clocks = Clocks::named(zone).ok_or_else(|| misfit(values, wanted, 0))?;
    let shown = cast_with_options(&whole(values, &DataType::Timestamp(unit, None))?, &DataType::Int64, &STRICT)?;
    let second = print::a_second(unit);
    let instant = |shown: i64| {
        let seconds = clocks.instant(shown.div_euclid(second))?;
        seconds.checked_mul(second)?.checked_add(shown.rem_euclid(second))
    };
    let instants = shown.as_primitive::<Int64Type>().iter().enumerate().map(|(row, shown)| match shown {
        Some(shown) => instant(shown).map(Some).ok_or_else(|| misfit(values, wanted, row)),
        None => Ok(None),
    });
    let instants = instants.collect::<Result<Int64Array, ArrowError>>()?;
    cast_with_options(&instants, wanted, &STRICT)
}

/// An interval as Parquet and Avro write it: months, days and milliseconds, four bytes each.
pub(in super::super) fn whole_interval(bytes: &[u8]) -> Result<IntervalMonthDayNano, String> {
    let (parts, _) = bytes.as_chunks::<4>();
    let &[months, days, milliseconds] = parts else { return Err("an interval has twelve bytes".to_owned()) };
    let (months, days) = (u32::from_le_bytes(months), u32::from_le_bytes(days));
    let nanoseconds = i64::from(u32::from_le_bytes(milliseconds)) * 1_000_000;
    match (i32::try_from(months), i32::try_from(days)) {
        (Ok(months), Ok(days)) => Ok(IntervalMonthDayNano::new(months, days, nanoseconds)),
        _ => Err(format!("{months} months and {days} days {NO_INTERVAL}")),
    }
}

/// Intervals as Parquet writes them.
pub(super) fn intervals(values: &FixedSizeBinaryArray) -> Result<ArrayRef, ArrowError> {
    let read = |bytes: &[u8]| whole_interval(bytes).map_err(ArrowError::CastError);
    let found = values.iter().map(|bytes| bytes.map(read).transpose()).collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(IntervalMonthDayNanoArray::from(found)))
}

/// Whether there are times of day in values of a type.
pub(in super::super) fn has_time(data_type: &DataType) -> bool {
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
pub(super) fn check_times(values: &ArrayRef) -> Result<(), ArrowError> {
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
    let shown = match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "µs",
        TimeUnit::Nanosecond => "ns",
    };
    let day = 0..=print::a_day(unit);
    match numbers.as_primitive::<Int64Type>().iter().flatten().find(|number| !day.contains(number)) {
        Some(outside) => Err(ArrowError::CastError(format!("{outside} {shown} {NO_TIME}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::{array::Time64MicrosecondArray, datatypes::IntervalUnit};

    use super::{
        super::tests::{failure, list, object},
        *,
    };

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
