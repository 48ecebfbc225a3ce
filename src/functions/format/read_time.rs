//! Reads a text as a template has it: the fields of a date and a time of day.

use super::{
    names::{DAYS, MONTHS, ROMAN_MONTHS, SHORT_DAYS, SHORT_MONTHS, eras, noons},
    node::{Node, is_separator, is_space, width},
    template::{Calendar, Field, Kind, Template},
};
use crate::fault::{Failure, Fault, Result};

/// What was read; a field that was not is 0.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    pub(super) calendar: Option<Calendar>,
    pub(super) hour: i64,
    pub(super) is_afternoon: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) second_of_day: i64,
    pub(super) millisecond: i64,
    pub(super) microsecond: i64,
    /// From 1 for Sunday.
    pub(super) weekday: i64,
    pub(super) day: i64,
    pub(super) day_of_year: i64,
    pub(super) month: i64,
    pub(super) year: i64,
    pub(super) year_digits: u32,
    pub(super) is_before_christ: i64,
    pub(super) week: i64,
    pub(super) week_of_month: i64,
    pub(super) century: i64,
    pub(super) julian_day: i64,
    /// It is an hour of twelve.
    pub(super) is_half_day: bool,
    /// 1 to the east of UTC, -1 to the west.
    pub(super) zone_sign: i64,
    pub(super) zone_hours: i64,
    pub(super) zone_minutes: i64,
    /// To so many digits of a second's fraction what was read is rounded.
    pub(super) fraction_digits: Option<u32>,
}

/// A text with the place where it is read.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// Fields are as wide as their keywords, and what is between them has a character for each of the template's.
    is_exact: bool,
    /// The characters that were passed over beyond those that the template has.
    skipped: i64,
    fields: Fields,
}

impl Template {
    /// What a text says as the template has it; what is behind the last field is of no interest.
    pub(super) fn read(&self, text: &str) -> Result<Fields> {
        let fields = Fields::default();
        let mut reader = Reader { text: text.as_bytes(), at: 0, is_exact: false, skipped: 0, fields };
        for (at, node) in self.nodes.iter().enumerate() {
            if reader.is_at_end() {
                break;
            }
            let field = match node {
                Node::Keyword(field) => Some(field),
                _ => None,
            };
            let starts_field = field.is_some_and(|field| field.keyword.kind != Kind::Exact);
            if !reader.is_exact && (starts_field || field.is_none() && at == 0) {
                reader.skipped += reader.skip_spaces();
            }
            match node {
                Node::Keyword(field) => {
                    reader.field(field, ends_number(field, self.nodes.get(at + 1)))?;
                    if !reader.is_exact {
                        reader.skipped = reader.skip_spaces();
                    }
                }
                Node::Separator(_) | Node::Space(_) => reader.separator(),
                Node::Text(_) => reader.character(),
            }
        }
        Ok(reader.fields)
    }
}

/// Whether digits that follow belong to the number of a field in any case.
fn ends_number(field: &Field, next: Option<&Node<Field>>) -> bool {
    let is_number = match next {
        None => false,
        Some(Node::Keyword(next)) => next.keyword.is_number,
        Some(other) => other.character().is_some_and(|character| character.is_ascii_digit()),
    };
    field.is_bare || field.ordinal.is_some() || !is_number
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    fn next(&self) -> Option<char> {
        self.rest().first().copied().map(char::from)
    }

    fn skip_spaces(&mut self) -> i64 {
        let spaces = blanks(self.rest());
        self.at += spaces;
        i64::try_from(spaces).unwrap_or_default()
    }

    /// Passes over a character, which may be of several bytes.
    fn skip_character(&mut self) {
        self.at += self.rest().first().map_or(0, |first| width(*first));
    }

    fn separator(&mut self) {
        if self.is_exact {
            return self.skip_character();
        }
        // One of the template's stands for one of the text's, or for none.
        self.skipped -= 1;
        if self.next().is_some_and(|next| is_space(next) || is_separator(next)) {
            self.at += 1;
            self.skipped += 1;
        }
    }

    fn character(&mut self) {
        if !self.is_exact && self.skipped > 0 {
            self.skipped -= 1;
        } else {
            self.skip_character();
        }
    }

    fn field(&mut self, field: &Field, is_open: bool) -> Result<()> {
        let convention = field.keyword.calendar;
        if convention.is_some() && self.fields.calendar.is_some() && convention != self.fields.calendar {
            let message =
                "invalid combination of date conventions; do not mix Gregorian and ISO week dates in a template";
            return Err(Failure::new(Fault::InvalidDatetime, message));
        }
        self.fields.calendar = convention.or(self.fields.calendar);
        match field.keyword.kind {
            Kind::Exact => {
                self.is_exact = true;
                return Ok(());
            }
            Kind::Noon { .. } | Kind::Era { .. } | Kind::DayName { .. } | Kind::MonthName { .. } | Kind::RomanMonth => {
                return self.word(field);
            }
            Kind::ZoneName | Kind::Offset => {
                let message = format!("formatting field \"{}\" is only supported in to_char", field.name());
                return Err(Failure::new(Fault::FeatureNotSupported, message));
            }
            Kind::OffsetHours => {
                self.zone_sign();
                let (hours, _) = self.number(field, 2, is_open)?;
                return set(&mut self.fields.zone_hours, hours, field);
            }
            Kind::OffsetMinutes => {
                if self.fields.zone_sign == 0 {
                    self.fields.zone_sign = 1;
                }
                let (minutes, _) = self.number(field, 2, is_open)?;
                return set(&mut self.fields.zone_minutes, minutes, field);
            }
            Kind::YearWithComma => self.year_with_comma(field)?,
            _ => self.numeric(field, is_open)?,
        }
        // The ending of an ordinal number has two characters, whatever they are.
        if field.ordinal.is_some() {
            self.skip_character();
            self.skip_character();
        }
        Ok(())
    }

    /// A field of digits.
    fn numeric(&mut self, field: &Field, is_open: bool) -> Result<()> {
        let digits = match field.keyword.kind {
            Kind::Hour12 | Kind::Hour24 => 2,
            Kind::Millisecond | Kind::IsoDayOfYear => 3,
            Kind::Microsecond => 6,
            Kind::IsoWeekday => 1,
            Kind::Fraction(digits) => usize::try_from(digits).unwrap_or_default(),
            _ => field.width(),
        };
        let (value, length) = self.number(field, digits, is_open)?;
        let fields = &mut self.fields;
        let place = match field.keyword.kind {
            Kind::Hour12 | Kind::Hour24 => &mut fields.hour,
            Kind::Minute => &mut fields.minute,
            Kind::Second => &mut fields.second,
            Kind::SecondOfDay => &mut fields.second_of_day,
            Kind::Millisecond => &mut fields.millisecond,
            Kind::Microsecond | Kind::Fraction(_) => &mut fields.microsecond,
            Kind::Weekday | Kind::IsoWeekday => &mut fields.weekday,
            Kind::DayOfMonth => &mut fields.day,
            Kind::DayOfYear | Kind::IsoDayOfYear => &mut fields.day_of_year,
            Kind::Month => &mut fields.month,
            Kind::Year(_) | Kind::IsoYear(_) => &mut fields.year,
            Kind::Week | Kind::IsoWeek => &mut fields.week,
            Kind::WeekOfMonth => &mut fields.week_of_month,
            Kind::Century => &mut fields.century,
            Kind::JulianDay => &mut fields.julian_day,
            // A quarter is read, but it says no day.
            _ => return Ok(()),
        };
        set(place, value, field)?;
        match field.keyword.kind {
            Kind::Hour12 => fields.is_half_day = true,
            // Of a fraction, 25 is as much as 250.
            Kind::Millisecond => fields.millisecond *= scale(length, 3),
            Kind::Fraction(digits) => {
                fields.fraction_digits = Some(digits);
                fields.microsecond *= scale(length, 6);
            }
            Kind::Microsecond => fields.microsecond *= scale(length, 6),
            Kind::IsoWeekday => fields.weekday = if value >= 7 { 1 } else { value + 1 },
            Kind::Year(digits) | Kind::IsoYear(digits) => {
                if digits < 4 && length < 4 {
                    fields.year = near_2020(fields.year);
                }
                fields.year_digits = digits;
            }
            _ => {}
        }
        Ok(())
    }

    /// A number and how many bytes it took, the blanks before it among them.
    fn number(&mut self, field: &Field, width: usize, is_open: bool) -> Result<(i64, usize)> {
        let start = self.at;
        let refused = |message: String| Err(Failure::new(Fault::InvalidDatetime, message));
        self.at += blanks(self.rest());
        let rest = self.rest();
        let shown = String::from_utf8_lossy(rest.get(..width).unwrap_or(rest)).into_owned();
        let (value, used) = if is_open {
            let found = integer(rest);
            if found.is_none() {
                self.at = start;
            }
            found.unwrap_or_default()
        } else {
            if rest.len() < width {
                return refused(format!(
                    "source string too short for \"{}\" formatting field; it requires {width} characters, but only {} \
                     remain",
                    field.name(),
                    rest.len()
                ));
            }
            let (value, used) = integer(rest.get(..width).unwrap_or_default()).unwrap_or((Some(0), 0));
            if used > 0 && used < width {
                return refused(format!(
                    "invalid value \"{shown}\" for \"{}\"; it requires {width} characters, but only {used} could be \
                     parsed",
                    field.name()
                ));
            }
            (value, used)
        };
        self.at += used;
        if self.at == start {
            return refused(format!("invalid value \"{shown}\" for \"{}\"; it must be an integer", field.name()));
        }
        match value {
            Some(value) => Ok((i64::from(value), self.at - start)),
            None => {
                let message = format!("value for \"{}\" in source string is out of range", field.name());
                Err(Failure::new(Fault::DatetimeOutOfRange, message))
            }
        }
    }

    fn year_with_comma(&mut self, field: &Field) -> Result<()> {
        let invalid = || Failure::new(Fault::InvalidDatetime, "invalid input string for \"Y,YYY\"");
        let rest = self.rest();
        let before = blanks(rest);
        let (thousands, used) = integer(rest.get(before..).unwrap_or_default()).ok_or_else(invalid)?;
        let comma = before + used;
        if rest.get(comma) != Some(&b',') {
            return Err(invalid());
        }
        let behind = rest.get(comma + 1..).unwrap_or_default();
        let blank = blanks(behind);
        let three = behind.get(blank..).unwrap_or_default();
        let (years, used) = integer(three.get(..3).unwrap_or(three)).ok_or_else(invalid)?;
        let (Some(thousands), Some(years)) = (thousands, years) else {
            return Err(Failure::new(
                Fault::DatetimeOutOfRange,
                "value for \"Y,YYY\" in source string is out of range",
            ));
        };
        set(&mut self.fields.year, i64::from(thousands) * 1_000 + i64::from(years), field)?;
        self.fields.year_digits = 4;
        self.at += comma + 1 + blank + used;
        Ok(())
    }

    /// The sign of a zone's distance; a minus may have been taken for a separator before.
    fn zone_sign(&mut self) {
        let before = self.at.checked_sub(1).and_then(|before| self.text.get(before));
        self.fields.zone_sign = match self.next() {
            Some(sign @ ('+' | '-' | ' ')) => {
                self.at += 1;
                if sign == '-' { -1 } else { 1 }
            }
            _ if self.skipped > 0 && before == Some(&b'-') => -1,
            _ => 1,
        };
    }

    fn word(&mut self, field: &Field) -> Result<()> {
        let names: &[&str] = match field.keyword.kind {
            Kind::Noon { is_dotted } => &noons(is_dotted),
            Kind::Era { is_dotted } => &eras(is_dotted),
            Kind::DayName { is_short: true } => &SHORT_DAYS,
            Kind::DayName { is_short: false } => &DAYS,
            Kind::MonthName { is_short: true } => &SHORT_MONTHS,
            Kind::MonthName { is_short: false } => &MONTHS,
            _ => &ROMAN_MONTHS,
        };
        let rest = self.rest();
        let begins = |name: &str| rest.get(..name.len()).is_some_and(|text| text.eq_ignore_ascii_case(name.as_bytes()));
        let Some((at, name)) = names.iter().enumerate().find(|(_, name)| begins(name)) else {
            let end = rest.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c'));
            let shown = String::from_utf8_lossy(rest.get(..end.unwrap_or(rest.len())).unwrap_or_default());
            let message = format!("invalid value \"{shown}\" for \"{}\"", field.name());
            return Err(Failure::new(Fault::InvalidDatetime, message));
        };
        let at = i64::try_from(at).unwrap_or_default();
        self.at += name.len();
        match field.keyword.kind {
            Kind::Noon { .. } => {
                set(&mut self.fields.is_afternoon, at, field)?;
                self.fields.is_half_day = true;
            }
            Kind::Era { .. } => set(&mut self.fields.is_before_christ, at, field)?,
            Kind::DayName { .. } => {
                set(&mut self.fields.weekday, at, field)?;
                self.fields.weekday += 1;
            }
            Kind::MonthName { .. } => set(&mut self.fields.month, at + 1, field)?,
            _ => set(&mut self.fields.month, 12 - at, field)?,
        }
        Ok(())
    }
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_space(char::from(**byte))).count()
}

/// The whole number that a text begins with and its bytes; none of it where it is beyond 32 bits.
fn integer(text: &[u8]) -> Option<(Option<i32>, usize)> {
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let digits = text.iter().skip(sign).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let number = text.get(..sign + digits).unwrap_or_default();
    Some((std::str::from_utf8(number).ok().and_then(|number| number.parse().ok()), sign + digits))
}

/// A field that was read before has to be the same.
fn set(place: &mut i64, value: i64, field: &Field) -> Result<()> {
    if *place != 0 && *place != value {
        let message = format!("conflicting values for \"{}\" field in formatting string", field.name());
        return Err(Failure::new(Fault::InvalidDatetime, message));
    }
    *place = value;
    Ok(())
}

/// What a fraction of so many digits is multiplied by to have all.
fn scale(length: usize, digits: u32) -> i64 {
    let missing = usize::try_from(digits).unwrap_or_default().saturating_sub(length);
    10_i64.pow(u32::try_from(missing).unwrap_or_default())
}

/// A year of fewer than four digits is the one with these that is nearest to 2020.
fn near_2020(year: i64) -> i64 {
    match year {
        ..70 => year + 2_000,
        70..100 => year + 1_900,
        100..520 => year + 2_000,
        520..1_000 => year + 1_000,
        _ => year,
    }
}
