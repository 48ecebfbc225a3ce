//! A float that is cast to a numeric is the number of its first fifteen digits, a real that of its first six, as in PostgreSQL.
//!
//! The engine multiplies the float by a power of ten and rounds that: of 1.005 it makes 1.00, and of the real 0.1 all digits
//! that the nearest float has. A number that is written with a point has all the digits that are written. A float that is
//! written and cast to a numeric of any digits has as many decimal places as it needs; one that is computed has 38, and is
//! refused where these are too few, unless it is rounded at once.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, PrimitiveArray},
    compute::cast,
    datatypes::{
        DECIMAL256_MAX_PRECISION, DataType, Decimal128Type, Decimal256Type, DecimalType, FieldRef, Float32Type,
        Float64Type, i256,
    },
};
use datafusion::{
    common::{
        DFSchema, DataFusionError, Result, ScalarValue, config::ConfigOptions, tree_node::Transformed,
        utils::take_function_args,
    },
    logical_expr::{
        Cast, ColumnarValue, Expr, ExprSchemable, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
        ScalarUDFImpl, Signature, Volatility,
    },
    optimizer::analyzer::AnalyzerRule,
};

use super::{
    NEAREST_FLOAT,
    columnar::{called_as_operand, field_of, made_of},
    nearest_floats::written,
    number_types::{numeric_of, written_number},
    read_texts::{no_number, numeric_overflow},
    steps,
    text_numbers::own_digits,
};
use crate::{
    fault::{Failure, Fault},
    pgtype::{ANY_NUMERIC, LONG_NUMERIC, NoNumber},
};

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
        Expr::Cast(Cast { expr, field })
            if matches!(field.data_type(), DataType::Decimal128(..) | DataType::Decimal256(..)) =>
        {
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

/// A float that is written and cast to a numeric of any digits, as the one of its own; none of another float.
pub(super) fn own_numeric(float: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
    let Some(text) = written_float(float) else { return Ok(None) };
    let meant = match float.get_type(schema)? {
        DataType::Float32 => meant_real(text.trim()),
        _ => meant_double(text.trim()),
    };
    let Some(meant) = meant else { return Ok(None) };
    let number = own_digits(&meant).ok_or_else(|| no_number(&meant, &ANY_NUMERIC, NoNumber::Range))?;
    Ok(Some(Expr::Literal(number, None)))
}

/// The digits of a double that were meant, without zeros behind them.
fn meant_double(text: &str) -> Option<String> {
    let float: f64 = text.parse().ok().filter(|float: &f64| float.is_finite())?;
    let meant: f64 = format!("{float:.*e}", DOUBLE_DIGITS - 1).parse().ok()?;
    Some(format!("{meant:e}"))
}

/// The same of a real.
fn meant_real(text: &str) -> Option<String> {
    let float: f32 = text.parse().ok().filter(|float: &f32| float.is_finite())?;
    let meant: f32 = format!("{float:.*e}", REAL_DIGITS - 1).parse().ok()?;
    Some(format!("{meant:e}"))
}

/// The text of a float that is made of a number or a text that is written.
fn written_float(float: &Expr) -> Option<String> {
    match float {
        Expr::Negative(operand) => {
            let text = written_float(operand)?;
            Some(text.strip_prefix('-').map_or_else(|| format!("-{text}"), str::to_owned))
        }
        // One that no numeric holds.
        Expr::Literal(ScalarValue::Float64(Some(float)), _) => Some(format!("{float:e}")),
        Expr::ScalarFunction(call) if call.func.name() == NEAREST_FLOAT => match call.args.as_slice() {
            [Expr::Literal(ScalarValue::Decimal128(Some(digits), _, scale), _)] => Some(written(digits, *scale)),
            [Expr::Literal(ScalarValue::Decimal256(Some(digits), _, scale), _)] => Some(written(digits, *scale)),
            _ => None,
        },
        Expr::Cast(Cast { expr, field }) if field.data_type().is_floating() => match expr.as_ref() {
            Expr::Literal(ScalarValue::Utf8(Some(text)), _) => Some(text.clone()),
            Expr::Literal(ScalarValue::Int64(Some(number)), _) => Some(number.to_string()),
            Expr::Literal(ScalarValue::Int32(Some(number)), _) => Some(number.to_string()),
            _ => None,
        },
        _ => None,
    }
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
        called_as_operand(self.name(), operands)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.numeric.clone())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(field_of(self.name(), self.numeric.clone(), &arguments))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [floats] = take_function_args(self.name(), &call.args)?;
        made_of(floats, |floats| self.numerics(floats))
    }
}

impl MeantNumeric {
    fn numerics(&self, floats: &ArrayRef) -> Result<ArrayRef> {
        Ok(match self.numeric {
            DataType::Decimal128(precision, scale) => {
                let numerics = self.each::<Decimal128Type>(floats, |written| {
                    let digits = digits_at(written, scale).and_then(|(digits, _)| digits.to_i128());
                    digits.filter(|digits| Decimal128Type::is_valid_decimal_precision(*digits, precision))
                })?;
                Arc::new(numerics.with_data_type(self.numeric.clone()))
            }
            DataType::Decimal256(precision, scale) => {
                let is_any = self.numeric == LONG_NUMERIC;
                let numerics = self.each::<Decimal256Type>(floats, |written| {
                    let (digits, is_exact) = digits_at(written, scale)?;
                    let has_room = Decimal256Type::is_valid_decimal_precision(digits, precision);
                    (has_room && (is_exact || !is_any)).then_some(digits)
                })?;
                Arc::new(numerics.with_data_type(self.numeric.clone()))
            }
            _ => cast(floats, &self.numeric)?,
        })
    }

    /// The digits that each float has of those that were meant, or it is refused.
    fn each<T: DecimalType>(
        &self,
        floats: &ArrayRef,
        digits: impl Fn(&str) -> Option<T::Native>,
    ) -> Result<PrimitiveArray<T>> {
        let numeric = |written: String| digits(&written).ok_or_else(|| DataFusionError::from(self.refused(&written)));
        match floats.data_type() {
            DataType::Float32 => floats
                .as_primitive::<Float32Type>()
                .try_unary(|float: f32| numeric(format!("{float:.*e}", REAL_DIGITS - 1))),
            _ => {
                let doubles = cast(floats, &DataType::Float64)?;
                doubles
                    .as_primitive::<Float64Type>()
                    .try_unary(|float: f64| numeric(format!("{float:.*e}", DOUBLE_DIGITS - 1)))
            }
        }
    }

    /// What is told of a float that is no numeric of the type.
    fn refused(&self, written: &str) -> Failure {
        match written.parse::<f64>() {
            Ok(float) if float.is_finite() && [LONG_NUMERIC, ROUNDED].contains(&self.numeric) => {
                let message = format!(
                    "value overflows numeric format: {float:e} has more than 38 digits before or behind the point; round it or \
                     cast it to numeric(p, s)"
                );
                Failure::new(Fault::NumericOutOfRange, message)
            }
            Ok(float) if float.is_finite() => numeric_overflow(&format!("{float:e}"), &self.numeric),
            Ok(float) if float.is_nan() => no_number("NaN", &self.numeric, NoNumber::NotFinite),
            Ok(float) if ![ANY_NUMERIC, LONG_NUMERIC, ROUNDED].contains(&self.numeric) => {
                numeric_overflow(&float.to_string(), &self.numeric)
            }
            _ => no_number(
                if written.starts_with('-') { "-Infinity" } else { "Infinity" },
                &self.numeric,
                NoNumber::NotFinite,
            ),
        }
    }
}

/// A cast of a float to a numeric of any digits that is rounded: digits that it has no places for are left out.
pub(super) fn before_rounding(step: &mut Expr) {
    let Expr::ScalarFunction(call) = step else { return };
    if !["round", "trunc", "ceil", "ceiling", "floor"].contains(&call.func.name()) {
        return;
    }
    if let Some(Expr::Cast(Cast { expr, field })) = call.args.first_mut()
        && *field.data_type() == LONG_NUMERIC
    {
        let float = std::mem::take(expr.as_mut());
        call.args[0] = Expr::Cast(Cast::new(Box::new(float), ROUNDED));
    }
}

/// The numerics that are rounded at once.
const ROUNDED: DataType = DataType::Decimal256(DECIMAL256_MAX_PRECISION, 37);

/// The digits of a number in the form `-1.005e3` with so many decimal places, rounded away from zero, and whether these are all;
/// none if there is no room.
fn digits_at(written: &str, scale: i8) -> Option<(i256, bool)> {
    let (mantissa, exponent) = written.split_once('e')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let moved = exponent.parse::<i32>().ok()? - i32::try_from(fraction.len()).ok()? + i32::from(scale);
    if digits == 0 {
        return Some((i256::ZERO, true));
    }
    if moved >= 0 {
        let power = i256::from_i128(10).checked_pow(moved.unsigned_abs())?;
        return Some((i256::from_i128(digits).checked_mul(power)?, true));
    }
    // There are not so many digits as a power that has no room has.
    let Some(power) = 10_i128.checked_pow(moved.unsigned_abs()) else { return Some((i256::ZERO, false)) };
    let (quotient, rest) = (digits / power, digits % power);
    let rounded = if rest.abs() >= power / 2 { quotient + digits.signum() } else { quotient };
    Some((i256::from_i128(rounded), rest == 0))
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
    fn a_float_that_is_computed_has_all_its_digits_or_is_refused() {
        let numeric = |float: f64, numeric: DataType| {
            let function = MeantNumeric { numeric, signature: Signature::any(1, Volatility::Immutable) };
            let floats: ArrayRef = Arc::new(Float64Array::from(vec![float]));
            let numerics = function.numerics(&floats).ok()?;
            Some(numerics.as_primitive::<Decimal256Type>().value(0).to_string())
        };
        assert_eq!(numeric(1e-12, LONG_NUMERIC), Some(format!("1{}", "0".repeat(26))));
        assert_eq!(numeric(1.0 / 3.0, LONG_NUMERIC), Some(format!("{}{}", "3".repeat(15), "0".repeat(23))));
        assert_eq!(numeric(3e37, LONG_NUMERIC), Some(format!("3{}", "0".repeat(75))));
        for wrong in [3e38, 1.234_567_89e-31, 1e-300, f64::NAN] {
            assert_eq!(numeric(wrong, LONG_NUMERIC), None, "{wrong}");
        }
        assert_eq!(numeric(1.234_567_89e-31, ROUNDED), Some("1234568".to_owned()));
    }

    /// As PostgreSQL 15 casts them.
    #[test]
    fn a_float_that_is_written_has_its_own_places() {
        let double = |text: &str| meant_double(text).and_then(|meant| own_digits(&meant));
        let numeric =
            |digits: i128, precision: u8, scale: i8| Some(ScalarValue::Decimal128(Some(digits), precision, scale));
        assert_eq!(double("1e-20"), numeric(1, 20, 20));
        assert_eq!(double("1.2345678901234567e-20"), numeric(123_456_789_012_346, 34, 34));
        assert_eq!(double("123456789012345678"), numeric(123_456_789_012_346_000, 18, 0));
        assert_eq!(meant_double("0.30000000000000004").as_deref(), Some("3e-1"));
        assert_eq!(meant_real("1.23456789").as_deref(), Some("1.23457e0"));
        assert_eq!(double("2.2250738585072014e-308"), None);
        assert_eq!(meant_double("nan"), None);
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
