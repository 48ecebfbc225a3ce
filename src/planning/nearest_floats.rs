//! A numeric as a float: the nearest one, as in PostgreSQL.
//!
//! The engine's cast makes a float of the digits, and divides it by a power of ten: where there are more than sixteen digits
//! it rounds twice, and one in four is not the float that is written with the same digits. Numerics of ten decimal places,
//! which is what `numeric` alone means here, have sixteen from a million on.

use std::{fmt::Display, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, Decimal256Array},
    compute::cast,
    datatypes::{DataType, Decimal128Type, FieldRef, Float32Type, Float64Type},
};
use datafusion::{
    common::{Result, utils::take_function_args},
    logical_expr::{
        ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};

use super::{
    NEAREST_FLOAT,
    columnar::{called_as_operand, field_of, made_of},
};

/// The powers of ten that are floats.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The greatest whole number up to which all are floats.
const WHOLE: u128 = 1 << f64::MANTISSA_DIGITS;

/// The numeric as a float of this type, under the numeric's name, as of a cast.
pub(super) fn nearest_float(numeric: Expr, float: DataType) -> Expr {
    let function = Nearest { float, signature: Signature::any(1, Volatility::Immutable) };
    ScalarUDF::new_from_impl(function).call(vec![numeric])
}

/// It never fails.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Nearest {
    float: DataType,
    signature: Signature,
}

impl ScalarUDFImpl for Nearest {
    fn name(&self) -> &str {
        NEAREST_FLOAT
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        // A cast is called as what it casts.
        called_as_operand(self.name(), operands)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.float.clone())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(field_of(self.name(), self.float.clone(), &arguments))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [numerics] = take_function_args(self.name(), &call.args)?;
        made_of(numerics, |numerics| self.floats(numerics))
    }
}

impl Nearest {
    fn floats(&self, numerics: &ArrayRef) -> Result<ArrayRef> {
        let scale = match numerics.data_type() {
            DataType::Decimal128(_, scale) => scale,
            DataType::Decimal256(_, scale) => return Ok(self.of_long(numerics.as_primitive(), *scale)),
            _ => return Ok(cast(numerics, &self.float)?),
        };
        let digits = numerics.as_primitive::<Decimal128Type>();
        Ok(match self.float {
            DataType::Float32 => Arc::new(digits.unary::<_, Float32Type>(|digits| single(digits, *scale))),
            _ => Arc::new(digits.unary::<_, Float64Type>(|digits| double(digits, *scale))),
        })
    }

    fn of_long(&self, digits: &Decimal256Array, scale: i8) -> ArrayRef {
        match self.float {
            DataType::Float32 => Arc::new(digits.unary::<_, Float32Type>(|digits| single(digits, scale))),
            _ => Arc::new(digits.unary::<_, Float64Type>(|digits| match digits.to_i128() {
                Some(digits) => double(digits, scale),
                None => written(digits, scale).parse().unwrap_or(f64::NAN),
            })),
        }
    }
}

/// The double nearest to the digits of which so many are decimal places.
fn double(digits: i128, scale: i8) -> f64 {
    match usize::try_from(scale).ok().and_then(|scale| POWERS.get(scale)) {
        // One division of two floats is rounded once.
        Some(power) if digits.unsigned_abs() <= WHOLE => digits as f64 / power,
        _ => written(digits, scale).parse().unwrap_or(f64::NAN),
    }
}

fn single(digits: impl Display, scale: i8) -> f32 {
    written(digits, scale).parse().unwrap_or(f32::NAN)
}

/// A numeric of these digits, as a float is read.
pub(super) fn written(digits: impl Display, scale: i8) -> String {
    format!("{digits}e{}", -i16::from(scale))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::i256;

    use super::*;

    #[test]
    fn a_numeric_is_the_float_of_its_digits() {
        // 1234567890123.45, with ten decimal places.
        assert_eq!(double(12_345_678_901_234_500_000_000, 10), 1_234_567_890_123.45);
        assert_eq!(double(1, 1), 0.1);
        assert_eq!(double(-15, 1), -1.5);
        assert_eq!(double(1, 38), 1e-38);
        assert_eq!(double(12, -3), 12_000.0);
        assert_eq!(double(i128::pow(10, 37), 0), 1e37);
        assert_eq!(single(1, 1), 0.1);
        assert_eq!(single(i256::from_i128(15), 1), 1.5);
        // Between two floats, of which the nearest double would be rounded to the other.
        assert_eq!(single(16_777_217_000_000_001_i128, 9), 16_777_218.0);
    }
}
