//! Powers, roots, exponentials and logarithms.

use arrow::{array::ArrayRef, datatypes::DataType};

use super::{
    PLACES,
    exact::{self, Decimal, Undefined},
    float::{self, Refused},
    numerics::{Numerics, Room, known, numeric_of, room},
    refused, undefined,
};
use crate::{
    fault::Result,
    functions::{Call, Function, Known, Overload},
    interrupt::ask,
    pgtype::{FLOAT8, NUMERIC},
};

pub(super) static SQRT: Function = Function {
    name: "sqrt",
    purpose: "The square root",
    example: "sqrt('2'::numeric(1,0))",
    shows: "1.414213562373095",
    overloads: &[
        Overload::new(&[FLOAT8], FLOAT8, |call| of_float(call, float::sqrt)),
        Overload::new(&[NUMERIC], NUMERIC, |call| of_numeric(call, Decimal::root)).with_known_digits(root_digits),
    ],
};

pub(super) static SQRT_OPERATOR: Function = Function {
    name: "|/",
    purpose: "The square root",
    example: "|/ 2::float8",
    shows: "1.4142135623730951",
    overloads: &[Overload::new(&[FLOAT8], FLOAT8, |call| of_float(call, float::sqrt))],
};

pub(super) static CBRT: Function = Function {
    name: "cbrt",
    purpose: "The cube root",
    example: "cbrt(0.064::float8)",
    shows: "0.4",
    overloads: CUBE_ROOTS,
};

pub(super) static CBRT_OPERATOR: Function = Function {
    name: "||/",
    purpose: "The cube root",
    example: "||/ 0.064::float8",
    shows: "0.4",
    overloads: CUBE_ROOTS,
};

pub(super) static EXP: Function = Function {
    name: "exp",
    purpose: "e to this power",
    example: "exp('1.0'::numeric(2,1))",
    shows: "2.7182818284590452",
    overloads: &[
        Overload::new(&[FLOAT8], FLOAT8, |call| of_float(call, float::exp)),
        Overload::new(&[NUMERIC], NUMERIC, |call| of_numeric(call, exp)).with_known_digits(exp_digits),
    ],
};

pub(super) static LN: Function = Function {
    name: "ln",
    purpose: "The natural logarithm",
    example: "ln('2.0'::numeric(2,1))",
    shows: "0.6931471805599453",
    overloads: &[
        Overload::new(&[FLOAT8], FLOAT8, |call| of_float(call, float::ln)),
        Overload::new(&[NUMERIC], NUMERIC, |call| of_numeric(call, exact::ln)).with_known_digits(ln_digits),
    ],
};

pub(super) static LOG: Function = Function {
    name: "log",
    purpose: "The logarithm to the base 10, or to the first number",
    example: "log('2.0'::numeric(2,1), '64.0'::numeric(3,1))",
    shows: "6.0000000000000000",
    overloads: &[
        Overload::new(&[FLOAT8], FLOAT8, |call| of_float(call, float::log10)),
        Overload::new(&[NUMERIC], NUMERIC, |call| of_numeric(call, log10)).with_known_digits(log10_digits),
        Overload::new(&[NUMERIC, NUMERIC], NUMERIC, |call| of_numerics(call, exact::log)).with_known_digits(log_digits),
    ],
};

pub(super) static LOG10: Function = Function {
    name: "log10",
    purpose: "The logarithm to the base 10",
    example: "log10('100.0'::numeric(4,1))",
    shows: "2.0000000000000000",
    overloads: &[
        Overload::new(&[FLOAT8], FLOAT8, |call| of_float(call, float::log10)),
        Overload::new(&[NUMERIC], NUMERIC, |call| of_numeric(call, log10)).with_known_digits(log10_digits),
    ],
};

pub(super) static POWER: Function = Function {
    name: "power",
    purpose: "The first number to the power of the second",
    example: "power('9.0'::numeric(2,1), '3.0'::numeric(2,1))",
    shows: "729.0000000000000000",
    overloads: POWERS,
};

pub(super) static POW: Function = Function {
    name: "pow",
    purpose: "The first number to the power of the second",
    example: "pow(2::float8, 0.5::float8)",
    shows: "1.4142135623730951",
    overloads: POWERS,
};

pub(super) static POWER_OPERATOR: Function = Function {
    name: "^",
    purpose: "The first number to the power of the second",
    example: "2::float8 ^ 0.5::float8",
    shows: "1.4142135623730951",
    overloads: POWERS,
};

const CUBE_ROOTS: &[Overload] = &[Overload::new(&[FLOAT8], FLOAT8, |call| of_float(call, |number| Ok(number.cbrt())))];

const POWERS: &[Overload] = &[
    Overload::new(&[FLOAT8, FLOAT8], FLOAT8, |call| of_floats(call, float::power)),
    Overload::new(&[NUMERIC, NUMERIC], NUMERIC, |call| of_numerics(call, exact::power)).with_known_digits(power_digits),
];

/// Doubles of doubles.
pub(super) fn of_float(call: &Call<'_>, function: fn(f64) -> Result<f64, Refused>) -> Result<ArrayRef> {
    let numbers = call.float8s(0)?;
    call.float8_of(|row| function(numbers.value(row)).map(Some).map_err(refused))
}

/// Doubles of two of them.
pub(super) fn of_floats(call: &Call<'_>, function: fn(f64, f64) -> Result<f64, Refused>) -> Result<ArrayRef> {
    let (one, two) = (call.float8s(0)?, call.float8s(1)?);
    call.float8_of(|row| function(one.value(row), two.value(row)).map(Some).map_err(refused))
}

fn of_numeric(call: &Call<'_>, function: fn(&Decimal, usize) -> Result<Decimal, Undefined>) -> Result<ArrayRef> {
    let numbers = Numerics::of(call, 0)?;
    numeric_of(call, |row, places| {
        // One row may take as long as thousands of others.
        ask()?;
        function(&numbers.value(row), places).map_err(undefined)
    })
}

fn of_numerics(
    call: &Call<'_>,
    function: fn(&Decimal, &Decimal, usize) -> Result<Decimal, Undefined>,
) -> Result<ArrayRef> {
    let (one, two) = (Numerics::of(call, 0)?, Numerics::of(call, 1)?);
    numeric_of(call, |row, places| {
        ask()?;
        function(&one.value(row), &two.value(row), places).map_err(undefined)
    })
}

fn ten() -> Decimal {
    Decimal::new(10, 0)
}

fn log10(number: &Decimal, scale: usize) -> Result<Decimal, Undefined> {
    exact::log(&ten(), number, scale)
}

/// The type of a value that is computed while the statement is planned, if there is one.
fn of_value(value: Option<Result<Decimal, Undefined>>) -> Option<DataType> {
    Some(Room::of_value(&value?.ok()?).numeric())
}

/// Digits behind the point of a result of these arguments.
fn places(arguments: &[Known<'_>]) -> i16 {
    (0..arguments.len()).map(|at| room(arguments, at).places).max().unwrap_or(0).max(PLACES)
}

/// Digits before the point of what may be greater than its arguments: as many as a short numeric has in all.
const WIDE: i16 = 38;

fn root_digits(arguments: &[Known<'_>]) -> DataType {
    let value = known(arguments, 0).map(|number| number.root(number.root_scale()));
    of_value(value).unwrap_or_else(|| {
        let argument = room(arguments, 0);
        Room { whole: (argument.whole + 1) / 2, places: places(arguments) }.numeric()
    })
}

/// The exponent of e from which on a power has more digits than any numeric here.
const MOST: f64 = 180.0;

/// A power of e that has room in a numeric; a greater one is not computed.
fn exp(number: &Decimal, scale: usize) -> Result<Decimal, Undefined> {
    if number.to_f64() > MOST { Err(Undefined::Overflow) } else { exact::exp(number, scale) }
}

fn exp_digits(arguments: &[Known<'_>]) -> DataType {
    let value = known(arguments, 0).map(|number| exp(&number, exact::exp_scale(&number)));
    of_value(value).unwrap_or_else(|| Room { whole: WIDE, places: places(arguments) }.numeric())
}

/// Of a numeric of 76 digits it is 175 at most.
fn ln_digits(arguments: &[Known<'_>]) -> DataType {
    let value = known(arguments, 0).map(|number| exact::ln(&number, exact::ln_scale(&number)));
    of_value(value).unwrap_or_else(|| Room { whole: 3, places: places(arguments) }.numeric())
}

fn log10_digits(arguments: &[Known<'_>]) -> DataType {
    let value = known(arguments, 0).map(|number| log10(&number, exact::log_scale(&ten(), &number)));
    of_value(value).unwrap_or_else(|| Room { whole: 2, places: places(arguments) }.numeric())
}

/// To a base near 1 it is long.
fn log_digits(arguments: &[Known<'_>]) -> DataType {
    let both = known(arguments, 0).zip(known(arguments, 1));
    let value = both.map(|(base, number)| exact::log(&base, &number, exact::log_scale(&base, &number)));
    of_value(value).unwrap_or_else(|| Room { whole: WIDE - PLACES, places: places(arguments) }.numeric())
}

/// A whole power that is written says how long the greatest result is.
fn power_digits(arguments: &[Known<'_>]) -> DataType {
    let both = known(arguments, 0).zip(known(arguments, 1));
    let value = both.map(|(base, power)| exact::power(&base, &power, exact::power_scale(&base, &power)));
    of_value(value).unwrap_or_else(|| {
        let (base, power) = (room(arguments, 0), known(arguments, 1));
        let power = power.filter(|power| power.is_whole() && !power.is_negative()).and_then(|power| power.to_i128());
        let times = power.and_then(|power| i16::try_from(power).ok());
        let whole = times.and_then(|times| base.whole.checked_mul(times)).map_or(WIDE, |whole| whole.clamp(1, WIDE));
        Room { whole, places: places(arguments) }.numeric()
    })
}
