//! Numerics that are calculated and compared with such as have more than 38 digits.
//!
//! ```sql
//! SELECT 1.005 + factorial(n), factorial(n) > 1.5, x::numeric * y::numeric FROM t
//! ```
//!
//! The engine knows no type that has room for all digits of both before and behind the point, and refuses such operators. Here a
//! result has the places that PostgreSQL gives it where there is room, or fewer: [each value](crate::functions) keeps sixteen
//! digits, or is refused. Operators become calls where they are planned, because there the engine asks for their types first, and
//! get the types of their operands when these are settled. What is compared is ordered by a call, too.

use arrow::{
    array::{ArrayRef, Datum},
    datatypes::{DECIMAL256_MAX_PRECISION, DataType, FieldRef},
    error::ArrowError,
};
use datafusion::{
    common::{DFSchema, Result, utils::take_function_args},
    logical_expr::{
        BinaryExpr, ColumnarValue, Expr, ExprSchemable, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
        ScalarUDFImpl, Signature, Volatility, cast, lit,
    },
    physical_expr_common::datum::apply,
};

use super::{
    columnar::field_of,
    decimal_places::{self, Digits},
    number_types::{HALF_PLACES, Room},
    steps, wide,
};
use crate::{fault::Failure, functions};

/// Places that the result of an operation has though there may be no room for the greatest beside them.
const FREE_PLACES: i16 = 46;

/// The call that an operation is, of whose operands one is long or whose product has no room in short numerics; none of others,
/// which the engine knows.
pub(super) fn planned(left: &Expr, op: Operator, right: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
    use Operator::{Divide, Eq, Gt, GtEq, Lt, LtEq, Minus, Multiply, NotEq, Plus};
    if !matches!(op, Plus | Minus | Multiply | Divide | Eq | NotEq | Lt | LtEq | Gt | GtEq) {
        return Ok(None);
    }
    let (Ok(one), Ok(other)) = (left.get_type(schema), right.get_type(schema)) else { return Ok(None) };
    if !one.is_decimal() && !other.is_decimal() {
        return Ok(None);
    }
    let digits = (decimal_places::digits(left, &one), decimal_places::digits(right, &other));
    let (Some(dividend), Some(divisor)) = digits else { return Ok(None) };
    let is_long = [&one, &other].into_iter().any(|own| matches!(own, DataType::Decimal256(..)));
    let (whole, places) = (dividend.whole.max(divisor.whole), dividend.places.max(divisor.places));
    let made = match op {
        Plus | Minus if is_long => Made::Result(op, with_room(whole + 1, places)),
        Multiply if is_long || decimal_places::is_long_product([(left, dividend), (right, divisor)]) => {
            Made::Result(op, with_room(dividend.whole + divisor.whole, dividend.places + divisor.places))
        }
        Divide if is_long => {
            let wanted = decimal_places::wanted(left, divisor, schema)?;
            Made::Result(op, decimal_places::long_quotient(dividend, divisor, wanted))
        }
        Eq | NotEq | Lt | LtEq | Gt | GtEq if is_long && whole + places > i16::from(DECIMAL256_MAX_PRECISION) => {
            Made::Order
        }
        _ => return Ok(None),
    };
    let operand = |operand: &Expr, digits: Digits| decimal_places::as_numeric(operand.clone(), digits, schema);
    let operands = vec![operand(left, dividend)?, operand(right, divisor)?];
    let compares = matches!(made, Made::Order);
    let call =
        ScalarUDF::new_from_impl(Long { made, signature: Signature::any(2, Volatility::Immutable) }).call(operands);
    Ok(Some(match compares {
        true => Expr::BinaryExpr(BinaryExpr::new(Box::new(call), op, Box::new(lit(0_i32)))),
        false => call,
    }))
}

/// The same of a step of an expression whose operands' types are settled.
pub(super) fn settled(step: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
    match step {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match made_before(left) {
            Some((Made::Order, operands)) => again(operands, *op, schema),
            _ => planned(left, *op, right, schema),
        },
        step => match made_before(step) {
            Some((Made::Result(op, _), operands)) => again(operands, *op, schema),
            _ => Ok(None),
        },
    }
}

/// What an operator became before the types of its operands were settled.
fn made_before(step: &Expr) -> Option<(&Made, [&Expr; 2])> {
    let Expr::ScalarFunction(call) = step else { return None };
    let [left, right] = call.args.as_slice() else { return None };
    Some((&call.func.inner().downcast_ref::<Long>()?.made, [left, right]))
}

/// The call that an operator is by the types that its operands have by now; the operator, where one of them is no numeric.
fn again([left, right]: [&Expr; 2], op: Operator, schema: &DFSchema) -> Result<Option<Expr>> {
    let operator = || Expr::BinaryExpr(BinaryExpr::new(Box::new(left.clone()), op, Box::new(right.clone())));
    let is_float = |operand: &Expr| operand.get_type(schema).is_ok_and(|own| own.is_floating());
    if is_float(left) || is_float(right) {
        return Ok(Some(operator()));
    }
    planned(left, op, right, schema)
}

/// Gives numbers that one is compared with at once, as those of a list, a type with all their places where none has room for all
/// their digits: one that is too long for that is refused when it becomes one.
pub(super) fn compare(step: &mut Expr, schema: &DFSchema) {
    if matches!(step, Expr::BinaryExpr(_)) {
        return;
    }
    let Some(operands) = steps::compared(step) else { return };
    let (mut room, mut is_long) = (Room::default(), false);
    for operand in &operands {
        let Ok(own) = operand.get_type(schema) else { return };
        if own.is_null() {
            continue;
        }
        let Some(digits) = decimal_places::digits(operand, &own) else { return };
        room.hold(&decimal_places::long(digits.whole, digits.places));
        is_long |= matches!(own, DataType::Decimal256(..));
    }
    if !is_long || room.numeric().or_else(|| room.wide()).is_some() {
        return;
    }
    if let Some(common) = room.common() {
        for operand in operands {
            *operand = cast(std::mem::take(operand), common.clone());
        }
    }
}

/// The type of results with so many digits before the point and behind it.
fn with_room(whole: i16, places: i16) -> DataType {
    let (most, places) = (i16::from(DECIMAL256_MAX_PRECISION), places.max(0));
    let has_room = whole + places <= most || places <= FREE_PLACES;
    let places = if has_room { places } else { (most - whole).max(HALF_PLACES.into()).min(places) };
    decimal_places::long(whole, places)
}

/// What a call makes of two numerics.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Made {
    /// What the operator does, of this type.
    Result(Operator, DataType),
    /// -1, 0 or 1, as the first is less than the second, equal or greater.
    Order,
}

/// It fails on a result that has no room.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Long {
    made: Made,
    signature: Signature,
}

impl Long {
    fn data_type(&self) -> DataType {
        match &self.made {
            Made::Result(_, data_type) => data_type.clone(),
            Made::Order => DataType::Int32,
        }
    }

    fn of_columns(&self, left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef, ArrowError> {
        let refused = |failure: Failure| ArrowError::ExternalError(Box::new(failure));
        match &self.made {
            Made::Result(Operator::Divide, data_type) => wide::quotients(left, right, data_type),
            Made::Result(op, data_type) => functions::calculated_columns(left, *op, right, data_type).map_err(refused),
            Made::Order => functions::compared_columns(left, right).map_err(refused),
        }
    }
}

impl ScalarUDFImpl for Long {
    fn name(&self) -> &str {
        match self.made {
            Made::Result(..) => "long_result",
            Made::Order => "long_order",
        }
    }

    fn schema_name(&self, operands: &[Expr]) -> Result<String> {
        let [left, right] = take_function_args(self.name(), operands)?;
        let (left, right) = (left.schema_name(), right.schema_name());
        Ok(match self.made {
            // As the engine's own operator is called.
            Made::Result(op, _) => format!("{left} {op} {right}"),
            Made::Order => format!("{}({left},{right})", self.name()),
        })
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(self.data_type())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(field_of(self.name(), self.data_type(), &arguments))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = take_function_args(self.name(), &call.args)?;
        apply(left, right, |left, right| self.of_columns(left, right))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{Field, Schema};
    use datafusion::logical_expr::col;

    use super::*;

    fn type_of(left: &str, op: Operator, right: &str) -> Option<DataType> {
        let fields = [
            ("long", DataType::Decimal256(76, 0)),
            ("float", DataType::Decimal256(76, 38)),
            ("share", DataType::Decimal128(38, 22)),
            ("small", DataType::Decimal128(4, 3)),
            ("int", DataType::Int32),
        ];
        let fields: Vec<Field> =
            fields.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect();
        let schema = DFSchema::try_from(Schema::new(fields)).unwrap();
        planned(&col(left), op, &col(right), &schema).unwrap().map(|call| call.get_type(&schema).unwrap())
    }

    #[test]
    fn results_have_their_places_or_there_is_room_before_the_point() {
        let long = |digits: u8, places: i8| Some(DataType::Decimal256(digits, places));
        assert_eq!(type_of("small", Operator::Plus, "long"), long(76, 3));
        assert_eq!(type_of("float", Operator::Minus, "int"), long(76, 38));
        assert_eq!(type_of("share", Operator::Multiply, "share"), long(76, 44));
        assert_eq!(type_of("float", Operator::Multiply, "float"), long(76, 38));
        assert_eq!(type_of("long", Operator::Divide, "small"), long(76, 20));
        assert_eq!(type_of("float", Operator::Divide, "float"), long(76, 38));
        assert_eq!(type_of("small", Operator::Plus, "share"), None);
        assert_eq!(type_of("small", Operator::Multiply, "int"), None);
        assert_eq!(type_of("long", Operator::Gt, "small"), Some(DataType::Boolean));
        assert_eq!(type_of("float", Operator::Gt, "small"), None);
    }
}
