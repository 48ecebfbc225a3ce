//! Texts of intervals, in every form that PostgreSQL reads: numbers with units, the SQL standard's fields, and ISO 8601.
//!
//! A text is cut into fields, which are looked at from the right: a unit stands behind its number.

use arrow::datatypes::IntervalMonthDayNano;

use super::{
    iso,
    moments::Unfit,
    parts::colons,
    tokens::{Field, Kind, cut, fraction, whole},
    words::is_word,
};
use crate::pgtype::{
    IntervalStyle,
    calendar::{MICROS_A_DAY, MICROS_A_SECOND},
    rounded,
};

/// The parts of an interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) months: i32,
    pub(crate) days: i32,
    pub(crate) micros: i64,
}

impl Span {
    /// As a column has it, which counts nanoseconds; none if there are too many of them.
    pub(crate) fn arrow(self) -> Option<IntervalMonthDayNano> {
        Some(IntervalMonthDayNano::new(self.months, self.days, self.micros.checked_mul(1_000)?))
    }

    /// Of what a column has, whole microseconds.
    pub(crate) fn of(interval: IntervalMonthDayNano) -> Self {
        Self { months: interval.months, days: interval.days, micros: interval.nanoseconds / 1_000 }
    }
}

/// The fields that an interval is declared to have, and the digits of its seconds: `day to hour`, `(3)`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    /// The first and the last; none are all.
    pub(crate) range: Option<(Part, Part)>,
    pub(crate) digits: Option<u32>,
}

/// A field of the SQL standard's intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
    Decade,
    Century,
    Millennium,
    /// No number counts it.
    Other,
}

const MICROS_A_MINUTE: i64 = 60 * MICROS_A_SECOND;
const MICROS_AN_HOUR: i64 = 60 * MICROS_A_MINUTE;

/// The most letters of a word that are looked at.
const LETTERS: usize = 10;

/// Reads an interval.
pub(crate) fn interval(text: &str, fields: Fields) -> Result<Span, Unfit> {
    interval_in(text, fields, IntervalStyle::default())
}

/// The same in a session of a style. By the SQL standard, a sign at the beginning is that of all parts where none has another.
pub(crate) fn interval_in(text: &str, fields: Fields, style: IntervalStyle) -> Result<Span, Unfit> {
    let summed = match in_fields(text, fields, style) {
        Err(Unfit::Syntax) => iso::in_designators(text),
        other => other,
    };
    let summed = summed.map_err(|why| if why == Unfit::Field { Unfit::IntervalField } else { why })?;
    let span = summed.span().ok_or(Unfit::Range)?;
    fields.of(span).ok_or(Unfit::Range)
}

fn in_fields(text: &str, declared: Fields, style: IntervalStyle) -> Result<Sum, Unfit> {
    let fields = cut(text, is_word).ok_or(Unfit::Syntax)?;
    let mut signs = fields.iter().map(|field| field.text.starts_with(['-', '+']));
    let is_of_all = style == IntervalStyle::SqlStandard
        && signs.next() == Some(true)
        && fields.first().is_some_and(|first| first.text.starts_with('-'))
        && !signs.any(|is_signed| is_signed);
    let mut sum = Sum::default();
    let mut known: Vec<Seen> = Vec::new();
    let (mut counted, mut is_before) = (None, false);
    for field in fields.iter().rev() {
        let found = match field.kind {
            Kind::Clock => {
                sum.add_clock(&field.text, false, declared)?;
                counted = Some(Unit::Day);
                vec![Seen::Clock]
            }
            Kind::Signed if field.text.contains(':') && is_clock(&field.text[1..], declared) => {
                sum.add_clock(&field.text[1..], field.text.starts_with('-'), declared)?;
                counted = Some(Unit::Day);
                vec![Seen::Clock]
            }
            Kind::Signed | Kind::Date | Kind::Number => {
                let counts = *counted.get_or_insert_with(|| declared.last());
                let (found, counts) = sum.add_number(field, counts)?;
                counted = Some(counts);
                found
            }
            Kind::Word | Kind::SignedWord => {
                match field.text.as_str() {
                    "ago" => {
                        is_before = true;
                        counted = Some(Unit::Other);
                    }
                    word => counted = Some(unit(word).ok_or(Unfit::Syntax)?),
                }
                Vec::new()
            }
        };
        if found.iter().any(|part| known.iter().any(|other| part.clashes(*other))) {
            return Err(Unfit::Syntax);
        }
        known.extend(found);
    }
    if is_of_all {
        sum = sum.negative();
    }
    match (known.is_empty(), is_before) {
        (true, _) => Err(Unfit::Syntax),
        (false, true) => sum.negated().ok_or(Unfit::Field),
        (false, false) => Ok(sum),
    }
}

/// What a part of the text has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Of(Unit),
    /// Hours, minutes and seconds.
    Clock,
    /// Seconds, milliseconds and microseconds.
    Fraction,
}

impl Seen {
    fn clashes(self, other: Self) -> bool {
        let is_part_of = |unit: Unit, whole: Self| match whole {
            Self::Of(other) => unit == other,
            Self::Clock => {
                matches!(unit, Unit::Hour | Unit::Minute | Unit::Second | Unit::Millisecond | Unit::Microsecond)
            }
            Self::Fraction => matches!(unit, Unit::Second | Unit::Millisecond | Unit::Microsecond),
        };
        match (self, other) {
            (Self::Of(unit), other) => is_part_of(unit, other),
            (other, Self::Of(unit)) => is_part_of(unit, other),
            _ => true,
        }
    }
}

/// A sum of parts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    years: i32,
    months: i32,
    days: i32,
    micros: i64,
}

impl Sum {
    fn span(self) -> Option<Span> {
        let months = i64::from(self.years) * 12 + i64::from(self.months);
        Some(Span { months: i32::try_from(months).ok()?, days: self.days, micros: self.micros })
    }

    /// With all its parts below zero.
    fn negative(self) -> Self {
        let Self { years, months, days, micros } = self;
        Self {
            years: years.min(-years.max(0)),
            months: months.min(-months.max(0)),
            days: days.min(-days.max(0)),
            micros: micros.min(-micros.max(0)),
        }
    }

    fn negated(self) -> Option<Self> {
        Some(Self {
            years: self.years.checked_neg()?,
            months: self.months.checked_neg()?,
            days: self.days.checked_neg()?,
            micros: self.micros.checked_neg()?,
        })
    }

    fn add_clock(&mut self, text: &str, is_negative: bool, declared: Fields) -> Result<(), Unfit> {
        let [hour, minute, second, micros] = clock(text, declared)?;
        let rest = minute * MICROS_A_MINUTE + second * MICROS_A_SECOND + micros;
        let micros = hour.checked_mul(MICROS_AN_HOUR).and_then(|hours| hours.checked_add(rest));
        let micros = micros.map(|micros| if is_negative { -micros } else { micros });
        let micros = micros.and_then(|micros| self.micros.checked_add(micros)).ok_or(Unfit::Field)?;
        self.micros = micros;
        Ok(())
    }

    /// Adds so many of a unit; what it said, and what a number before it counts.
    fn add_number(&mut self, field: &Field<'_>, counts: Unit) -> Result<(Vec<Seen>, Unit), Unfit> {
        let is_negative = field.text.starts_with('-');
        let (number, rest) = whole(&field.text).ok_or(Unfit::Field)?;
        // `1-2` is years and months.
        if let Some(months) = rest.strip_prefix('-') {
            let (months, rest) = whole(months).ok_or(Unfit::Field)?;
            if !(0..12).contains(&months) {
                return Err(Unfit::Field);
            }
            if !rest.is_empty() {
                return Err(Unfit::Syntax);
            }
            let months = if is_negative { -months } else { months };
            let all = number.checked_mul(12).and_then(|all| all.checked_add(months)).ok_or(Unfit::Field)?;
            self.add(Unit::Month, all, 0.0).ok_or(Unfit::Field)?;
            return Ok((vec![Seen::Of(Unit::Month)], Unit::Month));
        }
        let part = match rest.is_empty() {
            true => 0.0,
            false => fraction(rest).ok_or(Unfit::Syntax)?,
        };
        let part = if is_negative { -part } else { part };
        if counts == Unit::Other {
            return Err(Unfit::Syntax);
        }
        self.add(counts, number, part).ok_or(Unfit::Field)?;
        let seen = if counts == Unit::Second && part != 0.0 { Seen::Fraction } else { Seen::Of(counts) };
        // `1 2 hours` is a day and two hours.
        Ok((vec![seen], if counts == Unit::Hour { Unit::Day } else { counts }))
    }

    /// Adds so many of a unit, and a part of one; none if it is more than an interval has.
    fn add(&mut self, unit: Unit, number: i64, part: f64) -> Option<()> {
        match unit {
            Unit::Microsecond => self.add_microseconds(number, part),
            Unit::Millisecond => self.add_micros(number, part, 1_000),
            Unit::Second => self.add_seconds(number, part),
            Unit::Minute => self.add_minutes(number, part),
            Unit::Hour => self.add_hours(number, part),
            Unit::Day => self.add_days(number, part),
            Unit::Week => self.add_weeks(number, part),
            Unit::Month => self.add_months(number, part),
            Unit::Year => self.add_years(number, part, 1),
            Unit::Decade => self.add_years(number, part, 10),
            Unit::Century => self.add_years(number, part, 100),
            Unit::Millennium => self.add_years(number, part, 1_000),
            Unit::Other => None,
        }
    }

    pub(super) fn add_years(&mut self, number: i64, part: f64, each: i32) -> Option<()> {
        let years = i32::try_from(number).ok()?.checked_mul(each)?;
        self.years = self.years.checked_add(years)?;
        // A part of a year is whole months.
        let months = (part * f64::from(each) * 12.0).round_ties_even() as i32;
        self.months = self.months.checked_add(months)?;
        Some(())
    }

    pub(super) fn add_months(&mut self, number: i64, part: f64) -> Option<()> {
        self.months = self.months.checked_add(i32::try_from(number).ok()?)?;
        self.add_part_in_days(part, 30.0)
    }

    pub(super) fn add_weeks(&mut self, number: i64, part: f64) -> Option<()> {
        self.days = self.days.checked_add(i32::try_from(number).ok()?.checked_mul(7)?)?;
        self.add_part_in_days(part, 7.0)
    }

    pub(super) fn add_days(&mut self, number: i64, part: f64) -> Option<()> {
        self.days = self.days.checked_add(i32::try_from(number).ok()?)?;
        self.add_part_in_micros(part, MICROS_A_DAY)
    }

    pub(super) fn add_hours(&mut self, number: i64, part: f64) -> Option<()> {
        self.add_micros(number, part, MICROS_AN_HOUR)
    }

    pub(super) fn add_minutes(&mut self, number: i64, part: f64) -> Option<()> {
        self.add_micros(number, part, MICROS_A_MINUTE)
    }

    pub(super) fn add_seconds(&mut self, number: i64, part: f64) -> Option<()> {
        self.add_micros(number, part, MICROS_A_SECOND)
    }

    pub(super) fn add_microseconds(&mut self, number: i64, part: f64) -> Option<()> {
        self.add_micros(number, part, 1)
    }

    fn add_micros(&mut self, number: i64, part: f64, each: i64) -> Option<()> {
        self.micros = self.micros.checked_add(number.checked_mul(each)?)?;
        self.add_part_in_micros(part, each)
    }

    /// A part of what has so many days: whole days, and the rest in microseconds.
    fn add_part_in_days(&mut self, part: f64, days: f64) -> Option<()> {
        let part = part * days;
        let whole = part.trunc();
        self.days = self.days.checked_add(whole as i32)?;
        self.add_part_in_micros(part - whole, MICROS_A_DAY)
    }

    fn add_part_in_micros(&mut self, part: f64, each: i64) -> Option<()> {
        let part = part * each as f64;
        let whole = part.trunc();
        let rest = part - whole;
        let rounded = if rest > 0.5 {
            1
        } else if rest < -0.5 {
            -1
        } else {
            0
        };
        self.micros = self.micros.checked_add(whole as i64 + rounded)?;
        Some(())
    }
}

/// Hours, minutes, seconds and microseconds between colons. Two parts of what is declared to be minutes and seconds are those.
fn clock(text: &str, declared: Fields) -> Result<[i64; 4], Unfit> {
    let mut parts = colons(text)?;
    if declared.range == Some((Part::Minute, Part::Second)) && text.matches(':').count() == 1 && !text.contains('.') {
        parts = [0, parts[0], parts[1], 0];
    }
    let [hour, minute, second, micros] = parts;
    let is_time = hour >= 0 && (0..60).contains(&minute) && (0..=60).contains(&second) && micros <= MICROS_A_SECOND;
    if is_time { Ok(parts) } else { Err(Unfit::Field) }
}

fn is_clock(text: &str, declared: Fields) -> bool {
    clock(text, declared).is_ok()
}

impl Fields {
    /// What the last number counts, where nothing says it.
    fn last(self) -> Unit {
        match self.range {
            Some((_, Part::Year)) => Unit::Year,
            Some((_, Part::Month)) => Unit::Month,
            Some((_, Part::Day)) => Unit::Day,
            Some((_, Part::Hour)) => Unit::Hour,
            Some((_, Part::Minute)) => Unit::Minute,
            Some((_, Part::Second)) | None => Unit::Second,
        }
    }

    /// The interval without what it is not declared to have; none if it is rounded to more than there is.
    pub(crate) fn of(self, span: Span) -> Option<Span> {
        let Span { mut months, mut days, mut micros } = span;
        let whole = |micros: i64, each: i64| micros / each * each;
        match self.range.map(|(_, last)| last) {
            Some(Part::Year) => (months, days, micros) = (months / 12 * 12, 0, 0),
            Some(Part::Month) => (days, micros) = (0, 0),
            Some(Part::Day) => micros = 0,
            Some(Part::Hour) => micros = whole(micros, MICROS_AN_HOUR),
            Some(Part::Minute) => micros = whole(micros, MICROS_A_MINUTE),
            Some(Part::Second) | None => {}
        }
        if let Some(digits) = self.digits {
            micros = rounded(micros, digits)?;
        }
        Some(Span { months, days, micros })
    }
}

/// What a word counts; none if it is no unit.
fn unit(word: &str) -> Option<Unit> {
    Some(match word.get(..LETTERS).unwrap_or(word) {
        "us" | "usec" | "usecs" | "usecond" | "useconds" | "microsecon" => Unit::Microsecond,
        "ms" | "msec" | "msecs" | "msecond" | "mseconds" | "millisecon" => Unit::Millisecond,
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Second,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "w" | "week" | "weeks" => Unit::Week,
        "mon" | "mons" | "month" | "months" => Unit::Month,
        "y" | "yr" | "yrs" | "year" | "years" => Unit::Year,
        "dec" | "decs" | "decade" | "decades" => Unit::Decade,
        "c" | "cent" | "century" | "centuries" => Unit::Century,
        "mil" | "mils" | "millennia" | "millennium" => Unit::Millennium,
        "qtr" | "quarter" | "timezone" | "timezone_h" | "timezone_m" => Unit::Other,
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
