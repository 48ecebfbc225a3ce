//! Walks through the steps of a plan's expressions, for rules that change some of them where they stand.

use datafusion::{
    common::{
        DFSchema, Result, ScalarValue,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    logical_expr::{
        Between, BinaryExpr, Case, Expr, LogicalPlan, Operator, expr::InList, expr_rewriter::NamePreserver, lit,
        utils::merge_schema,
    },
};

/// Whether one of a node's expressions has a step that `concerns`.
pub(crate) fn any(node: &LogicalPlan, concerns: impl Fn(&Expr) -> bool) -> Result<bool> {
    let mut found = false;
    node.apply_expressions(|expression| {
        found = expression.exists(|step| Ok(concerns(step)))?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// Changes the steps of a plan's expressions under their names; a node without any that `concerns` stays as it is.
pub(super) fn change(
    plan: LogicalPlan,
    concerns: impl Fn(&Expr) -> bool,
    change: impl Fn(Expr, &DFSchema) -> Result<Transformed<Expr>>,
) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| {
        if !any(&node, &concerns)? {
            return Ok(Transformed::no(node));
        }
        let schema = columns_of(&node)?;
        keep_names(node, |expression| expression.transform_up(|step| change(step, &schema)))
    })
    .data()
}

/// The columns that a node's expressions are of: those of its inputs, and a scan's are those of its table, which need not yield
/// what its conditions ask.
pub(super) fn columns_of(node: &LogicalPlan) -> Result<DFSchema> {
    match node {
        LogicalPlan::TableScan(scan) => {
            DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())
        }
        node => Ok(merge_schema(&node.inputs())),
    }
}

/// The plan with changed expressions under their names, by which the plans above know them.
pub(super) fn keep_names(
    plan: LogicalPlan,
    mut change: impl FnMut(Expr) -> Result<Transformed<Expr>>,
) -> Result<Transformed<LogicalPlan>> {
    let names = NamePreserver::new(&plan);
    let mut named = |expression: Expr| {
        let name = names.save(&expression);
        let changed = change(expression)?;
        Ok(changed.update_data(|expression| name.restore(expression)))
    };
    plan.map_expressions(|expression| match expression {
        // The keys have names, the sets have none.
        Expr::GroupingSet(_) => expression.map_children(&mut named),
        expression => named(expression),
    })
}

/// What `nullif` makes of a value that is looked at twice: NULL if it is the other, by whichever comparison.
pub(super) fn null_if(value: &Expr, is_other: Expr, null: ScalarValue) -> Expr {
    let branches = vec![(Box::new(is_other), Box::new(lit(null)))];
    Expr::Case(Case::new(None, branches, Some(Box::new(value.clone()))))
}

/// Whether an operator compares its operands.
pub(super) fn is_comparison(operator: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// The operands that a step compares with one another, if it does: those of CASE with a value too.
pub(super) fn compared(step: &mut Expr) -> Option<Vec<&mut Expr>> {
    Some(match step {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => vec![left.as_mut(), right.as_mut()],
        Expr::Between(Between { expr, low, high, .. }) => vec![expr.as_mut(), low.as_mut(), high.as_mut()],
        Expr::InList(InList { expr, list, .. }) => std::iter::once(expr.as_mut()).chain(list).collect(),
        Expr::Case(Case { expr: Some(value), when_then_expr, .. }) => {
            let whens = when_then_expr.iter_mut().map(|(when, _)| when.as_mut());
            std::iter::once(value.as_mut()).chain(whens).collect()
        }
        _ => return None,
    })
}

/// Whether a step compares values, or a text with a pattern.
pub(super) fn compares(step: &Expr) -> bool {
    match step {
        Expr::BinaryExpr(BinaryExpr { op, .. }) => op.supports_propagation(),
        Expr::Between(_) | Expr::InList(_) => true,
        _ => false,
    }
}
