//! Columns that can fail to compute are computed above the operators that remove rows, and volatile ones where they stand.
//!
//! DataFusion's rule moves a projection below a filter or a limited sort where that makes rows narrower, and parts of a nested
//! loop join's condition below the join. It moves one below a filter that has a projection of its own, too, and takes the
//! columns of the filter's result for those of its input; and when it moves parts of the condition of a join that yields right
//! rows alone, it takes the columns that this join projects for those of both sides.

use std::sync::Arc;

use datafusion::{
    common::{
        JoinType, Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    physical_expr_common::physical_expr::is_volatile,
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        ExecutionPlan,
        filter::FilterExec,
        joins::NestedLoopJoinExec,
        projection::{ProjectionExec, remove_unnecessary_projections, try_embed_projection},
    },
};

use super::failing::computed_can_fail;

/// DataFusion's rule, but for projections that can fail.
#[derive(Debug)]
pub(super) struct PushDownSafeProjections {
    pub(super) safe: Arc<dyn PhysicalOptimizerRule + Send + Sync>,
}

impl PhysicalOptimizerRule for PushDownSafeProjections {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        if !plan.exists(|node| Ok(stays(node) || join_can_fail(node) || projects_right_rows(node)))? {
            return self.safe.optimize(plan, options);
        }
        // Such a plan keeps the conditions of its nested loop joins whole.
        plan.transform_down(|node| match node.downcast_ref::<ProjectionExec>() {
            Some(_) if is_volatile_projection(&node) => Ok(Transformed::no(node)),
            Some(projection) if stays(&node) => {
                let input = projection.input();
                let moved = match input.downcast_ref::<FilterExec>() {
                    Some(filter) => try_embed_projection(projection, filter)?,
                    None if input.fetch().is_some() => None,
                    None => return remove_unnecessary_projections(node),
                };
                Ok(moved.map_or_else(|| Transformed::no(node), Transformed::yes))
            }
            _ => remove_unnecessary_projections(node),
        })
        .data()
    }

    fn name(&self) -> &str {
        self.safe.name()
    }

    fn schema_check(&self) -> bool {
        self.safe.schema_check()
    }
}

/// Whether a projection is not moved below its input.
fn stays(node: &Arc<dyn ExecutionPlan>) -> bool {
    let filter = node.downcast_ref::<ProjectionExec>().and_then(|node| node.input().downcast_ref::<FilterExec>());
    projection_can_fail(node)
        || is_volatile_projection(node)
        || filter.is_some_and(|filter| filter.projection().is_some())
}

fn projection_can_fail(node: &Arc<dyn ExecutionPlan>) -> bool {
    let Some(projection) = node.downcast_ref::<ProjectionExec>() else { return false };
    let schema = projection.input().schema();
    projection.expr().iter().any(|column| computed_can_fail(&column.expr, &schema))
}

/// Whether a projection computes what is another value each time.
fn is_volatile_projection(node: &Arc<dyn ExecutionPlan>) -> bool {
    let Some(projection) = node.downcast_ref::<ProjectionExec>() else { return false };
    projection.expr().iter().any(|column| is_volatile(&column.expr))
}

/// Whether a join projects columns of its right side, whose rows are all that it yields.
fn projects_right_rows(node: &Arc<dyn ExecutionPlan>) -> bool {
    node.downcast_ref::<NestedLoopJoinExec>().is_some_and(|join| {
        matches!(join.join_type(), JoinType::RightSemi | JoinType::RightAnti) && join.projection().is_some()
    })
}

fn join_can_fail(node: &Arc<dyn ExecutionPlan>) -> bool {
    let filter = node.downcast_ref::<NestedLoopJoinExec>().and_then(|join| join.filter());
    filter.is_some_and(|filter| computed_can_fail(filter.expression(), filter.schema()))
}
