//! `format_type`: a type as SQL writes it, by its number and its modifier.

use arrow::array::{Array, ArrayRef};

use crate::{
    fault::Result,
    functions::{Call, Function, Overload},
    pgtype::{INT4, Modifier, OID, TEXT, by_oid},
};

pub(super) static FORMAT_TYPE: Function = Function {
    name: "format_type",
    purpose: "The type of this number as SQL writes it, with what its modifier says",
    example: "format_type(1700, 655366)",
    shows: "numeric(10,2)",
    overloads: &[Overload::new(&[OID, INT4], TEXT, format_type).called_on_null().stable()],
};

fn format_type(call: &Call<'_>) -> Result<ArrayRef> {
    let (oids, modifiers) = (call.int8s(0)?, call.int4s(1)?);
    let modifier = |row: usize| modifiers.is_valid(row).then(|| modifiers.value(row));
    call.text_of(|row| Ok(oids.is_valid(row).then(|| written(oids.value(row), modifier(row)))))
}

fn written(oid: i64, modifier: Option<i32>) -> String {
    if oid == 0 {
        return "-".to_owned();
    }
    let Some(known) = u32::try_from(oid).ok().and_then(by_oid) else { return "???".to_owned() };
    // A length that leaves room for no character is none, and is no missing one either.
    let is_no_length =
        known.modifier == Modifier::Length && modifier.is_some_and(|modifier| (0..=4).contains(&modifier));
    known.sql(if is_no_length { None } else { modifier })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected as PostgreSQL 15 has them.
    #[test]
    fn types_are_written_with_their_modifiers() {
        for (oid, modifier, expected) in [
            (23, Some(-1), "integer"),
            (0, Some(-1), "-"),
            (99_999, Some(-1), "???"),
            (-1, None, "???"),
            (4_294_967_296, None, "???"),
            (1042, Some(-1), "bpchar"),
            (1042, Some(4), "character"),
            (1042, Some(14), "character(10)"),
            (1042, None, "character"),
            (1014, Some(-1), "bpchar[]"),
            (1014, Some(14), "character(10)[]"),
            (1043, Some(0), "character varying"),
            (1043, Some(4), "character varying"),
            (1043, Some(14), "character varying(10)"),
            (1700, Some(655_366), "numeric(10,2)"),
            (1231, Some(655_366), "numeric(10,2)[]"),
            (1184, Some(3), "timestamp(3) with time zone"),
            (1184, Some(-2), "timestamp with time zone"),
            (1185, Some(3), "timestamp(3) with time zone[]"),
            (18, Some(-1), "\"char\""),
            (23, Some(10), "integer"),
        ] {
            assert_eq!(written(oid, modifier), expected, "format_type({oid}, {modifier:?})");
        }
    }
}
