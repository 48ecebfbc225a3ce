//! Columns that are computed when the rows are sorted.
//!
//! `SELECT pg_terminate_backend(pid) FROM sessions ORDER BY query_start LIMIT 1` ends one session, because PostgreSQL computes
//! what is volatile for the rows that are left, in their order. The query engine sorts what the select list has computed: so
//! what is volatile there, and no key, goes above the sort, and the columns that it is of below.

use std::{collections::HashMap, sync::Arc};

use datafusion::{
    common::{
        Column, Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    logical_expr::{Expr, LogicalPlan, Projection, Sort},
    optimizer::AnalyzerRule,
};

use super::subquery::is_subquery;

/// The rule; see the module. It comes when subqueries have become joins.
#[derive(Debug)]
pub(super) struct ComputeLate;

impl AnalyzerRule for ComputeLate {
    fn name(&self) -> &str {
        "compute_late"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let mut names = Names(0);
        plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Sort(sort) => compute_late(sort, &mut names),
            other => Ok(Transformed::no(other)),
        })
        .data()
    }
}

/// Names that nothing in a statement has.
struct Names(usize);

impl Names {
    fn next(&mut self) -> String {
        self.0 += 1;
        format!("__late_{}", self.0)
    }
}

fn compute_late(mut sort: Sort, names: &mut Names) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Projection(shown) = sort.input.as_ref() else {
        return Ok(Transformed::no(LogicalPlan::Sort(sort)));
    };
    let columns = shown.schema.columns();
    let is_key = |column: &Column| {
        sort.expr.iter().any(|key| key.expr.column_refs().iter().any(|used| used.name == column.name))
    };
    let is_late = |(expression, column): (&Expr, &Column)| {
        expression.is_volatile() && !expression.exists(|step| Ok(has_plan(step))).unwrap_or(true) && !is_key(column)
    };
    let late: Vec<bool> = shown.expr.iter().zip(&columns).map(is_late).collect();
    if !late.contains(&true) {
        return Ok(Transformed::no(LogicalPlan::Sort(sort)));
    }
    // What is computed as before, and under which names what is late finds its columns.
    let mut below: Vec<Expr> = Vec::new();
    let mut found: HashMap<Column, Column> = HashMap::new();
    for ((expression, column), _) in shown.expr.iter().zip(&columns).zip(&late).filter(|(_, late)| !**late) {
        if let Expr::Column(own) = expression {
            found.insert(own.clone(), column.clone());
        }
        below.push(expression.clone());
    }
    let mut above: Vec<Expr> = Vec::new();
    for ((expression, column), late) in shown.expr.iter().zip(&columns).zip(late) {
        if !late {
            above.push(Expr::Column(column.clone()));
            continue;
        }
        let moved = expression.clone().transform_up(|step| {
            let Expr::Column(own) = step else { return Ok(Transformed::no(step)) };
            let kept = found.entry(own).or_insert_with_key(|own| {
                let name = names.next();
                below.push(Expr::Column(own.clone()).alias(&name));
                Column::new_unqualified(name)
            });
            Ok(Transformed::yes(Expr::Column(kept.clone())))
        });
        above.push(moved.data()?.unalias().alias_qualified(column.relation.clone(), &column.name));
    }
    sort.input = Arc::new(LogicalPlan::Projection(Projection::try_new(below, Arc::clone(&shown.input))?));
    let computed = Projection::try_new(above, Arc::new(LogicalPlan::Sort(sort)))?;
    Ok(Transformed::yes(LogicalPlan::Projection(computed)))
}

/// Whether a step has a plan of its own, whose columns are not to be renamed, or makes rows.
fn has_plan(step: &Expr) -> bool {
    is_subquery(step) || matches!(step, Expr::OuterReferenceColumn(..) | Expr::Unnest(_))
}
