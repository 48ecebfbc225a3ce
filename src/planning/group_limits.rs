//! How many groups an aggregate may stop at.
//!
//! An aggregate that is told to stop, and not by which order, asks when it runs whether it may: where its rows came to be in
//! order meanwhile it takes itself for one that keeps the best groups, and fails for want of an order. One that keeps the best
//! groups looks a float up by another equality than it was stored by, and stops the statement at a NaN or a zero.

use std::sync::Arc;

use datafusion::{
    common::{
        Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{ExecutionPlan, aggregates::AggregateExec},
};

/// Takes the number from aggregates that cannot keep to it. It comes when the order of rows is settled.
#[derive(Debug)]
pub(super) struct GroupLimits;

impl PhysicalOptimizerRule for GroupLimits {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| match node.downcast_ref::<AggregateExec>() {
            Some(aggregate) if is_misled(aggregate) => {
                Ok(Transformed::yes(Arc::new(aggregate.with_new_limit_options(None)) as Arc<dyn ExecutionPlan>))
            }
            _ => Ok(Transformed::no(node)),
        })
        .data()
    }

    fn name(&self) -> &str {
        "group_limits"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn is_misled(aggregate: &AggregateExec) -> bool {
    let Some(limit) = aggregate.limit_options() else { return false };
    match limit.descending() {
        None => !aggregate.is_unordered_unfiltered_group_by_distinct(),
        Some(_) => {
            let schema = aggregate.input().schema();
            let mut keys = aggregate.group_expr().expr().iter();
            keys.any(|(key, _)| key.data_type(&schema).is_ok_and(|data_type| data_type.is_floating()))
        }
    }
}
