//! Keeps rules that know one meaning of NULL from joins that have the other.
//!
//! A join whose keys are compared by `IS NOT DISTINCT FROM` says so once, for all its keys. The engine's rules that find
//! keys in conditions add those of `=` to them, which would then pair NULL with NULL; and those that flatten a tree of
//! joins give all of them the meaning of one. The latter forget a key that was simplified to a constant, too: it becomes a
//! condition before they look.

use std::sync::Arc;

use datafusion::{
    common::{
        JoinType, NullEquality, Result,
        tree_node::{Transformed, TreeNode},
    },
    logical_expr::{Expr, Join, LogicalPlan, utils::conjunction},
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
        if !self.flattens {
            return self.rule.rewrite(plan, config);
        }
        let plan = plan.transform_up(without_constant_keys)?;
        plan.transform_data(|plan| self.rule.rewrite(plan, config))
    }
}

/// A join whose keys have columns; `… = NULL` and its like are conditions.
fn without_constant_keys(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let is_constant = |(left, right): &(Expr, Expr)| left.column_refs().is_empty() || right.column_refs().is_empty();
    let LogicalPlan::Join(mut join) = plan else { return Ok(Transformed::no(plan)) };
    if !join.on.iter().any(is_constant) {
        return Ok(Transformed::no(LogicalPlan::Join(join)));
    }
    let (constants, keys) = join.on.into_iter().partition(is_constant);
    join.on = keys;
    join.filter = conjunction(join.filter.into_iter().chain(equalities(constants)));
    Ok(Transformed::yes(LogicalPlan::Join(join)))
}

fn equalities(keys: Vec<(Expr, Expr)>) -> impl Iterator<Item = Expr> {
    keys.into_iter().map(|(left, right)| left.eq(right))
}

fn pairs_nulls(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Join(Join { null_equality: NullEquality::NullEqualsNull, .. }))
}

fn inner(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Join(Join { join_type: JoinType::Inner, .. }))
}
