//! What a filter of an aggregate, a condition of an outer join or an `OR` keeps rows from is not computed for them.
//!
//! DataFusion computes the arguments of `sum(10 / x) FILTER (WHERE x <> 0)` for all rows, and the keys of an outer join for
//! those that its other conditions leave out.

use datafusion::{
    common::{
        DFSchema, Result,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    logical_expr::{
        BinaryExpr, Expr, Join, JoinType, LogicalPlan, Operator,
        expr::{InSubquery, Sort},
        expr_rewriter::NamePreserver,
        utils::{conjunction, merge_schema, split_conjunction_owned},
        when,
    },
    optimizer::AnalyzerRule,
};

use super::{
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
            LogicalPlan::Filter(_) | LogicalPlan::Projection(_) => guard_lookups(node),
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
                let ordered = call.params.order_by.iter_mut().map(|sort: &mut Sort| &mut sort.expr);
                let failing = call.params.args.iter_mut().chain(ordered).filter(|expr| can_fail(expr, &schema));
                let changed = guard(failing, &filter)?;
                Ok(Transformed::new_transformed(Expr::AggregateFunction(call), changed))
            }
            Expr::WindowFunction(mut call) => {
                let Some(filter) = call.params.filter.clone().filter(|filter| !filter.is_volatile()) else {
                    return Ok(Transformed::no(Expr::WindowFunction(call)));
                };
                let failing = call.params.args.iter_mut().filter(|expr| can_fail(expr, &schema));
                let changed = guard(failing, &filter)?;
                Ok(Transformed::new_transformed(Expr::WindowFunction(call), changed))
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(guarded.update_data(|expr| name.restore(expr)))
    })
}

/// `x IN (SELECT …)` becomes a join, whose keys are computed for all rows, also those for which an `OR` before it has
/// decided.
fn guard_lookups(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let schema = merge_schema(&node.inputs());
    let names = NamePreserver::new(&node);
    let is_filter = matches!(node, LogicalPlan::Filter(_));
    let looks_up =
        |step: &Expr| Ok(matches!(step, Expr::InSubquery(InSubquery { expr, .. }) if can_fail(expr, &schema)));
    node.map_expressions(|expr| {
        if !expr.exists(looks_up)? {
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
    let and_also = |more: Expr| -> Option<Expr> {
        let simple = !more.is_volatile() && !more.exists(|step| Ok(is_subquery(step))).unwrap_or(true);
        [guard.clone(), simple.then_some(more)].into_iter().flatten().reduce(Expr::and)
    };
    Ok(match expr {
        Expr::InSubquery(mut lookup) => {
            if let Some(guard) = guard.filter(|_| can_fail(&lookup.expr, schema)) {
                *lookup.expr = when(guard, std::mem::take(&mut *lookup.expr)).end()?;
            }
            Expr::InSubquery(lookup)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
            let undecided = match op {
                Operator::And => Expr::IsNotFalse(left.clone()),
                _ => Expr::IsNotTrue(left.clone()),
            };
            let right = within(*right, and_also(undecided), schema)?;
            let left = within(*left, guard, schema)?;
            Expr::BinaryExpr(BinaryExpr { left: Box::new(left), op, right: Box::new(right) })
        }
        Expr::Case(mut case) if case.expr.is_none() => {
            for (condition, then) in &mut case.when_then_expr {
                let holds = and_also(Expr::IsTrue(condition.clone()));
                **then = within(std::mem::take(&mut **then), holds, schema)?;
            }
            Expr::Case(case)
        }
        other => other.map_children(|operand| within(operand, guard.clone(), schema).map(Transformed::yes)).data()?,
    })
}

fn is_subquery(step: &Expr) -> bool {
    matches!(step, Expr::InSubquery(_) | Expr::Exists(_) | Expr::ScalarSubquery(_) | Expr::SetComparison(_))
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
