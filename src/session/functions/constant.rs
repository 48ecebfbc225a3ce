//! Functions without arguments that have one value while the session or the statement lasts: `current_user`, `version()`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::{
    common::{Result, ScalarValue},
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use crate::pgtype::ColumnType;

/// A function with a value of the type that its Arrow type tells.
pub(super) fn constant(name: &str, value: ScalarValue) -> ScalarUDF {
    function(name, value, None)
}

/// A function with a value of a type that Arrow does not tell.
pub(super) fn told_constant(name: &str, value: ScalarValue, told: ColumnType) -> ScalarUDF {
    function(name, value, Some(told))
}

fn function(name: &str, value: ScalarValue, told: Option<ColumnType>) -> ScalarUDF {
    let signature = Signature::exact(Vec::new(), Volatility::Stable);
    ScalarUDF::from(Constant { name: name.to_owned(), value, told, signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Constant {
    name: String,
    value: ScalarValue,
    told: Option<ColumnType>,
    signature: Signature,
}

impl ScalarUDFImpl for Constant {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.value.data_type())
    }

    fn return_field_from_args(&self, _arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let field = Field::new(&self.name, self.value.data_type(), true);
        Ok(Arc::new(field.with_metadata(self.told.map(ColumnType::metadata).unwrap_or_default())))
    }

    fn invoke_with_args(&self, _call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(self.value.clone()))
    }
}
