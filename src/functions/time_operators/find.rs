//! Which function an operator is, by what stands beside it.

use arrow::datatypes::{DataType, IntervalUnit};

use super::{dates, intervals, moments, times, zoned};
use crate::{functions::Function, pgtype::ZONED_TIME};

/// What an operand is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Date,
    Time,
    ZonedTime,
    Timestamp,
    Instant,
    Interval,
    Integer,
    Number,
}

/// An operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Plus,
    Minus,
    Times,
    Divide,
}

impl Kind {
    /// None of what is neither a time nor a number.
    pub(crate) fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Date32 => Self::Date,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            zoned if *zoned == ZONED_TIME => Self::ZonedTime,
            DataType::Timestamp(_, None) => Self::Timestamp,
            DataType::Timestamp(_, Some(_)) => Self::Instant,
            DataType::Interval(IntervalUnit::MonthDayNano) => Self::Interval,
            integer if integer.is_integer() => Self::Integer,
            number if number.is_numeric() => Self::Number,
            _ => return None,
        })
    }
}

/// The function of an operator between two operands; none where it is of no times, or there is no such operator.
pub(crate) fn of(left: Kind, sign: Sign, right: Kind) -> Option<&'static Function> {
    use Kind::{Date, Instant, Integer, Interval, Number, Time, Timestamp, ZonedTime};
    Some(match (left, sign, right) {
        (Date, Sign::Minus, Date) => &dates::DATE_MI,
        (Date, Sign::Plus, Integer) => &dates::DATE_PLI,
        (Date, Sign::Minus, Integer) => &dates::DATE_MII,
        (Integer, Sign::Plus, Date) => &dates::INTEGER_PL_DATE,
        (Date, Sign::Plus, Interval) => &dates::DATE_PL_INTERVAL,
        (Date, Sign::Minus, Interval | Time) => &dates::DATE_MI_INTERVAL,
        (Interval, Sign::Plus, Date) => &dates::INTERVAL_PL_DATE,
        (Date, Sign::Plus, Time) => &dates::DATETIME_PL,
        (Time, Sign::Plus, Date) => &dates::TIMEDATE_PL,
        (Time, Sign::Minus, Time) => &times::TIME_MI_TIME,
        (Time, Sign::Plus, Interval) => &times::TIME_PL_INTERVAL,
        (Time, Sign::Minus, Interval) => &times::TIME_MI_INTERVAL,
        (Interval, Sign::Plus, Time) => &times::INTERVAL_PL_TIME,
        (ZonedTime, Sign::Plus, Interval | Time) => &zoned::TIMETZ_PL_INTERVAL,
        (ZonedTime, Sign::Minus, Interval | Time) => &zoned::TIMETZ_MI_INTERVAL,
        (Interval | Time, Sign::Plus, ZonedTime) => &zoned::INTERVAL_PL_TIMETZ,
        (Date, Sign::Plus, ZonedTime) => &zoned::DATETIMETZ_PL,
        (ZonedTime, Sign::Plus, Date) => &zoned::TIMETZDATE_PL,
        (Instant, Sign::Minus, Instant | Timestamp | Date) | (Timestamp | Date, Sign::Minus, Instant) => {
            &moments::TIMESTAMPTZ_MI
        }
        (Timestamp, Sign::Minus, Timestamp | Date) | (Date, Sign::Minus, Timestamp) => &moments::TIMESTAMP_MI,
        (Timestamp, Sign::Plus, Interval) => &moments::TIMESTAMP_PL_INTERVAL,
        (Timestamp, Sign::Minus, Interval) => &moments::TIMESTAMP_MI_INTERVAL,
        (Interval, Sign::Plus, Timestamp) => &moments::INTERVAL_PL_TIMESTAMP,
        // A time is an interval where it stands for one.
        (Timestamp, Sign::Plus, Time) => &moments::TIMESTAMP_PL_INTERVAL,
        (Timestamp, Sign::Minus, Time) => &moments::TIMESTAMP_MI_INTERVAL,
        (Time, Sign::Plus, Timestamp) => &moments::INTERVAL_PL_TIMESTAMP,
        (Instant, Sign::Plus, Interval | Time) => &moments::TIMESTAMPTZ_PL_INTERVAL,
        (Instant, Sign::Minus, Interval | Time) => &moments::TIMESTAMPTZ_MI_INTERVAL,
        (Interval | Time, Sign::Plus, Instant) => &moments::INTERVAL_PL_TIMESTAMPTZ,
        (Interval, Sign::Plus, Interval) => &intervals::INTERVAL_PL,
        (Interval, Sign::Minus, Interval | Time) => &intervals::INTERVAL_MI,
        (Interval | Time, Sign::Times, Integer | Number) => &intervals::INTERVAL_MUL,
        (Integer | Number, Sign::Times, Interval | Time) => &intervals::MUL_D_INTERVAL,
        (Interval | Time, Sign::Divide, Integer | Number) => &intervals::INTERVAL_DIV,
        _ => return None,
    })
}

/// The function of a minus before an interval.
pub(crate) fn negated() -> &'static Function {
    &intervals::INTERVAL_UM
}
