//! Values that are equal though they differ, as intervals of one length are, and `1` and `1.0` of `jsonb`: they are compared,
//! sorted, joined and grouped by a key that equal ones have in common.

use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::{
    common::{
        Column, DFSchema, Result, ScalarValue,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    functions_aggregate::min_max::min,
    logical_expr::{
        Aggregate, Case, Distinct, Expr, ExprSchemable, Join, JoinConstraint, LogicalPlan, Projection,
        expr::{AggregateFunction, ScalarFunction, WindowFunction},
    },
};

use super::{
    calls::{self, Back},
    steps,
};
use crate::fault::{Failure, Fault};

/// A type of such values.
pub(super) trait Keyed {
    /// Whether a value is of it.
    fn is(&self, value: &Expr, schema: &DFSchema) -> Result<bool>;

    /// Whether values are compared by their keys.
    fn are(&self, values: &[(&Expr, &DFSchema)]) -> Result<bool>;

    /// The key of a value.
    fn key(&self, value: Expr, schema: &DFSchema) -> Result<Expr>;

    /// What puts the values of one key in an order. A group shows the first.
    fn ordered(&self, value: Expr) -> Expr;

    /// The value that a group shows, in a column of this field, of its key and the least that was [ordered](Self::ordered);
    /// NULL where the key is, as in the rows of a grouping set without it.
    fn shown(&self, key: Expr, least: Expr, field: &Field) -> Expr;
}

/// Whether a step compares values.
pub(super) fn compares(step: &Expr) -> bool {
    steps::compares(step) || matches!(step, Expr::Case(Case { expr: Some(_), .. }))
}

/// Makes keys of what a step compares, if that is such values; whether it is.
pub(super) fn in_comparison(step: &mut Expr, schema: &DFSchema, keyed: &impl Keyed) -> Result<bool> {
    let Some(operands) = steps::compared(step) else { return Ok(false) };
    let values: Vec<(&Expr, &DFSchema)> = operands.iter().map(|operand| (&**operand, schema)).collect();
    let changes = keyed.are(&values)?;
    if changes {
        for operand in operands {
            *operand = keyed.key(std::mem::take(operand), schema)?;
        }
    }
    Ok(changes)
}

/// An aggregate that sorts by keys, or counts them; whether it changed. One of distinct values is sorted by these alone.
pub(super) fn in_aggregate(call: &mut AggregateFunction, schema: &DFSchema, keyed: &impl Keyed) -> Result<bool> {
    if call.params.distinct && !calls::counts_distinct(call) {
        return Ok(false);
    }
    let mut changed = false;
    for operand in calls::compared(call) {
        if keyed.is(operand, schema)? {
            *operand = keyed.key(std::mem::take(operand), schema)?;
            changed = true;
        }
    }
    Ok(changed)
}

/// Partitions and orders a window by keys; whether it does.
pub(super) fn in_window(window: &mut WindowFunction, schema: &DFSchema, keyed: &impl Keyed) -> Result<bool> {
    let mut changed = false;
    let order = window.params.order_by.iter_mut().map(|key| &mut key.expr);
    for key in window.params.partition_by.iter_mut().chain(order) {
        if keyed.is(key, schema)? {
            *key = keyed.key(std::mem::take(key), schema)?;
            changed = true;
        }
    }
    Ok(changed)
}

/// What a call of `nullif` with such values yields, by their keys; none of another call.
pub(super) fn null_if(call: &ScalarFunction, schema: &DFSchema, keyed: &impl Keyed) -> Result<Option<Expr>> {
    let ("nullif", [value, other]) = (call.func.name(), call.args.as_slice()) else { return Ok(None) };
    if value.is_volatile() || !keyed.are(&[(value, schema), (other, schema)])? {
        return Ok(None);
    }
    let is_other = keyed.key(value.clone(), schema)?.eq(keyed.key(other.clone(), schema)?);
    let null = ScalarValue::try_from(&value.get_type(schema)?)?;
    Ok(Some(steps::null_if(value, is_other, null)))
}

/// A node that sorts, joins or groups by keys.
pub(super) fn in_node(node: LogicalPlan, keyed: &impl Keyed) -> Result<Transformed<LogicalPlan>> {
    match node {
        LogicalPlan::Sort(mut sort) => {
            let mut changed = false;
            for key in &mut sort.expr {
                if keyed.is(&key.expr, sort.input.schema())? {
                    key.expr = keyed.key(std::mem::take(&mut key.expr), sort.input.schema())?;
                    changed = true;
                }
            }
            Ok(Transformed::new_transformed(LogicalPlan::Sort(sort), changed))
        }
        LogicalPlan::Join(join) => joined(join, keyed),
        LogicalPlan::Distinct(Distinct::All(input)) => {
            let columns: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
            if !are_any(&columns, input.schema(), keyed)? {
                return Ok(Transformed::no(LogicalPlan::Distinct(Distinct::All(input))));
            }
            grouped(Aggregate::try_new(input, columns, Vec::new())?, keyed)
        }
        LogicalPlan::Aggregate(aggregate) => grouped(aggregate, keyed),
        LogicalPlan::RecursiveQuery(query) if query.is_distinct => {
            let schema = Arc::clone(query.static_term.schema());
            let columns: Vec<Expr> = schema.columns().into_iter().map(Expr::Column).collect();
            if are_any(&columns, &schema, keyed)? {
                let message = "UNION of intervals or jsonb in a recursive query is not supported; use UNION ALL, or \
                               cast them to text";
                return Err(Failure::new(Fault::FeatureNotSupported, message).into());
            }
            Ok(Transformed::no(LogicalPlan::RecursiveQuery(query)))
        }
        other => Ok(Transformed::no(other)),
    }
}

/// The same of a node, in which calls of aggregates and windows are computed otherwise, too.
pub(super) fn with_calls(
    node: LogicalPlan,
    keyed: &impl Keyed,
    change: impl Fn(&mut Expr, &LogicalPlan) -> Result<Option<Back>>,
) -> Result<Transformed<LogicalPlan>> {
    match node {
        LogicalPlan::Aggregate(_) | LogicalPlan::Window(_) => {
            let replaced = calls::replace(node, change)?;
            let keyed_node = |node: LogicalPlan| in_node(node, keyed);
            match replaced.transformed {
                true => Ok(Transformed::yes(replaced.data.map_children(keyed_node)?.data)),
                false => keyed_node(replaced.data),
            }
        }
        other => in_node(other, keyed),
    }
}

fn are_any(values: &[Expr], schema: &DFSchema, keyed: &impl Keyed) -> Result<bool> {
    for value in values {
        if keyed.is(value, schema)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A join of equal keys.
fn joined(mut join: Join, keyed: &impl Keyed) -> Result<Transformed<LogicalPlan>> {
    let mut changed = false;
    for (left, right) in &mut join.on {
        if keyed.are(&[(&*left, join.left.schema().as_ref()), (&*right, join.right.schema().as_ref())])? {
            *left = keyed.key(std::mem::take(left), join.left.schema())?;
            *right = keyed.key(std::mem::take(right), join.right.schema())?;
            changed = true;
        }
    }
    if changed {
        // The keys of the other kind are columns.
        join.join_constraint = JoinConstraint::On;
    }
    Ok(Transformed::new_transformed(LogicalPlan::Join(join), changed))
}

/// An aggregate that groups by keys, below a projection that has its columns.
fn grouped(aggregate: Aggregate, keyed: &impl Keyed) -> Result<Transformed<LogicalPlan>> {
    let values: Vec<Expr> = match aggregate.group_expr.as_slice() {
        [Expr::GroupingSet(sets)] => sets.distinct_expr().into_iter().cloned().collect(),
        values => values.to_vec(),
    };
    let schema = Arc::clone(aggregate.input.schema());
    let are_changed = values.iter().map(|value| keyed.is(value, &schema)).collect::<Result<Vec<bool>>>()?;
    if !are_changed.contains(&true) {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    }
    let is_changed = |at: usize| are_changed.get(at) == Some(&true);
    let with_key = |value: Expr| -> Result<Transformed<Expr>> {
        let Some(at) = values.iter().position(|known| *known == value).filter(|at| is_changed(*at)) else {
            return Ok(Transformed::no(value));
        };
        Ok(Transformed::yes(keyed.key(value.unalias(), &schema)?.alias(key_name(at))))
    };
    let groups = aggregate.group_expr.into_iter().map(|group| match group {
        Expr::GroupingSet(_) => group.map_children(with_key).data(),
        value => with_key(value).data(),
    });
    let groups = groups.collect::<Result<Vec<_>>>()?;
    let mut calls = aggregate.aggr_expr;
    for (at, value) in values.iter().enumerate().filter(|(at, _)| is_changed(*at)) {
        calls.push(min(keyed.ordered(value.clone().unalias())).alias(least_name(at)));
    }
    let computed = LogicalPlan::Aggregate(Aggregate::try_new(aggregate.input, groups, calls)?);
    let columns = aggregate.schema.iter().enumerate().map(|(at, (qualifier, field))| {
        if !is_changed(at) {
            return Expr::Column(Column::from(computed.schema().qualified_field(at)));
        }
        let [key, least] = [key_name(at), least_name(at)].map(|name| Expr::Column(Column::new_unqualified(name)));
        keyed.shown(key, least, field).alias_qualified(qualifier.cloned(), field.name())
    });
    let columns = columns.collect();
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(computed))?)))
}

/// The column of the key of one of a group's values.
fn key_name(at: usize) -> String {
    format!("__key_{at}")
}

/// The column of the least value of that key.
fn least_name(at: usize) -> String {
    format!("__least_{at}")
}
