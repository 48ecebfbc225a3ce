//! `array_agg` of arrays makes one array of a further dimension, for which all of them have to be equally long and none may be
//! NULL, as in PostgreSQL. The engine collects any.

use datafusion::{
    common::{Result, config::ConfigOptions, tree_node::Transformed},
    logical_expr::{Expr, ExprSchemable, LogicalPlan},
    optimizer::AnalyzerRule,
};

use super::calls::{self, Back};
use crate::{
    functions,
    pgtype::{dimensions_of, innermost, nested},
};

/// The rule; see the module. It comes when types are settled.
#[derive(Debug)]
pub(super) struct CheckCollected;

impl AnalyzerRule for CheckCollected {
    fn name(&self) -> &str {
        "check_collected"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Aggregate(_) | LogicalPlan::Window(_) => calls::replace(node, checked),
            _ => Ok(Transformed::no(node)),
        });
        Ok(plan?.data)
    }
}

fn checked(call: &mut Expr, input: &LogicalPlan) -> Result<Option<Back>> {
    let Some(("array_agg", arguments)) = calls::aggregate(call) else { return Ok(None) };
    let Some(array) = arguments.first() else { return Ok(None) };
    let array = array.get_type(input.schema())?;
    let dimensions = dimensions_of(&array);
    // The column keeps its type, of which a list that is stored otherwise has another.
    if dimensions == 0 || array != nested(dimensions, innermost(&array).clone()) {
        return Ok(None);
    }
    Ok(Some(Box::new(|arrays| functions::called(&functions::ARRAY_ACCUMULATED, vec![arrays]))))
}
