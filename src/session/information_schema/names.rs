//! `information_schema_catalog_name`, `character_sets` and `enabled_roles`: relations of one fact each.

use arrow::array::RecordBatch;

use crate::session::{
    DATABASE,
    pg_catalog::{Contents, Result, Wanted, all_roles},
};

pub(super) fn catalog_name(_contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    wanted.of(&[DATABASE]).text("catalog_name", |name| Some(*name)).finish()
}

pub(super) fn character_sets(_contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    wanted
        .of(&[DATABASE])
        .text("character_set_name", |_| Some("UTF8"))
        .text("character_repertoire", |_| Some("UCS"))
        .text("form_of_use", |_| Some("UTF8"))
        .text("default_collate_catalog", |name| Some(*name))
        .finish()
}

pub(super) fn enabled_roles(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let roles = all_roles(contents);
    wanted.of(&roles).text("role_name", |(_, name)| Some(name.as_str())).finish()
}
