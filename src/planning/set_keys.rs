//! Names of the keys of grouping sets.
//!
//! A rule that changes a key (`day + 1` becomes `day + INTERVAL '1 day'`) gives it its old name again, by which the rest of the
//! query knows it. The engine gives that name to all the sets together, where no operator can be made of it. Here a key that
//! is computed has its name before any rule changes it.

use datafusion::{
    common::{
        Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    logical_expr::{Aggregate, Expr, LogicalPlan},
    optimizer::AnalyzerRule,
};

/// The rule; see the module. It comes when `grouping()` has found its keys, and before types are settled.
#[derive(Debug)]
pub(super) struct NameSetKeys;

impl AnalyzerRule for NameSetKeys {
    fn name(&self) -> &str {
        "name_set_keys"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Aggregate(aggregate) if has_computed_keys(&aggregate) => {
                let groups = aggregate.group_expr.into_iter().map(named).collect::<Result<_>>()?;
                let named = Aggregate::try_new(aggregate.input, groups, aggregate.aggr_expr)?;
                Ok(Transformed::yes(LogicalPlan::Aggregate(named)))
            }
            other => Ok(Transformed::no(other)),
        })
        .data()
    }
}

fn has_computed_keys(aggregate: &Aggregate) -> bool {
    let [Expr::GroupingSet(sets)] = aggregate.group_expr.as_slice() else { return false };
    sets.distinct_expr().into_iter().any(is_computed)
}

fn is_computed(key: &Expr) -> bool {
    !matches!(key, Expr::Column(_) | Expr::Alias(_))
}

fn named(group: Expr) -> Result<Expr> {
    let name = |key: Expr| {
        if !is_computed(&key) {
            return Ok(Transformed::no(key));
        }
        let (qualifier, name) = key.qualified_name();
        Ok(Transformed::yes(key.alias_qualified(qualifier, name)))
    };
    match group {
        Expr::GroupingSet(_) => group.map_children(name).data(),
        other => Ok(other),
    }
}
