//! A numeric or a float that is cast to an integer is rounded, a half of a numeric away from zero and that of a float to the even
//! one, as in PostgreSQL.
//!
//! ```sql
//! SELECT 12.7::bigint, 2.5::int, 2.5::float8::int
//! ```
//!
//! The engine cuts the digits behind the point off. A whole number that is cast to a numeric of hundreds, `numeric(4,-2)`, it cuts
//! as well; it becomes a numeric first, which is rounded.

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array},
    compute::{CastOptions, cast, cast_with_options},
    datatypes::{DataType, Decimal256Type, FieldRef, Float64Type, i256},
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
    columnar::{called_as_operand, field_of, made_of},
    steps,
};
use crate::{
    fault::{Failure, Fault},
    pgtype,
};

/// See the module. It comes when types are known.
#[derive(Debug)]
pub(super) struct RoundToWhole;

impl AnalyzerRule for RoundToWhole {
    fn name(&self) -> &str {
        "round_to_whole"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        steps::change(plan, |step| cast_to_whole(step).is_some() || is_cast_to_hundreds(step), rounded)
    }
}

/// What is cast to an integer.
fn cast_to_whole(step: &Expr) -> Option<(&Expr, &DataType)> {
    match step {
        Expr::Cast(Cast { expr, field }) if field.data_type().is_signed_integer() => Some((expr, field.data_type())),
        _ => None,
    }
}

fn is_cast_to_hundreds(step: &Expr) -> bool {
    matches!(step, Expr::Cast(Cast { field, .. })
        if matches!(field.data_type(), DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) if *scale < 0))
}

/// A numeric with the digits of any bigint.
const WHOLE_NUMERIC: DataType = DataType::Decimal128(19, 0);

fn rounded(mut step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    if is_cast_to_hundreds(&step) {
        return rounded_to_hundreds(step, schema);
    }
    let Some((number, whole)) = cast_to_whole(&step) else { return Ok(Transformed::no(step)) };
    let from = number.get_type(schema)?;
    // The engine tells of a whole numeric that the type has no room for as of a text that is none.
    if !from.is_floating() && !from.is_decimal() {
        return Ok(Transformed::no(step));
    }
    let whole = whole.clone();
    if let Expr::Cast(Cast { expr, .. }) = &mut step {
        let function = Whole { whole, signature: Signature::any(1, Volatility::Immutable) };
        step = ScalarUDF::new_from_impl(function).call(vec![std::mem::take(expr.as_mut())]);
    }
    Ok(Transformed::yes(step))
}

fn rounded_to_hundreds(mut step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::Cast(Cast { expr, .. }) = &mut step else { return Ok(Transformed::no(step)) };
    if !expr.get_type(schema)?.is_signed_integer() {
        return Ok(Transformed::no(step));
    }
    **expr = Expr::Cast(Cast::new(Box::new(std::mem::take(expr.as_mut())), WHOLE_NUMERIC));
    Ok(Transformed::yes(step))
}

/// It fails on what the type cannot hold.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Whole {
    whole: DataType,
    signature: Signature,
}

impl ScalarUDFImpl for Whole {
    fn name(&self) -> &str {
        "whole_number"
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        // A cast is called as what it casts.
        called_as_operand(self.name(), operands)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.whole.clone())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(field_of(self.name(), self.whole.clone(), &arguments))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [numbers] = take_function_args(self.name(), &call.args)?;
        made_of(numbers, |numbers| whole(numbers, &self.whole))
    }
}

/// The nearest integers of a type.
fn whole(numbers: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    let out_of_range =
        || Failure::new(Fault::NumericOutOfRange, format!("{} out of range", pgtype::of(data_type).pg.spelling));
    let bigints: Int64Array = match numbers.data_type() {
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => {
            // Room for the digit that rounding may add.
            let digits = cast(numbers, &DataType::Decimal256(76, *scale))?;
            let power = i256::from_i128(10).wrapping_pow(u32::try_from(*scale).unwrap_or(0));
            let half = power.wrapping_div(i256::from_i128(2));
            let nearest = |digits: i256| {
                let away = if digits.is_negative() { half.wrapping_neg() } else { half };
                let whole = digits.checked_add(away)?.checked_div(power)?.to_i128()?;
                i64::try_from(whole).ok()
            };
            digits.as_primitive::<Decimal256Type>().try_unary(|digits| nearest(digits).ok_or_else(out_of_range))?
        }
        _ => {
            let floats = cast(numbers, &DataType::Float64)?;
            // As a double, the greatest bigint is one more.
            const LIMIT: f64 = 9_223_372_036_854_775_808.0;
            floats.as_primitive::<Float64Type>().try_unary(|float: f64| {
                let whole = float.round_ties_even();
                #[allow(clippy::cast_possible_truncation)]
                let fits = (-LIMIT..LIMIT).contains(&whole).then_some(whole as i64);
                fits.ok_or_else(out_of_range)
            })?
        }
    };
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    Ok(cast_with_options(&bigints, data_type, &strict).map_err(|_| out_of_range())?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{Decimal128Array, Float64Array},
        datatypes::Int32Type,
    };

    use super::*;

    fn of(numbers: ArrayRef) -> Option<i32> {
        whole(&numbers, &DataType::Int32).ok().map(|whole| whole.as_primitive::<Int32Type>().value(0))
    }

    /// As PostgreSQL 15 casts them.
    #[test]
    fn halves_of_numerics_go_away_from_zero_and_those_of_floats_to_the_even_one() {
        let numeric = |digits: i128, scale: i8| {
            of(Arc::new(Decimal128Array::from(vec![digits]).with_precision_and_scale(38, scale).unwrap()))
        };
        let float = |float: f64| of(Arc::new(Float64Array::from(vec![float])));
        assert_eq!([25, -25, 24, 35].map(|digits| numeric(digits, 1)), [Some(3), Some(-3), Some(2), Some(4)]);
        assert_eq!(numeric(21_474_836_474, 1), Some(i32::MAX));
        assert_eq!(numeric(21_474_836_475, 1), None);
        assert_eq!(numeric(10_i128.pow(37), 1), None);
        assert_eq!([2_147_483_647, 2_147_483_648].map(|digits| numeric(digits, 0)), [Some(i32::MAX), None]);
        assert_eq!([2.5, -2.5, 3.5, 0.49].map(float), [Some(2), Some(-2), Some(4), Some(0)]);
        assert_eq!([2_147_483_647.4, 2_147_483_647.5, f64::NAN, 1e300].map(float), [Some(i32::MAX), None, None, None]);
    }
}
