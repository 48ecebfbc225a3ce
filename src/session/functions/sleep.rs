//! `pg_sleep`: waits for so many seconds, for each row.
//!
//! ```sql
//! SELECT pg_sleep(0.5)
//! ```

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use arrow::{
    array::{AsArray, StringArray},
    datatypes::{DataType, Field, FieldRef, Float64Type},
};
use datafusion::{
    common::{Result, utils::take_function_args},
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use crate::{
    Error, Fault,
    pgtype::{ColumnType, VOID},
    session::Sessions,
};

/// The function for the session of this number, whose statement may be cancelled.
pub(super) fn function(sessions: &Arc<Sessions>, pid: i32) -> ScalarUDF {
    let signature = Signature::exact(vec![DataType::Float64], Volatility::Volatile);
    ScalarUDF::from(Sleep { sessions: Arc::clone(sessions), pid, signature })
}

#[derive(Debug)]
struct Sleep {
    sessions: Arc<Sessions>,
    pid: i32,
    signature: Signature,
}

impl ScalarUDFImpl for Sleep {
    fn name(&self) -> &str {
        "pg_sleep"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// PostgreSQL's has no value, which it tells as an empty text.
    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let field = Field::new(self.name(), DataType::Utf8, true);
        Ok(Arc::new(field.with_metadata(ColumnType::plain(&VOID).metadata())))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [seconds] = take_function_args(self.name(), &call.args)?;
        let seconds = seconds.to_array(call.number_rows)?;
        let client =
            self.sessions.find(self.pid).ok_or_else(|| Error::new(Fault::Internal, "the session has ended"))?;
        let waited = seconds.as_primitive::<Float64Type>().iter().map(|seconds| {
            let Some(seconds) = seconds else { return Ok(None) };
            // What is below zero, or no number, is over already.
            let limit = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
            client.wait(limit, || false)?;
            Ok(Some(""))
        });
        Ok(ColumnarValue::Array(Arc::new(waited.collect::<crate::Result<StringArray>>()?)))
    }
}

impl PartialEq for Sleep {
    fn eq(&self, other: &Self) -> bool {
        self.pid == other.pid && Arc::ptr_eq(&self.sessions, &other.sessions)
    }
}

impl Eq for Sleep {}

impl Hash for Sleep {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.pid.hash(state);
    }
}
