//! `SELECT table_name, view_definition FROM information_schema.views`: the views with their queries. Nothing can be changed
//! through one.

use arrow::array::RecordBatch;

use crate::session::{
    DATABASE,
    pg_catalog::{Contents, Result, Wanted, objects::Relation},
};

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let views: Vec<Relation<'_>> = contents.objects.relations().filter(|relation| relation.letter() == 'v').collect();
    wanted
        .of(&views)
        .text("table_catalog", |_| Some(DATABASE))
        .text("table_schema", |view| Some(view.schema))
        .text("table_name", |view| Some(view.name))
        .text("view_definition", |view| view.view())
        .text("check_option", |_| Some("NONE"))
        .text("is_updatable", |_| Some("NO"))
        .text("is_insertable_into", |_| Some("NO"))
        .text("is_trigger_updatable", |_| Some("NO"))
        .text("is_trigger_deletable", |_| Some("NO"))
        .text("is_trigger_insertable_into", |_| Some("NO"))
        .finish()
}
