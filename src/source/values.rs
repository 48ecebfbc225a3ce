//! What a text means as a value of a type: numbers, dates and times, in the forms that programs write.
//!
//! Both looks at files, the guess of a column's type and the reading of its values, go by these functions, so that what
//! was guessed can be read. Nothing is rounded: a text that the type cannot hold whole has no value of it.

use std::fmt;

use arrow::datatypes::TimeUnit;
use chrono::{NaiveDate, NaiveDateTime};

use super::zones::{self, Clocks};
use crate::print;

/// The days from 0001-01-01 to 1970-01-01.
const DAYS_TO_EPOCH: i32 = 719_162;
const SECONDS_A_DAY: i64 = 86_400;
/// The most digits that a double is written with, all of them exact.
const MAX_DOUBLE_DIGITS: usize = 1100;
/// The digits that always come back from double and from single precision.
const DOUBLE_DIGITS: usize = 15;
const SINGLE_DIGITS: usize = 6;

/// A boolean, in the words that PostgreSQL takes.
pub(super) fn boolean(text: &str) -> Option<bool> {
    const WORDS: [(&str, bool); 12] = [
        ("true", true),
        ("false", false),
        ("t", true),
        ("f", false),
        ("1", true),
        ("0", false),
        ("yes", true),
        ("no", false),
        ("y", true),
        ("n", false),
        ("on", true),
        ("off", false),
    ];
    let found = WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    found.map(|(_, value)| *value)
}

/// An integer, with a sign or without.
pub(super) fn integer(text: &str) -> Option<i128> {
    let (is_negative, digits) = signed(text);
    // Most have few digits, for which 64 bits are enough.
    if digits.len() <= 18 && !digits.is_empty() {
        let mut value = 0_i64;
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value * 10 + i64::from(digit);
        }
        return Some(i128::from(if is_negative { -value } else { value }));
    }
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    text.parse().ok()
}

/// A number in double precision: decimal, with an exponent or a word of IEEE 754. One too great or too small for the
/// type has no value, nor one of which the type loses digits.
pub(super) fn float(text: &str) -> Option<f64> {
    let Some(number) = Number::read(text) else { return float_word(text) };
    let value: f64 = text.parse().ok()?;
    let is_lost = value.is_infinite()
        || (value == 0.0 && number.is_nonzero)
        || number.in_float(text, value, DOUBLE_DIGITS) == InFloat::Lost;
    (!is_lost).then_some(value)
}

/// The same in single precision.
pub(super) fn single(text: &str) -> Option<f32> {
    let Some(number) = Number::read(text) else { return float_word(text).map(|word| word as f32) };
    let value: f32 = text.parse().ok()?;
    let is_lost = value.is_infinite()
        || (value == 0.0 && number.is_nonzero)
        || number.in_float(text, value, SINGLE_DIGITS) == InFloat::Lost;
    (!is_lost).then_some(value)
}

/// `NaN`, `Infinity` or `inf`, with a sign or without, in any case.
pub(super) fn float_word(text: &str) -> Option<f64> {
    let (is_negative, word) = signed(text);
    let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    if is("nan") {
        Some(f64::NAN)
    } else if is("inf") || is("infinity") {
        Some(if is_negative { f64::NEG_INFINITY } else { f64::INFINITY })
    } else {
        None
    }
}

/// Bytes as PostgreSQL writes them: `\x` and hexadecimal digits, or text with `\\` for a backslash and three octal digits
/// behind one for any byte.
pub(super) fn bytes(text: &str) -> Option<Vec<u8>> {
    if let Some(digits) = text.strip_prefix("\\x") {
        let digits: Vec<u8> = digits.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pair = |pair: &[u8]| match *pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        };
        return digits.chunks(2).map(pair).collect();
    }
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'\\', [b'\\', after @ ..]) => {
                out.push(b'\\');
                after
            }
            (b'\\', [high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', after @ ..]) => {
                out.push((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'));
                after
            }
            (b'\\', _) => return None,
            (byte, after) => {
                out.push(*byte);
                after
            }
        };
    }
    Some(out)
}

/// A number as a whole number of units of the last of `scale` decimal digits. One with more digits that are not zero has
/// no value.
pub(super) fn decimal(text: &str, scale: usize) -> Option<i128> {
    let number = Number::read(text)?;
    let (is_negative, _) = signed(text);
    let (mut value, mut fraction, mut in_fraction) = (0_i128, 0_i64, false);
    let mantissa = text.bytes().take_while(|byte| !matches!(byte, b'e' | b'E'));
    for byte in mantissa {
        match byte {
            b'.' => in_fraction = true,
            b'0'..=b'9' => {
                value = value.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
                fraction += i64::from(in_fraction);
            }
            _ => {}
        }
    }
    let mut missing = i64::try_from(scale).ok()? - fraction + i64::from(number.exponent);
    if value == 0 {
        return Some(0);
    }
    while missing > 0 {
        value = value.checked_mul(10)?;
        missing -= 1;
    }
    while missing < 0 {
        if value % 10 != 0 {
            return None;
        }
        value /= 10;
        missing += 1;
    }
    Some(if is_negative { -value } else { value })
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    /// Whether a sign of plus precedes it.
    pub(super) has_plus: bool,
    /// The digits before the point, leading zeros left out.
    pub(super) whole_digits: usize,
    /// The digits behind the point.
    pub(super) fraction_digits: usize,
    /// Whether a zero precedes other digits before the point.
    pub(super) is_padded: bool,
    pub(super) has_point: bool,
    /// The exponent; zero without one.
    pub(super) exponent: i32,
    pub(super) has_exponent: bool,
    pub(super) exponent_has_sign: bool,
    /// Whether a digit is not zero.
    pub(super) is_nonzero: bool,
}

impl Number {
    /// How a text writes a decimal number; none if it does not.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (_, rest) = signed(text);
        let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (whole, mut rest) = rest.split_at(digits(rest));
        let zeros = whole.iter().take_while(|byte| **byte == b'0').count();
        let mut number = Self {
            has_plus: text.starts_with('+'),
            whole_digits: whole.len() - zeros,
            fraction_digits: 0,
            is_padded: zeros > 0 && whole.len() > 1,
            has_point: false,
            exponent: 0,
            has_exponent: false,
            exponent_has_sign: false,
            is_nonzero: whole.len() > zeros,
        };
        if let Some((b'.', behind)) = rest.split_first() {
            let (fraction, after) = behind.split_at(digits(behind));
            number.has_point = true;
            number.fraction_digits = fraction.len();
            number.is_nonzero |= fraction.iter().any(|byte| *byte != b'0');
            rest = after;
        }
        if whole.is_empty() && number.fraction_digits == 0 {
            return None;
        }
        if let Some((b'e' | b'E', behind)) = rest.split_first() {
            let exponent = std::str::from_utf8(behind).ok()?;
            let (_, unsigned) = signed(exponent);
            number.has_exponent = true;
            number.exponent_has_sign = unsigned.len() < behind.len();
            if unsigned.is_empty() || unsigned.len() > 6 || digits(unsigned) < unsigned.len() {
                return None;
            }
            number.exponent = exponent.parse().ok()?;
            rest = &[];
        }
        rest.is_empty().then_some(number)
    }

    /// What double precision makes of the text, which writes this number.
    pub(super) fn in_double(&self, text: &str) -> InFloat {
        if self.whole_digits + self.fraction_digits <= DOUBLE_DIGITS {
            return InFloat::Same;
        }
        match text.parse::<f64>() {
            Ok(value) => self.in_float(text, value, DOUBLE_DIGITS),
            Err(_) => InFloat::Lost,
        }
    }

    /// What became of the text's digits in a float, of a type from which so many digits always come back.
    fn in_float(&self, text: &str, value: impl fmt::LowerExp, safe_digits: usize) -> InFloat {
        if self.whole_digits + self.fraction_digits <= safe_digits {
            return InFloat::Same;
        }
        // No program writes a float with more digits, and the digits below are shown one by one.
        if self.whole_digits + self.fraction_digits > MAX_DOUBLE_DIGITS {
            return InFloat::Lost;
        }
        if has_digits_of(&format!("{value:e}"), text) {
            return InFloat::Same;
        }
        let places = digits_of(text).count().saturating_sub(1);
        if has_digits_of(&format!("{value:.places$e}"), text) { InFloat::Printed } else { InFloat::Lost }
    }
}

/// The digits of a number before its exponent, without zeros at the start.
fn digits_of(text: &str) -> impl Iterator<Item = u8> + '_ {
    let mantissa = text.bytes().take_while(|byte| !matches!(byte, b'e' | b'E'));
    mantissa.filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0')
}

/// Whether two numbers have the same digits, but for zeros at the end.
fn has_digits_of(left: &str, right: &str) -> bool {
    let (mut left, mut right) = (digits_of(left), digits_of(right));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (one, other) if one.unwrap_or(b'0') == other.unwrap_or(b'0') => {}
            _ => return false,
        }
    }
}

/// What a float makes of a number's digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InFloat {
    /// The text has the fewest digits that tell this float from others, so that no other text has the same.
    Same,
    /// The text has more digits of this float than are needed: a program may have printed it so.
    Printed,
    /// Another number.
    Lost,
}

/// A date as ISO 8601 writes it, in days since 1970. Years are 1 to 9999.
pub(super) fn date(text: &str) -> Option<i32> {
    let bytes: &[u8; 10] = text.as_bytes().try_into().ok()?;
    day(bytes)
}

/// A date with months and days of one digit, or with slashes: what is taken where a date was asked for.
pub(super) fn loose_date(text: &str) -> Option<i32> {
    let separator = if text.contains('/') { '/' } else { '-' };
    let mut parts = text.split(separator);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let fits = |part: &str, length: usize| part.len() <= length && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_date = parts.next().is_none() && year.len() == 4 && fits(year, 4) && fits(month, 2) && fits(day, 2);
    if !is_date {
        return None;
    }
    days(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

fn day(bytes: &[u8; 10]) -> Option<i32> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *bytes else { return None };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    days(year, two(m1, m2)?, two(d1, d2)?)
}

fn days(year: u32, month: u32, day: u32) -> Option<i32> {
    if year == 0 {
        return None;
    }
    Some(days_of(NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?))
}

/// A day as the number of days since 1970.
pub(super) fn days_of(date: NaiveDate) -> i32 {
    use chrono::Datelike;
    date.num_days_from_ce() - 1 - DAYS_TO_EPOCH
}

/// The number of two digits.
fn two(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}

/// A time of day, in nanoseconds, and how many digits its fraction of a second has: `12:30`, `12:30:00.5`.
pub(super) fn time(text: &str) -> Option<(i64, usize)> {
    let (nanoseconds, digits, rest) = clock(text.as_bytes())?;
    rest.is_empty().then_some((nanoseconds, digits))
}

/// A time of day where one is wanted, in nanoseconds: also the midnight that ends a day, which PostgreSQL has too.
pub(super) fn wanted_time(text: &str) -> Option<i64> {
    if matches!(text, "24:00" | "24:00:00") {
        return Some(SECONDS_A_DAY * 1_000_000_000);
    }
    time(text).map(|(nanoseconds, _)| nanoseconds)
}

/// Hours and minutes, seconds and their fraction where there are some, and what follows.
fn clock(bytes: &[u8]) -> Option<(i64, usize, &[u8])> {
    let (&[h1, h2, b':', m1, m2], mut rest) = bytes.split_first_chunk::<5>()? else { return None };
    let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
    let (mut seconds, mut fraction, mut digits) = (0, 0_i64, 0);
    if let Some((&[b':', s1, s2], after)) = rest.split_first_chunk::<3>() {
        seconds = two(s1, s2)?;
        rest = after;
        if let Some((b'.', after)) = rest.split_first() {
            digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            for place in 0..digits.max(9) {
                let digit = if place < digits { i64::from(*after.get(place)? - b'0') } else { 0 };
                if place < 9 {
                    fraction = fraction * 10 + digit;
                } else if digit != 0 {
                    return None;
                }
            }
            rest = after.get(digits..)?;
        }
    }
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let whole = i64::from(hours * 3600 + minutes * 60 + seconds);
    Some((whole * 1_000_000_000 + fraction, digits, rest))
}

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instant {
    /// Seconds since 1970, in UTC if the text names a time zone.
    seconds: i64,
    nanoseconds: i64,
    /// The digits of the fraction of a second.
    pub(super) fraction_digits: usize,
    /// Whether the text names a time zone or a distance to UTC.
    pub(super) is_zoned: bool,
}

impl Instant {
    /// The first instant of a day.
    pub(super) fn midnight(days: i32) -> Self {
        Self { seconds: i64::from(days) * SECONDS_A_DAY, nanoseconds: 0, fraction_digits: 0, is_zoned: false }
    }

    /// A point in the calendar.
    pub(super) fn of(time: NaiveDateTime, is_zoned: bool) -> Self {
        let time = time.and_utc();
        let nanoseconds = i64::from(time.timestamp_subsec_nanos());
        let fraction_digits = match nanoseconds {
            0 => 0,
            _ if nanoseconds % 1_000 == 0 => 6,
            _ => 9,
        };
        Self { seconds: time.timestamp(), nanoseconds, fraction_digits, is_zoned }
    }

    /// The instant at which clocks show what a text without a zone says.
    pub(super) fn by_clocks(self, clocks: &Clocks) -> Option<Self> {
        Some(Self { seconds: clocks.instant(self.seconds)?, is_zoned: true, ..self })
    }

    /// Whether nanoseconds since 1970 do not reach it.
    pub(super) fn is_far(&self) -> bool {
        self.in_units(TimeUnit::Nanosecond).is_none()
    }

    /// As a whole number of units; none if it has a finer fraction or the number is too great.
    pub(super) fn in_units(&self, unit: TimeUnit) -> Option<i64> {
        let per_second = print::a_second(unit);
        let nanoseconds_a_unit = 1_000_000_000 / per_second;
        if self.nanoseconds % nanoseconds_a_unit != 0 {
            return None;
        }
        self.seconds.checked_mul(per_second)?.checked_add(self.nanoseconds / nanoseconds_a_unit)
    }
}

/// A date and a time of day, with a time zone or without: `2024-01-05 10:00`, `2024-01-05T10:00:00.5+02:00`.
pub(super) fn timestamp(text: &str) -> Option<Instant> {
    let (day_part, rest) = text.as_bytes().split_first_chunk::<10>()?;
    on_day(day(day_part)?, rest)
}

/// The time on a day, in days since 1970, that the text behind it says.
pub(super) fn on_day(days: i32, text: &[u8]) -> Option<Instant> {
    let (b'T' | b't' | b' ', rest) = text.split_first()? else { return None };
    let (nanoseconds, fraction_digits, zone) = clock(rest)?;
    let local = i64::from(days) * SECONDS_A_DAY + nanoseconds / 1_000_000_000;
    let instant = |seconds, is_zoned| {
        Some(Instant { seconds, nanoseconds: nanoseconds % 1_000_000_000, fraction_digits, is_zoned })
    };
    let zone = zone.strip_prefix(b" ").unwrap_or(zone);
    match zone {
        [] => instant(local, false),
        [b'Z' | b'z'] | b"UTC" => instant(local, true),
        [sign @ (b'+' | b'-'), offset @ ..] => {
            let seconds = distance(offset)?;
            instant(if *sign == b'+' { local - seconds } else { local + seconds }, true)
        }
        name => instant(local - zones::distance(std::str::from_utf8(name).ok()?, local)?, true),
    }
}

/// The seconds of `02`, `0200`, `02:00` or `02:00:00`.
fn distance(text: &[u8]) -> Option<i64> {
    let (hours, minutes, seconds) = match *text {
        [h1, h2] => (two(h1, h2)?, 0, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (two(h1, h2)?, two(m1, m2)?, 0),
        [h1, h2, b':', m1, m2, b':', s1, s2] => (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?),
        _ => return None,
    };
    (hours <= 18 && minutes < 60 && seconds < 60).then(|| i64::from(hours * 3600 + minutes * 60 + seconds))
}

/// Whether a text's sign is minus, and what follows the sign.
pub(super) fn signed(text: &str) -> (bool, &[u8]) {
    match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_whole_or_not_at_all() {
        assert_eq!(integer("-9223372036854775809"), Some(-9_223_372_036_854_775_809));
        assert_eq!((integer("+3"), integer("3x"), integer("-"), integer("")), (Some(3), None, None, None));
        for (text, value) in [(".5", 0.5), ("5.", 5.0), ("+3", 3.0), ("2e-06", 2e-6), ("-1E3", -1000.0)] {
            assert_eq!(float(text), Some(value), "{text}");
        }
        assert!(float("NaN").unwrap().is_nan() && float("-Infinity") == Some(f64::NEG_INFINITY));
        for text in [".", "e5", "1e", "1e400", "1e-400", "1.2.3", "0x10", "infinite", "1_000", "", "9007199254740993"] {
            assert_eq!(float(text), None, "{text}");
        }
        for (text, value) in [
            ("0.1", 0.1),
            ("16777216", 16_777_216.0),
            ("0.10000000149011612", 0.1),
            ("1.17549435e-38", 1.175_494_4e-38),
        ] {
            assert_eq!(single(text), Some(value), "{text}");
        }
        assert_eq!((single("16777217"), single("1e39"), single("1e-50"), single("x")), (None, None, None, None));
        assert_eq!(decimal("1.50", 1), Some(15));
        assert_eq!((decimal("1.55", 1), decimal("1.5e1", 0), decimal("-2", 2)), (None, Some(15), Some(-200)));
    }

    #[test]
    fn bytes_are_read_in_both_forms_of_postgresql() {
        assert_eq!(bytes("\\x00fF 10"), Some(vec![0, 255, 16]));
        assert_eq!((bytes("\\x"), bytes("")), (Some(vec![]), Some(vec![])));
        assert_eq!(bytes(r"a\\\001é"), Some(vec![b'a', b'\\', 1, 0xc3, 0xa9]));
        for broken in ["\\x0", "\\x0g", "\\", "\\400", "\\9"] {
            assert_eq!(bytes(broken), None, "{broken}");
        }
    }

    #[test]
    fn digits_that_double_precision_loses_are_told() {
        let in_double = |text: &str| Number::read(text).unwrap().in_double(text);
        for same in ["9007199254740992", "0.30000000000000004", "80644522253718.1", "1000000000000000000000.000"] {
            assert_eq!(in_double(same), InFloat::Same, "{same}");
        }
        for printed in ["0.10000000000000001", "1.000000000000000056e-01", "80644522253718.09", "-58452984.000000007"] {
            assert_eq!(in_double(printed), InFloat::Printed, "{printed}");
        }
        for lost in ["9007199254740993", "0.1234567890123456789"] {
            assert_eq!(in_double(lost), InFloat::Lost, "{lost}");
        }
    }

    #[test]
    fn dates_and_times_are_those_of_the_calendar() {
        assert_eq!(
            (date("1970-01-02"), date("0001-01-01"), date("9999-12-31")),
            (Some(1), Some(-719_162), Some(2_932_896))
        );
        assert_eq!((date("2023-02-29"), date("0000-01-01"), date("2024-1-05")), (None, None, None));
        assert_eq!((loose_date("2024-1-5"), loose_date("2024/01/05")), (date("2024-01-05"), date("2024-01-05")));
        assert_eq!(time("08:05"), Some((29_100_000_000_000, 0)));
        assert_eq!((time("24:00:00"), time("08:05:60"), time("8:05")), (None, None, None));
        assert_eq!((wanted_time("24:00:00"), wanted_time("24:00:01")), (Some(86_400_000_000_000), None));
        let at = |text: &str| timestamp(text).map(|found| (found.in_units(TimeUnit::Microsecond), found.is_zoned));
        assert_eq!(at("1970-01-01 00:01"), Some((Some(60_000_000), false)));
        assert_eq!(at("1970-01-01T02:00:00.5+02:00"), Some((Some(500_000), true)));
        assert_eq!(at("1970-01-01 00:00:00 Europe/Berlin"), Some((Some(-3_600_000_000), true)));
        // A region of that name has a summer time.
        assert_eq!(at("1970-07-01 01:00:00 CET"), at("1970-07-01 00:00:00Z"));
        assert_eq!(at("1970-01-01 00:00:00.0000005"), Some((None, false)));
        assert_eq!((at("1970-01-01"), at("1970-01-01 x"), at("1970-01-01 00:00:00+2")), (None, None, None));
    }
}
