//! Which type the texts of a column have in common.

use arrow::{compute::kernels::cast_utils::string_to_datetime, datatypes::DataType};
use chrono::Utc;

use super::infer::{is_date, is_integer, time_unit};

const BOOLEAN: u8 = 1;
const INTEGER: u8 = 1 << 1;
const FLOAT: u8 = 1 << 2;
const DATE: u8 = 1 << 3;
const TIMESTAMP: u8 = 1 << 4;
const ZONED: u8 = 1 << 5;
const TEXT: u8 = 1 << 6;

/// The kinds of values seen in a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Guess {
    kinds: u8,
    fraction_digits: usize,
}

impl Guess {
    /// A value of any kind, as CSV has it.
    pub(super) fn see(&mut self, text: &str) {
        self.kinds |= if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
            BOOLEAN
        } else if is_integer(text) {
            INTEGER
        } else if is_float(text) {
            FLOAT
        } else {
            self.see_time(text)
        };
    }

    /// A value that is known to be text, as JSON quotes it: only dates and times are told apart.
    pub(super) fn see_quoted(&mut self, text: &str) {
        self.kinds |= self.see_time(text);
    }

    fn see_time(&mut self, text: &str) -> u8 {
        if is_date(text) {
            return DATE;
        }
        let Some(zoned) = is_timestamp(text) else { return TEXT };
        let fraction = text.get(19..).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        self.fraction_digits = self.fraction_digits.max(digits);
        if zoned { ZONED } else { TIMESTAMP }
    }

    /// Adds what was seen elsewhere.
    pub(super) fn merge(&mut self, other: Self) {
        self.kinds |= other.kinds;
        self.fraction_digits = self.fraction_digits.max(other.fraction_digits);
    }

    /// Whether a value was seen that is no text.
    pub(super) fn is_typed(self) -> bool {
        self.kinds != 0 && self.data_type() != DataType::Utf8
    }

    /// The type that holds all; text where nothing was seen.
    pub(super) fn data_type(self) -> DataType {
        let only = |kinds: u8| self.kinds != 0 && self.kinds & !kinds == 0;
        if only(BOOLEAN) {
            DataType::Boolean
        } else if only(INTEGER) {
            DataType::Int64
        } else if only(INTEGER | FLOAT) {
            DataType::Float64
        } else if only(DATE) {
            DataType::Date32
        } else if only(DATE | TIMESTAMP) {
            DataType::Timestamp(time_unit(self.fraction_digits), None)
        } else if only(DATE | TIMESTAMP | ZONED) {
            DataType::Timestamp(time_unit(self.fraction_digits), Some("+00:00".into()))
        } else {
            DataType::Utf8
        }
    }
}

/// A decimal number, with an exponent or without. A leading zero before another digit makes it a code.
fn is_float(text: &str) -> bool {
    if matches!(text, "NaN" | "nan" | "inf" | "-inf") {
        return true;
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let padded = digits.starts_with('0') && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    let numeric = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    let marked = digits.contains(['.', 'e', 'E']);
    let begins = digits.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.');
    marked && begins && !padded && digits.bytes().all(numeric) && text.parse::<f64>().is_ok()
}

/// Whether a text is a date and a time of day, and if so, whether it names a time zone.
fn is_timestamp(text: &str) -> Option<bool> {
    let bytes = text.as_bytes();
    let at = |index: usize| bytes.get(index).copied();
    let shaped =
        at(4) == Some(b'-') && at(7) == Some(b'-') && matches!(at(10), Some(b'T' | b' ')) && at(13) == Some(b':');
    if !shaped || string_to_datetime(&Utc, text).is_err() {
        return None;
    }
    let time = text.get(11..)?;
    Some(time.contains(['Z', 'z', '+', '-']) || time.contains(|letter: char| letter.is_ascii_alphabetic()))
}
