//! `abs`, the operator `@`, `sign`, and the operator `+` before a number.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray},
    datatypes::{DataType, Decimal128Type},
};

use super::{
    exact::Decimal,
    float,
    integers::{self, Whole},
    numerics::{Numerics, Room, numeric_of},
};
use crate::{
    fault::Result,
    functions::{Call, Function, Overload, call::same},
    pgtype::{FLOAT4, FLOAT8, INT2, INT4, INT8, NUMERIC},
};

pub(super) static ABS: Function = Function {
    name: "abs",
    purpose: "The number without its sign",
    example: "abs(-17.5::float8)",
    shows: "17.5",
    overloads: ABSOLUTES,
};

pub(super) static ABS_OPERATOR: Function = Function {
    name: "@",
    purpose: "The number without its sign",
    example: "@ (-17.5::float8)",
    shows: "17.5",
    overloads: ABSOLUTES,
};

pub(super) static PLUS: Function = Function {
    name: "+",
    purpose: "The number as it is",
    example: "+ (-17.5::float8)",
    shows: "-17.5",
    overloads: &[
        Overload::new(&[INT2], INT2, same),
        Overload::new(&[INT4], INT4, same),
        Overload::new(&[INT8], INT8, same),
        Overload::new(&[FLOAT4], FLOAT4, same),
        Overload::new(&[FLOAT8], FLOAT8, same),
        Overload::new(&[NUMERIC], NUMERIC, numeric_same).with_digits(integers::first),
    ],
};

pub(super) static SIGN: Function = Function {
    name: "sign",
    purpose: "-1, 0 or 1, as the number is below, at or above zero",
    example: "sign('-8.4'::numeric(3,1))",
    shows: "-1",
    overloads: &[
        Overload::new(&[FLOAT8], FLOAT8, |call| {
            let numbers = call.float8s(0)?;
            call.float8_of(|row| Ok(Some(float::sign(numbers.value(row)))))
        }),
        Overload::new(&[NUMERIC], NUMERIC, numeric_sign).with_digits(|_| Room { whole: 1, places: 0 }.numeric()),
    ],
};

const ABSOLUTES: &[Overload] = &[
    Overload::new(&[INT2], INT2, |call| {
        let numbers = call.int2s(0)?;
        call.int2_of(|row| i16::narrowed(i128::from(numbers.value(row)).abs()).map(Some))
    }),
    Overload::new(&[INT4], INT4, |call| {
        let numbers = call.int4s(0)?;
        call.int4_of(|row| i32::narrowed(i128::from(numbers.value(row)).abs()).map(Some))
    }),
    Overload::new(&[INT8], INT8, |call| {
        let numbers = call.int8s(0)?;
        call.int8_of(|row| i64::narrowed(i128::from(numbers.value(row)).abs()).map(Some))
    }),
    Overload::new(&[FLOAT4], FLOAT4, |call| {
        let numbers = call.float4s(0)?;
        call.float4_of(|row| Ok(Some(numbers.value(row).abs())))
    }),
    Overload::new(&[FLOAT8], FLOAT8, |call| {
        let numbers = call.float8s(0)?;
        call.float8_of(|row| Ok(Some(numbers.value(row).abs())))
    }),
    Overload::new(&[NUMERIC], NUMERIC, numeric_abs).with_digits(integers::first),
];

fn numeric_same(call: &Call<'_>) -> Result<ArrayRef> {
    let given = call.argument(0)?;
    if given.data_type() == call.result() {
        return Ok(Arc::clone(given));
    }
    let numbers = Numerics::of(call, 0)?;
    numeric_of(call, |row, _| Ok(numbers.value(row)))
}

fn numeric_abs(call: &Call<'_>) -> Result<ArrayRef> {
    let given = call.argument(0)?;
    if let (DataType::Decimal128(_, scale), DataType::Decimal128(_, same)) = (given.data_type(), call.result())
        && scale == same
    {
        let numbers = given.as_primitive::<Decimal128Type>().unary::<_, Decimal128Type>(i128::wrapping_abs);
        return Ok(Arc::new(numbers.with_data_type(call.result().clone())));
    }
    let numbers = Numerics::of(call, 0)?;
    numeric_of(call, |row, _| Ok(numbers.value(row).abs()))
}

fn numeric_sign(call: &Call<'_>) -> Result<ArrayRef> {
    let numbers = Numerics::of(call, 0)?;
    numeric_of(call, |row, _| {
        let number = numbers.value(row);
        Ok(Decimal::new(
            match (number.is_zero(), number.is_negative()) {
                (true, _) => 0,
                (false, true) => -1,
                (false, false) => 1,
            },
            0,
        ))
    })
}
