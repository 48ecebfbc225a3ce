//! Planning ends between two rules once nobody waits for the statement.
//!
//! A rule goes through all expressions of a plan without a pause, and there are many rules: a statement with a million values
//! is planned for seconds.

use std::sync::Arc;

use datafusion::{
    common::{Result, config::ConfigOptions, tree_node::Transformed},
    logical_expr::LogicalPlan,
    optimizer::{AnalyzerRule, ApplyOrder, OptimizerConfig, OptimizerRule},
};

use crate::interrupt::{cancelled, is_raised};

/// A rule that a plan goes through before it is optimized.
type Analyzer = Arc<dyn AnalyzerRule + Send + Sync>;

/// A rule that optimizes a plan.
type Optimizer = Arc<dyn OptimizerRule + Send + Sync>;

/// The rules, each of which asks first.
pub(crate) fn asking_analyzers(rules: Vec<Analyzer>) -> Vec<Analyzer> {
    rules.into_iter().map(|rule| Arc::new(Asking(rule)) as Analyzer).collect()
}

/// The same of those that optimize.
pub(crate) fn asking_optimizers(rules: Vec<Optimizer>) -> Vec<Optimizer> {
    rules.into_iter().map(|rule| Arc::new(Asking(rule)) as Optimizer).collect()
}

#[derive(Debug)]
struct Asking<R>(R);

fn ask() -> Result<()> {
    match is_raised() {
        true => Err(cancelled().into()),
        false => Ok(()),
    }
}

impl AnalyzerRule for Asking<Analyzer> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        ask()?;
        self.0.analyze(plan, config)
    }
}

impl OptimizerRule for Asking<Optimizer> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        ask()?;
        self.0.rewrite(plan, config)
    }
}
