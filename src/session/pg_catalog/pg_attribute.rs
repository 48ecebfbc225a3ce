//! `SELECT attname, atttypid FROM pg_attribute WHERE attrelid = …`: the columns of tables and views.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    objects::RelationColumn,
    relation::Contents,
    types::kept_as,
};
use crate::pgtype::Form;

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    wanted
        .of(&contents.objects.columns())
        .number("attrelid", |row| Some(row.relation.oid))
        .text("attname", |row| Some(row.column.name.as_str()))
        .number("atttypid", |row| Some(row.column.type_oid))
        .number("attstattarget", |_| Some(-1))
        .number("attlen", |row| Some(row.column.kind.pg.length))
        .number("attnum", |row| Some(row.column.number))
        .number("attndims", |row| Some(i32::from(is_array(row))))
        .number("attcacheoff", |_| Some(-1))
        .number("atttypmod", |row| Some(modifier(row)))
        .flag("attbyval", |row| kept_as(row.column.kind.pg).by_value)
        .text("attalign", |row| Some(kept_as(row.column.kind.pg).align.to_string()))
        .text("attstorage", |row| Some(kept_as(row.column.kind.pg).storage.to_string()))
        .flag("attnotnull", |row| row.column.not_null)
        .flag("atthasdef", |row| row.column.default.is_some())
        .flag("attislocal", |_| true)
        .number("attcollation", |row| Some(row.collation()))
        .finish()
}

fn is_array(row: &RelationColumn<'_>) -> bool {
    row.column.kind.pg.form == Form::Array && !row.column.kind.pg.is_vector()
}

/// That of a domain is its own.
fn modifier(row: &RelationColumn<'_>) -> i32 {
    if row.column.type_oid == row.column.kind.pg.oid { row.column.kind.modifier } else { -1 }
}
