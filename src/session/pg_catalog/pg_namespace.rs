//! `SELECT oid, nspname FROM pg_namespace`: the schemas.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    objects::role_oid,
    relation::Contents,
};

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let schemas: Vec<_> = contents.objects.schemas().collect();
    wanted
        .of(&schemas)
        .number("oid", |schema| Some(schema.oid))
        .text("nspname", |schema| Some(schema.name))
        .number("nspowner", |schema| Some(role_oid(schema.owner)))
        .finish()
}
