//! `pg_typeof`: the type of a value.

use arrow::array::ArrayRef;

use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{self, ANY, REGTYPE},
};

/// Whoever settles the types of a statement answers it, and knows more than Arrow tells: a text in quotes is of none yet.
pub(crate) static PG_TYPEOF: Function = Function {
    name: "pg_typeof",
    purpose: "The type of the value, as SQL writes it",
    example: "pg_typeof(1.5)",
    shows: "numeric",
    overloads: &[Overload::new(&[ANY], REGTYPE, name).called_on_null().stable()],
};

fn name(call: &Call<'_>) -> Result<ArrayRef> {
    let name = pgtype::of(call.argument(0)?.data_type()).pg.sql(None);
    call.text_of(|_| Ok(Some(name.clone())))
}
