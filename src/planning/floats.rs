//! Floating point numbers in PostgreSQL's order: NaN is the greatest, and the two zeros are one.
//!
//! The engine's `min` and `max` compare each number with the best so far, and against NaN every comparison is false: what they
//! yield depends on the order of the rows. Here they see whole numbers in PostgreSQL's order of the floats. A list with one of
//! the zeros gets the other, because lists are looked up by bits.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Float32Array, Float64Array, Int64Array},
    datatypes::{DataType, Float32Type, Float64Type, Int64Type},
};
use datafusion::{
    common::{
        Result, ScalarValue,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode},
    },
    logical_expr::{
        Aggregate, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Projection, ScalarFunctionArgs, ScalarUDF,
        ScalarUDFImpl, Signature, Volatility, Window, WindowFunctionDefinition, expr::ScalarFunction,
    },
    optimizer::analyzer::AnalyzerRule,
};

use crate::{Error, Fault};

/// The analyzer rule; see the module. It comes after types are known.
#[derive(Debug)]
pub(super) struct OrderFloats;

impl AnalyzerRule for OrderFloats {
    fn name(&self) -> &str {
        "order_floats"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(ordered).data()
    }
}

/// A list of floats with both zeros if it has one.
fn with_both_zeros(expression: Expr) -> Result<Transformed<Expr>> {
    let Expr::InList(mut found) = expression else { return Ok(Transformed::no(expression)) };
    let zeros = found.list.iter().filter_map(|item| match item {
        Expr::Literal(ScalarValue::Float64(Some(value)), _) if *value == 0.0 => {
            Some(ScalarValue::Float64(Some(-*value)))
        }
        Expr::Literal(ScalarValue::Float32(Some(value)), _) if *value == 0.0 => {
            Some(ScalarValue::Float32(Some(-*value)))
        }
        _ => None,
    });
    let zeros: Vec<Expr> = zeros.map(|value| Expr::Literal(value, None)).collect();
    let changed = !zeros.is_empty();
    found.list.extend(zeros);
    Ok(Transformed::new_transformed(Expr::InList(found), changed))
}

fn ordered(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let plan = plan.map_expressions(|expression| expression.transform_up(with_both_zeros))?;
    plan.transform_data(in_their_order)
}

fn in_their_order(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    match plan {
        LogicalPlan::Aggregate(aggregate) => {
            let (calls, types) = in_order(&aggregate.aggr_expr, &aggregate.input)?;
            if types.iter().all(Option::is_none) {
                return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
            }
            let schema = Arc::clone(&aggregate.schema);
            let changed = Aggregate::try_new(aggregate.input, aggregate.group_expr, calls)?;
            back(LogicalPlan::Aggregate(changed), &schema, types).map(Transformed::yes)
        }
        LogicalPlan::Window(window) => {
            let (calls, types) = in_order(&window.window_expr, &window.input)?;
            if types.iter().all(Option::is_none) {
                return Ok(Transformed::no(LogicalPlan::Window(window)));
            }
            let schema = Arc::clone(&window.schema);
            let changed = Window::try_new(calls, window.input)?;
            back(LogicalPlan::Window(changed), &schema, types).map(Transformed::yes)
        }
        other => Ok(Transformed::no(other)),
    }
}

/// The calls over numbers in order, and for each that was changed the type of float it is of.
fn in_order(calls: &[Expr], input: &LogicalPlan) -> Result<(Vec<Expr>, Vec<Option<DataType>>)> {
    let mut changed = Vec::with_capacity(calls.len());
    let mut types = Vec::with_capacity(calls.len());
    for (at, call) in calls.iter().enumerate() {
        let mut found = None;
        let replaced = match call.clone().unalias_nested().data {
            Expr::AggregateFunction(mut call) if is_extreme(call.func.name()) => {
                found = float_of(&call.params.args, input)?;
                to_order(&mut call.params.args);
                Expr::AggregateFunction(call)
            }
            Expr::WindowFunction(mut call) if matches!(&call.fun, WindowFunctionDefinition::AggregateUDF(function) if is_extreme(function.name())) =>
            {
                found = float_of(&call.params.args, input)?;
                to_order(&mut call.params.args);
                Expr::WindowFunction(call)
            }
            other => other,
        };
        changed.push(match found {
            Some(_) => replaced.alias(format!("__in_order_{at}")),
            None => call.clone(),
        });
        types.push(found);
    }
    Ok((changed, types))
}

fn is_extreme(name: &str) -> bool {
    matches!(name, "min" | "max")
}

fn float_of(arguments: &[Expr], input: &LogicalPlan) -> Result<Option<DataType>> {
    let [argument] = arguments else { return Ok(None) };
    let data_type = argument.get_type(input.schema())?;
    Ok(matches!(data_type, DataType::Float32 | DataType::Float64).then_some(data_type))
}

fn to_order(arguments: &mut [Expr]) {
    for argument in arguments {
        *argument = converted(argument.clone(), DataType::Int64);
    }
}

/// The plan with the columns of `schema`, those in order as floats again.
fn back(plan: LogicalPlan, schema: &datafusion::common::DFSchema, types: Vec<Option<DataType>>) -> Result<LogicalPlan> {
    let first = schema.fields().len() - types.len();
    let columns = (0..schema.fields().len()).map(|at| {
        let column = Expr::Column(datafusion::common::Column::from(plan.schema().qualified_field(at)));
        let (qualifier, field) = schema.qualified_field(at);
        match at.checked_sub(first).and_then(|call| types[call].clone()) {
            Some(data_type) => converted(column, data_type).alias_qualified(qualifier.cloned(), field.name()),
            None => column,
        }
    });
    let columns = columns.collect();
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?))
}

fn converted(expression: Expr, to: DataType) -> Expr {
    let function = ScalarUDF::new_from_impl(Order { to, signature: Signature::any(1, Volatility::Immutable) });
    Expr::ScalarFunction(ScalarFunction { func: Arc::new(function), args: vec![expression] })
}

/// Floats as whole numbers in the same order, and back.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Order {
    to: DataType,
    signature: Signature,
}

impl ScalarUDFImpl for Order {
    fn name(&self) -> &str {
        if self.to == DataType::Int64 { "float_order" } else { "float_of_order" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.to.clone())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let Some(argument) = arguments.args.into_iter().next() else {
            return Err(Error::new(Fault::Internal, format!("{} takes a number", self.name())).into());
        };
        let values = argument.into_array(rows)?;
        let result: ArrayRef = match (values.data_type(), &self.to) {
            (DataType::Float64, DataType::Int64) => {
                Arc::new(values.as_primitive::<Float64Type>().unary::<_, Int64Type>(place))
            }
            (DataType::Float32, DataType::Int64) => {
                Arc::new(values.as_primitive::<Float32Type>().unary::<_, Int64Type>(|value| place(f64::from(value))))
            }
            (DataType::Int64, DataType::Float64) => {
                let found: Float64Array = Int64Array::clone(values.as_primitive::<Int64Type>()).unary(float_at);
                Arc::new(found)
            }
            (DataType::Int64, DataType::Float32) => {
                let found: Float32Array =
                    Int64Array::clone(values.as_primitive::<Int64Type>()).unary(|place| float_at(place) as f32);
                Arc::new(found)
            }
            (found, _) => {
                return Err(Error::new(Fault::Internal, format!("{} of {found}", self.name())).into());
            }
        };
        Ok(ColumnarValue::Array(result))
    }
}

/// A float's place among all: its bits, of negative ones reversed. There is one NaN, and it is the last.
fn place(value: f64) -> i64 {
    let bits = if value.is_nan() { f64::NAN.to_bits() & !(1 << 63) } else { value.to_bits() };
    let bits = bits.cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

fn float_at(place: i64) -> f64 {
    let bits = place ^ ((place >> 63).cast_unsigned() >> 1).cast_signed();
    f64::from_bits(bits.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_order_and_lead_back() {
        let ascending = [
            f64::NEG_INFINITY,
            f64::MIN,
            -1.5,
            -f64::MIN_POSITIVE,
            -5e-324,
            -0.0,
            0.0,
            5e-324,
            1.0,
            f64::MAX,
            f64::INFINITY,
            f64::NAN,
        ];
        for pair in ascending.windows(2) {
            assert!(place(pair[0]) < place(pair[1]), "{pair:?}");
        }
        for value in ascending {
            let back = float_at(place(value));
            assert!(back.to_bits() == value.to_bits() || (back.is_nan() && value.is_nan()), "{value}");
        }
        assert_eq!(place(-f64::NAN), place(f64::NAN));
    }
}
