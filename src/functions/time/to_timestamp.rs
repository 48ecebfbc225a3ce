//! `to_timestamp` of a number: the instant so many seconds after 1970 began.
//!
//! ```sql
//! SELECT to_timestamp(clicked_at) FROM clicks
//! ```

use arrow::array::ArrayRef;

use super::{calendar, make::six_digits};
use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Overload},
    pgtype::{FLOAT8, TIMESTAMPTZ},
};

/// The one of a number.
pub(in crate::functions) const OF_SECONDS: Overload = Overload::new(&[FLOAT8], TIMESTAMPTZ, run);

/// The seconds from 1970 to 2000, from where PostgreSQL counts: a double is rounded there.
const SECONDS_TO_2000: f64 = 946_684_800.0;

fn run(call: &Call<'_>) -> Result<ArrayRef> {
    let seconds = call.float8s(0)?;
    call.timestamp_of(|row| instant(seconds.value(row)).map(Some))
}

fn instant(seconds: f64) -> Result<i64> {
    let refused = |message: String| Failure::new(Fault::DatetimeOutOfRange, message);
    if seconds.is_nan() {
        return Err(refused("timestamp cannot be NaN".to_owned()));
    }
    if seconds.is_infinite() {
        return Ok(calendar::infinite(seconds < 0.0));
    }
    let from_2000 = ((seconds - SECONDS_TO_2000) * 1_000_000.0).round_ties_even();
    // What is beyond the numbers of 64 bits is out of range like what is near them.
    let micros = i128::from(from_2000 as i64) + 946_684_800_000_000;
    calendar::timestamp(micros).map_err(|_| refused(format!("timestamp out of range: \"{}\"", six_digits(seconds))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// PostgreSQL 15: to_timestamp(seconds).
    #[test]
    fn seconds_are_rounded_to_microseconds() {
        for (seconds, micros) in [
            (0.0, 0),
            (1.5, 1_500_000),
            (1.000_000_5, 1_000_000),
            (-0.000_001_5, -2),
            (1_704_067_200.123_456_8, 1_704_067_200_123_457),
        ] {
            assert_eq!(instant(seconds), Ok(micros), "{seconds}");
        }
        assert_eq!([f64::NEG_INFINITY, f64::INFINITY].map(instant), [Ok(i64::MIN), Ok(i64::MAX)]);
        let refused = |seconds| instant(seconds).unwrap_err().to_string();
        assert_eq!(refused(f64::NAN), "timestamp cannot be NaN");
        assert_eq!(refused(1e20), "timestamp out of range: \"1e+20\"");
        assert_eq!(refused(-1e20), "timestamp out of range: \"-1e+20\"");
    }
}
