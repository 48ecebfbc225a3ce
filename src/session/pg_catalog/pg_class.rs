//! `SELECT oid, relname, relkind FROM pg_class`: tables and views, those of the system among them.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    objects::{Kept, Relation, role_oid},
    pg_am::HEAP,
    relation::Contents,
};
use crate::catalog::is_temporary;

/// The bytes of a page, in which tools count the size of a table.
const PAGE_BYTES: u64 = 8192;

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let objects = &contents.objects;
    let relations: Vec<Relation<'_>> = objects.relations().collect();
    let is_table = |relation: &Relation<'_>| relation.letter() == 'r';
    wanted
        .of(&relations)
        .number("oid", |relation| Some(relation.oid))
        .text("relname", |relation| Some(relation.name))
        .number("relnamespace", |relation| objects.schema_oid(relation.schema))
        .number("reltype", |relation| Some(relation.row_type().oid))
        .number("relowner", |relation| Some(role_oid(relation.owner())))
        .number("relam", |relation| Some(if is_table(relation) { HEAP } else { 0 }))
        .number("relfilenode", |relation| Some(if is_table(relation) { relation.oid } else { 0 }))
        .number("relpages", |relation| i32::try_from(relation.bytes().div_ceil(PAGE_BYTES)).ok())
        .number("reltuples", |relation| Some(tuples(relation)))
        .text("relpersistence", |relation| Some(if is_temporary(relation.schema) { "t" } else { "p" }))
        .text("relkind", |relation| Some(relation.letter().to_string()))
        .number("relnatts", |relation| i16::try_from(relation.width()).ok())
        .flag("relhasrules", |relation| relation.letter() == 'v')
        .flag("relispopulated", |_| true)
        .text("relreplident", |relation| Some(replica_identity(relation)))
        .finish()
}

/// The rows of a table; -1 where they are not counted.
fn tuples(relation: &Relation<'_>) -> i64 {
    match relation.letter() {
        'v' => 0,
        _ => relation.rows().and_then(|rows| i64::try_from(rows).ok()).unwrap_or(-1),
    }
}

/// A user's rows would be known by their keys, those of the system by nothing.
fn replica_identity(relation: &Relation<'_>) -> &'static str {
    match (relation.letter(), relation.kept) {
        ('r', Kept::Object(_)) => "d",
        _ => "n",
    }
}
