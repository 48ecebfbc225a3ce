//! Scalar subqueries and EXISTS as values.

use std::sync::Arc;

use datafusion::{
    common::{
        Column, JoinType, Result, ScalarValue,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    functions_aggregate::{count::count_udaf, first_last::first_value_udaf},
    logical_expr::{
        Aggregate, Expr, Filter, Limit, LogicalPlan, LogicalPlanBuilder, Projection, Sort, Subquery, SubqueryAlias,
        expr::AggregateFunction, lit, when,
    },
};

use super::{
    Unnester, column, columns,
    domain::Domain,
    expression_at,
    joins::join,
    outer::{Outer, answered, from_outside, references},
    push::{default_of, or_default, values},
    single_row::single_row,
};

/// What a subquery yields, as an expression over one row of aggregates for each value that it depends on.
pub(super) struct Folded {
    pub(super) aggregate: Aggregate,
    pub(super) value: Expr,
}

impl Unnester {
    /// The value of a scalar subquery: NULL where it has no row, an error where it has more than one.
    pub(super) fn scalar(&mut self, plan: LogicalPlan, own: &LogicalPlan, around: &mut LogicalPlan) -> Result<Expr> {
        if references(&plan)?.is_empty() {
            return uncorrelated(plan);
        }
        let folded = match folded(&plan)? {
            Some(folded) => folded,
            None => one_row_of(plan)?,
        };
        self.fold(folded, own, around)
    }

    /// Joins the aggregates of a subquery to the rows around it and returns its value over them.
    pub(super) fn fold(&mut self, folded: Folded, own: &LogicalPlan, around: &mut LogicalPlan) -> Result<Expr> {
        let Folded { aggregate, value } = folded;
        let plan = LogicalPlan::Aggregate(aggregate.clone());
        let mut needed = references(&plan)?;
        needed.extend(super::outer::references_of(&value)?);
        // What another subquery has yielded is not among the columns that were there before.
        let added = needed.iter().any(|column| around.schema().has_column(column) && !own.schema().has_column(column));
        let mut own = if added { around.clone() } else { own.clone() };
        let here = answered(&needed, own.schema());
        let inside = answered(&references(&plan)?, own.schema());
        if added {
            // What the other subquery has read may not be the same a second time.
            own = self.once_for(own, !inside.is_empty())?;
            *around = own.clone();
        }
        let calls = aggregate.aggr_expr.clone();
        let old = Arc::clone(&aggregate.schema);
        let name = self.name("__subquery");
        let right;
        if inside.is_empty() {
            right = LogicalPlanBuilder::from(positional(plan, 0, calls.len())?).alias(name.as_str())?.build()?;
            *around = join(around.clone(), right, Vec::new(), None, JoinType::Left, false)?;
        } else {
            let domain = self.domain(&aggregate.input, inside.clone(), &own);
            let domain = match domain? {
                // What the aggregates themselves refer to has to be computed too.
                found if !found.null_is_a_value() && refers_above(&aggregate, &inside)? => {
                    self.distinct_domain(inside, &own)?
                }
                found => found,
            };
            let grouped = self.group(aggregate, &domain)?;
            let (rows, on) = self.aside(grouped, &domain, &name, calls.len())?;
            *around = join(around.clone(), rows, on, None, JoinType::Left, domain.null_is_a_value())?;
        }
        let mut results = Vec::with_capacity(calls.len());
        for (at, call) in calls.iter().enumerate() {
            results.push(or_default(Expr::Column(column(&name, &format!("v{at}"))), default_of(call)?)?);
        }
        let value = substituted(value, &|column| old.maybe_index_of_column(column).map(|at| results[at].clone()))?;
        from_outside(value, &here)
    }

    /// The grouped rows under a name of their own (`v0`, `v1`, …), and the pairs that join them to the rows around.
    fn aside(
        &mut self,
        grouped: LogicalPlan,
        domain: &Domain,
        name: &str,
        count: usize,
    ) -> Result<(LogicalPlan, Vec<(Expr, Expr)>)> {
        let keys = values(domain, grouped.schema())?;
        let first = keys.len();
        let total = grouped.schema().fields().len();
        let mut expressions: Vec<Expr> = (total - count..total)
            .enumerate()
            .map(|(to, at)| expression_at(grouped.schema(), at).alias(format!("v{to}")))
            .collect();
        let mut on = Vec::with_capacity(first);
        for (at, (key, outer)) in keys.into_iter().zip(domain.outer_values()).enumerate() {
            let key_name = format!("k{at}");
            expressions.push(key.alias(&key_name));
            on.push((outer, Expr::Column(column(name, &key_name))));
        }
        let plan = Projection::try_new(expressions, Arc::new(grouped))?;
        Ok((LogicalPlanBuilder::from(LogicalPlan::Projection(plan)).alias(name)?.build()?, on))
    }

    /// Whether a subquery has a row.
    pub(super) fn exists(&mut self, plan: LogicalPlan, own: &LogicalPlan, around: &mut LogicalPlan) -> Result<Expr> {
        let found = references(&plan)?;
        if found.is_empty() {
            let one = LogicalPlanBuilder::from(plan).limit(0, Some(1))?.build()?;
            let counted = count_of(None);
            let aggregate = Aggregate::try_new(Arc::new(one), Vec::new(), vec![counted])?;
            let count = scalar_of(LogicalPlan::Aggregate(aggregate));
            return Ok(count.gt(lit(0_i64)));
        }
        let here = answered(&found, own.schema());
        if here.is_empty() {
            let one = LogicalPlanBuilder::from(plan).limit(0, Some(1))?.build()?;
            let aggregate = Aggregate::try_new(Arc::new(one), Vec::new(), vec![count_of(None)])?;
            let value = expression_at(&aggregate.schema, 0).gt(lit(0_i64));
            return self.fold(Folded { aggregate, value }, own, around);
        }
        let domain = self.domain(&plan, here, own)?;
        let pushed = self.push(plan, &domain)?;
        let name = self.name("__exists");
        let mut keys = Vec::new();
        let mut on = Vec::new();
        for (at, (key, outer)) in values(&domain, pushed.schema())?.into_iter().zip(domain.outer_values()).enumerate() {
            let key_name = format!("k{at}");
            keys.push(key.alias(&key_name));
            on.push((outer, Expr::Column(column(&name, &key_name))));
        }
        let right = LogicalPlanBuilder::from(pushed).project(keys)?.distinct()?.alias(name.as_str())?.build()?;
        *around = join(around.clone(), right, on, None, JoinType::LeftMark, domain.null_is_a_value())?;
        Ok(Expr::Column(column(&name, "mark")))
    }
}

fn refers_above(aggregate: &Aggregate, outer: &Outer) -> Result<bool> {
    for call in &aggregate.aggr_expr {
        if super::outer::expression_refers(call, outer)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A subquery that depends on nothing around it: the engine computes it once.
fn uncorrelated(plan: LogicalPlan) -> Result<Expr> {
    // An aggregate has one row, and its column says itself whether it may be NULL.
    if matches!(folded(&plan)?, Some(folded) if folded.value.try_as_col().is_some()) {
        return Ok(scalar_of(plan));
    }
    let Folded { aggregate, .. } = one_row_of(plan)?;
    let row = datafusion::functions::expr_fn::named_struct(vec![
        lit("value"),
        expression_at(&aggregate.schema, 0),
        lit("rows"),
        expression_at(&aggregate.schema, 1),
    ]);
    let row = LogicalPlanBuilder::from(LogicalPlan::Aggregate(aggregate)).project([row.alias("row")])?.build()?;
    Ok(single_row(vec![scalar_of(row)]))
}

fn scalar_of(plan: LogicalPlan) -> Expr {
    Expr::ScalarSubquery(Subquery {
        subquery: Arc::new(plan),
        outer_ref_columns: Vec::new(),
        spans: Default::default(),
    })
}

/// The first row's value and how many there are.
fn one_row_of(plan: LogicalPlan) -> Result<Folded> {
    let value = expression_at(plan.schema(), 0);
    let first = Expr::AggregateFunction(AggregateFunction::new_udf(
        first_value_udaf(),
        vec![value],
        false,
        None,
        Vec::new(),
        None,
    ));
    let calls = vec![first.alias("value"), count_of(None).alias("rows")];
    let aggregate = Aggregate::try_new(Arc::new(plan), Vec::new(), calls)?;
    let value = single_row(vec![expression_at(&aggregate.schema, 0), expression_at(&aggregate.schema, 1)]);
    Ok(Folded { aggregate, value })
}

/// `count(*)`, of the rows for which a condition holds.
pub(super) fn count_of(condition: Option<Expr>) -> Expr {
    let all = vec![lit(1_i64)];
    Expr::AggregateFunction(AggregateFunction::new_udf(
        count_udaf(),
        all,
        false,
        condition.map(Box::new),
        Vec::new(),
        None,
    ))
}

/// A plan that is an expression over an aggregate without GROUP BY, as that: it has one row, or with HAVING none.
pub(super) fn folded(plan: &LogicalPlan) -> Result<Option<Folded>> {
    let Some((aggregate, mut values, condition)) = fold_of(plan)? else { return Ok(None) };
    if values.len() != 1 {
        return Ok(None);
    }
    let value = values.remove(0);
    let value = match condition {
        None => value,
        Some(condition) => when(condition, value).end()?,
    };
    Ok((!value.is_volatile()).then_some(Folded { aggregate, value }))
}

type FoldedPlan = (Aggregate, Vec<Expr>, Option<Expr>);

fn fold_of(plan: &LogicalPlan) -> Result<Option<FoldedPlan>> {
    match plan {
        LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty() => {
            Ok(Some((aggregate.clone(), columns(&aggregate.schema), None)))
        }
        LogicalPlan::Projection(Projection { input, expr, .. }) => {
            let Some((aggregate, below, condition)) = fold_of(input)? else { return Ok(None) };
            let above = |expression: &Expr| over(expression.clone().unalias_nested().data, input, &below);
            Ok(Some((aggregate, expr.iter().map(above).collect::<Result<_>>()?, condition)))
        }
        LogicalPlan::SubqueryAlias(SubqueryAlias { input, .. })
        | LogicalPlan::Sort(Sort { input, fetch: None, .. }) => fold_of(input),
        LogicalPlan::Limit(Limit { skip: None, fetch: Some(fetch), input }) if at_least_one(fetch) => fold_of(input),
        LogicalPlan::Filter(Filter { input, predicate, .. }) => {
            let Some((aggregate, below, condition)) = fold_of(input)? else { return Ok(None) };
            let own = over(predicate.clone(), input, &below)?;
            let condition = match condition {
                None => own,
                Some(condition) => condition.and(own),
            };
            Ok(Some((aggregate, below, Some(condition))))
        }
        _ => Ok(None),
    }
}

fn at_least_one(fetch: &Expr) -> bool {
    matches!(fetch, Expr::Literal(ScalarValue::Int64(Some(rows)), _) if *rows >= 1)
}

fn over(expression: Expr, input: &LogicalPlan, below: &[Expr]) -> Result<Expr> {
    substituted(expression, &|column| input.schema().maybe_index_of_column(column).map(|at| below[at].clone()))
}

/// The expression with its columns replaced.
pub(super) fn substituted(expression: Expr, by: &dyn Fn(&Column) -> Option<Expr>) -> Result<Expr> {
    // From the top, so that what was put in is not looked at again.
    let replace = |expression: Expr| {
        let found = match &expression {
            Expr::Column(column) => by(column),
            _ => None,
        };
        Ok(match found {
            Some(found) => Transformed::new(found, true, TreeNodeRecursion::Jump),
            None => Transformed::no(expression),
        })
    };
    expression.transform_down(replace).data()
}

/// The columns of a plan from `first` on as `v0`, `v1`, ….
fn positional(plan: LogicalPlan, first: usize, count: usize) -> Result<LogicalPlan> {
    let named = (0..count).map(|at| expression_at(plan.schema(), first + at).alias(format!("v{at}")));
    let named: Vec<Expr> = named.collect();
    super::project(plan, named)
}
