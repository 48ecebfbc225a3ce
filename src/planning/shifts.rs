//! The arguments of `lag` and `lead`: the value and what stands for it where there is no row have a type together, of which a text
//! in quotes is read, and how far the row is away is an integer.
//!
//! ```sql
//! SELECT lag(amount, 1, '0') OVER (ORDER BY id), lag(amount, 1, 'x'::text) OVER (ORDER BY id)   -- the second does not exist
//! ```

use arrow::datatypes::DataType;
use datafusion::{
    common::{DFSchema, Result, ScalarValue},
    logical_expr::{Expr, ExprSchemable},
};

use super::{common_types, constants, open_operands::is_open, overloads};
use crate::{
    functions::Given,
    pgtype::{self, Context, INT8, PgType, cast_between},
};

/// A step of an expression whose arguments have their types, if it is such a call.
pub(super) fn settled(mut step: Expr, schema: &DFSchema) -> Result<Expr> {
    let Expr::WindowFunction(window) = &mut step else { return Ok(step) };
    let name = window.fun.name().to_owned();
    if name != "lag" && name != "lead" {
        return Ok(step);
    }
    let arguments = &mut window.params.args;
    if !fits(arguments, schema) {
        return Err(overloads::missing(&name, arguments, schema));
    }
    if let Some(rows) = arguments.get_mut(1) {
        become_integer(rows)?;
    }
    if let [value, _, other] = arguments.as_mut_slice() {
        check(value, other, schema)?;
        check(other, value, schema)?;
        common_types::unite(&mut [value, other], (&name, true), schema)?;
    }
    Ok(step)
}

/// Whether PostgreSQL has the function for arguments of such types.
fn fits(arguments: &[Expr], schema: &DFSchema) -> bool {
    let given = overloads::given(arguments, schema);
    let known = |given: &Given| match given {
        Given::Type(own) => pgtype::by_oid(own.oid),
        Given::Unknown => None,
    };
    match given.as_slice() {
        [_] => true,
        [_, rows] => is_integer(rows),
        [value, rows, other] => is_integer(rows) && pgtype::common_type(&[known(value), known(other)]).is_ok(),
        _ => false,
    }
}

fn is_integer(rows: &Given) -> bool {
    let is_one = |own: &PgType| own.oid == INT8.oid || cast_between(own, &INT8) == Some(Context::Implicit);
    matches!(rows, Given::Unknown) || matches!(rows, Given::Type(own) if is_one(own))
}

/// A number in quotes is read.
pub(super) fn become_integer(rows: &mut Expr) -> Result<()> {
    if let Expr::Literal(value @ ScalarValue::Utf8(Some(text)), _) = &*rows {
        constants::check(text, &DataType::Int32)?;
        *rows = Expr::Literal(value.cast_to(&DataType::Int32)?, None);
    }
    Ok(())
}

/// Refuses a text in quotes that is no value of the other's type.
fn check(operand: &Expr, other: &Expr, schema: &DFSchema) -> Result<()> {
    match operand {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) if !is_open(other) => {
            constants::check(text, &other.get_type(schema)?)
        }
        _ => Ok(()),
    }
}
