//! `timestamp(3)`, `time(0)`, `interval day to second(2)`: values rounded to what the modifier of their type says, by functions
//! that are called as the types are. A cast to such a type calls them. And what they make of values of other types.

use arrow::{array::ArrayRef, datatypes::DataType};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};

use super::{
    calendar::{interval_out_of_range, is_infinite, timestamp_out_of_range},
    converted,
    timetz::TIMETZ_OF,
};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload, call::same},
    pgtype::{
        DATE, Form, INT4, INTERVAL, MOST_DIGITS, PgType, Span, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ, rounded,
        rounded_moment,
    },
};

/// What a type without a modifier has for one.
const NO_MODIFIER: i32 = -1;

// Of instants, too, it is as good as immutable: a plan that is kept is one of sessions with the same settings. Of what is not
// immutable the query engine finds no timestamps by a date.
pub(super) static DATE_OF: Function = Function {
    name: "date",
    purpose: "The date of a timestamp, or that the session's clocks show at an instant",
    example: "\"date\"(timestamp '2024-05-06 07:08:09.5')",
    shows: "2024-05-06",
    overloads: &[
        Overload::new(&[TIMESTAMP], DATE, converted::dates_of_timestamps)
            .with_order(order)
            .with_preimage(converted::timestamps_of_day),
        Overload::new(&[TIMESTAMPTZ], DATE, converted::dates_of_instants),
    ],
};

pub(super) static TIMESTAMP_DIGITS: Function = Function {
    name: "timestamp",
    purpose: "The timestamp with so many digits of a second, or of a date, a date and a time, or an instant",
    example: "\"timestamp\"(timestamp '2024-05-06 07:08:09.5', 0)",
    shows: "2024-05-06 07:08:10",
    overloads: &[
        Overload::new(&[TIMESTAMP, INT4], TIMESTAMP, moments),
        Overload::new(&[TIMESTAMP], TIMESTAMP, same),
        Overload::new(&[DATE], TIMESTAMP, converted::timestamps_of_dates).with_order(order),
        Overload::new(&[DATE, TIME], TIMESTAMP, converted::timestamps_of_dates_and_times),
        Overload::new(&[TIMESTAMPTZ], TIMESTAMP, converted::timestamps_of_instants).stable(),
    ],
};

pub(super) static TIMESTAMPTZ_DIGITS: Function = Function {
    name: "timestamptz",
    purpose: "The instant with so many digits of a second, or of a date, a date and a time, or a timestamp",
    example: "\"timestamptz\"(timestamptz '2024-05-06 07:08:09.55+00', 1)",
    shows: "2024-05-06 07:08:09.6+00",
    overloads: &[
        Overload::new(&[TIMESTAMPTZ, INT4], TIMESTAMPTZ, moments),
        Overload::new(&[TIMESTAMPTZ], TIMESTAMPTZ, same),
        Overload::new(&[TIMESTAMP], TIMESTAMPTZ, converted::instants_of_timestamps).stable(),
        Overload::new(&[DATE], TIMESTAMPTZ, converted::instants_of_dates).stable(),
        Overload::new(&[DATE, TIME], TIMESTAMPTZ, converted::instants_of_dates_and_times).stable(),
        Overload::new(&[DATE, TIMETZ], TIMESTAMPTZ, converted::instants_of_dates_and_zoned_times),
    ],
};

pub(super) static TIME_DIGITS: Function = Function {
    name: "time",
    purpose: "The time of day with so many digits of a second, without its zone, or of a timestamp, an instant or an interval",
    example: "\"time\"(time '07:08:09.5', 0)",
    shows: "07:08:10",
    overloads: &[
        Overload::new(&[TIME, INT4], TIME, times),
        Overload::new(&[TIME], TIME, same),
        Overload::new(&[TIMETZ], TIME, without_zone),
        Overload::new(&[TIMESTAMP], TIME, converted::time_of_timestamps),
        Overload::new(&[TIMESTAMPTZ], TIME, converted::time_of_instants).stable(),
        Overload::new(&[INTERVAL], TIME, converted::time_of_intervals),
    ],
};

pub(super) static INTERVAL_DIGITS: Function = Function {
    name: "interval",
    purpose: "The interval with the fields and the digits of a second that the modifier of its type says, or as long as a time",
    example: "\"interval\"(interval '1 year 2 days 03:04', 458751)",
    shows: "1 year",
    overloads: &[
        Overload::new(&[INTERVAL, INT4], INTERVAL, intervals),
        Overload::new(&[INTERVAL], INTERVAL, same),
        Overload::new(&[TIME], INTERVAL, converted::intervals_of_times),
    ],
};

/// The function that a cast to a type with a modifier calls; none of one whose modifier says nothing of values.
pub(crate) fn rounding(pg: &PgType) -> Option<&'static Function> {
    Some(match pg.form {
        Form::Timestamp => &TIMESTAMP_DIGITS,
        Form::Instant => &TIMESTAMPTZ_DIGITS,
        Form::Time => &TIME_DIGITS,
        Form::ZonedTime => &TIMETZ_OF,
        Form::Interval => &INTERVAL_DIGITS,
        _ => return None,
    })
}

/// The function that a cast from one type to another calls; none where the query engine casts as PostgreSQL does. Its casts know
/// neither what is before or after all others nor all years, and no time that clocks show twice.
pub(crate) fn casting(from: &PgType, to: &PgType) -> Option<&'static Function> {
    use Form::{Date, Instant, Interval, Time, Timestamp, ZonedTime};
    Some(match (from.form, to.form) {
        (Timestamp | Instant, Date) => &DATE_OF,
        (Timestamp | Instant | Interval | ZonedTime, Time) => &TIME_DIGITS,
        (Date | Instant, Timestamp) => &TIMESTAMP_DIGITS,
        (Date | Timestamp, Instant) => &TIMESTAMPTZ_DIGITS,
        (Time | Instant, ZonedTime) => &TIMETZ_OF,
        _ => return None,
    })
}

/// Dates and timestamps that become one another keep their order. What clocks of a zone show does not.
fn order(arguments: &[ExprProperties]) -> SortProperties {
    match arguments {
        [value] if matches!(value.range.data_type(), DataType::Date32 | DataType::Timestamp(_, None)) => {
            value.sort_properties
        }
        _ => SortProperties::Unordered,
    }
}

/// The digits that are asked for; PostgreSQL keeps no more than six.
fn digits(number: i32, of: &PgType) -> Result<u32> {
    digits_within(number).ok_or_else(|| {
        let message = format!("{}({number}) precision must be between 0 and {MOST_DIGITS}", of.name);
        Failure::new(Fault::InvalidArgument, message)
    })
}

/// The same where a time stays as it is that is asked for others.
pub(super) fn digits_within(number: i32) -> Option<u32> {
    u32::try_from(number).ok().filter(|digits| *digits <= MOST_DIGITS)
}

fn moments(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, numbers) = (call.timestamps(0)?, call.int4s(1)?);
    call.timestamp_of(|row| {
        let value = values.value(row);
        // None is what a type without a modifier says.
        if is_infinite(value) || numbers.value(row) == NO_MODIFIER {
            return Ok(Some(value));
        }
        let digits = digits(numbers.value(row), &TIMESTAMP)?;
        rounded_moment(value, digits).map(Some).ok_or_else(timestamp_out_of_range)
    })
}

fn times(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, numbers) = (call.times(0)?, call.int4s(1)?);
    call.time_of(|row| {
        let value = values.value(row);
        Ok(digits_within(numbers.value(row)).map_or(Some(value), |digits| rounded(value, digits)))
    })
}

fn without_zone(call: &Call<'_>) -> Result<ArrayRef> {
    let times = call.zoned_times(0)?;
    call.time_of(|row| Ok(Some(times.value(row)?.micros)))
}

fn intervals(call: &Call<'_>) -> Result<ArrayRef> {
    let (values, modifiers) = (call.intervals(0)?, call.int4s(1)?);
    call.interval_of(|row| {
        let span = Span::of(values.value(row)).declared(modifiers.value(row));
        span.and_then(Span::arrow).map(Some).ok_or_else(interval_out_of_range)
    })
}
