//! `SELECT schema_name, schema_owner FROM information_schema.schemata`: the schemas.

use arrow::array::RecordBatch;

use crate::session::{
    DATABASE,
    pg_catalog::{Contents, Result, Wanted},
};

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let schemas: Vec<_> = contents.objects.schemas().collect();
    wanted
        .of(&schemas)
        .text("catalog_name", |_| Some(DATABASE))
        .text("schema_name", |schema| Some(schema.name))
        .text("schema_owner", |schema| Some(schema.owner))
        .finish()
}
