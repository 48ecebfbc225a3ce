//! How `date_format` and `timestamp_format` read a text: as strftime's specifiers say, strictly, so that nothing of it is
//! changed or passed over.
//!
//! A year has all its digits, and so have numbers that touch one another: `1001011` is no day. A year of two digits is one
//! of 1969 to 2068, as strptime has it in POSIX, Python and DuckDB. `%f` is what Python and
//! DuckDB mean by it, the digits of a fraction of a second, and `%g` and `%n` are DuckDB's three and nine digits of one.
//! Behind a point or a comma a fraction may be absent, with its mark. The same formats write what `COPY` puts into files,
//! where `%f` has six digits, or nine if there are more.

use std::{fmt::Write, iter};

use chrono::{
    DateTime, Datelike, Utc,
    format::{Fixed, Item, Numeric, Parsed, StrftimeItems, parse_and_remainder},
};

use super::values::{self, Instant};

/// A checked format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// What chrono reads.
    Item(Item<'static>),
    /// A number of at least and at most so many digits.
    Number(Item<'static>, usize, usize),
    /// The digits of a fraction of a second, behind this mark where there is one.
    Fraction(Option<char>),
}

impl Pattern {
    /// Of days alone; none for a format that says something else, too.
    pub(super) fn of_days(format: &str) -> Option<Self> {
        let pattern = Self::parse(format)?;
        (!pattern.0.iter().any(Part::is_of_clocks)).then_some(pattern)
    }

    /// Of days with times; none for a format that passes over a zone.
    pub(super) fn of_times(format: &str) -> Option<Self> {
        let pattern = Self::parse(format)?;
        let passes_over = |part: &Part| matches!(part, Part::Item(Item::Fixed(Fixed::TimezoneName)));
        (!pattern.0.iter().any(passes_over)).then_some(pattern)
    }

    fn parse(format: &str) -> Option<Self> {
        if !format.contains('%') {
            return None;
        }
        let items = StrftimeItems::new(&in_words_of_chrono(format)).parse_to_owned().ok()?;
        let mut parts: Vec<Part> = Vec::with_capacity(items.len());
        for item in items {
            let part = match item {
                Item::Numeric(Numeric::Nanosecond, _) => Part::Fraction(parts.last_mut().and_then(take_mark)),
                Item::Fixed(Fixed::Nanosecond) => Part::Fraction(Some('.')),
                item => Part::of(item),
            };
            parts.push(part);
        }
        widen(&mut parts);
        Some(Self(parts))
    }

    /// The day of a text, in days since 1970.
    pub(super) fn day(&self, text: &str) -> Option<i32> {
        self.parsed(text)?.to_naive_date().ok().map(values::days_of)
    }

    /// The time of a text.
    pub(super) fn time(&self, text: &str) -> Option<Instant> {
        let parsed = self.parsed(text)?;
        if parsed.offset().is_some() || parsed.timestamp().is_some() {
            return parsed.to_datetime().ok().map(|zoned| Instant::of(zoned.naive_utc(), true));
        }
        parsed.to_naive_datetime_with_offset(0).ok().map(|time| Instant::of(time, false))
    }

    /// The text of a time, in UTC if it has a zone; none of a year without four digits, and none if the format asks for a
    /// zone and there is none.
    pub(super) fn write(&self, time: DateTime<Utc>, is_zoned: bool) -> Option<String> {
        if !(0..=9999).contains(&time.year()) {
            return None;
        }
        let mut text = String::new();
        for part in &self.0 {
            part.write(&mut text, time, is_zoned)?;
        }
        Some(text)
    }

    fn parsed(&self, text: &str) -> Option<Parsed> {
        let (mut parsed, mut rest) = (Parsed::new(), text);
        for part in &self.0 {
            rest = part.read(&mut parsed, rest)?;
        }
        // Without a century chrono takes 69 for 2069.
        if parsed.year_mod_100() == Some(69) && parsed.year_div_100().is_none() && parsed.year().is_none() {
            parsed.set_year_div_100(19).ok()?;
        }
        // The sixtieth second would be the first one of the next minute.
        (rest.is_empty() && parsed.second() != Some(60)).then_some(parsed)
    }
}

impl Part {
    fn of(item: Item<'static>) -> Self {
        let (least, most) = match &item {
            Item::Numeric(Numeric::Year | Numeric::IsoYear, _) => (4, 4),
            Item::Numeric(Numeric::YearDiv100 | Numeric::YearMod100, _) => (2, 2),
            Item::Numeric(Numeric::Ordinal, _) => (1, 3),
            Item::Numeric(Numeric::Quarter | Numeric::NumDaysFromSun | Numeric::WeekdayFromMon, _) => (1, 1),
            Item::Numeric(Numeric::Timestamp, _) => (1, usize::MAX),
            Item::Numeric(..) => (1, 2),
            _ => return Self::Item(item),
        };
        Self::Number(item, least, most)
    }

    /// Whether it is of digits alone.
    fn is_number(&self) -> bool {
        matches!(self, Self::Number(..) | Self::Fraction(None) | Self::Item(Item::Fixed(Fixed::Internal(_))))
    }

    /// Whether it says anything but a day.
    fn is_of_clocks(&self) -> bool {
        match self {
            Self::Fraction(_) => true,
            Self::Number(item, ..) => matches!(
                item,
                Item::Numeric(
                    Numeric::Hour | Numeric::Hour12 | Numeric::Minute | Numeric::Second | Numeric::Timestamp,
                    _
                )
            ),
            Self::Item(Item::Fixed(fixed)) => !matches!(
                fixed,
                Fixed::ShortMonthName | Fixed::LongMonthName | Fixed::ShortWeekdayName | Fixed::LongWeekdayName
            ),
            Self::Item(_) => false,
        }
    }

    fn write(&self, text: &mut String, time: DateTime<Utc>, is_zoned: bool) -> Option<()> {
        match self {
            Self::Item(item) | Self::Number(item, ..) => {
                let item = iter::once(item);
                let written = match is_zoned {
                    true => write!(text, "{}", time.format_with_items(item)),
                    false => write!(text, "{}", time.naive_utc().format_with_items(item)),
                };
                match self {
                    // A distance that may be read in several forms has none that it is written in.
                    Self::Item(Item::Fixed(Fixed::Internal(_))) if written.is_err() && is_zoned => {
                        text.push_str("+00:00");
                        Some(())
                    }
                    _ => written.ok(),
                }
            }
            Self::Fraction(mark) => {
                text.extend(*mark);
                match time.timestamp_subsec_nanos() {
                    nanoseconds if nanoseconds % 1000 == 0 => write!(text, "{:06}", nanoseconds / 1000).ok(),
                    nanoseconds => write!(text, "{nanoseconds:09}").ok(),
                }
            }
        }
    }

    /// Reads the part at the start of a text, and returns what follows it.
    fn read<'a>(&self, parsed: &mut Parsed, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Item(item) => parse_and_remainder(parsed, text, std::iter::once(item)).ok(),
            Self::Number(item, least, most) => {
                let rest = parse_and_remainder(parsed, text, std::iter::once(item)).ok()?;
                let number = text.get(..text.len().checked_sub(rest.len())?)?.trim_start();
                let is_whole = number.bytes().all(|byte| byte.is_ascii_digit());
                (is_whole && (*least..=*most).contains(&number.len())).then_some(rest)
            }
            Self::Fraction(mark) => {
                let digits = match mark {
                    None => text,
                    Some(mark) => match text.strip_prefix(*mark) {
                        None => return Some(text),
                        Some(digits) => digits,
                    },
                };
                let (nanoseconds, rest) = fraction(digits)?;
                parsed.set_nanosecond(nanoseconds).ok()?;
                Some(rest)
            }
        }
    }
}

/// A format without the specifiers that chrono has otherwise.
fn in_words_of_chrono(format: &str) -> String {
    let (mut words, mut letters) = (String::with_capacity(format.len()), format.chars());
    while let Some(letter) = letters.next() {
        if letter != '%' {
            words.push(letter);
            continue;
        }
        match letters.next() {
            Some('g') => words.push_str("%3f"),
            Some('n') => words.push_str("%9f"),
            // In parts, which are read strictly.
            Some('+') => words.push_str("%Y-%m-%dT%H:%M:%S%.f%#z"),
            Some(specifier) => words.extend(['%', specifier]),
            None => words.push('%'),
        }
    }
    words
}

/// Takes the point or comma from the end of what stands before a fraction.
fn take_mark(before: &mut Part) -> Option<char> {
    let Part::Item(Item::OwnedLiteral(literal)) = before else { return None };
    let mark = literal.chars().next_back().filter(|letter| matches!(letter, '.' | ','))?;
    *literal = literal.strip_suffix(mark)?.into();
    Some(mark)
}

/// Where numbers touch one another, each has all its digits: else where one ends cannot be told.
fn widen(parts: &mut [Part]) {
    let are_numbers: Vec<bool> = parts.iter().map(Part::is_number).collect();
    let is_number = |place: Option<usize>| place.and_then(|place| are_numbers.get(place)).copied().unwrap_or(false);
    for (place, part) in parts.iter_mut().enumerate() {
        if let Part::Number(_, least, most) = part
            && *most < usize::MAX
            && (is_number(place.checked_sub(1)) || is_number(Some(place + 1)))
        {
            *least = *most;
        }
    }
}

/// The nanoseconds of a fraction of a second, and what follows its digits; none of a finer one.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let length = text.bytes().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = (text.get(..length)?, text.get(length..)?);
    let (kept, finer) = digits.split_at(length.min(9));
    if kept.is_empty() || finer.bytes().any(|digit| digit != b'0') {
        return None;
    }
    Some((format!("{kept:0<9}").parse().ok()?, rest))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::TimeUnit;

    use super::*;

    fn time(format: &str, text: &str) -> Option<i64> {
        Pattern::of_times(format).unwrap().time(text)?.in_units(TimeUnit::Nanosecond)
    }

    fn day(format: &str, text: &str) -> Option<i32> {
        Pattern::of_days(format).unwrap().day(text)
    }

    #[test]
    fn fractions_of_seconds_are_digits_behind_a_mark() {
        let half = Some(1_500_000_000);
        for (format, text) in [
            ("%d/%m/%Y %H:%M:%S.%f", "01/01/1970 00:00:01.5"),
            ("%d/%m/%Y %H:%M:%S.%f", "01/01/1970 00:00:01.500000000000"),
            ("%d/%m/%Y %H:%M:%S,%f", "01/01/1970 00:00:01,500"),
            ("%d/%m/%Y %H:%M:%S%.f", "01/01/1970 00:00:01.5"),
            ("%Y%m%d%H%M%S%f", "197001010000015"),
            ("%Y-%m-%d %H:%M:%S.%g", "1970-01-01 00:00:01.500"),
            ("%Y-%m-%d %H:%M:%S.%n", "1970-01-01 00:00:01.500000000"),
            ("%+", "1970-01-01T02:00:01.5+02:00"),
        ] {
            assert_eq!(time(format, text), half, "{format}: {text}");
        }
        assert_eq!(time("%Y-%m-%d %H:%M:%S.%f", "1970-01-01 00:00:01"), Some(1_000_000_000));
        for (format, text) in [
            ("%Y-%m-%d %H:%M:%S.%f", "1970-01-01 00:00:01."),
            ("%Y-%m-%d %H:%M:%S.%f", "1970-01-01 00:00:01,5"),
            ("%Y-%m-%d %H:%M:%S.%f", "1970-01-01 00:00:01.0000000001"),
            ("%Y-%m-%d %H:%M:%S.%g", "1970-01-01 00:00:01.5"),
            ("%Y-%m-%d %H:%M:%S", "1970-01-01 00:00:60"),
        ] {
            assert_eq!(time(format, text), None, "{format}: {text}");
        }
    }

    #[test]
    fn years_and_numbers_that_touch_have_all_their_digits() {
        assert_eq!((day("%d/%m/%Y", "2/1/1970"), day("%Y%m%d", "19700102")), (Some(1), Some(1)));
        assert_eq!((day("%d.%m.%y", "02.01.70"), day("%e %B %Y", " 2 January 1970")), (Some(1), Some(1)));
        // As Python's strptime reads them.
        for (short, long) in [("69", "1969"), ("68", "2068"), ("00", "2000"), ("99", "1999")] {
            let expected = day("%d.%m.%Y", &format!("01.02.{long}"));
            assert_eq!((day("%d.%m.%y", &format!("01.02.{short}")), expected.is_some()), (expected, true), "{short}");
        }
        assert_eq!(day("%d.%m.%C%y", "01.02.2069"), day("%d.%m.%Y", "01.02.2069"));
        for (format, text) in [
            ("%d/%m/%Y", "01/02/24"),
            ("%d/%m/%Y", "5/1/-24"),
            ("%d/%m/%Y", "5/1/+2024"),
            ("%d/%m/%Y", "5/1/12024"),
            ("%d.%m.%y", "02.01.7"),
            ("%Y%m%d", "1001011"),
            ("%Y%m%d", "2024 1 5"),
            ("%Y-%m-%d", "1970-01-02 "),
        ] {
            assert_eq!(day(format, text), None, "{format}: {text}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let at = DateTime::from_timestamp(1_704_450_600, 250_000_000).unwrap();
        let written = |format: &str, is_zoned: bool| Pattern::of_times(format).unwrap().write(at, is_zoned);
        for (format, is_zoned, text) in [
            ("%d/%m/%Y", false, "05/01/2024"),
            ("%d.%m.%y %H:%M:%S", false, "05.01.24 10:30:00"),
            ("%d %B %Y %I:%M %p", false, "05 January 2024 10:30 AM"),
            ("%Y-%m-%dT%H:%M:%S.%f", false, "2024-01-05T10:30:00.250000"),
            ("%Y%m%d%H%M%S%g", false, "20240105103000250"),
            ("%Y-%m-%d %H:%M:%S%z", true, "2024-01-05 10:30:00+0000"),
            ("%+", true, "2024-01-05T10:30:00.250000+00:00"),
        ] {
            assert_eq!(written(format, is_zoned).as_deref(), Some(text), "{format}");
        }
        assert_eq!(written("%Y-%m-%d %z", false), None);
        assert_eq!(Pattern::of_days("%d/%m/%Y").unwrap().write(DateTime::<Utc>::MAX_UTC, false), None);
        let text = written("%Y-%m-%d %H:%M:%S.%f", false).unwrap();
        assert_eq!(time("%Y-%m-%d %H:%M:%S.%f", &text), Some(1_704_450_600_250_000_000));
    }

    #[test]
    fn what_a_format_would_pass_over_it_cannot_have() {
        for format in ["%d/%m/%Y %H", "%Y-%m-%d %p", "%Y-%m-%d.%f", "%c", "%Y-%m-%d%z", "%s", "%Q", "plain", "%"] {
            assert!(Pattern::of_days(format).is_none(), "{format}");
        }
        assert!(Pattern::of_times("%Y-%m-%d %H:%M:%S %Z").is_none());
        assert_eq!(time("%Y-%m-%d %H:%M:%S %z", "1970-01-01 01:00:00 +0100"), Some(0));
        assert_eq!(time("%s", "12"), Some(12_000_000_000));
    }
}
