//! The value of a cell, and where cells are.

use calamine::{Data, ExcelDateTime};
use chrono::{NaiveDateTime, NaiveTime};

use super::super::{forms::Forms, guess::Guess};

/// The cells of a range such as `A3:F100`, `$A$3` for all from there on, or `A:F` for whole columns.
pub(super) fn range_of(text: &str) -> Option<((u32, u32), (u32, u32))> {
    let text = text.replace('$', "").to_ascii_uppercase();
    let is_column = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let (first, last) = match text.split_once(':').map(|(first, last)| (first.trim(), last.trim())) {
        None => (cell_of(&text)?, cell_of("XFD1048576")?),
        Some((first, last)) if is_column(first) && is_column(last) => {
            (cell_of(&format!("{first}1"))?, cell_of(&format!("{last}1048576"))?)
        }
        Some((first, last)) => (cell_of(first)?, cell_of(last)?),
    };
    (first.0 <= last.0 && first.1 <= last.1).then_some((first, last))
}

/// A cell such as `B12`, as row and column from 0.
fn cell_of(text: &str) -> Option<(u32, u32)> {
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

/// The value of a cell as a text, and whether it is one.
pub(super) struct Cell {
    pub(super) text: String,
    is_text: bool,
}

impl Cell {
    pub(super) fn of(cell: &Data) -> Option<Self> {
        let value = |text: String| Some(Self { text, is_text: false });
        let text = |text: String| Some(Self { text, is_text: true });
        match cell {
            Data::Empty => None,
            Data::Int(number) => value(number.to_string()),
            Data::Float(number) => value(number_text(*number)),
            Data::Bool(truth) => value(truth.to_string()),
            Data::DateTime(time) => match time_text(time) {
                Some(time) => value(time),
                None => text(time.to_string()),
            },
            Data::DateTimeIso(time) => value(time.clone()),
            Data::String(found) => text(found.clone()),
            Data::DurationIso(found) => text(found.clone()),
            Data::Error(error) => text(error.to_string()),
        }
    }

    pub(super) fn see(&self, guess: &mut Guess) {
        match self.is_text {
            true => guess.see_text(),
            false => guess.see(&self.text, &Forms::default()),
        }
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

/// A date, a time of day or both; none of a duration of a day or more.
fn time_text(time: &ExcelDateTime) -> Option<String> {
    let days = time.as_f64();
    if !(-MAX_DAYS..=MAX_DAYS).contains(&days) {
        return None;
    }
    if time.is_duration() && !(0.0..1.0).contains(&days) {
        return None;
    }
    let found: NaiveDateTime = time.as_datetime()?;
    let clock = found.time().format("%H:%M:%S%.f").to_string();
    if (0.0..1.0).contains(&days) {
        return Some(clock);
    }
    let is_midnight = found.time() == NaiveTime::MIN;
    let date = found.date().format("%Y-%m-%d");
    Some(if is_midnight { date.to_string() } else { format!("{date} {clock}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_places() {
        assert_eq!((cell_of("A1"), cell_of("b12"), cell_of("AA3")), (Some((0, 0)), Some((11, 1)), Some((2, 26))));
        assert_eq!((cell_of("A0"), cell_of("12"), cell_of("A"), cell_of("ABCD1")), (None, None, None, None));
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
