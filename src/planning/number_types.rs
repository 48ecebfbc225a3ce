//! Numbers of several types are compared and calculated as what PostgreSQL makes of them.
//!
//! The engine compares a numeric and a float as numerics with fifteen decimal places: 1e-20 is 0 then, 1.0000000000000002 is
//! 1, and a float that no numeric holds is an error. In PostgreSQL both are doubles; so are a real and any other number that
//! it is compared or calculated with. Here the numeric becomes a float first, and the engine finds one type on both sides. What
//! they are together in a column, a CASE or an array, [`common_types`](super::common_types) says.
//!
//! A number that is written with a point is a double for the engine and a numeric for PostgreSQL. Beside numerics alone it is
//! compared with them as the numeric that is written; what is calculated with one stays a double, and is rounded to fifteen
//! places beside a numeric as before.
//!
//! The functions of doubles, such as `sqrt`, have doubles of reals, where the engine's compute with reals.

use arrow::datatypes::{DECIMAL256_MAX_PRECISION, DataType};
use datafusion::{
    common::{DFSchema, Result, ScalarValue},
    logical_expr::{
        BinaryExpr, Cast, Expr, ExprSchemable, cast,
        expr::{InList, ScalarFunction},
        type_coercion::binary::comparison_coercion,
    },
};

use super::{
    calls,
    floats::is_float,
    long_numbers,
    nearest_floats::{self, nearest_float},
    steps,
};

/// The most digits of a numeric.
pub(super) const MAX_DIGITS: i16 = 38;

/// The places of a long numeric that has as many digits before the point.
pub(super) const HALF_PLACES: i8 = 38;

/// The type that two values are compared as.
pub(crate) fn compared_as(left: &DataType, right: &DataType) -> Option<DataType> {
    let is_real = |data_type: &DataType| matches!(data_type, DataType::Float16 | DataType::Float32);
    let is_float = |data_type: &DataType| is_real(data_type) || *data_type == DataType::Float64;
    let widens = |float: &DataType, other: &DataType| {
        is_float(float) && other.is_decimal() || is_real(float) && other.is_integer()
    };
    match widens(left, right) || widens(right, left) {
        true => Some(DataType::Float64),
        false => comparison_coercion(left, right),
    }
}

/// A step of an expression whose operands' types are known, with operands among which the engine finds PostgreSQL's type.
pub(super) fn settled(mut step: Expr, schema: &DFSchema) -> Result<Expr> {
    let mut result = None;
    pair_doubles(&mut step, schema);
    match &mut step {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if op.is_numerical_operators() => {
            calculate(&mut [left.as_mut(), right.as_mut()], schema);
        }
        Expr::InList(InList { expr, list, .. }) => list_reals(expr, list, schema),
        Expr::ScalarFunction(call) => result = settle_call(call, schema),
        Expr::Cast(Cast { expr, field })
            if is_float(field.data_type()) && expr.get_type(schema).is_ok_and(|from| from.is_decimal()) =>
        {
            check_room(expr, field.data_type())?;
            return Ok(nearest_float(std::mem::take(expr.as_mut()), field.data_type().clone()));
        }
        _ => {}
    }
    if let Some(mut operands) = steps::compared(&mut step) {
        compare_within(&mut operands, schema);
    }
    Ok(match result {
        Some(data_type) => cast(step, data_type),
        None => step,
    })
}

/// Refuses a numeric of many digits that is written and that no float of this type is near.
fn check_room(numeric: &Expr, float: &DataType) -> Result<()> {
    let Expr::Literal(ScalarValue::Decimal256(Some(digits), _, scale), _) = numeric else { return Ok(()) };
    long_numbers::float(&nearest_floats::written(digits, *scale), float)?;
    Ok(())
}

/// Makes doubles of the numerics whose statistics as pairs are asked for.
fn pair_doubles(step: &mut Expr, schema: &DFSchema) {
    let Some((name, arguments)) = calls::aggregate(step) else { return };
    if name == "corr" || name.starts_with("covar_") || name.starts_with("regr_") {
        for argument in arguments {
            if argument.get_type(schema).is_ok_and(|own| own.is_decimal()) {
                become_float(argument, DataType::Float64);
            }
        }
    }
}

/// Several numbers in a list that a real is looked for in are reals, if they are no doubles; one alone is compared with it as a
/// double.
fn list_reals(real: &Expr, list: &mut [Expr], schema: &DFSchema) {
    if !real.get_type(schema).is_ok_and(|data_type| data_type == DataType::Float32) {
        return;
    }
    let mut constants: Vec<&mut Expr> = list.iter_mut().filter(|item| item.column_refs().is_empty()).collect();
    let Some(types) = types_of(&constants, schema) else { return };
    let is_double = kinds_of(&constants, &types, schema).contains(&Kind::Double);
    if types.len() < 2 || is_double {
        return;
    }
    for (item, _) in constants.iter_mut().zip(&types).filter(|(_, own)| own.is_numeric() && **own != DataType::Float32)
    {
        let number = std::mem::take(*item).unalias();
        **item = match number.get_type(schema) {
            Ok(own) if own.is_decimal() => nearest_float(number, DataType::Float32),
            _ => cast(number, DataType::Float32),
        };
    }
}

/// The arguments of `nullif`, and of functions of doubles. Where the result is of another type than theirs, that type.
fn settle_call(call: &mut ScalarFunction, schema: &DFSchema) -> Option<DataType> {
    let mut arguments: Vec<&mut Expr> = call.args.iter_mut().collect();
    match call.func.name() {
        "nullif" => {
            let types = types_of(&arguments, schema)?;
            let kinds = kinds_of(&arguments, &types, schema);
            let mut widened = compare(&mut arguments, &types, schema);
            // The engine compares it as it stands.
            if !widened && types.contains(&DataType::Float64) {
                widened = doubles_of(&mut arguments, &kinds, Kind::Real);
            }
            // The first argument is what remains.
            (widened && types.first() == Some(&DataType::Float32)).then_some(DataType::Float32)
        }
        name if OF_DOUBLES.contains(&name) => {
            let types = types_of(&arguments, schema)?;
            let kinds = kinds_of(&arguments, &types, schema);
            doubles_of(&mut arguments, &kinds, Kind::Real);
            None
        }
        _ => None,
    }
}

/// The functions that PostgreSQL has of doubles and not of reals.
const OF_DOUBLES: &[&str] = &[
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "cos", "cosh", "cot", "degrees", "exp",
    "floor", "ln", "log", "log10", "log2", "power", "radians", "round", "signum", "sin", "sinh", "sqrt", "tan", "tanh",
    "trunc",
];

/// What an operand is among numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An integer that is written, and that each float of its size holds.
    Small,
    Integer,
    Numeric,
    /// A number that is written with a point, or calculated with such.
    Written,
    Real,
    Double,
    Other,
}

/// A whole number up to which all are reals.
const SMALL: i64 = 1 << f32::MANTISSA_DIGITS;

impl Kind {
    fn of(operand: &Expr, data_type: &DataType, schema: &DFSchema) -> Self {
        match data_type {
            DataType::Float64 if is_written(operand, schema) => Self::Written,
            DataType::Float64 => Self::Double,
            DataType::Float16 | DataType::Float32 => Self::Real,
            integer if integer.is_integer() => match operand {
                Expr::Literal(value, _) if is_small(value) => Self::Small,
                _ => Self::Integer,
            },
            decimal if decimal.is_decimal() => Self::Numeric,
            _ => Self::Other,
        }
    }
}

fn is_small(value: &ScalarValue) -> bool {
    match value.cast_to(&DataType::Int64) {
        Ok(ScalarValue::Int64(Some(number))) => (-SMALL..=SMALL).contains(&number),
        _ => false,
    }
}

/// Whether a double is a number that is written with a point, or calculated of such and of numbers that are no floats.
fn is_written(operand: &Expr, schema: &DFSchema) -> bool {
    match operand {
        Expr::Literal(ScalarValue::Float64(_), _) => true,
        Expr::Alias(alias) => is_written(&alias.expr, schema),
        Expr::Negative(operand) => is_written(operand, schema),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if op.is_numerical_operators() => {
            let (written_left, written_right) = (is_written(left, schema), is_written(right, schema));
            match (written_left, written_right) {
                (true, true) => true,
                (true, false) => was_exact(right, schema),
                (false, true) => was_exact(left, schema),
                (false, false) => false,
            }
        }
        _ => false,
    }
}

/// Whether a double is an integer or a numeric that the engine has cast.
fn was_exact(operand: &Expr, schema: &DFSchema) -> bool {
    let Expr::Cast(cast) = operand else { return false };
    cast.expr.get_type(schema).is_ok_and(|from| from.is_integer() || from.is_decimal())
}

fn types_of(operands: &[&mut Expr], schema: &DFSchema) -> Option<Vec<DataType>> {
    operands.iter().map(|operand| operand.get_type(schema).ok()).collect()
}

fn kinds_of(operands: &[&mut Expr], types: &[DataType], schema: &DFSchema) -> Vec<Kind> {
    operands.iter().zip(types).map(|(operand, data_type)| Kind::of(operand, data_type, schema)).collect()
}

fn compare_within(operands: &mut [&mut Expr], schema: &DFSchema) {
    if let Some(types) = types_of(operands, schema) {
        compare(operands, &types, schema);
    }
}

/// Makes operands of these types comparable; whether any changed.
pub(super) fn compare(operands: &mut [&mut Expr], types: &[DataType], schema: &DFSchema) -> bool {
    if !types.iter().any(|data_type| data_type.is_floating()) {
        return false;
    }
    let kinds = kinds_of(operands, types, schema);
    let has = |kind: Kind| kinds.contains(&kind);
    if !has(Kind::Real) && !has(Kind::Double) {
        return has(Kind::Numeric) && as_numerics(operands, types, &kinds);
    }
    let mut changed = doubles_of(operands, &kinds, Kind::Numeric);
    if has(Kind::Numeric) || has(Kind::Integer) {
        changed |= doubles_of(operands, &kinds, Kind::Real);
    }
    changed
}

/// The operands of `+`, `-`, `*`, `/` and `%`.
fn calculate(operands: &mut [&mut Expr], schema: &DFSchema) {
    let Some(types) = types_of(operands, schema) else { return };
    if !types.iter().any(|data_type| data_type.is_floating()) {
        return;
    }
    let kinds = kinds_of(operands, &types, schema);
    let has = |kind: Kind| kinds.contains(&kind);
    if has(Kind::Real) || has(Kind::Double) {
        doubles_of(operands, &kinds, Kind::Numeric);
    }
    if has(Kind::Numeric) || has(Kind::Integer) || has(Kind::Small) {
        doubles_of(operands, &kinds, Kind::Real);
    }
}

/// Makes doubles of the operands of one kind; whether there are any.
fn doubles_of(operands: &mut [&mut Expr], kinds: &[Kind], asked: Kind) -> bool {
    let mut changed = false;
    for (operand, kind) in operands.iter_mut().zip(kinds) {
        if *kind == asked {
            changed |= match kind {
                Kind::Numeric => become_float(operand, DataType::Float64),
                _ => {
                    **operand = cast(std::mem::take(*operand).unalias(), DataType::Float64);
                    true
                }
            };
        }
    }
    changed
}

fn become_float(numeric: &mut Expr, float: DataType) -> bool {
    *numeric = nearest_float(std::mem::take(numeric).unalias(), float);
    true
}

/// Makes numerics of the numbers that are written beside numerics; whether anything changed. Where one type does not hold all
/// their digits, all are doubles.
fn as_numerics(operands: &mut [&mut Expr], types: &[DataType], kinds: &[Kind]) -> bool {
    let mut room = Room::default();
    let mut numerics = Vec::new();
    let mut fits = true;
    for (at, kind) in kinds.iter().enumerate() {
        match kind {
            Kind::Numeric => room.hold(&types[at]),
            Kind::Written => {
                let Some(number) = written_number(operands[at]) else { return false };
                match numeric_of(number) {
                    Some(numeric) => {
                        room.hold(&numeric.data_type());
                        numerics.push((at, numeric));
                    }
                    None => fits = false,
                }
            }
            _ => {}
        }
    }
    if !fits || room.numeric().is_none() {
        return doubles_of(operands, kinds, Kind::Numeric);
    }
    let changed = !numerics.is_empty();
    for (at, numeric) in numerics {
        *operands[at] = Expr::Literal(numeric, None);
    }
    changed
}

/// The number that an operand is written as, under whatever name.
pub(super) fn written_number(operand: &Expr) -> Option<f64> {
    match operand {
        Expr::Literal(ScalarValue::Float64(number), _) => *number,
        Expr::Alias(alias) => written_number(&alias.expr),
        Expr::Negative(operand) => written_number(operand).map(|number| -number),
        _ => None,
    }
}

/// The most digits of several numerics before the point and behind it.
#[derive(Debug, Default)]
pub(super) struct Room {
    whole: i16,
    fraction: i16,
}

impl Room {
    pub(super) fn hold(&mut self, numeric: &DataType) {
        if let Some((digits, places)) = digits_of(numeric) {
            self.whole = self.whole.max(digits - places);
            self.fraction = self.fraction.max(places);
        }
    }

    /// The type of numerics with so many digits, if there is one.
    pub(super) fn numeric(&self) -> Option<DataType> {
        let digits = self.whole + self.fraction;
        let (precision, scale) = (u8::try_from(digits.max(1)).ok()?, i8::try_from(self.fraction).ok()?);
        (digits <= MAX_DIGITS).then_some(DataType::Decimal128(precision, scale))
    }

    /// The type of numerics with twice the digits, if it has so many.
    pub(super) fn wide(&self) -> Option<DataType> {
        let fits = self.whole + self.fraction <= i16::from(DECIMAL256_MAX_PRECISION);
        let scale = i8::try_from(self.fraction).ok()?;
        fits.then_some(DataType::Decimal256(DECIMAL256_MAX_PRECISION, scale))
    }

    /// The type of all of them. Where none has so many digits, it has all places, if they leave half of the digits before the
    /// point: a number that is longer is refused when it becomes one.
    pub(super) fn common(&self) -> Option<DataType> {
        let longest = || {
            let scale = i8::try_from(self.fraction).ok().filter(|scale| *scale <= HALF_PLACES)?;
            Some(DataType::Decimal256(DECIMAL256_MAX_PRECISION, scale))
        };
        self.numeric().or_else(|| self.wide()).or_else(longest)
    }
}

/// How many digits a numeric has, and how many of them are decimal places.
pub(super) fn digits_of(data_type: &DataType) -> Option<(i16, i16)> {
    use DataType::{Decimal32, Decimal64, Decimal128, Decimal256};
    match data_type {
        Decimal32(digits, scale) | Decimal64(digits, scale) | Decimal128(digits, scale) | Decimal256(digits, scale) => {
            Some((i16::from(*digits), i16::from(*scale)))
        }
        _ => None,
    }
}

/// The number as it is written, if a numeric holds all its digits.
pub(super) fn numeric_of(number: f64) -> Option<ScalarValue> {
    if !number.is_finite() {
        return None;
    }
    // The fewest digits that tell the float from all others are those of the statement, if it has no more than fifteen.
    let written = number.to_string();
    let (whole, fraction) = written.split_once('.').unwrap_or((written.as_str(), ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let places = i8::try_from(fraction.len()).ok()?;
    let count = digits.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
    let precision = u8::try_from(count).ok()?.max(places.unsigned_abs()).max(1);
    (i16::from(precision) <= MAX_DIGITS).then_some(ScalarValue::Decimal128(Some(digits), precision, places))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;

    fn schema() -> DFSchema {
        use arrow::datatypes::{Field, Schema};
        let fields = [
            ("n", DataType::Decimal128(20, 4)),
            ("f", DataType::Float64),
            ("r", DataType::Float32),
            ("i", DataType::Int32),
        ];
        let fields: Vec<Field> =
            fields.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect();
        DFSchema::try_from(Schema::new(fields)).unwrap()
    }

    fn sides(step: Expr) -> (Expr, Expr) {
        match settled(step, &schema()).unwrap() {
            Expr::BinaryExpr(BinaryExpr { left, right, .. }) => (*left, *right),
            other => panic!("{other} has no sides"),
        }
    }

    #[test]
    fn numbers_beside_floats_are_doubles() {
        let double = || nearest_float(col("n"), DataType::Float64);
        assert_eq!(sides(col("n").eq(col("f"))), (double(), col("f")));
        assert_eq!(sides(col("f") - col("n")), (col("f"), double()));
        assert_eq!(sides(col("r").lt(col("n"))), (cast(col("r"), DataType::Float64), double()));
        assert_eq!(sides(col("r") + col("i")), (cast(col("r"), DataType::Float64), col("i")));
        assert_eq!(sides(col("r").eq(lit(5_i64))), (col("r"), lit(5_i64)));
        assert_eq!(sides(col("n").eq(cast(lit(1.5), DataType::Float64))).0, double());
    }

    #[test]
    fn numbers_that_are_written_are_numerics_beside_these() {
        let numeric = |digits, precision, scale| lit(ScalarValue::Decimal128(Some(digits), precision, scale));
        assert_eq!(sides(col("n").lt(lit(1.5))), (col("n"), numeric(15, 2, 1)));
        assert_eq!(sides(col("n").eq(lit(-0.05))), (col("n"), numeric(-5, 2, 2)));
        assert_eq!(sides(col("n").eq(lit(1e10))), (col("n"), numeric(10_000_000_000, 11, 0)));
        // No numeric holds both sides.
        assert_eq!(sides(col("n").lt(lit(1e300))), (nearest_float(col("n"), DataType::Float64), lit(1e300)));
        assert_eq!(sides(col("n").lt(lit(1e-30))), (nearest_float(col("n"), DataType::Float64), lit(1e-30)));
        // As before.
        let calculated = || cast(col("i"), DataType::Float64) * lit(1.1);
        assert_eq!(sides(col("n").eq(calculated())), (col("n"), calculated()));
    }

    #[test]
    fn functions_of_doubles_have_doubles_of_reals() {
        let sqrt = |operand: Expr| datafusion::functions::math::sqrt().call(vec![operand]);
        assert_eq!(settled(sqrt(col("r")), &schema()).unwrap(), sqrt(cast(col("r"), DataType::Float64)));
        assert_eq!(settled(sqrt(col("f")), &schema()).unwrap(), sqrt(col("f")));
    }
}
