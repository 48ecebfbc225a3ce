//! Guards: what keeps a row from an expression that would fail on it.
//!
//! `WHERE x <> 0 AND 10 / x > 1` must not divide by zero, nor must a cast of texts whose filter stands in a subquery, a join or
//! a view. Whoever reads a statement row by row and from the left sees what guards what; rules that move conditions,
//! compute whole batches and share subexpressions do not. [`failing`] says what can fail. That stays where it was written:
//! conditions in [`filters`], columns in [`projections`], arguments of aggregates and keys in [`arguments`]; and at last
//! [`lazily`] computes `AND` and `OR` from the left. Statements of which nothing can fail are planned as if none of this were
//! here.

mod arguments;
mod failing;
mod filters;
mod lazily;
mod projections;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::{
    catalog::Session, common::Result, execution::context::QueryPlanner, logical_expr::LogicalPlan,
    physical_optimizer::PhysicalOptimizerRule, physical_plan::ExecutionPlan,
};

pub(crate) use arguments::GuardArguments;
pub(crate) use failing::can_fail;
use filters::PushDownSafeFilters;
use projections::PushDownSafeProjections;

use super::{arithmetic, around::Rule, bounds, join_keys, statistics};

type PhysicalRule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// Rules over logical plans, with the one that moves filters replaced by ours.
pub(crate) fn keep_filters(rules: Vec<Rule>) -> Vec<Rule> {
    let ours = |rule: Rule| -> Rule {
        match rule.name() {
            "push_down_filter" => Arc::new(PushDownSafeFilters::default()),
            _ => rule,
        }
    };
    rules.into_iter().map(ours).collect()
}

/// Rules over physical plans, with those that move projections replaced by ours.
pub(crate) fn keep_projections(rules: Vec<PhysicalRule>) -> Vec<PhysicalRule> {
    let ours = |rule: PhysicalRule| -> PhysicalRule {
        match rule.name() {
            "ProjectionPushdown" => Arc::new(PushDownSafeProjections { safe: rule }),
            _ => rule,
        }
    };
    rules.into_iter().map(ours).collect()
}

/// Plans operators over optimized plans, whose calculations keep to their types and are computed as if row by row.
#[derive(Debug)]
pub(crate) struct RowByRow {
    planner: Arc<dyn QueryPlanner + Send + Sync>,
}

impl RowByRow {
    pub(crate) fn new(planner: Arc<dyn QueryPlanner + Send + Sync>) -> Self {
        Self { planner }
    }
}

#[async_trait]
impl QueryPlanner for RowByRow {
    async fn create_physical_plan(&self, plan: &LogicalPlan, session: &dyn Session) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = arithmetic::checked(statistics::without_order_of_casts(plan.clone())?)?;
        let plan = join_keys::named(lazily::row_by_row(bounds::without_wrong_bounds(plan)?)?)?;
        self.planner.create_physical_plan(&plan, session).await
    }
}
