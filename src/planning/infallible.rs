//! Which conditions can be evaluated on any row: none of their steps fails, whatever the row holds.
//!
//! A scan evaluates its conditions in an order of its own, each on all rows. One that can fail (a division, a cast of a
//! text) must wait for what guards it, so it stays above the scan.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, TimeUnit};
use datafusion::{
    common::DFSchema,
    logical_expr::{
        Expr, Operator, execution_props::ExecutionProps, physical_planning_context::PhysicalPlanningContext,
    },
    physical_expr::{
        PhysicalExpr, create_physical_expr,
        expressions::{
            BinaryExpr, CastExpr, Column, DynamicFilterPhysicalExpr, InListExpr, IsNotNullExpr, IsNullExpr, LikeExpr,
            Literal, NotExpr,
        },
    },
};

use super::steps;

/// The condition over the columns of this schema as it is evaluated, where that is known never to fail.
pub(crate) fn evaluable(condition: &Expr, schema: &DFSchema) -> Option<Arc<dyn PhysicalExpr>> {
    let (properties, context) = (ExecutionProps::new(), PhysicalPlanningContext::default());
    let condition = create_physical_expr(condition, schema, &properties, &context).ok()?;
    let columns = schema.as_arrow();
    let is_condition = condition.data_type(columns).is_ok_and(|data_type| data_type == DataType::Boolean);
    (is_condition && cannot_fail(&condition, columns)).then_some(condition)
}

/// Whether the expression is known never to fail over rows of this schema. What isn't known can.
pub(super) fn cannot_fail(expression: &Arc<dyn PhysicalExpr>, schema: &Schema) -> bool {
    let inner = |expression: &Arc<dyn PhysicalExpr>| cannot_fail(expression, schema);
    if let Some(column) = expression.downcast_ref::<Column>() {
        let field = schema.fields().get(column.index());
        return field.is_some_and(|field| !field.data_type().is_nested());
    }
    if let Some(binary) = expression.downcast_ref::<BinaryExpr>() {
        let (left, right) = (binary.left(), binary.right());
        let fits = match binary.op() {
            Operator::And | Operator::Or => true,
            operator => steps::is_comparison(*operator) && same_type(left, right, schema),
        };
        return fits && inner(left) && inner(right);
    }
    if let Some(list) = expression.downcast_ref::<InListExpr>() {
        let fits = list.list().iter().all(|item| item.is::<Literal>() && same_type(list.expr(), item, schema));
        return fits && inner(list.expr());
    }
    if let Some(like) = expression.downcast_ref::<LikeExpr>() {
        let fits = like.pattern().is::<Literal>() && same_type(like.expr(), like.pattern(), schema);
        return fits && inner(like.expr());
    }
    if let Some(cast) = expression.downcast_ref::<CastExpr>() {
        let from = cast.expr().data_type(schema);
        return from.is_ok_and(|from| keeps_every_value(&from, cast.cast_type())) && inner(cast.expr());
    }
    if let Some(filter) = expression.downcast_ref::<DynamicFilterPhysicalExpr>() {
        // What is learnt while running compares these with values, or looks them up.
        return filter.children().into_iter().all(inner);
    }
    let known = expression.is::<Literal>()
        || expression.is::<NotExpr>()
        || expression.is::<IsNullExpr>()
        || expression.is::<IsNotNullExpr>();
    known && expression.children().into_iter().all(inner)
}

fn same_type(left: &Arc<dyn PhysicalExpr>, right: &Arc<dyn PhysicalExpr>, schema: &Schema) -> bool {
    match (left.data_type(schema), right.data_type(schema)) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    }
}

/// Whether each value of one type is one of the other.
pub(super) fn keeps_every_value(from: &DataType, to: &DataType) -> bool {
    use DataType::{
        Date32, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Timestamp, UInt8, UInt16, UInt32, UInt64,
    };
    let is_text = |data_type: &DataType| matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    match (from, to) {
        (from, to) if from == to => true,
        (from, to) if is_text(from) && is_text(to) => true,
        (Int8, Int16 | Int32 | Int64) | (Int16, Int32 | Int64) | (Int32, Int64) => true,
        (UInt8, UInt16 | UInt32 | UInt64 | Int16 | Int32 | Int64) => true,
        (UInt16, UInt32 | UInt64 | Int32 | Int64) | (UInt32, UInt64 | Int64) => true,
        (from, Float64) if from.is_integer() => true,
        (Float32, Float64) => true,
        // Days of 32 bits are within the seconds and milliseconds of 64.
        (Date32, Timestamp(unit, None)) => matches!(unit, TimeUnit::Second | TimeUnit::Millisecond),
        (Decimal128(digits, scale), Decimal128(more_digits, more_scale)) => {
            let whole = |digits: &u8, scale: &i8| i16::from(*digits) - i16::from(*scale);
            more_scale >= scale && whole(more_digits, more_scale) >= whole(digits, scale)
        }
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::Field;
    use datafusion::{
        common::ScalarValue,
        logical_expr::{cast, col, lit, try_cast},
    };

    use super::*;

    fn holds(condition: Expr) -> bool {
        let schema = Schema::new(vec![
            Field::new("small", DataType::Int32, true),
            Field::new("large", DataType::Int64, true),
            Field::new("name", DataType::Utf8View, true),
            Field::new("list", DataType::new_list(DataType::Int32, true), true),
        ]);
        let names = DFSchema::try_from(schema).unwrap();
        evaluable(&condition, &names).is_some()
    }

    #[test]
    fn comparisons_of_columns_and_values_cannot_fail() {
        let text = || lit(ScalarValue::Utf8View(Some("a%".into())));
        assert!(holds(col("small").gt(lit(1_i32)).and(col("large").eq(lit(2_i64)).or(col("name").is_null()))));
        assert!(holds(cast(col("small"), DataType::Int64).lt_eq(col("large"))));
        assert!(holds(col("name").like(text()).and(col("name").in_list(vec![text()], true))));
        assert!(holds(col("name").is_not_null()));
    }

    #[test]
    fn arithmetic_and_narrowing_casts_can() {
        assert!(!holds((lit(10_i32) / col("small")).gt(lit(1_i32))));
        assert!(!holds((col("small") % lit(2_i32)).eq(lit(1_i32)).or(col("small").is_null())));
        assert!(!holds(cast(col("name"), DataType::Int32).gt(lit(3_i32))));
        assert!(!holds(cast(col("large"), DataType::Int32).gt(lit(3_i32))));
        assert!(!holds(try_cast(col("name"), DataType::Int32).is_null()));
        assert!(!holds(col("list").is_null()));
        assert!(!holds(col("small").in_list(vec![col("small") / lit(0_i32)], false)));
    }
}
