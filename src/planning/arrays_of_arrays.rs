//! Arrays of arrays are one array of a further dimension, for which all of them have to be equally long, as in PostgreSQL:
//! those of `ARRAY[a, b]`, and those that `array_agg` collects, of which none may be NULL. The engine makes a list of any.

use arrow::datatypes::DataType;
use datafusion::{
    common::{DFSchema, Result, config::ConfigOptions, tree_node::Transformed},
    logical_expr::{Expr, ExprSchemable, LogicalPlan},
    optimizer::AnalyzerRule,
};

use super::{
    calls::{self, Back},
    common_types::Item,
    steps,
};
use crate::{
    fault::{Failure, Fault},
    functions,
    pgtype::{dimensions_of, innermost, nested},
};

/// The rule; see the module. It comes when types are settled.
#[derive(Debug)]
pub(super) struct CheckDimensions;

impl AnalyzerRule for CheckDimensions {
    fn name(&self) -> &str {
        "check_dimensions"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = steps::change(plan, is_written_out, written_out)?;
        let plan = plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Aggregate(_) | LogicalPlan::Window(_) => calls::replace(node, collected),
            _ => Ok(Transformed::no(node)),
        });
        Ok(plan?.data)
    }
}

fn is_written_out(step: &Expr) -> bool {
    matches!(step, Expr::ScalarFunction(call) if call.name() == "make_array" && !call.args.is_empty())
}

fn written_out(step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    if !is_written_out(&step) {
        return Ok(Transformed::no(step));
    }
    let whole = step.get_type(schema)?;
    if dimensions_of(&whole) < 2 || !keeps_its_type(&whole) {
        return Ok(Transformed::no(step));
    }
    Ok(Transformed::yes(functions::called(&functions::ARRAY_MATCHING, vec![step])))
}

/// Refuses arrays beside those of more or fewer dimensions, where `what` has them in one: a type of PostgreSQL's has any number
/// of dimensions, and one here has its own.
pub(super) fn check_dimensions(items: &[Item], what: &str) -> Result<()> {
    let mut dimensions = items.iter().filter_map(|item| match item {
        Item::Known { arrow, .. } => Some(dimensions_of(arrow)),
        Item::Open | Item::Foreign(_) => None,
    });
    let Some(first) = dimensions.next() else { return Ok(()) };
    let Some(other) = dimensions.find(|other| *other != first) else { return Ok(()) };
    Err(match what {
        "ARRAY" => {
            let message = "multidimensional arrays must have array expressions with matching dimensions";
            Failure::new(Fault::ArraySubscript, message).into()
        }
        _ => {
            let message = format!("{what} of arrays of {first} and of {other} dimensions is not supported");
            Failure::new(Fault::FeatureNotSupported, message).into()
        }
    })
}

fn collected(call: &mut Expr, input: &LogicalPlan) -> Result<Option<Back>> {
    let Some(("array_agg", arguments)) = calls::aggregate(call) else { return Ok(None) };
    let Some(array) = arguments.first() else { return Ok(None) };
    let array = array.get_type(input.schema())?;
    if dimensions_of(&array) == 0 || !keeps_its_type(&array) {
        return Ok(None);
    }
    Ok(Some(Box::new(|arrays| functions::called(&functions::ARRAY_ACCUMULATED, vec![arrays]))))
}

/// Whether the functions that check return what they are given: a list that is stored otherwise becomes another.
fn keeps_its_type(array: &DataType) -> bool {
    *array == nested(dimensions_of(array), innermost(array).clone())
}
