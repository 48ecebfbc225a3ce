//! Plans that keep the types of their columns.
//!
//! Beside one DISTINCT call the engine adds up sums: a sum of numerics has ten digits more than they, and a sum of those sums
//! has twenty more. What stands above was planned for the former, and fails to compare the latter.

use datafusion::{
    common::{Result, tree_node::Transformed},
    logical_expr::LogicalPlan,
    optimizer::OptimizerConfig,
};

use super::around::{Rule, around};

/// The rule, which leaves alone what would have other types.
pub(super) fn kept(rule: Rule) -> Rule {
    match rule.name() {
        "single_distinct_aggregation_to_group_by" => around(rule, with_same_types),
        _ => rule,
    }
}

fn with_same_types(rule: &Rule, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
    if !matches!(plan, LogicalPlan::Aggregate(_)) {
        return Ok(Transformed::no(plan));
    }
    let rewritten = rule.rewrite(plan.clone(), config)?;
    Ok(if has_types_of(&rewritten.data, &plan) { rewritten } else { Transformed::no(plan) })
}

fn has_types_of(rewritten: &LogicalPlan, plan: &LogicalPlan) -> bool {
    let (rewritten, plan) = (rewritten.schema().fields(), plan.schema().fields());
    rewritten.len() == plan.len()
        && rewritten.iter().zip(plan.iter()).all(|(now, before)| now.data_type() == before.data_type())
}
