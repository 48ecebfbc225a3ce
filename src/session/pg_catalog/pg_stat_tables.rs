//! `SELECT relname, n_live_tup FROM pg_stat_user_tables`, and `pg_stat_all_tables` and `pg_stat_sys_tables`: how many rows tables
//! have. How often they are read, nobody counts.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    objects::Relation,
    relation::Contents,
};

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let is_told = |relation: &Relation<'_>| match wanted.relation() {
        "pg_stat_user_tables" => relation.object().is_some(),
        "pg_stat_sys_tables" => relation.object().is_none(),
        _ => true,
    };
    let tables = contents.objects.relations().filter(|relation| relation.letter() == 'r' && is_told(relation));
    let tables: Vec<Relation<'_>> = tables.collect();
    wanted
        .of(&tables)
        .number("relid", |row| Some(row.oid))
        .text("schemaname", |row| Some(row.schema))
        .text("relname", |row| Some(row.name))
        .number("n_live_tup", |row| row.rows().and_then(|rows| i64::try_from(rows).ok()).or(Some(0)))
        .number("n_dead_tup", |_| Some(0))
        .finish()
}
