//! `now()` in microseconds, so that `valid_to > now()` holds of the year 9999 as well, `current_date`, `current_time`,
//! `localtime` and `localtimestamp`, which are what clocks show then; `statement_timestamp()`, which is when the statement began,
//! `clock_timestamp()`, which is when it is computed, and `timeofday()`, which says that in words.
//!
//! The query engine's own have the time at which the session began.

use std::sync::Arc;

use arrow::{
    array::{StringArray, TimestampMicrosecondArray},
    datatypes::{DataType, Field, FieldRef, TimeUnit},
};
use chrono::{DateTime, Utc};
use datafusion::{
    common::{Result, ScalarValue, config::ConfigOptions},
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use crate::{
    pgtype::{Zone, ZonedTime, calendar::MICROS_A_DAY},
    session::Circumstances,
};

/// The functions of a statement, in its session's zone.
pub(super) fn at(circumstances: &Circumstances) -> [ScalarUDF; 6] {
    let (began, zone) = (circumstances.began, circumstances.settings.zone());
    let function = |name, value: ScalarValue, aliases: &[&str]| {
        let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        ScalarUDF::from(Now { name, value, aliases, signature: Signature::nullary(Volatility::Stable) })
    };
    let instant = |instant: DateTime<Utc>| {
        ScalarValue::TimestampMicrosecond(Some(instant.timestamp_micros()), Some(Arc::clone(&zone)))
    };
    let shown = Shown::at(began, &zone);
    let zoned = ScalarValue::FixedSizeBinary(ZonedTime::BYTES, Some(shown.zoned().bytes().to_vec()));
    [
        function("now", instant(began), &["current_timestamp", "transaction_timestamp"]),
        function("statement_timestamp", instant(circumstances.started), &[]),
        function("current_date", ScalarValue::Date32(i32::try_from(shown.day()).ok()), &["today"]),
        function("current_time", zoned, &[]),
        function("localtime", ScalarValue::Time64Microsecond(Some(shown.of_day())), &[]),
        function("localtimestamp", ScalarValue::TimestampMicrosecond(Some(shown.micros), None), &[]),
    ]
}

/// What the clocks of a zone show.
#[derive(Debug, Clone, Copy)]
struct Shown {
    /// In microseconds since 1970.
    micros: i64,
    /// Seconds that they are to the east of UTC.
    east: i64,
}

impl Shown {
    /// At an instant; those of a zone that is not known show UTC.
    fn at(instant: DateTime<Utc>, zone: &str) -> Self {
        let (instant, zone) = (instant.timestamp_micros(), Zone::of_session(zone));
        Self { micros: zone.shown_at(instant).unwrap_or(instant), east: zone.seconds_at(instant) }
    }

    /// Days since 1970.
    fn day(self) -> i64 {
        self.micros.div_euclid(MICROS_A_DAY)
    }

    /// Microseconds since midnight.
    fn of_day(self) -> i64 {
        self.micros.rem_euclid(MICROS_A_DAY)
    }

    fn zoned(self) -> ZonedTime {
        ZonedTime { micros: self.of_day(), east: i32::try_from(self.east).unwrap_or(0) }
    }
}

/// The function that tells the time, for a session whose zone is UTC.
pub(super) fn clock() -> ScalarUDF {
    clock_in("UTC".into())
}

/// The same for one in another zone.
pub(super) fn clock_in(zone: Arc<str>) -> ScalarUDF {
    ScalarUDF::from(Clock { zone, signature: Signature::nullary(Volatility::Volatile) })
}

/// The function that tells the time in words, in the session's zone.
pub(super) fn in_words() -> ScalarUDF {
    ScalarUDF::from(TimeOfDay { signature: Signature::nullary(Volatility::Volatile) })
}

/// When a transaction or a statement began, in the session's zone.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Now {
    name: &'static str,
    value: ScalarValue,
    aliases: Vec<String>,
    signature: Signature,
}

impl ScalarUDFImpl for Now {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.value.data_type())
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.name(), self.value.data_type(), false)))
    }

    fn invoke_with_args(&self, _call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(self.value.clone()))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Clock {
    zone: Arc<str>,
    signature: Signature,
}

impl ScalarUDFImpl for Clock {
    fn name(&self) -> &str {
        "clock_timestamp"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        config.execution.time_zone.as_deref().map(|zone| clock_in(zone.into()))
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(&self.zone))))
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.name(), self.return_type(&[])?, false)))
    }

    /// Another time for each row.
    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let times = (0..call.number_rows).map(|_| Utc::now().timestamp_micros());
        let times: TimestampMicrosecondArray = times.collect::<Vec<_>>().into();
        Ok(ColumnarValue::Array(Arc::new(times.with_timezone(Arc::clone(&self.zone)))))
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct TimeOfDay {
    signature: Signature,
}

impl ScalarUDFImpl for TimeOfDay {
    fn name(&self) -> &str {
        "timeofday"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    /// Another time for each row.
    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let zone = call.config_options.execution.time_zone.as_deref().unwrap_or("UTC");
        let times = (0..call.number_rows).map(|_| Some(told(Utc::now(), zone)));
        Ok(ColumnarValue::Array(Arc::new(times.collect::<StringArray>())))
    }
}

/// An instant in words: `Fri Nov 27 18:31:01.843631 2026 UTC`.
fn told(instant: DateTime<Utc>, zone: &str) -> String {
    let shown = Shown::at(instant, zone);
    let local = DateTime::from_timestamp_micros(shown.micros).unwrap_or(instant);
    let zone = Zone::of_session(zone).abbreviation_at(instant.timestamp_micros());
    format!("{} {zone}", local.format("%a %b %d %H:%M:%S%.6f %Y"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn clocks_show_the_time_of_their_zone() {
        let instant: DateTime<Utc> = "2024-12-31T23:30:00.123456789Z".parse().unwrap();
        // PostgreSQL 15: SELECT TIMESTAMPTZ '2024-12-31 23:30:00.123456+00' AT TIME ZONE '…'.
        for (zone, expected, east) in [
            ("UTC", "2024-12-31 23:30:00.123456 UTC", 0),
            ("Asia/Tokyo", "2025-01-01 08:30:00.123456 UTC", 9 * 3_600),
            ("America/New_York", "2024-12-31 18:30:00.123456 UTC", -5 * 3_600),
            ("+05:30", "2025-01-01 05:00:00.123456 UTC", 19_800),
            ("nowhere", "2024-12-31 23:30:00.123456 UTC", 0),
        ] {
            let shown = Shown::at(instant, zone);
            assert_eq!(DateTime::from_timestamp_micros(shown.micros).unwrap().to_string(), expected, "{zone}");
            assert_eq!(shown.zoned(), ZonedTime { micros: shown.of_day(), east }, "{zone}");
        }
        assert_eq!(Shown::at(instant, "UTC").of_day(), 84_600_123_456);
    }

    #[test]
    fn the_time_is_told_in_words() {
        let instant: DateTime<Utc> = "2026-01-02T18:31:01.843631Z".parse().unwrap();
        // PostgreSQL 15 has this form.
        assert_eq!(told(instant, "UTC"), "Fri Jan 02 18:31:01.843631 2026 UTC");
        assert_eq!(told(instant, "Asia/Tokyo"), "Sat Jan 03 03:31:01.843631 2026 JST");
    }
}
