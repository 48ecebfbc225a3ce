//! Texts of intervals in the words that the engine's cast knows: it has no hours before a colon and no plus, and takes a number
//! alone for months, where PostgreSQL reads `1 mon 2 days 03:04:05`, which is how intervals are shown, and `90` as seconds.

use std::fmt::Write;

use arrow::compute::kernels::cast_utils::parse_interval_month_day_nano;

/// A text as the engine's cast reads it; none if it is no interval.
pub(crate) fn interval_in_words(text: &str) -> Option<String> {
    let mut words = text.split_ascii_whitespace().peekable();
    let mut written = String::with_capacity(text.len() + 24);
    while let Some(word) = words.next() {
        if word.contains(':') {
            write_clock(&mut written, word)?;
            continue;
        }
        let has_unit = word.contains(char::is_alphabetic);
        let unit = match words.peek().copied() {
            _ if has_unit => "",
            None => "secs",
            Some(next) if next.contains(':') => "days",
            Some(_) => words.next()?,
        };
        for part in [word.strip_prefix('+').unwrap_or(word), unit].into_iter().filter(|part| !part.is_empty()) {
            write_word(&mut written, part);
        }
    }
    parse_interval_month_day_nano(&written).is_ok().then_some(written)
}

/// Writes hours, minutes and seconds, such as `-03:04:05.5`.
fn write_clock(written: &mut String, text: &str) -> Option<()> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = rest.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next().unwrap_or("0"));
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let is_digits =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_sixtieth = |text: &str| is_digits(text, 2) && text.parse::<u8>().is_ok_and(|number| number < 60);
    if parts.next().is_some() || !is_digits(hours, 9) || !is_sixtieth(minutes) || !is_sixtieth(seconds) {
        return None;
    }
    if !is_digits(fraction, 9) {
        return None;
    }
    write_word(written, &format!("{sign}{hours} hours"));
    write!(written, " {sign}{minutes} mins {sign}{seconds}.{fraction} secs").ok()
}

fn write_word(written: &mut String, word: &str) {
    if !written.is_empty() {
        written.push(' ');
    }
    written.push_str(word);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(i32, i32, i64)> {
        let found = parse_interval_month_day_nano(&interval_in_words(text)?).ok()?;
        Some((found.months, found.days, found.nanoseconds))
    }

    #[test]
    fn texts_are_postgresqls() {
        let seconds = |count: i64| count * 1_000_000_000;
        // As PostgreSQL 15 reads them.
        for (text, span) in [
            ("90", (0, 0, seconds(90))),
            ("1.5", (0, 0, seconds(3) / 2)),
            ("1 day 90", (0, 1, seconds(90))),
            ("2 0:30", (0, 2, seconds(1800))),
            ("01:30", (0, 0, seconds(5400))),
            (" 1 year  2 mons -3 days +04:05:06.5 ", (14, -3, seconds(14_706) + seconds(1) / 2)),
            ("-1 years +2 mons", (-10, 0, 0)),
            ("3h 2min", (0, 0, seconds(10_920))),
            ("-100:00:00", (0, 0, seconds(-360_000))),
            ("-00:00:00.000001", (0, 0, -1000)),
        ] {
            assert_eq!(read(text), Some(span), "{text}");
        }
        for text in ["", "x", "1 x", "1:60", "1:2:3:4", "1:2:60", ":30", "1 day 1 day", "1:30 2:30"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
