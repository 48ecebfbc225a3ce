//! `SELECT schemaname, tablename FROM pg_tables`: the tables. Files of somebody else are foreign tables, which are none of them.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    objects::Relation,
    relation::Contents,
};

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let tables: Vec<Relation<'_>> = contents.objects.relations().filter(|relation| relation.letter() == 'r').collect();
    wanted
        .of(&tables)
        .text("schemaname", |row| Some(row.schema))
        .text("tablename", |row| Some(row.name))
        .text("tableowner", |row| Some(row.owner()))
        .flag("hasindexes", |_| false)
        .flag("hasrules", |_| false)
        .flag("hastriggers", |_| false)
        .flag("rowsecurity", |_| false)
        .finish()
}
