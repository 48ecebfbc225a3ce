//! How a query is planned: the lists of rules that the query engine runs, in their order, and our planner of operators.
//!
//! Knows the query engine and nothing of clients, the catalog or the network.

use std::sync::Arc;

use datafusion::{
    execution::context::QueryPlanner,
    optimizer::{Analyzer, AnalyzerRule, OptimizerRule},
    physical_optimizer::{PhysicalOptimizerRule, optimizer::PhysicalOptimizer},
};
use fusewire_udfs::plan::FunctionQueryPlanner;

mod distinct_on;
mod guards;
mod null_equality;
mod subquery;

/// The rules that a plan goes through before it is optimized, in order.
pub(crate) fn analyzer_rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    // What guards an operand is gone where a subquery has become a join, and the types tell what can fail only at the end.
    let mut rules: Vec<Arc<dyn AnalyzerRule + Send + Sync>> = vec![
        Arc::new(distinct_on::FirstOfEach),
        Arc::new(guards::GuardArguments),
        Arc::new(subquery::Unnest),
    ];
    rules.extend(Analyzer::new().rules);
    rules.push(Arc::new(guards::GuardArguments));
    rules
}

/// The rules that optimize a plan, in order.
pub(crate) fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    guards::optimizer_rules().into_iter().map(null_equality::careful).collect()
}

/// The rules that optimize operators, in order. Filters are not pushed into scans: that looks for their columns by name.
pub(crate) fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = guards::keep_projections(PhysicalOptimizer::new().rules);
    rules.retain(|rule| !rule.name().starts_with("FilterPushdown"));
    rules
}

/// Makes operators of an optimized plan.
pub(crate) fn planner() -> Arc<dyn QueryPlanner + Send + Sync> {
    let functions = FunctionQueryPlanner::beside(vec![Arc::new(subquery::OncePlanner)]);
    Arc::new(guards::RowByRow::new(Arc::new(functions)))
}
