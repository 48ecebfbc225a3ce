//! `now()` in microseconds, so that `valid_to > now()` holds of the year 9999 as well.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use chrono::{DateTime, Utc};
use datafusion::{
    common::{Result, ScalarValue},
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

/// The function of a transaction that began then, in the session's zone.
pub(super) fn at(began: DateTime<Utc>, zone: Arc<str>) -> ScalarUDF {
    let aliases = vec!["current_timestamp".to_owned(), "transaction_timestamp".to_owned()];
    let signature = Signature::nullary(Volatility::Stable);
    ScalarUDF::from(Now { microseconds: began.timestamp_micros(), zone, aliases, signature })
}

/// The instant at which a transaction began, in the session's zone.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Now {
    microseconds: i64,
    zone: Arc<str>,
    aliases: Vec<String>,
    signature: Signature,
}

impl ScalarUDFImpl for Now {
    fn name(&self) -> &str {
        "now"
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
