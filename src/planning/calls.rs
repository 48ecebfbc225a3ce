//! Calls of aggregates and windows that are computed otherwise than they are written, and made what they were above.

use std::sync::Arc;

use datafusion::{
    common::{Column, Result, tree_node::Transformed},
    logical_expr::{
        Aggregate, Expr, LogicalPlan, Projection, Window, WindowFunctionDefinition,
        expr::{AggregateFunction, WindowFunction},
    },
};

use super::told::said;
use crate::pgtype::told;

/// Makes the value of a call as it was written of the one that is computed.
pub(super) type Back = Box<dyn FnOnce(Expr) -> Expr>;

/// The name and the arguments of an aggregate that is called, of groups or of a window.
pub(super) fn aggregate(call: &mut Expr) -> Option<(&str, &mut Vec<Expr>)> {
    match call {
        Expr::AggregateFunction(AggregateFunction { func, params }) => Some((func.name(), &mut params.args)),
        Expr::WindowFunction(window) => match window.as_mut() {
            WindowFunction { fun: WindowFunctionDefinition::AggregateUDF(function), params } => {
                Some((function.name(), &mut params.args))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The same of a call that stays as it is.
pub(super) fn called(call: &Expr) -> Option<(&str, &[Expr])> {
    match call {
        Expr::AggregateFunction(AggregateFunction { func, params }) => Some((func.name(), params.args.as_slice())),
        Expr::WindowFunction(window) => match window.as_ref() {
            WindowFunction { fun: WindowFunctionDefinition::AggregateUDF(function), params } => {
                Some((function.name(), params.args.as_slice()))
            }
            WindowFunction { .. } => None,
        },
        _ => None,
    }
}

/// Whether an aggregate sorts its rows, or looks for equal ones.
pub(super) fn compares(call: &AggregateFunction) -> bool {
    !call.params.order_by.is_empty() || counts_distinct(call)
}

pub(super) fn counts_distinct(call: &AggregateFunction) -> bool {
    call.params.distinct && call.func.name() == "count"
}

/// What an aggregate sorts its rows by, and what it looks for equal ones of.
pub(super) fn compared(call: &mut AggregateFunction) -> impl Iterator<Item = &mut Expr> {
    let counts = counts_distinct(call);
    let params = &mut call.params;
    let sorts = params.order_by.iter_mut().map(|sort| &mut sort.expr);
    sorts.chain(params.args.iter_mut().filter(move |_| counts))
}

/// An aggregate or a window in which `change` changed calls over the node's input, below a projection that has its columns.
pub(super) fn replace(
    plan: LogicalPlan,
    change: impl Fn(&mut Expr, &LogicalPlan) -> Result<Option<Back>>,
) -> Result<Transformed<LogicalPlan>> {
    let (calls, input) = match &plan {
        LogicalPlan::Aggregate(aggregate) => (&aggregate.aggr_expr, &aggregate.input),
        LogicalPlan::Window(window) => (&window.window_expr, &window.input),
        _ => return Ok(Transformed::no(plan)),
    };
    // Another rule may have changed calls of the node before.
    let is_taken = |name: &str| plan.schema().fields().iter().any(|field| field.name() == name);
    let mut names = (0..).map(|number: usize| format!("__computed_as_{number}")).filter(|name| !is_taken(name));
    let (mut changed, mut backs) = (Vec::with_capacity(calls.len()), Vec::with_capacity(calls.len()));
    for call in calls {
        let mut other = call.clone().unalias_nested().data;
        let back = change(&mut other, input)?;
        changed.push(match names.next().filter(|_| back.is_some()) {
            Some(name) => other.alias(name),
            None => call.clone(),
        });
        backs.push(back);
    }
    if backs.iter().all(Option::is_none) {
        return Ok(Transformed::no(plan));
    }
    let schema = Arc::clone(plan.schema());
    let computed = match plan {
        LogicalPlan::Aggregate(aggregate) => {
            LogicalPlan::Aggregate(Aggregate::try_new(aggregate.input, aggregate.group_expr, changed)?)
        }
        LogicalPlan::Window(window) => LogicalPlan::Window(Window::try_new(changed, window.input)?),
        other => other,
    };
    let before = schema.fields().len() - backs.len();
    let backs = std::iter::repeat_with(|| None).take(before).chain(backs);
    let columns = backs.enumerate().map(|(at, back)| {
        let column = Expr::Column(Column::from(computed.schema().qualified_field(at)));
        let (qualifier, field) = schema.qualified_field(at);
        match back {
            Some(back) => {
                let value = back(column);
                // What Arrow does not tell of a call's values, those above it know from its field.
                let value = match told(field) {
                    Some(told) => said(value, field.data_type().clone(), Some(told)),
                    None => value,
                };
                value.alias_qualified(qualifier.cloned(), field.name())
            }
            None => column,
        }
    });
    let columns = columns.collect();
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(computed))?)))
}
