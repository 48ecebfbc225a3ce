//! `byteacat`: what `||` of bytes is.

use arrow::array::ArrayRef;
use datafusion::logical_expr::Expr;

use crate::{
    fault::Result,
    functions::{Call, Function, Overload, udf},
    pgtype::BYTEA,
};

pub(super) static BYTEACAT: Function = Function {
    name: "byteacat",
    purpose: "The bytes of both, as || has them",
    example: "byteacat('\\x01'::bytea, '\\x02'::bytea)",
    shows: "\\x0102",
    overloads: &[Overload::new(&[BYTEA, BYTEA], BYTEA, concat)],
};

fn concat(call: &Call<'_>) -> Result<ArrayRef> {
    let (left, right) = (call.bytes(0)?, call.bytes(1)?);
    call.bytes_of(|row| Ok(Some([left.value(row), right.value(row)].concat())))
}

/// A call of it.
pub(crate) fn byteacat(left: Expr, right: Expr) -> Expr {
    udf::of(&BYTEACAT).call(vec![left, right])
}
