//! Texts that are cast to intervals are read as PostgreSQL reads them: `1 mon 2 days 03:04:05`, which is how intervals are
//! shown and written to files, and `90`, which is seconds. A time of day is as long as the day was then.
//!
//! The engine's cast knows no hours before a colon and no plus, takes a number alone for months, and has nothing for times. Here
//! it casts the text that a function makes of the value, in words that it knows; a text that has none stays as it is, so that
//! the cast tells of it.

use std::fmt::Write;

use arrow::{
    compute::kernels::cast_utils::parse_interval_month_day_nano,
    datatypes::{DataType, IntervalUnit},
};
use datafusion::{
    common::{DFSchema, Result, config::ConfigOptions, tree_node::Transformed},
    logical_expr::{self, Cast, Expr, ExprSchemable, LogicalPlan, TryCast},
    optimizer::analyzer::AnalyzerRule,
};

use super::{
    rewritten_texts::{Reading, rewritten},
    steps,
};

/// See the module. It comes when types are known, and before times become texts.
#[derive(Debug)]
pub(super) struct ReadIntervals;

impl AnalyzerRule for ReadIntervals {
    fn name(&self) -> &str {
        "read_intervals"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        steps::change(plan, |step| cast_to_interval(step).is_some(), read)
    }
}

/// What is cast to an interval.
fn cast_to_interval(step: &Expr) -> Option<&Expr> {
    match step {
        Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field })
            if *field.data_type() == DataType::Interval(IntervalUnit::MonthDayNano) =>
        {
            Some(expr.as_ref())
        }
        _ => None,
    }
}

fn read(mut step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Some(value) = cast_to_interval(&step) else { return Ok(Transformed::no(step)) };
    let data_type = value.get_type(schema)?;
    let is_time = matches!(data_type, DataType::Time32(_) | DataType::Time64(_));
    if !is_time && !data_type.is_string() {
        return Ok(Transformed::no(step));
    }
    if let Expr::Cast(Cast { expr, .. }) | Expr::TryCast(TryCast { expr, .. }) = &mut step {
        let value = std::mem::take(expr.as_mut());
        **expr = rewritten(if is_time { logical_expr::cast(value, DataType::Utf8) } else { value }, Reading::Interval);
    }
    Ok(Transformed::yes(step))
}

/// A text as the engine's cast reads it; none if it is no interval.
pub(super) fn in_words(text: &str) -> Option<String> {
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
    use std::sync::Arc;

    use arrow::{
        array::{ArrayRef, IntervalMonthDayNanoArray},
        datatypes::IntervalMonthDayNano,
    };

    use super::*;
    use crate::print::{self, Form};

    fn read(text: &str) -> Option<(i32, i32, i64)> {
        let found = parse_interval_month_day_nano(&in_words(text)?).ok()?;
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

    #[test]
    fn what_is_shown_is_read() {
        for (months, days, nanoseconds) in [
            (0, 0, 0),
            (14, -3, 1),
            (-14, 3, -1),
            (-2, 0, 3_600_000_000_000),
            (0, -1, 999_999_999),
            (i32::MAX, i32::MIN, i64::MAX),
            (i32::MIN, i32::MAX, i64::MIN),
        ] {
            let interval = IntervalMonthDayNano::new(months, days, nanoseconds);
            let intervals: ArrayRef = Arc::new(IntervalMonthDayNanoArray::from(vec![interval]));
            let shown = print::texts(&intervals, Form::default()).unwrap();
            assert_eq!(read(shown.value(0)), Some((months, days, nanoseconds)), "{}", shown.value(0));
        }
    }
}
