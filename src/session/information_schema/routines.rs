//! `SELECT routine_name, data_type FROM information_schema.routines`: the functions.

use arrow::array::RecordBatch;

use crate::{
    pgtype::{Form, by_oid},
    session::{
        CATALOG_SCHEMA, DATABASE,
        pg_catalog::{Contents, Listed, Result, Wanted, listed},
    },
};

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let functions: Vec<Listed> = listed(contents.scope);
    wanted
        .of(&functions)
        .text("specific_catalog", |_| Some(DATABASE))
        .text("specific_schema", |_| Some(CATALOG_SCHEMA))
        .text("specific_name", |row| Some(format!("{}_{}", row.name, row.oid)))
        .text("routine_catalog", |_| Some(DATABASE))
        .text("routine_schema", |_| Some(CATALOG_SCHEMA))
        .text("routine_name", |row| Some(row.name.as_str()))
        .text("routine_type", |row| (row.kind == 'f').then_some("FUNCTION"))
        .text("data_type", |row| Some(data_type(row)))
        .text("type_udt_catalog", |_| Some(DATABASE))
        .text("type_udt_schema", |_| Some(CATALOG_SCHEMA))
        .text("type_udt_name", |row| by_oid(row.returns).map(|pg| pg.name))
        .text("dtd_identifier", |_| Some("0"))
        .text("routine_body", |_| Some("EXTERNAL"))
        .text("external_language", |_| Some("INTERNAL"))
        .text("parameter_style", |_| Some("GENERAL"))
        .text("is_deterministic", |row| Some(super::yes_or_no(row.volatility == 'i')))
        .text("sql_data_access", |_| Some("MODIFIES"))
        .text("is_null_call", |row| Some(super::yes_or_no(row.strict)))
        .text("schema_level_routine", |_| Some("YES"))
        .number("max_dynamic_result_sets", |_| Some(0))
        .text("security_type", |_| Some("INVOKER"))
        .text("as_locator", |_| Some("NO"))
        .text("is_udt_dependent", |_| Some("NO"))
        .finish()
}

/// The type of its values, in the words of the standard.
fn data_type(row: &Listed) -> &'static str {
    match by_oid(row.returns) {
        Some(pg) if pg.form == Form::Array => "ARRAY",
        Some(pg) => pg.spelling,
        None => "USER-DEFINED",
    }
}
