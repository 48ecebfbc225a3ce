//! `to_regtype`: the type that a text names.

use arrow::array::ArrayRef;

use crate::{
    fault::{Failure, Fault, Result},
    functions::{Call, Function, Overload},
    pgtype::{REGTYPE, TEXT, read_type_name},
};

pub(super) static TO_REGTYPE: Function = Function {
    name: "to_regtype",
    purpose: "The type that the text names, as SQL writes it, and NULL if there is none",
    example: "to_regtype('int4[]')",
    shows: "integer[]",
    overloads: &[Overload::new(&[TEXT], REGTYPE, to_regtype).stable()],
};

fn to_regtype(call: &Call<'_>) -> Result<ArrayRef> {
    let names = call.texts(0)?;
    call.text_of(|row| {
        let name = names.value(row);
        let found = read_type_name(name).map_err(|_| {
            let message = format!("invalid type name \"{name}\"; write one as a column is declared with");
            Failure::new(Fault::Syntax, message)
        })?;
        Ok(found.map(|known| known.sql(None)))
    })
}
