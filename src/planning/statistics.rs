//! Aggregates that are answered from statistics of their input.
//!
//! The engine looks for the first half of an aggregate in two halves below the second, and where that one has a FILTER goes
//! on: `SELECT count(*) FILTER (WHERE m > 9) FROM (SELECT max(x) AS m FROM t) AS q` got the statistics of the inner aggregate
//! for the outer one. Here an aggregate whose own first half does not qualify is left out. Of a column that is a constant it
//! knows one value and a sum, also where there are no rows, or where the value is NULL: what sums or counts values once is
//! computed.

use std::sync::Arc;

use datafusion::{
    common::{
        Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        ExecutionPlan,
        aggregates::{AggregateExec, AggregateInputMode},
    },
};

use super::physical::PhysicalRule;

/// The engine's rule, kept from the aggregates that it would mistake.
#[derive(Debug)]
pub(super) struct OwnStatistics(pub(super) PhysicalRule);

impl PhysicalOptimizerRule for OwnStatistics {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        if !plan.exists(|node| Ok(is_mistaken(node)))? {
            return self.0.optimize(plan, options);
        }
        plan.map_children(|child| self.optimize(child, options).map(Transformed::yes)).data()
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}

/// Whether an aggregate of all rows has a call that statistics do not answer, or its second half a first one that they cannot.
fn is_mistaken(node: &Arc<dyn ExecutionPlan>) -> bool {
    let Some(last) = node.downcast_ref::<AggregateExec>() else { return false };
    if last.aggr_expr().iter().any(|call| call.is_distinct() || call.fun().name() == "sum") {
        return true;
    }
    if last.mode().input_mode() != AggregateInputMode::Partial || !last.group_expr().is_empty() {
        return false;
    }
    let mut below = Arc::clone(last.input());
    loop {
        if let Some(first) = below.downcast_ref::<AggregateExec>() {
            return first.mode().input_mode() != AggregateInputMode::Raw
                || !first.group_expr().is_empty()
                || first.filter_expr().iter().any(Option::is_some);
        }
        match below.children().as_slice() {
            [input] => below = Arc::clone(input),
            _ => return false,
        }
    }
}
