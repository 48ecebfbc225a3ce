//! Aggregates with DISTINCT take one of the values that are equal, though they may not be the same: `1 day` and `24:00:00`, 0 and
//! -0, or `1` and `1.0` of `jsonb`.
//!
//! The engine looks for those that are the same. Here all intervals, floats and values of `jsonb` are collected, and the array of
//! them is put in order without the equal ones; a sum or a statistic of such does so itself. `count` is of what the values are
//! compared by.

use std::sync::Arc;

use datafusion::{
    common::{Result, config::ConfigOptions, tree_node::Transformed},
    logical_expr::{Expr, ExprSchemable, LogicalPlan, lit},
    optimizer::AnalyzerRule,
};

use super::{
    calls::{self, Back},
    floats::is_float,
    interval_lengths::is_interval,
    told::is_jsonb,
};
use crate::functions;

/// The rule; see the module. It comes when types are settled, before floats and intervals become what they are compared by.
#[derive(Debug)]
pub(super) struct OneOfEquals;

impl AnalyzerRule for OneOfEquals {
    fn name(&self) -> &str {
        "one_of_equals"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Aggregate(_) => calls::replace(node, one_of_equals),
            _ => Ok(Transformed::no(node)),
        });
        Ok(plan?.data)
    }
}

fn one_of_equals(call: &mut Expr, input: &LogicalPlan) -> Result<Option<Back>> {
    let Expr::AggregateFunction(call) = call else { return Ok(None) };
    let [value] = call.params.args.as_slice() else { return Ok(None) };
    let data_type = value.get_type(input.schema())?;
    let is_json = call.func.name() == "array_agg" && is_jsonb(value, input.schema());
    if !call.params.distinct || !is_float(&data_type) && !is_interval(&data_type) && !is_json {
        return Ok(None);
    }
    if call.func.name() == "array_agg" {
        let (descending, nulls_first) = match call.params.order_by.as_slice() {
            [] => (false, false),
            [key] if key.expr == *value => (!key.asc, key.nulls_first),
            _ => return Ok(None),
        };
        call.params.distinct = false;
        call.params.order_by.clear();
        let order = [lit(descending), lit(nulls_first)];
        return Ok(Some(Box::new(move |values| {
            functions::called(&functions::ONE_OF_EQUALS, std::iter::once(values).chain(order).collect())
        })));
    }
    let Some(function) = functions::of_distinct(&call.func) else { return Ok(None) };
    call.func = Arc::new(function);
    call.params.distinct = false;
    call.params.order_by.clear();
    Ok(Some(Box::new(|value| value)))
}
