//! References from a subquery to the query around it: which there are, and what binds them.

use std::{collections::BTreeSet, sync::Arc};

use datafusion::{
    common::{
        Column, DFSchema, Result,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    logical_expr::{
        Expr, LogicalPlan, Subquery,
        expr::{AggregateFunction, Exists, InSubquery, SetComparison},
        expr_rewriter::NamePreserver,
    },
};

/// Columns of queries around a subquery.
pub(super) type Outer = BTreeSet<Column>;

/// All columns of outer queries that a plan refers to, whichever query around it they belong to.
pub(super) fn references(plan: &LogicalPlan) -> Result<Outer> {
    let mut found = Outer::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Extension(extension) = node
            && let Some((_, plan)) = super::once::within(extension.node.as_ref())
        {
            found.extend(references(plan)?);
        }
        node.apply_expressions(|expression| {
            collect(expression, &mut found)?;
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(found)
}

/// The columns of outer queries that an expression refers to by itself, not through a subquery.
pub(super) fn references_of(expression: &Expr) -> Result<Outer> {
    let mut found = Outer::new();
    collect(expression, &mut found)?;
    Ok(found)
}

fn collect(expression: &Expr, found: &mut Outer) -> Result<()> {
    expression.apply(|expression| {
        if let Expr::OuterReferenceColumn(_, column) = expression {
            found.insert(column.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// The query of an expression that is a subquery.
pub(super) fn subquery_of(expression: &Expr) -> Option<&LogicalPlan> {
    Some(match expression {
        Expr::ScalarSubquery(subquery) => subquery.subquery.as_ref(),
        Expr::Exists(exists) => exists.subquery.subquery.as_ref(),
        Expr::InSubquery(within) => within.subquery.subquery.as_ref(),
        Expr::SetComparison(comparison) => comparison.subquery.subquery.as_ref(),
        _ => return None,
    })
}

/// Whether an aggregate over rows of this schema belongs to a query around the one that calls it: all columns that its
/// arguments, its FILTER and its ORDER BY name are columns of such, and there is one.
pub(super) fn is_of_outer(call: &AggregateFunction, own: &DFSchema) -> Result<bool> {
    let params = &call.params;
    let parts = params.args.iter().chain(params.filter.as_deref()).chain(params.order_by.iter().map(|key| &key.expr));
    let (mut names_own, mut names_outer) = (false, false);
    for part in parts {
        part.apply(|part| {
            match part {
                Expr::Column(_) => names_own = true,
                Expr::OuterReferenceColumn(..) => names_outer = true,
                _ => {}
            }
            if let Some(subquery) = subquery_of(part) {
                for column in free_references(subquery)? {
                    let is_own = own.has_column(&column);
                    names_own |= is_own;
                    names_outer |= !is_own;
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    Ok(names_outer && !names_own)
}

/// The references of a subquery that nothing within it answers.
fn free_references(plan: &LogicalPlan) -> Result<Outer> {
    let mut found = references(plan)?;
    plan.apply_with_subqueries(|node| {
        found.retain(|column| !node.schema().has_column(column));
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// Whether a plan refers to any of these columns.
pub(super) fn refers(plan: &LogicalPlan, outer: &Outer) -> Result<bool> {
    Ok(!references(plan)?.is_disjoint(outer))
}

/// Whether an expression refers to any of these columns.
pub(super) fn expression_refers(expression: &Expr, outer: &Outer) -> Result<bool> {
    Ok(!references_of(expression)?.is_disjoint(outer))
}

/// The references that columns of this schema answer. The innermost query that has a column of the name answers.
pub(super) fn answered(references: &Outer, schema: &DFSchema) -> Outer {
    references.iter().filter(|column| schema.has_column(column)).cloned().collect()
}

/// The expression with outer references replaced where `bound` knows a column for them.
pub(super) fn bind(expression: Expr, bound: impl Fn(&Column) -> Option<Expr>) -> Result<Expr> {
    let replace = |expression: Expr| match &expression {
        Expr::OuterReferenceColumn(_, column) => Ok(match bound(column) {
            Some(bound) => Transformed::yes(bound),
            None => Transformed::no(expression),
        }),
        _ => Ok(Transformed::no(expression)),
    };
    expression.transform_up(replace).data()
}

/// The expression for use inside a subquery: its columns become references to the query around it.
pub(in crate::planning) fn from_within(expression: Expr, schema: &DFSchema) -> Result<Expr> {
    let replace = |expression: Expr| match expression {
        Expr::Column(column) => {
            let (_, field) = schema.qualified_field_from_column(&column)?;
            Ok(Transformed::yes(Expr::OuterReferenceColumn(field.clone(), column)))
        }
        other => Ok(Transformed::no(other)),
    };
    expression.transform_up(replace).data()
}

/// The expression as the query around a subquery sees it: references to these columns are its own columns.
pub(super) fn from_outside(expression: Expr, outer: &Outer) -> Result<Expr> {
    bind(expression, |column| outer.contains(column).then(|| Expr::Column(column.clone())))
}

/// The expression with its subqueries' references to one outer column as references to another.
pub(super) fn renamed(expression: Expr, from: &Column, to: &str) -> Result<Expr> {
    let to = Column::new_unqualified(to);
    let each = |expression: Expr| match expression {
        Expr::OuterReferenceColumn(field, column) if column == *from => {
            Ok(Transformed::yes(Expr::OuterReferenceColumn(field, to.clone())))
        }
        other => Ok(Transformed::no(other)),
    };
    // A column without a name is called by its expression, and known by that above.
    let plan = |plan: LogicalPlan| {
        plan.transform_down_with_subqueries(|node| {
            let names = NamePreserver::new(&node);
            node.map_expressions(|expression| {
                let name = names.save(&expression);
                Ok(expression.transform_up(each)?.update_data(|expression| name.restore(expression)))
            })
        })
    };
    let subquery = |subquery: Subquery| -> Result<Subquery> {
        let inner = Arc::unwrap_or_clone(subquery.subquery);
        Ok(Subquery { subquery: Arc::new(plan(inner)?.data), ..subquery })
    };
    let replace = |expression: Expr| {
        Ok(Transformed::yes(match expression {
            Expr::ScalarSubquery(inner) => Expr::ScalarSubquery(subquery(inner)?),
            Expr::Exists(exists) => Expr::Exists(Exists { subquery: subquery(exists.subquery)?, ..exists }),
            Expr::InSubquery(within) => Expr::InSubquery(InSubquery { subquery: subquery(within.subquery)?, ..within }),
            Expr::SetComparison(comparison) => {
                Expr::SetComparison(SetComparison { subquery: subquery(comparison.subquery)?, ..comparison })
            }
            other => return Ok(Transformed::no(other)),
        }))
    };
    expression.transform_up(replace).data()
}
