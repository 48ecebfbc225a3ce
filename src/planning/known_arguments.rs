//! Calls whose digits follow from the values of their arguments, as `round(n, 2)` and `ln(2.0)`, are told those that the
//! statement says.
//!
//! The engine would tell them only where it sees constants, which it sees at some times and not at others: between the places
//! where types are made the same, which cast the 2, and the one where constants are evaluated, it sees an expression. What a
//! comparison, a join, a CASE or a set operation was planned for would not be what it gets. Here a call is read once, as it
//! is written, and keeps what was read.

use std::sync::Arc;

use datafusion::{
    common::{Result, ScalarValue, config::ConfigOptions, tree_node::Transformed},
    logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator},
    optimizer::AnalyzerRule,
};

use super::steps;
use crate::{functions, pgtype::ANY_NUMERIC};

/// Calls within calls that are looked into: each looks again at those within it.
const MAX_DEPTH: usize = 8;

/// The digits of the greatest bigint.
const OF_BIGINT: u8 = 19;

/// Reads the calls of a plan; see the module. It comes before types are made the same.
#[derive(Debug)]
pub(super) struct ReadArguments;

impl AnalyzerRule for ReadArguments {
    fn name(&self) -> &str {
        "read_arguments"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        steps::change(plan, is_call, |step, _| Ok(read(step)))
    }
}

fn is_call(step: &Expr) -> bool {
    matches!(step, Expr::ScalarFunction(call) if functions::function_of(&call.func).is_some())
}

fn read(mut step: Expr) -> Transformed<Expr> {
    if let Expr::ScalarFunction(call) = &mut step {
        let told =
            functions::with_known(&call.func, || call.args.iter().map(|argument| value(argument, MAX_DEPTH)).collect());
        if let Some(told) = told {
            call.func = Arc::new(told);
            return Transformed::yes(step);
        }
    }
    Transformed::no(step)
}

/// What an argument is, if the statement says it.
fn value(argument: &Expr, depth: usize) -> Option<ScalarValue> {
    match argument {
        Expr::Literal(value, _) => Some(value.clone()),
        // A cast of a fraction to an integer, or of a float, is computed elsewhere.
        Expr::Cast(cast) => {
            let (inner, to) = (value(&cast.expr, depth)?, cast.field.data_type());
            if *to == ANY_NUMERIC && inner.data_type().is_decimal() {
                return Some(inner);
            }
            let is_rounded = inner.data_type().is_floating() || to.is_integer() && !inner.data_type().is_integer();
            if is_rounded { None } else { inner.cast_to(to).ok() }
        }
        Expr::Negative(operand) => value(operand, depth)?.arithmetic_negate().ok(),
        Expr::ScalarFunction(call) => {
            let depth = depth.checked_sub(1)?;
            let values = call.args.iter().map(|argument| value(argument, depth)).collect::<Option<Vec<_>>>()?;
            functions::value_of(&call.func, &values)
        }
        _ => None,
    }
}

/// The numeric that a calculation of such that are written comes to, if it has room in one.
pub(super) fn folded(step: &Expr) -> Option<Expr> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = step else { return None };
    calculated(left, *op, right)
}

/// The same of the operands.
pub(super) fn calculated(left: &Expr, op: Operator, right: &Expr) -> Option<Expr> {
    let number = functions::calculated(&own_value(left)?, op, &own_value(right)?)?;
    Some(Expr::Literal(number, None))
}

/// What an operand of a calculation is. A cast to a numeric of any digits leaves a whole number its own.
fn own_value(operand: &Expr) -> Option<ScalarValue> {
    match operand {
        Expr::Cast(cast) if *cast.field.data_type() == ANY_NUMERIC => match own_value(&cast.expr)? {
            ScalarValue::Int16(number) => whole(number?.into()),
            ScalarValue::Int32(number) => whole(number?.into()),
            ScalarValue::Int64(number) => whole(number?),
            numeric if numeric.data_type().is_decimal() => Some(numeric),
            _ => None,
        },
        // What a field says, as that it is an oid, is no number.
        Expr::Cast(cast) if cast.field.metadata().is_empty() => {
            let inner = own_value(&cast.expr)?.data_type();
            if inner.is_integer() || inner.is_decimal() { value(operand, MAX_DEPTH) } else { None }
        }
        Expr::Negative(operand) => own_value(operand)?.arithmetic_negate().ok(),
        Expr::Literal(_, None) => value(operand, MAX_DEPTH),
        _ => None,
    }
}

/// A whole number as a numeric.
fn whole(number: i64) -> Option<ScalarValue> {
    Some(ScalarValue::Decimal128(Some(number.into()), OF_BIGINT, 0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{DataType, Field};
    use datafusion::{
        common::DFSchema,
        logical_expr::{ExprSchemable, cast, col, lit},
    };

    use super::*;

    fn called(name: &str, arguments: Vec<Expr>) -> Expr {
        read(functions::named(name).unwrap().call(arguments)).data
    }

    fn type_of(call: &Expr) -> DataType {
        let fields = vec![Field::new("n", DataType::Decimal128(10, 2), true), Field::new("k", DataType::Int32, true)];
        let schema = DFSchema::try_from(arrow::datatypes::Schema::new(fields)).unwrap();
        call.get_type(&schema).unwrap()
    }

    #[test]
    fn the_places_that_are_written_are_the_results() {
        let rounded = |places: Expr| type_of(&called("round", vec![col("n"), places]));
        assert_eq!(rounded(lit(1_i32)), DataType::Decimal128(10, 1));
        assert_eq!(rounded(cast(lit(1_i64), DataType::Int32)), DataType::Decimal128(10, 1));
        assert_eq!(rounded(Expr::Negative(Box::new(lit(1_i32)))), DataType::Decimal128(9, 0));
        assert_eq!(rounded(lit(5_i32)), DataType::Decimal128(13, 5));
        assert_eq!(rounded(col("k")), DataType::Decimal128(11, 2));
    }

    #[test]
    fn what_is_written_has_the_digits_that_postgresql_shows() {
        let two = || lit(ScalarValue::Decimal128(Some(20), 2, 1));
        assert_eq!(type_of(&called("ln", vec![two()])), DataType::Decimal128(16, 16));
        assert_eq!(type_of(&called("exp", vec![called("ln", vec![two()])])), DataType::Decimal128(17, 16));
        assert_eq!(type_of(&called("ln", vec![col("n")])), DataType::Decimal128(23, 20));
        // It was told once.
        let again = read(called("round", vec![col("n"), lit(1_i32)]));
        assert!(!again.transformed);
    }
}
