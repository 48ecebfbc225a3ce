//! `now()` in microseconds, so that `valid_to > now()` holds of the year 9999 as well; `statement_timestamp()`, which is when
//! the statement began, and `clock_timestamp()`, which is when it is computed.

use std::sync::Arc;

use arrow::{
    array::TimestampMicrosecondArray,
    datatypes::{DataType, Field, FieldRef, TimeUnit},
};
use chrono::{DateTime, Utc};
use datafusion::{
    common::{Result, ScalarValue, config::ConfigOptions},
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

/// The functions of a transaction that began then, and of a statement that begins now, in the session's zone.
pub(super) fn at(began: DateTime<Utc>, zone: &Arc<str>) -> [ScalarUDF; 2] {
    let function = |name, instant: DateTime<Utc>, aliases: &[&str]| {
        let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
        let signature = Signature::nullary(Volatility::Stable);
        let (microseconds, zone) = (instant.timestamp_micros(), Arc::clone(zone));
        ScalarUDF::from(Now { name, microseconds, zone, aliases, signature })
    };
    [
        function("now", began, &["current_timestamp", "transaction_timestamp"]),
        function("statement_timestamp", Utc::now().max(began), &[]),
    ]
}

/// The function that tells the time, for a session whose zone is UTC.
pub(super) fn clock() -> ScalarUDF {
    clock_in("UTC".into())
}

fn clock_in(zone: Arc<str>) -> ScalarUDF {
    ScalarUDF::from(Clock { zone, signature: Signature::nullary(Volatility::Volatile) })
}

/// The instant at which a transaction or a statement began, in the session's zone.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Now {
    name: &'static str,
    microseconds: i64,
    zone: Arc<str>,
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
        Ok(DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(&self.zone))))
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.name(), self.return_type(&[])?, false)))
    }

    fn invoke_with_args(&self, _call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let value = ScalarValue::TimestampMicrosecond(Some(self.microseconds), Some(Arc::clone(&self.zone)));
        Ok(ColumnarValue::Scalar(value))
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
