//! `gen_random_uuid()`: a uuid of random bits for each row, version 4.
//!
//! ```sql
//! SELECT gen_random_uuid()
//! ```

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::{
    common::Result,
    functions::string::uuid,
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use crate::pgtype::{ColumnType, UUID};

pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(RandomUuid { texts: uuid(), signature: Signature::exact(Vec::new(), Volatility::Volatile) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RandomUuid {
    /// The query engine's function, whose values are texts.
    texts: Arc<ScalarUDF>,
    signature: Signature,
}

impl ScalarUDFImpl for RandomUuid {
    fn name(&self) -> &str {
        "gen_random_uuid"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.texts.return_type(types)
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let field = Field::new(self.name(), self.return_type(&[])?, false);
        Ok(Arc::new(field.with_metadata(ColumnType::plain(&UUID).metadata())))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.texts.invoke_with_args(call)
    }
}
