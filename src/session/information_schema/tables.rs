//! `SELECT table_schema, table_name, table_type FROM information_schema.tables`: the tables and views.

use super::{super::in_memory::Columns, Contents, Kind, yes_or_no};
use crate::session::DATABASE;

pub(super) fn rows(contents: &Contents) -> Columns {
    let relations = &contents.relations;
    Columns::default()
        .text("table_catalog", relations.iter().map(|_| Some(DATABASE)))
        .text("table_schema", relations.iter().map(|relation| Some(relation.schema)))
        .text("table_name", relations.iter().map(|relation| Some(relation.name)))
        .text("table_type", relations.iter().map(|relation| Some(type_of(relation.kind))))
        .everywhere("self_referencing_column_name", None)
        .everywhere("reference_generation", None)
        .everywhere("user_defined_type_catalog", None)
        .everywhere("user_defined_type_schema", None)
        .everywhere("user_defined_type_name", None)
        .text("is_insertable_into", relations.iter().map(|relation| Some(yes_or_no(relation.kind == Kind::Base))))
        .everywhere("is_typed", Some("NO"))
        .everywhere("commit_action", None)
}

fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Base => "BASE TABLE",
        Kind::Foreign => "FOREIGN",
        Kind::View => "VIEW",
    }
}
