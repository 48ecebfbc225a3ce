//! `array_length` of nothing is NULL, as in PostgreSQL, and a whole number of four bytes.
//!
//! ```sql
//! SELECT array_length(ARRAY[1, 2], 1), array_length(ARRAY[]::int[], 1)
//! ```
//!
//! With an array alone, as other engines have it, it is the number of elements.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, Int32Array},
    compute::cast,
    datatypes::{DataType, Int32Type},
};
use datafusion::{
    common::{Result, ScalarValue},
    functions_nested::length::array_length_udf,
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature},
};

/// The function.
pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(ArrayLength { inner: array_length_udf() })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ArrayLength {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for ArrayLength {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int32)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let of_dimension = call.args.len() > 1;
        // The function itself holds what it returns against the type that this one promised.
        let lengths = self.inner.inner().invoke_with_args(call)?;
        let whole = |lengths: &ArrayRef| -> Result<ArrayRef> {
            let lengths = cast(lengths, &DataType::Int32)?;
            let lengths = lengths.as_primitive::<Int32Type>();
            let known = lengths.iter().map(|length| length.filter(|length| !of_dimension || *length > 0));
            Ok(Arc::new(known.collect::<Int32Array>()))
        };
        match lengths {
            ColumnarValue::Array(lengths) => Ok(ColumnarValue::Array(whole(&lengths)?)),
            ColumnarValue::Scalar(length) => {
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&whole(&length.to_array()?)?, 0)?))
            }
        }
    }
}
