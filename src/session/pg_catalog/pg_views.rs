//! `SELECT viewname, definition FROM pg_views`: the views. What the engine tells of itself has no definition.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    objects::Relation,
    relation::Contents,
};

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let views: Vec<Relation<'_>> = contents.objects.relations().filter(|relation| relation.letter() == 'v').collect();
    wanted
        .of(&views)
        .text("schemaname", |row| Some(row.schema))
        .text("viewname", |row| Some(row.name))
        .text("viewowner", |row| Some(row.owner()))
        .text("definition", |row| row.view())
        .finish()
}
