//! Aggregates of types that PostgreSQL has them for not are refused, where the engine would answer: `min` of truth values or
//! bytes, `string_agg` of numbers. So is DISTINCT in a window.

use datafusion::{
    common::{
        DFSchema, Result,
        config::ConfigOptions,
        tree_node::{TreeNode, TreeNodeRecursion},
    },
    logical_expr::{Expr, LogicalPlan},
    optimizer::AnalyzerRule,
};

use super::{calls, overloads, steps};
use crate::{
    fault::{Failure, Fault},
    functions::Given,
    pgtype::{BOOL, BYTEA, Context, PgType, TEXT, cast_between},
};

/// The rule; see the module. It comes before any that calls aggregates by itself.
#[derive(Debug)]
pub(super) struct CheckAggregates;

impl AnalyzerRule for CheckAggregates {
    fn name(&self) -> &str {
        "check_aggregates"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.apply_with_subqueries(|node| {
            if matches!(node, LogicalPlan::Aggregate(_) | LogicalPlan::Window(_)) {
                let schema = steps::columns_of(node)?;
                node.apply_expressions(|expression| {
                    expression.apply(|step| {
                        check(step, &schema)?;
                        Ok(TreeNodeRecursion::Continue)
                    })
                })?;
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(plan)
    }
}

fn check(step: &Expr, schema: &DFSchema) -> Result<()> {
    if let Expr::WindowFunction(window) = step
        && window.params.distinct
    {
        let message = "DISTINCT is not implemented for window functions";
        return Err(Failure::new(Fault::FeatureNotSupported, message).into());
    }
    let Some((name, arguments)) = calls::called(step) else { return Ok(()) };
    let is_taken: fn(&PgType) -> bool = match name {
        "min" | "max" => |own| ![BOOL.oid, BYTEA.oid].contains(&own.oid),
        "string_agg" => {
            |own| [TEXT.oid, BYTEA.oid].contains(&own.oid) || cast_between(own, &TEXT) == Some(Context::Implicit)
        }
        _ => return Ok(()),
    };
    let given = overloads::given(arguments, schema);
    let is_refused = given.iter().any(|given| matches!(given, Given::Type(own) if !is_taken(own)));
    if is_refused { Err(overloads::missing(name, arguments, schema)) } else { Ok(()) }
}
