//! The words in texts of dates and times.

use crate::pgtype::zone::{Abbreviation, abbreviation};

/// What a word in the text of a date or a time means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// `at`, `on`: it says nothing.
    Filler,
    Now,
    /// A day, so many after today.
    Day(i32),
    /// Midnight in UTC.
    Midnight,
    Epoch,
    /// After all others, or before them.
    Infinite {
        is_before: bool,
    },
    Month(u32),
    /// It is not looked at which it is.
    Weekday,
    Afternoon(bool),
    BeforeChrist(bool),
    /// What the number behind it is.
    Unit(Unit),
    /// The `T` before a time.
    Clock,
    /// A zone, by its abbreviation.
    Zone(Abbreviation),
    /// An hour more, behind the name of a zone.
    Summer,
}

/// What a number is that stands behind a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Julian,
    /// A time without colons.
    Clock,
}

/// The most letters of a word that are looked at.
const LETTERS: usize = 10;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: &[&str] = &[
    "sun",
    "sunday",
    "mon",
    "monday",
    "tue",
    "tues",
    "tuesday",
    "wed",
    "weds",
    "wednesday",
    "thu",
    "thur",
    "thurs",
    "thursday",
    "fri",
    "friday",
    "sat",
    "saturday",
];

/// What a word in lower case means; none if it is not known.
pub(super) fn word(text: &str) -> Option<Word> {
    let text = text.get(..LETTERS).unwrap_or(text);
    Some(match text {
        "at" | "on" => Word::Filler,
        "now" => Word::Now,
        "yesterday" => Word::Day(-1),
        "today" => Word::Day(0),
        "tomorrow" => Word::Day(1),
        "allballs" => Word::Midnight,
        "epoch" => Word::Epoch,
        "infinity" => Word::Infinite { is_before: false },
        "-infinity" => Word::Infinite { is_before: true },
        "am" => Word::Afternoon(false),
        "pm" => Word::Afternoon(true),
        "ad" => Word::BeforeChrist(false),
        "bc" => Word::BeforeChrist(true),
        "t" => Word::Clock,
        "dst" => Word::Summer,
        "y" => Word::Unit(Unit::Year),
        "m" => Word::Unit(Unit::Month),
        "d" => Word::Unit(Unit::Day),
        "h" => Word::Unit(Unit::Hour),
        "mm" => Word::Unit(Unit::Minute),
        "s" => Word::Unit(Unit::Second),
        "j" | "jd" | "julian" => Word::Unit(Unit::Julian),
        "sept" => Word::Month(9),
        other => {
            let is_month = |month: &str| month == other || month.get(..3) == Some(other);
            match MONTHS.iter().position(|month| is_month(month)) {
                Some(at) => Word::Month(u32::try_from(at).ok()? + 1),
                None if WEEKDAYS.contains(&other) => Word::Weekday,
                None => Word::Zone(abbreviation(other)?),
            }
        }
    })
}

/// Whether a word is one, and no zone.
pub(super) fn is_word(text: &str) -> bool {
    word(text).is_some_and(|word| !matches!(word, Word::Zone(_)))
}
