//! Functions of numbers that fail where they have no value, as in PostgreSQL.
//!
//! ```sql
//! SELECT ln(x), asin(x) FROM (VALUES (0.5)) AS t (x)
//! ```
//!
//! DataFusion's yield NaN and infinities there.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray},
    compute::cast,
    datatypes::{DataType, FieldRef, Float64Type},
};
use datafusion::{
    common::Result,
    functions::math::{acos, asin, ln, log, log2, log10},
    logical_expr::{
        ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
        interval_arithmetic::Interval,
        sort_properties::{ExprProperties, SortProperties},
    },
};

use crate::{Error, Fault};

/// The functions.
pub(super) fn functions() -> [ScalarUDF; 6] {
    let of = |inner: Arc<ScalarUDF>, domain: Domain| ScalarUDF::from(Within { inner, domain });
    [
        of(acos(), Domain::Cosine),
        of(asin(), Domain::Cosine),
        of(ln(), Domain::Logarithm),
        of(log(), Domain::Logarithm),
        of(log2(), Domain::Logarithm),
        of(log10(), Domain::Logarithm),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Domain {
    Cosine,
    Logarithm,
}

impl Domain {
    /// What is wrong with an argument.
    fn fault(self, value: f64) -> Option<(Fault, &'static str)> {
        match self {
            Self::Cosine => (value.abs() > 1.0).then_some((Fault::NumericOutOfRange, "input is out of range")),
            Self::Logarithm if value == 0.0 => Some((Fault::InvalidLogarithm, "cannot take logarithm of zero")),
            Self::Logarithm => {
                (value < 0.0).then_some((Fault::InvalidLogarithm, "cannot take logarithm of a negative number"))
            }
        }
    }

    fn check(self, values: &ArrayRef) -> Result<()> {
        let values = cast(values, &DataType::Float64)?;
        let wrong = values.as_primitive::<Float64Type>().iter().flatten().find_map(|value| self.fault(value));
        match wrong {
            Some((fault, message)) => Err(Error::new(fault, message).into()),
            None => Ok(()),
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Within {
    inner: Arc<ScalarUDF>,
    domain: Domain,
}

impl ScalarUDFImpl for Within {
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
                ColumnarValue::Array(values) => self.domain.check(values)?,
                ColumnarValue::Scalar(value) => self.domain.check(&value.to_array()?)?,
            }
        }
        self.inner.inner().invoke_with_args(call)
    }
}
