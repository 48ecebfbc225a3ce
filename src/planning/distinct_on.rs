//! `DISTINCT ON` as the first row of each group.
//!
//! The engine's own rule makes it an aggregate of the first value of each column, which fails where two columns are the
//! same expression, and loses the expression that is both grouped by and selected.

use std::sync::Arc;

use datafusion::{
    common::{
        Column, Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult},
    },
    functions_window::row_number::row_number_udwf,
    logical_expr::{
        Distinct, DistinctOn, Expr, Filter, LogicalPlan, Projection, Sort, Window, WindowFrame, expr::WindowFunction,
        lit,
    },
    optimizer::analyzer::AnalyzerRule,
};

/// The analyzer rule; see the module.
#[derive(Debug)]
pub(super) struct FirstOfEach;

/// No column of a table has it.
const NUMBER: &str = "__first_of_each";

impl AnalyzerRule for FirstOfEach {
    fn name(&self) -> &str {
        "first_of_each"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let first = |node| match node {
            LogicalPlan::Distinct(Distinct::On(distinct)) => Ok(Transformed::yes(first_of_each(distinct)?)),
            other => Ok(Transformed::no(other)),
        };
        plan.transform_up_with_subqueries(first).data()
    }
}

fn first_of_each(distinct: DistinctOn) -> Result<LogicalPlan> {
    let mut call = WindowFunction::new(row_number_udwf(), Vec::new());
    call.params.partition_by = distinct.on_expr;
    call.params.order_by = distinct.sort_expr.clone().unwrap_or_default();
    call.params.window_frame = WindowFrame::new((!call.params.order_by.is_empty()).then_some(false));
    let number = Expr::WindowFunction(Box::new(call)).alias(NUMBER);
    let numbered = LogicalPlan::Window(Window::try_new(vec![number], distinct.input)?);
    let is_first = Expr::Column(Column::new_unqualified(NUMBER)).lt_eq(lit(1_u64));
    let mut plan = LogicalPlan::Filter(Filter::try_new(is_first, Arc::new(numbered))?);
    // The order that picks the first is also that of the result: of its own columns, where it shows all that it is by.
    let mut shown = Vec::new();
    if let Some(sorts) = distinct.sort_expr {
        for sort in &sorts {
            let same = |selected: &Expr| selected.clone().unalias() == sort.expr.clone().unalias();
            let Some(at) = distinct.select_expr.iter().position(same) else { break };
            let column = Column::from(distinct.schema.qualified_field(at));
            shown.push(Expr::Column(column).sort(sort.asc, sort.nulls_first));
        }
        if shown.len() < sorts.len() {
            shown.clear();
            plan = LogicalPlan::Sort(Sort { expr: sorts, input: Arc::new(plan), fetch: None });
        }
    }
    let named = distinct.select_expr.into_iter().enumerate().map(|(at, expression)| {
        let (qualifier, field) = distinct.schema.qualified_field(at);
        match &expression {
            Expr::Column(column) if column.relation.as_ref() == qualifier && column.name == *field.name() => expression,
            _ => expression.unalias().alias_qualified(qualifier.cloned(), field.name()),
        }
    });
    let projected = LogicalPlan::Projection(Projection::try_new(named.collect(), Arc::new(plan))?);
    Ok(match shown.is_empty() {
        true => projected,
        false => LogicalPlan::Sort(Sort { expr: shown, input: Arc::new(projected), fetch: None }),
    })
}
