//! `factorial` is a numeric, as in PostgreSQL.
//!
//! ```sql
//! SELECT factorial(3) / 4, factorial(30)
//! ```
//!
//! DataFusion's is an integer, which is divided as such, and which 21! leaves.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray},
    datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, Int64Type},
    error::ArrowError,
};
use datafusion::{
    common::{Result, ScalarValue, utils::take_function_args},
    logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility},
};

use crate::{Error, Fault};

/// The greatest number whose factorial has no more digits than a numeric.
const MAX: i64 = 33;

/// The function.
pub(super) fn function() -> ScalarUDF {
    ScalarUDF::from(Factorial { signature: Signature::uniform(1, vec![DataType::Int64], Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Factorial {
    signature: Signature,
}

impl ScalarUDFImpl for Factorial {
    fn name(&self) -> &str {
        "factorial"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [numbers] = take_function_args(self.name(), &call.args)?;
        Ok(match numbers {
            ColumnarValue::Array(numbers) => ColumnarValue::Array(factorials(numbers)?),
            ColumnarValue::Scalar(number) => {
                let factorial = factorials(&number.to_array()?)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&factorial, 0)?)
            }
        })
    }
}

fn factorials(numbers: &ArrayRef) -> Result<ArrayRef> {
    let numbers = numbers.as_primitive::<Int64Type>();
    if let Some(wrong) = numbers.iter().flatten().find(|number| !(0..=MAX).contains(number)) {
        let message = match wrong < 0 {
            true => "factorial of a negative number is undefined".to_owned(),
            false => format!("value overflows numeric format: factorial of {wrong}"),
        };
        return Err(Error::new(Fault::NumericOutOfRange, message).into());
    }
    let factorial = |number: i64| Ok::<_, ArrowError>((1..=i128::from(number)).product::<i128>());
    let factorials = numbers.try_unary::<_, Decimal128Type, _>(factorial)?;
    Ok(Arc::new(factorials.with_precision_and_scale(DECIMAL128_MAX_PRECISION, 0)?))
}
