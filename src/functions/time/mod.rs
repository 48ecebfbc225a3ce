//! Dates, times, timestamps and intervals.

mod age;
mod bin;
mod calendar;
mod converted;
mod digits;
mod fields;
mod isfinite;
mod justify;
mod make;
mod part;
mod series;
mod span_part;
mod timetz;
mod timezone;
mod to_timestamp;
mod trunc;
mod zones;

pub(super) use self::to_timestamp::OF_SECONDS;
pub(crate) use self::{
    digits::{casting, rounding},
    series::{TimeSeries, instant_in_session},
};
use super::Function;

pub(super) const ROOM: &[&Function] = &[
    &age::AGE,
    &bin::DATE_BIN,
    &part::DATE_PART,
    &trunc::DATE_TRUNC,
    &part::EXTRACT,
    &isfinite::ISFINITE,
    &justify::JUSTIFY_DAYS,
    &justify::JUSTIFY_HOURS,
    &justify::JUSTIFY_INTERVAL,
    &make::MAKE_DATE,
    &make::MAKE_INTERVAL,
    &make::MAKE_TIME,
    &make::MAKE_TIMESTAMP,
    &make::MAKE_TIMESTAMPTZ,
    &digits::DATE_OF,
    &digits::INTERVAL_DIGITS,
    &digits::TIME_DIGITS,
    &digits::TIMESTAMP_DIGITS,
    &digits::TIMESTAMPTZ_DIGITS,
    &timetz::TIMETZ_OF,
    &timezone::TIMEZONE,
];
