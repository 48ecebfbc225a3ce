//! Joins on pairs of expressions, some of which take NULL for a value.

use std::sync::Arc;

use datafusion::{
    common::{JoinConstraint, JoinType, NullEquality, Result},
    logical_expr::{
        Expr, Join, LogicalPlan, lit,
        utils::{conjunction, split_conjunction},
    },
};

use super::unsupported;

/// A join on pairs of expressions.
pub(super) fn join(
    left: LogicalPlan,
    right: LogicalPlan,
    on: Vec<(Expr, Expr)>,
    filter: Option<Expr>,
    join_type: JoinType,
    null_equals_null: bool,
) -> Result<LogicalPlan> {
    let equality = if null_equals_null { NullEquality::NullEqualsNull } else { NullEquality::NullEqualsNothing };
    let filter = match (&filter, on.is_empty(), join_type) {
        // Only an inner join may do without a condition.
        (None, true, other) if other != JoinType::Inner => Some(lit(true)),
        _ => filter,
    };
    let (left, right) = (Arc::new(left), Arc::new(right));
    Ok(LogicalPlan::Join(Join::try_new(left, right, on, filter, join_type, JoinConstraint::On, equality, false)?))
}

/// A join on its own pairs, and on those of the domain, of whose values NULL is one.
pub(super) fn join_with(
    left: LogicalPlan,
    right: LogicalPlan,
    own: Vec<(Expr, Expr)>,
    domain: Vec<(Expr, Expr)>,
    filter: Option<Expr>,
    (join_type, null_equals_null): (JoinType, bool),
    null_aware: bool,
) -> Result<LogicalPlan> {
    if null_aware && !domain.is_empty() {
        return Err(unsupported("NOT IN over a subquery that refers to two queries around it"));
    }
    if domain.is_empty() {
        let mut joined = join(left, right, own, filter, join_type, null_equals_null)?;
        if let LogicalPlan::Join(joined) = &mut joined {
            joined.null_aware = null_aware;
        }
        return Ok(joined);
    }
    let mut conditions: Vec<Expr> = filter.into_iter().collect();
    if !null_equals_null {
        conditions.extend(own.iter().map(|(left, _)| left.clone().is_not_null()));
    }
    let on = domain.into_iter().chain(own).collect();
    // Equations in the filter would be taken for pairs in which NULL is a value.
    let conditions = conditions.into_iter().flat_map(|condition| {
        split_conjunction(&condition)
            .into_iter()
            .map(|condition| hidden_equation(condition.clone()))
            .collect::<Vec<_>>()
    });
    join(left, right, on, conjunction(conditions.collect::<Vec<_>>()), join_type, true)
}

/// `a = b` in a form that is not taken for a pair of the join.
fn hidden_equation(condition: Expr) -> Expr {
    match &condition {
        Expr::BinaryExpr(binary) if binary.op == datafusion::logical_expr::Operator::Eq => {
            Expr::IsTrue(Box::new(condition))
        }
        _ => condition,
    }
}
