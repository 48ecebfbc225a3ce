//! The calendar that dates and timestamps are counted by: PostgreSQL's, Gregorian for all years, and the weeks of ISO 8601.
//!
//! Days are counted since 1970. Years have a year 0, which is 1 BC, and months beyond those of a year are those of the years
//! around it.

use arrow::datatypes::IntervalMonthDayNano;

pub(crate) const SECONDS_A_DAY: i64 = 86_400;
pub(crate) const MICROS_A_SECOND: i64 = 1_000_000;
pub(crate) const MICROS_A_DAY: i64 = SECONDS_A_DAY * MICROS_A_SECOND;

pub(crate) const NANOS_A_DAY: i128 = 86_400_000_000_000;

/// Where months are compared with days.
pub(crate) const NANOS_A_MONTH: i128 = 30 * NANOS_A_DAY;

/// The number of 1 January 1970 among the days of Julius Scaliger, whose first one, 24 November 4714 BC, is the first that is
/// stored.
pub(crate) const JULIAN_1970: i64 = 2_440_588;

/// The first day that is too late to be stored, 1 January 262143.
pub(crate) const END_DAY: i64 = 95_026_237;

/// Days of 400 years, after which the calendar repeats.
const DAYS_PER_ERA: i64 = 146_097;

/// Days from 1 March of the year 0 to 1 January 1970.
const EPOCH_FROM_MARCH_0: i64 = 719_468;

/// A date. It counts from March, so that the leap day is a year's last.
pub(crate) fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let months = year * 12 + month - 3;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
    let before = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // Five months from March or August on have 153 days.
    before + (153 * month + 2) / 5 + day - 1 - EPOCH_FROM_MARCH_0
}

/// The year, the month and the day of a date.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_FROM_MARCH_0;
    let (era, of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    let leap_days = of_era / 1_460 - of_era / 36_524 + of_era / (DAYS_PER_ERA - 1);
    let year = (of_era - leap_days) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = (month + 2) % 12 + 1;
    (era * 400 + year + i64::from(month <= 2), month, day)
}

/// How many days a month has.
pub(crate) fn days_in(year: i64, month: i64) -> i64 {
    day_of(year, month + 1, 1) - day_of(year, month, 1)
}

/// The days from the Sunday before.
pub(crate) fn weekday(days: i64) -> i64 {
    // 1 January 1970 was a Thursday.
    (days + 4).rem_euclid(7)
}

/// The days from the Monday before.
pub(crate) fn weekday_from_monday(days: i64) -> i64 {
    (days + 3).rem_euclid(7)
}

/// The year in which the week of a day began by ISO 8601, and which week of it it is.
pub(crate) fn iso_week(days: i64) -> (i64, i64) {
    // A week is one of the year that its Thursday is in.
    let thursday = days - weekday_from_monday(days) + 3;
    let (year, _, _) = civil(thursday);
    (year, (thursday - day_of(year, 1, 1)) / 7 + 1)
}

/// The Monday of a week of such a year.
pub(crate) fn week_start(iso_year: i64, week: i64) -> i64 {
    // The first week has the 4 January in it.
    let fourth = day_of(iso_year, 1, 4);
    fourth - weekday_from_monday(fourth) + (week - 1) * 7
}

/// The nanoseconds that an interval lasts, by which intervals are compared: fewer than 2^83.
pub(crate) fn interval_length(interval: IntervalMonthDayNano) -> i128 {
    i128::from(interval.months) * NANOS_A_MONTH
        + i128::from(interval.days) * NANOS_A_DAY
        + i128::from(interval.nanoseconds)
}

/// Whether such a day is stored.
pub(crate) fn is_day(days: i64) -> bool {
    (-JULIAN_1970..END_DAY).contains(&days)
}

/// The timestamp before all others, or the one after them, in microseconds.
pub(crate) fn infinite(is_before: bool) -> i64 {
    if is_before { i64::MIN } else { i64::MAX }
}

/// The same date, in days.
pub(crate) fn infinite_date(is_before: bool) -> i32 {
    if is_before { i32::MIN } else { i32::MAX }
}

/// Whether a timestamp is before or after all others.
pub(crate) fn is_infinite(micros: i64) -> bool {
    matches!(micros, i64::MIN | i64::MAX)
}

/// The same of a date.
pub(crate) fn is_infinite_date(days: i32) -> bool {
    matches!(days, i32::MIN | i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_there_and_back() {
        for days in (-JULIAN_1970..END_DAY).step_by(997).chain([END_DAY - 1]) {
            let (year, month, day) = civil(days);
            assert_eq!(day_of(year, month, day), days);
        }
        assert_eq!(civil(-JULIAN_1970), (-4_713, 11, 24));
        assert_eq!(civil(END_DAY - 1), (262_142, 12, 31));
        assert_eq!(day_of(2024, 14, 29), day_of(2025, 3, 1));
        assert_eq!(day_of(2024, 0, 31), day_of(2023, 12, 31));
    }

    #[test]
    fn months_have_their_days() {
        let of = |year| (1..=12).map(|month| days_in(year, month)).collect::<Vec<_>>();
        assert_eq!(of(2023), [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);
        assert_eq!([1900, 2000, 2024, 0, -4].map(|year| days_in(year, 2)), [28, 29, 29, 29, 29]);
    }

    /// PostgreSQL 15: extract(isoyear FROM d), extract(week FROM d), extract(dow FROM d).
    #[test]
    fn weeks_are_those_of_their_thursday() {
        for ((year, month, day), expected, of_week) in [
            ((2024, 12, 30), (2025, 1), 1),
            ((2024, 12, 29), (2024, 52), 0),
            ((2021, 1, 3), (2020, 53), 0),
            ((2021, 1, 4), (2021, 1), 1),
            ((2000, 1, 1), (1999, 52), 6),
            ((0, 1, 1), (-1, 52), 6),
        ] {
            let days = day_of(year, month, day);
            assert_eq!((iso_week(days), weekday(days)), (expected, of_week), "{year}-{month}-{day}");
            let (year, week) = expected;
            assert_eq!(week_start(year, week), days - (of_week + 6) % 7);
        }
    }
}
