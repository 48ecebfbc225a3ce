//! `SELECT table_schema, table_name, table_type FROM information_schema.tables`: the tables and views.

use arrow::array::RecordBatch;

use super::yes_or_no;
use crate::{
    catalog::is_temporary,
    session::{
        DATABASE,
        pg_catalog::{Contents, Result, Wanted, objects::Relation},
    },
};

pub(super) fn rows(contents: &Contents<'_>, wanted: Wanted) -> Result<RecordBatch> {
    let own = contents.scope.temporary_schema();
    let is_seen = |relation: &Relation<'_>| !is_temporary(relation.schema) || relation.schema == own;
    let relations: Vec<Relation<'_>> = contents.objects.relations().filter(is_seen).collect();
    wanted
        .of(&relations)
        .text("table_catalog", |_| Some(DATABASE))
        .text("table_schema", |relation| Some(relation.schema))
        .text("table_name", |relation| Some(relation.name))
        .text("table_type", |relation| Some(type_of(relation)))
        .text("is_insertable_into", |relation| Some(yes_or_no(relation.takes_rows())))
        .text("is_typed", |_| Some("NO"))
        .finish()
}

fn type_of(relation: &Relation<'_>) -> &'static str {
    match relation.letter() {
        _ if is_temporary(relation.schema) => "LOCAL TEMPORARY",
        'v' => "VIEW",
        'f' => "FOREIGN",
        _ => "BASE TABLE",
    }
}
