//! `to_hex` of a negative integer of four bytes has eight digits, as in PostgreSQL.
//!
//! ```sql
//! SELECT to_hex(x) FROM (VALUES (-1::int)) AS t (x)
//! ```
//!
//! DataFusion's has sixteen for all.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray},
    compute::cast,
    datatypes::{DataType, Int32Type, UInt32Type},
};
use datafusion::{
    common::{Result, ScalarValue},
    functions::string::to_hex,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature},
};

/// The function.
pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(ToHex { inner: to_hex() })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ToHex {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for ToHex {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arguments)
    }

    fn invoke_with_args(&self, mut call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        for argument in &mut call.args {
            *argument = match &*argument {
                ColumnarValue::Array(numbers) => ColumnarValue::Array(without_sign(numbers)?),
                ColumnarValue::Scalar(number) => {
                    let number = without_sign(&number.to_array()?)?;
                    ColumnarValue::Scalar(ScalarValue::try_from_array(&number, 0)?)
                }
            };
        }
        self.inner.inner().invoke_with_args(call)
    }
}

/// Numbers of up to four bytes by their bits.
fn without_sign(numbers: &ArrayRef) -> Result<ArrayRef> {
    match numbers.data_type() {
        DataType::Int8 | DataType::Int16 | DataType::Int32 => {
            let numbers = cast(numbers, &DataType::Int32)?;
            Ok(Arc::new(numbers.as_primitive::<Int32Type>().unary::<_, UInt32Type>(i32::cast_unsigned)))
        }
        _ => Ok(Arc::clone(numbers)),
    }
}
