//! `SELECT description FROM pg_description WHERE objoid = …`: the texts of COMMENT ON, and what functions are for.

use arrow::array::RecordBatch;

use super::{
    filling::{Result, Wanted},
    functions::listed,
    objects::{PG_CLASS, PG_NAMESPACE, PG_PROC},
    relation::Contents,
};

/// A text about an object of a class.
struct Row {
    object: u32,
    class: u32,
    text: String,
}

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let mut rows = Vec::new();
    let mut about = |class: u32, object: u32, text: Option<String>| {
        rows.extend(text.map(|text| Row { object, class, text }));
    };
    for schema in contents.objects.schemas() {
        about(PG_NAMESPACE, schema.oid, schema.comment.map(str::to_owned));
    }
    for relation in contents.objects.relations() {
        about(PG_CLASS, relation.oid, relation.comment().map(str::to_owned));
    }
    for function in listed(contents.scope) {
        about(PG_PROC, function.oid, function.description);
    }
    wanted
        .of(&rows)
        .number("objoid", |row| Some(row.object))
        .number("classoid", |row| Some(row.class))
        .text("description", |row| Some(row.text.as_str()))
        .finish()
}
