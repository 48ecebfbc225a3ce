//! How a query is planned: our rules beside the engine's.
//!
//! Knows the query engine and nothing of clients, the catalog or the network.

use std::sync::Arc;

use datafusion::optimizer::{Analyzer, AnalyzerRule, Optimizer, OptimizerRule};

mod distinct_on;
mod null_equality;
mod subquery;

pub(crate) use subquery::OncePlanner;

/// The rules that a plan goes through before it is optimized, in order.
pub(crate) fn analyzer_rules() -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn AnalyzerRule + Send + Sync>> = vec![Arc::new(distinct_on::FirstOfEach), Arc::new(subquery::Unnest)];
    rules.extend(Analyzer::new().rules);
    rules
}

/// The rules that optimize a plan, in order.
pub(crate) fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    Optimizer::new().rules.into_iter().map(null_equality::careful).collect()
}
