//! `DISTINCT ON` as the first row of each group.
//!
//! The engine's own rule makes it an aggregate of the first value of each column, which fails where two columns are the
//! same expression, and loses the expression that is both grouped by and selected. Here all that is selected, grouped by or
//! ordered by is a column, computed once, before rows are numbered by it.

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
    let mut computed = Computed::default();
    let selected: Vec<Expr> =
        distinct.select_expr.into_iter().map(|expression| computed.selected(expression)).collect();
    let groups = distinct.on_expr.into_iter().map(|expression| computed.column(expression)).collect();
    let sorts: Vec<_> = distinct
        .sort_expr
        .unwrap_or_default()
        .into_iter()
        .map(|sort| computed.column(sort.expr).sort(sort.asc, sort.nulls_first))
        .collect();
    let rows = LogicalPlan::Projection(Projection::try_new(computed.named(), distinct.input)?);
    let mut call = WindowFunction::new(row_number_udwf(), Vec::new());
    call.params.partition_by = groups;
    call.params.window_frame = WindowFrame::new((!sorts.is_empty()).then_some(false));
    call.params.order_by = sorts.clone();
    let number = Expr::WindowFunction(Box::new(call)).alias(NUMBER);
    let numbered = LogicalPlan::Window(Window::try_new(vec![number], Arc::new(rows))?);
    let is_first = Expr::Column(Column::new_unqualified(NUMBER)).lt_eq(lit(1_u64));
    let mut plan = LogicalPlan::Filter(Filter::try_new(is_first, Arc::new(numbered))?);
    // The order that picks the first is also that of the result.
    if !sorts.is_empty() {
        plan = LogicalPlan::Sort(Sort { expr: sorts, input: Arc::new(plan), fetch: None });
    }
    let named = selected.into_iter().enumerate().map(|(at, column)| {
        let (qualifier, field) = distinct.schema.qualified_field(at);
        column.alias_qualified(qualifier.cloned(), field.name())
    });
    Ok(LogicalPlan::Projection(Projection::try_new(named.collect(), Arc::new(plan))?))
}

/// Expressions that are columns of the rows.
#[derive(Default)]
struct Computed {
    expressions: Vec<Expr>,
}

impl Computed {
    /// The column of an expression of the list: `random()` that stands there twice is two.
    fn selected(&mut self, expression: Expr) -> Expr {
        match expression.is_volatile() {
            true => {
                self.expressions.push(expression.unalias());
                Expr::Column(Column::new_unqualified(name(self.expressions.len() - 1)))
            }
            false => self.column(expression),
        }
    }

    /// The column of this expression; the same for the same.
    fn column(&mut self, expression: Expr) -> Expr {
        let expression = expression.unalias();
        let at = self.expressions.iter().position(|known| *known == expression).unwrap_or_else(|| {
            self.expressions.push(expression);
            self.expressions.len() - 1
        });
        Expr::Column(Column::new_unqualified(name(at)))
    }

    fn named(self) -> Vec<Expr> {
        self.expressions.into_iter().enumerate().map(|(at, expression)| expression.alias(name(at))).collect()
    }
}

fn name(at: usize) -> String {
    format!("__distinct_on_{at}")
}
