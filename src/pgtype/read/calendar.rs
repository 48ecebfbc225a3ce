//! The Gregorian calendar, of all years: days since 1970 and back.

/// Days of 400 years, after which the calendar repeats.
const DAYS_PER_ERA: i64 = 146_097;

/// Days from 1 March of the year 0 to 1 January 1970.
const EPOCH_FROM_MARCH_0: i64 = 719_468;

/// The days since 1970 of a date; the year before 1 is 0. It counts from March, so that the leap day is a year's last.
pub(crate) fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_FROM_MARCH_0
}

/// The year, the month and the day of so many days since 1970.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_FROM_MARCH_0;
    let (era, of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    let leap_days = of_era / 1_460 - of_era / 36_524 + of_era / (DAYS_PER_ERA - 1);
    let year = (of_era - leap_days) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    // Five months from March or August on have 153 days.
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = (month + 2) % 12 + 1;
    (era * 400 + year + i64::from(month <= 2), month, day)
}

/// How many days a month has; none if it is no month.
pub(crate) fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
