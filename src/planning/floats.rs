//! Floating point numbers in PostgreSQL's order: NaN is the greatest, and the two zeros are one.
//!
//! The engine's `min` and `max` compare each number with the best so far, and against NaN every comparison is false: what they
//! yield depends on the order of the rows. Here they see whole numbers in PostgreSQL's order of the floats, and so do sorts and
//! windows, which take NaN with a sign for the least number and -0 for less than 0. A NaN with a sign is made by `-x`, and by processors that say so of an
//! infinity less another: it is no equal of NaN for the engine's comparisons, groups and joins, so that it does not leave the
//! expression that made it.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, Int64Array},
    datatypes::{DataType, Field, FieldRef, Float32Type, Float64Type, Int64Type},
};
use datafusion::{
    common::{
        DFSchema, Result, ScalarValue,
        config::ConfigOptions,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
    },
    logical_expr::{
        BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ReturnFieldArgs, ScalarFunctionArgs,
        ScalarUDF, ScalarUDFImpl, Signature, Volatility, utils::merge_schema,
    },
    optimizer::analyzer::AnalyzerRule,
};

use super::{calls, steps};
use crate::fault::{Failure, Fault};

/// The analyzer rule; see the module. It comes after types are known.
#[derive(Debug)]
pub(super) struct OrderFloats;

impl AnalyzerRule for OrderFloats {
    fn name(&self) -> &str {
        "order_floats"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(in_their_order).data()
    }
}

/// The rule that leaves one NaN; see the module. It comes when types are known, before rows are sorted by what it changes.
#[derive(Debug)]
pub(super) struct OneNan;

impl AnalyzerRule for OneNan {
    fn name(&self) -> &str {
        "one_nan"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(with_one_nan).data()
    }
}

fn with_one_nan(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    if !steps::any(&plan, |step| makes_nan(step) || compares_floats(step))? {
        return Ok(Transformed::no(plan));
    }
    let schema = merge_schema(&plan.inputs());
    steps::keep_names(plan, |expression| one_nan(expression, &schema))
}

/// The expression, in which what can make a NaN with a sign makes the one without. A calculation does so at its end.
fn one_nan(expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    expression.transform_down(|step| {
        let step = by_place(step, schema)?;
        if !makes_nan(&step.data) || !is_float(&step.data.get_type(schema)?) {
            return Ok(step);
        }
        let step = step.data;
        let one = convert(calculated(step, schema)?, Conversion::Nan);
        Ok(Transformed::new(one, true, TreeNodeRecursion::Jump))
    })
}

/// Whether an aggregate sorts its rows, or looks for equal ones.
fn compares_floats(step: &Expr) -> bool {
    matches!(step, Expr::AggregateFunction(call) if calls::compares(call))
}

/// An aggregate that takes floats by their places.
fn by_place(step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::AggregateFunction(mut call) = step else { return Ok(Transformed::no(step)) };
    let mut changed = false;
    for operand in calls::compared(&mut call) {
        if is_float(&operand.get_type(schema)?) {
            *operand = place_of(std::mem::take(operand));
            changed = true;
        }
    }
    Ok(Transformed::new_transformed(Expr::AggregateFunction(call), changed))
}

/// A step of a calculation whose result is looked at where it ends.
fn calculated(step: Expr, schema: &DFSchema) -> Result<Expr> {
    match step {
        Expr::Negative(operand) => Ok(Expr::Negative(Box::new(calculated(*operand, schema)?))),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_arithmetic(op) => {
            let (left, right) = (calculated(*left, schema)?, calculated(*right, schema)?);
            Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
        }
        operand => Ok(one_nan(operand, schema)?.data),
    }
}

/// Whether a step can make a NaN with a sign of numbers without one, if they are floats.
fn makes_nan(step: &Expr) -> bool {
    use Operator::{Divide, Minus, Multiply, Plus};
    match step {
        Expr::Negative(operand) => finite(operand).is_none(),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_arithmetic(*op) => match op {
            Plus | Minus => finite(left).or_else(|| finite(right)).is_none(),
            // An infinity times zero is NaN.
            Multiply => finite(left).or_else(|| finite(right)).is_none_or(|factor| factor == 0.0),
            Divide => finite(left).or_else(|| finite(right).filter(|divisor| *divisor != 0.0)).is_none(),
            _ => true,
        },
        _ => false,
    }
}

fn is_arithmetic(operator: Operator) -> bool {
    use Operator::{Divide, Minus, Modulo, Multiply, Plus};
    matches!(operator, Plus | Minus | Multiply | Divide | Modulo)
}

/// The number that the statement names, if it is one.
fn finite(expression: &Expr) -> Option<f64> {
    let Ok(ScalarValue::Float64(Some(number))) = literal(expression)?.cast_to(&DataType::Float64) else { return None };
    number.is_finite().then_some(number)
}

/// The value of a constant, with or without a cast.
pub(super) fn literal(expression: &Expr) -> Option<ScalarValue> {
    match expression {
        Expr::Literal(value, _) => Some(value.clone()),
        Expr::Cast(cast) => literal(&cast.expr)?.cast_to(cast.field.data_type()).ok(),
        _ => None,
    }
}

pub(super) fn is_float(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float32 | DataType::Float64)
}

/// The place of a float among all, which is what rows are sorted by. The zeros have one.
pub(super) fn place_of(float: Expr) -> Expr {
    convert(float, Conversion::Place)
}

/// A float that distances are reckoned from. The zeros are one.
pub(super) fn one_zero(float: Expr) -> Expr {
    convert(float, Conversion::Zero)
}

/// A whole number for each float, of which the float can be made again; the zeros have two. What is no float by the time
/// that types are settled stays as it is.
pub(super) fn number_of(float: Expr) -> Expr {
    convert(float, Conversion::Order)
}

/// The float of this type that such a number is of.
pub(super) fn of_number(number: Expr, float: DataType) -> Expr {
    convert(number, Conversion::Float(float))
}

fn in_their_order(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    calls::replace(plan, |call, input| {
        let Some(("min" | "max", arguments)) = calls::aggregate(call) else { return Ok(None) };
        let Some(float) = float_of(arguments, input)? else { return Ok(None) };
        to_order(arguments);
        Ok(Some(Box::new(move |places| convert(places, Conversion::Float(float)))))
    })
}

fn float_of(arguments: &[Expr], input: &LogicalPlan) -> Result<Option<DataType>> {
    let [argument] = arguments else { return Ok(None) };
    let data_type = argument.get_type(input.schema())?;
    Ok(is_float(&data_type).then_some(data_type))
}

fn to_order(arguments: &mut [Expr]) {
    for argument in arguments {
        *argument = convert(argument.clone(), Conversion::Order);
    }
}

fn convert(expression: Expr, conversion: Conversion) -> Expr {
    ScalarUDF::new_from_impl(Convert { conversion, signature: Signature::any(1, Volatility::Immutable) })
        .call(vec![expression])
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Conversion {
    /// Of each NaN to the one without a sign.
    Nan,
    /// To whole numbers in the order of the floats, where -0 comes before 0.
    Order,
    /// To whole numbers in the order of the floats, where the zeros are one.
    Place,
    /// Of both zeros to the one without a sign.
    Zero,
    /// Of numbers in order to this type of float.
    Float(DataType),
}

/// A conversion of floats that never fails.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Convert {
    conversion: Conversion,
    signature: Signature,
}

impl ScalarUDFImpl for Convert {
    fn name(&self) -> &str {
        match self.conversion {
            Conversion::Nan => "one_nan",
            Conversion::Order => "float_order",
            Conversion::Place => "float_place",
            Conversion::Zero => "one_zero",
            Conversion::Float(_) => "float_of_order",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match (&self.conversion, arguments) {
            (Conversion::Nan | Conversion::Zero, [argument]) => Ok(argument.clone()),
            (Conversion::Order, [argument]) if !is_float(argument) => Ok(argument.clone()),
            (Conversion::Float(float), [DataType::Int64]) => Ok(float.clone()),
            (Conversion::Float(_), [argument]) => Ok(argument.clone()),
            (_, [_]) => Ok(DataType::Int64),
            _ => Err(Failure::new(Fault::Internal, format!("{} takes a number", self.name())).into()),
        }
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
        let types: Vec<DataType> = arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, nullable)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let [values] = arrays.as_slice() else {
            return Err(Failure::new(Fault::Internal, format!("{} takes a number", self.name())).into());
        };
        let result = match values.data_type() {
            DataType::Float64 => self.of_floats::<Float64Type>(values, f64::is_nan, f64::NAN, |value| value),
            DataType::Float32 => self.of_floats::<Float32Type>(values, f32::is_nan, f32::NAN, f64::from),
            DataType::Int64 if matches!(self.conversion, Conversion::Float(_)) => self.of_places(values.as_primitive()),
            _ if matches!(self.conversion, Conversion::Order | Conversion::Float(_)) => Some(Arc::clone(values)),
            _ => None,
        };
        let result = result
            .ok_or_else(|| Failure::new(Fault::Internal, format!("{} of {}", self.name(), values.data_type())))?;
        match arguments.args.as_slice() {
            [ColumnarValue::Scalar(_)] => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)),
            _ => Ok(ColumnarValue::Array(result)),
        }
    }
}

impl Convert {
    fn of_floats<T: ArrowPrimitiveType>(
        &self,
        values: &ArrayRef,
        is_nan: impl Fn(T::Native) -> bool,
        nan: T::Native,
        wide: impl Fn(T::Native) -> f64,
    ) -> Option<ArrayRef> {
        let floats = values.as_primitive::<T>();
        match self.conversion {
            // Few calculations make any: the values are those.
            Conversion::Nan if !floats.values().iter().any(|value| is_nan(*value)) => Some(Arc::clone(values)),
            Conversion::Nan => Some(Arc::new(floats.unary::<_, T>(|value| if is_nan(value) { nan } else { value }))),
            // -0 + 0 is 0.
            Conversion::Zero => Some(Arc::new(floats.unary::<_, T>(|value| value.add_wrapping(T::Native::ZERO)))),
            Conversion::Order => Some(Arc::new(floats.unary::<_, Int64Type>(|value| place(wide(value))))),
            Conversion::Place => Some(Arc::new(floats.unary::<_, Int64Type>(|value| place(wide(value) + 0.0)))),
            Conversion::Float(_) => None,
        }
    }

    fn of_places(&self, places: &Int64Array) -> Option<ArrayRef> {
        match self.conversion {
            Conversion::Float(DataType::Float64) => Some(Arc::new(places.unary::<_, Float64Type>(float_at))),
            Conversion::Float(DataType::Float32) => {
                Some(Arc::new(places.unary::<_, Float32Type>(|place| float_at(place) as f32)))
            }
            _ => None,
        }
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
