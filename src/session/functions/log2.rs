//! `log2` fails where it has no value, as PostgreSQL's logarithms do, of which it is none.
//!
//! ```sql
//! SELECT log2(x) FROM (VALUES (8)) AS t (x)
//! ```
//!
//! DataFusion's yields NaN and infinities there.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray},
    compute::cast,
    datatypes::{DataType, FieldRef, Float64Type},
};
use datafusion::{
    common::Result,
    functions::math::log2,
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        interval_arithmetic::Interval,
        sort_properties::{ExprProperties, SortProperties},
    },
};

use crate::{Error, Fault};

/// The function.
pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(Log2 { inner: log2() })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Log2 {
    inner: Arc<ScalarUDF>,
}

fn check(values: &ArrayRef) -> Result<()> {
    let values = cast(values, &DataType::Float64)?;
    match values.as_primitive::<Float64Type>().iter().flatten().find(|value| *value <= 0.0) {
        Some(0.0) => Err(Error::new(Fault::InvalidLogarithm, "cannot take logarithm of zero").into()),
        Some(_) => Err(Error::new(Fault::InvalidLogarithm, "cannot take logarithm of a negative number").into()),
        None => Ok(()),
    }
}

impl ScalarUDFImpl for Log2 {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arguments)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(arguments)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.inner.output_ordering(inputs)
    }

    fn evaluate_bounds(&self, inputs: &[&Interval]) -> Result<Interval> {
        self.inner.evaluate_bounds(inputs)
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        for argument in &call.args {
            match argument {
                ColumnarValue::Array(values) => check(values)?,
                ColumnarValue::Scalar(value) => check(&value.to_array()?)?,
            }
        }
        self.inner.inner().invoke_with_args(call)
    }
}
