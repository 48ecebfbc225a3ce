//! Rules of the engine's with something of ours around them.

use std::sync::Arc;

use datafusion::{
    common::{Result, tree_node::Transformed},
    logical_expr::LogicalPlan,
    optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule},
};

/// A rule over plans, as the optimizer has it.
pub(super) type Rule = Arc<dyn OptimizerRule + Send + Sync>;

/// What is done in a rule's place, which it may ask.
type Rewrite = fn(&Rule, LogicalPlan, &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>>;

/// The rule with this in its place; by its name and in its order still.
pub(super) fn around(rule: Rule, rewrite: Rewrite) -> Rule {
    Arc::new(Around { rule, rewrite })
}

#[derive(Debug)]
struct Around {
    rule: Rule,
    rewrite: Rewrite,
}

impl OptimizerRule for Around {
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
        (self.rewrite)(&self.rule, plan, config)
    }
}
