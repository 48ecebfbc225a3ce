//! The calendar that dates and timestamps are counted by: PostgreSQL's, Gregorian for all years.
//!
//! The year before 1 is 0 here, and 1 BC for people. Knows numbers alone.

use crate::{
    fault::{Failure, Fault, Result},
    print,
};

pub(super) const MICROS_PER_SECOND: i64 = 1_000_000;
pub(super) const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
pub(super) const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
pub(super) const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;
pub(super) const SECONDS_PER_DAY: i64 = 86_400;
pub(super) const NANOS_PER_MICRO: i64 = 1_000;

/// The number of 1 January 1970 among the days of Julius Scaliger, whose first one is the first that there is.
pub(super) const JULIAN_1970: i64 = 2_440_588;

/// The first day that is too late, 1 January 262143.
const END_DAY: i64 = 95_026_237;

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
        let (year, month, day) = print::civil(days);
        // Months and days are small.
        Self { year, month: month.cast_signed(), day: day.cast_signed() }
    }

    /// The first of a month.
    pub(super) fn first(year: i64, month: i64) -> Self {
        Self { year, month, day: 1 }
    }

    /// Days since 1970. Months count on beyond a year.
    pub(super) fn days(self) -> i64 {
        // Years begin in March, so that the leap day is a year's last, and months from there on in pairs of 31 and 30 days.
        let months = self.year * 12 + self.month - 3;
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
        let before = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        before + (153 * month + 2) / 5 + self.day - 1 - 719_468
    }

    /// The year as people count it, without a year 0.
    pub(super) fn year_of_era(self) -> i64 {
        if self.year > 0 { self.year } else { self.year - 1 }
    }

    /// The year in which its week began by ISO 8601, and which week of it it is.
    pub(super) fn iso_week(self) -> (i64, i64) {
        let days = self.days();
        // A week is one of the year that its Thursday is in.
        let thursday = days - weekday_from_monday(days) + 3;
        let year = Self::of(thursday).year;
        (year, (thursday - Self::first(year, 1).days()) / 7 + 1)
    }
}

impl Moment {
    /// So many microseconds after 1970 began.
    pub(super) fn of(micros: i64) -> Self {
        let days = micros.div_euclid(MICROS_PER_DAY);
        Self { date: Day::of(days), days, micros: micros.rem_euclid(MICROS_PER_DAY) }
    }
}

/// How many days there are from a Monday to this one.
pub(super) fn weekday_from_monday(days: i64) -> i64 {
    // 1 January 1970 was a Thursday.
    (days + 3).rem_euclid(7)
}

/// How long a month is; months count on beyond a year.
pub(super) fn days_of_month(year: i64, month: i64) -> i64 {
    Day::first(year, month + 1).days() - Day::first(year, month).days()
}

/// Whether a timestamp is before or after all others.
pub(super) fn is_infinite(micros: i64) -> bool {
    matches!(micros, i64::MIN | i64::MAX)
}

/// The same of a date.
pub(super) fn is_infinite_date(days: i32) -> bool {
    matches!(days, i32::MIN | i32::MAX)
}

/// Whether there is such a day, given as days since 1970.
pub(super) fn is_day(days: i64) -> bool {
    (-JULIAN_1970..END_DAY).contains(&days)
}

/// A timestamp, if there is such a one.
pub(super) fn timestamp(micros: i128) -> Result<i64> {
    let known = i64::try_from(micros).ok().filter(|micros| is_day(micros.div_euclid(MICROS_PER_DAY)));
    known.ok_or_else(timestamp_out_of_range)
}

pub(super) fn timestamp_out_of_range() -> Failure {
    Failure::new(Fault::DatetimeOutOfRange, "timestamp out of range")
}

pub(super) fn interval_out_of_range() -> Failure {
    Failure::new(Fault::DatetimeOutOfRange, "interval out of range")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_there_and_back() {
        for days in (-JULIAN_1970..END_DAY).step_by(997).chain([END_DAY - 1]) {
            assert_eq!(Day::of(days).days(), days);
        }
        assert_eq!(Day::of(-JULIAN_1970), Day { year: -4_713, month: 11, day: 24 });
        assert_eq!(Day::of(END_DAY - 1), Day { year: 262_142, month: 12, day: 31 });
        assert_eq!(Day { year: 2024, month: 14, day: 29 }.days(), Day { year: 2025, month: 3, day: 1 }.days());
    }

    #[test]
    fn months_have_their_days() {
        let of = |year| (1..=12).map(|month| days_of_month(year, month)).collect::<Vec<_>>();
        assert_eq!(of(2023), [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);
        assert_eq!([1900, 2000, 2024, 0, -4].map(|year| days_of_month(year, 2)), [28, 29, 29, 29, 29]);
    }

    /// PostgreSQL 15: extract(isoyear FROM d), extract(week FROM d).
    #[test]
    fn weeks_are_those_of_their_thursday() {
        for ((year, month, day), expected) in [
            ((2024, 12, 30), (2025, 1)),
            ((2024, 12, 29), (2024, 52)),
            ((2021, 1, 3), (2020, 53)),
            ((2021, 1, 4), (2021, 1)),
            ((2000, 1, 1), (1999, 52)),
            ((0, 1, 1), (-1, 52)),
        ] {
            assert_eq!(Day { year, month, day }.iso_week(), expected, "{year}-{month}-{day}");
        }
    }
}
