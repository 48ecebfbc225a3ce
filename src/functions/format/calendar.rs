//! Days by their number, of the Gregorian calendar without end in both directions, and the weeks of ISO 8601.
//!
//! Days are counted as astronomers do: 0 is 24 November 4714 BC. Years are counted with a year 0, which is 1 BC. Months and
//! days beyond those that a year has are those of the years around it.

/// The number of 1 January 1970.
pub(super) const EPOCH: i64 = 2_440_588;

/// The number of a day.
pub(super) fn day_number(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that their leap day is the last.
    let (year, month) = if month > 2 { (year + 4_800, month - 3) } else { (year + 4_799, month + 9) };
    // Five months from March or August on have 153 days.
    let before = 365 * year + year / 4 - year / 100 + year / 400;
    before + (153 * month + 2).div_euclid(5) + day - 32_045
}

/// The year, the month and the day of a number.
pub(super) fn date(number: i64) -> (i64, i64, i64) {
    let days = number + 32_044;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (0, month + 3) } else { (1, month - 9) };
    (era * 400 + year_of_era - 4_800 + year, month, day)
}

/// The days from the Sunday before.
pub(super) fn weekday(number: i64) -> i64 {
    (number + 1).rem_euclid(7)
}

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The days of a month from 1 to 12.
pub(super) fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The Monday of a week, the first of which has the year's 4 January in it.
pub(super) fn week_start(iso_year: i64, week: i64) -> i64 {
    let fourth = day_number(iso_year, 1, 4);
    fourth - (weekday(fourth) + 6) % 7 + (week - 1) * 7
}

/// The year and the week that a day is in.
pub(super) fn iso_week(year: i64, month: i64, day: i64) -> (i64, i64) {
    let number = day_number(year, month, day);
    let year = if number < week_start(year, 1) { year - 1 } else { year };
    let week = (number - week_start(year, 1)) / 7 + 1;
    let next = week_start(year + 1, 1);
    if week >= 52 && number >= next { (year + 1, (number - next) / 7 + 1) } else { (year, week) }
}

/// The day of the year that begins with its first week.
pub(super) fn iso_day_of_year(year: i64, month: i64, day: i64) -> i64 {
    let number = day_number(year, month, day);
    let (iso_year, _) = iso_week(year, month, day);
    number - week_start(iso_year, 1) + 1
}
