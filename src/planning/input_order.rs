//! Aggregates whose result shows an order that they do not state.
//!
//! `SELECT string_agg(x, ',') FROM (SELECT x FROM t ORDER BY y) AS q` joins texts in the order of y in PostgreSQL. The query
//! engine forgets that order, or takes the rows from several partitions as they come. So the aggregate is told to order its
//! rows by what the subquery orders by, which becomes a column of it where it is none. Where nothing says an order, DISTINCT
//! gives the values sorted, as in PostgreSQL: they are sorted when they have become few.

use std::sync::Arc;

use datafusion::{
    common::{
        Column, DFSchema, Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult},
    },
    functions_aggregate::array_agg::array_agg_udaf,
    functions_nested::expr_fn::{array_sort, array_to_string},
    logical_expr::{
        Aggregate, Expr, ExprSchemable, Filter, Limit, LogicalPlan, Projection, Sort, SortExpr, SubqueryAlias,
        expr::{AggregateFunction, Alias},
        lit,
    },
    optimizer::AnalyzerRule,
};

use super::{
    interval_lengths::is_interval,
    told::{is_jsonb, said},
};
use crate::pgtype::told;

/// An aggregate that shows the order of its rows.
const ARRAY: &str = "array_agg";

/// The other one.
const TEXT: &str = "string_agg";

/// See the module. It runs while subqueries are what they were written as.
#[derive(Debug)]
pub(super) struct KeepInputOrder;

impl AnalyzerRule for KeepInputOrder {
    fn name(&self) -> &str {
        "keep_input_order"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let mut names = Names(0);
        plan.transform_up_with_subqueries(|node| {
            let LogicalPlan::Aggregate(aggregate) = node else { return Ok(Transformed::no(node)) };
            let has = |distinct| {
                move |call: &Expr| unordered(call).is_some_and(|function| function.params.distinct == distinct)
            };
            let aggregate = match aggregate.aggr_expr.iter().any(has(false)) {
                true => in_order(aggregate, &mut names)?,
                false => Transformed::no(aggregate),
            };
            match aggregate.data.aggr_expr.iter().any(has(true)) {
                true => Ok(Transformed::yes(sorted(aggregate.data, &mut names)?)),
                false => Ok(aggregate.update_data(LogicalPlan::Aggregate)),
            }
        })
        .data()
    }
}

/// Names that nothing in a statement has.
struct Names(usize);

impl Names {
    fn next(&mut self) -> String {
        self.0 += 1;
        format!("__order_{}", self.0)
    }
}

/// The call that would show an order and states none.
fn unordered(call: &Expr) -> Option<&AggregateFunction> {
    match call {
        Expr::Alias(Alias { expr, .. }) => unordered(expr),
        Expr::AggregateFunction(function) => {
            let shows = [ARRAY, TEXT].contains(&function.func.name()) && function.params.order_by.is_empty();
            shows.then_some(function)
        }
        _ => None,
    }
}

/// The aggregate with the order of its input in the calls that take all values.
fn in_order(aggregate: Aggregate, names: &mut Names) -> Result<Transformed<Aggregate>> {
    let Some((input, keys)) = ordered(&aggregate.input, names)? else { return Ok(Transformed::no(aggregate)) };
    let order: Vec<SortExpr> = keys.iter().map(|key| key.of(&input)).collect();
    // Its columns keep their names, which those above know.
    let groups = aggregate.schema.fields().len() - aggregate.aggr_expr.len();
    let calls = aggregate.aggr_expr.into_iter().enumerate().map(|(at, call)| match unordered(&call) {
        Some(function) if !function.params.distinct => {
            let mut function = function.clone();
            function.params.order_by.clone_from(&order);
            let (qualifier, field) = aggregate.schema.qualified_field(groups + at);
            Expr::AggregateFunction(function).alias_qualified(qualifier.cloned(), field.name())
        }
        _ => call,
    });
    let calls = calls.collect();
    Ok(Transformed::yes(Aggregate::try_new(Arc::new(input), aggregate.group_expr, calls)?))
}

/// The aggregate below a projection that sorts the values of the calls that take each once.
fn sorted(aggregate: Aggregate, names: &mut Names) -> Result<LogicalPlan> {
    let groups = aggregate.schema.fields().len() - aggregate.aggr_expr.len();
    let of = Arc::clone(aggregate.input.schema());
    let mut shown: Vec<Expr> = aggregate.schema.columns().into_iter().map(Expr::Column).take(groups).collect();
    let mut calls = Vec::with_capacity(aggregate.aggr_expr.len());
    for (at, call) in aggregate.aggr_expr.into_iter().enumerate() {
        let (qualifier, field) = aggregate.schema.qualified_field(groups + at);
        let distinct = unordered(&call).filter(|function| function.params.distinct && !sorts_itself(function, &of));
        let distinct = distinct.cloned();
        let Some(mut function) = distinct else {
            shown.push(Expr::Column(Column::new(qualifier.cloned(), field.name())));
            calls.push(call);
            continue;
        };
        let name = names.next();
        let values = array_sort(Expr::Column(Column::new_unqualified(&name)), lit("ASC"), lit("NULLS LAST"));
        let value = match (function.func.name(), function.params.args.as_slice()) {
            (TEXT, [text, between]) => {
                let (text, between) = (text.clone(), between.clone());
                let known = text.clone().is_not_null();
                let filter = function.params.filter.take();
                function.params.filter = Some(Box::new(filter.map_or(known.clone(), |filter| filter.and(known))));
                function.params.args = vec![text];
                function.func = array_agg_udaf();
                array_to_string(values, between)
            }
            // The engine's function forgets what the elements are.
            _ => match told(field) {
                Some(told) => said(values, field.data_type().clone(), Some(told)),
                None => values,
            },
        };
        shown.push(value.alias_qualified(qualifier.cloned(), field.name()));
        calls.push(Expr::AggregateFunction(function).alias(name));
    }
    let aggregate = Aggregate::try_new(aggregate.input, aggregate.group_expr, calls)?;
    let aggregated = Arc::new(LogicalPlan::Aggregate(aggregate));
    Ok(LogicalPlan::Projection(Projection::try_new(shown, aggregated)?))
}

/// Whether a call with DISTINCT puts its values in their order by itself: bytes, intervals, which are sorted by their lengths,
/// and values of `jsonb`, which are by their keys.
fn sorts_itself(call: &AggregateFunction, schema: &DFSchema) -> bool {
    let Some(value) = call.params.args.first() else { return false };
    value.get_type(schema).is_ok_and(|own| match call.func.name() {
        TEXT => own.is_binary(),
        _ => is_interval(&own) || is_jsonb(value, schema),
    })
}

/// One key of an order: the position of a column.
#[derive(Clone, Copy)]
struct Key {
    column: usize,
    asc: bool,
    nulls_first: bool,
}

impl Key {
    fn of(self, plan: &LogicalPlan) -> SortExpr {
        column(plan, self.column).sort(self.asc, self.nulls_first)
    }
}

fn column(plan: &LogicalPlan, at: usize) -> Expr {
    Expr::Column(Column::from(plan.schema().qualified_field(at)))
}

/// The plan with the columns that it is ordered by, its own first; none where it is in no order that is stated.
fn ordered(plan: &LogicalPlan, names: &mut Names) -> Result<Option<(LogicalPlan, Vec<Key>)>> {
    Ok(Some(match plan {
        LogicalPlan::Sort(sort) => {
            let mut shown: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
            let own = shown.len();
            let keys: Vec<Key> = sort
                .expr
                .iter()
                .map(|key| Key {
                    column: position(&mut shown, &key.expr, names),
                    asc: key.asc,
                    nulls_first: key.nulls_first,
                })
                .collect();
            if shown.len() == own {
                return Ok(Some((plan.clone(), keys)));
            }
            // Each key is computed once, below the sort.
            let input = LogicalPlan::Projection(Projection::try_new(shown, Arc::clone(&sort.input))?);
            let expr = keys.iter().map(|key| key.of(&input)).collect();
            (LogicalPlan::Sort(Sort { expr, input: Arc::new(input), fetch: sort.fetch }), keys)
        }
        LogicalPlan::Projection(projection) => {
            let Some((input, mut keys)) = ordered(&projection.input, names)? else { return Ok(None) };
            let mut shown = projection.expr.clone();
            for key in &mut keys {
                key.column = position(&mut shown, &column(&input, key.column), names);
            }
            (LogicalPlan::Projection(Projection::try_new(shown, Arc::new(input))?), keys)
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let Some((input, keys)) = ordered(&alias.input, names)? else { return Ok(None) };
            (LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(input), alias.alias.clone())?), keys)
        }
        LogicalPlan::Filter(filter) => {
            let Some((input, keys)) = ordered(&filter.input, names)? else { return Ok(None) };
            (LogicalPlan::Filter(Filter::try_new(filter.predicate.clone(), Arc::new(input))?), keys)
        }
        LogicalPlan::Limit(limit) => {
            let Some((input, keys)) = ordered(&limit.input, names)? else { return Ok(None) };
            (LogicalPlan::Limit(Limit { input: Arc::new(input), ..limit.clone() }), keys)
        }
        _ => return Ok(None),
    }))
}

/// Where an expression is among those that are shown; it is added where it is not.
fn position(shown: &mut Vec<Expr>, wanted: &Expr, names: &mut Names) -> usize {
    let same = |known: &Expr| !wanted.is_volatile() && known.clone().unalias() == *wanted;
    shown.iter().position(same).unwrap_or_else(|| {
        shown.push(wanted.clone().alias(names.next()));
        shown.len() - 1
    })
}
