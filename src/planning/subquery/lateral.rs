//! LATERAL: a join whose right side refers to its left one.

use std::sync::Arc;

use datafusion::{
    common::{
        ExprSchema, JoinType, Result,
        tree_node::{Transformed, TreeNode, TreeNodeRecursion},
    },
    logical_expr::{Expr, Filter, Join, LogicalPlan},
};

use super::{
    Unnester, columns, is_subquery_within,
    joins::join_with,
    outer::{answered, references},
    project,
    push::values,
    unsupported,
};

/// The right side with a condition of its own in the place of the join's, whose subqueries are its own then.
fn filtered(join: &Join, condition: &Expr) -> Result<Filter> {
    let (left, right) = (join.left.schema(), join.right.schema());
    let condition = condition.clone().transform(|part| match part {
        Expr::Column(column) if !right.has_column(&column) => {
            let field = Arc::clone(left.field_from_column(&column)?);
            Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
        }
        other => Ok(Transformed::no(other)),
    });
    Filter::try_new(condition?.data, Arc::clone(&join.right))
}

impl Unnester {
    /// The join without references from its right side to its left one, if there are any.
    pub(super) fn lateral(&mut self, join: &Join) -> Result<Option<LogicalPlan>> {
        let found = references(&join.right)?;
        let here = answered(&found, join.left.schema());
        if here.is_empty() {
            return Ok(None);
        }
        if !matches!(join.join_type, JoinType::Inner | JoinType::Left) {
            return Err(unsupported("LATERAL on the right side of a RIGHT or FULL JOIN"));
        }
        if let Some(condition) = join.filter.as_ref().filter(|condition| is_subquery_within(condition)) {
            let right = self.filter(filtered(join, condition)?)?;
            return self.lateral(&Join { filter: None, right: Arc::new(right), ..join.clone() });
        }
        let kept = columns(&join.schema);
        let left = self.once_for((*join.left).clone(), true)?;
        let right = (*join.right).clone();
        let domain = self.domain(&right, here, &left)?;
        let right = self.push(right, &domain)?;
        let keys = values(&domain, right.schema())?;
        let pairs: Vec<(Expr, Expr)> = domain.outer_values().into_iter().zip(keys).collect();
        let mut own = join.on.clone();
        let mut of_domain = Vec::new();
        match domain.null_is_a_value() {
            true => of_domain = pairs,
            false => own.extend(pairs),
        }
        let joined = join_with(left, right, own, of_domain, join.filter.clone(), (join.join_type, false), false)?;
        project(joined, kept).map(Some)
    }

    /// The plan, computed once where its rows would not be the same a second time.
    pub(super) fn once_for(&mut self, plan: LogicalPlan, needed: bool) -> Result<LogicalPlan> {
        if !needed || super::once::repeats(&plan)? {
            return Ok(plan);
        }
        super::once::once(plan)
    }

    /// The plan around these expressions, as [`Self::once_for`] if one of their subqueries refers to it.
    pub(super) fn once(&mut self, plan: LogicalPlan, expressions: &[Expr]) -> Result<LogicalPlan> {
        let mut needed = false;
        for expression in expressions {
            expression.apply(|expression| {
                if super::is_subquery(expression) {
                    needed |= !answered(&super::about(expression)?, plan.schema()).is_empty();
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        self.once_for(plan, needed)
    }
}
