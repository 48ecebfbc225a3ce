//! Quotients, averages and products of numerics keep their digits.
//!
//! The engine gives a quotient four decimal places more than its dividend has, and an average four more than its values: 2 / 3
//! is 0.6666. PostgreSQL keeps at least sixteen significant digits. Here dividends and averaged values get decimal places
//! first: twenty in the result and as many more as its least values need, if the greatest have room too. Where there is no
//! room for enough, a quotient is computed with twice the digits; a small one that has less than sixteen digits nevertheless,
//! and is not exact, is an error. A product has the places of both factors together, and with many there is no room for
//! what is before the point: such products are computed with twice the digits. One that has too many digits then is an error.
//!
//! What is calculated of numbers that are written has the digits that PostgreSQL gives it. Of what is cast to a numeric of any
//! digits none is lost.

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DECIMAL256_MAX_SCALE, DataType};
use datafusion::{
    common::{DFSchema, Result, ScalarValue},
    logical_expr::{BinaryExpr, Cast, Expr, ExprSchemable, Operator, cast},
};

use super::{
    arithmetic::{self, ADDED_PLACES, MAX_SUMMED_DIGITS},
    calls, float_digits, known_arguments, long_numerics,
    number_types::{HALF_PLACES, MAX_DIGITS, digits_of},
};
use crate::pgtype::{ANY_NUMERIC, LONG_NUMERIC};

/// Decimal places of a quotient or an average, if they fit, and of a product though its greatest values do not.
const PLACES: i16 = 20;

/// Places of the quotients that may be small, half of the digits of a long numeric: one of 0.0000000000000000000001 has sixteen.
const MOST_PLACES: i16 = 38;

/// Places that are enough for quotients of short numerics, though the least need more: one of a millionth has sixteen digits.
const ENOUGH_PLACES: i16 = 22;

/// Places that those have at most, so that there is room for what they are added to.
const SHORT_PLACES: i16 = 26;

/// Places that are needed for the least quotient of short numerics: where it is more, it may have no sixteen digits otherwise.
const SHORT_ENOUGH: i16 = SHORT_PLACES + 2;

/// Places that a quotient or an average has at least, though its greatest values do not fit then: PostgreSQL's has sixteen digits.
const LEAST_PLACES: i16 = 16;

/// Places that an average of short numerics may lack: its least values have twelve digits, then.
const LACKING_PLACES: i16 = 4;

/// Digits of an average whose sum has room: the last four are not summed.
const MAX_AVERAGED_DIGITS: i16 = 30;

/// Places up to which the engine's own products are left as they are.
const FEW_PLACES: i16 = 12;

/// The numerics that bigints are.
const OF_BIGINT: DataType = DataType::Decimal128(19, 0);

/// How many digits a number has before the point and behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digits {
    pub(super) whole: i16,
    pub(super) places: i16,
}

/// A step of an expression whose operands' types are known, with operands that keep the digits of its result.
pub(super) fn kept(mut step: Expr, schema: &DFSchema) -> Result<Expr> {
    if let Some(number) = known_arguments::folded(&step) {
        return Ok(number);
    }
    float_digits::before_rounding(&mut step);
    long_numerics::compare(&mut step, schema);
    if let Some(call) = long_numerics::settled(&step, schema)? {
        return Ok(call);
    }
    match step {
        Expr::Cast(Cast { expr, field }) if *field.data_type() == ANY_NUMERIC && field.metadata().is_empty() => {
            match as_it_is(&expr, schema)? {
                Some(number) => Ok(number),
                None => Ok(Expr::Cast(Cast { expr, field })),
            }
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Divide, right }) => {
            let types = [left.get_type(schema)?, right.get_type(schema)?];
            match (digits(&left, &types[0]), digits(&right, &types[1])) {
                (Some(dividend), Some(divisor)) if types.iter().any(DataType::is_decimal) => {
                    quotient([(*left, dividend), (*right, divisor)], schema)
                }
                _ => Ok(Expr::BinaryExpr(BinaryExpr::new(left, Operator::Divide, right))),
            }
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Multiply, right }) => {
            let types = [left.get_type(schema)?, right.get_type(schema)?];
            let is_long = types.iter().any(|own| matches!(own, DataType::Decimal256(..)));
            match (digits(&left, &types[0]), digits(&right, &types[1])) {
                (Some(one), Some(other)) if !is_long => match wide_product(one, other) {
                    Some(result) => {
                        let factors = vec![as_numeric(*left, one, schema)?, as_numeric(*right, other, schema)?];
                        Ok(arithmetic::product(factors, result))
                    }
                    None => Ok(Expr::BinaryExpr(BinaryExpr::new(left, Operator::Multiply, right))),
                },
                _ => Ok(Expr::BinaryExpr(BinaryExpr::new(left, Operator::Multiply, right))),
            }
        }
        _ => {
            match calls::aggregate(&mut step) {
                Some(("avg", arguments)) => average(arguments, schema)?,
                Some(("sum", arguments)) => sum(arguments, schema)?,
                _ => {}
            }
            Ok(step)
        }
    }
}

/// A number that is cast to a numeric of any digits, where the type that has no others would lose some, as of a float.
fn as_it_is(number: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
    let own = number.get_type(schema)?;
    if own.is_floating() {
        let written = float_digits::own_numeric(number, schema)?;
        return Ok(Some(written.unwrap_or_else(|| cast(number.clone(), LONG_NUMERIC))));
    }
    let (Some((digits, places)), Some((most, most_places))) = (digits_of(&own), digits_of(&ANY_NUMERIC)) else {
        return Ok(None);
    };
    let fits = places <= most_places && digits - places <= most - most_places;
    Ok((!fits).then(|| number.clone()))
}

/// The quotient of two numbers of so many digits. Where its greatest values leave too few places in a numeric, or its least need
/// more, it is computed with twice the digits.
fn quotient([(left, dividend), (right, divisor)]: [(Expr, Digits); 2], schema: &DFSchema) -> Result<Expr> {
    let whole = dividend.whole + divisor.places;
    let least = needed(&left, divisor, schema)?;
    let wanted = least.clamp(PLACES, MOST_PLACES);
    if least <= SHORT_ENOUGH && whole + wanted.min(ENOUGH_PLACES) <= MAX_DIGITS {
        let left = with_places(left, dividend, wanted.min(MAX_DIGITS - whole).min(SHORT_PLACES), schema)?;
        return Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), Operator::Divide, Box::new(right))));
    }
    let result = long_quotient(dividend, divisor, wanted);
    let operands = vec![as_numeric(left, dividend, schema)?, as_numeric(right, divisor, schema)?];
    Ok(arithmetic::quotient(operands, result))
}

/// The places with which the least quotient has sixteen digits: it has so many zeros behind the point, and its digits behind
/// them.
fn needed(dividend: &Expr, divisor: Digits, schema: &DFSchema) -> Result<i16> {
    Ok(own_places(dividend, schema)? + divisor.whole + LEAST_PLACES)
}

/// Those that a long quotient has.
pub(super) fn wanted(dividend: &Expr, divisor: Digits, schema: &DFSchema) -> Result<i16> {
    Ok(needed(dividend, divisor, schema)?.clamp(PLACES, MOST_PLACES))
}

/// The type of a quotient with so many places at least. What has no room before the point then is refused.
pub(super) fn long_quotient(dividend: Digits, divisor: Digits, wanted: i16) -> DataType {
    let whole = dividend.whole + divisor.places;
    let room = i16::from(DECIMAL256_MAX_PRECISION) - whole;
    long(whole, wanted.max(dividend.places).max(divisor.places).min(room).max(wanted))
}

/// The type of long numerics with so many places, and with so many digits before the point if there is room.
pub(super) fn long(whole: i16, places: i16) -> DataType {
    let precision = (whole + places).clamp(places.max(1), DECIMAL256_MAX_PRECISION.into());
    let precision = u8::try_from(precision).unwrap_or(DECIMAL256_MAX_PRECISION);
    DataType::Decimal256(precision, i8::try_from(places).unwrap_or(DECIMAL256_MAX_SCALE))
}

/// The decimal places that a number had before it was cast to one of more, as it is here: the least has no more.
fn own_places(number: &Expr, schema: &DFSchema) -> Result<i16> {
    let places = digits_of_type(&number.get_type(schema)?).map_or(0, |digits| digits.places);
    match number {
        Expr::Cast(Cast { expr, .. }) if digits_of_type(&expr.get_type(schema)?).is_some() => {
            Ok(own_places(expr, schema)?.min(places))
        }
        _ => Ok(places),
    }
}

/// An integer as the numeric that it is.
pub(super) fn as_numeric(number: Expr, digits: Digits, schema: &DFSchema) -> Result<Expr> {
    match u8::try_from(digits.whole) {
        Ok(whole) if number.get_type(schema)?.is_integer() => {
            number.cast_to(&DataType::Decimal128(whole.max(1), 0), schema)
        }
        _ => Ok(number),
    }
}

/// The sum of bigints is a numeric, that of many places one of twice the digits.
fn sum(arguments: &mut [Expr], schema: &DFSchema) -> Result<()> {
    let [argument] = arguments else { return Ok(()) };
    let wanted = match argument.get_type(schema)? {
        DataType::Int64 => OF_BIGINT,
        // Beside so many places there is little room for their sum.
        DataType::Decimal128(digits, places) if i16::from(places) > PLACES => DataType::Decimal256(digits, places),
        _ => return Ok(()),
    };
    *argument = std::mem::take(argument).cast_to(&wanted, schema)?;
    Ok(())
}

/// The average of integers is a numeric, too. Where one of 38 digits has too few places, it is computed with twice the digits.
fn average(arguments: &mut [Expr], schema: &DFSchema) -> Result<()> {
    let [argument] = arguments else { return Ok(()) };
    let data_type = argument.get_type(schema)?;
    let Some(digits) = digits_of_type(&data_type) else { return Ok(()) };
    let added = i16::from(ADDED_PLACES);
    // Sums that are as long as the number of rows makes them have room in a numeric, or are computed with twice the digits.
    let is_wide = digits.whole + LEAST_PLACES - added >= i16::from(MAX_SUMMED_DIGITS);
    let room = if is_wide { MAX_DIGITS } else { MAX_AVERAGED_DIGITS };
    // A hundredth of the least value still has sixteen digits.
    let wanted = (own_places(argument, schema)? + LEAST_PLACES + 2).max(PLACES);
    let is_long = matches!(data_type, DataType::Decimal256(..));
    if is_long || wanted > room - digits.whole + LACKING_PLACES {
        let room = i16::from(DECIMAL256_MAX_PRECISION) - digits.whole - added;
        let places = (wanted.min(room.max(HALF_PLACES.into())) - added).max(digits.places);
        if !is_long || places > digits.places {
            *argument = std::mem::take(argument).cast_to(&long(digits.whole, places), schema)?;
        }
        return Ok(());
    }
    let places = wanted.min(room - digits.whole).max(LEAST_PLACES);
    *argument = with_places(std::mem::take(argument), digits, places, schema)?;
    Ok(())
}

/// The number with so many places that its quotient has `places`, or as many as are wanted.
fn with_places(number: Expr, digits: Digits, places: i16, schema: &DFSchema) -> Result<Expr> {
    let places = places - i16::from(ADDED_PLACES);
    if places <= digits.places {
        return Ok(number);
    }
    let (Ok(precision), Ok(scale)) = (u8::try_from((digits.whole + places).min(MAX_DIGITS)), i8::try_from(places))
    else {
        return Ok(number);
    };
    number.cast_to(&DataType::Decimal128(precision.max(1), scale), schema)
}

/// Digits of a product behind the point that are cut, if there is no room: more may be all that its least values have.
const CUT_PLACES: i16 = 6;

/// Whether a product has room in a long numeric alone. None is cut of a number that is written with many places.
pub(super) fn is_long_product(factors: [(&Expr, Digits); 2]) -> bool {
    let [(_, one), (_, other)] = factors;
    let (whole, places) = (one.whole + other.whole, one.places + other.places);
    let kept = (MAX_DIGITS - whole).max(PLACES);
    let is_small = |(factor, digits): &(&Expr, Digits)| matches!(factor, Expr::Literal(..)) && digits.places > PLACES;
    let cut = if factors.iter().any(is_small) { 0 } else { CUT_PLACES };
    places > MAX_DIGITS || whole + places > MAX_DIGITS && places - kept > cut
}

/// The type of a product that the engine has no room for.
fn wide_product(one: Digits, other: Digits) -> Option<DataType> {
    let (whole, places) = (one.whole + other.whole, one.places + other.places);
    if whole + places <= MAX_DIGITS || places <= FEW_PLACES {
        return None;
    }
    let places = (MAX_DIGITS - whole).max(PLACES).min(places);
    Some(DataType::Decimal128(DECIMAL128_MAX_PRECISION, i8::try_from(places).ok()?))
}

fn decimal(data_type: &DataType) -> Option<Digits> {
    let (digits, places) = digits_of(data_type).filter(|_| matches!(data_type, DataType::Decimal128(..)))?;
    Some(Digits { whole: digits - places, places })
}

/// The digits of a numeric or of an integer beside one.
pub(super) fn digits(operand: &Expr, data_type: &DataType) -> Option<Digits> {
    let written = match operand {
        Expr::Literal(value, _) if data_type.is_integer() => match value.cast_to(&DataType::Int64) {
            Ok(ScalarValue::Int64(Some(number))) => number.unsigned_abs().checked_ilog10().map(|log| log + 1),
            _ => None,
        },
        _ => None,
    };
    match written.and_then(|digits| i16::try_from(digits).ok()) {
        Some(whole) => Some(Digits { whole, places: 0 }),
        None => digits_of_type(data_type),
    }
}

/// The digits of numerics or integers of a type.
fn digits_of_type(data_type: &DataType) -> Option<Digits> {
    use DataType::{Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64};
    let whole = match data_type {
        Int8 | UInt8 => 3,
        Int16 | UInt16 => 5,
        Int32 | UInt32 => 10,
        Int64 => 19,
        UInt64 => 20,
        DataType::Decimal256(digits, scale) => {
            let (digits, places) = (i16::from(*digits), i16::from(*scale));
            return Some(Digits { whole: digits - places, places });
        }
        other => return decimal(other),
    };
    Some(Digits { whole, places: 0 })
}
