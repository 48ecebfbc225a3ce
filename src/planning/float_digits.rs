//! A float that is cast to a numeric is the number of its first fifteen digits, a real that of its first six, as in PostgreSQL.
//!
//! The engine multiplies the float by a power of ten and rounds that: of 1.005 it makes 1.00, and of the real 0.1 all digits
//! that the nearest float has. A number that is written with a point has all the digits that are written.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, PrimitiveArray},
    compute::cast,
    datatypes::{DataType, Decimal128Type, DecimalType, Field, FieldRef, Float32Type, Float64Type},
};
use datafusion::{
    common::{DFSchema, Result, config::ConfigOptions, tree_node::Transformed, utils::take_function_args},
    logical_expr::{
        Cast, ColumnarValue, Expr, ExprSchemable, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
        ScalarUDFImpl, Signature, Volatility,
    },
    optimizer::analyzer::AnalyzerRule,
};

use super::{
    columnar::made_of,
    number_types::{numeric_of, written_number},
    read_texts::{no_number, numeric_overflow},
    steps,
};
use crate::{fault::Failure, pgtype::NoNumber};

/// Digits of a double that PostgreSQL takes for those that were meant.
const DOUBLE_DIGITS: usize = 15;

/// Digits of a real.
const REAL_DIGITS: usize = 6;

/// See the module. It comes when types are known.
#[derive(Debug)]
pub(super) struct MeantDigits;

impl AnalyzerRule for MeantDigits {
    fn name(&self) -> &str {
        "meant_digits"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        steps::change(plan, |step| cast_to_numeric(step).is_some(), meant)
    }
}

/// What is cast to a numeric.
fn cast_to_numeric(step: &Expr) -> Option<&Expr> {
    match step {
        Expr::Cast(Cast { expr, field }) if matches!(field.data_type(), DataType::Decimal128(..)) => {
            Some(expr.as_ref())
        }
        _ => None,
    }
}

fn meant(mut step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Some(value) = cast_to_numeric(&step) else { return Ok(Transformed::no(step)) };
    if !matches!(value.get_type(schema)?, DataType::Float32 | DataType::Float64) {
        return Ok(Transformed::no(step));
    }
    let written = written_number(value).and_then(numeric_of);
    let Expr::Cast(Cast { expr, field }) = &mut step else { return Ok(Transformed::no(step)) };
    let changed = match written {
        Some(numeric) => {
            **expr = Expr::Literal(numeric, None);
            step
        }
        None => as_numeric(std::mem::take(expr.as_mut()), field.data_type().clone()),
    };
    Ok(Transformed::yes(changed))
}

/// The float as a numeric of this type, under the float's name, as of a cast.
fn as_numeric(float: Expr, numeric: DataType) -> Expr {
    let function = MeantNumeric { numeric, signature: Signature::any(1, Volatility::Immutable) };
    ScalarUDF::new_from_impl(function).call(vec![float])
}

/// It fails on what the type cannot hold, as the cast does.
#[derive(Debug, PartialEq, Eq, Hash)]
struct MeantNumeric {
    numeric: DataType,
    signature: Signature,
}

impl ScalarUDFImpl for MeantNumeric {
    fn name(&self) -> &str {
        "meant_numeric"
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        // A cast is called as what it casts.
        let [float] = take_function_args(self.name(), operands)?;
        Ok(float.schema_name().to_string())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.numeric.clone())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.numeric.clone(), nullable)))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [floats] = take_function_args(self.name(), &call.args)?;
        made_of(floats, |floats| self.numerics(floats))
    }
}

impl MeantNumeric {
    fn numerics(&self, floats: &ArrayRef) -> Result<ArrayRef> {
        let DataType::Decimal128(precision, scale) = self.numeric else { return Ok(cast(floats, &self.numeric)?) };
        let numeric = |written: String| {
            digits_at(&written, scale)
                .filter(|digits| Decimal128Type::is_valid_decimal_precision(*digits, precision))
                .ok_or_else(|| self.refused(&written))
        };
        let numerics: PrimitiveArray<Decimal128Type> = match floats.data_type() {
            DataType::Float64 => floats
                .as_primitive::<Float64Type>()
                .try_unary(|float: f64| numeric(format!("{float:.*e}", DOUBLE_DIGITS - 1)))?,
            DataType::Float32 => floats
                .as_primitive::<Float32Type>()
                .try_unary(|float: f32| numeric(format!("{float:.*e}", REAL_DIGITS - 1)))?,
            _ => return Ok(cast(floats, &self.numeric)?),
        };
        Ok(Arc::new(numerics.with_data_type(self.numeric.clone())))
    }

    /// What is told of a float that is no numeric of the type.
    fn refused(&self, written: &str) -> Failure {
        match written.parse::<f64>() {
            Ok(float) if float.is_finite() => numeric_overflow(&format!("{float:e}"), &self.numeric),
            Ok(float) if float.is_nan() => no_number("NaN", &self.numeric, NoNumber::NotFinite),
            _ => no_number(
                if written.starts_with('-') { "-Infinity" } else { "Infinity" },
                &self.numeric,
                NoNumber::NotFinite,
            ),
        }
    }
}

/// The digits of a number in the form `-1.005e3` with so many decimal places, rounded away from zero; none if there is no room.
fn digits_at(written: &str, scale: i8) -> Option<i128> {
    let (mantissa, exponent) = written.split_once('e')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let moved = exponent.parse::<i32>().ok()? - i32::try_from(fraction.len()).ok()? + i32::from(scale);
    let power = 10_i128.checked_pow(moved.unsigned_abs());
    match power {
        _ if digits == 0 => Some(0),
        Some(power) if moved >= 0 => digits.checked_mul(power),
        None if moved >= 0 => None,
        Some(power) => {
            let (quotient, rest) = (digits / power, digits % power);
            Some(if rest.abs() >= power / 2 { quotient + digits.signum() } else { quotient })
        }
        // There are not so many digits.
        None => Some(0),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::array::{Float32Array, Float64Array};

    use super::*;

    fn numeric(floats: ArrayRef, precision: u8, scale: i8) -> Option<i128> {
        let numeric = DataType::Decimal128(precision, scale);
        let function = MeantNumeric { numeric, signature: Signature::any(1, Volatility::Immutable) };
        let numerics = function.numerics(&floats).ok()?;
        Some(numerics.as_primitive::<Decimal128Type>().value(0))
    }

    #[test]
    fn a_float_is_the_number_of_its_first_digits() {
        let double =
            |float: f64, precision, scale| numeric(Arc::new(Float64Array::from(vec![float])), precision, scale);
        let real = |float: f32, precision, scale| numeric(Arc::new(Float32Array::from(vec![float])), precision, scale);
        // As PostgreSQL 15 casts them.
        assert_eq!(double(1.005, 4, 2), Some(101));
        assert_eq!(double(-2.675, 5, 2), Some(-268));
        assert_eq!(double(0.25, 5, 1), Some(3));
        assert_eq!(double(0.05, 5, 0), Some(0));
        assert_eq!(double(123_456_789_012_345_678.0, 20, 0), Some(123_456_789_012_346_000));
        assert_eq!(double(1e-20, 10, 2), Some(0));
        assert_eq!(double(1e-300, 38, 30), Some(0));
        assert_eq!(double(0.0, 4, 2), Some(0));
        assert_eq!(real(0.1, 30, 10), Some(1_000_000_000));
        assert_eq!(real(16_777_216.0, 38, 10), Some(167_772_000_000_000_000));
        for wrong in [99.95, 1e300, f64::NAN, f64::INFINITY] {
            assert_eq!(double(wrong, 3, 1), None, "{wrong}");
        }
    }
}
