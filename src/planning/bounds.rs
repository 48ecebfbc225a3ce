//! What a filter's rows are reckoned from.
//!
//! From the least and the greatest value of its columns the engine reckons how many rows a filter keeps, and which columns are
//! constant above it. Over dates and numbers of days it finds days beside intervals and gives up with an internal error. Over
//! casts that lose something it may find more rows than there are, which is another. It takes x for 2 where `x / 2 = 1`, or for
//! midnight where `x::date = d`, though other values are kept too, and a sort by x is left out. Here such operands are those of
//! a function of which it knows nothing. It comes when plans become operators.

use arrow::datatypes::DataType;
use datafusion::{
    common::{
        DFSchema, Result,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    logical_expr::{BinaryExpr, Cast, Expr, ExprSchemable, LogicalPlan, Operator},
};

use super::{infallible::keeps_every_value, statistics::without_order};

/// A plan in whose filters nothing is reckoned wrongly.
pub(super) fn without_wrong_bounds(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Filter(mut filter) => {
            let schema = filter.input.schema();
            let predicate = std::mem::take(&mut filter.predicate).transform_down(|step| hidden(step, schema))?;
            filter.predicate = predicate.data;
            Ok(Transformed::new_transformed(LogicalPlan::Filter(filter), predicate.transformed))
        }
        other => Ok(Transformed::no(other)),
    })
    .data()
}

fn hidden(step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let is_judged = match &step {
        Expr::BinaryExpr(operation) => is_reckoned(operation, schema)?,
        Expr::Cast(Cast { expr, field }) => is_kept(&expr.get_type(schema)?, field.data_type()),
        Expr::Negative(_) => true,
        // Into others the engine does not look.
        _ => return Ok(Transformed::new(step, false, TreeNodeRecursion::Jump)),
    };
    Ok(match is_judged {
        true => Transformed::no(step),
        false => Transformed::new(without_order(step), true, TreeNodeRecursion::Jump),
    })
}

/// Whether the engine finds the operands of which an operation has the result that it must have. A quotient of whole numbers is
/// that of several, and so is a sum of floats, which is rounded.
fn is_reckoned(BinaryExpr { left, op, right }: &BinaryExpr, schema: &DFSchema) -> Result<bool> {
    use Operator::{Divide, Eq, Gt, GtEq, Lt, LtEq, Minus, Multiply, NotEq, Plus};
    let calculates = matches!(op, Plus | Minus | Multiply);
    if !calculates && !matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq) {
        return Ok(*op != Divide);
    }
    let (left, right) = (left.get_type(schema)?, right.get_type(schema)?);
    Ok(left == right && (left.is_integer() || !calculates))
}

/// Whether a cast has one value for each.
fn is_kept(from: &DataType, to: &DataType) -> bool {
    matches!((from, to), (DataType::Date32, DataType::Timestamp(_, None))) || keeps_every_value(from, to)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{Field, Schema, TimeUnit};
    use datafusion::{
        common::ScalarValue,
        logical_expr::{cast, col, lit},
    };

    use super::*;

    fn changes(condition: Expr) -> bool {
        let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
        let fields = [("i", DataType::Int32), ("f", DataType::Float64), ("d", DataType::Date32), ("t", micros)];
        let fields: Vec<Field> =
            fields.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect();
        let schema = DFSchema::try_from(Schema::new(fields)).unwrap();
        condition.transform_down(|step| hidden(step, &schema)).unwrap().transformed
    }

    #[test]
    fn what_has_several_operands_is_hidden() {
        let days = || lit(ScalarValue::IntervalMonthDayNano(None));
        assert!(changes((col("d") - days()).lt(col("d"))));
        assert!(changes(col("i").lt(lit(3_i32)).and((col("i") / lit(2_i32)).eq(lit(1_i32)))));
        assert!(changes((col("f") + lit(1e16)).eq(lit(1e16))));
        assert!(changes(cast(col("t"), DataType::Date32).eq(col("d"))));
        assert!(changes(cast(col("f"), DataType::Int32).eq(lit(2_i32))));
        assert!(changes(col("d").lt(col("t"))));
    }

    #[test]
    fn what_has_one_stays() {
        assert!(!changes((col("i") + lit(1_i32)).lt(-col("i") * lit(2_i32)).and(col("f").gt(lit(1.5)))));
        assert!(!changes(cast(col("i"), DataType::Int64).gt(lit(1_i64))));
        assert!(!changes(cast(col("d"), DataType::Timestamp(TimeUnit::Microsecond, None)).lt(col("t"))));
        assert!(!changes(col("i").is_not_null().or(cast(col("f"), DataType::Int32).is_null())));
    }
}
