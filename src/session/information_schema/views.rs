//! `SELECT table_name, view_definition FROM information_schema.views`: the views with their queries.

use std::sync::Arc;

use super::{
    super::{in_memory::Columns, masked::masked},
    Contents, Kind, Relation,
};
use crate::{error::MARK, session::DATABASE};

/// Nothing can be changed through a view.
const CHANGES: &[&str] = &[
    "is_updatable",
    "is_insertable_into",
    "is_trigger_updatable",
    "is_trigger_deletable",
    "is_trigger_insertable_into",
];

pub(super) fn rows(contents: &Contents) -> Columns {
    let views: Vec<&Relation> = contents.relations.iter().filter(|relation| relation.kind == Kind::View).collect();
    let columns = Columns::default()
        .text("table_catalog", views.iter().map(|_| Some(DATABASE)))
        .text("table_schema", views.iter().map(|view| Some(view.schema)))
        .text("table_name", views.iter().map(|view| Some(view.name)))
        .text("view_definition", views.iter().map(|view| view.definition.map(shown)))
        .everywhere("check_option", Some("NONE"));
    CHANGES.iter().fold(columns, |columns, name| columns.everywhere(name, Some("NO")))
}

/// Without the marks that tell columns apart, which only the planner needs, and without secrets.
fn shown(query: &str) -> String {
    masked(&Arc::from(query.replace(MARK, ""))).to_string()
}
