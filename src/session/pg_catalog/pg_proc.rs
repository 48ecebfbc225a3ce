//! `SELECT oid, proname FROM pg_proc`: the functions that there are.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    functions::{Listed, listed},
    objects::{CATALOG_OID, SYSTEM_ROLE},
    pg_language::INTERNAL,
    relation::Contents,
};

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let functions = listed(contents.scope);
    wanted
        .of(&functions)
        .number("oid", |row| Some(row.oid))
        .text("proname", |row| Some(row.name.as_str()))
        .number("pronamespace", |_| Some(CATALOG_OID))
        .number("proowner", |_| Some(SYSTEM_ROLE))
        .number("prolang", |_| Some(INTERNAL))
        .number("procost", |_| Some(1))
        .number("prorows", |row| Some(if row.of_rows { 1_000 } else { 0 }))
        .number("provariadic", |row| Some(row.variadic))
        .text("prokind", |row| Some(row.kind.to_string()))
        .flag("proisstrict", |row| row.strict)
        .flag("proretset", |row| row.of_rows)
        .text("provolatile", |row| Some(row.volatility.to_string()))
        .text("proparallel", |_| Some("s"))
        .number("pronargs", |row| i16::try_from(row.arguments.len()).ok())
        .number("pronargdefaults", |row| Some(row.defaults))
        .number("prorettype", |row| Some(row.returns))
        .numbers("proargtypes", |row| Some(arguments(row)))
        .text("prosrc", |row| Some(row.name.as_str()))
        .finish()
}

fn arguments(row: &Listed) -> Vec<i64> {
    row.arguments.iter().copied().map(i64::from).collect()
}
