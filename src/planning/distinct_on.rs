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
        Distinct, DistinctOn, Expr, Filter, LogicalPlan, Projection, Window, WindowFrame, expr::WindowFunction, lit,
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
    // The order that picks the first is also that of the result.
    if let Some(expr) = distinct.sort_expr {
        plan = LogicalPlan::Sort(datafusion::logical_expr::Sort { expr, input: Arc::new(plan), fetch: None });
    }
    let named = distinct.select_expr.into_iter().enumerate().map(|(at, expression)| {
        let (qualifier, field) = distinct.schema.qualified_field(at);
        match &expression {
            Expr::Column(column) if column.relation.as_ref() == qualifier && column.name == *field.name() => expression,
            _ => expression.unalias().alias_qualified(qualifier.cloned(), field.name()),
        }
    });
    Ok(LogicalPlan::Projection(Projection::try_new(named.collect(), Arc::new(plan))?))
}
