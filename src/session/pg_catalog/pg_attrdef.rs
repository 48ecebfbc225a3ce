//! `SELECT adrelid, adnum, adbin FROM pg_attrdef`: what columns get where a row has no value for them.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    relation::Contents,
};

/// The most columns of a table in PostgreSQL.
const MOST_COLUMNS: u32 = 1_600;

/// A column with an expression.
struct Row {
    relation: u32,
    number: i16,
    default: String,
}

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let mut rows = Vec::new();
    for relation in contents.objects.relations().filter(|relation| relation.object().is_some()) {
        for column in relation.columns() {
            rows.extend(column.default.map(|default| Row { relation: relation.oid, number: column.number, default }));
        }
    }
    wanted
        .of(&rows)
        .number("oid", |row| Some(oid_of(row)))
        .number("adrelid", |row| Some(row.relation))
        .number("adnum", |row| Some(row.number))
        .text("adbin", |row| Some(row.default.as_str()))
        .finish()
}

/// Made of the table's and the column's, as the expression is no object of the catalog.
fn oid_of(row: &Row) -> u32 {
    row.relation.wrapping_mul(MOST_COLUMNS).wrapping_add(u32::try_from(row.number).unwrap_or(0))
}
