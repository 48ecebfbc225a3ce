//! Dates and timestamps as functions take them apart, by the calendar of `pgtype`.

use crate::{
    fault::{Failure, Fault, Result},
    pgtype::calendar::{civil, day_of, is_day, iso_week},
};

pub(super) use crate::pgtype::calendar::{
    JULIAN_1970, MICROS_A_DAY as MICROS_PER_DAY, MICROS_A_SECOND as MICROS_PER_SECOND,
    SECONDS_A_DAY as SECONDS_PER_DAY, days_in as days_of_month, infinite, infinite_date, is_infinite, is_infinite_date,
};

pub(super) const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
pub(super) const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
pub(super) const NANOS_PER_MICRO: i64 = 1_000;

/// A day as people name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
}

/// What clocks show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) date: Day,
    /// Days since 1970.
    pub(super) days: i64,
    /// Microseconds since midnight.
    pub(super) micros: i64,
}

impl Day {
    /// So many days after 1 January 1970.
    pub(super) fn of(days: i64) -> Self {
        let (year, month, day) = civil(days);
        Self { year, month, day }
    }

    /// The first of a month.
    pub(super) fn first(year: i64, month: i64) -> Self {
        Self { year, month, day: 1 }
    }

    /// Days since 1970. Months count on beyond a year.
    pub(super) fn days(self) -> i64 {
        day_of(self.year, self.month, self.day)
    }

    /// The year as people count it, without a year 0.
    pub(super) fn year_of_era(self) -> i64 {
        if self.year > 0 { self.year } else { self.year - 1 }
    }

    /// The year in which its week began by ISO 8601, and which week of it it is.
    pub(super) fn iso_week(self) -> (i64, i64) {
        iso_week(self.days())
    }
}

impl Moment {
    /// So many microseconds after 1970 began.
    pub(super) fn of(micros: i64) -> Self {
        let days = micros.div_euclid(MICROS_PER_DAY);
        Self { date: Day::of(days), days, micros: micros.rem_euclid(MICROS_PER_DAY) }
    }
}

/// A timestamp, if there is such a one.
pub(super) fn timestamp(micros: i128) -> Result<i64> {
    let known = i64::try_from(micros).ok().filter(|micros| is_day(micros.div_euclid(MICROS_PER_DAY)));
    known.ok_or_else(timestamp_out_of_range)
}

pub(super) fn timestamp_out_of_range() -> Failure {
    Failure::new(Fault::DatetimeOutOfRange, "timestamp out of range")
}

pub(super) fn date_out_of_range() -> Failure {
    Failure::new(Fault::DatetimeOutOfRange, "date out of range")
}

pub(super) fn interval_out_of_range() -> Failure {
    Failure::new(Fault::DatetimeOutOfRange, "interval out of range")
}
