//! Operators between arrays, and their elements and parts, as PostgreSQL has them.
//!
//! ```sql
//! SELECT a || 3, a @> '{1,2}', a[1], a[2:3], a < ARRAY[1, NULL]
//! ```
//!
//! They become calls of [functions](crate::functions) where they are planned. Equality alone stays the engine's, which joins
//! and groups by it, but between floats, intervals and arrays of unequal depth.

use arrow::datatypes::DataType;
use datafusion::{
    common::{DFSchema, Result, ScalarValue},
    logical_expr::{
        Cast, Expr, ExprSchemable, GetFieldAccess,
        expr::ScalarFunction,
        planner::{ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr},
    },
    sql::sqlparser::ast::BinaryOperator,
};

use super::{choosing, open_operands::is_open, overloads, told::told_by};
use crate::{
    fault::{Failure, Fault},
    functions::{self, Function, Given},
    pgtype::{self, dimensions_of, element, innermost},
};

/// Plans what is done with arrays; see the module. It comes before the engine's own planners.
#[derive(Debug)]
pub(crate) struct Arrays;

impl ExprPlanner for Arrays {
    fn plan_binary_op(&self, operation: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        if of_arrays(&operation.op, true).is_none() {
            return Ok(PlannerResult::Original(operation));
        }
        let RawBinaryExpr { op, mut left, mut right } = operation;
        match (array_type(&left, schema), array_type(&right, schema)) {
            (Some(array), _) | (_, Some(array)) if is_read_later(&op, &array, [&left, &right], schema) => {}
            (Some(array), None) => become_array(&mut right, &array),
            (None, Some(array)) => become_array(&mut left, &array),
            _ => {}
        }
        let types = (array_type(&left, schema), array_type(&right, schema));
        let function = match &types {
            (None, None) => None,
            (Some(_), None) if op == BinaryOperator::StringConcat && !is_open(&right) => Some(&functions::ARRAY_APPEND),
            (None, Some(_)) if op == BinaryOperator::StringConcat && !is_open(&left) => Some(&functions::ARRAY_PREPEND),
            (Some(one), Some(other)) => of_arrays(&op, is_equal_otherwise(one, other)),
            // NULL or a parameter.
            _ => of_arrays(&op, false),
        };
        let Some(function) = function else {
            return Ok(PlannerResult::Original(RawBinaryExpr { op, left, right }));
        };
        check(&op, function, [&left, &right], schema)?;
        Ok(PlannerResult::Planned(functions::called(function, vec![left, right])))
    }

    fn plan_array_literal(&self, elements: Vec<Expr>, _schema: &DFSchema) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(choosing::array().call(elements)))
    }

    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let RawFieldAccessExpr { field_access, expr } = access;
        let field_access = match field_access {
            // A place in quotes, and no field of an object.
            GetFieldAccess::NamedStructField { name } if has_places(&expr, schema) => {
                GetFieldAccess::ListIndex { key: Box::new(Expr::Literal(name, None)) }
            }
            other => other,
        };
        let is_step = |stride: &Expr| matches!(stride, Expr::Literal(ScalarValue::Int64(Some(1)), _));
        let is_element = match &field_access {
            GetFieldAccess::ListIndex { .. } => true,
            GetFieldAccess::ListRange { stride, .. } => is_step(stride),
            GetFieldAccess::NamedStructField { .. } => false,
        };
        let is_map = || matches!(expr.get_type(schema), Ok(DataType::Map(..)));
        if !is_element || is_map() || (array_type(&expr, schema).is_none() && !is_subscript(&expr)) {
            return Ok(PlannerResult::Original(RawFieldAccessExpr { field_access, expr }));
        }
        let (mut arguments, was_part) = match expr {
            Expr::ScalarFunction(call) if is_call(&call, &functions::ARRAY_SUBSCRIPT) => (call.args, false),
            Expr::ScalarFunction(call) if is_call(&call, &functions::ARRAY_PART) => (call.args, true),
            array => (vec![array], false),
        };
        let is_part = was_part || matches!(field_access, GetFieldAccess::ListRange { .. });
        if is_part && !was_part {
            // A place among parts is the part up to it.
            let places = arguments.split_off(1);
            arguments.extend(places.into_iter().flat_map(|place| [first(), place]));
        }
        match field_access {
            GetFieldAccess::ListIndex { key } if is_part => arguments.extend([first(), place(*key, schema)?]),
            GetFieldAccess::ListIndex { key } => arguments.push(place(*key, schema)?),
            GetFieldAccess::ListRange { start, stop, .. } => {
                arguments.extend([place(*start, schema)?, place(*stop, schema)?]);
            }
            GetFieldAccess::NamedStructField { .. } => {}
        }
        let function = if is_part { &functions::ARRAY_PART } else { &functions::ARRAY_SUBSCRIPT };
        Ok(PlannerResult::Planned(functions::called(function, arguments)))
    }
}

/// The function that an operator is between arrays; none where the engine's is the same.
fn of_arrays(op: &BinaryOperator, is_equal_otherwise: bool) -> Option<&'static Function> {
    Some(match op {
        BinaryOperator::StringConcat => &functions::ARRAY_CAT,
        BinaryOperator::AtArrow => &functions::ARRAYCONTAINS,
        BinaryOperator::ArrowAt => &functions::ARRAYCONTAINED,
        BinaryOperator::PGOverlap => &functions::ARRAYOVERLAP,
        BinaryOperator::Eq if is_equal_otherwise => &functions::ARRAY_EQ,
        BinaryOperator::NotEq if is_equal_otherwise => &functions::ARRAY_NE,
        BinaryOperator::Lt => &functions::ARRAY_LT,
        BinaryOperator::LtEq => &functions::ARRAY_LE,
        BinaryOperator::Gt => &functions::ARRAY_GT,
        BinaryOperator::GtEq => &functions::ARRAY_GE,
        _ => return None,
    })
}

/// The operator that a call is, of those between arrays of one type.
pub(super) fn operator_of(call: &ScalarFunction) -> Option<&'static str> {
    Some(match functions::function_of(&call.func)?.name {
        "array_eq" => "=",
        "array_ne" => "<>",
        "array_lt" => "<",
        "array_le" => "<=",
        "array_gt" => ">",
        "array_ge" => ">=",
        "arraycontains" => "@>",
        "arraycontained" => "<@",
        "arrayoverlap" => "&&",
        _ => return None,
    })
}

/// Refuses an operator that its function knows no operands of such types for.
fn check(op: &BinaryOperator, function: &'static Function, operands: [&Expr; 2], schema: &DFSchema) -> Result<()> {
    // Beside an array of elements that a field says, a text in quotes is another one.
    let is_told = |operand: &Expr| told_by(operand, schema).is_some();
    let [left, right] = operands.map(is_told);
    let given = overloads::given(&operands.map(Clone::clone), schema);
    if left == right
        && let ([Given::Type(_), Given::Type(_)], Err(unresolved)) =
            (given.as_slice(), functions::resolve(function, &given))
    {
        return Err(unresolved.failure_of(&op.to_string(), &given).into());
    }
    Ok(())
}

/// Whether arrays of these types are equal where the engine's are not.
fn is_equal_otherwise(one: &DataType, other: &DataType) -> bool {
    let leaf = innermost(one);
    dimensions_of(one) != dimensions_of(other) || leaf.is_floating() || matches!(leaf, DataType::Interval(_))
}

/// Whether a text in quotes beside an array is read when the call that an operator is gets its types: what is of bigints for the
/// planner yet may be of integers then.
fn is_read_later(op: &BinaryOperator, array: &DataType, operands: [&Expr; 2], schema: &DFSchema) -> bool {
    let is_told = |operand: &Expr| told_by(operand, schema).is_some();
    of_arrays(op, false).is_some() && *innermost(array) == DataType::Int64 && !operands.into_iter().any(is_told)
}

/// The type of an operand that is an array.
fn array_type(operand: &Expr, schema: &DFSchema) -> Option<DataType> {
    operand.get_type(schema).ok().filter(|data_type| element(data_type).is_some())
}

/// A text in quotes beside an array is one.
fn become_array(operand: &mut Expr, array: &DataType) {
    if matches!(operand, Expr::Literal(ScalarValue::Utf8(Some(_)), _)) {
        let wanted = as_written(operand, array.clone());
        *operand = Expr::Cast(Cast::new(Box::new(std::mem::take(operand)), wanted));
    }
}

/// The type of a text that is written where an array is wanted: of as many dimensions as it has.
pub(super) fn as_written(operand: &Expr, wanted: DataType) -> DataType {
    let text = match operand {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) if element(&wanted).is_some() => text,
        _ => return wanted,
    };
    match pgtype::split_array(text) {
        Ok(array) if !array.dimensions.is_empty() => pgtype::nested(array.dimensions.len(), innermost(&wanted).clone()),
        _ => wanted,
    }
}

fn is_call(call: &ScalarFunction, function: &'static Function) -> bool {
    functions::function_of(&call.func).is_some_and(|called| std::ptr::eq(called, function))
}

/// Whether a place behind an expression is one in an array.
fn has_places(expression: &Expr, schema: &DFSchema) -> bool {
    match expression.get_type(schema) {
        Ok(DataType::Struct(_) | DataType::Map(..)) => false,
        Ok(own) => element(&own).is_some() || is_subscript(expression),
        Err(_) => is_subscript(expression),
    }
}

/// Whether an expression is an element or a part of an array, of which more places may follow.
fn is_subscript(expression: &Expr) -> bool {
    let functions = [&functions::ARRAY_SUBSCRIPT, &functions::ARRAY_PART];
    matches!(expression, Expr::ScalarFunction(call) if functions.iter().any(|function| is_call(call, function)))
}

fn first() -> Expr {
    Expr::Literal(ScalarValue::Int32(Some(1)), None)
}

/// A place in an array, which is an integer.
fn place(place: Expr, schema: &DFSchema) -> Result<Expr> {
    if let Expr::Literal(ScalarValue::Int64(Some(number)), _) = place {
        let number =
            i32::try_from(number).map_err(|_| Failure::new(Fault::NumericOutOfRange, "integer out of range"))?;
        return Ok(Expr::Literal(ScalarValue::Int32(Some(number)), None));
    }
    if is_open(&place) {
        return Ok(place);
    }
    match place.get_type(schema)? {
        DataType::Int32 | DataType::Null => Ok(place),
        number if number.is_numeric() => Ok(Expr::Cast(Cast::new(Box::new(place), DataType::Int32))),
        _ => Err(Failure::new(Fault::DatatypeMismatch, "array subscript must have type integer").into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{Field, Schema};
    use datafusion::logical_expr::{col, lit};

    use super::*;

    fn schema() -> DFSchema {
        let ints = pgtype::list_of(DataType::Int32);
        let fields = [("a", ints.clone()), ("m", pgtype::list_of(ints)), ("n", DataType::Int32)];
        let fields: Vec<Field> = fields.map(|(name, data_type)| Field::new(name, data_type, true)).into();
        DFSchema::try_from(Schema::new(fields)).unwrap()
    }

    fn planned(left: Expr, op: BinaryOperator, right: Expr) -> String {
        match Arrays.plan_binary_op(RawBinaryExpr { op, left, right }, &schema()).unwrap() {
            PlannerResult::Planned(Expr::ScalarFunction(call)) => call.name().to_owned(),
            PlannerResult::Planned(other) => other.to_string(),
            PlannerResult::Original(_) => "original".to_owned(),
        }
    }

    #[test]
    fn operators_between_arrays_are_functions() {
        use BinaryOperator::{AtArrow, Eq, Lt, Plus, StringConcat};
        for (left, op, right, expected) in [
            (col("a"), StringConcat, col("n"), "array_append"),
            (col("n"), StringConcat, col("a"), "array_prepend"),
            (col("a"), StringConcat, col("m"), "array_cat"),
            (col("a"), StringConcat, lit("{1}"), "array_cat"),
            (col("a"), StringConcat, lit(ScalarValue::Null), "array_cat"),
            (col("a"), AtArrow, lit("{1}"), "arraycontains"),
            (col("a"), Lt, col("a"), "array_lt"),
            (col("a"), Eq, col("a"), "original"),
            (col("a"), Eq, col("m"), "array_eq"),
            (col("m"), Eq, lit("{{1}}"), "original"),
            (col("n"), Plus, col("n"), "original"),
        ] {
            assert_eq!(planned(left.clone(), op.clone(), right.clone()), expected, "{left} {op} {right}");
        }
    }

    #[test]
    fn a_chain_of_places_is_one_call() {
        let index = |key: i64| GetFieldAccess::ListIndex { key: Box::new(lit(key)) };
        let range = |start: i64, stop: i64| GetFieldAccess::ListRange {
            start: Box::new(lit(start)),
            stop: Box::new(lit(stop)),
            stride: Box::new(lit(1_i64)),
        };
        for (chain, function, places) in [
            (vec![index(2)], "array_subscript", vec![2]),
            (vec![index(1), index(2)], "array_subscript", vec![1, 2]),
            (vec![range(2, 3)], "array_part", vec![2, 3]),
            (vec![range(2, 3), index(2)], "array_part", vec![2, 3, 1, 2]),
            (vec![index(2), range(1, 1)], "array_part", vec![1, 2, 1, 1]),
        ] {
            let planned = chain.into_iter().fold(col("m"), |expr, field_access| {
                match Arrays.plan_field_access(RawFieldAccessExpr { field_access, expr }, &schema()).unwrap() {
                    PlannerResult::Planned(planned) => planned,
                    PlannerResult::Original(_) => panic!("it is not planned"),
                }
            });
            let Expr::ScalarFunction(call) = planned else { panic!("it is no call") };
            assert_eq!(call.name(), function);
            let literals: Vec<Expr> = places.into_iter().map(|place: i32| lit(place)).collect();
            assert_eq!(call.args[1..], literals);
        }
    }
}
