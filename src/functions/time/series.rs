//! Series of times, each of which is an interval after the one before it: `generate_series`.
//!
//! ```sql
//! SELECT * FROM generate_series(date '2024-01-31', date '2024-06-30', '1 month')
//! ```

use arrow::datatypes::IntervalMonthDayNano;

use super::{
    calendar::{self, Day, MICROS_PER_DAY, Moment, NANOS_PER_MICRO, days_of_month},
    zones,
};
use crate::{
    fault::{Failure, Fault, Result},
    pgtype::Zone,
};

const DAYS_PER_MONTH: i128 = 30;

/// The times that are left.
#[derive(Debug, Clone)]
pub(crate) struct TimeSeries {
    /// The next one, if it is not beyond the end.
    next: Option<i64>,
    end: i64,
    /// Whether the end may be one of them.
    has_end: bool,
    step: IntervalMonthDayNano,
    is_backwards: bool,
    /// Whose days are counted; none of timestamps without a zone.
    zone: Option<Zone>,
}

impl TimeSeries {
    /// Those from a time on to another, which is one of them where it is reached and `has_end` says so. Instants are of the
    /// session's zone, which is given for them.
    pub(crate) fn new(
        (start, end): (i64, i64),
        has_end: bool,
        step: IntervalMonthDayNano,
        zone: Option<&str>,
    ) -> Result<Self> {
        // Steps are compared as intervals are: by months of thirty days.
        let days = i128::from(step.months) * DAYS_PER_MONTH + i128::from(step.days);
        let micros = days * i128::from(MICROS_PER_DAY) + i128::from(step.nanoseconds / NANOS_PER_MICRO);
        if micros == 0 {
            return Err(Failure::new(Fault::InvalidArgument, "step size cannot equal zero"));
        }
        let zone = zone.map(Zone::of_session);
        Ok(Self { next: Some(start), end, has_end, step, is_backwards: micros < 0, zone })
    }

    fn is_beyond(&self, time: i64) -> bool {
        let is_beyond = if self.is_backwards { time < self.end } else { time > self.end };
        is_beyond || time == self.end && !self.has_end
    }
}

impl Iterator for TimeSeries {
    type Item = Result<i64>;

    fn next(&mut self) -> Option<Result<i64>> {
        let time = self.next.take().filter(|time| !self.is_beyond(*time))?;
        match moved(time, self.step, self.zone) {
            Ok(next) => {
                self.next = Some(next);
                Some(Ok(time))
            }
            Err(failure) => Some(Err(failure)),
        }
    }
}

/// A time and an interval after it: months, of which the last day is the last there is, then days, then the time.
fn moved(time: i64, step: IntervalMonthDayNano, zone: Option<Zone>) -> Result<i64> {
    if calendar::is_infinite(time) {
        return Ok(time);
    }
    let mut time = time;
    if step.months != 0 {
        time = on_clocks(time, zone, |Moment { date, .. }| {
            let first = Day::first(date.year, date.month + i64::from(step.months));
            first.days() + date.day.min(days_of_month(first.year, first.month)) - 1
        })?;
    }
    if step.days != 0 {
        time = on_clocks(time, zone, |moment| moment.days + i64::from(step.days))?;
    }
    calendar::timestamp(i128::from(time) + i128::from(step.nanoseconds / NANOS_PER_MICRO))
}

/// The time at which the clocks of a zone show the same on another day.
fn on_clocks(time: i64, zone: Option<Zone>, day: impl Fn(Moment) -> i64) -> Result<i64> {
    let shown = Moment::of(zone.map_or(Ok(time), |zone| zones::shown_at(zone, time))?);
    let micros = i128::from(day(shown)) * i128::from(MICROS_PER_DAY) + i128::from(shown.micros);
    let shown = calendar::timestamp(micros)?;
    zone.map_or(Ok(shown), |zone| zones::instant_of(zone, shown))
}

/// The instant at which the clocks of the session's zone show a time.
pub(crate) fn instant_in_session(shown: i64, zone: &str) -> Result<i64> {
    zones::instant_of(Zone::of_session(zone), shown)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use chrono::{DateTime, NaiveDateTime};

    use super::*;

    fn series(start: &str, end: &str, step: (i32, i32, i64), zone: Option<&str>) -> Vec<String> {
        let micros = |text: &str| text.parse::<NaiveDateTime>().unwrap().and_utc().timestamp_micros();
        let step = IntervalMonthDayNano::new(step.0, step.1, step.2 * 1_000_000_000);
        let series = TimeSeries::new((micros(start), micros(end)), true, step, zone).unwrap();
        let shown = |time: Result<i64>| {
            DateTime::from_timestamp_micros(time.unwrap()).unwrap().format("%Y-%m-%dT%H:%M:%S").to_string()
        };
        series.map(shown).collect()
    }

    /// PostgreSQL 15: generate_series(timestamp '…', timestamp '…', interval '…').
    #[test]
    fn months_end_with_their_last_day() {
        assert_eq!(
            series("2024-01-31T00:00:00", "2024-04-30T00:00:00", (1, 0, 0), None),
            ["2024-01-31T00:00:00", "2024-02-29T00:00:00", "2024-03-29T00:00:00", "2024-04-29T00:00:00"]
        );
        assert_eq!(
            series("2024-03-31T12:00:00", "2024-01-01T00:00:00", (-1, 0, 0), None),
            ["2024-03-31T12:00:00", "2024-02-29T12:00:00", "2024-01-29T12:00:00"]
        );
        // Backwards in months, however many days forwards.
        assert_eq!(
            series("2024-03-01T00:00:00", "2024-02-15T00:00:00", (-1, 20, 0), None),
            ["2024-03-01T00:00:00", "2024-02-21T00:00:00"]
        );
        assert!(series("2024-03-01T00:00:00", "2024-02-01T00:00:00", (0, 1, 0), None).is_empty());
    }

    /// PostgreSQL 15, in the zone America/Denver, whose clocks were put forward on 10 March 2024 and back on 3 November.
    #[test]
    fn days_are_those_of_clocks() {
        assert_eq!(
            series("2024-03-09T09:30:00", "2024-03-12T00:00:00", (0, 1, 0), Some("America/Denver")),
            ["2024-03-09T09:30:00", "2024-03-10T09:30:00", "2024-03-11T09:30:00"]
        );
        assert_eq!(
            series("2024-11-02T06:00:00", "2024-11-04T12:00:00", (0, 1, 0), Some("America/Denver")),
            ["2024-11-02T06:00:00", "2024-11-03T06:00:00", "2024-11-04T07:00:00"]
        );
        assert_eq!(
            series("2024-11-03T06:00:00", "2024-11-04T12:00:00", (0, 0, 86_400), Some("America/Denver")),
            ["2024-11-03T06:00:00", "2024-11-04T06:00:00"]
        );
    }

    #[test]
    fn a_step_has_a_length() {
        let refused = TimeSeries::new((0, 1), true, IntervalMonthDayNano::new(1, -30, 0), None).unwrap_err();
        assert_eq!(refused.to_string(), "step size cannot equal zero");
    }
}
