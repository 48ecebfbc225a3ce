//! Texts that are no dates, times or intervals because a part of them is beyond what it may be, and not for how they are
//! written.

use arrow::datatypes::DataType;

/// Whether a text that was not read as a date, a time or an interval is written as one.
pub(crate) fn has_fields(text: &str, data_type: &DataType) -> bool {
    let mut words = text.split(|letter: char| letter.is_whitespace() || matches!(letter, 'T' | 't'));
    match data_type {
        DataType::Interval(_) => words.any(is_clock),
        _ => {
            let mut words = words.filter(|word| !word.is_empty()).peekable();
            words.peek().is_some() && words.all(|word| is_day(word) || is_clock(word))
        }
    }
}

/// `2024-13-01`, `13/13/2024` or `20241301`.
fn is_day(word: &str) -> bool {
    let parts: Vec<&str> = word.split(['-', '/']).collect();
    match parts.as_slice() {
        [digits] => digits.len() == 8 && is_number(digits),
        parts => parts.len() == 3 && parts.iter().all(|part| is_number(part)),
    }
}

/// `25:00`, `-1:60:00.5`, `10:61Z` or `10:61+02`.
fn is_clock(word: &str) -> bool {
    let word = word.strip_prefix(['-', '+']).unwrap_or(word);
    let word = word.split(['+', '-', 'Z', 'z']).next().unwrap_or(word);
    let whole = word.split_once('.').map_or(word, |(whole, _)| whole);
    let parts: Vec<&str> = whole.split(':').collect();
    matches!(parts.len(), 2 | 3) && parts.iter().all(|part| is_number(part))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{IntervalUnit, TimeUnit};

    use super::*;

    /// Those that PostgreSQL 15 refuses with 22008 and 22015, and those with 22007.
    #[test]
    fn texts_with_fields_are_told_from_others() {
        let (date, time) = (DataType::Date32, DataType::Time64(TimeUnit::Microsecond));
        let timestamp = DataType::Timestamp(TimeUnit::Microsecond, None);
        let interval = DataType::Interval(IntervalUnit::MonthDayNano);
        for (text, data_type, expected) in [
            ("2024-13-01", &date, true),
            ("2024/13/01", &date, true),
            ("20241301", &date, true),
            ("2024-01-01T10:61:00", &timestamp, true),
            ("2024-01-01 25:00", &timestamp, true),
            ("25:00", &time, true),
            ("24:00:01", &time, true),
            ("1 day 1:60", &interval, true),
            ("12:60", &interval, true),
            ("", &date, false),
            ("abc", &date, false),
            ("1", &date, false),
            ("2024-1", &date, false),
            ("2024-01-01x", &date, false),
            ("1 x", &interval, false),
            ("1:2:3:4", &interval, false),
        ] {
            assert_eq!(has_fields(text, data_type), expected, "{text}");
        }
    }
}
