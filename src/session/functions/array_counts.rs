//! `cardinality`, `array_position` and `array_ndims` are whole numbers of four bytes, as in PostgreSQL.
//!
//! ```sql
//! SELECT cardinality(ARRAY[1, 2, 3]) / 2, array_position(ARRAY['a', 'b'], 'b')
//! ```
//!
//! DataFusion's have no sign, and are numerics beside numbers with one: the half of 3 was 1.5.

use std::sync::Arc;

use arrow::{compute::cast, datatypes::DataType};
use datafusion::{
    common::Result,
    functions_nested::{cardinality::cardinality_udf, dimension::array_ndims_udf, position::array_position_udf},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature},
};

/// The functions.
pub(super) fn functions() -> [ScalarUDF; 3] {
    [cardinality_udf(), array_position_udf(), array_ndims_udf()].map(|inner| ScalarUDF::from(Count { inner }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Count {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for Count {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arguments)
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        // It refuses what is no array.
        self.inner.return_type(arguments)?;
        Ok(DataType::Int32)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // The function itself holds what it returns against the type that this one promised.
        Ok(match self.inner.inner().invoke_with_args(call)? {
            ColumnarValue::Array(counts) => ColumnarValue::Array(cast(&counts, &DataType::Int32)?),
            ColumnarValue::Scalar(count) => ColumnarValue::Scalar(count.cast_to(&DataType::Int32)?),
        })
    }
}
