//! Lists whose items are computed are compared item by item.
//!
//! The engine evaluates a list over no rows to find out whether it is constant. A CASE or a COALESCE that would come to a
//! constant for a row answers with that constant there, and the list was taken to have it for all rows.

use datafusion::{
    common::{DFSchema, Result, config::ConfigOptions, tree_node::Transformed},
    logical_expr::{Expr, LogicalPlan, expr::InList, not, utils::disjunction},
    optimizer::analyzer::AnalyzerRule,
};

use super::steps;

/// The rule; see the module. It comes when types are settled.
#[derive(Debug)]
pub(super) struct CompareItems;

impl AnalyzerRule for CompareItems {
    fn name(&self) -> &str {
        "compare_items"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        steps::change(plan, has_computed_items, item_by_item)
    }
}

fn has_computed_items(step: &Expr) -> bool {
    matches!(step, Expr::InList(found) if found.list.iter().any(is_computed) && !found.expr.is_volatile())
}

/// Whether an item depends on the row and is more than a column.
fn is_computed(item: &Expr) -> bool {
    match item {
        Expr::Column(_) | Expr::Literal(..) => false,
        Expr::Cast(cast) => is_computed(&cast.expr),
        other => !other.column_refs().is_empty(),
    }
}

fn item_by_item(step: Expr, _schema: &DFSchema) -> Result<Transformed<Expr>> {
    if !has_computed_items(&step) {
        return Ok(Transformed::no(step));
    }
    let Expr::InList(InList { expr, list, negated }) = step else { return Ok(Transformed::no(step)) };
    let Some(found) = disjunction(list.into_iter().map(|item| expr.as_ref().clone().eq(item))) else {
        return Ok(Transformed::no(Expr::InList(InList { expr, list: Vec::new(), negated })));
    };
    Ok(Transformed::yes(if negated { not(found) } else { found }))
}
