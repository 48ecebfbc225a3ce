//! `scale`, `min_scale` and `trim_scale`: digits behind the point.

use arrow::{array::ArrayRef, datatypes::DataType};

use super::{
    exact::{Decimal, Rounding},
    numerics::{Numerics, Room, known, numeric_of, room},
};
use crate::{
    fault::Result,
    functions::{Call, Function, Known, Overload},
    pgtype::{ANY_NUMERIC, INT4, LONG_NUMERIC, NUMERIC},
};

pub(super) static SCALE: Function = Function {
    name: "scale",
    purpose: "How many digits the number has behind the point",
    example: "scale('8.4100'::numeric(5,4))",
    shows: "4",
    overloads: &[Overload::new(&[NUMERIC], INT4, shown)],
};

pub(super) static MIN_SCALE: Function = Function {
    name: "min_scale",
    purpose: "How many digits the number needs behind the point",
    example: "min_scale('8.4100'::numeric(5,4))",
    shows: "2",
    overloads: &[Overload::new(&[NUMERIC], INT4, |call| of_numbers(call, Decimal::min_scale))],
};

/// Of a number that is computed the column has as many digits as it had; of one that is written it has those it needs.
pub(super) static TRIM_SCALE: Function = Function {
    name: "trim_scale",
    purpose: "The number without zeros at its end",
    example: "trim_scale('8.4100'::numeric(5,4))",
    shows: "8.41",
    overloads: &[Overload::new(&[NUMERIC], NUMERIC, trimmed).with_known_digits(trimmed_digits)],
};

/// Numerics of any digits are shown without zeros at their end.
fn shown(call: &Call<'_>) -> Result<ArrayRef> {
    let is_any = [ANY_NUMERIC, LONG_NUMERIC].contains(call.argument(0)?.data_type());
    let digits: fn(&Decimal) -> usize = if is_any { Decimal::min_scale } else { Decimal::scale };
    of_numbers(call, digits)
}

fn of_numbers(call: &Call<'_>, digits: fn(&Decimal) -> usize) -> Result<ArrayRef> {
    let numbers = Numerics::of(call, 0)?;
    call.int4_of(|row| Ok(i32::try_from(digits(&numbers.value(row))).ok()))
}

fn trimmed(call: &Call<'_>) -> Result<ArrayRef> {
    let numbers = Numerics::of(call, 0)?;
    numeric_of(call, |row, _| Ok(numbers.value(row)))
}

fn trimmed_digits(arguments: &[Known<'_>]) -> DataType {
    match known(arguments, 0) {
        Some(number) => Room::of_value(&number.rounded(number.min_scale(), Rounding::TowardsZero)).numeric(),
        None => room(arguments, 0).numeric(),
    }
}
