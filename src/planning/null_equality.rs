//! Keeps rules that know one meaning of NULL from joins that have the other.
//!
//! A join whose keys are compared by `IS NOT DISTINCT FROM` says so once, for all its keys. The engine's rules that find
//! keys in conditions add those of `=` to them, which would then pair NULL with NULL; and those that flatten a tree of
//! joins give all of them the meaning of one.

use std::sync::Arc;

use datafusion::{
    common::{
        JoinType, NullEquality, Result,
        tree_node::{Transformed, TreeNode},
    },
    logical_expr::{Join, LogicalPlan},
    optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule},
};

/// The rule, kept from the joins that it would change the meaning of.
pub(super) fn careful(rule: Arc<dyn OptimizerRule + Send + Sync>) -> Arc<dyn OptimizerRule + Send + Sync> {
    match rule.name() {
        "extract_equijoin_predicate" => Arc::new(Careful { rule, flattens: false }),
        "eliminate_cross_join" => Arc::new(Careful { rule, flattens: true }),
        _ => rule,
    }
}

#[derive(Debug)]
struct Careful {
    rule: Arc<dyn OptimizerRule + Send + Sync>,
    flattens: bool,
}

impl OptimizerRule for Careful {
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
        let refused = match self.flattens {
            true => plan.exists(|node| Ok(pairs_nulls(node) && inner(node)))?,
            false => pairs_nulls(&plan),
        };
        if refused {
            return Ok(Transformed::no(plan));
        }
        self.rule.rewrite(plan, config)
    }
}

fn pairs_nulls(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Join(Join { null_equality: NullEquality::NullEqualsNull, .. }))
}

fn inner(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Join(Join { join_type: JoinType::Inner, .. }))
}
