//! `SELECT ftrelid, ftoptions FROM pg_foreign_table`, and the server and the wrapper that PostgreSQL would have for it: files of
//! somebody else, which are read where they are.

use std::sync::Arc;

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    objects::{Relation, SYSTEM_ROLE},
    relation::Contents,
};
use crate::{
    catalog::{Definition, ExternalTable},
    session::masked::masked,
};

/// The name of the server and of the wrapper.
const FILES: &str = "files";

/// The number of the server.
const SERVER: u32 = 9_101;

/// The number of the wrapper.
const WRAPPER: u32 = 9_102;

/// A table with what it is made of.
struct Row<'a> {
    relation: Relation<'a>,
    table: &'a ExternalTable,
}

pub(super) fn tables(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let tables: Vec<Row<'_>> = contents.objects.relations().filter_map(external).collect();
    wanted
        .of(&tables)
        .number("ftrelid", |row| Some(row.relation.oid))
        .number("ftserver", |_| Some(SERVER))
        .texts("ftoptions", |row| Some(options(row.table)))
        .finish()
}

pub(super) fn servers(_contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    wanted
        .of(&[SERVER])
        .number("oid", |oid| Some(*oid))
        .text("srvname", |_| Some(FILES))
        .number("srvowner", |_| Some(SYSTEM_ROLE))
        .number("srvfdw", |_| Some(WRAPPER))
        .finish()
}

pub(super) fn wrappers(_contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    wanted
        .of(&[WRAPPER])
        .number("oid", |oid| Some(*oid))
        .text("fdwname", |_| Some(FILES))
        .number("fdwowner", |_| Some(SYSTEM_ROLE))
        .finish()
}

fn external(relation: Relation<'_>) -> Option<Row<'_>> {
    match &relation.object()?.definition {
        Definition::ExternalTable(table) => Some(Row { relation, table }),
        _ => None,
    }
}

/// Format, locations and options, without secrets.
fn options(table: &ExternalTable) -> Vec<String> {
    let format = [format!("format={}", table.format)];
    let locations = table.locations.iter().map(|location| format!("location={location}"));
    let options = table.options.iter().map(|(key, value)| format!("{key}={value}"));
    let all = format.into_iter().chain(locations).chain(options);
    all.map(|option| masked(&Arc::from(option)).to_string()).collect()
}
