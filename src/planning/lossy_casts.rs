//! Casts that lose something are compared as what they yield.
//!
//! The engine turns `x::numeric(10, 0) = 3` into `x = 3.00`, which 2.60 is not, and `x::smallint = 5` into what cannot fail.
//! Where it reckons how many rows a condition keeps, it gives up over dates of timestamps and the days between two dates. Here
//! these are the operands of a function of which it knows nothing.

use arrow::datatypes::DataType;
use datafusion::{
    common::{DFSchema, Result, config::ConfigOptions, tree_node::Transformed},
    logical_expr::{Between, BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, expr::InList},
    optimizer::analyzer::AnalyzerRule,
};

use super::{statistics::without_order, steps};

/// See the module. It comes when types are known.
#[derive(Debug)]
pub(super) struct CompareCasts;

impl AnalyzerRule for CompareCasts {
    fn name(&self) -> &str {
        "compare_casts"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        steps::change(plan, steps::compares, compared)
    }
}

fn compared(step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    Ok(match step {
        step if !steps::compares(&step) => Transformed::no(step),
        Expr::BinaryExpr(BinaryExpr { mut left, op, mut right }) => {
            let changed = [hide(&mut left, schema)?, hide(&mut right, schema)?].contains(&true);
            Transformed::new_transformed(Expr::BinaryExpr(BinaryExpr { left, op, right }), changed)
        }
        Expr::Between(mut between) => {
            let Between { expr, low, high, .. } = &mut between;
            let changed = [hide(expr, schema)?, hide(low, schema)?, hide(high, schema)?].contains(&true);
            Transformed::new_transformed(Expr::Between(between), changed)
        }
        Expr::InList(InList { mut expr, list, negated }) => {
            let changed = hide(&mut expr, schema)?;
            Transformed::new_transformed(Expr::InList(InList { expr, list, negated }), changed)
        }
        other => Transformed::no(other),
    })
}

/// Hides what is compared, or what is cast for that, if that is needed; whether it was.
fn hide(operand: &mut Expr, schema: &DFSchema) -> Result<bool> {
    let (mut changed, mut is_hidden) = (false, false);
    match operand {
        Expr::Cast(cast) if !matches!(cast.expr.as_ref(), Expr::Literal(..)) => {
            changed = hide(&mut cast.expr, schema)?;
            is_hidden = loses(&cast.expr.get_type(schema)?, cast.field.data_type());
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Minus, right }) => {
            is_hidden = left.get_type(schema)? == DataType::Date32 && right.get_type(schema)? == DataType::Date32;
        }
        _ => {}
    }
    if is_hidden {
        *operand = without_order(std::mem::take(operand));
    }
    Ok(changed || is_hidden)
}

/// Whether a value of one number, date or timestamp may be another one in the other type, or none.
fn loses(from: &DataType, to: &DataType) -> bool {
    use DataType::{Date32, Date64, Decimal128, Decimal256, Float16, Float32, Float64, Timestamp};
    let digits = |data_type: &DataType| match data_type {
        Decimal128(digits, scale) | Decimal256(digits, scale) => {
            Some((i16::from(*digits) - i16::from(*scale), i16::from(*scale)))
        }
        data_type if data_type.is_integer() => {
            // As many decimal digits as the greatest of its bytes has.
            let whole = [3, 5, 10, 20][data_type.primitive_width().unwrap_or(8).ilog2() as usize];
            Some((if *data_type == DataType::Int64 { 19 } else { whole }, 0))
        }
        _ => None,
    };
    match (from, to) {
        (from, to) if from == to => false,
        (from, to) if from.is_integer() && to.is_integer() => {
            let grows = to.primitive_width() > from.primitive_width();
            !(grows && (from.is_unsigned_integer() || !to.is_unsigned_integer()))
        }
        (Float16 | Float32, Float32 | Float64) => false,
        (Float64, Float32 | Float16) => true,
        (Float16 | Float32 | Float64, to) => digits(to).is_some(),
        (Timestamp(from, _), Timestamp(to, _)) => to < from,
        (Timestamp(..), Date32 | Date64) => true,
        (from, to) => match (digits(from), digits(to)) {
            (Some((whole, fraction)), Some((to_whole, to_fraction))) => to_whole < whole || to_fraction < fraction,
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::TimeUnit;

    use super::*;

    #[test]
    fn digits_are_lost_or_not() {
        use DataType::{Date32, Decimal128, Float64, Int16, Int32, Int64, Timestamp, UInt32};
        for (from, to) in [
            (Decimal128(10, 2), Decimal128(10, 0)),
            (Decimal128(10, 2), Decimal128(9, 2)),
            (Decimal128(10, 2), Int64),
            (Int64, Int32),
            (Int32, UInt32),
            (Int32, Decimal128(10, 1)),
            (Float64, Int16),
            (Timestamp(TimeUnit::Microsecond, None), Timestamp(TimeUnit::Second, None)),
            (Timestamp(TimeUnit::Microsecond, None), Date32),
        ] {
            assert!(loses(&from, &to), "{from} to {to}");
        }
        for (from, to) in [
            (Decimal128(10, 2), Decimal128(38, 10)),
            (Int32, Int64),
            (UInt32, Int64),
            (Int64, Decimal128(20, 1)),
            (Int32, Float64),
            (Timestamp(TimeUnit::Second, None), Timestamp(TimeUnit::Microsecond, None)),
        ] {
            assert!(!loses(&from, &to), "{from} to {to}");
        }
    }
}
