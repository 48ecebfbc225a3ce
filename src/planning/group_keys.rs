//! Keys of GROUP BY.
//!
//! `GROUP BY a, a` groups by a. The engine gives its rows one column for both and keeps both keys, which some of its rules take
//! for a column each. Here each key stands once before any other rule comes.
//!
//! One of its rules leaves out keys that are constants or follow from others, and shows them in a projection above. That is
//! refused where two are called alike, as a cast and its column are: such an aggregate stays as it is.

use datafusion::{
    common::{
        Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult},
    },
    logical_expr::{Expr, LogicalPlan},
    optimizer::{AnalyzerRule, OptimizerConfig},
};

use super::around::{Rule, around};

/// The rule that comes first; see the module.
#[derive(Debug)]
pub(super) struct KeysOnce;

impl AnalyzerRule for KeysOnce {
    fn name(&self) -> &str {
        "keys_once"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Aggregate(mut aggregate) => {
                let written = aggregate.group_expr.len();
                // The schema has one column for each of them already.
                aggregate.group_expr = each_once(aggregate.group_expr);
                let changed = aggregate.group_expr.len() < written;
                let node = LogicalPlan::Aggregate(aggregate);
                Ok(if changed { Transformed::yes(node) } else { Transformed::no(node) })
            }
            other => Ok(Transformed::no(other)),
        })
        .data()
    }
}

fn each_once(keys: Vec<Expr>) -> Vec<Expr> {
    let mut once = Vec::with_capacity(keys.len());
    for key in keys {
        if !once.contains(&key) {
            once.push(key);
        }
    }
    once
}

/// Keys of which two may be equal now, and were not: the second one has the name that it had.
pub(super) fn told_apart(before: &[Expr], now: Vec<Expr>) -> Vec<Expr> {
    let mut apart: Vec<Expr> = Vec::with_capacity(now.len());
    for (before, key) in before.iter().zip(now) {
        let key = if apart.contains(&key) { named_again(key, before) } else { key };
        apart.push(key);
    }
    apart
}

/// A key under the name that it had before it was changed.
pub(super) fn named_again(key: Expr, before: &Expr) -> Expr {
    if key == *before {
        return key;
    }
    let (qualifier, name) = before.qualified_name();
    key.unalias().alias_qualified(qualifier, name)
}

/// The rule, which leaves alone what it has no projection for.
pub(super) fn kept(rule: Rule) -> Rule {
    match rule.name() {
        "eliminate_group_by_constant" => around(rule, with_projection),
        _ => rule,
    }
}

fn with_projection(rule: &Rule, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
    if !matches!(plan, LogicalPlan::Aggregate(_)) {
        return Ok(Transformed::no(plan));
    }
    Ok(rule.rewrite(plan.clone(), config).unwrap_or_else(|_| Transformed::no(plan)))
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::col;

    use super::*;

    #[test]
    fn keys_stand_once_in_their_order() {
        let keys = vec![col("b"), col("a"), col("b"), col("a").alias("b")];
        assert_eq!(each_once(keys), vec![col("b"), col("a"), col("a").alias("b")]);
    }

    #[test]
    fn equal_keys_keep_their_names() {
        let before = [col("t.a"), col("b"), col("c")];
        let now = told_apart(&before, vec![col("x"), col("x"), col("c")]);
        assert_eq!(now, vec![col("x"), col("x").alias("b"), col("c")]);
    }
}
