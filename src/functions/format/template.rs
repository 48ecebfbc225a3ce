//! The templates of dates, times and intervals: `YYYY-MM-DD HH24:MI:SS`.

use super::node::{self, Node};
use crate::fault::Result;

/// A template, read once for all values.
pub(super) struct Template {
    pub(super) nodes: Vec<Node<Field>>,
}

/// A keyword with what is written before and behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) keyword: &'static Keyword,
    pub(super) case: Case,
    /// `FM`: neither blanks nor zeros fill it up.
    pub(super) is_bare: bool,
    /// `TM`: a name of the locale's, which is never filled up.
    pub(super) is_local: bool,
    /// `TH`, `th`: an ordinal number.
    pub(super) ordinal: Option<Case>,
}

/// How letters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Title,
    Lower,
}

/// What is known of a keyword.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keyword {
    /// In capital letters; all of them may be small instead.
    name: &'static str,
    pub(super) kind: Kind,
    /// What is read for it is a number.
    pub(super) is_number: bool,
    /// Of those fields that only one calendar has.
    pub(super) calendar: Option<Calendar>,
}

/// A way to name days, of which a date that is read may use one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calendar {
    Gregorian,
    IsoWeeks,
}

/// What a keyword stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Before or after noon, with dots or without.
    Noon {
        is_dotted: bool,
    },
    /// Before or after Christ, with dots or without.
    Era {
        is_dotted: bool,
    },
    Century,
    /// The name of a weekday, whole or of three letters.
    DayName {
        is_short: bool,
    },
    MonthName {
        is_short: bool,
    },
    /// A month in Roman numerals.
    RomanMonth,
    DayOfYear,
    DayOfMonth,
    /// From 1 for Sunday.
    Weekday,
    /// So many digits of a second's fraction.
    Fraction(u32),
    Millisecond,
    Microsecond,
    /// Not a field: what is read is as wide as it is said.
    Exact,
    Hour24,
    Hour12,
    Minute,
    Second,
    SecondOfDay,
    IsoDayOfYear,
    /// From 1 for Monday.
    IsoWeekday,
    IsoWeek,
    /// So many of the year's last digits.
    IsoYear(u32),
    Year(u32),
    /// The year with a comma behind its thousands.
    YearWithComma,
    JulianDay,
    Month,
    Quarter,
    Week,
    WeekOfMonth,
    ZoneName,
    /// The distance to UTC.
    Offset,
    OffsetHours,
    OffsetMinutes,
}

const fn keyword(name: &'static str, kind: Kind, is_number: bool, calendar: Option<Calendar>) -> Keyword {
    Keyword { name, kind, is_number, calendar }
}

const fn word(name: &'static str, kind: Kind) -> Keyword {
    keyword(name, kind, false, None)
}

const fn number(name: &'static str, kind: Kind) -> Keyword {
    keyword(name, kind, true, None)
}

const fn gregorian(name: &'static str, kind: Kind, is_number: bool) -> Keyword {
    keyword(name, kind, is_number, Some(Calendar::Gregorian))
}

const fn iso(name: &'static str, kind: Kind) -> Keyword {
    keyword(name, kind, true, Some(Calendar::IsoWeeks))
}

/// Those that begin with another stand before it.
static KEYWORDS: &[Keyword] = &[
    word("A.D.", Kind::Era { is_dotted: true }),
    word("A.M.", Kind::Noon { is_dotted: true }),
    word("AD", Kind::Era { is_dotted: false }),
    word("AM", Kind::Noon { is_dotted: false }),
    word("B.C.", Kind::Era { is_dotted: true }),
    word("BC", Kind::Era { is_dotted: false }),
    number("CC", Kind::Century),
    word("DAY", Kind::DayName { is_short: false }),
    gregorian("DDD", Kind::DayOfYear, true),
    gregorian("DD", Kind::DayOfMonth, true),
    word("DY", Kind::DayName { is_short: true }),
    gregorian("D", Kind::Weekday, true),
    number("FF1", Kind::Fraction(1)),
    number("FF2", Kind::Fraction(2)),
    number("FF3", Kind::Fraction(3)),
    number("FF4", Kind::Fraction(4)),
    number("FF5", Kind::Fraction(5)),
    number("FF6", Kind::Fraction(6)),
    word("FX", Kind::Exact),
    number("HH24", Kind::Hour24),
    number("HH12", Kind::Hour12),
    number("HH", Kind::Hour12),
    iso("IDDD", Kind::IsoDayOfYear),
    iso("ID", Kind::IsoWeekday),
    iso("IW", Kind::IsoWeek),
    iso("IYYY", Kind::IsoYear(4)),
    iso("IYY", Kind::IsoYear(3)),
    iso("IY", Kind::IsoYear(2)),
    iso("I", Kind::IsoYear(1)),
    number("J", Kind::JulianDay),
    number("MI", Kind::Minute),
    gregorian("MM", Kind::Month, true),
    gregorian("MONTH", Kind::MonthName { is_short: false }, false),
    gregorian("MON", Kind::MonthName { is_short: true }, false),
    number("MS", Kind::Millisecond),
    word("OF", Kind::Offset),
    word("P.M.", Kind::Noon { is_dotted: true }),
    word("PM", Kind::Noon { is_dotted: false }),
    number("Q", Kind::Quarter),
    gregorian("RM", Kind::RomanMonth, false),
    number("SSSSS", Kind::SecondOfDay),
    number("SSSS", Kind::SecondOfDay),
    number("SS", Kind::Second),
    word("TZH", Kind::OffsetHours),
    number("TZM", Kind::OffsetMinutes),
    word("TZ", Kind::ZoneName),
    number("US", Kind::Microsecond),
    gregorian("WW", Kind::Week, true),
    gregorian("W", Kind::WeekOfMonth, true),
    gregorian("Y,YYY", Kind::YearWithComma, true),
    gregorian("YYYY", Kind::Year(4), true),
    gregorian("YYY", Kind::Year(3), true),
    gregorian("YY", Kind::Year(2), true),
    gregorian("Y", Kind::Year(1), true),
];

impl Template {
    /// Every text is a template: what is no keyword stands for itself.
    pub(super) fn parse(template: &str) -> Result<Self> {
        Ok(Self { nodes: node::nodes(template, |rest| Ok(field(rest)))? })
    }
}

impl Field {
    /// The keyword as it was written.
    pub(super) fn name(&self) -> String {
        match self.case {
            Case::Upper => self.keyword.name.to_owned(),
            Case::Lower => self.keyword.name.to_ascii_lowercase(),
            Case::Title => titled(self.keyword.name),
        }
    }

    /// How many characters its keyword has.
    pub(super) fn width(&self) -> usize {
        self.keyword.name.len()
    }
}

/// The field that a template begins with, and the bytes that it takes.
fn field(template: &str) -> (Option<Field>, usize) {
    let begins_with = |text: &str, words: [&str; 2]| words.iter().any(|word| text.starts_with(word));
    let (is_bare, is_local) = (begins_with(template, ["FM", "fm"]), begins_with(template, ["TM", "tm"]));
    let before = if is_bare || is_local { 2 } else { 0 };
    let rest = template.get(before..).unwrap_or_default();
    let Some((keyword, case)) = KEYWORDS.iter().find_map(|keyword| Some((keyword, written(keyword, rest)?))) else {
        return (None, before);
    };
    let behind = rest.get(keyword.name.len()..).unwrap_or_default();
    let ordinal = match behind {
        behind if behind.starts_with("TH") => Some(Case::Upper),
        behind if behind.starts_with("th") => Some(Case::Lower),
        _ => None,
    };
    // `SP` would spell the number out; it is known and means nothing.
    let after = if ordinal.is_some() || behind.starts_with("SP") { 2 } else { 0 };
    (Some(Field { keyword, case, is_bare, is_local, ordinal }), before + keyword.name.len() + after)
}

/// How a keyword is written where a text begins with it. Names alone may begin with a capital letter.
fn written(keyword: &Keyword, text: &str) -> Option<Case> {
    let text = text.get(..keyword.name.len())?;
    let is_name = matches!(keyword.kind, Kind::DayName { .. } | Kind::MonthName { .. });
    if text == keyword.name {
        Some(Case::Upper)
    } else if text == keyword.name.to_ascii_lowercase() {
        Some(Case::Lower)
    } else {
        (is_name && text == titled(keyword.name)).then_some(Case::Title)
    }
}

/// A name with its first letter alone in capitals.
fn titled(name: &str) -> String {
    let (first, rest) = name.split_at(name.len().min(1));
    format!("{first}{}", rest.to_ascii_lowercase())
}
