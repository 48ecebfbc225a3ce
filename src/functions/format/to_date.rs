//! `to_date` and `to_timestamp`: the date or the instant that a text says as a template has it. `to_timestamp` of a number is
//! the instant so many seconds after 1970 began.
//!
//! ```sql
//! SELECT to_date('06 May 2024', 'DD Mon YYYY'), to_timestamp('6.5.2024 17:08', 'DD.MM.YYYY HH24:MI'), to_timestamp(1715008080)
//! ```

use arrow::array::ArrayRef;

use super::{Last, template::Template, zone::Zone};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{DATE, FLOAT8, TEXT, TIMESTAMPTZ},
};

pub(super) static TO_DATE: Function = Function {
    name: "to_date",
    purpose: "The date that a text says as a template has it",
    example: "to_date('06 May 2024', 'DD Mon YYYY')",
    shows: "2024-05-06",
    overloads: &[Overload::new(&[TEXT, TEXT], DATE, to_date).stable()],
};

pub(super) static TO_TIMESTAMP: Function = Function {
    name: "to_timestamp",
    purpose: "The instant that a text says as a template has it, or so many seconds after 1970",
    example: "to_timestamp('06.05.2024 17:08 +02', 'DD.MM.YYYY HH24:MI TZH')",
    shows: "2024-05-06 15:08:00+00",
    overloads: &[
        Overload::new(&[FLOAT8], TIMESTAMPTZ, of_seconds),
        Overload::new(&[TEXT, TEXT], TIMESTAMPTZ, to_timestamp).stable(),
    ],
};

fn to_date(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, templates) = (call.texts(0)?, call.texts(1)?);
    let mut last = Last::new(Template::parse);
    call.date_of(|row| {
        let text = texts.value(row);
        last.of(templates.value(row))?.read(text)?.dated(text)?.days(text).map(Some)
    })
}

fn to_timestamp(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, templates, zone) = (call.texts(0)?, call.texts(1)?, Zone::named(call.zone()));
    let mut last = Last::new(Template::parse);
    call.timestamp_of(|row| {
        let text = texts.value(row);
        let dated = last.of(templates.value(row))?.read(text)?.dated(text)?;
        dated.instant(|shown| zone.at_local(shown)).map(Some)
    })
}

fn of_seconds(call: &Call<'_>) -> Result<ArrayRef> {
    let values = call.float8s(0)?;
    call.timestamp_of(|row| instant(values.value(row)).map(Some))
}

/// Microseconds since 1970 of seconds.
fn instant(seconds: f64) -> Result<i64> {
    /// From 24 November 4714 BC to the end of the year 262142, where the calendar of timestamps ends.
    const SECONDS: std::ops::Range<f64> = -210_866_803_200.0..8_210_266_876_800.0;
    /// Floats are finest near 2000, from which PostgreSQL counts.
    const FROM_2000: f64 = 946_684_800.0;
    if seconds.is_nan() {
        return Err(Failure::new(Fault::DatetimeOutOfRange, "timestamp cannot be NaN"));
    }
    if !SECONDS.contains(&seconds) {
        return Err(Failure::new(Fault::DatetimeOutOfRange, format!("timestamp out of range: \"{seconds}\"")));
    }
    let since_2000 = ((seconds - FROM_2000) * 1e6).round_ties_even();
    Ok(since_2000 as i64 + FROM_2000 as i64 * 1_000_000)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// As PostgreSQL 15 has them.
    #[test]
    fn seconds_are_rounded_to_microseconds() {
        for (seconds, micros) in [
            (0.0, 0),
            (-1.5, -1_500_000),
            (1_704_067_200.5, 1_704_067_200_500_000),
            (0.123_456_7, 123_457),
            (1.000_000_5, 1_000_000),
            (-210_866_803_200.0, -210_866_803_200_000_000),
        ] {
            assert_eq!(instant(seconds).unwrap(), micros, "{seconds}");
        }
        for (seconds, message) in [
            (f64::NAN, "timestamp cannot be NaN"),
            (f64::INFINITY, "timestamp out of range: \"inf\""),
            (-210_866_803_201.0, "timestamp out of range: \"-210866803201\""),
        ] {
            let failure = instant(seconds).unwrap_err();
            assert_eq!((failure.fault(), failure.to_string().as_str()), (Fault::DatetimeOutOfRange, message));
        }
    }
}
