//! A double that is cast to `real` fails where no such float is near it, as in PostgreSQL.
//!
//! ```sql
//! SELECT 1.5::float8::real
//! ```
//!
//! The engine makes an infinity of what is too large, and a zero of what is too small.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, Float32Array},
    datatypes::{DataType, FieldRef, Float64Type},
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
use crate::fault::{Failure, Fault};

/// See the module. It comes when types are known.
#[derive(Debug)]
pub(super) struct CheckSingles;

impl AnalyzerRule for CheckSingles {
    fn name(&self) -> &str {
        "check_singles"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        steps::change(plan, |step| cast_to_single(step).is_some(), checked)
    }
}

/// What is cast to a single.
fn cast_to_single(step: &Expr) -> Option<&Expr> {
    match step {
        Expr::Cast(Cast { expr, field }) if *field.data_type() == DataType::Float32 => Some(expr),
        _ => None,
    }
}

fn checked(mut step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Some(number) = cast_to_single(&step) else { return Ok(Transformed::no(step)) };
    if number.get_type(schema)? != DataType::Float64 {
        return Ok(Transformed::no(step));
    }
    if let Expr::Cast(Cast { expr, .. }) = &mut step {
        let function = Single { signature: Signature::any(1, Volatility::Immutable) };
        step = ScalarUDF::new_from_impl(function).call(vec![std::mem::take(expr.as_mut())]);
    }
    Ok(Transformed::yes(step))
}

/// It fails on what is beyond all singles, and on what is nearer to zero than each of them.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Single {
    signature: Signature,
}

impl ScalarUDFImpl for Single {
    fn name(&self) -> &str {
        "single_float"
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        // A cast is called as what it casts.
        called_as_operand(self.name(), operands)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float32)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(field_of(self.name(), DataType::Float32, &arguments))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [doubles] = take_function_args(self.name(), &call.args)?;
        made_of(doubles, |doubles| {
            let singles: Float32Array = doubles.as_primitive::<Float64Type>().try_unary(single)?;
            Ok(Arc::new(singles) as ArrayRef)
        })
    }
}

/// The nearest single.
fn single(double: f64) -> Result<f32, Failure> {
    let fault = |what: &str| Failure::new(Fault::NumericOutOfRange, format!("value out of range: {what}"));
    #[allow(clippy::cast_possible_truncation)]
    let single = double as f32;
    if single.is_infinite() && double.is_finite() {
        return Err(fault("overflow"));
    }
    if single == 0.0 && double != 0.0 {
        return Err(fault("underflow"));
    }
    Ok(single)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As PostgreSQL 15 casts them.
    #[test]
    fn a_double_is_near_a_single_or_none() {
        let refused = |double: f64| single(double).err().map(|failure| failure.to_string());
        let (overflow, underflow) = ("value out of range: overflow", "value out of range: underflow");
        assert_eq!(refused(3.5e38).as_deref(), Some(overflow));
        assert_eq!(refused(-1e300).as_deref(), Some(overflow));
        assert_eq!(refused(1e-60).as_deref(), Some(underflow));
        assert_eq!(single(1.5), Ok(1.5));
        assert_eq!(single(1e-45), Ok(f32::from_bits(1)));
        assert_eq!(single(f64::NEG_INFINITY), Ok(f32::NEG_INFINITY));
        assert_eq!(single(-0.0), Ok(0.0));
        assert!(single(f64::NAN).is_ok_and(f32::is_nan));
    }
}
