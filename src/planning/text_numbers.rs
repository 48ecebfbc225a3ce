//! A text that is written beside numerics is the numeric of its own digits, as in PostgreSQL.
//!
//! The engine casts it to the type of what it is compared with: beside a `numeric(5, 1)` `'2.47'` is 2.5. What one numeric
//! cannot hold is compared with twice the digits.

use arrow::datatypes::DataType;
use datafusion::{
    common::{DFSchema, Result, ScalarValue},
    logical_expr::{Cast, Expr, ExprSchemable},
};

use super::{
    number_types::{Room, numeric_of, written_number},
    read_texts::no_number,
};
use crate::pgtype::{ANY_NUMERIC, Written};

/// The numeric of a text's own digits: of 38 or, where they are more, of 76; none if the text is no number.
pub(crate) fn own_digits(text: &str) -> Option<ScalarValue> {
    match Written::read(text).and_then(Written::own).ok()? {
        ScalarValue::Decimal128(Some(digits), _, places) => {
            let count = digits.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
            let precision = u8::try_from(count).ok()?.max(places.unsigned_abs());
            Some(ScalarValue::Decimal128(Some(digits), precision, places))
        }
        ScalarValue::Decimal256(Some(digits), _, places) => {
            let count = digits.to_string().trim_start_matches('-').len();
            let precision = u8::try_from(count).ok()?.max(places.unsigned_abs());
            Some(ScalarValue::Decimal256(Some(digits), precision, places))
        }
        _ => None,
    }
}

/// A cast of a text in quotes to a numeric of any digits is the numeric of its own.
pub(super) fn settled(step: Expr) -> Result<Expr> {
    let Expr::Cast(Cast { expr, field }) = &step else { return Ok(step) };
    let Some(text) = text_of(expr).filter(|_| *field.data_type() == ANY_NUMERIC) else { return Ok(step) };
    if let Err(why) = Written::read(text).and_then(Written::own) {
        return Err(no_number(text, &ANY_NUMERIC, why).into());
    }
    Ok(own_digits(text).map_or(step, |number| Expr::Literal(number, None)))
}

/// Makes numerics of the texts that numerics are compared with.
pub(super) fn compare(operands: &mut [&mut Expr], schema: &DFSchema) {
    let Some(beside) = Beside::of(operands, schema) else { return };
    if !beside.has_numeric {
        return;
    }
    let mut room = beside.room;
    let mut numbers = Vec::new();
    for at in beside.texts {
        match text_of(operands[at]).and_then(own_digits) {
            Some(number) => {
                room.hold(&number.data_type());
                numbers.push((at, number));
            }
            // One that is too long is compared as a double, and what is no number is an error.
            None => {
                let double = as_double(operands[at]);
                *operands[at] = double.unwrap_or_else(|| as_type(operands[at], beside.first.clone()));
            }
        }
    }
    if room.numeric().is_some() {
        for (at, number) in numbers {
            *operands[at] = Expr::Literal(number, None);
        }
        return;
    }
    let Some(wide) = room.wide() else {
        for (at, _) in numbers {
            if let Some(double) = as_double(operands[at]) {
                *operands[at] = double;
            }
        }
        return;
    };
    for (at, number) in numbers {
        if let Ok(number) = number.cast_to(&wide) {
            *operands[at] = Expr::Literal(number, None);
        }
    }
    for operand in operands.iter_mut() {
        let is_wide = operand.get_type(schema).is_ok_and(|data_type| data_type.is_null() || data_type == wide);
        if is_wide {
            continue;
        }
        **operand = match written_number(operand).and_then(numeric_of).map(|number| number.cast_to(&wide)) {
            Some(Ok(number)) => Expr::Literal(number, None),
            _ => as_type(operand, wide.clone()),
        };
    }
}

/// Makes the arguments of `nullif` comparable, of which one is a text; the type that the result has then, if it is another one.
pub(super) fn null_if(arguments: &mut [Expr], schema: &DFSchema) -> Option<DataType> {
    let [value, other] = arguments else { return None };
    if text_of(value).is_none() && text_of(other).is_none() {
        return None;
    }
    let own = value.get_type(schema).ok()?;
    compare(&mut [&mut *value, &mut *other], schema);
    let types = [value.get_type(schema).ok()?, other.get_type(schema).ok()?];
    if !types.iter().all(DataType::is_decimal) {
        return None;
    }
    let mut room = Room::default();
    types.iter().for_each(|data_type| room.hold(data_type));
    let common = room.numeric().or_else(|| room.wide())?;
    for (argument, data_type) in [value, other].into_iter().zip(&types) {
        if *data_type != common {
            *argument = as_type(argument, common.clone());
        }
    }
    (own.is_decimal() && own != common).then_some(own)
}

/// Makes numerics of the texts that are calculated with beside numerics.
pub(super) fn calculate(operands: &mut [&mut Expr], schema: &DFSchema) {
    let Some(beside) = Beside::of(operands, schema).filter(|beside| beside.has_numeric) else { return };
    for at in beside.texts {
        match text_of(operands[at]).and_then(own_digits) {
            Some(number @ ScalarValue::Decimal128(..)) => *operands[at] = Expr::Literal(number, None),
            // It stays a text, with which nothing is calculated.
            Some(_) => {}
            None => *operands[at] = as_type(operands[at], beside.first.clone()),
        }
    }
}

/// The operands beside the texts among them, which are numbers.
struct Beside {
    texts: Vec<usize>,
    /// Whether there are numerics, and no floats: with one of these all are compared as floats.
    has_numeric: bool,
    /// The type of the first numeric, else of the first number.
    first: DataType,
    room: Room,
}

impl Beside {
    fn of(operands: &[&mut Expr], schema: &DFSchema) -> Option<Self> {
        if !operands.iter().any(|operand| text_of(operand).is_some()) {
            return None;
        }
        let types: Option<Vec<_>> = operands.iter().map(|operand| operand.get_type(schema).ok()).collect();
        Self::of_types(operands, &types?)
    }

    /// None if there are no texts, or others that are no numbers.
    fn of_types(operands: &[&mut Expr], types: &[DataType]) -> Option<Self> {
        let mut texts = Vec::new();
        let mut numbers = Vec::new();
        for (at, (operand, own)) in operands.iter().zip(types).enumerate() {
            match own {
                _ if text_of(operand).is_some() => texts.push(at),
                DataType::Null => {}
                own if own.is_numeric() => numbers.push((at, own)),
                _ => return None,
            }
        }
        if texts.is_empty() {
            return None;
        }
        let first = numbers.first()?.1;
        let mut room = Room::default();
        let mut has_floats = false;
        for (at, own) in &numbers {
            match own {
                own if own.is_decimal() => room.hold(own),
                own if own.is_integer() => room.hold(&DataType::Decimal128(20, 0)),
                _ => match written_number(operands[*at]).and_then(numeric_of) {
                    Some(number) => room.hold(&number.data_type()),
                    None => has_floats = true,
                },
            }
        }
        let has_numeric = !has_floats && numbers.iter().any(|(_, own)| own.is_decimal());
        let first = numbers.iter().map(|(_, own)| *own).find(|own| own.is_decimal()).unwrap_or(first);
        Some(Self { texts, has_numeric, first: first.clone(), room })
    }
}

/// The text of an operand that is one in quotes, of which nothing says that it is one.
pub(super) fn text_of(operand: &Expr) -> Option<&str> {
    match operand {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => Some(text),
        Expr::Alias(alias) => text_of(&alias.expr),
        _ => None,
    }
}

/// The text as a double, if it is a number.
fn as_double(operand: &Expr) -> Option<Expr> {
    let text = text_of(operand)?.trim();
    let is_number = text.bytes().any(|byte| byte.is_ascii_digit());
    let number: f64 = text.parse().ok().filter(|_| is_number)?;
    Some(Expr::Literal(ScalarValue::Float64(Some(number)), None))
}

fn as_type(operand: &Expr, data_type: DataType) -> Expr {
    Expr::Cast(Cast::new(Box::new(operand.clone().unalias()), data_type))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::datatypes::{Field, Schema};
    use datafusion::logical_expr::{cast, col, lit};

    use super::*;

    fn schema() -> DFSchema {
        let fields = [
            ("n", DataType::Decimal128(5, 1)),
            ("w", DataType::Decimal128(38, 10)),
            ("i", DataType::Int32),
            ("f", DataType::Float64),
        ];
        let fields: Vec<Field> =
            fields.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect();
        DFSchema::try_from(Schema::new(fields)).unwrap()
    }

    fn numeric(digits: i128, precision: u8, scale: i8) -> Expr {
        lit(ScalarValue::Decimal128(Some(digits), precision, scale))
    }

    fn compared(mut left: Expr, mut right: Expr) -> (Expr, Expr) {
        compare(&mut [&mut left, &mut right], &schema());
        (left, right)
    }

    #[test]
    fn texts_have_their_own_digits() {
        for (text, digits, precision, scale) in
            [("2.47", 247, 3, 2), (" -25e-1 ", -25, 2, 1), ("1e3", 1000, 4, 0), ("+.50", 50, 2, 2), ("0", 0, 1, 0)]
        {
            let expected = ScalarValue::Decimal128(Some(digits), precision, scale);
            assert_eq!(own_digits(text), Some(expected), "{text}");
        }
        for text in ["", "x", "1_0", "NaN", "1e100"] {
            assert_eq!(own_digits(text), None, "{text}");
        }
    }

    #[test]
    fn texts_are_compared_with_their_own_digits() {
        assert_eq!(compared(col("n"), lit("2.47")), (col("n"), numeric(247, 3, 2)));
        assert_eq!(compared(lit("2.5"), col("w")), (numeric(25, 2, 1), col("w")));
        let wide = DataType::Decimal256(76, 11);
        let (left, right) = compared(col("w"), lit("0.00000000001"));
        assert_eq!(left, cast(col("w"), wide.clone()));
        assert_eq!(right.get_type(&schema()).unwrap(), wide);
        assert_eq!(compared(col("n"), lit("1e100")), (col("n"), lit(1e100)));
        let refused = cast(lit("x"), DataType::Decimal128(5, 1));
        assert_eq!(compared(col("n"), lit("x")), (col("n"), refused));
        // The engine casts these.
        for other in ["i", "f"] {
            assert_eq!(compared(col(other), lit("2.47")), (col(other), lit("2.47")));
        }
    }
}
