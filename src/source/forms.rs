//! How the texts of a table write numbers, dates and times, where that is not the usual way.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use super::{
    Error, Options,
    options::invalid,
    pattern::Pattern,
    values::{self, Instant},
    years,
};

/// The options of texts, each with what it means.
pub(super) const OPTIONS: [(&str, &str); 4] = [
    ("decimal_separator", "the character before the fraction of a number, . or ,; by default told by looking"),
    ("thousands_separator", "the character between groups of three digits, such as , or . or a blank"),
    ("date_format", "how dates are written, such as %d/%m/%Y; by default as 2024-12-31"),
    (
        "timestamp_format",
        "how dates with times are written, such as %d/%m/%Y %H:%M:%S or, with a fraction, %H:%M:%S.%f; by default as \
         2024-12-31 10:00:00",
    ),
];

/// Checked options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Forms {
    /// The character before a fraction; none: not decided, which is a point.
    pub(super) decimal: Option<u8>,
    /// The character between groups of three digits.
    pub(super) thousands: Option<u8>,
    date: Option<Pattern>,
    timestamp: Option<Pattern>,
    /// The columns whose types were guessed by other bytes than those that are read.
    guessed: Guessed,
    /// Whether the texts are those of such a column.
    pub(super) doubts: bool,
}

/// The names of the columns whose types were guessed, as JSON. A table has it that was not told its columns.
pub(super) const GUESSED: &str = "guessed";

/// The columns whose types were guessed by other bytes than those that are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Guessed(Arc<BTreeSet<String>>);

impl Guessed {
    pub(super) fn parse(options: &Options) -> Self {
        let names = options.get(GUESSED).and_then(|names| serde_json::from_str(names).ok());
        Self(Arc::new(names.unwrap_or_default()))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

impl Forms {
    /// The options that are given.
    pub(super) fn parse(options: &Options) -> Result<Self, Error> {
        let get = |name: &str| options.get(name).cloned();
        let separator = |option: &str, allowed: &[u8], expected: &str| {
            let Some(value) = get(option) else { return Ok(None) };
            match value.as_bytes() {
                [byte] if allowed.contains(byte) => Ok(Some(*byte)),
                _ => Err(invalid(option, &value, expected)),
            }
        };
        let format = |option: &str, parse: fn(&str) -> Option<Pattern>| {
            let Some(value) = get(option) else { return Ok(None) };
            parse(&value).map(Some).ok_or_else(|| invalid(option, &value, "a format such as %d/%m/%Y"))
        };
        let forms = Self {
            decimal: separator("decimal_separator", b".,", ". or ,")?,
            thousands: separator("thousands_separator", b",. '_", "one of , . ' _ or a blank")?,
            date: format("date_format", Pattern::of_days)?,
            timestamp: format("timestamp_format", Pattern::of_times)?,
            guessed: Guessed::parse(options),
            doubts: false,
        };
        if forms.thousands.is_some() && forms.thousands == Some(forms.decimal.unwrap_or(b'.')) {
            let value = get("thousands_separator").unwrap_or_default();
            return Err(invalid("thousands_separator", &value, "another character than the decimal separator"));
        }
        Ok(forms)
    }

    /// The forms of a column's texts.
    pub(super) fn of_column(&self, name: &str) -> Cow<'_, Self> {
        match self.guessed.has(name) {
            true => Cow::Owned(Self { doubts: true, ..self.clone() }),
            false => Cow::Borrowed(self),
        }
    }

    /// The forms of texts that are known to be of their type.
    pub(super) fn trusting(&self) -> Self {
        Self { doubts: false, ..self.clone() }
    }

    /// A number as it is usually written; none if the text groups its digits otherwise than in threes, or has another
    /// decimal separator.
    pub(super) fn number<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        let decimal = self.decimal.unwrap_or(b'.');
        if decimal == b'.' && self.thousands.is_none() {
            return Some(Cow::Borrowed(text));
        }
        let (whole, fraction) = match text.split_once(char::from(decimal)) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        if decimal != b'.' && self.thousands != Some(b'.') && text.contains('.') {
            return None;
        }
        let mut number = String::with_capacity(text.len());
        match self.thousands {
            Some(separator) if whole.as_bytes().contains(&separator) => {
                let mut groups = whole.split(char::from(separator));
                let first = groups.next()?;
                let digits = first.trim_start_matches(['-', '+']);
                let is_group = |group: &str| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit());
                if digits.is_empty() || digits.len() > 3 || !groups.clone().all(is_group) {
                    return None;
                }
                number.push_str(first);
                groups.for_each(|group| number.push_str(group));
            }
            _ => number.push_str(whole),
        }
        if let Some(fraction) = fraction {
            number.push('.');
            number.push_str(fraction);
        }
        Some(Cow::Owned(number))
    }

    /// A date, in days since 1970.
    pub(super) fn date(&self, text: &str) -> Option<i32> {
        match &self.date {
            Some(pattern) => pattern.day(text),
            None => values::date(text),
        }
    }

    /// A date where one is wanted: less strictly and of any year, unless a format says how it is written.
    pub(super) fn wanted_date(&self, text: &str) -> Option<i32> {
        let found = self.date(text);
        if self.date.is_some() {
            return found;
        }
        found.or_else(|| values::loose_date(text)).or_else(|| years::date(text))
    }

    /// A date and a time.
    pub(super) fn timestamp(&self, text: &str) -> Option<Instant> {
        match &self.timestamp {
            Some(pattern) => pattern.time(text),
            None => values::timestamp(text),
        }
    }

    /// A date and a time where they are wanted: of any year, unless a format says how they are written.
    pub(super) fn wanted_timestamp(&self, text: &str) -> Option<Instant> {
        let found = self.timestamp(text);
        if self.timestamp.is_some() { found } else { found.or_else(|| years::timestamp(text)) }
    }

    /// How dates are written, where an option says so.
    pub(super) fn of_dates(&self) -> Option<&Pattern> {
        self.date.as_ref()
    }

    /// How dates with times are written, where an option says so.
    pub(super) fn of_timestamps(&self) -> Option<&Pattern> {
        self.timestamp.as_ref()
    }

    /// Whether dates or times are written in a way of their own.
    pub(super) fn has_formats(&self) -> bool {
        self.date.is_some() || self.timestamp.is_some()
    }
}
