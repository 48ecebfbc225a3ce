//! Plans that keep the types of their columns.
//!
//! Beside one DISTINCT call the engine adds up sums: a sum of numerics has ten digits more than they, and a sum of those sums
//! has twenty more. What stands above was planned for the former, and fails to compare the latter.

use std::sync::Arc;

use datafusion::{
    common::{Result, tree_node::Transformed},
    logical_expr::LogicalPlan,
    optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule},
};

/// The rule, which leaves alone what would have other types.
pub(super) fn kept(rule: Arc<dyn OptimizerRule + Send + Sync>) -> Arc<dyn OptimizerRule + Send + Sync> {
    match rule.name() {
        "single_distinct_aggregation_to_group_by" => Arc::new(SameTypes { rule }),
        _ => rule,
    }
}

#[derive(Debug)]
struct SameTypes {
    rule: Arc<dyn OptimizerRule + Send + Sync>,
}

impl OptimizerRule for SameTypes {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.rule.apply_order()
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        if !matches!(plan, LogicalPlan::Aggregate(_)) {
            return Ok(Transformed::no(plan));
        }
        let rewritten = self.rule.rewrite(plan.clone(), config)?;
        Ok(if has_types_of(&rewritten.data, &plan) { rewritten } else { Transformed::no(plan) })
    }
}

fn has_types_of(rewritten: &LogicalPlan, plan: &LogicalPlan) -> bool {
    let (rewritten, plan) = (rewritten.schema().fields(), plan.schema().fields());
    rewritten.len() == plan.len()
        && rewritten.iter().zip(plan.iter()).all(|(now, before)| now.data_type() == before.data_type())
}
