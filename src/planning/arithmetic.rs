//! Numbers that leave their type are an error, as in PostgreSQL.
//!
//! The engine's `+`, `-` and `*` of integers wrap around, and so does `sum`; those of decimals yield some of 39 digits, of
//! which a text loses one; a quotient of decimals of many digits fails, because the dividend is first multiplied by a power of
//! ten. Its floats become infinities and zeros. When plans
//! become operators, these become functions that notice, under the names of what they replace; all rules before see the
//! engine's own. What the ranges of the operands' types keep from overflowing stays as it is. A calculation of constants
//! becomes a function before the constants are folded.

use arrow::{
    array::{Array, ArrayRef, Datum},
    compute::kernels::numeric::{add, mul, neg, sub},
    datatypes::{
        DECIMAL128_MAX_PRECISION, DECIMAL128_MAX_SCALE, DECIMAL256_MAX_PRECISION, DECIMAL256_MAX_SCALE, DataType,
        FieldRef,
    },
    error::ArrowError,
};
use datafusion::{
    common::{
        DFSchema, DataFusionError, Result, ScalarValue,
        tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion},
        utils::take_function_args,
    },
    logical_expr::{
        BinaryExpr, Cast, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ReturnFieldArgs,
        ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, type_coercion::binary::BinaryTypeCoercer,
        utils::merge_schema,
    },
    physical_expr_common::datum::apply,
};

use super::{
    calls::{self, Back},
    columnar::field_of,
    float_limits, steps, wide,
};
use crate::{
    fault::{Failure, Fault},
    pgtype,
};

/// What a sum of integers is computed in: no number of rows overflows it.
const WIDE: DataType = DataType::Decimal128(38, 0);

/// A sum of numerics of so many digits has room for those of ten thousand million rows.
pub(super) const MAX_SUMMED_DIGITS: u8 = DECIMAL128_MAX_PRECISION - 10;

/// Decimal places that the engine gives a quotient more than its dividend has, and an average more than its values.
pub(super) const ADDED_PLACES: i8 = 4;

/// A plan whose calculations notice that a number leaves its type.
pub(super) fn checked(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| {
        // A scan has no condition that fails on a row.
        let is_scan = matches!(node, LogicalPlan::TableScan(_));
        if is_scan || !steps::any(&node, |step| is_calculation(step) || is_sum(step))? {
            return Ok(Transformed::no(node));
        }
        let schema = merge_schema(&node.inputs());
        let node = steps::keep_names(node, |expression| expression.transform_up(|step| checked_step(step, &schema)))?;
        node.transform_data(|node| calls::replace(node, exact_sum))
    })
    .data()
}

/// The same of a calculation of constants, or of what may turn out to be some, whose operands are done.
pub(super) fn checked_constant(step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match is_calculation(&step) && (is_constant(&step) || chooses(&step)) {
        true => checked_step(step, schema),
        false => Ok(Transformed::no(step)),
    }
}

/// Whether an operand is one of several values.
fn chooses(step: &Expr) -> bool {
    let is_choice = |operand: &Expr| match operand {
        Expr::Case(_) => true,
        Expr::Cast(cast) => matches!(cast.expr.as_ref(), Expr::Case(_) | Expr::ScalarFunction(_)),
        Expr::ScalarFunction(_) => checked_call(operand).is_none_or(|checked| !checked.is_constant),
        _ => false,
    };
    match step {
        Expr::BinaryExpr(BinaryExpr { left, right, .. }) => is_choice(left) || is_choice(right),
        Expr::Negative(operand) => is_choice(operand),
        _ => false,
    }
}

/// Whether an expression has no column. A calculation tells that of itself.
fn is_constant(expression: &Expr) -> bool {
    let mut constant = true;
    let looked = expression.apply(|part| {
        let known = checked_call(part);
        constant &= !matches!(part, Expr::Column(_) | Expr::OuterReferenceColumn(..));
        constant &= known.is_none_or(|checked| checked.is_constant);
        Ok(match (constant, known) {
            (true, None) => TreeNodeRecursion::Continue,
            (true, Some(_)) => TreeNodeRecursion::Jump,
            (false, _) => TreeNodeRecursion::Stop,
        })
    });
    constant && looked.is_ok()
}

pub(super) fn is_calculation(step: &Expr) -> bool {
    Calculation::of(step).is_some()
}

fn is_sum(step: &Expr) -> bool {
    let adds = |name: &str| matches!(name, "sum" | "avg");
    match step {
        Expr::AggregateFunction(call) => adds(call.func.name()),
        Expr::WindowFunction(call) => adds(call.fun.name()),
        _ => false,
    }
}

fn checked_step(step: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Some(calculation) = Calculation::of(&step) else { return Ok(Transformed::no(step)) };
    let operands = operands(&step);
    let mut types = Vec::with_capacity(operands.len());
    for operand in &operands {
        types.push(type_of(operand, schema)?);
    }
    let result = match (calculation, types.as_slice()) {
        (Calculation::Divide, [left @ DataType::Decimal128(..), right @ DataType::Decimal128(..)]) => {
            BinaryTypeCoercer::new(left, &Operator::Divide, right).get_result_type()?
        }
        (Calculation::Divide, [left, right]) if left.is_floating() && left == right => left.clone(),
        (Calculation::Divide, _) => return Ok(Transformed::no(step)),
        (Calculation::Multiply, [left, right]) if left.is_floating() && left == right => left.clone(),
        (_, [left, right]) if left.is_floating() && left == right => {
            if operands.iter().any(|operand| float_limits::is_small(operand)) {
                return Ok(Transformed::no(step));
            }
            left.clone()
        }
        (
            Calculation::Add | Calculation::Subtract | Calculation::Multiply,
            [left @ DataType::Decimal128(..), right @ DataType::Decimal128(..)],
        ) => {
            let (op, may_leave) = match calculation {
                Calculation::Add => (Operator::Plus, wide::sum_may_leave(left, right)),
                Calculation::Subtract => (Operator::Minus, wide::sum_may_leave(left, right)),
                _ => (Operator::Multiply, wide::product_may_leave(left, right)),
            };
            if !may_leave {
                return Ok(Transformed::no(step));
            }
            BinaryTypeCoercer::new(left, &op, right).get_result_type()?
        }
        (_, [operand, ..]) if overflows(calculation, &operands, &types, schema) => operand.clone(),
        _ => return Ok(Transformed::no(step)),
    };
    let operands = match step {
        Expr::BinaryExpr(BinaryExpr { left, right, .. }) => vec![*left, *right],
        Expr::Negative(operand) => vec![*operand],
        other => return Ok(Transformed::no(other)),
    };
    Ok(Transformed::yes(calculation.call(operands, result)))
}

/// What a calculation is of.
fn operands(step: &Expr) -> Vec<&Expr> {
    match step {
        Expr::BinaryExpr(BinaryExpr { left, right, .. }) => vec![left, right],
        Expr::Negative(operand) => vec![operand],
        _ => Vec::new(),
    }
}

/// Whether integers may leave their type.
fn overflows(calculation: Calculation, operands: &[&Expr], types: &[DataType], schema: &DFSchema) -> bool {
    match types {
        [left, right] if left != right => false,
        [data_type, ..] if data_type.is_integer() => {
            let ranges: Vec<Range> = operands.iter().map(|operand| range(operand, schema, DEPTH)).collect();
            !calculation.of_ranges(&ranges).is_some_and(|result| result.within(Range::of(data_type)))
        }
        _ => false,
    }
}

/// Whether integers may leave their type somewhere in an expression.
pub(super) fn can_overflow(expression: &Expr, schema: &DFSchema) -> bool {
    let step_can = |step: &Expr| {
        let Some(calculation) = Calculation::of(step) else { return Ok(false) };
        let operands = operands(step);
        let types = operands.iter().map(|operand| operand.get_type(schema)).collect::<Result<Vec<_>>>()?;
        Ok(overflows(calculation, &operands, &types, schema))
    };
    expression.exists(step_can).unwrap_or(true)
}

/// The type of an operand. A calculation tells its own, so that those of a long chain are not asked again and again.
fn type_of(operand: &Expr, schema: &DFSchema) -> Result<DataType> {
    match checked_call(operand) {
        Some(checked) => Ok(checked.data_type.clone()),
        None => operand.get_type(schema),
    }
}

/// A product of numerics that has this type.
pub(super) fn product(factors: Vec<Expr>, data_type: DataType) -> Expr {
    Calculation::Multiply.call(factors, data_type)
}

/// A quotient of numerics that has this type.
pub(super) fn quotient(operands: Vec<Expr>, data_type: DataType) -> Expr {
    Calculation::Divide.call(operands, data_type)
}

fn checked_call(expression: &Expr) -> Option<&Checked> {
    match expression {
        Expr::ScalarFunction(call) => call.func.inner().downcast_ref::<Checked>(),
        _ => None,
    }
}

/// The name of a column that an operand would be, with the same care.
fn name_of(operand: &Expr) -> String {
    checked_call(operand).map_or_else(|| operand.schema_name().to_string(), |checked| checked.name.clone())
}

/// A sum in a wider type, whose end must be one of the sum's own. So is the sum that an average is computed from.
fn exact_sum(call: &mut Expr, input: &LogicalPlan) -> Result<Option<Back>> {
    let schema = input.schema();
    let Some((name @ ("sum" | "avg"), arguments)) = calls::aggregate(call) else { return Ok(None) };
    let averages = name == "avg";
    let Some(argument) = arguments.first_mut() else { return Ok(None) };
    let data_type = argument.get_type(schema)?;
    let (longer, result) = match data_type {
        // One more place, which the average is rounded by; the engine cuts its last one.
        DataType::Decimal128(digits, scale) if averages => {
            let result_scale = (scale + ADDED_PLACES).min(DECIMAL128_MAX_SCALE);
            let result_digits = (digits + ADDED_PLACES.unsigned_abs()).min(DECIMAL128_MAX_PRECISION);
            let longer = match digits < MAX_SUMMED_DIGITS {
                true => DataType::Decimal128(digits + 1, scale + 1),
                false => DataType::Decimal256(DECIMAL256_MAX_PRECISION, scale + 1),
            };
            (longer, DataType::Decimal128(result_digits, result_scale))
        }
        DataType::Decimal128(digits, scale) if digits > MAX_SUMMED_DIGITS => (
            DataType::Decimal256(DECIMAL256_MAX_PRECISION, scale),
            DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale),
        ),
        DataType::Decimal256(digits, scale) if averages && scale < DECIMAL256_MAX_SCALE - ADDED_PLACES => (
            DataType::Decimal256(DECIMAL256_MAX_PRECISION, scale + 1),
            DataType::Decimal256(
                (digits + ADDED_PLACES.unsigned_abs()).min(DECIMAL256_MAX_PRECISION),
                scale + ADDED_PLACES,
            ),
        ),
        _ if averages => return Ok(None),
        // As many numbers of 32 bits as there can be rows have a sum of 64.
        _ if !data_type.is_integer() || range(argument, schema, DEPTH).within(Range::of(&DataType::Int32)) => {
            return Ok(None);
        }
        _ if data_type.is_unsigned_integer() => (WIDE, DataType::UInt64),
        _ => (WIDE, DataType::Int64),
    };
    *argument = Expr::Cast(Cast::new(Box::new(std::mem::take(argument)), longer));
    Ok(Some(Box::new(move |sum| Calculation::Narrow.call(vec![sum], result))))
}

/// The least and the greatest number that an expression may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    least: i128,
    greatest: i128,
}

/// How deep an expression is looked into for its range.
const DEPTH: usize = 8;

impl Range {
    /// All integers of a type; of another type, more than any.
    fn of(data_type: &DataType) -> Self {
        let (least, greatest) = match data_type {
            DataType::Int8 => (i8::MIN.into(), i8::MAX.into()),
            DataType::Int16 => (i16::MIN.into(), i16::MAX.into()),
            DataType::Int32 => (i32::MIN.into(), i32::MAX.into()),
            DataType::Int64 => (i64::MIN.into(), i64::MAX.into()),
            DataType::UInt8 => (0, u8::MAX.into()),
            DataType::UInt16 => (0, u16::MAX.into()),
            DataType::UInt32 => (0, u32::MAX.into()),
            DataType::UInt64 => (0, u64::MAX.into()),
            _ => (i128::MIN, i128::MAX),
        };
        Self { least, greatest }
    }

    fn within(self, other: Self) -> bool {
        self.least >= other.least && self.greatest <= other.greatest
    }

    fn together(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), greatest: self.greatest.max(other.greatest) }
    }

    fn intersect(self, other: Self) -> Self {
        Self { least: self.least.max(other.least), greatest: self.greatest.min(other.greatest) }
    }
}

/// What an expression over rows of this schema may be, if it is an integer.
fn range(expression: &Expr, schema: &DFSchema, depth: usize) -> Range {
    let own = type_of(expression, schema).map_or(Range::of(&DataType::Null), |data_type| Range::of(&data_type));
    let Some(depth) = depth.checked_sub(1) else { return own };
    let inner = match expression {
        Expr::Literal(value, _) => match value.cast_to(&WIDE) {
            // NULL is none of any numbers.
            Ok(ScalarValue::Decimal128(number, ..)) => {
                let number = number.unwrap_or_default();
                Some(Range { least: number, greatest: number })
            }
            _ => None,
        },
        Expr::Alias(alias) => Some(range(&alias.expr, schema, depth)),
        // A number that is cast is the same number or none.
        Expr::Cast(cast) if type_of(&cast.expr, schema).is_ok_and(|from| from.is_integer()) => {
            Some(range(&cast.expr, schema, depth))
        }
        Expr::Case(case) => {
            let values = case.when_then_expr.iter().map(|(_, value)| value).chain(&case.else_expr);
            let ranges = values.map(|value| range(value, schema, depth));
            ranges.reduce(|left, right| left.together(right))
        }
        Expr::BinaryExpr(BinaryExpr { left, right, .. }) => {
            let operands = [range(left, schema, depth), range(right, schema, depth)];
            Calculation::of(expression).and_then(|calculation| calculation.of_ranges(&operands))
        }
        _ => None,
    };
    inner.map_or(own, |inner| inner.intersect(own))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Calculation {
    Add,
    Subtract,
    Multiply,
    Negate,
    /// Of decimals.
    Divide,
    /// A whole decimal, as an integer.
    Narrow,
}

impl Calculation {
    fn of(step: &Expr) -> Option<Self> {
        Some(match step {
            Expr::Negative(_) => Self::Negate,
            Expr::BinaryExpr(BinaryExpr { op, .. }) => match op {
                Operator::Plus => Self::Add,
                Operator::Minus => Self::Subtract,
                Operator::Multiply => Self::Multiply,
                Operator::Divide => Self::Divide,
                _ => return None,
            },
            _ => return None,
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Add => "checked_add",
            Self::Subtract => "checked_subtract",
            Self::Multiply => "checked_multiply",
            Self::Negate => "checked_negate",
            Self::Divide => "wide_divide",
            Self::Narrow => "integer_of",
        }
    }

    /// The call whose result is of this type, under the name of the engine's own expression of it.
    fn call(self, operands: Vec<Expr>, data_type: DataType) -> Expr {
        let sign = match self {
            Self::Add => "+",
            Self::Subtract | Self::Negate => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Narrow => "",
        };
        let name = match operands.iter().map(name_of).collect::<Vec<_>>().as_slice() {
            [operand] => format!("({sign} {operand})"),
            names => names.join(&format!(" {sign} ")),
        };
        let is_constant = operands.iter().all(is_constant);
        let signature = Signature::any(operands.len(), Volatility::Immutable);
        ScalarUDF::new_from_impl(Checked { calculation: self, data_type, name, is_constant, signature }).call(operands)
    }

    /// The range of the result, if no bound overflows.
    fn of_ranges(&self, operands: &[Range]) -> Option<Range> {
        let bounds = match (self, operands) {
            (Self::Add, [left, right]) => {
                vec![left.least.checked_add(right.least)?, left.greatest.checked_add(right.greatest)?]
            }
            (Self::Subtract, [left, right]) => {
                vec![left.least.checked_sub(right.greatest)?, left.greatest.checked_sub(right.least)?]
            }
            (Self::Multiply, [left, right]) => vec![
                left.least.checked_mul(right.least)?,
                left.least.checked_mul(right.greatest)?,
                left.greatest.checked_mul(right.least)?,
                left.greatest.checked_mul(right.greatest)?,
            ],
            (Self::Negate, [operand]) => vec![operand.least.checked_neg()?, operand.greatest.checked_neg()?],
            _ => return None,
        };
        Some(Range { least: bounds.iter().copied().min()?, greatest: bounds.iter().copied().max()? })
    }
}

/// A calculation of whole numbers or decimals that fails where the result is none of its type.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    calculation: Calculation,
    data_type: DataType,
    name: String,
    is_constant: bool,
    signature: Signature,
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        self.calculation.name()
    }

    fn schema_name(&self, _operands: &[Expr]) -> Result<String> {
        Ok(self.name.clone())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(field_of(self.name(), self.data_type.clone(), &arguments))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let data_type = call.return_type().clone();
        let binary = |kernel: fn(&dyn Datum, &dyn Datum) -> Result<ArrayRef, ArrowError>| {
            let [left, right] = take_function_args(self.name(), &call.args)?;
            apply(left, right, kernel)
        };
        let unary = |kernel: &dyn Fn(&dyn Array) -> Result<ArrayRef, ArrowError>| {
            let [operand] = take_function_args(self.name(), &call.args)?;
            match operand {
                ColumnarValue::Array(operand) => Ok(ColumnarValue::Array(kernel(operand.as_ref())?)),
                ColumnarValue::Scalar(operand) => {
                    let result = kernel(operand.to_array()?.as_ref())?;
                    Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?))
                }
            }
        };
        let result = match &self.calculation {
            Calculation::Add if data_type.is_floating() => binary(float_limits::add),
            Calculation::Subtract if data_type.is_floating() => binary(float_limits::sub),
            Calculation::Multiply if data_type.is_floating() => binary(float_limits::mul),
            Calculation::Divide if data_type.is_floating() => binary(float_limits::div),
            Calculation::Add if data_type.is_decimal() => binary(|left, right| wide::short(add(left, right)?)),
            Calculation::Subtract if data_type.is_decimal() => binary(|left, right| wide::short(sub(left, right)?)),
            Calculation::Add => binary(add),
            Calculation::Subtract => binary(sub),
            Calculation::Multiply if data_type.is_decimal() => {
                let [left, right] = take_function_args(self.name(), &call.args)?;
                apply(left, right, |left, right| wide::products(left, right, &data_type))
            }
            Calculation::Multiply => binary(mul),
            Calculation::Negate => unary(&|operand| neg(operand)),
            Calculation::Narrow => unary(&|sum| wide::narrowed(sum, &data_type)),
            Calculation::Divide => {
                let [left, right] = take_function_args(self.name(), &call.args)?;
                apply(left, right, |left, right| wide::quotients(left, right, &data_type))
            }
        };
        result.map_err(|error| match overflow(&error) {
            Some(calculation) => out_of_range(&data_type, calculation),
            None => error,
        })
    }
}

/// What overflowed, in the words of the kernel that found out.
fn overflow(error: &DataFusionError) -> Option<&str> {
    match error {
        DataFusionError::ArrowError(error, _) => match error.as_ref() {
            ArrowError::ArithmeticOverflow(text) => Some(text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest)),
            _ => None,
        },
        _ => None,
    }
}

fn out_of_range(data_type: &DataType, calculation: &str) -> DataFusionError {
    if data_type.is_floating() {
        return Failure::new(Fault::NumericOutOfRange, format!("value out of range: {calculation}")).into();
    }
    let name = match data_type {
        unsigned if unsigned.is_unsigned_integer() => "an integer without a sign",
        integer if integer.is_integer() => pgtype::of(integer).pg.spelling,
        _ => pgtype::NUMERIC.spelling,
    };
    Failure::new(Fault::NumericOutOfRange, format!("{name} out of range: {calculation}")).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow::{
        array::{AsArray, Int64Array},
        datatypes::{Field, Int64Type},
    };
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    fn computed(calculation: &Calculation, operands: &[i64]) -> Result<i64> {
        let call = calculation.call(vec![Expr::default(); operands.len()], DataType::Int64);
        let Some(function) = checked_call(&call) else { panic!("it is no call") };
        let arrays = operands.iter().map(|value| ColumnarValue::Array(Arc::new(Int64Array::from(vec![*value]))));
        let field = Arc::new(Field::new("x", DataType::Int64, true));
        let result = function.invoke_with_args(ScalarFunctionArgs {
            args: arrays.collect(),
            arg_fields: vec![Arc::clone(&field); operands.len()],
            number_rows: 1,
            return_field: field,
            config_options: Arc::default(),
        })?;
        Ok(result.to_array(1)?.as_primitive::<Int64Type>().value(0))
    }

    /// Numbers of all sizes, most of them near a limit.
    fn number(random: &mut StdRng) -> i64 {
        let near = [0, i64::MIN, i64::MAX, i64::from(i32::MAX), 3_037_000_499][random.random_range(0..5)];
        let far = random.random::<i64>() >> random.random_range(0..64);
        if random.random_bool(0.5) { near.wrapping_add(random.random_range(-2..=2)) } else { far }
    }

    #[test]
    fn integers_are_those_of_wider_ones_or_errors() {
        let seed = 41;
        let mut random = StdRng::seed_from_u64(seed);
        for round in 0..20_000 {
            let (left, right) = (number(&mut random), number(&mut random));
            let (wide, other) = (i128::from(left), i128::from(right));
            for (calculation, operands, expected) in [
                (Calculation::Add, vec![left, right], wide + other),
                (Calculation::Subtract, vec![left, right], wide - other),
                (Calculation::Multiply, vec![left, right], wide * other),
                (Calculation::Negate, vec![left], -wide),
            ] {
                let found = computed(&calculation, &operands);
                let context = format!("seed {seed}, round {round}: {calculation:?} of {operands:?}");
                match i64::try_from(expected) {
                    Ok(expected) => assert_eq!(found.unwrap(), expected, "{context}"),
                    Err(_) => assert!(found.unwrap_err().to_string().contains("bigint out of range"), "{context}"),
                }
            }
        }
    }

    #[test]
    fn a_range_holds_all_results_of_its_operands() {
        let seed = 42;
        let mut random = StdRng::seed_from_u64(seed);
        let among = |random: &mut StdRng, range: Range| random.random_range(range.least..=range.greatest);
        for round in 0..20_000 {
            let ranges: Vec<Range> = (0..2)
                .map(|_| {
                    let (one, other) = (i128::from(number(&mut random)), i128::from(number(&mut random)));
                    Range { least: one.min(other), greatest: one.max(other) }
                })
                .collect();
            let (left, right) = (among(&mut random, ranges[0]), among(&mut random, ranges[1]));
            for (calculation, result) in [
                (Calculation::Add, left + right),
                (Calculation::Subtract, left - right),
                (Calculation::Multiply, left * right),
            ] {
                let range = calculation.of_ranges(&ranges).unwrap();
                let holds = range.least <= result && result <= range.greatest;
                assert!(holds, "seed {seed}, round {round}: {result} of {left} and {right} is not in {range:?}");
            }
        }
    }
}
