//! Recursive queries that would never end.
//!
//! The term of a recursive query runs until it gives no row. One with an aggregate over its own rows gives one each time, so
//! that PostgreSQL refuses it.

use datafusion::{
    common::{
        DataFusionError, Result,
        config::ConfigOptions,
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    logical_expr::LogicalPlan,
    optimizer::AnalyzerRule,
};

use crate::fault::{Failure, Fault};

/// The check; see the module. It changes nothing.
#[derive(Debug)]
pub(super) struct CheckRecursion;

impl AnalyzerRule for CheckRecursion {
    fn name(&self) -> &str {
        "check_recursion"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.apply_with_subqueries(|node| {
            let LogicalPlan::RecursiveQuery(query) = node else { return Ok(TreeNodeRecursion::Continue) };
            query.recursive_term.apply(|part| match part {
                LogicalPlan::Aggregate(aggregate)
                    if !aggregate.aggr_expr.is_empty() && reads(&aggregate.input, &query.name) =>
                {
                    Err(refused())
                }
                _ => Ok(TreeNodeRecursion::Continue),
            })
        })?;
        Ok(plan)
    }
}

/// Whether the rows of a recursive query are among those that are joined here, not within a query of their own.
fn reads(plan: &LogicalPlan, name: &str) -> bool {
    match plan {
        LogicalPlan::TableScan(scan) => scan.table_name.table() == name,
        LogicalPlan::SubqueryAlias(alias) => {
            matches!(alias.input.as_ref(), LogicalPlan::TableScan(_) | LogicalPlan::SubqueryAlias(_))
                && reads(&alias.input, name)
        }
        LogicalPlan::Join(_) | LogicalPlan::Filter(_) => plan.inputs().into_iter().any(|input| reads(input, name)),
        _ => false,
    }
}

fn refused() -> DataFusionError {
    let message = "aggregate functions are not allowed in a recursive query's recursive term";
    Failure::new(Fault::InvalidRecursion, message).into()
}
