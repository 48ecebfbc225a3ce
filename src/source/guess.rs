//! Which type the texts of a column have in common.
//!
//! A guess doubts: `12E3` may be a part number, `inf` a name and `+4915112345678` a telephone, so these are numbers only
//! beside what cannot be anything else. No digit is lost: where double precision would lose one, the column is numeric,
//! and text where that cannot hold it either.

use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};

use super::{
    forms::Forms,
    spans,
    values::{self, InFloat, Instant, Number},
};

/// Kinds of texts, a bit each.
pub(super) type Kinds = u32;

const BOOLEAN: Kinds = 1;
/// An integer that double precision holds.
const INTEGER: Kinds = 1 << 1;
/// An integer of 64 bits that double precision does not hold.
const LARGE_INTEGER: Kinds = 1 << 2;
/// An integer of up to 38 digits.
const LONG_INTEGER: Kinds = 1 << 3;
const FRACTION: Kinds = 1 << 4;
/// A fraction that loses digits in double precision.
const LONG_FRACTION: Kinds = 1 << 5;
/// A fraction of more digits than its double needs: of a program that prints doubles so, if others have exponents.
const PRINTED_FRACTION: Kinds = 1 << 15;
/// `1.5e3`, `2e-06`.
const EXPONENT: Kinds = 1 << 6;
/// `12E3`: a number only if others are fractions.
const DOUBTFUL_EXPONENT: Kinds = 1 << 7;
/// `NaN` or `inf`: a number only among others.
const WORD: Kinds = 1 << 8;
const DATE: Kinds = 1 << 9;
const TIME: Kinds = 1 << 10;
const TIMESTAMP: Kinds = 1 << 11;
const ZONED: Kinds = 1 << 12;
/// A year that nanoseconds since 1970 do not reach.
const FAR: Kinds = 1 << 13;
const TEXT: Kinds = 1 << 14;
/// A span of time of less than a day, which may be meant as a time of day.
const SHORT_SPAN: Kinds = 1 << 16;
/// A span of time that no time of day is.
const SPAN: Kinds = 1 << 17;

/// The most digits of a number that is stored exactly.
const MAX_DIGITS: usize = 38;
/// From how many digits on a plus sign makes a telephone number.
const TELEPHONE_DIGITS: usize = 7;

/// The kinds of values seen in a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Guess {
    kinds: Kinds,
    whole_digits: usize,
    fraction_digits: usize,
    /// The digits of fractions of seconds.
    second_digits: usize,
}

impl Guess {
    /// A value of any kind, as CSV has it.
    pub(super) fn see(&mut self, text: &str, forms: &Forms) {
        let first = text.as_bytes().first();
        self.kinds |= match first {
            Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b',') => self.number_or_time(text, forms),
            Some(b't' | b'T' | b'f' | b'F')
                if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") =>
            {
                BOOLEAN
            }
            Some(b'n' | b'N' | b'i' | b'I') if values::float_word(text).is_some() => WORD,
            Some(_) if forms.has_formats() => self.point_in_time(text, forms).unwrap_or(TEXT),
            _ => TEXT,
        };
    }

    /// A value that is known to be text, as JSON quotes it: only dates and times are told apart.
    pub(super) fn see_quoted(&mut self, text: &str, forms: &Forms) {
        self.kinds |= self.point_in_time(text, forms).unwrap_or(TEXT);
    }

    /// A text, whatever it looks like.
    pub(super) fn see_text(&mut self) {
        self.kinds |= TEXT;
    }

    /// A value that is known to be a span of time, as spreadsheets have them in hours, minutes and seconds.
    pub(super) fn see_span(&mut self, text: &str) {
        self.kinds |= match values::time(text) {
            Some((_, digits)) => {
                self.second_digits = self.second_digits.max(digits);
                SHORT_SPAN
            }
            None if spans::interval(text).is_some() => SPAN,
            None => TEXT,
        };
    }

    /// A value that is known to be a number, as JSON has it: no exponent is doubtful, nor is a word.
    pub(super) fn see_number(&mut self, text: &str) {
        self.kinds |= match Number::read(text) {
            Some(number) if number.has_exponent => values::float(text).map_or(TEXT, |_| EXPONENT),
            Some(number) => self.number(&number, text),
            None => WORD | EXPONENT,
        };
    }

    /// The type that holds all, none where nothing was seen.
    pub(super) fn known_type(&self) -> Option<DataType> {
        (self.kinds != 0).then(|| self.data_type())
    }

    /// Whether nothing that follows can change the type.
    pub(super) fn is_settled(self) -> bool {
        self.kinds & TEXT != 0
    }

    /// The guess that made a column's type, or would have made one as that which a file stores; none of a type that texts do
    /// not tell.
    fn of(data_type: &DataType) -> Option<Self> {
        let kinds = match data_type {
            DataType::Boolean => BOOLEAN,
            whole if whole.is_integer() => INTEGER,
            float if float.is_floating() => FRACTION,
            DataType::Decimal128(_, 0) | DataType::Decimal256(_, 0) => INTEGER | LONG_INTEGER,
            DataType::Decimal128(..) | DataType::Decimal256(..) => INTEGER | LONG_FRACTION,
            DataType::Date32 | DataType::Date64 => DATE,
            DataType::Time32(_) | DataType::Time64(_) => TIME,
            DataType::Timestamp(_, None) => TIMESTAMP,
            DataType::Timestamp(_, Some(_)) => ZONED,
            _ => return None,
        };
        Some(Self { kinds, ..Self::default() })
    }

    fn number_or_time(&mut self, text: &str, forms: &Forms) -> Kinds {
        if forms.has_formats()
            && let Some(kinds) = self.point_in_time(text, forms)
        {
            return kinds;
        }
        let number = forms.number(text).and_then(|usual| Some((Number::read(&usual)?, usual)));
        match number {
            Some((number, usual)) => self.number(&number, &usual),
            None => match self.point_in_time(text, forms) {
                Some(kinds) => kinds,
                None if values::float_word(text).is_some() => WORD,
                None => TEXT,
            },
        }
    }

    fn number(&mut self, number: &Number, text: &str) -> Kinds {
        let digits = number.whole_digits + number.fraction_digits;
        if number.is_padded {
            return TEXT;
        }
        if number.has_exponent {
            return match values::float(text) {
                Some(_) if number.has_point || number.exponent_has_sign => EXPONENT,
                Some(_) => DOUBTFUL_EXPONENT,
                None => TEXT,
            };
        }
        self.whole_digits = self.whole_digits.max(number.whole_digits);
        self.fraction_digits = self.fraction_digits.max(number.fraction_digits);
        match (number.has_point, number.in_double(text)) {
            (true, InFloat::Same) => FRACTION,
            (true, InFloat::Printed) => PRINTED_FRACTION,
            (true, InFloat::Lost) if digits <= MAX_DIGITS => LONG_FRACTION,
            _ if digits > MAX_DIGITS || (number.has_plus && digits >= TELEPHONE_DIGITS) => TEXT,
            (false, InFloat::Same) if digits <= 18 => INTEGER,
            _ if text.parse::<i64>().is_ok() => LARGE_INTEGER,
            _ => LONG_INTEGER,
        }
    }

    fn point_in_time(&mut self, text: &str, forms: &Forms) -> Option<Kinds> {
        let bytes = text.as_bytes();
        if bytes.get(2) == Some(&b':')
            && let Some((_, digits)) = values::time(text)
        {
            self.second_digits = self.second_digits.max(digits);
            return Some(TIME);
        }
        if !forms.has_formats() && bytes.get(4) != Some(&b'-') {
            return None;
        }
        let far = |instant: Instant| if instant.is_far() { FAR } else { 0 };
        if let Some(days) = forms.date(text) {
            return Some(DATE | far(Instant::midnight(days)));
        }
        let instant = forms.timestamp(text)?;
        self.second_digits = self.second_digits.max(instant.fraction_digits);
        Some(far(instant) | if instant.is_zoned { ZONED } else { TIMESTAMP })
    }

    /// Adds what was seen elsewhere.
    pub(super) fn merge(&mut self, other: Self) {
        self.kinds |= other.kinds;
        self.whole_digits = self.whole_digits.max(other.whole_digits);
        self.fraction_digits = self.fraction_digits.max(other.fraction_digits);
        self.second_digits = self.second_digits.max(other.second_digits);
    }

    /// Whether a value was seen that is no text.
    pub(super) fn is_typed(self) -> bool {
        self.kinds != 0 && self.data_type() != DataType::Utf8
    }

    /// The type that holds all; text where nothing was seen.
    pub(super) fn data_type(self) -> DataType {
        const NUMBERS: Kinds = INTEGER
            | LARGE_INTEGER
            | LONG_INTEGER
            | FRACTION
            | LONG_FRACTION
            | PRINTED_FRACTION
            | EXPONENT
            | DOUBTFUL_EXPONENT
            | WORD;
        let only = |kinds: Kinds| self.kinds != 0 && self.kinds & !kinds == 0;
        if only(BOOLEAN) {
            DataType::Boolean
        } else if only(INTEGER | LARGE_INTEGER) {
            DataType::Int64
        } else if only(NUMBERS) {
            self.number_type()
        } else if only(DATE | FAR) {
            DataType::Date32
        } else if only(TIME | SHORT_SPAN) {
            DataType::Time64(time_unit(self.second_digits))
        } else if only(SHORT_SPAN | SPAN) {
            DataType::Interval(IntervalUnit::MonthDayNano)
        } else if self.second_digits > 6 && self.has(FAR) {
            DataType::Utf8
        } else if only(DATE | TIMESTAMP | FAR) {
            DataType::Timestamp(time_unit(self.second_digits), None)
        } else if only(ZONED | FAR) {
            // Beside one with a zone, a time without one is of some place that the file does not tell.
            DataType::Timestamp(time_unit(self.second_digits), Some("+00:00".into()))
        } else {
            DataType::Utf8
        }
    }

    fn number_type(self) -> DataType {
        let has_fractions = self.has(FRACTION | PRINTED_FRACTION | LONG_FRACTION | EXPONENT);
        let has_numbers = has_fractions || self.has(INTEGER | LARGE_INTEGER);
        if (self.has(DOUBTFUL_EXPONENT) && !has_fractions) || (self.has(WORD) && !has_numbers) {
            return DataType::Utf8;
        }
        let is_printed = self.has(PRINTED_FRACTION) && !self.has(EXPONENT);
        if !is_printed && !self.has(LARGE_INTEGER | LONG_INTEGER | LONG_FRACTION) {
            return DataType::Float64;
        }
        let is_decimal = !self.has(EXPONENT | DOUBTFUL_EXPONENT | WORD);
        match i8::try_from(self.fraction_digits) {
            Ok(scale) if is_decimal && self.whole_digits + self.fraction_digits <= MAX_DIGITS => {
                DataType::Decimal128(MAX_DIGITS as u8, scale)
            }
            _ => DataType::Utf8,
        }
    }

    fn has(self, kinds: Kinds) -> bool {
        self.kinds & kinds != 0
    }
}

/// Whether a column would still have the type that was guessed for it if this value, as CSV has it, had been seen: `02134` is
/// no number, though it could be read as one.
pub(super) fn keeps(data_type: &DataType, text: &str, forms: &Forms) -> bool {
    keeps_seen(data_type, |guess| guess.see(text.trim_ascii(), forms))
}

/// The same of a value of JSON, which is a text if it stands in quotes.
pub(super) fn keeps_json(data_type: &DataType, value: &str, is_quoted: bool, forms: &Forms) -> bool {
    keeps_seen(data_type, |guess| match value {
        _ if is_quoted => guess.see_quoted(value, forms),
        "true" | "false" => guess.kinds |= BOOLEAN,
        _ => guess.see_number(value),
    })
}

/// The same of a value that is seen in some way.
pub(super) fn keeps_seen(data_type: &DataType, see: impl FnOnce(&mut Guess)) -> bool {
    let Some(mut guess) = Guess::of(data_type) else { return true };
    see(&mut guess);
    guess.data_type() != DataType::Utf8
}

/// The unit that keeps all digits of a fraction of a second; the usual one is microseconds.
fn time_unit(fraction_digits: usize) -> TimeUnit {
    if fraction_digits > 6 { TimeUnit::Nanosecond } else { TimeUnit::Microsecond }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(texts: &[&str]) -> DataType {
        let mut guess = Guess::default();
        for text in texts {
            guess.see(text, &Forms::default());
        }
        guess.data_type()
    }

    #[test]
    fn what_may_be_a_name_is_text_unless_others_are_numbers() {
        assert_eq!(guessed(&["12E3", "45E2"]), DataType::Utf8);
        assert_eq!(guessed(&["12E3", "45"]), DataType::Utf8);
        assert_eq!(guessed(&["5001173100E712"]), DataType::Utf8);
        assert_eq!(guessed(&["1E3", "0.5"]), DataType::Float64);
        assert_eq!(guessed(&["2e-06", "1.5E3"]), DataType::Float64);
        assert_eq!(guessed(&["inf", "nan"]), DataType::Utf8);
        assert_eq!(guessed(&["NaN", "-Infinity", "1"]), DataType::Float64);
        assert_eq!(guessed(&["inf", "Ann"]), DataType::Utf8);
        assert_eq!(guessed(&["+3", "4"]), DataType::Int64);
        assert_eq!(guessed(&["+4915112345678"]), DataType::Utf8);
        assert_eq!(guessed(&["007", "8"]), DataType::Utf8);
        assert_eq!(guessed(&[]), DataType::Utf8);
    }

    #[test]
    fn no_digit_is_lost() {
        assert_eq!(guessed(&["9007199254740993", "1"]), DataType::Int64);
        assert_eq!(guessed(&["9007199254740993", "0.5"]), DataType::Decimal128(38, 1));
        assert_eq!(guessed(&["9007199254740992", "0.5"]), DataType::Float64);
        assert_eq!(guessed(&["9223372036854775808"]), DataType::Decimal128(38, 0));
        assert_eq!(guessed(&["123456789012345678901234567890123456789"]), DataType::Utf8);
        assert_eq!(guessed(&["9007199254740993", "1e-3"]), DataType::Utf8);
        assert_eq!(guessed(&["0.1234567890123456789"]), DataType::Decimal128(38, 19));
        assert_eq!(guessed(&["80644522253718.09", "80644522253718.1"]), DataType::Decimal128(38, 2));
        assert_eq!(guessed(&["0.10000000000000001", "1.0000000000000001e-05"]), DataType::Float64);
        assert_eq!(guessed(&["12345678901234567890123456789", "0.1234567890123456789"]), DataType::Utf8);
    }

    #[test]
    fn a_value_that_would_have_made_a_column_text_is_none_of_it() {
        let forms = Forms::default();
        let time = DataType::Timestamp(TimeUnit::Microsecond, None);
        for (data_type, text) in [
            (DataType::Int64, "02134"),
            (DataType::Int32, "007"),
            (DataType::Float32, "007"),
            (DataType::Int64, "+4915112345678"),
            (DataType::Int64, "1E5"),
            (DataType::Float64, "007"),
            (DataType::Boolean, "yes"),
            (DataType::Boolean, "1"),
            (DataType::Decimal128(38, 2), "0012.50"),
            (DataType::Date32, "12"),
            (time.clone(), "2024-01-05 10:00:00Z"),
        ] {
            assert!(!keeps(&data_type, text, &forms), "{data_type} {text}");
        }
        for (data_type, text) in [
            (DataType::Int64, " 5 "),
            (DataType::Int64, "-9223372036854775808"),
            (DataType::Float64, "1E5"),
            (DataType::Float64, "NaN"),
            (DataType::Decimal128(38, 2), "12.50"),
            (DataType::Decimal128(38, 0), "12345678901234567890"),
            (time, "2024-01-05"),
            (DataType::Utf8, "007"),
            (DataType::Int16, "7"),
        ] {
            assert!(keeps(&data_type, text, &forms), "{data_type} {text}");
        }
        assert!(!keeps_json(&DataType::Int64, "7", true, &forms) && keeps_json(&DataType::Int64, "7", false, &forms));
        assert!(!keeps_json(&DataType::Boolean, "1", false, &forms));
        assert!(keeps_json(&DataType::Date32, "2024-01-05", true, &forms));
    }

    #[test]
    fn spans_are_intervals_if_one_is_no_time_of_day() {
        let guessed = |spans: &[&str], others: &[&str]| {
            let mut guess = Guess::default();
            spans.iter().for_each(|text| guess.see_span(text));
            others.iter().for_each(|text| guess.see(text, &Forms::default()));
            guess.data_type()
        };
        let interval = DataType::Interval(IntervalUnit::MonthDayNano);
        assert_eq!(guessed(&["02:00:00", "23:59:59"], &["10:30:00"]), DataType::Time64(TimeUnit::Microsecond));
        assert_eq!(guessed(&["02:00:00", "30:15:00"], &[]), interval);
        assert_eq!(guessed(&["-12:00:00"], &[]), interval);
        assert_eq!(guessed(&["30:15:00"], &["10:30:00"]), DataType::Utf8);
        assert_eq!(guessed(&["30:15:00"], &["7"]), DataType::Utf8);
        assert_eq!(guessed(&["P1Y"], &[]), DataType::Utf8);
    }

    #[test]
    fn times_have_the_unit_that_keeps_them() {
        let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
        assert_eq!(guessed(&["2024-01-05 10:00", "2024-01-06"]), micros);
        assert_eq!(guessed(&["2024-01-05 10:00:00.0000001"]), DataType::Timestamp(TimeUnit::Nanosecond, None));
        assert_eq!(guessed(&["2024-01-05 10:00:00.0000001", "9999-12-31"]), DataType::Utf8);
        assert_eq!(guessed(&["0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"]), micros);
        assert_eq!(guessed(&["12:30", "08:05:59"]), DataType::Time64(TimeUnit::Microsecond));
        assert_eq!(guessed(&["12:30", "2024-01-05"]), DataType::Utf8);
        assert_eq!(guessed(&["2024-01", "2023-12"]), DataType::Utf8);
    }

    #[test]
    fn times_of_a_zone_beside_others_are_text() {
        let zoned = DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()));
        assert_eq!(guessed(&["2024-01-05 10:00:00Z", "2024-01-05 10:00:00+02"]), zoned);
        assert_eq!(guessed(&["2024-01-05 10:00:00Z", "2024-01-05 10:00:00"]), DataType::Utf8);
        assert_eq!(guessed(&["2024-01-05", "2024-01-05 10:00:00Z"]), DataType::Utf8);
    }
}
