//! Aggregates that take their rows in the order of the subquery that they come from.
//!
//! `SELECT string_agg(x, ',') FROM (SELECT x FROM t ORDER BY y) AS q` joins texts in the order of y in PostgreSQL. The query
//! engine forgets that order, or takes the rows from several partitions as they come. So the aggregate is told to order its
//! rows by what the subquery orders by, which becomes a column of it where it is none. With DISTINCT the values are sorted.

use std::sync::Arc;

use datafusion::{
    common::{
        Column, Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    logical_expr::{
        Aggregate, Expr, Filter, Limit, LogicalPlan, Projection, SortExpr, SubqueryAlias,
        expr::{AggregateFunction, Alias},
    },
    optimizer::AnalyzerRule,
};

/// The aggregates that show the order of their rows.
const IN_ORDER: [&str; 2] = ["array_agg", "string_agg"];

/// See the module. It runs while subqueries are what they were written as.
#[derive(Debug)]
pub(super) struct KeepInputOrder;

impl AnalyzerRule for KeepInputOrder {
    fn name(&self) -> &str {
        "keep_input_order"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let mut named = 0;
        let each = |node| match node {
            LogicalPlan::Aggregate(aggregate) if aggregate.aggr_expr.iter().any(shows_order) => {
                in_order(aggregate, &mut named)
            }
            LogicalPlan::Aggregate(aggregate) if aggregate.aggr_expr.iter().any(is_distinct) => sorted(aggregate),
            other => Ok(Transformed::no(other)),
        };
        plan.transform_up_with_subqueries(each).data()
    }
}

/// Whether a call shows the order of its rows and states none.
fn shows_order(call: &Expr) -> bool {
    unordered(call) == Some(false)
}

/// Whether a call that states no order is one of each value.
fn is_distinct(call: &Expr) -> bool {
    unordered(call) == Some(true)
}

/// Whether a call that would show an order, and states none, is one of each value.
fn unordered(call: &Expr) -> Option<bool> {
    match call {
        Expr::Alias(Alias { expr, .. }) => unordered(expr),
        Expr::AggregateFunction(AggregateFunction { func, params })
            if IN_ORDER.contains(&func.name()) && params.order_by.is_empty() =>
        {
            Some(params.distinct)
        }
        _ => None,
    }
}

fn in_order(aggregate: Aggregate, named: &mut usize) -> Result<Transformed<LogicalPlan>> {
    let Some((input, keys)) = ordered(&aggregate.input, named)? else {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    };
    let order: Vec<SortExpr> = keys.iter().map(|key| key.of(&input)).collect();
    with_order(aggregate, Arc::new(input), |call| if is_distinct(call) { by_value(call) } else { order.clone() })
}

/// Of each value one: those are sorted, where nothing else is said.
fn sorted(aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
    let input = Arc::clone(&aggregate.input);
    with_order(aggregate, input, by_value)
}

fn by_value(call: &Expr) -> Vec<SortExpr> {
    match call {
        Expr::Alias(Alias { expr, .. }) => by_value(expr),
        Expr::AggregateFunction(function) => {
            function.params.args.first().map(|value| value.clone().sort(true, false)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The aggregate, whose calls that state no order and would show one get it.
fn with_order(
    aggregate: Aggregate,
    input: Arc<LogicalPlan>,
    order: impl Fn(&Expr) -> Vec<SortExpr>,
) -> Result<Transformed<LogicalPlan>> {
    // Its columns keep their names, which those above know.
    let before = aggregate.schema.fields().len() - aggregate.aggr_expr.len();
    let calls = aggregate.aggr_expr.into_iter().enumerate().map(|(at, call)| {
        if unordered(&call).is_none() {
            return call;
        }
        let order = order(&call);
        let (qualifier, field) = aggregate.schema.qualified_field(before + at);
        match call.unalias() {
            Expr::AggregateFunction(mut function) => {
                function.params.order_by = order;
                Expr::AggregateFunction(function).alias_qualified(qualifier.cloned(), field.name())
            }
            other => other,
        }
    });
    let calls = calls.collect();
    Ok(Transformed::yes(LogicalPlan::Aggregate(Aggregate::try_new(input, aggregate.group_expr, calls)?)))
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
fn ordered(plan: &LogicalPlan, named: &mut usize) -> Result<Option<(LogicalPlan, Vec<Key>)>> {
    Ok(match plan {
        LogicalPlan::Sort(sort) => {
            let known = sort.expr.iter().all(|key| {
                let unknown = |part: &Expr| {
                    matches!(part, Expr::OuterReferenceColumn(..) | Expr::ScalarSubquery(_) | Expr::Exists(_))
                        || matches!(part, Expr::InSubquery(_) | Expr::SetComparison(_))
                };
                !key.expr.is_volatile() && !key.expr.exists(|part| Ok(unknown(part))).unwrap_or(true)
            });
            if !known {
                return Ok(None);
            }
            let mut shown: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
            let own = shown.len();
            let mut keys = Vec::with_capacity(sort.expr.len());
            for key in &sort.expr {
                let at = shown.iter().position(|known| *known == key.expr).unwrap_or_else(|| {
                    shown.push(key.expr.clone().alias(hidden(named)));
                    shown.len() - 1
                });
                keys.push(Key { column: at, asc: key.asc, nulls_first: key.nulls_first });
            }
            let plan = match shown.len() > own {
                true => LogicalPlan::Projection(Projection::try_new(shown, Arc::new(plan.clone()))?),
                false => plan.clone(),
            };
            Some((plan, keys))
        }
        LogicalPlan::Projection(projection) => {
            let Some((input, mut keys)) = ordered(&projection.input, named)? else { return Ok(None) };
            let mut shown = projection.expr.clone();
            for key in &mut keys {
                let wanted = column(&input, key.column);
                key.column = shown.iter().position(|known| known.clone().unalias() == wanted).unwrap_or_else(|| {
                    shown.push(wanted.alias(hidden(named)));
                    shown.len() - 1
                });
            }
            Some((LogicalPlan::Projection(Projection::try_new(shown, Arc::new(input))?), keys))
        }
        LogicalPlan::SubqueryAlias(alias) => ordered(&alias.input, named)?
            .map(|(input, keys)| {
                let aliased = SubqueryAlias::try_new(Arc::new(input), alias.alias.clone())?;
                Ok::<_, datafusion::common::DataFusionError>((LogicalPlan::SubqueryAlias(aliased), keys))
            })
            .transpose()?,
        LogicalPlan::Filter(filter) => ordered(&filter.input, named)?
            .map(|(input, keys)| {
                let filtered = Filter::try_new(filter.predicate.clone(), Arc::new(input))?;
                Ok::<_, datafusion::common::DataFusionError>((LogicalPlan::Filter(filtered), keys))
            })
            .transpose()?,
        LogicalPlan::Limit(limit) => ordered(&limit.input, named)?
            .map(|(input, keys)| (LogicalPlan::Limit(Limit { input: Arc::new(input), ..limit.clone() }), keys)),
        _ => None,
    })
}

/// A name that no column has.
fn hidden(named: &mut usize) -> String {
    *named += 1;
    format!("__order_{named}")
}
