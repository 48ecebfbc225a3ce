//! What a filter of an aggregate, a condition of an outer join, a CASE or an `OR` keeps rows from is not computed for them.
//!
//! DataFusion computes the arguments of `sum(10 / x) FILTER (WHERE x <> 0)` for all rows, and the keys of an outer join for
//! those that its other conditions leave out. A subquery becomes a join, and is computed for all rows around it, also where
//! `CASE WHEN x <> 0 THEN (SELECT 10 / x) END` does not ask for it: what would fail there refers to NULL then.

use std::sync::Arc;

use datafusion::{
    common::{
        DFSchema, Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    logical_expr::{
        BinaryExpr, Expr, Join, JoinType, LogicalPlan, Operator, Subquery,
        expr::{Exists, InSubquery, SetComparison, Sort},
        expr_rewriter::NamePreserver,
        utils::{conjunction, merge_schema, split_conjunction_owned},
        when,
    },
    optimizer::AnalyzerRule,
};

use super::{
    super::{
        ROW_OF,
        arithmetic::can_overflow,
        subquery::{from_within, is_subquery},
    },
    failing::can_fail,
    filters::{joined, reads_only},
};

/// Puts such arguments and keys into CASE.
#[derive(Debug)]
pub(crate) struct GuardArguments;

impl AnalyzerRule for GuardArguments {
    fn name(&self) -> &str {
        "guard_arguments"
    }

    fn analyze(&self, plan: LogicalPlan, _options: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Join(join) if join.join_type != JoinType::Inner => guard_keys(join),
            LogicalPlan::Aggregate(_) | LogicalPlan::Window(_) => guard_calls(node),
            LogicalPlan::Filter(_) | LogicalPlan::Projection(_) | LogicalPlan::Sort(_) => guard_lookups(node),
            other => Ok(Transformed::no(other)),
        })
        .data()
    }
}

fn guard_calls(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let schema = merge_schema(&node.inputs());
    let names = NamePreserver::new(&node);
    node.map_expressions(|expr| {
        let name = names.save(&expr);
        let guarded = expr.transform_up(|step| match step {
            Expr::AggregateFunction(mut call) => {
                let Some(filter) = call.params.filter.clone().filter(|filter| !filter.is_volatile()) else {
                    return Ok(Transformed::no(Expr::AggregateFunction(call)));
                };
                let mut changed = false;
                let ordered = call.params.order_by.iter_mut().map(|sort: &mut Sort| &mut sort.expr);
                for expr in call.params.args.iter_mut().chain(ordered) {
                    if asks(expr, &schema)? && !filter.exists(|step| Ok(is_subquery(step)))? {
                        let holds = Some(Expr::IsTrue(filter.clone()));
                        *expr = within(std::mem::take(expr), holds, &schema)?;
                        changed = true;
                    }
                    changed |= guard(std::iter::once(expr).filter(|expr| fails(expr, &schema)), &filter)?;
                }
                Ok(Transformed::new_transformed(Expr::AggregateFunction(call), changed))
            }
            Expr::WindowFunction(mut call) => {
                let Some(filter) = call.params.filter.clone().filter(|filter| !filter.is_volatile()) else {
                    return Ok(Transformed::no(Expr::WindowFunction(call)));
                };
                let failing = call.params.args.iter_mut().filter(|expr| fails(expr, &schema));
                let changed = guard(failing, &filter)?;
                Ok(Transformed::new_transformed(Expr::WindowFunction(call), changed))
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(guarded.update_data(|expr| name.restore(expr)))
    })
}

/// Whether an argument can fail, by numbers that leave their type too.
fn fails(expr: &Expr, schema: &DFSchema) -> bool {
    can_fail(expr, schema) || can_overflow(expr, schema)
}

/// Whether an expression has a subquery that can fail by what is given to it: a value that it looks up, or a column of the
/// query around it.
fn asks(expr: &Expr, schema: &DFSchema) -> Result<bool> {
    expr.exists(|step| {
        Ok(match step {
            Expr::InSubquery(InSubquery { expr, subquery, .. })
            | Expr::SetComparison(SetComparison { expr, subquery, .. }) => {
                can_fail(expr, schema) || fails_by_reference(&subquery.subquery)?
            }
            Expr::ScalarSubquery(subquery) | Expr::Exists(Exists { subquery, .. }) => {
                fails_by_reference(&subquery.subquery)?
            }
            _ => false,
        })
    })
}

/// Whether an expression of a subquery can fail and refers to the query around it.
fn fails_by_reference(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        node.apply_expressions(|expr| {
            found |= refers(expr)? && can_fail(expr, &schema);
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    })?;
    Ok(found)
}

fn refers(expr: &Expr) -> Result<bool> {
    expr.exists(|step| Ok(matches!(step, Expr::OuterReferenceColumn(..))))
}

/// The subquery, in which what can fail refers to NULL where the condition of the query around it does not hold.
fn guarded(subquery: Subquery, condition: &Expr, around: &DFSchema) -> Result<Subquery> {
    if !fails_by_reference(&subquery.subquery)? {
        return Ok(subquery);
    }
    let condition = from_within(condition.clone(), around)?;
    let null_elsewhere = |step: Expr| match step {
        Expr::OuterReferenceColumn(_, ref column) if around.has_column(column) => {
            Ok(Transformed::new(when(condition.clone(), step).end()?, true, TreeNodeRecursion::Jump))
        }
        other => Ok(Transformed::no(other)),
    };
    let plan = Arc::unwrap_or_clone(subquery.subquery).transform_down_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            if !refers(&expr)? || !can_fail(&expr, &schema) {
                return Ok(Transformed::no(expr));
            }
            let name = names.save(&expr);
            Ok(expr.transform_down(null_elsewhere)?.update_data(|expr| name.restore(expr)))
        })
    })?;
    Ok(Subquery { subquery: Arc::new(plan.data), ..subquery })
}

/// `x IN (SELECT …)` becomes a join, whose keys are computed for all rows, also those for which an `OR` before it has
/// decided.
fn guard_lookups(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let schema = merge_schema(&node.inputs());
    let names = NamePreserver::new(&node);
    let is_filter = matches!(node, LogicalPlan::Filter(_));
    node.map_expressions(|expr| {
        if !asks(&expr, &schema)? {
            return Ok(Transformed::no(expr));
        }
        let name = names.save(&expr);
        // The conditions of a filter are applied below the join.
        let conditions = if is_filter { split_conjunction_owned(expr) } else { vec![expr] };
        let guarded = conditions.into_iter().map(|condition| within(condition, None, &schema));
        let guarded = guarded.collect::<Result<Vec<_>>>()?.into_iter().reduce(Expr::and);
        Ok(Transformed::yes(name.restore(guarded.unwrap_or_default())))
    })
}

/// The expression, which is of interest where the guard holds, with the guard in what it looks up.
fn within(expr: Expr, guard: Option<Expr>, schema: &DFSchema) -> Result<Expr> {
    Ok(match expr {
        Expr::InSubquery(mut lookup) => {
            if let Some(guard) = &guard {
                lookup.subquery = guarded(lookup.subquery, guard, schema)?;
                *lookup.expr = looked_up(*lookup.expr, guard, schema)?;
            }
            Expr::InSubquery(lookup)
        }
        Expr::SetComparison(mut comparison) => {
            if let Some(guard) = &guard {
                comparison.subquery = guarded(comparison.subquery, guard, schema)?;
                *comparison.expr = looked_up(*comparison.expr, guard, schema)?;
            }
            Expr::SetComparison(comparison)
        }
        Expr::Exists(Exists { subquery, negated }) => {
            let subquery = match &guard {
                Some(guard) => guarded(subquery, guard, schema)?,
                None => subquery,
            };
            Expr::Exists(Exists { subquery, negated })
        }
        Expr::ScalarSubquery(subquery) => Expr::ScalarSubquery(match &guard {
            Some(guard) => guarded(subquery, guard, schema)?,
            None => subquery,
        }),
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
            let undecided = match op {
                Operator::And => Expr::IsNotFalse(left.clone()),
                _ => Expr::IsNotTrue(left.clone()),
            };
            let right = within(*right, and_also(guard.as_ref(), undecided), schema)?;
            let left = within(*left, guard, schema)?;
            Expr::BinaryExpr(BinaryExpr { left: Box::new(left), op, right: Box::new(right) })
        }
        Expr::Case(mut case) => {
            // Each condition is asked where none before it holds.
            let mut undecided = guard.clone();
            for (condition, then) in &mut case.when_then_expr {
                let holds = match &case.expr {
                    Some(value) => value.as_ref().clone().eq(condition.as_ref().clone()),
                    None => condition.as_ref().clone(),
                };
                let asked = and_also(undecided.as_ref(), Expr::IsTrue(Box::new(holds.clone())));
                **then = within(std::mem::take(&mut **then), asked, schema)?;
                **condition = within(std::mem::take(&mut **condition), undecided.clone(), schema)?;
                undecided = and_also(undecided.as_ref(), Expr::IsNotTrue(Box::new(holds)));
            }
            if let Some(other) = &mut case.else_expr {
                **other = within(std::mem::take(&mut **other), undecided, schema)?;
            }
            if let Some(value) = &mut case.expr {
                **value = within(std::mem::take(&mut **value), guard, schema)?;
            }
            Expr::Case(case)
        }
        Expr::ScalarFunction(mut call) if call.name() == "coalesce" => {
            let mut unknown = guard;
            for value in &mut call.args {
                let is_null = Expr::IsNull(Box::new(value.clone()));
                *value = within(std::mem::take(value), unknown.clone(), schema)?;
                unknown = and_also(unknown.as_ref(), is_null);
            }
            Expr::ScalarFunction(call)
        }
        other => other.map_children(|operand| within(operand, guard.clone(), schema).map(Transformed::yes)).data()?,
    })
}

/// The guard and one more condition, if that one asks no subquery and is the same each time.
fn and_also(guard: Option<&Expr>, more: Expr) -> Option<Expr> {
    let simple = !more.is_volatile() && !more.exists(|step| Ok(is_subquery(step))).unwrap_or(true);
    [guard.cloned(), simple.then_some(more)].into_iter().flatten().reduce(Expr::and)
}

/// A value that is looked up, which is NULL where it can fail and the guard does not hold. A row stays one, whose values are.
fn looked_up(value: Expr, guard: &Expr, schema: &DFSchema) -> Result<Expr> {
    match value {
        Expr::ScalarFunction(mut row) if row.name() == ROW_OF => {
            for value in &mut row.args {
                *value = looked_up(std::mem::take(value), guard, schema)?;
            }
            Ok(Expr::ScalarFunction(row))
        }
        value if can_fail(&value, schema) => when(guard.clone(), value).end(),
        value => Ok(value),
    }
}

/// Makes each expression NULL where the condition does not hold; says whether there was any.
fn guard<'a>(failing: impl Iterator<Item = &'a mut Expr>, condition: &Expr) -> Result<bool> {
    let mut changed = false;
    for expr in failing {
        *expr = when(condition.clone(), std::mem::take(expr)).end()?;
        changed = true;
    }
    Ok(changed)
}

/// A side of `left = right` that can fail, where the other conditions on that side hold: elsewhere the rows don't join, and
/// NULL equals nothing. An inner join needs no help, as its conditions on one side are applied below it.
fn guard_keys(mut join: Join) -> Result<Transformed<LogicalPlan>> {
    let schema = joined(&join);
    let Some(condition) = join.filter.take_if(|condition| can_fail(condition, &schema)) else {
        return Ok(Transformed::no(LogicalPlan::Join(join)));
    };
    let mut conditions = split_conjunction_owned(condition);
    let guards: Vec<Expr> = conditions
        .iter()
        .filter(|condition| !can_fail(condition, &schema) && !condition.is_volatile())
        .cloned()
        .collect();
    let mut changed = false;
    for condition in &mut conditions {
        let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else { continue };
        let (other_left, other_right) = (right.clone(), left.clone());
        for (key, other) in [(left, other_left), (right, other_right)] {
            for (side, other_side) in [(&join.left, &join.right), (&join.right, &join.left)] {
                if reads_only(key, side) && reads_only(&other, other_side) && can_fail(key, &schema) {
                    let here = guards.iter().filter(|guard| reads_only(guard, side)).cloned();
                    if let Some(guard) = conjunction(here) {
                        **key = when(guard, std::mem::take(&mut **key)).end()?;
                        changed = true;
                    }
                }
            }
        }
    }
    join.filter = conjunction(conditions);
    Ok(Transformed::new_transformed(LogicalPlan::Join(join), changed))
}
