//! Keeps rules that know one meaning of NULL from joins that have the other.
//!
//! A join whose keys are compared by `IS NOT DISTINCT FROM` says so once, for all its keys. The engine's rules that find
//! keys in conditions add those of `=` to them, which would then pair NULL with NULL; and those that flatten a tree of
//! joins give all of them the meaning of one. The latter forget keys, too: one that was simplified to a constant, which
//! becomes a condition before they look, and one of an expression over several inputs, where they join these inputs with
//! another between them; it is said as a condition as well, and that is dropped where the key was kept.

use std::{collections::HashSet, sync::Arc};

use datafusion::{
    common::{
        JoinType, NullEquality, Result,
        tree_node::{Transformed, TreeNode},
    },
    logical_expr::{
        Expr, Filter, Join, LogicalPlan,
        utils::{conjunction, split_conjunction},
    },
    optimizer::OptimizerConfig,
};

use super::around::{Rule, around};

/// The rule, kept from the joins that it would change the meaning of.
pub(super) fn careful(rule: Rule) -> Rule {
    match rule.name() {
        "extract_equijoin_predicate" => around(rule, without_mixing),
        "eliminate_cross_join" => around(rule, without_forgetting),
        _ => rule,
    }
}

/// A rule that adds keys to those of a join.
fn without_mixing(rule: &Rule, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
    if pairs_nulls(&plan) { Ok(Transformed::no(plan)) } else { rule.rewrite(plan, config) }
}

/// A rule that flattens a tree of joins.
fn without_forgetting(
    rule: &Rule,
    plan: LogicalPlan,
    config: &dyn OptimizerConfig,
) -> Result<Transformed<LogicalPlan>> {
    if plan.exists(|node| Ok(pairs_nulls(node) && inner(node)))? {
        return Ok(Transformed::no(plan));
    }
    let plan = plan.transform_up(with_conditions)?;
    let plan = plan.transform_data(|plan| rule.rewrite(plan, config))?;
    plan.transform_data(|plan| plan.transform_up(without_repeated_keys))
}

/// A join whose conditions say what may be forgotten of its keys: `… = NULL` and its like, which are no keys any more, and
/// keys over several of the inputs that a tree of joins has.
fn with_conditions(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    if !inner(&plan) {
        return Ok(Transformed::no(plan));
    }
    let LogicalPlan::Join(mut join) = plan else { return Ok(Transformed::no(plan)) };
    let is_constant = |(left, right): &(Expr, Expr)| left.column_refs().is_empty() || right.column_refs().is_empty();
    let (constants, keys): (Vec<_>, Vec<_>) = join.on.into_iter().partition(is_constant);
    let mut conditions = equalities(constants);
    let spanning = keys.iter().filter(|(left, right)| spans(left, &join.left) || spans(right, &join.right));
    conditions.extend(equalities(spanning.cloned()));
    join.on = keys;
    if conditions.is_empty() {
        return Ok(Transformed::no(LogicalPlan::Join(join)));
    }
    join.filter = conjunction(join.filter.into_iter().chain(conditions));
    Ok(Transformed::yes(LogicalPlan::Join(join)))
}

/// Whether an expression has columns of several of the inputs that a tree of joins has.
fn spans(expression: &Expr, plan: &LogicalPlan) -> bool {
    let LogicalPlan::Join(join) = plan else { return false };
    if !inner(plan) {
        return false;
    }
    let columns = expression.column_refs();
    match [&join.left, &join.right]
        .into_iter()
        .find(|side| columns.iter().all(|column| side.schema().has_column(column)))
    {
        Some(side) => spans(expression, side),
        None => true,
    }
}

/// A filter over a tree of joins without what is a key in it.
fn without_repeated_keys(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Filter(filter) = plan else { return Ok(Transformed::no(plan)) };
    let mut keys = HashSet::new();
    match filter.input.as_ref() {
        LogicalPlan::Projection(projection) => keys_of(&projection.input, &mut keys),
        joins => keys_of(joins, &mut keys),
    }
    let conditions = split_conjunction(&filter.predicate);
    let kept: Vec<_> = conditions.iter().filter(|condition| !keys.contains(**condition)).collect();
    if kept.len() == conditions.len() {
        return Ok(Transformed::no(LogicalPlan::Filter(filter)));
    }
    let kept = conjunction(kept.into_iter().map(|condition| (*condition).clone()));
    Ok(Transformed::yes(match kept {
        Some(predicate) => LogicalPlan::Filter(Filter::try_new(predicate, filter.input)?),
        None => Arc::unwrap_or_clone(filter.input),
    }))
}

/// The keys of a tree of inner joins, as conditions, in either order of their sides.
fn keys_of(plan: &LogicalPlan, keys: &mut HashSet<Expr>) {
    let LogicalPlan::Join(join) = plan else { return };
    if !inner(plan) || pairs_nulls(plan) {
        return;
    }
    for (left, right) in &join.on {
        keys.extend([left.clone().eq(right.clone()), right.clone().eq(left.clone())]);
    }
    keys_of(&join.left, keys);
    keys_of(&join.right, keys);
}

fn equalities(keys: impl IntoIterator<Item = (Expr, Expr)>) -> Vec<Expr> {
    keys.into_iter().map(|(left, right)| left.eq(right)).collect()
}

fn pairs_nulls(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Join(Join { null_equality: NullEquality::NullEqualsNull, .. }))
}

fn inner(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Join(Join { join_type: JoinType::Inner, .. }))
}
