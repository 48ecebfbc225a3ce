//! Aggregates that are answered from statistics of their input, and what statistics are told of casts.
//!
//! The engine looks for the first half of an aggregate in two halves below the second, and where that one has a FILTER goes
//! on: `SELECT count(*) FILTER (WHERE m > 9) FROM (SELECT max(x) AS m FROM t) AS q` got the statistics of the inner aggregate
//! for the outer one. Here an aggregate whose own first half does not qualify is left out. Of a column that is a constant it
//! knows one value and a sum, also where there are no rows, or where the value is NULL: what sums or counts values once is
//! computed.
//!
//! The least and the greatest value of a cast are taken for the casts of the least and the greatest: as texts 9 comes after 10,
//! and times of day start again with each day. A cast that does not keep the order of values becomes the operand of a function
//! of which nothing is known.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::{
    common::{
        DFSchema, Result,
        config::ConfigOptions,
        plan_err,
        tree_node::{Transformed, TransformedResult, TreeNode},
        utils::take_function_args,
    },
    logical_expr::{
        ColumnarValue, Expr, ExprSchemable, LogicalPlan, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
        Signature, Volatility, utils::merge_schema,
    },
    physical_optimizer::PhysicalOptimizerRule,
    physical_plan::{
        ExecutionPlan,
        aggregates::{AggregateExec, AggregateInputMode},
    },
};

use super::{AS_CAST, physical::PhysicalRule, steps};

/// The engine's rule, kept from the aggregates that it would mistake.
#[derive(Debug)]
pub(super) struct OwnStatistics(pub(super) PhysicalRule);

impl PhysicalOptimizerRule for OwnStatistics {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, options: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        if !plan.exists(|node| Ok(is_mistaken(node)))? {
            return self.0.optimize(plan, options);
        }
        plan.map_children(|child| self.optimize(child, options).map(Transformed::yes)).data()
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}

/// Whether an aggregate of all rows has a call that statistics do not answer, or its second half a first one that they cannot.
fn is_mistaken(node: &Arc<dyn ExecutionPlan>) -> bool {
    let Some(last) = node.downcast_ref::<AggregateExec>() else { return false };
    if last.aggr_expr().iter().any(|call| call.is_distinct() || call.fun().name() == "sum") {
        return true;
    }
    if last.mode().input_mode() != AggregateInputMode::Partial || !last.group_expr().is_empty() {
        return false;
    }
    let mut below = Arc::clone(last.input());
    loop {
        if let Some(first) = below.downcast_ref::<AggregateExec>() {
            return first.mode().input_mode() != AggregateInputMode::Raw
                || !first.group_expr().is_empty()
                || first.filter_expr().iter().any(Option::is_some);
        }
        match below.children().as_slice() {
            [input] => below = Arc::clone(input),
            _ => return false,
        }
    }
}

/// A plan in which nothing is known of the values of casts that do not keep their order.
pub(super) fn without_order_of_casts(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| {
        // The others do not show what they compute.
        let shows = matches!(node, LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_) | LogicalPlan::Window(_));
        if !shows || !steps::any(&node, |step| matches!(step, Expr::Cast(_)))? {
            return Ok(Transformed::no(node));
        }
        let schema = merge_schema(&node.inputs());
        steps::keep_names(node, |expression| expression.transform_up(|step| unordered_cast(step, &schema)))
    })
    .data()
}

fn unordered_cast(step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::Cast(cast) = &step else { return Ok(Transformed::no(step)) };
    if matches!(cast.expr.as_ref(), Expr::Literal(..))
        || keeps_order(&cast.expr.get_type(schema)?, cast.field.data_type())
    {
        return Ok(Transformed::no(step));
    }
    Ok(Transformed::yes(without_order(step)))
}

/// A cast as the operand of a function of which nothing is known.
pub(super) fn without_order(cast: Expr) -> Expr {
    ScalarUDF::new_from_impl(AsCast { signature: Signature::any(1, Volatility::Immutable) }).call(vec![cast])
}

/// Whether of two values of one type the lesser one is never the greater one in the other.
fn keeps_order(from: &DataType, to: &DataType) -> bool {
    use DataType::{Boolean, Date32, Date64, Dictionary, Timestamp};
    match (from, to) {
        (Dictionary(_, from), to) => keeps_order(from, to),
        (from, Dictionary(_, to)) => keeps_order(from, to),
        (from, to) if from == to => true,
        (from, to) if from.is_numeric() && to.is_numeric() => true,
        (Boolean, to) => to.is_numeric(),
        (from, to) if from.is_string() && to.is_string() => true,
        (Date32 | Date64, Date32 | Date64 | Timestamp(_, None)) => true,
        (Timestamp(_, None), Date32 | Date64) => true,
        (Timestamp(_, from), Timestamp(_, to)) => from.is_some() == to.is_some(),
        _ => false,
    }
}

/// Its operand, of whose order nothing is known.
#[derive(Debug, PartialEq, Eq, Hash)]
struct AsCast {
    signature: Signature,
}

impl ScalarUDFImpl for AsCast {
    fn name(&self) -> &str {
        AS_CAST
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        let [cast] = take_function_args(self.name(), operands)?;
        Ok(cast.schema_name().to_string())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [cast] = take_function_args(self.name(), types)?;
        Ok(cast.clone())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        match arguments.arg_fields {
            [cast] => Ok(Arc::clone(cast)),
            others => plan_err!("{AS_CAST} takes one operand, not {}", others.len()),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [cast] = take_function_args(self.name(), call.args)?;
        Ok(cast)
    }
}
