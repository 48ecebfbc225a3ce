//! The value of a cell, and where cells are.

use arrow::datatypes::DataType;
use calamine::{Data, ExcelDateTime};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::super::{
    forms::Forms,
    guess::{Guess, keeps_seen},
};

/// The last cell that a sheet can have.
pub(super) const LAST: &str = "XFD1048576";

/// The row and the column of a cell, from 0.
pub(super) type Place = (u32, u32);

/// The cells of a range such as `A3:F100`, `$A$3` for all from there on, or `A:F` for whole columns.
pub(super) fn range_of(text: &str) -> Option<(Place, Place)> {
    let text = text.replace('$', "").to_ascii_uppercase();
    let is_column = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let (first, last) = match text.split_once(':').map(|(first, last)| (first.trim(), last.trim())) {
        None => (cell_of(&text)?, cell_of(LAST)?),
        Some((first, last)) if is_column(first) && is_column(last) => {
            (cell_of(&format!("{first}1"))?, cell_of(&format!("{last}1048576"))?)
        }
        Some((first, last)) => (cell_of(first)?, cell_of(last)?),
    };
    (first.0 <= last.0 && first.1 <= last.1).then_some((first, last))
}

/// A cell such as `B12`.
pub(super) fn cell_of(text: &str) -> Option<Place> {
    let text = text.trim().to_ascii_uppercase();
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let (column, row) = text.split_at_checked(letters)?;
    let row: u32 = row.parse().ok()?;
    if column.is_empty() || column.len() > 3 {
        return None;
    }
    let column = column.bytes().fold(0, |number, letter| number * 26 + u32::from(letter - b'A') + 1);
    Some((row.checked_sub(1)?, column - 1))
}

/// How a cell such as `B12` is called.
pub(super) fn address((row, column): Place) -> String {
    let (mut letters, mut left) = (String::new(), u64::from(column) + 1);
    while left > 0 {
        letters.insert(0, char::from(b'A' + ((left - 1) % 26) as u8));
        left = (left - 1) / 26;
    }
    format!("{letters}{}", u64::from(row) + 1)
}

/// What a sheet has in a cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// What the reader of cells says.
    Read(Data),
    /// A number that double precision does not hold, as the file has it.
    Digits(String),
}

impl Value {
    pub(super) const EMPTY: Self = Self::Read(Data::Empty);

    /// What the reader of cells says, if that is all of it.
    pub(super) fn data(&self) -> Option<&Data> {
        match self {
            Self::Read(data) => Some(data),
            Self::Digits(_) => None,
        }
    }
}

/// The value of a cell as a text, and what it is.
pub(super) struct Cell {
    pub(super) text: String,
    kind: Kind,
}

/// What a cell says that its value is.
enum Kind {
    /// What its text looks like.
    Value,
    Text,
    /// A span of time.
    Span,
}

impl Cell {
    pub(super) fn of(cell: &Value) -> Option<Self> {
        let value = |text: String| Some(Self { text, kind: Kind::Value });
        let text = |text: String| Some(Self { text, kind: Kind::Text });
        let span = |text: String| Some(Self { text, kind: Kind::Span });
        let data = match cell {
            Value::Read(data) => data,
            Value::Digits(digits) => return value(digits.clone()),
        };
        match data {
            Data::Empty => None,
            Data::Int(number) => value(number.to_string()),
            Data::Float(number) => value(number_text(*number)),
            Data::Bool(truth) => value(truth.to_string()),
            Data::DateTime(time) if time.is_duration() => match span_text(time) {
                Some(found) => span(found),
                None => text(time.to_string()),
            },
            Data::DateTime(time) => match time_text(time) {
                Some(found) => value(found),
                None => text(time.to_string()),
            },
            Data::DateTimeIso(time) => value(time.clone()),
            Data::String(found) => text(found.clone()),
            Data::DurationIso(found) => match iso_span(found) {
                Some(found) => span(found),
                None => text(found.clone()),
            },
            Data::Error(error) => text(error.to_string()),
        }
    }

    pub(super) fn see(&self, guess: &mut Guess) {
        match self.kind {
            Kind::Text => guess.see_text(),
            Kind::Span => guess.see_span(&self.text),
            Kind::Value => guess.see(&self.text, &Forms::default()),
        }
    }

    /// Whether a column would still have the type that was guessed for it if this cell had been seen.
    pub(super) fn keeps(&self, data_type: &DataType) -> bool {
        keeps_seen(data_type, |guess| self.see(guess))
    }
}

/// A spreadsheet has no integers: a whole number is one.
fn number_text(number: f64) -> String {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number == 0.0 {
        "0".to_owned()
    } else if number.fract() == 0.0 && number.abs() < EXACT {
        format!("{number:.0}")
    } else if number.abs() < 1e-5 || number.abs() >= EXACT {
        let text = format!("{number:e}");
        // With a sign the exponent cannot be taken for a part of a name.
        if text.contains("e-") { text } else { text.replace('e', "e+") }
    } else {
        number.to_string()
    }
}

/// Days from 1900 on, or back, beyond which there are no dates.
const MAX_DAYS: f64 = 3_000_000.0;

/// Day 60 of those that are counted from 1900 on, as spreadsheets show it: no calendar has it. It is a text, as the day before
/// it is another cell's.
const NO_DAY: &str = "1900-02-29";

/// A date, a time of day or both.
fn time_text(time: &ExcelDateTime) -> Option<String> {
    let days = time.as_f64();
    if !(-MAX_DAYS..=MAX_DAYS).contains(&days) {
        return None;
    }
    let found: NaiveDateTime = time.as_datetime()?;
    let clock = found.time().format("%H:%M:%S%.f").to_string();
    if (0.0..1.0).contains(&days) {
        return Some(clock);
    }
    let is_midnight = found.time() == NaiveTime::MIN;
    let is_sixtieth = (60.0..61.0).contains(&days) && NaiveDate::from_ymd_opt(1900, 2, 28) == Some(found.date());
    let date = if is_sixtieth { NO_DAY.to_owned() } else { found.date().format("%Y-%m-%d").to_string() };
    Some(if is_midnight { date } else { format!("{date} {clock}") })
}

/// A span of time, which is counted in days and is exact to the millisecond, as those of spreadsheets are.
fn span_text(time: &ExcelDateTime) -> Option<String> {
    let days = time.as_f64();
    if !(-MAX_DAYS..=MAX_DAYS).contains(&days) {
        return None;
    }
    let milliseconds = (days * 86_400_000.0).round() as i64;
    let sign = if milliseconds < 0 { "-" } else { "" };
    let (seconds, rest) = (milliseconds.unsigned_abs() / 1000, milliseconds.unsigned_abs() % 1000);
    let fraction = if rest == 0 { String::new() } else { format!("{rest:03}") };
    Some(clock_text(sign, seconds, &fraction))
}

/// A span of time as OpenDocument writes it, such as `PT30H15M00S`; none of one of months or years.
fn iso_span(text: &str) -> Option<String> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let rest = rest.strip_prefix('P')?;
    let (date, clock) = rest.split_once('T').unwrap_or((rest, ""));
    let (days, date) = amount(date, 'D')?;
    let (hours, clock) = amount(clock, 'H')?;
    let (minutes, clock) = amount(clock, 'M')?;
    let (clock, fraction) = match clock.split_once('.') {
        Some((whole, fraction)) => (format!("{whole}S"), fraction.strip_suffix('S')?),
        None => (clock.to_owned(), ""),
    };
    let (seconds, clock) = amount(&clock, 'S')?;
    if !date.is_empty() || !clock.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
    Some(clock_text(sign, seconds, fraction.trim_end_matches('0')))
}

/// The whole number before a unit, zero where there is none, and what follows.
fn amount(text: &str, unit: char) -> Option<(u64, &str)> {
    let Some((number, rest)) = text.split_once(unit) else { return Some((0, text)) };
    let is_number = (1..=9).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    Some((number.parse().ok().filter(|_| is_number)?, rest))
}

/// Hours, of which there may be any number, minutes and seconds.
fn clock_text(sign: &str, seconds: u64, fraction: &str) -> String {
    let (hours, minutes, point) = (seconds / 3600, seconds / 60 % 60, if fraction.is_empty() { "" } else { "." });
    format!("{sign}{hours:02}:{minutes:02}:{:02}{point}{fraction}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType::DateTime;

    use super::*;

    #[test]
    fn cells_have_places() {
        assert_eq!((cell_of("A1"), cell_of("b12"), cell_of("AA3")), (Some((0, 0)), Some((11, 1)), Some((2, 26))));
        assert_eq!([(0, 0), (11, 1), (2, 26)].map(address), ["A1", "B12", "AA3"].map(str::to_owned));
        assert_eq!((cell_of("A0"), cell_of("12"), cell_of("A"), cell_of("ABCD1")), (None, None, None, None));
    }

    #[test]
    fn a_day_that_no_calendar_has_is_no_other_one() {
        let shown = |days: f64, from_1904| time_text(&ExcelDateTime::new(days, DateTime, from_1904));
        for (days, from_1904, text) in [
            (1.0, false, "1900-01-01"),
            (59.0, false, "1900-02-28"),
            (60.0, false, "1900-02-29"),
            (60.5, false, "1900-02-29 12:00:00"),
            (61.0, false, "1900-03-01"),
            (60.0, true, "1904-03-01"),
        ] {
            assert_eq!(shown(days, from_1904).as_deref(), Some(text), "{days}");
        }
        let mut guess = Guess::default();
        guess.see("1900-02-29", &Forms::default());
        assert!(guess.is_settled());
    }

    #[test]
    fn spans_are_hours_minutes_and_seconds() {
        use calamine::ExcelDateTimeType::TimeDelta;
        let span = |days: f64| span_text(&ExcelDateTime::new(days, TimeDelta, false));
        for (days, text) in [
            (30.25 / 24.0, "30:15:00"),
            (0.0, "00:00:00"),
            (1.0, "24:00:00"),
            (-0.5, "-12:00:00"),
            (400.0, "9600:00:00"),
            (0.5 / 86_400.0, "00:00:00.500"),
        ] {
            assert_eq!(span(days).as_deref(), Some(text));
        }
        assert_eq!((span(f64::NAN), span(1e12)), (None, None));
        for (written, text) in [
            ("PT30H15M00S", "30:15:00"),
            ("PT10H30M00.500000000S", "10:30:00.5"),
            ("-P1DT1S", "-24:00:01"),
            ("PT90M", "01:30:00"),
        ] {
            assert_eq!(iso_span(written).as_deref(), Some(text));
        }
        for text in ["P1Y", "P1M", "PT1.5H", "PT1H2", "PT-1H", "1:30", "", "PT1.xS"] {
            assert_eq!(iso_span(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_are_cells_or_columns() {
        assert_eq!(range_of("$b$2:C3"), Some(((1, 1), (2, 2))));
        assert_eq!(range_of("A:B"), Some(((0, 0), (1_048_575, 1))));
        assert_eq!(range_of("B4"), Some(((3, 1), (1_048_575, 16_383))));
        assert_eq!((range_of("B4:A5"), range_of("A:3"), range_of("")), (None, None, None));
    }

    #[test]
    fn numbers_are_written_as_they_are() {
        for (number, text) in [(3.0, "3"), (-0.0, "0"), (0.1, "0.1"), (1e300, "1e+300"), (2e-7, "2e-7"), (-12.0, "-12")]
        {
            assert_eq!(number_text(number), text);
        }
    }
}
