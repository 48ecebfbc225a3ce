//! Parts of texts of dates and times: clocks, fractions and distances from UTC.

use super::{
    moments::{Moment, Unfit},
    tokens::{fraction, whole},
};
use crate::pgtype::calendar::{MICROS_A_DAY, MICROS_A_SECOND, day_of, days_in};

/// The furthest a zone is from UTC, in hours.
const FURTHEST_HOURS: i64 = 15;

type Result<T> = std::result::Result<T, Unfit>;

/// `2024-05-06` and `2024-05-06 07:08:09.5`, as most texts are; none of others, and of what is no date.
pub(super) fn plain(text: &[u8]) -> Option<Moment> {
    let digits = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?;
        let add = |number: i64, digit: &u8| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'));
        digits.iter().try_fold(0, add)
    };
    let is = |at: usize, letters: &[u8]| text.get(at).is_some_and(|letter| letters.contains(letter));
    let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    let is_day = year > 0 && (1..=12).contains(&month) && day > 0 && day <= days_in(year, month);
    if !is_day || !is(4, b"-") || !is(7, b"-") {
        return None;
    }
    let day = day_of(year, month, day);
    if text.len() == 10 {
        return Some(Moment { day, micros: 0, zone: None });
    }
    let (hour, minute, second) = (digits(11..13)?, digits(14..16)?, digits(17..19)?);
    if hour > 23 || minute > 59 || second > 59 || !is(10, b" T") || !is(13, b":") || !is(16, b":") {
        return None;
    }
    let places = text.len() - 19;
    let micros = match places {
        0 => 0,
        2..=7 if is(19, b".") => {
            let missing = u32::try_from(7 - places).ok()?;
            digits(20..text.len())? * 10_i64.pow(missing)
        }
        _ => return None,
    };
    Some(Moment { day, micros: (hour * 3_600 + minute * 60 + second) * MICROS_A_SECOND + micros, zone: None })
}

pub(super) fn beyond_a_day(hour: i64, minute: i64, second: i64, micros: i64) -> bool {
    !(0..=24).contains(&hour)
        || !(0..60).contains(&minute)
        || !(0..=60).contains(&second)
        || (hour * 3_600 + minute * 60 + second) * MICROS_A_SECOND + micros > MICROS_A_DAY
}

/// Hours, minutes, seconds and microseconds between colons; of two parts with a fraction, the first is minutes.
pub(super) fn colons(text: &str) -> Result<[i64; 4]> {
    let number = |text| {
        let (number, rest) = whole(text).ok_or(Unfit::Field)?;
        i32::try_from(number).map(|number| (i64::from(number), rest)).map_err(|_| Unfit::Field)
    };
    let (hour, rest) = whole(text).ok_or(Unfit::Field)?;
    let (minute, rest) = number(rest.strip_prefix(':').ok_or(Unfit::Syntax)?)?;
    if rest.is_empty() {
        return Ok([hour, minute, 0, 0]);
    }
    if rest.starts_with('.') {
        return Ok([0, hour, minute, micros_of(rest)?]);
    }
    let (second, rest) = number(rest.strip_prefix(':').ok_or(Unfit::Syntax)?)?;
    let micros = if rest.is_empty() { 0 } else { micros_of(rest)? };
    Ok([hour, minute, second, micros])
}

/// A fraction of a second, which begins with its point.
pub(super) fn micros_of(text: &str) -> Result<i64> {
    let fraction = fraction(text).ok_or(Unfit::Syntax)?;
    Ok((fraction * MICROS_A_SECOND as f64).round_ties_even() as i64)
}

/// `+02`, `-0330` or `+05:30:15`, in seconds to the east.
pub(crate) fn displacement(text: &str) -> Result<i64> {
    let digits = text.strip_prefix(['+', '-']).ok_or(Unfit::Syntax)?;
    let part = |text| whole(text).ok_or(Unfit::Displacement);
    let (mut hour, mut rest) = part(digits)?;
    let (mut minute, mut second) = (0, 0);
    if let Some(behind) = rest.strip_prefix(':') {
        (minute, rest) = part(behind)?;
        if let Some(behind) = rest.strip_prefix(':') {
            (second, rest) = part(behind)?;
        }
    } else if rest.is_empty() && digits.len() > 2 {
        (hour, minute) = (hour / 100, hour % 100);
    }
    if !(0..=FURTHEST_HOURS).contains(&hour) || !(0..60).contains(&minute) || !(0..60).contains(&second) {
        return Err(Unfit::Displacement);
    }
    if !rest.is_empty() {
        return Err(Unfit::Syntax);
    }
    let away = hour * 3_600 + minute * 60 + second;
    Ok(if text.starts_with('-') { -away } else { away })
}
