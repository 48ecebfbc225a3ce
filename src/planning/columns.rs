//! Conditions said again in the columns of an operator's input, each column found by its position.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::{
    common::tree_node::{Transformed, TreeNode, TreeNodeRecursion},
    physical_expr::{PhysicalExpr, expressions::Column},
};

/// What rows must be true of.
pub(super) type Condition = Arc<dyn PhysicalExpr>;

/// What each column of an operator is in the columns of one of its inputs; nothing where it isn't in them.
pub(super) type Origins = Vec<Option<Arc<dyn PhysicalExpr>>>;

/// The schema's column at this position.
pub(super) fn column(schema: &Schema, index: usize) -> Arc<dyn PhysicalExpr> {
    Arc::new(Column::new(schema.field(index).name(), index))
}

/// The condition in the columns of the input, where it has some and each of them is one there.
pub(super) fn rewritten(condition: &Condition, origins: &Origins) -> Option<Condition> {
    let mut columns = 0;
    let mut known = true;
    let moved = Arc::clone(condition).transform_down(|expression| {
        let Some(column) = expression.downcast_ref::<Column>() else { return Ok(Transformed::no(expression)) };
        columns += 1;
        match origins.get(column.index()).cloned().flatten() {
            // What takes the column's place isn't looked into: its columns are those of the input already.
            Some(origin) => Ok(Transformed::new(origin, true, TreeNodeRecursion::Jump)),
            None => {
                known = false;
                Ok(Transformed::no(expression))
            }
        }
    });
    let moved = moved.ok()?.data;
    (known && columns > 0).then_some(moved)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::{
        logical_expr::Operator,
        physical_expr::expressions::{DynamicFilterPhysicalExpr, binary, lit},
    };

    use super::*;

    fn at(name: &str, index: usize) -> Arc<dyn PhysicalExpr> {
        Arc::new(Column::new(name, index))
    }

    #[test]
    fn columns_of_one_name_are_told_apart_by_their_position() {
        let schema = Schema::empty();
        let less = |left, right| binary(left, Operator::Lt, right, &schema).unwrap();
        let origins = vec![Some(at("id", 3)), None, Some(at("id", 0))];
        let moved = rewritten(&less(at("id", 0), at("id", 2)), &origins).unwrap();
        assert_eq!(moved.to_string(), "id@3 < id@0");
        assert!(rewritten(&less(at("id", 0), at("id", 1)), &origins).is_none(), "one column is not below");
        assert!(rewritten(&less(at("id", 0), at("id", 7)), &origins).is_none(), "there is no such column");
        assert!(rewritten(&less(lit(1), lit(2)), &origins).is_none(), "it says nothing of rows");
    }

    #[test]
    fn what_is_learnt_later_is_said_in_the_columns_of_the_input() {
        let filter = Arc::new(DynamicFilterPhysicalExpr::new(vec![at("id", 0), at("id", 1)], lit(true)));
        let origins = vec![Some(at("id", 1)), Some(at("id", 0))];
        let moved = rewritten(&(Arc::clone(&filter) as Condition), &origins).unwrap();
        let learnt = binary(at("id", 0), Operator::Gt, at("id", 1), &Schema::empty()).unwrap();
        filter.update(learnt).unwrap();
        assert_eq!(moved.to_string(), "DynamicFilter [ id@1 > id@0 ]");
    }
}
