//! The date and the time of day that fields which were read come to.

use super::{read_time::Fields, template::Calendar};
use crate::{
    fault::{Failure, Fault, Result},
    pgtype::{
        MOST_DIGITS,
        calendar::{JULIAN_1970, MICROS_A_SECOND, SECONDS_A_DAY, civil, day_of, days_in, is_day, week_start},
        rounded_moment,
    },
};

/// The furthest a zone is from UTC, in hours.
const FURTHEST_ZONE: i64 = 15;

/// A date and a time of day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dated {
    year: i64,
    month: i64,
    day: i64,
    second_of_day: i64,
    micros: i64,
    /// Seconds to the east of UTC, if that was said.
    offset: Option<i64>,
    /// To so many digits the fraction of a second is rounded, if that was said.
    fraction_digits: Option<u32>,
}

/// A date while its fields are put together, and which of them were said.
struct Date {
    year: i64,
    month: i64,
    day: i64,
    has_year: bool,
    has_month: bool,
    has_day: bool,
}

impl Dated {
    /// Days since 1970.
    pub(super) fn days(&self, text: &str) -> Result<i32> {
        let days = i32::try_from(self.day()).ok().filter(|_| is_day(self.day()));
        days.ok_or_else(|| Failure::new(Fault::DatetimeOutOfRange, format!("date out of range: \"{text}\"")))
    }

    /// Microseconds since 1970 in UTC. Where the text says no zone, it is of one that is so far to the east of UTC when its
    /// clocks show so many seconds since 1970.
    pub(super) fn instant(&self, offset_at: impl FnOnce(i64) -> i64) -> Result<i64> {
        let out_of_range = || Failure::new(Fault::DatetimeOutOfRange, "timestamp out of range");
        if !is_day(self.day()) {
            return Err(out_of_range());
        }
        let shown = self.day() * SECONDS_A_DAY + self.second_of_day;
        let seconds = shown - self.offset.unwrap_or_else(|| offset_at(shown));
        let micros = seconds * MICROS_A_SECOND + self.micros;
        rounded_moment(micros, self.fraction_digits.unwrap_or(MOST_DIGITS)).ok_or_else(out_of_range)
    }

    fn day(&self) -> i64 {
        day_of(self.year, self.month, self.day)
    }
}

impl Fields {
    /// What they come to; the text that they were read from is told where that is nothing.
    pub(super) fn dated(&self, text: &str) -> Result<Dated> {
        let out_of_range =
            || Failure::new(Fault::DatetimeOutOfRange, format!("date/time field value out of range: \"{text}\""));
        let (hour, minute, second) = self.time_of_day()?;
        let date = self.date()?;
        let micros = self.millisecond * 1_000 + self.microsecond;
        let is_time = (0..24).contains(&hour)
            && (0..60).contains(&minute)
            && (0..60).contains(&second)
            && (0..MICROS_A_SECOND).contains(&micros);
        if !date.is_one() || !is_time {
            return Err(out_of_range());
        }
        let Date { year, month, day, .. } = date;
        let second_of_day = hour * 3_600 + minute * 60 + second;
        let fraction_digits = self.fraction_digits;
        Ok(Dated { year, month, day, second_of_day, micros, offset: self.offset(text)?, fraction_digits })
    }

    /// The hour of twenty-four, the minute and the second.
    fn time_of_day(&self) -> Result<(i64, i64, i64)> {
        let or = |field: i64, other: i64| if field == 0 { other } else { field };
        let second = or(self.second, self.second_of_day % 60);
        let minute = or(self.minute, self.second_of_day / 60 % 60);
        let hour = or(self.hour, self.second_of_day / 3_600);
        if !self.is_half_day {
            return Ok((hour, minute, second));
        }
        if !(1..=12).contains(&hour) {
            let message = format!("hour \"{hour}\" is invalid for the 12-hour clock; give an hour between 1 and 12");
            return Err(Failure::new(Fault::InvalidDatetime, message));
        }
        let hour = match (hour, self.is_afternoon != 0) {
            (12, false) => 0,
            (1..=11, true) => hour + 12,
            _ => hour,
        };
        Ok((hour, minute, second))
    }

    fn offset(&self, text: &str) -> Result<Option<i64>> {
        if self.zone_sign == 0 {
            return Ok(None);
        }
        if !(0..=FURTHEST_ZONE).contains(&self.zone_hours) || !(0..60).contains(&self.zone_minutes) {
            let message = format!("time zone displacement out of range: \"{text}\"");
            return Err(Failure::new(Fault::ZoneOutOfRange, message));
        }
        Ok(Some(self.zone_sign * (self.zone_hours * 3_600 + self.zone_minutes * 60)))
    }

    fn date(&self) -> Result<Date> {
        let mut date = Date { year: 0, month: 1, day: 1, has_year: false, has_month: false, has_day: false };
        if let Some(year) = self.whole_year() {
            (date.year, date.has_year) = (year, true);
        }
        if self.julian_day != 0 {
            date.become_day(self.julian_day - JULIAN_1970);
        }
        let is_of_weeks = self.calendar == Some(Calendar::IsoWeeks);
        let mut day_of_year = self.day_of_year;
        if self.week != 0 && is_of_weeks {
            let day = match self.weekday {
                0 => 0,
                // Weeks end on Sunday, which is 1.
                1 => 6,
                weekday => weekday - 2,
            };
            let day = if self.weekday < 0 { 6 } else { day };
            date.become_day(week_start(date.year, self.week) + day);
        } else if self.week != 0 {
            day_of_year = (self.week - 1) * 7 + 1;
        }
        let day = if self.week_of_month != 0 { (self.week_of_month - 1) * 7 + 1 } else { self.day };
        if day != 0 {
            (date.day, date.has_day) = (day, true);
        }
        if self.month != 0 {
            (date.month, date.has_month) = (self.month, true);
        }
        if day_of_year != 0 && (date.month <= 1 || date.day <= 1) {
            if date.year == 0 && self.is_before_christ == 0 {
                let message = "cannot calculate day of year without year information";
                return Err(Failure::new(Fault::InvalidDatetime, message));
            }
            if is_of_weeks {
                date.become_day(week_start(date.year, 1) - 1 + day_of_year);
            } else {
                date.become_day_of_year(day_of_year);
            }
        }
        Ok(date)
    }

    /// The year with a year 0, which is 1 BC, of what was said of it and of its century.
    fn whole_year(&self) -> Option<i64> {
        let is_before = self.is_before_christ != 0;
        let century = if is_before { -self.century } else { self.century };
        if self.year == 0 {
            // Of a century, its first year.
            return match century {
                0 => None,
                1.. => Some((century - 1) * 100 + 1),
                _ => Some(century * 100 + 1),
            };
        }
        if century != 0 && self.year_digits <= 2 {
            let year = self.year % 100;
            return Some(match (year, century) {
                (0, 0..) => century * 100,
                (0, _) => century * 100 + 1,
                (_, 0..) => year + (century - 1) * 100,
                _ => (century + 1) * 100 - year + 1,
            });
        }
        let year = if is_before { -self.year } else { self.year };
        Some(if year < 0 { year + 1 } else { year })
    }
}

impl Date {
    fn become_day(&mut self, days: i64) {
        let (year, month, day) = civil(days);
        *self = Self { year, month, day, has_year: true, has_month: true, has_day: true };
    }

    /// Takes month and day, where they are not said, from the day of the year.
    fn become_day_of_year(&mut self, day_of_year: i64) {
        let (mut month, mut before) = (1, 0);
        while month <= 12 && day_of_year > before + days_in(self.year, month) {
            before += days_in(self.year, month);
            month += 1;
        }
        if self.month <= 1 {
            self.month = month;
        }
        if self.day <= 1 {
            self.day = day_of_year - before;
        }
        (self.has_month, self.has_day) = (true, true);
    }

    /// Whether there is such a day, as far as it was said.
    fn is_one(&self) -> bool {
        let is_month = (1..=12).contains(&self.month);
        let days = if self.has_year && self.has_month { days_in(self.year, self.month) } else { 31 };
        (!self.has_month || is_month) && (!self.has_day || (1..=days).contains(&self.day))
    }
}
