//! Lists whose items are computed are compared item by item, and the greatest and the least of arrays are found by PostgreSQL's
//! order of them.
//!
//! The engine evaluates a list over no rows to find out whether it is constant. A CASE or a COALESCE that would come to a
//! constant for a row answers with that constant there, and the list was taken to have it for all rows. Among arrays it takes
//! NULL for the least element.

use datafusion::{
    common::{DFSchema, Result, config::ConfigOptions, tree_node::Transformed},
    logical_expr::{Case, Expr, ExprSchemable, LogicalPlan, expr::InList, not, utils::disjunction},
    optimizer::analyzer::AnalyzerRule,
};

use super::steps;
use crate::{
    functions::{self, Function},
    pgtype::element,
};

/// The rule; see the module. It comes when types are settled.
#[derive(Debug)]
pub(super) struct CompareItems;

impl AnalyzerRule for CompareItems {
    fn name(&self) -> &str {
        "compare_items"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let concerns = |step: &Expr| has_computed_items(step) || chosen(step).is_some();
        steps::change(plan, concerns, |step, schema| match chosen(&step) {
            Some((values, comes)) => one_of_arrays(values, comes, schema)
                .map(|found| found.map_or_else(|| Transformed::no(step.clone()), Transformed::yes)),
            None => item_by_item(step, schema),
        })
    }
}

/// The values of which a step has the greatest or the least, and what tells that another is rather it. Each is looked at several
/// times, so that many of them are left to the engine.
fn chosen(step: &Expr) -> Option<(&[Expr], &'static Function)> {
    let Expr::ScalarFunction(call) = step else { return None };
    let comes = match call.func.name() {
        "greatest" => &functions::ARRAY_LT,
        "least" => &functions::ARRAY_GT,
        _ => return None,
    };
    let are_stable = call.args.iter().all(|value| !value.is_volatile());
    (are_stable && (2..=4).contains(&call.args.len())).then_some((call.args.as_slice(), comes))
}

/// The greatest or the least of arrays, the first of those that are equal; none of other values.
fn one_of_arrays(values: &[Expr], comes: &'static Function, schema: &DFSchema) -> Result<Option<Expr>> {
    for value in values {
        if element(&value.get_type(schema)?).is_none() {
            return Ok(None);
        }
    }
    let better = |best: Expr, next: Expr| {
        let is_better = functions::called(comes, vec![best.clone(), next.clone()]);
        let is_null = best.clone().is_null();
        let whens = [is_null, is_better].map(|when| (Box::new(when), Box::new(next.clone())));
        Expr::Case(Case::new(None, Vec::from(whens), Some(Box::new(best))))
    };
    Ok(values.iter().cloned().reduce(better))
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
