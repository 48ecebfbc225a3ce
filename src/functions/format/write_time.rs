//! Writes timestamps and intervals as a template has them.

use super::{
    names::{DAYS, MONTHS, ROMAN_MONTHS, SHORT_DAYS, SHORT_MONTHS, eras, noons},
    node::{Node, ordinal},
    template::{Case, Field, Kind, Template},
};
use crate::{
    fault::{Failure, Fault, Result},
    pgtype::calendar::{JULIAN_1970, MICROS_A_SECOND, SECONDS_A_DAY, civil, day_of, iso_week, week_start, weekday},
};

/// What is written: a date with a time of day, or the parts of an interval, each with its sign.
#[derive(Debug, Clone, Default)]
pub(super) struct Moment {
    is_interval: bool,
    /// With a year 0, which is 1 BC.
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    /// From 0 for Sunday.
    weekday: i64,
    day_of_year: i64,
    /// Seconds to the east of UTC.
    offset: i64,
    /// What the zone is called then; empty of what has none.
    zone: String,
}

impl Moment {
    /// What clocks show so many microseconds after they showed 1970.
    pub(super) fn of_timestamp(micros: i64) -> Self {
        let (seconds, fraction) = (micros.div_euclid(MICROS_A_SECOND), micros.rem_euclid(MICROS_A_SECOND));
        let (days, second_of_day) = (seconds.div_euclid(SECONDS_A_DAY), seconds.rem_euclid(SECONDS_A_DAY));
        let (year, month, day) = civil(days);
        Self {
            is_interval: false,
            year,
            month,
            day,
            hour: second_of_day / 3_600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
            micros: fraction,
            weekday: weekday(days),
            day_of_year: days - day_of(year, 1, 1) + 1,
            offset: 0,
            zone: String::new(),
        }
    }

    /// The same of the clocks of a zone that is so many seconds to the east of UTC, and what it is called.
    pub(super) fn in_zone(self, offset: i64, zone: String) -> Self {
        Self { offset, zone, ..self }
    }

    pub(super) fn of_interval(months: i64, days: i64, micros: i64) -> Self {
        let seconds = micros / MICROS_A_SECOND;
        Self {
            is_interval: true,
            year: months / 12,
            month: months % 12,
            day: days,
            hour: seconds / 3_600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            micros: micros % MICROS_A_SECOND,
            day_of_year: months * 30 + days,
            ..Self::default()
        }
    }

    /// The year as it is counted, without a year 0.
    fn counted(&self, year: i64) -> i64 {
        if !self.is_interval && year <= 0 { 1 - year } else { year }
    }
}

impl Template {
    /// The moment as the template has it.
    pub(super) fn write(&self, moment: &Moment) -> Result<String> {
        let mut text = String::new();
        for node in &self.nodes {
            match node {
                Node::Keyword(field) => text.push_str(&field.write(moment)?),
                other => text.extend(other.character()),
            }
        }
        Ok(text)
    }
}

impl Field {
    fn write(&self, moment: &Moment) -> Result<String> {
        if moment.is_interval && needs_date(self.keyword.kind) {
            let message =
                "invalid format specification for an interval value; intervals are not tied to calendar dates";
            return Err(Failure::new(Fault::InvalidDatetime, message));
        }
        let number = self.number(moment);
        Ok(match number {
            Some(number) => match self.ordinal {
                Some(Case::Upper) => format!("{number}{}", ordinal(number.as_bytes()).unwrap_or("th").to_uppercase()),
                Some(_) => format!("{number}{}", ordinal(number.as_bytes()).unwrap_or("th")),
                None => number,
            },
            None => self.word(moment),
        })
    }

    /// The digits of a field that is a number.
    fn number(&self, moment: &Moment) -> Option<String> {
        // A sign takes a place of its own.
        let signed = |width: usize, value: i64| if value < 0 { width + 1 } else { width };
        let Moment { year, month, day, hour, minute, second, micros, .. } = *moment;
        let days = || day_of(year, month, day);
        let (value, width) = match self.keyword.kind {
            Kind::Hour12 => (if hour % 12 == 0 { 12 } else { hour % 12 }, signed(2, hour)),
            Kind::Hour24 => (hour, signed(2, hour)),
            Kind::Minute => (minute, signed(2, minute)),
            Kind::Second => (second, signed(2, second)),
            Kind::SecondOfDay => (hour * 3_600 + minute * 60 + second, 0),
            Kind::Millisecond => return Some(fraction(micros, 3)),
            Kind::Microsecond => return Some(fraction(micros, 6)),
            Kind::Fraction(digits) => return Some(fraction(micros, digits)),
            Kind::Month => (month, signed(2, month)),
            Kind::DayOfYear => (moment.day_of_year, 3),
            Kind::IsoDayOfYear => (days() - week_start(iso_week(days()).0, 1) + 1, 3),
            Kind::DayOfMonth => (day, 2),
            Kind::Weekday => (moment.weekday + 1, 0),
            Kind::IsoWeekday => (if moment.weekday == 0 { 7 } else { moment.weekday }, 0),
            Kind::Week => ((moment.day_of_year - 1) / 7 + 1, 2),
            Kind::IsoWeek => (iso_week(days()).1, 2),
            Kind::WeekOfMonth => ((day - 1) / 7 + 1, 0),
            Kind::Quarter if month == 0 => return None,
            Kind::Quarter => ((month - 1) / 3 + 1, 0),
            Kind::Century => {
                let century = century(moment);
                (century, if (-99..=99).contains(&century) { signed(2, century) } else { 0 })
            }
            Kind::JulianDay => (days() + JULIAN_1970, 0),
            Kind::Year(digits) => self.year(moment, year, digits),
            Kind::IsoYear(digits) => self.year(moment, iso_week(days()).0, digits),
            Kind::YearWithComma => {
                let year = moment.counted(year);
                return Some(format!("{},{:03}", year / 1_000, year % 1_000));
            }
            _ => return None,
        };
        let width = if self.is_bare { 0 } else { width };
        Some(format!("{value:0width$}"))
    }

    /// The last digits of a year, and their width.
    fn year(&self, moment: &Moment, year: i64, digits: u32) -> (i64, usize) {
        let is_negative = moment.counted(moment.year) < 0;
        let year = moment.counted(year);
        match digits {
            1 => (year % 10, 0),
            2 => (year % 100, if is_negative { 3 } else { 2 }),
            3 => (year % 1_000, if is_negative { 4 } else { 3 }),
            _ => (year, if is_negative { 5 } else { 4 }),
        }
    }

    /// A field that is no number.
    fn word(&self, moment: &Moment) -> String {
        let (minutes, sign) = (moment.offset.abs() / 60, if moment.offset < 0 { '-' } else { '+' });
        let width = |width: usize| if self.is_bare || self.is_local { 0 } else { width };
        match self.keyword.kind {
            Kind::Noon { is_dotted } => {
                let [before, after] = noons(is_dotted);
                self.cased(if moment.hour % 24 >= 12 { after } else { before }, 0)
            }
            Kind::Era { is_dotted } => {
                let [after, before] = eras(is_dotted);
                self.cased(if moment.year <= 0 { before } else { after }, 0)
            }
            Kind::DayName { is_short: true } => self.cased(of(&SHORT_DAYS, moment.weekday), 0),
            Kind::DayName { is_short: false } => self.cased(of(&DAYS, moment.weekday), width(9)),
            Kind::MonthName { is_short: true } => self.cased(of(&SHORT_MONTHS, moment.month - 1), 0),
            Kind::MonthName { is_short: false } => self.cased(of(&MONTHS, moment.month - 1), width(9)),
            Kind::RomanMonth => match roman_month(moment) {
                Some(month) => self.cased(month, if self.is_bare { 0 } else { 4 }),
                None => String::new(),
            },
            Kind::ZoneName if self.case == Case::Lower => moment.zone.to_ascii_lowercase(),
            Kind::ZoneName => moment.zone.clone(),
            Kind::OffsetHours => format!("{sign}{:02}", minutes / 60),
            Kind::OffsetMinutes => format!("{:02}", minutes % 60),
            Kind::Offset => {
                let hours_width = if self.is_bare { 0 } else { 2 };
                let hours = format!("{sign}{:0hours_width$}", minutes / 60);
                // Seconds alone have their minutes written, too.
                if moment.offset % 3_600 == 0 { hours } else { format!("{hours}:{:02}", minutes % 60) }
            }
            _ => String::new(),
        }
    }

    /// A name in the letters of the keyword, filled up with blanks.
    fn cased(&self, name: &str, width: usize) -> String {
        match self.case {
            Case::Upper => format!("{:<width$}", name.to_ascii_uppercase()),
            Case::Lower => format!("{:<width$}", name.to_ascii_lowercase()),
            Case::Title => format!("{name:<width$}"),
        }
    }
}

/// What an interval has none of.
fn needs_date(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ZoneName
            | Kind::Offset
            | Kind::OffsetHours
            | Kind::OffsetMinutes
            | Kind::Era { .. }
            | Kind::MonthName { .. }
            | Kind::DayName { .. }
            | Kind::Weekday
            | Kind::IsoWeekday
    )
}

fn fraction(micros: i64, digits: u32) -> String {
    let width = usize::try_from(digits).unwrap_or_default();
    format!("{:0width$}", micros / 10_i64.pow(6_u32.saturating_sub(digits)))
}

/// The 21st is from 2001 to 2100, and -1 the one before the first.
fn century(moment: &Moment) -> i64 {
    match moment.year {
        year if moment.is_interval => year / 100,
        year if year > 0 => (year - 1) / 100 + 1,
        year => year / 100 - 1,
    }
}

/// The months of an interval before zero are counted from its end, and one of whole years has twelve.
fn roman_month(moment: &Moment) -> Option<&'static str> {
    let at = match moment.month {
        0 if moment.year == 0 => return None,
        0 if moment.year > 0 => 0,
        0 => 11,
        month if month < 0 => -1 - month,
        month => 12 - month,
    };
    Some(of(&ROMAN_MONTHS, at))
}

fn of(names: &[&'static str], at: i64) -> &'static str {
    usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
}
